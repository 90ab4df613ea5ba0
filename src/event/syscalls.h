/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_SYSCALLS_H
#define SKEP_EVENT_SYSCALLS_H
/*
 * Names of all system calls of the machine that skep was built for. The tables are made at build time from
 * the C library's headers (tools/syscall-names), which know the calls of their own age; those that came
 * later have the same numbers everywhere and are listed in the tool.
 */
#include <stdbool.h>

/* compat: the number of a 32-bit process. NULL: no such call is known. */
const char *skep_syscall_name(unsigned nr, bool compat);
#endif
