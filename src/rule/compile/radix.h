/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_RADIX_H
#define SKEP_RULE_COMPILE_RADIX_H
/*
 * Many texts that another one may be, begin with or end with, told apart by code: one look at the text says which of all
 * of them fit. Eight bytes at a time, as a number of which the byte that comes first weighs most: what begins with "/etc/"
 * is an interval of such numbers, so each step is a binary search among the ends of the intervals. Of what stands at the
 * end of a text, the last byte weighs most.
 *
 *     /etc/, /etc/pam.d/, = /etc/passwd        "/etc/pas" and 11 bytes, then "swd": class {/etc/, = /etc/passwd}
 *                                              "/etc/..." but none of the longer ones: class {/etc/}
 *
 * Each text has a tag (several may have the same); the set of the tags of those that fit is a class. Class 0 is the
 * empty set. Building it is separate from emitting it, since what is to be done for a class depends on its tags.
 *
 * How the bytes are found is the caller's: r7 and r8 are the text and its length (see rule/compile/filter.h).
 */
#include "isa/build.h"
#include "rule/compile/intern.h"

#define SKEP_RADIX_LEN_MAX 256    /* bytes of one text */
#define SKEP_RADIX_TEXTS_MAX 2000 /* of one radix */

struct skep_radix_text {
    const char *s; /* no NULs */
    size_t n;
    bool whole; /* the text is this one; else it begins (ends) with it. Not with from_end. */
    uint32_t tag;
};

/* Sorted tags. */
struct skep_radix_class {
    const uint32_t *tags;
    size_t n;
};

struct skep_radix {
    const struct skep_radix_node *root;
    struct skep_radix_class *classes; /* [0] is empty */
    size_t n_classes;
    bool from_end;
    size_t
        array; /* the text is an array of so many bytes that ends at its NUL, if it has one; 0: length in r8 */
};

/* array: see above, a multiple of 8; 0 with from_end. What cannot fit is left out. -E2BIG: the texts are too many, or one
 * is too long. */
int skep_radix_new(struct skep_arena *pool, const struct skep_radix_text *texts, size_t n, size_t array,
                   bool from_end, struct skep_radix **ret);

/* Emits r1 = eight bytes of the text, as they stand in memory: from its begin + at on, or those that end at its end - at.
 * May write r1 to r3. */
typedef void (*skep_radix_load)(void *context, size_t at);
/* Jumps to labels[class]. Writes r1 to r3. */
void skep_radix_emit(const struct skep_radix *x, struct skep_build *b, skep_radix_load load, void *context,
                     const unsigned *labels);
#endif
