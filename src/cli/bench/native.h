/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_BENCH_NATIVE_H
#define SKEP_CLI_BENCH_NATIVE_H
/*
 * The programs of `skep vm bench` as plain C, compiled like the rest of skep: what the engine is measured against. They
 * use the same maps as the engine, by the functions that its helpers end in.
 */
#include "base/macro.h"
#include "cli/bench/sizes.h"
#include "vm/map/map.h"

struct skep_bench_maps;
typedef uint64_t (*skep_bench_native_fn)(const uint8_t *packet, struct skep_bench_maps *maps);

struct skep_bench_maps {
    struct skep_vm_map *hash, *values, *ring;
    const skep_bench_native_fn *chain; /* as the prog array */
    unsigned calls;                    /* of this run through the chain */
};

struct skep_bench_kernel {
    const char *name;
    skep_bench_native_fn native;
};

/* The programs in the order of kernels.def, a row with a NULL name behind the last. */
extern const struct skep_bench_kernel skep_bench_kernels[];

/* As bench_empty, and as the first of the chain of tail calls: a call through a table for each member. */
uint64_t skep_bench_native_empty(const uint8_t *packet, struct skep_bench_maps *maps);
extern const skep_bench_native_fn skep_bench_native_chain[KERNEL_CHAIN];

/* The object that the same programs are in for BPF. */
const void *skep_bench_object(size_t *ret_size);
#endif
