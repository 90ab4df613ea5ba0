/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_TOKEN_H
#define SKEP_ISA_TOKEN_H
/*
 * Assembly text in pieces: words, registers, numbers and operators of both syntaxes (isa/syntax.h).
 *
 * A statement ends at the end of a line or at a ;. What follows # or // on a line is a comment, and so is a
 * line whose first character that is not blank is a ; (as disassemblers show the lines of the source).
 * Operators are taken as long as they can be, with s> s>= s< s<= s/= s%= s>>= among them.
 */
#include "base/macro.h"

enum skep_token_kind {
    SKEP_TOKEN_EOF,
    SKEP_TOKEN_END, /* of a statement */
    SKEP_TOKEN_WORD,
    SKEP_TOKEN_REGISTER,
    SKEP_TOKEN_NUMBER,
    SKEP_TOKEN_OPERATOR,
    SKEP_TOKEN_BAD /* no character of the language, or a number that is none */
};

struct skep_token {
    enum skep_token_kind kind;
    size_t at, len;
    uint64_t number; /* registers, numbers */
    bool overflow;   /* the number needs more than 64 bits */
    bool hex;        /* it was written so */
    bool narrow;     /* w0 instead of r0 */
};

struct skep_tokens {
    const char *text;
    size_t len;
    size_t at;
    bool line_begins; /* nothing but blanks on this line so far */
};

void skep_tokens_init(struct skep_tokens *t, const char *text, size_t len);
void skep_tokens_next(struct skep_tokens *t, struct skep_token *ret);
#endif
