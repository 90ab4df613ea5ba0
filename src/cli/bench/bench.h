/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_BENCH_BENCH_H
#define SKEP_CLI_BENCH_BENCH_H
/*
 * `skep vm bench`: the same programs (kernels.h) as C of this machine, in each mode of the engine, and in the kernel
 * where it lets us. Variants take turns round by round and the least time of each counts, so that a machine whose speed
 * drifts is not mistaken for a cost. All must give the same result.
 */
#include "base/json.h"
#include "base/strbuf.h"

enum skep_bench_variant {
    SKEP_BENCH_NATIVE,
    SKEP_BENCH_INTERPRET,
    SKEP_BENCH_JIT,
    SKEP_BENCH_TRUSTED,
    SKEP_BENCH_KERNEL,
    SKEP_BENCH_VARIANTS,
};

struct skep_bench_row {
    const char *name;
    double ns[SKEP_BENCH_VARIANTS]; /* for one run; 0: not measured */
    size_t insns;
    size_t code;       /* bytes of machine code, trusted */
    double compile_us; /* trusted */
};

#define SKEP_BENCH_ROWS_MAX 32

struct skep_bench_result {
    struct skep_bench_row rows[SKEP_BENCH_ROWS_MAX];
    size_t n;
    double empty_ns
        [SKEP_BENCH_VARIANTS]; /* calling a program that does nothing; ns of native: a call through a pointer */
    char kernel_missing[160]; /* why there are no numbers of the kernel, "" when there are */
};

/* Measures for about seconds_each for each program and variant and round. -errno with a line in reterr when it cannot, or
 * when results differ. */
int skep_bench_run(unsigned rounds, double seconds_each, struct skep_bench_result *ret,
                   struct skep_strbuf *reterr);
void skep_bench_put_text(const struct skep_bench_result *b, struct skep_strbuf *sb);
void skep_bench_put_json(const struct skep_bench_result *b, struct skep_json *j);
#endif
