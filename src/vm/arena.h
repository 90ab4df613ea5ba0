/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_ARENA_H
#define SKEP_VM_ARENA_H
/*
 * Memory for many things that go together: what is read out of an object file. Nothing in it is freed alone, so that
 * code that fails half way has nothing to give back. It never holds more than the maximum given when it was made, which
 * bounds what a hostile file can make us allocate. Beside base/arena.h it is there because a machine's memory comes from the
 * allocator that its owner gave it.
 *
 *     struct skep_vm_arena a;
 *     skep_vm_arena_init(&a, allocator, 64 << 20);
 *     struct thing *list = skep_vm_arena_calloc(&a, n, sizeof(*list));
 *     if (!list) ...
 *     skep_vm_arena_clear(&a);
 *
 * One thread at a time.
 */
#include "base/macro.h"
#include <skep/vm.h>

struct skep_vm_arena_chunk;

struct skep_vm_arena {
    struct skep_vm_allocator allocator;
    struct skep_vm_arena_chunk *chunks; /* newest first */
    size_t used, max;
};

/* allocator: copied; NULL: malloc. */
void skep_vm_arena_init(struct skep_vm_arena *a, const struct skep_vm_allocator *allocator, size_t max);
void skep_vm_arena_clear(struct skep_vm_arena *a);

/* n elements of size bytes, all zero; for n = 0 a pointer that is not to be followed. NULL: it is full, or there is no
 * memory. */
void *skep_vm_arena_calloc(struct skep_vm_arena *a, size_t n, size_t size);
/* A copy of the len bytes at s with a NUL behind them. */
char *skep_vm_arena_strndup(struct skep_vm_arena *a, const char *s, size_t len);
#endif
