/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/glob.h"

#include "rule/match/text.h"

static uint8_t folded(uint8_t c, bool fold)
{
    return fold ? skep_byte_lower(c) : c;
}

static bool in_class(const char *name, size_t n, uint8_t c)
{
    static const struct {
        const char *name;
        const char *ranges; /* pairs */
    } classes[] = {
        {"alnum", "09AZaz"},   {"alpha", "AZaz"},   {"blank", "  \t\t"}, {"cntrl", "\001\037\177\177"},
        {"digit", "09"},       {"graph", "!~"},     {"lower", "az"},     {"print", " ~"},
        {"punct", "!/:@[`{~"}, {"space", "\t\r  "}, {"upper", "AZ"},     {"xdigit", "09AFaf"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (strlen(classes[i].name) != n || memcmp(classes[i].name, name, n) != 0)
            continue;
        for (const char *r = classes[i].ranges; *r; r += 2)
            if (c >= (uint8_t)r[0] && c <= (uint8_t)r[1])
                return true;
    }
    return false;
}

/* One end of a range in a bracket at *p; false: there is none. */
static bool bracket_char(const char **p, const char *end, uint8_t *ret)
{
    const char *s = *p;
    if (s < end && *s == '\\')
        s++;
    if (s >= end)
        return false;
    *ret = (uint8_t)*s;
    *p = s + 1;
    return true;
}

/* A [...] at p (behind the bracket); its end, NULL: it is never closed. */
static const char *bracket(const char *p, const char *end, uint8_t c, bool fold, bool *ret_fits)
{
    bool not = p < end && (*p == '!' || *p == '^'), fits = false;
    p += not ;
    for (bool first = true; p < end && (first || *p != ']'); first = false) {
        if (*p == '[' && p + 1 < end && p[1] == ':') {
            const char *close = memmem(p + 2, (size_t)(end - p - 2), ":]", 2);
            if (close) {
                size_t n = (size_t)(close - p - 2);
                fits |= in_class(p + 2, n, c) || (fold && (in_class(p + 2, n, skep_byte_lower(c)) ||
                                                           in_class(p + 2, n, skep_byte_upper(c))));
                p = close + 2;
                continue;
            }
        }
        uint8_t lo, hi;
        if (!bracket_char(&p, end, &lo))
            return NULL;
        hi = lo;
        if (p + 1 < end && *p == '-' && p[1] != ']') {
            p++;
            if (!bracket_char(&p, end, &hi))
                return NULL;
        }
        fits |= c >= lo && c <= hi;
        if (fold)
            fits |= (skep_byte_lower(c) >= lo && skep_byte_lower(c) <= hi) ||
                    (skep_byte_upper(c) >= lo && skep_byte_upper(c) <= hi);
    }
    if (p >= end)
        return NULL;
    *ret_fits = fits != not ;
    return p + 1;
}

/* One element of the pattern (no star) against a byte: behind it, NULL: does not fit. */
static const char *step(const char *p, const char *end, uint8_t c, bool fold)
{
    if (*p == '?')
        return p + 1;
    if (*p == '[') {
        bool fits;
        const char *behind = bracket(p + 1, end, c, fold, &fits);
        if (behind)
            return fits ? behind : NULL;
    }
    if (*p == '\\' && p + 1 < end)
        p++;
    return folded((uint8_t)*p, fold) == folded(c, fold) ? p + 1 : NULL;
}

bool skep_rule_glob_match(const char *pattern, size_t n_pattern, const char *s, size_t n, bool fold)
{
    const char *p = pattern, *p_end = pattern + n_pattern, *end = s + n;
    const char *star = NULL, *from = s;
    while (s < end) {
        if (p < p_end && *p == '*') {
            star = ++p;
            from = s;
            if (p == p_end)
                return true;
            continue;
        }
        const char *behind = p < p_end ? step(p, p_end, (uint8_t)*s, fold) : NULL;
        if (behind) {
            p = behind;
            s++;
        } else if (star) {
            p = star;
            s = ++from;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}

const char *skep_rule_glob_element(const char *p, const char *end)
{
    bool fits;
    if (*p == '[')
        return bracket(p + 1, end, 0, false, &fits);
    return *p == '*' || *p == '?' ? p + 1 : NULL;
}

bool skep_rule_glob_is_pattern(const char *pattern, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strchr("*?[\\", pattern[i]) && pattern[i])
            return true;
    return false;
}

/* Reads literal characters up to the first that is none; where that is. */
static size_t literal(const char *p, size_t n, char *out, size_t *ret_n)
{
    size_t i = 0, len = 0;
    for (; i < n && p[i] != '*' && p[i] != '?' && p[i] != '['; i++) {
        if (p[i] == '\\' && i + 1 < n)
            i++;
        out[len++] = p[i];
    }
    *ret_n = len;
    return i;
}

int skep_rule_glob_look(const char *pattern, size_t n, struct skep_glob *ret)
{
    if (n > SKEP_GLOB_MAX)
        return -E2BIG;
    ret->shape = SKEP_GLOB_OTHER;
    ret->n_end = 0;
    size_t at = literal(pattern, n, ret->begin, &ret->n_begin);
    if (at == n) {
        ret->shape = SKEP_GLOB_LITERAL;
        return 0;
    }
    size_t last = n; /* behind the last star, when literals only follow */
    for (size_t i = at; i < n; i++) {
        if (pattern[i] == '\\') {
            i++;
            continue;
        }
        if (pattern[i] == '*')
            last = i + 1;
        else if (pattern[i] == '?' || pattern[i] == '[')
            last = n + 1;
    }
    if (last > n)
        return 0;
    literal(pattern + last, n - last, ret->end, &ret->n_end);
    bool one = true; /* only stars between begin and end */
    for (size_t i = at; i < last; i++)
        one &= pattern[i] == '*';
    if (one && ret->n_end == 0)
        ret->shape = ret->n_begin ? SKEP_GLOB_PREFIX : SKEP_GLOB_ALL;
    else if (one && ret->n_begin == 0)
        ret->shape = SKEP_GLOB_SUFFIX;
    if (one || ret->n_begin || ret->n_end || pattern[at] != '*')
        return 0;
    size_t from = at;
    while (from < n && pattern[from] == '*')
        from++;
    size_t len, behind = from + literal(pattern + from, n - from, ret->begin, &len);
    while (behind < n && pattern[behind] == '*')
        behind++;
    if (behind == n && len) {
        ret->shape = SKEP_GLOB_CONTAINS;
        ret->n_begin = len;
    }
    return 0;
}
