/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/check.h"
#include "vm/jit/x86.h"

#define SCRATCH X86_R11

void skep_jit_constant(struct skep_jit *j, unsigned reg, uint64_t imm)
{
    struct skep_x86 *x = &j->x;
    if (!j->blind) {
        skep_x86_mov_imm(x, reg, imm);
        return;
    }
    uint64_t sign = (uint64_t)(int64_t)(int32_t)imm;
    skep_x86_rex(x, false, 0, reg, false);
    skep_x86_1(x, 0xb8 | (reg & 7));
    if (imm <= UINT32_MAX || sign == imm) {
        skep_x86_4(x, (uint32_t)imm ^ j->key);
        skep_x86_rex(x, false, 0, reg, false);
        skep_x86_1(x, 0x81);
        skep_x86_modrm_reg(x, skep_x86_digit(X86_XOR), reg);
        skep_x86_4(x, j->key);
        if (imm > UINT32_MAX)
            skep_x86_rr(x, true, X86_MOVSXD, reg, reg);
        return;
    }
    /* the upper half, moved up, then the lower one by pieces that need no third register */
    skep_x86_4(x, (uint32_t)(imm >> 32) ^ j->key);
    skep_x86_rex(x, false, 0, reg, false);
    skep_x86_1(x, 0x81);
    skep_x86_modrm_reg(x, skep_x86_digit(X86_XOR), reg);
    skep_x86_4(x, j->key);
    uint32_t low = (uint32_t)imm, key = j->key & 0x7fff7fff;
    for (unsigned half = 0; half < 2; half++) {
        uint32_t piece = half ? low & 0xffff : low >> 16;
        skep_x86_shift_imm(x, true, X86_SHL, reg, 16);
        /* (piece ^ k) ^ k, both of 16 bits and sign-free */
        uint32_t k = half ? key & 0x7fff : key >> 16;
        skep_x86_rex(x, true, 0, reg, false);
        skep_x86_1(x, 0x81);
        skep_x86_modrm_reg(x, skep_x86_digit(X86_XOR), reg);
        skep_x86_4(x, piece ^ k);
        skep_x86_rex(x, true, 0, reg, false);
        skep_x86_1(x, 0x81);
        skep_x86_modrm_reg(x, skep_x86_digit(X86_XOR), reg);
        skep_x86_4(x, k);
    }
}

/* ---- shifts ---- */

static void shift_imm(struct skep_jit *j, bool wide, unsigned digit, unsigned dst, int32_t imm)
{
    unsigned by = (unsigned)imm & (wide ? 63 : 31);
    if (by)
        skep_x86_shift_imm(&j->x, wide, digit, dst, by);
    else if (!wide)
        skep_x86_mov(&j->x, false, dst, dst);
}

static void shift_reg(struct skep_jit *j, bool wide, unsigned digit, unsigned dst, unsigned src)
{
    struct skep_x86 *x = &j->x;
    if (j->bmi2) {
        skep_x86_shiftx(x, wide, digit, dst, dst, src);
        return;
    }
    if (dst == X86_RCX) {
        skep_x86_mov(x, true, SCRATCH, X86_RCX);
        skep_x86_mov(x, true, X86_RCX, src);
        skep_x86_shift_cl(x, wide, digit, SCRATCH);
        skep_x86_mov(x, true, X86_RCX, SCRATCH);
        return;
    }
    if (src != X86_RCX) {
        skep_x86_mov(x, true, SCRATCH, X86_RCX);
        skep_x86_mov(x, true, X86_RCX, src);
    }
    skep_x86_shift_cl(x, wide, digit, dst);
    if (src != X86_RCX)
        skep_x86_mov(x, true, X86_RCX, SCRATCH);
    if (!wide)
        skep_x86_mov(x, false, dst, dst); /* a count of 0 leaves the upper half */
}

/* ---- division ---- */

enum { DIV_SIGNED = 1, DIV_MODULO = 2 };

/* rdx has to survive; there is one more register where no fuel is kept. */
static void save_rdx(struct skep_jit *j)
{
    if (j->checked)
        skep_x86_rm(&j->x, true, X86_MOV, X86_RDX, X86_R12, SKEP_JIT_EXEC(code_scratch[0]));
    else
        skep_x86_mov(&j->x, true, X86_R9, X86_RDX);
}
static void restore_rdx(struct skep_jit *j)
{
    if (j->checked)
        skep_x86_rm(&j->x, true, X86_LOAD, X86_RDX, X86_R12, SKEP_JIT_EXEC(code_scratch[0]));
    else
        skep_x86_mov(&j->x, true, X86_RDX, X86_R9);
}

/* Saves what the instructions that use rax and rdx destroy, and brings the dividend to rax. */
static void division_begin(struct skep_jit *j, bool wide, unsigned dst)
{
    if (dst != X86_RDX)
        save_rdx(j);
    if (dst != X86_RAX) {
        skep_x86_mov(&j->x, true, X86_R10, X86_RAX);
        skep_x86_mov(&j->x, wide, X86_RAX, dst);
    }
}

/* The result is in `in` (rax or rdx). */
static void division_end(struct skep_jit *j, bool wide, unsigned dst, unsigned in)
{
    if (dst != in)
        skep_x86_mov(&j->x, wide, dst, in);
    if (dst != X86_RAX)
        skep_x86_mov(&j->x, true, X86_RAX, X86_R10);
    if (dst != X86_RDX)
        restore_rdx(j);
}

static void put_div(struct skep_jit *j, bool wide, unsigned kind, unsigned dst, unsigned by)
{
    struct skep_x86 *x = &j->x;
    division_begin(j, wide, dst);
    if (kind & DIV_SIGNED) {
        skep_x86_rex(x, wide, 0, 0, false);
        skep_x86_1(x, 0x99); /* cdq, cqo */
        skep_x86_unary(x, wide, 7, by);
    } else {
        skep_x86_rr(x, false, X86_XOR, X86_RDX, X86_RDX);
        skep_x86_unary(x, wide, 6, by);
    }
    division_end(j, wide, dst, kind & DIV_MODULO ? X86_RDX : X86_RAX);
}

static void division_reg(struct skep_jit *j, bool wide, unsigned kind, unsigned dst, unsigned src)
{
    struct skep_x86 *x = &j->x;
    if (src == X86_RAX || src == X86_RDX) {
        skep_x86_mov(x, wide, SCRATCH, src);
        src = SCRATCH;
    }
    size_t minus = 0, minus_done = 0;
    skep_x86_rr(x, wide, X86_TEST, src, src);
    size_t zero = skep_x86_jcc1(x, X86_E);
    if (kind & DIV_SIGNED) {
        skep_x86_alu_imm(x, wide, X86_CMP, src, -1);
        minus = skep_x86_jcc1(x, X86_E);
    }
    put_div(j, wide, kind, dst, src);
    size_t done = skep_x86_jmp1(x);
    if (kind & DIV_SIGNED) {
        /* where the quotient may not fit */
        skep_x86_patch1(x, minus, x->len);
        if (kind & DIV_MODULO)
            skep_x86_mov_imm(x, dst, 0);
        else
            skep_x86_unary(x, wide, 3, dst);
        minus_done = skep_x86_jmp1(x);
    }
    skep_x86_patch1(x, zero, x->len);
    if (!(kind & DIV_MODULO))
        skep_x86_mov_imm(x, dst, 0);
    else if (!wide)
        skep_x86_mov(x, false, dst, dst);
    skep_x86_patch1(x, done, x->len);
    if (minus_done)
        skep_x86_patch1(x, minus_done, x->len);
}

/* Turns the quotient in rdx into the remainder in rdx. The register of the dividend is lost. */
static void remainder_of(struct skep_jit *j, bool wide, unsigned dividend, int32_t divisor)
{
    struct skep_x86 *x = &j->x;
    skep_x86_imul_imm(x, wide, X86_RDX, X86_RDX, divisor);
    skep_x86_rr(x, wide, X86_SUB, X86_RDX, dividend);
    skep_x86_mov(x, wide, X86_RDX, dividend);
}

/* Unsigned division by a constant below 2^31 that is no power of two, by multiplication with a reciprocal (Granlund
 * and Montgomery, "Division by Invariant Integers using Multiplication", 1994). */
static void division_magic(struct skep_jit *j, bool wide, unsigned kind, unsigned dst, uint64_t by)
{
    struct skep_x86 *x = &j->x;
    unsigned log = 64 - (unsigned)__builtin_clzll(by - 1); /* rounded up */
    skep_x86_mov(x, wide, SCRATCH, dst);
    if (dst != X86_RDX)
        save_rdx(j);
    if (dst != X86_RAX)
        skep_x86_mov(x, true, X86_R10, X86_RAX);
    if (!wide) {
        /* 2^64 / by, rounded up, times 32 bits: the upper half is the quotient */
        skep_x86_mov_imm(x, X86_RAX, UINT64_MAX / by + 1);
        skep_x86_unary(x, true, 4, SCRATCH);
    } else {
        unsigned __int128 m = (((unsigned __int128)1 << (64 + log)) - ((unsigned __int128)by << 64)) / by + 1;
        skep_x86_mov_imm(x, X86_RAX, (uint64_t)m);
        skep_x86_unary(x, true, 4, SCRATCH);
        /* quotient = (high + (dividend - high) / 2) >> (log - 1) */
        skep_x86_mov(x, true, X86_RAX, SCRATCH);
        skep_x86_rr(x, true, X86_SUB, X86_RDX, X86_RAX);
        skep_x86_shift_imm(x, true, X86_SHR, X86_RAX, 1);
        skep_x86_rr(x, true, X86_ADD, X86_RDX, X86_RAX);
        skep_x86_mov(x, true, X86_RDX, X86_RAX);
        skep_x86_shift_imm(x, true, X86_SHR, X86_RDX, log - 1);
    }
    if (kind & DIV_MODULO)
        remainder_of(j, wide, SCRATCH, (int32_t)by);
    division_end(j, wide, dst, X86_RDX);
}

static void division_imm(struct skep_jit *j, bool wide, unsigned kind, unsigned dst, int32_t imm)
{
    struct skep_x86 *x = &j->x;
    uint64_t by = wide ? (uint64_t)(int64_t)imm : (uint32_t)imm;
    bool power = by && (by & (by - 1)) == 0;
    if (by == 0 || (imm == -1 && kind & DIV_SIGNED) || (by == 1 && kind & DIV_MODULO)) {
        if (imm == 0 && kind & DIV_MODULO) {
            if (!wide)
                skep_x86_mov(x, false, dst, dst);
        } else if (imm == -1 && !(kind & DIV_MODULO)) {
            skep_x86_unary(x, wide, 3, dst);
        } else {
            skep_x86_mov_imm(x, dst, 0);
        }
    } else if (power && !(kind & DIV_SIGNED)) {
        if (!(kind & DIV_MODULO))
            shift_imm(j, wide, X86_SHR, dst, __builtin_ctzll(by));
        else if (by - 1 <= INT32_MAX)
            skep_x86_alu_imm(x, wide, X86_AND, dst, (int32_t)(by - 1));
        else
            skep_x86_alu_imm(x, false, X86_AND, dst, INT32_MAX); /* 2^31 of 32 bits; of 64 there is none */
    } else if (!(kind & DIV_SIGNED) && !j->blind && (!wide || imm > 0) && (wide || by <= INT32_MAX)) {
        division_magic(j, wide, kind, dst, by);
    } else {
        skep_jit_constant(j, SCRATCH, by);
        put_div(j, wide, kind, dst, SCRATCH);
    }
}

/* ---- the rest of arithmetic ---- */

static void multiply_imm(struct skep_jit *j, bool wide, unsigned dst, int32_t imm)
{
    if (imm > 0 && (imm & (imm - 1)) == 0)
        shift_imm(j, wide, X86_SHL, dst, __builtin_ctz((unsigned)imm));
    else
        skep_x86_imul_imm(&j->x, wide, dst, dst, imm);
}

static void swap_bytes(struct skep_jit *j, unsigned bits, unsigned dst)
{
    struct skep_x86 *x = &j->x;
    if (bits != 16) {
        skep_x86_bswap(x, bits == 64, dst);
        return;
    }
    skep_x86_1(x, 0x66);
    skep_x86_shift_imm(x, false, X86_ROL, dst, 8);
    skep_x86_rr(x, false, X86_MOVZX16, dst, dst);
}

struct alu {
    uint8_t kind; /* ALU_* */
    uint8_t code; /* opcode, digit or kind of division */
};
enum { ALU_NONE, ALU_PLAIN, ALU_SHIFT, ALU_DIVISION, ALU_MULTIPLY, ALU_MOVE };

/* By operation: the four forms of each. */
static const struct alu alus[SKEP_OP_MAX] = {
#define FORMS(name, ...)                                                                                     \
    [SKEP_OP_##name##64_IMM] = {__VA_ARGS__}, [SKEP_OP_##name##64_REG] = {__VA_ARGS__},                      \
    [SKEP_OP_##name##32_IMM] = {__VA_ARGS__}, [SKEP_OP_##name##32_REG] = {__VA_ARGS__}
    FORMS(ADD, ALU_PLAIN, X86_ADD),
    FORMS(SUB, ALU_PLAIN, X86_SUB),
    FORMS(OR, ALU_PLAIN, X86_OR),
    FORMS(AND, ALU_PLAIN, X86_AND),
    FORMS(XOR, ALU_PLAIN, X86_XOR),
    FORMS(MUL, ALU_MULTIPLY, 0),
    FORMS(MOV, ALU_MOVE, 0),
    FORMS(LSH, ALU_SHIFT, X86_SHL),
    FORMS(RSH, ALU_SHIFT, X86_SHR),
    FORMS(ARSH, ALU_SHIFT, X86_SAR),
    FORMS(DIV, ALU_DIVISION, 0),
    FORMS(MOD, ALU_DIVISION, DIV_MODULO),
    FORMS(SDIV, ALU_DIVISION, DIV_SIGNED),
    FORMS(SMOD, ALU_DIVISION, DIV_SIGNED | DIV_MODULO),
#undef FORMS
};

static void alu_reg(struct skep_jit *j, const struct alu *a, bool wide, unsigned dst, unsigned src)
{
    struct skep_x86 *x = &j->x;
    switch (a->kind) {
    case ALU_PLAIN:
        skep_x86_rr(x, wide, a->code, src, dst);
        break;
    case ALU_MULTIPLY:
        skep_x86_rr(x, wide, X86_IMUL_RM, dst, src);
        break;
    case ALU_MOVE:
        if (dst != src || !wide)
            skep_x86_mov(x, wide, dst, src);
        break;
    case ALU_SHIFT:
        shift_reg(j, wide, a->code, dst, src);
        break;
    default:
        division_reg(j, wide, a->code, dst, src);
    }
}

static void alu_imm(struct skep_jit *j, const struct alu *a, bool wide, unsigned dst, int32_t imm)
{
    struct skep_x86 *x = &j->x;
    switch (a->kind) {
    case ALU_SHIFT:
        shift_imm(j, wide, a->code, dst, imm);
        return;
    case ALU_DIVISION:
        division_imm(j, wide, a->code, dst, imm);
        return;
    case ALU_MOVE:
        skep_jit_constant(j, dst, wide ? (uint64_t)(int64_t)imm : (uint32_t)imm);
        return;
    default:
        break;
    }
    if (j->blind) {
        skep_jit_constant(j, X86_R10, (uint64_t)(int64_t)imm);
        alu_reg(j, a, wide, dst, X86_R10);
    } else if (a->kind == ALU_MULTIPLY) {
        multiply_imm(j, wide, dst, imm);
    } else if (a->code == X86_AND && wide && imm >= 0) {
        skep_x86_alu_imm(x, false, a->code, dst, imm); /* the upper half becomes 0 either way */
    } else {
        skep_x86_alu_imm(x, wide, a->code, dst, imm);
    }
}

bool skep_jit_alu(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn)
{
    struct skep_x86 *x = &j->x;
    const struct skep_opcode_info *info = skep_opcode_info(op);
    const unsigned dst = skep_jit_native[skep_insn_dst(insn)], src = skep_jit_native[skep_insn_src(insn)];
    const bool wide = info->bits == 64;
    switch (info->form) {
    case SKEP_FORM_ALU_REG:
        alu_reg(j, &alus[op], wide, dst, src);
        return true;
    case SKEP_FORM_ALU_IMM:
        alu_imm(j, &alus[op], wide, dst, insn->imm);
        return true;
    case SKEP_FORM_NEG:
        skep_x86_unary(x, wide, 3, dst);
        return true;
    case SKEP_FORM_MOVSX:
        if (op == SKEP_OP_MOVSX64_32)
            skep_x86_rr(x, true, X86_MOVSXD, dst, src);
        else if (insn->off == 16)
            skep_x86_rr(x, wide, X86_MOVSX16, dst, src);
        else
            skep_x86_rr8(x, wide, X86_MOVSX8, dst, src);
        return true;
    case SKEP_FORM_LDDW:
        skep_jit_constant(j, dst, skep_insn_imm64(insn));
        return true;
    case SKEP_FORM_SWAP:
        if (op == SKEP_OP_LE16)
            skep_x86_rr(x, false, X86_MOVZX16, dst, dst);
        else if (op == SKEP_OP_LE32)
            skep_x86_mov(x, false, dst, dst);
        else if (op != SKEP_OP_LE64)
            swap_bytes(j, info->bits, dst);
        return true;
    default:
        return false;
    }
}

/* ---- conditional jumps ---- */

static const uint8_t conditions[SKEP_OP_MAX] = {
#define FORMS(name, cc)                                                                                      \
    [SKEP_OP_##name##_IMM] = (cc), [SKEP_OP_##name##_REG] = (cc), [SKEP_OP_##name##32_IMM] = (cc),           \
    [SKEP_OP_##name##32_REG] = (cc)
    FORMS(JEQ, X86_E),  FORMS(JNE, X86_NE),  FORMS(JGT, X86_A),   FORMS(JGE, X86_AE),
    FORMS(JLT, X86_B),  FORMS(JLE, X86_BE),  FORMS(JSGT, X86_G),  FORMS(JSGE, X86_GE),
    FORMS(JSLT, X86_L), FORMS(JSLE, X86_LE), FORMS(JSET, X86_NE),
#undef FORMS
};

bool skep_jit_condition(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn)
{
    struct skep_x86 *x = &j->x;
    const struct skep_opcode_info *info = skep_opcode_info(op);
    if (info->form != SKEP_FORM_JUMP_IMM && info->form != SKEP_FORM_JUMP_REG)
        return false;
    const bool wide = info->bits == 64;
    const bool set = op == SKEP_OP_JSET_IMM || op == SKEP_OP_JSET_REG || op == SKEP_OP_JSET32_IMM ||
                     op == SKEP_OP_JSET32_REG;
    const unsigned dst = skep_jit_native[skep_insn_dst(insn)];
    unsigned src = skep_jit_native[skep_insn_src(insn)];
    bool imm = info->form == SKEP_FORM_JUMP_IMM;
    if (imm && j->blind && insn->imm) {
        skep_jit_constant(j, X86_R10, (uint64_t)(int64_t)insn->imm);
        src = X86_R10;
        imm = false;
    }
    if (!imm)
        skep_x86_rr(x, wide, set ? X86_TEST : X86_CMP, src, dst);
    else if (set)
        skep_x86_test_imm(x, wide, dst, insn->imm);
    else if (insn->imm == 0)
        skep_x86_rr(x, wide, X86_TEST, dst, dst);
    else
        skep_x86_alu_imm(x, wide, X86_CMP, dst, insn->imm);
    skep_jit_jump_to(j, conditions[op], (uint32_t)skep_insn_target(op, insn, j->insn));
    return true;
}
