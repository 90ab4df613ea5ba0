/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
    (void)state;
    uint64_t v = 77;
    const char *end;
    assert_int_equal(skep_number_parse("0", UINT64_MAX, &v, &end), 0);
    assert_int_equal(v, 0);
    assert_int_equal(skep_number_parse("18446744073709551615,", UINT64_MAX, &v, &end), 0);
    assert_true(v == UINT64_MAX && *end == ',');
    v = 77;
    assert_int_equal(skep_number_parse("18446744073709551616", UINT64_MAX, &v, &end), -ERANGE);
    assert_int_equal(skep_number_parse("11", 10, &v, &end), -ERANGE);
    assert_int_equal(skep_number_parse("9", 5, &v, &end), -ERANGE);
    static const char *const wrong[] = {"", "-1", "+1", " 1", "x", "0x"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong) - 1; i++)
        assert_int_equal(skep_number_parse(wrong[i], UINT64_MAX, &v, &end), -EINVAL);
    assert_int_equal(v, 77);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t size;
    } right[] = {{"1", 1}, {"512K", 512 << 10}, {"16m", 16 << 20}, {"1GiB", 1 << 30}, {"2T", 2ULL << 40}};
    uint64_t v;
    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        assert_int_equal(skep_size_parse(right[i].text, &v), 0);
        assert_true(v == right[i].size);
    }
    v = 77;
    static const char *const wrong[] = {"", "K", "1X", "1KB", "1Ki", "1K ", "-1K"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(skep_size_parse(wrong[i], &v), -EINVAL);
    assert_int_equal(skep_size_parse("16777216T", &v), -ERANGE);
    assert_int_equal(skep_size_parse("99999999999999999999", &v), -ERANGE);
    assert_int_equal(v, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
