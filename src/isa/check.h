/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_CHECK_H
#define SKEP_ISA_CHECK_H
/*
 * Whether a sequence of instructions has the form of a program, and where its blocks and functions are.
 *
 * This is what every program passes before anything runs it, whatever comes after (a verifier, or checks at
 * run time). It looks at no values, only at form, in time linear in the length:
 *
 *   - every instruction decodes (isa/insn.h), uses registers r0 to r10 and does not write r10;
 *   - wide instructions are whole, and nothing jumps into their second half;
 *   - jumps and calls stay inside of the program; a jump stays inside of its function;
 *   - neither a function nor the program can be left by running past its end.
 *
 * A function begins at instruction 0, at the entry, at the target of a local call and where an LDDW_CODE
 * points, and ends where the next one begins. A block begins at a function, at the target of a jump, and
 * after each jump, call and exit: a program that has entered a block runs all of it or ends, so that it is
 * enough to pay for the block at its beginning.
 *
 *     uint16_t ops[n]; uint8_t marks[n]; uint32_t costs[n];
 *     struct skep_insns_error error;
 *     r = skep_insns_check(insns, n, 0, ops, marks, costs, &error);
 *     if (r < 0) printf("instruction %u: %s", error.insn, error.message);
 *     for (i = 0; i < n; i++)
 *         if (!(marks[i] & SKEP_MARK_WIDE)) switch (ops[i]) ...
 */
#include "isa/insn.h"

enum {
    SKEP_MARK_WIDE = 1 << 0,  /* second slot of a wide instruction: not one of its own */
    SKEP_MARK_BLOCK = 1 << 1, /* a block begins */
    SKEP_MARK_FUNC = 1 << 2,  /* a function begins */
    SKEP_MARK_BACK = 1 << 3,  /* target of a jump from here or from below */
};

enum skep_insns_fault {
    SKEP_INSNS_EMPTY,     /* no instructions, or an entry outside of them */
    SKEP_INSNS_TOO_LONG,  /* more than SKEP_ISA_INSNS_MAX */
    SKEP_INSNS_OPCODE,    /* unknown operation */
    SKEP_INSNS_FIELD,     /* a field that is not used is not 0 */
    SKEP_INSNS_REGISTER,  /* no such register, or r10 written */
    SKEP_INSNS_WIDE,      /* a wide instruction that is cut off or has a bad second slot */
    SKEP_INSNS_JUMP,      /* to outside of the program or function, or into a wide instruction */
    SKEP_INSNS_CALL,      /* the same of calls and of addresses of functions */
    SKEP_INSNS_FALLS_OFF, /* the end can be passed */
    SKEP_INSNS_FAULT_MAX,
};

struct skep_insns_error {
    uint32_t insn; /* from 0, second slots count */
    enum skep_insns_fault fault;
    char message[160]; /* "jump to 17 is outside of the program (9 instructions)" */
};

/* "unknown-opcode", ...: for programs. */
const char *skep_insns_fault_name(enum skep_insns_fault fault);

/* Checks n instructions whose program begins at entry. ret_ops (enum skep_opcode; SKEP_OP_INVALID for second
 * slots), ret_marks and ret_costs have room for n each and hold anything after a failure. ret_costs: at the
 * beginning of a block the number of instructions in it (a wide one counts once), else 0; NULL: not wanted.
 * -EINVAL, -E2BIG. */
int skep_insns_check(const struct skep_insn *insns, size_t n, uint32_t entry, uint16_t *ret_ops,
                     uint8_t *ret_marks, uint32_t *ret_costs, struct skep_insns_error *reterr);

/* Where instruction i of operation op jumps to or what function it names, which may be anywhere; only for
 * operations with a field of use SKEP_FIELD_JUMP or SKEP_FIELD_FUNCTION. */
int64_t skep_insn_target(enum skep_opcode op, const struct skep_insn *insn, size_t i);
#endif
