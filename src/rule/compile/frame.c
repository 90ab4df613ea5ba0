/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/frame.h"

#include "abi/event.h"

#include <assert.h>

/* The frame's part of the stack. */
#define CTX_AT (-SKEP_FRAME_BODY_STACK - 8)
#define KEY_AT (-SKEP_FRAME_BODY_STACK - 16)

/* Members of the slot, from the record in r6. */
#define FROM_RECORD(member)                                                                                  \
    ((int16_t)((int)offsetof(struct skep_scratch_slot, member) -                                             \
               (int)offsetof(struct skep_scratch_slot, record)))

/* What generated code calls in the kernel, by number; see bpf-helpers(7). */
enum {
    HELPER_MAP_LOOKUP = 1,
    HELPER_PROCESSOR = 8,
    HELPER_TAIL_CALL = 12,
};

static void map_address(struct skep_build *b, unsigned dst, uint32_t map)
{
    skep_build_wide(b, SKEP_OP_LDDW_MAP_IDX, dst, map, 0);
}

/* r0 = the element of map whose number stands at KEY_AT, or 0. */
static void lookup(struct skep_build *b, uint32_t map)
{
    map_address(b, 1, map);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, SKEP_REG_FRAME);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 2, KEY_AT);
    skep_build_call(b, HELPER_MAP_LOOKUP);
}

/* ---- kernel ---- */

/* Goes through the slots of this processor. Nobody gets here without one that waits; the exit is for the verifier. */
static void kernel_begin(const struct skep_frame *f, struct skep_build *b)
{
    unsigned found = skep_build_label(b), none = skep_build_label(b);
    skep_build_store(b, SKEP_OP_STXDW, SKEP_REG_FRAME, CTX_AT, 1);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 7, 1);
    skep_build_call(b, HELPER_PROCESSOR);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 8, 0);
    skep_build_imm(b, SKEP_OP_MUL64_IMM, 8, SKEP_SCRATCH_SLOTS);
    for (unsigned i = 0; i < SKEP_SCRATCH_SLOTS; i++) {
        skep_build_store(b, SKEP_OP_STXW, SKEP_REG_FRAME, KEY_AT, 8);
        lookup(b, f->scratch_map);
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, none);
        skep_build_reg(b, SKEP_OP_MOV64_REG, 6, 0);
        skep_build_load(b, SKEP_OP_LDXDW, 0, 6, offsetof(struct skep_scratch_slot, waiting));
        skep_build_jump_reg(b, SKEP_OP_JEQ_REG, 0, 7, found);
        skep_build_imm(b, SKEP_OP_ADD64_IMM, 8, 1);
    }
    skep_build_bind(b, none);
    skep_build_mov(b, 0, 0);
    skep_build_exit(b);
    skep_build_bind(b, found);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 6, offsetof(struct skep_scratch_slot, record));
}

/* The slot is free again. No barrier is needed: it never leaves its processor. */
static void kernel_give_up(struct skep_build *b)
{
    skep_build_mov(b, 1, 0);
    skep_build_store(b, SKEP_OP_STXDW, 6, FROM_RECORD(waiting), 1);
    skep_build_store(b, SKEP_OP_STXDW, 6, FROM_RECORD(busy), 1);
    skep_build_mov(b, 0, 0);
    skep_build_exit(b);
}

static void kernel_end(const struct skep_frame *f, struct skep_build *b, unsigned pass, unsigned drop)
{
    unsigned uncounted = skep_build_label(b);
    int16_t filtered =
        (int16_t)(FROM_RECORD(tally[0].filtered) + (int)(f->event * sizeof(struct skep_slot_tally)));
    skep_build_bind(b, drop);
    skep_build_load(b, SKEP_OP_LDXDW, 1, 6, filtered);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 1, 1);
    skep_build_store(b, SKEP_OP_STXDW, 6, filtered, 1);
    kernel_give_up(b);
    skep_build_bind(b, pass);
    skep_build_load(b, SKEP_OP_LDXDW, 1, SKEP_REG_FRAME, CTX_AT);
    map_address(b, 2, f->filters_map);
    skep_build_mov(b, 3, SKEP_FILTER_EMIT);
    skep_build_call(b, HELPER_TAIL_CALL);
    /* only if the slot is empty */
    skep_build_store_imm(b, SKEP_OP_STW, SKEP_REG_FRAME, KEY_AT, f->event);
    lookup(b, f->counters_map);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, uncounted);
    skep_build_mov(b, 1, 1);
    skep_build_store(b, SKEP_OP_LOCK_ADD64, 0, offsetof(struct skep_counters, lost[SKEP_LOST_no_emit]), 1);
    skep_build_bind(b, uncounted);
    kernel_give_up(b);
}

/* ---- test ---- */

static void test_begin(const struct skep_frame *f, struct skep_build *b)
{
    unsigned found = skep_build_label(b);
    skep_build_store_imm(b, SKEP_OP_STW, SKEP_REG_FRAME, KEY_AT, 0);
    lookup(b, f->scratch_map);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 0, 0, found);
    skep_build_exit(b);
    skep_build_bind(b, found);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 6, 0);
}

/* ---- all ---- */

bool skep_frame_sees(size_t off, size_t size)
{
#define MEMBER(m)                                                                                            \
    {                                                                                                        \
        offsetof(struct skep_hdr, m), offsetof(struct skep_hdr, m) + sizeof(((struct skep_hdr *)NULL)->m)    \
    }
    static const struct {
        size_t from, to;
    } unseen[] = {MEMBER(len),     MEMBER(seq),    MEMBER(time), MEMBER(start),
                  MEMBER(exec_id), MEMBER(cgroup), MEMBER(caps)};
#undef MEMBER
    for (size_t i = 0; i < ARRAY_SIZE(unseen); i++)
        if (off < unseen[i].to && off + size > unseen[i].from)
            return false;
    return true;
}

static void return_verdict(struct skep_build *b, unsigned pass, unsigned drop)
{
    skep_build_bind(b, drop);
    skep_build_mov(b, 0, 0);
    skep_build_exit(b);
    skep_build_bind(b, pass);
    skep_build_mov(b, 0, 1);
    skep_build_exit(b);
}

/* Bodies that never drop, or never pass, leave one of the ends unreachable, which the verifier refuses. These jumps
 * lead there; it finds that they are never taken, and removes them. */
static void reach_ends(struct skep_build *b, unsigned pass, unsigned drop)
{
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 6, 0, pass);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 6, 0, drop);
}

void skep_frame_begin(const struct skep_frame *f, struct skep_build *b, unsigned *ret_pass,
                      unsigned *ret_drop)
{
    *ret_pass = skep_build_label(b);
    *ret_drop = skep_build_label(b);
    switch (f->kind) {
    case SKEP_FRAME_ENGINE:
        skep_build_reg(b, SKEP_OP_MOV64_REG, 6, 1);
        break;
    case SKEP_FRAME_KERNEL:
        kernel_begin(f, b);
        reach_ends(b, *ret_pass, *ret_drop);
        break;
    case SKEP_FRAME_TEST:
        test_begin(f, b);
        reach_ends(b, *ret_pass, *ret_drop);
        break;
    }
}

void skep_frame_ask_late(const struct skep_frame *f, struct skep_build *b, unsigned pass)
{
    if (f->kind != SKEP_FRAME_KERNEL)
        return;
    unsigned there = skep_build_label(b);
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, FROM_RECORD(late));
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 1, SKEP_LATE_NO, there);
    skep_build_store_imm(b, SKEP_OP_STW, 6, FROM_RECORD(late), SKEP_LATE_ASKED);
    skep_build_jump(b, pass);
    skep_build_bind(b, there);
}

void skep_frame_end(const struct skep_frame *f, struct skep_build *b, unsigned pass, unsigned drop)
{
    if (f->kind == SKEP_FRAME_KERNEL)
        kernel_end(f, b, pass, drop);
    else
        return_verdict(b, pass, drop);
}
