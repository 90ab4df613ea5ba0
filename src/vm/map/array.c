/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/*
 * Arrays and per-CPU arrays. The values of a CPU lie together, so that CPUs do not share cache lines.
 */

static int check(const struct skep_vm_map_options *o)
{
    bool percpu = o->type == BPF_MAP_TYPE_PERCPU_ARRAY;
    uint32_t allowed =
        SKEP_MAP_ACCESS_FLAGS | (percpu ? 0 : BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP);
    if (!o->max_entries || o->key_size != 4 || !o->value_size || !skep_map_flags_ok(o->flags, allowed))
        return -EINVAL;
    if (o->value_size > INT32_MAX)
        return -E2BIG;
    return percpu && ROUND_UP(o->value_size, 8u) > SKEP_MAP_PERCPU_MAX ? -E2BIG : 0;
}

static int array_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    int r = check(o);
    return r < 0 ? r : skep_map_area_init(m, (uint64_t)m->stride * m->max_entries);
}

static int percpu_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    int r = check(o);
    uint64_t size;
    if (r < 0)
        return r;
    if (__builtin_mul_overflow((uint64_t)m->stride * m->max_entries, m->vm->cpus, &size))
        return -ENOMEM;
    return skep_map_area_init(m, size);
}

static uint8_t *value_at(const struct skep_vm_map *m, uint32_t index, uint32_t cpu)
{
    return m->area.start + ((uint64_t)cpu * m->max_entries + index) * m->stride;
}

static uint64_t array_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    (void)cpu;
    uint32_t index = skep_map_index(key);
    return index < m->max_entries ? (uintptr_t)m->area.start + (uint64_t)index * m->stride : 0;
}

static uint64_t percpu_lookup(struct skep_vm_map *m, const void *key, uint32_t cpu)
{
    uint32_t index = skep_map_index(key);
    return index < m->max_entries && cpu < m->vm->cpus ? (uintptr_t)value_at(m, index, cpu) : 0;
}

/* Whether the element may be updated; it always is there. */
static int may_update(const struct skep_vm_map *m, uint32_t index, uint64_t flags)
{
    if (flags > BPF_EXIST)
        return -EINVAL;
    return index >= m->max_entries ? -E2BIG : skep_map_update_flags(flags, true);
}

static int array_update(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags,
                        uint32_t cpu)
{
    uint32_t index = skep_map_index(key);
    int r = may_update(m, index, flags);
    if (r == 0)
        skep_value_put(value_at(m, index, m->type == BPF_MAP_TYPE_PERCPU_ARRAY ? cpu : 0), value,
                       m->value_size);
    return r;
}

static int array_delete(struct skep_vm_map *m, const void *key)
{
    (void)m, (void)key;
    return -EINVAL;
}

static int percpu_read(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    uint32_t index = skep_map_index(key);
    if (index >= m->max_entries)
        return -ENOENT;
    for (uint32_t cpu = 0; cpu < m->vm->cpus; cpu++)
        skep_value_get((uint8_t *)ret_value + (size_t)cpu * m->stride, value_at(m, index, cpu), m->stride);
    return 0;
}

static int percpu_write(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags)
{
    uint32_t index = skep_map_index(key);
    int r = may_update(m, index, flags);
    for (uint32_t cpu = 0; r == 0 && cpu < m->vm->cpus; cpu++)
        skep_value_put(value_at(m, index, cpu), (const uint8_t *)value + (size_t)cpu * m->stride, m->stride);
    return r;
}

/* The length of an array is part of what it looks like, unless the example says otherwise. */
static bool array_same_meta(const struct skep_vm_map *a, const struct skep_vm_map *b)
{
    return skep_map_same_meta(a, b) && (a->flags & BPF_F_INNER_MAP || a->max_entries == b->max_entries);
}

const struct skep_map_ops skep_map_array_ops = {
    .name = "array",
    .init = array_init,
    .lookup = array_lookup,
    .update = array_update,
    .delete = array_delete,
    .next_key = skep_map_next_index,
    .same_meta = array_same_meta,
    .batch = SKEP_BATCH_LOOKUP | SKEP_BATCH_UPDATE,
};

const struct skep_map_ops skep_map_percpu_array_ops = {
    .name = "percpu_array",
    .percpu = true,
    .init = percpu_init,
    .lookup = percpu_lookup,
    .update = array_update,
    .delete = array_delete,
    .read = percpu_read,
    .write = percpu_write,
    .next_key = skep_map_next_index,
    .same_meta = skep_map_same_meta,
    .batch = SKEP_BATCH_LOOKUP | SKEP_BATCH_UPDATE,
};
