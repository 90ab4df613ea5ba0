/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/spans.h"

struct skep_spans {
    struct skep_span_key *bounds; /* sorted, each once: piece i is from bounds[i] to before bounds[i + 1] */
    size_t n_bounds;
    size_t n_leaves; /* a power of two; node 1 is the root, leaf i is node n_leaves + i */
    uint32_t *first; /* of a node, in list; the next node's first is behind the last */
    uint32_t *list;
};

static int compare(const struct skep_span_key *a, const struct skep_span_key *b)
{
    if (a->hi != b->hi)
        return a->hi < b->hi ? -1 : 1;
    return (a->lo > b->lo) - (a->lo < b->lo);
}

static int compare_bounds(const void *a, const void *b)
{
    return compare(a, b);
}

/* How many bounds are not above the key. */
static size_t place(const struct skep_spans *s, const struct skep_span_key *key)
{
    size_t lo = 0, hi = s->n_bounds;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare(&s->bounds[mid], key) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Counts the nodes that cover an interval (list NULL), or puts it into them. */
static void cover(struct skep_spans *s, const struct skep_span *span, uint32_t number, bool put)
{
    size_t lo = place(s, &span->first) - 1 + s->n_leaves, hi = place(s, &span->last) + s->n_leaves;
    for (; lo < hi; lo /= 2, hi /= 2) {
        size_t nodes[2], n = 0;
        if (lo % 2)
            nodes[n++] = lo++;
        if (hi % 2)
            nodes[n++] = --hi;
        for (size_t i = 0; i < n; i++) {
            if (put)
                s->list[s->first[nodes[i]]] = number;
            s->first[nodes[i]]++;
        }
    }
}

static size_t make_bounds(struct skep_spans *s, const struct skep_span *spans, size_t n)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct skep_span_key behind = {spans[i].last.hi + (spans[i].last.lo == UINT64_MAX),
                                       spans[i].last.lo + 1};
        s->bounds[count++] = spans[i].first;
        if (behind.hi || behind.lo)
            s->bounds[count++] = behind;
    }
    if (count)
        qsort(s->bounds, count, sizeof(*s->bounds), compare_bounds);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare(&s->bounds[kept - 1], &s->bounds[i]) != 0)
            s->bounds[kept++] = s->bounds[i];
    return kept;
}

int skep_spans_new(struct skep_arena *pool, const struct skep_span *spans, size_t n, struct skep_spans **ret)
{
    struct skep_spans *s = skep_arena_alloc(pool, sizeof(*s));
    if (s)
        s->bounds = skep_arena_array(pool, 2 * n, sizeof(*s->bounds));
    if (!s || !s->bounds)
        return -ENOMEM;
    s->n_bounds = make_bounds(s, spans, n);
    s->n_leaves = 1;
    while (s->n_leaves < s->n_bounds)
        s->n_leaves *= 2;
    s->first = skep_arena_array(pool, 2 * s->n_leaves + 1, sizeof(*s->first));
    if (!s->first)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        cover(s, &spans[i], (uint32_t)i, false);
    uint32_t total = 0;
    for (size_t i = 0; i <= 2 * s->n_leaves; i++) {
        uint32_t count = s->first[i];
        s->first[i] = total;
        total += count;
    }
    s->list = skep_arena_array(pool, total, sizeof(*s->list));
    if (!s->list)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        cover(s, &spans[i], (uint32_t)i, true);
    for (size_t i = 2 * s->n_leaves; i > 0; i--) /* each has moved to where the next began */
        s->first[i] = s->first[i - 1];
    s->first[0] = 0;
    *ret = s;
    return 0;
}

void skep_spans_search(const struct skep_spans *s, struct skep_span_key key,
                       void (*hit)(void *arg, uint32_t span), void *arg)
{
    size_t behind = place(s, &key);
    if (behind == 0)
        return;
    for (size_t node = behind - 1 + s->n_leaves; node; node /= 2)
        for (uint32_t i = s->first[node]; i < s->first[node + 1]; i++)
            hit(arg, s->list[i]);
}

/* ---- keys ---- */

struct skep_span_key skep_span_key_number(int64_t v)
{
    return (struct skep_span_key){0, (uint64_t)v ^ (uint64_t)1 << 63};
}

struct skep_span_key skep_span_key_ip(const void *ip, size_t len)
{
    const uint8_t *b = ip;
    struct skep_span_key k = {0};
    for (size_t i = 0; i < len; i++) {
        k.hi = k.hi << 8 | k.lo >> 56;
        k.lo = k.lo << 8 | b[i];
    }
    return k;
}

struct skep_span skep_span_of(enum skep_rule_type type, const struct skep_constant *c)
{
    if (type != SKEP_RULE_IP)
        return (struct skep_span){skep_span_key_number(c->number.lo), skep_span_key_number(c->number.hi)};
    struct skep_span s = {.first = skep_span_key_ip(c->ip.bytes, c->ip.len)};
    unsigned rest = c->ip.len * 8U - c->ip.bits;
    s.last = s.first;
    s.last.hi |= rest > 64 ? ~(uint64_t)0 >> (128 - rest) : 0;
    s.last.lo |= rest == 0 ? 0 : rest >= 64 ? ~(uint64_t)0 : ~(uint64_t)0 >> (64 - rest);
    return s;
}
