/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/disasm.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "isa/asm.h"
#include "isa/check.h"

#ifdef __SANITIZE_ADDRESS__
#define RANDOM_INSNS 100000
#else
#define RANDOM_INSNS 1000000
#endif
#define BATCH 10000

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Disassembles, assembles and compares. sb is for the text. */
static void assert_round_trip(const struct skep_insn *insns, size_t n, const struct skep_disasm_options *o,
                              struct skep_strbuf *sb)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf errors;
    _cleanup_free_ struct skep_insn *again = NULL;
    size_t n_again = 0;
    skep_strbuf_init(&errors, 65536);
    skep_diags_init(&d, "test");
    skep_strbuf_reset(sb);
    assert_int_equal(skep_disasm(insns, n, o, sb), 0);
    assert_false(sb->failed);
    if (skep_asm(sb->s, sb->len, NULL, &d, &again, &n_again) < 0) {
        skep_diags_put_text(&d, sb->s, &errors);
        fail_msg("%s", errors.s);
    }
    assert_int_equal(n, n_again);
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&insns[i], &again[i], sizeof(insns[i])) != 0)
            fail_msg("slot %zu: code %02x regs %02x off %d imm %d became code %02x regs %02x off %d imm %d",
                     i, insns[i].code, insns[i].regs, insns[i].off, insns[i].imm, again[i].code,
                     again[i].regs, again[i].off, again[i].imm);
    }
}

static void assert_both(const struct skep_insn *insns, size_t n, struct skep_strbuf *sb)
{
    for (unsigned i = 0; i < SKEP_SYNTAX_MAX * 2; i++) {
        const struct skep_disasm_options o = {
            .syntax = (enum skep_syntax)(i / 2), .labels = i & 1, .numbers = i == 2};
        assert_round_trip(insns, n, &o, sb);
    }
}

/* Every operation with every choice of interesting values of its fields. */
static void test_every_value(void **state)
{
    (void)state;
    static const unsigned regs[] = {0, 5, 10};
    static const int offs[] = {0, 1, -1, 4, INT16_MAX, INT16_MIN};
    static const int imms[] = {0, 1, -1, 16, INT32_MAX, INT32_MIN, 0x12345678};
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, SKEP_ASM_TEXT_MAX);
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        const struct skep_opcode_info *info = skep_opcode_info((enum skep_opcode)op);
        struct skep_insn insns[2 * ARRAY_SIZE(regs) * ARRAY_SIZE(regs) * ARRAY_SIZE(offs) * ARRAY_SIZE(imms)];
        size_t n = 0;
        for (size_t d = 0; d < (info->dst.use == SKEP_FIELD_FIXED ? 1 : ARRAY_SIZE(regs)); d++) {
            for (size_t s = 0; s < (info->src.use == SKEP_FIELD_FIXED ? 1 : ARRAY_SIZE(regs)); s++) {
                for (size_t o = 0; o < (info->off.use == SKEP_FIELD_FIXED ? 1 : ARRAY_SIZE(offs)); o++) {
                    for (size_t i = 0; i < ARRAY_SIZE(imms); i++) {
                        insns[n++] =
                            skep_insn_make((enum skep_opcode)op, regs[d], regs[s], (int16_t)offs[o], imms[i]);
                        bool low = info->form == SKEP_FORM_LDDW_ID || info->form == SKEP_FORM_LDDW_CODE;
                        if (info->flags & SKEP_OPF_WIDE)
                            insns[n++] = skep_insn_make_wide(low ? 0 : imms[(i + s + o) % ARRAY_SIZE(imms)]);
                    }
                }
            }
        }
        assert_both(insns, n, &sb);
        assert_null(strstr(sb.s, ".word")); /* all of them can be written */
    }
}

static size_t put_random(struct skep_insn *insns, size_t i, size_t n, uint64_t *random)
{
    uint64_t x = next_random(random), y = next_random(random);
    enum skep_opcode op = (enum skep_opcode)(1 + x % (SKEP_OP_MAX - 1));
    const struct skep_opcode_info *info = skep_opcode_info(op);
    int32_t imm = (int32_t)(uint32_t)(x >> 32) >> (y & 31);
    int16_t off = (int16_t)((int16_t)(uint16_t)(y >> 16) >> (y >> 5 & 15));
    bool wide = info->flags & SKEP_OPF_WIDE;
    /* most targets lie within, so that labels are used */
    int32_t target = (int32_t)((y >> 40) % n) - (int32_t)i - 1;
    if (info->off.use == SKEP_FIELD_JUMP && y & 1 << 10)
        off = (int16_t)target;
    if (info->imm.use >= SKEP_FIELD_JUMP && y & 1 << 10)
        imm = target;
    if (wide && i + 1 == n)
        op = SKEP_OP_EXIT, wide = false;
    insns[i] = skep_insn_make(op, (unsigned)(y >> 32) % SKEP_REGS, (unsigned)(y >> 36) % SKEP_REGS, off, imm);
    if (wide) {
        bool low = info->form == SKEP_FORM_LDDW_ID || info->form == SKEP_FORM_LDDW_CODE;
        insns[i + 1] = skep_insn_make_wide(low ? 0 : (int32_t)(uint32_t)next_random(random));
    }
    return wide ? 2 : 1;
}

static void test_random(void **state)
{
    (void)state;
    uint64_t random = 0x9e3779b97f4a7c15;
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = calloc(BATCH, sizeof(*insns));
    assert_non_null(insns);
    skep_strbuf_init(&sb, SKEP_ASM_TEXT_MAX);
    for (size_t done = 0; done < RANDOM_INSNS; done += BATCH) {
        for (size_t i = 0; i < BATCH;)
            i += put_random(insns, i, BATCH, &random);
        const struct skep_disasm_options o = {.syntax = (enum skep_syntax)(done / BATCH % SKEP_SYNTAX_MAX),
                                              .labels = done / BATCH % 4 >= 2};
        assert_round_trip(insns, BATCH, &o, &sb);
        assert_null(strstr(sb.s, ".word"));
    }
}

/* Bytes that are mostly no instructions come back too. */
static void test_garbage(void **state)
{
    (void)state;
    uint64_t random = 42;
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = calloc(BATCH, sizeof(*insns));
    assert_non_null(insns);
    skep_strbuf_init(&sb, SKEP_ASM_TEXT_MAX);
    for (size_t i = 0; i < BATCH; i++) {
        uint64_t x = next_random(&random);
        /* half of them with a code that exists and few bits elsewhere */
        if (x & 1)
            x = (x & 0xff) | (x & (1ULL << (x >> 58))) | (x & 0x1f00);
        memcpy(&insns[i], &x, sizeof(x));
    }
    assert_both(insns, BATCH, &sb);
}

static const char *name_of(void *data, size_t i, enum skep_opcode op, const struct skep_insn *slots)
{
    (void)i;
    if (op == SKEP_OP_CALL_HELPER && slots->imm == 1)
        return "map_lookup_elem";
    return op == SKEP_OP_LDDW_MAP_FD ? data : NULL;
}

static void put_source(void *data, size_t i, struct skep_strbuf *sb)
{
    (void)data;
    skep_strbuf_printf(sb, "; line %zu; exit\n", i);
}

static void test_program(void **state)
{
    (void)state;
    static const char text[] = "r1 = map_fd 3; r2 = code f; if r1 == 0 goto out; call 1\n"
                               "out: r0 = 0; .word 0xff; exit; goto +7; goto -70\n"
                               "f: exit; .word 0x18, 0xfb07";
    _cleanup_diags_ struct skep_diags d;
    _cleanup_strbuf_ struct skep_strbuf sb;
    _cleanup_free_ struct skep_insn *insns = NULL;
    size_t n = 0;
    skep_diags_init(&d, "test");
    skep_strbuf_init(&sb, 65536);
    assert_int_equal(skep_asm(text, strlen(text), NULL, &d, &insns, &n), 0);
    struct skep_disasm_options o = {.labels = true, .comment = name_of, .data = (char[]){"a\nb"}};
    assert_int_equal(skep_disasm(insns, n, &o, &sb), 0);
    assert_string_equal(
        sb.s, "    r1 = map_fd 3  # a\\nb\n"
              "    r2 = code F11\n"
              "    if r1 == 0 goto L6\n"
              "    call 1  # map_lookup_elem\n"
              "L6:\n"
              "    r0 = 0\n"
              "    .word 0x00000000000000ff  # unknown opcode\n"
              "    exit\n"
              "    goto +7\n"
              "    goto -70\n"
              "F11:\n"
              "    exit\n"
              "    .word 0x0000000000000018  # the second slot of a wide instruction may hold nothing "
              "but an immediate\n"
              "    .word 0x000000000000fb07  # the source register is not used and must be 0\n");
    skep_strbuf_reset(&sb);
    o = (struct skep_disasm_options){.syntax = SKEP_SYNTAX_MNEMONIC, .numbers = true, .before = put_source};
    assert_int_equal(skep_disasm(insns, 6, &o, &sb), 0);
    assert_string_equal(sb.s, "; line 0; exit\n"
                              "   0: lddw %r1, map_fd 3\n"
                              "; line 2; exit\n"
                              "   2: lddw %r2, code +8\n"
                              "; line 4; exit\n"
                              "   4: jeq %r1, 0, +1\n"
                              "; line 5; exit\n"
                              "   5: call 1\n");
    assert_round_trip(insns, 6, &o, &sb);
    skep_strbuf_reset(&sb);
    assert_int_equal(skep_disasm_insn(insns, 1, 0, SKEP_SYNTAX_C, &sb), 1); /* cut off */
    assert_string_equal(sb.s, ".word 0x0000000300001118");
    skep_strbuf_reset(&sb);
    assert_int_equal(skep_disasm(NULL, 0, NULL, &sb), 0);
    assert_string_equal(sb.s, "");
}

/* A buffer that is too small is told, and nothing is written beyond. */
static void test_full(void **state)
{
    (void)state;
    struct skep_insn insns[64];
    for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
        insns[i] = skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0);
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 100);
    assert_int_equal(skep_disasm(insns, ARRAY_SIZE(insns), NULL, &sb), 0);
    assert_true(sb.failed);
    assert_true(sb.len <= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_value), cmocka_unit_test(test_random), cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_program),     cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
