/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_FILTER_PLAN_H
#define SKEP_RULE_COMPILE_FILTER_PLAN_H
/*
 * How a filter is planned: filter.c makes literals of the atoms of all rules, and of the rules one alternative each;
 * filter_arrange.c then sees to it that an event nobody is interested in pays for as few of them as possible.
 *
 *     factor    what all alternatives demand is asked once, before them
 *     if        what many of them demand, at a small price, divides them: each half holds what is left to be asked
 *     switch    one look at a text tells which of the texts of all alternatives fit (rule/compile/radix.h); for each set of
 *               texts that fit together there is what is left of the alternatives then. Most of them are gone where
 *               none of theirs fits.
 *     gates     what is too large for that: a look at the texts of all that demand one of the field
 *
 * Nodes are never changed once they have a parent. Errors stick.
 */
#include "rule/compile/filter.h"

struct skep_filter_planner {
    struct skep_unit *u;
    uint16_t kind;
    enum skep_filter_precision precision;
    struct skep_filter_node **known; /* by node and sign */
    struct skep_intern shapes[2];    /* kids of ANDs, of ORs */
    struct skep_filter_node **shaped[2];
    size_t made;                       /* nodes so far */
    uint32_t stamp, groups;            /* the last ones given */
    uint32_t group;                    /* of the switch whose literals are being gathered */
    const struct skep_rule_spot *text; /* that a switch around has looked at; NULL */
    int error;
};

struct skep_filter_node *skep_filter_make(struct skep_filter_planner *p, enum skep_filter_kind kind,
                                          size_t room);
struct skep_filter_node *skep_filter_constant(struct skep_filter_planner *p, bool value);
struct skep_filter_node *skep_filter_literal(struct skep_filter_planner *p, const struct skep_atom *a,
                                             uint32_t number, bool negated);
/* n is an AND or OR that holds kids as they came: constants go, the rest is put in order. What n has become. */
struct skep_filter_node *skep_filter_settle(struct skep_filter_planner *p, struct skep_filter_node *n);
/* What is true wherever an atom is that the kernel cannot decide, as far as the record tells. */
struct skep_filter_node *skep_filter_weaker(struct skep_filter_planner *p, const struct skep_atom *a);
/* Whether the texts of an atom can be told apart by a radix. */
bool skep_filter_has_radix(const struct skep_atom *a);
/* Of the texts of literals that all look at the same end of one text; tags are their places. rooted: a text that does not
 * begin with a slash is not told apart. -E2BIG. */
int skep_filter_radix(struct skep_arena *pool, struct skep_filter_node *const *literals, size_t n,
                      const struct skep_rule_spot *spot, bool *ret_rooted, struct skep_radix **ret);
/* Of an OR. */
struct skep_filter_node *skep_filter_gates(struct skep_filter_planner *p, struct skep_filter_node *n);
struct skep_filter_node *skep_filter_gate_searches(struct skep_filter_planner *p, struct skep_filter_node *n);
/* The same plan, as it is to be asked. */
struct skep_filter_node *skep_filter_arrange(struct skep_filter_planner *p, struct skep_filter_node *n);
#endif
