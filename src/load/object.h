/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_OBJECT_H
#define SKEP_LOAD_OBJECT_H
/*
 * The BPF object on its way into the kernel, which is most of what a start takes: libbpf looks up the types of the
 * running kernel for each program, and the kernel verifies it. So the programs are loaded in parts, one a thread. libbpf
 * loads an object as a whole and in the caller's thread; hence each part is an object of its own, opened from the same
 * bytes, of which it loads some programs. All of them share the maps of the first, which has no programs at all and is
 * therefore there at once: who fills maps can do so while programs are loaded.
 *
 *     skep_object_open(k, ...)      the maps are there
 *     skep_object_begin(k)          threads load what skep_plan_want() asked for and is not there yet
 *     ...                           anything that leaves the plan alone
 *     skep_object_end(k, ...)       waits; loads in place of what was refused what the plan knows to do instead
 *
 * A program that is refused costs opening its part again. A kernel that refuses trampolines, and with them a dozen of
 * programs, is asked before.
 *
 * Between begin and end the rows of the plan belong to the threads, and libbpf's print function to
 * skep_object_listen(). What fails in one part does not take back the others: they stay until skep_object_close().
 */
#include "load/kernel_internal.h"

#define SKEP_BTF_PATH "/sys/kernel/btf/vmlinux"

/* To be called before the others, and the former print function set again behind them. */
libbpf_print_fn_t skep_object_listen(void);

/* Each gives a reason, or leaves it alone when the error says all. */
int skep_object_open(struct skep_kernel *k, char *ret_reason, size_t reason_size);
int skep_object_begin(struct skep_kernel *k);
int skep_object_end(struct skep_kernel *k, char *ret_reason, size_t reason_size);
/* Whatever is there; waits for threads. */
void skep_object_close(struct skep_kernel *k);
/* Chosen, and not in the kernel. */
bool skep_object_missing(const struct skep_plan_row *row);
#endif
