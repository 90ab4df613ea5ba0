/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_MAP_MEMORY_H
#define SKEP_VM_MAP_MEMORY_H
/*
 * What the types of maps share below their own structures: locks, copies of values, memory that counts against the
 * vm's limit, seeds and hashes, and the rules for flags that several types have in common.
 *
 * Values are read and written by programs at any time, without a lock. That is a race that programs have with each
 * other and that we cannot take from them; our own side of it copies 8 bytes at a time, so that no number of a value
 * is ever seen half written.
 *
 * Locks are held for a few dozen instructions and never while something of the host is called.
 */
#include <linux/bpf.h>
#include <sched.h>

#include "base/macro.h"
#include "vm/map/map.h"
#include "vm/vm.h"

/* The kernel's, which is not among the numbers of user space. */
#define SKEP_ENOTSUPP 524

/* Limits of the kernel that maps are refused by. */
#define SKEP_MAP_ELEMENT_MAX (4u << 20) /* largest block of memory that it gives out */
#define SKEP_MAP_PERCPU_MAX (32u << 10) /* largest value of a per-CPU map */

/* ---- locks ---- */

struct skep_spin {
    uint32_t taken;
};

static inline void skep_spin_lock(struct skep_spin *s)
{
    for (unsigned tries = 0; __atomic_exchange_n(&s->taken, 1, __ATOMIC_ACQUIRE); tries++)
        while (__atomic_load_n(&s->taken, __ATOMIC_RELAXED)) {
            if (++tries < 64)
                __builtin_ia32_pause();
            else
                sched_yield(); /* whoever has it may not be running */
        }
}

static inline void skep_spin_unlock(struct skep_spin *s)
{
    __atomic_store_n(&s->taken, 0, __ATOMIC_RELEASE);
}

/* ---- values ---- */

/* Copies size bytes into a value (8-aligned). */
static inline void skep_value_put(void *value, const void *from, size_t size)
{
    uint64_t *to = value;
    const uint8_t *bytes = from;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        __atomic_store_n(to++, word, __ATOMIC_RELAXED);
    }
    for (uint8_t *tail = (uint8_t *)to; size; size--)
        __atomic_store_n(tail++, *bytes++, __ATOMIC_RELAXED);
}

/* Copies size bytes out of a value. */
static inline void skep_value_get(void *to, const void *value, size_t size)
{
    const uint64_t *from = value;
    uint8_t *bytes = to;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word = __atomic_load_n(from++, __ATOMIC_RELAXED);
        memcpy(bytes, &word, 8);
    }
    for (const uint8_t *tail = (const uint8_t *)from; size; size--)
        *bytes++ = __atomic_load_n(tail++, __ATOMIC_RELAXED);
}

static inline void skep_value_zero(void *value, size_t size)
{
    uint64_t *to = value;
    for (; size >= 8; size -= 8)
        __atomic_store_n(to++, 0, __ATOMIC_RELAXED);
    for (uint8_t *tail = (uint8_t *)to; size; size--)
        __atomic_store_n(tail++, 0, __ATOMIC_RELAXED);
}

/* ---- memory ---- */

/* Zeroed memory of n * size bytes that counts as m's. NULL: more than the vm may have, or there is none. */
void *skep_map_calloc(struct skep_vm_map *m, uint64_t n, uint64_t size);
void skep_map_release(struct skep_vm_map *m, void *p);
/* m->area of size bytes, counted. -ENOMEM. */
int skep_map_area_init(struct skep_vm_map *m, uint64_t size);
/* Counts bytes as m's. -ENOMEM: more than the vm may have. */
int skep_map_charge(struct skep_vm_map *m, uint64_t bytes);

/* ---- hashes ---- */

/* Up to 8 bytes, the rest zeros. */
static inline uint64_t skep_map_load_part(const uint8_t *bytes, uint32_t size)
{
    uint64_t word = 0;
    if (size >= 4) {
        /* the first and the last four, which may be the same in part */
        uint32_t low, high;
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + size - 4, 4);
        word = low | (uint64_t)high << (size * 8 - 32);
    } else {
        for (uint32_t i = 0; i < size; i++)
            word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

/* Random, or (zero) always the same. */
void skep_seed_init(uint64_t seed[2], bool zero);

static inline uint64_t skep_map_hash_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
/* Odd numbers without a pattern: the fractions of the roots of 2, 3 and 5. */
#define SKEP_HASH_A 0x6a09e667f3bcc909ULL
#define SKEP_HASH_B 0xbb67ae8584caa73bULL
#define SKEP_HASH_C 0x3c6ef372fe94f82bULL

static inline uint64_t skep_map_hash_word(const uint64_t seed[2], uint64_t word)
{
    return skep_map_hash_mix(skep_map_hash_mix(word ^ seed[0] ^ SKEP_HASH_A, seed[1] ^ SKEP_HASH_B),
                             SKEP_HASH_C);
}
uint64_t skep_map_hash_bytes(const uint64_t seed[2], const void *data, size_t size);

/* ---- flags ---- */

#define SKEP_MAP_ACCESS_FLAGS (BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)

/* Whether all flags are among allowed and none contradict each other. */
static inline bool skep_map_flags_ok(uint32_t flags, uint32_t allowed)
{
    const uint32_t prog = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
    return !(flags & ~allowed) && (flags & prog) != prog;
}

/* Flags of an update of an element that is there or is not. BPF_F_LOCK wants the type of the value to be known, which
 * it is not. */
static inline int skep_map_update_flags(uint64_t flags, bool there)
{
    if (flags > BPF_EXIST)
        return -EINVAL;
    if (there && flags == BPF_NOEXIST)
        return -EEXIST;
    return !there && flags == BPF_EXIST ? -ENOENT : 0;
}

/* Keys that count from 0, as those of arrays. */
static inline uint32_t skep_map_index(const void *key)
{
    uint32_t index;
    memcpy(&index, key, sizeof(index));
    return index;
}
int skep_map_next_index(struct skep_vm_map *m, const void *key, void *ret_next);
#endif
