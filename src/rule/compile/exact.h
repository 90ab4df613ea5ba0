/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_EXACT_H
#define SKEP_RULE_COMPILE_EXACT_H
/*
 * The exact program U of one kind of event.
 *
 *     r6          the context, all the time
 *     r0 to r5    scratch
 *     r7, r8, r9  scratch that calls keep; nothing lives there from one atom to the next
 *
 * Rules that no index finds come one after another. Behind them is the loop over those that the index of the kind finds
 * (rule/compile/index.h): the helpers FIND and NEXT, and a switch to the candidate's code. Each ends by calling `report`, which writes the rule's number into the context. Nodes that several use are functions: r1 = context, r0 =
 * 1 false, 2 true, which they also leave in the node's byte of the context.
 */
#include "rule/compile/index.h"
#include "rule/compile/plan.h"

struct skep_exact {
    struct skep_build b;
    struct skep_unit *unit;
    struct skep_rule_plan plan;
    struct skep_map_refs refs;
    unsigned *functions; /* by node: label + 1; 0: not asked for yet */
    uint32_t *wanted;    /* nodes whose functions are still to be written */
    size_t n_wanted, cap_wanted;
    unsigned report, end;
    bool first_only; /* stop at the first rule that matches: when they are tried in order */
    size_t choices;  /* constants that are compared by code so far */
};

/* rules: those of the kind, by number. -E2BIG: it would be too long. */
int skep_exact_build(struct skep_unit *u, uint16_t kind, struct skep_rule_program *ret);

/* For the other files of it. */
void skep_exact_fail(struct skep_exact *x, int error);
void skep_exact_node(struct skep_exact *x, uint32_t node, const struct skep_branch *to);
void skep_exact_atom(struct skep_exact *x, uint32_t atom, const struct skep_branch *to);
/* The index, and the rules that it finds. */
void skep_exact_candidates(struct skep_exact *x);
void skep_exact_report(struct skep_exact *x, uint32_t rule);
/* r1 = context, and the call of a helper with a number. */
void skep_exact_call(struct skep_exact *x, uint32_t helper, uint32_t number);
#endif
