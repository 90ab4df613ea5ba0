/* SPDX-License-Identifier: Apache-2.0 */
#include "export/json.h"

#include "../event/record.h"

#include <jansson.h>

struct fixture {
    struct skep_schema *schema;
    struct skep_json_writer *writer;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->schema = test_schema();
    assert_int_equal(skep_json_writer_new(f->schema, &f->writer), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    skep_json_writer_free(f->writer);
    skep_schema_free(f->schema);
    free(f);
    return 0;
}

static json_t *parse(const struct fixture *f, const struct test_record *t)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_json_writer_put(f->writer, NULL, &sb, &t->ev);
    assert_false(sb.failed);
    assert_null(memchr(sb.s, '\n', sb.len));
    json_error_t error;
    json_t *root = json_loadb(sb.s, sb.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root)
        fail_msg("%s at %d: %s", error.text, error.position, sb.s);
    return root;
}

static void test_whole_line(void **state)
{
    struct fixture *f = *state;
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    test_open(&t, f->schema);
    test_process(&t);
    t.h.flags |= SKEP_HDR_SYSCALL;
    t.h.nr = UINT16_MAX;
    skep_json_writer_put(f->writer, NULL, &sb, &t.ev);
    assert_string_equal(
        sb.s,
        "{\"kind\":\"open\",\"time\":\"2023-11-14T22:13:21.500000000Z\",\"seq\":7,\"ring\":\"cpu1\",\"cpu\":1,\"ret\":3,"
        "\"syscall\":\"syscall#65535\",\"path\":\"/etc/passwd\",\"raw_path\":\"../etc/passwd\",\"inode\":12345,"
        "\"dev\":\"8:1\",\"flags\":\"O_RDWR|O_CREAT|O_CLOEXEC\",\"mode\":\"0644\",\"path_source\":\"object\","
        "\"dirfd\":\"AT_FDCWD\",\"created\":true,"
        "\"proc\":{\"pid\":4711,\"tid\":4712,\"ns_pid\":3,\"exe\":\"/bin/bash\",\"comm\":\"bash\","
        "\"args\":[\"bash\",\"-c\",\"echo 'hi'\"],\"cwd\":\"/root\",\"uid\":1000,\"gid\":100,\"euid\":1000,\"egid\":100,"
        "\"loginuid\":null,\"session\":17,\"tty\":\"pts0\",\"caps\":\"\","
        "\"cgroup\":\"/system.slice/docker-0123456789abcdef.scope\",\"unit\":\"docker-0123456789abcdef.scope\","
        "\"start\":\"2023-11-14T22:13:20.500000000Z\",\"exec_id\":0,\"ns\":{\"net\":4026532000},"
        "\"parent\":{\"pid\":17,\"exe\":\"/usr/sbin/sshd\",\"comm\":\"sshd\",\"start\":\"2023-11-14T22:13:20.000000100Z\"}},"
        "\"container\":{\"id\":\"0123456789abcdef\",\"name\":\"web\",\"image\":\"nginx:1\",\"runtime\":\"docker\"}}");
}

/* What people's tools may rely on: always there, null when not known. */
static void test_required_names(void **state)
{
    static const char *const always[] = {"kind", "time", "seq", "cpu", "proc", "container"};
    static const char *const proc[] = {"pid", "tid", "exe",      "comm",   "args",  "cwd",
                                       "uid", "gid", "loginuid", "cgroup", "start", "parent"};
    static const char *const parent[] = {"pid", "exe", "comm"};
    struct fixture *f = *state;
    static struct test_record t;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(f->schema, k);
        if (!kind)
            continue;
        for (int unknown = 0; unknown < 2; unknown++) {
            test_begin(&t, f->schema, k);
            if (unknown)
                t.h.flags |= SKEP_HDR_NO_TASK;
            json_t *root = parse(f, &t);
            assert_string_equal(json_string_value(json_object_get(root, "kind")), kind->name);
            for (size_t i = 0; i < ARRAY_SIZE(always); i++)
                assert_non_null(json_object_get(root, always[i]));
            assert_true(json_is_null(json_object_get(root, "container")));
            for (size_t i = 0; i < ARRAY_SIZE(proc); i++)
                assert_non_null(json_object_get(json_object_get(root, "proc"), proc[i]));
            for (size_t i = 0; i < ARRAY_SIZE(parent); i++)
                assert_non_null(
                    json_object_get(json_object_get(json_object_get(root, "proc"), "parent"), parent[i]));
            assert_null(json_object_get(root, "ret"));
            assert_null(json_object_get(root, "error"));
            assert_null(json_object_get(root, "truncated"));
            if (skep_streq(kind->group, "file") && k != SKEP_KIND_fsopen) {
                assert_non_null(json_object_get(root, "path"));
                assert_non_null(json_object_get(root, "raw_path"));
            }
            json_decref(root);
        }
    }
    static const unsigned two_paths[] = {SKEP_KIND_rename, SKEP_KIND_link, SKEP_KIND_symlink,
                                         SKEP_KIND_move_mount, SKEP_KIND_pivot_root};
    for (size_t i = 0; i < ARRAY_SIZE(two_paths); i++)
        assert_non_null(skep_field_find(f->schema, skep_schema_kind(f->schema, two_paths[i]), "target", 6));
}

static void test_objects(void **state)
{
    struct fixture *f = *state;
    static struct test_record t;
    struct skep_ev_connect *e = test_connect(&t, f->schema);
    json_t *root = parse(f, &t);
    json_t *remote = json_object_get(root, "remote");
    assert_string_equal(json_string_value(json_object_get(remote, "ip")), "93.184.216.34");
    assert_int_equal(json_integer_value(json_object_get(remote, "port")), 443);
    assert_string_equal(json_string_value(json_object_get(root, "proto")), "tcp");
    assert_string_equal(json_string_value(json_object_get(root, "error")), "ECONNREFUSED");
    assert_int_equal(json_integer_value(json_object_get(root, "ret")), -ECONNREFUSED);
    assert_true(json_is_null(json_object_get(root, "path")));
    json_decref(root);
    e->remote.family = 0;
    root = parse(f, &t);
    assert_true(json_is_null(json_object_get(root, "remote")));
    assert_true(json_is_object(json_object_get(root, "local")));
    json_decref(root);
}

static void test_odd_bytes(void **state)
{
    struct fixture *f = *state;
    static struct test_record t;
    struct skep_ev_open *e = test_open(&t, f->schema);
    e->path = test_bytes(&t, "/a\xff\xc3\xa4\n\"\0z", 9);
    static char longest[SKEP_PATH_MAX];
    memset(longest, '\x01', sizeof(longest)); /* each becomes six bytes */
    e->raw_path = test_bytes(&t, longest, sizeof(longest));
    memset(t.h.comm, 'c', sizeof(t.h.comm)); /* no NUL */
    json_t *root = parse(f, &t);
    json_t *path = json_object_get(root, "path");
    assert_int_equal(json_string_length(path), 11);
    assert_memory_equal(json_string_value(path), "/a\xef\xbf\xbd\xc3\xa4\n\"\0z", 11);
    assert_int_equal(json_string_length(json_object_get(root, "raw_path")), sizeof(longest));
    assert_int_equal(json_string_length(json_object_get(json_object_get(root, "proc"), "comm")),
                     SKEP_COMM_LEN);
    json_decref(root);
}

static void test_full_buffer(void **state)
{
    struct fixture *f = *state;
    static struct test_record t;
    test_open(&t, f->schema);
    test_process(&t);
    _cleanup_strbuf_ struct skep_strbuf whole;
    skep_strbuf_init(&whole, 65536);
    skep_json_writer_put(f->writer, NULL, &whole, &t.ev);
    for (size_t max = 0; max < whole.len + 10; max++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, max);
        skep_json_writer_put(f->writer, NULL, &sb, &t.ev);
        assert_true(sb.len <= max);
        assert_true(sb.failed == (max < whole.len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_line),  cmocka_unit_test(test_required_names),
        cmocka_unit_test(test_objects),     cmocka_unit_test(test_odd_bytes),
        cmocka_unit_test(test_full_buffer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
