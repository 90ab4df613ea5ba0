/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flavour.h"

#include <string.h>

size_t skep_flavour_plain_len(const char *name)
{
    size_t n = strlen(name);
    if (!strstr(name, "___")) /* nearly all */
        return n;
    for (size_t i = n < 5 ? 0 : n - 4; i-- > 0;)
        if (name[i] != '_' && memcmp(name + i + 1, "___", 3) == 0 && name[i + 4] != '_')
            return i + 1;
    return n;
}
