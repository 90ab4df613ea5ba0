/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rule/match/automaton.h"
#include "rule/match/text.h"

#define MEMORY_MAX ((size_t)400 << 20)

struct hits {
    uint8_t *seen;
    size_t calls;
    bool once; /* what was told is known */
};

static enum skep_automaton_go count(void *arg, uint32_t pattern)
{
    struct hits *h = arg;
    h->calls++;
    if (h->seen[pattern] && h->once)
        return SKEP_AUTOMATON_KNOWN;
    h->seen[pattern] = 1;
    return SKEP_AUTOMATON_ON;
}

static bool naive(const struct skep_automaton_pattern *p, enum skep_automaton_place place, bool fold,
                  const char *s, size_t n)
{
    char lower[256];
    if (!fold && place == SKEP_AUTOMATON_INSIDE)
        return skep_text_contains(s, n, p->s, p->n, false);
    if (!fold)
        return place == SKEP_AUTOMATON_BEGIN ? skep_text_begins(s, n, p->s, p->n)
                                             : skep_text_ends(s, n, p->s, p->n);
    assert_true(p->n <= sizeof(lower) && place == SKEP_AUTOMATON_INSIDE);
    for (size_t i = 0; i < p->n; i++)
        lower[i] = (char)skep_byte_lower((uint8_t)p->s[i]);
    return skep_text_contains(s, n, lower, p->n, true);
}

static bool same(const struct skep_automaton_pattern *a, const struct skep_automaton_pattern *b, bool fold)
{
    for (size_t i = 0; i < a->n && a->n == b->n; i++) {
        uint8_t x = (uint8_t)a->s[i], y = (uint8_t)b->s[i];
        if (fold ? skep_byte_lower(x) != skep_byte_lower(y) : x != y)
            return false;
    }
    return a->n == b->n;
}

static void compare(const struct skep_automaton_pattern *p, size_t n_patterns,
                    enum skep_automaton_place place, bool fold, const char *s, size_t n)
{
    struct skep_arena *pool;
    struct skep_automaton *a;
    assert_int_equal(skep_arena_new(MEMORY_MAX, &pool), 0);
    assert_int_equal(skep_automaton_new(pool, p, n_patterns, place, fold, &a), 0);
    bool any = false;
    for (unsigned once = 0; once < 2; once++) {
        struct hits h = {.seen = calloc(n_patterns + 1, 1), .once = once};
        skep_automaton_search(a, s, n, count, &h);
        for (size_t i = 0; i < n_patterns; i++) {
            bool first = true;
            for (size_t k = 0; k < i && first; k++)
                first = !same(&p[k], &p[i], fold);
            bool there = naive(&p[i], place, fold, s, n);
            any |= there;
            if (h.seen[i] != (there && first))
                fail_msg("place %d, fold %d: pattern %zu '%.*s' in '%.*s'", place, fold, i, (int)p[i].n,
                         p[i].s, (int)n, s);
        }
        free(h.seen);
    }
    assert_int_equal(skep_automaton_any(a, s, n), any);
    skep_arena_free(pool);
}

static const enum skep_automaton_place places[] = {SKEP_AUTOMATON_BEGIN, SKEP_AUTOMATON_END,
                                                   SKEP_AUTOMATON_INSIDE};

static void test_few(void **state)
{
    (void)state;
    static const struct skep_automaton_pattern patterns[] = {
        {"", 0},     {"a", 1},    {"aa", 2},       {"aaa", 3},      {"he", 2},   {"she", 3},
        {"his", 3},  {"hers", 4}, {"\0", 1},       {"\xff\xfe", 2}, {"\xc3", 1}, {"a\0b", 3},
        {"hers", 4}, {"s", 1},    {"/etc/pas", 8}, {"passwd", 6},   {"wd", 2},   {"d", 1},
    };
    static const struct skep_automaton_pattern texts[] = {
        {"", 0},     {"ushers", 6}, {"aaaa", 4}, {"xa\0by", 5}, {"\xc3\xff\xfe\xff", 4}, {"/etc/passwd", 11},
        {"HERS", 4},
    };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
            for (size_t n = 0; n <= ARRAY_SIZE(patterns); n++) {
                compare(patterns, n, places[i], false, texts[k].s, texts[k].n);
                compare(patterns + ARRAY_SIZE(patterns) - n, n, places[i], false, texts[k].s, texts[k].n);
            }
    for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
        compare(patterns, ARRAY_SIZE(patterns), SKEP_AUTOMATON_INSIDE, true, texts[k].s, texts[k].n);
}

static uint64_t random_state = 88172645463325252ULL;

static uint32_t rnd(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

/* Few letters make much overlap; sometimes all bytes are used. */
static void test_random(void **state)
{
    (void)state;
    static char texts[64][64], s[200];
    struct skep_automaton_pattern patterns[64];
    for (unsigned round = 0; round < 3000; round++) {
        uint32_t letters = rnd(8) ? 2 + rnd(3) : 256, n = rnd(64) + 1;
        char base = letters == 256 ? 0 : "aAyZ\xf0"[rnd(5)];
        for (uint32_t i = 0; i < n; i++) {
            patterns[i] = (struct skep_automaton_pattern){texts[i], rnd(rnd(4) ? 6 : 60)};
            for (size_t k = 0; k < patterns[i].n; k++)
                texts[i][k] = (char)(base + (char)rnd(letters));
        }
        size_t len = rnd(sizeof(s));
        for (size_t k = 0; k < len; k++)
            s[k] = (char)(base + (char)rnd(letters));
        if (len > 60 && rnd(2)) /* one that is there for certain */
            memcpy(s + rnd((uint32_t)(len - 60)), patterns[0].s, patterns[0].n);
        bool fold = rnd(3) == 0;
        compare(patterns, n, fold ? SKEP_AUTOMATON_INSIDE : places[rnd(3)], fold, s, len);
    }
}

/* All bytes in patterns: no class of bytes is left for those that are in none. */
static void test_all_bytes(void **state)
{
    (void)state;
    static char bytes[256], s[512];
    struct skep_automaton_pattern patterns[256];
    for (unsigned n = 254; n <= 256; n++) {
        for (unsigned i = 0; i < n; i++) {
            bytes[i] = (char)i;
            patterns[i] = (struct skep_automaton_pattern){&bytes[i], 1};
        }
        for (unsigned i = 0; i < sizeof(s); i++)
            s[i] = (char)(i * 7);
        compare(patterns, n, SKEP_AUTOMATON_INSIDE, false, s, 100);
        compare(patterns, n, SKEP_AUTOMATON_INSIDE, false, s, sizeof(s));
    }
}

/* ---- hostile sizes ---- */

static double seconds(void)
{
    return (double)skep_clock_mono_ns() / 1e9;
}

struct big {
    struct skep_arena *pool, *texts;
    struct skep_automaton_pattern *list;
    size_t n;
};

static void big_init(struct big *b, size_t n)
{
    assert_int_equal(skep_arena_new(MEMORY_MAX, &b->pool), 0);
    assert_int_equal(skep_arena_new(MEMORY_MAX, &b->texts), 0);
    b->list = skep_arena_array(b->texts, n, sizeof(*b->list));
    b->n = n;
}

static void big_clear(struct big *b)
{
    skep_arena_free(b->pool);
    skep_arena_free(b->texts);
}

static void test_many(void **state)
{
    (void)state;
    struct big b;
    struct skep_automaton *a;
    char text[64];
    big_init(&b, 100000);
    for (size_t i = 0; i < b.n; i++) {
        size_t n = (size_t)snprintf(text, sizeof(text), "/srv/data/%zu/%zx", i * 7919, i);
        b.list[i] = (struct skep_automaton_pattern){skep_arena_text(b.texts, text, n), n};
    }
    double from = seconds();
    assert_int_equal(skep_automaton_new(b.pool, b.list, b.n, SKEP_AUTOMATON_INSIDE, false, &a), 0);
    print_message("# 100,000 patterns: %.2f s, %zu MiB\n", seconds() - from, skep_arena_size(b.pool) >> 20);
    assert_true(seconds() - from < 20 && skep_arena_size(b.pool) < (size_t)128 << 20);
    for (size_t i = 0; i < b.n; i += 97) {
        struct hits h = {.seen = calloc(b.n, 1)};
        int n = snprintf(text, sizeof(text), "x%sy", b.list[i].s);
        skep_automaton_search(a, text, (size_t)n, count, &h);
        assert_true(h.seen[i]);
        free(h.seen);
    }
    big_clear(&b);
}

/* a, aa, aaa, ...: each byte of the text ends a thousand patterns. */
static void test_nested(void **state)
{
    (void)state;
    enum { N = 2000, TEXT = 1 << 20 };
    struct big b;
    struct skep_automaton *a;
    big_init(&b, N);
    char *s = malloc(TEXT);
    memset(s, 'a', TEXT);
    for (size_t i = 0; i < N; i++)
        b.list[i] = (struct skep_automaton_pattern){s, i + 1};
    assert_int_equal(skep_automaton_new(b.pool, b.list, b.n, SKEP_AUTOMATON_INSIDE, false, &a), 0);
    struct hits h = {.seen = calloc(N, 1), .once = true};
    skep_automaton_search(a, s, TEXT, count, &h);
    assert_true(h.calls <= TEXT + N);
    for (size_t i = 0; i < N; i++)
        assert_true(h.seen[i]);
    free(h.seen);
    free(s);
    big_clear(&b);
}

/* Long patterns that are ends of each other, looked for in a text that nearly has them again and again. */
static void test_long(void **state)
{
    (void)state;
    enum { LONG = 65536, N = 48 };
    struct big b;
    struct skep_automaton *a;
    big_init(&b, N);
    char *s = malloc(2 * LONG);
    for (size_t i = 0; i < 2 * LONG; i++)
        s[i] = i % 3 ? 'a' : 'b';
    for (size_t i = 0; i < N; i++)
        b.list[i] = (struct skep_automaton_pattern){s + i % 3, LONG - i * 3};
    double from = seconds();
    assert_int_equal(skep_automaton_new(b.pool, b.list, b.n, SKEP_AUTOMATON_INSIDE, true, &a), 0);
    struct hits h = {.seen = calloc(N, 1), .once = true};
    s[LONG + LONG / 2] = 'x';
    skep_automaton_search(a, s, 2 * LONG, count, &h);
    print_message("# %d patterns of 64 KiB: %.2f s, %zu MiB\n", N, seconds() - from,
                  skep_arena_size(b.pool) >> 20);
    assert_true(seconds() - from < 20);
    for (size_t i = 0; i < N; i++)
        assert_true(h.seen[i]);
    free(h.seen);
    free(s);
    big_clear(&b);
}

static void test_too_large(void **state)
{
    (void)state;
    enum { LONG = 65536 };
    struct big b;
    struct skep_automaton *a = NULL;
    char *s = malloc(LONG);
    memset(s, 'a', LONG);
    big_init(&b, SKEP_AUTOMATON_BYTES_MAX / LONG + 1);
    for (size_t i = 0; i < b.n; i++)
        b.list[i] = (struct skep_automaton_pattern){s, LONG};
    assert_int_equal(skep_automaton_new(b.pool, b.list, b.n, SKEP_AUTOMATON_INSIDE, false, &a), -E2BIG);
    big_clear(&b);
    big_init(&b, SKEP_AUTOMATON_STATES_MAX / LONG + 1); /* fewer bytes than that, but all different */
    for (size_t i = 0; i < b.n; i++) {
        char *one = skep_arena_text(b.texts, s, LONG);
        one[0] = (char)i;
        b.list[i] = (struct skep_automaton_pattern){one, LONG};
    }
    assert_int_equal(skep_automaton_new(b.pool, b.list, b.n, SKEP_AUTOMATON_INSIDE, false, &a), -E2BIG);
    assert_null(a);
    free(s);
    big_clear(&b);
}

/* Rows are as wide as there are different bytes, and one more for all others. */
static void test_rows(void **state)
{
    char s[2048];
    (void)state;
    for (unsigned n = 1; n <= 256; n++) {
        _cleanup_arena_ struct skep_arena *pool = NULL;
        struct skep_automaton *a;
        assert_int_equal(skep_arena_new(SIZE_MAX, &pool), 0);
        for (size_t i = 0; i < sizeof(s); i++)
            s[i] = (char)(i % n);
        struct skep_automaton_pattern pattern = {s, sizeof(s) - 256};
        assert_int_equal(skep_automaton_new(pool, &pattern, 1, SKEP_AUTOMATON_INSIDE, false, &a), 0);
        /* a row for each state, and 13 bytes beside; the arena takes some more */
        size_t rows = pattern.n * MIN(n + 1, 256U) * sizeof(uint32_t);
        assert_in_range(skep_arena_size(pool), rows, rows + rows / 4 + (128 << 10));
        assert_true(skep_automaton_any(a, s, sizeof(s)));
        for (size_t at = n - 1; at < sizeof(s); at += n)
            s[at] = (char)(n == 256 ? 0 : n);
        assert_false(skep_automaton_any(a, s, sizeof(s)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few),       cmocka_unit_test(test_random), cmocka_unit_test(test_all_bytes),
        cmocka_unit_test(test_many),      cmocka_unit_test(test_nested), cmocka_unit_test(test_long),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
