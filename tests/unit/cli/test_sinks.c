/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sinks.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S 1000000000ULL

struct options {
    bool before;
    struct skep_alert_options alerts;
};

static const struct skep_option alerts[] = {SKEP_ALERT_OPTIONS(offsetof(struct options, alerts)), {0}};
static const struct skep_option_group groups[] = {{"Alerts", alerts}, {0}};
static const struct skep_options_spec spec = {.command = "skep test", .groups = groups};

static void test_rate(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t rate, interval, burst;
    } right[] = {
        {"10/1m", 10, 60 * S, 0},
        {"1/1h30m", 1, 5400 * S, 0},
        {"3/500ms,burst=20", 3, S / 2, 20},
    };
    static const char *const wrong[] = {
        "",
        "10",
        "10/",
        "/1m",
        "0/1m",
        "10/0s",
        "10/m",
        "10/1m,",
        "10/1m,burst",
        "10/1m,burst=0",
        "10/1m,burst=x",
        "10/1m,bust=1",
        "-1/1m",
        "9999999999/1m",
        "11/10ns",
        "10/1m,burst=5,",
    };
    _cleanup_strbuf_ struct skep_strbuf error;
    skep_strbuf_init(&error, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        struct skep_throttle_options o = {0};
        assert_int_equal(skep_rate_parse(right[i].text, &o, &error), 0);
        assert_true(o.rate == right[i].rate && o.interval_ns == right[i].interval &&
                    o.burst == right[i].burst);
    }
    assert_int_equal(error.len, 0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct skep_throttle_options o = {.rate = 7};
        skep_strbuf_reset(&error);
        assert_int_equal(skep_rate_parse(wrong[i], &o, &error), -EINVAL);
        assert_true(o.rate == 7 && error.len > 0);
    }
}

static void test_suppress(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t window;
        const char *key;
    } right[] = {
        {"1m", 60 * S,
         "container.id=%container.id proc.exepath=%proc.exepath fd.name=%fd.name "
         "fs.path.name=%fs.path.name"},
        {"30s,by=proc.aname[2]", 30 * S, "proc.aname[2]=%proc.aname[2]"},
        {"5s,by=user.name,fd.rip", 5 * S, "user.name=%user.name fd.rip=%fd.rip"},
    };
    static const char *const wrong[] = {
        "", "x", "0s", "1m,", "1m,by", "1m,by=", "1m,by=a,", "1m,by=a b", "1m,by=%a", "1m,of=a", "1m,by=1"};
    _cleanup_strbuf_ struct skep_strbuf error;
    skep_strbuf_init(&error, 65536);
    for (size_t i = 0; i < ARRAY_SIZE(right); i++) {
        struct skep_throttle_options o = {0};
        _cleanup_free_ char *key = NULL;
        assert_int_equal(skep_suppress_parse(right[i].text, &o, &key, &error), 0);
        assert_true(o.window_ns == right[i].window);
        assert_string_equal(key, right[i].key);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct skep_throttle_options o = {0};
        char *key = NULL;
        assert_int_equal(skep_suppress_parse(wrong[i], &o, &key, &error), -EINVAL);
        assert_null(key);
        assert_true(o.window_ns == 0);
    }
    char many[8192] = "1m,by=a";
    for (size_t at = strlen(many); at < sizeof(many) - 3; at += 2)
        strcpy(many + at, ",a");
    struct skep_throttle_options o = {0};
    char *key = NULL;
    assert_int_equal(skep_suppress_parse(many, &o, &key, &error), -EINVAL);
}

static void test_route(void **state)
{
    (void)state;
    char *argv[] = {"test",   "--to",         "file:/dev/null,queue=5", "--to=program:cat >/dev/null",
                    "--rate", "5/1s,burst=6", "--suppress=2m",          NULL};
    _cleanup_strbuf_ struct skep_strbuf error;
    _cleanup_args_ struct skep_args args = {0};
    struct options o = {0};
    skep_strbuf_init(&error, 4096);
    assert_int_equal(skep_options_parse(&spec, ARRAY_SIZE(argv) - 1, argv, &o, &args, &error), 0);
    struct skep_alert_route route = {0};
    assert_int_equal(skep_alert_route_open(skep_command_find("run"), &o.alerts, &route), SKEP_EXIT_OK);
    assert_int_equal(route.n_sinks, 2);
    assert_string_equal(skep_sink_name(route.sinks[0]), "file:/dev/null");
    assert_string_equal(skep_sink_name(route.sinks[1]), "program:cat >/dev/null");
    assert_true(route.throttle.rate == 5 && route.throttle.burst == 6 && route.throttle.window_ns == 120 * S);
    struct skep_throttle *t = NULL;
    assert_int_equal(skep_throttle_new(&route.throttle, NULL, NULL, &t), 0);
    skep_throttle_free(t);
    skep_alert_route_clear(&route);
}

static void test_wrong(void **state)
{
    (void)state;
    const char *to[] = {"file:/dev/null", "nothing", "stdout,x"};
    const struct skep_alert_options wrong[] = {
        {.to = {to, 3}},
        {.to = {to, 1}, .rate = "x"},
        {.suppress = "x"},
    };
    struct skep_alert_route route = {0};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(skep_alert_route_open(skep_command_find("run"), &wrong[i], &route), SKEP_EXIT_USAGE);
    assert_true(!route.sinks && !route.key && route.n_sinks == 0);
    assert_int_equal(skep_alert_route_open(skep_command_find("run"), &(struct skep_alert_options){0}, &route),
                     SKEP_EXIT_OK);
    assert_null(route.sinks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_suppress),
        cmocka_unit_test(test_route),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
