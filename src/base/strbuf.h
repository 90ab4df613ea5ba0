/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_STRBUF_H
#define SKEP_BASE_STRBUF_H
/*
 * A growable byte string, always NUL-terminated, that never grows past the maximum given when it was
 * made: what is built from outside input stays bounded without every caller counting.
 *
 * Appending to a buffer that is full or out of memory does nothing and marks it failed; callers append
 * freely and ask once at the end:
 *
 *     _cleanup_strbuf_ struct skep_strbuf sb;
 *     skep_strbuf_init(&sb, 1 << 20);
 *     skep_strbuf_puts(&sb, "pid ");
 *     skep_strbuf_u64(&sb, pid);
 *     if (sb.failed) ...
 *
 * One thread at a time.
 */
#include "base/macro.h"

struct skep_strbuf {
    char *s;     /* NUL-terminated; never NULL (points to a static empty string before the first append) */
    size_t len;  /* bytes in use, without the NUL */
    size_t cap;  /* bytes allocated */
    size_t max;  /* most bytes that it may hold, without the NUL */
    size_t room; /* len stays below it as long as nothing has to be looked at: allocation, maximum, failure */
    bool failed; /* something did not fit; set by skep_strbuf_fail() */
};

void skep_strbuf_init(struct skep_strbuf *sb, size_t max);
/* Writes to the caller's memory, size bytes, at least 1, and never allocates: for small texts on the stack. Not to be
 * cleared. */
void skep_strbuf_init_fixed(struct skep_strbuf *sb, char *memory, size_t size);
void skep_strbuf_clear(struct skep_strbuf *sb); /* frees; the buffer is empty and usable again */
void skep_strbuf_reset(struct skep_strbuf *sb); /* empties, keeps the memory and drops the failed mark */
void skep_strbuf_fail(struct skep_strbuf *sb);  /* marks it failed: nothing more is appended */
void skep_strbuf_resume(
    struct skep_strbuf *sb); /* drops the failed mark; what was appended before it stays */
void skep_strbuf_truncate(struct skep_strbuf *sb, size_t len);

/* Room for n more bytes, to be written by the caller who then adds to len; NULL when it does not fit. */
char *skep_strbuf_reserve(struct skep_strbuf *sb, size_t n);

/* Not to be called: what skep_strbuf_put() does when the buffer has to grow, or cannot. */
void skep_strbuf_put_slow(struct skep_strbuf *sb, const void *data, size_t n);

/* Inline, since lines of output are made of a hundred small pieces. */
static inline void skep_strbuf_put(struct skep_strbuf *sb, const void *data, size_t n)
{
    if (sb->len + n < sb->room && n > 0) {
        memcpy(sb->s + sb->len, data, n);
        sb->len += n;
        sb->s[sb->len] = '\0';
    } else {
        skep_strbuf_put_slow(sb, data, n);
    }
}

static inline void skep_strbuf_puts(struct skep_strbuf *sb, const char *s)
{
    skep_strbuf_put(sb, s, strlen(s));
}

static inline void skep_strbuf_putc(struct skep_strbuf *sb, char c)
{
    skep_strbuf_put(sb, &c, 1);
}

/* Two decimal digits of v, which is below 100. */
extern const char skep_digit_pairs[200];
static inline void skep_digits2(char *to, unsigned v)
{
    memcpy(to, skep_digit_pairs + 2 * v, 2);
}

void skep_strbuf_u64(struct skep_strbuf *sb, uint64_t v);
void skep_strbuf_i64(struct skep_strbuf *sb, int64_t v);
void skep_strbuf_printf(struct skep_strbuf *sb, const char *fmt, ...) SKEP_PRINTF(2, 3);

/* Appends text for a terminal: printable UTF-8 as it is, control characters and what could end a line or
 * steer a terminal as \n, \t, \xHH, what reorders text as \uHHHH; an invalid byte becomes U+FFFD. */
void skep_strbuf_put_visible(struct skep_strbuf *sb, const void *data, size_t n);

/* Length (1 to 4) of the valid UTF-8 sequence at s, or 0 when the n bytes there do not begin with one. */
size_t skep_utf8_len(const uint8_t *s, size_t n);

#define _cleanup_strbuf_ SKEP_CLEANUP(skep_strbuf_clear)
#endif
