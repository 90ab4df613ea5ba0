/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_SPELL_H
#define SKEP_BASE_SPELL_H
/*
 * "Did you mean ...?" The caller offers every known word; the nearest one stays, if it is near enough that a
 * person could have meant it.
 *
 *     struct skep_spell sp;
 *     skep_spell_init(&sp, word, len);
 *     for (...)
 *         skep_spell_offer(&sp, name);
 *     if (sp.best) ...
 */
#include "base/macro.h"

#define SKEP_SPELL_MAX 48 /* longer words get no suggestion */

struct skep_spell {
    const char *word;
    size_t len;
    const char *best; /* borrowed from the caller; NULL: nothing near */
    unsigned distance;
};

void skep_spell_init(struct skep_spell *sp, const char *word, size_t len);
void skep_spell_offer(struct skep_spell *sp, const char *name);

/* Letters to insert, delete, replace or swap with a neighbour to make b out of a; UINT_MAX when one of them is
 * longer than SKEP_SPELL_MAX. */
unsigned skep_spell_distance(const char *a, size_t n_a, const char *b, size_t n_b);
#endif
