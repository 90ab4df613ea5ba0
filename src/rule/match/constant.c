/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/constant.h"

#include <arpa/inet.h>

/* A number at *s, which is moved behind it. */
static bool read_number(const char **s, int64_t *ret)
{
    const char *p = *s;
    bool minus = *p == '-';
    p += *p == '-' || *p == '+';
    unsigned base = p[0] == '0' && (p[1] == 'x' || p[1] == 'X') ? 16 : 10;
    p += base == 16 ? 2 : 0;
    const char *first = p;
    uint64_t v = 0;
    for (;; p++) {
        unsigned d;
        if (*p >= '0' && *p <= '9')
            d = (unsigned)(*p - '0');
        else if (base == 16 && (*p | 32) >= 'a' && (*p | 32) <= 'f')
            d = (unsigned)((*p | 32) - 'a' + 10);
        else
            break;
        if (__builtin_mul_overflow(v, (uint64_t)base, &v) || __builtin_add_overflow(v, (uint64_t)d, &v))
            return false;
    }
    if (p == first || v > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)-v : (int64_t)v;
    *s = p;
    return true;
}

static bool read_interval(const char *s, const char *end, bool ranges, struct skep_constant *ret)
{
    int64_t lo, hi;
    if (!read_number(&s, &lo))
        return false;
    hi = lo;
    if (ranges && *s == '-') {
        s++;
        if (!read_number(&s, &hi))
            return false;
    }
    if (s != end)
        return false;
    ret->number.lo = lo;
    ret->number.hi = hi;
    return true;
}

static bool read_ip(const char *s, size_t n, struct skep_constant *ret)
{
    char text[INET6_ADDRSTRLEN];
    const char *slash = memchr(s, '/', n);
    size_t len = slash ? (size_t)(slash - s) : n;
    if (len >= sizeof(text))
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    struct skep_constant c = {0};
    if (inet_pton(AF_INET, text, c.ip.bytes) == 1)
        c.ip.len = 4;
    else if (inet_pton(AF_INET6, text, c.ip.bytes) == 1)
        c.ip.len = 16;
    else
        return false;
    int64_t bits = c.ip.len * 8;
    if (slash) {
        const char *p = slash + 1;
        if (*p < '0' || *p > '9' || !read_number(&p, &bits) || p != s + n || bits > c.ip.len * 8)
            return false;
    }
    c.ip.bits = (uint8_t)bits;
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits > i * 8 ? MIN((unsigned)bits - i * 8, 8U) : 0;
        c.ip.bytes[i] &= (uint8_t)(0xff00 >> keep);
    }
    *ret = c;
    return true;
}

bool skep_constant_read(enum skep_rule_type type, const char *s, size_t n, bool ranges,
                        struct skep_constant *ret, const char **ret_reason)
{
    struct skep_constant c = {0};
    switch (type) {
    case SKEP_RULE_TEXT:
        c.text.s = s;
        c.text.n = n;
        break;
    case SKEP_RULE_NUMBER:
        if (!read_interval(s, s + n, ranges, &c)) {
            *ret_reason = "is not a number";
            return false;
        }
        if (c.number.lo > c.number.hi) {
            *ret_reason = "is a range whose end is before its beginning";
            return false;
        }
        break;
    case SKEP_RULE_BOOL:
        if (n == 4 && memcmp(s, "true", 4) == 0) {
            c.number.lo = c.number.hi = 1;
        } else if (n != 5 || memcmp(s, "false", 5) != 0) {
            *ret_reason = "is neither true nor false";
            return false;
        }
        break;
    case SKEP_RULE_IP:
        if (!read_ip(s, n, &c)) {
            *ret_reason = "is neither an address nor a network (10.0.0.0/8)";
            return false;
        }
        break;
    }
    *ret = c;
    return true;
}

/* ---- sets ---- */

static int compare_text(const void *a, const void *b)
{
    const struct skep_constant *x = a, *y = b;
    if (x->text.n != y->text.n)
        return x->text.n < y->text.n ? -1 : 1;
    return memcmp(x->text.s, y->text.s, x->text.n);
}

static int compare_number(const void *a, const void *b)
{
    const struct skep_constant *x = a, *y = b;
    if (x->number.lo != y->number.lo)
        return x->number.lo < y->number.lo ? -1 : 1;
    return (x->number.hi > y->number.hi) - (x->number.hi < y->number.hi);
}

static int compare_ip(const void *a, const void *b)
{
    const struct skep_constant *x = a, *y = b;
    if (x->ip.len != y->ip.len)
        return x->ip.len < y->ip.len ? -1 : 1;
    int d = memcmp(x->ip.bytes, y->ip.bytes, 16);
    return d ? d : (x->ip.bits > y->ip.bits) - (x->ip.bits < y->ip.bits);
}

static bool inside(const struct skep_constant *net, const uint8_t *ip)
{
    unsigned whole = net->ip.bits / 8, rest = net->ip.bits % 8;
    return memcmp(net->ip.bytes, ip, whole) == 0 &&
           (rest == 0 || ((net->ip.bytes[whole] ^ ip[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

/* c begins where last ends, or is in it; last takes it in. */
static bool absorb(enum skep_rule_type type, struct skep_constant *last, const struct skep_constant *c)
{
    switch (type) {
    case SKEP_RULE_TEXT:
        return compare_text(last, c) == 0;
    case SKEP_RULE_IP:
        return last->ip.len == c->ip.len && last->ip.bits <= c->ip.bits && inside(last, c->ip.bytes);
    default:
        if (last->number.hi != INT64_MAX && c->number.lo > last->number.hi + 1)
            return false;
        last->number.hi = MAX(last->number.hi, c->number.hi);
        return true;
    }
}

size_t skep_constants_sort(enum skep_rule_type type, struct skep_constant *c, size_t n)
{
    if (n == 0)
        return 0;
    qsort(c, n, sizeof(*c),
          type == SKEP_RULE_TEXT ? compare_text
          : type == SKEP_RULE_IP ? compare_ip
                                 : compare_number);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++)
        if (!absorb(type, &c[kept - 1], &c[i]))
            c[kept++] = c[i];
    return kept;
}

bool skep_constants_have_text(const struct skep_constant *c, size_t n, const char *s, size_t len)
{
    const struct skep_constant key = {.text = {s, len}};
    return n && bsearch(&key, c, n, sizeof(*c), compare_text);
}

bool skep_constants_have_number(const struct skep_constant *c, size_t n, int64_t v)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (v < c[mid].number.lo)
            hi = mid;
        else if (v > c[mid].number.hi)
            lo = mid + 1;
        else
            return true;
    }
    return false;
}

/* Networks do not overlap: the last that begins at or before the address is the only one that may have it. */
bool skep_constants_have_ip(const struct skep_constant *c, size_t n, const void *ip, size_t len)
{
    struct skep_constant key = {0};
    if (len != 4 && len != 16)
        return false;
    key.ip.len = (uint8_t)len;
    key.ip.bits = UINT8_MAX;
    memcpy(key.ip.bytes, ip, len);
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare_ip(&c[mid], &key) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo && c[lo - 1].ip.len == len && inside(&c[lo - 1], key.ip.bytes);
}
