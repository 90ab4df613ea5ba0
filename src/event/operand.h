/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_OPERAND_H
#define SKEP_EVENT_OPERAND_H
/*
 * The right side of a comparison: words that somebody wrote, read once in the light of the field's type, and
 * then compared with values of that type as often as events come. For event/where.c.
 *
 * Comparison is what a person means by it: a set of flags contains O_CREAT when the bit is set, an address is
 * in 10.0.0.0/8, one of the arguments equals -rf, 10ms is a number of nanoseconds.
 */
#include "event/value.h"

enum skep_op {
    SKEP_OP_EQ,
    SKEP_OP_NE,
    SKEP_OP_LT,
    SKEP_OP_LE,
    SKEP_OP_GT,
    SKEP_OP_GE,
    SKEP_OP_CONTAINS,
    SKEP_OP_STARTSWITH,
    SKEP_OP_ENDSWITH,
    SKEP_OP_GLOB,   /* * any bytes, also slashes; ? one byte; [a-z], [!a-z] */
    SKEP_OP_IN,     /* equal to one of several; for addresses also networks */
    SKEP_OP_EXISTS, /* without an operand */
};

struct skep_operand {
    uint64_t u;    /* numbers, sets, times */
    uint64_t mask; /* of a set: the bits that u speaks about */
    int64_t i;
    const char *s; /* the word, borrowed */
    size_t n;
    uint8_t ip[16]; /* an address as IPv6, IPv4 mapped */
    uint8_t prefix; /* length in bits, of the mapped form */
};

/* Whether op makes sense for type. */
bool skep_operand_allows(enum skep_type type, enum skep_op op);
/* Reads a word. 0, or -EINVAL; then *ret_expected says what could stand there ("a number"). */
int skep_operand_parse(enum skep_type type, enum skep_op op, const char *s, size_t n,
                       struct skep_operand *ret, const char **ret_expected);
/* Whether v, of the type that the operands were read for, compares true with one of them; with NE: with none.
 * scratch: a buffer that is overwritten. */
bool skep_operand_match(enum skep_op op, const struct skep_value *v, const struct skep_operand *operands,
                        size_t n, struct skep_strbuf *scratch);

bool skep_glob_match(const char *pattern, size_t n_pattern, const char *s, size_t n);
#endif
