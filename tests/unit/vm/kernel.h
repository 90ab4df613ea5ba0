/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TESTS_VM_KERNEL_H
#define SKEP_TESTS_VM_KERNEL_H
/*
 * For tests that run random programs here and in the kernel: random numbers that are the same each time, the text of a
 * program that is put together, and bpf(2).
 */
#include "machine.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

static uint64_t seed = 88172645463325252ULL;

/* Below n. */
static inline uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

struct text {
    char s[16384];
    size_t len;
    unsigned calls; /* whose results are kept, for who counts them */
};

SKEP_PRINTF(2, 3)
static inline void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, ap);
    va_end(ap);
    assert_true(n >= 0 && (size_t)n < sizeof(t->s) - t->len);
    t->len += (size_t)n;
}

/* -errno */
static inline int bpf(int cmd, union bpf_attr *attr)
{
    long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
    return r < 0 ? -errno : (int)r;
}

/* fds: of the maps that instructions name by number; log: NULL: none is wanted. A descriptor, or -errno. */
static inline int kernel_load(const void *insns, size_t n, uint32_t type, const int *fds, char *log,
                              size_t log_size)
{
    union bpf_attr a = {0};
    a.prog_type = type;
    a.insns = (uintptr_t)insns;
    a.insn_cnt = (uint32_t)n;
    a.license = (uintptr_t) "GPL";
    a.fd_array = (uintptr_t)fds;
    a.log_buf = (uintptr_t)log;
    a.log_size = (uint32_t)log_size;
    a.log_level = log ? 1 : 0;
    return bpf(BPF_PROG_LOAD, &a);
}
#endif
