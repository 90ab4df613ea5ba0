/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/text.h"

bool skep_text_begins(const char *s, size_t n, const char *with, size_t len)
{
    return n >= len && memcmp(s, with, len) == 0;
}

bool skep_text_ends(const char *s, size_t n, const char *with, size_t len)
{
    return n >= len && memcmp(s + n - len, with, len) == 0;
}

/* Looks for the first letter in both cases, whichever comes first. */
static const char *find_first(const char *s, size_t n, uint8_t lower)
{
    uint8_t upper = skep_byte_upper(lower);
    const char *a = memchr(s, lower, n);
    if (upper == lower)
        return a;
    const char *b = memchr(s, upper, a ? (size_t)(a - s) : n);
    return b ? b : a;
}

static bool equals_folded(const char *s, const char *lower, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (skep_byte_lower((uint8_t)s[i]) != (uint8_t)lower[i])
            return false;
    return true;
}

bool skep_text_contains(const char *s, size_t n, const char *needle, size_t len, bool fold)
{
    if (len == 0)
        return true;
    if (len > n)
        return false;
    if (!fold)
        return memmem(s, n, needle, len) != NULL;
    for (const char *end = s + n - len + 1; s < end; s++) {
        s = find_first(s, (size_t)(end - s), (uint8_t)needle[0]);
        if (!s)
            return false;
        if (equals_folded(s, needle, len))
            return true;
    }
    return false;
}
