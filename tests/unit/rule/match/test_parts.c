/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/match/glob.h"
#include "rule/match/parts.h"
#include "rule/match/pathset.h"
#include "rule/match/regex.h"
#include "rule/match/text.h"

enum what { GLOB, REGEX, PATH };

static int read_parts(struct skep_arena *pool, enum what what, const char *pattern, size_t n,
                      struct skep_parts *ret)
{
    if (what == GLOB)
        return skep_parts_of_glob(pool, pattern, n, ret);
    return what == REGEX ? skep_parts_of_regex(pool, pattern, n, ret)
                         : skep_parts_of_path(pool, pattern, n, ret);
}

static void test_known(void **state)
{
    (void)state;
    static const struct {
        enum what what;
        const char *pattern,
            *expected; /* ^ begin, $ end, | between parts of a choice, a space between choices */
    } rows[] = {
        {GLOB, "/srv/?/up*.ph[p4]", "^/srv/ /up .ph"},
        {GLOB, "abc", "^abc$"},
        {GLOB, "*abc", "abc$"},
        {GLOB, "*", ""},
        {GLOB, "", ""},
        {GLOB, "a\\*b", "^a*b$"},
        {GLOB, "a[b", "^a[b$"},
        {GLOB, "[!a]b", "b$"},
        {REGEX, "/etc/(passwd|shadow)-?", "^/etc/ passwd|shadow"},
        {REGEX, "^/etc/.*ssl$", "^/etc/ ssl$"},
        {REGEX, "a(bc)+d", "^abc d$"},
        {REGEX, "a(bc)*d", "^a d$"},
        {REGEX, "(ab|c*)d", "d$"},
        {REGEX, "[a]b{2}c", "^ab c$"},
        {REGEX, "x{0}y", "y$"},
        {REGEX, "(a|(b|cd))e", "a|b|cd e$"},
        {REGEX, ".*", ""},
        {PATH, "/etc/ssl*x/conf", "etc /ssl x /conf"},
        {PATH, "//a//b", "a /b"},
        {PATH, "/", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_arena *pool;
        struct skep_parts p;
        char text[200] = "";
        assert_int_equal(skep_arena_new(1 << 30, &pool), 0);
        assert_int_equal(read_parts(pool, rows[i].what, rows[i].pattern, strlen(rows[i].pattern), &p), 0);
        for (size_t c = 0; c < p.n; c++)
            for (size_t k = 0; k < p.choices[c].n; k++) {
                const struct skep_part *one = &p.choices[c].parts[k];
                bool alone = p.choices[c].n == 1; /* where those of several are does not matter */
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%.*s%s",
                         k   ? "|"
                         : c ? " "
                             : "",
                         alone && one->begin ? "^" : "", (int)one->n, one->s, alone && one->end ? "$" : "");
            }
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("%s: %s, not %s", rows[i].pattern, text, rows[i].expected);
        skep_arena_free(pool);
    }
}

static uint64_t random_state = 88172645463325252ULL;

static uint32_t rnd(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

static bool fits(struct skep_arena *pool, enum what what, const char *pattern, size_t n, const char *s,
                 size_t len)
{
    struct skep_regex *re;
    struct skep_pathset *set;
    const char *reason;
    size_t at;
    if (what == GLOB)
        return skep_rule_glob_match(pattern, n, s, len, false);
    if (what == PATH)
        return skep_pathset_new(pool, &pattern, &n, 1, &set) == 0 && skep_pathset_match(set, s, len);
    return skep_regex_compile(pool, pattern, n, &re, &reason, &at) == 0 && skep_regex_match(re, s, len);
}

static bool holds(const struct skep_part_choice *c, const char *s, size_t n)
{
    for (size_t k = 0; k < c->n; k++) {
        const struct skep_part *p = &c->parts[k];
        if (skep_text_contains(s, n, p->s, p->n, false) &&
            (!p->begin || skep_text_begins(s, n, p->s, p->n)) &&
            (!p->end || skep_text_ends(s, n, p->s, p->n)))
            return true;
    }
    return false;
}

/* Every text that fits a pattern has a part of each choice. */
static void test_random(void **state)
{
    (void)state;
    static const char *const letters[] = {"ab*?[]!-\\a", "ab|()*+?.{}1,[]^$", "ab/*/?"};
    size_t fitting = 0;
    for (unsigned round = 0; round < 60000; round++) {
        enum what what = (enum what)rnd(3);
        char pattern[24], s[16];
        size_t n = rnd(sizeof(pattern) / (what == REGEX ? 2 : 3)), n_letters = strlen(letters[what]);
        struct skep_arena *pool;
        struct skep_parts p;
        for (size_t i = 0; i < n; i++)
            pattern[i] = letters[what][rnd((uint32_t)n_letters)];
        assert_int_equal(skep_arena_new(1 << 30, &pool), 0);
        assert_int_equal(read_parts(pool, what, pattern, n, &p), 0);
        for (unsigned k = 0; k < 12; k++) {
            size_t len = rnd(7);
            for (size_t i = 0; i < len; i++)
                s[i] = "ab[/a-b"[rnd(what == GLOB ? 7 : what == PATH ? 4 : 2)];
            if (!fits(pool, what, pattern, n, s, len))
                continue;
            fitting++;
            for (size_t c = 0; c < p.n; c++)
                if (!holds(&p.choices[c], s, len))
                    fail_msg("%d: %.*s fits %.*s, but choice %zu does not hold", what, (int)len, s, (int)n,
                             pattern, c);
        }
        skep_arena_free(pool);
    }
    assert_true(fitting > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
