/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"

#include <limits.h>

unsigned skep_spell_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    /* Three rows of the matrix: a swap looks back two. */
    unsigned rows[3][SKEP_SPELL_MAX + 1];
    if (n_a > SKEP_SPELL_MAX || n_b > SKEP_SPELL_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= n_b; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n_a; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n_b; j++) {
            unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, above[j] + 1);
            best = MIN(best, row[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, above2[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[n_a % 3][n_b];
}

void skep_spell_init(struct skep_spell *sp, const char *word, size_t len)
{
    /* At most a third of the letters may be wrong: one in a word of three, four in a long one. */
    *sp = (struct skep_spell){.word = word, .len = len, .distance = (unsigned)MIN(len / 3, (size_t)4) + 1};
}

void skep_spell_offer(struct skep_spell *sp, const char *name)
{
    unsigned d = skep_spell_distance(sp->word, sp->len, name, strlen(name));
    if (d < sp->distance) {
        sp->distance = d;
        sp->best = name;
    }
}
