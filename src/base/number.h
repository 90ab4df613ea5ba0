/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_NUMBER_H
#define SKEP_BASE_NUMBER_H
/*
 * Numbers and sizes as people write them on a command line or in a configuration. Stricter than strtoull():
 * digits only, no sign, no space, no other base; nothing wraps around.
 */
#include "base/macro.h"

/* The decimal number at s, at most max; *ret_end is what follows it. -EINVAL: there is none; -ERANGE. */
int skep_number_parse(const char *s, uint64_t max, uint64_t *ret, const char **ret_end);
/* 4096, 512K, 16M, 1G, 2T, 16MiB: bytes, powers of 1024, any case. -EINVAL, -ERANGE. */
int skep_size_parse(const char *s, uint64_t *ret);
#endif
