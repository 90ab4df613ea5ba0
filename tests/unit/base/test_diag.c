/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/spell.h"

#include <limits.h>

static void test_text(void **state)
{
    (void)state;
    static const char source[] = "first\n\tsecond wrong \xc3\xa4 here\nthird";
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    skep_diags_init(&d, "rules.yaml");
    skep_diags_add(&d, source, 14, 5, "bad", "this is %s", "wrong");
    skep_diags_hint(&d, "try %d", 7);
    skep_diags_add(&d, source, sizeof(source) - 1, 1, "end", "at the end");
    skep_diags_put_text(&d, source, &sb);
    assert_string_equal(sb.s, "rules.yaml:2:9: error: this is wrong\n"
                              "  \\tsecond wrong \xc3\xa4 here\n"
                              "           ^~~~~\n"
                              "  hint: try 7\n"
                              "rules.yaml:3:6: error: at the end\n"
                              "  third\n"
                              "       ^\n");
    skep_strbuf_reset(&sb);
    d.codes = true;
    skep_diags_put_text(&d, NULL, &sb);
    assert_string_equal(sb.s, "rules.yaml:2:9: error: this is wrong [bad]\n"
                              "  hint: try 7\n"
                              "rules.yaml:3:6: error: at the end [end]\n");
}

static void test_bounded(void **state)
{
    (void)state;
    static char line[100000];
    memset(line, 'x', sizeof(line) - 1);
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_init(&d, "f");
    for (size_t i = 0; i < SKEP_DIAGS_MAX + 3; i++) {
        skep_diags_add(&d, line, 50000, sizeof(line), "x", "n%zu", i);
        skep_diags_hint(&d, "h%zu", i);
    }
    assert_int_equal(d.n, SKEP_DIAGS_MAX);
    assert_int_equal(d.more, 3);
    assert_string_equal(d.list[SKEP_DIAGS_MAX - 1].hint, "h63");
    skep_diags_put_text(&d, line, &sb);
    assert_true(sb.len < 64 * 500);
    assert_non_null(strstr(sb.s, "f: 3 more\n"));
    assert_non_null(strstr(sb.s, "f:1:50001: error: n0\n"));
}

/* An error takes the place of the last warning, and what it says is kept with its own hint. */
static void test_errors_first(void **state)
{
    (void)state;
    va_list none = {0};
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_init(&d, NULL);
    d.max = 4;
    for (size_t i = 0; i < 10; i++) {
        char hint[] = {(char)('0' + i), '\0'};
        skep_diags_add_in(&d, i % 2 == 0, "f", "text\r\n", 6, 2, 1, i % 2 ? "e" : "w", "m", none);
        skep_diags_hint(&d, "%s", hint);
    }
    assert_int_equal(d.n, 4);
    assert_int_equal(d.more, 6);
    assert_int_equal(d.n_errors, 5);
    for (size_t i = 0; i < d.n; i++) {
        assert_false(d.list[i].warning);
        assert_int_equal(d.list[i].hint[0] - '0', 2 * i + 1);
    }
    skep_diags_put_text(&d, NULL, &sb);
    assert_non_null(strstr(sb.s, "f:1:3: error: m\n  text\n    ^\n  hint: 1\n"));
    skep_diags_clear(&d);
    assert_int_equal(d.max, 4);
}

/* Of a long line only the part around the place is kept. */
static void test_long_line(void **state)
{
    (void)state;
    static char text[200001];
    va_list none = {0};
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    memset(text, 'x', 200000);
    memcpy(text + 100000, "here", 4);
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_init(&d, NULL);
    skep_diags_add_in(&d, false, "f", text, 200000, 100000, 4, "e", "m", none);
    assert_true(strlen(d.list[0].text) <= 400);
    skep_diags_put_text(&d, NULL, &sb);
    const char *here = strstr(sb.s, "here"), *caret = strstr(sb.s, "^~~~\n"), *line = strstr(sb.s, "\n") + 1;
    assert_non_null(here);
    assert_non_null(caret);
    assert_int_equal(caret - (strstr(line, "\n") + 1), here - line);
    assert_non_null(strstr(sb.s, "f:1:100001: "));
}

static void test_spell(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        {"", "", 0},
        {"a", "", 1},
        {"open", "open", 0},
        {"opne", "open", 1},
        {"conect", "connect", 1},
        {"kitten", "sitting", 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(skep_spell_distance(rows[i].a, strlen(rows[i].a), rows[i].b, strlen(rows[i].b)),
                         rows[i].distance);
        assert_int_equal(skep_spell_distance(rows[i].b, strlen(rows[i].b), rows[i].a, strlen(rows[i].a)),
                         rows[i].distance);
    }
    char longer[SKEP_SPELL_MAX + 1];
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(skep_spell_distance(longer, sizeof(longer), "a", 1), UINT_MAX);
    assert_int_equal(skep_spell_distance(longer, SKEP_SPELL_MAX, longer, SKEP_SPELL_MAX), 0);
    struct skep_spell sp;
    skep_spell_init(&sp, "pxth", 4);
    skep_spell_offer(&sp, "type");
    skep_spell_offer(&sp, "path");
    assert_string_equal(sp.best, "path");
    skep_spell_init(&sp, "ab", 2);
    skep_spell_offer(&sp, "xy");
    assert_null(sp.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_bounded), cmocka_unit_test(test_errors_first),
        cmocka_unit_test(test_long_line), cmocka_unit_test(test_spell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
