/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_PARTS_H
#define SKEP_RULE_MATCH_PARTS_H
/*
 * What every text has in it that fits a pattern: by one of these parts a rule is found without trying its pattern.
 *
 *     glob   /srv/?/upload*.ph[p4]   begins with "/srv/"; has "/upload" inside; has ".ph"
 *     regex  ^/etc/(passwd|shadow)-?$       begins with "/etc/"; has "passwd" or "shadow" inside
 *
 * A choice is a condition by itself: one of its parts has to be there. All choices hold for each text that fits; that
 * they hold does not mean that it fits.
 */
#include "base/arena.h"

#define SKEP_PART_CHOICES_MAX 16
#define SKEP_PARTS_MAX 64 /* of a choice */

struct skep_part {
    const char *s; /* at least one byte */
    size_t n;
    bool begin, end; /* it is where the text begins, ends */
};

struct skep_part_choice {
    const struct skep_part *parts;
    size_t n;
};

struct skep_parts {
    struct skep_part_choice choices[SKEP_PART_CHOICES_MAX];
    size_t n;
};

/* -ENOMEM. A pattern without parts has no choices. */
int skep_parts_of_glob(struct skep_arena *pool, const char *pattern, size_t n, struct skep_parts *ret);
/* Of an expression that compiles (rule/match/regex.h). */
int skep_parts_of_regex(struct skep_arena *pool, const char *pattern, size_t n, struct skep_parts *ret);
/* Of a path as pmatch takes it: a choice for each component. */
int skep_parts_of_path(struct skep_arena *pool, const char *path, size_t n, struct skep_parts *ret);
#endif
