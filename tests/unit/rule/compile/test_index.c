/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine.h"
#include "../random.h"

#include <cmocka.h>

#include "../sample.h"
#include "schema.h"

#include "base/clock.h"

struct judging {
    struct skep_policy *policy;
    struct skep_compiled *compiled;
    struct engine en;
};

static void judging_init(struct judging *j, struct skep_strbuf *sb)
{
    assert_int_equal(sample_load(sb, &(struct skep_compile_options){.all = true}, &j->policy, &j->compiled),
                     0);
    engine_init(&j->en, j->compiled, 0xe);
}

static void judging_clear(struct judging *j)
{
    engine_clear(&j->en);
    skep_compiled_free(j->compiled);
    skep_policy_free(j->policy);
}

/* ---- what rules demand ---- */

/* n rules, of which number hit is true of the event; %1$u is the rule's number, %2$u of that one the true constant. */
struct family {
    const char *what; /* with one %s: the constant */
    const char *miss; /* the constant of the others, with a %u: their number */
    const char *hit;
    bool socket;
};

static const struct family families[] = {
    {"fd.name = %s", "/etc/%u", "/etc/ssl/openssl.cnf", false},
    {"fd.name in (/x, %s, /y)", "/etc/%u", "/etc/ssl/openssl.cnf", false},
    {"fd.name startswith %s", "/etc/%u", "/etc/ssl", false},
    {"fd.name endswith %s", "ssl%u.cnf", "openssl.cnf", false},
    {"fd.name contains %s", "ssl%u", "openssl", false},
    {"fd.name icontains %s", "SSL%u", "OpenSSL", false},
    {"fd.name contains anyof (nowhere, %s)", "ssl%u", "openssl", false},
    {"fd.name glob %s", "'/etc/*ssl%u*.cnf'", "'/etc/*openss[k-m]?cnf'", false},
    {"fd.name iglob %s", "'/ETC/*SSL%u*.cnf'", "'/ETC/*OPENSS[k-m]?cnf'", false},
    {"fd.name regex %s", "'/etc/.*ssl%u[.]cnf'", "'^/etc/(.*openssl|b)+[.]cnf$'", false},
    {"fd.name regex %s", "'(/etc|/usr)/.*x%u|y%u'", "'(/etc|/usr)/(s|t)+l/.*'", false},
    {"fd.name pmatch (%s)", "/etc/ssl%u", "/etc//ssl", false},
    {"fd.name pmatch (%s, /bin)", "/etc/x%u", "'/e*/ssl/'", false},
    {"user.uid = %s", "7%u", "1000", false},
    {"user.uid in (%s)", "7%04u-8%04u", "900-1001", false},
    {"user.uid >= %s", "9%03u", "1000", false},
    {"fd.sip = %s", "10.9.8.%u", "10.0.0.1", true},
    {"fd.sip in (%s, 10.200.0.0/16)", "10.0.%u.0/30", "10.0.0.0/30", true},
    {"fd.snet in (2001:db8::/32, %s)", "10.%u.0.0/16", "10.0.0.0/8", true},
    {"fd.sport in (%s)", "10%u", "443", true},
    {"(fd.sport = 1 and fd.name contains x) or fd.sip = %s", "10.9.8.%u", "10.0.0.1", true},
    {"(proc.name in (zsh, ksh) or fd.name contains %s) and not user.uid = 3", "ssl%u", "openssl", false},
    {"not (not fd.name contains %s and not user.uid = 77)", "ssl%u", "openssl", false},
    {"fd.name contains abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz%s or fd.name contains %s", "x%u",
     "/ssl/", false},
};

static void put_constant(char *out, size_t size, const struct family *f, unsigned i, bool hit)
{
    char constant[100];
    if (hit)
        snprintf(constant, sizeof(constant), "%s", f->hit);
    else
        snprintf(constant, sizeof(constant), f->miss, i + 1, i + 1);
    snprintf(out, size, f->what, constant, constant);
}

static void put_rules(struct skep_strbuf *sb, const struct family *f, unsigned n, unsigned hit)
{
    char condition[400];
    for (unsigned i = 0; i < n; i++) {
        put_constant(condition, sizeof(condition), f, i, i == hit);
        skep_strbuf_printf(
            sb,
            "- rule: r%u\n  desc: d\n  output: o\n  priority: NOTICE\n  condition: evt.type in (%s) and (", i,
            f->socket ? "connect" : "open, openat");
        skep_strbuf_puts(sb, condition);
        skep_strbuf_puts(sb, ")\n");
    }
}

/* Whatever rules demand: they are found by it, and those that demand something else are not even tried. */
static void test_families(void **state)
{
    (void)state;
    enum { N = 200, HIT = 123 };
    struct event *e = calloc(1, sizeof(*e));
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        struct judging j;
        skep_strbuf_init(&sb, 1 << 20);
        put_rules(&sb, &families[i], N, HIT);
        judging_init(&j, &sb);
        if (families[i].socket)
            sample_connect(schema, e, "10.0.0.1");
        else
            sample_open(schema, e);
        for (unsigned m = 1; m < ENGINE_MODES; m++) {
            uint64_t before = skep_index_candidates(j.en.ctx);
            if (engine_judge(&j.en, m, &e->ev) != 1 || j.en.ctx->matches[0] != HIT)
                fail_msg("%s: %u matches", families[i].what, j.en.ctx->n_matches);
            uint64_t candidates = skep_index_candidates(j.en.ctx) - before;
            if (candidates == 0 || candidates > 4)
                fail_msg("%s: %llu candidates", families[i].what, (unsigned long long)candidates);
        }
        judging_clear(&j);
    }
    free(e);
}

/* Of what a rule demands that is taken which the fewest others demand. */
static void test_rarest(void **state)
{
    (void)state;
    static const struct family family = {
        "proc.name = bash and user.uid >= 1000 and fd.name startswith /etc/ and fd.name contains %s", "ssl%u",
        "openssl", false};
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct event *e = calloc(1, sizeof(*e));
    struct judging j;
    skep_strbuf_init(&sb, 1 << 20);
    put_rules(&sb, &family, 300, 7);
    judging_init(&j, &sb);
    sample_open(schema, e);
    assert_int_equal(engine_judge(&j.en, SKEP_VM_MODE_TRUSTED, &e->ev), 1);
    assert_int_equal(skep_index_candidates(j.en.ctx), 1);
    judging_clear(&j);
    free(e);
}

static void test_equal_and_begin(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_policy *policy;
    struct skep_compiled *c;
    struct engine en;
    struct event *e = calloc(1, sizeof(*e));
    char text[200];
    skep_strbuf_init(&sb, 64 << 20);
    for (unsigned i = 0; i < 900; i++) {
        const char *forms[] = {"fd.name = /data/%u and user.uid = 1000",
                               "fd.name in (/data/%u, /etc/ssl/openssl.cnf) and proc.name = bash",
                               "fd.name startswith /etc/ssl/o and user.uid = %u"};
        snprintf(text, sizeof(text), forms[i % 3], i % 3 == 2 && i < 300 ? 1000 : i);
        sample_put_rule(&sb, i, text);
    }
    assert_int_equal(sample_load(&sb, &(struct skep_compile_options){.all = true}, &policy, &c), 0);
    engine_init(&en, c, 0xe);
    sample_open(schema, e);
    for (unsigned m = 1; m < ENGINE_MODES; m++)
        assert_int_equal(engine_judge(&en, m, &e->ev), 300 + 100);
    ((struct skep_ev_open *)e->raw)->path.len--;
    assert_int_equal(engine_judge(&en, SKEP_VM_MODE_TRUSTED, &e->ev), 100);
    engine_clear(&en);
    skep_compiled_free(c);
    skep_policy_free(policy);
    free(e);
}

/* ---- hostile ---- */

static double now(void)
{
    return (double)skep_clock_mono_ns() / 1e9;
}

static void test_many(void **state)
{
    (void)state;
    static const size_t chosen[] = {4, 7, 11};
    for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        struct event *e = calloc(1, sizeof(*e));
        struct judging j;
        skep_strbuf_init(&sb, 64 << 20);
        put_rules(&sb, &families[chosen[i]], 10000, 9999);
        double from = now();
        judging_init(&j, &sb);
        print_message("# 10,000 rules, %s: %.2f s\n", families[chosen[i]].what, now() - from);
        assert_true(now() - from < 30);
        sample_open(schema, e);
        assert_int_equal(engine_judge(&j.en, SKEP_VM_MODE_TRUSTED, &e->ev), 1);
        judging_clear(&j);
        free(e);
    }
}

/* Texts so long together that no automaton is made for them are still compared. */
static void test_long_texts(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct event *e = calloc(1, sizeof(*e));
    struct judging j;
    char *text = malloc(70000), letters[] = "abcdefghijklmnopqrstuvwxyz";
    skep_strbuf_init(&sb, 64 << 20);
    for (unsigned i = 0; i < 100; i++) {
        memset(text, letters[i % 26], 66000);
        snprintf(text + 65990, 100, "%u", i);
        sample_put_rule(&sb, i, i == 50 ? "fd.name contains openssl" : "");
        if (i == 50)
            continue;
        sb.len -= strlen("\n  output: o\n  priority: NOTICE\n");
        skep_strbuf_printf(&sb, "fd.name contains ");
        skep_strbuf_puts(&sb, text);
        skep_strbuf_puts(&sb, "\n  output: o\n  priority: NOTICE\n");
    }
    double from = now();
    judging_init(&j, &sb);
    assert_true(now() - from < 30);
    sample_open(schema, e);
    assert_int_equal(engine_judge(&j.en, SKEP_VM_MODE_TRUSTED, &e->ev), 1);
    judging_clear(&j);
    free(text);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),        cmocka_unit_test(test_rarest),
        cmocka_unit_test(test_equal_and_begin), cmocka_unit_test(test_many),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, schema_setup, schema_teardown);
}
