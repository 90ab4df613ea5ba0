/* SPDX-License-Identifier: Apache-2.0 */
#include "../field/fixture.h"

#include "base/diag.h"
#include "rule/alert/format.h"

#include <jansson.h>
#include <sys/stat.h>
#include <time.h>

static struct skep_format *make(const char *text)
{
    struct skep_diags d;
    struct skep_format *f = NULL;
    skep_diags_init(&d, NULL);
    int r = skep_format_new(text, NULL, &d, &f);
    if (r < 0) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 65536);
        skep_diags_put_text(&d, NULL, &sb);
        fail_msg("%s: %s", text, sb.s);
    }
    skep_diags_clear(&d);
    return f;
}

static void check_cut(struct field_test *x, uint32_t longest, const char *template, const char *text,
                      const char *fields)
{
    SKEP_CLEANUP(skep_format_freep) struct skep_format *f = make(template);
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 1 << 20);
    skep_format_use_hosts(f, x->hosts);
    skep_format_limit(f, longest);
    for (int again = 0; again < 2; again++) { /* the second time with the context of the first */
        skep_strbuf_reset(&sb);
        skep_format_put_text(f, &x->r.ev, x->users, &sb);
        assert_string_equal(sb.s, text);
        skep_strbuf_reset(&sb);
        skep_json_init(&j, &sb);
        skep_json_open(&j, NULL, '{');
        skep_format_put_fields(f, &j);
        skep_json_close(&j, '}');
        assert_string_equal(sb.s, fields);
        json_t *json = json_loads(sb.s, 0, NULL);
        assert_non_null(json);
        json_decref(json);
    }
}

static void check(struct field_test *x, const char *template, const char *text, const char *fields)
{
    check_cut(x, 0, template, text, fields);
}

#define TIME "\"evt.time\":1700000001500000000"

static void test_fields(void **s)
{
    struct field_test *x = *s;
    test_open(&x->r, x->schema);
    check(x, "nothing", "nothing", "{" TIME "}");
    check(x, "", "", "{" TIME "}");
    check(x, "file=%fd.name num=%fd.num w=%evt.is_open_write sip=%fd.sip",
          "file=/etc/passwd num=3 w=true sip=<NA>",
          "{" TIME ",\"fd.name\":\"/etc/passwd\",\"fd.num\":3,\"evt.is_open_write\":true,\"fd.sip\":null}");
    check(x, "%fd.num%fd.num", "33", "{" TIME ",\"fd.num\":3}");
    check(x, "100%% %%fd.num %fd.num%%", "100% %fd.num 3%", "{" TIME ",\"fd.num\":3}");
    check(x, "%%", "%", "{" TIME "}");
    check(x, "%fd.num_%fd.num. %fd.nums", "3_3. 3s", "{" TIME ",\"fd.num\":3}");
    check(x, "[%4fd.num][%4fd.name][%0fd.num]", "[3   ][/etc][3]",
          "{" TIME ",\"fd.num\":3,\"fd.name\":\"/etc/passwd\"}");
    check(x, "%evt.arg.flags %evt.arg[flags] %evt.arg[0]",
          "O_RDWR|O_CREAT|O_CLOEXEC O_RDWR|O_CREAT|O_CLOEXEC <f>/etc/passwd",
          "{" TIME
          ",\"evt.arg.flags\":\"O_RDWR|O_CREAT|O_CLOEXEC\",\"evt.arg[flags]\":\"O_RDWR|O_CREAT|O_CLOEXEC\","
          "\"evt.arg[0]\":\"<f>/etc/passwd\"}");
    check(x, "%toupper(fd.filename) %len(fd.name) %basename(fd.sip.name)", "PASSWD 11 <NA>",
          "{" TIME
          ",\"toupper(fd.filename)\":\"PASSWD\",\"len(fd.name)\":11,\"basename(fd.sip.name)\":null}");
    test_connect(&x->r, x->schema);
    check(x, "%fd.cip->%fd.sip", "10.0.0.7->93.184.216.34",
          "{" TIME ",\"fd.cip\":\"10.0.0.7\",\"fd.sip\":\"93.184.216.34\"}");
}

/* Several values in brackets; of the names of a host only the newest. */
static void test_several(void **s)
{
    struct field_test *x = *s;
    char root[] = "/tmp/skep-format-XXXXXX", path[64];
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/etc", root);
    assert_int_equal(mkdir(path, 0700), 0);
    strcat(path, "/hosts");
    FILE *file = fopen(path, "we");
    fputs("93.184.216.34 www.example.org example\n", file);
    fclose(file);
    assert_int_equal(skep_rule_hosts_new(root, &x->hosts), 0);
    test_connect(&x->r, x->schema);
    check(x, "%fd.sip.name %fd.cip.name", "www.example.org <NA>",
          "{" TIME ",\"fd.sip.name\":\"www.example.org\",\"fd.cip.name\":null}");
    test_process(&x->r);
    check(x, "%proc.aname", "(sshd)", "{" TIME ",\"proc.aname\":[\"sshd\"]}");
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rmdir(root);
}

static void test_ends_of_names(void **s)
{
    struct field_test *x = *s;
    test_open(&x->r, x->schema);
    check(x, "It was %fd.name. All of %fd.num.", "It was /etc/passwd. All of 3.",
          "{" TIME ",\"fd.name\":\"/etc/passwd\",\"fd.num\":3}");
    check(x, "[%4fd.name|%14fd.name|%3fd.num]", "[/etc|/etc/passwd   |3  ]",
          "{" TIME ",\"fd.name\":\"/etc/passwd\",\"fd.num\":3}");
    check(x, "%fd.name...", "/etc/passwd...", "{" TIME ",\"fd.name\":\"/etc/passwd\"}");
    check(x, "(%fd.num)[x]%fd.num[y]/", "(3)[x]3[y]/", "{" TIME ",\"fd.num\":3}");
    check(x, "a\n  b\tc %fd.num \n", "a   b c 3", "{" TIME ",\"fd.num\":3}");
}

static void test_time(void **s)
{
    struct field_test *x = *s;
    setenv("TZ", "UTC", 1);
    tzset();
    test_open(&x->r, x->schema);
    check(x, "%evt.time|%evt.time.iso8601|%evt.rawtime",
          "22:13:21.500000000|2023-11-14T22:13:21.500000000+0000|1700000001500000000",
          "{\"evt.time\":1700000001500000000,\"evt.time.iso8601\":1700000001500000000,"
          "\"evt.rawtime\":1700000001500000000}");
}

static void test_hostile_text(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_open *e = test_open(&x->r, x->schema);
    e->path = test_text(&x->r, "/a\n\x1b[2J\x7f\xff\xc2\x85\xe2\x80\xae\xc3\xa4\"\\");
    check(x, "%fd.name", "/a\\n\\u001b[2J\\u007f\xef\xbf\xbd\\u0085\\u202e\xc3\xa4\"\\",
          "{" TIME ",\"fd.name\":\"/a\\n\\u001b[2J\\u007f\\ufffd\xc2\x85\xe2\x80\xae\xc3\xa4\\\"\\\\\"}");
}

/* Only the beginnings of texts, and whole characters of them. */
static void test_cut(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_open *e = test_open(&x->r, x->schema);
    e->path = test_text(&x->r, "/a\n\xc3\xa4\xe2\x82\xac!");
    static const struct {
        uint32_t longest;
        const char *text, *json;
    } rows[] = {
        {9, "/a\\n\xc3\xa4\xe2\x82\xac!", "/a\\n\xc3\xa4\xe2\x82\xac!"},
        {8, "/a\\n\xc3\xa4\xe2\x82\xac...", "/a\\n\xc3\xa4\xe2\x82\xac..."},
        {7, "/a\\n\xc3\xa4...", "/a\\n\xc3\xa4..."},
        {5, "/a\\n\xc3\xa4...", "/a\\n\xc3\xa4..."},
        {4, "/a\\n...", "/a\\n..."},
        {3, "/a\\n...", "/a\\n..."},
        {1, "/...", "/..."},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char fields[128], text[64];
        snprintf(fields, sizeof(fields), "{" TIME ",\"fd.name\":\"%s\",\"fd.num\":3}", rows[i].json);
        snprintf(text, sizeof(text), "%s 3", rows[i].text);
        check_cut(x, rows[i].longest, "%fd.name %fd.num", text, fields);
    }
}

static void test_errors(void **s)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"%no.such", "no.such"}, {"%evt.arg.nonsense", "evt.arg"},
        {"% x", "field"},        {"100%", "field"},
        {"100%%%", "field"},     {"%evt.arg", "argument"},
        {"%evt.arg[x", "]"},     {"%nofunction(proc.name)", "nofunction"},
    };
    (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct skep_diags d;
        struct skep_format *f = NULL;
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 65536);
        skep_diags_init(&d, NULL);
        if (skep_format_new(cases[i].text, NULL, &d, &f) != -EINVAL)
            fail_msg("%s is fine", cases[i].text);
        assert_null(f);
        skep_diags_put_text(&d, NULL, &sb);
        if (!strstr(sb.s, cases[i].message) || !skep_streq(d.list[0].code, "LOAD_ERR_COMPILE_OUTPUT"))
            fail_msg("%s: %s", cases[i].text, sb.s);
        skep_diags_clear(&d);
    }
}

static void test_place(void **s)
{
    static const char text[] = "- output: File %fd.name by %prok.name\n";
    struct skep_rule_file file = {.name = "x.yaml", .text = text, .len = sizeof(text) - 1};
    struct skep_rule_source source = {.file = &file, .text = text + 10, .len = sizeof(text) - 12, .at = 10};
    struct skep_rule_place place = {.source = &source};
    struct skep_diags d;
    struct skep_format *f = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    (void)s;
    skep_strbuf_init(&sb, 65536);
    skep_diags_init(&d, NULL);
    assert_int_equal(skep_format_new("File %fd.name by %prok.name", &place, &d, &f), -EINVAL);
    skep_diags_put_text(&d, NULL, &sb);
    if (!strstr(sb.s, "x.yaml:1:29") || !strstr(sb.s, "prok.name") || !strstr(sb.s, "proc.name"))
        fail_msg("%s", sb.s);
    skep_diags_clear(&d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, field_setup, field_teardown)
    const struct CMUnitTest tests[] = {TEST(test_fields), TEST(test_several),      TEST(test_ends_of_names),
                                       TEST(test_time),   TEST(test_hostile_text), TEST(test_cut),
                                       TEST(test_errors), TEST(test_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
