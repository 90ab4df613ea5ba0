/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/core.h"

#include <bpf/libbpf.h>
#include <glob.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/flavour.h"
#include "vm/object/elf.h"
#include "vm/program.h"

/* Instructions that hold a fact. */
enum form { MOV, LOAD_1, LOAD_2, LOAD_4, LOAD_8, LDDW, EXIT };

static const struct {
    uint32_t kind;
    unsigned type_kind;
    const char *type, *access;
    enum form form;
    int64_t before;
    int r;
    int64_t after; /* or what the message says: */
    const char *text;
    enum form form_after;
} relocations[] = {
#define FIELD(fact) BPF_CORE_FIELD_##fact, BTF_KIND_STRUCT, "thing"
    /* members: moved, into one without a name, behind another of another type */
    {FIELD(BYTE_OFFSET), "0:0", LOAD_4, 0, 0, 16, NULL, LOAD_4},
    {FIELD(BYTE_OFFSET), "0:1", LOAD_4, 4, 0, 12, NULL, LOAD_4},
    {FIELD(BYTE_OFFSET), "0:2:0", MOV, 8, 0, 36, NULL, MOV},
    {FIELD(BYTE_OFFSET), "0:2:1", LDDW, 12, 0, 32, NULL, LDDW},
    {FIELD(BYTE_OFFSET), "0:3:2", LOAD_2, 20, 0, 48, NULL, LOAD_2},
    {FIELD(BYTE_OFFSET), "1:0", MOV, 56, 0, 112, NULL, MOV},
    {BPF_CORE_FIELD_BYTE_OFFSET, BTF_KIND_STRUCT, "thing___flavour", "0:0", LOAD_4, 0, 0, 12, NULL, LOAD_4},
    /* sizes: the access grows with an unsigned number, a pointer stays, a signed one is an error */
    {FIELD(BYTE_OFFSET), "0:6", LOAD_4, 28, 0, 64, NULL, LOAD_8},
    {FIELD(BYTE_OFFSET), "0:8", LOAD_8, 40, 0, 80, NULL, LOAD_8},
    {FIELD(BYTE_OFFSET), "0:7", LOAD_4, 32, -EINVAL, 0, "has 8 bytes instead of 4", LOAD_4},
    {FIELD(BYTE_OFFSET), "0:6", LOAD_1, 28, -EINVAL, 0, "an access of 1 bytes", LOAD_1},
    {FIELD(BYTE_SIZE), "0:6", MOV, 4, 0, 8, NULL, MOV},
    {FIELD(BYTE_SIZE), "0:3", MOV, 8, 0, 16, NULL, MOV},
    {FIELD(SIGNED), "0:7", MOV, 1, 0, 1, NULL, MOV},
    {FIELD(SIGNED), "0:6", MOV, 0, 0, 0, NULL, MOV},
    /* bitfields: bits 9 to 12 of a unit of 4 bytes */
    {FIELD(BYTE_OFFSET), "0:4", MOV, 24, 0, 60, NULL, MOV},
    {FIELD(LSHIFT_U64), "0:4", MOV, 0, 0, 51, NULL, MOV},
    {FIELD(RSHIFT_U64), "0:4", MOV, 0, 0, 60, NULL, MOV},
    {FIELD(LSHIFT_U64), "0:5", MOV, 0, 0, 48, NULL, MOV},
    {FIELD(RSHIFT_U64), "0:5", MOV, 0, 0, 61, NULL, MOV},
    /* what is not there */
    {FIELD(EXISTS), "0:0", MOV, 1, 0, 1, NULL, MOV},
    {FIELD(EXISTS), "0:9", MOV, 1, 0, 0, NULL, MOV},
    {FIELD(EXISTS), "0:10", MOV, 1, 0, 0, NULL, MOV}, /* became a float */
    {FIELD(BYTE_OFFSET), "0:9", LOAD_4, 48, 1, 0, "the target has no 'gone'", MOV},
    {FIELD(BYTE_OFFSET), "0:9", LDDW, 48, 1, 0, "the target has no 'gone'", MOV},
    {BPF_CORE_FIELD_EXISTS, BTF_KIND_STRUCT, "nobody", "0:0", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_FIELD_BYTE_OFFSET, BTF_KIND_STRUCT, "nobody", "0:0", MOV, 0, 1, 0, "of 'nobody'", MOV},
    /* candidates that disagree */
    {BPF_CORE_FIELD_BYTE_OFFSET, BTF_KIND_STRUCT, "twin", "0:0", MOV, 0, -EINVAL, 0, "ambiguous", MOV},
    {BPF_CORE_FIELD_EXISTS, BTF_KIND_STRUCT, "twin", "0:0", MOV, 1, 0, 1, NULL, MOV},
    {BPF_CORE_FIELD_BYTE_OFFSET, BTF_KIND_STRUCT, "far", "0:0", LOAD_4, 0, -EINVAL, 0, "does not fit",
     LOAD_4},
    {BPF_CORE_FIELD_BYTE_OFFSET, BTF_KIND_STRUCT, "far", "0:0", MOV, 0, 0, 40000, NULL, MOV},
    {BPF_CORE_FIELD_BYTE_OFFSET, BTF_KIND_UNION, "choice", "0:0", LOAD_4, 0, 0, 0, NULL, LOAD_4},
    /* types */
    {BPF_CORE_TYPE_EXISTS, BTF_KIND_STRUCT, "thing", "0", MOV, 1, 0, 1, NULL, MOV},
    {BPF_CORE_TYPE_EXISTS, BTF_KIND_STRUCT, "nobody", "0", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_TYPE_EXISTS, BTF_KIND_TYPEDEF, "callback_t", "0", MOV, 1, 0, 1, NULL, MOV},
    {BPF_CORE_TYPE_EXISTS, BTF_KIND_TYPEDEF, "other_t", "0", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_TYPE_SIZE, BTF_KIND_STRUCT, "thing", "0", MOV, 56, 0, 96, NULL, MOV},
    {BPF_CORE_TYPE_SIZE, BTF_KIND_STRUCT, "nobody", "0", MOV, 4, 0, 0, NULL, MOV},
    {BPF_CORE_TYPE_SIZE, BTF_KIND_TYPEDEF, "number_t", "0", MOV, 4, 0, 4, NULL, MOV},
    {BPF_CORE_TYPE_MATCHES, BTF_KIND_STRUCT, "same", "0", MOV, 1, 0, 1, NULL, MOV},
    {BPF_CORE_TYPE_MATCHES, BTF_KIND_STRUCT, "differs", "0", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_TYPE_MATCHES, BTF_KIND_STRUCT, "thing", "0", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_TYPE_MATCHES, BTF_KIND_ENUM, "color", "0", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_TYPE_MATCHES, BTF_KIND_ENUM, "large", "0", MOV, 1, 0, 1, NULL, MOV},
    {BPF_CORE_TYPE_MATCHES, BTF_KIND_TYPEDEF, "callback_t", "0", MOV, 1, 0, 1, NULL, MOV},
    /* enumerators */
    {BPF_CORE_ENUMVAL_VALUE, BTF_KIND_ENUM, "color", "0", MOV, 1, 0, 10, NULL, MOV},
    {BPF_CORE_ENUMVAL_VALUE, BTF_KIND_ENUM, "color", "1", LDDW, 2, 0, 20, NULL, LDDW},
    {BPF_CORE_ENUMVAL_EXISTS, BTF_KIND_ENUM, "color", "1", MOV, 1, 0, 1, NULL, MOV},
    {BPF_CORE_ENUMVAL_EXISTS, BTF_KIND_ENUM, "color", "2", MOV, 1, 0, 0, NULL, MOV},
    {BPF_CORE_ENUMVAL_VALUE, BTF_KIND_ENUM, "color", "2", LDDW, 3, 1, 0, "the target has no 'BLUE'", MOV},
    /* nonsense */
    {13, BTF_KIND_STRUCT, "thing", "0", MOV, 0, -EINVAL, 0, "there is no kind 13", MOV},
    {FIELD(BYTE_OFFSET), "", MOV, 0, -EINVAL, 0, "malformed", MOV},
    {FIELD(BYTE_OFFSET), "0:", MOV, 0, -EINVAL, 0, "malformed", MOV},
    {FIELD(BYTE_OFFSET), "0:99999999999", MOV, 0, -EINVAL, 0, "malformed", MOV},
    {FIELD(BYTE_OFFSET), "0:11", MOV, 0, -EINVAL, 0, "goes nowhere", MOV},
    {FIELD(BYTE_OFFSET), "0:0:0", MOV, 0, -EINVAL, 0, "goes nowhere", MOV},
    {FIELD(BYTE_OFFSET), "0:3:4", MOV, 0, -EINVAL, 0, "behind the end", MOV},
    {FIELD(BYTE_OFFSET), "4294967295:0", MOV, 0, -EINVAL, 0, "outside of what", MOV},
    {BPF_CORE_ENUMVAL_VALUE, BTF_KIND_ENUM, "color", "3", MOV, 0, -EINVAL, 0, "not of an enumerator", MOV},
    {BPF_CORE_TYPE_SIZE, BTF_KIND_STRUCT, "thing", "0:1", MOV, 0, -EINVAL, 0, "not of a type", MOV},
    {FIELD(BYTE_OFFSET), "0:1", MOV, 5, -EINVAL, 0, "the instruction has 5, not 4", MOV},
    {FIELD(BYTE_OFFSET), "0:1", LOAD_4, 5, -EINVAL, 0, "the instruction has offset 5", LOAD_4},
    {FIELD(BYTE_OFFSET), "0:1", EXIT, 0, -EINVAL, 0, "holds nothing", EXIT},
};

#define FILE_MAX (64 << 20)

static char *read_file(const char *path, size_t *ret_size)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    char *data = malloc(FILE_MAX);
    assert_non_null(data);
    *ret_size = fread(data, 1, FILE_MAX, f);
    return data;
}

static struct skep_elf *open_file(const char *path)
{
    size_t size;
    _cleanup_free_ char *data = read_file(path, &size);
    assert_non_null(data);
    struct skep_elf *elf;
    assert_int_equal(skep_elf_open(data, size, &(struct skep_elf_options){0}, &elf), 0);
    assert_non_null(elf->btf);
    return elf;
}

/* The first compiler's object of that name; skips when there is none. */
static struct skep_elf *open_object(const char *pattern, char *ret_path)
{
    const char *dir = getenv("SKEP_TEST_OBJECTS");
    char path[4096];
    snprintf(path, sizeof(path), "%s/*-%s.bpf.o", dir ? dir : "", pattern);
    glob_t g;
    if (!dir || glob(path, 0, NULL, &g) != 0) {
        print_message("skipped: SKEP_TEST_OBJECTS names no objects\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s", g.gl_pathv[0]);
    globfree(&g);
    if (ret_path)
        strcpy(ret_path, path);
    return open_file(path);
}

static uint32_t find_id(const struct skep_btf *btf, unsigned kind, const char *name)
{
    const struct btf_type *t = skep_btf_find(btf, kind, name);
    for (uint32_t id = 1; t && id < skep_btf_count(btf); id++)
        if (skep_btf_type(btf, id) == t)
            return id;
    fail_msg("no type %s", name);
    return 0;
}

static const uint8_t codes[] = {
    [MOV] = BPF_ALU64 | BPF_MOV | BPF_K,   [LOAD_1] = BPF_LDX | BPF_MEM | BPF_B,
    [LOAD_2] = BPF_LDX | BPF_MEM | BPF_H,  [LOAD_4] = BPF_LDX | BPF_MEM | BPF_W,
    [LOAD_8] = BPF_LDX | BPF_MEM | BPF_DW, [LDDW] = BPF_LD | BPF_IMM | BPF_DW,
    [EXIT] = BPF_JMP | BPF_EXIT,
};

static void make(enum form form, int64_t value, struct skep_insn insns[2])
{
    bool load = form >= LOAD_1 && form <= LOAD_8;
    insns[0] = (struct skep_insn){.code = codes[form], .off = load ? (int16_t)value : 0};
    insns[1] = (struct skep_insn){.code = codes[EXIT]};
    if (form == MOV || form == LDDW)
        insns[0].imm = (int32_t)value;
    if (form == LDDW)
        insns[1] = (struct skep_insn){.imm = (int32_t)(value >> 32)};
}

static void test_relocations(void **state)
{
    (void)state;
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *local = open_object("core_local", NULL);
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *target = open_object("core_target", NULL);
    SKEP_CLEANUP(skep_core_freep) struct skep_core *core = NULL;
    assert_int_equal(skep_core_new(local->btf, target->btf, NULL, &core), 0);
    for (size_t i = 0; i < ARRAY_SIZE(relocations); i++) {
        __typeof__(relocations[0]) *c = &relocations[i];
        struct skep_insn insns[2], want[2];
        char message[SKEP_CORE_MESSAGE_MAX] = "";
        make(c->form, c->before, insns);
        make(c->form_after, c->r < 0 ? c->before : c->after, want);
        if (c->r == 1) {
            make(c->form, c->before, want);
            want[0] = skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, SKEP_POISON_CALL);
            if (c->form == LDDW)
                want[1] = skep_insn_make(SKEP_OP_JA, 0, 0, 0, 0);
        }
        int r = skep_core_relocate(core, find_id(local->btf, c->type_kind, c->type), c->kind, c->access,
                                   insns, 2, 0, message);
        bool said = c->text ? strstr(message, c->text) != NULL : message[0] == '\0';
        if (r != c->r || !said || memcmp(insns, want, sizeof(insns)) != 0)
            fail_msg("%zu: kind %u of %s %s: %d, code %02x, off %d, imm %d: %s", i, c->kind, c->type,
                     c->access, r, insns[0].code, insns[0].off, insns[0].imm, message);
    }
}

/* Ids are those of the two BTFs. */
static void test_ids(void **state)
{
    (void)state;
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *local = open_object("core_local", NULL);
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *target = open_object("core_target", NULL);
    SKEP_CLEANUP(skep_core_freep) struct skep_core *core = NULL;
    assert_int_equal(skep_core_new(local->btf, target->btf, NULL, &core), 0);
    uint32_t id = find_id(local->btf, BTF_KIND_STRUCT, "same");
    struct skep_insn insns[2];
    char message[SKEP_CORE_MESSAGE_MAX];
    make(MOV, id, insns);
    assert_int_equal(skep_core_relocate(core, id, BPF_CORE_TYPE_ID_LOCAL, "0", insns, 2, 0, message), 0);
    assert_int_equal(insns[0].imm, id);
    assert_int_equal(skep_core_relocate(core, id, BPF_CORE_TYPE_ID_TARGET, "0", insns, 2, 0, message), 0);
    assert_int_equal(insns[0].imm, find_id(target->btf, BTF_KIND_STRUCT, "same"));
    assert_int_equal(skep_core_relocate(core, 1 << 20, BPF_CORE_TYPE_ID_TARGET, "0", insns, 2, 0, message),
                     -EINVAL);
    assert_int_equal(skep_core_relocate(core, 0, BPF_CORE_TYPE_EXISTS, "0", insns, 2, 0, message), -EINVAL);
}

/* The running kernel's types; skips when it has none. */
static struct skep_btf *kernel_btf(void)
{
    size_t size;
    char message[SKEP_BTF_MESSAGE_MAX];
    struct skep_btf *btf = NULL;
    _cleanup_free_ char *data = read_file("/sys/kernel/btf/vmlinux", &size);
    if (!data) {
        print_message("skipped: the running kernel has no BTF\n");
        skip();
    }
    assert_int_equal(skep_btf_new(data, size, NULL, NULL, &btf, message), 0);
    return btf;
}

/* Relocates all of a program; how many instructions are poisoned. */
static unsigned relocate(struct skep_elf *elf, struct skep_core *core, const struct skep_elf_code *code)
{
    unsigned poisoned = 0;
    for (uint32_t i = 0; i < code->n_parts; i++) {
        size_t n;
        const struct skep_elf_relo *relos = skep_elf_relos(elf, code->parts[i].function, &n);
        for (size_t k = 0; k < n; k++) {
            char message[SKEP_CORE_MESSAGE_MAX];
            int r = skep_core_relocate(
                core, relos[k].type, relos[k].kind, relos[k].access, code->insns, code->n_insns,
                code->parts[i].at + relos[k].insn - elf->functions[code->parts[i].function].start, message);
            if (r < 0)
                fail_msg("%s", message);
            poisoned += r == 1;
        }
    }
    return poisoned;
}

/* skep's own sensors fit the running kernel. */
static void test_sensors(void **state)
{
    (void)state;
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *kernel = kernel_btf();
    SKEP_CLEANUP(skep_core_freep) struct skep_core *core = NULL;
    const char *path = getenv("SKEP_BPF_OBJECT");
    if (!path) {
        print_message("skipped: SKEP_BPF_OBJECT names no object\n");
        skip();
    }
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *elf = open_file(path);
    assert_int_equal(skep_core_new(elf->btf, kernel, NULL, &core), 0);
    assert_true(elf->n_relos > 100 && elf->n_programs > 10);
    for (uint32_t i = 0; i < elf->n_programs; i++) {
        struct skep_vm_arena a;
        struct skep_elf_code code;
        skep_vm_arena_init(&a, NULL, 64 << 20);
        assert_int_equal(skep_elf_link(elf, i, &a, &code), 0);
        relocate(elf, core, &code);
        skep_vm_arena_clear(&a);
    }
}

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    (void)level;
    (void)fmt;
    (void)ap;
    return 0;
}

/* libbpf relocates in front of loading, which may fail for all that we care. */
static void test_libbpf(void **state)
{
    (void)state;
    char path[4096];
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *kernel = kernel_btf();
    SKEP_CLEANUP(skep_core_freep) struct skep_core *core = NULL;
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *elf = open_object("core_kernel", path);
    if (geteuid() != 0) {
        print_message("skipped: libbpf relocates for root only\n");
        skip();
    }
    libbpf_set_print(say_nothing);
    struct bpf_object *object = bpf_object__open_file(path, NULL);
    assert_non_null(object);
    int r = bpf_object__load(object);
    struct bpf_program *theirs = bpf_object__find_program_by_name(object, "kinds");
    const struct bpf_insn *insns = bpf_program__insns(theirs);
    if (r == -EPERM || r == -ENOSYS) {
        bpf_object__close(object);
        print_message("skipped: bpf(2) is refused\n");
        skip();
    }
    struct skep_vm_arena a;
    struct skep_elf_code code;
    skep_vm_arena_init(&a, NULL, 64 << 20);
    assert_int_equal(skep_core_new(elf->btf, kernel, NULL, &core), 0);
    assert_int_equal(skep_elf_link(elf, 0, &a, &code), 0);
    assert_int_equal(relocate(elf, core, &code), 2);
    assert_int_equal(bpf_program__insn_cnt(theirs), code.n_insns);
    for (uint32_t i = 0; i < code.n_insns; i++) {
        bool poisoned = code.insns[i].code == (BPF_JMP | BPF_CALL);
        if (poisoned ? insns[i].code != (BPF_JMP | BPF_CALL)
                     : memcmp(&insns[i], &code.insns[i], sizeof(insns[i])))
            fail_msg("instruction %u: code %02x, off %d, imm %d, libbpf %02x, %d, %d", i, code.insns[i].code,
                     code.insns[i].off, code.insns[i].imm, insns[i].code, insns[i].off, insns[i].imm);
        i += poisoned && i + 1 < code.n_insns &&
             insns[i + 1].code == insns[i].code; /* both halves of a wide one */
    }
    skep_vm_arena_clear(&a);
    bpf_object__close(object);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t n;
    } names[] = {
        {"", 0},          {"a", 1},      {"task_struct", 11}, {"task_struct___old", 11},
        {"a___b___c", 5}, {"a____b", 6}, {"___a", 4},         {"a___", 4},
        {"a___b", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (skep_flavour_plain_len(names[i].name) != names[i].n)
            fail_msg("%s: %zu", names[i].name, skep_flavour_plain_len(names[i].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relocations), cmocka_unit_test(test_ids),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_sensors),     cmocka_unit_test(test_libbpf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
