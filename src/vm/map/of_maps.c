/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/hash.h"
#include "vm/map/objects.h"

/*
 * Hashes of maps: the table of a hash, and a pointer for each element. Pointers are read without a lock; what they point
 * to is retired, not freed, when it goes.
 */

static int maps_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    int r = o->value_size != 4 ? -EINVAL : skep_hash_check(o);
    if (r < 0)
        return r;
    struct skep_hash *h = m->state = skep_map_calloc(m, 1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    r = skep_inner_meta_new(m, o->inner, &h->inner_meta);
    if (r == 0)
        r = skep_table_init(&h->table, m, m->max_entries, sizeof(h->inner[0]),
                            m->flags & BPF_F_ZERO_SEED ? SKEP_TABLE_ZERO_SEED : 0);
    if (r < 0)
        return r;
    h->inner = skep_map_calloc(m, h->table.n_nodes, sizeof(h->inner[0]));
    return h->inner ? 0 : -ENOMEM;
}

static void maps_clear(struct skep_vm_map *m)
{
    struct skep_hash *h = m->state;
    m->state = NULL;
    if (!h)
        return;
    for (uint32_t i = 0; h->inner && i < h->table.n_nodes; i++)
        skep_vm_map_unref(h->inner[i]);
    skep_map_release(m, h->inner);
    skep_map_release(m, h->inner_meta);
    skep_table_clear(&h->table, m);
    skep_map_release(m, h);
}

static uint64_t maps_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    (void)cpu;
    const struct skep_hash *h = m->state;
    const struct skep_vm_map *inner;
    uint64_t tag;
    uint32_t i;
    do {
        i = skep_table_find_tag(&h->table, key, &tag);
        if (i == SKEP_TABLE_NONE)
            return 0;
        inner = __atomic_load_n(&h->inner[i], __ATOMIC_ACQUIRE);
    } while (!skep_table_has_tag(&h->table, i, tag)); /* another key's by now */
    return inner ? skep_map_handle(inner) : 0;
}

struct change {
    struct skep_hash *h;
    struct skep_vm_map *inner; /* goes in; afterwards: what went out */
};

static void put(void *data, uint32_t i, uint32_t old)
{
    struct change *c = data;
    (void)old;
    struct skep_vm_map *before = c->h->inner[i];
    __atomic_store_n(&c->h->inner[i], c->inner, __ATOMIC_RELEASE);
    c->inner = before;
}

static void take(void *data, uint32_t i)
{
    struct change *c = data;
    c->inner = c->h->inner[i];
    __atomic_store_n(&c->h->inner[i], NULL, __ATOMIC_RELEASE);
}

static int maps_write(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags)
{
    struct change c = {.h = m->state};
    uint32_t id;
    memcpy(&id, value, sizeof(id));
    int r = skep_inner_find(m, c.h->inner_meta, id, &c.inner);
    if (r < 0)
        return r;
    /* in place: a map is one pointer, and the element that goes would still hold one */
    const struct skep_table_update u = {
        .key = key, .flags = flags, .in_place = true, .fill = put, .data = &c};
    r = skep_table_update(&c.h->table, &u);
    skep_vm_map_unref(c.inner);
    return r;
}

static int maps_delete(struct skep_vm_map *m, const void *key)
{
    struct change c = {.h = m->state};
    int r = skep_table_remove(&c.h->table, key, take, &c);
    skep_vm_map_unref(c.inner);
    return r;
}

/* Ids are read with the bucket's lock, under which no map goes. */
struct reading {
    struct skep_hash *h;
    uint8_t *keys, *ids;
    const void *key;
    uint32_t key_size;
    bool found;
};

static bool read_one(void *data, uint32_t i, const void *key)
{
    struct reading *c = data;
    if (memcmp(key, c->key, c->key_size) == 0) {
        c->found = true;
        memcpy(c->ids, &c->h->inner[i]->id, sizeof(uint32_t));
    }
    return false;
}

static int maps_read(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    struct reading c = {.h = m->state, .ids = ret_value, .key = key, .key_size = m->key_size};
    skep_table_visit(&c.h->table, skep_table_bucket(&c.h->table, key), UINT32_MAX, read_one, &c);
    return c.found ? 0 : -ENOENT;
}

static bool read_all(void *data, uint32_t i, const void *key)
{
    struct reading *c = data;
    memcpy(c->keys, key, c->key_size);
    memcpy(c->ids, &c->h->inner[i]->id, sizeof(uint32_t));
    c->keys += c->key_size;
    c->ids += sizeof(uint32_t);
    return false;
}

static int maps_batch(struct skep_vm_map *m, uint32_t *cursor, void *keys, void *values, uint32_t room,
                      uint32_t *ret_count, bool taking)
{
    struct reading c = {.h = m->state, .keys = keys, .ids = values, .key_size = m->key_size};
    uint8_t *start = keys;
    int r = skep_table_batch(&c.h->table, cursor, room, ret_count, read_all, &c);
    /* what was read is taken one by one, since references are dropped without a lock */
    for (uint32_t n = 0; taking && n < *ret_count; n++)
        maps_delete(m, start + (size_t)n * m->key_size);
    return r;
}

static int maps_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    struct skep_hash *h = m->state;
    return skep_table_next(&h->table, key, false, ret_next, NULL);
}

const struct skep_map_ops skep_map_hash_of_maps_ops = {
    .name = "hash_of_maps",
    .ids = true,
    .init = maps_init,
    .clear = maps_clear,
    .lookup = maps_lookup,
    .delete = maps_delete,
    .read = maps_read,
    .write = maps_write,
    .next_key = maps_next_key,
    .batch_lookup = maps_batch,
    .batch = SKEP_BATCH_LOOKUP | SKEP_BATCH_UPDATE | SKEP_BATCH_DELETE | SKEP_BATCH_TAKE,
};
