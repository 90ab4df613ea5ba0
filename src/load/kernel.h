/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_KERNEL_H
#define SKEP_LOAD_KERNEL_H
/*
 * The running kernel as a source of records: the BPF object, loaded and attached as far as this kernel
 * accepts it, and its rings, merged by time.
 *
 * Loading is tolerant: a program that the kernel refuses costs its sensor only (or makes way for the next
 * implementation of it) and is reported with the reason; skep_kernel_programs() tells what became of each.
 *
 * Order of use:
 *
 *     skep_kernel_open(&options, &k)     load
 *     skep_kernel_attach(k)              from here on records arrive
 *     skep_kernel_snapshot(k)            what already runs joins the stream
 *     loop: wait for skep_kernel_fd(), then
 *         skep_kernel_refill(k); while (skep_kernel_next(k, limit, &h, &size) > 0) ...; skep_kernel_release(k);
 *     skep_kernel_detach(k), drain, skep_kernel_counters(k, ...)
 *     skep_kernel_free(k)
 *
 * Records carry the time at which their sensor began, those of system calls that at which the filter passed them; they
 * reach the ring a little later. Reading up to
 * SKEP_KERNEL_LAG before now keeps them in order across CPUs. One thread.
 */
#include "abi/event.h"
#include "base/macro.h"
#include "load/selection.h"

#define SKEP_KERNEL_LAG 2000000ULL /* ns */

struct skep_kernel_options {
    bool wanted[SKEP_KIND_MAX];
    const struct skep_selection *selection; /* in place of wanted, when calls are to be chosen, too; copied */
    uint32_t scope;                         /* enum skep_scope_flag */
    uint32_t uid;
    char comm[SKEP_COMM_LEN];
    uint32_t host_pid_ns; /* for SKEP_SCOPE_HOST_ONLY */
    uint32_t host_mnt_ns;
    size_t data_bytes;  /* for the data rings of all CPUs together; 0: the default, 8 MiB */
    size_t life_bytes;  /* 0: the default, 4 MiB */
    bool snapshot_only; /* load nothing but what skep_kernel_snapshot() needs */
};

enum skep_program_state {
    SKEP_PROGRAM_UNUSED, /* no wanted kind needs it */
    SKEP_PROGRAM_SPARE,  /* a better implementation of its sensor works */
    SKEP_PROGRAM_FAILED, /* refused; see reason */
    SKEP_PROGRAM_LOADED, /* loaded, not yet attached, or reached by tail call */
    SKEP_PROGRAM_ATTACHED,
};

struct skep_program {
    char name[64];
    char sensor[32];
    char section[64]; /* where it hooks in: tp_btf/sched_process_exec */
    const char *doc;
    const char *kinds; /* comma-separated, "*": all of the life cycle; NULL: a handler of system calls */
    uint8_t handler;   /* its slot, or 0 */
    bool optional;     /* makes other events better, and none of its own */
    unsigned rank;
    enum skep_program_state state;
    char reason[256];
    /* after loading */
    uint32_t id;
    uint32_t verified_insns;
    uint32_t xlated_bytes;
    uint32_t jited_bytes;
};

/* Whether the program makes events of this kind (by name). */
bool skep_program_makes(const struct skep_program *p, const char *kind);

struct skep_kernel;

/* -EPERM: not allowed to use bpf(2); -ENOENT: no BTF; -EOPNOTSUPP: an essential program was refused. In each
 * case ret_reason gets a line for the operator. */
int skep_kernel_open(const struct skep_kernel_options *o, struct skep_kernel **ret, char *ret_reason,
                     size_t reason_size);
struct skep_kernel *skep_kernel_free(struct skep_kernel *k);
SKEP_DEFINE_CLEANUP(struct skep_kernel, skep_kernel_free)
#define _cleanup_kernel_ SKEP_CLEANUP(skep_kernel_freep)

int skep_kernel_attach(struct skep_kernel *k, char *ret_reason, size_t reason_size);
void skep_kernel_detach(struct skep_kernel *k);

/* Reads a snapshot of all processes into the stream. ret_begin: when it began, for
 * skep_proc_table_snapshot_done(); ret_end: its records are older than this. */
int skep_kernel_snapshot(struct skep_kernel *k, uint64_t *ret_begin, uint64_t *ret_end);

int skep_kernel_fd(const struct skep_kernel *k); /* epoll; readable when a ring asks for attention */
void skep_kernel_refill(struct skep_kernel *k);
/* 1: the next record older than limit, in the order of time; 0: none. size: bytes that may be read there. */
int skep_kernel_next(struct skep_kernel *k, uint64_t limit, const struct skep_hdr **ret, size_t *ret_size);
void skep_kernel_release(struct skep_kernel *k);

/* Processes in scope with SKEP_SCOPE_TRACKED. */
int skep_kernel_track(struct skep_kernel *k, uint32_t pid);

/* Sums over all CPUs. */
int skep_kernel_counters(struct skep_kernel *k, struct skep_counters sum[SKEP_KIND_MAX]);
uint64_t skep_kernel_life_lost(const struct skep_kernel *k);
/* Times that the kernel skipped a program because it interrupted itself, over all programs. */
uint64_t skep_kernel_missed(struct skep_kernel *k);

const struct skep_program *skep_kernel_programs(const struct skep_kernel *k, size_t *ret_n);
#endif
