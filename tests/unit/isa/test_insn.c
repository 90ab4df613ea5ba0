/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/insn.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct skep_opcode_info *info_of(unsigned op)
{
    return skep_opcode_info((enum skep_opcode)op);
}

/* What is made decodes to what it was made of. */
static void test_make_decodes(void **state)
{
    (void)state;
    static const int values[] = {0, 1, -1, 7, 255, INT16_MAX, INT16_MIN};
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            struct skep_insn insn = skep_insn_make((enum skep_opcode)op, (unsigned)values[i] & 15,
                                                   (unsigned)values[i] & 7, (int16_t)values[i], values[i]);
            enum skep_opcode got = SKEP_OP_INVALID;
            const char *reason = NULL;
            if (skep_insn_decode(&insn, &got, &reason) != 0 || got != op)
                fail_msg("%s decodes to %s (%s)", info_of(op)->name, info_of(got)->name, reason);
        }
    }
}

static bool decodes(const struct skep_insn *insn, enum skep_opcode *ret)
{
    const char *reason = NULL;
    int r = skep_insn_decode(insn, ret, &reason);
    assert_true(r == 0 || ((r == -EINVAL || r == -EOPNOTSUPP) && reason));
    return r == 0;
}

/* Any other value of a field that is fixed gives another operation or none, and never the same one. */
static void test_fixed_fields(void **state)
{
    (void)state;
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        const struct skep_opcode_info *info = info_of(op);
        const struct skep_insn good = skep_insn_make((enum skep_opcode)op, 1, 2, 3, 4);
        for (int bit = 0; bit < 32; bit++) {
            enum skep_opcode got;
            struct skep_insn bad = good;
            bad.imm ^= (int32_t)(1u << bit);
            assert_int_equal(decodes(&bad, &got) && got == op, info->imm.use != SKEP_FIELD_FIXED);
            bad = good;
            bad.off ^= (int16_t)(1u << bit % 16);
            assert_int_equal(decodes(&bad, &got) && got == op, info->off.use != SKEP_FIELD_FIXED);
            bad = good;
            bad.regs ^= (uint8_t)(1u << bit % 4);
            assert_int_equal(decodes(&bad, &got) && got == op, info->dst.use != SKEP_FIELD_FIXED);
            bad = good;
            bad.regs ^= (uint8_t)(16u << bit % 4);
            assert_int_equal(decodes(&bad, &got) && got == op, info->src.use != SKEP_FIELD_FIXED);
        }
    }
}

/* Every code and every choice of its selecting fields: what decodes is what the table says, and nothing else
 * does. */
static void test_every_code(void **state)
{
    (void)state;
    static const int offs[] = {0, 1, 2, 4, 8, 16, 32, 64, -1};
    static const int imms[] = {0,    1,    16,   32,   64,   0x40, 0x41, 0x50,  0x51,
                               0xa0, 0xa1, 0xe0, 0xe1, 0xf0, 0xf1, 0xff, 0x100, 0x110};
    size_t seen[SKEP_OP_MAX] = {0};
    for (unsigned code = 0; code < 256; code++) {
        for (unsigned src = 0; src < 16; src++) {
            for (size_t o = 0; o < ARRAY_SIZE(offs); o++) {
                for (size_t i = 0; i < ARRAY_SIZE(imms); i++) {
                    struct skep_insn insn = {(uint8_t)code, (uint8_t)(src << 4), (int16_t)offs[o], imms[i]};
                    enum skep_opcode op;
                    if (!decodes(&insn, &op))
                        continue;
                    struct skep_insn same = skep_insn_make(op, 0, src, insn.off, insn.imm);
                    assert_memory_equal(&same, &insn, sizeof(same));
                    seen[op]++;
                }
            }
        }
    }
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        if (seen[op] == 0)
            fail_msg("%s was never found", info_of(op)->name);
    }
}

static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        struct skep_insn insn;
        int r;
        const char *reason;
    } cases[] = {
        {{0xff, 0, 0, 0}, -EOPNOTSUPP, "unknown opcode"},
        {{0x00, 0, 0, 0}, -EOPNOTSUPP, "unknown opcode"},
        {{0x8d, 0x02, 0, 5}, -EINVAL, "the immediate is not used and must be 0"},
        {{0x8d, 0x00, 0, 5},
         -EINVAL,
         "callx with the register in the immediate is an older form; the register belongs into dst"},
        {{0x95, 0x01, 0, 0}, -EINVAL, "the destination register is not used and must be 0"},
        {{0x07, 0x10, 0, 0}, -EINVAL, "the source register is not used and must be 0"},
        {{0x07, 0x00, 1, 0}, -EINVAL, "the offset is not used and must be 0"},
        {{0x0f, 0x10, 0, 1}, -EINVAL, "the immediate is not used and must be 0"},
        {{0x37, 0x00, 2, 1}, -EOPNOTSUPP, "unknown opcode: there is none with this offset field"},
        {{0xdb, 0x10, 0, 0xe0},
         -EOPNOTSUPP,
         "unknown opcode: there is none with this immediate"}, /* no FETCH */
        {{0xdb, 0x10, 0, 0xf0}, -EOPNOTSUPP, "unknown opcode: there is none with this immediate"},
        {{0xd3, 0x10, 0, 0x00}, -EOPNOTSUPP, "unknown opcode: there is none with this immediate"},
        {{0x18, 0x70, 0, 0}, -EOPNOTSUPP, "unknown opcode: there is none with this source field"},
        {{0x85, 0x30, 0, 0}, -EOPNOTSUPP, "unknown opcode: there is none with this source field"},
        {{0xdc, 0x00, 0, 8}, -EOPNOTSUPP, "unknown opcode: there is none with this immediate"},
        {{0xbf, 0x12, 1, 1},
         -EOPNOTSUPP,
         "casts between address spaces are for arenas, which there are none of"},
        {{0xbc, 0x12, 32, 0}, -EOPNOTSUPP, "unknown opcode: there is none with this offset field"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        enum skep_opcode op = SKEP_OP_MAX;
        const char *reason = "";
        assert_int_equal(skep_insn_decode(&cases[i].insn, &op, &reason), cases[i].r);
        assert_string_equal(reason, cases[i].reason);
        assert_int_equal(op, SKEP_OP_MAX);
    }
}

static void test_second_slot(void **state)
{
    (void)state;
    const char *reason;
    struct skep_insn slot = skep_insn_make_wide(-5);
    assert_int_equal(skep_insn_decode_wide(SKEP_OP_LDDW, &slot, &reason), 0);
    assert_int_equal(skep_insn_decode_wide(SKEP_OP_LDDW_MAP_VALUE, &slot, &reason), 0);
    assert_int_equal(skep_insn_decode_wide(SKEP_OP_LDDW_MAP_FD, &slot, &reason), -EINVAL);
    assert_int_equal(skep_insn_decode_wide(SKEP_OP_LDDW_CODE, &slot, &reason), -EINVAL);
    assert_int_equal(skep_insn_decode_wide(SKEP_OP_LDDW_MAP_IDX, &slot, &reason), -EINVAL);
    for (int i = 0; i < 3; i++) {
        struct skep_insn bad = {.imm = 1, .code = i == 0, .regs = i == 1, .off = i == 2};
        assert_int_equal(skep_insn_decode_wide(SKEP_OP_LDDW, &bad, &reason), -EINVAL);
    }
    struct skep_insn pair[2] = {skep_insn_make(SKEP_OP_LDDW, 0, 0, 0, -1), skep_insn_make_wide(0x12345678)};
    assert_true(skep_insn_imm64(pair) == 0x12345678ffffffffULL);
}

static void test_older_forms(void **state)
{
    (void)state;
    struct skep_insn insn = {0x8d, 0x00, 0, 3};
    enum skep_opcode op;
    assert_true(skep_insn_modernize(&insn));
    assert_true(decodes(&insn, &op));
    assert_int_equal(op, SKEP_OP_CALLX);
    assert_int_equal(skep_insn_dst(&insn), 3);
    assert_false(skep_insn_modernize(&insn));
    static const struct skep_insn others[] = {{0x8d, 0, 0, 11}, {0x8d, 0, 0, -1}, {0x8d, 1, 0, 3},
                                              {0x8d, 0, 1, 3},  {0x85, 0, 0, 3},  {0x8d, 0, 0, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        insn = others[i];
        assert_false(skep_insn_modernize(&insn));
        assert_memory_equal(&insn, &others[i], sizeof(insn));
    }
}

/* What the columns say must hang together: this is what the other users of the table rely on. */
static void test_table(void **state)
{
    (void)state;
    for (unsigned op = 1; op < SKEP_OP_MAX; op++) {
        const struct skep_opcode_info *info = info_of(op);
        bool jump = info->off.use == SKEP_FIELD_JUMP || info->imm.use == SKEP_FIELD_JUMP;
        assert_int_equal(jump, !!(info->flags & SKEP_OPF_JUMP));
        assert_int_equal(info->code == 0x18, !!(info->flags & SKEP_OPF_WIDE));
        assert_true(info->bits == 8 || info->bits == 16 || info->bits == 32 || info->bits == 64);
        assert_true(info->flags & SKEP_OPF_FALLS || op == SKEP_OP_EXIT || op == SKEP_OP_JA ||
                    op == SKEP_OP_JA32);
        assert_true(info->mnemonic[0] && info->doc[0] && info->group < SKEP_GROUP_MAX);
        assert_non_null(skep_group_name(info->group));
        bool memory = info->off.use == SKEP_FIELD_MEMORY;
        assert_int_equal(memory, !!(info->flags & (SKEP_OPF_LOAD | SKEP_OPF_STORE)));
        if (info->select == SKEP_SELECT_OFF)
            assert_int_equal(info->off.use, SKEP_FIELD_FIXED);
        if (info->select == SKEP_SELECT_IMM)
            assert_int_equal(info->imm.use, SKEP_FIELD_FIXED);
        if (info->select == SKEP_SELECT_SRC)
            assert_int_equal(info->src.use, SKEP_FIELD_FIXED);
    }
    assert_string_equal(skep_opcode_info(SKEP_OP_INVALID)->mnemonic, "");
    assert_ptr_equal(skep_opcode_info((enum skep_opcode) - 1), skep_opcode_info(SKEP_OP_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_decodes), cmocka_unit_test(test_fixed_fields),
        cmocka_unit_test(test_every_code),   cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_second_slot),  cmocka_unit_test(test_table),
        cmocka_unit_test(test_older_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
