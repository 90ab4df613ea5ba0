/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_INTERP_INTERP_OP_H
#define SKEP_VM_INTERP_INTERP_OP_H
/*
 * What the interpreter executes: an op is an instruction, or two or three that often stand together, in the
 * form that is fastest to do. vm/interp/translate.c makes ops, vm/interp/interp.c does them; nobody else looks at them.
 *
 * Arithmetic has three operands (a = b OP c, a = b OP imm), so that a copy in front of it costs nothing. Ops
 * that have "_FRAME" in their name access the own frame at r10 + off and need no check. Joined ops are named
 * by their parts: LDXB_JEQ_IMM loads a byte and compares it with imm; ADD64_JLT_REG adds off to a and then
 * compares b with c. LDXB_AT is d = b + c; a = the byte at d + off; STXB_AT stores a there; imm is how many
 * slots behind the op's first instruction the access stands, for faults.
 *
 * cost is the fuel of the block that the op begins, else 0; whoever transfers control pays it, and BLOCK pays
 * it for those who run into a block from above.
 */
#include "isa/insn.h"
#include "vm/exec.h"

struct skep_interp_op {
    const void *code; /* address of the label */
    uint8_t a, b, c, d;
    uint32_t cost;
    union {
        int64_t imm;
        skep_vm_helper_fn helper;
    };
    const struct skep_interp_op *to; /* of jumps and calls */
    int32_t off;
    uint16_t
        slot; /* offset of the load slot in struct skep_exec; the store slot lies SKEP_STORE_SLOTS behind */
    uint16_t handler; /* enum skep_interp_handler */
};

#define SKEP_STORE_SLOTS (offsetof(struct skep_exec, store) - offsetof(struct skep_exec, load))

/* A translated program. */
struct skep_interp {
    uint32_t n_ops;
    uint32_t *insns;                         /* number of each op's (first) instruction */
    const struct skep_interp_op **functions; /* first op of each function */
    struct skep_interp_op *ops;
};

/* X(name, operator) */
#define SKEP_INTERP_ARITHMETIC(X) X(ADD, +) X(SUB, -) X(MUL, *) X(OR, |) X(AND, &) X(XOR, ^)
/* X(name) */
#define SKEP_INTERP_SHIFTS(X) X(LSH) X(RSH) X(ARSH)
#define SKEP_INTERP_DIVISIONS(X) X(DIV) X(MOD) X(SDIV) X(SMOD)
/* X(name, U: unsigned or S: signed, operator) */
#define SKEP_INTERP_CONDITIONS(X)                                                                            \
    X(JEQ, U, ==)                                                                                            \
    X(JNE, U, !=)                                                                                            \
    X(JGT, U, >)                                                                                             \
    X(JGE, U, >=)                                                                                            \
    X(JLT, U, <)                                                                                             \
    X(JLE, U, <=)                                                                                            \
    X(JSGT, S, >)                                                                                            \
    X(JSGE, S, >=)                                                                                           \
    X(JSLT, S, <)                                                                                            \
    X(JSLE, S, <=)                                                                                           \
    X(JSET, U, &)
/* X(letter, type, width) */
#define SKEP_INTERP_WIDTHS(X)                                                                                \
    X(B, uint8_t, SKEP_WIDTH_1)                                                                              \
    X(H, uint16_t, SKEP_WIDTH_2) X(W, uint32_t, SKEP_WIDTH_4) X(DW, uint64_t, SKEP_WIDTH_8)
#define SKEP_INTERP_SIGNED_WIDTHS(X)                                                                         \
    X(SB, int8_t, SKEP_WIDTH_1) X(SH, int16_t, SKEP_WIDTH_2) X(SW, int32_t, SKEP_WIDTH_4)

enum skep_interp_handler {
#define HANDLER(name) SKEP_DO_##name,
#include "vm/interp/interp.def"
#undef HANDLER
    SKEP_DO_MAX
};

/* Addresses of the labels, by handler; SKEP_DO_TRACE is the one that stands in front of all others in
 * traced runs. */
const void *const *skep_interp_labels(void);

/* Translates p; joined: with joined ops, else one op for each instruction. NULL: no memory. */
struct skep_interp *skep_interp_translate(const struct skep_vm_program *p, bool joined);
#endif
