/* SPDX-License-Identifier: Apache-2.0 */
#include "event/value.h"

#include "base/clock.h"
#include "event/syscalls.h"

#include <arpa/inet.h>
#include <fcntl.h>

const struct skep_type_info skep_types[SKEP_TYPE_MAX] = {
#define NAMES_NONE NULL
#define NAMES_OF(table) &skep_names_##table
#define SKEP_TYPE(name, class, names, doc)                                                                   \
    [SKEP_TYPE_##name] = {#name, SKEP_CLASS_##class, NAMES_##names, doc},
#include "event/types.def"
#undef SKEP_TYPE
#undef NAMES_OF
#undef NAMES_NONE
};

enum skep_type skep_type_find(const char *name)
{
    for (unsigned i = 0; i < SKEP_TYPE_MAX; i++)
        if (skep_streq(skep_types[i].name, name))
            return (enum skep_type)i;
    return SKEP_TYPE_INVALID;
}

bool skep_list_next(const char *s, size_t n, size_t *at, const char **ret_s, size_t *ret_n)
{
    if (*at >= n)
        return false;
    const char *element = s + *at;
    size_t len = strnlen(element, n - *at);
    *at += len + 1;
    *ret_s = element;
    *ret_n = len;
    return true;
}

void skep_value_put_ip(struct skep_strbuf *sb, const void *ip, size_t n)
{
    const uint8_t *b = ip;
    char text[INET6_ADDRSTRLEN];
    if (n == 4) {
        for (int i = 0; i < 4; i++) {
            if (i)
                skep_strbuf_putc(sb, '.');
            skep_strbuf_u64(sb, b[i]);
        }
    } else if (n == 16 && inet_ntop(AF_INET6, ip, text, sizeof(text))) {
        skep_strbuf_puts(sb, text);
    }
}

static void put_hex(struct skep_strbuf *sb, uint64_t u)
{
    char digits[18];
    size_t at = sizeof(digits);
    do
        digits[--at] = "0123456789abcdef"[u & 15];
    while (u >>= 4);
    digits[--at] = 'x';
    digits[--at] = '0';
    skep_strbuf_put(sb, digits + at, sizeof(digits) - at);
}

/* At least four digits: 0644. */
static void put_octal(struct skep_strbuf *sb, uint64_t u)
{
    char digits[22];
    size_t at = sizeof(digits);
    while (u || sizeof(digits) - at < 4) {
        digits[--at] = (char)('0' + (u & 7));
        u >>= 3;
    }
    skep_strbuf_put(sb, digits + at, sizeof(digits) - at);
}

static void put_syscall(struct skep_strbuf *sb, uint64_t u)
{
    const char *name = skep_syscall_name((unsigned)u, u >> 32 & 1);
    if (name) {
        skep_strbuf_puts(sb, name);
    } else {
        skep_strbuf_puts(sb, "syscall#");
        skep_strbuf_u64(sb, (uint32_t)u);
    }
}

/* Numbers that are written the same way in both forms, as a word (a string in JSON). */
static bool is_word(const struct skep_value *v)
{
    switch (v->type) {
    case SKEP_TYPE_dev:
    case SKEP_TYPE_addr:
    case SKEP_TYPE_cgroupid:
    case SKEP_TYPE_mode:
    case SKEP_TYPE_ring:
    case SKEP_TYPE_syscall:
        return true;
    case SKEP_TYPE_fdnum:
        return v->i == AT_FDCWD;
    default:
        return skep_types[v->type].names;
    }
}

static void put_word(struct skep_strbuf *sb, const struct skep_value *v)
{
    switch (v->type) {
    case SKEP_TYPE_dev:
        skep_strbuf_u64(sb, v->u >> 20);
        skep_strbuf_putc(sb, ':');
        skep_strbuf_u64(sb, v->u & 0xfffff);
        return;
    case SKEP_TYPE_addr:
    case SKEP_TYPE_cgroupid:
        put_hex(sb, v->u);
        return;
    case SKEP_TYPE_mode:
        put_octal(sb, v->u & 0x3ffff);
        return;
    case SKEP_TYPE_ring:
        if (v->u == 0) {
            skep_strbuf_puts(sb, "life");
        } else {
            skep_strbuf_puts(sb, "cpu");
            skep_strbuf_u64(sb, v->u - 1);
        }
        return;
    case SKEP_TYPE_syscall:
        put_syscall(sb, v->u);
        return;
    case SKEP_TYPE_fdnum:
        skep_strbuf_puts(sb, "AT_FDCWD");
        return;
    default:
        skep_names_put(sb, skep_types[v->type].names, v->class == SKEP_CLASS_INT ? (uint64_t)v->i : v->u);
    }
}

/* Quoted so that the line can be read and, mostly, typed again; whatever is safe in a shell stays bare. */
static void put_quoted(struct skep_strbuf *sb, const char *s, size_t n)
{
    bool bare = n > 0;
    for (size_t i = 0; i < n && bare; i++) {
        unsigned char c = (unsigned char)s[i];
        bare = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c && strchr("_@%+=:,./-^{}~#[]", c));
    }
    if (bare && s[0] != '~' && s[0] != '#') {
        skep_strbuf_put_visible(sb, s, n);
        return;
    }
    skep_strbuf_putc(sb, '\'');
    while (n > 0) {
        const char *quote = memchr(s, '\'', n);
        size_t run = quote ? (size_t)(quote - s) : n;
        skep_strbuf_put_visible(sb, s, run);
        if (quote) {
            skep_strbuf_puts(sb, "'\\''");
            run++;
        }
        s += run;
        n -= run;
    }
    skep_strbuf_putc(sb, '\'');
}

static void put_list(struct skep_strbuf *sb, const struct skep_value *v)
{
    const char *s;
    size_t n, at = 0, before = 0, from = sb->len;
    const char *separator = v->type == SKEP_TYPE_args ? " " : ", ";
    while (before = at, skep_list_next(v->s, v->n, &at, &s, &n)) {
        size_t room =
            sb->len - from < SKEP_VALUE_TEXT_LIST_MAX ? SKEP_VALUE_TEXT_LIST_MAX - (sb->len - from) : 0;
        if (before)
            skep_strbuf_puts(sb, separator);
        bool cut = n > room;
        if (v->type == SKEP_TYPE_args)
            put_quoted(sb, s, cut ? room : n);
        else
            skep_strbuf_put_visible(sb, s, cut ? room : n);
        if (cut) {
            skep_strbuf_puts(sb, "\xe2\x80\xa6[");
            skep_strbuf_u64(sb, v->n - before - room);
            skep_strbuf_puts(sb, " more bytes]");
            return;
        }
    }
}

void skep_value_put_text(struct skep_strbuf *sb, const struct skep_value *v)
{
    switch (v->class) {
    case SKEP_CLASS_TEXT:
        skep_strbuf_put_visible(sb, v->s, v->n);
        return;
    case SKEP_CLASS_LIST:
        put_list(sb, v);
        return;
    case SKEP_CLASS_IP:
        skep_value_put_ip(sb, v->s, v->n);
        return;
    default:
        break;
    }
    if (is_word(v))
        put_word(sb, v);
    else if (v->type == SKEP_TYPE_bool)
        skep_strbuf_puts(sb, v->u ? "true" : "false");
    else if (v->type == SKEP_TYPE_time)
        skep_clock_put_time_of_day(sb, v->i);
    else if (v->type == SKEP_TYPE_duration)
        skep_duration_put(sb, v->u);
    else if (v->class == SKEP_CLASS_INT)
        skep_strbuf_i64(sb, v->i);
    else
        skep_strbuf_u64(sb, v->u);
}

static void put_json_list(struct skep_strbuf *sb, const struct skep_value *v)
{
    const char *s;
    size_t n, at = 0;
    char separator = '[';
    while (skep_list_next(v->s, v->n, &at, &s, &n)) {
        skep_strbuf_putc(sb, separator);
        skep_json_quote(sb, s, n);
        separator = ',';
    }
    if (separator == '[')
        skep_strbuf_putc(sb, '[');
    skep_strbuf_putc(sb, ']');
}

void skep_value_put_json(struct skep_strbuf *sb, const struct skep_value *v)
{
    switch (v->class) {
    case SKEP_CLASS_TEXT:
        skep_json_quote(sb, v->s, v->n);
        return;
    case SKEP_CLASS_LIST:
        put_json_list(sb, v);
        return;
    case SKEP_CLASS_IP:
        skep_strbuf_putc(sb, '"');
        skep_value_put_ip(sb, v->s, v->n);
        skep_strbuf_putc(sb, '"');
        return;
    default:
        break;
    }
    if (v->type == SKEP_TYPE_bool) {
        skep_strbuf_puts(sb, v->u ? "true" : "false");
    } else if (v->type == SKEP_TYPE_time) {
        skep_strbuf_putc(sb, '"');
        skep_clock_put_rfc3339(sb, v->i);
        skep_strbuf_putc(sb, '"');
    } else if (is_word(v)) { /* words hold nothing that JSON would want escaped */
        skep_strbuf_putc(sb, '"');
        put_word(sb, v);
        skep_strbuf_putc(sb, '"');
    } else if (v->class == SKEP_CLASS_INT) {
        skep_strbuf_i64(sb, v->i);
    } else {
        skep_strbuf_u64(sb, v->u);
    }
}

bool skep_value_is_empty(const struct skep_value *v)
{
    switch (v->class) {
    case SKEP_CLASS_TEXT:
    case SKEP_CLASS_LIST:
    case SKEP_CLASS_IP:
        return v->n == 0;
    default:
        break;
    }
    if (v->type == SKEP_TYPE_bool)
        return v->u == 0;
    const struct skep_names *names = skep_types[v->type].names;
    /* open's 0 has a name of its own (O_RDONLY) and is worth saying */
    return names && names->set && v->u == 0 && !(names->rows[0].mask && names->rows[0].value == 0);
}

int skep_value_cmp(const struct skep_value *a, const struct skep_value *b)
{
    switch (a->class) {
    case SKEP_CLASS_INT:
        return a->i < b->i ? -1 : a->i > b->i;
    case SKEP_CLASS_UINT:
        return a->u < b->u ? -1 : a->u > b->u;
    default: {
        size_t n = MIN(a->n, b->n);
        int d = n ? memcmp(a->s, b->s, n) : 0;
        return d ? d : a->n < b->n ? -1 : a->n > b->n;
    }
    }
}
