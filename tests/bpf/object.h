/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TESTS_BPF_OBJECT_H
#define SKEP_TESTS_BPF_OBJECT_H
/* What the test objects need of BPF C, without any header of the system. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define WEAK __attribute__((weak))
#define KCONFIG __attribute__((section(".kconfig")))
#define KSYM __attribute__((section(".ksyms")))

/* Members of a definition in .maps: a number is the size of an array, a type that of a pointer. */
#define NUMBER(name, value) int(*name)[value]
#define TYPE(name, type) __typeof__(type) *name
#define VALUES(name, type) __typeof__(type) *name[]

enum {
    MAP_HASH = 1,
    MAP_ARRAY = 2,
    MAP_PROG_ARRAY = 3,
    MAP_ARRAY_OF_MAPS = 12,
    MAP_HASH_OF_MAPS = 13,
    MAP_RINGBUF = 27,
};

static void *(*const map_lookup)(const void *map, const void *key) = (void *)1;
static long (*const map_update)(const void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const tail_call)(void *ctx, const void *map, u32 index) = (void *)12;
static long (*const for_each_map_elem)(const void *map, void *fn, void *ctx, u64 flags) = (void *)164;
static long (*const loop)(u32 n, void *fn, void *ctx, u64 flags) = (void *)181;
#endif
