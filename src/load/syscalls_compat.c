/* SPDX-License-Identifier: Apache-2.0 */
#include "load/syscalls.h"

#include <asm/unistd_32.h>

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define SKEP_SYSCALL(name, kind, handler, form) SKEP_SYSCALL_COMPAT(name, kind, handler, form)
#define SKEP_SYSCALL_NATIVE(name, kind, handler, form)
#define SKEP_SYSCALL_COMPAT(name, kind, handler, form)                                                       \
    {#name, SKEP_COMPAT_BASE + __NR_##name, SKEP_KIND_##kind, SKEP_HANDLER_##handler, SKEP_FORM_##form},

static const struct skep_syscall compat[] = {
#include "abi/syscalls.def"
    {0}};

const size_t skep_syscalls_compat_n = ARRAY_SIZE(compat) - 1;

const struct skep_syscall *skep_syscalls_compat(void)
{
    return compat;
}
