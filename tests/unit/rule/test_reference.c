/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "rule/field.h"
#include "rule/reference.h"

static void test_text(void **s)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    (void)s;
    skep_strbuf_init(&sb, 1 << 20);
    skep_rule_reference_put_text(&sb);
    assert_false(sb.failed);
    static const char *const lines[] = {
        "\n## fd: The descriptor\n",
        "\n- `evt.arg[NAME]`, `evt.arg.NAME` (text): ",
        "\n- `fd.ip` (ip, several, only in conditions): address of either end. Of ",
        "\n- `evt.dir` (text, deprecated): ",
        "known in the kernel for all events but tcp, dns.\n", /* proc.name */
        "\n- openat: `fd`, `dirfd`, `name`, `flags`, `mode`, `dev`, `ino`\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (!strstr(sb.s, lines[i]))
            fail_msg("no '%s' in it", lines[i]);
    assert_null(strstr(sb.s, "(null)"));
}

/* The JSON form has every field once, with its kinds. */
static void test_json(void **s)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    size_t n_families, i, n_fields = 0, at;
    json_t *family, *field;
    (void)s;
    skep_strbuf_init(&sb, 1 << 20);
    skep_json_init(&j, &sb);
    skep_rule_reference_put_json(&j, NULL);
    json_t *root = json_loads(sb.s, 0, NULL);
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "families"), i, family)
    {
        json_array_foreach(json_object_get(family, "fields"), at, field)
        {
            const char *name = json_string_value(json_object_get(field, "name"));
            const struct skep_rule_field *f = skep_rule_field_find(name, strlen(name));
            assert_non_null(f);
            n_fields++;
            json_t *kinds = json_object_get(field, "kinds"), *kernel = json_object_get(field, "kernel");
            assert_true(json_array_size(kinds) > 0);
            assert_true(json_array_size(kernel) <= json_array_size(kinds));
            if (skep_streq(name, "fd.name")) {
                assert_int_equal(json_array_size(kernel), 2);
                assert_string_equal(json_string_value(json_array_get(kernel, 0)), "open");
            }
        }
    }
    size_t want = 0;
    const struct skep_rule_family *const *families = skep_rule_families(&n_families);
    for (i = 0; i < n_families; i++)
        want += families[i]->n_fields;
    assert_int_equal(n_fields, want);
    assert_int_equal(json_array_size(json_object_get(json_object_get(root, "arguments"), "ptrace")), 5);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
