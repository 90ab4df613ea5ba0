/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_MATCH_H
#define SKEP_RULE_COMPILE_MATCH_H
/*
 * Matchers: comparisons that U leaves to a helper, because they are loops (substrings, patterns, regular expressions,
 * lists of values) or compare two fields. A matcher is an atom with its constants made ready. Immutable: any thread may
 * match, each with a context of its own.
 */
#include "rule/compile/atom.h"

struct skep_matchers {
    const struct skep_matcher *list;
    size_t n;
    const struct skep_index *const *indexes; /* by kind; NULL: none */
};

struct skep_matcher {
    const struct skep_atom *atom;
    const struct skep_regex *const *regexes; /* REGEX: by value */
    const struct skep_pathset *paths;        /* PMATCH */
    const struct skep_automaton *texts;      /* CONTAINS to ENDSWITH, when there are many */
};

/* -EINVAL: ret_reason, for value *ret_value; -ENOMEM. */
int skep_matcher_make(struct skep_arena *pool, const struct skep_atom *a, struct skep_matcher *ret,
                      const char **ret_reason, size_t *ret_value);
/* A text by itself, for the atoms that compare with constants: what is known when rules are compiled. */
bool skep_matcher_text(const struct skep_matcher *m, const char *s, size_t n);
#endif
