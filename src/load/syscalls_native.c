/* SPDX-License-Identifier: Apache-2.0 */
#include "load/syscalls.h"

#include <asm/unistd_64.h>

/* Younger than the headers that a supported distribution builds with; numbers are the same on all
 * architectures. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define SKEP_SYSCALL(name, kind, handler, form) SKEP_SYSCALL_NATIVE(name, kind, handler, form)
#define SKEP_SYSCALL_NATIVE(name, kind, handler, form)                                                       \
    {#name, __NR_##name, SKEP_KIND_##kind, SKEP_HANDLER_##handler, SKEP_FORM_##form},
#define SKEP_SYSCALL_COMPAT(name, kind, handler, form)

static const struct skep_syscall native[] = {
#include "abi/syscalls.def"
    {0}};

const size_t skep_syscalls_native_n = ARRAY_SIZE(native) - 1;

const struct skep_syscall *skep_syscalls_native(void)
{
    return native;
}
