/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_PATHSET_H
#define SKEP_RULE_MATCH_PATHSET_H
/*
 * Paths of which a text is one, or lies below one: what `pmatch` asks. A trie of components; /usr/bin has /usr/bin and
 * /usr/bin/sh, and not /usr/bins. Slashes in a row count as one and those at the ends not at all, on both sides, so
 * that /etc//passwd does not slip through. A component may be a pattern (rule/match/glob.h), which never reaches over a
 * slash.
 */
#include "rule/compile/intern.h"

#define SKEP_PATHSET_DEPTH_MAX 256 /* components of a path of the set */

struct skep_pathset;

/* -E2BIG: a path has too many components, or a pattern is too long. */
int skep_pathset_new(struct skep_arena *pool, const char *const *paths, const size_t *lens, size_t n,
                     struct skep_pathset **ret);
bool skep_pathset_match(const struct skep_pathset *set, const char *s, size_t n);
/* A path of a set in its normal form, without slash at the end ("" for the root); room for n + 1 bytes. */
size_t skep_pathset_normal(const char *s, size_t n, char *out);
#endif
