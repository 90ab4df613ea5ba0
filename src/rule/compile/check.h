/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_CHECK_H
#define SKEP_RULE_COMPILE_CHECK_H
/*
 * Types of conditions: a tree (rule/condition/ast.h) becomes nodes of the graph, or complaints. What an operator may be applied to:
 *
 *     exists                                      anything
 *     = !=                                        one value (a field of several alternatives, too), not a list
 *     < <= > >=                                   numbers
 *     contains ... endswith, glob, iglob, regex   texts
 *     in, intersects                              anything but bool lists; pmatch: texts
 *     oneof, anyof, allof                         behind = != and the operators on texts
 *
 * An expression that several rules share is looked at once.
 */
#include "rule/compile/dag.h"

struct skep_checker {
    struct skep_arena *pool;
    struct skep_requests *requests;
    struct skep_atoms *atoms;
    struct skep_dag *dag;
    struct skep_diags *diags;
    struct skep_hashmap *known; /* expression -> node + 1 */
    unsigned depth;
};

/* -EINVAL: complaints were added (all that were found, not only the first); -ENOMEM. */
int skep_check_expr(struct skep_checker *c, const struct skep_expr *e, uint32_t *ret_node);
#endif
