/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

/* init, a shell on a terminal, and a program that the shell started */
static void begin(struct field_test *x)
{
    field_process(x, 1, 0, "systemd", "/usr/lib/systemd/systemd", "/sbin/init\0--switched");
    field_process(x, 17, 1, "bash", "/usr/bin/bash", "-bash");
    field_process(x, 40, 17, "curl", "/usr/bin/curl", "curl\0-o\0\0file name\0http://x");
    field_event(x, 40, "curl");
}

static void test_texts(void **state)
{
    struct field_test *x = *state;
    begin(x);
    field_is_text(x, "proc.name", "curl");
    field_is_text(x, "proc.exe", "curl");
    field_is_text(x, "proc.exepath", "/usr/bin/curl");
    field_is_text(x, "proc.args", "-o  file name http://x");
    field_is_text(x, "proc.args[0]", "-o");
    field_is_text(x, "proc.args[1]", "");
    field_is_text(x, "proc.args[3]", "http://x");
    field_is_missing(x, "proc.args[4]");
    field_is_missing(x, "proc.args[1023]");
    field_is_text(x, "proc.cmdline", "curl -o  file name http://x");
    field_is_text(x, "proc.exeline", "curl -o  file name http://x");
    field_is_number(x, "proc.cmdnargs", 4);
    field_is_number(x, "proc.cmdlenargs", 2 + 0 + 9 + 8);
    field_is_text(x, "proc.cwd", "/home/");
    field_is_text(x, "proc.pname", "bash");
    field_is_text(x, "proc.pexe", "-bash");
    field_is_text(x, "proc.pexepath", "/usr/bin/bash");
    field_is_text(x, "proc.pcmdline", "bash");

    /* a thread with a name of its own */
    field_event_of_thread(x, 40, 41, "worker");
    field_is_text(x, "proc.name", "worker");
    field_is_text(x, "proc.cmdline", "worker -o  file name http://x");
    field_is_text(x, "proc.aname[0]", "curl");
}

static void test_empty_arguments(void **state)
{
    struct field_test *x = *state;
    struct skep_ev_exec *e = field_begin(x, SKEP_KIND_exec, 5, 2, "odd");
    field_image(x, &e->image, "/odd", "odd\0", 5, "", 0); /* odd '' */
    field_apply(x);
    field_event(x, 5, "odd");
    field_is_text(x, "proc.cmdline", "odd ");
    field_is_text(x, "proc.args", "");
    field_is_number(x, "proc.cmdnargs", 1);
    field_process_n(x, 6, 0, "alone", "/alone", "alone", 6, "", 0);
    field_event(x, 6, "alone");
    field_is_text(x, "proc.cmdline", "alone");
    field_is_text(x, "proc.exeline", "alone");
    field_is_text(x, "proc.args", "");
    field_is_number(x, "proc.cmdnargs", 0);
    field_is_number(x, "proc.cmdlenargs", 0);
    /* a title that is shorter than the arguments were */
    field_process_n(x, 8, 0, "sshd", "/sshd", "sshd: listener\0\0\0\0\0", 20, "", 0);
    field_event(x, 8, "sshd");
    field_is_text(x, "proc.exeline", "sshd: listener");
    field_is_number(x, "proc.cmdnargs", 0);
    /* a title without an end */
    field_process_n(x, 7, 0, "title", "/title", "a b", 3, "", 0);
    field_event(x, 7, "title");
    field_is_text(x, "proc.exe", "a b");
    field_is_text(x, "proc.cmdline", "title");
}

static void test_ancestors(void **state)
{
    struct field_test *x = *state;
    begin(x);
    field_is_text(x, "proc.aname[0]", "curl");
    field_is_text(x, "proc.aname[1]", "bash");
    field_is_text(x, "proc.aname[2]", "systemd");
    field_is_missing(x, "proc.aname[3]");
    field_is_list(x, "proc.aname", "bash|systemd");
    field_is_list(x, "proc.aexe", "-bash|/sbin/init");
    field_is_list(x, "proc.aexepath", "/usr/bin/bash|/usr/lib/systemd/systemd");
    field_is_list(x, "proc.aargs", "|--switched");
    field_is_list(x, "proc.acmdline", "bash|systemd --switched");
    field_is_text(x, "proc.acmdline[2]", "systemd --switched");
    field_is_number(x, "proc.apid[1]", 17);
    const struct skep_fact *f = field_get(x, "proc.apid");
    const struct skep_fact_item *items = (const struct skep_fact_item *)(uintptr_t)f->value;
    assert_int_equal(f->n, 2);
    assert_int_equal(items[0].value, 17);
    assert_int_equal(items[1].value, 1);
    field_event(x, 1, "systemd");
    field_is_missing(x, "proc.aname");
    field_is_missing(x, "proc.pname");
    field_is_missing(x, "proc.ppid");
}

static void test_environment(void **state)
{
    struct field_test *x = *state;
    static const char env[] = "LD_PRELOAD= /tmp/x.so \0SECRET=s\0HOME=/h";
    x->t.keep_env = true;
    field_process(x, 17, 0, "bash", "/usr/bin/bash", "-bash");
    field_process_n(x, 40, 17, "curl", "/usr/bin/curl", "curl", 5, env, sizeof(env));
    field_event(x, 40, "curl");
    field_is_text(x, "proc.env", "LD_PRELOAD= /tmp/x.so  SECRET=s HOME=/h");
    field_is_text(x, "proc.env[LD_PRELOAD]", "/tmp/x.so");
    field_is_text(x, "proc.env[SECRET]", "s");
    field_is_text(x, "proc.env[SECRE]", "");
    field_is_text(x, "proc.env[NONE]", "");
    field_is_text(x, "proc.penv[A]", "1");
    field_is_text(x, "proc.aenv[A]", "1");
    field_is_text(x, "proc.aenv[1]", "A=1 HOME=/root");
    field_is_text(x, "proc.aenv[SECRET]", "");
    field_is_list(x, "proc.aenv", "A=1 HOME=/root");
    /* without rules that ask, only variables that say how a program was started are kept */
    x->t.keep_env = false;
    field_process_n(x, 41, 17, "curl", "/usr/bin/curl", "curl", 5, env, sizeof(env));
    field_event(x, 41, "curl");
    field_is_text(x, "proc.env", "LD_PRELOAD= /tmp/x.so  HOME=/h");
}

static void test_numbers(void **state)
{
    struct field_test *x = *state;
    begin(x);
    field_is_number(x, "proc.pid", 40);
    field_is_number(x, "proc.ppid", 17);
    field_is_number(x, "proc.vpid", 40);
    field_is_number(x, "proc.pvpid", 17);
    field_is_number(x, "proc.loginshellid", 17);
    field_is_number(x, "proc.duration", (int64_t)(x->r.h.time - 40 * FIELD_SEC));
    field_is_number(x, "proc.ppid.duration", (int64_t)(x->r.h.time - 17 * FIELD_SEC));
    field_is_number(x, "proc.pid.ts", (int64_t)(BOOT_OFFSET + 40 * FIELD_SEC));
    field_is_number(x, "proc.ppid.ts", (int64_t)(BOOT_OFFSET + 17 * FIELD_SEC));
    field_is_missing(x, "proc.pidns_init_start_ts");
    field_is_number(x, "proc.exe_ino", 40);
    field_is_number(x, "thread.tid", 40);
    field_is_number(x, "thread.vtid", 40);
    field_is_number(x, "thread.ismain", 1);
    field_is_text(x, "thread.nametid", "curl40");
    x->r.h.tid = 44;
    field_is_number(x, "thread.vtid", 44);
    field_is_number(x, "thread.ismain", 0);
}

static void test_terminal(void **state)
{
    struct field_test *x = *state;
    static const struct {
        const char *name;
        uint32_t nr;
        int64_t want;
    } cases[] = {
        {"pts0", 34816, 34816}, {"pts0", 0, 34816}, {"pts3", 0, 34819}, {"pts300", 0, 0x10882c},
        {"tty1", 0, 1025},      {"ttyS0", 0, 1088}, {"", 0, 0},         {"other", 77, 77},
    };
    begin(x);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct skep_task *t = &((struct skep_proc *)x->r.ev.proc)->task;
        memset(t->tty, 0, sizeof(t->tty));
        memcpy(t->tty, cases[i].name, strlen(cases[i].name));
        t->tty_nr = cases[i].nr;
        field_is_number(x, "proc.tty", cases[i].want);
    }
    struct skep_task *t = &((struct skep_proc *)x->r.ev.proc)->task;
    t->tty_nr = 0;
    memcpy(t->tty, "sclp_line0", sizeof("sclp_line0"));
    field_is_missing(x, "proc.tty");
    memcpy(t->tty, "pts9x", sizeof("pts9x"));
    field_is_missing(x, "proc.tty");
}

static void test_sessions(void **state)
{
    struct field_test *x = *state;
    begin(x);
    struct skep_proc *p = (struct skep_proc *)x->r.ev.proc;
    p->task.session = 17;
    p->task.pgid = 39; /* gone, or a sibling */
    field_is_text(x, "proc.sname", "bash");
    field_is_text(x, "proc.sid.exe", "-bash");
    field_is_text(x, "proc.sid.exepath", "/usr/bin/bash");
    field_is_text(x, "proc.pgid.name", "curl");
    field_process(x, 39, 17, "first", "/first", "first"); /* first | curl */
    field_event(x, 40, "curl");
    field_is_text(x, "proc.pgid.name", "first");
    field_is_text(x, "proc.vpgid.exepath", "/first");
    skep_proc_table_find(&x->t, 39, 39 * FIELD_SEC)->task.pgid = 1; /* another by that number */
    field_is_text(x, "proc.pgid.name", "curl");
    field_is_number(x, "proc.is_sid_leader", 0);
    field_is_number(x, "proc.is_pgid_leader", 0);
    field_is_number(x, "proc.sid", 17);
    field_is_number(x, "proc.vpgid", 39);
    field_is_number(x, "proc.pgid", 39);
    /* in a pid namespace of its own: 40 is 2 there and leads its group; the session is not seen */
    p->task.ns_pid = p->task.ns_pgid = 2;
    p->task.pgid = 40;
    field_is_number(x, "proc.vpid", 2);
    field_is_number(x, "proc.sid", 0);
    field_is_number(x, "proc.vpgid", 2);
    field_is_number(x, "proc.is_vpgid_leader", 1);
    x->r.h.tid = 44;
    field_is_missing(x, "thread.vtid");
}

static void test_executable(void **state)
{
    struct field_test *x = *state;
    struct skep_ev_exec *e = field_begin(x, SKEP_KIND_exec, 40, 2, "drop");
    field_image(x, &e->image, "/tmp/drop", "drop", 5, "", 0);
    e->image.traits = SKEP_IMAGE_SEEN | SKEP_IMAGE_WRITABLE;
    e->image.ctime = (uint64_t)BOOT_OFFSET + 39 * FIELD_SEC;
    e->image.mtime = (uint64_t)BOOT_OFFSET;
    e->flags = SKEP_EXEC_UPPER_LAYER | SKEP_EXEC_MEMFD;
    e->inode = 99;
    e->task.pid_ns_start = 30 * FIELD_SEC;
    field_apply(x);
    field_event(x, 40, "drop");
    field_is_number(x, "proc.is_exe_writable", 1);
    field_is_number(x, "proc.is_exe_lower_layer", 0);
    field_is_number(x, "proc.is_exe_upper_layer", 1);
    field_is_number(x, "proc.is_exe_from_memfd", 1);
    field_is_number(x, "proc.exe_ino", 99);
    field_is_number(x, "proc.exe_ino.ctime", (int64_t)(BOOT_OFFSET + 39 * FIELD_SEC));
    field_is_number(x, "proc.exe_ino.mtime", BOOT_OFFSET);
    field_is_number(x, "proc.exe_ino.ctime_duration_proc_start", (int64_t)FIELD_SEC);
    field_is_number(x, "proc.exe_ino.ctime_duration_pidns_start", (int64_t)(9 * FIELD_SEC));
    field_is_number(x, "proc.pidns_init_start_ts", (int64_t)(BOOT_OFFSET + 30 * FIELD_SEC));

    /* the other order of both */
    struct skep_proc_image *i = (struct skep_proc_image *)x->r.ev.image;
    i->ctime = (uint64_t)BOOT_OFFSET + 41 * FIELD_SEC;
    field_is_missing(x, "proc.exe_ino.ctime_duration_proc_start");
    i->ctime = (uint64_t)BOOT_OFFSET + 29 * FIELD_SEC;
    field_is_missing(x, "proc.exe_ino.ctime_duration_pidns_start");
    i->ctime = 0;
    field_is_missing(x, "proc.exe_ino.ctime");
    i->traits = 0; /* an older recording */
    field_is_missing(x, "proc.is_exe_writable");
}

static void test_capabilities(void **state)
{
    struct field_test *x = *state;
    begin(x);
    x->r.h.caps = 1 | 1 << 5 | 1ULL << 21 | 1ULL << 63;
    field_is_text(x, "thread.cap_effective", "CAP_CHOWN CAP_KILL CAP_SYS_ADMIN");
    x->r.h.caps = 0;
    field_is_text(x, "thread.cap_effective", "");
    ((struct skep_proc *)x->r.ev.proc)->task.permitted = 1ULL << 40;
    field_is_text(x, "thread.cap_permitted", "CAP_CHECKPOINT_RESTORE");
    field_is_text(x, "thread.cap_inheritable", "");
}

/* Kernel threads have no image, and that is known. */
static void test_kernel_thread(void **state)
{
    struct field_test *x = *state;
    struct skep_ev_process *e = field_begin(x, SKEP_KIND_process, 2, 0, "kthreadd");
    e->flags = SKEP_EXEC_KTHREAD;
    field_apply(x);
    field_event(x, 2, "kthreadd");
    field_is_text(x, "proc.exe", "");
    field_is_text(x, "proc.exepath", "");
    field_is_text(x, "proc.cmdline", "kthreadd");
    field_is_text(x, "proc.args", "");
    field_is_number(x, "proc.is_exe_writable", 0);
    field_is_missing(x, "proc.exe_ino");
    field_is_missing(x, "proc.cwd");
}

/* Of a process that only this event is known of, the header has to do. */
static void test_unknown(void **state)
{
    static const char *const missing[] = {
        "proc.exe",
        "proc.exepath",
        "proc.args",
        "proc.args[0]",
        "proc.cmdline",
        "proc.exeline",
        "proc.cmdnargs",
        "proc.env",
        "proc.env[HOME]",
        "proc.cwd",
        "proc.pname",
        "proc.aname",
        "proc.aname[1]",
        "proc.ppid",
        "proc.vpid",
        "proc.sid",
        "proc.sname",
        "proc.pgid",
        "proc.vpgid",
        "proc.is_sid_leader",
        "proc.tty",
        "proc.loginshellid",
        "proc.is_exe_writable",
        "proc.is_exe_upper_layer",
        "proc.exe_ino",
        "proc.exe_ino.ctime",
        "proc.aenv[HOME]",
        "thread.vtid",
        "thread.cap_permitted",
        "user.loginuid",
        "user.loginname",
        "proc.pvpid",
        "proc.is_exe_from_memfd",
    };
    struct field_test *x = *state;
    field_event(x, 40, "who");
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        field_is_missing(x, missing[i]);
    field_is_text(x, "proc.name", "who");
    field_is_number(x, "proc.pid", 40);
    field_is_number(x, "user.uid", 1000);

    /* and of nobody nothing is known */
    x->r.ev.proc = NULL;
    x->r.ev.image = NULL;
    x->r.h.flags = SKEP_HDR_NO_TASK;
    x->r.h.pid = x->r.h.tid = 0;
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        field_is_missing(x, missing[i]);
    field_is_missing(x, "proc.name");
    field_is_missing(x, "proc.pid");
    field_is_missing(x, "proc.duration");
    field_is_missing(x, "thread.tid");
    field_is_missing(x, "thread.ismain");
    field_is_missing(x, "thread.cap_effective");
    field_is_missing(x, "user.uid");
    field_is_missing(x, "user.name");
    field_is_missing(x, "group.gid");
}

/* Longer than facts may be: cut, and counted. */
static void test_long_arguments(void **state)
{
    struct field_test *x = *state;
    static char args[20000];
    memset(args, 'a', sizeof(args));
    args[3] = args[sizeof(args) - 1] = '\0';
    field_process_n(x, 40, 0, "long", "/long", args, sizeof(args), "", 0);
    struct skep_proc *p = skep_proc_table_find(&x->t, 40, 40 * FIELD_SEC);
    field_event(x, 40, "long");
    assert_int_equal(field_get(x, "proc.cmdline")->n, 5 + sizeof(args) - 5);
    uint64_t before = x->ctx->cut;
    char *more = calloc(1, 200000);
    memset(more, 'b', 199999);
    more[3] = '\0';
    free(p->image->args.s);
    p->image->args = (struct skep_bytes){more, 200000};
    const struct skep_fact *f = field_get(x, "proc.cmdline");
    assert_int_equal(f->n, SKEP_FACT_TEXT_MAX);
    assert_memory_equal((const char *)(uintptr_t)f->value, "long bbb", 8);
    assert_true(x->ctx->cut > before);
    assert_int_equal(field_get(x, "proc.args[0]")->n, SKEP_FACT_TEXT_MAX);
}

static void test_spots(void **state)
{
    static const char *const names[] = {"proc.name", "proc.pid", "thread.tid", "user.uid", "group.gid"};
    struct field_test *x = *state;
    begin(x);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct skep_rule_field *f = skep_rule_field_find(names[i], strlen(names[i]));
        assert_non_null(skep_rule_field_spot(f, SKEP_KIND_open));
        field_spot_agrees(x, names[i]);
    }
    /* nobody acts */
    field_begin(x, SKEP_KIND_dns, 0, 0, "");
    x->r.h.flags = SKEP_HDR_NO_TASK;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        field_spot_agrees(x, names[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, field_setup, field_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_texts),        TEST(test_empty_arguments), TEST(test_ancestors), TEST(test_environment),
        TEST(test_numbers),      TEST(test_terminal),        TEST(test_sessions),  TEST(test_executable),
        TEST(test_capabilities), TEST(test_kernel_thread),   TEST(test_unknown),   TEST(test_long_arguments),
        TEST(test_spots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
