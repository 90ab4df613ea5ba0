/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_BUILD_H
#define SKEP_ISA_BUILD_H
/*
 * Making a program instruction by instruction, for compilers: labels that may be bound later than they are
 * used, and no care about distances.
 *
 *     struct skep_build b;
 *     skep_build_init(&b, 4096);
 *     unsigned loop = skep_build_label(&b), done = skep_build_label(&b);
 *     skep_build_mov(&b, 0, 10);
 *     skep_build_bind(&b, loop);
 *     skep_build_jump_imm(&b, SKEP_OP_JEQ_IMM, 0, 0, done);
 *     skep_build_imm(&b, SKEP_OP_SUB64_IMM, 0, 1);
 *     skep_build_jump(&b, loop);
 *     skep_build_bind(&b, done);
 *     skep_build_exit(&b);
 *     r = skep_build_finish(&b, &insns, &n);
 *     skep_build_clear(&b);
 *
 * Errors stick: after one (no memory, more than the maximum) nothing is added any more, and finish() tells.
 * What only a mistake in the caller can bring about (an operation of another form, a register that is none, a
 * label that was not made) is asserted.
 *
 * finish() puts in the distances. A jump that is too far for 16 bits becomes a gotol; a conditional one
 * becomes three instructions, which the jumps across them take into account. A builder belongs to one thread
 * at a time.
 */
#include "isa/insn.h"

struct skep_build {
    struct skep_insn *insns;
    size_t n, cap, max;
    uint32_t *labels; /* the instruction, UINT32_MAX: not bound */
    size_t n_labels, cap_labels;
    struct skep_build_fixup *fixups; /* in the order of instructions */
    size_t n_fixups, cap_fixups;
    int error;
};

/* max: most slots, at most SKEP_ISA_INSNS_MAX. */
void skep_build_init(struct skep_build *b, size_t max);
void skep_build_clear(struct skep_build *b);

unsigned skep_build_label(struct skep_build *b);
/* label is the next instruction. At most once for each. */
void skep_build_bind(struct skep_build *b, unsigned label);

/* One for each kind of operands. op: an operation of the form that is named. */
void skep_build_imm(struct skep_build *b, enum skep_opcode op, unsigned dst, int32_t imm); /* ALU_IMM */
void skep_build_reg(struct skep_build *b, enum skep_opcode op, unsigned dst,
                    unsigned src);                                            /* ALU_REG, MOVSX */
void skep_build_one(struct skep_build *b, enum skep_opcode op, unsigned dst); /* NEG, SWAP */
/* LOAD, LOAD_ACQ */
void skep_build_load(struct skep_build *b, enum skep_opcode op, unsigned dst, unsigned src, int16_t off);
/* STORE_REG, STORE_REL, ATOMIC, FETCH, XCHG, CMPXCHG */
void skep_build_store(struct skep_build *b, enum skep_opcode op, unsigned dst, int16_t off, unsigned src);
/* STORE_IMM */
void skep_build_store_imm(struct skep_build *b, enum skep_opcode op, unsigned dst, int16_t off, int32_t imm);
/* LDABS (src 0), LDIND */
void skep_build_packet(struct skep_build *b, enum skep_opcode op, unsigned src, int32_t imm);
void skep_build_jump(struct skep_build *b, unsigned label);
void skep_build_jump_imm(struct skep_build *b, enum skep_opcode op, unsigned dst, int32_t imm,
                         unsigned label);
void skep_build_jump_reg(struct skep_build *b, enum skep_opcode op, unsigned dst, unsigned src,
                         unsigned label);
void skep_build_may_goto(struct skep_build *b, unsigned label);
void skep_build_call(struct skep_build *b, uint32_t helper);
void skep_build_call_label(struct skep_build *b, unsigned label);
void skep_build_call_kfunc(struct skep_build *b, int32_t id, int16_t off);
void skep_build_callx(struct skep_build *b, unsigned dst);
void skep_build_exit(struct skep_build *b);
/* LDDW, LDDW_ID (high 0), LDDW_PAIR */
void skep_build_wide(struct skep_build *b, enum skep_opcode op, unsigned dst, uint32_t low, uint32_t high);
/* LDDW_CODE */
void skep_build_code(struct skep_build *b, unsigned dst, unsigned label);
/* dst = value, by the shortest instruction that does it. */
void skep_build_mov(struct skep_build *b, unsigned dst, uint64_t value);

/* Hands the instructions over; the builder is to be cleared afterwards. -ENOMEM, -E2BIG, -ENOENT (a label was
 * used but not bound). */
int skep_build_finish(struct skep_build *b, struct skep_insn **ret_insns, size_t *ret_n);
/* After finish(): where label is. */
size_t skep_build_where(const struct skep_build *b, unsigned label);

#define _cleanup_build_ SKEP_CLEANUP(skep_build_clear)
#endif
