/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_JIT_ENCODING_H
#define SKEP_VM_JIT_ENCODING_H
/*
 * An encoder for the instructions of x86-64 that the JIT uses (formats: Intel's manual, volume 2). It appends bytes to
 * a buffer and knows nothing of eBPF.
 *
 * wide: operands of 64 bits; otherwise of 32, and the upper half of a register that is written becomes 0. Whoever
 * appends has asked for room before (skep_x86_room), so that the functions here cannot fail.
 */
#include <assert.h>

#include "base/macro.h"

enum {
    X86_RAX,
    X86_RCX,
    X86_RDX,
    X86_RBX,
    X86_RSP,
    X86_RBP,
    X86_RSI,
    X86_RDI,
    X86_R8,
    X86_R9,
    X86_R10,
    X86_R11,
    X86_R12,
    X86_R13,
    X86_R14,
    X86_R15,
};

/* Conditions, as in the lower bits of jcc. */
enum {
    X86_B = 2,
    X86_AE = 3,
    X86_E = 4,
    X86_NE = 5,
    X86_BE = 6,
    X86_A = 7,
    X86_L = 12,
    X86_GE = 13,
    X86_LE = 14,
    X86_G = 15,
};

/* Opcodes that take a register and a register or memory: "op rm, reg" (MR) or "op reg, rm" (RM). 0x0fNN: two bytes. */
enum {
    X86_ADD = 0x01,
    X86_OR = 0x09,
    X86_AND = 0x21,
    X86_SUB = 0x29,
    X86_XOR = 0x31,
    X86_CMP = 0x39,
    X86_TEST = 0x85,
    X86_MOV = 0x89,
    X86_XCHG = 0x87,
    X86_XADD = 0x0fc1,
    X86_CMPXCHG = 0x0fb1,
    X86_ADD_RM = 0x03,
    X86_SUB_RM = 0x2b,
    X86_CMP_RM = 0x3b,
    X86_IMUL_RM = 0x0faf,
    X86_LOAD = 0x8b,
    X86_LEA = 0x8d,
    X86_MOVSXD = 0x63,
    X86_MOVZX8 = 0x0fb6,
    X86_MOVZX16 = 0x0fb7,
    X86_MOVSX8 = 0x0fbe,
    X86_MOVSX16 = 0x0fbf,
};

/* The number of an arithmetic opcode in the forms with an immediate (0x81 /n). */
static inline unsigned skep_x86_digit(unsigned mr_opcode)
{
    return mr_opcode >> 3;
}

enum { X86_ROL = 0, X86_SHL = 4, X86_SHR = 5, X86_SAR = 7 };

struct skep_x86 {
    uint8_t *code;
    size_t len;
};

static inline void skep_x86_1(struct skep_x86 *x, unsigned b)
{
    x->code[x->len++] = (uint8_t)b;
}
static inline void skep_x86_4(struct skep_x86 *x, uint32_t v)
{
    memcpy(x->code + x->len, &v, sizeof(v));
    x->len += sizeof(v);
}
static inline void skep_x86_8(struct skep_x86 *x, uint64_t v)
{
    memcpy(x->code + x->len, &v, sizeof(v));
    x->len += sizeof(v);
}

static inline void skep_x86_rex(struct skep_x86 *x, bool wide, unsigned reg, unsigned rm, bool force)
{
    unsigned rex = 0x40 | (unsigned)wide << 3 | (reg >> 3) << 2 | rm >> 3;
    if (rex != 0x40 || force)
        skep_x86_1(x, rex);
}
static inline void skep_x86_opcode(struct skep_x86 *x, unsigned opcode)
{
    if (opcode > 0xff)
        skep_x86_1(x, opcode >> 8);
    skep_x86_1(x, opcode & 0xff);
}
static inline void skep_x86_modrm_reg(struct skep_x86 *x, unsigned reg, unsigned rm)
{
    skep_x86_1(x, 0xc0 | (reg & 7) << 3 | (rm & 7));
}
static inline void skep_x86_modrm_mem(struct skep_x86 *x, unsigned reg, unsigned base, int32_t disp)
{
    bool sib = (base & 7) == X86_RSP;
    unsigned mod = disp == 0 && (base & 7) != X86_RBP ? 0 : disp >= -128 && disp <= 127 ? 1 : 2;
    skep_x86_1(x, mod << 6 | (reg & 7) << 3 | (base & 7));
    if (sib)
        skep_x86_1(x, 0x24);
    if (mod == 1)
        skep_x86_1(x, (uint8_t)disp);
    else if (mod == 2)
        skep_x86_4(x, (uint32_t)disp);
}

/* op with two registers; which one is written is up to the opcode. */
static inline void skep_x86_rr(struct skep_x86 *x, bool wide, unsigned opcode, unsigned reg, unsigned rm)
{
    skep_x86_rex(x, wide, reg, rm, false);
    skep_x86_opcode(x, opcode);
    skep_x86_modrm_reg(x, reg, rm);
}
/* The same where rm is read as a byte. */
static inline void skep_x86_rr8(struct skep_x86 *x, bool wide, unsigned opcode, unsigned reg, unsigned rm)
{
    skep_x86_rex(x, wide, reg, rm, rm >= X86_RSP);
    skep_x86_opcode(x, opcode);
    skep_x86_modrm_reg(x, reg, rm);
}
/* op with a register and memory at base + disp. */
static inline void skep_x86_rm(struct skep_x86 *x, bool wide, unsigned opcode, unsigned reg, unsigned base,
                               int32_t disp)
{
    skep_x86_rex(x, wide, reg, base, false);
    skep_x86_opcode(x, opcode);
    skep_x86_modrm_mem(x, reg, base, disp);
}
/* dst = base + (index << shift); index is not rsp. */
static inline void skep_x86_lea_sum(struct skep_x86 *x, unsigned dst, unsigned base, unsigned index,
                                    unsigned shift)
{
    skep_x86_1(x, 0x48 | (dst >> 3) << 2 | (index >> 3) << 1 | base >> 3);
    skep_x86_1(x, X86_LEA);
    skep_x86_1(x, 0x44 | (dst & 7) << 3);
    skep_x86_1(x, shift << 6 | (index & 7) << 3 | (base & 7));
    skep_x86_1(x, 0);
}
static inline void skep_x86_mov(struct skep_x86 *x, bool wide, unsigned dst, unsigned src)
{
    skep_x86_rr(x, wide, X86_MOV, src, dst);
}
/* The shortest way to a number. */
static inline void skep_x86_mov_imm(struct skep_x86 *x, unsigned dst, uint64_t imm)
{
    if (imm == 0) {
        skep_x86_rr(x, false, X86_XOR, dst, dst);
    } else if (imm <= UINT32_MAX) {
        skep_x86_rex(x, false, 0, dst, false);
        skep_x86_1(x, 0xb8 | (dst & 7));
        skep_x86_4(x, (uint32_t)imm);
    } else if ((uint64_t)(int64_t)(int32_t)imm == imm) {
        skep_x86_rex(x, true, 0, dst, false);
        skep_x86_1(x, 0xc7);
        skep_x86_modrm_reg(x, 0, dst);
        skep_x86_4(x, (uint32_t)imm);
    } else {
        skep_x86_rex(x, true, 0, dst, false);
        skep_x86_1(x, 0xb8 | (dst & 7));
        skep_x86_8(x, imm);
    }
}
/* add, or, and, sub, xor, cmp (by their MR opcodes) with an immediate. */
static inline void skep_x86_alu_imm(struct skep_x86 *x, bool wide, unsigned opcode, unsigned dst, int32_t imm)
{
    bool byte = imm >= -128 && imm <= 127;
    skep_x86_rex(x, wide, 0, dst, false);
    skep_x86_1(x, byte ? 0x83 : 0x81);
    skep_x86_modrm_reg(x, skep_x86_digit(opcode), dst);
    if (byte)
        skep_x86_1(x, (uint8_t)imm);
    else
        skep_x86_4(x, (uint32_t)imm);
}
/* The same with memory. */
static inline void skep_x86_alu_mem_imm(struct skep_x86 *x, bool wide, unsigned opcode, unsigned base,
                                        int32_t disp, int32_t imm)
{
    bool byte = imm >= -128 && imm <= 127;
    skep_x86_rex(x, wide, 0, base, false);
    skep_x86_1(x, byte ? 0x83 : 0x81);
    skep_x86_modrm_mem(x, skep_x86_digit(opcode), base, disp);
    if (byte)
        skep_x86_1(x, (uint8_t)imm);
    else
        skep_x86_4(x, (uint32_t)imm);
}
static inline void skep_x86_test_imm(struct skep_x86 *x, bool wide, unsigned dst, int32_t imm)
{
    /* where the sign extension does not matter, the short form */
    skep_x86_rex(x, wide && imm < 0, 0, dst, false);
    skep_x86_1(x, 0xf7);
    skep_x86_modrm_reg(x, 0, dst);
    skep_x86_4(x, (uint32_t)imm);
}
/* not, neg, mul, imul, div, idiv: 0xf7 /digit. */
static inline void skep_x86_unary(struct skep_x86 *x, bool wide, unsigned digit, unsigned reg)
{
    skep_x86_rex(x, wide, 0, reg, false);
    skep_x86_1(x, 0xf7);
    skep_x86_modrm_reg(x, digit, reg);
}
static inline void skep_x86_imul_imm(struct skep_x86 *x, bool wide, unsigned dst, unsigned src, int32_t imm)
{
    bool byte = imm >= -128 && imm <= 127;
    skep_x86_rex(x, wide, dst, src, false);
    skep_x86_1(x, byte ? 0x6b : 0x69);
    skep_x86_modrm_reg(x, dst, src);
    if (byte)
        skep_x86_1(x, (uint8_t)imm);
    else
        skep_x86_4(x, (uint32_t)imm);
}
static inline void skep_x86_shift_imm(struct skep_x86 *x, bool wide, unsigned digit, unsigned dst,
                                      unsigned by)
{
    skep_x86_rex(x, wide, 0, dst, false);
    skep_x86_1(x, 0xc1);
    skep_x86_modrm_reg(x, digit, dst);
    skep_x86_1(x, by);
}
/* By the lower byte of rcx. */
static inline void skep_x86_shift_cl(struct skep_x86 *x, bool wide, unsigned digit, unsigned dst)
{
    skep_x86_rex(x, wide, 0, dst, false);
    skep_x86_1(x, 0xd3);
    skep_x86_modrm_reg(x, digit, dst);
}
/* shlx, shrx, sarx (BMI2): dst = src shifted by the register count. */
static inline void skep_x86_shiftx(struct skep_x86 *x, bool wide, unsigned digit, unsigned dst, unsigned src,
                                   unsigned count)
{
    unsigned pp = digit == X86_SHL ? 1 : digit == X86_SAR ? 2 : 3;
    skep_x86_1(x, 0xc4);
    skep_x86_1(x, (dst < 8 ? 0x80 : 0) | 0x40 | (src < 8 ? 0x20 : 0) | 2);
    skep_x86_1(x, (unsigned)wide << 7 | (~count & 15) << 3 | pp);
    skep_x86_1(x, 0xf7);
    skep_x86_modrm_reg(x, dst, src);
}
static inline void skep_x86_bswap(struct skep_x86 *x, bool wide, unsigned dst)
{
    skep_x86_rex(x, wide, 0, dst, false);
    skep_x86_1(x, 0x0f);
    skep_x86_1(x, 0xc8 | (dst & 7));
}
static inline void skep_x86_push(struct skep_x86 *x, unsigned reg)
{
    skep_x86_rex(x, false, 0, reg, false);
    skep_x86_1(x, 0x50 | (reg & 7));
}
static inline void skep_x86_pop(struct skep_x86 *x, unsigned reg)
{
    skep_x86_rex(x, false, 0, reg, false);
    skep_x86_1(x, 0x58 | (reg & 7));
}
static inline void skep_x86_ret(struct skep_x86 *x)
{
    skep_x86_1(x, 0xc3);
}
/* call or jmp through a register. */
static inline void skep_x86_call_reg(struct skep_x86 *x, unsigned reg)
{
    skep_x86_rex(x, false, 0, reg, false);
    skep_x86_1(x, 0xff);
    skep_x86_modrm_reg(x, 2, reg);
}
static inline void skep_x86_jmp_reg(struct skep_x86 *x, unsigned reg)
{
    skep_x86_rex(x, false, 0, reg, false);
    skep_x86_1(x, 0xff);
    skep_x86_modrm_reg(x, 4, reg);
}

/* Jumps whose distance is filled in by skep_x86_patch1() or skep_x86_patch4(); the position of the distance. */
static inline size_t skep_x86_jcc1(struct skep_x86 *x, unsigned cc)
{
    skep_x86_1(x, 0x70 | cc);
    skep_x86_1(x, 0);
    return x->len - 1;
}
static inline size_t skep_x86_jmp1(struct skep_x86 *x)
{
    skep_x86_1(x, 0xeb);
    skep_x86_1(x, 0);
    return x->len - 1;
}
static inline size_t skep_x86_jcc4(struct skep_x86 *x, unsigned cc)
{
    skep_x86_1(x, 0x0f);
    skep_x86_1(x, 0x80 | cc);
    skep_x86_4(x, 0);
    return x->len - 4;
}
static inline size_t skep_x86_jmp4(struct skep_x86 *x)
{
    skep_x86_1(x, 0xe9);
    skep_x86_4(x, 0);
    return x->len - 4;
}
static inline size_t skep_x86_call4(struct skep_x86 *x)
{
    skep_x86_1(x, 0xe8);
    skep_x86_4(x, 0);
    return x->len - 4;
}
static inline void skep_x86_patch1(struct skep_x86 *x, size_t at, size_t target)
{
    assert(target - (at + 1) + 128 < 256);
    x->code[at] = (uint8_t)(target - (at + 1));
}
static inline void skep_x86_patch4(struct skep_x86 *x, size_t at, size_t target)
{
    uint32_t distance = (uint32_t)(target - (at + 4));
    memcpy(x->code + at, &distance, sizeof(distance));
}
/* To a place that is known already. */
static inline void skep_x86_jcc_back(struct skep_x86 *x, unsigned cc, size_t target)
{
    if (x->len + 2 - target <= 128)
        skep_x86_patch1(x, skep_x86_jcc1(x, cc), target);
    else
        skep_x86_patch4(x, skep_x86_jcc4(x, cc), target);
}
static inline void skep_x86_jmp_back(struct skep_x86 *x, size_t target)
{
    if (x->len + 2 - target <= 128)
        skep_x86_patch1(x, skep_x86_jmp1(x), target);
    else
        skep_x86_patch4(x, skep_x86_jmp4(x), target);
}
#endif
