/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_EMIT_H
#define SKEP_RULE_COMPILE_EMIT_H
/*
 * Code that the exact programs (U) and the filters (K) have in common: comparing bytes, finding a text among constants
 * without a map, finding a number among intervals.
 *
 * All of it branches: it ends at one of two labels, and the one that is bound next (fall) need not be jumped to. The
 * bytes of a text are at [ptr], which may be read up to a multiple of 8 behind the length; what stands there is zero
 * (padded) or not known. Registers that are written are named in the arguments.
 */
#include "isa/build.h"
#include "rule/match/constant.h"

/* Where a condition leads. */
struct skep_branch {
    unsigned yes, no, fall;
};

/* Goes to label unless it follows. */
void skep_emit_goto(struct skep_build *b, unsigned label, unsigned fall);
/* Jumps when dst OP value, with a constant of any size; tmp is written when it is large. */
void skep_emit_jump(struct skep_build *b, enum skep_opcode imm, enum skep_opcode reg, unsigned dst,
                    uint64_t value, unsigned tmp, unsigned label);

/* Falls through when the n bytes at [ptr + off] are those; else goes to no. n at most SKEP_PATH_MAX. */
void skep_emit_bytes(struct skep_build *b, unsigned ptr, int16_t off, const char *s, size_t n, unsigned tmp,
                     unsigned tmp2, unsigned no);
/* The same without reading behind the bytes. */
void skep_emit_exact_bytes(struct skep_build *b, unsigned ptr, const char *s, size_t n, unsigned tmp,
                           unsigned tmp2, unsigned no);

/* A text among constants: one label each, no when it is none of them. */
struct skep_emit_choice {
    const char *s;
    size_t n;
    unsigned label;
    uint64_t word; /* for the emitter */
};
struct skep_emit_text {
    unsigned ptr, len, tmp, tmp2;
    bool padded;
};
/* Sorts choices. */
void skep_emit_choose(struct skep_build *b, const struct skep_emit_text *t, struct skep_emit_choice *choices,
                      size_t n, unsigned no);

/* Whether the number in reg is in one of the sorted intervals; tmp is written. */
void skep_emit_intervals(struct skep_build *b, unsigned reg, unsigned tmp, const struct skep_constant *c,
                         size_t n, const struct skep_branch *to);

/* Whether the address at [ptr], of 4 or 16 bytes, is in one of the sorted networks of that length. r0 to r3 are
 * written. */
void skep_emit_networks(struct skep_build *b, unsigned ptr, int16_t off, unsigned len,
                        const struct skep_constant *c, size_t n, const struct skep_branch *to);

#define SKEP_EACH_BYTE(c) (0x0101010101010101ULL * (uint8_t)(c))
/* r5 != 0 if one of the bytes of r0 may be 0 (bytes above one that is may seem so, too); r0 and r4 are written. */
void skep_emit_any_zero(struct skep_build *b);
#endif
