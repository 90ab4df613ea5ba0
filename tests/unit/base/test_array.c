/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct thing {
    uint64_t number;
    char text[16];
};

static void test_one_by_one(void **state)
{
    struct thing *list = NULL;
    size_t n = 0, room = 0, moves = 0;
    (void)state;
    for (uint64_t i = 0; i < 10000; i++) {
        size_t before = room;
        assert_int_equal(SKEP_ARRAY_RESERVE(list, n, 1, room), 0);
        assert_true(room > n && (room == before || room >= before * 2));
        moves += room != before;
        list[n++] = (struct thing){.number = i};
    }
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(list[i].number, i);
    assert_in_range(moves, 2, 14);
    free(list);
}

static void test_many(void **state)
{
    uint8_t *list = NULL;
    size_t n = 0, room = 0, none = 0;
    (void)state;
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, none, room), 0);
    assert_null(list); /* nothing was asked for */
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, 100000, room), 0);
    assert_in_range(room, 100000, 200000);
    memset(list, 'x', n = 100000);
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, 7, room), 0);
    assert_true(room >= 100007);
    assert_int_equal(list[n - 1], 'x');
    free(list);
}

/* Elements that are larger than what small arrays begin with. */
static void test_large(void **state)
{
    struct large {
        char bytes[5000];
    } *list = NULL;
    size_t n = 0, room = 0;
    (void)state;
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, 1, room), 0);
    assert_int_equal(room, 1);
    free(list);
}

/* Sizes that do not fit are refused, and what is there stays. */
static void test_refused(void **state)
{
    struct thing *list = NULL;
    size_t n = 0, room = 0;
    (void)state;
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, 1, room), 0);
    list[n++] = (struct thing){.number = 42};
    size_t before = room;
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, SIZE_MAX, room), -ENOMEM);
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, SIZE_MAX / 2, room), -ENOMEM);
    assert_int_equal(SKEP_ARRAY_RESERVE(list, n, SIZE_MAX / sizeof(*list), room), -ENOMEM);
    assert_int_equal(room, before);
    assert_int_equal(list[0].number, 42);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
