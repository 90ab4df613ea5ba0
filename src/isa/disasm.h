/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_DISASM_H
#define SKEP_ISA_DISASM_H
/*
 * Instructions as text, in either syntax (isa/syntax.h). Assembling the text gives the same slots again,
 * whatever they hold: what is no instruction, and what cannot be written (a register above r10), becomes
 *
 *     .word 0x00000000000000ff  # unknown opcode
 *
 * that is, the slot as a number of 64 bits with the reason behind it. Names that somebody knows for helpers,
 * maps and functions stand in comments, so that the text means the same to an assembler that does not know
 * them.
 *
 *     struct skep_disasm_options o = {.syntax = SKEP_SYNTAX_C, .labels = true};
 *     skep_disasm(insns, n, &o, &sb);
 *
 *     r1 = 0
 *     L1:
 *     r1 += 1
 *     if r1 != 10 goto L1
 *     exit
 */
#include "base/strbuf.h"
#include "isa/syntax.h"

struct skep_disasm_options {
    enum skep_syntax syntax;
    bool labels;  /* targets as L5 and, of functions, F5 (5: the instruction); else as +3 */
    bool numbers; /* "  5: " in front of each instruction; the assembler takes and compares them */
    /* What to say about instruction i (of two slots when it is wide): goes behind it as a comment, as far as
     * it is printable. NULL from it: nothing. */
    const char *(*comment)(void *data, size_t i, enum skep_opcode op, const struct skep_insn *slots);
    /* May append lines in front of slot i, such as the source that it comes from; each must begin with ; or
     * #, which makes it a comment. NULL: none. */
    void (*before)(void *data, size_t i, struct skep_strbuf *sb);
    void *data;
};

/* Appends the instruction at slot i without a line end and without comment; jumps as distances. Returns how
 * many slots it took, 1 or 2. */
size_t skep_disasm_insn(const struct skep_insn *insns, size_t n, size_t i, enum skep_syntax syntax,
                        struct skep_strbuf *sb);

/* Appends all n slots, a line each. o NULL: C syntax, distances. -ENOMEM; sb->failed tells of what did not
 * fit. */
int skep_disasm(const struct skep_insn *insns, size_t n, const struct skep_disasm_options *o,
                struct skep_strbuf *sb);
#endif
