/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_SWAP_H
#define SKEP_LOAD_SWAP_H
/*
 * From one policy to the next while the machine runs. A policy has three parts: a selection (what is observed), filters
 * in the kernel (what of it may be dropped there), and exact programs, which are the caller's business and judge what
 * arrives. They cannot be exchanged at one instant: handlers run on all processors, records lie in rings. What can be
 * had instead is a boundary in time. There is a moment T such that
 *
 *     every record with a time before T is judged by the old exact programs, and neither the new filters nor the new
 *     selection has kept it away; every record from T on is judged by the new ones, and neither the old filters nor the
 *     old selection has kept it away.
 *
 * So each event belongs to one policy alone, and none falls between them. In steps:
 *
 *   1  The selection becomes the union of old and new; all filters go. Everything that either wants passes.
 *   2  A grace period: all programs that were running in the kernel have come to an end.
 *   3  T = now. The caller is told.
 *   4  Another grace period.
 *   5  The new filters and the new selection come.
 *
 * Why this is right. That the dispatcher looks at the selection, that the handler looks for the filter, that the filter
 * judges and that the record takes its time (last, when it has passed): all this is one critical section of RCU, and
 * where in it the time is taken does not matter below. A grace period has the property that a critical section either
 * ends before it does, or sees all that was written before it began.
 *
 *   A record of time t >= T: its critical section did not end before the grace period of step 2 did (that was before
 *   T). So it sees what step 1 wrote: it is selected if the new policy wants it, and finds no old filter.
 *   A record of time t < T: its critical section began before the grace period of step 4, and ends before step 5. So it
 *   sees nothing of step 5: neither a new filter nor that its call is not wanted any more.
 *
 * (Step 2 is not needed for what programs read in the order of the clock; it is there because a processor may read
 * memory ahead of the clock, and because the order of two processors' stores and clocks is nothing to build a guarantee on.)
 *
 * Calls that began before the union and were not wanted then have no record, and no time: they belong to the old policy,
 * which did not want them. A sensor that must be loaded or attached is so in step 1. Where its kernel has no such
 * sensor, the new policy does without, as it would have at the start.
 *
 * Cost: for the two grace periods, some tens of milliseconds, everything in the union comes through. The grace periods are
 * waited for aside (base/job.h); the caller goes on reading the rings:
 *
 *     skep_swap_begin(k, &selection, TAKE_PTR(filters), reason, sizeof(reason));       step 1
 *     in the loop: switch (skep_swap_step(k, &time)) {
 *         case SKEP_SWAP_BOUNDARY: from time on, judge by the new programs; keep the old ones for earlier records
 *         case SKEP_SWAP_DONE:     nothing older than time can still be put into a ring
 *     }
 *
 * The grace period is a side effect of replacing an element of a map of maps, which promises that no program still works
 * with the old one when the call returns: kernel/bpf/syscall.c, maybe_wait_bpf_programs(), since "bpf: wait for running
 * BPF programs when updating map-in-map" (1ae80cf31938, 5.0). membarrier(2) would do as well where there are several
 * processors and none is isolated.
 */
#include "load/filter.h"

enum skep_swap_state {
    SKEP_SWAP_WAIT,     /* nothing happened */
    SKEP_SWAP_BOUNDARY, /* T has passed; told once */
    SKEP_SWAP_DONE,     /* told once; another swap may begin */
};

/* filters: taken, also on failure; NULL: none. -EBUSY: a swap is under way. Other errors: a program of the life cycle
 * was refused, or memory; the old policy stays in force, except that the filters may be gone. */
int skep_swap_begin(struct skep_kernel *k, const struct skep_selection *selection,
                    struct skep_filters *filters, char *ret_reason, size_t reason_size);
/* enum skep_swap_state; -errno: step 5 failed, everything in the union goes on passing, the swap is over. ret_time: with
 * BOUNDARY and DONE. */
int skep_swap_step(struct skep_kernel *k, uint64_t *ret_time);
/* All of it, waiting; at_boundary may be NULL. */
int skep_kernel_swap(struct skep_kernel *k, const struct skep_selection *selection,
                     struct skep_filters *filters, void (*at_boundary)(void *data, uint64_t time), void *data,
                     char *ret_reason, size_t reason_size);
/* Another selection at once, and nothing else: no boundary, the filters stay. */
int skep_kernel_select(struct skep_kernel *k, const struct skep_selection *selection, char *ret_reason,
                       size_t reason_size);
#endif
