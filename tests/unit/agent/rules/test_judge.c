/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/judge.h"

#include "../../event/record.h"

#include "rule/falco/falco.h"

#include <sys/syscall.h>

/* Who judged what: one letter a match, the first of the rule's name. */
struct told {
    char letters[256];
    size_t n;
};

static void on_match(void *data, struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                     const struct skep_ruleset_world *world)
{
    struct told *t = data;
    (void)ev, (void)world;
    assert_true(t->n + 1 < sizeof(t->letters));
    t->letters[t->n++] = rs->policy->rules[rule].name[0];
    t->letters[t->n] = '\0';
}

static struct skep_ruleset *make_weighed(const char *text, bool all, const struct skep_atom_weight *weights,
                                         size_t n_weights)
{
    struct skep_falco_input in = {.name = "rules.yaml", .text = text, .len = strlen(text)};
    struct skep_falco_options fo = {.min_priority = SKEP_PRIORITY_DEBUG};
    struct skep_ruleset_options o = {
        .all = all, .min_priority = SKEP_PRIORITY_DEBUG, .weights = weights, .n_weights = n_weights};
    _cleanup_diags_ struct skep_diags diags;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_policy *policy;
    struct skep_ruleset *rs = NULL;
    skep_diags_init(&diags, NULL);
    skep_strbuf_init(&sb, 1 << 20);
    int r = skep_falco_load(&in, 1, &fo, &diags, &policy);
    if (r >= 0)
        r = skep_ruleset_make(&o, policy, &diags, &rs);
    skep_diags_put_text(&diags, NULL, &sb);
    if (r < 0)
        fail_msg("%s", sb.s);
    return rs;
}

static struct skep_ruleset *make(const char *text, bool all)
{
    return make_weighed(text, all, NULL, 0);
}

#define RULE(name, condition)                                                                                \
    "- rule: " name "\n  desc: d\n  condition: " condition "\n  output: o\n  priority: NOTICE\n"

static void event(struct test_record *r, struct skep_schema *schema, uint64_t time, const char *path)
{
    struct skep_ev_open *e = test_begin(r, schema, SKEP_KIND_open);
    e->path = test_text(r, path);
    r->h.time = time;
    r->h.flags |= SKEP_HDR_SYSCALL;
    r->h.nr = __NR_openat;
}

static void test_which(void **state)
{
    struct skep_schema *schema = *state;
    static const char text[] = RULE("a", "evt.type = openat and fd.name startswith /tmp")
        RULE("b", "evt.type = openat and fd.name endswith x")
            RULE("c", "evt.type = openat and fd.name = /tmp/x");
    static const struct {
        const char *path, *first, *all;
    } rows[] = {
        {"/tmp/x", "a", "abc"}, {"/tmp/y", "a", "a"}, {"/x", "b", "b"}, {"/y", "", ""}, {"", "", ""},
    };
    for (int all = 0; all < 2; all++) {
        struct told told = {0};
        _cleanup_judge_ struct skep_judge *j = NULL;
        assert_int_equal(skep_judge_new(make(text, all), on_match, &told, &j), 0);
        assert_true(skep_judge_wants(j, SKEP_KIND_open));
        assert_false(skep_judge_wants(j, SKEP_KIND_exec));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            struct test_record r;
            told = (struct told){0};
            event(&r, schema, 1000 + i, rows[i].path);
            assert_int_equal(skep_judge_event(j, &r.ev), strlen(all ? rows[i].all : rows[i].first));
            assert_string_equal(told.letters, all ? rows[i].all : rows[i].first);
        }
        struct skep_judge_count *counts;
        size_t n;
        assert_int_equal(skep_judge_counts(j, &counts, &n), 0);
        assert_int_equal(n, 3);
        assert_int_equal(counts[0].matches, 2);
        assert_int_equal(counts[1].matches, all ? 2 : 1);
        assert_int_equal(counts[2].matches, all ? 1 : 0);
        skep_judge_counts_free(counts, n);
    }
}

static void test_boundary(void **state)
{
    struct skep_schema *schema = *state;
    struct told told = {0};
    _cleanup_judge_ struct skep_judge *j = NULL;
    struct test_record r;
    uint64_t t = 1000000000000ULL, ms = 1000000;
    assert_int_equal(skep_judge_new(make(RULE("a", "evt.type = openat"), false), on_match, &told, &j), 0);
    assert_int_equal(skep_judge_swap(j, make(RULE("b", "evt.type = openat"), false), t + 10 * ms), 0);
    assert_int_equal(skep_judge_swap(j, make(RULE("c", "evt.type = unlink"), false), t + 20 * ms), 0);
    assert_int_equal(skep_judge_swap(j, make(RULE("d", "evt.type = openat"), false), t + 30 * ms), 0);
    /* in whatever order they come */
    static const int at[] = {9, 10, 11, 25, 19, 5, 30, 29, 31, 0, 100, 20};
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        event(&r, schema, t + (uint64_t)at[i] * ms, "/x");
        skep_judge_event(j, &r.ev);
    }
    assert_string_equal(told.letters, "abbbaddad");
    /* long afterwards only the last is left, and what the others told is not forgotten */
    event(&r, schema, t + 100 * ms + 10 * SKEP_JUDGE_KEEP_NS, "/x");
    assert_int_equal(skep_judge_event(j, &r.ev), 1);
    event(&r, schema, t, "/x");
    assert_int_equal(skep_judge_event(j, &r.ev), 1);
    assert_string_equal(told.letters, "abbbaddaddd");
    struct skep_judge_count *counts;
    size_t n;
    assert_int_equal(skep_judge_counts(j, &counts, &n), 0);
    assert_int_equal(n, 3);
    assert_string_equal(counts[0].name, "d");
    assert_int_equal(counts[0].matches, 5);
    assert_int_equal(counts[1].matches + counts[2].matches, 6);
    skep_judge_counts_free(counts, n);
}

/* More reloads than are kept: the next has to wait until events of old times are no longer possible. */
static void test_many(void **state)
{
    (void)state;
    struct told told = {0};
    _cleanup_judge_ struct skep_judge *j = NULL;
    uint64_t t = 1000000000000ULL;
    assert_int_equal(skep_judge_new(make(RULE("a", "evt.type = openat"), false), on_match, &told, &j), 0);
    for (unsigned i = 1; i < SKEP_JUDGE_SETS_MAX; i++)
        assert_int_equal(skep_judge_swap(j, make(RULE("b", "evt.type = openat"), false), t + i), 0);
    struct skep_ruleset *rs = make(RULE("c", "evt.type = openat"), false);
    assert_int_equal(skep_judge_swap(j, rs, t + 1000), -EBUSY);
    assert_int_equal(skep_judge_swap(j, rs, t + 1000 + SKEP_JUDGE_KEEP_NS), 0);
    assert_ptr_equal(skep_judge_rules(j), rs);
}

static double weight_of(const struct skep_atom_weight *weights, size_t n, const char *atom)
{
    for (size_t i = 0; i < n; i++)
        if (skep_streq(weights[i].atom, atom))
            return weights[i].truth;
    return -1;
}

/* Comparisons are measured, each by itself; rules that know it say the same. */
static void test_weights(void **state)
{
    struct skep_schema *schema = *state;
    static const char text[] = RULE(
        "a", "evt.type = openat and fd.name startswith /often/ and proc.name = bash and fd.name endswith .x")
        RULE("b", "evt.type = openat and not fd.name contains rare and user.uid > 5");
    _cleanup_ruleset_ struct skep_ruleset *rs = make(text, true), *weighed = NULL;
    static const struct skep_ruleset_world world;
    struct skep_ruleset_profile *p;
    struct skep_atom_weight *weights;
    struct test_record r;
    size_t n;
    assert_int_equal(skep_ruleset_profile_new(rs, &p), 0);
    for (unsigned i = 0; i < 100; i++) {
        event(&r, schema, 1000 + i, i % 10 == 0 ? "/rare.x" : i % 2 ? "/often/y" : "/often/z.x");
        skep_ruleset_profile_event(p, &r.ev, &world);
    }
    test_begin(&r, schema, SKEP_KIND_fork);
    skep_ruleset_profile_event(p, &r.ev, &world);
    assert_int_equal(skep_ruleset_profile_samples(p), 100);
    assert_int_equal(skep_ruleset_profile_weights(p, &weights, &n), 0);
    skep_ruleset_profile_free(p);
    assert_int_equal(n, 5);
    assert_true(weight_of(weights, n, "fd.name startswith /often/") > 0.85);
    assert_true(weight_of(weights, n, "fd.name startswith /often/") < 0.95);
    assert_true(weight_of(weights, n, "proc.name = bash") > 0.98);
    assert_true(weight_of(weights, n, "fd.name endswith .x") > 0.45);
    assert_true(weight_of(weights, n, "fd.name endswith .x") < 0.55);
    assert_true(weight_of(weights, n, "fd.name contains rare") < 0.15);
    assert_true(weight_of(weights, n, "user.uid >= 6") > 0.98);

    weighed = make_weighed(text, true, weights, n);
    assert_true(weighed->weighed);
    for (unsigned i = 0; i < 40; i++) {
        static const char *const paths[] = {"/often/z.x", "/often/y", "/rare.x", "/other", ""};
        const uint32_t *one, *two;
        event(&r, schema, 2000 + i, paths[i % ARRAY_SIZE(paths)]);
        r.h.uid = r.h.euid = i;
        size_t n_one = skep_ruleset_judge(rs, &r.ev, &world, &one);
        size_t n_two = skep_ruleset_judge(weighed, &r.ev, &world, &two);
        assert_int_equal(n_one, n_two);
        if (n_one)
            assert_memory_equal(one, two, n_one * sizeof(*one));
    }
    free(weights);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which, setup, teardown),
        cmocka_unit_test_setup_teardown(test_boundary, setup, teardown),
        cmocka_unit_test(test_many),
        cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
