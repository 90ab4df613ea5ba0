/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/prefixes.h"

#include "rule/text.h"

static int compare(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int d = memcmp(a, b, MIN(n_a, n_b));
    return d ? d : (n_a > n_b) - (n_a < n_b);
}

static int compare_prefixes(const void *x, const void *y)
{
    const struct skep_prefix *a = x, *b = y;
    return compare(a->s, a->n, b->s, b->n);
}

void skep_prefixes_settle(struct skep_prefixes *p)
{
    if (p->n)
        qsort(p->list, p->n, sizeof(*p->list), compare_prefixes);
    for (uint32_t i = 0; i < p->n; i++) {
        struct skep_prefix *one = &p->list[i];
        uint32_t up = i ? i - 1 : SKEP_PREFIX_NONE;
        while (up != SKEP_PREFIX_NONE && !skep_text_begins(one->s, one->n, p->list[up].s, p->list[up].n))
            up = p->list[up].parent;
        one->parent = up;
    }
}

uint32_t skep_prefixes_find(const struct skep_prefixes *p, const char *s, size_t n)
{
    size_t lo = 0, hi = p->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare(p->list[mid].s, p->list[mid].n, s, n) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    uint32_t at = lo ? (uint32_t)(lo - 1) : SKEP_PREFIX_NONE;
    while (at != SKEP_PREFIX_NONE && !skep_text_begins(s, n, p->list[at].s, p->list[at].n))
        at = p->list[at].parent;
    return at;
}
