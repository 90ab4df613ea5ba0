/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/condition/lex.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\b';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void skep_lex_blank(struct skep_lex *l)
{
    while (l->at < l->n && is_blank(l->s[l->at]))
        l->at++;
}

bool skep_lex_char(struct skep_lex *l, char c)
{
    if (l->at == l->n || l->s[l->at] != c)
        return false;
    l->at++;
    return true;
}

size_t skep_lex_name(const struct skep_lex *l)
{
    size_t i = l->at;
    if (i == l->n || !is_letter(l->s[i]))
        return 0;
    while (i < l->n && (is_letter(l->s[i]) || is_digit(l->s[i]) || l->s[i] == '_' || l->s[i] == '.'))
        i++;
    return i - l->at;
}

static size_t up_to(const struct skep_lex *l, const char *ends)
{
    size_t i = l->at;
    while (i < l->n && l->s[i] && !is_blank(l->s[i]) && !strchr(ends, l->s[i]) && l->s[i] != '\v' &&
           l->s[i] != '\f')
        i++;
    return i - l->at;
}

size_t skep_lex_bare(const struct skep_lex *l)
{
    return up_to(l, "(),=\"'");
}

size_t skep_lex_arg(const struct skep_lex *l)
{
    return up_to(l, "[]\"'");
}

static size_t digits(const struct skep_lex *l, size_t i)
{
    size_t from = i;
    while (i < l->n && is_digit(l->s[i]))
        i++;
    return i - from;
}

size_t skep_lex_number(const struct skep_lex *l)
{
    const char *s = l->s;
    size_t i = l->at, n = l->n;
    if (i + 2 < n && s[i] == '0' && (s[i + 1] == 'x' || s[i + 1] == 'X') && is_hex(s[i + 2])) {
        for (i += 2; i < n && is_hex(s[i]);)
            i++;
        return i - l->at;
    }
    i += i < n && (s[i] == '+' || s[i] == '-');
    size_t whole = digits(l, i);
    if (!whole)
        return 0;
    i += whole;
    if (i < n && s[i] == '.')
        i += 1 + digits(l, i + 1);
    if (i + 2 < n && (s[i] == 'e' || s[i] == 'E') && (s[i + 1] == '+' || s[i + 1] == '-') &&
        is_digit(s[i + 2]))
        i += 2 + digits(l, i + 2);
    return i - l->at;
}

size_t skep_lex_quoted(const struct skep_lex *l)
{
    char quote = skep_lex_peek(l);
    if (quote != '"' && quote != '\'')
        return 0;
    for (size_t i = l->at + 1; i < l->n && l->s[i]; i++) {
        if (l->s[i] == quote)
            return i + 1 - l->at;
        i += l->s[i] == '\\';
    }
    return 0;
}

bool skep_lex_is(const struct skep_lex *l, const char *word)
{
    size_t n = skep_lex_name(l);
    return n == strlen(word) && memcmp(l->s + l->at, word, n) == 0;
}

bool skep_lex_unquote(const char *s, size_t n, char *ret, size_t *ret_n, size_t *ret_bad)
{
    static const char from[] = "bfnrt\\/ ", to[] = "\b\f\n\r\t\\/\\"; /* "\ " is a backslash, as in Falco */
    size_t out = 0;
    for (size_t i = 1; i + 1 < n; i++) {
        char c = s[i];
        if (c == '\\') {
            char e = s[++i];
            const char *known = e ? strchr(from, e) : NULL;
            if (!known && e != s[0]) {
                *ret_bad = i - 1;
                return false;
            }
            c = known ? to[known - from] : e;
        }
        ret[out++] = c;
    }
    *ret_n = out;
    return true;
}
