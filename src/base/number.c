/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <ctype.h>

int skep_number_parse(const char *s, uint64_t max, uint64_t *ret, const char **ret_end)
{
    uint64_t v = 0;
    if (!isdigit((unsigned char)*s))
        return -EINVAL;
    for (; isdigit((unsigned char)*s); s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (digit > max || v > (max - digit) / 10)
            return -ERANGE;
        v = v * 10 + digit;
    }
    *ret = v;
    *ret_end = s;
    return 0;
}

int skep_size_parse(const char *s, uint64_t *ret)
{
    static const char units[] = "KMGT";
    const char *end;
    uint64_t v;
    int r = skep_number_parse(s, UINT64_MAX, &v, &end);
    if (r < 0)
        return r;
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    unsigned shift = unit ? 10 * ((unsigned)(unit - units) + 1) : 0;
    if (unit)
        end = end[1] == 'i' && end[2] == 'B' ? end + 3 : end + 1;
    if (*end)
        return -EINVAL;
    if (v > UINT64_MAX >> shift)
        return -ERANGE;
    *ret = v << shift;
    return 0;
}
