/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_BENCH_KERNEL_H
#define SKEP_CLI_BENCH_KERNEL_H
/*
 * The programs of the bench under the kernel's own verifier and JIT, run by BPF_PROG_TEST_RUN on a packet: nothing is
 * attached to anything.
 */
#include "base/strbuf.h"

struct skep_bench_kernel_side;

/* Loads the object and fills its maps (key and value as in bench.c). -errno with a line in reterr: this kernel does not
 * let us, and why. */
int skep_bench_kernel_open(const void *object, size_t size, uint32_t elements,
                           struct skep_bench_kernel_side **ret_k, struct skep_strbuf *reterr);
struct skep_bench_kernel_side *skep_bench_kernel_close(struct skep_bench_kernel_side *k);

/* Runs program repeat times over packet, which is changed as the last run left it. *ret_ns: of one run. */
int skep_bench_kernel_run(struct skep_bench_kernel_side *k, const char *program, uint8_t *packet, size_t len,
                          uint32_t repeat, double *ret_ns);
#endif
