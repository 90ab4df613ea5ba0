/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_ISA_ASM_H
#define SKEP_ISA_ASM_H
/*
 * The assembler: text to instructions. Each line may be in either syntax (isa/syntax.h); docs/ASSEMBLY.md is
 * the grammar.
 *
 *     static const char text[] = "    r0 = 0\n"
 *                                "next: r0 += 2\n"
 *                                "    jlt %r0, 10, next\n"
 *                                "    exit\n";
 *     _cleanup_free_ struct skep_insn *insns = NULL;
 *     size_t n;
 *     _cleanup_diags_ struct skep_diags d;
 *     skep_diags_init(&d, "example");
 *     r = skep_asm(text, strlen(text), NULL, &d, &insns, &n);
 *     if (r < 0) ... skep_diags_put_text(&d, text, &sb);
 *
 * It writes what it is told to: whether the result is a program is the question of isa/check.h, so that bad
 * programs can be written too. For the same reason .word takes any slot. A label that is not defined and is
 * called exit means the first exit instruction, as in the conformance suite.
 *
 * After an error it goes on with the next statement. Input is bounded by SKEP_ASM_TEXT_MAX and
 * SKEP_ISA_INSNS_MAX. Nothing is shared: any thread may call.
 */
#include "base/diag.h"
#include "isa/insn.h"

#define SKEP_ASM_TEXT_MAX (16u << 20)

struct skep_asm_options {
    /* Number of the helper that is called name; false: there is none, and `call name` is a label. NULL: none.
     * */
    bool (*helper)(void *data, const char *name, size_t len, uint32_t *ret_number);
    void *data;
    /* Where to put an array of the offsets in the text that each slot comes from, the caller's to free, for
     * reports about the program later on. NULL: not wanted. */
    uint32_t **ret_offsets;
};

/* text[len] must be 0. o may be NULL. *ret_insns is the caller's to free and may be NULL when *ret_n is 0.
 * -EINVAL, -E2BIG: with diagnostics; -ENOMEM. */
int skep_asm(const char *text, size_t len, const struct skep_asm_options *o, struct skep_diags *d,
             struct skep_insn **ret_insns, size_t *ret_n);
#endif
