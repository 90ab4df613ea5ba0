/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_HELD_H
#define SKEP_BPF_LIB_HELD_H
/*
 * Operations of io_uring that are on their way. What is known of one when it is submitted is kept here, by the
 * address of its request, until it is over: then there may be another task, an interrupt, or nobody who could be asked.
 *
 * A request may stand in one of SKEP_HELD_TRIES places from one that its address gives. The words that say who stands
 * where are apart from what is kept, so that looking for one touches a cache line or two. Such a word is the lock of its
 * place, too: free, the address of a request, or busy while one program writes or reads what is kept, for which it runs
 * through. A request is submitted before it can complete, and its memory is used again only after that: two programs
 * never look for the same one at the same time.
 *
 * Nobody waits for a place. Where all are taken, the operation that is older than SKEP_HELD_STALE and oldest
 * makes room, and if there is none such, the newcomer is not held. Who uses this tells either, so that each operation
 * that was submitted ends in exactly one event.
 */
#include "bpf/lib/uring.h"

#define SKEP_HELD_TRIES 8
#define SKEP_HELD_STALE 10000000000ULL
#define SKEP_HELD_FREE 0
#define SKEP_HELD_BUSY ~0ULL

struct skep_held {
    __u32 len;
    __u32 pad;
    char record[SKEP_HELD_RECORD_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SKEP_HELD_FEW);
    __type(key, __u32);
    __type(value, struct skep_held);
} skep_helds SEC(".maps");

__u64 skep_held_owner[SKEP_HELD_MANY];

/* Places are numbered from 1; 0 is none. */
static __always_inline __u32 skep_held_place(__u64 req, __u32 turn)
{
    __u32 at = (__u32)(((req >> 6) * 0x9e3779b97f4a7c15ULL) >> 40) + turn;
    return 1 + (at & (skep_cfg.held_places - 1) & (SKEP_HELD_MANY - 1));
}

static __always_inline __u64 *skep_held_word(__u32 place)
{
    __u64 at = place - 1;
    barrier_var(at);
    return &skep_held_owner[at & (SKEP_HELD_MANY - 1)];
}

static __always_inline struct skep_held *skep_held_at(__u32 place)
{
    __u32 at = place - 1;
    return bpf_map_lookup_elem(&skep_helds, &at);
}

static __always_inline bool skep_held_lock(__u32 place, __u64 owner)
{
    return __sync_val_compare_and_swap(skep_held_word(place), owner, SKEP_HELD_BUSY) == owner;
}

static __always_inline void skep_held_unlock(__u32 place, __u64 owner)
{
    __sync_lock_test_and_set(skep_held_word(place), owner);
}

/* Locks the place where the request stands; 0: nowhere. */
static __always_inline __u32 skep_held_find(__u64 req)
{
#pragma unroll
    for (int i = 0; i < SKEP_HELD_TRIES; i++) {
        __u32 place = skep_held_place(req, i);
        if (*(volatile __u64 *)skep_held_word(place) == req && skep_held_lock(place, req))
            return place;
    }
    return 0;
}

/* Locks a free place; 0: there is none. */
static __always_inline __u32 skep_held_claim(__u64 req)
{
#pragma unroll
    for (int i = 0; i < SKEP_HELD_TRIES; i++) {
        __u32 place = skep_held_place(req, i);
        if (*(volatile __u64 *)skep_held_word(place) == SKEP_HELD_FREE &&
            skep_held_lock(place, SKEP_HELD_FREE))
            return place;
    }
    return 0;
}

/* Locks the place of the oldest that took too long; 0: there is none. */
static __always_inline __u32 skep_held_displace(__u64 req, __u64 now)
{
    __u64 oldest = now - SKEP_HELD_STALE, owner = 0;
    __u32 found = 0;
#pragma unroll
    for (int i = 0; i < SKEP_HELD_TRIES; i++) {
        __u32 place = skep_held_place(req, i);
        __u64 who = *(volatile __u64 *)skep_held_word(place);
        struct skep_held *held = skep_held_at(place);
        if (!held || who == SKEP_HELD_BUSY)
            continue;
        __u64 since = ((struct skep_hdr *)held->record)->time;
        if (since >= oldest)
            continue;
        oldest = since;
        owner = who;
        found = place;
    }
    return found && skep_held_lock(found, owner) ? found : 0;
}
#endif
