/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_FILTER_H
#define SKEP_LOAD_FILTER_H
/*
 * Filters: programs made at run time that judge the records of one kind of event in the kernel, before they go into
 * the ring. Who makes them (the rules) describes them and the maps that they look things up in; here they become
 * kernel objects.
 *
 *     _cleanup_filters_ struct skep_filters *f = NULL;
 *     skep_filters_new(k, maps, n_maps, &f, reason, sizeof(reason));
 *     skep_filters_load(f, SKEP_KIND_open, &program);          for each kind that has one
 *     skep_kernel_swap(k, &selection, TAKE_PTR(f), ...);       load/swap.h: now they are asked
 *
 * A program is made for a frame that finds the record and knows the ways out (rule/compile/frame.h): an LDDW with source
 * register 5 names a map by its place in skep_filter_program.maps; behind those come, in this order, skep_scratch,
 * skep_counters and skep_filters. It is loaded as what the handlers of system calls are, a tp_btf program for sys_exit,
 * since nothing else may be reached from them by tail call.
 *
 * The verifier may refuse a program: then its kind has no filter, every record of it passes, and
 * skep_filters_reason() says why. Rules are never less exact for that, only slower.
 *
 * Of system calls alone: kinds that other hooks make, and those of the life cycle, have no filter stage.
 */
#include "load/kernel.h"

/* Contents: n_entries keys and as many values, one behind the other. */
struct skep_filter_map {
    const char *name; /* at most 15 characters, [A-Za-z0-9_.] */
    uint32_t type;    /* BPF_MAP_TYPE_* */
    uint32_t key_size, value_size, max_entries, flags;
    const void *keys, *values;
    size_t n_entries;
};

struct skep_filter_program {
    const void *insns; /* 8 bytes each */
    size_t n_insns;
    const uint32_t *maps; /* numbers in the maps of the set */
    size_t n_maps;
    bool late_raw_path; /* of open: it looks at the path as it was given only behind skep_frame_ask_late() */
};

/*
 * What of a kind can be dropped before its record is even begun: by its outcome, for open by its flags, and for uring and
 * uring_done by the operation. Outcomes are bits of enum skep_ret_class; 0: all are wanted. Holds with or without a
 * program.
 */
struct skep_filter_early {
    uint8_t unwanted_ret;
    struct skep_flag_tests flags;
    uint64_t unwanted_ops[SKEP_URING_OPS / 64];
};

struct skep_filters;

/* Makes the maps and fills them. Errors (of the kernel) come with a reason. k must live as long. */
int skep_filters_new(struct skep_kernel *k, const struct skep_filter_map *maps, size_t n_maps,
                     struct skep_filters **ret, char *ret_reason, size_t reason_size);
struct skep_filters *skep_filters_free(struct skep_filters *f);
SKEP_DEFINE_CLEANUP(struct skep_filters, skep_filters_free)
#define _cleanup_filters_ SKEP_CLEANUP(skep_filters_freep)

/* -EOPNOTSUPP: this kind has no filter stage here (the sensors lack it, or it is not made by system calls); other
 * errors are the kernel's. The reason is kept. */
int skep_filters_load(struct skep_filters *f, uint16_t kind, const struct skep_filter_program *p);

/* -EOPNOTSUPP: as above, or flags of another kind than open, operations of one that has none. */
int skep_filters_early(struct skep_filters *f, uint16_t kind, const struct skep_filter_early *e);

bool skep_filters_has(const struct skep_filters *f, uint16_t kind);
/* Why a kind has no filter, or NULL: nobody tried, or it has one. */
const char *skep_filters_reason(const struct skep_filters *f, uint16_t kind);
/* What the verifier went through; 0: no filter. */
uint32_t skep_filters_verified(const struct skep_filters *f, uint16_t kind);

/*
 * For tests: a program in the TEST frame, which judges record after record without any sensor: as a raw tracepoint
 * program under BPF_PROG_TEST_RUN. record has size bytes, at most SKEP_RECORD_MAX + SKEP_PATH_MAX; what is behind
 * them reads as zero. 1: passes; 0: dropped.
 */
struct skep_filter_test;
int skep_filter_test_new(const struct skep_filter_map *maps, size_t n_maps,
                         const struct skep_filter_program *p, struct skep_filter_test **ret, char *ret_reason,
                         size_t reason_size);
struct skep_filter_test *skep_filter_test_free(struct skep_filter_test *t);
SKEP_DEFINE_CLEANUP(struct skep_filter_test, skep_filter_test_free)
#define _cleanup_filter_test_ SKEP_CLEANUP(skep_filter_test_freep)
int skep_filter_test_run(struct skep_filter_test *t, const void *record, size_t size);
#endif
