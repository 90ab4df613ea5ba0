/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <stdarg.h>

/* Never written: every append goes through reserve, which allocates when cap is 0. */
static char empty_string[1];

void skep_strbuf_init(struct skep_strbuf *sb, size_t max)
{
    /* no sum or doubling of sizes below can wrap then */
    *sb = (struct skep_strbuf){.s = empty_string, .max = MIN(max, SIZE_MAX / 4)};
}

void skep_strbuf_init_fixed(struct skep_strbuf *sb, char *memory, size_t size)
{
    memory[0] = '\0';
    /* what is as long as the memory is never outgrown */
    *sb = (struct skep_strbuf){.s = memory, .cap = size, .max = size - 1, .room = size};
}

void skep_strbuf_clear(struct skep_strbuf *sb)
{
    if (sb->cap)
        free(sb->s);
    skep_strbuf_init(sb, sb->max);
}

void skep_strbuf_reset(struct skep_strbuf *sb)
{
    skep_strbuf_resume(sb);
    skep_strbuf_truncate(sb, 0);
}

void skep_strbuf_resume(struct skep_strbuf *sb)
{
    sb->failed = false;
    sb->room = MIN(sb->cap, sb->max + 1);
}

void skep_strbuf_fail(struct skep_strbuf *sb)
{
    sb->failed = true;
    sb->room = 0;
}

void skep_strbuf_truncate(struct skep_strbuf *sb, size_t len)
{
    if (len > sb->len)
        return;
    sb->len = len;
    if (sb->cap)
        sb->s[len] = '\0';
}

char *skep_strbuf_reserve(struct skep_strbuf *sb, size_t n)
{
    if (sb->failed || n > sb->max || sb->len > sb->max - n) {
        skep_strbuf_fail(sb);
        return NULL;
    }
    if (sb->len + n + 1 > sb->cap) {
        size_t cap = MAX(sb->cap * 2, (size_t)64);
        while (cap < sb->len + n + 1)
            cap *= 2;
        char *s = realloc(sb->cap ? sb->s : NULL, cap);
        if (!s) {
            skep_strbuf_fail(sb);
            return NULL;
        }
        if (!sb->cap)
            s[0] = '\0';
        sb->s = s;
        sb->cap = cap;
        sb->room = MIN(cap, sb->max + 1);
    }
    return sb->s + sb->len;
}

void skep_strbuf_put_slow(struct skep_strbuf *sb, const void *data, size_t n)
{
    char *to = skep_strbuf_reserve(sb, n);
    if (!to)
        return;
    if (n)
        memcpy(to, data, n);
    sb->len += n;
    sb->s[sb->len] = '\0';
}

/* Without a NUL at its end. */
const char skep_digit_pairs[200] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

void skep_strbuf_u64(struct skep_strbuf *sb, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    for (; v >= 100; v /= 100) {
        at -= 2;
        skep_digits2(digits + at, (unsigned)(v % 100));
    }
    if (v >= 10) {
        at -= 2;
        skep_digits2(digits + at, (unsigned)v);
    } else {
        digits[--at] = (char)('0' + v);
    }
    skep_strbuf_put(sb, digits + at, sizeof(digits) - at);
}

void skep_strbuf_i64(struct skep_strbuf *sb, int64_t v)
{
    if (v < 0)
        skep_strbuf_putc(sb, '-');
    skep_strbuf_u64(sb, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void skep_strbuf_printf(struct skep_strbuf *sb, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *to = n < 0 ? NULL : skep_strbuf_reserve(sb, (size_t)n);
    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        sb->len += (size_t)n;
    } else {
        skep_strbuf_fail(sb);
    }
    va_end(again);
    va_end(ap);
}

size_t skep_utf8_len(const uint8_t *s, size_t n)
{
    if (n == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

/* The code point of a valid sequence of three bytes when it breaks lines or reorders text (separators, marks
 * and overrides of the bidirectional algorithm), which lets a name pass for another; else 0. */
static unsigned disguise(const uint8_t *s)
{
    unsigned c = (s[0] & 0x0fU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);
    bool bad = c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return bad ? c : 0;
}

void skep_strbuf_put_visible(struct skep_strbuf *sb, const void *data, size_t n)
{
    const uint8_t *s = data;
    for (size_t i = 0; i < n;) {
        size_t run = i;
        while (run < n && s[run] >= 0x20 && s[run] < 0x7f)
            run++;
        if (run > i) {
            skep_strbuf_put(sb, s + i, run - i);
            i = run;
            continue;
        }
        size_t len = skep_utf8_len(s + i, n - i);
        if (len == 0) {
            skep_strbuf_puts(sb, "\xef\xbf\xbd");
            i++;
        } else if (len == 1 && s[i] == '\n') {
            skep_strbuf_puts(sb, "\\n");
            i++;
        } else if (len == 1 && s[i] == '\t') {
            skep_strbuf_puts(sb, "\\t");
            i++;
        } else if (len == 1 && (s[i] < 0x20 || s[i] == 0x7f)) {
            skep_strbuf_printf(sb, "\\x%02x", s[i]);
            i++;
        } else if (len == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0) { /* C1 controls steer terminals too */
            skep_strbuf_printf(sb, "\\x%02x", s[i + 1]);
            i += 2;
        } else if (len == 3 && disguise(s + i)) {
            skep_strbuf_printf(sb, "\\u%04x", disguise(s + i));
            i += len;
        } else {
            skep_strbuf_put(sb, s + i, len);
            i += len;
        }
    }
}
