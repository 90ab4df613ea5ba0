/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/match/regex.h"

#include <time.h>

static int match(const char *pattern, const char *s, size_t n)
{
    struct skep_arena *pool;
    assert_int_equal(skep_arena_new(1 << 30, &pool), 0);
    struct skep_regex *re;
    const char *reason = "";
    size_t at;
    int r = skep_regex_compile(pool, pattern, strlen(pattern), &re, &reason, &at);
    if (r == 0)
        r = skep_regex_match(re, s, n);
    else if (r == -EINVAL)
        assert_non_null(reason);
    skep_arena_free(pool);
    return r;
}

static void test_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        int expected;
    } rows[] = {
        {"", "", 1},
        {"", "a", 0},
        {"abc", "abc", 1},
        {"abc", "abcd", 0},
        {"a.c", "abc", 1},
        {"a.c", "a\nc", 0},
        {"a[^b]c", "a\nc", 1},
        {"a.c",
         "a\xc3\xa9"
         "c",
         1},
        {"\xc3\xa9+", "\xc3\xa9\xc3\xa9", 1},
        {".*", "\xff\xfe", 1},
        {"a|b|cd", "cd", 1},
        {"a|b|", "", 1},
        {"(a|b)*c", "ababc", 1},
        {"(?:a|b)+", "", 0},
        {"a?b", "b", 1},
        {"a{2}", "aa", 1},
        {"a{2}", "aaa", 0},
        {"a{2,}", "aaaa", 1},
        {"a{0,2}b", "aab", 1},
        {"a{0,2}b", "aaab", 0},
        {"a{,2}", "a{,2}", 1},
        {"x{", "x{", 1},
        {"[a-c]+", "abcabc", 1},
        {"[]a]+", "]a", 1},
        {"[a-]+", "a-a", 1},
        {"[[:digit:][:upper:]]+", "A1B2", 1},
        {"\\d+\\.\\d+", "10.20", 1},
        {"\\w+\\s\\W", "ab_1 -", 1},
        {"[\\d]+", "123", 1},
        {"\\x41\\t", "A\t", 1},
        {"^abc$", "abc", 1},
        {"a^b", "ab", 0},
        {"(^a|b)c", "ac", 1},
        {"a*?b+?", "aabb", 1},
        {"(a*)*b", "aaab", 1},
        {"(a|aa)+$", "aaaaaaa", 1},
        {"\\/etc\\/.*", "/etc/x", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (match(rows[i].pattern, rows[i].text, strlen(rows[i].text)) != rows[i].expected)
            fail_msg("%s on %s", rows[i].pattern, rows[i].text);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(",       "a)",      "[a",   "*a",        "a\\1",  "(?=a)",
                                           "(?<n>a)", "(?i)a",   "\\",   "\\q",       "[b-a]", "[[:x:]]",
                                           "a{3,2}",  "a{1001}", "\\x4", "[\xc3\xa9]"};
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
        if (match(patterns[i], "a", 1) != -EINVAL)
            fail_msg("accepted: %s", patterns[i]);
    char deep[1000], longer[SKEP_REGEX_MAX + 2];
    memset(deep, '(', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_int_equal(match(deep, "a", 1), -EINVAL);
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(match(longer, "a", 1), -EINVAL);
}

/* Whatever is written, matching takes time that is linear in the text. */
static void test_catastrophic(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(a+)+b",
                                           "(a|aa)+b",
                                           "(a|a)*b",
                                           "(.*a){20}b",
                                           "(a*)*b",
                                           "(x+x+)+y",
                                           "(a?){200}a{200}",
                                           ".*.*.*.*.*.*b",
                                           "(.*){1,50}b",
                                           "([a-z]+)*[0-9]",
                                           "(a|b|ab)*c{100}",
                                           "((a{1,10}){1,10})b",
                                           "(.|a|[^b]){50}.*b",
                                           "(((){1000}){1000}){1000}"};
    char *text = malloc(32768);
    memset(text, 'a', 32768);
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        int r = match(patterns[i], text, 32768);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        assert_true(r == 0 || r == -EINVAL);
        if (took > 2)
            fail_msg("%s took %.1f s", patterns[i], took);
    }
    free(text);
}

/* Sets of states and the table say the same. */
static void test_table(void **state)
{
    (void)state;
    struct skep_arena *pool;
    assert_int_equal(skep_arena_new(1 << 30, &pool), 0);
    struct skep_regex *re;
    const char *reason;
    size_t at;
    assert_int_equal(skep_regex_compile(pool, "/etc/(.*/)?[a-z]+", 17, &re, &reason, &at), 0);
    assert_true(skep_regex_is_table(re));
    assert_int_equal(skep_regex_compile(pool, ".*a.{14}", 8, &re, &reason, &at), 0);
    assert_false(skep_regex_is_table(re));
    assert_true(skep_regex_match(re, "xxxxabbbbbbbbbbbbbb", 19));
    assert_false(skep_regex_match(re, "xxxxxbbbbbbbbbbbbbb", 19));
    skep_arena_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_catastrophic),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
