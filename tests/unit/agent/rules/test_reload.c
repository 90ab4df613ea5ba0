/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/reload.h"

#include "base/clock.h"
#include "rule/falco/files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define RULE(name)                                                                                           \
    "- rule: " name "\n  desc: d\n  condition: evt.type = openat\n  output: o\n  priority: NOTICE\n"

struct fixture {
    char parent[32], dir[40];
    const char *paths[1];
    struct skep_reload *reload;
};

static void put_file(const struct fixture *x, const char *name, const char *text)
{
    char path[80];
    snprintf(path, sizeof(path), "%s/%s", x->dir, name);
    _cleanup_fclose_ FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
}

static void new_reload(struct fixture *x)
{
    struct skep_ruleset_options o = {
        .paths = x->paths, .n_paths = 1, .min_priority = SKEP_PRIORITY_DEBUG, .no_pushdown = true};
    skep_reload_free(x->reload);
    assert_int_equal(skep_reload_new(&o, &x->reload), 0);
}

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    assert_non_null(x);
    strcpy(x->parent, "/tmp/skep-reload.XXXXXX");
    assert_non_null(mkdtemp(x->parent));
    snprintf(x->dir, sizeof(x->dir), "%s/rules", x->parent);
    assert_int_equal(mkdir(x->dir, 0700), 0);
    x->paths[0] = x->dir;
    put_file(x, "a.yaml", RULE("a"));
    new_reload(x);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    static const char *const names[] = {"a.yaml", "b.yaml", "../noise", "../elsewhere/c.yaml"};
    char path[80];
    skep_reload_free(x->reload);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", x->dir, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/elsewhere", x->parent);
    rmdir(path);
    assert_int_equal(rmdir(x->dir), 0);
    assert_int_equal(rmdir(x->parent), 0);
    free(x);
    return 0;
}

/* What the event loop does until something comes of it, or nothing did for so long. */
static int take(struct fixture *x, int ms, struct skep_ruleset **ret, char **ret_text)
{
    struct pollfd p = {.fd = skep_reload_fd(x->reload), .events = POLLIN};
    int r = 0;
    *ret_text = NULL;
    while (r == 0 && !*ret_text && poll(&p, 1, ms) == 1)
        r = skep_reload_take(x->reload, ret, ret_text);
    return r;
}

static void expect_rules(struct fixture *x, size_t n)
{
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL;
    _cleanup_free_ char *text = NULL;
    assert_int_equal(take(x, 20000, &rs, &text), 1);
    assert_null(text);
    assert_int_equal(rs->policy->n_rules, n);
}

static void expect_nothing(struct fixture *x)
{
    struct skep_ruleset *rs;
    char *text;
    assert_int_equal(take(x, 2 * SKEP_RELOAD_SETTLE_NS / 1000000, &rs, &text), 0);
    assert_null(text);
}

static void test_asked(void **state)
{
    struct fixture *x = *state;
    expect_nothing(x);
    skep_reload_ask(x->reload);
    expect_rules(x, 1);
    expect_nothing(x);
}

/* Asked again while a set is being made: one more afterwards, however often. */
static void test_asked_meanwhile(void **state)
{
    struct fixture *x = *state;
    for (int i = 0; i < 5; i++)
        skep_reload_ask(x->reload);
    expect_rules(x, 1);
    expect_rules(x, 1);
    expect_nothing(x);
}

static void test_changed(void **state)
{
    struct fixture *x = *state;
    put_file(x, "b.yaml", RULE("b"));
    expect_rules(x, 2);
    put_file(x, ".hidden", "");
    expect_nothing(x);
    char path[80];
    snprintf(path, sizeof(path), "%s/.hidden", x->dir);
    unlink(path);
}

/* Rules that a link of the directory leads to: written, replaced, and gone for a while. */
static void test_linked(void **state)
{
    struct fixture *x = *state;
    char path[80], other[80];
    snprintf(path, sizeof(path), "%s/elsewhere", x->parent);
    assert_int_equal(mkdir(path, 0700), 0);
    put_file(x, "../elsewhere/c.yaml", RULE("c"));
    snprintf(path, sizeof(path), "%s/b.yaml", x->dir);
    assert_int_equal(symlink("../elsewhere/c.yaml", path), 0);
    expect_rules(x, 2);
    put_file(x, "../elsewhere/c.yaml", RULE("c") RULE("d"));
    expect_rules(x, 3);
    snprintf(path, sizeof(path), "%s/elsewhere/c.yaml", x->parent);
    snprintf(other, sizeof(other), "%s/noise", x->parent);
    put_file(x, "../noise", RULE("c"));
    assert_int_equal(rename(other, path), 0);
    expect_rules(x, 2);
    unlink(path);
    struct skep_ruleset *rs;
    _cleanup_free_ char *text = NULL;
    assert_int_equal(take(x, 20000, &rs, &text), -EINVAL);
    put_file(x, "../elsewhere/c.yaml", RULE("c") RULE("d"));
    expect_rules(x, 3);
}

/* Its directory is not there yet, or goes and comes again. */
static void test_absent(void **state)
{
    struct fixture *x = *state;
    static const char *const dirs[] = {"elsewhere", "elsewhere/d"};
    struct skep_ruleset *rs;
    char path[2][80], file[100];
    for (size_t i = 0; i < 2; i++)
        snprintf(path[i], sizeof(path[i]), "%s/%s", x->parent, dirs[i]);
    snprintf(file, sizeof(file), "%s/c.yaml", path[1]);
    x->paths[0] = file;
    new_reload(x);
    for (int round = 0; round < 2; round++) {
        _cleanup_free_ char *text = NULL;
        assert_int_equal(mkdir(path[0], 0700), 0);
        assert_int_equal(mkdir(path[1], 0700), 0);
        put_file(x, "../elsewhere/d/c.yaml", RULE("c"));
        expect_rules(x, 1);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(rmdir(path[1]), 0);
        assert_int_equal(rmdir(path[0]), 0);
        assert_int_equal(take(x, 20000, &rs, &text), -EINVAL);
    }
}

/* As copies are that keep the time of the original. */
static void test_same_time(void **state)
{
    struct fixture *x = *state;
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL;
    _cleanup_free_ char *text = NULL;
    struct stat st;
    char path[80];
    snprintf(path, sizeof(path), "%s/a.yaml", x->dir);
    assert_int_equal(stat(path, &st), 0);
    usleep(20000);
    put_file(x, "a.yaml", RULE("b"));
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
    assert_int_equal(take(x, 20000, &rs, &text), 1);
    assert_string_equal(rs->policy->rules[0].name, "b");
}

/* It has nothing more to say when it is read again. */
static void test_pipe(void **state)
{
    struct fixture *x = *state;
    _cleanup_falco_files_ struct skep_falco_files kept = {0};
    char path[80];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], RULE("p"), strlen(RULE("p"))), strlen(RULE("p")));
    close(ends[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    struct skep_ruleset_options o = {.paths = (const char *const[]){path},
                                     .n_paths = 1,
                                     .kept = &kept,
                                     .min_priority = SKEP_PRIORITY_DEBUG,
                                     .no_pushdown = true};
    skep_reload_free(x->reload);
    assert_int_equal(skep_reload_new(&o, &x->reload), 0);
    for (int i = 0; i < 3; i++) {
        skep_reload_ask(x->reload);
        expect_rules(x, 1);
    }
    x->reload = skep_reload_free(x->reload);
    close(ends[0]);
}

/* What happens beside the rules, and all the time, keeps nobody from reading them. */
static void test_busy_parent(void **state)
{
    struct fixture *x = *state;
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL;
    struct pollfd p = {.fd = skep_reload_fd(x->reload), .events = POLLIN};
    put_file(x, "b.yaml", RULE("b"));
    for (uint64_t end = skep_clock_mono_ns() + 20000000000; !rs && skep_clock_mono_ns() < end;) {
        _cleanup_free_ char *text = NULL;
        put_file(x, "../noise", "x");
        if (poll(&p, 1, 50) == 1)
            assert_true(skep_reload_take(x->reload, &rs, &text) >= 0);
    }
    assert_non_null(rs);
    assert_int_equal(rs->policy->n_rules, 2);
}

static void test_errors(void **state)
{
    struct fixture *x = *state;
    struct skep_ruleset *rs;
    _cleanup_free_ char *text = NULL;
    put_file(x, "a.yaml", "- rule: a\n  condition: evt.tipe = openat\n");
    assert_int_equal(take(x, 20000, &rs, &text), -EINVAL);
    assert_non_null(text);
    assert_non_null(strstr(text, "a.yaml:"));
    put_file(x, "a.yaml", RULE("a") RULE("b"));
    expect_rules(x, 2);
}

/* A job that cannot be begun is told, and does not keep the next from being done. */
static void test_no_job(void **state)
{
    struct fixture *x = *state;
    char path[80];
    snprintf(path, sizeof(path), "%s/a.yaml", x->dir);
    x->paths[0] = path; /* a directory could not be opened either */
    new_reload(x);
    struct skep_ruleset *rs;
    struct rlimit before, none;
    _cleanup_free_ char *text = NULL;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    skep_reload_ask(x->reload);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(skep_reload_weigh(x->reload, NULL, 0), -EBUSY);
    assert_int_equal(take(x, 20000, &rs, &text), -EMFILE);
    assert_null(text);
    expect_nothing(x);
    skep_reload_ask(x->reload);
    expect_rules(x, 1);
}

static void test_weighed(void **state)
{
    struct fixture *x = *state;
    _cleanup_ruleset_ struct skep_ruleset *rs = NULL;
    _cleanup_free_ char *text = NULL;
    struct skep_atom_weight *weights = calloc(1, sizeof(*weights));
    assert_non_null(weights);
    weights[0] = (struct skep_atom_weight){.atom = "evt.type = openat", .truth = 0.5};
    assert_int_equal(skep_reload_weigh(x->reload, weights, 1), 0);
    assert_int_equal(skep_reload_weigh(x->reload, NULL, 0), -EBUSY);
    assert_int_equal(take(x, 20000, &rs, &text), 1);
    assert_true(rs->weighed);
    rs = skep_ruleset_free(rs);
    skep_reload_ask(x->reload); /* the weights were for that one */
    assert_int_equal(take(x, 20000, &rs, &text), 1);
    assert_false(rs->weighed);
}

/* The owner goes while a set is being made. */
static void test_freed_meanwhile(void **state)
{
    struct fixture *x = *state;
    skep_reload_ask(x->reload);
    x->reload = skep_reload_free(x->reload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_linked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_busy_parent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_job, setup, teardown),
        cmocka_unit_test_setup_teardown(test_weighed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed_meanwhile, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
