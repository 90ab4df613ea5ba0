/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "isa/asm.h"
#include "isa/check.h"
#include "isa/disasm.h"

static void assert_built(struct skep_build *b, const char *text)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n = 0;
    skep_strbuf_init(&sb, 65536);
    assert_int_equal(skep_build_finish(b, &insns, &n), 0);
    assert_int_equal(skep_disasm(insns, n, NULL, &sb), 0);
    assert_string_equal(sb.s, text);
}

/* One of every kind of operands. */
static void test_formats(void **state)
{
    (void)state;
    _cleanup_build_ struct skep_build b;
    skep_build_init(&b, 100);
    unsigned f = skep_build_label(&b), end = skep_build_label(&b);
    skep_build_imm(&b, SKEP_OP_ADD64_IMM, 1, -5);
    skep_build_imm(&b, SKEP_OP_SDIV32_IMM, 2, 5);
    skep_build_reg(&b, SKEP_OP_XOR32_REG, 1, 2);
    skep_build_reg(&b, SKEP_OP_MOVSX64_16, 1, 2);
    skep_build_one(&b, SKEP_OP_NEG64, 3);
    skep_build_one(&b, SKEP_OP_BE32, 3);
    skep_build_load(&b, SKEP_OP_LDXSH, 0, 1, 8);
    skep_build_load(&b, SKEP_OP_LOAD_ACQ_W, 0, 1, 8);
    skep_build_store(&b, SKEP_OP_STXDW, 10, -8, 1);
    skep_build_store(&b, SKEP_OP_CMPXCHG64, 10, -8, 1);
    skep_build_store(&b, SKEP_OP_FETCH_ADD32, 10, -8, 1);
    skep_build_store_imm(&b, SKEP_OP_STB, 10, -8, 1);
    skep_build_packet(&b, SKEP_OP_LDABS_H, 0, 12);
    skep_build_packet(&b, SKEP_OP_LDIND_W, 3, 12);
    skep_build_jump_imm(&b, SKEP_OP_JSET_IMM, 1, 4, end);
    skep_build_jump_reg(&b, SKEP_OP_JSLE32_REG, 1, 2, end);
    skep_build_may_goto(&b, end);
    skep_build_call(&b, 12);
    skep_build_call_kfunc(&b, 99, 1);
    skep_build_call_label(&b, f);
    skep_build_callx(&b, 4);
    skep_build_wide(&b, SKEP_OP_LDDW, 1, 1, 2);
    skep_build_wide(&b, SKEP_OP_LDDW_MAP_FD, 1, 7, 0);
    skep_build_wide(&b, SKEP_OP_LDDW_MAP_VALUE, 1, 7, 4);
    skep_build_code(&b, 2, f);
    skep_build_bind(&b, end);
    skep_build_exit(&b);
    skep_build_bind(&b, f);
    skep_build_mov(&b, 0, 0);
    skep_build_mov(&b, 0, UINT32_MAX);
    skep_build_mov(&b, 0, UINT64_MAX);
    skep_build_mov(&b, 0, (uint64_t)INT32_MIN);
    skep_build_mov(&b, 0, 0x100000000);
    skep_build_mov(&b, 0, 0xffffffff7fffffff);
    skep_build_jump(&b, end);
    assert_built(&b, "r1 += -5\n"
                     "w2 s/= 5\n"
                     "w1 ^= w2\n"
                     "r1 = (s16)r2\n"
                     "r3 = -r3\n"
                     "r3 = be32 r3\n"
                     "r0 = *(s16 *)(r1 + 8)\n"
                     "w0 = load_acquire((u32 *)(r1 + 8))\n"
                     "*(u64 *)(r10 - 8) = r1\n"
                     "r0 = cmpxchg_64(r10 - 8, r0, r1)\n"
                     "w1 = atomic_fetch_add((u32 *)(r10 - 8), w1)\n"
                     "*(u8 *)(r10 - 8) = 1\n"
                     "r0 = *(u16 *)skb[12]\n"
                     "r0 = *(u32 *)skb[r3 + 12]\n"
                     "if r1 & 4 goto +14\n"
                     "if w1 s<= w2 goto +13\n"
                     "may_goto +12\n"
                     "call 12\n"
                     "call kfunc 99, 1\n"
                     "call local +10\n"
                     "callx r4\n"
                     "r1 = 0x200000001 ll\n"
                     "r1 = map_fd 7\n"
                     "r1 = map_value 7 + 4\n"
                     "r2 = code +2\n"
                     "exit\n"
                     "w0 = 0\n"
                     "w0 = -1\n"
                     "r0 = -1\n"
                     "r0 = -2147483648\n"
                     "r0 = 0x100000000 ll\n"
                     "r0 = 0xffffffff7fffffff ll\n"
                     "goto -10\n");
    assert_int_equal(skep_build_where(&b, end), 29);
    assert_int_equal(skep_build_where(&b, f), 30);
}

/* Follows the jumps of a program from instruction i until an exit; gives where it is. */
static size_t follow(const struct skep_insn *insns, size_t n, size_t i, bool taken)
{
    for (size_t steps = 0; steps < 10; steps++) {
        enum skep_opcode op;
        const char *reason;
        assert_true(i < n);
        assert_int_equal(skep_insn_decode(&insns[i], &op, &reason), 0);
        if (op == SKEP_OP_EXIT)
            return i;
        bool always = op == SKEP_OP_JA || op == SKEP_OP_JA32;
        assert_true(skep_opcode_info(op)->flags & SKEP_OPF_JUMP);
        i = always || taken ? (size_t)skep_insn_target(op, &insns[i], i) : i + 1;
    }
    fail();
    return 0;
}

/* A conditional jump over n instructions, and back: near and far. */
static void test_far_jumps(void **state)
{
    (void)state;
    static const struct {
        size_t between, extra;
    } cases[] = {{32765, 0}, {32766, 4}, {32767, 6}, {100000, 6}};
    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        _cleanup_build_ struct skep_build b;
        _cleanup_free_ struct skep_insn *insns = NULL;
        size_t n = 0, plain = cases[c].between + 7;
        skep_build_init(&b, SKEP_ISA_INSNS_MAX);
        unsigned forth = skep_build_label(&b), back = skep_build_label(&b), last = skep_build_label(&b);
        skep_build_jump_imm(&b, SKEP_OP_JEQ_IMM, 1, 0, forth);
        skep_build_exit(&b);
        skep_build_bind(&b, back);
        skep_build_exit(&b);
        for (size_t i = 0; i < cases[c].between; i++)
            skep_build_imm(&b, SKEP_OP_ADD64_IMM, 1, 1);
        skep_build_bind(&b, forth);
        skep_build_jump_reg(&b, SKEP_OP_JLT_REG, 1, 2, back);
        skep_build_may_goto(&b, back);
        skep_build_bind(&b, last);
        skep_build_jump(&b, back);
        skep_build_exit(&b);
        assert_int_equal(skep_build_finish(&b, &insns, &n), 0);
        print_message("%zu between: %zu more\n", cases[c].between, n - plain);
        assert_int_equal(n, plain + cases[c].extra);

        size_t where_back = skep_build_where(&b, back), where_forth = skep_build_where(&b, forth);
        assert_int_equal(follow(insns, n, 0, true), where_back);
        assert_int_equal(follow(insns, n, 0, false), where_back - 1);
        assert_int_equal(follow(insns, n, where_forth, true), where_back);
        assert_int_equal(follow(insns, n, where_forth, false), where_back); /* by the last goto */
        assert_int_equal(follow(insns, n, skep_build_where(&b, last), true), where_back);
        _cleanup_free_ uint16_t *ops = calloc(n, sizeof(*ops));
        _cleanup_free_ uint8_t *marks = calloc(n, 1);
        struct skep_insns_error error;
        assert_int_equal(skep_insns_check(insns, n, 0, ops, marks, NULL, &error), 0);
    }
}

/* Jumps that are just near enough, each of which is pushed apart when the one within it becomes far. */
static void test_cascade(void **state)
{
    (void)state;
    enum { JUMPS = 1000 };
    _cleanup_build_ struct skep_build b;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n = 0;
    unsigned labels[JUMPS];
    skep_build_init(&b, SKEP_ISA_INSNS_MAX);
    for (size_t i = 0; i < JUMPS; i++)
        labels[i] = skep_build_label(&b);
    for (size_t i = 0; i < JUMPS; i++)
        skep_build_jump_imm(&b, SKEP_OP_JEQ_IMM, 1, (int32_t)i, labels[i]);
    for (size_t i = 0; i < 32767 - JUMPS + 1; i++)
        skep_build_imm(&b, SKEP_OP_ADD64_IMM, 1, 1);
    for (size_t i = 0; i < JUMPS; i++) {
        skep_build_bind(&b, labels[i]);
        skep_build_exit(&b);
        skep_build_exit(&b); /* each is one farther than the one before */
    }
    assert_int_equal(skep_build_finish(&b, &insns, &n), 0);
    size_t i = 0;
    for (size_t k = 0; k < JUMPS; k++) {
        assert_int_equal(insns[i].imm, k);
        assert_int_equal(follow(insns, n, i, true), skep_build_where(&b, labels[k]));
        i += insns[i].off == 1 ? 3 : 1;
    }
}

/* Each jump reaches over the next one and is as long as can be; the last is too long, and so one after the
 * other. */
static void test_chain(void **state)
{
    (void)state;
    enum { JUMPS = 40, EVERY = 20000 };
    _cleanup_build_ struct skep_build b;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n = 0;
    unsigned labels[JUMPS];
    skep_build_init(&b, SKEP_ISA_INSNS_MAX);
    for (size_t i = 0; i < JUMPS; i++)
        labels[i] = skep_build_label(&b);
    for (size_t at = 0; at < JUMPS * EVERY + INT16_MAX; at++) {
        size_t back = at - 1 - INT16_MAX; /* the jump that leads here, if it is one */
        if (at > INT16_MAX && back % EVERY == 0 && back / EVERY < JUMPS - 1)
            skep_build_bind(&b, labels[back / EVERY]);
        if (at == (JUMPS - 1) * EVERY + 1 + INT16_MAX + 1)
            skep_build_bind(&b, labels[JUMPS - 1]);
        if (at % EVERY == 0 && at / EVERY < JUMPS)
            skep_build_jump_imm(&b, SKEP_OP_JEQ_IMM, 1, (int32_t)(at / EVERY), labels[at / EVERY]);
        else
            skep_build_exit(&b);
    }
    assert_int_equal(skep_build_finish(&b, &insns, &n), 0);
    assert_int_equal(n, JUMPS * EVERY + INT16_MAX + 2 * JUMPS);
    for (size_t i = 0; i < JUMPS; i++) {
        assert_int_equal(insns[i * (EVERY + 2)].imm, i);
        assert_int_equal(follow(insns, n, i * (EVERY + 2), true), skep_build_where(&b, labels[i]));
    }
}

static void test_errors(void **state)
{
    (void)state;
    struct skep_insn *insns = NULL;
    size_t n = 0;
    struct skep_build b;
    skep_build_init(&b, 2);
    for (int i = 0; i < 5; i++)
        skep_build_exit(&b);
    /* after the failure all is taken and nothing done */
    unsigned label = skep_build_label(&b);
    skep_build_bind(&b, label);
    skep_build_jump(&b, label);
    assert_int_equal(skep_build_finish(&b, &insns, &n), -E2BIG);
    skep_build_clear(&b);
    skep_build_init(&b, 2);
    skep_build_jump(&b, skep_build_label(&b));
    assert_int_equal(skep_build_finish(&b, &insns, &n), -ENOENT);
    skep_build_clear(&b);
    /* the half of a wide instruction does not fit */
    skep_build_init(&b, 1);
    skep_build_wide(&b, SKEP_OP_LDDW, 0, 0, 0);
    assert_int_equal(skep_build_finish(&b, &insns, &n), -E2BIG);
    skep_build_clear(&b);
    /* the room for far jumps counts */
    skep_build_init(&b, 40000);
    label = skep_build_label(&b);
    skep_build_jump_imm(&b, SKEP_OP_JEQ_IMM, 0, 0, label);
    for (int i = 0; i < 39998; i++)
        skep_build_exit(&b);
    skep_build_bind(&b, label);
    skep_build_exit(&b);
    assert_int_equal(skep_build_finish(&b, &insns, &n), -E2BIG);
    skep_build_clear(&b);
    skep_build_init(&b, 0);
    assert_int_equal(skep_build_finish(&b, &insns, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(skep_build_finish(&b, &insns, &n), -EALREADY);
    free(insns);
    skep_build_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats), cmocka_unit_test(test_far_jumps), cmocka_unit_test(test_cascade),
        cmocka_unit_test(test_chain),   cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
