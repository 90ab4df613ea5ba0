/* SPDX-License-Identifier: Apache-2.0 */
#include "event/operand.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <time.h>

#define WORD_MAX 127 /* bytes of a number, address or name */

static bool is_order(enum skep_op op)
{
    return op == SKEP_OP_LT || op == SKEP_OP_LE || op == SKEP_OP_GT || op == SKEP_OP_GE;
}

static bool is_pattern(enum skep_op op)
{
    return op == SKEP_OP_CONTAINS || op == SKEP_OP_STARTSWITH || op == SKEP_OP_ENDSWITH || op == SKEP_OP_GLOB;
}

/* Types whose written form people compare with patterns. */
static bool is_word(enum skep_type type)
{
    const struct skep_type_info *info = skep_type_info(type);
    return (info->names && !info->names->set) || info->class == SKEP_CLASS_IP || type == SKEP_TYPE_syscall ||
           type == SKEP_TYPE_dev;
}

static bool is_set(enum skep_type type)
{
    const struct skep_names *names = skep_type_info(type)->names;
    return names && names->set;
}

static bool is_string(enum skep_type type)
{
    enum skep_class class = skep_type_info(type)->class;
    return class == SKEP_CLASS_TEXT || class == SKEP_CLASS_LIST;
}

bool skep_operand_allows(enum skep_type type, enum skep_op op)
{
    if (!is_order(op) && !is_pattern(op))
        return true;
    if (is_string(type))
        return is_pattern(op);
    if (is_set(type))
        return op == SKEP_OP_CONTAINS;
    if (is_word(type))
        return is_pattern(op);
    return is_order(op) && type != SKEP_TYPE_bool && type != SKEP_TYPE_ring;
}

/* ---- reading ---- */

static int parse_u64(const char *s, uint64_t *ret, const char **ret_end)
{
    if (*s < '0' || *s > '9')
        return -EINVAL;
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (errno)
        return -EINVAL;
    *ret = v;
    *ret_end = end;
    return 0;
}

static int parse_scaled(const char *s, uint64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t scale;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"K", 1ULL << 10},
        {"KiB", 1ULL << 10},
        {"kB", 1000},
        {"KB", 1000},
        {"M", 1ULL << 20},
        {"MiB", 1ULL << 20},
        {"MB", 1000000},
        {"G", 1ULL << 30},
        {"GiB", 1ULL << 30},
        {"GB", 1000000000},
        {"T", 1ULL << 40},
        {"TiB", 1ULL << 40},
        {"TB", 1000000000000},
    };
    uint64_t v;
    const char *end;
    int r = parse_u64(s, &v, &end);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (skep_streq(end, units[i].unit))
            return __builtin_mul_overflow(v, units[i].scale, ret) ? -EINVAL : 0;
    return -EINVAL;
}

static int parse_set(const struct skep_names *names, const char *s, struct skep_operand *ret)
{
    const char *end;
    ret->u = ret->mask = 0;
    if (names->all && skep_streq(s, "all")) {
        for (size_t i = 0; i < names->n; i++)
            ret->mask |= names->rows[i].mask;
        ret->u = ret->mask;
        return 0;
    }
    for (;; s++) {
        size_t n = strcspn(s, "|");
        const struct skep_name *row = skep_names_find(names, s, n);
        uint64_t bits;
        if (row) {
            ret->u |= row->value;
            ret->mask |= row->mask;
        } else if (parse_u64(s, &bits, &end) == 0 && end == s + n) {
            ret->u |= bits;
            ret->mask |= bits;
        } else {
            return -EINVAL;
        }
        s += n;
        if (!*s)
            return 0;
    }
}

/* A name of the table, its number, or the written form of a number without a name (cmd#99). */
static int parse_enum(const struct skep_names *names, const char *s, struct skep_operand *ret)
{
    const struct skep_name *row = skep_names_find(names, s, strlen(s));
    if (row) {
        ret->u = row->value;
        ret->i = (int64_t)row->value;
        return 0;
    }
    const char *end, *number = names->unknown ? skep_startswith(s, names->unknown) : NULL;
    if (parse_u64(number ? number : s, &ret->u, &end) < 0 || *end)
        return -EINVAL;
    ret->i = (int64_t)ret->u;
    return 0;
}

static int parse_ip(const char *s, bool network, struct skep_operand *ret)
{
    char address[WORD_MAX + 1];
    const char *slash = strchr(s, '/'), *end;
    size_t n = slash ? (size_t)(slash - s) : strlen(s);
    if (slash && !network)
        return -EINVAL;
    memcpy(address, s, n);
    address[n] = '\0';
    unsigned bits;
    memset(ret->ip, 0, sizeof(ret->ip));
    if (inet_pton(AF_INET, address, ret->ip + 12) == 1) {
        ret->ip[10] = ret->ip[11] = 0xff;
        bits = 32;
    } else if (inet_pton(AF_INET6, address, ret->ip) == 1) {
        bits = 128;
    } else {
        return -EINVAL;
    }
    uint64_t prefix = bits;
    if (slash && (parse_u64(slash + 1, &prefix, &end) < 0 || *end || prefix > bits))
        return -EINVAL;
    ret->prefix = (uint8_t)(prefix + 128 - bits);
    return 0;
}

/* 2026-01-31T23:59:59[.fraction]Z to UTC nanoseconds. */
static int parse_time(const char *s, int64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end || tm.tm_year < 70 || tm.tm_year > 300)
        return -EINVAL;
    int64_t ns = 0, unit = 100000000;
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
            ns += (*end - '0') * unit;
    if (!skep_streq(end, "Z"))
        return -EINVAL;
    if (__builtin_mul_overflow((int64_t)timegm(&tm), 1000000000LL, ret))
        return -EINVAL;
    return __builtin_add_overflow(*ret, ns, ret) ? -EINVAL : 0;
}

static int parse_bool(const char *s, uint64_t *ret)
{
    bool yes = skep_streq(s, "true") || skep_streq(s, "yes") || skep_streq(s, "1");
    if (!yes && !skep_streq(s, "false") && !skep_streq(s, "no") && !skep_streq(s, "0"))
        return -EINVAL;
    *ret = yes;
    return 0;
}

static int parse_ring(const char *s, uint64_t *ret)
{
    const char *cpu = skep_startswith(s, "cpu"), *end;
    if (skep_streq(s, "life")) {
        *ret = 0;
        return 0;
    }
    uint64_t v;
    if (!cpu || parse_u64(cpu, &v, &end) < 0 || *end || v > UINT32_MAX)
        return -EINVAL;
    *ret = v + 1;
    return 0;
}

static int parse_integer(const char *s, int64_t *ret)
{
    uint64_t v;
    const char *end;
    bool negative = *s == '-';
    if (parse_u64(s + negative, &v, &end) < 0 || *end || v > INT64_MAX)
        return -EINVAL;
    *ret = negative ? -(int64_t)v : (int64_t)v;
    return 0;
}

static int parse_number(enum skep_type type, const char *s, struct skep_operand *ret,
                        const char **ret_expected)
{
    const char *end;
    switch (type) {
    case SKEP_TYPE_bool:
        *ret_expected = "true or false";
        return parse_bool(s, &ret->u);
    case SKEP_TYPE_time:
        *ret_expected = "a time such as 2026-01-31T23:59:59Z";
        return parse_time(s, &ret->i);
    case SKEP_TYPE_duration:
        /* A bare number would be seconds to some and nanoseconds to others. */
        *ret_expected = "a duration with its unit, such as 10ms or 2s";
        return s[strspn(s, "0123456789")] || skep_streq(s, "0") ? skep_duration_parse(s, &ret->u) : -EINVAL;
    case SKEP_TYPE_dev: {
        uint64_t major, minor;
        *ret_expected = "a device such as 8:1";
        if (parse_u64(s, &major, &end) < 0 || *end != ':' || parse_u64(end + 1, &minor, &end) < 0 || *end)
            return -EINVAL;
        ret->u = major << 20 | minor;
        return major > 0xfff || minor > 0xfffff ? -EINVAL : 0;
    }
    case SKEP_TYPE_ring:
        *ret_expected = "life or cpu and a number";
        return parse_ring(s, &ret->u);
    case SKEP_TYPE_mode:
        *ret_expected = "permissions in octal, such as 0644";
        if (s[strspn(s, "01234567")])
            return -EINVAL;
        ret->u = strtoull(s, NULL, 8);
        return 0;
    case SKEP_TYPE_fdnum:
        *ret_expected = "a number or AT_FDCWD";
        if (skep_streq(s, "AT_FDCWD")) {
            ret->i = AT_FDCWD;
            return 0;
        }
        return parse_integer(s, &ret->i);
    case SKEP_TYPE_integer:
        *ret_expected = "a number";
        return parse_integer(s, &ret->i);
    case SKEP_TYPE_size:
    case SKEP_TYPE_count:
    case SKEP_TYPE_number:
        *ret_expected = "a number, with a unit such as KiB if wanted";
        return parse_scaled(s, &ret->u);
    default:
        *ret_expected = "a number";
        return parse_u64(s, &ret->u, &end) < 0 || *end ? -EINVAL : 0;
    }
}

int skep_operand_parse(enum skep_type type, enum skep_op op, const char *s, size_t n,
                       struct skep_operand *ret, const char **ret_expected)
{
    const struct skep_type_info *info = skep_type_info(type);
    char word[WORD_MAX + 1];
    struct skep_operand o = {.s = s, .n = n};
    int r = 0;
    *ret_expected = "text";
    if (!is_string(type) && !is_pattern(op) && type != SKEP_TYPE_syscall) {
        *ret_expected = info->doc;
        if (n == 0 || n > WORD_MAX || memchr(s, '\0', n))
            return -EINVAL;
    }
    if (n <= WORD_MAX) {
        memcpy(word, s, n);
        word[n] = '\0';
    }
    if (is_set(type)) {
        r = n > WORD_MAX ? -EINVAL : parse_set(info->names, word, &o);
        *ret_expected = info->doc;
    } else if (is_string(type) || is_pattern(op) || type == SKEP_TYPE_syscall) {
        r = 0;
    } else if (info->class == SKEP_CLASS_IP) {
        *ret_expected = op == SKEP_OP_IN ? "an IP address or a network such as 10.0.0.0/8" : "an IP address";
        r = parse_ip(word, op == SKEP_OP_IN, &o);
    } else if (info->names) {
        r = parse_enum(info->names, word, &o);
    } else {
        r = parse_number(type, word, &o, ret_expected);
    }
    if (r < 0)
        return r;
    *ret = o;
    return 0;
}

/* ---- comparing ---- */

/* One set of a pattern, p behind its [. Returns the byte behind ], or NULL when there is none. */
static const char *match_set(const char *p, const char *end, char c, bool *ret)
{
    bool negated = p < end && (*p == '!' || *p == '^'), found = false;
    p += negated;
    for (bool first = true; p < end && (first || *p != ']'); first = false) {
        unsigned char low = (unsigned char)*p++, high = low;
        if (p + 1 < end && *p == '-' && p[1] != ']') {
            high = (unsigned char)p[1];
            p += 2;
        }
        found |= (unsigned char)c >= low && (unsigned char)c <= high;
    }
    if (p >= end)
        return NULL;
    *ret = found != negated;
    return p + 1;
}

bool skep_glob_match(const char *pattern, size_t n_pattern, const char *s, size_t n)
{
    const char *p = pattern, *p_end = pattern + n_pattern, *end = s + n;
    const char *star = NULL, *star_s = NULL; /* where to go on when what follows the last * does not fit */
    while (s < end) {
        bool fits = false;
        const char *next = p;
        if (p < p_end && *p == '*') {
            star = ++p;
            star_s = s;
            continue;
        }
        if (p < p_end) {
            next = p + 1;
            if (*p == '?') {
                fits = true;
            } else if (*p == '[') {
                const char *behind = match_set(p + 1, p_end, *s, &fits);
                if (behind)
                    next = behind;
                else
                    fits = *s == '[';
            } else if (*p == '\\' && p + 1 < p_end) {
                fits = *s == p[1];
                next = p + 2;
            } else {
                fits = *p == *s;
            }
        }
        if (fits) {
            p = next;
            s++;
        } else if (star) {
            p = star;
            s = ++star_s;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}

static bool match_bytes(enum skep_op op, const char *s, size_t n, const struct skep_operand *o)
{
    switch (op) {
    case SKEP_OP_CONTAINS:
        return o->n == 0 || memmem(s, n, o->s, o->n) != NULL;
    case SKEP_OP_STARTSWITH:
        return n >= o->n && memcmp(s, o->s, o->n) == 0;
    case SKEP_OP_ENDSWITH:
        return n >= o->n && memcmp(s + (n - o->n), o->s, o->n) == 0;
    case SKEP_OP_GLOB:
        return skep_glob_match(o->s, o->n, s, n);
    default:
        return n == o->n && memcmp(s, o->s, n) == 0;
    }
}

static bool match_list(enum skep_op op, const struct skep_value *v, const struct skep_operand *o)
{
    const char *s;
    size_t n, at = 0;
    while (skep_list_next(v->s, v->n, &at, &s, &n))
        if (match_bytes(op, s, n, o))
            return true;
    return false;
}

static bool match_ip(const struct skep_value *v, const struct skep_operand *o)
{
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};
    if (v->n == 4)
        memcpy(ip + 12, v->s, 4);
    else
        memcpy(ip, v->s, 16);
    unsigned bytes = o->prefix / 8, rest = o->prefix % 8;
    if (memcmp(ip, o->ip, bytes) != 0)
        return false;
    return rest == 0 || (ip[bytes] ^ o->ip[bytes]) >> (8 - rest) == 0;
}

static int order(const struct skep_value *v, const struct skep_operand *o)
{
    if (v->class == SKEP_CLASS_INT || v->type == SKEP_TYPE_time)
        return v->i < o->i ? -1 : v->i > o->i;
    return v->u < o->u ? -1 : v->u > o->u;
}

static bool match_one(enum skep_op op, const struct skep_value *v, const struct skep_operand *o,
                      struct skep_strbuf *scratch)
{
    if (v->class == SKEP_CLASS_TEXT)
        return match_bytes(op, v->s, v->n, o);
    if (v->class == SKEP_CLASS_LIST)
        return match_list(op, v, o);
    if (is_set(v->type) && op == SKEP_OP_CONTAINS)
        return (v->u & o->mask) == o->u;
    if (is_pattern(op) || v->type == SKEP_TYPE_syscall) {
        skep_strbuf_reset(scratch);
        skep_value_put_text(scratch, v);
        return match_bytes(op, scratch->s, scratch->len, o);
    }
    if (v->class == SKEP_CLASS_IP)
        return match_ip(v, o);
    int d = order(v, o);
    switch (op) {
    case SKEP_OP_LT:
        return d < 0;
    case SKEP_OP_LE:
        return d <= 0;
    case SKEP_OP_GT:
        return d > 0;
    case SKEP_OP_GE:
        return d >= 0;
    default:
        return d == 0;
    }
}

bool skep_operand_match(enum skep_op op, const struct skep_value *v, const struct skep_operand *operands,
                        size_t n, struct skep_strbuf *scratch)
{
    bool found = false;
    for (size_t i = 0; i < n && !found; i++)
        found = match_one(op, v, &operands[i], scratch);
    return found != (op == SKEP_OP_NE);
}
