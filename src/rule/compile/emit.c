/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/emit.h"

#include "abi/config.h"

#include <assert.h>

void skep_emit_goto(struct skep_build *b, unsigned label, unsigned fall)
{
    if (label != fall)
        skep_build_jump(b, label);
}

void skep_emit_jump(struct skep_build *b, enum skep_opcode imm, enum skep_opcode reg, unsigned dst,
                    uint64_t value, unsigned tmp, unsigned label)
{
    if ((uint64_t)(int64_t)(int32_t)(uint32_t)value == value) {
        skep_build_jump_imm(b, imm, dst, (int32_t)(uint32_t)value, label);
    } else {
        skep_build_mov(b, tmp, value);
        skep_build_jump_reg(b, reg, dst, tmp, label);
    }
}

/* Up to 8 bytes as a number, the first the lowest. */
static uint64_t word_of(const char *s, size_t n)
{
    uint64_t w = 0;
    memcpy(&w, s, MIN(n, (size_t)8));
    return w;
}

static void jump_unless(struct skep_build *b, unsigned reg, uint64_t value, unsigned tmp, unsigned no)
{
    skep_emit_jump(b, SKEP_OP_JNE_IMM, SKEP_OP_JNE_REG, reg, value, tmp, no);
}

/* 1 to 7 bytes. Of a word that is read whole, what does not belong is pushed out at the top. */
static void emit_tail(struct skep_build *b, unsigned ptr, int16_t off, const char *s, size_t n, unsigned tmp,
                      unsigned tmp2, unsigned no)
{
    uint64_t w = word_of(s, n);
    if (n > 4) {
        int drop = (int)(8 - n) * 8;
        skep_build_load(b, SKEP_OP_LDXDW, tmp, ptr, off);
        skep_build_imm(b, SKEP_OP_LSH64_IMM, tmp, drop);
        jump_unless(b, tmp, w << drop, tmp2, no);
        return;
    }
    skep_build_load(b, n == 1 ? SKEP_OP_LDXB : n == 2 ? SKEP_OP_LDXH : SKEP_OP_LDXW, tmp, ptr, off);
    if (n == 3) {
        skep_build_imm(b, SKEP_OP_LSH32_IMM, tmp, 8);
        w <<= 8;
    }
    skep_build_jump_imm(b, SKEP_OP_JNE32_IMM, tmp, (int32_t)(uint32_t)w, no);
}

void skep_emit_bytes(struct skep_build *b, unsigned ptr, int16_t off, const char *s, size_t n, unsigned tmp,
                     unsigned tmp2, unsigned no)
{
    assert(n <= SKEP_PATH_MAX);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        skep_build_load(b, SKEP_OP_LDXDW, tmp, ptr, (int16_t)(off + (int)i));
        jump_unless(b, tmp, word_of(s + i, 8), tmp2, no);
    }
    if (i < n)
        emit_tail(b, ptr, (int16_t)(off + (int)i), s + i, n - i, tmp, tmp2, no);
}

void skep_emit_exact_bytes(struct skep_build *b, unsigned ptr, const char *s, size_t n, unsigned tmp,
                           unsigned tmp2, unsigned no)
{
    assert(n <= SKEP_PATH_MAX);
    if (n >= 8) { /* the last word may overlap the one before */
        size_t whole = n & ~(size_t)7;
        skep_emit_bytes(b, ptr, 0, s, whole, tmp, tmp2, no);
        if (whole < n)
            skep_emit_bytes(b, ptr, (int16_t)(n - 8), s + n - 8, 8, tmp, tmp2, no);
        return;
    }
    for (size_t i = 0; i < n;) {
        size_t step = n - i >= 4 ? 4 : n - i >= 2 ? 2 : 1;
        emit_tail(b, ptr, (int16_t)i, s + i, step, tmp, tmp2, no);
        i += step;
    }
}

/* ---- a text among constants ---- */

static int compare_len(const void *a, const void *b)
{
    const struct skep_emit_choice *x = a, *y = b;
    return (x->n > y->n) - (x->n < y->n);
}

static int compare_word(const void *a, const void *b)
{
    const struct skep_emit_choice *x = a, *y = b;
    return (x->word > y->word) - (x->word < y->word);
}

struct chooser {
    struct skep_build *b;
    const struct skep_emit_text *t;
    unsigned no;
};

static void choose_word(const struct chooser *h, struct skep_emit_choice *c, size_t n, size_t at);

/* c are of equal words up to at, and the word at is in tmp; they are sorted by it. */
static void choose_value(const struct chooser *h, struct skep_emit_choice *c, size_t n, size_t at)
{
    size_t same = 1;
    while (same < n && c[same].word == c[0].word)
        same++;
    if (same == n) {
        jump_unless(h->b, h->t->tmp, c[0].word, h->t->tmp2, h->no);
        choose_word(h, c, n, at + 8);
        return;
    }
    size_t mid = n / 2;
    while (mid < n && c[mid].word == c[mid - 1].word)
        mid++;
    if (mid == n)
        for (mid = n / 2; c[mid].word == c[mid - 1].word; mid--)
            ;
    unsigned upper = skep_build_label(h->b);
    skep_emit_jump(h->b, SKEP_OP_JGE_IMM, SKEP_OP_JGE_REG, h->t->tmp, c[mid].word, h->t->tmp2, upper);
    choose_value(h, c, mid, at);
    skep_build_bind(h->b, upper);
    choose_value(h, c + mid, n - mid, at);
}

/* c are of one length and equal up to at. */
static void choose_word(const struct chooser *h, struct skep_emit_choice *c, size_t n, size_t at)
{
    size_t len = c[0].n;
    if (at >= len) {
        skep_build_jump(h->b, c[0].label);
        return;
    }
    int drop = h->t->padded || len - at >= 8 ? 0 : (int)(8 - (len - at)) * 8;
    for (size_t i = 0; i < n; i++)
        c[i].word = word_of(c[i].s + at, len - at) << drop;
    qsort(c, n, sizeof(*c), compare_word);
    skep_build_load(h->b, SKEP_OP_LDXDW, h->t->tmp, h->t->ptr, (int16_t)at);
    if (drop)
        skep_build_imm(h->b, SKEP_OP_LSH64_IMM, h->t->tmp, drop);
    choose_value(h, c, n, at);
}

/* c are sorted by length; more than one length. */
static void choose_len(const struct chooser *h, struct skep_emit_choice *c, size_t n)
{
    if (c[0].n == c[n - 1].n) {
        skep_build_jump_imm(h->b, SKEP_OP_JNE_IMM, h->t->len, (int32_t)c[0].n, h->no);
        choose_word(h, c, n, 0);
        return;
    }
    size_t mid = n / 2;
    while (mid < n && c[mid].n == c[mid - 1].n)
        mid++;
    if (mid == n)
        for (mid = n / 2; c[mid].n == c[mid - 1].n; mid--)
            ;
    unsigned upper = skep_build_label(h->b);
    skep_build_jump_imm(h->b, SKEP_OP_JGE_IMM, h->t->len, (int32_t)c[mid].n, upper);
    choose_len(h, c, mid);
    skep_build_bind(h->b, upper);
    choose_len(h, c + mid, n - mid);
}

void skep_emit_choose(struct skep_build *b, const struct skep_emit_text *t, struct skep_emit_choice *choices,
                      size_t n, unsigned no)
{
    struct chooser h = {b, t, no};
    if (n == 0) {
        skep_build_jump(b, no);
        return;
    }
    qsort(choices, n, sizeof(*choices), compare_len);
    choose_len(&h, choices, n);
}

/* ---- numbers ---- */

static void emit_interval(struct skep_build *b, unsigned reg, unsigned tmp, const struct skep_constant *c,
                          bool above, const struct skep_branch *to)
{
    int64_t lo = c->number.lo, hi = c->number.hi;
    if (lo == hi) {
        if (to->fall == to->yes) {
            skep_emit_jump(b, SKEP_OP_JNE_IMM, SKEP_OP_JNE_REG, reg, (uint64_t)lo, tmp, to->no);
            return;
        }
        skep_emit_jump(b, SKEP_OP_JEQ_IMM, SKEP_OP_JEQ_REG, reg, (uint64_t)lo, tmp, to->yes);
        skep_emit_goto(b, to->no, to->fall);
        return;
    }
    if (!above && lo != INT64_MIN)
        skep_emit_jump(b, SKEP_OP_JSLT_IMM, SKEP_OP_JSLT_REG, reg, (uint64_t)lo, tmp, to->no);
    if (hi != INT64_MAX)
        skep_emit_jump(b, SKEP_OP_JSGT_IMM, SKEP_OP_JSGT_REG, reg, (uint64_t)hi, tmp, to->no);
    skep_emit_goto(b, to->yes, to->fall);
}

/* above: the number is known not to be below the first. */
static void emit_between(struct skep_build *b, unsigned reg, unsigned tmp, const struct skep_constant *c,
                         size_t n, bool above, const struct skep_branch *to)
{
    if (n == 1) {
        emit_interval(b, reg, tmp, c, above, to);
        return;
    }
    size_t mid = n / 2;
    unsigned upper = skep_build_label(b);
    skep_emit_jump(b, SKEP_OP_JSGE_IMM, SKEP_OP_JSGE_REG, reg, (uint64_t)c[mid].number.lo, tmp, upper);
    struct skep_branch lower = {to->yes, to->no, upper};
    emit_between(b, reg, tmp, c, mid, above, &lower);
    skep_build_bind(b, upper);
    emit_between(b, reg, tmp, c + mid, n - mid, true, to);
}

void skep_emit_intervals(struct skep_build *b, unsigned reg, unsigned tmp, const struct skep_constant *c,
                         size_t n, const struct skep_branch *to)
{
    if (n == 0)
        skep_emit_goto(b, to->no, to->fall);
    else
        emit_between(b, reg, tmp, c, n, false, to);
}

/* ---- addresses ---- */

static void emit_networks4(struct skep_build *b, unsigned ptr, int16_t off, const struct skep_constant *c,
                           size_t n, const struct skep_branch *to)
{
    _cleanup_free_ struct skep_constant *intervals = calloc(n, sizeof(*intervals));
    if (!intervals) {
        b->error = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t ip = (uint32_t)c[i].ip.bytes[0] << 24 | (uint32_t)c[i].ip.bytes[1] << 16 |
                      (uint32_t)c[i].ip.bytes[2] << 8 | c[i].ip.bytes[3];
        intervals[i].number.lo = ip;
        intervals[i].number.hi = ip | (uint32_t)(0xffffffffULL >> c[i].ip.bits);
    }
    skep_build_load(b, SKEP_OP_LDXW, 1, ptr, off);
    skep_build_one(b, SKEP_OP_BE32, 1);
    skep_emit_intervals(b, 1, 2, intervals, n, to);
}

/* Half of an address against half of a network. */
static void emit_half(struct skep_build *b, unsigned reg, const uint8_t *bytes, unsigned bits, unsigned other)
{
    if (bits == 0)
        return;
    uint64_t mask = __builtin_bswap64(bits >= 64 ? ~(uint64_t)0 : ~(~(uint64_t)0 >> bits));
    skep_build_reg(b, SKEP_OP_MOV64_REG, 3, reg);
    if (bits < 64) {
        skep_build_mov(b, 0, mask);
        skep_build_reg(b, SKEP_OP_AND64_REG, 3, 0);
    }
    jump_unless(b, 3, word_of((const char *)bytes, 8), 0, other);
}

static void emit_networks6(struct skep_build *b, unsigned ptr, int16_t off, const struct skep_constant *c,
                           size_t n, const struct skep_branch *to)
{
    /* the upper half first, in case ptr is the register of the lower one */
    skep_build_load(b, SKEP_OP_LDXDW, 2, ptr, (int16_t)(off + 8));
    skep_build_load(b, SKEP_OP_LDXDW, 1, ptr, off);
    for (size_t i = 0; i < n; i++) {
        unsigned next = skep_build_label(b), bits = c[i].ip.bits;
        emit_half(b, 1, c[i].ip.bytes, MIN(bits, 64U), next);
        emit_half(b, 2, c[i].ip.bytes + 8, bits > 64 ? bits - 64 : 0, next);
        skep_build_jump(b, to->yes);
        skep_build_bind(b, next);
    }
    skep_emit_goto(b, to->no, to->fall);
}

void skep_emit_networks(struct skep_build *b, unsigned ptr, int16_t off, unsigned len,
                        const struct skep_constant *c, size_t n, const struct skep_branch *to)
{
    /* sorted by length: those of 4 bytes come first */
    size_t first = 0, last;
    while (first < n && c[first].ip.len != len)
        first++;
    last = first;
    while (last < n && c[last].ip.len == len)
        last++;
    if (first == last)
        skep_emit_goto(b, to->no, to->fall);
    else if (len == 4)
        emit_networks4(b, ptr, off, c + first, last - first, to);
    else
        emit_networks6(b, ptr, off, c + first, last - first, to);
}

void skep_emit_any_zero(struct skep_build *b)
{
    skep_build_reg(b, SKEP_OP_MOV64_REG, 5, 0);
    skep_build_mov(b, 4, SKEP_EACH_BYTE(1));
    skep_build_reg(b, SKEP_OP_SUB64_REG, 5, 4);
    skep_build_imm(b, SKEP_OP_XOR64_IMM, 0, -1);
    skep_build_reg(b, SKEP_OP_AND64_REG, 5, 0);
    skep_build_mov(b, 4, SKEP_EACH_BYTE(0x80));
    skep_build_reg(b, SKEP_OP_AND64_REG, 5, 4);
}
