/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of rules against what is said of them: each tests/data/rules/check/NAME.yaml (or, for several files, directory
 * NAME) has beside it NAME.expected, with the diagnostics and the rules that come out. After a change that is meant,
 *
 *     SKEP_UPDATE=1 tools/check --build build --only unit rule/falco/falco
 *
 * writes them anew; then look at the difference.
 */
#include "rule/falco/falco.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#include "../print.h"
#include "rule/falco/files.h"

#define TEXT_MAX (16u << 20)

static void put_rule(const struct skep_rule *rule, struct skep_strbuf *sb)
{
    skep_strbuf_printf(sb, "rule %s: %s, %s", rule->name, skep_priority_name(rule->priority),
                       skep_rule_state_name(rule->state));
    if (!skep_streq(rule->source, "syscall"))
        skep_strbuf_printf(sb, ", source %s", rule->source);
    for (size_t i = 0; i < rule->n_tags; i++)
        skep_strbuf_printf(sb, "%s%s", i ? "," : ", tags ", rule->tags[i]);
    skep_strbuf_puts(sb, "\n  desc ");
    skep_strbuf_put_visible(sb, rule->desc, strlen(rule->desc));
    skep_strbuf_puts(sb, "\n  output ");
    skep_strbuf_put_visible(sb, rule->output, strlen(rule->output));
    skep_strbuf_puts(sb, "\n  condition ");
    if (rule->condition)
        print_expr(rule->condition, sb);
    else
        skep_strbuf_puts(sb, "none");
    skep_strbuf_putc(sb, '\n');
}

static void put_load(const struct skep_falco_files *files, struct skep_diags *d, struct skep_strbuf *sb)
{
    _cleanup_policy_ struct skep_policy *p = NULL;
    struct skep_falco_options o = {.min_priority = SKEP_PRIORITY_DEBUG};
    d->codes = true;
    int r = skep_falco_load(files->list, files->n, &o, d, &p);
    assert_true(r == 0 || r == -EINVAL);
    assert_int_equal(r == 0, p != NULL);
    assert_int_equal(r == -EINVAL, d->n_errors > 0);
    for (size_t i = 0; i < d->n; i++)
        assert_non_null(skep_falco_code_doc(d->list[i].code));
    skep_diags_put_text(d, NULL, sb);
    for (size_t i = 0; p && i < p->n_rules; i++)
        put_rule(&p->rules[i], sb);
}

static void compare(const char *path, const struct skep_strbuf *got)
{
    if (getenv("SKEP_UPDATE")) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_int_equal(fwrite(got->s, 1, got->len, f), got->len);
        return;
    }
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        fail_msg("%s is missing", path);
    _cleanup_free_ char *want = calloc(1, TEXT_MAX);
    size_t n = fread(want, 1, TEXT_MAX - 1, f);
    if (n != got->len || memcmp(want, got->s, n) != 0)
        fail_msg("%s is not what came out:\n%s", path, got->s);
}

static void check_case(const char *dir, const struct dirent *e)
{
    const char *name = e->d_name;
    _cleanup_diags_ struct skep_diags d;
    _cleanup_falco_files_ struct skep_falco_files files = {0};
    _cleanup_strbuf_ struct skep_strbuf sb;
    char path[4096], expected[4096];
    skep_strbuf_init(&sb, TEXT_MAX);
    skep_diags_init(&d, NULL);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    snprintf(expected, sizeof(expected), "%s/%.*s.expected", dir, (int)strcspn(name, "."), name);
    const char *paths[] = {path};
    assert_int_equal(skep_falco_files_read(paths, 1, NULL, &d, &files), 0);
    for (size_t i = 0; i < files.n; i++) {
        char *base = strdup(strrchr(files.list[i].name, '/') + 1);
        free((char *)(uintptr_t)files.list[i].name);
        files.list[i].name = base;
    }
    put_load(&files, &d, &sb);
    assert_false(sb.failed);
    compare(expected, &sb);
}

static void test_cases(void **state)
{
    (void)state;
    char dir[2048];
    struct dirent **names;
    const char *data = getenv("SKEP_TEST_DATA");
    assert_non_null(data);
    snprintf(dir, sizeof(dir), "%s/rules/check", data);
    int n = scandir(dir, &names, NULL, alphasort), cases = 0;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && !strstr(names[i]->d_name, ".expected")) {
            check_case(dir, names[i]);
            cases++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(cases >= 20);
}

/* The public stable rules, which are not a part of this project. */
static void test_stable(void **state)
{
    (void)state;
    char path[4096];
    const char *shared = getenv("SKEP_SHARED_DATA"), *data = getenv("SKEP_TEST_DATA");
    if (shared)
        snprintf(path, sizeof(path), "%s/falco/falco_rules.yaml", shared);
    else
        snprintf(path, sizeof(path), "%s/../../../shared/data/falco/falco_rules.yaml", data);
    if (access(path, R_OK) < 0) {
        print_message("skip - %s is not there\n", path);
        skip();
    }
    _cleanup_diags_ struct skep_diags d;
    _cleanup_falco_files_ struct skep_falco_files files = {0};
    _cleanup_policy_ struct skep_policy *p = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&d, NULL);
    skep_strbuf_init(&sb, TEXT_MAX);
    const char *paths[] = {path};
    assert_int_equal(skep_falco_files_read(paths, 1, NULL, &d, &files), 0);
    int r = skep_falco_load(files.list, files.n, NULL, &d, &p);
    skep_diags_put_text(&d, NULL, &sb);
    if (r < 0)
        fail_msg("%s", sb.s);
    assert_int_equal(p->n_rules, 25);
    for (size_t i = 0; i < p->n_rules; i++)
        assert_int_equal(p->rules[i].state, SKEP_RULE_ENABLED);
}

static struct skep_policy *load_text(const struct skep_strbuf *sb, const struct skep_falco_options *o,
                                     struct skep_diags *d)
{
    struct skep_falco_input in = {.name = "rules.yaml", .text = sb->s, .len = sb->len};
    struct skep_policy *p = NULL;
    assert_false(sb->failed);
    int r = skep_falco_load(&in, 1, o, d, &p);
    assert_true(r == 0 || r == -EINVAL);
    assert_int_equal(r == 0, p != NULL);
    assert_int_equal(r == -EINVAL, d->n_errors > 0);
    return p;
}

#define RULE(name, condition)                                                                                \
    "- rule: " name "\n  desc: d\n  condition: " condition "\n  output: o\n  priority: "

static void test_choices(void **state)
{
    (void)state;
    static const struct skep_rule_choice none[] = {{0}};
    static const struct skep_rule_choice order[] = {{.enable = false, .pattern = "*"},
                                                    {.enable = true, .tag = true, .pattern = "t"},
                                                    {.enable = false, .pattern = "c"}};
    static const struct skep_rule_choice glob[] = {{.enable = true, .pattern = "[d-e]*"},
                                                   {.enable = false, .pattern = "a/b"}};
    static const struct {
        const struct skep_rule_choice *choices;
        size_t n;
        enum skep_priority min;
        const char *enabled, *below;
    } cases[] = {
        {none, 0, SKEP_PRIORITY_DEBUG, "a/b,c,e,", ""},     {order, 1, SKEP_PRIORITY_DEBUG, "", ""},
        {order, 2, SKEP_PRIORITY_DEBUG, "c,d,", ""},        {order, 3, SKEP_PRIORITY_DEBUG, "d,", ""},
        {glob, 2, SKEP_PRIORITY_DEBUG, "c,d,e,", ""},       {glob, 2, SKEP_PRIORITY_WARNING, "c,", "d,e,"},
        {none, 0, SKEP_PRIORITY_EMERGENCY, "", "a/b,c,e,"},
    };
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, TEXT_MAX);
    skep_strbuf_puts(&sb, RULE("a/b", "evt.type=open") "warning\n" RULE(
                              "c", "evt.type=open") "critical\n  tags: [s, t]\n");
    skep_strbuf_puts(&sb, RULE("d", "evt.type=open") "info\n  tags: [t]\n  enabled: false\n" RULE(
                              "e", "evt.type=open") "debug\n");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_diags_ struct skep_diags d;
        _cleanup_strbuf_ struct skep_strbuf enabled, below;
        skep_diags_init(&d, NULL);
        skep_strbuf_init(&enabled, 1000);
        skep_strbuf_init(&below, 1000);
        struct skep_falco_options o = {cases[i].choices, cases[i].n, cases[i].min};
        _cleanup_policy_ struct skep_policy *p = load_text(&sb, &o, &d);
        assert_non_null(p);
        assert_int_equal(p->n_rules, 4);
        for (size_t k = 0; k < p->n_rules; k++)
            if (p->rules[k].state == SKEP_RULE_ENABLED || p->rules[k].state == SKEP_RULE_BELOW)
                skep_strbuf_printf(p->rules[k].state == SKEP_RULE_ENABLED ? &enabled : &below, "%s,",
                                   p->rules[k].name);
        assert_string_equal(enabled.s, cases[i].enabled);
        assert_string_equal(below.s, cases[i].below);
    }
}

/* ---- hostile and large ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Loads within a time that only something worse than linear misses; whether it loads. */
static bool loads(const struct skep_strbuf *sb, const char *code)
{
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, NULL);
    double from = seconds();
    _cleanup_policy_ struct skep_policy *p = load_text(sb, NULL, &d);
    double took = seconds() - from;
    if (took > 20)
        print_error("took %.1f s\n", took);
    assert_true(took < 20);
    if (code)
        assert_string_equal(d.list[0].code, code);
    return p;
}

static void test_many_rules(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64u << 20);
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_printf(
            &sb,
            "- list: l%u\n  items: [a%u, b%u, \"c d\"]\n- macro: m%u\n  condition: (proc.name in (l%u) or proc.pname = x%u)\n"
            "- rule: r%u\n  desc: d\n  condition: evt.type in (open, openat) and m%u and not fd.name startswith /x/%u\n"
            "  output: f=%%fd.name p=%%proc.name\n  priority: notice\n  tags: [a, b, c]\n",
            i, i, i, i, i, i, i, i, i);
    assert_true(loads(&sb, NULL));
    /* as many that are wrong */
    skep_strbuf_reset(&sb);
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_printf(&sb, RULE("r%u", "nomacro%u and evt.type = open") "notice\n", i, i);
    assert_false(loads(&sb, "LOAD_ERR_VALIDATE"));
    /* and that change one */
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, RULE("r", "evt.type = open") "notice\n");
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_puts(&sb, "- rule: r\n  condition: and proc.name=a\n  override: {condition: append}\n");
    assert_true(loads(&sb, NULL));
}

static void test_large_lists(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64u << 20);
    skep_strbuf_puts(&sb, "- list: big\n  items: [");
    for (unsigned i = 0; i < 100000; i++)
        skep_strbuf_printf(&sb, "%sitem%u", i ? ", " : "", i);
    skep_strbuf_puts(&sb, "]\n");
    size_t len = sb.len;
    for (unsigned i = 0; i < 100; i++)
        skep_strbuf_printf(&sb, RULE("r%u", "evt.type = open and proc.name in (big)") "notice\n", i);
    assert_true(loads(&sb, NULL));
    /* with something beside it, it cannot be shared */
    skep_strbuf_truncate(&sb, len);
    for (unsigned i = 0; i < 100; i++)
        skep_strbuf_printf(&sb, RULE("r%u", "evt.type = open and proc.name in (big, x)") "notice\n", i);
    assert_false(loads(&sb, "LOAD_ERR_COMPILE_CONDITION"));
    skep_strbuf_truncate(&sb, len);
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_printf(&sb, RULE("r%u", "evt.type in (big)") "notice\n", i);
    assert_false(loads(&sb, NULL));
}

/* Lists of lists and macros of macros, each of which has the one before it twice. */
static void test_laughs(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64u << 20);
    skep_strbuf_puts(&sb, "- list: l0\n  items: [a, b]\n");
    for (unsigned i = 1; i < 60; i++)
        skep_strbuf_printf(&sb, "- list: l%u\n  items: [l%u, l%u]\n", i, i - 1, i - 1);
    skep_strbuf_puts(&sb, RULE("r", "evt.type = open and proc.name in (l59)") "notice\n");
    assert_false(loads(&sb, NULL));

    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "- macro: m0\n  condition: proc.name=a\n");
    for (unsigned i = 1; i < 60; i++)
        skep_strbuf_printf(&sb, "- macro: m%u\n  condition: m%u and m%u\n", i, i - 1, i - 1);
    skep_strbuf_puts(&sb, RULE("r", "evt.type = open and m59") "notice\n");
    assert_false(loads(&sb, "LOAD_ERR_COMPILE_CONDITION"));
    /* names only make the tree no larger */
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "- macro: m0\n  condition: proc.name=a\n");
    for (unsigned i = 1; i < 10000; i++)
        skep_strbuf_printf(&sb, "- macro: m%u\n  condition: m%u\n", i, i - 1);
    skep_strbuf_puts(&sb, RULE("r", "evt.type = open and m9999") "notice\n");
    assert_true(loads(&sb, NULL));
    /* but a tree of this depth is refused, and so is one that is met from its end */
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "- macro: m0\n  condition: proc.name=a\n");
    for (unsigned i = 1; i < 200; i++)
        skep_strbuf_printf(&sb, "- macro: m%u\n  condition: not m%u\n", i, i - 1);
    assert_false(loads(&sb, "LOAD_ERR_COMPILE_CONDITION"));
    skep_strbuf_reset(&sb);
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_printf(&sb, "- macro: m%u\n  condition: proc.name=a\n", i);
    for (unsigned i = 0; i < 9999; i++)
        skep_strbuf_printf(&sb, "- macro: m%u\n  condition: m%u\n", i, i + 1);
    assert_false(loads(&sb, "LOAD_ERR_VALIDATE"));
    skep_strbuf_reset(&sb);
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_printf(&sb, "- list: l%u\n  items: [l%u]\n", i, i ? i - 1 : 0);
    skep_strbuf_puts(&sb, RULE("r", "evt.type = open and proc.name in (l9999)") "notice\n");
    assert_false(loads(&sb, "LOAD_ERR_VALIDATE"));
}

static void test_yaml_bombs(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64u << 20);
    skep_strbuf_puts(&sb, "- rule: r\n  tags: &a0 [x, x, x, x, x, x, x, x]\n");
    for (unsigned i = 1; i < 40; i++)
        skep_strbuf_printf(&sb, "  k%u: &a%u [*a%u, *a%u, *a%u, *a%u]\n", i, i, i - 1, i - 1, i - 1, i - 1);
    skep_strbuf_puts(&sb, "  exceptions:\n  - name: e\n    fields: [a, b, c, d]\n    values: *a39\n");
    assert_false(loads(&sb, NULL));
    /* one list of many items under many names */
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "- list: l\n  items: &x [a");
    for (unsigned i = 0; i < 10000; i++)
        skep_strbuf_puts(&sb, ", a");
    skep_strbuf_puts(&sb, "]\n");
    for (unsigned i = 0; i < 100000; i++)
        skep_strbuf_printf(&sb, "- list: l%u\n  items: *x\n", i);
    assert_false(loads(&sb, "LOAD_ERR_YAML_VALIDATE"));
    for (unsigned depth = 60; depth <= 100000; depth = depth == 60 ? 70 : depth * 10) {
        skep_strbuf_reset(&sb);
        skep_strbuf_puts(&sb, "- list: l\n  x: ");
        for (unsigned i = 0; i < depth; i++)
            skep_strbuf_putc(&sb, '[');
        for (unsigned i = 0; i < depth; i++)
            skep_strbuf_putc(&sb, ']');
        skep_strbuf_puts(&sb, "\n  items: []\n");
        if (loads(&sb, NULL) != (depth <= 60))
            fail_msg("depth %u", depth);
    }
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "- list: &l [*l]\n");
    assert_false(loads(&sb, "LOAD_ERR_YAML_PARSE"));
    /* a rule with many keys */
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, RULE("r", "evt.type = open") "notice\n");
    for (unsigned i = 0; i < 200000; i++)
        skep_strbuf_printf(&sb, "  k%u: 1\n", i);
    assert_true(loads(&sb, "LOAD_UNKNOWN_KEY"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),      cmocka_unit_test(test_stable),      cmocka_unit_test(test_choices),
        cmocka_unit_test(test_many_rules), cmocka_unit_test(test_large_lists), cmocka_unit_test(test_laughs),
        cmocka_unit_test(test_yaml_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
