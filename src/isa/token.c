/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/token.h"

void skep_tokens_init(struct skep_tokens *t, const char *text, size_t len)
{
    *t = (struct skep_tokens){.text = text, .len = len, .line_begins = true};
}

static char peek(const struct skep_tokens *t, size_t ahead)
{
    return t->at + ahead < t->len ? t->text[t->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.' ||
           c == '$';
}

static int digit_of(char c, unsigned base)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_blanks(struct skep_tokens *t)
{
    for (;;) {
        char c = peek(t, 0);
        if (t->at < t->len && (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f')) {
            t->at++;
        } else if (c == '#' || (c == '/' && peek(t, 1) == '/') || (c == ';' && t->line_begins)) {
            const char *end = memchr(t->text + t->at, '\n', t->len - t->at);
            t->at = end ? (size_t)(end - t->text) : t->len;
        } else {
            return;
        }
    }
}

/* Length of the operator at t, 0: none. */
static size_t operator_length(const struct skep_tokens *t)
{
    static const char *const longer[] = {
        "s>>=", "<<=", ">>=", "s>=", "s<=", "s/=", "s%=", "s>", "s<", "+=", "-=",
        "*=",   "/=",  "%=",  "&=",  "|=",  "^=",  "==",  "!=", ">=", "<="};
    for (size_t i = 0; i < ARRAY_SIZE(longer); i++) {
        size_t n = strlen(longer[i]);
        if (n <= t->len - t->at && memcmp(t->text + t->at, longer[i], n) == 0)
            return n;
    }
    char c = peek(t, 0);
    return c && strchr("+-*/%&|^=<>()[],:", c) ? 1 : 0;
}

/* A number ends where the word does, or at "ll": 5ll is two tokens. */
static void take_number(struct skep_tokens *t, struct skep_token *ret)
{
    unsigned base = 10;
    size_t n = 0, digits = 0;
    if (peek(t, 0) == '0' && (peek(t, 1) | 0x20) == 'x') {
        base = 16;
        n = 2;
        ret->hex = true;
    }
    for (int d; (d = digit_of(peek(t, n), base)) >= 0; n++, digits++) {
        if (__builtin_mul_overflow(ret->number, base, &ret->number) ||
            __builtin_add_overflow(ret->number, (uint64_t)d, &ret->number))
            ret->overflow = true;
    }
    bool ll = peek(t, n) == 'l' && peek(t, n + 1) == 'l' && !is_word(peek(t, n + 2));
    ret->kind = digits ? SKEP_TOKEN_NUMBER : SKEP_TOKEN_BAD;
    if (!ll) {
        while (is_word(peek(t, n))) {
            ret->kind = SKEP_TOKEN_BAD;
            n++;
        }
    }
    ret->len = n;
}

/* r0 to r10, w0 to w10, and behind a % up to 15, so that bad programs can be written. */
static bool take_register(struct skep_tokens *t, struct skep_token *ret)
{
    size_t n = peek(t, 0) == '%';
    unsigned most = n ? 15 : 10;
    char name = peek(t, n++);
    if ((name != 'r' && name != 'w') || !is_digit(peek(t, n)))
        return false;
    unsigned number = (unsigned)(peek(t, n++) - '0');
    if (number && is_digit(peek(t, n)))
        number = number * 10 + (unsigned)(peek(t, n++) - '0');
    if (is_word(peek(t, n)) || number > most)
        return false;
    ret->kind = SKEP_TOKEN_REGISTER;
    ret->number = number;
    ret->narrow = name == 'w';
    ret->len = n;
    return true;
}

void skep_tokens_next(struct skep_tokens *t, struct skep_token *ret)
{
    skip_blanks(t);
    *ret = (struct skep_token){.at = t->at, .len = 1, .kind = SKEP_TOKEN_BAD};
    if (t->at == t->len) {
        ret->kind = SKEP_TOKEN_EOF;
        ret->len = 0;
        return;
    }
    char c = peek(t, 0);
    t->line_begins = c == '\n';
    if (c == '\n' || c == ';') {
        ret->kind = SKEP_TOKEN_END;
    } else if (is_digit(c)) {
        take_number(t, ret);
    } else if (take_register(t, ret)) {
    } else if (operator_length(t)) {
        ret->kind = SKEP_TOKEN_OPERATOR;
        ret->len = operator_length(t);
    } else if (is_word(c)) {
        ret->kind = SKEP_TOKEN_WORD;
        ret->len = 0;
        while (is_word(peek(t, ret->len)))
            ret->len++;
    }
    t->at += ret->len;
}
