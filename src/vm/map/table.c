/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/table.h"

#define STRIPES_MAX 64
#define SPARES_SIZE_MAX (1u << 20)

static inline struct skep_table_node *node_at(const struct skep_table *t, uint32_t i)
{
    return (struct skep_table_node *)(t->nodes + (size_t)i * t->node_size);
}

/* ---- keys ---- */

/* Word n of a key in memory that need not be aligned. */
static inline uint64_t key_word(const struct skep_table *t, const void *key, uint32_t n)
{
    const uint8_t *bytes = (const uint8_t *)key + (size_t)n * 8;
    uint32_t left = t->key_size - n * 8;
    uint64_t word;
    if (left < 8)
        return skep_map_load_part(bytes, left);
    memcpy(&word, bytes, 8);
    return word;
}

static inline uint64_t first_word(const struct skep_table *t, const void *key)
{
    uint32_t four;
    if (t->key_size != 4)
        return key_word(t, key, 0);
    memcpy(&four, key, sizeof(four)); /* the usual key: no detours */
    return four;
}

static inline uint32_t hash_of(const struct skep_table *t, const void *key, uint64_t first)
{
    uint64_t hash = t->key_words == 1 ? skep_map_hash_word(t->seed, first)
                                      : skep_map_hash_bytes(t->seed, key, t->key_size);
    return (uint32_t)(hash ^ hash >> 32);
}

/* Loads are acquiring so that the second look at the tag comes after them. */
static inline bool same_rest(const struct skep_table *t, const struct skep_table_node *n, const void *key)
{
    for (uint32_t i = 1; i < t->key_words; i++)
        if (__atomic_load_n(&n->key[i], __ATOMIC_ACQUIRE) != key_word(t, key, i))
            return false;
    return true;
}

static inline bool same_key(const struct skep_table *t, const struct skep_table_node *n, const void *key,
                            uint64_t first)
{
    return __atomic_load_n(&n->key[0], __ATOMIC_ACQUIRE) == first && same_rest(t, n, key);
}

/* ---- looking up ---- */

/* Inlined for those who want no tag, too: this is what a lookup costs. */
static inline __attribute__((always_inline)) uint32_t find(const struct skep_table *t, const void *key,
                                                           uint64_t *ret_tag)
{
    const uint64_t first = first_word(t, key);
    const uint32_t hash = hash_of(t, key, first), bucket = hash & t->bucket_mask;
    uint32_t i;
    do {
        i = __atomic_load_n(&t->heads[bucket], __ATOMIC_ACQUIRE);
        while (!(i & SKEP_TABLE_END)) {
            const struct skep_table_node *n = node_at(t, i);
            uint64_t tag = __atomic_load_n(&n->tag, __ATOMIC_ACQUIRE);
            if ((tag & (SKEP_TABLE_BUSY | UINT32_MAX)) == hash && same_key(t, n, key, first) &&
                __atomic_load_n(&n->tag, __ATOMIC_RELAXED) == tag) {
                *ret_tag = tag;
                return i;
            }
            i = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE);
        }
    } while (__builtin_expect(i != (SKEP_TABLE_END | bucket), 0));
    return SKEP_TABLE_NONE;
}

uint32_t skep_table_find(const struct skep_table *t, const void *key)
{
    uint64_t tag;
    return find(t, key, &tag);
}

uint32_t skep_table_find_tag(const struct skep_table *t, const void *key, uint64_t *ret_tag)
{
    return find(t, key, ret_tag);
}

bool skep_table_has_tag(const struct skep_table *t, uint32_t i, uint64_t tag)
{
    /* after whatever the caller has read */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&node_at(t, i)->tag, __ATOMIC_RELAXED) == tag;
}

/* The stripe's lock is held. */
static uint32_t find_locked(const struct skep_table *t, const void *key, uint64_t first, uint32_t hash)
{
    uint32_t i = t->heads[hash & t->bucket_mask];
    for (; !(i & SKEP_TABLE_END); i = node_at(t, i)->next)
        if ((uint32_t)node_at(t, i)->tag == hash && same_key(t, node_at(t, i), key, first))
            return i;
    return SKEP_TABLE_NONE;
}

/* ---- free elements ---- */

/* The shard's lock is held. */
static uint32_t take_free_locked(struct skep_table *t, struct skep_table_shard *shard)
{
    uint32_t i = SKEP_TABLE_NONE;
    if (shard->first != SKEP_TABLE_NONE) {
        i = shard->first;
        shard->first = __atomic_load_n(&node_at(t, i)->link, __ATOMIC_RELAXED);
    } else if (shard->fresh < shard->last) {
        i = shard->fresh++;
    }
    return i;
}

static uint32_t take_free_of(struct skep_table *t, struct skep_table_shard *shard)
{
    skep_spin_lock(&shard->lock);
    uint32_t i = take_free_locked(t, shard);
    skep_spin_unlock(&shard->lock);
    return i;
}

static uint32_t take_free(struct skep_table *t, uint32_t hash)
{
    for (uint32_t n = 0; n <= t->shard_mask; n++) {
        uint32_t i = take_free_of(t, &t->shards[((hash >> 24) + n) & t->shard_mask]);
        if (i != SKEP_TABLE_NONE)
            return i;
    }
    return SKEP_TABLE_NONE;
}

/* Who goes from list to list may meet none that is never without one: it is given back behind him. */
static uint32_t take_free_surely(struct skep_table *t)
{
    uint32_t i = SKEP_TABLE_NONE;
    for (uint32_t n = 0; n <= t->shard_mask; n++)
        skep_spin_lock(&t->shards[n].lock);
    for (uint32_t n = 0; n <= t->shard_mask && i == SKEP_TABLE_NONE; n++)
        i = take_free_locked(t, &t->shards[n]);
    for (uint32_t n = 0; n <= t->shard_mask; n++)
        skep_spin_unlock(&t->shards[n].lock);
    return i;
}

static void give_free(struct skep_table *t, uint32_t i)
{
    struct skep_table_shard *shard = &t->shards[i & t->shard_mask];
    skep_spin_lock(&shard->lock);
    __atomic_store_n(&node_at(t, i)->link, shard->first, __ATOMIC_RELAXED);
    shard->first = i;
    skep_spin_unlock(&shard->lock);
}

/* ---- changes; the stripe's lock is held ---- */

static inline struct skep_table_stripe *stripe_of(const struct skep_table *t, uint32_t hash)
{
    return &t->stripes[hash & t->bucket_mask & t->stripe_mask];
}

/* Says that the node's key and value are being written: whoever still reads the value of its last key will not take it
 * for that. */
static void begin_write(struct skep_table *t, uint32_t i, uint32_t hash)
{
    struct skep_table_node *n = node_at(t, i);
    uint64_t count = (n->tag >> 33) + 1;
    __atomic_store_n(&n->tag, count << 33 | SKEP_TABLE_BUSY | hash, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Gives a node its key and puts it at the head of its bucket, after begin_write() and its value. */
static void put_in(struct skep_table *t, uint32_t i, const void *key, uint64_t first, uint32_t hash)
{
    struct skep_table_node *n = node_at(t, i);
    uint32_t *head = &t->heads[hash & t->bucket_mask];
    uint64_t count = n->tag >> 33;
    __atomic_store_n(&n->key[0], first, __ATOMIC_RELEASE);
    for (uint32_t word = 1; word < t->key_words; word++)
        __atomic_store_n(&n->key[word], key_word(t, key, word), __ATOMIC_RELEASE);
    __atomic_store_n(&n->next, *head, __ATOMIC_RELEASE);
    __atomic_store_n(&n->tag, count << 33 | hash, __ATOMIC_RELEASE);
    __atomic_store_n(&n->link, SKEP_TABLE_LIVE, __ATOMIC_RELAXED);
    if (t->touched)
        __atomic_store_n(&t->touched[i], 0, __ATOMIC_RELAXED);
    __atomic_store_n(head, i, __ATOMIC_RELEASE);
}

/* Takes a node out of its bucket. Its own next stays, for readers that stand on it. */
static void take_out(struct skep_table *t, uint32_t i, uint32_t hash)
{
    uint32_t *from = &t->heads[hash & t->bucket_mask];
    while (*from != i)
        from = &node_at(t, *from)->next;
    __atomic_store_n(from, node_at(t, i)->next, __ATOMIC_RELEASE);
    __atomic_store_n(&node_at(t, i)->link, SKEP_TABLE_NONE, __ATOMIC_RELAXED);
}

/* ---- the clock ---- */

/* Takes the element under the hand if it can be had. */
static bool evict(struct skep_table *t, uint32_t i, bool spare_touched)
{
    struct skep_table_node *n = node_at(t, i);
    if (__atomic_load_n(&n->link, __ATOMIC_RELAXED) != SKEP_TABLE_LIVE)
        return false;
    if (spare_touched && __atomic_load_n(&t->touched[i], __ATOMIC_RELAXED)) {
        __atomic_store_n(&t->touched[i], 0, __ATOMIC_RELAXED);
        return false;
    }
    uint64_t tag = __atomic_load_n(&n->tag, __ATOMIC_ACQUIRE);
    uint32_t hash = (uint32_t)tag;
    struct skep_table_stripe *stripe = stripe_of(t, hash);
    skep_spin_lock(&stripe->lock);
    /* the same tag: the same key in the same bucket, whose lock this is */
    bool got = __atomic_load_n(&n->tag, __ATOMIC_RELAXED) == tag && !(tag & SKEP_TABLE_BUSY) &&
               __atomic_load_n(&n->link, __ATOMIC_RELAXED) == SKEP_TABLE_LIVE;
    if (got)
        take_out(t, i, hash);
    skep_spin_unlock(&stripe->lock);
    return got;
}

/* An element for a new key. While others hold all of them between taking and inserting, there is none. */
static uint32_t evict_any(struct skep_table *t, uint32_t hash)
{
    const uint32_t rounds = 64;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t step = 0; step < t->n_nodes; step++) {
            uint32_t i = __atomic_fetch_add(&t->hand, 1, __ATOMIC_RELAXED) % t->n_nodes;
            if (evict(t, i, round < 2))
                return i;
        }
        uint32_t i = take_free(t, hash);
        if (i != SKEP_TABLE_NONE)
            return i;
        sched_yield();
    }
    return SKEP_TABLE_NONE;
}

/* ---- updates ---- */

static void replace(struct skep_table *t, const struct skep_table_update *u, struct skep_table_stripe *stripe,
                    uint32_t old, uint64_t first, uint32_t hash)
{
    if (u->in_place) {
        u->fill(u->data, old, old);
    } else {
        uint32_t i = stripe->spare;
        begin_write(t, i, hash);
        u->fill(u->data, i, old);
        put_in(t, i, u->key, first, hash);
        take_out(t, old, hash);
        stripe->spare = old;
    }
}

int skep_table_update(struct skep_table *t, const struct skep_table_update *u)
{
    const uint64_t first = first_word(t, u->key);
    const uint32_t hash = hash_of(t, u->key, first);
    struct skep_table_stripe *stripe = stripe_of(t, hash);
    uint32_t new = SKEP_TABLE_NONE;
    for (;;) {
        skep_spin_lock(&stripe->lock);
        uint32_t old = find_locked(t, u->key, first, hash);
        int r = skep_map_update_flags(u->flags, old != SKEP_TABLE_NONE);
        bool inserts = r == 0 && old == SKEP_TABLE_NONE;
        if (r == 0 && old != SKEP_TABLE_NONE)
            replace(t, u, stripe, old, first, hash);
        if (inserts && new == SKEP_TABLE_NONE)
            new = take_free(t, hash);
        if (inserts && new == SKEP_TABLE_NONE && !t->touched)
            new = take_free_surely(t);
        if (inserts && new != SKEP_TABLE_NONE) {
            begin_write(t, new, hash);
            u->fill(u->data, new, SKEP_TABLE_NONE);
            put_in(t, new, u->key, first, hash);
            new = SKEP_TABLE_NONE;
            inserts = false;
        }
        skep_spin_unlock(&stripe->lock);
        if (!inserts) {
            if (new != SKEP_TABLE_NONE)
                give_free(t, new);
            return r;
        }
        if (!t->touched)
            return -E2BIG;
        /* without the lock: the one to go may be in any stripe, and the key may come meanwhile */
        new = evict_any(t, hash);
        if (new == SKEP_TABLE_NONE)
            return -ENOMEM;
    }
}

int skep_table_remove(struct skep_table *t, const void *key, void (*leave)(void *data, uint32_t i),
                      void *data)
{
    const uint64_t first = first_word(t, key);
    const uint32_t hash = hash_of(t, key, first);
    struct skep_table_stripe *stripe = stripe_of(t, hash);
    skep_spin_lock(&stripe->lock);
    uint32_t i = find_locked(t, key, first, hash);
    if (i != SKEP_TABLE_NONE) {
        if (leave)
            leave(data, i);
        take_out(t, i, hash);
    }
    skep_spin_unlock(&stripe->lock);
    if (i == SKEP_TABLE_NONE)
        return -ENOENT;
    give_free(t, i);
    return 0;
}

/* ---- going through ---- */

/* The order of keys within a bucket. It does not depend on when elements came, so that a walk ends even if each element
 * is updated on the way. */
static int compare(const struct skep_table *t, const struct skep_table_node *n, const void *key,
                   uint32_t hash)
{
    if ((uint32_t)n->tag != hash)
        return (uint32_t)n->tag < hash ? -1 : 1;
    for (uint32_t i = 0; i < t->key_words; i++) {
        uint64_t word = key_word(t, key, i);
        if (n->key[i] != word)
            return n->key[i] < word ? -1 : 1;
    }
    return 0;
}

/* Copies the least key of a bucket that comes after key (NULL: of all). The lock is held. */
static bool least_after(const struct skep_table *t, uint32_t bucket, const void *key, uint32_t hash,
                        void *ret_next, uint32_t *ret_i)
{
    uint32_t best = SKEP_TABLE_NONE;
    for (uint32_t i = t->heads[bucket]; !(i & SKEP_TABLE_END); i = node_at(t, i)->next) {
        const struct skep_table_node *n = node_at(t, i);
        if (key && compare(t, n, key, hash) <= 0)
            continue;
        if (best == SKEP_TABLE_NONE ||
            compare(t, n, node_at(t, best)->key, (uint32_t)node_at(t, best)->tag) < 0)
            best = i;
    }
    if (best == SKEP_TABLE_NONE)
        return false;
    memcpy(ret_next, node_at(t, best)->key, t->key_size);
    if (ret_i)
        *ret_i = best;
    return true;
}

int skep_table_next(struct skep_table *t, const void *key, bool strict, void *ret_next, uint32_t *ret_i)
{
    uint32_t bucket = 0;
    if (key) {
        const uint64_t first = first_word(t, key);
        const uint32_t hash = hash_of(t, key, first);
        struct skep_table_stripe *stripe = stripe_of(t, hash);
        bucket = hash & t->bucket_mask;
        skep_spin_lock(&stripe->lock);
        bool here = strict || find_locked(t, key, first, hash) != SKEP_TABLE_NONE;
        bool found = here && least_after(t, bucket, key, hash, ret_next, ret_i);
        skep_spin_unlock(&stripe->lock);
        if (found)
            return 0;
        bucket = here ? bucket + 1 : 0;
    }
    for (; bucket <= t->bucket_mask; bucket++) {
        if (__atomic_load_n(&t->heads[bucket], __ATOMIC_RELAXED) & SKEP_TABLE_END)
            continue;
        struct skep_table_stripe *stripe = stripe_of(t, bucket);
        skep_spin_lock(&stripe->lock);
        bool found = least_after(t, bucket, NULL, 0, ret_next, ret_i);
        skep_spin_unlock(&stripe->lock);
        if (found)
            return 0;
    }
    return -ENOENT;
}

int64_t skep_table_visit(struct skep_table *t, uint32_t bucket, uint32_t room,
                         bool (*visit)(void *data, uint32_t i, const void *key), void *data)
{
    struct skep_table_stripe *stripe = stripe_of(t, bucket);
    int64_t n = 0;
    skep_spin_lock(&stripe->lock);
    for (uint32_t i = t->heads[bucket]; !(i & SKEP_TABLE_END); i = node_at(t, i)->next)
        n++;
    if (n > room)
        n = -ENOSPC;
    for (uint32_t i = t->heads[bucket], next; n > 0 && !(i & SKEP_TABLE_END); i = next) {
        next = node_at(t, i)->next;
        if (!visit(data, i, node_at(t, i)->key))
            continue;
        take_out(t, i, bucket);
        give_free(t, i);
    }
    skep_spin_unlock(&stripe->lock);
    return n;
}

int skep_table_batch(struct skep_table *t, uint32_t *cursor, uint32_t room, uint32_t *ret_count,
                     bool (*visit)(void *data, uint32_t i, const void *key), void *data)
{
    uint32_t count = 0;
    int64_t n = 0;
    while (*cursor <= t->bucket_mask && n >= 0) {
        n = skep_table_visit(t, *cursor, room - count, visit, data);
        if (n >= 0) {
            count += (uint32_t)n;
            ++*cursor;
        }
    }
    *ret_count = count;
    if (n < 0)
        return count ? 0 : (int)n;
    return -ENOENT;
}

uint32_t skep_table_bucket(const struct skep_table *t, const void *key)
{
    return hash_of(t, key, first_word(t, key)) & t->bucket_mask;
}

/* ---- life ---- */

static uint32_t power_of_two(uint32_t n)
{
    return n <= 1 ? 1 : 1u << (32 - __builtin_clz(n - 1));
}

/* Zeroed and on a cache line. */
static void *calloc_aligned(struct skep_vm_map *m, size_t n, size_t size, void **ret_memory)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total) || total > PTRDIFF_MAX - 64)
        return NULL;
    uint8_t *memory = skep_map_calloc(m, 1, total + 64);
    *ret_memory = memory;
    return memory ? memory + (64 - (uintptr_t)memory % 64) % 64 : NULL;
}

static void deal_out(struct skep_table *t, uint32_t entries)
{
    /* spares come behind the entries */
    for (uint32_t i = 0; i <= t->stripe_mask; i++)
        t->stripes[i].spare = entries + i;
    uint32_t shards = t->shard_mask + 1;
    for (uint32_t i = 0; i < shards; i++)
        t->shards[i] = (struct skep_table_shard){
            .first = SKEP_TABLE_NONE,
            .fresh = (uint32_t)((uint64_t)entries * i / shards),
            .last = (uint32_t)((uint64_t)entries * (i + 1) / shards),
        };
    for (uint32_t i = 0; i <= t->bucket_mask; i++)
        t->heads[i] = SKEP_TABLE_END | i;
}

int skep_table_init(struct skep_table *t, struct skep_vm_map *m, uint32_t entries, uint64_t value_size,
                    unsigned how)
{
    if (entries > SKEP_TABLE_ENTRIES_MAX)
        return entries > 1u << 31 ? -E2BIG : -ENOMEM;
    uint32_t buckets = power_of_two(entries);
    uint32_t stripes = MIN(buckets, (uint32_t)STRIPES_MAX);
    while (stripes > 1 && stripes * value_size > SPARES_SIZE_MAX)
        stripes /= 2;
    *t = (struct skep_table){
        .bucket_mask = buckets - 1,
        .key_size = m->key_size,
        .key_words = (uint32_t)(((uint64_t)m->key_size + 7) / 8),
        .n_nodes = entries + stripes,
        .stripe_mask = stripes - 1,
        .shard_mask = MIN(buckets, (uint32_t)SKEP_TABLE_SHARDS) - 1,
    };
    t->node_size = (uint32_t)sizeof(struct skep_table_node) + t->key_words * 8;
    if (t->key_words == 1)
        t->node_size += 8; /* two in a cache line, none across */
    skep_seed_init(t->seed, how & SKEP_TABLE_ZERO_SEED);
    t->heads = skep_map_calloc(m, buckets, sizeof(*t->heads));
    t->nodes = calloc_aligned(m, t->n_nodes, t->node_size, &t->nodes_memory);
    t->stripes = calloc_aligned(m, stripes, sizeof(*t->stripes), &t->stripes_memory);
    t->shards = calloc_aligned(m, t->shard_mask + 1, sizeof(*t->shards), &t->shards_memory);
    if (how & SKEP_TABLE_LRU)
        t->touched = skep_map_calloc(m, t->n_nodes, 1);
    if (!t->heads || !t->nodes || !t->stripes || !t->shards || (how & SKEP_TABLE_LRU && !t->touched))
        return -ENOMEM;
    deal_out(t, entries);
    return 0;
}

void skep_table_clear(struct skep_table *t, struct skep_vm_map *m)
{
    skep_map_release(m, t->heads);
    skep_map_release(m, t->nodes_memory);
    skep_map_release(m, t->stripes_memory);
    skep_map_release(m, t->shards_memory);
    skep_map_release(m, t->touched);
    *t = (struct skep_table){0};
}
