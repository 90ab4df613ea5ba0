/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_ARENA_H
#define SKEP_BASE_ARENA_H
/*
 * Memory that is handed out piece by piece and freed at once: for what a parser or compiler makes, whose parts point
 * at each other and live equally long. Pieces are zeroed and aligned for any type.
 *
 * An arena never holds more than the maximum given when it was made. When there is no more, it hands out NULL and stays
 * failed, so that a caller may ask once at the end:
 *
 *     _cleanup_arena_ struct skep_arena *a = NULL;
 *     r = skep_arena_new(64 << 20, &a);
 *     struct node *n = skep_arena_alloc(a, sizeof(*n));
 *     const char *name = skep_arena_text(a, s, len);
 *     if (skep_arena_failed(a)) ...
 *
 * One thread at a time; what was handed out may be read by several.
 */
#include "base/macro.h"

struct skep_arena;

int skep_arena_new(size_t max, struct skep_arena **ret);
struct skep_arena *skep_arena_free(struct skep_arena *a);
SKEP_DEFINE_CLEANUP(struct skep_arena, skep_arena_free)
#define _cleanup_arena_ SKEP_CLEANUP(skep_arena_freep)

/* n zeroed bytes, also for n == 0 an address of its own; NULL: there are none. */
void *skep_arena_alloc(struct skep_arena *a, size_t n);
/* The same for n objects of size bytes. */
void *skep_arena_array(struct skep_arena *a, size_t n, size_t size);
/* A copy of n bytes with a NUL behind them. */
char *skep_arena_text(struct skep_arena *a, const void *s, size_t n);
char *skep_arena_printf(struct skep_arena *a, const char *fmt, ...) SKEP_PRINTF(2, 3);
bool skep_arena_failed(const struct skep_arena *a);
size_t skep_arena_size(const struct skep_arena *a); /* bytes taken from the system */
#endif
