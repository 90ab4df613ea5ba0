/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_GLOB_H
#define SKEP_RULE_MATCH_GLOB_H
/*
 * Patterns of *, ? and [...], as fnmatch(3) without flags reads them: they fit the whole text, * and ? also stand for
 * slashes, [!...] and [^...] for what is not listed, a backslash takes the meaning from what follows. On bytes; a
 * bracket that is never closed is an ordinary character.
 *
 * Time is at most the length of the pattern times that of the text: going back is only ever to the last star.
 */
#include "base/macro.h"

#define SKEP_GLOB_MAX 1024 /* longest pattern */

bool skep_rule_glob_match(const char *pattern, size_t n_pattern, const char *s, size_t n, bool fold);
/* Whether something in it is not literal. */
bool skep_rule_glob_is_pattern(const char *pattern, size_t n);

/* Behind the element of the pattern at p that is no literal character (*, ?, [...]); NULL: it is one. */
const char *skep_rule_glob_element(const char *p, const char *end);

/* What can be said of a pattern without matching it: what every text that fits begins and ends with. */
enum skep_rule_glob_shape {
    SKEP_GLOB_LITERAL,  /* begin is all */
    SKEP_GLOB_PREFIX,   /* begin* */
    SKEP_GLOB_SUFFIX,   /* *end */
    SKEP_GLOB_CONTAINS, /* *begin* */
    SKEP_GLOB_ALL,      /* * */
    SKEP_GLOB_OTHER,
};
struct skep_glob {
    enum skep_rule_glob_shape shape;
    char begin[SKEP_GLOB_MAX];
    char end[SKEP_GLOB_MAX];
    size_t n_begin, n_end;
};
/* -E2BIG: it is too long. */
int skep_rule_glob_look(const char *pattern, size_t n, struct skep_glob *ret);
#endif
