/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_KERNEL_INTERNAL_H
#define SKEP_LOAD_KERNEL_INTERNAL_H
/*
 * What kernel.c (attaching), object.c (loading), plan.c (which programs) and stream.c (reading) share.
 */
#include "load/filter.h"
#include "load/kernel.h"
#include "load/ring.h"
#include "load/syscalls.h"

#include <bpf/libbpf.h>

enum skep_attach {
    SKEP_ATTACH_AUTO,
    SKEP_ATTACH_CGROUP,
    SKEP_ATTACH_ITER,
    SKEP_ATTACH_HANDLER,
    SKEP_ATTACH_FILTER,
    SKEP_ATTACH_ONCE,
};

/* A program and what the plan thinks of it; lives longer than the object, which may have to be opened again. */
struct skep_plan_row {
    struct skep_program info;
    enum skep_attach attach;
    uint8_t handler; /* slot, for ATTACH_HANDLER */
    bool wanted;
    bool resident; /* in the kernel, wanted or not */
    struct bpf_program
        *prog; /* of the object that it was loaded from, or of the one that is being loaded; or NULL */
    struct bpf_link *link;
};

#define SKEP_PLAN_MAX 160

struct skep_plan {
    struct skep_plan_row rows[SKEP_PLAN_MAX];
    size_t n;
};

/* Fills the plan from the tables: every program, none wanted. */
void skep_plan_init(struct skep_plan *p);
/* Which of them are wanted; skep_plan_choose() makes something of it. */
void skep_plan_want(struct skep_plan *p, const struct skep_selection *s);
/* For each sensor, the best implementation that has not failed; the others become spare. */
void skep_plan_choose(struct skep_plan *p);
struct skep_plan_row *skep_plan_find(struct skep_plan *p, const char *program);
void skep_plan_fail(struct skep_plan_row *row, const char *fmt, ...) SKEP_PRINTF(2, 3);
/* The kernel refuses BPF trampolines as such: so do all programs that need one fail. */
bool skep_plan_needs_trampoline(const struct skep_plan_row *row);

/* One input of the merge: a ring, or a snapshot in memory. */
struct skep_input {
    struct skep_ring ring; /* fd -1: none */
    char *memory;          /* a snapshot, owned */
    size_t memory_len, memory_pos;
    const struct skep_hdr *head; /* next record, or NULL */
    size_t head_size;
};

struct skep_kernel {
    struct skep_bpf *bpf;    /* the object, for its maps */
    struct skep_bpf **parts; /* the same again, each with some of the programs; they share its maps */
    size_t n_parts;
    struct skep_loading *loading; /* parts on their way, or NULL */
    struct skep_plan plan;
    struct skep_program *programs; /* copies of the plan's rows, for the public view */
    struct skep_kernel_options options;
    struct skep_selection selection; /* in force */
    struct skep_filters *filters;    /* installed, or NULL */
    struct skep_swap *swap;          /* under way, or NULL */
    int n_cpus;
    char *btf; /* names in the kernel's, while loading */
    size_t btf_len;
    int types_fd; /* its types, cut to size; load/types.h; -1: none */
    int epoll_fd;
    int cgroup_fd;
    size_t life_bytes, data_bytes; /* of one ring each */
    struct skep_input *inputs;     /* life, data by CPU, snapshot */
    size_t n_inputs;
    bool pending;   /* the head of heap[0] was handed out and is not taken yet */
    uint32_t *heap; /* of inputs that have a head, the oldest first */
    size_t heap_n;
};

struct bpf_object *skep_kernel_object(const struct skep_kernel *k);
/* Brings programs and tables to what s wants: loads what is missing, attaches it, and takes off the rest. */
int skep_kernel_enable(struct skep_kernel *k, const struct skep_selection *s, char *ret_reason,
                       size_t reason_size);
/* Puts the programs of f into their slots, and empties all others; NULL: none. */
int skep_kernel_install(struct skep_kernel *k, const struct skep_filters *f);
/* How many operations of io_uring that are under way are remembered. What comes to be asked for later has to do with
 * fewer: the table stays as it was made. */
uint32_t skep_kernel_held_places(const struct skep_kernel *k);
/* The verifier's last complaint: the line before its closing statistics. */
void skep_kernel_complaint(const char *log, char *ret, size_t size);
struct skep_swap *skep_swap_free(struct skep_swap *s);

/* Inputs by number: the life ring, data rings by CPU, and the snapshot last. */
enum { SKEP_INPUT_LIFE, SKEP_INPUT_DATA };
int skep_stream_open(struct skep_kernel *k);
void skep_stream_close(struct skep_kernel *k);
#endif
