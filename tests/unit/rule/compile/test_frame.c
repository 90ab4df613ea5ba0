/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One body, two machines: random filter bodies in the engine's frame, interpreted, and in the test frame, in the kernel
 * under BPF_PROG_TEST_RUN, on the same random records. (The frame that sensors hand over to is tested with real system
 * calls by load/filter.)
 */
#include <setjmp.h>
#include <stdarg.h>

#include "load/filter.h"
#include "rule/compile/frame.h"
#include <cmocka.h>
#include <skep/vm.h>

#define RECORD_SIZE (SKEP_RECORD_MAX + SKEP_PATH_MAX)
#define HEAD 256 /* bytes that the bodies look at directly */
#define PROGRAMS 150
#define RECORDS 100

static uint64_t seed = 20261121;

static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

/* ---- what a body sees ---- */

static void test_sees(void **state)
{
    (void)state;
#define SEES(m) skep_frame_sees(offsetof(struct skep_hdr, m), sizeof(((struct skep_hdr *)NULL)->m))
    assert_true(SEES(kind));
    assert_true(SEES(flags));
    assert_true(SEES(pid));
    assert_true(SEES(tid));
    assert_true(SEES(ret));
    assert_true(SEES(uid));
    assert_true(SEES(egid));
    assert_true(SEES(nr));
    assert_true(SEES(comm));
    assert_false(SEES(len));
    assert_false(SEES(seq));
    assert_false(SEES(time));
    assert_false(SEES(start));
    assert_false(SEES(exec_id));
    assert_false(SEES(cgroup));
    assert_false(SEES(caps));
#undef SEES
    assert_true(skep_frame_sees(sizeof(struct skep_hdr), 4000));
    assert_false(skep_frame_sees(0, sizeof(struct skep_hdr)));
    assert_true(skep_frame_sees(offsetof(struct skep_hdr, time), 0));
}

/* ---- random bodies ---- */

/* r1 = something of the record: at a fixed place, or behind an offset that stands in it. */
static void some_load(struct skep_build *b, unsigned drop)
{
    static const enum skep_opcode loads[] = {SKEP_OP_LDXB, SKEP_OP_LDXH, SKEP_OP_LDXW, SKEP_OP_LDXDW};
    unsigned width = rnd(ARRAY_SIZE(loads));
    int16_t at = (int16_t)(rnd(HEAD / 8) * 8 + (rnd(8) & ~((1U << width) - 1)));
    if (rnd(2)) {
        skep_build_load(b, loads[width], 1, 6, at);
        return;
    }
    skep_build_load(b, SKEP_OP_LDXW, 2, 6, (int16_t)(at & ~3));
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 2, SKEP_RECORD_MAX, drop);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 3, 6);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 3, 2);
    skep_build_load(b, loads[width], 1, 3, (int16_t)(rnd(SKEP_PATH_MAX / 8) * 8));
}

static void some_body(struct skep_build *b, unsigned pass, unsigned drop)
{
    static const enum skep_opcode jumps[] = {
        SKEP_OP_JEQ_IMM,   SKEP_OP_JNE_IMM,   SKEP_OP_JGT_IMM,    SKEP_OP_JGE_IMM,    SKEP_OP_JLT_IMM,
        SKEP_OP_JLE_IMM,   SKEP_OP_JSET_IMM,  SKEP_OP_JSGT_IMM,   SKEP_OP_JSLE_IMM,   SKEP_OP_JEQ32_IMM,
        SKEP_OP_JGT32_IMM, SKEP_OP_JLT32_IMM, SKEP_OP_JSLT32_IMM, SKEP_OP_JSGE32_IMM,
    };
    static const enum skep_opcode sums[] = {SKEP_OP_ADD64_IMM, SKEP_OP_XOR64_IMM, SKEP_OP_AND64_IMM,
                                            SKEP_OP_MUL64_IMM, SKEP_OP_LSH64_IMM, SKEP_OP_RSH64_IMM};
    unsigned n = 1 + rnd(12);
    for (unsigned i = 0; i < n; i++) {
        unsigned next = skep_build_label(b);
        some_load(b, drop);
        if (rnd(3) == 0) { /* by way of the stack */
            int16_t at = (int16_t)(-8 * (int)(1 + rnd(SKEP_FRAME_BODY_STACK / 8)));
            skep_build_store(b, SKEP_OP_STXDW, SKEP_REG_FRAME, at, 1);
            skep_build_load(b, SKEP_OP_LDXDW, 1, SKEP_REG_FRAME, at);
        }
        if (rnd(2))
            skep_build_imm(b, sums[rnd(ARRAY_SIZE(sums))], 1, 1 + (int)rnd(31));
        skep_build_jump_imm(b, jumps[rnd(ARRAY_SIZE(jumps))], 1, (int)rnd(300) - 20, next);
        skep_build_jump(b, rnd(4) ? (rnd(2) ? pass : drop) : next);
        skep_build_bind(b, next);
    }
    skep_build_jump(b, rnd(2) ? pass : drop);
}

static void build(enum skep_frame_kind kind, uint64_t from, struct skep_insn **ret, size_t *ret_n)
{
    struct skep_frame f = {.kind = kind, .event = SKEP_KIND_open, .scratch_map = 0};
    struct skep_build b;
    unsigned pass, drop;
    seed = from;
    skep_build_init(&b, 4096);
    skep_frame_begin(&f, &b, &pass, &drop);
    some_body(&b, pass, drop);
    skep_frame_end(&f, &b, pass, drop);
    assert_int_equal(skep_build_finish(&b, ret, ret_n), 0);
    skep_build_clear(&b);
}

static void some_record(uint8_t *record)
{
    for (size_t i = 0; i < HEAD; i += 4) {
        uint32_t word = rnd(4) ? rnd(SKEP_RECORD_MAX) : (uint32_t)seed;
        memcpy(record + i, &word, 4);
    }
    for (int i = 0; i < 64; i++)
        record[HEAD + rnd(RECORD_SIZE - HEAD)] = (uint8_t)seed;
}

static void test_kernel_agrees(void **state)
{
    (void)state;
    static uint8_t record[RECORD_SIZE];
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    char reason[512] = "";
    unsigned passed = 0, dropped = 0;
    if (geteuid() != 0)
        skip();
    assert_int_equal(skep_vm_new(NULL, &vm), 0);
    assert_int_equal(skep_vm_thread_new(vm, NULL, &thread), 0);
    for (unsigned i = 0; i < PROGRAMS; i++) {
        _cleanup_filter_test_ struct skep_filter_test *kernel = NULL;
        _cleanup_free_ struct skep_insn *mine = NULL, *theirs = NULL;
        struct skep_filter_program p = {0};
        struct skep_vm_program *program;
        struct skep_vm_error error;
        struct skep_vm_program_options o = {.size = sizeof(o), .mode = SKEP_VM_MODE_INTERPRET};
        uint64_t from = 0x9e3779b97f4a7c15ULL * (i + 1);
        build(SKEP_FRAME_ENGINE, from, &mine, &o.n_insns);
        build(SKEP_FRAME_TEST, from, &theirs, &p.n_insns);
        o.insns = mine;
        p.insns = theirs;
        if (skep_vm_program_load(vm, &o, &program, &error) < 0)
            fail_msg("body %u, engine: %s", i, error.message);
        int r = skep_filter_test_new(NULL, 0, &p, &kernel, reason, sizeof(reason));
        if (r == -EPERM && i == 0) {
            print_message("# skipped: bpf(2) is refused\n");
            skip();
        }
        if (r < 0)
            fail_msg("body %u, kernel: %s %s", i, strerror(-r), reason);
        for (unsigned j = 0; j < RECORDS; j++) {
            uint64_t verdict;
            some_record(record);
            assert_int_equal(skep_vm_run(thread, program, record, sizeof(record), &verdict), 0);
            r = skep_filter_test_run(kernel, record, sizeof(record));
            if (r != (int)verdict)
                fail_msg("body %u, record %u: the kernel says %d, the engine %d", i, j, r, (int)verdict);
            passed += r == 1;
            dropped += r == 0;
        }
        skep_vm_program_unref(program);
    }
    print_message("# %u bodies, %u records passed, %u dropped\n", PROGRAMS, passed, dropped);
    assert_true(passed > PROGRAMS * RECORDS / 10 && dropped > PROGRAMS * RECORDS / 10);
    skep_vm_thread_free(thread);
    skep_vm_free(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sees),
        cmocka_unit_test(test_kernel_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
