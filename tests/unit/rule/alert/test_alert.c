/* SPDX-License-Identifier: Apache-2.0 */
#include "../field/fixture.h"

#include "rule/alert/alert.h"

#include <time.h>

static const char *const tags[] = {"host", "mitre_persistence"};
static const struct skep_alert alert = {.time = 1700000001500000000LL,
                                        .rule = "Write \"below\" etc",
                                        .priority = SKEP_PRIORITY_INFORMATIONAL,
                                        .source = "syscall",
                                        .tags = tags,
                                        .n_tags = 2,
                                        .hostname = "web1",
                                        .output = "File \"x\" | a\\n",
                                        .output_len = 14};

static void test_line(void **s)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    (void)s;
    skep_strbuf_init(&sb, 4096);
    skep_alert_put_text(&alert, &(struct skep_alert_style){0}, &sb);
    assert_string_equal(sb.s, "23:13:21.500000000: Informational File \"x\" | a\\n");
    skep_strbuf_reset(&sb);
    skep_alert_put_text(&alert, &(struct skep_alert_style){.iso8601 = true}, &sb);
    assert_string_equal(sb.s, "2023-11-14T22:13:21.500000000+0000: Informational File \"x\" | a\\n");
}

static void test_json(void **s)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    (void)s;
    skep_strbuf_init(&sb, 4096);
    skep_alert_put_json(&alert, &(struct skep_alert_style){0}, &sb);
    assert_string_equal(
        sb.s, "{\"hostname\":\"web1\","
              "\"output\":\"23:13:21.500000000: Informational File \\\"x\\\" | a\\\\n\","
              "\"priority\":\"Informational\",\"rule\":\"Write \\\"below\\\" etc\",\"source\":\"syscall\","
              "\"tags\":[\"host\",\"mitre_persistence\"],\"time\":\"2023-11-14T22:13:21.500000000Z\","
              "\"output_fields\":{\"evt.time\":1700000001500000000}}");
    struct skep_alert bare = alert;
    bare.hostname = NULL;
    bare.n_tags = 0;
    skep_strbuf_reset(&sb);
    skep_alert_put_json(&bare, &(struct skep_alert_style){.iso8601 = true, .message = true}, &sb);
    assert_string_equal(
        sb.s, "{\"message\":\"File \\\"x\\\" | a\\\\n\","
              "\"output\":\"2023-11-14T22:13:21.500000000+0000: Informational File \\\"x\\\" | a\\\\n\","
              "\"priority\":\"Informational\",\"rule\":\"Write \\\"below\\\" etc\",\"source\":\"syscall\","
              "\"tags\":[],\"time\":\"2023-11-14T22:13:21.500000000Z\","
              "\"output_fields\":{\"evt.time\":1700000001500000000}}");
    static const struct skep_throttle_report report = {
        .why = SKEP_THROTTLE_LIMITED, .rule = "R", .hidden = 3, .first_ns = 4, .last_ns = 5, .span_ns = 6};
    bare.report = &report;
    skep_strbuf_reset(&sb);
    skep_alert_put_json(&bare, &(struct skep_alert_style){0}, &sb);
    const char *fields = strstr(sb.s, "\"output_fields\"");
    assert_non_null(fields);
    assert_string_equal(fields, "\"output_fields\":{\"evt.time\":1700000001500000000,\"skep.hidden\":3,"
                                "\"skep.rule\":\"R\",\"skep.reason\":\"rate\",\"skep.key\":null,"
                                "\"skep.span\":6,\"skep.first\":4,\"skep.last\":5}}");
}

static void test_fields(void **s)
{
    struct field_test *x = *s;
    _cleanup_strbuf_ struct skep_strbuf template, text, json;
    SKEP_CLEANUP(skep_format_freep) struct skep_format *f = NULL;
    struct skep_rule rule = {.output = "Opened (file=%fd.name)", .source = "syscall"};
    struct skep_diags d;
    skep_strbuf_init(&template, 4096);
    skep_strbuf_init(&text, 4096);
    skep_strbuf_init(&json, 4096);
    skep_diags_init(&d, NULL);
    skep_alert_put_template(&template, &rule, false);
    assert_string_equal(template.s, "Opened (file=%fd.name)");
    skep_strbuf_reset(&template);
    skep_alert_put_template(&template, &rule, true);
    assert_string_equal(template.s,
                        "Opened (file=%fd.name) container_id=%container.id container_name=%container.name");
    assert_int_equal(skep_format_new(template.s, NULL, &d, &f), 0);
    test_open(&x->r, x->schema);
    test_process(&x->r);
    skep_format_put_text(f, &x->r.ev, NULL, &text);
    assert_string_equal(text.s, "Opened (file=/etc/passwd) container_id=0123456789ab container_name=web");
    struct skep_alert a = alert;
    a.output = text.s;
    a.output_len = text.len;
    a.format = f;
    skep_alert_put_json(&a, &(struct skep_alert_style){0}, &json);
    assert_non_null(strstr(json.s,
                           "\"output_fields\":{\"evt.time\":1700000001500000000,\"fd.name\":\"/etc/passwd\","
                           "\"container.id\":\"0123456789ab\",\"container.name\":\"web\"}}"));
    rule.source = "k8s_audit";
    skep_strbuf_reset(&template);
    skep_alert_put_template(&template, &rule, true);
    assert_string_equal(template.s, "Opened (file=%fd.name)");
    skep_diags_clear(&d);
}

static void test_full(void **s)
{
    (void)s;
    _cleanup_strbuf_ struct skep_strbuf whole;
    skep_strbuf_init(&whole, 4096);
    skep_alert_put_json(&alert, &(struct skep_alert_style){0}, &whole);
    for (size_t max = 0; max < whole.len; max++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, max);
        skep_alert_put_json(&alert, &(struct skep_alert_style){0}, &sb);
        assert_true(sb.failed);
    }
}

int main(void)
{
    setenv("TZ", "UTC-1", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_json),
        cmocka_unit_test_setup_teardown(test_fields, field_setup, field_teardown),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
