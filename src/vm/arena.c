/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/arena.h"

#define CHUNK 8192
#define ALIGN 16

struct skep_vm_arena_chunk {
    struct skep_vm_arena_chunk *next;
    size_t used, size; /* of data */
    _Alignas(ALIGN) uint8_t data[];
};

static void *default_alloc(void *data, size_t size)
{
    (void)data;
    return malloc(size);
}

static void default_free(void *data, void *p)
{
    (void)data;
    free(p);
}

void skep_vm_arena_init(struct skep_vm_arena *a, const struct skep_vm_allocator *allocator, size_t max)
{
    static const struct skep_vm_allocator standard = {.alloc = default_alloc, .free = default_free};
    *a =
        (struct skep_vm_arena){.allocator = allocator ? *allocator : standard, .max = MIN(max, SIZE_MAX / 4)};
}

void skep_vm_arena_clear(struct skep_vm_arena *a)
{
    while (a->chunks) {
        struct skep_vm_arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        a->allocator.free(a->allocator.data, chunk);
    }
    a->used = 0;
}

static struct skep_vm_arena_chunk *add_chunk(struct skep_vm_arena *a, size_t size)
{
    struct skep_vm_arena_chunk *chunk = a->allocator.alloc(a->allocator.data, sizeof(*chunk) + size);
    if (!chunk)
        return NULL;
    *chunk = (struct skep_vm_arena_chunk){.size = size};
    if (size > CHUNK && a->chunks) {
        /* what is left in the newest chunk is still good for small things */
        chunk->next = a->chunks->next;
        a->chunks->next = chunk;
    } else {
        chunk->next = a->chunks;
        a->chunks = chunk;
    }
    return chunk;
}

void *skep_vm_arena_calloc(struct skep_vm_arena *a, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total) || total > a->max - a->used)
        return NULL;
    total = MAX(ROUND_UP(total, (size_t)ALIGN), (size_t)ALIGN);
    if (total > a->max - a->used)
        return NULL;
    struct skep_vm_arena_chunk *chunk = a->chunks;
    if (!chunk || total > chunk->size - chunk->used)
        chunk = add_chunk(a, MAX(total, (size_t)CHUNK));
    if (!chunk)
        return NULL;
    void *p = chunk->data + chunk->used;
    chunk->used += total;
    a->used += total;
    return memset(p, 0, total);
}

char *skep_vm_arena_strndup(struct skep_vm_arena *a, const char *s, size_t len)
{
    char *copy = skep_vm_arena_calloc(a, len + 1, 1);
    return copy ? memcpy(copy, s, len) : NULL;
}
