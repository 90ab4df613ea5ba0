/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_TERMS_H
#define SKEP_RULE_COMPILE_TERMS_H
/*
 * Terms: the simple questions about one value of a field that an index (rule/compile/index.h) answers for a thousand rules at
 * once: is it this text, does it begin or end with it, is it inside, is the number or address in this interval.
 *
 * For each constant of an atom there are choices of terms. When the constant fits, then in each choice at least one term
 * is true, so any choice will do to find the rule by. An exact choice is also true only if the constant fits.
 *
 *     fd.name glob /srv/?/up*.php     begins with "/srv/", or: has "/up" inside, or: ends with ".php", or ...
 *     fd.name contains (a, b)         a: has "a" inside, exactly; b: the same
 *
 * Texts of more than SKEP_TERM_TEXT_MAX bytes are looked for by their ends alone (not those that are to be equal), which
 * bounds the memory of what looks for them. Terms of one request and family are a group: one search answers them all.
 */
#include "rule/compile/atom.h"
#include "rule/match/spans.h"

#define SKEP_TERM_TEXT_MAX 32
#define SKEP_TERMS_MAX 2000000 /* of one policy; atoms beyond have none */

enum skep_term_family {
    SKEP_TERM_EQUAL,
    SKEP_TERM_BEGIN,
    SKEP_TERM_END,
    SKEP_TERM_INSIDE,
    SKEP_TERM_FOLDED, /* inside, whatever the case; in lower case here */
    SKEP_TERM_NUMBER,
    SKEP_TERM_IP4,
    SKEP_TERM_IP6,
    SKEP_TERM_FAMILY_MAX,
};

struct skep_term {
    uint32_t group;
    bool wide; /* true of so much that little is found by it */
    const char *s;
    size_t n;
    struct skep_span span; /* NUMBER, IP4, IP6 */
};

struct skep_term_choice {
    const uint32_t *terms;
    uint32_t n;
    bool exact;
};

struct skep_term_value {
    const struct skep_term_choice *choices;
    uint32_t n;
};

/* By number of the atom. */
struct skep_term_atom {
    const struct skep_term_value *values; /* NULL: it has no terms, or some constant has not */
    size_t n;
    bool looked;
};

struct skep_term_group {
    uint32_t request;
    enum skep_term_family family;
};

struct skep_terms {
    struct skep_arena *pool;
    const struct skep_atoms *all;
    struct skep_intern numbers, groups_known;
    struct skep_term *list;
    size_t n, cap;
    struct skep_term_group *groups;
    size_t n_groups, cap_groups;
    struct skep_term_atom *atoms;
    size_t n_atoms;
};

void skep_terms_init(struct skep_terms *t, struct skep_arena *pool, const struct skep_atoms *all);
void skep_terms_clear(struct skep_terms *t);
/* *ret is valid until the next call. -ENOMEM. */
int skep_terms_of(struct skep_terms *t, uint32_t atom, const struct skep_term_atom **ret);
#endif
