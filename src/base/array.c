/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#define FIRST_BYTES 256 /* small arrays are not moved often */

void *skep_array_bigger(void *list, size_t size, size_t n, size_t more, size_t *room)
{
    size_t wanted, twice = *room <= SIZE_MAX / 2 ? *room * 2 : SIZE_MAX;
    if (__builtin_add_overflow(n, more, &wanted))
        return NULL;
    wanted = MAX(MAX(wanted, twice), MAX(FIRST_BYTES / size, (size_t)1));
    void *bigger = reallocarray(list, wanted, size);
    if (bigger)
        *room = wanted;
    return bigger;
}
