/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S 1000000000LL

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) < 0)
        return 0;
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t skep_clock_boot_ns(void)
{
    return (uint64_t)read_clock(CLOCK_BOOTTIME);
}

uint64_t skep_clock_mono_ns(void)
{
    return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

int64_t skep_clock_boot_offset(void)
{
    /* The tightest of a few bracketed readings: we may lose the processor between two of them. */
    int64_t best = 0, best_width = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        int64_t before = read_clock(CLOCK_BOOTTIME);
        int64_t utc = read_clock(CLOCK_REALTIME);
        int64_t after = read_clock(CLOCK_BOOTTIME);
        if (after - before < best_width) {
            best_width = after - before;
            best = utc - (before + (after - before) / 2);
        }
    }
    return best;
}

static void split(int64_t ns, time_t *ret_s, long *ret_rest)
{
    int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        s--;
    }
    *ret_s = (time_t)s;
    *ret_rest = (long)rest;
}

void skep_clock_digits9(char *to, unsigned ns)
{
    to[0] = (char)('0' + ns / 100000000);
    skep_digits2(to + 1, ns / 1000000 % 100);
    skep_digits2(to + 3, ns / 10000 % 100);
    skep_digits2(to + 5, ns / 100 % 100);
    skep_digits2(to + 7, ns % 100);
}

/* Every event carries two or three of these: no gmtime and printf. The date is that of the proleptic Gregorian
 * calendar, counted in eras of 400 years that begin on the first of March. */
void skep_clock_put_rfc3339(struct skep_strbuf *sb, int64_t utc_ns)
{
    time_t s;
    long rest;
    split(utc_ns, &s, &rest);
    int64_t day = s / 86400, second = s % 86400;
    if (second < 0) {
        second += 86400;
        day--;
    }
    day += 719468; /* from 1970-01-01 back to 0000-03-01; int64_t nanoseconds reach back to 1677 only */
    unsigned era = (unsigned)(day / 146097), of_era = (unsigned)(day % 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0: March */
    char text[] = "0000-00-00T00:00:00.000000000Z";
    unsigned of_calendar = era * 400 + year + (month >= 10), ns = (unsigned)rest;
    skep_digits2(text, of_calendar / 100 % 100);
    skep_digits2(text + 2, of_calendar % 100);
    skep_digits2(text + 5, month < 10 ? month + 3 : month - 9);
    skep_digits2(text + 8, of_year - (153 * month + 2) / 5 + 1);
    skep_digits2(text + 11, (unsigned)second / 3600);
    skep_digits2(text + 14, (unsigned)second / 60 % 60);
    skep_digits2(text + 17, (unsigned)second % 60);
    skep_clock_digits9(text + 20, ns);
    skep_strbuf_put(sb, text, sizeof(text) - 1);
}

void skep_clock_put_time_of_day(struct skep_strbuf *sb, int64_t utc_ns)
{
    time_t s;
    long rest;
    struct tm tm;
    split(utc_ns, &s, &rest);
    if (!localtime_r(&s, &tm))
        tm = (struct tm){0};
    char text[] = "00:00:00.000";
    unsigned ms = (unsigned)(rest / 1000000);
    skep_digits2(text, (unsigned)tm.tm_hour);
    skep_digits2(text + 3, (unsigned)tm.tm_min);
    skep_digits2(text + 6, (unsigned)tm.tm_sec);
    text[9] = (char)('0' + ms / 100);
    skep_digits2(text + 10, ms % 100);
    skep_strbuf_put(sb, text, sizeof(text) - 1);
}

void skep_clock_put_local(struct skep_strbuf *sb, int64_t utc_ns, bool date, bool fraction)
{
    time_t s;
    long rest;
    struct tm tm;
    split(utc_ns, &s, &rest);
    if (!localtime_r(&s, &tm))
        tm = (struct tm){.tm_mday = 1};
    if (date)
        skep_strbuf_printf(sb, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    skep_strbuf_printf(sb, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (fraction)
        skep_strbuf_printf(sb, ".%09ld", rest);
}

void skep_clock_put_iso8601(struct skep_strbuf *sb, int64_t utc_ns)
{
    size_t len = sb->len;
    skep_clock_put_rfc3339(sb, utc_ns);
    if (sb->len > len)
        skep_strbuf_truncate(sb, sb->len - 1); /* its Z */
    skep_strbuf_puts(sb, "+0000");
}

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S},
    {"d", 86400 * NS_PER_S},
};

int skep_duration_parse(const char *s, uint64_t *ret_ns)
{
    uint64_t total = 0;
    if (!*s)
        return -EINVAL;
    while (*s) {
        if (*s < '0' || *s > '9')
            return -EINVAL;
        char *end;
        errno = 0;
        uint64_t n = strtoull(s, &end, 10);
        if (errno)
            return -ERANGE;
        size_t len = strspn(end, "nusmhd");
        uint64_t scale = 0;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
            if (strlen(units[i].name) == len && strncmp(units[i].name, end, len) == 0)
                scale = units[i].ns;
        if (len == 0 && *end == '\0')
            scale = NS_PER_S;
        if (scale == 0)
            return -EINVAL;
        if (__builtin_mul_overflow(n, scale, &n) || __builtin_add_overflow(total, n, &total))
            return -ERANGE;
        s = end + len;
    }
    *ret_ns = total;
    return 0;
}

void skep_duration_put(struct skep_strbuf *sb, uint64_t ns)
{
    /* the bounds are where rounding to three digits would give a fourth: 999.6us is 1.00ms */
    if (ns >= 59950000000) {
        uint64_t s = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2);
        if (s >= 3600)
            skep_strbuf_printf(sb, "%luh%02lum", (unsigned long)(s / 3600), (unsigned long)(s / 60 % 60));
        else
            skep_strbuf_printf(sb, "%lum%02lus", (unsigned long)(s / 60), (unsigned long)(s % 60));
        return;
    }
    size_t unit = ns >= 999500000 ? 3 : ns >= 999500 ? 2 : ns >= 1000 ? 1 : 0;
    double v = (double)ns / (double)units[unit].ns;
    int places = unit == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
    skep_strbuf_printf(sb, "%.*f%s", places, v, units[unit].name);
}
