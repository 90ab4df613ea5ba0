/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_HASHMAP_H
#define SKEP_BASE_HASHMAP_H
/*
 * A hash map from byte keys of one fixed size (at most SKEP_HASHMAP_KEY_MAX) to pointers; open addressing
 * with linear probing and backward-shift deletion, so that it never slows down with age. The map copies
 * keys and does not own values. It holds at most max entries: put() then gives -E2BIG. The hash is seeded
 * at random per map, since keys come from outside. One thread at a time.
 *
 *     struct skep_hashmap m;
 *     skep_hashmap_init(&m, sizeof(uint64_t), 65536);
 *     r = skep_hashmap_put(&m, &id, thing, NULL);
 *     thing = skep_hashmap_get(&m, &id);
 *     size_t at = 0;
 *     while ((thing = skep_hashmap_next(&m, &at))) ...     (no put or del while walking)
 */
#include "base/macro.h"

#define SKEP_HASHMAP_KEY_MAX 24

struct skep_hashmap_slot {
    void *value; /* NULL: free */
    uint64_t hash;
    uint8_t key[SKEP_HASHMAP_KEY_MAX];
};

struct skep_hashmap {
    struct skep_hashmap_slot *slots;
    size_t n_slots; /* 0 or a power of two */
    size_t count;
    size_t max;
    size_t key_size;
    uint64_t seed;
};

void skep_hashmap_init(struct skep_hashmap *m, size_t key_size, size_t max);
void skep_hashmap_clear(struct skep_hashmap *m); /* frees the table; values are the caller's */
void *skep_hashmap_get(const struct skep_hashmap *m, const void *key);
/* Sets key to value (not NULL); the value that was there before goes to *ret_old if ret_old is given.
 * -ENOMEM, -E2BIG. */
int skep_hashmap_put(struct skep_hashmap *m, const void *key, void *value, void **ret_old);
void *skep_hashmap_del(struct skep_hashmap *m, const void *key); /* the value that was there, or NULL */
void *skep_hashmap_next(const struct skep_hashmap *m, size_t *at);

/* FNV-1a with a seed and a final mix; for tables of text. */
uint64_t skep_hash_bytes(const void *data, size_t n, uint64_t seed);
#endif
