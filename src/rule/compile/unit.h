/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_UNIT_H
#define SKEP_RULE_COMPILE_UNIT_H
/*
 * One compilation, as its passes see it. In this order, each pass reading what those before it made:
 *
 *     check       trees -> requests, atoms, graph                 rule/compile/check.h
 *     for_kind    graph -> what is left of each rule for a kind    rule/compile/dag.h
 *     indexes     rules that are found by what they demand           rule/compile/index.h
 *     plan        costs, what is shared                          rule/compile/plan.h
 *     exact       the program U of a kind                          rule/compile/exact.h
 *     filter      the program K of a kind                          rule/compile/filter.h
 *
 * After indexes nothing is added to atoms and graph.
 */
#include "rule/compile/compile.h"
#include "rule/compile/dag.h"
#include "rule/compile/maps.h"
#include "rule/compile/match.h"

/* A rule and what is left of its condition for a kind of event. */
struct skep_unit_rule {
    uint32_t rule;
    uint32_t node;
};

/* A rule that an index finds, and what it demands besides that by which it is found. */
struct skep_index_rule {
    uint32_t rule;
    uint32_t rest;
};

struct skep_index_choice {
    struct skep_index_rule *rules;
    size_t n;
};

struct skep_unit {
    struct skep_arena *pool; /* all that lives as long as what is compiled */
    struct skep_requests requests;
    struct skep_atoms atoms;
    struct skep_dag dag;
    struct skep_maps maps;
    struct skep_matchers matchers;
    struct skep_unit_rule *rules[SKEP_KIND_MAX];
    size_t n_rules[SKEP_KIND_MAX];
    struct skep_unit_rule *tried[SKEP_KIND_MAX]; /* those that no index finds */
    size_t n_tried[SKEP_KIND_MAX];
    struct skep_index_choice found[SKEP_KIND_MAX]; /* those that one does */
    struct skep_index *indexes[SKEP_KIND_MAX];
    uint32_t n_cached; /* bytes behind the facts, of the kind that wants most */
    struct skep_compile_options options;
};

/* How often an atom is true, from 0 to 1: as measured, else as guessed. */
float skep_unit_weight(const struct skep_unit *u, const struct skep_atom *a);
#endif
