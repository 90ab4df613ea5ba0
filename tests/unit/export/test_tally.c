/* SPDX-License-Identifier: Apache-2.0 */
#include "export/tally.h"

#include "../event/record.h"
#include "export/reference.h"

#include <jansson.h>

static int setup(void **state)
{
    *state = test_schema();
    return 0;
}

static int teardown(void **state)
{
    skep_schema_free(*state);
    return 0;
}

static struct skep_tally *tally(const struct skep_schema *s, const char *field)
{
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "--count-by");
    struct skep_tally *t = NULL;
    assert_int_equal(skep_tally_new(s, NULL, field, &d, &t), 0);
    return t;
}

static void test_counts(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_tally_freep) struct skep_tally *c = tally(*state, "path");
    static const char *const paths[] = {"/b", "/a", "/c\n", "/a", NULL, "-", "/c\n", "/a"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct skep_ev_open *o = test_open(&t, *state);
        o->path = (struct skep_slice){0, 0};
        if (paths[i])
            o->path = test_text(&t, paths[i]);
        skep_tally_add(c, &t.ev);
    }
    assert_int_equal(skep_tally_put_text(c, &sb, 0, 0), 0);
    assert_string_equal(sb.s, "     COUNT  path\n"
                              "         3  /a\n"
                              "         2  /c\\n\n"
                              "         1  -\n"
                              "         1  /b\n"
                              "         1  -\n");
    skep_strbuf_reset(&sb);
    assert_int_equal(skep_tally_put_json(c, &sb), 0);
    assert_string_equal(sb.s, "{\"kind\":\"count\",\"by\":\"path\",\"total\":8,\"groups\":["
                              "{\"value\":\"/a\",\"count\":3},{\"value\":\"/c\\n\",\"count\":2},"
                              "{\"value\":\"-\",\"count\":1},{\"value\":\"/b\",\"count\":1},"
                              "{\"value\":null,\"count\":1}],\"other\":0}");
    skep_strbuf_reset(&sb);
    assert_int_equal(skep_tally_put_text(c, &sb, 14, 4), 0);
    assert_string_equal(sb.s, "     COUNT  path\n"
                              "         3  /a\n"
                              "         2  /\xe2\x80\xa6\n"
                              "         3  (\xe2\x80\xa6\n");
}

/* However many values there are, memory is bounded and the counts add up. */
static void test_bounded(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64 << 20);
    SKEP_CLEANUP(skep_tally_freep) struct skep_tally *c = tally(*state, "inode");
    struct skep_ev_open *o = test_open(&t, *state);
    uint64_t n = SKEP_TALLY_GROUPS_MAX + 1000;
    for (uint64_t i = 1; i <= n; i++) {
        o->inode = i;
        skep_tally_add(c, &t.ev);
    }
    assert_int_equal(skep_tally_put_json(c, &sb), 0);
    json_t *root = json_loadb(sb.s, sb.len, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "groups")), SKEP_TALLY_GROUPS_MAX);
    assert_int_equal(json_integer_value(json_object_get(root, "other")), 1000);
    assert_int_equal(json_integer_value(json_object_get(root, "total")), n);
    json_decref(root);
    skep_strbuf_reset(&sb);
    assert_int_equal(skep_tally_put_text(c, &sb, 80, 24), 0);
    unsigned lines = 0;
    for (size_t i = 0; i < sb.len; i++)
        lines += sb.s[i] == '\n';
    assert_int_equal(lines, 24);
    assert_non_null(strstr(sb.s, "      1000  (other)\n"));
}

static void test_endpoint_and_errors(void **state)
{
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    SKEP_CLEANUP(skep_tally_freep) struct skep_tally *c = tally(*state, "remote");
    test_connect(&t, *state);
    skep_tally_add(c, &t.ev);
    assert_int_equal(skep_tally_put_json(c, &sb), 0);
    assert_non_null(strstr(sb.s, "\"93.184.216.34:443\""));
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "--count-by");
    struct skep_tally *bad = NULL;
    assert_int_equal(skep_tally_new(*state, NULL, "com", &d, &bad), -EINVAL);
    assert_string_equal(d.list[0].hint, "did you mean `comm`?");
}

static void test_reference(void **state)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_reference_put_text(*state, NULL, &sb);
    assert_false(sb.failed);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(*state, k);
        if (!kind)
            continue;
        char heading[64];
        snprintf(heading, sizeof(heading), "\n## %s\n", kind->name);
        assert_true((strstr(sb.s, heading) != NULL) == (kind->show != SKEP_SHOW_HIDDEN));
    }
    assert_non_null(strstr(sb.s, "- `remote.port` (port): address of the peer: port\n"));
    skep_strbuf_reset(&sb);
    skep_reference_put_json(*state, NULL, &sb);
    json_t *root = json_loadb(sb.s, sb.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_true(json_array_size(json_object_get(root, "kinds")) > 40);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_endpoint_and_errors),
        cmocka_unit_test(test_reference),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
