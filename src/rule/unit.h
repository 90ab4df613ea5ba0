/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_UNIT_H
#define SKEP_RULE_UNIT_H
/*
 * One compilation, as its passes see it. In this order, each pass reading what those before it made:
 *
 *     check       trees -> requests, atoms, graph                 rule/check.h
 *     for_kind    graph -> what is left of each rule for a kind    rule/dag.h
 *     lookups     rules that are found by a text of the event       rule/lookup.h
 *     plan        costs, what is shared                          rule/plan.h
 *     exact       the program U of a kind                          rule/exact.h
 *     filter      the program K of a kind                          rule/filter.h
 *
 * After lookups nothing is added to atoms and graph.
 */
#include "rule/compile.h"
#include "rule/dag.h"
#include "rule/maps.h"
#include "rule/match.h"

/* A rule and what is left of its condition for a kind of event. */
struct skep_unit_rule {
    uint32_t rule;
    uint32_t node;
};

struct skep_unit {
    struct skep_arena *pool; /* all that lives as long as what is compiled */
    struct skep_requests requests;
    struct skep_atoms atoms;
    struct skep_dag dag;
    struct skep_maps maps;
    struct skep_matcher *finders; /* of lookups by prefixes */
    size_t n_finders, cap_finders;
    struct skep_matchers matchers; /* the atoms', and behind them the finders */
    struct skep_unit_rule *rules[SKEP_KIND_MAX];
    size_t n_rules[SKEP_KIND_MAX];
    struct skep_unit_rule *tried[SKEP_KIND_MAX]; /* those that no lookup finds */
    size_t n_tried[SKEP_KIND_MAX];
    struct skep_lookup *lookups[SKEP_KIND_MAX];
    size_t n_lookups[SKEP_KIND_MAX];
    uint32_t n_cached; /* bytes behind the facts, of the kind that wants most */
    struct skep_compile_options options;
};

int skep_unit_add_finder(struct skep_unit *u, const struct skep_matcher *one);
/* How often an atom is true, from 0 to 1: as measured, else as guessed. */
float skep_unit_weight(const struct skep_unit *u, const struct skep_atom *a);
#endif
