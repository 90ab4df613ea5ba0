/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hashmap.h"

#include <assert.h>
#include <sys/random.h>

#define MIN_SLOTS 16

uint64_t skep_hash_bytes(const void *data, size_t n, uint64_t seed)
{
    const uint8_t *s = data;
    uint64_t h = 0xcbf29ce484222325ULL ^ seed;
    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * 0x100000001b3ULL;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ULL;
    return h ^ (h >> 32);
}

/* Keys are short: a word at a time. */
static uint64_t hash_key(const struct skep_hashmap *m, const void *key)
{
    const char *s = key;
    uint64_t h = m->seed, word;
    size_t left = m->key_size;
    for (; left >= sizeof(word); left -= sizeof(word), s += sizeof(word)) {
        memcpy(&word, s, sizeof(word));
        h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
        h ^= h >> 32;
    }
    if (left) {
        word = 0;
        memcpy(&word, s, left);
        h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
        h ^= h >> 32;
    }
    h *= 0xd6e8feb86659fd93ULL;
    return h ^ (h >> 32);
}

void skep_hashmap_init(struct skep_hashmap *m, size_t key_size, size_t max)
{
    assert(key_size > 0 && key_size <= SKEP_HASHMAP_KEY_MAX);
    *m = (struct skep_hashmap){.key_size = key_size, .max = max};
    if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != sizeof(m->seed))
        m->seed = (uintptr_t)m; /* a weak seed only makes collisions easier to aim */
}

void skep_hashmap_clear(struct skep_hashmap *m)
{
    free(m->slots);
    m->slots = NULL;
    m->n_slots = m->count = 0;
}

/* The slot that holds key, or the free slot where it belongs; the table always has a free one. */
static size_t find(const struct skep_hashmap *m, const void *key, uint64_t hash)
{
    size_t mask = m->n_slots - 1;
    size_t i = hash & mask;
    while (m->slots[i].value && (m->slots[i].hash != hash || memcmp(m->slots[i].key, key, m->key_size) != 0))
        i = (i + 1) & mask;
    return i;
}

void *skep_hashmap_get(const struct skep_hashmap *m, const void *key)
{
    if (m->count == 0)
        return NULL;
    return m->slots[find(m, key, hash_key(m, key))].value;
}

static int grow(struct skep_hashmap *m)
{
    struct skep_hashmap bigger = *m;
    bigger.n_slots = m->n_slots ? m->n_slots * 2 : MIN_SLOTS;
    bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < m->n_slots; i++)
        if (m->slots[i].value)
            bigger.slots[find(&bigger, m->slots[i].key, m->slots[i].hash)] = m->slots[i];
    free(m->slots);
    *m = bigger;
    return 0;
}

int skep_hashmap_put(struct skep_hashmap *m, const void *key, void *value, void **ret_old)
{
    assert(value);
    uint64_t hash = hash_key(m, key);
    if (m->count) {
        struct skep_hashmap_slot *s = &m->slots[find(m, key, hash)];
        if (s->value) {
            if (ret_old)
                *ret_old = s->value;
            s->value = value;
            return 0;
        }
    }
    if (m->count >= m->max)
        return -E2BIG;
    if ((m->count + 1) * 4 > m->n_slots * 3) {
        int r = grow(m);
        if (r < 0)
            return r;
    }
    struct skep_hashmap_slot *s = &m->slots[find(m, key, hash)];
    s->value = value;
    s->hash = hash;
    memcpy(s->key, key, m->key_size);
    m->count++;
    if (ret_old)
        *ret_old = NULL;
    return 0;
}

void *skep_hashmap_del(struct skep_hashmap *m, const void *key)
{
    if (m->count == 0)
        return NULL;
    size_t mask = m->n_slots - 1;
    size_t hole = find(m, key, hash_key(m, key));
    void *value = m->slots[hole].value;
    if (!value)
        return NULL;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = NULL;
    m->count--;
    return value;
}

void *skep_hashmap_next(const struct skep_hashmap *m, size_t *at)
{
    while (*at < m->n_slots) {
        void *value = m->slots[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}
