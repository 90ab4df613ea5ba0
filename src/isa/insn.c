/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/insn.h"

#define DST_NO                                                                                               \
    {                                                                                                        \
        SKEP_FIELD_FIXED, 0                                                                                  \
    }
#define DST_R                                                                                                \
    {                                                                                                        \
        SKEP_FIELD_READ, 0                                                                                   \
    }
#define DST_W                                                                                                \
    {                                                                                                        \
        SKEP_FIELD_WRITE, 0                                                                                  \
    }
#define DST_RW                                                                                               \
    {                                                                                                        \
        SKEP_FIELD_READ_WRITE, 0                                                                             \
    }
#define SRC_IS(n)                                                                                            \
    {                                                                                                        \
        SKEP_FIELD_FIXED, n                                                                                  \
    }
#define SRC_R                                                                                                \
    {                                                                                                        \
        SKEP_FIELD_READ, 0                                                                                   \
    }
#define SRC_RW                                                                                               \
    {                                                                                                        \
        SKEP_FIELD_READ_WRITE, 0                                                                             \
    }
#define OFF_IS(n)                                                                                            \
    {                                                                                                        \
        SKEP_FIELD_FIXED, n                                                                                  \
    }
#define OFF_MEM                                                                                              \
    {                                                                                                        \
        SKEP_FIELD_MEMORY, 0                                                                                 \
    }
#define OFF_JUMP                                                                                             \
    {                                                                                                        \
        SKEP_FIELD_JUMP, 0                                                                                   \
    }
#define OFF_ANY                                                                                              \
    {                                                                                                        \
        SKEP_FIELD_NUMBER, 0                                                                                 \
    }
#define IMM_IS(n)                                                                                            \
    {                                                                                                        \
        SKEP_FIELD_FIXED, n                                                                                  \
    }
#define IMM_INT                                                                                              \
    {                                                                                                        \
        SKEP_FIELD_NUMBER, 0                                                                                 \
    }
#define IMM_JUMP                                                                                             \
    {                                                                                                        \
        SKEP_FIELD_JUMP, 0                                                                                   \
    }
#define IMM_HELPER                                                                                           \
    {                                                                                                        \
        SKEP_FIELD_HELPER, 0                                                                                 \
    }
#define IMM_ID                                                                                               \
    {                                                                                                        \
        SKEP_FIELD_ID, 0                                                                                     \
    }
#define IMM_FUNCTION                                                                                         \
    {                                                                                                        \
        SKEP_FIELD_FUNCTION, 0                                                                               \
    }

/* Flags by form. */
enum {
    FLAGS_ALU_IMM = SKEP_OPF_FALLS,
    FLAGS_ALU_REG = SKEP_OPF_FALLS,
    FLAGS_NEG = SKEP_OPF_FALLS,
    FLAGS_MOVSX = SKEP_OPF_FALLS,
    FLAGS_SWAP = SKEP_OPF_FALLS,
    FLAGS_JUMP = SKEP_OPF_JUMP | SKEP_OPF_ENDS_BLOCK,
    FLAGS_JUMP_IMM = SKEP_OPF_JUMP | SKEP_OPF_FALLS | SKEP_OPF_ENDS_BLOCK,
    FLAGS_JUMP_REG = FLAGS_JUMP_IMM,
    FLAGS_MAY_GOTO = FLAGS_JUMP_IMM,
    FLAGS_CALL_HELPER = SKEP_OPF_CALL | SKEP_OPF_WRITES_R0 | SKEP_OPF_FALLS | SKEP_OPF_ENDS_BLOCK,
    FLAGS_CALL_LOCAL = FLAGS_CALL_HELPER,
    FLAGS_CALL_KFUNC = FLAGS_CALL_HELPER,
    FLAGS_CALLX = FLAGS_CALL_HELPER,
    FLAGS_EXIT = SKEP_OPF_READS_R0 | SKEP_OPF_ENDS_BLOCK,
    FLAGS_LDDW = SKEP_OPF_WIDE | SKEP_OPF_FALLS,
    FLAGS_LDDW_ID = FLAGS_LDDW,
    FLAGS_LDDW_CODE = FLAGS_LDDW,
    FLAGS_LDDW_PAIR = FLAGS_LDDW,
    FLAGS_LOAD = SKEP_OPF_LOAD | SKEP_OPF_FALLS,
    FLAGS_STORE_IMM = SKEP_OPF_STORE | SKEP_OPF_FALLS,
    FLAGS_STORE_REG = FLAGS_STORE_IMM,
    FLAGS_ATOMIC = SKEP_OPF_LOAD | SKEP_OPF_STORE | SKEP_OPF_ATOMIC | SKEP_OPF_FALLS,
    FLAGS_FETCH = FLAGS_ATOMIC,
    FLAGS_XCHG = FLAGS_ATOMIC,
    FLAGS_CMPXCHG = FLAGS_ATOMIC | SKEP_OPF_READS_R0 | SKEP_OPF_WRITES_R0,
    FLAGS_LOAD_ACQ = SKEP_OPF_LOAD | SKEP_OPF_ATOMIC | SKEP_OPF_FALLS,
    FLAGS_STORE_REL = SKEP_OPF_STORE | SKEP_OPF_ATOMIC | SKEP_OPF_FALLS,
    FLAGS_LDABS = SKEP_OPF_PACKET | SKEP_OPF_WRITES_R0 | SKEP_OPF_FALLS,
    FLAGS_LDIND = FLAGS_LDABS,
};

const struct skep_opcode_info skep_opcode_infos[SKEP_OP_MAX] = {
    [SKEP_OP_INVALID] = {.name = "INVALID", .mnemonic = "", .symbol = "", .doc = ""},
#define ROW(op_name, op_code, op_group, op_form, op_select, op_dst, op_src, op_off, op_imm, op_bits,         \
            op_mnemonic, op_symbol, op_doc)                                                                  \
    [SKEP_OP_##op_name] = {                                                                                  \
        .name = #op_name,                                                                                    \
        .mnemonic = op_mnemonic,                                                                             \
        .symbol = op_symbol,                                                                                 \
        .doc = op_doc,                                                                                       \
        .flags = FLAGS_##op_form,                                                                            \
        .code = op_code,                                                                                     \
        .bits = op_bits,                                                                                     \
        .group = SKEP_GROUP_##op_group,                                                                      \
        .form = SKEP_FORM_##op_form,                                                                         \
        .select = SKEP_SELECT_##op_select,                                                                   \
        .dst = DST_##op_dst,                                                                                 \
        .src = SRC_##op_src,                                                                                 \
        .off = OFF_##op_off,                                                                                 \
        .imm = IMM_##op_imm,                                                                                 \
    },
#define SKEP_OP(...) ROW(__VA_ARGS__)
#define SKEP_OP_ALSO(...) ROW(__VA_ARGS__)
#include "isa/opcode.def"
#undef SKEP_OP
#undef SKEP_OP_ALSO
};

/* The first operation of each code; those that share it follow in skep_opcode_infos. */
static const uint16_t first_of_code[256] = {
#define SKEP_OP(op_name, op_code, ...) [op_code] = SKEP_OP_##op_name,
#define SKEP_OP_ALSO(...)
#include "isa/opcode.def"
#undef SKEP_OP
#undef SKEP_OP_ALSO
};

static const char *const group_names[SKEP_GROUP_MAX] = {
    [SKEP_GROUP_BASE32] = "base32",     [SKEP_GROUP_BASE64] = "base64",
    [SKEP_GROUP_DIVMUL32] = "divmul32", [SKEP_GROUP_DIVMUL64] = "divmul64",
    [SKEP_GROUP_ATOMIC32] = "atomic32", [SKEP_GROUP_ATOMIC64] = "atomic64",
    [SKEP_GROUP_PACKET] = "packet",     [SKEP_GROUP_CALLX] = "callx",
    [SKEP_GROUP_LINUX] = "linux",
};

const char *skep_group_name(enum skep_group group)
{
    return group_names[group];
}

static bool selects(const struct skep_opcode_info *info, const struct skep_insn *i)
{
    switch (info->select) {
    case SKEP_SELECT_SRC:
        return (int)skep_insn_src(i) == info->src.value;
    case SKEP_SELECT_OFF:
        return i->off == info->off.value;
    case SKEP_SELECT_IMM:
        return i->imm == info->imm.value;
    case SKEP_SELECT_NONE:
        break;
    }
    return true;
}

/* Why no operation of i's code is selected. */
static const char *unselected(const struct skep_insn *i)
{
    const struct skep_opcode_info *info = &skep_opcode_infos[first_of_code[i->code]];
    if (info->form == SKEP_FORM_ALU_REG && info->bits == 64 && i->off == 1 && skep_streq(info->symbol, "="))
        return "casts between address spaces are for arenas, which there are none of";
    switch (info->select) {
    case SKEP_SELECT_SRC:
        return "unknown opcode: there is none with this source field";
    case SKEP_SELECT_OFF:
        return "unknown opcode: there is none with this offset field";
    default:
        return "unknown opcode: there is none with this immediate";
    }
}

static bool is_old_callx(const struct skep_insn *i)
{
    return i->code == skep_opcode_infos[SKEP_OP_CALLX].code && i->regs == 0 && i->off == 0 && i->imm > 0 &&
           i->imm < SKEP_REGS;
}

bool skep_insn_modernize(struct skep_insn *i)
{
    if (!is_old_callx(i))
        return false;
    *i = skep_insn_make(SKEP_OP_CALLX, (unsigned)i->imm, 0, 0, 0);
    return true;
}

static bool wrong(const struct skep_insn_field *field, int value)
{
    return field->use == SKEP_FIELD_FIXED && field->value != value;
}

int skep_insn_decode(const struct skep_insn *i, enum skep_opcode *ret_op, const char **reterr_reason)
{
    unsigned op = first_of_code[i->code];
    if (op == SKEP_OP_INVALID) {
        *reterr_reason = "unknown opcode";
        return -EOPNOTSUPP;
    }
    while (!selects(&skep_opcode_infos[op], i)) {
        if (++op == SKEP_OP_MAX || skep_opcode_infos[op].code != i->code) {
            *reterr_reason = unselected(i);
            return -EOPNOTSUPP;
        }
    }
    const struct skep_opcode_info *info = &skep_opcode_infos[op];
    const char *reason = NULL;
    if (is_old_callx(i))
        reason = "callx with the register in the immediate is an older form; the register belongs into dst";
    else if (wrong(&info->dst, (int)skep_insn_dst(i)))
        reason = "the destination register is not used and must be 0";
    else if (wrong(&info->src, (int)skep_insn_src(i)))
        reason = "the source register is not used and must be 0";
    else if (wrong(&info->off, i->off))
        reason = "the offset is not used and must be 0";
    else if (wrong(&info->imm, i->imm))
        reason = "the immediate is not used and must be 0";
    if (reason) {
        *reterr_reason = reason;
        return -EINVAL;
    }
    *ret_op = (enum skep_opcode)op;
    return 0;
}

int skep_insn_decode_wide(enum skep_opcode op, const struct skep_insn *slot, const char **reterr_reason)
{
    if (slot->code || slot->regs || slot->off)
        *reterr_reason = "the second slot of a wide instruction may hold nothing but an immediate";
    else if ((skep_opcode_infos[op].form == SKEP_FORM_LDDW_ID ||
              skep_opcode_infos[op].form == SKEP_FORM_LDDW_CODE) &&
             slot->imm)
        *reterr_reason = "the second immediate is not used and must be 0";
    else
        return 0;
    return -EINVAL;
}

static int field_of(const struct skep_insn_field *field, int value)
{
    return field->use == SKEP_FIELD_FIXED ? field->value : value;
}

struct skep_insn skep_insn_make(enum skep_opcode op, unsigned dst, unsigned src, int16_t off, int32_t imm)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    struct skep_insn i = {
        .code = info->code,
        .off = (int16_t)field_of(&info->off, off),
        .imm = field_of(&info->imm, imm),
    };
    skep_insn_set_dst(&i, (unsigned)field_of(&info->dst, (int)dst));
    skep_insn_set_src(&i, (unsigned)field_of(&info->src, (int)src));
    return i;
}

struct skep_insn skep_insn_make_wide(int32_t imm)
{
    return (struct skep_insn){.imm = imm};
}
