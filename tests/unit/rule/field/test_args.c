/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <netinet/in.h>

static void test_open_args(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_open *e = field_call(x, "openat", false, 3);
    e->path = test_text(&x->r, "/etc/passwd");
    e->raw_path = test_text(&x->r, "../etc/passwd");
    e->flags = 0x80042;
    e->mode = 0644;
    e->dirfd = -100;
    e->dev = 0xfd << 20 | 2;
    e->inode = 12345;
    field_is_text(x, "evt.arg.fd", "<f>/etc/passwd");
    field_is_text(x, "evt.arg.dirfd", "AT_FDCWD");
    field_is_text(x, "evt.arg.name", "/etc/passwd");
    field_is_text(x, "evt.arg.flags", "O_RDWR|O_CREAT|O_CLOEXEC");
    field_is_text(x, "evt.arg[flags]", "O_RDWR|O_CREAT|O_CLOEXEC");
    field_is_text(x, "evt.arg[3]", "O_RDWR|O_CREAT|O_CLOEXEC");
    field_is_text(x, "evt.arg.mode", "0644");
    field_is_text(x, "evt.arg.dev", "FD02");
    field_is_number(x, "evt.rawarg.fd", 3);
    field_is_number(x, "evt.rawarg.flags", 0x80042);
    field_is_number(x, "evt.rawarg.dirfd", -100);
    field_is_missing(x, "evt.arg.path");
    field_is_missing(x, "evt.arg[17]");
    field_is_text(x, "evt.args",
                  "fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=../etc/passwd(/etc/passwd) "
                  "flags=524354(O_RDWR|O_CREAT|O_CLOEXEC) mode=0644 dev=FD02 ino=12345");
    field_is_text(x, "evt.info",
                  "fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=../etc/passwd(/etc/passwd) "
                  "flags=524354(O_RDWR|O_CREAT|O_CLOEXEC) mode=0644 dev=FD02 ino=12345");
    x->r.h.ret = -ENOENT;
    field_is_text(x, "evt.arg.fd", "ENOENT");
    field_is_text(x, "evt.arg[0]", "ENOENT");
    field_is_number(x, "evt.rawarg.fd", -2);
}

static void test_paths(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_symlink *l = field_call(x, "symlinkat", false, 0);
    l->target = test_text(&x->r, "/etc/shadow");
    l->path = test_text(&x->r, "/tmp/l");
    l->raw_path = test_text(&x->r, "/tmp/l");
    l->dirfd = 9;
    field_is_text(x, "evt.arg.target", "/etc/shadow");
    field_is_text(x, "evt.arg.linkpath", "/tmp/l");
    field_is_text(x, "evt.args", "res=0 target=/etc/shadow linkdirfd=9 linkpath=/tmp/l");
    struct skep_ev_link *h = field_call(x, "linkat", false, -EPERM);
    h->path = test_text(&x->r, "/etc/shadow");
    h->raw_path = test_text(&x->r, "shadow");
    h->raw_target = test_text(&x->r, "s");
    h->dirfd = h->target_dirfd = -100;
    h->flags = 0x400;
    field_is_text(x, "evt.arg.oldpath", "/etc/shadow");
    field_is_text(x, "evt.arg.newpath", "s"); /* when nothing better is known */
    field_is_text(
        x, "evt.args",
        "res=-1(EPERM) olddir=-100(AT_FDCWD) oldpath=shadow(/etc/shadow) newdir=-100(AT_FDCWD) newpath=s "
        "flags=1024(AT_SYMLINK_FOLLOW)");
    struct skep_ev_chmod *c = field_call(x, "chmod", false, 0);
    c->path = test_text(&x->r, "/tmp/su");
    c->raw_path = test_text(&x->r, "/tmp/su");
    c->mode = 04755;
    field_is_text(x, "evt.arg.filename", "/tmp/su");
    field_is_text(x, "evt.arg.mode", "S_ISUID|S_IRUSR|S_IWUSR|S_IXUSR|S_IRGRP|S_IXGRP|S_IROTH|S_IXOTH");
    c = field_call(x, "fchmod", false, 0);
    c->path = test_text(&x->r, "/tmp/su");
    c->dirfd = 4;
    c->mode = 01;
    field_is_text(x, "evt.args", "res=0 fd=4(<f>/tmp/su) mode=01(S_IXOTH)");
    field_is_text(x, "evt.arg.fd", "<f>/tmp/su");
    field_is_number(x, "evt.rawarg.fd", 4);
    field_is_missing(x, "evt.arg.filename");
    struct skep_ev_rename *r = field_call(x, "rename", false, 0);
    r->path = test_text(&x->r, "/a");
    r->target = test_text(&x->r, "/b");
    field_is_text(x, "evt.arg.oldpath", "/a");
    field_is_text(x, "evt.args", "res=0 oldpath=/a newpath=/b");
    struct skep_ev_mkdir *m = field_call(x, "mkdirat", false, 0);
    m->path = test_text(&x->r, "/bin/x");
    m->raw_path = test_text(&x->r, "x");
    m->mode = 0755;
    m->dirfd = -100;
    field_is_text(x, "evt.arg.path", "/bin/x");
    field_is_text(x, "evt.arg.mode", "0755");
}

static void test_sockets(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_socket *k = field_call(x, "socket", false, 3);
    k->family = 17;
    k->type = 3;
    k->proto = 768;
    field_is_text(x, "evt.arg.domain", "AF_PACKET");
    field_is_text(x, "evt.args", "fd=3(<o>) domain=17(AF_PACKET) type=3 proto=768");
    k->family = SKEP_NO_VALUE;
    field_is_missing(x, "evt.arg.domain");
    test_connect(&x->r, x->schema);
    x->r.h.flags |= SKEP_HDR_SYSCALL;
    x->r.h.nr = 42;
    field_is_text(x, "evt.arg.res", "ECONNREFUSED");
    field_is_text(x, "evt.arg.tuple", "10.0.0.7:40000->93.184.216.34:443");
    field_is_text(x, "evt.arg.addr", "93.184.216.34:443");
    field_is_text(x, "evt.args",
                  "res=-111(ECONNREFUSED) tuple=10.0.0.7:40000->93.184.216.34:443 "
                  "fd=5(<4t>10.0.0.7:40000->93.184.216.34:443) addr=93.184.216.34:443");
    struct skep_ev_bind *b = field_call(x, "bind", false, 0);
    b->fd = 4;
    b->family = AF_UNIX;
    b->path = test_text(&x->r, "@abstract");
    field_is_text(x, "evt.args", "res=0 addr=@abstract fd=4(<u>@abstract)");
    struct skep_ev_dup *d = field_call(x, "dup2", false, 1);
    d->oldfd = 7;
    d->newfd = 1;
    d->fd = (struct skep_fd){.num = 1, .kind = SKEP_FD_FILE, .name = test_text(&x->r, "/tmp/o")};
    field_is_text(x, "evt.args", "res=1(<f>/tmp/o) oldfd=7(<f>/tmp/o) newfd=1(<f>/tmp/o)");
}

static void test_privileges(void **s)
{
    struct field_test *x = *s;
    assert_int_equal(skep_rule_users_new(NULL, &x->users), 0);
    struct skep_ev_ptrace *p = field_call(x, "ptrace", false, 0);
    p->request = 16;
    p->target.pid = 99;
    p->addr = 0xabc;
    field_is_text(x, "evt.arg.request", "PTRACE_ATTACH");
    field_is_text(x, "evt.args", "res=0 addr=ABC data=0 request=16(PTRACE_ATTACH) pid=99");
    field_is_number(x, "evt.rawarg.request", 16);
    p->request = 77;
    field_is_text(x, "evt.arg.request", "77");
    struct skep_ev_setuid *u = field_call(x, "setuid", false, 0);
    u->new_uid = u->new_euid = 3999999999U;
    field_is_text(x, "evt.arg.uid", "root");
    field_is_number(x, "evt.rawarg.uid", 0);
    u->asked_first = 3999999999U;
    field_is_text(x, "evt.arg.uid", "<NA>");
    field_is_text(x, "evt.args",
                  "res=0 uid=3999999999(<NA>) old_uid=0(root) old_euid=0(root) new_uid=3999999999(<NA>) "
                  "new_euid=3999999999(<NA>)");
    u->asked_first = 0;
    x->r.h.ret = -EPERM;
    field_is_text(x, "evt.arg.uid", "root"); /* what was refused */
    u = field_call(x, "setresuid", false, 0);
    u->asked_first = UINT32_MAX;
    u->asked_third = 0;
    field_is_number(x, "evt.rawarg.ruid", -1); /* unchanged */
    field_is_text(x, "evt.arg.suid", "root");
    struct skep_ev_unshare *n = field_call(x, "unshare", false, 0);
    n->flags = 0x10000000 | 0x20000;
    field_is_text(x, "evt.arg.flags", "CLONE_NEWNS|CLONE_NEWUSER");
    struct skep_ev_bpf *b = field_call(x, "bpf", false, 5);
    b->command = 5;
    b->prog_type = 2;
    b->map_type = b->attach_type = SKEP_NO_VALUE;
    field_is_text(x, "evt.arg.cmd", "BPF_PROG_LOAD");
    field_is_text(x, "evt.arg.prog_type", "BPF_PROG_TYPE_KPROBE");
    field_is_missing(x, "evt.arg.map_type");
    field_is_text(x, "evt.args", "fd=5 cmd=5(BPF_PROG_LOAD) prog_type=2(BPF_PROG_TYPE_KPROBE)");
    struct skep_ev_chown *c = field_call(x, "chown", false, 0);
    c->owner = UINT32_MAX;
    c->group = 0;
    field_is_text(x, "evt.arg.uid", "-1");
    field_is_text(x, "evt.arg.gid", "root");
    field_is_number(x, "evt.rawarg.uid", -1);
    struct skep_ev_userfaultfd *f = field_call(x, "userfaultfd", false, -EPERM);
    f->flags = 1;
    field_is_text(x, "evt.args", "res=-1(EPERM) flags=1(UFFD_USER_MODE_ONLY)");
}

static void test_life(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_exec *e = test_begin(&x->r, x->schema, SKEP_KIND_exec);
    test_process(&x->r);
    e->raw_path = test_text(&x->r, "./bash");
    e->flags = SKEP_EXEC_UPPER_LAYER | SKEP_EXEC_SECURE;
    e->image.traits = SKEP_IMAGE_WRITABLE;
    field_is_text(x, "evt.arg.exe", "bash");
    field_is_text(x, "evt.arg.args", "-c echo 'hi'");
    field_is_text(x, "evt.arg.env", "HOME=/root");
    field_is_text(x, "evt.arg.filename", "./bash");
    field_is_text(x, "evt.arg.comm", "bash");
    field_is_text(x, "evt.arg.flags", "EXE_WRITABLE|EXE_UPPER_LAYER");
    field_is_text(x, "evt.arg.res", "0");
    e->flags = e->image.traits = 0;
    field_is_text(x, "evt.arg.flags", "0");
    struct skep_ev_exit *q = test_begin(&x->r, x->schema, SKEP_KIND_exit);
    q->code = 3;
    field_is_text(x, "evt.args", "status=768 ret=3 sig=0 core=0");
    q->code = 0;
    q->signal = 9;
    q->core = 1;
    field_is_text(x, "evt.args", "status=137 ret=0 sig=9(SIGKILL) core=1");
}

/* Every type that people may name has arguments, and all of them can be written for an empty record. */
static void test_all(void **s)
{
    struct field_test *x = *s;
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    for (size_t i = 1; i < n; i++) {
        if (!types[i].syscall || types[i].kind == SKEP_KIND_exec || types[i].kind == SKEP_KIND_fork)
            continue;
        bool compat = skep_streq(types[i].name, "umount");
        field_call(x, types[i].name, compat, 0);
        const struct skep_fact *f = field_get(x, "evt.args");
        assert_int_equal(f->state, SKEP_FACT_THERE);
        if (f->n == 0)
            fail_msg("%s has no arguments", types[i].name);
        assert_int_equal(field_get(x, "evt.arg[0]")->state, SKEP_FACT_THERE);
        field_is_missing(x, "evt.arg[31]");
    }
}

/* Arguments that skep does not have keep their places. */
static void test_places(void **s)
{
    static const struct {
        const char *call;
        size_t place;
        const char *name, *value;
    } rows[] = {
        {"openat2", 4, "mode", "0600"},      {"openat2", 7, "ino", "77"},
        {"sendto", 3, "size", "10"},         {"recvfrom", 4, "size", "10"},
        {"recvmsg", 1, "size", "10"},        {"sendmmsg", 2, "size", "10"},
        {"recvmmsg", 2, "size", "10"},       {"init_module", 2, "length", "512"},
        {"finit_module", 2, "uargs", "a=1"},
    };
    struct field_test *x = *s;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char place[32], name[64];
        void *e = field_call(x, rows[i].call, false, 0);
        if (x->r.h.kind == SKEP_KIND_open) {
            ((struct skep_ev_open *)e)->mode = 0600;
            ((struct skep_ev_open *)e)->inode = 77;
        } else if (x->r.h.kind == SKEP_KIND_send || x->r.h.kind == SKEP_KIND_recv) {
            ((struct skep_ev_send *)e)->fd = 6;
            ((struct skep_ev_send *)e)->size = 10;
        } else {
            ((struct skep_ev_module *)e)->size = 512;
            ((struct skep_ev_module *)e)->params = test_text(&x->r, "a=1");
        }
        snprintf(place, sizeof(place), "evt.arg[%zu]", rows[i].place);
        snprintf(name, sizeof(name), "evt.arg.%s", rows[i].name);
        field_is_text(x, place, rows[i].value);
        field_is_text(x, name, rows[i].value);
    }
    field_call(x, "sendto", false, 0);
    field_is_missing(x, "evt.arg[1]");
}

static void test_failed_exec(void **s)
{
    static const char given[] = "nc\0-l\0"
                                "80";
    struct field_test *x = *s;
    struct skep_ev_exec_failed *e = field_call(x, "execveat", false, -ENOENT);
    assert_int_equal(x->r.h.kind, SKEP_KIND_exec_failed);
    e->path = test_text(&x->r, "/opt/nc");
    e->raw_path = test_text(&x->r, "nc");
    e->args = test_bytes(&x->r, given, sizeof(given));
    field_is_text(x, "evt.type", "execveat");
    field_is_number(x, "evt.type.is[execveat]", 1);
    field_is_number(x, "evt.type.is[execve]", 0);
    field_is_number(x, "evt.rawres", -ENOENT);
    field_is_text(x, "evt.res", "ENOENT");
    field_is_number(x, "evt.failed", 1);
    field_is_text(x, "evt.category", "process");
    field_is_text(x, "evt.arg.res", "ENOENT");
    field_is_text(x, "evt.arg.exe", "nc");
    field_is_text(x, "evt.arg.args", "-l 80");
    field_is_text(x, "evt.arg.filename", "nc");
    field_is_text(x, "evt.arg[30]", "nc");
    field_is_missing(x, "evt.arg.flags");
    e->args = (struct skep_slice){0};
    field_is_missing(x, "evt.arg.exe");
    field_is_missing(x, "evt.arg.args");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, field_setup, field_teardown)
    const struct CMUnitTest tests[] = {TEST(test_open_args),  TEST(test_paths),      TEST(test_sockets),
                                       TEST(test_privileges), TEST(test_life),       TEST(test_all),
                                       TEST(test_places),     TEST(test_failed_exec)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
