/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_HELPERS_CSUM_H
#define SKEP_VM_HELPERS_CSUM_H
/* Sums of the Internet protocols (RFC 1071), on numbers as they lie in memory. */
#include "base/macro.h"

/* Adds with the carry coming back in. */
uint32_t skep_csum_add(uint32_t a, uint32_t b);
/* The 16-bit sum of both halves, not inverted. */
uint16_t skep_csum_fold(uint32_t sum);
#endif
