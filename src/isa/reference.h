/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_REFERENCE_H
#define SKEP_ISA_REFERENCE_H
/*
 * The reference of the instruction set, from the table (isa/opcode.def) and the patterns (isa/syntax.h): what
 * `skep docs instructions` prints. Each operation with an example in both syntaxes, for dst r1, src r2,
 * offset or distance 8 and number 5.
 */
#include "base/json.h"
#include "isa/insn.h"

void skep_instructions_put_text(struct skep_strbuf *sb);
/* An array of objects {name, code, group, bits, slots, fields: {dst, src, off, imm}, c, mnemonic, doc}. A
 * field is the number that it must hold, or a word for what it is. name as in base/json.h. */
void skep_instructions_put_json(struct skep_json *j, const char *name);
#endif
