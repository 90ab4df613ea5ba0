/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_ATOM_H
#define SKEP_RULE_COMPILE_ATOM_H
/*
 * Atoms: the questions that conditions are made of, each about one request and with its constants read as the type of
 * the field. An atom is true when the field has a value for which one of the values fits; it is false when the field
 * is missing. What is not of this form is put together in the graph (rule/compile/dag.h):
 *
 *     x != a              x exists and not x = a
 *     x = allof (a, b)    x = a and x = b
 *     x >= 5              x = one of the interval [5, ...]
 *     x glob abc*         x startswith abc
 *
 * Equal atoms are one, whatever rule they come from.
 */
#include "base/diag.h"
#include "rule/evttype.h"
#include "rule/match/constant.h"
#include "rule/request.h"

enum skep_atom_op {
    SKEP_ATOM_EXISTS,
    SKEP_ATOM_EQ, /* is one of the values; with a right side: equal to it */
    SKEP_ATOM_LT, /* LT to GE: with a right side only */
    SKEP_ATOM_LE,
    SKEP_ATOM_GT,
    SKEP_ATOM_GE,
    SKEP_ATOM_CONTAINS,
    SKEP_ATOM_ICONTAINS, /* values are in lower case */
    SKEP_ATOM_STARTSWITH,
    SKEP_ATOM_ENDSWITH,
    SKEP_ATOM_GLOB,
    SKEP_ATOM_IGLOB,
    SKEP_ATOM_REGEX,
    SKEP_ATOM_PMATCH,
};

enum skep_atom_mode {
    SKEP_ATOM_ONE, /* the field has one value */
    SKEP_ATOM_ANY, /* several, of which one that fits is enough */
    SKEP_ATOM_ALL, /* several, which all have to fit */
};

#define SKEP_ATOM_NO_RIGHT UINT32_MAX

struct skep_atom {
    enum skep_atom_op op;
    enum skep_atom_mode mode;
    enum skep_rule_type type;
    bool oneof;   /* exactly one of the values fits ... */
    bool negated; /* ... or, with oneof: exactly one does not */
    bool on_evttype;
    uint32_t request;
    uint32_t right; /* request on the right side */
    const struct skep_constant *values;
    size_t n_values;
    uint64_t types[SKEP_EVTTYPE_MAX / 64]; /* on_evttype: those for which it is true */
    const char *text;                      /* proc.name = sh */
};

/* An atom is made of a check, or of others' values. */
struct skep_atoms {
    struct skep_arena *pool;
    struct skep_requests *requests;
    struct skep_intern numbers;
    struct skep_atom *list;
    struct skep_matcher *matchers; /* of the same number */
    size_t n, cap;
};

void skep_atoms_init(struct skep_atoms *a, struct skep_arena *pool, struct skep_requests *requests);
void skep_atoms_clear(struct skep_atoms *a);
/* values are sorted if the order does not matter, and kept. -EINVAL: ret_reason, about value *ret_value. */
int skep_atoms_put(struct skep_atoms *a, struct skep_atom *one, uint32_t *ret, const char **ret_reason,
                   size_t *ret_value);
/* No more will be put: from now on matchers know their atoms. */
void skep_atoms_settle(struct skep_atoms *a);
/* Whether it asks if a value is one of a sorted set. */
bool skep_atom_is_set(const struct skep_atom *a);
#endif
