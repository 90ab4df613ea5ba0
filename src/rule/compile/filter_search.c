/* SPDX-License-Identifier: Apache-2.0 */
/* Searching texts in the kernel: the verifier goes through every round of a loop, so there are few, and of few rounds. */
#include "rule/compile/filter.h"

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* The needle at [r1 + at], letters in either case; needle is in lower case. */
static void emit_folded(struct skep_build *b, int at, const char *s, size_t n, unsigned no)
{
    for (size_t i = 0; i < n; i += 8) {
        size_t left = MIN(n - i, (size_t)8);
        uint64_t want = 0, mask = 0;
        for (size_t k = 0; k < left; k++) {
            want |= (uint64_t)(uint8_t)s[i + k] << (8 * k);
            mask |= (uint64_t)(is_letter(s[i + k]) ? 0x20 : 0) << (8 * k);
        }
        skep_build_load(b, SKEP_OP_LDXDW, 0, 1, (int16_t)(at + (int)i));
        if (mask) {
            skep_build_mov(b, 5, mask);
            skep_build_reg(b, SKEP_OP_OR64_REG, 0, 5);
        }
        if (left < 8)
            skep_build_imm(b, SKEP_OP_LSH64_IMM, 0, (int32_t)(8 - left) * 8);
        skep_emit_jump(b, SKEP_OP_JNE_IMM, SKEP_OP_JNE_REG, 0, left < 8 ? want << (8 - left) * 8 : want, 5,
                       no);
    }
}

/* The needle at one of the 8 places from r1 on; r2 is the first of them, r3 the last where it can be. */
static void emit_places(struct skep_build *b, const struct skep_constant *c, bool fold,
                        const struct skep_filter_ways *to)
{
    for (int k = 0; k < 8; k++) {
        unsigned next = skep_build_label(b);
        skep_build_reg(b, SKEP_OP_MOV64_REG, 4, 2);
        skep_build_imm(b, SKEP_OP_ADD64_IMM, 4, k);
        skep_build_jump_reg(b, SKEP_OP_JGT_REG, 4, 3, to->no);
        if (fold)
            emit_folded(b, k, c->text.s, c->text.n, next);
        else
            skep_emit_bytes(b, 1, (int16_t)k, c->text.s, c->text.n, 0, 5, next);
        skep_build_jump(b, to->yes);
        skep_build_bind(b, next);
    }
}

/* dst = the word at [r1 + at], with 0 where it has the byte; r4 is written. */
static void find_byte(struct skep_build *b, int16_t at, unsigned dst, char c, bool fold)
{
    skep_build_load(b, SKEP_OP_LDXDW, dst, 1, at);
    if (fold && is_letter(c)) {
        skep_build_mov(b, 4, SKEP_EACH_BYTE(0x20));
        skep_build_reg(b, SKEP_OP_OR64_REG, dst, 4);
    }
    skep_build_mov(b, 4, SKEP_EACH_BYTE(c));
    skep_build_reg(b, SKEP_OP_XOR64_REG, dst, 4);
}

/* In rounds of 8 places: none of them has the needle where its first two bytes do not follow each other. */
static void emit_search(struct skep_filter_emit *e, const struct skep_constant *c, bool fold,
                        const struct skep_filter_ways *to)
{
    struct skep_build *b = e->b;
    if (c->text.n == 0) {
        skep_emit_goto(b, to->yes, to->fall);
        return;
    }
    if (e->loops++ >= SKEP_FILTER_LOOPS_MAX) {
        skep_emit_goto(b, to->unknown, to->fall);
        return;
    }
    unsigned round = skep_build_label(b), next = skep_build_label(b), found = skep_build_label(b);
    skep_build_jump_imm(b, SKEP_OP_JLT_IMM, 8, (int32_t)c->text.n, to->no);
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 8, SKEP_FILTER_SEARCH_MAX, to->unknown);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 3, 8);
    skep_build_imm(b, SKEP_OP_SUB64_IMM, 3, (int32_t)c->text.n);
    skep_build_mov(b, 2, 0);
    skep_build_bind(b, round);
    skep_build_jump_reg(b, SKEP_OP_JGT_REG, 2, 3, to->no);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 7);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 1, 2);
    find_byte(b, 0, 0, c->text.s[0], fold);
    if (c->text.n > 1) {
        find_byte(b, 1, 5, c->text.s[1], fold);
        skep_build_reg(b, SKEP_OP_OR64_REG, 0, 5);
    }
    skep_emit_any_zero(b);
    /* out of the way: the verifier keeps count of the ways that it has put off, and goes straight on first */
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 5, 0, found);
    skep_build_bind(b, next);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 2, 8);
    skep_build_jump_imm(b, SKEP_OP_JLT_IMM, 2, SKEP_FILTER_SEARCH_MAX, round);
    skep_build_jump(b, to->no);
    skep_build_bind(b, found);
    emit_places(b, c, fold, to);
    skep_build_jump(b, next);
}

void skep_filter_emit_searches(struct skep_filter_emit *e, const struct skep_atom *a,
                               const struct skep_filter_ways *to)
{
    for (size_t i = 0; i < a->n_values; i++) {
        bool last = i + 1 == a->n_values;
        unsigned next = last ? to->no : skep_build_label(e->b);
        struct skep_filter_ways ways = {to->yes, next, to->unknown, last ? to->fall : next};
        emit_search(e, &a->values[i], a->op == SKEP_ATOM_ICONTAINS, &ways);
        if (!last)
            skep_build_bind(e->b, next);
    }
}
