/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/regex_begin.h"

static bool is_plain(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c < 0x7f && !strchr("\\.[](){}*+?|^$", c);
}

/* Whether there may be fewer than one of what stands before. */
static bool is_optional(const char *s, size_t n, size_t at)
{
    return at < n && (s[at] == '*' || s[at] == '?' || s[at] == '{');
}

/* Whether no alternative stands outside of all groups; also false when that is hard to tell. */
static bool is_one(const char *s, size_t n)
{
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\\') {
            i++;
        } else if (s[i] == '(') {
            depth++;
        } else if (s[i] == ')') {
            if (depth-- == 0)
                return false;
        } else if (s[i] == '|' && depth == 0) {
            return false;
        } else if (s[i] == '[') {
            i += i + 1 < n && s[i + 1] == '^';
            i += i + 1 < n && s[i + 1] == ']';
            for (i++; i < n && s[i] != ']'; i++)
                if (s[i] == '[' || s[i] == '\\')
                    return false;
            if (i >= n)
                return false;
        }
    }
    return depth == 0;
}

/* The alternatives of the group at s[at], each behind what ret[0] has; 0: they are not plain. */
static size_t expand(const char *s, size_t n, size_t at, struct skep_regex_begin *ret)
{
    struct skep_regex_begin before = ret[0], one = before;
    size_t count = 0;
    at++;
    if (at + 1 < n && s[at] == '?' && s[at + 1] == ':')
        at += 2;
    for (; at < n; at++) {
        if (s[at] == '|' || s[at] == ')') {
            if (count == SKEP_REGEX_BEGINS_MAX || one.n == 0)
                return 0;
            ret[count++] = one;
            one = before;
            if (s[at] == ')')
                return is_optional(s, n, at + 1) ? 0 : count;
        } else if (!is_plain(s[at]) || is_optional(s, n, at + 1) || one.n >= sizeof(one.s)) {
            return 0;
        } else {
            one.s[one.n++] = s[at];
        }
    }
    return 0;
}

size_t skep_regex_begins(const char *pattern, size_t n, struct skep_regex_begin ret[SKEP_REGEX_BEGINS_MAX])
{
    struct skep_regex_begin first = {.n = 0};
    size_t at = n && pattern[0] == '^';
    if (!is_one(pattern, n))
        return 0;
    for (; at < n && is_plain(pattern[at]) && !is_optional(pattern, n, at + 1) && first.n < sizeof(first.s);
         at++)
        first.s[first.n++] = pattern[at];
    ret[0] = first;
    size_t count = at < n && pattern[at] == '(' ? expand(pattern, n, at, ret) : 0;
    if (count)
        return count;
    ret[0] = first;
    return first.n != 0;
}
