/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_BENCH_SIZES_H
#define SKEP_CLI_BENCH_SIZES_H
/* What the programs of `skep vm bench` (kernels.h) and those who run them agree on. */
#define KERNEL_BYTES 1024 /* of the packet that they read; the answer goes behind them */
#define KERNEL_LOOKUPS 64 /* in a map, for each run */
#define KERNEL_RECORDS 16 /* into the ring buffer, for each run */
#define KERNEL_CHAIN 8    /* programs in a ring that tail-call the next, 33 times */
#define KERNEL_TAIL_CALLS 33
#define KERNEL_ELEMENTS 1024 /* of the maps */
#endif
