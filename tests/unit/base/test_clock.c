/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#define S 1000000000ULL

static uint64_t rng = 0x853c49e6748fea9bULL;

static uint64_t pick(uint64_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (rng >> 8) % below;
}

static void test_duration_parse(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int r;
        uint64_t ns;
    } rows[] = {
        {"0", 0, 0},
        {"5", 0, 5 * S},
        {"5s", 0, 5 * S},
        {"250ms", 0, 250000000},
        {"3us", 0, 3000},
        {"7ns", 0, 7},
        {"2m", 0, 120 * S},
        {"1h30m", 0, 5400 * S},
        {"1d", 0, 86400 * S},
        {"1m1s1ms1us1ns", 0, 61 * S + 1001001},
        {"18446744073709551615ns", 0, UINT64_MAX},
        {"18446744073709551616ns", -ERANGE, 0},
        {"18446744074s", -ERANGE, 0},
        {"18446744073s709551616ns", -ERANGE, 0},
        {"213504d", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"-5s", -EINVAL, 0},
        {"+5s", -EINVAL, 0},
        {" 5s", -EINVAL, 0},
        {"5s ", -EINVAL, 0},
        {"5 s", -EINVAL, 0},
        {"1.5s", -EINVAL, 0},
        {"5x", -EINVAL, 0},
        {"5sm", -EINVAL, 0},
        {"5m5", 0, 305 * S},
        {"0x10s", -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t ns = 42;
        int r = skep_duration_parse(rows[i].in, &ns);
        if (r != rows[i].r || ns != (r < 0 ? 42 : rows[i].ns))
            fail_msg("\"%s\": %d, %llu", rows[i].in, r, (unsigned long long)ns);
    }
}

static void test_duration_put(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *out;
    } rows[] = {
        {0, "0ns"},
        {999, "999ns"},
        {1000, "1.00us"},
        {9994, "9.99us"},
        {9996, "10.0us"},
        {99960, "100us"},
        {999499, "999us"},
        {999600, "1.00ms"},
        {1234567, "1.23ms"},
        {999600000, "1.00s"},
        {4500000000, "4.50s"},
        {59940000000, "59.9s"},
        {59960000000, "1m00s"},
        {123 * S, "2m03s"},
        {3599 * S, "59m59s"},
        {3600 * S, "1h00m"},
        {90061 * S, "25h01m"},
        {UINT64_MAX, "5124095h34m"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 100);
        skep_duration_put(&sb, rows[i].ns);
        assert_string_equal(sb.s, rows[i].out);
    }
}

/* What is printed below a minute reads back to within half a unit of its third digit. */
static void test_duration_round_trip(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        double v, scale = 1;
        char unit[8];
        uint64_t ns = pick(1ULL << (1 + pick(35)));
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 100);
        skep_duration_put(&sb, ns);
        if (ns >= 59950000000)
            continue;
        assert_int_equal(sscanf(sb.s, "%lf%7s", &v, unit), 2);
        scale = skep_streq(unit, "s") ? 1e9 : skep_streq(unit, "ms") ? 1e6 : skep_streq(unit, "us") ? 1e3 : 1;
        double off = v * scale - (double)ns;
        if (off < 0)
            off = -off;
        if (off > 0.0051 * (double)ns || v >= 1000)
            fail_msg("%llu printed as %s", (unsigned long long)ns, sb.s);
    }
}

static void test_rfc3339(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *out;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {1769903999000000001, "2026-01-31T23:59:59.000000001Z"},
        {1709164800000000000, "2024-02-29T00:00:00.000000000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 100);
        skep_clock_put_rfc3339(&sb, rows[i].ns);
        assert_string_equal(sb.s, rows[i].out);
    }
}

static void test_time_of_day(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 100);
    assert_int_equal(setenv("TZ", "XXX-5:30", 1), 0);
    tzset();
    skep_clock_put_time_of_day(&sb, 1769903999999999999);
    assert_string_equal(sb.s, "05:29:59.999");
}

static void test_clocks(void **state)
{
    (void)state;
    struct timespec ts;
    uint64_t boot = skep_clock_boot_ns(), mono = skep_clock_mono_ns();
    assert_true(boot > 0 && mono > 0 && skep_clock_boot_ns() >= boot && skep_clock_mono_ns() >= mono);
    int64_t offset = skep_clock_boot_offset();
    clock_gettime(CLOCK_REALTIME, &ts);
    int64_t apart = (int64_t)skep_clock_boot_ns() + offset - (ts.tv_sec * (int64_t)S + ts.tv_nsec);
    assert_true(apart > -(int64_t)S && apart < (int64_t)S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration_parse),      cmocka_unit_test(test_duration_put),
        cmocka_unit_test(test_duration_round_trip), cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_time_of_day),         cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
