/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>

void skep_json_init(struct skep_json *j, struct skep_strbuf *sb)
{
    *j = (struct skep_json){.sb = sb};
}

/* Bytes that go out as they are in a run; the rest needs a look. */
static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static size_t quote_special(struct skep_strbuf *sb, const uint8_t *s, size_t n)
{
    size_t len = skep_utf8_len(s, n);
    if (len == 0) {
        skep_strbuf_puts(sb, "\\ufffd");
        return 1;
    }
    if (len > 1) {
        skep_strbuf_put(sb, s, len);
        return len;
    }
    switch (*s) {
    case '"':
        skep_strbuf_puts(sb, "\\\"");
        break;
    case '\\':
        skep_strbuf_puts(sb, "\\\\");
        break;
    case '\n':
        skep_strbuf_puts(sb, "\\n");
        break;
    case '\t':
        skep_strbuf_puts(sb, "\\t");
        break;
    case '\r':
        skep_strbuf_puts(sb, "\\r");
        break;
    default:
        skep_strbuf_printf(sb, "\\u%04x", *s);
    }
    return 1;
}

/* How many bytes from s on are plain; eight at a time, since most text is. */
static size_t plain_run(const uint8_t *s, size_t n)
{
    const uint64_t ones = 0x0101010101010101ULL, highs = 0x8080808080808080ULL;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t v, special;
        memcpy(&v, s + i, 8);
        uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\', del = v ^ ones * 0x7f;
        /* the high bit of a byte: below 0x20, equal to one of the three, or itself high */
        special = (v - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones) | v;
        if (special & highs)
            break;
    }
    while (i < n && is_plain(s[i]))
        i++;
    return i;
}

void skep_json_quote(struct skep_strbuf *sb, const void *data, size_t n)
{
    const uint8_t *s = data;
    skep_strbuf_putc(sb, '"');
    for (size_t i = 0; i < n;) {
        size_t run = i + plain_run(s + i, n - i);
        skep_strbuf_put(sb, s + i, run - i);
        i = run;
        if (i < n)
            i += quote_special(sb, s + i, n - i);
    }
    skep_strbuf_putc(sb, '"');
}

void skep_json_name(struct skep_json *j, const char *name)
{
    if (j->comma)
        skep_strbuf_putc(j->sb, ',');
    j->comma = true;
    if (name) {
        skep_json_quote(j->sb, name, strlen(name));
        skep_strbuf_putc(j->sb, ':');
    }
}

void skep_json_open(struct skep_json *j, const char *name, char bracket)
{
    skep_json_name(j, name);
    skep_strbuf_putc(j->sb, bracket);
    j->comma = false;
}

void skep_json_close(struct skep_json *j, char bracket)
{
    skep_strbuf_putc(j->sb, bracket);
    j->comma = true;
}

void skep_json_str(struct skep_json *j, const char *name, const void *s, size_t n)
{
    skep_json_name(j, name);
    skep_json_quote(j->sb, s, n);
}

void skep_json_strz(struct skep_json *j, const char *name, const char *s)
{
    if (s)
        skep_json_str(j, name, s, strlen(s));
    else
        skep_json_null(j, name);
}

void skep_json_u64(struct skep_json *j, const char *name, uint64_t v)
{
    skep_json_name(j, name);
    skep_strbuf_u64(j->sb, v);
}

void skep_json_i64(struct skep_json *j, const char *name, int64_t v)
{
    skep_json_name(j, name);
    skep_strbuf_i64(j->sb, v);
}

void skep_json_f64(struct skep_json *j, const char *name, double v)
{
    if (!isfinite(v)) {
        skep_json_null(j, name);
        return;
    }
    skep_json_name(j, name);
    skep_strbuf_printf(j->sb, "%.9g", v);
}

void skep_json_bool(struct skep_json *j, const char *name, bool v)
{
    skep_json_name(j, name);
    skep_strbuf_puts(j->sb, v ? "true" : "false");
}

void skep_json_null(struct skep_json *j, const char *name)
{
    skep_json_name(j, name);
    skep_strbuf_puts(j->sb, "null");
}
