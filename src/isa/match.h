/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_MATCH_H
#define SKEP_ISA_MATCH_H
/*
 * A statement of assembly against the patterns of isa/syntax.h: which operation it writes and with which
 * fields. Part of the assembler.
 *
 * All patterns that could begin with the first token are tried, operations in the order of the table, aliases
 * last; the first that fits wins. When none does, what is reported is what was expected where the one got
 * stuck that came farthest.
 */
#include "isa/asm.h"
#include "isa/syntax.h"
#include "isa/token.h"

struct skep_pattern {
    enum skep_opcode op;
    enum skep_syntax syntax;
    const char *text;
};

/* Patterns by what they may begin with: a letter of a word, R for r1, W for w1, or the operator. */
struct skep_patterns {
    struct skep_pattern *list;
    uint32_t first[257]; /* those of key k are first[k] to first[k + 1] - 1 */
};

/* What a statement says. Fields of the instruction that the operation fixes are not set. */
struct skep_statement {
    enum skep_opcode op;
    unsigned dst, src;
    int16_t off;
    int32_t imm;
    int32_t next_imm;
    int64_t distance;               /* of a jump or function; only without a label */
    const struct skep_token *label; /* NULL: none */
};

int skep_patterns_init(struct skep_patterns *p);
void skep_patterns_clear(struct skep_patterns *p);

/* tokens: of one statement, the last of kind SKEP_TOKEN_END. False: adds a diagnostic. */
bool skep_statement_match(const struct skep_patterns *p, const char *text, const struct skep_token *tokens,
                          const struct skep_asm_options *o, struct skep_diags *d, struct skep_statement *ret);
#endif
