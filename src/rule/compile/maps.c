/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/maps.h"

#include "base/array.h"

#include <linux/bpf.h>

void skep_maps_init(struct skep_maps *m, struct skep_arena *pool)
{
    *m = (struct skep_maps){.pool = pool};
}

void skep_maps_clear(struct skep_maps *m)
{
    free(m->list);
    free(m->sets);
    skep_maps_init(m, m->pool);
}

static int add(struct skep_maps *m, const struct skep_rule_map *one, uint32_t *ret)
{
    if (SKEP_ARRAY_RESERVE(m->list, m->n, 1, m->cap) < 0)
        return -ENOMEM;
    *ret = (uint32_t)m->n;
    m->list[m->n] = *one;
    /* names are for people who list the kernel's maps */
    snprintf(m->list[m->n].name, sizeof(one->name), "skep_set_%u", (unsigned)m->n);
    m->n++;
    return 0;
}

static bool is_key(const struct skep_constant *c)
{
    return c->text.n <= SKEP_MAP_KEY_MAX && (c->text.n == 0 || c->text.s[c->text.n - 1] != '\0');
}

bool skep_maps_can_hold(const struct skep_maps *m, const struct skep_constant *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_key(&texts[i]))
            return false;
    return m->n + SKEP_MAP_CLASSES <= SKEP_MAPS_MAX;
}

/* The map for keys of size bytes, with the texts whose key has this size. */
static int add_size(struct skep_maps *m, const struct skep_constant *texts, const uint32_t *classes, size_t n,
                    size_t size, size_t count, uint32_t *ret)
{
    uint8_t *keys = skep_arena_array(m->pool, count, size);
    struct skep_map_value *values = skep_arena_array(m->pool, count, sizeof(*values));
    if (!keys || !values)
        return -ENOMEM;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (ROUND_UP(texts[i].text.n, (size_t)8) != size)
            continue;
        memcpy(keys + at * size, texts[i].text.s, texts[i].text.n);
        values[at++] = (struct skep_map_value){(uint32_t)texts[i].text.n, classes ? classes[i] : 1};
    }
    return add(m,
               &(struct skep_rule_map){.type = BPF_MAP_TYPE_HASH,
                                       .key_size = (uint32_t)size,
                                       .value_size = sizeof(*values),
                                       .max_entries = (uint32_t)count,
                                       .keys = keys,
                                       .values = (const uint8_t *)values,
                                       .n_entries = count},
               ret);
}

int skep_maps_add_texts(struct skep_maps *m, const struct skep_constant *texts, const uint32_t *classes,
                        size_t n, struct skep_map_set **ret)
{
    size_t counts[SKEP_MAP_CLASSES] = {0};
    struct skep_map_set *set = skep_arena_alloc(m->pool, sizeof(*set));
    if (!set)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        counts[ROUND_UP(texts[i].text.n, (size_t)8) / 8]++;
        if (texts[i].text.n == 0) {
            set->has_empty = true;
            set->empty_class = classes ? classes[i] : 1;
        }
    }
    for (size_t i = 0; i < SKEP_MAP_CLASSES; i++) {
        set->map[i] = UINT32_MAX;
        int r = i && counts[i] ? add_size(m, texts, classes, n, i * 8, counts[i], &set->map[i]) : 0;
        if (r < 0)
            return r;
    }
    *ret = set;
    return 0;
}

int skep_maps_of_atom(struct skep_maps *m, const struct skep_atom *a, uint32_t number,
                      struct skep_map_set **ret)
{
    if (number >= m->n_sets) {
        size_t n = MAX(m->n_sets * 2, (size_t)number + 64);
        struct skep_map_set **sets = reallocarray(m->sets, n, sizeof(struct skep_map_set *));
        if (!sets)
            return -ENOMEM;
        memset(sets + m->n_sets, 0, (n - m->n_sets) * sizeof(struct skep_map_set *));
        m->sets = sets;
        m->n_sets = n;
    }
    if (!m->sets[number]) {
        int r = skep_maps_add_texts(m, a->values, NULL, a->n_values, &m->sets[number]);
        if (r < 0)
            return r;
    }
    *ret = m->sets[number];
    return 0;
}

int skep_maps_add_trie(struct skep_maps *m, const uint8_t *data, const uint32_t *bits, size_t n,
                       uint32_t size, uint32_t *ret)
{
    size_t key_size = sizeof(uint32_t) + size;
    uint8_t *keys = skep_arena_array(m->pool, n, key_size);
    uint32_t *values = skep_arena_array(m->pool, n, sizeof(*values));
    if (!keys || !values)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        memcpy(keys + i * key_size, &bits[i], sizeof(bits[i]));
        memcpy(keys + i * key_size + sizeof(bits[i]), data + i * size, size);
        values[i] = 1;
    }
    return add(m,
               &(struct skep_rule_map){.type = BPF_MAP_TYPE_LPM_TRIE,
                                       .key_size = (uint32_t)key_size,
                                       .value_size = sizeof(*values),
                                       .max_entries = (uint32_t)n,
                                       .flags = BPF_F_NO_PREALLOC,
                                       .keys = keys,
                                       .values = (const uint8_t *)values,
                                       .n_entries = n},
               ret);
}

int skep_map_refs_add(struct skep_map_refs *r, uint32_t map, uint32_t *ret)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->list[i] == map) {
            *ret = (uint32_t)i;
            return 0;
        }
    }
    if (SKEP_ARRAY_RESERVE(r->list, r->n, 1, r->cap) < 0)
        return -ENOMEM;
    *ret = (uint32_t)r->n;
    r->list[r->n++] = map;
    return 0;
}
