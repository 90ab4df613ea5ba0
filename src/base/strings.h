/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_STRINGS_H
#define SKEP_BASE_STRINGS_H
/* Several texts in an order, borrowed: what an option that may be given more than once was given. */
#include <stddef.h>

struct skep_strings {
    const char *const *s;
    size_t n;
};
#endif
