/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/hash.h"

/*
 * Hash, LRU hash, and their per-CPU forms. Value i of CPU c lies at (c * elements + i) * stride.
 */

#define ELEMENT_OVERHEAD 48 /* of the kernel's element, beside key and value */

int skep_hash_check(const struct skep_vm_map_options *o)
{
    bool percpu = o->type == BPF_MAP_TYPE_PERCPU_HASH || o->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
    bool lru = o->type == BPF_MAP_TYPE_LRU_HASH || o->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
    bool split = o->flags & BPF_F_NO_COMMON_LRU;
    if (!skep_map_flags_ok(o->flags, SKEP_MAP_ACCESS_FLAGS | BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU |
                                         BPF_F_NUMA_NODE | BPF_F_ZERO_SEED))
        return -EINVAL;
    if (!lru && split)
        return -EINVAL;
    if (lru && o->flags & BPF_F_NO_PREALLOC)
        return -SKEP_ENOTSUPP;
    if (o->flags & BPF_F_NUMA_NODE && (percpu || split))
        return -EINVAL;
    if (!o->max_entries || !o->key_size || !o->value_size)
        return -EINVAL;
    if ((uint64_t)o->key_size + o->value_size >= SKEP_MAP_ELEMENT_MAX - ELEMENT_OVERHEAD)
        return -E2BIG;
    return percpu && ROUND_UP(o->value_size, 8u) > SKEP_MAP_PERCPU_MAX ? -E2BIG : 0;
}

static int hash_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    int r = skep_hash_check(o);
    if (r < 0)
        return r;
    bool lru = m->type == BPF_MAP_TYPE_LRU_HASH || m->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
    uint32_t cpus = m->ops->percpu ? m->vm->cpus : 1;
    if (m->flags & BPF_F_NO_COMMON_LRU) {
        /* each CPU gets as many */
        uint64_t up = ROUND_UP((uint64_t)m->max_entries, m->vm->cpus);
        m->max_entries = (uint32_t)(up > UINT32_MAX ? up - m->vm->cpus : up);
    }
    struct skep_hash *h = m->state = skep_map_calloc(m, 1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    r = skep_table_init(&h->table, m, m->max_entries, (uint64_t)m->stride * cpus,
                        (lru ? SKEP_TABLE_LRU : 0) | (m->flags & BPF_F_ZERO_SEED ? SKEP_TABLE_ZERO_SEED : 0));
    uint64_t size = 0;
    if (r == 0 && __builtin_mul_overflow((uint64_t)h->table.n_nodes * m->stride, cpus, &size))
        r = -ENOMEM;
    return r < 0 ? r : skep_map_area_init(m, size);
}

static void hash_clear(struct skep_vm_map *m)
{
    struct skep_hash *h = m->state;
    if (h)
        skep_table_clear(&h->table, m);
    skep_map_release(m, h);
    m->state = NULL;
}

static inline struct skep_table *table_of(struct skep_vm_map *m)
{
    return &((struct skep_hash *)m->state)->table;
}

static inline uint8_t *value_at(struct skep_vm_map *m, uint32_t i)
{
    return m->area.start + (uint64_t)i * m->stride;
}

static inline uint8_t *value_of_cpu(struct skep_vm_map *m, uint32_t i, uint32_t cpu)
{
    return value_at(m, i) + (uint64_t)cpu * table_of(m)->n_nodes * m->stride;
}

static uint64_t hash_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    (void)cpu;
    uint32_t i = skep_table_find(table_of(m), key);
    return i == SKEP_TABLE_NONE ? 0 : (uintptr_t)value_at(m, i);
}

static uint64_t percpu_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    uint32_t i = cpu < m->vm->cpus ? skep_table_find(table_of(m), key) : SKEP_TABLE_NONE;
    return i == SKEP_TABLE_NONE ? 0 : (uintptr_t)value_of_cpu(m, i, cpu);
}

static uint64_t lru_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    (void)cpu;
    uint32_t i = skep_table_find(table_of(m), key);
    if (i == SKEP_TABLE_NONE)
        return 0;
    skep_table_touch(table_of(m), i);
    return (uintptr_t)value_at(m, i);
}

static uint64_t lru_percpu_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    uint32_t i = cpu < m->vm->cpus ? skep_table_find(table_of(m), key) : SKEP_TABLE_NONE;
    if (i == SKEP_TABLE_NONE)
        return 0;
    skep_table_touch(table_of(m), i);
    return (uintptr_t)value_of_cpu(m, i, cpu);
}

/* ---- changes ---- */

struct change {
    struct skep_vm_map *m;
    const uint8_t *from;
    uint32_t cpu;
    bool all; /* values of all CPUs */
};

static void fill_value(void *data, uint32_t i, uint32_t old)
{
    const struct change *c = data;
    (void)old;
    skep_value_put(value_at(c->m, i), c->from, c->m->value_size);
}

static void fill_percpu(void *data, uint32_t i, uint32_t old)
{
    const struct change *c = data;
    struct skep_vm_map *m = c->m;
    if (i == old && !c->all) {
        skep_value_put(value_of_cpu(m, i, c->cpu), c->from, m->value_size);
        return;
    }
    for (uint32_t cpu = 0; cpu < m->vm->cpus; cpu++) {
        if (c->all)
            skep_value_put(value_of_cpu(m, i, cpu), c->from + (size_t)cpu * m->stride, m->stride);
        else if (cpu == c->cpu)
            skep_value_put(value_of_cpu(m, i, cpu), c->from, m->value_size);
        else
            skep_value_zero(value_of_cpu(m, i, cpu), m->stride);
    }
}

static int change(struct change *c, const void *key, uint64_t flags)
{
    const struct skep_table_update u = {
        .key = key,
        .flags = flags,
        .in_place = c->m->ops->percpu,
        .fill = c->m->ops->percpu ? fill_percpu : fill_value,
        .data = c,
    };
    return skep_table_update(table_of(c->m), &u);
}

static int hash_update(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags,
                       uint32_t cpu)
{
    struct change c = {.m = m, .from = value, .cpu = cpu};
    return change(&c, key, flags);
}

static int hash_write(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags)
{
    struct change c = {.m = m, .from = value, .all = true};
    return change(&c, key, flags);
}

static int hash_delete(struct skep_vm_map *m, const void *key)
{
    return skep_table_remove(table_of(m), key, NULL, NULL);
}

/* ---- for the host ---- */

struct copy {
    struct skep_vm_map *m;
    uint8_t *keys, *values;
    bool take;
};

static void copy_value(struct skep_vm_map *m, uint32_t i, uint8_t *to)
{
    if (!m->ops->percpu) {
        skep_value_get(to, value_at(m, i), m->value_size);
        return;
    }
    for (uint32_t cpu = 0; cpu < m->vm->cpus; cpu++)
        skep_value_get(to + (size_t)cpu * m->stride, value_of_cpu(m, i, cpu), m->stride);
}

static int hash_read(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    uint64_t tag;
    uint32_t i;
    do {
        i = skep_table_find_tag(table_of(m), key, &tag);
        if (i == SKEP_TABLE_NONE)
            return -ENOENT;
        copy_value(m, i, ret_value);
    } while (!skep_table_has_tag(table_of(m), i, tag));
    return 0;
}

static void take_value(void *data, uint32_t i)
{
    struct copy *c = data;
    copy_value(c->m, i, c->values);
}

static int hash_take(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    struct copy c = {.m = m, .values = ret_value};
    return skep_table_remove(table_of(m), key, take_value, &c);
}

static int hash_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    return skep_table_next(table_of(m), key, false, ret_next, NULL);
}

static bool visit(void *data, uint32_t i, const void *key)
{
    struct copy *c = data;
    struct skep_vm_map *m = c->m;
    memcpy(c->keys, key, m->key_size);
    c->keys += m->key_size;
    copy_value(m, i, c->values);
    c->values += skep_vm_map_value_bytes(m);
    return c->take;
}

/* A bucket at a time, as the kernel: the cursor is its number. */
static int hash_batch(struct skep_vm_map *m, uint32_t *cursor, void *keys, void *values, uint32_t room,
                      uint32_t *ret_count, bool take)
{
    struct copy c = {.m = m, .keys = keys, .values = values, .take = take};
    return skep_table_batch(table_of(m), cursor, room, ret_count, visit, &c);
}

/* Keys of up to this size need no memory. */
#define KEY_ON_STACK 512

static int64_t hash_each(struct skep_vm_map *m, uint32_t cpu,
                         int (*cb)(void *data, const void *key, uint64_t value), void *data)
{
    struct skep_table *t = table_of(m);
    uint64_t own[2 * KEY_ON_STACK / 8];
    uint8_t *keys = (uint8_t *)own;
    if (m->key_size > KEY_ON_STACK && !(keys = skep_vm_alloc(m->vm, 2 * (size_t)m->key_size)))
        return -ENOMEM;
    int64_t n = 0;
    uint32_t i;
    uint8_t *last = NULL, *next = keys;
    /* each key comes after the last one in an order that does not change, so that this ends */
    while (skep_table_next(t, last, true, next, &i) == 0) {
        n++;
        int r = cb(data, next, (uintptr_t)(m->ops->percpu ? value_of_cpu(m, i, cpu) : value_at(m, i)));
        if (r < 0)
            n = r;
        if (r != 0)
            break;
        uint8_t *other = last ? last : keys + m->key_size;
        last = next;
        next = other;
    }
    if (keys != (uint8_t *)own)
        skep_vm_release(m->vm, keys);
    return n;
}

#define SHARED_OPS                                                                                           \
    .init = hash_init, .clear = hash_clear, .update = hash_update, .delete = hash_delete, .read = hash_read, \
    .write = hash_write, .take = hash_take, .next_key = hash_next_key, .batch_lookup = hash_batch,           \
    .each = hash_each, .same_meta = skep_map_same_meta,                                                      \
    .batch = SKEP_BATCH_LOOKUP | SKEP_BATCH_UPDATE | SKEP_BATCH_DELETE | SKEP_BATCH_TAKE

const struct skep_map_ops skep_map_hash_ops = {.name = "hash", .lookup = hash_lookup, SHARED_OPS};
const struct skep_map_ops skep_map_percpu_hash_ops = {
    .name = "percpu_hash", .percpu = true, .lookup = percpu_lookup, SHARED_OPS};
const struct skep_map_ops skep_map_lru_hash_ops = {.name = "lru_hash", .lookup = lru_lookup, SHARED_OPS};
const struct skep_map_ops skep_map_lru_percpu_hash_ops = {
    .name = "lru_percpu_hash", .percpu = true, .lookup = lru_percpu_lookup, SHARED_OPS};
