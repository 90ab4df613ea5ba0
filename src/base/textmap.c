/* SPDX-License-Identifier: Apache-2.0 */
#include "base/textmap.h"

#include <sys/random.h>

#include "base/hashmap.h"

#define MIN_SLOTS 16

void skep_textmap_clear(struct skep_textmap *m)
{
    free(m->slots);
    *m = (struct skep_textmap){0};
}

/* The slot of the name, or the free one where it belongs; there is always a free one. */
static struct skep_textmap_slot *find(const struct skep_textmap *m, const char *name, size_t len,
                                      uint64_t hash)
{
    size_t mask = m->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct skep_textmap_slot *s = &m->slots[i];
        if (!s->value || (s->hash == hash && s->len == len && memcmp(s->name, name, len) == 0))
            return s;
    }
}

void *skep_textmap_get(const struct skep_textmap *m, const char *name, size_t len)
{
    return m->count ? find(m, name, len, skep_hash_bytes(name, len, m->seed))->value : NULL;
}

static int grow(struct skep_textmap *m)
{
    struct skep_textmap bigger = *m;
    if (!m->n_slots && getrandom(&bigger.seed, sizeof(bigger.seed), GRND_NONBLOCK) != sizeof(bigger.seed))
        bigger.seed = (uintptr_t)m; /* a weak seed only makes collisions easier to aim */
    bigger.n_slots = m->n_slots ? m->n_slots * 2 : MIN_SLOTS;
    bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < m->n_slots; i++)
        if (m->slots[i].value)
            *find(&bigger, m->slots[i].name, m->slots[i].len, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = bigger;
    return 0;
}

int skep_textmap_put(struct skep_textmap *m, const char *name, size_t len, void *value)
{
    if (m->count + 1 > m->n_slots / 4 * 3) {
        int r = grow(m);
        if (r < 0)
            return r;
    }
    uint64_t hash = skep_hash_bytes(name, len, m->seed);
    struct skep_textmap_slot *s = find(m, name, len, hash);
    m->count += !s->value;
    *s = (struct skep_textmap_slot){.name = name, .len = len, .hash = hash, .value = value};
    return 0;
}
