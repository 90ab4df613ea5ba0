/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/check.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "isa/asm.h"

struct program {
    struct skep_insn *insns;
    size_t n;
    uint16_t *ops;
    uint8_t *marks;
    uint32_t *costs;
    struct skep_insns_error error;
    int r;
};

static void program_clear(struct program *p)
{
    free(p->insns);
    free(p->ops);
    free(p->marks);
    free(p->costs);
}

/* Assembles and checks text. */
static void check(struct program *p, const char *text, uint32_t entry)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 65536);
    skep_diags_init(&d, "test");
    *p = (struct program){.error = {.insn = UINT32_MAX}};
    if (skep_asm(text, strlen(text), NULL, &d, &p->insns, &p->n) < 0) {
        skep_diags_put_text(&d, text, &sb);
        fail_msg("%s", sb.s);
    }
    p->ops = calloc(p->n + 1, sizeof(*p->ops));
    p->marks = calloc(p->n + 1, sizeof(*p->marks));
    p->costs = calloc(p->n + 1, sizeof(*p->costs));
    p->r = skep_insns_check(p->insns, p->n, entry, p->ops, p->marks, p->costs, &p->error);
}

#define _cleanup_program_ SKEP_CLEANUP(program_clear)

static void test_rejected(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t entry, insn;
        enum skep_insns_fault fault;
        const char *message;
    } cases[] = {
        {"", 0, 0, SKEP_INSNS_EMPTY, "the program has no instructions"},
        {"exit", 1, 1, SKEP_INSNS_EMPTY, "no instruction begins at the entry, 1"},
        {"r0 = 1 ll; exit", 1, 1, SKEP_INSNS_EMPTY, "no instruction begins at the entry, 1"},
        {"r0 = 0; .word 0xff; exit", 0, 1, SKEP_INSNS_OPCODE,
         "unknown opcode (code 0xff, src 0, off 0, imm 0)"},
        {".word 0x000000e0000112db; exit", 0, 0, SKEP_INSNS_OPCODE,
         "unknown opcode: there is none with this immediate (code 0xdb, src 1, off 1, imm 224)"},
        {".word 0x0000000100000095", 0, 0, SKEP_INSNS_FIELD, "the immediate is not used and must be 0"},
        {"mov %r11, 1; exit", 0, 0, SKEP_INSNS_REGISTER, "there is no register r11"},
        {"r0 = 0; mov %r0, %r15; exit", 0, 1, SKEP_INSNS_REGISTER, "there is no register r15"},
        {"mov %r10, 1; exit", 0, 0, SKEP_INSNS_REGISTER, "r10 is the frame pointer and cannot be written"},
        {"ldxw %r10, [%r1]; exit", 0, 0, SKEP_INSNS_REGISTER,
         "r10 is the frame pointer and cannot be written"},
        {"lddw %r10, 1; exit", 0, 0, SKEP_INSNS_REGISTER, "r10 is the frame pointer and cannot be written"},
        {"be16 %r10; exit", 0, 0, SKEP_INSNS_REGISTER, "r10 is the frame pointer and cannot be written"},
        {"lock xchg [%r1], %r10; exit", 0, 0, SKEP_INSNS_REGISTER,
         "r10 is the frame pointer and cannot be written"},
        {"lock fetch add [%r1], %r10; exit", 0, 0, SKEP_INSNS_REGISTER,
         "r10 is the frame pointer and cannot be written"},
        {"r0 = 0; .word 0x18", 0, 1, SKEP_INSNS_WIDE, "the program ends in the middle of a wide instruction"},
        {".word 0x18, 0x95; exit", 0, 0, SKEP_INSNS_WIDE,
         "the second slot of a wide instruction may hold nothing but an immediate"},
        {".word 0x18, 0x10000; exit", 0, 0, SKEP_INSNS_WIDE,
         "the second slot of a wide instruction may hold nothing but an immediate"},
        {".word 0x1018, 0x100000000; exit", 0, 0, SKEP_INSNS_WIDE,
         "the second immediate is not used and must be 0"},
        {"goto +15; r0 = 0 ll; exit", 0, 0, SKEP_INSNS_JUMP,
         "jump to 16 is outside of the program (4 instructions)"},
        {"r0 = 0; goto -3; exit", 0, 1, SKEP_INSNS_JUMP,
         "jump to -1 is outside of the program (3 instructions)"},
        {"r0 = 0; if r0 == 0 goto +1; exit", 0, 1, SKEP_INSNS_JUMP,
         "jump to 3 is outside of the program (3 instructions)"},
        {"gotol +0x7fffffff; exit", 0, 0, SKEP_INSNS_JUMP,
         "jump to 2147483648 is outside of the program (2 instructions)"},
        {"may_goto +1; r0 = 0; .word 0x00008000000000e5; exit", 0, 2, SKEP_INSNS_FIELD,
         "the immediate is not used and must be 0"},
        {"goto +1; r0 = 1 ll; exit", 0, 0, SKEP_INSNS_JUMP,
         "jump to 2 is in the middle of a wide instruction"},
        {"r0 = 1 ll; goto -2", 0, 2, SKEP_INSNS_JUMP, "jump to 1 is in the middle of a wide instruction"},
        {"call local +1; exit", 0, 0, SKEP_INSNS_CALL,
         "call of 2 is outside of the program (2 instructions)"},
        {"call local +2; exit; r0 = 1 ll; exit", 0, 0, SKEP_INSNS_CALL,
         "call of 3 is in the middle of a wide instruction"},
        {"r1 = code -2; exit", 0, 0, SKEP_INSNS_CALL,
         "address of a function at -1 is outside of the program (3 instructions)"},
        {"r0 = 0", 0, 0, SKEP_INSNS_FALLS_OFF,
         "falls off the end: the last instruction must be an exit or a jump"},
        {"exit; r0 = 1 ll", 0, 1, SKEP_INSNS_FALLS_OFF,
         "falls off the end: the last instruction must be an exit or a jump"},
        {"call 1", 0, 0, SKEP_INSNS_FALLS_OFF,
         "falls off the end: the last instruction must be an exit or a jump"},
        {"a: if r1 == 0 goto a", 0, 0, SKEP_INSNS_FALLS_OFF,
         "falls off the end: the last instruction must be an exit or a jump"},
        {"a: may_goto a", 0, 0, SKEP_INSNS_FALLS_OFF,
         "falls off the end: the last instruction must be an exit or a jump"},
        {"call local f; r0 = 0\nf: exit", 0, 1, SKEP_INSNS_FALLS_OFF,
         "falls into the function that begins at 2"},
        {"call local f; goto g; exit\nf: r0 = 0\ng: exit", 0, 1, SKEP_INSNS_JUMP,
         "jump to 4 leaves the function, which is 0 to 2"},
        {"r0 = 0; exit; r0 = 1; goto -4", 2, 3, SKEP_INSNS_JUMP,
         "jump to 0 leaves the function, which is 2 to 3"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_program_ struct program p;
        check(&p, cases[i].text, cases[i].entry);
        print_message("%s\n", cases[i].text);
        assert_int_equal(p.r, -EINVAL);
        assert_string_equal(p.error.message, cases[i].message);
        assert_int_equal(p.error.insn, cases[i].insn);
        assert_int_equal(p.error.fault, cases[i].fault);
        assert_non_null(skep_insns_fault_name(p.error.fault));
    }
}

/* Marks as letters (w wide, f function, b block, < target from below) and the costs of blocks. */
static void test_marks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t entry;
        const char *marks;
    } cases[] = {
        {"exit", 0, "bf1 "},
        {"r0 = 0; r1 = 5 ll; exit", 0, "bf3 . w . "},
        {"r0 = 0\nloop: r0 += 1; if r0 < 10 goto loop; exit", 0, "bf1 b<2 . b1 "},
        {"call 1; r0 = 0; exit", 0, "bf1 b2 . "},
        {"goto end; r0 = 0\nend: exit", 0, "bf1 b1 b1 "},
        {"if r1 == 0 goto +0; exit", 0, "bf1 b1 "},
        {"self: goto self", 0, "bf<1 "},
        {"call local f; exit\nf: r0 = 1; exit", 0, "bf1 b1 bf2 . "},
        {"r1 = code f; exit\nf: r0 = 1; exit", 0, "bf2 w . bf2 . "},
        {"r0 = 0; exit; r0 = 1; exit", 2, "bf2 . bf2 . "},
        {"r6 = r1; ldabsw 3; ldindb %r1, 3; exit", 0, "bf4 . . . "},
        {"may_goto +1; goto -2; exit", 0, "bf<1 b1 b1 "},
        {"mov %r1, 0; ja L2\nL1: mov %r2, 0; exit\nL2: mov %r0, 0; ja L1", 0, "bf2 . b<2 . b2 . "},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_program_ struct program p;
        check(&p, cases[i].text, cases[i].entry);
        assert_int_equal(p.r, 0);
        char got[512];
        size_t n = 0;
        for (size_t k = 0; k < p.n; k++) {
            uint8_t m = p.marks[k];
            assert_int_equal(!!(m & SKEP_MARK_WIDE), p.ops[k] == SKEP_OP_INVALID);
            assert_int_equal(!!(m & SKEP_MARK_BLOCK), p.costs[k] != 0);
            char cost[12] = "";
            if (p.costs[k])
                snprintf(cost, sizeof(cost), "%u", p.costs[k]);
            n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s%s%s%s%s ", m & SKEP_MARK_BLOCK ? "b" : "",
                                  m & SKEP_MARK_FUNC ? "f" : "", m & SKEP_MARK_BACK ? "<" : "",
                                  m & SKEP_MARK_WIDE ? "w" : "", m ? "" : ".", cost);
        }
        assert_string_equal(got, cases[i].marks);
    }
}

static void test_longest(void **state)
{
    (void)state;
    size_t n = SKEP_ISA_INSNS_MAX + 1;
    struct program p = {.insns = calloc(n, sizeof(*p.insns)),
                        .ops = calloc(n, sizeof(*p.ops)),
                        .marks = calloc(n, 1),
                        .costs = calloc(n, sizeof(*p.costs))};
    for (size_t i = 0; i < n; i++)
        p.insns[i] = skep_insn_make(SKEP_OP_MOV64_IMM, 0, 0, 0, 0);
    p.insns[n - 2] = p.insns[n - 1] = skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0);
    assert_int_equal(skep_insns_check(p.insns, n, 0, p.ops, p.marks, p.costs, &p.error), -E2BIG);
    assert_int_equal(p.error.fault, SKEP_INSNS_TOO_LONG);
    assert_int_equal(skep_insns_check(p.insns, n - 1, 0, p.ops, p.marks, p.costs, &p.error), 0);
    assert_int_equal(p.costs[0], SKEP_ISA_INSNS_MAX);
    assert_int_equal(skep_insns_check(p.insns, n - 1, 0, p.ops, p.marks, NULL, &p.error), 0);
    /* a function at every other instruction: still linear */
    for (size_t i = 0; i + 2 < n; i++)
        p.insns[i] = skep_insn_make(i % 2 ? SKEP_OP_JA : SKEP_OP_CALL_LOCAL, 0, 0, -1, i ? -3 : -1);
    assert_int_equal(skep_insns_check(p.insns, n - 1, 0, p.ops, p.marks, p.costs, &p.error), 0);
    assert_true(p.marks[n / 2 & ~(size_t)1] & SKEP_MARK_FUNC);
    program_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
