/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "vm/helpers.h"

#define TEXT_MAX 1024 /* of a trace_printk, as in the kernel */
#define ARGS_MAX 12

/* ---- numbers ---- */

#define BASE_MASK 0x1f
#define DIGITS_MAX 63

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : 99;
}

/* Space, sign, prefix and digits, as the kernel takes them. Returns how many bytes, or -errno. */
static int64_t parse(const char *text, size_t size, uint64_t flags, bool *ret_negative, uint64_t *ret_value)
{
    unsigned base = flags & BASE_MASK;
    if (!size || flags & ~(uint64_t)BASE_MASK || (base && base != 8 && base != 10 && base != 16))
        return -EINVAL;
    size_t at = 0;
    while (at < size && (isspace((unsigned char)text[at]) || (unsigned char)text[at] == 0xa0))
        at++;
    bool negative = at < size && text[at] == '-';
    at += negative;
    size = MIN(size, at + DIGITS_MAX);
    bool prefix = at + 1 < size && text[at] == '0' && (text[at + 1] | 0x20) == 'x';
    if (base == 0 && prefix && at + 2 < size && isxdigit((unsigned char)text[at + 2]))
        base = 16;
    else if (base == 0)
        base = at < size && text[at] == '0' ? 8 : 10;
    if (base == 16 && prefix)
        at += 2;
    uint64_t value = 0;
    bool overflow = false;
    size_t start = at;
    for (; at < size && (unsigned)digit_of(text[at]) < base; at++)
        overflow = __builtin_mul_overflow(value, base, &value) ||
                   __builtin_add_overflow(value, (uint64_t)digit_of(text[at]), &value) || overflow;
    if (overflow)
        return -ERANGE;
    if (at == start)
        return -EINVAL;
    *ret_negative = negative;
    *ret_value = value;
    return (int64_t)at;
}

SKEP_HELPER(skep_helper_strtol)
{
    struct skep_exec *e = skep_exec_of(t);
    const char *text = skep_exec_memory(e, r1, r2, false);
    void *to = text ? skep_exec_memory(e, r4, sizeof(int64_t), true) : NULL;
    if (!to)
        return 0;
    bool negative;
    uint64_t value;
    int64_t n = parse(text, r2, r3, &negative, &value);
    if (n < 0)
        return skep_helper_result(n);
    if (negative ? value > (uint64_t)INT64_MAX + 1 : value > INT64_MAX)
        return skep_helper_result(-ERANGE);
    value = negative ? -value : value;
    memcpy(to, &value, sizeof(value));
    return skep_helper_result(n);
}

SKEP_HELPER(skep_helper_strtoul)
{
    struct skep_exec *e = skep_exec_of(t);
    const char *text = skep_exec_memory(e, r1, r2, false);
    void *to = text ? skep_exec_memory(e, r4, sizeof(uint64_t), true) : NULL;
    if (!to)
        return 0;
    bool negative;
    uint64_t value;
    int64_t n = parse(text, r2, r3, &negative, &value);
    if (n >= 0 && negative)
        n = -EINVAL;
    if (n >= 0)
        memcpy(to, &value, sizeof(value));
    return skep_helper_result(n);
}

SKEP_HELPER(skep_helper_strncmp)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t size = (uint32_t)r2;
    const uint8_t *a = skep_exec_memory(e, r1, size, false);
    if (!a)
        return 0;
    /* where b ends is known only by its NUL */
    bool whole = skep_exec_check(e, r3, size, false, NULL);
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t *b = whole ? (const uint8_t *)(uintptr_t)r3 + i : skep_exec_memory(e, r3 + i, 1, false);
        if (!b)
            return 0;
        if (a[i] != *b)
            return skep_helper_result(a[i] < *b ? -1 : 1);
        if (!a[i])
            break;
    }
    return 0;
}

/* ---- formats ---- */

/* What is being written; beyond size only len goes on. */
struct text {
    char *s;
    size_t size, len;
};

static void put(struct text *o, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i++, o->len++)
        if (o->len + 1 < o->size)
            o->s[o->len] = from[i];
}

/* A conversion: %[flags][width]x. */
struct conversion {
    char spec[24]; /* "%-08" */
    size_t len;
    bool left;
    uint32_t width;
};

#define WIDTH_MAX 4096

static void put_padded(struct text *o, const struct conversion *c, const char *from, size_t n)
{
    size_t pad = c->width > n ? c->width - n : 0;
    if (c->left)
        put(o, from, n);
    for (size_t i = 0; i < pad; i++)
        put(o, " ", 1);
    if (!c->left)
        put(o, from, n);
}

static void put_number(struct text *o, struct conversion *c, char kind, uint64_t value, unsigned bits)
{
    char out[WIDTH_MAX + 32];
    bool is_signed = kind == 'd' || kind == 'i';
    if (bits == 32)
        value = is_signed ? (uint64_t)(int64_t)(int32_t)value : (uint32_t)value;
    snprintf(c->spec + c->len, sizeof(c->spec) - c->len, "ll%c", kind);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int n = snprintf(out, sizeof(out), c->spec, (unsigned long long)value);
#pragma GCC diagnostic pop
    if (n > 0)
        put(o, out, (size_t)n);
}

static void put_address4(struct text *o, const struct conversion *c, char kind, const uint8_t *a)
{
    char out[16];
    int n = snprintf(out, sizeof(out), kind == 'i' ? "%03u.%03u.%03u.%03u" : "%u.%u.%u.%u", a[0], a[1], a[2],
                     a[3]);
    put_padded(o, c, out, (size_t)n);
}

static void put_address6(struct text *o, const struct conversion *c, char kind, const uint8_t *a)
{
    char out[48];
    size_t n = 0;
    for (unsigned i = 0; i < 16; i += 2)
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%02x%02x", kind == 'I' && i ? ":" : "", a[i],
                              a[i + 1]);
    put_padded(o, c, out, n);
}

/* Whether a conversion may end in front of c. */
static bool ends(char c)
{
    return !c || isspace((unsigned char)c) || ispunct((unsigned char)c);
}

static size_t read_width(const char *f, struct conversion *c)
{
    size_t i = 0;
    *c = (struct conversion){.spec = "%", .len = 1};
    for (; f[i] == '0' || f[i] == '+' || f[i] == '-' || f[i] == ' '; i++) {
        c->left |= f[i] == '-';
        if (c->len < 5 && !memchr(c->spec, f[i], c->len))
            c->spec[c->len++] = f[i];
    }
    for (; f[i] >= '0' && f[i] <= '9'; i++)
        c->width = MIN(c->width * 10 + (uint32_t)(f[i] - '0'), (uint32_t)WIDTH_MAX);
    if (c->width)
        c->len += (size_t)snprintf(c->spec + c->len, sizeof(c->spec) - c->len, "%u", c->width);
    return i;
}

static void put_string(struct skep_exec *e, struct text *o, const struct conversion *c, uint64_t address)
{
    char string[512]; /* as much as the kernel copies */
    int64_t n = skep_helper_probe_string(e, string, address, sizeof(string));
    put_padded(o, c, string, n > 0 ? (size_t)n - 1 : 0);
}

/* %p and what may come behind it. Returns how much of f that is, or -EINVAL. */
static int put_pointer(struct skep_exec *e, struct text *o, const struct conversion *c, const char *f,
                       uint64_t arg)
{
    char out[24];
    uint8_t bytes[16] = {0};
    if ((f[1] == 'k' || f[1] == 'u') && f[2] == 's') {
        if (!ends(f[3]))
            return -EINVAL;
        put_string(e, o, c, arg);
        return 3;
    }
    if ((f[1] == 'i' || f[1] == 'I') && (f[2] == '4' || f[2] == '6')) {
        size_t size = f[2] == '4' ? 4 : 16;
        if (!skep_helper_probe(e, bytes, arg, size))
            memset(bytes, 0, sizeof(bytes));
        (size == 4 ? put_address4 : put_address6)(o, c, f[1], bytes);
        return 3;
    }
    bool symbol = f[1] == 's' || f[1] == 'S' || f[1] == 'B';
    if (!ends(f[1]) && !symbol && f[1] != 'K' && f[1] != 'x')
        return -EINVAL;
    /* there are no symbols here: the address */
    int n = snprintf(out, sizeof(out), symbol ? "0x%llx" : "%016llx", (unsigned long long)arg);
    put_padded(o, c, out, (size_t)n);
    return ends(f[1]) ? 1 : 2;
}

/* %c, %s, %d and the like. */
static int put_plain(struct skep_exec *e, struct text *o, struct conversion *c, const char *f, uint64_t arg)
{
    if (f[0] == 's' || f[0] == 'c') {
        if (!ends(f[1]))
            return -EINVAL;
        const char byte = (char)arg;
        if (f[0] == 's')
            put_string(e, o, c, arg);
        else
            put_padded(o, c, &byte, 1);
        return 1;
    }
    int n = 0;
    while (n < 2 && f[n] == 'l')
        n++;
    if (!f[n] || !strchr("diuxX", f[n]))
        return -EINVAL;
    put_number(o, c, f[n], arg, n ? 64 : 32);
    return n + 1;
}

int64_t skep_helper_format(struct skep_exec *e, char *to, size_t size, const char *format, size_t format_size,
                           const uint64_t *args, size_t n)
{
    struct text o = {.s = to, .size = size};
    size_t used = 0;
    if (!memchr(format, '\0', format_size))
        return -EINVAL;
    for (const char *f = format; *f;) {
        unsigned char byte = (unsigned char)*f;
        if (byte >= 0x80 || (!isprint(byte) && !isspace(byte)))
            return -EINVAL;
        if (*f != '%' || f[1] == '%') {
            put(&o, f, 1);
            f += *f == '%' ? 2 : 1;
            continue;
        }
        if (used >= n)
            return -EINVAL;
        struct conversion c;
        f += 1 + read_width(f + 1, &c);
        uint64_t arg = args[used++];
        int len = *f == 'p' ? put_pointer(e, &o, &c, f, arg) : put_plain(e, &o, &c, f, arg);
        if (len < 0)
            return len;
        f += len;
    }
    if (size)
        to[MIN(o.len, size - 1)] = '\0';
    return (int64_t)o.len + 1;
}

static int64_t trace(struct skep_exec *e, const char *format, size_t format_size, const uint64_t *args,
                     size_t n)
{
    char text[TEXT_MAX];
    int64_t r = skep_helper_format(e, text, sizeof(text), format, format_size, args, n);
    if (r < 0)
        return r;
    size_t len = strlen(text);
    const struct skep_vm_options *o = &e->vm->options;
    if (o->print)
        o->print(o->print_data, text, len && text[len - 1] == '\n' ? len - 1 : len);
    return r - 1;
}

SKEP_HELPER(skep_helper_trace_printk)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint64_t args[3] = {r3, r4, r5};
    uint32_t size = (uint32_t)r2;
    const char *format = skep_exec_memory(e, r1, size, false);
    return format ? skep_helper_result(trace(e, format, size, args, 3)) : 0;
}

/* The arguments of the forms that take an array. */
static int read_args(struct skep_exec *e, uint64_t address, uint32_t size, uint64_t args[ARGS_MAX])
{
    if (size % 8 || size / 8 > ARGS_MAX || (size && !address))
        return -EINVAL;
    const void *from = skep_exec_memory(e, address, size, false);
    if (!from)
        return -EFAULT;
    if (size)
        memcpy(args, from, size);
    return 0;
}

SKEP_HELPER(skep_helper_trace_vprintk)
{
    struct skep_exec *e = skep_exec_of(t);
    uint64_t args[ARGS_MAX];
    uint32_t size = (uint32_t)r2, args_size = (uint32_t)r4;
    const char *format = skep_exec_memory(e, r1, size, false);
    int r = format ? read_args(e, r3, args_size, args) : -EFAULT;
    if (e->fault)
        return 0;
    return skep_helper_result(r < 0 ? r : trace(e, format, size, args, args_size / 8));
}

SKEP_HELPER(skep_helper_snprintf)
{
    struct skep_exec *e = skep_exec_of(t);
    uint64_t args[ARGS_MAX];
    uint32_t size = (uint32_t)r2, args_size = (uint32_t)r5;
    char *to = skep_exec_memory(e, r1, size, true);
    int r = to ? read_args(e, r4, args_size, args) : -EFAULT;
    if (e->fault)
        return 0;
    if (r < 0)
        return skep_helper_result(r);
    /* the format is a string somewhere: where it ends is known only by its NUL */
    char format[TEXT_MAX + 1];
    int64_t n = skep_helper_probe_string(e, format, r3, sizeof(format));
    if (n < 0)
        return skep_exec_memory(e, r3, 1, false) ? skep_helper_refuse(e, "a format that does not end") : 0;
    if (n > TEXT_MAX)
        return skep_helper_result(-EINVAL);
    return skep_helper_result(skep_helper_format(e, to, size, format, (size_t)n, args, args_size / 8));
}
