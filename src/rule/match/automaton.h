/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_AUTOMATON_H
#define SKEP_RULE_MATCH_AUTOMATON_H
/*
 * Which of many texts stand in another one, told in one pass over it, however many they are. (A. V. Aho and M. J.
 * Corasick, Efficient string matching, 1975.)
 *
 * The patterns are a tree of bytes: a state is what several of them begin with. States are numbered level by level, so
 * that the children of one stand in a row and a state needs no more than the byte that leads to it, where its children
 * begin, and, for patterns inside of a text, the state of the longest shorter end of what was read (fail). The upper
 * levels, where nearly all of the time is spent, also have a row with the next state for each byte.
 *
 * Patterns are bytes of any value. An empty one is in every text. Of equal ones the first is told.
 *
 * What a pattern ends with is told behind it. Who keeps in mind what was told answers KNOWN for that, and then nothing is
 * told more than once: a search takes time for the bytes of the text and for each pattern once, also where every byte
 * ends a hundred patterns.
 *
 * Immutable once made; any thread may search.
 */
#include "base/arena.h"

#define SKEP_AUTOMATON_BYTES_MAX ((size_t)64 << 20) /* of all patterns together */
#define SKEP_AUTOMATON_STATES_MAX ((size_t)4 << 20)

enum skep_automaton_place {
    SKEP_AUTOMATON_BEGIN, /* the text begins with it */
    SKEP_AUTOMATON_END,
    SKEP_AUTOMATON_INSIDE,
};

enum skep_automaton_go {
    SKEP_AUTOMATON_ON,
    SKEP_AUTOMATON_KNOWN, /* and so is all that this pattern ends with */
    SKEP_AUTOMATON_STOP,
};

struct skep_automaton_pattern {
    const char *s;
    size_t n;
};

struct skep_automaton;

/* fold: case of ASCII letters does not count. -E2BIG: more bytes or states than the maximum; -ENOMEM. */
int skep_automaton_new(struct skep_arena *pool, const struct skep_automaton_pattern *patterns, size_t n,
                       enum skep_automaton_place place, bool fold, struct skep_automaton **ret);
/* Tells of each pattern that is there, by its number, at least once. */
void skep_automaton_search(const struct skep_automaton *a, const char *s, size_t n,
                           enum skep_automaton_go (*hit)(void *arg, uint32_t pattern), void *arg);
/* Whether one of them is there. */
bool skep_automaton_any(const struct skep_automaton *a, const char *s, size_t n);
#endif
