/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_HELPERS_H
#define SKEP_VM_HELPERS_H
/*
 * The helpers that the library brings: helpers.def has a row for each, helpers_<family>.c the functions.
 *
 * A helper takes five numbers and returns one, as the kernel's of the same number does: what it returns for which
 * arguments, negative errnos included, is what uapi/linux/bpf.h and the kernel say. What the kernel's verifier would not
 * let through (a pointer to nothing, a handle that is no map) ends the run with a fault instead.
 *
 *     SKEP_HELPER(skep_helper_map_delete_elem)
 *     {
 *         struct skep_exec *e = skep_exec_of(t);
 *         struct skep_vm_map *m = skep_exec_map(e, r1);
 *         ...
 *     }
 */
#include <linux/bpf.h>

#include "base/macro.h"
#include "vm/exec.h"
#include "vm/map.h"
#include "vm/vm.h"

#define SKEP_HELPER(name)                                                                                    \
    uint64_t name(__attribute__((unused)) uint64_t r1, __attribute__((unused)) uint64_t r2,                  \
                  __attribute__((unused)) uint64_t r3, __attribute__((unused)) uint64_t r4,                  \
                  __attribute__((unused)) uint64_t r5, __attribute__((unused)) struct skep_vm_thread *t)

#define HELPER(number, name, function, family) SKEP_HELPER(function);
#include "vm/helpers.def"
#undef HELPER

/* A result: an errno, or what else a helper returns as a signed number. */
static inline uint64_t skep_helper_result(int64_t r)
{
    return (uint64_t)r;
}

/* Ends the run: what the kernel's verifier would have refused. Returns 0. */
static inline uint64_t skep_helper_refuse(struct skep_exec *e, const char *text)
{
    skep_exec_fault(e, SKEP_VM_FAULT_HELPER, UINT32_MAX, 0, text);
    return 0;
}

/* Whether the running program has no checks. */
bool skep_helper_trusted(const struct skep_exec *e);

/* The ring buffer behind a handle, or NULL after a fault. */
struct skep_vm_map *skep_helper_ring(struct skep_exec *e, uint64_t handle);
/* Reserves a record and remembers it in e->refs. NULL: no room. */
struct skep_ref *skep_helper_reserve(struct skep_exec *e, struct skep_vm_map *m, uint64_t size);
void skep_helper_commit(struct skep_exec *e, struct skep_ref *ref, uint64_t flags, bool discard);

/* Formats as bpf_snprintf does. args: n 64-bit arguments. Returns the length of the whole text with its NUL, or -errno
 * (-EINVAL: a conversion that there is not, or more of them than arguments). What %s and its like point to is read as by
 * probe_read. */
int64_t skep_helper_format(struct skep_exec *e, char *to, size_t size, const char *format, size_t format_size,
                           const uint64_t *args, size_t n);
/* Copies size bytes from anywhere that the run may read; false: it may not. */
bool skep_helper_probe(struct skep_exec *e, void *to, uint64_t address, size_t size);
/* Copies a string with its NUL, at most size bytes. Returns its length with the NUL, or -EFAULT. */
int64_t skep_helper_probe_string(struct skep_exec *e, char *to, uint64_t address, size_t size);
#endif
