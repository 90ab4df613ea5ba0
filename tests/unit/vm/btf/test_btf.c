/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/btf.h"
#include "vm/btf/btf_dump.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))
#define STRINGS "\0int\0thing\0a\0b\0"
enum { NAME_INT = 1, NAME_THING = 5, NAME_A = 11, NAME_B = 13, NAME_END = 16 };
#define INT NAME_INT, INFO(BTF_KIND_INT, 0), 4, 32 | BTF_INT_SIGNED << 24
#define NOT_THERE "type 2 refers to something of a kind that it may not"
#define WORDS(...) {__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__})

static size_t write_btf(const uint32_t *types, size_t size, uint8_t *to)
{
    const struct btf_header h = {
        .magic = BTF_MAGIC,
        .version = BTF_VERSION,
        .hdr_len = sizeof(h),
        .type_len = (uint32_t)size,
        .str_off = (uint32_t)size,
        .str_len = sizeof(STRINGS),
    };
    memcpy(to, &h, sizeof(h));
    memcpy(to + sizeof(h), types, size);
    memcpy(to + sizeof(h) + size, STRINGS, sizeof(STRINGS));
    return sizeof(h) + size + sizeof(STRINGS);
}

/* Type 1 is an int of 4 bytes, the others are what is listed. */
static const struct {
    const char *what;
    uint32_t types[32];
    size_t size;
    int64_t bytes; /* of type 2; -EINVAL: it has no size */
    const char *error;
} blocks[] = {
    {"a pointer", WORDS(INT, 0, INFO(BTF_KIND_PTR, 0), 1), 8, NULL},
    {"an array", WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 1, 1, 10), 40, NULL},
    {"an array of arrays",
     WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 3, 1, 10, 0, INFO(BTF_KIND_ARRAY, 0), 0, 1, 1, 3), 120, NULL},
    {"a structure", WORDS(INT, NAME_THING, INFO(BTF_KIND_STRUCT, 2), 8, NAME_A, 1, 0, NAME_B, 1, 32), 8,
     NULL},
    {"a typedef of a constant of a structure",
     WORDS(INT, NAME_A, INFO(BTF_KIND_TYPEDEF, 0), 3, 0, INFO(BTF_KIND_CONST, 0), 4, NAME_THING,
           INFO(BTF_KIND_STRUCT, 0), 24),
     24, NULL},
    {"void behind a constant", WORDS(INT, 0, INFO(BTF_KIND_CONST, 0), 0), -EINVAL, NULL},
    {"a circle of typedefs",
     WORDS(INT, NAME_A, INFO(BTF_KIND_TYPEDEF, 0), 3, NAME_B, INFO(BTF_KIND_TYPEDEF, 0), 2), -EINVAL, NULL},
    {"an array of itself", WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 2, 1, 2), -EINVAL, NULL},
    {"an array of more than there is",
     WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 3, 1, UINT32_MAX, 0, INFO(BTF_KIND_ARRAY, 0), 0, 4, 1,
           UINT32_MAX, 0, INFO(BTF_KIND_ARRAY, 0), 0, 1, 1, UINT32_MAX),
     -EINVAL, NULL},
    {"a function", WORDS(INT, 0, INFO(BTF_KIND_FUNC_PROTO, 1), 1, NAME_A, 1), -EINVAL, NULL},

    {"cut off", WORDS(INT, 0, INFO(BTF_KIND_PTR, 0)), 0, "type 2 is cut off"},
    {"members cut off", WORDS(INT, 0, INFO(BTF_KIND_STRUCT, 2), 8, NAME_A, 1, 0), 0, "type 2 is cut off"},
    {"no such kind", WORDS(INT, 0, INFO(30, 0), 0), 0, "type 2 is of an unknown kind"},
    {"no such type", WORDS(INT, 0, INFO(BTF_KIND_PTR, 0), 3), 0,
     "type 2 refers to a type or name that does not exist"},
    {"no such type of a member", WORDS(INT, 0, INFO(BTF_KIND_STRUCT, 1), 4, 0, 9, 0), 0,
     "type 2 refers to a type or name that does not exist"},
    {"no such name", WORDS(INT, NAME_END, INFO(BTF_KIND_PTR, 0), 1), 0,
     "type 2 refers to a type or name that does not exist"},
    {"no such type of an array", WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 1, 3, 1), 0,
     "type 2 refers to a type or name that does not exist"},
    {"a pointer with members", WORDS(INT, 0, INFO(BTF_KIND_PTR, 1), 1), 0,
     "type 2 counts members, but its kind has none"},
    {"an announced structure with members", WORDS(INT, NAME_THING, INFO(BTF_KIND_FWD, 3), 0), 0,
     "type 2 counts members, but its kind has none"},
    {"an announced structure without a name", WORDS(INT, 0, INFO(BTF_KIND_FWD, 0), 0), 0,
     "type 2 announces a struct or union without a name"},

    /* which kind may refer to which: type 3 is a prototype, a function, a variable or a section */
    {"a pointer to a prototype", WORDS(INT, 0, INFO(BTF_KIND_PTR, 0), 3, 0, INFO(BTF_KIND_FUNC_PROTO, 0), 0),
     8, NULL},
    {"a pointer to a function",
     WORDS(INT, 0, INFO(BTF_KIND_PTR, 0), 3, NAME_A, INFO(BTF_KIND_FUNC, 0), 4, 0,
           INFO(BTF_KIND_FUNC_PROTO, 0), 0),
     0, NOT_THERE},
    {"a member that is a variable",
     WORDS(INT, NAME_THING, INFO(BTF_KIND_STRUCT, 1), 4, NAME_A, 3, 0, NAME_B, INFO(BTF_KIND_VAR, 0), 1, 0),
     0, NOT_THERE},
    {"a member that is void", WORDS(INT, NAME_THING, INFO(BTF_KIND_STRUCT, 1), 4, NAME_A, 0, 0), 0,
     NOT_THERE},
    {"an array of void", WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 0, 1, 10), 0, NOT_THERE},
    {"an array of sections",
     WORDS(INT, 0, INFO(BTF_KIND_ARRAY, 0), 0, 3, 1, 10, NAME_A, INFO(BTF_KIND_DATASEC, 0), 8), 0, NOT_THERE},
    {"a typedef of a tag",
     WORDS(INT, NAME_A, INFO(BTF_KIND_TYPEDEF, 0), 3, NAME_B, INFO(BTF_KIND_DECL_TAG, 0), 2, UINT32_MAX), 0,
     NOT_THERE},
    {"a section of variables and functions",
     WORDS(INT, NAME_THING, INFO(BTF_KIND_DATASEC, 2), 8, 3, 0, 4, 4, 4, 4, NAME_B, INFO(BTF_KIND_VAR, 0), 1,
           0, NAME_A, INFO(BTF_KIND_FUNC, 2), 5, 0, INFO(BTF_KIND_FUNC_PROTO, 0), 0),
     8, NULL},
    {"a section of types", WORDS(INT, NAME_THING, INFO(BTF_KIND_DATASEC, 1), 4, 1, 0, 4), 0, NOT_THERE},
    {"a function without a prototype", WORDS(INT, NAME_A, INFO(BTF_KIND_FUNC, 0), 1), 0, NOT_THERE},
    {"a parameter that is a function",
     WORDS(INT, 0, INFO(BTF_KIND_FUNC_PROTO, 1), 0, NAME_A, 3, NAME_B, INFO(BTF_KIND_FUNC, 0), 2), 0,
     NOT_THERE},
    {"any parameters", WORDS(INT, 0, INFO(BTF_KIND_FUNC_PROTO, 2), 0, NAME_A, 1, 0, 0), -EINVAL, NULL},
    {"a parameter without a type", WORDS(INT, 0, INFO(BTF_KIND_FUNC_PROTO, 2), 0, NAME_A, 0, NAME_B, 1), 0,
     NOT_THERE},
    {"a tag of a parameter",
     WORDS(INT, NAME_A, INFO(BTF_KIND_DECL_TAG, 0), 3, 0, NAME_B, INFO(BTF_KIND_FUNC, 1), 4, 0,
           INFO(BTF_KIND_FUNC_PROTO, 1), 0, NAME_A, 1),
     -EINVAL, NULL},
    {"a tag of a parameter that is not there",
     WORDS(INT, NAME_A, INFO(BTF_KIND_DECL_TAG, 0), 3, 1, NAME_B, INFO(BTF_KIND_FUNC, 1), 4, 0,
           INFO(BTF_KIND_FUNC_PROTO, 1), 0, NAME_A, 1),
     0, NOT_THERE},
    {"a tag of a number's member", WORDS(INT, NAME_A, INFO(BTF_KIND_DECL_TAG, 0), 1, 0), 0, NOT_THERE},
};

static void test_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        uint8_t data[512];
        char message[SKEP_BTF_MESSAGE_MAX] = "";
        SKEP_CLEANUP(skep_btf_freep) struct skep_btf *btf = NULL;
        size_t size = write_btf(blocks[i].types, blocks[i].size, data);
        int r = skep_btf_new(data, size, NULL, NULL, &btf, message);
        if (blocks[i].error ? r != -EINVAL || !skep_streq(message, blocks[i].error)
                            : r != 0 || skep_btf_size(btf, 2) != blocks[i].bytes)
            fail_msg("%s: %d, %lld: %s", blocks[i].what, r, btf ? (long long)skep_btf_size(btf, 2) : 0,
                     message);
    }
}

static void test_header(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *error;
    } changes[] = {
        {0, 0, "no BTF of this machine's byte order"},
        {2, 2, "of an unknown version"},
        {4, 8, "the header is cut off"},
        {7, 1, "the header is cut off"},
        {8, 2, "the types are not in it"},
        {15, 0xff, "the types are not in it"},
        {19, 0xff, "the strings are not in it"},
        {20, 0, "the strings are not in it"},
        {20, 3, "the strings are not in it"},
    };
    const uint32_t types[] = {INT};
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t data[512];
        char message[SKEP_BTF_MESSAGE_MAX] = "";
        struct skep_btf *btf;
        size_t size = write_btf(types, sizeof(types), data);
        data[changes[i].at] = changes[i].value;
        if (skep_btf_new(data, size, NULL, NULL, &btf, message) != -EINVAL ||
            !skep_streq(message, changes[i].error))
            fail_msg("byte %zu: %s", changes[i].at, message);
    }
}

/* Many types may share one name that is nearly as long as the file. */
static void test_long_name(void **state)
{
    (void)state;
    const uint32_t types[] = {0, INFO(BTF_KIND_INT, 0), 4, 32};
    const struct btf_header h = {.magic = BTF_MAGIC,
                                 .version = BTF_VERSION,
                                 .hdr_len = sizeof(h),
                                 .type_len = sizeof(types),
                                 .str_off = sizeof(types),
                                 .str_len = SKEP_BTF_NAME_MAX + 3};
    uint8_t data[sizeof(h) + sizeof(types) + SKEP_BTF_NAME_MAX + 3];
    memset(data, 'x', sizeof(data));
    data[sizeof(data) - 1] = '\0';
    memcpy(data, &h, sizeof(h));
    memcpy(data + sizeof(h), types, sizeof(types));
    for (uint32_t from = 0; from < 4; from++) {
        char message[SKEP_BTF_MESSAGE_MAX] = "";
        SKEP_CLEANUP(skep_btf_freep) struct skep_btf *btf = NULL;
        memcpy(data + sizeof(h), &from, sizeof(from));
        int r = skep_btf_new(data, sizeof(data), NULL, NULL, &btf, message);
        assert_int_equal(r, from < 2 ? -EINVAL : 0);
        if (r < 0)
            assert_string_equal(message, "type 1 has a name, or one in it, that is too long");
    }
}

/* What is no C in a name does not get into the declarations. */
static void test_dump_names(void **state)
{
    (void)state;
    const uint32_t types[] = {INT, NAME_THING, INFO(BTF_KIND_STRUCT, 1), 4, NAME_A, 1, 0};
    uint8_t data[512];
    char message[SKEP_BTF_MESSAGE_MAX];
    size_t size = write_btf(types, sizeof(types), data);
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *btf = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 4096);
    data[size - sizeof(STRINGS) + NAME_A] = '\x1b';
    data[size - sizeof(STRINGS) + NAME_INT] = '\n';
    assert_int_equal(skep_btf_new(data, size, NULL, NULL, &btf, message), 0);
    assert_int_equal(skep_btf_dump_c(btf, &sb), 0);
    assert_string_equal(sb.s, "struct thing {\n\t_nt _;\n};\n\n");
}

/* Ids and names of split BTF go on where the base ends. */
static void test_split(void **state)
{
    (void)state;
    const uint32_t first[] = {INT}, second[] = {NAME_INT,
                                                INFO(BTF_KIND_PTR, 0),
                                                1,
                                                sizeof(STRINGS) + NAME_A,
                                                INFO(BTF_KIND_TYPEDEF, 0),
                                                2};
    uint8_t data[512];
    char message[SKEP_BTF_MESSAGE_MAX];
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *base = NULL;
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *split = NULL;
    assert_int_equal(skep_btf_new(data, write_btf(first, sizeof(first), data), NULL, NULL, &base, message),
                     0);
    assert_int_equal(skep_btf_new(data, write_btf(second, sizeof(second), data), base, NULL, &split, message),
                     0);
    assert_int_equal(skep_btf_count(base), 2);
    assert_int_equal(skep_btf_count(split), 4);
    assert_string_equal(skep_btf_name(split, skep_btf_type(split, 1)), "int");
    assert_string_equal(skep_btf_name(split, skep_btf_type(split, 2)), "int");
    assert_string_equal(skep_btf_name(split, skep_btf_type(split, 3)), "a");
    assert_ptr_equal(skep_btf_resolve(split, 3), skep_btf_type(split, 2));
    assert_ptr_equal(skep_btf_find(split, BTF_KIND_INT, "int"), skep_btf_type(base, 1));
    assert_null(skep_btf_type(split, 4));
    assert_null(skep_btf_type(base, 2));
    assert_null(skep_btf_find(split, BTF_KIND_INT, "thing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),    cmocka_unit_test(test_header),     cmocka_unit_test(test_split),
        cmocka_unit_test(test_long_name), cmocka_unit_test(test_dump_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
