/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_REGEX_BEGIN_H
#define SKEP_RULE_MATCH_REGEX_BEGIN_H
/*
 * What the texts begin with that a regular expression (rule/match/regex.h) fits: the characters before the first special one,
 * and if that is a group of plain alternatives, one text for each of them.
 *
 *     /dev/(sd|xvd)[a-z]+       /dev/sd, /dev/xvd
 *     /proc/[0-9]+/root/.*      /proc/
 *
 * Nothing is said of expressions that are not understood at a glance.
 */
#include "base/macro.h"

#define SKEP_REGEX_BEGINS_MAX 16
#define SKEP_REGEX_BEGIN_LEN 128

struct skep_regex_begin {
    char s[SKEP_REGEX_BEGIN_LEN];
    size_t n;
};

/* How many of ret were set: each text that fits begins with one of them; 0: nothing is known. */
size_t skep_regex_begins(const char *pattern, size_t n, struct skep_regex_begin ret[SKEP_REGEX_BEGINS_MAX]);
#endif
