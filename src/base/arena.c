/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>

#define CHUNK_MIN 4096
#define CHUNK_MAX (1u << 20)

struct chunk {
    struct chunk *next;
    size_t size, used; /* of bytes */
    max_align_t bytes[];
};

struct skep_arena {
    struct chunk *chunks; /* the newest first */
    size_t max, total;
    bool failed;
};

int skep_arena_new(size_t max, struct skep_arena **ret)
{
    struct skep_arena *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->max = MIN(max, SIZE_MAX / 4); /* no sum of sizes below can wrap then */
    *ret = a;
    return 0;
}

struct skep_arena *skep_arena_free(struct skep_arena *a)
{
    if (!a)
        return NULL;
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
    return NULL;
}

/* A chunk with room for n bytes in front of the others. Chunks double, so that small arenas are small. */
static bool grow(struct skep_arena *a, size_t n)
{
    size_t last = a->chunks ? a->chunks->size : CHUNK_MIN / 2;
    size_t size = MAX(MIN(last * 2, (size_t)CHUNK_MAX), n);
    if (n > a->max || size > a->max - a->total)
        size = n;
    if (size > a->max || a->total > a->max - size)
        return false;
    struct chunk *c = calloc(1, sizeof(*c) + size);
    if (!c)
        return false;
    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    a->total += size;
    return true;
}

void *skep_arena_alloc(struct skep_arena *a, size_t n)
{
    a->failed = a->failed || n > a->max;
    if (a->failed)
        return NULL;
    n = ROUND_UP(MAX(n, (size_t)1), sizeof(max_align_t));
    struct chunk *c = a->chunks;
    if (!c || n > c->size - c->used) {
        a->failed = !grow(a, n);
        if (a->failed)
            return NULL;
        c = a->chunks;
    }
    void *p = (char *)c->bytes + c->used;
    c->used += n;
    return p;
}

void *skep_arena_array(struct skep_arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = SIZE_MAX;
    return skep_arena_alloc(a, bytes);
}

char *skep_arena_text(struct skep_arena *a, const void *s, size_t n)
{
    char *p = skep_arena_alloc(a, n + 1);
    if (p && n)
        memcpy(p, s, n);
    return p;
}

char *skep_arena_printf(struct skep_arena *a, const char *fmt, ...)
{
    char *s;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        a->failed = true;
        return NULL;
    }
    char *p = skep_arena_text(a, s, (size_t)n);
    free(s);
    return p;
}

bool skep_arena_failed(const struct skep_arena *a)
{
    return a->failed;
}

size_t skep_arena_size(const struct skep_arena *a)
{
    return a->total;
}
