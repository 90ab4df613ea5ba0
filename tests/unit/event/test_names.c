/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/syscalls.h"
#include "event/value.h"

#include <sys/syscall.h>

static const struct {
    enum skep_type type;
    uint64_t value;
    const char *text;
} rows[] = {
    {SKEP_TYPE_open_flags, 0, "O_RDONLY"},
    {SKEP_TYPE_open_flags, 0x80000, "O_RDONLY|O_CLOEXEC"},
    {SKEP_TYPE_open_flags, 0x241, "O_WRONLY|O_CREAT|O_TRUNC"},
    {SKEP_TYPE_open_flags, 0x42, "O_RDWR|O_CREAT"},
    {SKEP_TYPE_open_flags, 3, "O_ACCMODE"},
    {SKEP_TYPE_open_flags, 0x101001, "O_WRONLY|O_SYNC"},
    {SKEP_TYPE_open_flags, 0x1001, "O_WRONLY|O_DSYNC"},
    {SKEP_TYPE_open_flags, 0x410002, "O_RDWR|O_TMPFILE"},
    {SKEP_TYPE_open_flags, 0x10000, "O_RDONLY|O_DIRECTORY"},
    {SKEP_TYPE_open_flags, 0x90800000, "O_RDONLY|0x90800000"},
    {SKEP_TYPE_clone_flags, 17, "SIGCHLD"},
    {SKEP_TYPE_clone_flags, 0x4111, "SIGCHLD|CLONE_VM|CLONE_VFORK"},
    {SKEP_TYPE_clone_flags, 0x40020000, "CLONE_NEWNS|CLONE_NEWNET"},
    {SKEP_TYPE_clone_flags, 0x80, "CLONE_NEWTIME"},
    {SKEP_TYPE_clone_flags, 0x300000011, "SIGCHLD|CLONE_CLEAR_SIGHAND|CLONE_INTO_CGROUP"},
    {SKEP_TYPE_clone_flags, 0x109, "CLONE_VM|0x9"},
    {SKEP_TYPE_family, 2, "inet"},
    {SKEP_TYPE_family, 10, "inet6"},
    {SKEP_TYPE_family, 1, "unix"},
    {SKEP_TYPE_family, 16, "netlink"},
    {SKEP_TYPE_family, 99, "family#99"},
    {SKEP_TYPE_socktype, 1, "stream"},
    {SKEP_TYPE_socktype, 5, "seqpacket"},
    {SKEP_TYPE_proto, 6, "tcp"},
    {SKEP_TYPE_proto, 17, "udp"},
    {SKEP_TYPE_proto, 1, "icmp"},
    {SKEP_TYPE_proto, SKEP_PROTO_FAMILY + 1, "unix"},
    {SKEP_TYPE_signal, 9, "SIGKILL"},
    {SKEP_TYPE_signal, 34, "SIGRTMIN"},
    {SKEP_TYPE_signal, 64, "SIGRTMAX"},
    {SKEP_TYPE_signal, 65, "signal#65"},
    {SKEP_TYPE_caps, 0, ""},
    {SKEP_TYPE_caps, 1ULL << 21, "CAP_SYS_ADMIN"},
    {SKEP_TYPE_caps, 3ULL << 39, "CAP_BPF|CAP_CHECKPOINT_RESTORE"},
    {SKEP_TYPE_caps, (1ULL << 41) - 1, "all"},
    {SKEP_TYPE_caps, 1ULL << 41, "0x20000000000"},
    {SKEP_TYPE_bpf_cmd, 5, "prog_load"},
    {SKEP_TYPE_bpf_cmd, 28, "link_create"},
    {SKEP_TYPE_bpf_cmd, 99, "cmd#99"},
    {SKEP_TYPE_bpf_progtype, 29, "lsm"},
    {SKEP_TYPE_bpf_maptype, 27, "ringbuf"},
    {SKEP_TYPE_bpf_attachtype, 0, "cgroup_inet_ingress"},
    {SKEP_TYPE_bpf_attachtype, 46, "tcx_ingress"},
    {SKEP_TYPE_keyctl_op, SKEP_KEYCTL_ADD_KEY, "add_key"},
    {SKEP_TYPE_keyctl_op, 2, "update"},
    {SKEP_TYPE_uring_op, 18, "openat"},
    {SKEP_TYPE_uring_op, 200, "op#200"},
    {SKEP_TYPE_perf_type, 1, "software"},
    {SKEP_TYPE_errno, 2, "ENOENT"},
    {SKEP_TYPE_errno, 11, "EAGAIN"},
    {SKEP_TYPE_errno, 95, "EOPNOTSUPP"},
    {SKEP_TYPE_errno, 512, "ERESTARTSYS"},
    {SKEP_TYPE_dns_qtype, 28, "AAAA"},
    {SKEP_TYPE_dns_qtype, 1234, "TYPE1234"},
    {SKEP_TYPE_dns_rcode, 3, "NXDOMAIN"},
    {SKEP_TYPE_mount_flags, 0x5000, "MS_BIND|MS_REC"},
    {SKEP_TYPE_umount_flags, 2, "MNT_DETACH"},
    {SKEP_TYPE_memfd_flags, 3, "MFD_CLOEXEC|MFD_ALLOW_SEALING"},
    {SKEP_TYPE_memfd_flags, 4 | 21U << 26, "MFD_HUGETLB|MFD_HUGE_2MB"},
    {SKEP_TYPE_rename_flags, 2, "RENAME_EXCHANGE"},
    {SKEP_TYPE_exec_flags, 5, "memfd|upper_layer"},
    {SKEP_TYPE_at_flags, 0x200, "AT_REMOVEDIR"},
};

static void test_rendering(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_value v = {.type = rows[i].type, .class = SKEP_CLASS_UINT, .u = rows[i].value};
        skep_strbuf_reset(&sb);
        skep_value_put_text(&sb, &v);
        assert_string_equal(sb.s, rows[i].text);
    }
    struct skep_value attach = {.type = SKEP_TYPE_ptrace_req, .class = SKEP_CLASS_INT, .i = 16};
    skep_strbuf_reset(&sb);
    skep_value_put_json(&sb, &attach);
    assert_string_equal(sb.s, "\"PTRACE_ATTACH\"");
    attach.i = -1;
    skep_strbuf_reset(&sb);
    skep_value_put_json(&sb, &attach);
    assert_string_equal(sb.s, "\"PTRACE_#-1\"");
}

/* Every name of every table is found again and stands for its own value; sets print what they read. */
static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned t = 0; t < SKEP_TYPE_MAX; t++) {
        const struct skep_names *names = skep_type_info(t)->names;
        for (size_t i = 0; names && i < names->n; i++) {
            const struct skep_name *row = &names->rows[i];
            const struct skep_name *found = skep_names_find(names, row->name, strlen(row->name));
            assert_non_null(found);
            assert_string_equal(found->name, row->name);
            assert_true(found->value == row->value);
            assert_true(names->set == (row->mask != 0));
            assert_true(!names->set || (row->value & ~row->mask) == 0);
            if (!names->set)
                assert_string_equal(skep_names_get(names, row->value), row->name);
        }
    }
    const struct skep_names *flags = skep_type_info(SKEP_TYPE_open_flags)->names;
    assert_string_equal(skep_names_find(flags, "creat", 5)->name, "O_CREAT");
    assert_string_equal(skep_names_find(flags, "o_creat", 7)->name, "O_CREAT");
    assert_null(skep_names_find(flags, "O_", 2));
    assert_null(skep_names_find(flags, "", 0));
    assert_string_equal(skep_names_find(skep_type_info(SKEP_TYPE_signal)->names, "kill", 4)->name, "SIGKILL");
    assert_string_equal(skep_names_find(skep_type_info(SKEP_TYPE_ptrace_req)->names, "attach", 6)->name,
                        "PTRACE_ATTACH");
}

static void test_syscalls(void **state)
{
    (void)state;
    assert_string_equal(skep_syscall_name(SYS_openat, false), "openat");
    assert_string_equal(skep_syscall_name(SYS_execve, false), "execve");
    assert_string_equal(skep_syscall_name(SYS_clone3, false), "clone3");
    assert_string_equal(skep_syscall_name(462, false), "mseal");
    assert_null(skep_syscall_name(100000, false));
    assert_null(skep_syscall_name(100000, true));
    assert_null(skep_syscall_name(UINT32_MAX, false));
#ifdef __x86_64__
    assert_string_equal(skep_syscall_name(11, true), "execve");
#endif
}

static const struct {
    struct skep_value v;
    const char *text, *json;
} values[] = {
    {{.type = SKEP_TYPE_text, .class = SKEP_CLASS_TEXT, .s = "a\nb\x1b[31m\xff\"", .n = 10},
     "a\\nb\\x1b[31m\xef\xbf\xbd\"",
     "\"a\\nb\\u001b[31m\\ufffd\\\"\""},
    {{.type = SKEP_TYPE_text, .class = SKEP_CLASS_TEXT, .s = "", .n = 0}, "", "\"\""},
    {{.type = SKEP_TYPE_args, .class = SKEP_CLASS_LIST, .s = "ls\0-l\0a b\0\0it's\0$x\0~\0a\nb\0", .n = 25},
     "ls -l 'a b' '' 'it'\\''s' '$x' '~' 'a\\nb'",
     "[\"ls\",\"-l\",\"a b\",\"\",\"it's\",\"$x\",\"~\",\"a\\nb\"]"},
    {{.type = SKEP_TYPE_textlist, .class = SKEP_CLASS_LIST, .s = "1.2.3.4\0x.org\0", .n = 14},
     "1.2.3.4, x.org",
     "[\"1.2.3.4\",\"x.org\"]"},
    {{.type = SKEP_TYPE_textlist, .class = SKEP_CLASS_LIST, .s = "cut", .n = 3}, "cut", "[\"cut\"]"},
    {{.type = SKEP_TYPE_textlist, .class = SKEP_CLASS_LIST, .s = "", .n = 0}, "", "[]"},
    {{.type = SKEP_TYPE_ip, .class = SKEP_CLASS_IP, .s = "\x0a\0\0\xff", .n = 4},
     "10.0.0.255",
     "\"10.0.0.255\""},
    {{.type = SKEP_TYPE_ip, .class = SKEP_CLASS_IP, .s = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", .n = 16},
     "::1",
     "\"::1\""},
    {{.type = SKEP_TYPE_duration, .class = SKEP_CLASS_UINT, .u = 1230000}, "1.23ms", "1230000"},
    {{.type = SKEP_TYPE_bool, .class = SKEP_CLASS_UINT, .u = 0}, "false", "false"},
    {{.type = SKEP_TYPE_addr, .class = SKEP_CLASS_UINT, .u = UINT64_MAX},
     "0xffffffffffffffff",
     "\"0xffffffffffffffff\""},
    {{.type = SKEP_TYPE_addr, .class = SKEP_CLASS_UINT, .u = 0}, "0x0", "\"0x0\""},
    {{.type = SKEP_TYPE_mode, .class = SKEP_CLASS_UINT, .u = 04755}, "4755", "\"4755\""},
    {{.type = SKEP_TYPE_mode, .class = SKEP_CLASS_UINT, .u = UINT64_MAX}, "777777", "\"777777\""},
    {{.type = SKEP_TYPE_integer, .class = SKEP_CLASS_INT, .i = INT64_MIN},
     "-9223372036854775808",
     "-9223372036854775808"},
    {{.type = SKEP_TYPE_fdnum, .class = SKEP_CLASS_INT, .i = -1}, "-1", "-1"},
    {{.type = SKEP_TYPE_ring, .class = SKEP_CLASS_UINT, .u = 0}, "life", "\"life\""},
    {{.type = SKEP_TYPE_dev, .class = SKEP_CLASS_UINT, .u = UINT32_MAX}, "4095:1048575", "\"4095:1048575\""},
};

static void test_values(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        skep_strbuf_reset(&sb);
        skep_value_put_text(&sb, &values[i].v);
        assert_string_equal(sb.s, values[i].text);
        skep_strbuf_reset(&sb);
        skep_value_put_json(&sb, &values[i].v);
        assert_string_equal(sb.s, values[i].json);
    }
}

/* A list of 128 KiB becomes a line that can be read, and says how much it left out; JSON keeps all. */
static void test_long_list(void **state)
{
    (void)state;
    static char list[131072];
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    memset(list, 'x', sizeof(list));
    for (size_t i = 0; i < sizeof(list); i += 1000)
        list[i] = '\0';
    struct skep_value v = {.type = SKEP_TYPE_args, .class = SKEP_CLASS_LIST, .s = list, .n = sizeof(list)};
    skep_value_put_text(&sb, &v);
    assert_true(sb.len < SKEP_VALUE_TEXT_LIST_MAX + 64);
    assert_non_null(strstr(sb.s, " more bytes]"));
    skep_strbuf_reset(&sb);
    skep_value_put_json(&sb, &v);
    assert_true(sb.len > sizeof(list));
    assert_null(strstr(sb.s, "more bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rendering), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_syscalls),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_long_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
