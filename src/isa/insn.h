/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_INSN_H
#define SKEP_ISA_INSN_H
/*
 * An instruction of the eBPF machine: its form in memory, and which operation it is.
 *
 * struct skep_insn is the wire form, 8 bytes, little endian, as in objects and in the kernel. Which of the
 * operations of isa/opcode.def it is depends on code and, for some codes, on src, off or imm.
 * skep_insn_decode() finds it and is strict: a field that the operation does not use must be zero, so that
 * what is accepted has one meaning, now and when a later version of the instruction set gives the field one.
 * All else that works on programs switches over enum skep_opcode and never looks at code again.
 *
 * Wide operations (LDDW and its relatives) take two slots. The second slot is an instruction with code 0,
 * registers 0 and off 0 whose imm is the upper half of the number; it is no instruction of its own, and
 * skep_insn_decode() rejects it. skep_insn_decode_wide() checks it.
 *
 *     enum skep_opcode op;
 *     const char *reason;
 *     r = skep_insn_decode(&insn, &op, &reason);
 *     if (r < 0) ... reason: "unknown opcode"
 *     if (skep_opcode_info(op)->flags & SKEP_OPF_STORE) ...
 *
 * What is true of more than one instruction (targets of jumps, the end of the program) is isa/check.h's
 * business, and so are register numbers above 10. Everything here is constant: any thread may call.
 */
#include "base/macro.h"

/* Most slots of a program, everywhere. */
#define SKEP_ISA_INSNS_MAX 1000000

#define SKEP_REG_FRAME 10 /* r10, read only */
#define SKEP_REGS 11

struct skep_insn {
    uint8_t code;
    uint8_t regs; /* dst | src << 4 */
    int16_t off;
    int32_t imm;
};
_Static_assert(sizeof(struct skep_insn) == 8, "wire form");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the wire form is read and written as it is in memory");

static inline unsigned skep_insn_dst(const struct skep_insn *i)
{
    return i->regs & 15;
}
static inline unsigned skep_insn_src(const struct skep_insn *i)
{
    return i->regs >> 4;
}
static inline void skep_insn_set_dst(struct skep_insn *i, unsigned dst)
{
    i->regs = (uint8_t)((i->regs & 0xf0) | (dst & 15));
}
static inline void skep_insn_set_src(struct skep_insn *i, unsigned src)
{
    i->regs = (uint8_t)((i->regs & 0x0f) | (src & 15) << 4);
}
/* The number of an LDDW, from its two slots. */
static inline uint64_t skep_insn_imm64(const struct skep_insn slots[2])
{
    return (uint32_t)slots[0].imm | (uint64_t)(uint32_t)slots[1].imm << 32;
}

/* SKEP_OP_INVALID is 0. The numbers are for the inside of one process only. */
enum skep_opcode {
    SKEP_OP_INVALID,
#define SKEP_OP(name, ...) SKEP_OP_##name,
#define SKEP_OP_ALSO(name, ...) SKEP_OP_##name,
#include "isa/opcode.def"
#undef SKEP_OP
#undef SKEP_OP_ALSO
    SKEP_OP_MAX
};

enum skep_group {
    SKEP_GROUP_BASE32,
    SKEP_GROUP_BASE64,
    SKEP_GROUP_DIVMUL32,
    SKEP_GROUP_DIVMUL64,
    SKEP_GROUP_ATOMIC32,
    SKEP_GROUP_ATOMIC64,
    SKEP_GROUP_PACKET,
    SKEP_GROUP_CALLX,
    SKEP_GROUP_LINUX,
    SKEP_GROUP_MAX
};

/* How an operation is written; one shape of operands each. */
enum skep_form {
    SKEP_FORM_NONE,
    SKEP_FORM_ALU_IMM,
    SKEP_FORM_ALU_REG,
    SKEP_FORM_NEG,
    SKEP_FORM_MOVSX,
    SKEP_FORM_SWAP,
    SKEP_FORM_JUMP,
    SKEP_FORM_JUMP_IMM,
    SKEP_FORM_JUMP_REG,
    SKEP_FORM_MAY_GOTO,
    SKEP_FORM_CALL_HELPER,
    SKEP_FORM_CALL_LOCAL,
    SKEP_FORM_CALL_KFUNC,
    SKEP_FORM_CALLX,
    SKEP_FORM_EXIT,
    SKEP_FORM_LDDW,
    SKEP_FORM_LDDW_ID,   /* wide; a number; the second imm must be 0 */
    SKEP_FORM_LDDW_CODE, /* wide; a function; the second imm must be 0 */
    SKEP_FORM_LDDW_PAIR, /* wide; two numbers */
    SKEP_FORM_LOAD,
    SKEP_FORM_STORE_IMM,
    SKEP_FORM_STORE_REG,
    SKEP_FORM_ATOMIC,
    SKEP_FORM_FETCH,
    SKEP_FORM_XCHG,
    SKEP_FORM_CMPXCHG,
    SKEP_FORM_LOAD_ACQ,
    SKEP_FORM_STORE_REL,
    SKEP_FORM_LDABS,
    SKEP_FORM_LDIND,
    SKEP_FORM_MAX
};

/* What an operation does, beyond dst and src. */
enum {
    SKEP_OPF_WIDE = 1 << 0,       /* two slots */
    SKEP_OPF_JUMP = 1 << 1,       /* may go elsewhere within the function: off or imm is a distance */
    SKEP_OPF_FALLS = 1 << 2,      /* may go on with the next instruction */
    SKEP_OPF_CALL = 1 << 3,       /* r1..r5 read and lost, r0 written */
    SKEP_OPF_LOAD = 1 << 4,       /* reads memory at src (of atomics: dst) + off */
    SKEP_OPF_STORE = 1 << 5,      /* writes memory at dst + off */
    SKEP_OPF_ATOMIC = 1 << 6,     /* in one piece; the address must be aligned */
    SKEP_OPF_READS_R0 = 1 << 7,   /* exit, cmpxchg */
    SKEP_OPF_WRITES_R0 = 1 << 8,  /* calls, cmpxchg, packet loads */
    SKEP_OPF_PACKET = 1 << 9,     /* r6 is read, r1..r5 are lost */
    SKEP_OPF_ENDS_BLOCK = 1 << 10 /* what follows begins a block */
};

enum skep_field_use {
    SKEP_FIELD_FIXED, /* must be value */
    SKEP_FIELD_READ,  /* registers */
    SKEP_FIELD_WRITE,
    SKEP_FIELD_READ_WRITE,
    SKEP_FIELD_MEMORY, /* off: added to an address */
    SKEP_FIELD_NUMBER,
    SKEP_FIELD_HELPER,
    SKEP_FIELD_ID,      /* of a map, a variable or a kernel function */
    SKEP_FIELD_JUMP,    /* target = this + 1 + field */
    SKEP_FIELD_FUNCTION /* the same, a function's entry */
};
struct skep_insn_field {
    enum skep_field_use use;
    int value; /* FIXED */
};

enum skep_select { SKEP_SELECT_NONE, SKEP_SELECT_SRC, SKEP_SELECT_OFF, SKEP_SELECT_IMM };

struct skep_opcode_info {
    const char *name;     /* "ADD64_IMM" */
    const char *mnemonic; /* "add" */
    const char *symbol;   /* "+=" */
    const char *doc;
    uint32_t flags; /* SKEP_OPF_* */
    uint8_t code;
    uint8_t bits;
    enum skep_group group;
    enum skep_form form;
    enum skep_select select;
    struct skep_insn_field dst, src, off, imm;
};

extern const struct skep_opcode_info skep_opcode_infos[SKEP_OP_MAX];

/* Anything that is no operation gets the entry of SKEP_OP_INVALID: empty texts and no flags. */
static inline const struct skep_opcode_info *skep_opcode_info(enum skep_opcode op)
{
    return &skep_opcode_infos[(unsigned)op < SKEP_OP_MAX ? op : SKEP_OP_INVALID];
}
/* "base32", ... */
const char *skep_group_name(enum skep_group group);

/* Which operation i is; of a wide one, by its first slot. -EOPNOTSUPP: there is no such operation; -EINVAL: a
 * field that it does not use is not 0; with a reason that lives for ever. Register numbers do not
 * matter. */
int skep_insn_decode(const struct skep_insn *i, enum skep_opcode *ret_op, const char **reterr_reason);

/* Brings i to today's form if it is one that older compilers wrote: callx with the register in imm (clang
 * before 19). For who reads objects; decoding stays strict. True: i was changed. */
bool skep_insn_modernize(struct skep_insn *i);

/* Whether slot can be the second of a wide op; -EINVAL with the reason. */
int skep_insn_decode_wide(enum skep_opcode op, const struct skep_insn *slot, const char **reterr_reason);

/* The instruction (of a wide one, the first slot) with the fields that op leaves free set from the arguments
 * and the others to what op wants. skep_insn_decode() of it gives op. */
struct skep_insn skep_insn_make(enum skep_opcode op, unsigned dst, unsigned src, int16_t off, int32_t imm);
/* The second slot. */
struct skep_insn skep_insn_make_wide(int32_t imm);
#endif
