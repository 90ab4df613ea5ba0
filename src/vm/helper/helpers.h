/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_HELPER_HELPERS_H
#define SKEP_VM_HELPER_HELPERS_H
/*
 * The library's own helpers (helpers.def), and what their families share.
 *
 * All arguments come from a program: pointers go through skep_exec_memory(), maps through skep_exec_map(), sizes are
 * bounded before they are used. What the kernel answers with an error code is answered with that code; what the
 * kernel's verifier would have refused (a pointer to nowhere, a number that is no map) ends the run with a fault.
 */
#include "base/macro.h"
#include "vm/exec.h"

/* The parameters of every helper; e is the exec behind them. */
#define SKEP_HELPER_ARGS                                                                                     \
    __attribute__((unused)) uint64_t r1, __attribute__((unused)) uint64_t r2,                                \
        __attribute__((unused)) uint64_t r3, __attribute__((unused)) uint64_t r4,                            \
        __attribute__((unused)) uint64_t r5, __attribute__((unused)) struct skep_vm_thread *t

#define SKEP_HELPER(number, name, family) uint64_t skep_helper_##name(SKEP_HELPER_ARGS);
#include "vm/helper/helpers.def"
#undef SKEP_HELPER

/* r0: a negative errno, or what else a helper returns as a signed number. */
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

/* Records of ring buffers (ring.c). The ring behind a handle, or NULL after a fault. */
struct skep_vm_map *skep_helper_ring(struct skep_exec *e, uint64_t handle);
/* Reserves a record and notes that the run holds it; NULL: there is no room. */
struct skep_ref *skep_helper_reserve(struct skep_exec *e, struct skep_vm_map *m, uint64_t size);
void skep_helper_commit(struct skep_exec *e, struct skep_ref *ref, uint64_t flags, bool discard);

/* The string at address, up to size - 1 bytes, with a NUL behind it: its length with the NUL, or -EFAULT when a byte
 * before its end may not be read. */
int64_t skep_probe_str(struct skep_exec *e, char *dst, uint64_t size, uint64_t address);

/* bpf_snprintf's formats: length without the NUL, which may be more than room; -EINVAL for a format that is none. */
int64_t skep_format(struct skep_exec *e, char *out, size_t room, const char *format, size_t format_size,
                    const uint64_t *args, size_t n_args);
#endif
