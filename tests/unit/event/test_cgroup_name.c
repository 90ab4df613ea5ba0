/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *shown(const char *s, size_t n, char *buf, size_t size)
{
    if (!s)
        return "-";
    skep_cgroup_unescape(s, n, buf, size);
    return buf;
}

static int check(const char *what, int line, const char *path, const char *got, const char *want)
{
    if (skep_streq(got, want))
        return 0;
    print_error("paths.tsv:%d: %s: %s is %s, not %s\n", line, path, what, got, want);
    return 1;
}

static void test_paths(void **state)
{
    (void)state;
    const char *data = getenv("SKEP_TEST_DATA");
    assert_non_null(data);
    char file[4096];
    snprintf(file, sizeof(file), "%s/cgroup/paths.tsv", data);
    _cleanup_fclose_ FILE *f = fopen(file, "re");
    assert_non_null(f);

    char line[4096];
    int number = 0, rows = 0, wrong = 0;
    while (fgets(line, sizeof(line), f)) {
        number++;
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        char *column[6], *rest = line;
        for (size_t i = 0; i < ARRAY_SIZE(column); i++) {
            column[i] = strsep(&rest, "\t");
            assert_non_null(column[i]);
        }
        assert_null(rest);

        struct skep_cgroup_name n;
        char buf[512];
        skep_cgroup_parse(column[0], &n);
        const char *runtime = skep_runtime_name(n.runtime);
        wrong += check("runtime", number, column[0], runtime ? runtime : "-", column[1]);
        wrong += check("id", number, column[0], shown(n.id, n.id_len, buf, sizeof(buf)), column[2]);
        wrong += check("unit", number, column[0], shown(n.unit, n.unit_len, buf, sizeof(buf)), column[3]);
        wrong += check("slice", number, column[0], shown(n.slice, n.slice_len, buf, sizeof(buf)), column[4]);
        wrong += check("candidate", number, column[0], shown(n.candidate, n.candidate_len, buf, sizeof(buf)),
                       column[5]);
        rows++;
    }
    assert_int_equal(wrong, 0);
    assert_true(rows > 80);
}

static void test_unescape(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},       {"a\\x2db", "a-b"}, {"\\x2d", "-"},       {"a\\x2", "a\\x2"},
        {"a\\", "a\\"}, {"\\xzz", "\\xzz"}, {"\\x00a", "\\x00a"}, {"\\x5cx2d", "\\x2d"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char buf[32];
        skep_cgroup_unescape(cases[i].in, strlen(cases[i].in), buf, sizeof(buf));
        assert_string_equal(buf, cases[i].out);
    }
    char small[3];
    skep_cgroup_unescape("abcdef", 6, small, sizeof(small));
    assert_string_equal(small, "ab");
}

static void test_runtime_names(void **state)
{
    (void)state;
    for (int i = SKEP_RUNTIME_NONE + 1; i < SKEP_RUNTIME_MAX; i++) {
        const char *name = skep_runtime_name(i);
        assert_non_null(name);
        assert_int_equal(skep_runtime_by_name(name, strlen(name)), i);
    }
    assert_null(skep_runtime_name(SKEP_RUNTIME_NONE));
    assert_null(skep_runtime_name(SKEP_RUNTIME_MAX));
    assert_null(skep_runtime_name(SKEP_RUNTIME_INVALID));
    assert_int_equal(skep_runtime_by_name("dock", 4), SKEP_RUNTIME_INVALID);
    assert_int_equal(skep_runtime_by_name("", 0), SKEP_RUNTIME_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_runtime_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
