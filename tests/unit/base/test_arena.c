/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_pieces(void **state)
{
    (void)state;
    _cleanup_arena_ struct skep_arena *a = NULL;
    assert_int_equal(skep_arena_new(16u << 20, &a), 0);
    char *all[2000];
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        all[i] = skep_arena_alloc(a, i);
        assert_non_null(all[i]);
        assert_int_equal((uintptr_t)all[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(all[i][k], 0);
        memset(all[i], (int)i, i);
    }
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        for (size_t k = 0; k < i; k++)
            assert_int_equal(all[i][k], (char)i);
    char *big = skep_arena_alloc(a, 5u << 20);
    memset(big, 1, 5u << 20);
    assert_string_equal(skep_arena_text(a, "abcd", 3), "abc");
    assert_string_equal(skep_arena_text(a, NULL, 0), "");
    assert_string_equal(skep_arena_printf(a, "%d-%s", 7, "x"), "7-x");
    uint64_t *numbers = skep_arena_array(a, 1000, sizeof(uint64_t));
    assert_int_equal(numbers[999], 0);
    assert_false(skep_arena_failed(a));
}

static void test_maximum(void **state)
{
    (void)state;
    _cleanup_arena_ struct skep_arena *a = NULL;
    assert_int_equal(skep_arena_new(100000, &a), 0);
    size_t n = 0;
    while (skep_arena_alloc(a, 1000))
        n++;
    assert_in_range(n, 80, 100);
    assert_true(skep_arena_size(a) <= 100000);
    assert_true(skep_arena_failed(a));
    /* it stays failed, also for what would fit */
    assert_null(skep_arena_alloc(a, 1));
    a = skep_arena_free(a);
    assert_int_equal(skep_arena_new(100000, &a), 0);
    assert_null(skep_arena_array(a, SIZE_MAX / 4, 8));
    assert_true(skep_arena_failed(a));
    a = skep_arena_free(a);
    assert_int_equal(skep_arena_new(100000, &a), 0);
    assert_null(skep_arena_alloc(a, SIZE_MAX));
    assert_true(skep_arena_failed(a));
    a = skep_arena_free(a);
    /* also without a maximum nothing wraps */
    assert_int_equal(skep_arena_new(SIZE_MAX, &a), 0);
    assert_non_null(skep_arena_alloc(a, 1));
    assert_null(skep_arena_array(a, SIZE_MAX / 4, 8));
    a = skep_arena_free(a);
    assert_null(skep_arena_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces), cmocka_unit_test(test_maximum)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
