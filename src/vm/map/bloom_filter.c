/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

/*
 * Bloom filters: bits that are only ever set. As many bits as the kernel takes: 7/5 for each entry and hash, rounded
 * up to a power of two.
 */
#define HASHES_DEFAULT 5

struct bloom {
    uint64_t seed[2];
    uint32_t mask, n_hashes;
    uint64_t bits[]; /* atomic */
};

static int bloom_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    if (o->value_size > SKEP_MAP_ELEMENT_MAX)
        return -E2BIG;
    if (o->key_size || !o->value_size || !o->max_entries || o->extra & ~0xfULL ||
        !skep_map_flags_ok(o->flags, SKEP_MAP_ACCESS_FLAGS | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED))
        return -EINVAL;
    uint32_t n_hashes = o->extra ? (uint32_t)o->extra : HASHES_DEFAULT, product, n_bits;
    uint64_t bits = 1ULL << 32;
    if (!__builtin_mul_overflow(o->max_entries, n_hashes, &product) &&
        !__builtin_mul_overflow(product / 5, 7u, &n_bits) && n_bits <= 1u << 31) {
        bits = 64;
        while (bits < n_bits)
            bits *= 2;
    }
    struct bloom *b = skep_map_calloc(m, 1, sizeof(*b) + bits / 8);
    if (!b)
        return -ENOMEM;
    b->mask = (uint32_t)(bits - 1);
    b->n_hashes = n_hashes;
    skep_seed_init(b->seed, o->flags & BPF_F_ZERO_SEED);
    m->state = b;
    return 0;
}

static void bloom_clear(struct skep_vm_map *m)
{
    skep_map_release(m, m->state);
    m->state = NULL;
}

/* Bit number n of a value: two hashes give all others. */
static uint32_t bit_of(const struct bloom *b, uint64_t hash, uint32_t n)
{
    uint64_t step = skep_map_hash_mix(hash, SKEP_HASH_A) | 1;
    return (uint32_t)((hash + n * step) >> 16) & b->mask;
}

static int bloom_push(struct skep_vm_map *m, const void *value, uint64_t flags)
{
    struct bloom *b = m->state;
    if (flags != BPF_ANY)
        return -EINVAL;
    uint64_t hash = skep_map_hash_bytes(b->seed, value, m->value_size);
    for (uint32_t n = 0; n < b->n_hashes; n++) {
        uint32_t bit = bit_of(b, hash, n);
        __atomic_fetch_or(&b->bits[bit / 64], 1ULL << bit % 64, __ATOMIC_RELAXED);
    }
    return 0;
}

static int bloom_peek(struct skep_vm_map *m, void *value)
{
    const struct bloom *b = m->state;
    uint64_t hash = skep_map_hash_bytes(b->seed, value, m->value_size);
    for (uint32_t n = 0; n < b->n_hashes; n++) {
        uint32_t bit = bit_of(b, hash, n);
        if (!(__atomic_load_n(&b->bits[bit / 64], __ATOMIC_RELAXED) & 1ULL << bit % 64))
            return -ENOENT;
    }
    return 0;
}

static int bloom_delete(struct skep_vm_map *m, const void *key)
{
    (void)m, (void)key;
    return -EOPNOTSUPP;
}

static int bloom_next_key(struct skep_vm_map *m, const void *key, void *ret_next)
{
    (void)m, (void)key, (void)ret_next;
    return -EOPNOTSUPP;
}

const struct skep_map_ops skep_map_bloom_filter_ops = {
    .name = "bloom_filter",
    .keyless = true,
    .init = bloom_init,
    .clear = bloom_clear,
    .push = bloom_push,
    .peek = bloom_peek,
    .delete = bloom_delete,
    .next_key = bloom_next_key,
    .same_meta = skep_map_same_meta,
};
