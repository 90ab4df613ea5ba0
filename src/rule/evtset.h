/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_EVTSET_H
#define SKEP_RULE_EVTSET_H
/*
 * Which types of event a condition can match: what has to be observed for its sake, and the warning about rules that
 * want everything.
 *
 * For each expression two sets are kept: the types for which it can be true, and those for which it can be false. A
 * comparison of evt.type with constants names its types and the others; any other comparison can be both for every
 * type. `and` intersects the first and joins the second, `or` the other way round, `not` swaps them. So a negation
 * never takes types away on behalf of something that is not about types:
 *
 *     evt.type in (open, openat) and fd.num >= 0      open, openat
 *     not (evt.type = open and proc.name = sh)        every type
 *     not (evt.type = open or proc.name = sh)         every type but open
 *
 * The sets are exact as far as comparisons of evt.type go and otherwise too large, never too small. evt.type is never
 * missing.
 */
#include "rule/condition/ast.h"
#include "rule/evttype.h"

struct skep_evtset {
    uint64_t bits[SKEP_EVTTYPE_MAX / 64];
};

/* For expressions that others share, so that they are not walked again (struct skep_expr). */
struct skep_evtsets {
    struct skep_evtset yes, no;
};

static inline bool skep_evtset_has(const struct skep_evtset *s, uint32_t type)
{
    return s->bits[type / 64] >> (type % 64) & 1;
}

static inline void skep_evtset_add(struct skep_evtset *s, uint32_t type)
{
    s->bits[type / 64] |= (uint64_t)1 << (type % 64);
}

/* Those of one name once. */
static inline bool skep_evtset_meets(const struct skep_evtset *a, const struct skep_evtset *b)
{
    uint64_t common = 0;
    for (size_t i = 0; i < ARRAY_SIZE(a->bits); i++)
        common |= a->bits[i] & b->bits[i];
    return common != 0;
}

unsigned skep_evtset_count(const struct skep_evtset *s);
/* Every type that skep observes. */
struct skep_evtset skep_evtset_all(void);
/* Those of one kind of event. */
struct skep_evtset skep_evtset_of_kind(unsigned kind);

/* Of a whole expression. Walks it, down to nodes that know theirs. */
struct skep_evtsets skep_evtsets_of(const struct skep_expr *e);
/* The types that e can be true for; set[0] stays false. ret_pure (may be NULL): e is about evt.type alone, so that it
 * is true for every event of these types. */
void skep_rule_evttypes(const struct skep_expr *e, bool set[SKEP_EVTTYPE_MAX], bool *ret_pure);
#endif
