/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/evtset.h"

#define WORDS (SKEP_EVTTYPE_MAX / 64)

unsigned skep_evtset_count(const struct skep_evtset *s)
{
    unsigned n = 0;
    for (uint32_t i = 1; i < SKEP_EVTTYPE_COUNT; i++)
        n += skep_evtset_has(s, i) && !skep_evtset_has(s, skep_evttype_again(i));
    return n;
}

struct skep_evtset skep_evtset_all(void)
{
    struct skep_evtset s = {0};
    size_t n;
    skep_evttypes(&n);
    for (uint32_t i = 1; i < n; i++)
        skep_evtset_add(&s, i);
    return s;
}

struct skep_evtset skep_evtset_of_kind(unsigned kind)
{
    struct skep_evtset s = {0};
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    for (uint32_t i = 1; i < n; i++)
        if (types[i].kind == kind)
            skep_evtset_add(&s, i);
    return s;
}

static void cut(struct skep_evtset *s, const struct skep_evtset *with)
{
    for (size_t i = 0; i < WORDS; i++)
        s->bits[i] &= with->bits[i];
}

static void join(struct skep_evtset *s, const struct skep_evtset *with)
{
    for (size_t i = 0; i < WORDS; i++)
        s->bits[i] |= with->bits[i];
}

static struct skep_evtset others(const struct skep_evtset *s)
{
    struct skep_evtset all = skep_evtset_all();
    for (size_t i = 0; i < WORDS; i++)
        all.bits[i] &= ~s->bits[i];
    return all;
}

/* Whether it compares evt.type itself with constants by equality. */
static bool is_type_check(const struct skep_check *c)
{
    const struct skep_operand *left = c->left;
    if (!left || !left->field || left->arg || c->right || !skep_streq(left->field->name, "evt.type"))
        return false;
    switch (c->op) {
    case SKEP_RULE_OP_EXISTS:
        return true;
    case SKEP_RULE_OP_EQ:
    case SKEP_RULE_OP_NE:
        return c->quantifier == SKEP_RULE_SINGLE ||
               (c->quantifier == SKEP_RULE_ANYOF && c->op == SKEP_RULE_OP_EQ);
    case SKEP_RULE_OP_IN:
        return true;
    default:
        return false;
    }
}

static struct skep_evtsets of_check(const struct skep_check *c)
{
    struct skep_evtsets s;
    if (!is_type_check(c)) {
        s.yes = s.no = skep_evtset_all();
        return s;
    }
    struct skep_evtset named = {0};
    for (size_t i = 0; i < c->n_values; i++) {
        uint32_t type = skep_evttype_find(c->values[i].s, c->values[i].n);
        for (; type; type = skep_evttype_again(type))
            skep_evtset_add(&named, type);
    }
    if (c->op == SKEP_RULE_OP_EXISTS)
        named = skep_evtset_all();
    s.yes = c->op == SKEP_RULE_OP_NE ? others(&named) : named;
    s.no = others(&s.yes);
    return s;
}

struct skep_evtsets skep_evtsets_of(const struct skep_expr *e)
{
    if (e->evttypes)
        return *e->evttypes;
    if (e->kind == SKEP_EXPR_CHECK)
        return of_check(&e->check);
    struct skep_evtsets s = {0};
    bool and = e->kind == SKEP_EXPR_AND;
    *(and? &s.yes : &s.no) = skep_evtset_all();
    for (size_t i = 0; i < e->n_kids; i++) {
        struct skep_evtsets kid = skep_evtsets_of(e->kids[i]);
        if (e->kind == SKEP_EXPR_NOT)
            return (struct skep_evtsets){.yes = kid.no, .no = kid.yes};
        (and? cut : join)(&s.yes, &kid.yes);
        (and? join : cut)(&s.no, &kid.no);
    }
    return s;
}

void skep_rule_evttypes(const struct skep_expr *e, bool set[SKEP_EVTTYPE_MAX], bool *ret_pure)
{
    struct skep_evtsets s = skep_evtsets_of(e);
    bool pure = true;
    for (uint32_t i = 0; i < SKEP_EVTTYPE_MAX; i++) {
        set[i] = skep_evtset_has(&s.yes, i);
        pure = pure && !(set[i] && skep_evtset_has(&s.no, i));
    }
    if (ret_pure)
        *ret_pure = pure;
}
