/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <time.h>

static int setup(void **state)
{
    setenv("TZ", "UTC-2", 1); /* two hours east */
    tzset();
    return field_setup(state);
}

static void test_time(void **s)
{
    struct field_test *x = *s;
    field_call(x, "openat", false, 3);
    /* 1700000000.000000000 + 1.5 s: 2023-11-14 22:13:21.5 UTC */
    field_is_number(x, "evt.rawtime", 1700000001500000000LL);
    field_is_number(x, "evt.rawtime.s", 1700000001);
    field_is_number(x, "evt.rawtime.ns", 500000000);
    field_is_missing(x, "evt.reltime");
    x->r.session.begin = 400000000;
    field_is_number(x, "evt.reltime", 1100000000);
    field_is_number(x, "evt.reltime.s", 1);
    field_is_number(x, "evt.reltime.ns", 100000000);
    x->r.session.begin = 1500000001; /* of another CPU, just before */
    field_is_number(x, "evt.reltime", -1);
    field_is_number(x, "evt.reltime.s", -1);
    field_is_number(x, "evt.reltime.ns", 999999999);
    field_is_text(x, "evt.time", "00:13:21.500000000");
    field_is_text(x, "evt.time.s", "00:13:21");
    field_is_text(x, "evt.datetime", "2023-11-15 00:13:21.500000000");
    field_is_text(x, "evt.datetime.s", "2023-11-15 00:13:21");
    field_is_text(x, "evt.time.iso8601", "2023-11-14T22:13:21.500000000+0000");
}

static void test_what(void **s)
{
    struct field_test *x = *s;
    field_call(x, "openat2", false, 3);
    strcpy(x->r.session.hostname, "web1");
    field_is_number(x, "evt.num", 8); /* its seq is 7; never 0 */
    field_is_text(x, "evt.type", "openat2");
    field_is_text(x, "syscall.type", "openat2");
    field_is_number(x, "evt.type.is[openat2]", 1);
    field_is_number(x, "evt.type.is[open]", 0);
    field_is_number(x, "evt.type.is.openat2", 1);
    field_is_missing(x, "evt.pluginname");
    field_is_missing(x, "evt.plugininfo");
    field_is_text(x, "evt.dir", "<");
    field_is_text(x, "evt.category", "file");
    field_is_number(x, "evt.cpu", 1);
    field_is_number(x, "evt.count", 1);
    field_is_text(x, "evt.hostname", "web1");
    field_is_text(x, "evt.source", "syscall");
    field_is_number(x, "evt.is_async", 0);
    field_is_missing(x, "evt.asynctype");
    field_call(x, "fcntl64", true, 0);
    field_is_text(x, "evt.type", "fcntl");
    field_is_text(x, "syscall.type", "fcntl64");
    test_begin(&x->r, x->schema, SKEP_KIND_exit);
    field_is_text(x, "evt.type", "procexit");
    field_is_missing(x, "syscall.type");
    field_is_text(x, "evt.category", "process");
    test_begin(&x->r, x->schema, SKEP_KIND_container);
    field_is_number(x, "evt.is_async", 1);
    field_is_text(x, "evt.asynctype", "container");
}

static void test_syslog(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_send *e = field_call(x, "sendto", false, 9);
    e->family = AF_UNIX;
    e->path = test_text(&x->r, "/dev/log");
    field_is_number(x, "evt.is_syslog", 1);
    e->path = test_text(&x->r, "/run/systemd/notify");
    field_is_number(x, "evt.is_syslog", 0);
    e = field_call(x, "recvfrom", false, 9);
    e->family = AF_UNIX;
    e->path = test_text(&x->r, "/dev/log");
    field_is_number(x, "evt.is_syslog", 0);
}

static void test_result(void **s)
{
    struct field_test *x = *s;
    field_call(x, "openat", false, 3);
    field_is_number(x, "evt.rawres", 3);
    field_is_text(x, "evt.res", "SUCCESS");
    field_is_number(x, "evt.failed", 0);
    field_is_missing(x, "evt.count.error");
    field_is_number(x, "evt.count.exit", 1);
    field_call(x, "openat", false, -ENOENT);
    field_is_number(x, "evt.count.error", 1);
    field_is_number(x, "evt.count.error.file", 1);
    field_is_missing(x, "evt.count.error.net");
    field_is_missing(x, "evt.count.error.memory");
    field_is_missing(x, "evt.count.error.other");
    field_is_number(x, "evt.rawres", -2);
    field_is_text(x, "evt.res", "ENOENT");
    field_is_number(x, "evt.failed", 1);
    field_call(x, "connect", false, -EINPROGRESS);
    field_is_text(x, "evt.res", "EINPROGRESS");
    field_call(x, "connect", false, -4000);
    field_is_text(x, "evt.res", "errno#4000");
    test_begin(&x->r, x->schema, SKEP_KIND_exec);
    field_is_number(x, "evt.rawres", 0);
    field_is_text(x, "evt.res", "SUCCESS");
    struct skep_ev_fork *fork = test_begin(&x->r, x->schema, SKEP_KIND_fork);
    fork->child.pid = 815;
    field_is_number(x, "evt.rawres", 815);
    test_begin(&x->r, x->schema, SKEP_KIND_tcp);
    field_is_missing(x, "evt.rawres");
    field_is_missing(x, "evt.res");
    field_is_number(x, "evt.failed", 0);
}

static void check_open(struct field_test *x, uint32_t flags, uint32_t mode, bool read, bool write, bool exec)
{
    struct skep_ev_open *e = field_call(x, "openat", false, 3);
    e->flags = flags;
    e->mode = mode;
    field_is_number(x, "evt.is_open_read", read);
    field_is_number(x, "evt.is_open_write", write);
    field_is_number(x, "evt.is_open_exec", exec);
    field_is_number(x, "evt.is_open_create", 0);
    e->created = 1;
    field_is_number(x, "evt.is_open_create", 1);
}

static void test_opens(void **s)
{
    struct field_test *x = *s;
    check_open(x, O_RDONLY | O_CLOEXEC, 0, true, false, false);
    check_open(x, O_WRONLY | O_TRUNC, 0, false, true, false);
    check_open(x, O_WRONLY | O_CREAT, 0666, false, true, false);
    check_open(x, O_WRONLY | O_CREAT, 01, false, true, true);
    check_open(x, O_WRONLY | O_CREAT, 0610, false, true, true);
    check_open(x, O_RDWR | O_CREAT, 0644, true, true, false);
    check_open(x, O_RDWR | O_CREAT, 0755, true, true, true);
    check_open(x, O_WRONLY | 020000000 | O_DIRECTORY, 0100, false, true, true);
    field_call(x, "connect", false, 0);
    field_is_number(x, "evt.is_open_read", 0);
    field_is_number(x, "evt.is_open_write", 0);
    field_is_number(x, "evt.is_open_exec", 0);
    field_is_number(x, "evt.is_open_create", 0);
}

static void test_io(void **s)
{
    struct field_test *x = *s;
    field_call(x, "sendto", false, 3);
    field_is_number(x, "evt.is_io", 1);
    field_is_number(x, "evt.is_io_write", 1);
    field_is_number(x, "evt.is_io_read", 0);
    field_is_text(x, "evt.io_dir", "write");
    field_is_number(x, "evt.is_wait", 0);
    field_call(x, "recvmsg", false, 3);
    field_is_number(x, "evt.is_io_read", 1);
    field_is_text(x, "evt.io_dir", "read");
    field_call(x, "bind", false, 0);
    field_is_number(x, "evt.is_io", 0);
    field_is_missing(x, "evt.io_dir");
    field_is_missing(x, "evt.buffer");
    field_is_missing(x, "evt.buflen");
    struct skep_ev_dns *e = test_begin(&x->r, x->schema, SKEP_KIND_dns);
    e->message = test_bytes(&x->r, "\x12\x34\0\x01", 4);
    const struct skep_fact *f = field_get(x, "evt.buffer");
    assert_int_equal(f->n, 4);
    assert_memory_equal((const void *)(uintptr_t)f->value, "\x12\x34\0\x01", 4);
    field_is_number(x, "evt.buflen", 4);
}

static void test_paths(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_rename *e = field_call(x, "renameat", false, -EACCES);
    e->path = test_text(&x->r, "/etc/a");
    e->raw_path = test_text(&x->r, "a");
    e->raw_target = test_text(&x->r, "/etc/b");
    field_is_text(x, "evt.abspath.src", "/etc/a");
    field_is_text(x, "evt.abspath.dst", "/etc/b"); /* as given, when nothing better is known */
    field_is_missing(x, "evt.abspath");
    struct skep_ev_symlink *link = field_call(x, "symlinkat", false, 0);
    link->path = test_text(&x->r, "/tmp/l");
    link->target = test_text(&x->r, "../x");
    field_is_text(x, "evt.abspath.src", "../x");
    field_is_text(x, "evt.abspath.dst", "/tmp/l");
    test_open(&x->r, x->schema);
    field_is_text(x, "evt.abspath", "/etc/passwd");
    field_is_missing(x, "evt.abspath.src");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_time, setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_what, setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_result, setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_syslog, setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_opens, setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_io, setup, field_teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, field_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
