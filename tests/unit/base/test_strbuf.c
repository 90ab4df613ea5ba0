/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MODEL_MAX 3000

static uint64_t rng = 0x9e3779b97f4a7c15ULL;

static uint32_t pick(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 32) % below);
}

static void test_empty(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 10);
    assert_string_equal(sb.s, "");
    assert_int_equal(sb.len, 0);
    skep_strbuf_put(&sb, NULL, 0);
    skep_strbuf_puts(&sb, "");
    assert_string_equal(sb.s, "");
    assert_false(sb.failed);
}

static void test_maximum_is_exact(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max += 13) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, max);
        for (size_t i = 0; i < max; i++)
            skep_strbuf_putc(&sb, 'x');
        assert_false(sb.failed);
        assert_int_equal(sb.len, max);
        skep_strbuf_putc(&sb, 'y');
        assert_true(sb.failed);
        assert_int_equal(sb.len, max);
        assert_int_equal(strlen(sb.s), max);
        assert_null(strchr(sb.s, 'y'));
    }
}

static void test_failed_stays_until_reset(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 4);
    skep_strbuf_puts(&sb, "abcde");
    assert_true(sb.failed);
    skep_strbuf_puts(&sb, "a"); /* would fit, but a text with a hole is worse than a short one */
    assert_string_equal(sb.s, "");
    skep_strbuf_reset(&sb);
    assert_false(sb.failed);
    skep_strbuf_puts(&sb, "abcd");
    assert_string_equal(sb.s, "abcd");
    skep_strbuf_clear(&sb);
    assert_string_equal(sb.s, "");
    skep_strbuf_puts(&sb, "abcd");
    assert_string_equal(sb.s, "abcd");
}

static void test_huge_requests_fail(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, SIZE_MAX);
    skep_strbuf_puts(&sb, "abc");
    assert_null(skep_strbuf_reserve(&sb, SIZE_MAX));
    assert_true(sb.failed);
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "abc");
    assert_null(skep_strbuf_reserve(&sb, SIZE_MAX - 3));
    assert_true(sb.failed);
    assert_string_equal(sb.s, "abc");
}

static void test_numbers(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 9, 10, -10, 1234567890123LL, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char expected[2][32];
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 100);
        skep_strbuf_i64(&sb, values[i]);
        snprintf(expected[0], sizeof(expected[0]), "%lld", (long long)values[i]);
        assert_string_equal(sb.s, expected[0]);
        skep_strbuf_reset(&sb);
        skep_strbuf_u64(&sb, (uint64_t)values[i]);
        snprintf(expected[1], sizeof(expected[1]), "%llu", (unsigned long long)values[i]);
        assert_string_equal(sb.s, expected[1]);
    }
}

/* Random appends and truncations against an array; the failed mark, the length and each byte must agree. */
static void test_against_model(void **state)
{
    (void)state;
    static char model[MODEL_MAX + 1];
    for (int round = 0; round < 200; round++) {
        size_t len = 0, max = pick(MODEL_MAX);
        bool failed = false;
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, max);
        for (int step = 0; step < 100; step++) {
            char chunk[200];
            size_t n = pick(sizeof(chunk));
            for (size_t i = 0; i < n; i++)
                chunk[i] = (char)('a' + pick(26));
            chunk[n] = '\0';
            switch (pick(10)) {
            case 0:
                len = MIN(len, n);
                skep_strbuf_truncate(&sb, n);
                break;
            case 1:
                if (pick(4) == 0) {
                    len = 0;
                    failed = false;
                    skep_strbuf_reset(&sb);
                }
                break;
            default:
                if (failed || len + n > max) {
                    failed = true;
                } else {
                    memcpy(model + len, chunk, n);
                    len += n;
                }
                switch (pick(3)) {
                case 0:
                    skep_strbuf_put(&sb, chunk, n);
                    break;
                case 1:
                    skep_strbuf_puts(&sb, chunk);
                    break;
                default:
                    skep_strbuf_printf(&sb, "%s", chunk);
                }
            }
            assert_int_equal(sb.failed, failed);
            assert_int_equal(sb.len, len);
            assert_memory_equal(sb.s, model, len);
            assert_int_equal(sb.s[len], '\0');
        }
    }
}

/* What the standard calls well-formed, by decoding and range instead of by byte tables. */
static size_t utf8_len_model(const uint8_t *s, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = n == 0            ? 0
                 : s[0] < 0x80     ? 1
                 : s[0] >> 5 == 6  ? 2
                 : s[0] >> 4 == 14 ? 3
                 : s[0] >> 3 == 30 ? 4
                                   : 0;
    if (len == 0 || len > n)
        return 0;
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : len;
}

static void test_utf8(void **state)
{
    (void)state;
    static const uint8_t tails[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    uint8_t s[4];
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t c = 0; c < ARRAY_SIZE(tails); c++)
                for (size_t d = 0; d < ARRAY_SIZE(tails); d++)
                    for (size_t n = 0; n <= 4; n++) {
                        s[0] = (uint8_t)a, s[1] = (uint8_t)b, s[2] = tails[c], s[3] = tails[d];
                        if (skep_utf8_len(s, n) != utf8_len_model(s, n))
                            fail_msg("%02x %02x %02x %02x, %zu bytes", s[0], s[1], s[2], s[3], n);
                    }
}

static void test_visible(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t n;
        const char *out;
    } rows[] = {
        {"plain text", 10, "plain text"},
        {"a\nb\tc\rd", 7, "a\\nb\\tc\\x0dd"},
        {"\x1b[31mred", 8, "\\x1b[31mred"},
        {"nul\0in", 6, "nul\\x00in"},
        {"\x7f", 1, "\\x7f"},
        {"\xc2\x9b"
         "31m",
         5, "\\x9b31m"},
        {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
        {"\xf0\x9f\x90\x9d", 4, "\xf0\x9f\x90\x9d"},
        {"\xff", 1, "\xef\xbf\xbd"},
        {"cut \xe2\x82", 6, "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xe2\x80\xa8"
         "b\xe2\x80\xa9",
         8, "a\\u2028b\\u2029"},
        {"\xe2\x80\xae"
         "gpj.exe",
         10, "\\u202egpj.exe"},
        {"\xe2\x80\x8f\xe2\x81\xa6", 6, "\\u200f\\u2066"},
        {"\xe2\x80\x94 \xe2\x81\xaf", 7, "\xe2\x80\x94 \xe2\x81\xaf"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 100);
        skep_strbuf_put_visible(&sb, rows[i].in, rows[i].n);
        assert_string_equal(sb.s, rows[i].out);
    }
}

/* Whatever comes in, what goes to the terminal is valid UTF-8 without a control character. */
static void test_visible_random(void **state)
{
    (void)state;
    for (int round = 0; round < 5000; round++) {
        uint8_t in[64];
        size_t n = pick(sizeof(in));
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)(pick(3) ? 0x80 + pick(128) : pick(256));
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 4096);
        skep_strbuf_put_visible(&sb, in, n);
        assert_false(sb.failed);
        for (size_t i = 0; i < sb.len;) {
            const uint8_t *s = (const uint8_t *)sb.s + i;
            size_t len = skep_utf8_len(s, sb.len - i);
            assert_int_not_equal(len, 0);
            assert_true(s[0] >= 0x20 && s[0] != 0x7f && !(s[0] == 0xc2 && s[1] < 0xa0));
            i += len;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_maximum_is_exact),
        cmocka_unit_test(test_failed_stays_until_reset),
        cmocka_unit_test(test_huge_requests_fail),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_visible),
        cmocka_unit_test(test_visible_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
