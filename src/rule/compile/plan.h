/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_PLAN_H
#define SKEP_RULE_COMPILE_PLAN_H
/*
 * What is known of the nodes of one kind of event before code is made of them: what they cost, how often they are
 * true, how many others use them. From that follows the order of operands (cheap ones that decide come first) and
 * which nodes keep their result in the context: those with several users that cost more than looking there.
 *
 * Such a node is a function of the program, called when its byte is 0. Calls nest at most SKEP_PLAN_CALLS deep; what
 * would go deeper is written out where it is used.
 */
#include "rule/compile/unit.h"

#define SKEP_PLAN_CALLS 5

struct skep_rule_plan_node {
    bool seen;
    uint8_t calls; /* how deep those inside nest */
    uint32_t uses;
    uint32_t cached; /* byte + 1; 0: none */
    float cost;      /* of one evaluation, in nanoseconds or so */
    float truth;     /* how often it is true */
};

struct skep_rule_plan {
    const struct skep_unit *unit;
    uint16_t kind;
    struct skep_rule_plan_node *nodes; /* by number of the graph */
    uint32_t *order;                   /* those that are used, children first */
    size_t n, cap;
    uint32_t n_cached;
    int error;
};

int skep_rule_plan_init(struct skep_rule_plan *p, const struct skep_unit *u, uint16_t kind);
void skep_rule_plan_clear(struct skep_rule_plan *p);
/* A node that code will be made for. All of them first, then skep_rule_plan_settle(). */
void skep_rule_plan_use(struct skep_rule_plan *p, uint32_t node);
void skep_rule_plan_settle(struct skep_rule_plan *p);
/* The kids of AND or OR in the order in which they are best evaluated; room for n_kids. */
void skep_rule_plan_sort(const struct skep_rule_plan *p, const struct skep_node *n, uint32_t *ret);
#endif
