/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink_spec.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct target {
    enum skep_sink_format format;
    uint64_t count, size, duration;
    uint32_t mode;
    const char *text, *file;
    struct skep_sink_texts texts;
    bool flag;
};

static const struct skep_sink_option common[] = {
    {"format", "text|json", SKEP_SINK_OPTION_FORMAT, offsetof(struct target, format), 0, 0, "."},
    {0},
};

static const struct skep_sink_option own[] = {
    {"count", "N", SKEP_SINK_OPTION_COUNT, offsetof(struct target, count), 2, 10, "."},
    {"size", "SIZE", SKEP_SINK_OPTION_SIZE, offsetof(struct target, size), 1, UINT64_MAX, "."},
    {"duration", "TIME", SKEP_SINK_OPTION_DURATION, offsetof(struct target, duration), 0, 0, "."},
    {"mode", "MODE", SKEP_SINK_OPTION_MODE, offsetof(struct target, mode), 0, 0, "."},
    {"text", "TEXT", SKEP_SINK_OPTION_TEXT, offsetof(struct target, text), 0, 0, "."},
    {"more", "TEXT", SKEP_SINK_OPTION_TEXTS, offsetof(struct target, texts), 0, 0, "."},
    {"file", "FILE", SKEP_SINK_OPTION_FILE, offsetof(struct target, file), 0, 0, "."},
    {"flag", NULL, SKEP_SINK_OPTION_FLAG, offsetof(struct target, flag), 0, 0, "."},
    {0},
};

static struct skep_diags diags;
static struct skep_sink_spec spec;
static struct target target;

static int parse(const char *text)
{
    skep_sink_spec_clear(&spec);
    skep_diags_clear(&diags);
    skep_diags_init(&diags, "--to");
    target = (struct target){0};
    int r = skep_sink_spec_parse(&spec, text, &diags);
    return r ? r : skep_sink_spec_apply(&spec, common, &target, own, &target);
}

static void test_heads(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kind, *address;
    } rows[] = {
        {"stdout", "stdout", NULL},
        {"stdout,flag", "stdout", NULL},
        {"file:/a b", "file", "/a b"},
        {"file:", "file", ""},
        {"file:'/a,b'", "file", "/a,b"},
        {"file:\"/a,\\\"\\\\b\"", "file", "/a,\"\\b"},
        {"\"program:awk -F, x\",flag", "program", "awk -F, x"},
        {"program:echo 'a, b' \"c,d\",flag", "program", "echo 'a, b' \"c,d\""},
        {"program:'a' 'b'", "program", "'a' 'b'"},
        {"program:echo \"it's\"", "program", "echo \"it's\""},
        {"https://h:1/x?y=z#", "https", "//h:1/x?y=z#"},
        {"", "", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(parse(rows[i].text), 0);
        assert_string_equal(spec.kind, rows[i].kind);
        if (rows[i].address)
            assert_string_equal(spec.address, rows[i].address);
        else
            assert_null(spec.address);
    }
}

static void test_values(void **state)
{
    (void)state;
    assert_int_equal(
        parse("x:y,format=json,count=10,size=3K,duration=1m,mode=0751,text=\"a,b=c\",more=1,more='2,',"
              "flag,file=/dev/null"),
        0);
    assert_int_equal(target.format, SKEP_SINK_JSON);
    assert_int_equal(target.count, 10);
    assert_int_equal(target.size, 3072);
    assert_true(target.duration == 60000000000ULL);
    assert_int_equal(target.mode, 0751);
    assert_string_equal(target.text, "a,b=c");
    assert_int_equal(target.texts.n, 2);
    assert_string_equal(target.texts.list[0], "1");
    assert_string_equal(target.texts.list[1], "2,");
    assert_string_equal(target.file, "/dev/null");
    assert_true(target.flag);
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
        unsigned column;
    } rows[] = {
        {"x:'", "sink-syntax", 1},
        {"x,text=\"abc", "sink-syntax", 3},
        {"x,", "sink-option", 3},
        {"x,,flag", "sink-option", 3},
        {"x,flg", "sink-option", 3},
        {"x,flag=1", "sink-value", 3},
        {"x,flag,count", "sink-value", 8},
        {"x,count=", "sink-value", 3},
        {"x,count=1", "sink-value", 3},
        {"x,count=11", "sink-value", 3},
        {"x,count=1x", "sink-value", 3},
        {"x,size=1x", "sink-value", 3},
        {"x,size=99999999999999999999", "sink-value", 3},
        {"x,duration=0s", "sink-value", 3},
        {"x,duration=5x", "sink-value", 3},
        {"x,mode=8", "sink-value", 3},
        {"x,mode=07777", "sink-value", 3},
        {"x,mode=1777", "sink-value", 3},
        {"x,text=", "sink-value", 3},
        {"x,format=xml", "sink-value", 3},
        {"x,file=/nonexistent/file", "sink-file", 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (parse(rows[i].text) != -EINVAL)
            fail_msg("%s", rows[i].text);
        assert_int_equal(diags.n, 1);
        assert_string_equal(diags.list[0].code, rows[i].code);
        assert_int_equal(diags.list[0].column, rows[i].column);
    }
    /* all that is wrong is told at once */
    assert_int_equal(parse("x,flg,count=0,mode=z"), -EINVAL);
    assert_int_equal(diags.n, 3);
    assert_string_equal(diags.list[0].hint, "did you mean 'flag'?");
}

static void test_hostile(void **state)
{
    (void)state;
    char *long_one = malloc(SKEP_SINK_SPEC_MAX + 2);
    assert_non_null(long_one);
    memset(long_one, ',', SKEP_SINK_SPEC_MAX + 1);
    long_one[SKEP_SINK_SPEC_MAX + 1] = '\0';
    assert_int_equal(parse(long_one), -EINVAL);
    long_one[SKEP_SINK_SPEC_MAX] = '\0';
    assert_int_equal(parse(long_one), -EINVAL);
    assert_string_equal(diags.list[0].message, "more than 64 options");
    memset(long_one, '"', SKEP_SINK_SPEC_MAX);
    assert_int_equal(parse(long_one), 0);
    free(long_one);
    char many[1024] = "x";
    for (int i = 0; i < SKEP_SINK_TEXTS_MAX + 1; i++)
        strcat(many, ",more=1");
    assert_int_equal(parse(many), -EINVAL);
    assert_int_equal(diags.n, 1);
    parse("");
    skep_sink_spec_clear(&spec);
    skep_diags_clear(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
