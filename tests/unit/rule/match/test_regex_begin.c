/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/regex_begin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* What is known, one text behind the other with a comma. */
static void check(const char *pattern, const char *expected)
{
    struct skep_regex_begin begins[SKEP_REGEX_BEGINS_MAX];
    char got[512] = "";
    size_t n = skep_regex_begins(pattern, strlen(pattern), begins);
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(got);
        snprintf(got + at, sizeof(got) - at, "%s%.*s", i ? "," : "", (int)begins[i].n, begins[i].s);
    }
    if (!skep_streq(got, expected))
        fail_msg("%s: '%s' instead of '%s'", pattern, got, expected);
}

static void test_begins(void **state)
{
    (void)state;
    check("/proc/[0-9]+/root/.*", "/proc/");
    check("^/etc/x", "/etc/x");
    check("/dev/(sd|xvd)[a-z]+", "/dev/sd,/dev/xvd");
    check("/dev/(?:sd|xvd).*", "/dev/sd,/dev/xvd");
    check("(a|b)c", "a,b");
    check("/dev/(sd|xvd)+", "/dev/sd,/dev/xvd");
    check("abc+", "abc");
    check("a.c", "a");
}

/* What may be missing is no beginning. */
static void test_optional(void **state)
{
    (void)state;
    check("abc*", "ab");
    check("abc?d", "ab");
    check("abc{0,3}", "ab");
    check("a*", "");
    check("/dev/(sd|xvd)?x", "/dev/");
    check("/dev/(sd|xvd)*x", "/dev/");
    check("/dev/(s*|x)", "/dev/");
    check("/dev/(s(a|b)|x)", "/dev/");
    check("(|a)b", "");
}

/* Alternatives outside of groups begin with anything. */
static void test_alternatives(void **state)
{
    (void)state;
    check("/etc|/usr", "");
    check("/etc(a|b)|c", "");
    check("/etc[(]x|foo", "");
    check("/etc[|]x", "/etc");
    check("/etc[]|]x", "/etc");
    check("/etc\\|x", "/etc");
    check("/etc[[:alpha:]|]x|y", "");
    check("", "");
    check("[a-z", "");
    check("a)b", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_begins), cmocka_unit_test(test_optional),
                                       cmocka_unit_test(test_alternatives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
