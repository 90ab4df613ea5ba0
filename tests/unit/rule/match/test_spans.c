/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule/match/spans.h"

#define SPANS_MAX 200

static uint64_t random_state = 88172645463325252ULL;

static uint64_t rnd(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return n ? random_state % n : random_state;
}

static void count(void *arg, uint32_t span)
{
    ((uint32_t *)arg)[span]++;
}

static bool before(const struct skep_span_key *a, const struct skep_span_key *b)
{
    return a->hi != b->hi ? a->hi < b->hi : a->lo < b->lo;
}

static void compare(const struct skep_span *spans, size_t n, const struct skep_span_key *keys, size_t n_keys)
{
    struct skep_arena *pool;
    struct skep_spans *s;
    assert_int_equal(skep_arena_new(64 << 20, &pool), 0);
    assert_int_equal(skep_spans_new(pool, spans, n, &s), 0);
    for (size_t k = 0; k < n_keys; k++) {
        uint32_t seen[SPANS_MAX] = {0};
        skep_spans_search(s, keys[k], count, seen);
        for (size_t i = 0; i < n; i++) /* each at most once */
            assert_int_equal(seen[i],
                             !before(&keys[k], &spans[i].first) && !before(&spans[i].last, &keys[k]));
    }
    skep_arena_free(pool);
}

static void test_random(void **state)
{
    (void)state;
    struct skep_span spans[SPANS_MAX];
    struct skep_span_key keys[4 * SPANS_MAX];
    for (unsigned round = 0; round < 2000; round++) {
        size_t n = rnd(SPANS_MAX), n_keys = 0;
        uint64_t width = rnd(2) ? 50 : rnd(2) ? 1000000 : 0;
        for (size_t i = 0; i < n; i++) {
            struct skep_span_key a = {rnd(4), rnd(width)}, b = {rnd(4) ? a.hi : rnd(4), rnd(width)};
            if (rnd(20) == 0)
                a = (struct skep_span_key){0};
            if (rnd(20) == 0)
                b = (struct skep_span_key){UINT64_MAX, UINT64_MAX};
            if (rnd(4) == 0)
                b = a;
            spans[i] = before(&b, &a) ? (struct skep_span){b, a} : (struct skep_span){a, b};
            keys[n_keys++] = spans[i].first;
            keys[n_keys++] = spans[i].last;
            keys[n_keys++] = (struct skep_span_key){spans[i].first.hi, spans[i].first.lo - 1};
            keys[n_keys++] = (struct skep_span_key){spans[i].last.hi, spans[i].last.lo + 1};
        }
        compare(spans, n, keys, n_keys);
    }
    compare(NULL, 0, &(struct skep_span_key){0}, 1);
}

static void test_numbers(void **state)
{
    (void)state;
    static const int64_t sorted[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i + 1 < ARRAY_SIZE(sorted); i++) {
        struct skep_span_key a = skep_span_key_number(sorted[i]), b = skep_span_key_number(sorted[i + 1]);
        assert_true(before(&a, &b));
    }
}

/* Every network says of every address what the constants say. */
static void test_networks(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct skep_constant c = {0};
        uint8_t ip[16];
        const char *reason;
        bool six = rnd(2);
        char text[80];
        unsigned bits = (unsigned)rnd(six ? 129 : 33);
        uint8_t a = (uint8_t)rnd(0), b = (uint8_t)rnd(0);
        if (six)
            snprintf(text, sizeof(text), "%x%02x:%x::%x:%x/%u", a, b, a, b, a, bits);
        else
            snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", a, b, b, a, bits);
        assert_true(skep_constant_read(SKEP_RULE_IP, text, strlen(text), false, &c, &reason));
        struct skep_span s = skep_span_of(SKEP_RULE_IP, &c);
        for (unsigned k = 0; k < 20; k++) {
            memcpy(ip, c.ip.bytes, 16);
            if (k)
                ip[rnd(c.ip.len)] ^= (uint8_t)(1 << rnd(8));
            struct skep_span_key key = skep_span_key_ip(ip, c.ip.len);
            bool in = !before(&key, &s.first) && !before(&s.last, &key);
            assert_int_equal(in, skep_constants_have_ip(&c, 1, ip, c.ip.len));
        }
    }
}

/* Intervals inside of each other would be quadratic if each piece had a list of its own. */
static void test_nested(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct skep_arena *pool;
    struct skep_spans *s;
    struct skep_span *spans = calloc(N, sizeof(*spans));
    uint32_t *seen = calloc(N, sizeof(*seen));
    for (uint32_t i = 0; i < N; i++)
        spans[i] = (struct skep_span){skep_span_key_number(-(int64_t)i), skep_span_key_number(i)};
    assert_int_equal(skep_arena_new(256 << 20, &pool), 0);
    assert_int_equal(skep_spans_new(pool, spans, N, &s), 0);
    print_message("# 100,000 intervals inside of each other: %zu MiB\n", skep_arena_size(pool) >> 20);
    assert_true(skep_arena_size(pool) < (size_t)64 << 20);
    skep_spans_search(s, skep_span_key_number(N - 10), count, seen);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(seen[i], i >= N - 10);
    free(spans);
    free(seen);
    skep_arena_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
