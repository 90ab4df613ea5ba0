/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "rule/compile/filter_plan.h"

#include "rule/match/pathset.h"

struct texts {
    struct skep_radix_text *list;
    size_t n, cap;
};

static int add_text(struct texts *t, const char *s, size_t n, bool whole, uint32_t tag)
{
    if (SKEP_ARRAY_RESERVE(t->list, t->n, 1, t->cap) < 0)
        return -ENOMEM;
    t->list[t->n++] = (struct skep_radix_text){s, n, whole, tag};
    return 0;
}

/* What lies below a path begins with it, unless it is written with two slashes in a row somewhere in it: those are taken
 * for it, too. (Texts that do not begin with a slash are not known.) */
static int add_below(struct skep_arena *pool, struct texts *t, const struct skep_constant *c, uint32_t tag)
{
    int r = add_text(t, c->text.s, c->text.n, false, tag);
    for (size_t i = 0; r == 0 && i < c->text.n; i++) {
        if (c->text.s[i] != '/')
            continue;
        char *twice = skep_arena_alloc(pool, i + 2);
        if (!twice)
            return -ENOMEM;
        memcpy(twice, c->text.s, i + 1);
        twice[i + 1] = '/';
        if (i + 2 <= SKEP_RADIX_LEN_MAX)
            r = add_text(t, twice, i + 2, false, tag);
    }
    return r;
}

bool skep_filter_has_radix(const struct skep_atom *a)
{
    if (a->op != SKEP_ATOM_EQ && a->op != SKEP_ATOM_STARTSWITH && a->op != SKEP_ATOM_ENDSWITH &&
        a->op != SKEP_ATOM_PMATCH)
        return false;
    for (size_t i = 0; i < a->n_values; i++)
        if (a->values[i].text.n > SKEP_RADIX_LEN_MAX || memchr(a->values[i].text.s, 0, a->values[i].text.n))
            return false;
    return a->n_values <= SKEP_FILTER_RADIX_VALUES;
}

int skep_filter_radix(struct skep_arena *pool, struct skep_filter_node *const *literals, size_t n,
                      const struct skep_rule_spot *spot, bool *ret_rooted, struct skep_radix **ret)
{
    struct texts t = {0};
    bool from_end = literals[0]->atom.op == SKEP_ATOM_ENDSWITH;
    int r = 0;
    *ret_rooted = false;
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct skep_atom *a = &literals[i]->atom;
        for (size_t k = 0; k < a->n_values && r == 0; k++) {
            const struct skep_constant *c = &a->values[k];
            if (a->op == SKEP_ATOM_PMATCH) {
                *ret_rooted = true;
                r = add_below(pool, &t, c, (uint32_t)i);
            } else {
                r = add_text(&t, c->text.s, c->text.n, a->op == SKEP_ATOM_EQ, (uint32_t)i);
            }
        }
    }
    if (r == 0)
        r = skep_radix_new(pool, t.list, t.n, spot->form == SKEP_SPOT_CHARS && !from_end ? spot->size : 0,
                           from_end, ret);
    free(t.list);
    return r;
}
