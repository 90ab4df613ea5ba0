/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_FLAVOUR_H
#define SKEP_BASE_FLAVOUR_H
/* Flavours tell versions of a type apart in one program: what follows the last ___ between two characters of a name that
 * are no _, as libbpf has it, is no part of the type's name in the kernel. */
#include <stddef.h>

/* Length of a name without its flavour. */
size_t skep_flavour_plain_len(const char *name);
#endif
