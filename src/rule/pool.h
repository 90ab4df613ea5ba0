/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_POOL_H
#define SKEP_RULE_POOL_H
/*
 * Memory of one compilation: taken piece by piece, given back all at once. What is made here lives as long as the
 * compiled policy. A request that cannot be met gives NULL and marks the pool as failed, so that a pass may ask
 * often and look once.
 *
 * On top of it a table that gives each distinct string of bytes a number (skep_intern): what has the same key is the
 * same thing. Requests, atoms and nodes of the graph are told apart by it.
 */
#include "base/macro.h"

struct skep_pool_block;

struct skep_pool {
    struct skep_pool_block *blocks;
    size_t used;  /* of the first block */
    size_t total; /* bytes in all blocks */
    bool failed;
};

void skep_pool_clear(struct skep_pool *p);
/* Aligned for any type, zeroed. */
void *skep_pool_take(struct skep_pool *p, size_t n);
/* An array of n; NULL also when n * size is too much. */
void *skep_pool_array(struct skep_pool *p, size_t n, size_t size);
/* A copy with a NUL behind. */
char *skep_pool_copy(struct skep_pool *p, const void *s, size_t n);

struct skep_intern_key {
    const void *s;
    size_t n;
    uint64_t hash;
};

struct skep_intern {
    struct skep_pool *pool;
    struct skep_intern_key *keys; /* by number */
    size_t n, cap;
    uint32_t *slots; /* number + 1; 0: free */
    size_t n_slots;  /* 0 or a power of two */
};

#define SKEP_INTERN_NONE UINT32_MAX

void skep_intern_init(struct skep_intern *t, struct skep_pool *pool);
void skep_intern_clear(struct skep_intern *t);
/* The number of the key, counted from 0; it is copied into the pool if it is new. -ENOMEM. */
int skep_intern_put(struct skep_intern *t, const void *s, size_t n, uint32_t *ret, bool *ret_new);
#endif
