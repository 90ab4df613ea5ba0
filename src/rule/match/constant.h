/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_MATCH_CONSTANT_H
#define SKEP_RULE_MATCH_CONSTANT_H
/*
 * A constant of a condition, read as the type that it is compared with. Numbers are intervals: 5 is [5, 5], the range
 * 1-1023 is [1, 1023], and `< 5` will be [INT64_MIN, 4], so that one piece of code decides them all. Addresses are
 * networks: 10.0.0.1 is 10.0.0.1/32.
 */
#include "rule/field.h"

struct skep_constant {
    union {
        struct {
            const char *s;
            size_t n;
        } text;
        struct {
            int64_t lo, hi;
        } number; /* and BOOL */
        struct {
            uint8_t bytes[16]; /* 0 behind the prefix */
            uint8_t len;       /* 4 or 16 */
            uint8_t bits;
        } ip;
    };
};

/* s is NUL-terminated at n (but may hold NULs before). ranges: 1-1023 is one. Text is borrowed. false: ret_reason. */
bool skep_constant_read(enum skep_rule_type type, const char *s, size_t n, bool ranges,
                        struct skep_constant *ret, const char **ret_reason);

/* Sorted and each once; adjoining intervals become one, networks inside others go. The new number. */
size_t skep_constants_sort(enum skep_rule_type type, struct skep_constant *c, size_t n);

/* Whether a value is one of the sorted constants. */
bool skep_constants_have_text(const struct skep_constant *c, size_t n, const char *s, size_t len);
bool skep_constants_have_number(const struct skep_constant *c, size_t n, int64_t v);
bool skep_constants_have_ip(const struct skep_constant *c, size_t n, const void *ip, size_t len);
#endif
