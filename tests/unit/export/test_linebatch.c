/* SPDX-License-Identifier: Apache-2.0 */
#include "export/linebatch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_lines_adjoin(void **state)
{
    (void)state;
    struct skep_linebatch b;
    skep_linebatch_init(&b, 100);
    assert_false(skep_linebatch_is_full(&b));
    skep_strbuf_puts(&b.text, "on");
    skep_strbuf_puts(&b.text, "e");
    assert_true(skep_linebatch_end(&b, 1));
    assert_true(skep_linebatch_end(&b, 2));
    skep_strbuf_puts(&b.text, "three");
    assert_true(skep_linebatch_end(&b, 3));
    assert_int_equal(b.n, 3);
    assert_int_equal(b.len, b.text.len);
    assert_string_equal(b.text.s, "one\n\nthree\n");
    assert_int_equal(b.lines[0].len, 4);
    assert_int_equal(b.lines[1].len, 1);
    assert_int_equal(b.lines[2].len, 6);
    assert_int_equal(b.lines[2].kind, 3);
    skep_linebatch_reset(&b);
    assert_int_equal(b.n + b.len + b.text.len, 0);
    skep_linebatch_clear(&b);
}

static void test_is_full(void **state)
{
    (void)state;
    struct skep_linebatch b;
    static const char line[1000];
    size_t n = 0;
    skep_linebatch_init(&b, sizeof(line));
    for (; !skep_linebatch_is_full(&b); n++)
        assert_true(skep_linebatch_end(&b, 1));
    assert_int_equal(n, SKEP_LINEBATCH_LINES);
    skep_linebatch_reset(&b);
    for (n = 0; !skep_linebatch_is_full(&b); n++) {
        skep_strbuf_put(&b.text, line, sizeof(line));
        assert_true(skep_linebatch_end(&b, 1));
    }
    assert_int_equal(n, SKEP_LINEBATCH_BYTES / (sizeof(line) + 1) + 1);
    skep_linebatch_clear(&b);
}

/* It goes without a trace, and those before and behind it stay. */
static void test_a_line_that_is_too_long(void **state)
{
    (void)state;
    struct skep_linebatch b;
    static const char line[SKEP_LINEBATCH_BYTES + 200];
    skep_linebatch_init(&b, 100);
    skep_strbuf_puts(&b.text, "before");
    assert_true(skep_linebatch_end(&b, 1));
    skep_strbuf_puts(&b.text, "part");
    skep_strbuf_put(&b.text, line, sizeof(line));
    assert_false(skep_linebatch_end(&b, 1));
    skep_strbuf_puts(&b.text, "behind");
    assert_true(skep_linebatch_end(&b, 1));
    assert_string_equal(b.text.s, "before\nbehind\n");
    assert_int_equal(b.n, 2);
    skep_linebatch_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_adjoin),
        cmocka_unit_test(test_is_full),
        cmocka_unit_test(test_a_line_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
