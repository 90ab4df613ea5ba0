/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/* What comes before any batch: whether it can be done, and flags. Returns 1 when there is nothing to do. */
static int begin(const struct skep_vm_map *m, unsigned kind, bool reads, bool writes, const uint32_t *count,
                 uint64_t flags)
{
    if (reads && m->flags & BPF_F_WRONLY)
        return -EPERM;
    if (writes && (m->flags & BPF_F_RDONLY || __atomic_load_n(&m->frozen, __ATOMIC_ACQUIRE)))
        return -EPERM;
    if (!(m->ops->batch & kind))
        return -SKEP_ENOTSUPP;
    if (flags)
        return -EINVAL;
    return *count ? 0 : 1;
}

/* By bucket: the cursor is a number. */
static int by_bucket(struct skep_vm_map *m, const void *in_batch, void *out_batch, void *keys, void *values,
                     uint32_t *count, bool take)
{
    uint32_t cursor = 0, room = *count;
    if (in_batch)
        memcpy(&cursor, in_batch, sizeof(cursor));
    *count = 0;
    int r = m->ops->batch_lookup(m, &cursor, keys, values, room, count, take);
    memcpy(out_batch, &cursor, sizeof(cursor));
    return r;
}

/* By key: the cursor is the last one. */
static int by_key(struct skep_vm_map *m, const void *in_batch, void *out_batch, uint8_t *keys,
                  uint8_t *values, uint32_t *count)
{
    uint8_t *both = skep_vm_calloc(m->vm, 2, m->key_size);
    if (!both)
        return -ENOMEM;
    uint8_t *last = both, *next = both + m->key_size;
    bool any = in_batch != NULL;
    if (any)
        memcpy(last, in_batch, m->key_size);
    uint32_t room = *count, n = 0;
    int r = 0;
    *count = 0;
    while (n < room) {
        r = skep_vm_map_next_key(m, any ? last : NULL, next);
        if (r < 0)
            break;
        r = skep_vm_map_lookup(m, next, values + n * skep_vm_map_value_bytes(m), 0);
        if (r < 0 && r != -ENOENT)
            break;
        if (r == 0)
            memcpy(keys + (size_t)n++ * m->key_size, next, m->key_size);
        r = 0;
        memcpy(last, next, m->key_size);
        any = true;
    }
    *count = n;
    if (n)
        memcpy(out_batch, last, m->key_size);
    skep_vm_release(m->vm, both);
    return r;
}

int skep_vm_map_lookup_batch(struct skep_vm_map *m, const void *in_batch, void *out_batch, void *keys,
                             void *values, uint32_t *count, uint64_t flags)
{
    int r = begin(m, SKEP_BATCH_LOOKUP, true, false, count, flags);
    if (r != 0)
        return MIN(r, 0);
    return m->ops->batch_lookup ? by_bucket(m, in_batch, out_batch, keys, values, count, false)
                                : by_key(m, in_batch, out_batch, keys, values, count);
}

int skep_vm_map_lookup_and_delete_batch(struct skep_vm_map *m, const void *in_batch, void *out_batch,
                                        void *keys, void *values, uint32_t *count, uint64_t flags)
{
    int r = begin(m, SKEP_BATCH_TAKE, true, true, count, flags);
    return r != 0 ? MIN(r, 0) : by_bucket(m, in_batch, out_batch, keys, values, count, true);
}

int skep_vm_map_update_batch(struct skep_vm_map *m, const void *keys, const void *values, uint32_t *count,
                             uint64_t flags)
{
    int r = begin(m, SKEP_BATCH_UPDATE, false, true, count, flags);
    if (r != 0)
        return MIN(r, 0);
    uint32_t n = 0;
    for (; r == 0 && n < *count; n += r == 0)
        r = skep_vm_map_update(m, (const uint8_t *)keys + (size_t)n * m->key_size,
                               (const uint8_t *)values + n * skep_vm_map_value_bytes(m), BPF_ANY);
    *count = n;
    return r;
}

int skep_vm_map_delete_batch(struct skep_vm_map *m, const void *keys, uint32_t *count, uint64_t flags)
{
    int r = begin(m, SKEP_BATCH_DELETE, false, true, count, flags);
    if (r != 0)
        return MIN(r, 0);
    uint32_t n = 0;
    for (; r == 0 && n < *count; n += r == 0)
        r = skep_vm_map_delete(m, (const uint8_t *)keys + (size_t)n * m->key_size);
    *count = n;
    return r;
}
