/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/*
 * Stack traces by the hash of their addresses: the key is a bucket, of which there are as many as entries, rounded up
 * to a power of two. The hash is one and the same in all maps, as in the kernel.
 */
#define DEPTH_MAX 127 /* the kernel's default */

struct trace {
    uint32_t n; /* 0: there is none */
    uint32_t hash;
    uint64_t addresses[];
};

struct traces {
    struct skep_spin lock;
    uint32_t buckets, count;
    size_t trace_size;
    uint8_t *traces;
};

static int traces_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    if (o->flags & BPF_F_STACK_BUILD_ID)
        return -EOPNOTSUPP;
    if (!skep_map_flags_ok(o->flags, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY) || !o->max_entries ||
        o->key_size != 4 || o->value_size < 8 || o->value_size % 8 || o->value_size / 8 > DEPTH_MAX)
        return -EINVAL;
    if (o->max_entries > 1u << 31)
        return -E2BIG;
    struct traces *t = m->state = skep_map_calloc(m, 1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    for (t->buckets = 1; t->buckets < o->max_entries;)
        t->buckets *= 2;
    t->trace_size = sizeof(struct trace) + o->value_size;
    t->traces = skep_map_calloc(m, t->buckets, t->trace_size);
    return t->traces ? 0 : -ENOMEM;
}

static void traces_clear(struct skep_vm_map *m)
{
    struct traces *t = m->state;
    if (t)
        skep_map_release(m, t->traces);
    skep_map_release(m, t);
    m->state = NULL;
}

static struct trace *trace_at(const struct traces *t, uint32_t id)
{
    return (struct trace *)(t->traces + (size_t)id * t->trace_size);
}

int64_t skep_stack_trace_put(struct skep_vm_map *m, const uint64_t *addresses, size_t n, uint64_t flags)
{
    const uint64_t no_seed[2] = {0};
    struct traces *t = m->state;
    n = MIN(n, (size_t)m->value_size / 8);
    if (n == 0)
        return -EFAULT;
    uint64_t wide = skep_map_hash_bytes(no_seed, addresses, n * 8);
    uint32_t hash = (uint32_t)(wide ^ wide >> 32), id = hash & (t->buckets - 1);
    struct trace *trace = trace_at(t, id);
    int64_t r = id;
    skep_spin_lock(&t->lock);
    bool same =
        trace->n && trace->hash == hash &&
        (flags & BPF_F_FAST_STACK_CMP || (trace->n == n && memcmp(trace->addresses, addresses, n * 8) == 0));
    if (!same && trace->n && !(flags & BPF_F_REUSE_STACKID))
        r = -EEXIST;
    else if (!same && !trace->n && t->count == m->max_entries)
        r = -ENOMEM;
    if (!same && r >= 0) {
        t->count += trace->n == 0;
        trace->n = (uint32_t)n;
        trace->hash = hash;
        memcpy(trace->addresses, addresses, n * 8);
    }
    skep_spin_unlock(&t->lock);
    return r;
}

static int get(struct skep_vm_map *m, const void *key, void *ret_value, bool take)
{
    struct traces *t = m->state;
    uint32_t id = skep_map_index(key);
    if (id >= t->buckets)
        return -ENOENT;
    struct trace *trace = trace_at(t, id);
    skep_spin_lock(&t->lock);
    uint32_t n = trace->n;
    if (n) {
        memset(ret_value, 0, m->value_size);
        memcpy(ret_value, trace->addresses, (size_t)n * 8);
        if (take) {
            trace->n = 0;
            t->count--;
        }
    }
    skep_spin_unlock(&t->lock);
    return n ? 0 : -ENOENT;
}

static int traces_read(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    return get(m, key, ret_value, false);
}

static int traces_take(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags)
{
    (void)flags;
    return get(m, key, ret_value, true);
}

static int traces_write(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags)
{
    (void)m, (void)key, (void)value, (void)flags;
    return -EINVAL;
}

static int traces_delete(struct skep_vm_map *m, const void *key)
{
    struct traces *t = m->state;
    uint32_t id = skep_map_index(key);
    if (id >= t->buckets)
        return -E2BIG;
    struct trace *trace = trace_at(t, id);
    skep_spin_lock(&t->lock);
    bool there = trace->n;
    t->count -= there;
    trace->n = 0;
    skep_spin_unlock(&t->lock);
    return there ? 0 : -ENOENT;
}

static bool is_there(struct traces *t, uint32_t id)
{
    skep_spin_lock(&t->lock);
    bool there = trace_at(t, id)->n;
    skep_spin_unlock(&t->lock);
    return there;
}

static int traces_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    struct traces *t = m->state;
    uint32_t id = key ? skep_map_index(key) : UINT32_MAX;
    id = id >= t->buckets || !is_there(t, id) ? 0 : id + 1;
    while (id < t->buckets && !is_there(t, id))
        id++;
    if (id >= t->buckets)
        return -ENOENT;
    memcpy(ret_next, &id, sizeof(id));
    return 0;
}

const struct skep_map_ops skep_map_stack_trace_ops = {
    .name = "stack_trace",
    .init = traces_init,
    .clear = traces_clear,
    .delete = traces_delete,
    .read = traces_read,
    .write = traces_write,
    .take = traces_take,
    .next_key = traces_next_key,
    .same_meta = skep_map_same_meta,
};
