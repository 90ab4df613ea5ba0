/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_DAG_H
#define SKEP_RULE_COMPILE_DAG_H
/*
 * The conditions of all rules as one graph of atoms, and, or, not. Equal nodes are one node. A node is true or false,
 * never unknown: a missing field makes its atom false before anything else looks at it.
 *
 * Each node knows for which types of event it can be true, and for which it can be false. That follows from what
 * evt.type is compared with and from which kinds of event have a field at all, and it is how a rule comes to its types,
 * and how the graph shrinks when the kind of event is known (skep_dag_for_kind).
 *
 * Numbers of nodes stay what they are; children have smaller numbers than their parents. Errors stick.
 */
#include "rule/compile/atom.h"
#include "rule/evtset.h"

enum { SKEP_NODE_FALSE = 0, SKEP_NODE_TRUE = 1 };

enum skep_node_kind { SKEP_NODE_CONSTANT, SKEP_NODE_ATOM, SKEP_NODE_NOT, SKEP_NODE_AND, SKEP_NODE_OR };

struct skep_node {
    enum skep_node_kind kind;
    uint32_t atom;
    const uint32_t *kids; /* NOT: one */
    uint32_t n_kids;
    struct skep_evtset yes, no; /* types for which it can be true, false */
};

struct skep_dag {
    struct skep_arena *pool;
    struct skep_atoms *atoms;
    struct skep_intern numbers;
    struct skep_node *nodes;
    size_t n, cap;
    struct skep_evtset all;
    struct skep_dag_memo *memo; /* of for_kind() */
    size_t n_memo;
    int error;
};

int skep_dag_init(struct skep_dag *d, struct skep_arena *pool, struct skep_atoms *atoms);
void skep_dag_clear(struct skep_dag *d);

uint32_t skep_dag_atom(struct skep_dag *d, uint32_t atom);
uint32_t skep_dag_not(struct skep_dag *d, uint32_t node);
/* AND or OR of any number of nodes. */
uint32_t skep_dag_join(struct skep_dag *d, enum skep_node_kind kind, const uint32_t *nodes, size_t n);
/* What is left of a node for events of a kind. */
uint32_t skep_dag_for_kind(struct skep_dag *d, uint32_t node, unsigned kind);
#endif
