/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "vm/helper/helpers.h"
#include "vm/vm.h"

#define VARARGS_MAX 12
#define TRACE_MAX 1024
#define STRING_MAX 512 /* of one %s */
#define WIDTH_DIGITS_MAX 4
#define NUMBER_MAX 10032 /* the widest, and the number */
#define DIGITS_MAX 63    /* the kernel looks at no more of a number */

/* ---- formats ---- */

struct out {
    char *to;
    size_t room; /* without the NUL */
    size_t len;  /* that it would have */
};

static void put(struct out *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++, o->len++)
        if (o->len < o->room)
            o->to[o->len] = s[i];
}

/* One conversion as it was written: flags, width, length and letter. */
struct spec {
    char text[24]; /* "%-08llx", for the C library */
    char letter;
    char kind[3]; /* what follows %p: "", "k", "I4", ... */
    bool pointer; /* it was written as %p */
    bool left;
    uint32_t width; /* 0: none was given */
    unsigned longs;
};

/* Whether a letter or digit does not come next: only some letters may follow others. */
static bool may_end(const char *p, const char *end)
{
    return p == end || isspace((unsigned char)*p) || ispunct((unsigned char)*p);
}

/* Takes the conversion at f (behind the %) apart; how long it is, or 0 when it is none of those that are allowed. */
static size_t parse(const char *f, const char *end, struct spec *s)
{
    const char *p = f;
    *s = (struct spec){0};
    for (; p < end && strchr("-0+ ", *p) && *p; p++)
        s->left = s->left || *p == '-';
    const char *width = p;
    for (; p < end && isdigit((unsigned char)*p); p++)
        s->width = s->width * 10 + (uint32_t)(*p - '0');
    /* a wide field is as much work as it is wide */
    if (p - f > 12 || p - width > WIDTH_DIGITS_MAX)
        return 0;
    size_t prefix = (size_t)(p - f);
    while (p < end && *p == 'l' && s->longs < 2)
        s->longs++, p++;
    if (p == end)
        return 0;
    s->letter = *p++;
    if (!strchr("diuxXcsp", s->letter) || (s->longs && strchr("csp", s->letter)))
        return 0;
    s->pointer = s->letter == 'p';
    if (s->pointer && p < end) {
        static const char *const kinds[] = {"I4", "i4", "I6", "i6", "k", "u", "x", "K", "B", "s", "S"};
        for (size_t i = 0; i < ARRAY_SIZE(kinds) && !s->kind[0]; i++)
            if (strlen(kinds[i]) <= (size_t)(end - p) && strncmp(p, kinds[i], strlen(kinds[i])) == 0)
                memcpy(s->kind, kinds[i], strlen(kinds[i]));
        p += strlen(s->kind);
    }
    if ((s->kind[0] == 'k' || s->kind[0] == 'u') && (p == end || *p != 's'))
        return 0;
    if (s->kind[0] == 'k' || s->kind[0] == 'u') { /* %pks, %pus: strings */
        p++;
        s->letter = 's';
    }
    if ((s->letter == 's' || (s->letter == 'p' && !s->kind[0])) && !may_end(p, end))
        return 0;
    const bool address = s->letter == 'p' && (!s->kind[0] || s->kind[0] == 'x' || s->kind[0] == 'K');
    /* the length is left out: all numbers are given as long long */
    if (address)
        snprintf(s->text, sizeof(s->text), s->width ? "%%%.*sllx" : "%%0%.*s16llx", (int)prefix, f);
    else
        snprintf(s->text, sizeof(s->text), "%%%.*sll%c", (int)prefix, f, s->letter);
    if (address) {
        s->letter = 'x';
        s->longs = 2;
    }
    return (size_t)(p - f);
}

static void put_number(struct out *o, const struct spec *s, uint64_t arg)
{
    char text[NUMBER_MAX];
    int64_t number = (int64_t)arg;
    if (!s->longs)
        number = s->letter == 'd' || s->letter == 'i' ? (int32_t)arg : (int64_t)(uint32_t)arg;
    int n = s->letter == 'd' || s->letter == 'i'
                ? snprintf(text, sizeof(text), s->text, (long long)number)
                : snprintf(text, sizeof(text), s->text, (unsigned long long)number);
    put(o, text, MIN((size_t)MAX(n, 0), sizeof(text) - 1));
}

static void put_address(struct skep_exec *e, struct out *o, const struct spec *s, uint64_t arg)
{
    char text[64];
    if (s->kind[0] != 'I' && s->kind[0] != 'i') { /* a symbol, and nobody knows its name */
        snprintf(text, sizeof(text), "0x%llx", (unsigned long long)arg);
        put(o, text, strlen(text));
        return;
    }
    bool six = s->kind[1] == '6';
    uint8_t ip[16];
    /* one that cannot be read is all zeros, as in the kernel */
    memset(ip, 0, sizeof(ip));
    if (skep_exec_check(e, arg, six ? 16 : 4, false, NULL))
        memcpy(ip, (const void *)(uintptr_t)arg, six ? 16 : 4);
    if (six) {
        size_t n = 0;
        for (unsigned i = 0; i < 16; i += 2)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%02x%02x", i && s->kind[0] == 'I' ? ":" : "",
                                  ip[i], ip[i + 1]);
    } else {
        snprintf(text, sizeof(text), s->kind[0] == 'i' ? "%03u.%03u.%03u.%03u" : "%u.%u.%u.%u", ip[0], ip[1],
                 ip[2], ip[3]);
    }
    put(o, text, strlen(text));
}

/* Text in its field; a pointer to a string knows of none. */
static void put_text(struct out *o, const struct spec *s, const char *text, size_t len)
{
    const size_t blanks = s->width > len && !s->pointer ? s->width - len : 0;
    if (s->left)
        put(o, text, len);
    for (size_t i = 0; i < blanks; i++)
        put(o, " ", 1);
    if (!s->left)
        put(o, text, len);
}

static void put_string(struct skep_exec *e, struct out *o, const struct spec *s, uint64_t arg)
{
    char text[STRING_MAX];
    /* a string that cannot be read is empty, as in the kernel */
    if (skep_probe_str(e, text, sizeof(text), arg) < 0)
        text[0] = '\0';
    put_text(o, s, text, strlen(text));
}

int64_t skep_format(struct skep_exec *e, char *to, size_t room, const char *format, size_t format_size,
                    const uint64_t *args, size_t n_args)
{
    const char *end = memchr(format, '\0', format_size);
    struct out o = {to, room ? room - 1 : 0, 0};
    size_t used = 0;
    if (!end)
        return -EINVAL;
    for (const char *p = format; p < end; p++) {
        if (*p != '%') {
            /* text is UTF-8 at least since Linux 6.17 */
            if ((unsigned char)*p < 0x80 && !isprint((unsigned char)*p) && !isspace((unsigned char)*p))
                return -EINVAL;
            put(&o, p, 1);
            continue;
        }
        if (p + 1 < end && p[1] == '%') {
            put(&o, p++, 1);
            continue;
        }
        struct spec s;
        size_t n = parse(p + 1, end, &s);
        if (!n || used == n_args)
            return -EINVAL;
        uint64_t arg = args[used++];
        if (s.letter == 's')
            put_string(e, &o, &s, arg);
        else if (s.letter == 'p')
            put_address(e, &o, &s, arg);
        else if (s.letter == 'c')
            put_text(&o, &s, &(char){(char)arg}, 1);
        else
            put_number(&o, &s, arg);
        p += n;
        /* the kernel takes whatever letters and digits follow for a part of %p */
        while (s.pointer && p + 1 < end && isalnum((unsigned char)p[1]))
            p++;
    }
    if (room)
        to[MIN(o.len, room - 1)] = '\0';
    return (int64_t)o.len;
}

uint64_t skep_helper_snprintf(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t size = (uint32_t)r2, data_size = (uint32_t)r5;
    char format[TRACE_MAX];
    if (data_size % 8 || data_size > 8 * VARARGS_MAX || (data_size && !r4))
        return skep_helper_result(-EINVAL);
    char *to = skep_exec_memory(e, r1, size, true);
    const uint64_t *data = to ? skep_exec_memory(e, r4, data_size, false) : NULL;
    if (!data)
        return 0;
    if (skep_probe_str(e, format, sizeof(format), r3) < 0) {
        skep_exec_memory(e, r3, 1, false);
        skep_exec_fault(e, SKEP_VM_FAULT_READ, UINT32_MAX, r3, "the format cannot be read to its end");
        return 0;
    }
    uint64_t args[VARARGS_MAX];
    memcpy(args, data, data_size);
    int64_t n = skep_format(e, to, size, format, sizeof(format), args, data_size / 8);
    return (uint64_t)(n < 0 ? n : n + 1);
}

/* ---- traces ---- */

static uint64_t trace(struct skep_exec *e, uint64_t address, uint32_t size, const uint64_t *args,
                      size_t n_args)
{
    char text[TRACE_MAX];
    if (!size)
        return skep_helper_result(-EINVAL);
    const char *format = skep_exec_memory(e, address, size, false);
    if (!format)
        return 0;
    int64_t n = skep_format(e, text, sizeof(text), format, size, args, n_args);
    if (n < 0)
        return (uint64_t)n;
    size_t len = MIN((size_t)n, sizeof(text) - 1);
    size_t shown = len && text[len - 1] == '\n' ? len - 1 : len;
    text[shown] = '\0';
    const struct skep_vm_options *o = &e->vm->options;
    if (o->print)
        o->print(o->print_data, text, shown);
    return len;
}

uint64_t skep_helper_trace_printk(SKEP_HELPER_ARGS)
{
    const uint64_t args[3] = {r3, r4, r5};
    return trace(skep_exec_of(t), r1, (uint32_t)r2, args, 3);
}

uint64_t skep_helper_trace_vprintk(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t size = (uint32_t)r4;
    uint64_t args[VARARGS_MAX];
    if (size % 8 || size > sizeof(args) || (size && !r3))
        return skep_helper_result(-EINVAL);
    const void *data = skep_exec_memory(e, r3, size, false);
    if (!data)
        return 0;
    memcpy(args, data, size);
    return trace(e, r1, (uint32_t)r2, args, size / 8);
}

/* ---- strings and numbers ---- */

uint64_t skep_helper_strncmp(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t size = (uint32_t)r2;
    const char *a = skep_exec_memory(e, r1, size, false);
    if (!a)
        return 0;
    for (uint32_t i = 0; i < size; i++) {
        const char *b = skep_exec_memory(e, r3 + i, 1, false);
        if (!b)
            return 0;
        if (a[i] != *b)
            return skep_helper_result((unsigned char)a[i] < (unsigned char)*b ? -1 : 1);
        if (!a[i])
            return 0;
    }
    return 0;
}

/* The digits at s: their value and how many characters, with spaces, sign and prefix. -EINVAL: none; -ERANGE. */
static int64_t parse_number(const char *s, size_t n, unsigned base, bool *ret_negative, uint64_t *ret)
{
    size_t i = 0;
    /* the space that does not break a line is one to the kernel */
    while (i < n && (isspace((unsigned char)s[i]) || (unsigned char)s[i] == 0xa0))
        i++;
    *ret_negative = i < n && s[i] == '-';
    if (*ret_negative)
        i++;
    n = MIN(n, i + DIGITS_MAX);
    bool prefix = i + 1 < n && s[i] == '0' && (s[i + 1] | 32) == 'x';
    if (base == 0)
        base = prefix && i + 2 < n && isxdigit((unsigned char)s[i + 2]) ? 16 : i < n && s[i] == '0' ? 8 : 10;
    if (base == 16 && prefix)
        i += 2;
    size_t first = i;
    uint64_t v = 0;
    for (; i < n; i++) {
        unsigned c = (unsigned char)s[i], d = isdigit((int)c)   ? c - '0'
                                              : isalpha((int)c) ? (c | 32) - 'a' + 10
                                                                : 99;
        if (d >= base)
            break;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return -ERANGE;
    }
    if (i == first)
        return -EINVAL;
    *ret = v;
    return (int64_t)i;
}

static uint64_t string_to_number(struct skep_exec *e, uint64_t string, uint64_t size, uint64_t flags,
                                 uint64_t result, bool sign)
{
    const char *s = skep_exec_memory(e, string, (uint32_t)size, false);
    uint64_t *to = s ? skep_exec_memory(e, result, sizeof(*to), true) : NULL;
    if (!to)
        return 0;
    bool negative;
    uint64_t v = 0;
    memcpy(to, &v, sizeof(v)); /* what an error leaves there */
    if (!(uint32_t)size || (flags != 0 && flags != 8 && flags != 10 && flags != 16))
        return skep_helper_result(-EINVAL);
    int64_t n = parse_number(s, (uint32_t)size, (unsigned)flags, &negative, &v);
    if (n < 0)
        return (uint64_t)n;
    if (!sign && negative)
        return skep_helper_result(-EINVAL);
    if (sign && v > (uint64_t)INT64_MAX + negative)
        return skep_helper_result(-ERANGE);
    v = negative ? 0 - v : v;
    memcpy(to, &v, sizeof(v));
    return (uint64_t)n;
}

uint64_t skep_helper_strtol(SKEP_HELPER_ARGS)
{
    return string_to_number(skep_exec_of(t), r1, r2, r3, r4, true);
}

uint64_t skep_helper_strtoul(SKEP_HELPER_ARGS)
{
    return string_to_number(skep_exec_of(t), r1, r2, r3, r4, false);
}
