/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_RECORD_H
#define SKEP_TEST_RECORD_H
/*
 * For tests of everything behind the sensors: the schema of the compiled BPF object, and records put together by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/container.h"
#include "event/event.h"
#include "event/schema.h"
#include "event/scratch.h"

#include <arpa/inet.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define BOOT_OFFSET 1700000000000000000LL

struct test_record {
    union {
        struct skep_hdr h;
        char bytes[SKEP_RECORD_MAX];
    };
    struct skep_event ev;
    struct skep_session session;
    struct skep_scratch scratch;
    struct skep_proc proc, parent;
    struct skep_proc_image image, parent_image;
    struct skep_container container;
};

static inline int test_silence(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    (void)level;
    (void)fmt;
    (void)ap;
    return 0;
}

/* The bytes of the .BTF section of the object that skep loads. */
static inline void *test_btf(size_t *ret_n)
{
    const char *path = getenv("SKEP_BPF_OBJECT");
    assert_non_null(path);
    libbpf_set_print(test_silence);
    struct btf *btf = btf__parse_elf(path, NULL);
    assert_non_null(btf);
    uint32_t n;
    const void *raw = btf__raw_data(btf, &n);
    void *copy = malloc(n);
    assert_non_null(copy);
    memcpy(copy, raw, n);
    btf__free(btf);
    *ret_n = n;
    return copy;
}

static inline struct skep_schema *test_schema(void)
{
    size_t n;
    _cleanup_free_ void *btf = test_btf(&n);
    struct skep_schema *s = NULL;
    assert_int_equal(skep_schema_new(btf, n, &s), 0);
    return s;
}

/* An empty record of a kind with a plausible header, and an event of a process that nothing is known of. */
static inline void *test_begin(struct test_record *t, const struct skep_schema *s, unsigned kind)
{
    memset(t, 0, sizeof(*t));
    t->ev.kind = skep_schema_kind(s, kind);
    assert_non_null(t->ev.kind);
    t->h = (struct skep_hdr){
        .len = t->ev.kind->size,
        .kind = (uint16_t)kind,
        .seq = 7,
        .time = 1500000000ULL,
        .start = 500000000ULL,
        .pid = 4711,
        .tid = 4712,
        .ring = 2,
        .cpu = 1,
        .uid = 1000,
        .gid = 100,
        .euid = 1000,
        .egid = 100,
        .comm = "bash",
    };
    t->session.boot_offset = BOOT_OFFSET;
    t->ev.h = &t->h;
    t->ev.session = &t->session;
    t->ev.scratch = &t->scratch;
    return t->bytes;
}

static inline struct skep_slice test_bytes(struct test_record *t, const void *s, size_t n)
{
    struct skep_slice slice = {.off = t->h.len, .len = (uint32_t)n};
    assert_true(t->h.len + n + 8 <= sizeof(t->bytes));
    memcpy(t->bytes + t->h.len, s, n);
    t->h.len += ROUND_UP((uint32_t)n, 8);
    return slice;
}

static inline struct skep_slice test_text(struct test_record *t, const char *s)
{
    return test_bytes(t, s, strlen(s));
}

static inline struct skep_endpoint test_endpoint(const char *ip, unsigned port)
{
    struct skep_endpoint e = {.port = (uint16_t)port, .family = strchr(ip, ':') ? AF_INET6 : AF_INET};
    assert_int_equal(inet_pton(e.family, ip, e.ip), 1);
    return e;
}

static inline void test_ret(struct test_record *t, int64_t ret)
{
    t->h.flags |= SKEP_HDR_RET;
    t->h.ret = ret;
}

#define TEST_BYTES(literal) ((struct skep_bytes){.s = (char *)(literal), .len = sizeof(literal) - 1})

/* A process that the table knows well, in a container of its own. */
static inline void test_process(struct test_record *t)
{
    t->parent_image = (struct skep_proc_image){.exe = TEST_BYTES("/usr/sbin/sshd")};
    t->parent = (struct skep_proc){.pid = 17, .start = 100, .image = &t->parent_image, .comm = "sshd"};
    t->image = (struct skep_proc_image){.exe = TEST_BYTES("/bin/bash"),
                                        .args = TEST_BYTES("bash\0-c\0echo 'hi'\0"),
                                        .env = TEST_BYTES("HOME=/root\0")};
    t->proc =
        (struct skep_proc){.pid = 4711, .image = &t->image, .parent = &t->parent, .cwd = TEST_BYTES("/root")};
    t->proc.task = (struct skep_task){.ns_pid = 3, .loginuid = UINT32_MAX, .session = 17, .tty = "pts0"};
    t->proc.task.ns.net = 4026532000U;
    t->proc.task.ns.mnt = t->session.host_ns.mnt = 4026531841U;
    t->container = (struct skep_container){.id = "0123456789abcdef",
                                           .runtime = SKEP_RUNTIME_DOCKER,
                                           .name = (char *)"web",
                                           .image = (char *)"nginx:1"};
    t->ev.proc = &t->proc;
    t->ev.image = &t->image;
    t->ev.cgroup = "/system.slice/docker-0123456789abcdef.scope";
    t->ev.unit = "docker-0123456789abcdef.scope";
    t->ev.container = &t->container;
}

static inline const struct skep_field *test_field(const struct skep_schema *s, const struct test_record *t,
                                                  const char *name)
{
    const struct skep_field *f = skep_field_find(s, t->ev.kind, name, strlen(name));
    if (!f)
        fail_msg("no field %s", name);
    return f;
}

/* open("/etc/passwd", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3 */
static inline struct skep_ev_open *test_open(struct test_record *t, const struct skep_schema *s)
{
    struct skep_ev_open *e = test_begin(t, s, SKEP_KIND_open);
    e->path = test_text(t, "/etc/passwd");
    e->raw_path = test_text(t, "../etc/passwd");
    e->inode = 12345;
    e->dev = 8 << 20 | 1;
    e->flags = 0x80042;
    e->mode = 0644;
    e->path_source = SKEP_PATH_OBJECT;
    e->dirfd = -100;
    e->created = 1;
    test_ret(t, 3);
    return e;
}

static inline struct skep_ev_connect *test_connect(struct test_record *t, const struct skep_schema *s)
{
    struct skep_ev_connect *e = test_begin(t, s, SKEP_KIND_connect);
    e->fd = 5;
    e->family = AF_INET;
    e->type = 1;
    e->proto = 6;
    e->local = test_endpoint("10.0.0.7", 40000);
    e->remote = test_endpoint("93.184.216.34", 443);
    test_ret(t, -ECONNREFUSED);
    return e;
}
#endif
