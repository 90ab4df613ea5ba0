/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/where.h"

#include "../../event/record.h"

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

enum sample { OPEN, MISSING, CONNECT, EXIT, CLONE };

static void make(struct test_record *t, const struct skep_schema *s, enum sample sample)
{
    if (sample == OPEN) {
        test_open(t, s);
    } else if (sample == MISSING) {
        struct skep_ev_open *e = test_open(t, s);
        e->flags = 0;
        test_ret(t, -2);
    } else if (sample == CONNECT) {
        test_connect(t, s);
    } else if (sample == CLONE) {
        struct skep_ev_fork *e = test_begin(t, s, SKEP_KIND_fork);
        e->flags = 0x100 | 17; /* CLONE_VM, SIGCHLD */
    } else {
        struct skep_ev_exit *e = test_begin(t, s, SKEP_KIND_exit);
        e->signal = 9;
        e->duration = 12000000;
    }
    test_process(t);
}

static int compile(const struct skep_schema *s, const char *text, const bool *kinds, struct skep_diags *d,
                   struct skep_where **ret)
{
    struct skep_where_text in = {"--where", text};
    struct skep_where_options o = {.kinds = kinds};
    skep_diags_init(d, "--where");
    return skep_where_new(s, &in, 1, &o, d, ret);
}

static const struct {
    enum sample sample;
    const char *text;
    bool expected;
} rows[] = {
    /* columns: texts */
    {OPEN, "path startswith /etc", true},
    {OPEN, "path startswith /etc/passwd2", false},
    {OPEN, "path startswith /etc and uid != 0 and comm in (bash, sh)", true},
    {OPEN, "path startswith /etc and uid = 0", false},
    {OPEN, "path = /etc/passwd", true},
    {OPEN, "path == '/etc/passwd'", true},
    {OPEN, "path != /etc/passwd", false},
    {OPEN, "path contains pass", true},
    {OPEN, "path icontains PASS", true},
    {OPEN, "path bcontains 7061737377", true},
    {OPEN, "path bstartswith 2f657463", true},
    {OPEN, "path bstartswith 2f657473", false},
    {OPEN, "path endswith wd", true},
    {OPEN, "path glob /etc/*", true},
    {OPEN, "path glob *pass??", true},
    {OPEN, "path glob /[a-e]tc/[!q]asswd", true},
    {OPEN, "path glob *x*", false},
    {OPEN, "path iglob /ETC/*", true},
    {OPEN, "path regex '/etc/p.*d'", true},
    {OPEN, "path regex '/etc/p'", false},
    {OPEN, "path pmatch (/etc, /var)", true},
    {OPEN, "path pmatch (/usr)", false},
    {OPEN, "path startswith oneof (/etc, /e, /usr)", false},
    {OPEN, "path startswith anyof (/etc, /e, /usr)", true},
    {OPEN, "path startswith allof (/etc, /e)", true},
    {OPEN, "not path contains pass", false},
    {OPEN, "not not path contains pass", true},
    {OPEN, "path exists", true},
    {OPEN, "path = a or (path = b or path contains pass) and not pid = 1", true},
    {OPEN, "toupper(comm) = BASH and len(path) = 11 and basename(path) = passwd", true},
    {OPEN, "concat(comm, ':', path) = bash:/etc/passwd", true},
    {OPEN, "join(',', args) startswith 'bash,-c'", true},
    {OPEN, "getopt(args, 'c') startswith echo", true},
    {OPEN, "len(args) = 3", true},
    {OPEN, "tolower(error) = enoent", false},
    {MISSING, "tolower(error) = enoent", true},
    /* sets */
    {OPEN, "flags contains O_CREAT", true},
    {OPEN, "flags contains creat|cloexec", true},
    {OPEN, "flags contains O_TRUNC", false},
    {OPEN, "flags contains O_RDWR", true},
    {OPEN, "flags contains O_RDONLY", false},
    {MISSING, "flags contains O_RDONLY", true},
    {OPEN, "flags = O_RDWR|O_CREAT|O_CLOEXEC", true},
    {OPEN, "flags != O_RDWR|O_CREAT|O_CLOEXEC", false},
    {OPEN, "flags = O_RDWR", false},
    {OPEN, "flags in (O_RDWR, O_RDWR|O_CREAT|O_CLOEXEC)", true},
    {OPEN, "flags contains 0x40", true},
    {OPEN, "not flags contains O_CREAT", false},
    {OPEN, "flags intersects (O_TRUNC, O_CREAT)", true},
    {OPEN, "flags intersects (O_TRUNC, O_APPEND)", false},
    {OPEN, "flags contains anyof (O_TRUNC, O_CREAT)", true},
    {OPEN, "flags contains allof (O_TRUNC, O_CREAT)", false},
    {OPEN, "flags contains oneof (O_TRUNC, O_CREAT)", true},
    {OPEN, "flags contains oneof (O_CLOEXEC, O_CREAT)", false},
    {OPEN, "flags startswith O_RDWR", true},
    {OPEN, "flags glob *|O_CLOEXEC", true},
    {OPEN, "flags contains CLONE_VM", false},
    {CLONE, "flags contains CLONE_VM", true},
    {CLONE, "flags intersects (CLONE_VM, CLONE_FS)", true},
    {CLONE, "flags contains O_CREAT", false},
    {CLONE, "not flags contains O_CREAT", true},
    {OPEN, "caps contains CAP_SYS_ADMIN", false},
    {OPEN, "not caps contains CAP_SYS_ADMIN", true},
    /* numbers */
    {OPEN, "mode = 0644", true},
    {OPEN, "mode=644 and created = true and dirfd = AT_FDCWD and dev = 8:1", true},
    {OPEN, "ret >= 3 and ret < 4 and inode > 12344 and inode <= 0x3039", true},
    {OPEN, "ret > -1", true},
    {MISSING, "ret < 0", true},
    {OPEN, "inode in (1-12, 12345)", true},
    {OPEN, "inode in (1-12, 12346)", false},
    {OPEN, "pid = val(proc.pid) and pid != val(parent.pid)", true},
    {OPEN, "proc.pid = val(pid)", true},
    {OPEN, "comm = val(proc.name)", true},
    {OPEN, "created in (yes, no)", true},
    {OPEN, "ring = cpu1", true},
    {OPEN, "time > 2020-01-01T00:00:00Z", true},
    {OPEN, "time < 2023-11-14T22:13:21.5Z", false},
    {OPEN, "time <= 2023-11-14T22:13:21.500000000Z", true},
    {EXIT, "duration > 10ms", true},
    {EXIT, "duration > 1s", false},
    {EXIT, "duration = 12ms", true},
    {EXIT, "core = no and code = 0", true},
    /* names */
    {OPEN, "error exists", false},
    {OPEN, "not error exists", true},
    {OPEN, "error = ENOENT", false},
    {OPEN, "not error = ENOENT", true}, /* missing: not that */
    {OPEN, "error != ENOENT", false},
    {MISSING, "error = ENOENT", true},
    {MISSING, "error in (EACCES, enoent)", true},
    {MISSING, "error = 2", true},
    {MISSING, "error startswith ENO", true},
    {MISSING, "error = val(evt.res)", true},
    {CONNECT, "error = ECONNREFUSED", true},
    {EXIT, "signal = SIGKILL", true},
    {EXIT, "signal = kill", true},
    {EXIT, "signal in (SIGTERM, 9)", true},
    {EXIT, "signal regex SIG.*", true},
    {CONNECT, "local.port >= 1024 and proto = tcp and family = inet", true},
    {CONNECT, "proto in (udp, tcp)", true},
    {CONNECT, "proto = 6", true},
    {CONNECT, "proto glob t*", true},
    /* kinds */
    {OPEN, "kind in (open, exec)", true},
    {OPEN, "kind = open", true},
    {OPEN, "kind != open", false},
    {OPEN, "kind != exec and kind startswith op", true},
    {EXIT, "kind = exit", true},
    {CONNECT, "kind = exit", false},
    /* lists, processes, containers */
    {OPEN, "args = -c", true},
    {OPEN, "args = -x", false},
    {OPEN, "args != -c", false},
    {OPEN, "args contains hi", true},
    {OPEN, "args in (a, bash)", true},
    {OPEN, "container = 0123456789abcdef and image startswith nginx", true},
    {OPEN, "parent.comm = sshd and parent.pid = 17", true},
    {OPEN, "exe = /bin/bash", true},
    /* addresses */
    {OPEN, "remote.ip exists", false},
    {OPEN, "not remote.port = 443", true}, /* the kind has no such field */
    {CONNECT, "remote.ip in (93.184.0.0/16)", true},
    {CONNECT, "remote.ip in (10.0.0.0/8, 93.184.216.34)", true},
    {CONNECT, "remote.ip in (10.0.0.0/8)", false},
    {CONNECT, "not remote.ip in (10.0.0.0/8)", true},
    {CONNECT, "remote.ip = 0.0.0.0/0", true},
    {CONNECT, "remote.ip in (2001:db8::/32)", false},
    {CONNECT, "remote.ip = 93.184.216.34", true},
    {CONNECT, "remote.ip startswith 93.184", true},
    {CONNECT, "remote = 93.184.216.34:443", true},
    {CONNECT, "remote endswith :443", true},
    {CONNECT, "remote.port in (80, 443)", true},
    {CONNECT, "remote.port in (1-1023)", true},
    {CONNECT, "remote.port in (https, ssh)", true},
    {CONNECT, "remote.port = ssh", false},
    {CONNECT, "remote.port >= 1024", false},
    {CONNECT, "path = /x", false},
    /* fields of rules, which come first: proc.exe is what the process was called as */
    {OPEN, "proc.name = bash and not fd.name startswith /usr", true},
    {OPEN, "proc.exe = bash and proc.exepath = /bin/bash", true},
    {OPEN, "fd.name = val(path)", true},
    {OPEN, "evt.type in (open, openat) and evt.arg.flags contains O_CREAT", true},
    {CONNECT, "fd.rport = 443 and fd.sip in (93.0.0.0/8) and evt.type = connect", true},
};

static void test_matches(void **state)
{
    static struct test_record t;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_diags_ struct skep_diags d;
        _cleanup_where_ struct skep_where *w = NULL;
        make(&t, *state, rows[i].sample);
        if (compile(*state, rows[i].text, NULL, &d, &w) < 0)
            fail_msg("%s: %s", rows[i].text, d.list[0].message);
        if (d.n)
            fail_msg("%s: %s", rows[i].text, d.list[0].message);
        if (skep_where_match(w, &t.ev) != rows[i].expected)
            fail_msg("%s: expected %d", rows[i].text, rows[i].expected);
    }
}

static const struct {
    const char *text;
    unsigned column;
    const char *message, *hint; /* parts; NULL: whatever it is */
} errors[] = {
    {"", 1, "expected instead of the end", NULL},
    {"path", 1, NULL, NULL},
    {"path ~ x", 1, NULL, NULL},
    {"path =", 7, "a value is expected", NULL},
    {"path = a b", 10, "`and`, `or` or the end", NULL},
    {"path = a and", 13, NULL, NULL},
    {"path = a && pid = 1", 10, NULL, "`&&` is written `and`"},
    {"path = a || pid = 1", 10, NULL, "`||` is written `or`"},
    {"! path = a", 1, NULL, "`!` is written `not`"},
    {"(path = a", 10, NULL, "not closed"},
    {"comm in (a, b", 14, NULL, NULL},
    {"comm = 'x", 8, "no closing quote", NULL},
    {"comm = '\\q'", 9, "no escape", NULL},
    {"pat = a", 1, "there is no field `pat`", "`path`"},
    {"uid = 0 and remote.prot = 1", 13, "there is no field", "remote.port"},
    {"proc.nmae = cat", 1, "there is no field", "proc.name"},
    {"xyzzy.frobnicate = 1", 1, "there is no field", "skep docs events"},
    {"args[0] = x", 1, "takes no argument", NULL},
    {"pid = bash", 7, "a number", NULL},
    {"pid = -1", 7, "a number", NULL},
    {"pid = 99999999999999999999999", 7, NULL, NULL},
    {"duration > 10", 12, "with its unit", NULL},
    {"flags contains O_CRAET", 16, "set of", "O_CREAT"},
    {"flags contains O_EXCL|O_CRAET", 16, "set of", "O_CREAT"},
    {"error = ENOETN", 9, NULL, "ENOENT"},
    {"kind = opne", 8, "no kind of event", "`open`"},
    {"kind in (exec, opne)", 16, "no kind of event", "`open`"},
    {"remote.ip in (10.0.0.0/33)", 15, "neither an address", NULL},
    {"mode = 0689", 8, "octal", NULL},
    {"time > yesterday", 8, "a time such as", NULL},
    {"path < a", 1, "`<` is not for `path`", NULL},
    {"pid contains 1", 1, "`contains` is not for `pid`", NULL},
    {"created > true", 1, "`>` is not for", NULL},
    {"flags > O_CREAT", 1, "`>` is not for `flags`", NULL},
    {"remote.ip > 10.0.0.1", 1, "`>` is not for", NULL},
    {"pid = val(path) and len(pid) = val(comm)", 0, NULL, NULL},
    {"proc.pid > 10ms", 14, NULL, NULL},
    {"open_write", 1, "there are no macros here", NULL},
    {"path regex '('", 12, NULL, NULL},
};

static void test_errors(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        _cleanup_diags_ struct skep_diags d;
        struct skep_where *w = NULL;
        if (compile(*state, errors[i].text, NULL, &d, &w) != -EINVAL || w || d.n == 0)
            fail_msg("%s was taken", errors[i].text);
        const struct skep_diag *first = &d.list[0];
        if (errors[i].column && first->column != errors[i].column)
            fail_msg("%s: %s at %u", errors[i].text, first->message, first->column);
        if (errors[i].message && !strstr(first->message, errors[i].message))
            fail_msg("%s: %s", errors[i].text, first->message);
        if (errors[i].hint && (!first->hint || !strstr(first->hint, errors[i].hint)))
            fail_msg("%s: hint %s", errors[i].text, first->hint);
        assert_string_equal(first->file, "--where");
    }
}

static void test_several(void **state)
{
    struct skep_where_text texts[] = {{"recording", "pid = 1 or comm = bash"},
                                      {"--where", "uid = 1000 or uid = 0"}};
    struct skep_where_options o = {0};
    _cleanup_diags_ struct skep_diags d;
    _cleanup_where_ struct skep_where *w = NULL;
    static struct test_record t;
    make(&t, *state, OPEN);
    skep_diags_init(&d, "--where");
    assert_int_equal(skep_where_new(*state, texts, 2, &o, &d, &w), 0);
    assert_true(skep_where_match(w, &t.ev));
    t.h.uid = 7;
    assert_false(skep_where_match(w, &t.ev));
    w = skep_where_free(w);
    /* each has to be complete alone, and what is wrong with both is said */
    texts[0].text = "(pid = 1";
    texts[1].text = "uid = 0)";
    assert_int_equal(skep_where_new(*state, texts, 2, &o, &d, &w), -EINVAL);
    assert_int_equal(d.n, 2);
    assert_string_equal(d.list[0].file, "recording");
    assert_string_equal(d.list[1].file, "--where");
}

static void test_chosen_kinds(void **state)
{
    bool kinds[SKEP_KIND_MAX] = {[SKEP_KIND_open] = true};
    _cleanup_diags_ struct skep_diags d;
    _cleanup_where_ struct skep_where *w = NULL;
    assert_int_equal(compile(*state, "remote.ip exists and flags contains CLONE_VM", kinds, &d, &w), -EINVAL);
    bool said = false;
    for (size_t i = 0; i < d.n; i++)
        said |= strstr(d.list[i].message, "chosen kinds") != NULL;
    assert_true(said);
    skep_diags_clear(&d);
    /* a field of rules is one, whatever kinds there are */
    assert_int_equal(compile(*state, "fd.rip exists or flags contains O_CREAT", kinds, &d, &w), 0);
}

static void test_limits(void **state)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_diags_ struct skep_diags d;
    _cleanup_where_ struct skep_where *w = NULL;
    skep_strbuf_init(&sb, 1 << 20);
    skep_strbuf_puts(&sb, "pid in (4711");
    while (sb.len < SKEP_WHERE_MAX - 8)
        skep_strbuf_printf(&sb, ",%zu", sb.len);
    skep_strbuf_puts(&sb, ")");
    assert_int_equal(compile(*state, sb.s, NULL, &d, &w), 0);
    while (sb.len <= SKEP_WHERE_MAX)
        skep_strbuf_putc(&sb, ' ');
    w = skep_where_free(w);
    skep_diags_clear(&d);
    assert_int_equal(compile(*state, sb.s, NULL, &d, &w), -EINVAL);
    skep_diags_clear(&d);
    skep_strbuf_reset(&sb);
    for (int i = 0; i < 1000; i++)
        skep_strbuf_putc(&sb, '(');
    assert_int_equal(compile(*state, sb.s, NULL, &d, &w), -EINVAL);
}

/* ---- the kernel's part ---- */

/* Which kinds the condition can be true for. */
static void test_selection(void **state)
{
    static const struct {
        const char *text;
        uint16_t kind;
        bool expected;
    } cases[] = {
        {"path startswith /etc", SKEP_KIND_open, true},
        {"path startswith /etc", SKEP_KIND_exit, false},
        {"remote.port = 443", SKEP_KIND_connect, true},
        {"remote.port = 443", SKEP_KIND_open, false},
        {"not remote.port = 443", SKEP_KIND_open, true},
        {"kind in (open, exec)", SKEP_KIND_open, true},
        {"kind in (open, exec)", SKEP_KIND_unlink, false},
        {"kind = open and flags contains CLONE_VM", SKEP_KIND_open, false},
        {"flags contains CLONE_VM", SKEP_KIND_fork, true},
        {"flags contains CLONE_VM", SKEP_KIND_open, false},
        {"fd.name = /x and evt.type = openat", SKEP_KIND_open, true},
        {"fd.name = /x and evt.type = openat", SKEP_KIND_connect, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_diags_ struct skep_diags d;
        _cleanup_where_ struct skep_where *w = NULL;
        assert_int_equal(compile(*state, cases[i].text, NULL, &d, &w), 0);
        if (skep_where_rules(w)->kinds[cases[i].kind] != cases[i].expected)
            fail_msg("%s: kind %u", cases[i].text, cases[i].kind);
    }
}

/* What the filter of the record's kind says: 1 pass, 0 drop; -1: there is none. */
static int ask_filter(const struct skep_where *w, const struct test_record *t)
{
    const struct skep_compiled *c = skep_where_rules(w)->compiled;
    const struct skep_rule_program *p = &c->filter[t->h.kind];
    struct skep_vm_options vo = {.size = sizeof(vo), .cpus = 1};
    struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = 1000000};
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    struct skep_vm_program *program;
    struct skep_vm_error error;
    uint64_t verdict;
    static char record[SKEP_RECORD_MAX + SKEP_PATH_MAX];
    if (!p->insns)
        return -1;
    assert_int_equal(p->n_maps, 0);
    struct skep_vm_program_options po = {.size = sizeof(po),
                                         .name = "filter",
                                         .insns = p->insns,
                                         .n_insns = p->n_insns,
                                         .mode = SKEP_VM_MODE_TRUSTED};
    memcpy(record, t->bytes, sizeof(t->bytes));
    assert_int_equal(skep_vm_new(&vo, &vm), 0);
    assert_int_equal(skep_vm_thread_new(vm, &to, &thread), 0);
    if (skep_vm_program_load(vm, &po, &program, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(skep_vm_run(thread, program, record, sizeof(record), &verdict), 0);
    skep_vm_program_unref(program);
    skep_vm_thread_free(thread);
    skep_vm_free(vm);
    return verdict != 0;
}

static const struct {
    enum sample sample;
    const char *text;
} dropped[] = {
    {OPEN, "path startswith /usr"},
    {OPEN, "flags contains O_TRUNC"},
    {OPEN, "not flags contains O_CREAT"},
    {OPEN, "ret < 0"},
    {OPEN, "comm = sh"},
    {OPEN, "uid = 0"},
    {OPEN, "inode = 1"},
    {OPEN, "pid = 1 and path glob *x*"},
    {CONNECT, "remote.port = 80"},
    {CONNECT, "remote.ip in (10.0.0.0/8)"},
};

static void test_filter(void **state)
{
    static struct test_record t;
    for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
        _cleanup_diags_ struct skep_diags d;
        _cleanup_where_ struct skep_where *w = NULL;
        make(&t, *state, dropped[i].sample);
        assert_int_equal(compile(*state, dropped[i].text, NULL, &d, &w), 0);
        if (ask_filter(w, &t) != 0)
            fail_msg("%s: passes", dropped[i].text);
    }
    /* nothing that matches is dropped */
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_diags_ struct skep_diags d;
        _cleanup_where_ struct skep_where *w = NULL;
        make(&t, *state, rows[i].sample);
        assert_int_equal(compile(*state, rows[i].text, NULL, &d, &w), 0);
        if (rows[i].expected && ask_filter(w, &t) == 0)
            fail_msg("%s: dropped", rows[i].text);
    }
}

/* Every number of every kind, with values that matter to it: what matches is never dropped. */
static const char *condition_for(const struct skep_field *f, unsigned turn, char *buf, size_t size)
{
    static const char *const forms[] = {"%s = %s", "not %s = %s", "%s != %s", "not %s exists", "%s exists"};
    static const char *const numbers[] = {"0", "1", "4294967295", "2"};
    const struct skep_names *names = skep_type_info(f->type)->names;
    enum skep_class class = skep_type_info(f->type)->class;
    const char *value = numbers[turn / ARRAY_SIZE(forms) % ARRAY_SIZE(numbers)];
    if (class != SKEP_CLASS_INT && class != SKEP_CLASS_UINT)
        return NULL;
    if (f->type == SKEP_TYPE_dev)
        value = "0:1";
    if (names && names->set && turn % 2) {
        snprintf(buf, size, turn % 4 == 1 ? "%s contains %s" : "not %s contains %s", f->name,
                 names->rows[turn % names->n].name);
        return buf;
    }
    snprintf(buf, size, forms[turn % ARRAY_SIZE(forms)], f->name, value);
    return buf;
}

static void test_spots(void **state)
{
    static const uint8_t bytes[] = {0, 1, 0xff, 2, 0x41};
    static struct test_record t;
    unsigned asked = 0;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(*state, k);
        bool kinds[SKEP_KIND_MAX] = {false};
        if (!kind || kind->show == SKEP_SHOW_HIDDEN || kind->ring != SKEP_RING_DATA)
            continue;
        kinds[k] = true;
        for (size_t i = 0; i < kind->n_fields; i++) {
            for (unsigned turn = 0; turn < 20; turn++) {
                _cleanup_diags_ struct skep_diags d = {0};
                _cleanup_where_ struct skep_where *w = NULL;
                char text[200];
                if (!condition_for(&kind->fields[i], turn, text, sizeof(text)))
                    break;
                /* not all words suit all fields */
                if (compile(*state, text, kinds, &d, &w) < 0)
                    continue;
                test_begin(&t, *state, k);
                for (size_t v = 0; v < ARRAY_SIZE(bytes); v++) {
                    memset(t.bytes + kind->fields[i].off, bytes[v], kind->fields[i].size);
                    if (skep_where_match(w, &t.ev) && ask_filter(w, &t) == 0)
                        fail_msg("%s: %s with bytes 0x%x is dropped", kind->name, text, bytes[v]);
                    asked++;
                }
            }
        }
    }
    assert_true(asked > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),      cmocka_unit_test(test_errors), cmocka_unit_test(test_several),
        cmocka_unit_test(test_chosen_kinds), cmocka_unit_test(test_limits), cmocka_unit_test(test_selection),
        cmocka_unit_test(test_filter),       cmocka_unit_test(test_spots),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
