/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code says what the interpreter says, also about what is wrong; and it lies where it should. */
#include "../machine.h"

#include "vm/jit/jit.h"

static const enum skep_vm_mode modes[] = {SKEP_VM_MODE_INTERPRET, SKEP_VM_MODE_JIT, SKEP_VM_MODE_TRUSTED};

static bool missing(void)
{
    if (!skep_jit_available())
        print_message("skipped: there is no JIT for this processor\n");
    return !skep_jit_available();
}

static struct skep_vm_program *load_as(struct machine *m, const char *text, enum skep_vm_mode mode)
{
    const struct skep_vm_program_options o = {.mode = mode};
    return machine_load(m, text, &o);
}

/* ---- each operation over numbers at the edges ---- */

static const uint64_t numbers[] = {
    0,
    1,
    2,
    3,
    7,
    10,
    31,
    32,
    33,
    63,
    64,
    127,
    128,
    255,
    256,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0x8000000000000001,
    0xfffffffffffffffe,
    UINT64_MAX,
    0x123456789abcdef0,
};

/* r0 = dst after `op`, for an op on registers dst and src (which may be the same, and any). */
static size_t program_of(struct skep_insn *out, const struct skep_insn *op, unsigned dst, uint64_t x,
                         unsigned src, uint64_t y)
{
    size_t n = 0;
    out[n++] = skep_insn_make(SKEP_OP_LDDW, src, 0, 0, (int32_t)y);
    out[n++] = skep_insn_make_wide((int32_t)(y >> 32));
    out[n++] = skep_insn_make(SKEP_OP_LDDW, dst, 0, 0, (int32_t)x);
    out[n++] = skep_insn_make_wide((int32_t)(x >> 32));
    out[n++] = *op;
    out[n++] = skep_insn_make(SKEP_OP_MOV64_REG, 0, dst, 0, 0);
    out[n++] = skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0);
    return n;
}

static uint64_t run_insns(struct machine *m, const struct skep_insn *insns, size_t n, enum skep_vm_mode mode)
{
    struct skep_vm_program *p;
    struct skep_vm_error error;
    uint64_t value = 0;
    const struct skep_vm_program_options o = {.size = sizeof(o), .insns = insns, .n_insns = n, .mode = mode};
    if (skep_vm_program_load(m->vm, &o, &p, &error) < 0)
        fail_msg("%s", error.message);
    if (skep_vm_run(m->t, p, NULL, 0, &value) < 0)
        fail_msg("%s", skep_vm_thread_error(m->t)->message);
    skep_vm_program_unref(p);
    return value;
}

static void compare_op(struct machine *m, enum skep_opcode op, unsigned dst, unsigned src, uint64_t x,
                       uint64_t y)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    bool imm = info->imm.use == SKEP_FIELD_NUMBER;
    struct skep_insn insns[8], insn = skep_insn_make(op, dst, src, 0, imm ? (int32_t)y : 0);
    size_t n = program_of(insns, &insn, dst, x, imm ? (dst + 1) % 10 : src, y);
    uint64_t expected = run_insns(m, insns, n, SKEP_VM_MODE_INTERPRET);
    for (size_t i = 1; i < ARRAY_SIZE(modes); i++) {
        uint64_t got = run_insns(m, insns, n, modes[i]);
        if (got != expected)
            fail_msg("%s r%u r%u, 0x%llx 0x%llx: mode %d gives 0x%llx, not 0x%llx", info->name, dst, src,
                     (unsigned long long)x, (unsigned long long)y, (int)modes[i], (unsigned long long)got,
                     (unsigned long long)expected);
    }
}

static void test_operations(void **state)
{
    (void)state;
    if (missing())
        return;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_DEFAULT);
    unsigned turn = 0;
    for (enum skep_opcode op = 1; op < SKEP_OP_MAX; op++) {
        enum skep_form form = skep_opcode_info(op)->form;
        if (form != SKEP_FORM_ALU_IMM && form != SKEP_FORM_ALU_REG && form != SKEP_FORM_NEG &&
            form != SKEP_FORM_MOVSX && form != SKEP_FORM_SWAP)
            continue;
        for (size_t x = 0; x < ARRAY_SIZE(numbers); x++)
            for (size_t y = 0; y < ARRAY_SIZE(numbers); y++, turn++)
                if ((x * 7 + y * 3 + turn) % 4 == 0) /* all pairs of registers come by */
                    compare_op(&m, op, turn % 10, turn / 10 % 10, numbers[x], numbers[y]);
    }
    machine_clear(&m);
}

static void test_divisions_by_constants(void **state)
{
    (void)state;
    if (missing())
        return;
    static const enum skep_opcode ops[] = {SKEP_OP_DIV64_IMM,  SKEP_OP_MOD64_IMM,  SKEP_OP_DIV32_IMM,
                                           SKEP_OP_MOD32_IMM,  SKEP_OP_SDIV64_IMM, SKEP_OP_SMOD64_IMM,
                                           SKEP_OP_SDIV32_IMM, SKEP_OP_SMOD32_IMM};
    static const int32_t by[] = {1,          2,         3,         5,         6,        7,   9,    10,
                                 11,         12,        14,        25,        100,      125, 641,  1000,
                                 65537,      1000003,   INT32_MAX, -1,        -2,       -3,  -100, 65536,
                                 1073741824, INT32_MIN, 715827883, 858993459, 613566757};
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_DEFAULT);
    uint64_t x = 1;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        for (size_t d = 0; d < ARRAY_SIZE(by); d++)
            for (unsigned k = 0; k < 12; k++) {
                x = x * 6364136223846793005ULL + 1442695040888963407ULL;
                uint64_t dividend = k < 4 ? (uint64_t)(int64_t)by[d] * (x >> 40) - (k & 1) : x >> k;
                compare_op(&m, ops[i], k % 10, 0, dividend, (uint64_t)(int64_t)by[d]);
            }
    machine_clear(&m);
}

/* ---- faults ---- */

static void test_faults(void **state)
{
    (void)state;
    static const char *const programs[] = {
        "r0 = 0\n*(u64 *)(r0 + 96) = r0\nexit",
        "r0 = *(u8 *)(r1 + 64)\nexit",
        "r0 = *(u64 *)(r1 + 57)\nexit",
        "*(u16 *)(r1 - 1) = 7\nexit",
        "r0 = *(u8 *)(r10 + 0)\nexit",
        "r0 = *(u64 *)(r10 - 513)\nexit",
        "r2 = r10\nr2 += -4\nr0 = *(u64 *)(r2 + 0)\nexit",
        "r2 = r10\nr2 += -520\nr0 = *(u64 *)(r2 + 0)\nexit",
        "r2 = 1\nlock *(u32 *)(r1 + 2) += r2\nexit",
        "r2 = 1\nlock *(u64 *)(r10 - 12) += r2\nexit",
        "r2 = 1\nr2 = atomic_fetch_or((u64 *)(r1 + 64), r2)\nexit",
        "goto -1",
        "r0 = 1\nL: r0 += 1\nif r0 != 0 goto L\nexit",
        "call f\nexit\nf: call f\nexit",
        "call 999999\nexit",
        "r2 = 12345678\ncallx r2\nexit",
        "r2 = 12\ncallx r2\nexit",
        "r2 = 5 ll\ncall 12\nexit",
        "r1 = 1\nr2 = r10\nr2 += -8\n*(u64 *)(r2 + 0) = 0\ncall 1\nexit",
        "r0 = *(u32 *)(r1 + 0)\nr1 += 60\nr0 = *(u32 *)(r1 + 0)\nr0 = *(u32 *)(r1 + 4)\nexit",
    };
    if (missing())
        return;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_DEFAULT);
    skep_vm_thread_set_fuel(m.t, 5000);
    uint64_t memory[8] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        uint64_t value;
        struct skep_vm_program *p = load_as(&m, programs[i], SKEP_VM_MODE_INTERPRET);
        int r = skep_vm_run(m.t, p, memory, sizeof(memory), &value);
        const struct skep_vm_error expected = *skep_vm_thread_error(m.t);
        const uint64_t used = skep_vm_thread_used(m.t);
        if (r >= 0)
            fail_msg("nothing is wrong with: %s", programs[i]);
        skep_vm_program_unref(p);
        p = load_as(&m, programs[i], SKEP_VM_MODE_JIT);
        assert_int_equal(skep_vm_run(m.t, p, memory, sizeof(memory), &value), r);
        const struct skep_vm_error *error = skep_vm_thread_error(m.t);
        if (error->fault != expected.fault || error->insn != expected.insn ||
            error->address != expected.address)
            fail_msg("%s\n%s\nis not\n%s", programs[i], error->message, expected.message);
        assert_int_equal(skep_vm_thread_used(m.t), used);
        /* and the thread is as good as before */
        struct skep_vm_program *good = load_as(&m, "r0 = 7\nexit", SKEP_VM_MODE_JIT);
        machine_expect(&m, good, NULL, 0, 7);
        skep_vm_program_unref(good);
        skep_vm_program_unref(p);
    }
    machine_clear(&m);
}

/* ---- calls ---- */

static uint64_t call_back(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                          struct skep_vm_thread *t)
{
    const uint64_t args[5] = {r2, r3, r4, r5, 5};
    uint64_t value = 0;
    return skep_vm_thread_call(t, r1, args, &value) < 0 ? 0 : value + 1;
}

static void test_calls(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } programs[] = {
        /* registers survive, arguments and results pass */
        {"r6 = 1\nr7 = 2\nr8 = 3\nr9 = 4\nr1 = 10\nr2 = 20\ncall f\nr0 += r6\nr0 += r7\nr0 += r8\nr0 += r9\nexit\n"
         "f: r6 = 100\nr7 = 100\nr8 = 100\nr9 = 100\nr0 = r1\nr0 += r2\nexit",
         40},
        /* each frame has its own stack */
        {"*(u64 *)(r10 - 8) = 5\ncall f\nr1 = *(u64 *)(r10 - 8)\nr0 += r1\nexit\n"
         "f: r0 = *(u64 *)(r10 - 8)\n*(u64 *)(r10 - 8) = 9\nexit",
         5},
        /* a function that a helper calls, which calls one, six deep */
        {"r1 = code f\nr2 = 1\nr3 = 2\nr4 = 3\nr5 = 4\ncall 900\nexit\n"
         "f: r6 = r1\nr6 += r2\nr6 += r3\nr6 += r4\nr6 += r5\ncall g\nr0 += r6\nexit\n"
         "g: r0 = 100\nexit",
         116},
        {"r2 = code f\nr1 = 3\ncallx r2\nexit\nf: r0 = r1\nr0 *= 5\nexit", 15},
        {"r1 = 9\nr2 = 901\ncallx r2\nexit", 0},
    };
    if (missing())
        return;
    for (size_t mode = 0; mode < ARRAY_SIZE(modes); mode++) {
        struct machine m;
        machine_init(&m, modes[mode]);
        skep_vm_helper_register(m.vm, 900, "call_back", call_back);
        for (size_t i = 0; i < ARRAY_SIZE(programs) - 1; i++) {
            char text[1024];
            snprintf(text, sizeof(text), "%s", programs[i].text);
            struct skep_vm_program *p = machine_load(&m, text, NULL);
            machine_expect(&m, p, NULL, 0, programs[i].value);
            skep_vm_program_unref(p);
        }
        if (modes[mode] != SKEP_VM_MODE_TRUSTED) {
            struct skep_vm_program *p = machine_load(&m, programs[ARRAY_SIZE(programs) - 1].text, NULL);
            machine_expect_fault(&m, p, NULL, 0, SKEP_VM_FAULT_CALL, 2);
            skep_vm_program_unref(p);
            /* a fault in a function that a helper called ends all of it, and is told of where it was */
            p = machine_load(&m, "r1 = code f\ncall 900\nr0 = 1\nexit\nf: r0 = 0\nr0 = *(u8 *)(r0 + 5)\nexit",
                             NULL);
            machine_expect_fault(&m, p, NULL, 0, SKEP_VM_FAULT_READ, 6);
            skep_vm_program_unref(p);
        }
        machine_clear(&m);
    }
}

/* ---- memory of code ---- */

static void test_no_page_is_writable_and_executable(void **state)
{
    (void)state;
    if (missing())
        return;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_JIT);
    struct skep_vm_program *p = machine_load(&m, "r0 = 3\nexit", NULL);
    size_t size;
    const uintptr_t code = (uintptr_t)skep_vm_program_code(p, &size);
    assert_true(code && size);
    FILE *f = fopen("/proc/self/maps", "re");
    assert_non_null(f);
    char line[512];
    bool found = false, guarded = false;
    while (fgets(line, sizeof(line), f)) {
        unsigned long from, to;
        char rights[8];
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &from, &to, rights), 3);
        assert_false(rights[1] == 'w' && rights[2] == 'x');
        if (code >= from && code < to) {
            found = true;
            assert_string_equal(rights, "r-xp");
        }
        guarded = guarded || (to == code && strncmp(rights, "---", 3) == 0);
    }
    fclose(f);
    assert_true(found);
    assert_true(guarded);
    skep_vm_program_unref(p);
    machine_clear(&m);
}

static bool contains(const uint8_t *code, size_t size, uint32_t what)
{
    for (size_t i = 0; i + sizeof(what) <= size; i++)
        if (memcmp(code + i, &what, sizeof(what)) == 0)
            return true;
    return false;
}

static void test_blinding(void **state)
{
    (void)state;
    static const char text[] = "r0 = 0x41424344\nr1 = 0x5152535461626364 ll\nr0 ^= r1\nr0 += 0x31323334\n"
                               "*(u32 *)(r10 - 8) = 0x21222324\nr2 = *(u32 *)(r10 - 8)\nr0 += r2\n"
                               "if r0 == 0x11121314 goto +1\nw0 |= 0x71727374\nw0 /= 0x1d1c1b1a\nexit";
    static const uint32_t constants[] = {0x41424344, 0x61626364, 0x51525354, 0x31323334,
                                         0x21222324, 0x11121314, 0x71727374, 0x1d1c1b1a};
    if (missing())
        return;
    uint64_t values[2];
    for (int blind = 0; blind < 2; blind++) {
        const struct skep_vm_options o = {.size = sizeof(o), .mode = SKEP_VM_MODE_JIT, .blind = blind};
        struct machine m = {0};
        assert_int_equal(skep_vm_new(&o, &m.vm), 0);
        assert_int_equal(skep_vm_thread_new(m.vm, NULL, &m.t), 0);
        struct skep_vm_program *p = machine_load(&m, text, NULL);
        assert_int_equal(skep_vm_run(m.t, p, NULL, 0, &values[blind]), 0);
        size_t size, seen = 0;
        const uint8_t *code = skep_vm_program_code(p, &size);
        for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
            seen += contains(code, size, constants[i]);
        assert_int_equal(seen,
                         blind ? 0 : ARRAY_SIZE(constants) - 1); /* division is multiplication by another */
        skep_vm_program_unref(p);
        skep_vm_free(m.vm);
    }
    assert_int_equal(values[0], values[1]);
}

/* Every allocation of a compilation may fail, and then nothing is left of it. */
static void test_no_memory(void **state)
{
    (void)state;
    if (missing())
        return;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_JIT);
    bool done = false;
    for (size_t n = 1; !done; n++) {
        struct skep_vm_program *p;
        struct skep_vm_error error;
        m.counting.fail_at = m.counting.calls + n;
        int r = machine_try(&m, "r0 = *(u64 *)(r1 + 0)\ncall f\nexit\nf: r0 = 1\nexit", NULL, &p, &error);
        done = r == 0;
        if (done)
            skep_vm_program_unref(p);
        else
            assert_int_equal(r, -ENOMEM);
        assert_true(n < 100);
    }
    machine_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_divisions_by_constants),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_no_page_is_writable_and_executable),
        cmocka_unit_test(test_blinding),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
