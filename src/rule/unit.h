/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_UNIT_H
#define SKEP_RULE_UNIT_H
/*
 * One compilation, as its passes see it. In this order, each pass reading what those before it made:
 *
 *     check       trees -> requests, atoms, graph                 rule/check.h
 *     for_kind    graph -> what is left of each rule for a kind    rule/dag.h
 *     plan        costs, what is shared, what is looked up         rule/plan.h
 *     exact       the program U of a kind                          rule/exact.h
 *     filter      the program K of a kind                          rule/filter.h
 *
 * After for_kind nothing is added to atoms and graph.
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
    struct skep_pool pool;
    struct skep_requests requests;
    struct skep_atoms atoms;
    struct skep_dag dag;
    struct skep_maps maps;
    struct skep_matchers matchers; /* the atoms', and behind them those of lookups */
    size_t cap_matchers;
    struct skep_unit_rule *rules[SKEP_KIND_MAX];
    size_t n_rules[SKEP_KIND_MAX];
    uint32_t n_cached; /* bytes behind the facts, of the kind that wants most */
    struct skep_compile_options options;
};

/* How often an atom is true, from 0 to 1: as measured, else as guessed. */
float skep_unit_weight(const struct skep_unit *u, const struct skep_atom *a);
#endif
