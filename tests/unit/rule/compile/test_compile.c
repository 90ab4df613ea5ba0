/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>

#include "../differ.h"

#include "rule/falco/falco.h"
#include "rule/request.h"
#include <cmocka.h>
#include <time.h>

#include "../sample.h"
#include "schema.h"

#define PAIRS 20000 /* tests/rule/differential goes through more */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compile(const char *condition, const struct skep_compile_options *o, struct skep_diags *diags,
                   struct skep_policy **ret_policy, struct skep_compiled **ret)
{
    *ret_policy = NULL;
    *ret = NULL;
    skep_diags_init(diags, "condition");
    int r = skep_falco_condition(condition, strlen(condition), diags, ret_policy);
    return r < 0 ? r : skep_rules_compile(*ret_policy, o, diags, ret);
}

static bool judge(const char *condition, struct event *e)
{
    struct skep_diags diags;
    struct skep_policy *policy;
    struct skep_compiled *c;
    struct engine en;
    if (compile(condition, &(struct skep_compile_options){.all = true}, &diags, &policy, &c) < 0)
        fail_msg("%s: %s", condition, diags.n ? diags.list[0].message : "");
    engine_init(&en, c, 0xe);
    bool result = engine_judge(&en, SKEP_VM_MODE_TRUSTED, &e->ev);
    assert_int_equal(engine_judge(&en, SKEP_VM_MODE_JIT, &e->ev), result);
    assert_int_equal(engine_judge(&en, SKEP_VM_MODE_INTERPRET, &e->ev), result);
    for (unsigned m = 1; m < ENGINE_MODES; m++)
        if (result && !engine_pass(&en, m, e->raw))
            fail_msg("the filter drops: %s", condition);
    engine_clear(&en);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
    return result;
}

struct row {
    const char *condition;
    bool expected;
};

static void judge_rows(const struct row *rows, size_t n, struct event *e)
{
    for (size_t i = 0; i < n; i++)
        if (judge(rows[i].condition, e) != rows[i].expected)
            fail_msg("not %s: %s", rows[i].expected ? "true" : "false", rows[i].condition);
}

static void test_text(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"proc.name = bash", true},
        {"proc.name = bas", false},
        {"proc.name = bashx", false},
        {"proc.name = \"\"", false},
        {"proc.name != bash", false},
        {"proc.name != sh", true},
        {"proc.name in (sh, bash, zsh)", true},
        {"proc.name in (sh, zsh)", false},
        {"proc.name in ()", false},
        {"proc.name intersects (sh, bash)", true},
        {"proc.name = anyof (sh, bash)", true},
        {"proc.name = oneof (sh, bash)", true},
        {"proc.name startswith oneof (b, ba)", false},
        {"proc.name startswith anyof (b, x)", true},
        {"proc.name contains allof (as, sh)", true},
        {"proc.name contains allof (as, zz)", false},
        {"proc.name != allof (sh, zsh)", true},
        {"proc.name != allof (sh, bash)", false},
        {"proc.name != anyof (sh, bash)", true},
        {"fd.name contains ssl", true},
        {"fd.name contains SSL", false},
        {"fd.name icontains SSL/OPEN", true},
        {"fd.name contains \"\"", true},
        {"fd.name bcontains 2f73736c2f", true},
        {"fd.name bcontains 2f73736c2e", false},
        {"fd.name bstartswith 2f65", true},
        {"fd.name startswith /etc/ssl/openssl.cnf", true},
        {"fd.name startswith /etc/ssl/openssl.cnf2", false},
        {"fd.name startswith \"\"", true},
        {"fd.name endswith .cnf", true},
        {"fd.name endswith /etc/ssl/openssl.cnf", true},
        {"fd.name endswith x/etc/ssl/openssl.cnf", false},
        {"fd.name glob /etc/*.cnf", true},
        {"fd.name glob /etc/*.cn", false},
        {"fd.name glob '*'", true},
        {"fd.name glob /etc/ssl/open[a-s]sl.???", true},
        {"fd.name iglob /ETC/*", true},
        {"fd.name regex '/etc/.*'", true},
        {"fd.name regex '/etc'", false},
        {"fd.name regex '(/[a-z]+){2}/openssl[.](cnf|conf)'", true},
        {"fd.name pmatch (/etc)", true},
        {"fd.name pmatch (/etc/ssl/openssl.cnf)", true},
        {"fd.name pmatch (/et)", false},
        {"fd.name pmatch (/usr, /etc/*/openssl.cnf)", true},
        {"fd.name pmatch (/etc/s*l)", true},
        {"fd.name pmatch (/etc/ssl/openssl.cnf/x)", false},
        {"fd.name exists", true},
        {"tolower(proc.name) = bash", true},
        {"toupper(proc.name) = BASH", true},
        {"len(proc.name) = 4", true},
        {"basename(fd.name) = openssl.cnf", true},
        {"proc.name = val(proc.name)", true},
        {"proc.name = val(proc.pname)", false},
        {"proc.name != val(proc.pname)", true},
        {"proc.pname startswith val(proc.name)", false},
        {"concat(proc.name, proc.name) = bashbash", true},
        {"join(\"-\", proc.name, proc.pname) = bash-sshd", true},
    };
    struct event *e = calloc(1, sizeof(*e));
    sample_open(schema, e);
    judge_rows(rows, ARRAY_SIZE(rows), e);
    free(e);
}

static void test_number_bool(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"user.uid = 1000", true},
        {"user.uid = 0x3e8", true},
        {"user.uid != 1000", false},
        {"user.uid < 1000", false},
        {"user.uid <= 1000", true},
        {"user.uid > 999", true},
        {"user.uid >= 1001", false},
        {"user.uid in (1, 2, 1000)", true},
        {"user.uid in (1-999, 1001-2000)", false},
        {"user.uid in (1-1023)", true},
        {"evt.rawres in (-10--5)", false},
        {"evt.rawres in (-10-3)", true},
        {"evt.rawres > -9223372036854775808", true},
        {"evt.rawres < -9223372036854775808", false},
        {"evt.rawres <= 9223372036854775807", true},
        {"user.uid = oneof (1, 1000)", true},
        {"user.uid != anyof (1000, 1)", true},
        {"user.uid != allof (1000, 1)", false},
        {"user.uid > val(evt.rawres)", true},
        {"evt.is_open_write = true", true},
        {"evt.is_open_write = false", false},
        {"evt.is_open_write != false", true},
        {"evt.is_open_read in (false)", true},
        {"evt.rawres exists", true},
    };
    struct event *e = calloc(1, sizeof(*e));
    sample_open(schema, e);
    judge_rows(rows, ARRAY_SIZE(rows), e);
    free(e);
}

static void test_address(void **state)
{
    (void)state;
    static const struct row four[] = {
        {"fd.rip = 93.184.216.34", true},
        {"fd.rip = 93.184.216.35", false},
        {"fd.rip = 93.184.0.0/16", true},
        {"fd.rip != 93.184.0.0/16", false},
        {"fd.rip != 10.0.0.0/8", true},
        {"fd.rip in (10.0.0.0/8, 93.184.216.32/27)", true},
        {"fd.rip = ::1", false},
        {"fd.rip in (0.0.0.0/0)", true},
        {"fd.ip = 10.0.0.0/8", true},
        {"fd.ip = 93.184.216.34", true},
        {"fd.ip != 93.184.216.34", false},
        {"fd.ip in (1.2.3.4, 5.6.7.8)", false},
        {"fd.rport in (80, 400-500)", true},
        {"fd.port = 443", true},
        {"fd.port != 443", false},
        {"fd.rip = val(fd.rip)", true},
        {"fd.rip = val(fd.lip)", false},
    };
    static const struct row six[] = {
        {"fd.rip = 2001:db8::1:2", true},   {"fd.rip = 2001:db8::/32", true},
        {"fd.rip = 2001:db8::/126", false}, {"fd.rip in (fd00::/8, 2001:db8::1:0/112)", true},
        {"fd.rip != 2001:db8::/32", false}, {"fd.rip = 10.0.0.1", false},
        {"fd.rip in (::/0)", true},
    };
    struct event *e = calloc(1, sizeof(*e));
    sample_connect(schema, e, "93.184.216.34");
    judge_rows(four, ARRAY_SIZE(four), e);
    sample_connect(schema, e, "2001:db8::1:2");
    judge_rows(six, ARRAY_SIZE(six), e);
    free(e);
}

/* A missing field makes every comparison false; not turns that around. */
/* What Falco says of the same comparisons, where one could think otherwise. */
static void test_as_falco(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"proc.name = oneof (bash, sh)", true},
        {"proc.name = oneof (bash)", true},
        {"proc.name = oneof (sh, zsh)", false},
        {"proc.name = oneof (bash, bash)", false},
        {"proc.name = anyof (bash, sh)", true},
        {"proc.name = anyof (sh, zsh)", false},
        {"proc.name = anyof (bash, bash)", true},
        {"proc.name = allof (bash)", true},
        {"proc.name = allof (bash, sh)", false},
        {"proc.name = allof (bash, bash)", true},
        {"proc.name != oneof (bash, bash, sh)", true},
        {"proc.name != oneof (bash, bash)", false},
        {"proc.name != oneof (sh, zsh)", false},
        {"proc.name != oneof (bash, sh)", true},
        {"proc.name != anyof (sh, zsh)", true},
        {"proc.name != anyof (bash, sh)", true},
        {"proc.name != anyof (bash)", false},
        {"proc.name != allof (sh, zsh)", true},
        {"proc.name != allof (bash, sh)", false},
        {"proc.name contains oneof (bas, zsh)", true},
        {"proc.name contains oneof (ba, sh)", false},
        {"proc.name contains anyof (ba, sh)", true},
        {"proc.name contains allof (ba, sh)", true},
        {"proc.name contains allof (ba, zz)", false},
        {"proc.name icontains oneof (BAS, ZSH)", true},
        {"proc.name icontains oneof (BA, SH)", false},
        {"proc.name icontains anyof (BA, ZZ)", true},
        {"proc.name icontains allof (BA, SH)", true},
        {"proc.name startswith oneof (ba, zs)", true},
        {"proc.name startswith oneof (b, ba)", false},
        {"proc.name startswith anyof (b, zz)", true},
        {"proc.name startswith allof (b, ba)", true},
        {"proc.name startswith allof (b, z)", false},
        {"proc.name endswith oneof (sh, y)", true},
        {"proc.name endswith oneof (sh, ash)", false},
        {"proc.name endswith anyof (y, z)", false},
        {"proc.name endswith allof (sh, ash)", true},
        {"proc.name glob oneof (ba*, z*)", true},
        {"proc.name glob oneof (ba*, *sh)", false},
        {"proc.name glob anyof (z*, *sh)", true},
        {"proc.name glob allof (ba*, *sh)", true},
        {"proc.name iglob oneof (BA*, Z*)", true},
        {"proc.name iglob oneof (BA*, *SH)", false},
        {"proc.name iglob allof (BA*, *SH)", true},
        {"proc.name regex oneof ('ba.*', 'z.*')", true},
        {"proc.name regex oneof ('ba.*', '.*sh')", false},
        {"proc.name regex anyof ('z.*', '.*sh')", true},
        {"proc.name regex allof ('ba.*', '.*sh')", true},
        {"proc.name = oneof ()", false},
        {"proc.name = anyof ()", false},
        {"proc.name = allof ()", false},
        {"proc.name != oneof ()", false},
        {"proc.name != anyof ()", false},
        {"proc.name != allof ()", false},
        {"proc.name in ()", false},
        {"proc.name pmatch ()", false},
        {"toupper(proc.name) = oneof (BASH, SH)", true},
        {"toupper(proc.name) != oneof (SH, ZSH)", false},
        {"toupper(proc.name) != allof (BASH, SH)", false},
        {"proc.name = oneof (bash) and proc.name != allof (sh, zsh)", true},
        {"tolower(proc.pexe) = anyof () or proc.name = anyof (sh, bash)", true},
        {"fd.name pmatch (/etc)", true},
        {"fd.name pmatch (/etc/ssl)", true},
        {"fd.name pmatch (/etc/ss)", false},
        {"fd.name pmatch (/etc, /opt)", true},
        {"fd.name pmatch (/opt, /usr)", false},
        {"fd.name pmatch (/etc/*)", true},
        {"fd.name pmatch (/*/ssl)", true},
        {"fd.name pmatch (/etc/ss?)", true},
        {"fd.name pmatch (/etc/sss?)", false},
        {"fd.name pmatch (/etc/ss[l])", true},
        {"fd.name pmatch (/etc/ss[!l])", false},
        {"fd.name pmatch (/etc/ss[m])", false},
        {"fd.name pmatch (/etc/*/x)", false},
        {"fd.name pmatch (/etc/*/*)", true},
        {"fd.name pmatch (/etc/*/*/x)", false},
        {"fd.num < 300", true},
        {"fd.num > -500", true},
        {"fd.num >= 1025", false},
        {"fd.num > 4294967295", false},
        {"evt.rawres < 4294967299", true},
        {"fd.num in (1, 3-5)", true},
        {"fd.num in (-5--1, 7)", false},
        {"fd.num = 0x3", true},
        {"fd.num = +3", true},
    };
    struct event *e = calloc(1, sizeof(*e));
    sample_open(schema, e);
    judge_rows(rows, ARRAY_SIZE(rows), e);
    free(e);
}

/* Ports by the names of their services. */
static void test_ports(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"fd.sport = https", true}, {"fd.sport = domain", false}, {"fd.rport in (ssh, https)", true},
        {"fd.port != ssh", true},   {"fd.port != https", false},
    };
    if (access("/etc/services", R_OK) < 0) {
        print_message("there is no /etc/services\n");
        skip();
    }
    struct event *e = calloc(1, sizeof(*e));
    sample_connect(schema, e, "93.184.216.34");
    judge_rows(rows, ARRAY_SIZE(rows), e);
    free(e);
    static const char *const wrong[] = {"fd.sport = nosuchservice", "fd.num = https"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct skep_diags diags;
        struct skep_policy *policy;
        struct skep_compiled *c;
        assert_int_equal(compile(wrong[i], &(struct skep_compile_options){.all = true}, &diags, &policy, &c),
                         -EINVAL);
        skep_policy_free(policy);
        skep_diags_clear(&diags);
    }
}

static void test_missing(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"proc.aname[7] = x", false},    {"proc.aname[7] != x", false},
        {"not proc.aname[7] = x", true}, {"not proc.aname[7] != x", true},
        {"proc.aname[7] exists", false}, {"not proc.aname[7] exists", true},
        {"proc.aname[7] in (x)", false}, {"proc.aname[7] < val(proc.name)", false},
        {"fd.rip = 10.0.0.1", false},    {"fd.rip != 10.0.0.1", false},
        {"not fd.rport > 0", true},      {"len(proc.aname[7]) >= 0", false},
        {"proc.aname = sshd", true},     {"proc.aname != bash", true},
        {"proc.aname != sshd", false},   {"proc.aname in (x, sshd)", true},
    };
    struct event *e = calloc(1, sizeof(*e));
    sample_open(schema, e);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!strstr(rows[i].condition, "<") && judge(rows[i].condition, e) != rows[i].expected)
            fail_msg("not %s: %s", rows[i].expected ? "true" : "false", rows[i].condition);
    free(e);
}

static void test_logic(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"evt.type = openat and (proc.name = sh or fd.name endswith .cnf)", true},
        {"evt.type = open", false},
        {"evt.type in (open, openat, openat2)", true},
        {"evt.type startswith open and not evt.type = open", true},
        {"evt.type = openat and evt.type = connect", false},
        {"not (evt.type = connect or proc.name = sh)", true},
        {"(proc.name = sh or proc.name = bash or proc.name = zsh) and user.uid != 0 and user.uid != 1", true},
        {"not (proc.name != bash)", true},
    };
    struct event *e = calloc(1, sizeof(*e));
    sample_open(schema, e);
    judge_rows(rows, ARRAY_SIZE(rows), e);
    free(e);
}

static void test_diagnostics(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *message;
    } rows[] = {
        {"proc.name < 5", "is for numbers"},
        {"user.uid contains 1", "is for texts"},
        {"user.uid = abc", "is not a number"},
        {"user.uid = 99999999999999999999", "is not a number"},
        {"user.uid in (10-5)", "end is before"},
        {"fd.rip = 10.0.0", "neither an address"},
        {"fd.rip = 10.0.0.0/33", "neither an address"},
        {"evt.is_open_read = maybe", "neither true nor false"},
        {"evt.is_open_read startswith t", "is for texts"},
        {"proc.name regex '(a'", "not closed"},
        {"proc.name regex 'a\\1'", "references back"},
        {"proc.name regex '(?=a)b'", "look around"},
        {"proc.name regex 'a{1,2000}'", "more than 1000"},
        {"proc.name bcontains 123", "hexadecimal"},
        {"proc.name = val(user.uid)", "cannot be compared"},
        {"proc.name glob val(proc.pname)", "with constants"},
        {"tolower(user.uid) = 1", "takes texts"},
        {"user.uid > oneof (1, 2)", "oneof"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_diags diags;
        struct skep_policy *policy;
        struct skep_compiled *c;
        int r = compile(rows[i].condition, NULL, &diags, &policy, &c);
        bool parsed = policy != NULL;
        if (r != -EINVAL || diags.n == 0)
            fail_msg("no error: %s", rows[i].condition);
        if (parsed && !strstr(diags.list[0].message, rows[i].message))
            fail_msg("%s: %s", rows[i].condition, diags.list[0].message);
        if (parsed &&
            (!skep_streq(diags.list[0].code, "LOAD_ERR_COMPILE_CONDITION") || diags.list[0].line != 1))
            fail_msg("%s: code %s, line %u", rows[i].condition, diags.list[0].code, diags.list[0].line);
        skep_policy_free(policy);
        skep_diags_clear(&diags);
    }
}

static void test_types_and_kinds(void **state)
{
    (void)state;
    struct skep_diags diags;
    struct skep_policy *policy;
    struct skep_compiled *c;
    assert_int_equal(
        compile("evt.type in (openat, connect) and fd.name startswith /etc", NULL, &diags, &policy, &c), 0);
    assert_true(c->wanted[skep_evttype_find("openat", 6)]);
    assert_true(c->rule_types[0][skep_evttype_find("connect", 7)]);
    assert_false(c->wanted[skep_evttype_find("open", 4)]);
    assert_non_null(c->exact[SKEP_KIND_open].insns);
    assert_non_null(c->exact[SKEP_KIND_connect].insns);
    assert_null(c->exact[SKEP_KIND_exec].insns);
    assert_non_null(c->filter[SKEP_KIND_open].insns);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
    /* a field is there for some kinds only */
    assert_int_equal(compile("fd.rip = 10.0.0.1", NULL, &diags, &policy, &c), 0);
    assert_true(c->wanted[skep_evttype_find("connect", 7)]);
    assert_false(c->wanted[skep_evttype_find("openat", 6)]);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
    /* the life cycle has no filters */
    assert_int_equal(compile("evt.type = execve and proc.name = sh", NULL, &diags, &policy, &c), 0);
    assert_null(c->filter[SKEP_KIND_exec].insns);
    assert_non_null(c->exact[SKEP_KIND_exec].insns);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
}

static void test_notes(void **state)
{
    (void)state;
    struct skep_diags diags;
    struct skep_policy *policy;
    struct skep_compiled *c;
    struct skep_compile_options o = {.notes = true};
    bool kernel = false, user = false;
    assert_int_equal(compile("evt.type = openat and fd.name startswith /etc and proc.pname = sshd", &o,
                             &diags, &policy, &c),
                     0);
    for (size_t i = 0; i < c->n_notes; i++) {
        kernel |= c->notes[i].where == SKEP_ATOM_KERNEL && !c->notes[i].reason &&
                  skep_streq(c->notes[i].text, "fd.name startswith /etc");
        user |= c->notes[i].where == SKEP_ATOM_USER && c->notes[i].reason &&
                skep_streq(c->notes[i].text, "proc.pname = sshd");
    }
    assert_true(kernel && user);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
}

/* ---- many rules ---- */

static void test_many_rules(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_policy *policy;
    struct skep_compiled *c;
    char text[200];
    skep_strbuf_init(&sb, 64 << 20);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(text, sizeof(text),
                 "fd.name startswith /opt/%u and not proc.name in (a%u, b) and container.id != x%u", i, i,
                 i % 7);
        sample_put_rule(&sb, i, text);
    }
    double from = seconds();
    assert_int_equal(sample_load(&sb, NULL, &policy, &c), 0);
    double took = seconds() - from;
    print_message("# 10,000 rules: %.2f s, %zu instructions\n", took, c->exact[SKEP_KIND_open].n_insns);
    assert_true(took < 20);
    skep_compiled_free(c);
    skep_policy_free(policy);
}

/* ---- hostile ---- */

static void test_long_list(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_diags diags;
    struct skep_policy *policy;
    struct skep_compiled *c;
    struct engine en;
    struct event *e = calloc(1, sizeof(*e));
    skep_strbuf_init(&sb, 64 << 20);
    skep_strbuf_puts(&sb, "evt.type = openat and fd.name in (");
    for (unsigned i = 0; i < 100000; i++)
        skep_strbuf_printf(&sb, "/data/%u, ", i * 7919);
    skep_strbuf_puts(&sb, "/etc/ssl/openssl.cnf)");
    double from = seconds();
    assert_int_equal(compile(sb.s, NULL, &diags, &policy, &c), 0);
    print_message("# 100,000 items: %.2f s, %zu maps\n", seconds() - from, c->n_maps);
    assert_true(c->n_maps > 0);
    engine_init(&en, c, 0xe);
    sample_open(schema, e);
    for (unsigned m = 1; m < ENGINE_MODES; m++) {
        assert_int_equal(engine_judge(&en, m, &e->ev), 1);
        assert_true(engine_pass(&en, m, e->raw));
    }
    ((struct skep_ev_open *)e->raw)->path.len--;
    for (unsigned m = 1; m < ENGINE_MODES; m++) {
        assert_int_equal(engine_judge(&en, m, &e->ev), 0);
        assert_false(engine_pass(&en, m, e->raw));
    }
    engine_clear(&en);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
    free(e);
}

/* Each level uses the one below twice: written out it would be of 2^90 parts. */
static void test_shared_depth(void **state)
{
    (void)state;
    struct skep_arena *pool;
    assert_int_equal(skep_arena_new(1 << 30, &pool), 0);
    struct skep_diags diags;
    struct skep_compiled *c = NULL;
    const struct skep_rule_field *f = skep_rule_field_find("proc.cmdline", 12);
    const struct skep_expr *below = NULL;
    assert_non_null(f);
    for (unsigned i = 0; i < 90; i++) {
        struct skep_expr *parts = skep_arena_array(pool, 6, sizeof(*parts));
        const struct skep_expr **kids = skep_arena_array(pool, 8, sizeof(*kids));
        for (unsigned k = 0; k < 2; k++) {
            struct skep_operand *o = skep_arena_alloc(pool, sizeof(*o));
            struct skep_literal *l = skep_arena_alloc(pool, sizeof(*l));
            char text[16];
            o->field = f;
            o->transform = SKEP_TRANSFORM_INVALID;
            l->n = (size_t)snprintf(text, sizeof(text), "w%u", 2 * i + k);
            l->s = skep_arena_text(pool, text, l->n);
            parts[k].kind = SKEP_EXPR_CHECK;
            parts[k].check =
                (struct skep_check){.left = o, .op = SKEP_RULE_OP_CONTAINS, .values = l, .n_values = 1};
        }
        if (!below) {
            below = &parts[0];
            continue;
        }
        kids[0] = &parts[0], kids[1] = below;
        kids[2] = &parts[1], kids[3] = &parts[4];
        kids[4] = below;
        kids[5] = &parts[2], kids[6] = &parts[3];
        parts[2] = (struct skep_expr){.kind = SKEP_EXPR_AND, .kids = &kids[0], .n_kids = 2};
        parts[3] = (struct skep_expr){.kind = SKEP_EXPR_AND, .kids = &kids[2], .n_kids = 2};
        parts[4] = (struct skep_expr){.kind = SKEP_EXPR_NOT, .kids = &kids[4], .n_kids = 1};
        parts[5] = (struct skep_expr){.kind = SKEP_EXPR_OR, .kids = &kids[5], .n_kids = 2};
        below = &parts[5];
    }
    struct skep_rule rule = {.name = "deep", .condition = below};
    struct skep_policy policy = {.rules = &rule, .n_rules = 1};
    skep_diags_init(&diags, "deep");
    double from = seconds();
    int r = skep_rules_compile(&policy, NULL, &diags, &c);
    print_message("# 90 levels of two: %d in %.2f s\n", r, seconds() - from);
    assert_true(r == 0 || (r == -EINVAL && diags.n == 1));
    assert_true(seconds() - from < 20);
    skep_compiled_free(c);
    skep_diags_clear(&diags);
    skep_arena_free(pool);
}

static void test_too_long(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_policy *policy;
    struct skep_compiled *c;
    struct skep_compile_options o = {.max_insns = 100};
    skep_strbuf_init(&sb, 1 << 20);
    for (unsigned i = 0; i < 20; i++)
        sample_put_rule(&sb, i, "fd.name contains a and fd.name endswith b and user.uid = 3");
    sample_put_rule(&sb, 20,
                    "fd.name contains aa or proc.name endswith bb or fd.name startswith /something/longer");
    assert_int_equal(sample_load(&sb, &o, &policy, &c), -EINVAL);
    skep_policy_free(policy);
}

static void test_random(void **state)
{
    (void)state;
    struct differ d = {0};
    for (uint64_t seed = 1000000; d.pairs < PAIRS; seed++)
        differ_round(&d, schema, seed);
    print_message("# %llu pairs, %llu matches, %llu filtered, %llu dropped\n", (unsigned long long)d.pairs,
                  (unsigned long long)d.matches, (unsigned long long)d.filters,
                  (unsigned long long)d.dropped);
    assert_int_equal(d.failures, 0);
    assert_true(d.matches > d.pairs / 20 && d.dropped > 20 && d.candidates > d.pairs / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),         cmocka_unit_test(test_number_bool),
        cmocka_unit_test(test_address),      cmocka_unit_test(test_missing),
        cmocka_unit_test(test_ports),        cmocka_unit_test(test_as_falco),
        cmocka_unit_test(test_logic),        cmocka_unit_test(test_diagnostics),
        cmocka_unit_test(test_notes),        cmocka_unit_test(test_types_and_kinds),
        cmocka_unit_test(test_many_rules),   cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_shared_depth), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, schema_setup, schema_teardown);
}
