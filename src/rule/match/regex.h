/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_REGEX_H
#define SKEP_RULE_MATCH_REGEX_H
/*
 * Regular expressions whose time is linear in the text, whatever the expression: it becomes a machine that reads each
 * byte once. The language is that of POSIX egrep as RE2 reads it, with the usual escapes:
 *
 *     x  .  [abc]  [^a-z]  [[:digit:]]  \d \w \s \D \W \S  \. \n \t \xHH  ^  $
 *     xy  x|y  (x)  (?:x)  x*  x+  x?  x{2}  x{2,}  x{2,5}
 *
 * It fits when it fits the whole text. ^ and $ are the ends of the text; . is any character but a new line. Texts are
 * bytes: a character outside of ASCII is its first byte with the ones that continue it, and any byte that is part of no
 * character counts as one. There are no references back, no looking around: they are refused with a reason.
 *
 * The machine has at most SKEP_REGEX_STATES_MAX states after repetitions were written out. From it a table for one step
 * a byte is made if that stays small, else the sets of states are walked, which costs more but is as safe.
 * Immutable once compiled; any thread may match.
 */
#include "rule/compile/intern.h"

#define SKEP_REGEX_MAX 4096 /* longest expression */
#define SKEP_REGEX_STATES_MAX 4096
#define SKEP_REGEX_REPEAT_MAX 1000

struct skep_regex;

/* -EINVAL: ret_reason says what is wrong, ret_at where; -ENOMEM. */
int skep_regex_compile(struct skep_arena *pool, const char *pattern, size_t n, struct skep_regex **ret,
                       const char **ret_reason, size_t *ret_at);
bool skep_regex_match(const struct skep_regex *re, const char *s, size_t n);
/* Whether matching takes one step a byte. */
bool skep_regex_is_table(const struct skep_regex *re);
#endif
