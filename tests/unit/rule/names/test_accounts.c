/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/names/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct skep_accounts *accounts(const char *passwd, const char *group)
{
    struct skep_accounts *a = NULL;
    assert_int_equal(skep_accounts_new(passwd ? strdup(passwd) : NULL, group ? strdup(group) : NULL, &a), 0);
    return a;
}

static void test_users(void **state)
{
    (void)state;
    SKEP_CLEANUP(skep_accounts_freep)
    struct skep_accounts *a = accounts("root:x:0:0:root:/root:/bin/bash\n"
                                       "web:x:33:33:www,,,:/var/www:/usr/sbin/nologin\n"
                                       "alias:x:33:33::/other:/bin/sh\n"
                                       "short:x:40\n"
                                       "last:x:4294967294:1::/l:/s", /* no newline */
                                       NULL);
    assert_string_equal(skep_accounts_user(a, 0)->name, "root");
    assert_string_equal(skep_accounts_user(a, 33)->name, "web");
    assert_string_equal(skep_accounts_user(a, 33)->home, "/var/www");
    assert_string_equal(skep_accounts_user(a, 33)->shell, "/usr/sbin/nologin");
    assert_string_equal(skep_accounts_user(a, 40)->home, "");
    assert_string_equal(skep_accounts_user(a, 40)->shell, "");
    assert_string_equal(skep_accounts_user(a, UINT32_MAX - 1)->shell, "/s");
    assert_null(skep_accounts_user(a, 1));
    assert_null(skep_accounts_user(a, UINT32_MAX));
    assert_null(skep_accounts_group(a, 0));
}

static void test_groups(void **state)
{
    (void)state;
    SKEP_CLEANUP(skep_accounts_freep)
    struct skep_accounts *a = accounts(NULL, "root:x:0:\nadm:x:4:a,b,c\nzero:x:0:\n");
    assert_string_equal(skep_accounts_group(a, 0), "root");
    assert_string_equal(skep_accounts_group(a, 4), "adm");
    assert_null(skep_accounts_group(a, 5));
    assert_null(skep_accounts_user(a, 0));
}

static void test_lines_that_are_none(void **state)
{
    (void)state;
    SKEP_CLEANUP(skep_accounts_freep)
    struct skep_accounts *a = accounts("#c:x:1:1::/:/\n"
                                       "+n:x:2:1::/:/\n"
                                       "-n:x:3:1::/:/\n"
                                       "\n:x:4:1::/:/\n"
                                       "a:x::1::/:/\n"
                                       "a:x:5x:1::/:/\n"
                                       "a:x:-6:1::/:/\n"
                                       "a:x: 7:1::/:/\n"
                                       "a:x:4294967295:1::/:/\n"
                                       "a:x:4294967304:1::/:/\n"
                                       "a:x:99999999999999999999999999999:1::/:/\n"
                                       "a:x\n::::::::::::\n"
                                       "good:x:9:1::/:/:more:and:more\n",
                                       "");
    for (uint32_t i = 0; i < 9; i++)
        assert_null(skep_accounts_user(a, i));
    assert_string_equal(skep_accounts_user(a, 9)->name, "good");
    assert_string_equal(skep_accounts_user(a, 9)->shell, "/");
}

static void test_many(void **state)
{
    (void)state;
    size_t size = 40 * (SKEP_ACCOUNTS_MAX + 1000), at = 0;
    char *text = malloc(size);
    for (uint32_t i = 0; i < SKEP_ACCOUNTS_MAX + 1000; i++) /* in no order */
        at += (size_t)snprintf(text + at, size - at, "u%u:x:%u:\n", i, (i * 2654435761U) >> 1);
    SKEP_CLEANUP(skep_accounts_freep) struct skep_accounts *a = NULL;
    assert_int_equal(skep_accounts_new(text, NULL, &a), 0);
    for (uint32_t i = 0; i < SKEP_ACCOUNTS_MAX + 1000; i++) {
        const struct skep_rule_user *u = skep_accounts_user(a, (i * 2654435761U) >> 1);
        char want[16];
        snprintf(want, sizeof(want), "u%u", i);
        if (i < SKEP_ACCOUNTS_MAX)
            assert_string_equal(u->name, want);
        else
            assert_null(u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_lines_that_are_none),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
