/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench/native.h"

#include <linux/bpf.h>

#include "cli/bench/sizes.h"

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

static inline void *lookup(struct skep_vm_map *m, const void *key)
{
    return (void *)(uintptr_t)m->ops->lookup(m, key, 0);
}

#define kernel_hash (*maps->hash)
#define kernel_values (*maps->values)
#define kernel_ring (*maps->ring)
#define KERNEL_ARGS const u8 *p, __attribute__((unused)) struct skep_bench_maps *maps
#define KERNEL_LOOKUP(map, key) lookup(map, key)
#define KERNEL_OUTPUT(map, data, size) skep_ring_output(map, data, size, BPF_RB_NO_WAKEUP)
#include "cli/bench/kernels.h"

#define KERNEL(name)                                                                                         \
    static uint64_t native_##name(const uint8_t *packet, struct skep_bench_maps *maps)                       \
    {                                                                                                        \
        return kernel_##name(packet, maps);                                                                  \
    }
#include "cli/bench/kernels.def"
#undef KERNEL

const struct skep_bench_kernel skep_bench_kernels[] = {
#define KERNEL(name) {#name, native_##name},
#include "cli/bench/kernels.def"
#undef KERNEL
    {NULL, NULL},
};

__attribute__((noinline)) uint64_t skep_bench_native_empty(
    __attribute__((unused)) const uint8_t *packet, __attribute__((unused)) struct skep_bench_maps *maps)
{
    return 2;
}

/* What a tail call costs a C program: its presence and the limit are asked for, then a call through the table. */
#define CHAIN(n)                                                                                             \
    static uint64_t chain_##n(const uint8_t *packet, struct skep_bench_maps *maps)                           \
    {                                                                                                        \
        const skep_bench_native_fn next = maps->chain[(n + 1) % KERNEL_CHAIN];                               \
        return next && maps->calls++ < KERNEL_TAIL_CALLS ? next(packet, maps) : 2;                           \
    }
CHAIN(0)
CHAIN(1)
CHAIN(2)
CHAIN(3)
CHAIN(4)
CHAIN(5)
CHAIN(6)
CHAIN(7)

const skep_bench_native_fn skep_bench_native_chain[KERNEL_CHAIN] = {chain_0, chain_1, chain_2, chain_3,
                                                                    chain_4, chain_5, chain_6, chain_7};

/* The linker would give symbols to it in a way of each machine; the assembler does it the same everywhere. */
__asm__(".section .rodata\n"
        ".balign 8\n"
        "skep_bench_object_start:\n"
        ".incbin \"" SKEP_BENCH_OBJECT "\"\n"
        "skep_bench_object_end:\n"
        ".previous\n");
extern const char skep_bench_object_start[], skep_bench_object_end[];

const void *skep_bench_object(size_t *ret_size)
{
    *ret_size = (size_t)(skep_bench_object_end - skep_bench_object_start);
    return skep_bench_object_start;
}
