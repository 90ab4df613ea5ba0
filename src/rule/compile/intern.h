/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_INTERN_H
#define SKEP_RULE_COMPILE_INTERN_H
/*
 * A table that gives each distinct string of bytes a number: what has the same key is the same thing. Requests, atoms
 * and nodes of the graph are told apart by it. Keys are kept in the arena of the compilation.
 */
#include "base/arena.h"

struct skep_intern_key {
    const void *s;
    size_t n;
    uint64_t hash;
};

struct skep_intern {
    struct skep_arena *pool;
    struct skep_intern_key *keys; /* by number */
    size_t n, cap;
    uint32_t *slots; /* number + 1; 0: free */
    size_t n_slots;  /* 0 or a power of two */
};

#define SKEP_INTERN_NONE UINT32_MAX

void skep_intern_init(struct skep_intern *t, struct skep_arena *pool);
void skep_intern_clear(struct skep_intern *t);
/* The number of the key, counted from 0; it is copied into the arena if it is new. -ENOMEM. */
int skep_intern_put(struct skep_intern *t, const void *s, size_t n, uint32_t *ret, bool *ret_new);
#endif
