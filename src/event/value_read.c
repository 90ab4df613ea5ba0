/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people write them; see event/value.h. */
#include "base/clock.h"
#include "base/spell.h"
#include "event/value.h"

#include <fcntl.h>
#include <time.h>

#define WORD_MAX 127 /* bytes of a number or name */

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

static int parse_set(const struct skep_names *names, const char *s, struct skep_word *ret)
{
    const char *end;
    ret->number = ret->mask = 0;
    if (names->all && skep_streq(s, "all")) {
        for (size_t i = 0; i < names->n; i++)
            ret->mask |= names->rows[i].mask;
        ret->number = ret->mask;
        return 0;
    }
    for (;; s++) {
        size_t n = strcspn(s, "|");
        const struct skep_name *row = skep_names_find(names, s, n);
        uint64_t bits;
        if (row) {
            ret->number |= row->value;
            ret->mask |= row->mask;
        } else if (parse_u64(s, &bits, &end) == 0 && end == s + n) {
            ret->number |= bits;
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
static int parse_enum(const struct skep_names *names, const char *s, uint64_t *ret)
{
    const struct skep_name *row = skep_names_find(names, s, strlen(s));
    if (row) {
        *ret = row->value;
        return 0;
    }
    const char *end, *number = names->unknown ? skep_startswith(s, names->unknown) : NULL;
    return parse_u64(number ? number : s, ret, &end) < 0 || *end ? -EINVAL : 0;
}

/* 2026-01-31T23:59:59[.fraction]Z to UTC nanoseconds. */
static int parse_time(const char *s, uint64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end || tm.tm_year < 70 || tm.tm_year > 300)
        return -EINVAL;
    int64_t ns = 0, unit = 100000000, sum;
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
            ns += (*end - '0') * unit;
    if (!skep_streq(end, "Z"))
        return -EINVAL;
    if (__builtin_mul_overflow((int64_t)timegm(&tm), 1000000000LL, &sum) ||
        __builtin_add_overflow(sum, ns, &sum))
        return -EINVAL;
    *ret = (uint64_t)sum;
    return 0;
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
    uint64_t v;
    if (skep_streq(s, "life")) {
        *ret = 0;
        return 0;
    }
    if (!cpu || parse_u64(cpu, &v, &end) < 0 || *end || v > UINT32_MAX)
        return -EINVAL;
    *ret = v + 1;
    return 0;
}

static int parse_dev(const char *s, uint64_t *ret)
{
    uint64_t major, minor;
    const char *end;
    if (parse_u64(s, &major, &end) < 0 || *end != ':' || parse_u64(end + 1, &minor, &end) < 0 || *end ||
        major > 0xfff || minor > 0xfffff)
        return -EINVAL;
    *ret = major << 20 | minor;
    return 0;
}

static int parse_integer(const char *s, uint64_t *ret)
{
    uint64_t v;
    const char *end;
    bool negative = *s == '-';
    if (parse_u64(s + negative, &v, &end) < 0 || *end || v > INT64_MAX)
        return -EINVAL;
    *ret = negative ? -v : v;
    return 0;
}

static int parse_number(enum skep_type type, const char *s, uint64_t *ret, const char **ret_expected)
{
    const char *end;
    switch (type) {
    case SKEP_TYPE_bool:
        *ret_expected = "true or false";
        return parse_bool(s, ret);
    case SKEP_TYPE_time:
        *ret_expected = "a time such as 2026-01-31T23:59:59Z";
        return parse_time(s, ret);
    case SKEP_TYPE_duration:
        /* A bare number would be seconds to some and nanoseconds to others. */
        *ret_expected = "a duration with its unit, such as 10ms or 2s";
        return s[strspn(s, "0123456789")] || skep_streq(s, "0") ? skep_duration_parse(s, ret) : -EINVAL;
    case SKEP_TYPE_dev:
        *ret_expected = "a device such as 8:1";
        return parse_dev(s, ret);
    case SKEP_TYPE_ring:
        *ret_expected = "life or cpu and a number";
        return parse_ring(s, ret);
    case SKEP_TYPE_mode:
        *ret_expected = "permissions in octal, such as 0644";
        if (s[strspn(s, "01234567")])
            return -EINVAL;
        *ret = strtoull(s, NULL, 8);
        return 0;
    case SKEP_TYPE_fdnum:
        *ret_expected = "a number or AT_FDCWD";
        *ret = (uint64_t)(int64_t)AT_FDCWD;
        return skep_streq(s, "AT_FDCWD") ? 0 : parse_integer(s, ret);
    case SKEP_TYPE_integer:
        *ret_expected = "a number";
        return parse_integer(s, ret);
    case SKEP_TYPE_size:
    case SKEP_TYPE_count:
    case SKEP_TYPE_number:
        *ret_expected = "a number, with a unit such as KiB if wanted";
        return parse_scaled(s, ret);
    default:
        *ret_expected = "a number";
        return parse_u64(s, ret, &end) < 0 || *end ? -EINVAL : 0;
    }
}

int skep_value_read(enum skep_type type, const char *s, size_t n, struct skep_word *ret,
                    const char **ret_expected)
{
    const struct skep_names *names = skep_type_info(type)->names;
    char text[WORD_MAX + 1];
    struct skep_word word = {0};
    *ret_expected = skep_type_info(type)->doc;
    if (n == 0 || n > WORD_MAX || memchr(s, '\0', n))
        return -EINVAL;
    memcpy(text, s, n);
    text[n] = '\0';
    int r = !names       ? parse_number(type, text, &word.number, ret_expected)
            : names->set ? parse_set(names, text, &word)
                         : parse_enum(names, text, &word.number);
    if (r < 0)
        return r;
    *ret = word;
    return 0;
}

const char *skep_value_nearest(enum skep_type type, const char *s, size_t n)
{
    const struct skep_names *names = skep_type_info(type)->names;
    struct skep_spell sp;
    const char *bar = memrchr(s, '|', n);
    skep_spell_init(&sp, bar ? bar + 1 : s, bar ? n - (size_t)(bar + 1 - s) : n);
    for (size_t i = 0; names && i < names->n; i++)
        skep_spell_offer(&sp, names->rows[i].name);
    return sp.best;
}
