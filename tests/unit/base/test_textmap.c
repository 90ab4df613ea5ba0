/* SPDX-License-Identifier: Apache-2.0 */
#include "base/textmap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N 20000

static void test_map(void **state)
{
    (void)state;
    static char names[N][12];
    static int values[N];
    _cleanup_textmap_ struct skep_textmap m = {0};
    assert_null(skep_textmap_get(&m, "x", 1));
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "n%d", i);
        assert_int_equal(skep_textmap_put(&m, names[i], strlen(names[i]), &values[i]), 0);
    }
    assert_int_equal(m.count, N);
    for (int i = 0; i < N; i++)
        assert_ptr_equal(skep_textmap_get(&m, names[i], strlen(names[i])), &values[i]);
    assert_null(skep_textmap_get(&m, "n20000", 6));
    assert_null(skep_textmap_get(&m, "n", 1));
    /* the length counts, not a NUL */
    assert_ptr_equal(skep_textmap_get(&m, "n12345", 3), &values[12]);
    assert_int_equal(skep_textmap_put(&m, "a\0b", 3, &values[0]), 0);
    assert_null(skep_textmap_get(&m, "a", 1));
    assert_ptr_equal(skep_textmap_get(&m, "a\0b", 3), &values[0]);
    assert_int_equal(skep_textmap_put(&m, "", 0, &values[1]), 0);
    assert_ptr_equal(skep_textmap_get(&m, "", 0), &values[1]);
    /* replaced */
    assert_int_equal(skep_textmap_put(&m, "n7", 2, &values[8]), 0);
    assert_ptr_equal(skep_textmap_get(&m, "n7", 2), &values[8]);
    assert_int_equal(m.count, N + 2);
    skep_textmap_clear(&m);
    assert_null(skep_textmap_get(&m, "n7", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_map)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
