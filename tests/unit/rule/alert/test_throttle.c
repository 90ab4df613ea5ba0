/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/alert/throttle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S 1000000000ULL

struct told {
    struct skep_throttle_report last;
    char rule[64], key[2048];
    unsigned n;
    uint64_t hidden;
};

static void tell(void *userdata, const struct skep_throttle_report *report)
{
    struct told *t = userdata;
    assert_true(report->hidden > 0);
    assert_true(report->first_ns <= report->last_ns);
    assert_in_range(report->key_len, 0, SKEP_THROTTLE_KEY_MAX);
    t->last = *report;
    snprintf(t->rule, sizeof(t->rule), "%s", report->rule);
    snprintf(t->key, sizeof(t->key), "%.*s", (int)report->key_len, report->key ? report->key : "");
    t->n++;
    t->hidden += report->hidden;
}

static struct skep_throttle *make(const struct skep_throttle_options *o, struct told *told)
{
    struct skep_throttle *t = NULL;
    *told = (struct told){0};
    assert_int_equal(skep_throttle_new(o, tell, told, &t), 0);
    return t;
}

static enum skep_throttle_verdict ask(struct skep_throttle *t, const char *rule, const char *key,
                                      uint64_t now)
{
    return skep_throttle_ask(t, rule, key, strlen(key), now);
}

/* Frees it, after the account was closed. */
static void finish(struct skep_throttle *t, const struct told *told)
{
    struct skep_throttle_counters c;
    skep_throttle_end(t);
    skep_throttle_counters(t, &c);
    assert_int_equal(c.asked, c.passed + c.suppressed + c.limited);
    assert_int_equal(c.suppressed + c.limited, c.reported);
    assert_int_equal(c.reported, told->hidden);
    assert_int_equal(c.windows, 0);
    assert_true(skep_throttle_next(t) == UINT64_MAX);
    skep_throttle_free(t);
}

static void test_off(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t = make(&(struct skep_throttle_options){0}, &told);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(ask(t, "r", "k", 5), SKEP_THROTTLE_PASS);
    assert_true(skep_throttle_next(t) == UINT64_MAX);
    finish(t, &told);
    assert_int_equal(told.n, 0);
}

static void test_rate(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t = make(&(struct skep_throttle_options){.rate = 3, .interval_ns = 60 * S}, &told);
    uint64_t now = 1000 * S;
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(t, "a", "", now + (unsigned)i),
                         i < 3 ? SKEP_THROTTLE_PASS : SKEP_THROTTLE_LIMITED);
    /* each rule has its own */
    assert_int_equal(ask(t, "b", "", now), SKEP_THROTTLE_PASS);
    /* one token each 20 s */
    assert_int_equal(ask(t, "a", "", now + 19 * S), SKEP_THROTTLE_LIMITED);
    assert_int_equal(ask(t, "a", "", now + 20 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "a", "", now + 21 * S), SKEP_THROTTLE_LIMITED);
    assert_int_equal(told.n, 0);
    assert_true(skep_throttle_next(t) == now + 3 + 60 * S);
    skep_throttle_tick(t, now + 60 * S);
    assert_int_equal(told.n, 0);
    skep_throttle_tick(t, now + 61 * S);
    assert_int_equal(told.n, 1);
    assert_int_equal(told.last.why, SKEP_THROTTLE_LIMITED);
    assert_string_equal(told.rule, "a");
    assert_int_equal(told.last.hidden, 9);
    assert_true(told.last.first_ns == now + 3 && told.last.last_ns == now + 21 * S);
    assert_true(told.last.span_ns == 60 * S);
    /* after a long silence the whole burst, and no more */
    now += 10000 * S;
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(t, "a", "", now), i < 3 ? SKEP_THROTTLE_PASS : SKEP_THROTTLE_LIMITED);
    finish(t, &told);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.last.hidden, 2);
}

static void test_burst(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t =
        make(&(struct skep_throttle_options){.rate = 10, .interval_ns = 10 * S, .burst = 1}, &told);
    assert_int_equal(ask(t, "a", "", 0), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "a", "", S - 1), SKEP_THROTTLE_LIMITED);
    assert_int_equal(ask(t, "a", "", S), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "a", "", S), SKEP_THROTTLE_LIMITED);
    finish(t, &told);
    /* over a long time the rate is what was asked for, whatever comes */
    t = make(&(struct skep_throttle_options){.rate = 7, .interval_ns = S, .burst = 100}, &told);
    unsigned passed = 0;
    for (uint64_t ms = 0; ms < 100000; ms++)
        passed += ask(t, "a", "", ms * 1000000) == SKEP_THROTTLE_PASS;
    assert_in_range(passed, 799, 801);
    finish(t, &told);
}

static void test_window(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t = make(&(struct skep_throttle_options){.window_ns = 30 * S}, &told);
    assert_int_equal(ask(t, "a", "x", 100 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "a", "x", 101 * S), SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(ask(t, "a", "x", 129 * S), SKEP_THROTTLE_SUPPRESSED);
    /* another key, another rule, and keys that only look alike when they are joined */
    assert_int_equal(ask(t, "a", "y", 101 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "b", "x", 101 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "ax", "", 101 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "", "ax", 101 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(skep_throttle_ask(t, "a", "x\0y", 3, 101 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(told.n, 0);
    /* the window began with what was shown, and is not drawn out by what was hidden */
    assert_int_equal(ask(t, "a", "x", 130 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(told.n, 1);
    assert_int_equal(told.last.why, SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(told.last.hidden, 2);
    assert_string_equal(told.rule, "a");
    assert_string_equal(told.key, "x");
    assert_true(told.last.first_ns == 101 * S && told.last.last_ns == 129 * S);
    assert_int_equal(ask(t, "a", "x", 131 * S), SKEP_THROTTLE_SUPPRESSED);
    finish(t, &told);
    assert_int_equal(told.n, 2);
}

/* A flood gives one alert and one report a window. */
static void test_flood(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t = make(&(struct skep_throttle_options){.window_ns = 10 * S}, &told);
    unsigned passed = 0;
    for (uint64_t ms = 0; ms < 100000; ms++)
        passed += ask(t, "a", "x", ms * 1000000) == SKEP_THROTTLE_PASS;
    assert_int_equal(passed, 10);
    assert_int_equal(told.n, 9);
    finish(t, &told);
    assert_int_equal(told.n, 10);
    assert_int_equal(told.hidden, 100000 - 10);
}

static void test_both(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t =
        make(&(struct skep_throttle_options){.rate = 2, .interval_ns = 100 * S, .window_ns = 10 * S}, &told);
    assert_int_equal(ask(t, "a", "1", 0), SKEP_THROTTLE_PASS);
    /* what is suppressed costs nothing */
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(t, "a", "1", S), SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(ask(t, "a", "2", S), SKEP_THROTTLE_PASS);
    /* what nobody saw opens no window */
    assert_int_equal(ask(t, "a", "3", 2 * S), SKEP_THROTTLE_LIMITED);
    assert_int_equal(ask(t, "a", "3", 2 * S), SKEP_THROTTLE_LIMITED);
    finish(t, &told);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.hidden, 102);
}

/* The key that was not seen for the longest time goes first, not the one that is busy. */
static void test_bounded(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t =
        make(&(struct skep_throttle_options){.window_ns = 1000 * S, .max_keys = 100}, &told);
    struct skep_throttle_counters c;
    ask(t, "a", "busy", S);
    for (int i = 0; i < 1000; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key %d", i);
        assert_int_equal(ask(t, "a", key, S), SKEP_THROTTLE_PASS);
        assert_int_equal(ask(t, "a", "busy", S), SKEP_THROTTLE_SUPPRESSED);
        skep_throttle_counters(t, &c);
        assert_in_range(c.windows, 1, 100);
    }
    assert_int_equal(c.evicted, 901);
    assert_int_equal(ask(t, "a", "key 999", 2 * S), SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(ask(t, "a", "key 0", 2 * S), SKEP_THROTTLE_PASS);
    finish(t, &told);
    assert_int_equal(told.hidden, 1001);
}

static void test_long_keys(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t = make(&(struct skep_throttle_options){.window_ns = S}, &told);
    static char key[5000];
    memset(key, 'k', sizeof(key));
    assert_int_equal(skep_throttle_ask(t, "a", key, sizeof(key), 0), SKEP_THROTTLE_PASS);
    assert_int_equal(skep_throttle_ask(t, "a", key, sizeof(key), 0), SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(skep_throttle_ask(t, "a", key, sizeof(key) - 1, 0), SKEP_THROTTLE_PASS);
    key[4000] = 'l';
    assert_int_equal(skep_throttle_ask(t, "a", key, sizeof(key), 0), SKEP_THROTTLE_PASS);
    finish(t, &told);
    assert_int_equal(told.last.key_len, SKEP_THROTTLE_KEY_MAX);
}

static void test_time(void **state)
{
    (void)state;
    struct told told;
    struct skep_throttle *t =
        make(&(struct skep_throttle_options){.rate = 1, .interval_ns = S, .window_ns = S}, &told);
    assert_int_equal(ask(t, "a", "x", 100 * S), SKEP_THROTTLE_PASS);
    /* back in time: it stands still */
    assert_int_equal(ask(t, "a", "x", 1), SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(ask(t, "a", "y", 1), SKEP_THROTTLE_LIMITED);
    assert_int_equal(ask(t, "a", "x", 101 * S), SKEP_THROTTLE_PASS);
    assert_int_equal(told.n, 2);
    /* the end of time */
    assert_int_equal(ask(t, "a", "z", UINT64_MAX), SKEP_THROTTLE_PASS);
    assert_int_equal(ask(t, "a", "z", UINT64_MAX), SKEP_THROTTLE_SUPPRESSED);
    assert_int_equal(ask(t, "a", "other", UINT64_MAX), SKEP_THROTTLE_LIMITED);
    finish(t, &told);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct skep_throttle_options wrong[] = {
        {.rate = 1},
        {.rate = 11, .interval_ns = 10},
        {.rate = SKEP_THROTTLE_RATE_MAX + 1, .interval_ns = UINT64_MAX},
        {.burst = UINT64_MAX},
        {.max_keys = SKEP_THROTTLE_KEYS_MAX + 1},
    };
    struct skep_throttle *t = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(skep_throttle_new(&wrong[i], tell, NULL, &t), -EINVAL);
    assert_null(t);
    /* the largest that are right */
    struct told told;
    t = make(&(struct skep_throttle_options){.rate = 1,
                                             .interval_ns = UINT64_MAX,
                                             .burst = 1000000000,
                                             .window_ns = UINT64_MAX,
                                             .max_keys = SKEP_THROTTLE_KEYS_MAX},
             &told);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(t, "a", "", (uint64_t)i), i ? SKEP_THROTTLE_SUPPRESSED : SKEP_THROTTLE_PASS);
    finish(t, &told);
}

/* The same questions at the same times give the same answers, whatever the seed of the table. */
static void test_replay(void **state)
{
    (void)state;
    uint64_t sums[2];
    for (int run = 0; run < 2; run++) {
        struct told told;
        struct skep_throttle *t = make(
            &(struct skep_throttle_options){
                .rate = 50, .interval_ns = S, .burst = 9, .window_ns = 3 * S, .max_keys = 64},
            &told);
        uint64_t now = 0, sum = 0;
        unsigned seed = 7;
        for (int i = 0; i < 50000; i++) {
            char rule[16], key[16];
            seed = seed * 1103515245 + 12345;
            snprintf(rule, sizeof(rule), "r%u", seed >> 16 & 3);
            snprintf(key, sizeof(key), "k%u", seed >> 18 & 127);
            now += (seed >> 8) % 4000000;
            sum = sum * 31 + (uint64_t)ask(t, rule, key, now);
        }
        finish(t, &told);
        sums[run] = sum * 31 + told.n;
    }
    assert_true(sums[0] == sums[1]);
}

static void test_reports(void **state)
{
    (void)state;
    struct skep_throttle_report r = {.why = SKEP_THROTTLE_SUPPRESSED,
                                     .rule = "Odd \"rule\"",
                                     .key = "a\nb",
                                     .key_len = 3,
                                     .hidden = 41,
                                     .first_ns = 1,
                                     .last_ns = 2,
                                     .span_ns = 30 * S};
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 4096);
    skep_throttle_put_text(&r, &sb);
    assert_string_equal(sb.s, "41 more alerts of \"Odd \"rule\"\" were hidden within 30.0s: a\\nb");
    skep_strbuf_reset(&sb);
    skep_json_init(&j, &sb);
    skep_json_open(&j, NULL, '{');
    skep_throttle_put_json(&r, &j);
    skep_json_close(&j, '}');
    assert_string_equal(
        sb.s, "{\"skep.hidden\":41,\"skep.rule\":\"Odd \\\"rule\\\"\",\"skep.reason\":\"suppressed\","
              "\"skep.key\":\"a\\nb\",\"skep.span\":30000000000,\"skep.first\":1,\"skep.last\":2}");
    r = (struct skep_throttle_report){
        .why = SKEP_THROTTLE_LIMITED, .rule = "R", .hidden = 1, .span_ns = 60 * S};
    skep_strbuf_reset(&sb);
    skep_throttle_put_text(&r, &sb);
    assert_string_equal(sb.s, "1 more alert of \"R\" was hidden within 1m00s: the rule is over its rate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),     cmocka_unit_test(test_rate),      cmocka_unit_test(test_burst),
        cmocka_unit_test(test_window),  cmocka_unit_test(test_flood),     cmocka_unit_test(test_both),
        cmocka_unit_test(test_bounded), cmocka_unit_test(test_long_keys), cmocka_unit_test(test_time),
        cmocka_unit_test(test_wrong),   cmocka_unit_test(test_replay),    cmocka_unit_test(test_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
