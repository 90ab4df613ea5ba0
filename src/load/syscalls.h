/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_SYSCALLS_H
#define SKEP_LOAD_SYSCALLS_H
/*
 * abi/syscalls.def with the numbers of this architecture, for native and for 32-bit calls.
 */
#include "abi/event.h"
#include "base/macro.h"

struct skep_syscall {
    const char *name;
    uint16_t index; /* into the tables of struct skep_config: 32-bit calls stand behind SKEP_COMPAT_BASE */
    uint8_t kind;
    uint8_t handler;
    uint8_t form;
};

/* Ended by a row with a NULL name. */
const struct skep_syscall *skep_syscalls_native(void);
const struct skep_syscall *skep_syscalls_compat(void);

/* The rows of both, native ones first. A call that makes one of several kinds has a row for each. */
extern const size_t skep_syscalls_native_n, skep_syscalls_compat_n;
static inline size_t skep_syscalls_n(void)
{
    return skep_syscalls_native_n + skep_syscalls_compat_n;
}
static inline const struct skep_syscall *skep_syscalls_at(size_t row)
{
    return row < skep_syscalls_native_n ? &skep_syscalls_native()[row]
                                        : &skep_syscalls_compat()[row - skep_syscalls_native_n];
}
#endif
