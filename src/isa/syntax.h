/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_SYNTAX_H
#define SKEP_ISA_SYNTAX_H
/*
 * How each operation is written, as data: a pattern for each form (isa/insn.h) in each syntax. The
 * disassembler prints a pattern, the assembler matches it, the reference shows it; so they agree.
 *
 * A pattern is text as it is printed, in which $ and a letter stand for a part of the instruction. Matching
 * goes by tokens (isa/token.h): blanks in a pattern matter only to the printer.
 *
 *     $M mnemonic   $Y symbol   $T type of the width of the operation: u32
 *     $D $S register dst or src under the name of the operation's width: r1 or w1
 *     $d $s register dst or src as an address, or else as a whole: r1
 *     $P $p $V $v register dst or src where either name is taken; P and p are printed as r1, V and v by width
 *     $X r0 or w0, by width
 *     $I number in imm     $Q number of 64 bits     $N offset in the second imm, may be absent
 *     $O offset behind a register, may be absent    $K ", off" behind an id, may be absent
 *     $J target of a jump  $F function  $H helper   $L "ll"   $l "ll", taken but not printed
 *
 * In SKEP_SYNTAX_MNEMONIC registers are %r1 whatever the width; r1 is taken too.
 */
#include "isa/insn.h"

enum skep_syntax {
    SKEP_SYNTAX_C,        /* r0 += 1: that of the RFC's tables, of clang and of the kernel's log */
    SKEP_SYNTAX_MNEMONIC, /* add %r0, 1: that of the conformance suite */
    SKEP_SYNTAX_MAX
};

/* The pattern that op is printed by. op must not be SKEP_OP_INVALID. */
const char *skep_syntax_pattern(enum skep_syntax syntax, enum skep_opcode op);

/* Other ways to write an operation that the assembler takes. */
struct skep_syntax_alias {
    enum skep_opcode op;
    enum skep_syntax syntax;
    const char *pattern;
};
extern const struct skep_syntax_alias skep_syntax_aliases[];
extern const size_t skep_n_syntax_aliases;
#endif
