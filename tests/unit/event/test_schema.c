/* SPDX-License-Identifier: Apache-2.0 */
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

/* Both compilers lay out every record the same way. */
static const struct {
    unsigned number;
    const char *name;
    size_t size;
} sizes[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) {number, #name, sizeof(struct skep_ev_##name)},
#include "abi/events.def"
#undef SKEP_EVENT
};

static void test_layout_sizes(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const struct skep_kind *kind = skep_schema_kind(*state, sizes[i].number);
        assert_non_null(kind);
        assert_string_equal(kind->name, sizes[i].name);
        assert_int_equal(kind->size, sizes[i].size);
    }
}

static const struct {
    unsigned kind;
    const char *field;
    size_t off;
    enum skep_type type;
} places[] = {
    {SKEP_KIND_open, "path", offsetof(struct skep_ev_open, path), SKEP_TYPE_text},
    {SKEP_KIND_open, "flags", offsetof(struct skep_ev_open, flags), SKEP_TYPE_open_flags},
    {SKEP_KIND_open, "created", offsetof(struct skep_ev_open, created), SKEP_TYPE_bool},
    {SKEP_KIND_fork, "child.pid", offsetof(struct skep_ev_fork, child.pid), SKEP_TYPE_pid},
    {SKEP_KIND_exec, "stdin.kind", offsetof(struct skep_ev_exec, stdin.kind), SKEP_TYPE_fdkind},
    {SKEP_KIND_exec, "stdout.name", offsetof(struct skep_ev_exec, stdout.name), SKEP_TYPE_text},
    {SKEP_KIND_connect, "remote.ip", offsetof(struct skep_ev_connect, remote), SKEP_TYPE_ip},
    {SKEP_KIND_connect, "remote.port", offsetof(struct skep_ev_connect, remote), SKEP_TYPE_port},
    {SKEP_KIND_tcp, "retransmits", offsetof(struct skep_ev_tcp, retransmits), SKEP_TYPE_count},
    {SKEP_KIND_dns, "answers", offsetof(struct skep_ev_dns, message), SKEP_TYPE_textlist},
    {SKEP_KIND_ptrace, "target.comm", offsetof(struct skep_ev_ptrace, target.comm), SKEP_TYPE_text},
    {SKEP_KIND_setns, "new_ns.net", offsetof(struct skep_ev_setns, new_ns.net), SKEP_TYPE_nsid},
    {SKEP_KIND_perf_event_open, "target_pid", offsetof(struct skep_ev_perf_event_open, target_pid),
     SKEP_TYPE_integer},
    {SKEP_KIND_container, "namespace", offsetof(struct skep_ev_container, namespace_), SKEP_TYPE_text},
};

static void test_layout_offsets(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const struct skep_kind *kind = skep_schema_kind(*state, places[i].kind);
        const struct skep_field *f = skep_field_find(*state, kind, places[i].field, strlen(places[i].field));
        if (!f)
            fail_msg("%s has no %s", kind->name, places[i].field);
        assert_int_equal(f->off, places[i].off);
        assert_int_equal(f->type, places[i].type);
        assert_true(strlen(f->doc) > 0 || kind->show == SKEP_SHOW_HIDDEN);
    }
}

/* Every field of every kind that is shown carries a documentation; every slice is found, also hidden ones. */
static void test_every_kind(void **state)
{
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(*state, k);
        if (!kind)
            continue;
        for (size_t i = 0; i < kind->n_fields; i++) {
            const struct skep_field *f = &kind->fields[i];
            if (kind->show != SKEP_SHOW_HIDDEN && !*f->doc)
                fail_msg("%s.%s has no documentation", kind->name, f->name);
            assert_null(strstr(f->name, "pad"));
            assert_true(f->off + f->size <= kind->size);
        }
    }
    assert_int_equal(skep_schema_kind(*state, SKEP_KIND_exec)->n_slices, 4 + 2 + 2 + 1);
    assert_int_equal(skep_schema_kind(*state, SKEP_KIND_process)->n_slices, 4);
    assert_int_equal(skep_schema_kind(*state, SKEP_KIND_exec_data)->n_slices, 1);
    assert_int_equal(skep_schema_kind(*state, SKEP_KIND_socket)->n_slices, 0);
}

static const struct {
    const char *list;
    int r;
    const char *word;
    size_t n; /* kinds chosen */
} lists[] = {
    {"exec", 0, NULL, 1},
    {"exec,open", 0, NULL, 2},
    {"openat,open", 0, NULL, 1},
    {"execve,clone", 0, NULL, 3}, /* exec, exec_failed and fork */
    {"kernel", 0, NULL, 8},
    {"opne", -ENOENT, "opne", 0},
    {"exec,", -ENOENT, "", 0},
    {"", -ENOENT, "", 0},
    {"exec,nonsense,open", -ENOENT, "nonsense", 0},
    {"process", -ENOENT, "process", 0}, /* never shown */
};

static void test_kinds_parse(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        bool set[SKEP_KIND_MAX] = {false};
        const char *word = NULL;
        size_t len = 0, n = 0;
        assert_int_equal(skep_schema_kinds_parse(*state, lists[i].list, set, &word, &len), lists[i].r);
        for (size_t k = 0; k < SKEP_KIND_MAX; k++)
            n += set[k];
        assert_int_equal(n, lists[i].n);
        if (lists[i].word) {
            assert_int_equal(len, strlen(lists[i].word));
            assert_memory_equal(word, lists[i].word, len);
        }
    }
    bool all[SKEP_KIND_MAX] = {false};
    const char *word;
    size_t len;
    assert_int_equal(skep_schema_kinds_parse(*state, "all", all, &word, &len), 0);
    assert_true(all[SKEP_KIND_exec] && all[SKEP_KIND_uring]);
    assert_false(all[SKEP_KIND_cgroup] || all[SKEP_KIND_exec_data]);
    assert_string_equal(skep_schema_nearest_kind(*state, "conect", 6), "connect");
    assert_null(skep_schema_nearest_kind(*state, "xyzzyx", 6));
}

static void test_field_find(void **state)
{
    const struct skep_kind *open_kind = skep_schema_kind(*state, SKEP_KIND_open);
    static const struct {
        const char *name, *found;
    } names[] = {
        {"pid", "proc.pid"},
        {"proc.pid", "proc.pid"},
        {"parent.comm", "proc.parent.comm"},
        {"image", "container.image"},
        {"container", "container.id"},
        {"path", "path"},
        {"ns.net", "proc.ns.net"},
        {"remote.ip", NULL},
        {"pi", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct skep_field *f = skep_field_find(*state, open_kind, names[i].name, strlen(names[i].name));
        if (names[i].found)
            assert_string_equal(f->name, names[i].found);
        else
            assert_null(f);
    }
    assert_string_equal(skep_field_find(*state, NULL, "remote.ip", 9)->name, "remote.ip");
    assert_string_equal(skep_field_nearest(*state, NULL, "remote.prot", 11), "remote.port");
    struct skep_item item;
    assert_true(skep_item_find(*state, skep_schema_kind(*state, SKEP_KIND_tcp), "remote", 6, &item));
    assert_non_null(item.port);
    assert_false(skep_item_find(*state, open_kind, "remote", 6, &item));
}

static void put(struct skep_strbuf *sb, const struct skep_schema *s, struct test_record *t, const char *name)
{
    struct skep_item item;
    skep_strbuf_reset(sb);
    assert_true(skep_item_find(s, t->ev.kind, name, strlen(name), &item));
    if (!skep_item_put(sb, &item, &t->ev))
        skep_strbuf_puts(sb, "MISSING");
}

static void check(const struct skep_schema *s, struct test_record *t, const char *name, const char *expected)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    put(&sb, s, t, name);
    if (!skep_streq(sb.s, expected))
        fail_msg("%s: expected %s, got %s", name, expected, sb.s);
}

static void test_values(void **state)
{
    static struct test_record t;
    test_open(&t, *state);
    assert_int_equal(skep_record_check(t.ev.kind, &t.h, t.h.len), 0);
    check(*state, &t, "path", "/etc/passwd");
    check(*state, &t, "flags", "O_RDWR|O_CREAT|O_CLOEXEC");
    check(*state, &t, "mode", "0644");
    check(*state, &t, "dev", "8:1");
    check(*state, &t, "dirfd", "AT_FDCWD");
    check(*state, &t, "created", "true");
    check(*state, &t, "ret", "3");
    check(*state, &t, "error", "MISSING");
    check(*state, &t, "ring", "cpu1");
    check(*state, &t, "syscall", "MISSING");
    check(*state, &t, "truncated", "MISSING");
    check(*state, &t, "exe", "MISSING");
    check(*state, &t, "cwd", "MISSING");
    check(*state, &t, "proc.ns_pid", "MISSING");
    check(*state, &t, "container.name", "MISSING");
    t.h.flags |= SKEP_HDR_SYSCALL | SKEP_HDR_TRUNCATED;
    t.h.nr = 257;
    check(*state, &t, "truncated", "true");
#ifdef __x86_64__
    check(*state, &t, "syscall", "openat");
    t.h.flags |= SKEP_HDR_COMPAT;
    t.h.nr = 5;
    check(*state, &t, "syscall", "open");
#endif
    t.h.nr = 100000;
    check(*state, &t, "syscall", "syscall#100000");
    test_ret(&t, -2);
    check(*state, &t, "error", "ENOENT");
    test_ret(&t, -4000);
    check(*state, &t, "error", "errno#4000");
    test_ret(&t, INT64_MIN);
    check(*state, &t, "ret", "-9223372036854775808");
    t.h.flags |= SKEP_HDR_NO_TASK;
    check(*state, &t, "pid", "MISSING");
    check(*state, &t, "comm", "MISSING");

    test_open(&t, *state);
    test_process(&t);
    check(*state, &t, "proc.args", "bash -c 'echo '\\''hi'\\'''");
    check(*state, &t, "loginuid", "MISSING");
    check(*state, &t, "ns_pid", "3");
    check(*state, &t, "ns.net", "4026532000");
    check(*state, &t, "ns.mnt", "MISSING");
    check(*state, &t, "parent.pid", "17");
    check(*state, &t, "parent.exe", "/usr/sbin/sshd");
    check(*state, &t, "tty", "pts0");
    check(*state, &t, "unit", "docker-0123456789abcdef.scope");
    check(*state, &t, "container", "0123456789abcdef");
    check(*state, &t, "runtime", "docker");
    t.proc.partial = true;
    check(*state, &t, "tty", "MISSING");
}

static void test_sockets(void **state)
{
    static struct test_record t;
    struct skep_ev_connect *e = test_connect(&t, *state);
    check(*state, &t, "proto", "tcp");
    check(*state, &t, "family", "inet");
    check(*state, &t, "type", "stream");
    check(*state, &t, "remote.ip", "93.184.216.34");
    check(*state, &t, "remote", "93.184.216.34:443");
    check(*state, &t, "error", "ECONNREFUSED");
    check(*state, &t, "path", "MISSING");
    e->remote = test_endpoint("2001:db8::1", 53);
    check(*state, &t, "remote.ip", "2001:db8::1");
    check(*state, &t, "remote", "[2001:db8::1]:53");
    e->remote.family = 0;
    check(*state, &t, "remote.ip", "MISSING");
    check(*state, &t, "remote.port", "MISSING");
    check(*state, &t, "remote", "MISSING");
    e->family = AF_UNIX;
    e->proto = 0;
    check(*state, &t, "proto", "unix");
    e->family = AF_INET;
    check(*state, &t, "proto", "MISSING");
}

static void test_dns(void **state)
{
    /* question: example.org, A; answer: 93.184.216.34 */
    static const char message[] = "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
                                  "\x07"
                                  "example\x03org\x00\x00\x01\x00\x01"
                                  "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x5d\xb8\xd8\x22";
    static struct test_record t;
    struct skep_ev_dns *e = test_begin(&t, *state, SKEP_KIND_dns);
    e->direction = SKEP_DIR_IN;
    e->message = test_bytes(&t, message, sizeof(message) - 1);
    check(*state, &t, "question", "example.org");
    check(*state, &t, "qtype", "A");
    check(*state, &t, "id", "4660");
    check(*state, &t, "rcode", "NOERROR");
    check(*state, &t, "answers", "93.184.216.34");
    check(*state, &t, "direction", "in");
    t.h.seq++; /* another record in the same place */
    e->message.len = 5;
    check(*state, &t, "question", "MISSING");
    t.ev.scratch = NULL;
    check(*state, &t, "answers", "MISSING");
}

static void test_record_check(void **state)
{
    static struct test_record t;
    struct skep_ev_open *e = test_open(&t, *state);
    const struct skep_kind *kind = t.ev.kind;
    uint32_t len = t.h.len;
    assert_int_equal(skep_record_check(kind, &t.h, len), 0);
    assert_int_equal(skep_record_check(NULL, &t.h, len), -EBADMSG);
    assert_int_equal(skep_record_check(skep_schema_kind(*state, SKEP_KIND_exec), &t.h, len), -EBADMSG);
    assert_int_equal(skep_record_check(kind, &t.h, len - 1), -EBADMSG);
    assert_int_equal(skep_record_check(kind, &t.h, 0), -EBADMSG);
    static const struct skep_slice bad[] = {
        {8, 4},          /* inside the fixed part */
        {UINT32_MAX, 2}, /* the sum overflows */
        {UINT32_MAX - 1, UINT32_MAX},
        {300, UINT32_MAX - 299},
        {0, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        e->raw_path = bad[i];
        assert_int_equal(skep_record_check(kind, &t.h, len), -EBADMSG);
    }
    e->raw_path = (struct skep_slice){len, 0};
    assert_int_equal(skep_record_check(kind, &t.h, len), 0);
    e->raw_path = (struct skep_slice){len, 1};
    assert_int_equal(skep_record_check(kind, &t.h, sizeof(t.bytes)), -EBADMSG);
    e->raw_path = (struct skep_slice){0, 0};
    for (uint32_t l = 0; l < kind->size; l += 8) {
        t.h.len = l;
        assert_int_equal(skep_record_check(kind, &t.h, len), -EBADMSG);
    }
    t.h.len = len + 4; /* no multiple of 8 */
    assert_int_equal(skep_record_check(kind, &t.h, sizeof(t.bytes)), -EBADMSG);
}

/* BTF of recordings is not to be trusted: cut off or changed, it gives an error or a schema that holds. */
static void test_hostile_btf(void **state)
{
    size_t n;
    _cleanup_free_ char *btf = test_btf(&n);
    (void)state;
    for (size_t cut = 0; cut < n; cut += n / 97 + 1) {
        struct skep_schema *s = NULL;
        _cleanup_free_ char *copy = malloc(cut + 1);
        memcpy(copy, btf, cut);
        assert_true(skep_schema_new(copy, cut, &s) < 0);
        assert_null(s);
    }
    uint64_t x = 88172645463325252ULL;
    for (unsigned round = 0; round < 200; round++) {
        _cleanup_schema_ struct skep_schema *s = NULL;
        _cleanup_free_ char *copy = malloc(n);
        memcpy(copy, btf, n);
        for (unsigned i = 0; i < 20; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            copy[24 + x % (n - 24)] ^= (char)(1 << (x >> 60 & 7));
        }
        if (skep_schema_new(copy, n, &s) < 0)
            continue;
        for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
            const struct skep_kind *kind = skep_schema_kind(s, k);
            for (size_t i = 0; kind && i < kind->n_fields; i++)
                assert_true(kind->fields[i].off + kind->fields[i].size <= kind->size);
            for (size_t i = 0; kind && i < kind->n_slices; i++)
                assert_true(kind->slices[i] + 8 <= kind->size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_sizes), cmocka_unit_test(test_layout_offsets),
        cmocka_unit_test(test_every_kind),   cmocka_unit_test(test_kinds_parse),
        cmocka_unit_test(test_field_find),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_sockets),      cmocka_unit_test(test_dns),
        cmocka_unit_test(test_record_check), cmocka_unit_test(test_hostile_btf),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
