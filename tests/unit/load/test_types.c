/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>

#include "load/btf.h"
#include "load/types.h"
#include <bpf/libbpf.h>
#include <cmocka.h>

static struct btf *cut(const struct btf *kernel, const struct btf *object)
{
    char path[64];
    int fd;
    assert_int_equal(skep_types_cut(kernel, object, &fd), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct btf *btf = btf__parse(path, NULL);
    assert_int_equal(libbpf_get_error(btf), 0);
    close(fd);
    return btf;
}

static const char *name_at(const struct btf *btf, uint32_t id)
{
    return btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);
}

/* 1 int; 2 leaf; 3 other; 4 *far; 5 thing { leaf, *far }; 6 other___v2; 7 thing___old; 8 far; 9 *thing. As bytes that were
 * parsed, like the kernel's. */
static struct btf *make_kernel(void)
{
    struct btf *b = btf__new_empty();
    assert_int_equal(btf__add_int(b, "int", 4, BTF_INT_SIGNED), 1);
    assert_int_equal(btf__add_struct(b, "leaf", 4), 2);
    btf__add_field(b, "x", 1, 0, 0);
    assert_int_equal(btf__add_struct(b, "other", 4), 3);
    btf__add_field(b, "far", 8, 0, 0);
    assert_int_equal(btf__add_ptr(b, 8), 4);
    assert_int_equal(btf__add_struct(b, "thing", 16), 5);
    btf__add_field(b, "leaf", 2, 0, 0);
    btf__add_field(b, "far", 4, 64, 0);
    assert_int_equal(btf__add_struct(b, "other___v2", 4), 6);
    assert_int_equal(btf__add_struct(b, "thing___old", 4), 7);
    assert_int_equal(btf__add_struct(b, "far", 4), 8);
    assert_int_equal(btf__add_ptr(b, 5), 9);
    uint32_t size;
    const void *raw = btf__raw_data(b, &size);
    struct btf *parsed = btf__new(raw, size);
    assert_int_equal(libbpf_get_error(parsed), 0);
    btf__free(b);
    return parsed;
}

static struct btf *make_object(const char *name)
{
    struct btf *b = btf__new_empty();
    btf__add_struct(b, name, 4);
    return b;
}

static void test_made(void **state)
{
    (void)state;
    struct btf *kernel = make_kernel(), *object = make_object("thing___mine"), *got = cut(kernel, object);
    assert_int_equal(btf__type_cnt(got), 8); /* up to thing___old */
    assert_string_equal(name_at(got, 2), "leaf");
    assert_string_equal(name_at(got, 5), "thing");
    assert_string_equal(name_at(got, 7), "thing___old");
    assert_string_equal(name_at(got, 3), ""); /* nobody looks for it */
    assert_string_equal(name_at(got, 6), "");
    assert_int_equal(btf_members(btf__type_by_id(got, 5))[0].type, 2);
    assert_int_equal(btf_members(btf__type_by_id(got, 5))[1].type, 4);
    assert_int_equal(btf__type_by_id(got, 4)->type, 0); /* what it points to is not there */
    assert_int_equal(btf_members(btf__type_by_id(got, 3))[0].type, 0);
    btf__free(got);
    btf__free(object);
    object = make_object("far");
    got = cut(kernel, object);
    assert_int_equal(btf__type_cnt(got), 9);
    assert_int_equal(btf__type_by_id(got, 4)->type, 8);
    btf__free(got);
    btf__free(object);
    btf__free(kernel);
}

static void test_nothing(void **state)
{
    (void)state;
    int fd = -1;
    struct btf *kernel = make_kernel(), *object = make_object("nobody"), *empty = btf__new_empty();
    assert_int_equal(skep_types_cut(kernel, object, &fd), -ENOENT);
    assert_true(skep_types_cut(empty, object, &fd) < 0);
    assert_int_equal(fd, -1);
    btf__free(empty);
    btf__free(object);
    btf__free(kernel);
}

/* Each type of the kernel that has a name of the object's is there, with all that it is built of. */
static size_t compare(const struct btf *kernel, const struct btf *got, const char *name)
{
    size_t found = 0, len;
    const char *tail = strstr(name, "___");
    len = tail ? (size_t)(tail - name) : strlen(name);
    for (uint32_t id = 1; id < btf__type_cnt(kernel); id++) {
        const struct btf_type *want = btf__type_by_id(kernel, id);
        const char *its = btf__name_by_offset(kernel, want->name_off);
        if (!btf_is_composite(want) || strncmp(its, name, len) != 0 || its[len] != '\0')
            continue;
        assert_true(id < btf__type_cnt(got));
        const struct btf_type *have = btf__type_by_id(got, id);
        assert_string_equal(name_at(got, id), its);
        assert_int_equal(have->info, want->info);
        assert_int_equal(have->size, want->size);
        for (uint16_t i = 0; i < btf_vlen(want); i++) {
            assert_memory_equal(&btf_members(have)[i], &btf_members(want)[i], sizeof(struct btf_member));
            assert_int_equal(btf__resolve_size(got, btf_members(have)[i].type),
                             btf__resolve_size(kernel, btf_members(want)[i].type));
        }
        found++;
    }
    return found;
}

static void test_running(void **state)
{
    (void)state;
    static const char *const names[] = {"task_struct", "cred___caps_u64", "file", "inode",
                                        "sock",        "tcp_sock"};
    const void *bytes;
    size_t size;
    struct btf *kernel = btf__load_vmlinux_btf();
    if (libbpf_get_error(kernel)) {
        print_message("this kernel has no BTF\n");
        skip();
    }
    assert_int_equal(skep_object_btf(&bytes, &size), 0);
    struct btf *object = btf__new(bytes, (uint32_t)size);
    assert_int_equal(libbpf_get_error(object), 0);
    struct btf *got = cut(kernel, object);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_true(compare(kernel, got, names[i]) > 0);
    btf__free(got);
    btf__free(object);
    btf__free(kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
