/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COMPILE_PRUNE_H
#define SKEP_RULE_COMPILE_PRUNE_H
/*
 * What a generated program has to be freed of before a kernel takes it: instructions that are never reached, which the
 * verifier refuses. Emitters end some ways twice, and it is simpler to take the second end away here than to keep every
 * one of them from being written. One function, without calls of its own functions.
 */
#include "isa/insn.h"

/* Takes them out of insns in place; *n is the new length. -E2BIG: a jump is longer than the 16 bits that kernels before
 * 6.6 know; -ENOMEM. */
int skep_prune(struct skep_insn *insns, size_t *n);
/* The most conditional jumps on one way through the program, a loop counting as so many: the verifier puts one way off
 * for each that it passes. -ENOMEM. */
int skep_prune_branches(const struct skep_insn *insns, size_t n, size_t loop, size_t *ret);
#endif
