/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/intern.h"

#include "base/hashmap.h"

void skep_intern_init(struct skep_intern *t, struct skep_arena *pool)
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
    const char *copy = skep_arena_text(t->pool, s, n);
    if (!copy)
        return -ENOMEM;
    t->keys[t->n] = (struct skep_intern_key){copy, n, hash};
    t->slots[at] = (uint32_t)++t->n;
    *ret = (uint32_t)t->n - 1;
    *ret_new = true;
    return 0;
}
