/* SPDX-License-Identifier: Apache-2.0 */
#include "event/where.h"

#include "event/operand.h"
#include "record.h"

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

enum sample { OPEN, CONNECT, EXIT };

static void make(struct test_record *t, const struct skep_schema *s, enum sample sample)
{
    if (sample == OPEN) {
        test_open(t, s);
    } else if (sample == CONNECT) {
        test_connect(t, s);
    } else {
        struct skep_ev_exit *e = test_begin(t, s, SKEP_KIND_exit);
        e->signal = 9;
        e->duration = 12000000;
    }
    test_process(t);
}

static const struct {
    enum sample sample;
    const char *text;
    bool expected;
} rows[] = {
    {OPEN, "path startswith /etc", true},
    {OPEN, "path startswith /etc/passwd2", false},
    {OPEN, "path startswith /etc and uid != 0 and comm in (bash, sh)", true},
    {OPEN, "path startswith /etc && uid = 0", false},
    {OPEN, "path = /etc/passwd", true},
    {OPEN, "path == '/etc/passwd'", true},
    {OPEN, "path=\"/etc/\\x70asswd\"", true},
    {OPEN, "path != /etc/passwd", false},
    {OPEN, "path contains pass", true},
    {OPEN, "path endswith wd", true},
    {OPEN, "path glob /etc/*", true},
    {OPEN, "path glob *pass??", true},
    {OPEN, "path glob /[a-e]tc/[!q]asswd", true},
    {OPEN, "path glob *x*", false},
    {OPEN, "not path contains pass", false},
    {OPEN, "not not path contains pass", true},
    {OPEN, "! path contains shadow", true},
    {OPEN, "flags contains O_CREAT", true},
    {OPEN, "flags contains creat|cloexec", true},
    {OPEN, "flags contains O_TRUNC", false},
    {OPEN, "flags contains O_RDWR", true},
    {OPEN, "flags contains O_RDONLY", false},
    {OPEN, "flags = O_RDWR|O_CREAT|O_CLOEXEC", true},
    {OPEN, "flags = O_RDWR", false},
    {OPEN, "flags contains 0x40", true},
    {OPEN, "not flags contains O_CREAT", false},
    {OPEN, "mode = 0644", true},
    {OPEN, "mode=644 and created = true and dirfd = AT_FDCWD and dev = 8:1", true},
    {OPEN, "ret >= 3 and ret < 4 and inode > 12344", true},
    {OPEN, "ret > -1", true},
    {OPEN, "error exists", false},
    {OPEN, "not error exists", true},
    {OPEN, "path exists", true},
    {OPEN, "error = ENOENT", false},
    {OPEN, "not error = ENOENT", false}, /* missing: neither true nor false */
    {OPEN, "error != ENOENT", false},
    {OPEN, "remote.ip exists", false},
    {OPEN, "not remote.port = 443", false}, /* the kind has no such field */
    {OPEN, "kind in (open, exec)", true},
    {OPEN, "ring = cpu1", true},
    {OPEN, "args = -c", true},
    {OPEN, "args = -x", false},
    {OPEN, "args != -c", false},
    {OPEN, "args contains hi", true},
    {OPEN, "args in (a, bash)", true},
    {OPEN, "container = 0123456789abcdef and image startswith nginx", true},
    {OPEN, "parent.comm = sshd and parent.pid = 17", true},
    {OPEN, "time > 2020-01-01T00:00:00Z", true},
    {OPEN, "time < 2023-11-14T22:13:21.5Z", false},
    {OPEN, "time <= 2023-11-14T22:13:21.500000000Z", true},
    {CONNECT, "remote.ip in 93.184.0.0/16", true},
    {CONNECT, "remote.ip in (10.0.0.0/8, 93.184.216.34)", true},
    {CONNECT, "remote.ip in 10.0.0.0/8", false},
    {CONNECT, "not remote.ip in 10.0.0.0/8", true},
    {CONNECT, "remote.ip in 0.0.0.0/0", true},
    {CONNECT, "remote.ip in ::ffff:0:0/96", true},
    {CONNECT, "remote.ip in 2001:db8::/32", false},
    {CONNECT, "remote.ip = 93.184.216.34", true},
    {CONNECT, "remote.ip startswith 93.184", true},
    {CONNECT, "remote.port in (80, 443)", true},
    {CONNECT, "remote.port >= 1024", false},
    {CONNECT, "local.port >= 1024 and proto = tcp and family = inet", true},
    {CONNECT, "proto in (udp, tcp)", true},
    {CONNECT, "proto = 6", true},
    {CONNECT, "proto glob t*", true},
    {CONNECT, "error = ECONNREFUSED", true},
    {CONNECT, "path = /x", false},
    {EXIT, "duration > 10ms", true},
    {EXIT, "duration > 1s", false},
    {EXIT, "duration = 12ms", true},
    {EXIT, "signal = SIGKILL", true},
    {EXIT, "signal = kill", true},
    {EXIT, "signal in (SIGTERM, 9)", true},
    {EXIT, "core = no and code = 0", true},
};

static void test_matches(void **state)
{
    static struct test_record t;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_diags_ struct skep_diags d;
        _cleanup_where_ struct skep_where *w = NULL;
        skep_diags_init(&d, "--where");
        make(&t, *state, rows[i].sample);
        if (skep_where_new(*state, NULL, rows[i].text, &d, &w) < 0)
            fail_msg("%s: %s", rows[i].text, d.list[0].message);
        if (skep_where_match(w, &t.ev) != rows[i].expected)
            fail_msg("%s: expected %d", rows[i].text, rows[i].expected);
    }
}

static const struct {
    const char *text;
    unsigned column;
    const char *code;
    const char *hint; /* part of it */
} errors[] = {
    {"", 1, "syntax", NULL},
    {"path", 5, "syntax", "startswith"},
    {"path ~ x", 6, "syntax", "startswith"},
    {"path =", 7, "syntax", NULL},
    {"path = a b", 10, "syntax", NULL},
    {"path = a and", 13, "syntax", NULL},
    {"path = a or pid = 1", 10, "syntax", "in (a, b)"},
    {"(path = a)", 1, "syntax", NULL},
    {"comm in (a, b", 14, "syntax", NULL},
    {"comm in ()", 10, "syntax", NULL},
    {"comm = 'x", 8, "syntax", NULL},
    {"comm = '\\q'", 9, "syntax", NULL},
    {"comm = '\\x4'", 9, "syntax", NULL},
    {"pat = a", 1, "unknown-field", "`path`"},
    {"uid = 0 and remote.prot = 1", 13, "unknown-field", "remote.port"},
    {"xyzzy.frobnicate = 1", 1, "unknown-field", "skep docs events"},
    {"pid = bash", 7, "bad-value", NULL},
    {"pid = -1", 7, "bad-value", NULL},
    {"pid = 99999999999999999999999", 7, "bad-value", NULL},
    {"duration > 10", 12, "bad-value", NULL},
    {"flags contains O_CRAET", 16, "bad-value", NULL},
    {"remote.ip in 10.0.0.0/33", 14, "bad-value", NULL},
    {"remote.ip = 10.0.0.0/8", 13, "bad-value", NULL},
    {"mode = 0689", 8, "bad-value", NULL},
    {"time > yesterday", 8, "bad-value", NULL},
    {"path < a", 6, "bad-operator", NULL},
    {"pid contains 1", 5, "bad-operator", NULL},
    {"created > true", 9, "bad-operator", NULL},
    {"remote.ip > 10.0.0.1", 11, "bad-operator", NULL},
};

static void test_errors(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        _cleanup_diags_ struct skep_diags d;
        struct skep_where *w = NULL;
        skep_diags_init(&d, "--where");
        if (skep_where_new(*state, NULL, errors[i].text, &d, &w) != -EINVAL || w || d.n == 0)
            fail_msg("%s was taken", errors[i].text);
        if (d.list[0].column != errors[i].column || !skep_streq(d.list[0].code, errors[i].code))
            fail_msg("%s: %s at %u", errors[i].text, d.list[0].code, d.list[0].column);
        if (errors[i].hint && (!d.list[0].hint || !strstr(d.list[0].hint, errors[i].hint)))
            fail_msg("%s: hint %s", errors[i].text, d.list[0].hint);
    }
}

static void test_chosen_kinds(void **state)
{
    bool kinds[SKEP_KIND_MAX] = {[SKEP_KIND_open] = true};
    _cleanup_diags_ struct skep_diags d;
    _cleanup_where_ struct skep_where *w = NULL;
    skep_diags_init(&d, "--where");
    assert_int_equal(skep_where_new(*state, kinds, "remote.ip exists and flags contains CLONE_VM", &d, &w),
                     -EINVAL);
    assert_int_equal(d.n, 2); /* both are reported */
    assert_non_null(strstr(d.list[0].message, "chosen kinds"));
    skep_diags_clear(&d);
    /* without the choice, flags may be those of fork */
    assert_int_equal(skep_where_new(*state, NULL, "flags contains CLONE_VM", &d, &w), 0);
    static struct test_record t;
    make(&t, *state, OPEN);
    assert_false(skep_where_match(w, &t.ev));
}

static void test_limits(void **state)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    for (int i = 0; i < SKEP_WHERE_ATOMS_MAX; i++)
        skep_strbuf_puts(&sb, i ? " and pid = 1" : "pid = 1");
    _cleanup_diags_ struct skep_diags d;
    _cleanup_where_ struct skep_where *w = NULL;
    skep_diags_init(&d, "--where");
    assert_int_equal(skep_where_new(*state, NULL, sb.s, &d, &w), 0);
    w = skep_where_free(w);
    skep_strbuf_puts(&sb, " and pid = 1");
    assert_int_equal(skep_where_new(*state, NULL, sb.s, &d, &w), -EINVAL);
    assert_string_equal(d.list[0].code, "too-long");
    skep_strbuf_reset(&sb);
    skep_strbuf_puts(&sb, "pid in (1");
    for (int i = 0; i < SKEP_WHERE_VALUES_MAX; i++)
        skep_strbuf_puts(&sb, ",1");
    skep_strbuf_puts(&sb, ")");
    assert_int_equal(skep_where_new(*state, NULL, sb.s, &d, &w), -EINVAL);
    while (sb.len <= SKEP_WHERE_MAX)
        skep_strbuf_puts(&sb, "          ");
    assert_int_equal(skep_where_new(*state, NULL, sb.s, &d, &w), -EINVAL);
}

static const struct {
    const char *pattern, *text;
    bool expected;
} globs[] = {
    {"", "", true},
    {"*", "", true},
    {"?", "", false},
    {"a*b*c", "aXXbYYc", true},
    {"a*b*c", "aXXbYY", false},
    {"*.conf", "/etc/x.conf", true},
    {"[", "[", true},
    {"[a", "[a", true},
    {"[]x]", "]", true},
    {"[!a-c]", "b", false},
    {"[a-]", "-", true},
    {"\\*", "*", true},
    {"\\*", "x", false},
    {"a**b", "ab", true},
    {"*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

static void test_glob(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
        if (skep_glob_match(globs[i].pattern, strlen(globs[i].pattern), globs[i].text,
                            strlen(globs[i].text)) != globs[i].expected)
            fail_msg("%s on %s", globs[i].pattern, globs[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches), cmocka_unit_test(test_errors), cmocka_unit_test(test_chosen_kinds),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_glob),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
