/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_MAP_TABLE_H
#define SKEP_VM_MAP_TABLE_H
/*
 * The table behind all maps that are hashes: it finds the number of an element by key. What an element holds lies with
 * the map, at that number.
 *
 *     uint32_t i = skep_table_find(t, key);       no lock, from any number of threads
 *     if (i != SKEP_TABLE_NONE) ... value i ...
 *
 * An element is a node {tag, next, link, key}. A bucket is a list of nodes, by number, and its end says which bucket it
 * is the end of. Nodes are changed by whoever holds the lock of the bucket's stripe, and go from bucket to bucket while
 * others look at them. A reader is right nevertheless:
 *  - A node that goes elsewhere takes the reader with it: the reader arrives at the end of another bucket and begins
 *    anew. Within a bucket a node can only come back at the head, from where the reader sees all of the list again.
 *  - The tag holds the hash, a count, and a mark while key and value are being written. A reader compares the key between two
 *    looks at the tag; if they are equal, the key was that of the node for all that time.
 * An index that was found can be used again afterwards, by another key or by the same, as in the kernel: whoever copies a
 * value and wants it to be that of the key, and whole, has skep_table_find_tag() give the tag as well and asks
 * skep_table_has_tag() after copying.
 *
 * An update of a key that is there puts a new element at the head and then takes the old one out, so that no reader
 * misses the key or sees half of a value. The element for it is the stripe's spare: there are as many elements as the map
 * has entries, and a spare for each stripe. What is free lies in a few lists with locks of their own. Order of locks:
 * stripe, free list.
 *
 * With SKEP_TABLE_LRU an insertion that finds nothing free takes the element that the clock's hand finds first without
 * the mark that readers leave (skep_table_touch); marks that the hand passes are wiped.
 */
#include "vm/map/memory.h"

#define SKEP_TABLE_NONE UINT32_MAX
#define SKEP_TABLE_END 0x80000000u
#define SKEP_TABLE_LIVE 0xfffffffeu
#define SKEP_TABLE_BUSY (1ULL << 32)
#define SKEP_TABLE_SHARDS 8
#define SKEP_TABLE_ENTRIES_MAX (1u << 30)

struct skep_table_node {
    uint64_t tag;   /* hash | SKEP_TABLE_BUSY | count << 33 */
    uint32_t next;  /* node, or SKEP_TABLE_END | bucket */
    uint32_t link;  /* SKEP_TABLE_LIVE: it is in a bucket; else the next free one */
    uint64_t key[]; /* padded with zeros */
};

struct skep_table_stripe {
    struct skep_spin lock;
    uint32_t spare;
} __attribute__((aligned(64)));

struct skep_table_shard {
    struct skep_spin lock;
    uint32_t first;       /* of the free ones that were in use */
    uint32_t fresh, last; /* never used: [fresh, last) */
} __attribute__((aligned(64)));

struct skep_table {
    uint32_t *heads;
    uint8_t *nodes;
    uint32_t bucket_mask, node_size;
    uint64_t seed[2];
    uint32_t key_size, key_words;
    uint32_t n_nodes; /* entries and spares */
    uint32_t stripe_mask, shard_mask;
    struct skep_table_stripe *stripes;
    struct skep_table_shard *shards;
    void *nodes_memory, *stripes_memory, *shards_memory; /* before they were aligned */
    uint8_t *touched;                                    /* LRU: a mark for each node */
    uint32_t hand;
};

enum { SKEP_TABLE_LRU = 1, SKEP_TABLE_ZERO_SEED = 2 };

/* What a map does with the elements of an update, with the stripe's lock held. */
struct skep_table_update {
    const void *key;
    uint64_t flags; /* BPF_ANY, NOEXIST, EXIST */
    bool in_place;  /* an element that is there keeps its number */
    /* Fills element i; old is the element that it takes the place of (i itself: in place), or SKEP_TABLE_NONE. */
    void (*fill)(void *data, uint32_t i, uint32_t old);
    void *data;
};

/* value_size is what an element holds besides, for the choice of the number of spares. Counted as m's. */
int skep_table_init(struct skep_table *t, struct skep_vm_map *m, uint32_t entries, uint64_t value_size,
                    unsigned how);
void skep_table_clear(struct skep_table *t, struct skep_vm_map *m);

uint32_t skep_table_find(const struct skep_table *t, const void *key);
uint32_t skep_table_find_tag(const struct skep_table *t, const void *key, uint64_t *ret_tag);
/* Whether element i was not written since it had this tag. What is written in place does not count. */
bool skep_table_has_tag(const struct skep_table *t, uint32_t i, uint64_t tag);
/* -EINVAL, -EEXIST, -ENOENT: flags; -E2BIG: full; -ENOMEM: all elements of an LRU are being moved by others. */
int skep_table_update(struct skep_table *t, const struct skep_table_update *u);
/* Takes key out. leave is called with the stripe's lock held, before the element is free. -ENOENT. */
int skep_table_remove(struct skep_table *t, const void *key, void (*leave)(void *data, uint32_t i),
                      void *data);
/* The key behind key: -ENOENT: it was the last. strict: a key that is not there has a place too; else it stands for the
 * start, as in bpf(2). ret_i may be NULL. */
int skep_table_next(struct skep_table *t, const void *key, bool strict, void *ret_next, uint32_t *ret_i);

/* All elements of a bucket, with its lock held: visit gets each; true: it is to be taken out. room: -ENOSPC if there are
 * more, before any is visited. Returns how many. */
int64_t skep_table_visit(struct skep_table *t, uint32_t bucket, uint32_t room,
                         bool (*visit)(void *data, uint32_t i, const void *key), void *data);

/* Visits buckets from *cursor on while what they have fits into room; *cursor is then where to go on. -ENOENT: that was the
 * last one; -ENOSPC: not even one fits. *ret_count: how many elements, also then. */
int skep_table_batch(struct skep_table *t, uint32_t *cursor, uint32_t room, uint32_t *ret_count,
                     bool (*visit)(void *data, uint32_t i, const void *key), void *data);
/* The bucket of a key. */
uint32_t skep_table_bucket(const struct skep_table *t, const void *key);

static inline uint32_t skep_table_buckets(const struct skep_table *t)
{
    return t->bucket_mask + 1;
}

/* Marks an element as used, for LRU. */
static inline void skep_table_touch(struct skep_table *t, uint32_t i)
{
    if (!__atomic_load_n(&t->touched[i], __ATOMIC_RELAXED))
        __atomic_store_n(&t->touched[i], 1, __ATOMIC_RELAXED);
}
#endif
