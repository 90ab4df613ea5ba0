/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/pool.h"

#include "base/hashmap.h"

#define BLOCK_SIZE ((size_t)64 << 10)

struct skep_pool_block {
    struct skep_pool_block *next;
    size_t size;
    _Alignas(16) char data[];
};

void skep_pool_clear(struct skep_pool *p)
{
    while (p->blocks) {
        struct skep_pool_block *next = p->blocks->next;
        free(p->blocks);
        p->blocks = next;
    }
    *p = (struct skep_pool){0};
}

void *skep_pool_take(struct skep_pool *p, size_t n)
{
    if (n > SIZE_MAX / 2) {
        p->failed = true;
        return NULL;
    }
    n = ROUND_UP(MAX(n, (size_t)1), (size_t)16);
    if (!p->blocks || n > p->blocks->size - p->used) {
        size_t size = MAX(n, BLOCK_SIZE);
        struct skep_pool_block *b = calloc(1, sizeof(*b) + size);
        if (!b) {
            p->failed = true;
            return NULL;
        }
        b->next = p->blocks;
        b->size = size;
        p->blocks = b;
        p->used = 0;
        p->total += size;
    }
    void *at = p->blocks->data + p->used;
    p->used += n;
    return at;
}

void *skep_pool_array(struct skep_pool *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        p->failed = true;
        return NULL;
    }
    return skep_pool_take(p, bytes);
}

char *skep_pool_copy(struct skep_pool *p, const void *s, size_t n)
{
    char *to = skep_pool_take(p, n + 1);
    if (to && n)
        memcpy(to, s, n);
    return to;
}

/* ---- numbers of keys ---- */

void skep_intern_init(struct skep_intern *t, struct skep_pool *pool)
{
    *t = (struct skep_intern){.pool = pool};
}

void skep_intern_clear(struct skep_intern *t)
{
    free(t->keys);
    free(t->slots);
    skep_intern_init(t, t->pool);
}

static bool grow(struct skep_intern *t)
{
    size_t n_slots = t->n_slots ? t->n_slots * 2 : 256;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));
    struct skep_intern_key *keys = reallocarray(t->keys, n_slots / 2, sizeof(*keys));
    if (keys)
        t->keys = keys;
    if (!slots || !keys) {
        free(slots);
        return false;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        size_t at = keys[i].hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = i + 1;
    }
    free(t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    t->cap = n_slots / 2;
    return true;
}

int skep_intern_put(struct skep_intern *t, const void *s, size_t n, uint32_t *ret, bool *ret_new)
{
    if (t->n >= t->cap && (t->n >= INT32_MAX || !grow(t)))
        return -ENOMEM;
    uint64_t hash = skep_hash_bytes(s, n, 0x5ce9);
    size_t at = hash & (t->n_slots - 1);
    for (; t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
        const struct skep_intern_key *k = &t->keys[t->slots[at] - 1];
        if (k->hash == hash && k->n == n && memcmp(k->s, s, n) == 0) {
            *ret = t->slots[at] - 1;
            *ret_new = false;
            return 0;
        }
    }
    const char *copy = skep_pool_copy(t->pool, s, n);
    if (!copy)
        return -ENOMEM;
    t->keys[t->n] = (struct skep_intern_key){copy, n, hash};
    t->slots[at] = (uint32_t)++t->n;
    *ret = (uint32_t)t->n - 1;
    *ret_new = true;
    return 0;
}
