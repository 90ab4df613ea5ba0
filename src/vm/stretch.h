/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_STRETCH_H
#define SKEP_VM_STRETCH_H
/*
 * Stretches: pieces of a program whose accesses can be checked together, before any of them is made.
 *
 * A stretch is a loop without loops and calls in it, or a block. Within it, most addresses are sums of registers as they
 * were at its beginning (of a loop: of the iteration) and a constant:
 *
 *     r3 = r1;  r3 += r2;  r4 = *(u8 *)(r3 + 2);  r2 += 1;  if r2 != 256 goto ...        r1 + r2 + 2, by 1 in each iteration
 *
 * Accesses that differ only in the constant are a *group*: one comparison with the bounds of a region settles all of
 * them, and in a loop how many iterations fit into the region before the first that might not. The sums are exact modulo
 * 2^64, as the program's own arithmetic is, so nothing here can be fooled by an overflow.
 *
 * The JIT makes two versions of a stretch: one for when the groups fit, without their checks, and one that checks each
 * access by itself, for everything else: for iterations beyond, and to fault at the right instruction. Both hold the
 * program's registers in the same places, so that the first can hand over to the second before any instruction. Nothing in
 * a stretch can change what a run may touch: only calls do.
 *
 * Analysis looks at each instruction once (in a loop whose counters turn out not to be, a few times), and at no more than
 * SKEP_STRETCH_INSNS of them.
 */
#include "vm/program.h"

#define SKEP_STRETCH_INSNS 256
#define SKEP_STRETCH_GROUPS 6

struct skep_stretch_group {
    int32_t scale
        [SKEP_REGS];   /* 0, 1, 2, 4 or 8: the address is the sum of scale times register, and a constant */
    int32_t low, high; /* between the first byte and behind the last one */
    int32_t step;      /* what the address grows by in an iteration */
    uint32_t insn;     /* the first access */
    unsigned n;        /* accesses */
    bool write;
};

struct skep_stretch {
    uint32_t first, end; /* instructions; end is behind it */
    bool loop;           /* jumps to first are its iterations */
    bool moves;          /* a group has a step */
    uint32_t cost;       /* of the blocks that are in every iteration */
    unsigned n_groups;
    struct skep_stretch_group groups[SKEP_STRETCH_GROUPS];
    uint64_t covered[SKEP_STRETCH_INSNS / 64]; /* bit: the access is in a group */
    uint64_t always[SKEP_STRETCH_INSNS / 64];  /* bit: a block that is in every iteration begins */
    uint64_t joined[SKEP_STRETCH_INSNS / 64];  /* bit: a jump from inside goes there */
};

static inline bool skep_stretch_bit(const uint64_t *bits, const struct skep_stretch *s, uint32_t insn)
{
    const uint32_t n = insn - s->first;
    return bits[n / 64] >> (n % 64) & 1;
}

/* The stretch that begins with the block at first. False: there is none, or it would save nothing. */
bool skep_stretch_find(const struct skep_vm_program *p, uint32_t first, struct skep_stretch *ret);
#endif
