/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_REGEX_PARSE_H
#define SKEP_RULE_MATCH_REGEX_PARSE_H
/*
 * The text of a regular expression as a tree, for rule/match/regex.c; the language is described in rule/match/regex.h. At most
 * SKEP_REGEX_DEPTH_MAX groups are nested.
 */
#include "rule/compile/intern.h"

#define SKEP_REGEX_DEPTH_MAX 100

struct skep_regex_set {
    uint64_t bits[4];
};

enum skep_regex_kind {
    SKEP_REGEX_EMPTY,
    SKEP_REGEX_SET,
    SKEP_REGEX_BEGIN,
    SKEP_REGEX_END,
    SKEP_REGEX_REPEAT,
    SKEP_REGEX_CONCAT,
    SKEP_REGEX_ALTERNATE,
};

struct skep_regex_node {
    enum skep_regex_kind kind;
    struct skep_regex_set set;
    bool wide;    /* SET: also any character outside of ASCII */
    int min, max; /* REPEAT; max -1: any number */
    const struct skep_regex_node **kids;
    size_t n_kids;
};

static inline bool skep_regex_set_has(const struct skep_regex_set *s, uint8_t c)
{
    return s->bits[c / 64] >> (c % 64) & 1;
}

int skep_regex_parse(struct skep_arena *pool, const char *pattern, size_t n,
                     const struct skep_regex_node **ret, const char **ret_reason, size_t *ret_at);
#endif
