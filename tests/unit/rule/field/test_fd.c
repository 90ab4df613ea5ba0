/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

/* The address, or addresses joined by |, that a field gives. */
static void is_ip(struct field_test *x, const char *name, const char *want)
{
    const struct skep_fact *f = field_get(x, name);
    char text[256] = "";
    if (f->state != SKEP_FACT_THERE)
        fail_msg("%s is missing", name);
    const struct skep_fact_item one = {.value = f->value, .n = f->n}, *items = &one;
    size_t n = 1;
    if (x->request.flags & SKEP_FIELD_ANY) {
        items = (const void *)(uintptr_t)f->value;
        n = f->n;
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(items[i].n == 4 || items[i].n == 16);
        if (i)
            strcat(text, "|");
        inet_ntop(items[i].n == 4 ? AF_INET : AF_INET6, (const void *)(uintptr_t)items[i].value,
                  text + strlen(text), INET6_ADDRSTRLEN);
    }
    if (!skep_streq(text, want))
        fail_msg("%s: %s instead of %s", name, text, want);
}

static void are_numbers(struct field_test *x, const char *name, int64_t a, int64_t b)
{
    const struct skep_fact *f = field_get(x, name);
    assert_int_equal(f->state, SKEP_FACT_THERE);
    const struct skep_fact_item *items = (const void *)(uintptr_t)f->value;
    assert_int_equal(f->n, 2);
    assert_int_equal(items[0].value, a);
    assert_int_equal(items[1].value, b);
}

static void test_file(void **s)
{
    struct field_test *x = *s;
    test_open(&x->r, x->schema);
    field_is_number(x, "fd.num", 3);
    field_is_text(x, "fd.type", "file");
    field_is_text(x, "fd.typechar", "f");
    field_is_text(x, "fd.name", "/etc/passwd");
    field_is_text(x, "fd.nameraw", "../etc/passwd");
    field_is_text(x, "fd.directory", "/etc");
    field_is_text(x, "fd.filename", "passwd");
    field_is_text(x, "fd.containername", "host:/etc/passwd");
    field_is_text(x, "fd.containerdirectory", "host:/etc");
    field_is_text(x, "fd.uid", "47123");
    field_is_number(x, "fd.ino", 12345);
    field_is_number(x, "fd.dev", 0x801);
    field_is_number(x, "fd.dev.major", 8);
    field_is_number(x, "fd.dev.minor", 1);
    field_is_number(x, "fd.is_server", 0);
    field_is_number(x, "fd.connected", 0);
    static const char *const none[] = {"fd.ip",         "fd.sip",    "fd.port", "fd.lport",   "fd.l4proto",
                                       "fd.sockfamily", "fd.sproto", "fd.net",  "fd.sip.name"};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        field_is_missing(x, none[i]);
}

static void test_failed_open(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_open *e = field_call(x, "openat", false, -ENOENT);
    e->raw_path = test_text(&x->r, "id_rsa");
    field_is_number(x, "fd.num", -1);
    field_is_text(x, "fd.typechar", "f");
    field_is_text(x, "fd.name", "id_rsa");
    e->path = test_text(&x->r, "/root/.ssh/id_rsa");
    field_is_text(x, "fd.name", "/root/.ssh/id_rsa");
    field_is_missing(x, "fd.uid");
}

static void check_parts(struct field_test *x, const char *path, uint32_t flags, const char *directory,
                        const char *filename)
{
    struct skep_ev_open *e = field_call(x, "open", false, 3);
    e->path = test_text(&x->r, path);
    e->flags = flags;
    field_is_text(x, "fd.directory", directory);
    if (filename)
        field_is_text(x, "fd.filename", filename);
    else
        field_is_missing(x, "fd.filename");
}

static void test_parts(void **s)
{
    struct field_test *x = *s;
    check_parts(x, "/a/b/c", 0, "/a/b", "c");
    check_parts(x, "/c", 0, "/", "c");
    check_parts(x, "c", 0, "/", "/");
    check_parts(x, "/", 0, "/", "/");
    check_parts(x, "/a/b", O_DIRECTORY, "/a/b", NULL);
    field_is_text(x, "fd.type", "directory");
    field_is_text(x, "fd.typechar", "d");
    check_parts(x, "", 0, "/", "/");
}

static void test_connect_out(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_connect *e = test_connect(&x->r, x->schema);
    field_is_number(x, "fd.num", 5);
    field_is_text(x, "fd.type", "ipv4");
    field_is_text(x, "fd.typechar", "4");
    field_is_text(x, "fd.name", "10.0.0.7:40000->93.184.216.34:443");
    field_is_text(x, "fd.containername", "host:10.0.0.7:40000->93.184.216.34:443");
    field_is_text(x, "fd.l4proto", "tcp");
    field_is_text(x, "fd.sockfamily", "ip");
    is_ip(x, "fd.cip", "10.0.0.7");
    is_ip(x, "fd.lip", "10.0.0.7");
    is_ip(x, "fd.sip", "93.184.216.34");
    is_ip(x, "fd.rip", "93.184.216.34");
    is_ip(x, "fd.snet", "93.184.216.34");
    is_ip(x, "fd.ip", "10.0.0.7|93.184.216.34");
    is_ip(x, "fd.net", "10.0.0.7|93.184.216.34");
    field_is_number(x, "fd.cport", 40000);
    field_is_number(x, "fd.sport", 443);
    field_is_number(x, "fd.lport", 40000);
    field_is_number(x, "fd.rport", 443);
    are_numbers(x, "fd.port", 40000, 443);
    if (access("/etc/services", R_OK) == 0)
        field_is_text(x, "fd.sproto", "https");
    field_is_text(x, "fd.cproto", "40000");
    field_is_number(x, "fd.is_server", 0);
    field_is_number(x, "fd.connected", 0); /* it was refused */
    field_is_number(x, "fd.name_changed", 1);
    x->r.h.ret = 0;
    field_is_number(x, "fd.connected", 1);
    field_is_missing(x, "fd.directory");
    field_is_missing(x, "fd.nameraw");
    field_is_missing(x, "fd.ino");
    /* no port of its own yet */
    memset(&e->local, 0, sizeof(e->local));
    field_is_text(x, "fd.name", "0.0.0.0:0->93.184.216.34:443");
    field_is_missing(x, "fd.cip");
    is_ip(x, "fd.ip", "93.184.216.34");
    e->remote = test_endpoint("2001:db8::1", 853);
    e->local = test_endpoint("::1", 5);
    e->family = AF_INET6;
    field_is_text(x, "fd.name", "::1:5->2001:db8::1:853");
    field_is_text(x, "fd.typechar", "6");
    field_is_text(x, "fd.type", "ipv6");
    is_ip(x, "fd.sip", "2001:db8::1");
}

static void test_accept_in(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_accept *e = field_call(x, "accept4", false, 7);
    e->fd = 7;
    e->family = AF_INET;
    e->type = SOCK_STREAM;
    e->proto = IPPROTO_TCP;
    e->local = test_endpoint("10.0.0.7", 22);
    e->remote = test_endpoint("10.0.0.9", 50000);
    field_is_text(x, "fd.name", "10.0.0.9:50000->10.0.0.7:22");
    is_ip(x, "fd.cip", "10.0.0.9");
    is_ip(x, "fd.sip", "10.0.0.7");
    is_ip(x, "fd.lip", "10.0.0.7");
    is_ip(x, "fd.rip", "10.0.0.9");
    field_is_number(x, "fd.sport", 22);
    field_is_number(x, "fd.cport", 50000);
    field_is_number(x, "fd.is_server", 1);
    field_is_number(x, "fd.connected", 1);
    field_is_number(x, "fd.name_changed", 0);
}

static void test_listen_unconnected(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_listen *e = field_call(x, "listen", false, 0);
    e->fd = 4;
    e->family = AF_INET;
    e->type = SOCK_STREAM;
    e->proto = 262; /* mptcp */
    e->local = test_endpoint("0.0.0.0", 8080);
    field_is_text(x, "fd.name", "0.0.0.0:8080");
    field_is_text(x, "fd.l4proto", "tcp");
    field_is_text(x, "fd.typechar", "4");
    is_ip(x, "fd.sip", "0.0.0.0");
    field_is_number(x, "fd.sport", 8080);
    field_is_missing(x, "fd.cip");
    field_is_missing(x, "fd.rport");
    field_is_number(x, "fd.is_server", 1);
    field_is_number(x, "fd.connected", 0);
    struct skep_ev_bind *b = field_call(x, "bind", false, 0);
    b->family = AF_UNIX;
    b->type = SOCK_STREAM;
    b->path = test_text(&x->r, "/run/x.sock");
    field_is_text(x, "fd.type", "unix");
    field_is_text(x, "fd.typechar", "u");
    field_is_text(x, "fd.sockfamily", "unix");
    field_is_text(x, "fd.name", "/run/x.sock");
    field_is_missing(x, "fd.l4proto");
    field_is_missing(x, "fd.directory");
}

static void test_datagrams(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_send *e = field_call(x, "sendto", false, 10);
    e->fd = 4;
    e->family = AF_INET;
    e->type = SOCK_DGRAM;
    e->proto = IPPROTO_UDP;
    e->local = test_endpoint("10.0.0.7", 5353);
    e->remote = test_endpoint("10.0.0.9", 53);
    field_is_text(x, "fd.name", "10.0.0.7:5353->10.0.0.9:53");
    field_is_text(x, "fd.l4proto", "udp");
    field_is_number(x, "fd.connected", 0);
    field_is_number(x, "fd.name_changed", 1);
    e->type = SOCK_STREAM;
    field_is_number(x, "fd.connected", 1);
    field_is_number(x, "fd.name_changed", 0);
    struct skep_ev_recv *r = field_call(x, "recvfrom", false, 10);
    r->family = AF_INET;
    r->type = SOCK_DGRAM;
    r->proto = IPPROTO_UDP;
    r->local = test_endpoint("10.0.0.7", 161);
    r->remote = test_endpoint("10.0.0.9", 40000);
    field_is_text(x, "fd.name", "10.0.0.9:40000->10.0.0.7:161");
    is_ip(x, "fd.cip", "10.0.0.9");
    field_is_number(x, "fd.is_server", 1);
    r->type = SOCK_RAW;
    r->proto = IPPROTO_ICMP;
    field_is_text(x, "fd.l4proto", "raw");
    r->type = SOCK_DGRAM;
    field_is_text(x, "fd.l4proto", "icmp");
    r->proto = 132;
    field_is_missing(x, "fd.l4proto");
}

static struct skep_ev_dup *make_dup(struct field_test *x, uint32_t kind, const char *name)
{
    struct skep_ev_dup *e = field_call(x, "dup2", false, 0);
    e->oldfd = 9;
    e->newfd = 0;
    e->fd = (struct skep_fd){.num = 0, .kind = kind, .name = test_text(&x->r, name)};
    return e;
}

static void test_dup(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_dup *e = make_dup(x, SKEP_FD_SOCKET, "socket:[99]");
    e->proto = IPPROTO_TCP;
    e->family = AF_INET;
    e->local = test_endpoint("10.0.0.7", 40000);
    e->remote = test_endpoint("10.0.0.9", 4444);
    field_is_number(x, "fd.num", 0);
    field_is_text(x, "fd.type", "ipv4");
    field_is_text(x, "fd.name", "10.0.0.7:40000->10.0.0.9:4444");
    is_ip(x, "fd.sip", "10.0.0.9");
    field_is_number(x, "fd.is_server", 0);
    field_is_number(x, "fd.connected", 1);
    /* a bind shell */
    e->local = test_endpoint("10.0.0.7", 4444);
    e->remote = test_endpoint("10.0.0.9", 40000);
    field_is_text(x, "fd.name", "10.0.0.9:40000->10.0.0.7:4444");
    field_is_number(x, "fd.is_server", 1);
    /* bound to nothing */
    memset(&e->local, 0, sizeof(e->local));
    memset(&e->remote, 0, sizeof(e->remote));
    field_is_text(x, "fd.type", "ipv4");
    field_is_missing(x, "fd.name");
    e->family = AF_INET6;
    field_is_text(x, "fd.type", "ipv6");
    e->family = AF_UNIX;
    e->proto = 0;
    field_is_text(x, "fd.type", "unix");
    field_is_text(x, "fd.name", "socket:[99]");
    field_is_missing(x, "fd.l4proto");
    e->family = SKEP_NO_VALUE;
    field_is_text(x, "fd.typechar", "o");

    static const struct {
        uint32_t kind;
        const char *name, *type, *letter;
    } files[] = {
        {SKEP_FD_FILE, "/tmp/x", "file", "f"},
        {SKEP_FD_CHAR, "/dev/pts/0", "file", "f"},
        {SKEP_FD_DIR, "/tmp", "directory", "d"},
        {SKEP_FD_PIPE, "pipe:[5]", "pipe", "p"},
        {SKEP_FD_FIFO, "/run/fifo", "pipe", "p"},
        {SKEP_FD_MEMFD, "memfd:x", "memfd", "m"},
        {SKEP_FD_ANON, "anon_inode:[eventfd]", "event", "e"},
        {SKEP_FD_ANON, "anon_inode:[eventpoll]", "eventpoll", "l"},
        {SKEP_FD_ANON, "anon_inode:inotify", "inotify", "i"},
        {SKEP_FD_ANON, "anon_inode:[pidfd]", "pidfd", "P"},
        {SKEP_FD_ANON, "anon_inode:bpf-map", "bpf", "b"},
        {SKEP_FD_ANON, "anon_inode:[io_uring]", "io_uring", "r"},
        {SKEP_FD_ANON, "anon_inode:[unheard-of]", NULL, "o"},
        {SKEP_FD_SOCKET, "socket:[5]", NULL, "o"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        make_dup(x, files[i].kind, files[i].name);
        field_is_text(x, "fd.name", files[i].name);
        field_is_text(x, "fd.typechar", files[i].letter);
        if (files[i].type)
            field_is_text(x, "fd.type", files[i].type);
        else
            field_is_missing(x, "fd.type");
    }
}

static void test_others(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_memfd_create *m = field_call(x, "memfd_create", false, 6);
    m->name = test_text(&x->r, "payload");
    m->inode = 5;
    field_is_text(x, "fd.type", "memfd");
    field_is_text(x, "fd.name", "payload");
    field_is_number(x, "fd.num", 6);
    field_is_number(x, "fd.ino", 5);
    struct skep_ev_pipe *p = field_call(x, "pipe2", false, 0);
    p->readfd = 3;
    p->inode = 77;
    field_is_text(x, "fd.type", "pipe");
    field_is_text(x, "fd.name", "pipe:[77]");
    field_is_number(x, "fd.num", 3);
    struct skep_ev_socket *k = field_call(x, "socket", false, 3);
    k->family = AF_NETLINK;
    field_is_text(x, "fd.type", "netlink");
    k->family = AF_INET;
    k->type = SOCK_STREAM;
    field_is_text(x, "fd.type", "ipv4");
    field_is_text(x, "fd.l4proto", "tcp");
    field_is_missing(x, "fd.name");
    k->family = AF_PACKET;
    field_is_text(x, "fd.typechar", "o");
    struct skep_ev_tcp *t = test_begin(&x->r, x->schema, SKEP_KIND_tcp);
    t->direction = SKEP_DIR_IN;
    t->action = SKEP_TCP_ESTABLISHED;
    t->local = test_endpoint("10.0.0.7", 80);
    t->remote = test_endpoint("10.0.0.9", 999);
    field_is_text(x, "fd.name", "10.0.0.9:999->10.0.0.7:80");
    t->direction = SKEP_DIR_OUT;
    field_is_text(x, "fd.name", "10.0.0.7:80->10.0.0.9:999");
    test_begin(&x->r, x->schema, SKEP_KIND_exec);
    field_is_missing(x, "fd.name");
    field_is_missing(x, "fd.num");
    field_is_missing(x, "fd.typechar");
    field_is_missing(x, "fd.connected");
}

static void test_uring(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_uring *e = test_begin(&x->r, x->schema, SKEP_KIND_uring);
    e->fd.num = -1;
    field_is_missing(x, "fd.typechar");
    e->path = test_text(&x->r, "/etc/shadow");
    e->raw_path = test_text(&x->r, "shadow");
    field_is_text(x, "fd.name", "/etc/shadow");
    field_is_text(x, "fd.nameraw", "shadow");
    field_is_text(x, "fd.typechar", "f");
    field_is_missing(x, "fd.num");
    e = test_begin(&x->r, x->schema, SKEP_KIND_uring);
    e->fd = (struct skep_fd){.num = 8, .kind = SKEP_FD_SOCKET};
    e->remote = test_endpoint("1.2.3.4", 443);
    field_is_number(x, "fd.num", 8);
    field_is_text(x, "fd.type", "ipv4");
    field_is_text(x, "fd.name", "0.0.0.0:0->1.2.3.4:443");
    is_ip(x, "fd.sip", "1.2.3.4");
}

/* The end of an operation says what its beginning did, and what came of it. */
static void test_uring_done(void **s)
{
    struct field_test *x = *s;
    struct skep_ev_uring_done *e = test_begin(&x->r, x->schema, SKEP_KIND_uring_done);
    e->op = 18;
    e->fd.num = -1;
    e->open_flags = O_WRONLY;
    e->path = test_text(&x->r, "/etc/shadow");
    e->raw_path = test_text(&x->r, "shadow");
    field_is_text(x, "fd.name", "/etc/shadow");
    field_is_number(x, "evt.is_open_write", 1);
    field_is_number(x, "evt.is_open_read", 0);
    field_is_missing(x, "evt.rawres");
    e->h.flags |= SKEP_HDR_RET;
    e->h.ret = -13;
    field_is_text(x, "evt.res", "EACCES");
    field_is_text(x, "evt.arg.res", "EACCES");
    e->op = 36; /* unlinkat has no such flags */
    field_is_number(x, "evt.is_open_write", 0);
    e = test_begin(&x->r, x->schema, SKEP_KIND_uring_done);
    e->op = 13;
    e->fd = (struct skep_fd){.num = 8, .kind = SKEP_FD_SOCKET};
    e->local = test_endpoint("10.0.0.1", 22);
    e->remote = test_endpoint("1.2.3.4", 40000);
    field_is_text(x, "fd.name", "1.2.3.4:40000->10.0.0.1:22");
    is_ip(x, "fd.sip", "10.0.0.1");
    e->op = 9; /* a message to whom it may concern */
    e->type = SOCK_DGRAM;
    e->local = test_endpoint("10.0.0.1", 40000);
    e->remote = test_endpoint("1.2.3.4", 53);
    is_ip(x, "fd.sip", "1.2.3.4");
    field_is_number(x, "fd.name_changed", 1);
}

static void test_container(void **s)
{
    struct field_test *x = *s;
    test_open(&x->r, x->schema);
    test_process(&x->r);
    field_is_text(x, "fd.containername", "0123456789ab:/etc/passwd");
    field_is_text(x, "fd.containerdirectory", "0123456789ab:/etc");
}

static void test_host_names(void **s)
{
    struct field_test *x = *s;
    char root[] = "/tmp/skep-fd-XXXXXX", path[64];
    assert_non_null(mkdtemp(root));
    assert_int_equal(skep_rule_hosts_new(root, &x->hosts), 0);
    test_connect(&x->r, x->schema);
    field_is_missing(x, "fd.sip.name");
    x->hosts = skep_rule_hosts_free(x->hosts);
    snprintf(path, sizeof(path), "%s/etc", root);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/etc/hosts", root);
    FILE *f = fopen(path, "we");
    fputs("93.184.216.34 www.example.org example\n10.0.0.7 self\n", f);
    fclose(f);
    assert_int_equal(skep_rule_hosts_new(root, &x->hosts), 0);
    field_is_list(x, "fd.sip.name", "www.example.org|example");
    field_is_list(x, "fd.rip.name", "www.example.org|example");
    field_is_list(x, "fd.cip.name", "self");
    field_is_list(x, "fd.lip.name", "self");
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rmdir(root);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, field_setup, field_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_file),        TEST(test_failed_open), TEST(test_parts),
        TEST(test_connect_out), TEST(test_accept_in),   TEST(test_listen_unconnected),
        TEST(test_datagrams),   TEST(test_dup),         TEST(test_others),
        TEST(test_uring),       TEST(test_uring_done),  TEST(test_container),
        TEST(test_host_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
