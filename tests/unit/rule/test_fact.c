/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/fact.h"

static void test_cut(void **state)
{
    (void)state;
    static char s[SKEP_FACT_TEXT_MAX + 1];
    struct skep_rule_ctx *x;
    struct skep_fact f = {0};
    assert_int_equal(skep_rule_ctx_new(NULL, 0, 0, &x), 0);
    memset(s, 'a', sizeof(s));
    assert_true(skep_fact_text(x, &f, s, SKEP_FACT_TEXT_MAX));
    assert_int_equal(x->cut, 0);
    assert_true(skep_fact_text(x, &f, s, sizeof(s)));
    assert_int_equal(f.n, SKEP_FACT_TEXT_MAX);
    assert_int_equal(x->cut, 1);
    assert_false(skep_fact_text(x, &f, NULL, 0));
    skep_rule_ctx_free(x);
}

/* The arguments of a process and its parents, however long, leave room for what else is asked. */
static void test_long_texts(void **state)
{
    (void)state;
    static char s[SKEP_FACT_TEXT_MAX];
    struct skep_rule_ctx *x;
    struct skep_fact f = {0};
    unsigned n_long = 0, n_short = 0;
    assert_int_equal(skep_rule_ctx_new(NULL, 0, 0, &x), 0);
    memset(s, 'a', sizeof(s));
    while (skep_fact_text(x, &f, s, sizeof(s)))
        n_long++;
    assert_int_equal(x->cut, 1);
    assert_false(skep_fact_text(x, &f, s, SKEP_FACT_SHORT_MAX + 1));
    while (skep_fact_text(x, &f, s, SKEP_FACT_SHORT_MAX))
        n_short++;
    assert_int_equal(n_long, (SKEP_FACT_ARENA_SIZE - SKEP_FACT_ARENA_KEPT) / sizeof(s));
    assert_int_equal(n_short, SKEP_FACT_ARENA_KEPT / SKEP_FACT_SHORT_MAX);
    assert_true(n_long >= 16 && n_short >= 32);
    assert_true(x->arena + x->arena_at <= (char *)x + x->size);
    skep_rule_ctx_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
