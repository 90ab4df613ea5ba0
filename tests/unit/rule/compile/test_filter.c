/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of rules under the kernel's verifier: random ones and ones of every construct are accepted, and decide as the
 * engine does. That they never drop what a rule matches is rule/compile's and tests/rule/differential's business.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "../differ.h"

#include "load/filter.h"
#include "rule/default.h"
#include "rule/falco/falco.h"
#include <cmocka.h>

#include "schema.h"

#define ROUNDS 40
#define RECORDS 24

/* 0, or skips: bpf(2) is refused. */
static struct skep_filter_test *load(const struct skep_compiled *c, uint16_t kind, const char *what)
{
    static struct skep_filter_map maps[1024];
    const struct skep_rule_program *f = &c->filter[kind];
    struct skep_frame frame = {.kind = SKEP_FRAME_TEST, .event = kind, .scratch_map = (uint32_t)f->n_maps};
    struct skep_filter_test *t = NULL;
    char reason[2000] = "";
    struct skep_insn *insns;
    size_t n;
    assert_true(c->n_maps <= ARRAY_SIZE(maps));
    for (size_t i = 0; i < c->n_maps; i++) {
        const struct skep_rule_map *m = &c->maps[i];
        maps[i] = (struct skep_filter_map){m->name,  m->type, m->key_size, m->value_size, m->max_entries,
                                           m->flags, m->keys, m->values,   m->n_entries};
    }
    assert_int_equal(skep_rule_filter_build(c, kind, &frame, &insns, &n), 0);
    struct skep_filter_program p = {.insns = insns, .n_insns = n, .maps = f->maps, .n_maps = f->n_maps};
    int r = skep_filter_test_new(maps, c->n_maps, &p, &t, reason, sizeof(reason));
    free(insns);
    if (r == -EPERM)
        return NULL;
    if (r < 0)
        fail_msg("kind %u, %zu instructions: %s %s: %.200s", kind, n, strerror(-r), reason, what);
    return t;
}

static void compare(struct engine *en, struct skep_filter_test *t, struct event *e, unsigned counts[2])
{
    uint16_t kind = ((const struct skep_hdr *)e->raw)->kind;
    bool engine = engine_pass(en, SKEP_VM_MODE_INTERPRET, e->raw);
    int kernel = skep_filter_test_run(t, e->raw, sizeof(e->raw));
    if (kernel != engine)
        fail_msg("kind %u: the kernel says %d, the engine %d", kind, kernel, engine);
    counts[kernel]++;
}

static bool may_load(void)
{
    return geteuid() == 0;
}

/* known: all rules are about one kind of event, and the kernel can decide most of what they say. */
static void compare_random(bool known)
{
    unsigned counts[2] = {0}, programs = 0;
    if (!may_load())
        skip();
    struct event *events = calloc(RECORDS, sizeof(*events));
    assert_non_null(events);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct random r = {.state = seed * 0x9e3779b97f4a7c15ULL};
        struct skep_arena *pool;
        assert_int_equal(skep_arena_new(1 << 30, &pool), 0);
        struct skep_rule_ctx *ref;
        struct skep_policy policy;
        struct skep_diags diags;
        struct skep_compiled *c;
        struct engine en;
        struct skep_filter_test *tests[SKEP_KIND_MAX] = {NULL};
        assert_int_equal(skep_rule_ctx_new(NULL, 0, 0, &ref), 0);
        uint16_t kind = known ? differ_kind(&r) : 0;
        for (size_t i = 0; i < RECORDS; i++) {
            if (known)
                random_event_of(&r, skep_schema_kind(schema, kind), &events[i]);
            else
                random_event(&r, schema, &events[i]);
        }
        struct maker m = {&r, pool, events, RECORDS, ref, true, kind};
        size_t n = 1 + rnd(&r, one_in(&r, 4) ? 40 : 3);
        if (known)
            random_known_policy(&m, n, &policy);
        else
            random_policy(&m, n, &policy);
        skep_diags_init(&diags, "random");
        assert_int_equal(skep_rules_compile(&policy, &(struct skep_compile_options){0}, &diags, &c), 0);
        engine_init(&en, c, 1 << SKEP_VM_MODE_INTERPRET);
        for (size_t i = 0; i < RECORDS; i++) {
            uint16_t of = ((const struct skep_hdr *)events[i].raw)->kind;
            if (!c->filter[of].insns)
                continue;
            if (!tests[of]) {
                tests[of] = load(c, of, "random");
                programs++;
            }
            if (!tests[of])
                skip();
            compare(&en, tests[of], &events[i], counts);
        }
        for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
            skep_filter_test_free(tests[k]);
        engine_clear(&en);
        skep_compiled_free(c);
        skep_diags_clear(&diags);
        skep_rule_ctx_free(ref);
        skep_arena_free(pool);
    }
    free(events);
    print_message("# %u programs, %u records dropped, %u passed\n", programs, counts[0], counts[1]);
    assert_true(programs > ROUNDS / 4 && counts[0] && counts[1]);
}

static void test_random(void **state)
{
    (void)state;
    compare_random(false);
}

static void test_known(void **state)
{
    (void)state;
    compare_random(true);
}

/* ---- conditions of every construct ---- */

/* n items, as a list. */
static void put_items(struct skep_strbuf *sb, const char *fmt, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        skep_strbuf_puts(sb, i ? ", " : "");
        skep_strbuf_printf(sb, "%s%u", fmt, i * 7);
    }
}

static void check_kind(const char *condition, uint16_t kind, unsigned counts[2])
{
    struct skep_diags diags;
    struct skep_policy *policy;
    struct skep_compiled *c = NULL;
    struct engine en;
    struct random r = {.state = 77};
    skep_diags_init(&diags, "condition");
    if (skep_falco_condition(condition, strlen(condition), &diags, &policy) < 0 ||
        skep_rules_compile(policy, &(struct skep_compile_options){0}, &diags, &c) < 0)
        fail_msg("%.200s: %s", condition, diags.n ? diags.list[0].message : "no reason");
    engine_init(&en, c, 1 << SKEP_VM_MODE_INTERPRET);
    if (!c->filter[kind].insns)
        fail_msg("no filter: %.200s", condition);
    struct skep_filter_test *t = load(c, kind, condition);
    struct event *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    for (unsigned i = 0; t && i < 400; i++) {
        random_event_of(&r, skep_schema_kind(schema, kind), e);
        compare(&en, t, e, counts);
    }
    skep_filter_test_free(t);
    free(e);
    engine_clear(&en);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
}

static void check_condition(const char *condition, unsigned counts[2])
{
    check_kind(condition, SKEP_KIND_open, counts);
}

/* Thousands of networks of both lengths; the events' addresses are in some of them. */
static void test_networks(void **state)
{
    (void)state;
    unsigned counts[2] = {0};
    _cleanup_strbuf_ struct skep_strbuf sb;
    if (!may_load())
        skip();
    skep_strbuf_init(&sb, 1 << 20);
    skep_strbuf_puts(&sb, "evt.type = connect and fd.rip in (");
    for (unsigned i = 0; i < 3000; i++)
        skep_strbuf_printf(&sb, "\"172.%u.%u.0/%u\", \"2a00:%x:%x::/%u\", ", i / 250, i % 250, 20 + i % 13, i,
                           i * 7, 48 + i % 81);
    skep_strbuf_puts(&sb, "10.0.0.1, 127.0.0.0/8, \"fe80::/10\")");
    check_kind(sb.s, SKEP_KIND_connect, counts);
    print_message("# %u records dropped, %u passed\n", counts[0], counts[1]);
    assert_true(counts[0] > 20 && counts[1] > 20);
}

static void test_constructs(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "evt.type = openat",
        "evt.type in (open, openat) and evt.is_open_write = true and fd.num >= 0",
        "evt.type = openat and fd.name startswith /etc/",
        "evt.type = openat and fd.name endswith /passwd and not proc.name in (sh, bash)",
        "evt.type = openat and fd.name contains passw",
        "evt.type = openat and (fd.name contains a-long-name-of-a-program or fd.name icontains SHADOW)",
        "evt.type = openat and not (fd.name contains c or fd.name contains b)",
        "evt.type = openat and fd.name pmatch (/etc, /usr/bin, /var/*/x)",
        "evt.type = openat and fd.name glob /usr/*sh",
        "evt.type = openat and proc.name endswith sh and user.uid in (0-10, 1000, 65534)",
        "evt.type = openat and proc.name contains as and evt.rawres < 0",
        "evt.type = openat and fd.nameraw = ../etc/passwd",
        "evt.type = openat and fd.filename in (shadow, passwd, bash, a, b) and fd.directory != /etc",
        "evt.type = openat and fd.name regex '/(etc|usr)/[a-z]+.*' and fd.typechar = f",
        "evt.type = openat and fs.path.name startswith /etc and fd.type in (file, directory)",
        "evt.type = openat and fd.name endswith anyof (a, b, c, sh, /passwd, /shadow, keys, 3, x, program, /bash)",
        "evt.type = openat and not fd.name startswith anyof (/etc, /usr, /tmp, /var, a, b, //, /proc, /root, c)",
        "evt.type = openat and (fd.name = /etc/shadow or fd.nameraw startswith /etc) and fd.name exists",
    };
    unsigned counts[2] = {0};
    if (!may_load())
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        check_condition(conditions[i], counts);
    static const char *const sets[] = {"fd.name in (", "proc.name in (", "fd.name pmatch (",
                                       "fd.name startswith anyof ("};
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 1 << 20);
        skep_strbuf_puts(&sb, "evt.type = openat and ");
        skep_strbuf_puts(&sb, sets[i]);
        skep_strbuf_puts(&sb, "/etc, /etc/passwd, /usr, sh, bash, ");
        put_items(&sb, i == 1 ? "proc" : "/some/longer/path/to/a/file/with/number", 200);
        skep_strbuf_puts(&sb, ")");
        check_condition(sb.s, counts);
    }
    print_message("# %u records dropped, %u passed\n", counts[0], counts[1]);
    assert_true(counts[0] > 1000 && counts[1] > 1000);
}

/* ---- what an event costs that no rule is interested in ---- */

static void put_open(struct event *e, const char *path, uint32_t flags, int64_t ret)
{
    struct skep_ev_open *o = (struct skep_ev_open *)e->raw;
    memset(o, 0, sizeof(*o));
    o->h = (struct skep_hdr){.kind = SKEP_KIND_open,
                             .flags = SKEP_HDR_SYSCALL | SKEP_HDR_RET,
                             .nr = 257,
                             .ret = ret,
                             .comm = "workload"};
    o->flags = flags;
    o->path_source = ret < 0 ? SKEP_PATH_LEXICAL : SKEP_PATH_OBJECT;
    o->path = o->raw_path = (struct skep_slice){sizeof(*o), (uint32_t)strlen(path)};
    memcpy(e->raw + sizeof(*o), path, strlen(path));
}

/* The built-in rules drop it within so many instructions. */
static void test_default(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t flags;
        int64_t ret;
        uint64_t insns;
    } cases[] = {
        {"/tmp/some-file-abcdef", 0, 3, 220},
        {"/tmp/some-file-abcdef", 0, -2, 220},
        {"/usr/lib/x86_64-linux-gnu/libc.so.6", 0, 3, 300},
        {"/home/user/work/src/main.o", 1, 3, 300},
        {"/dev/null", 2, 3, 250},
    };
    struct skep_falco_input in = {
        .name = "default.yaml", .text = skep_default_rules, .len = skep_default_rules_len};
    struct skep_falco_options options = {.min_priority = SKEP_PRIORITY_DEBUG};
    struct skep_diags diags;
    struct skep_policy *policy;
    struct skep_compiled *c;
    struct engine en;
    struct event *e = calloc(1, sizeof(*e));
    skep_diags_init(&diags, "default.yaml");
    assert_non_null(e);
    assert_int_equal(skep_falco_load(&in, 1, &options, &diags, &policy), 0);
    assert_int_equal(skep_rules_compile(policy, &(struct skep_compile_options){0}, &diags, &c), 0);
    engine_init(&en, c, 1 << SKEP_VM_MODE_INTERPRET);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        put_open(e, cases[i].path, cases[i].flags, cases[i].ret);
        skep_vm_thread_set_fuel(en.thread, cases[i].insns);
        assert_false(engine_pass(&en, SKEP_VM_MODE_INTERPRET, e->raw));
    }
    for (uint16_t kind = 1; may_load() && kind < SKEP_KIND_MAX; kind++) {
        struct skep_filter_test *t = c->filter[kind].insns ? load(c, kind, "built-in rules") : NULL;
        skep_filter_test_free(t);
    }
    free(e);
    engine_clear(&en);
    skep_compiled_free(c);
    skep_policy_free(policy);
    skep_diags_clear(&diags);
}

/* Searches are loops that the verifier walks round by round: many of them have to stay within its limit. */
static void test_many_searches(void **state)
{
    (void)state;
    unsigned counts[2] = {0};
    _cleanup_strbuf_ struct skep_strbuf sb;
    if (!may_load())
        skip();
    skep_strbuf_init(&sb, 1 << 20);
    skep_strbuf_puts(&sb, "evt.type = openat and (fd.name contains /secret/");
    for (unsigned i = 0; i < 40; i++)
        skep_strbuf_printf(&sb, " or fd.name %s part%u", i % 3 ? "contains" : "icontains", i);
    skep_strbuf_puts(&sb, ")");
    check_condition(sb.s, counts);
    assert_true(counts[1] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),       cmocka_unit_test(test_constructs),
        cmocka_unit_test(test_many_searches), cmocka_unit_test(test_networks),
        cmocka_unit_test(test_random),        cmocka_unit_test(test_known),
    };
    return cmocka_run_group_tests(tests, schema_setup, schema_teardown);
}
