/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_TEXTMAP_H
#define SKEP_BASE_TEXTMAP_H
/*
 * A hash map from texts to pointers, for names in what somebody wrote. Names are compared as bytes; they are borrowed
 * and must stay as long as the map. Entries are never taken out. The hash is seeded at random for each map, since
 * names come from outside. One thread at a time.
 *
 *     struct skep_textmap m = {0};
 *     r = skep_textmap_put(&m, name, len, thing);
 *     thing = skep_textmap_get(&m, name, len);
 *     skep_textmap_clear(&m);
 */
#include "base/macro.h"

struct skep_textmap_slot {
    const char *name;
    size_t len;
    uint64_t hash;
    void *value; /* NULL: free */
};

struct skep_textmap { /* all zero: empty */
    struct skep_textmap_slot *slots;
    size_t n_slots; /* 0 or a power of two */
    size_t count;
    uint64_t seed;
};

void skep_textmap_clear(struct skep_textmap *m);
void *skep_textmap_get(const struct skep_textmap *m, const char *name,
                       size_t len); /* NULL: it is not there */
/* value is not NULL; replaces what was there. -ENOMEM. */
int skep_textmap_put(struct skep_textmap *m, const char *name, size_t len, void *value);

#define _cleanup_textmap_ SKEP_CLEANUP(skep_textmap_clear)
#endif
