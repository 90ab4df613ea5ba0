/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TESTS_VM_GENERATE_H
#define SKEP_TESTS_VM_GENERATE_H
/*
 * Random programs that have the form of a program (isa/check.h) and mostly do something: what one way of running them
 * says, all others must say. The same seed gives the same program.
 *
 * GENERATE_PURE programs have no memory, calls or loops and begin by setting all registers: the kernel's verifier
 * accepts them. GENERATE_TAME ones touch memory and loop, but read nothing that a run without checks may see otherwise
 * (the fresh stack, registers after calls). GENERATE_WILD ones do anything. GENERATE_LOOP ones are made of loops that walk
 * over the memory and the stack, and often beyond (vm/stretch.h); some of them are in a function that is called.
 */
#include "isa/check.h"
#include "isa/insn.h"

enum generate_kind { GENERATE_PURE, GENERATE_TAME, GENERATE_WILD, GENERATE_LOOP };

#define GENERATE_MAX 96
#define GENERATE_BPF_LOOP 181
#define GENERATE_MEMORY 64 /* bytes in r1, and r2 = 64 */

struct generate {
    uint64_t state;
    struct skep_insn insns[GENERATE_MAX];
    size_t n;
};

static inline uint64_t generate_next(struct generate *g)
{
    uint64_t x = (g->state += 0x9e3779b97f4a7c15ULL);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}
static inline unsigned generate_below(struct generate *g, unsigned n)
{
    return (unsigned)(generate_next(g) >> 33) % n;
}

static inline int32_t generate_imm(struct generate *g)
{
    static const int32_t edges[] = {0,      1,       -1,         2,       3,         7,         8,
                                    10,     16,      31,         32,      33,        63,        64,
                                    65,     127,     128,        -128,    -129,      255,       256,
                                    0x7fff, -0x8000, 0xffff,     0x10000, INT32_MAX, INT32_MIN, INT32_MIN + 1,
                                    1000,   1000000, 0x55555555, -2,      -3,        -7,        -10};
    return generate_below(g, 3) ? edges[generate_below(g, ARRAY_SIZE(edges))] : (int32_t)generate_next(g);
}

static inline void generate_put(struct generate *g, struct skep_insn i)
{
    if (g->n < GENERATE_MAX)
        g->insns[g->n++] = i;
}

static inline void generate_lddw(struct generate *g, unsigned dst, uint64_t v)
{
    if (g->n + 2 > GENERATE_MAX)
        return;
    generate_put(g, skep_insn_make(SKEP_OP_LDDW, dst, 0, 0, (int32_t)v));
    generate_put(g, skep_insn_make_wide((int32_t)(v >> 32)));
}

static inline uint64_t generate_value(struct generate *g)
{
    switch (generate_below(g, 5)) {
    case 0:
        return generate_next(g);
    case 1:
        return (uint32_t)generate_next(g);
    case 2:
        return (uint64_t)1 << generate_below(g, 64);
    case 3:
        return ~((uint64_t)1 << generate_below(g, 64));
    default:
        return (uint64_t)(int64_t)generate_imm(g);
    }
}

/* Whether an operation belongs into a program of that kind. */
static inline bool generate_wants(enum generate_kind kind, enum skep_opcode op)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    switch (info->form) {
    case SKEP_FORM_ALU_IMM:
    case SKEP_FORM_ALU_REG:
    case SKEP_FORM_NEG:
    case SKEP_FORM_MOVSX:
    case SKEP_FORM_SWAP:
    case SKEP_FORM_JUMP_IMM:
    case SKEP_FORM_JUMP_REG:
        return true;
    case SKEP_FORM_LOAD:
    case SKEP_FORM_STORE_IMM:
    case SKEP_FORM_STORE_REG:
    case SKEP_FORM_ATOMIC:
    case SKEP_FORM_FETCH:
    case SKEP_FORM_XCHG:
    case SKEP_FORM_CMPXCHG:
    case SKEP_FORM_LOAD_ACQ:
    case SKEP_FORM_STORE_REL:
    case SKEP_FORM_JUMP:
        return kind != GENERATE_PURE;
    case SKEP_FORM_MAY_GOTO:
    case SKEP_FORM_CALL_HELPER:
    case SKEP_FORM_CALL_LOCAL:
    case SKEP_FORM_CALLX:
    case SKEP_FORM_EXIT:
    case SKEP_FORM_LDABS:
    case SKEP_FORM_LDIND:
        return kind == GENERATE_WILD;
    default:
        return false;
    }
}

/* An immediate that the kernel takes as well: it refuses what ours masks or gives a meaning. */
static inline int32_t generate_pure_imm(struct generate *g, enum skep_opcode op)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    int32_t imm = generate_imm(g);
    if (strstr(info->name, "LSH") || strstr(info->name, "RSH"))
        return (int32_t)generate_below(g, info->bits);
    if ((strstr(info->name, "DIV") || strstr(info->name, "MOD")) && imm == 0)
        return 1;
    return imm;
}

static inline void generate_insn(struct generate *g, enum generate_kind kind, size_t body)
{
    enum skep_opcode op;
    do
        op = 1 + generate_below(g, SKEP_OP_MAX - 1);
    while (!generate_wants(kind, op));
    const struct skep_opcode_info *info = skep_opcode_info(op);
    unsigned dst = generate_below(g, 10), src = generate_below(g, kind == GENERATE_PURE ? 10 : 11);
    int32_t imm = kind == GENERATE_PURE ? generate_pure_imm(g, op) : generate_imm(g);
    int off = 0;
    if (info->off.use == SKEP_FIELD_JUMP || info->imm.use == SKEP_FIELD_JUMP) {
        bool back = kind != GENERATE_PURE && generate_below(g, 8) == 0;
        off = back ? -(int)(1 + generate_below(g, 6)) : (int)generate_below(g, 6);
        if (info->imm.use == SKEP_FIELD_JUMP)
            imm = off;
    }
    if (info->off.use == SKEP_FIELD_MEMORY) {
        /* r9 is where the memory begins, unless the program has changed it; else the stack */
        bool store = info->flags & SKEP_OPF_STORE;
        bool stack = kind == GENERATE_WILD && generate_below(g, 3) == 0;
        unsigned base = stack                                                  ? 10
                        : generate_below(g, kind == GENERATE_WILD ? 12 : 1000) ? 9
                                                                               : generate_below(g, 11);
        off = stack ? -(int)generate_below(g, 64) - 1 : (int)generate_below(g, GENERATE_MEMORY - 7);
        if (generate_below(g, 4))
            off &= ~7;
        if (kind == GENERATE_WILD && generate_below(g, 40) == 0)
            off = (int16_t)generate_next(g);
        *(store ? &dst : &src) = base;
    }
    /* keep the memory's address most of the time */
    if (kind != GENERATE_PURE && dst == 9 && info->dst.use != SKEP_FIELD_READ && generate_below(g, 50))
        dst = 0;
    if (info->form == SKEP_FORM_FETCH || info->form == SKEP_FORM_XCHG)
        src = generate_below(g, 9);
    if (info->form == SKEP_FORM_CALL_HELPER)
        imm = (int32_t)generate_below(g, 8);
    if (info->form == SKEP_FORM_CALL_LOCAL)
        imm = (int32_t)(body - g->n); /* the function behind the body; see generate() */
    generate_put(g, skep_insn_make(op, dst, src, (int16_t)off, imm));
}

/* ---- loops: r9 is the memory; r7, r8 pointers; r1 to r3 counters; r4, r5 addresses ---- */

static inline int32_t generate_step(struct generate *g)
{
    static const int32_t steps[] = {1, 1, 1, 2, 3, 4, 8, 8, -1, -1, -4, -8, 0, 5, 16};
    return steps[generate_below(g, ARRAY_SIZE(steps))];
}

static inline void generate_access(struct generate *g, unsigned base)
{
    static const enum skep_opcode ops[] = {
        SKEP_OP_LDXB, SKEP_OP_LDXH, SKEP_OP_LDXW,        SKEP_OP_LDXDW,     SKEP_OP_LDXSB, SKEP_OP_LDXSW,
        SKEP_OP_STXB, SKEP_OP_STXH, SKEP_OP_STXW,        SKEP_OP_STXDW,     SKEP_OP_STB,   SKEP_OP_STW,
        SKEP_OP_LDXB, SKEP_OP_STXB, SKEP_OP_FETCH_ADD32, SKEP_OP_LOCK_OR64, SKEP_OP_STXB,  SKEP_OP_LDXDW,
    };
    const enum skep_opcode op = ops[generate_below(g, ARRAY_SIZE(ops))];
    const bool store = skep_opcode_info(op)->flags & SKEP_OPF_STORE;
    static const uint8_t values[] = {0, 6, 0, 6, 4, 5, 1, 2};
    unsigned value = values[generate_below(g, generate_below(g, 20) ? 6 : 8)];
    int off = generate_below(g, 3) ? 0 : (int)generate_below(g, 24) - 8;
    generate_put(g, store ? skep_insn_make(op, base, value, (int16_t)off, generate_imm(g))
                          : skep_insn_make(op, value, base, (int16_t)off, 0));
}

static inline void generate_idiom(struct generate *g, size_t top, size_t end)
{
    const unsigned counter = 1 + generate_below(g, 3), pointer = 7 + generate_below(g, 2);
    const unsigned to = 4 + generate_below(g, 2);
    switch (generate_below(g, 12)) {
    case 0:
    case 1:
    case 2: { /* base + counter */
        const unsigned base = generate_below(g, 4) ? 9 : 10;
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, to, generate_below(g, 2) ? base : pointer, 0, 0));
        if (base == 10)
            generate_put(g, skep_insn_make(SKEP_OP_ADD64_IMM, to, 0, 0, -(int)generate_below(g, 80)));
        generate_put(g, skep_insn_make(SKEP_OP_ADD64_REG, to, counter, 0, 0));
        generate_access(g, to);
        if (generate_below(g, 2))
            generate_access(g, to);
        break;
    }
    case 3: /* scaled */
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, to, counter, 0, 0));
        generate_put(g, skep_insn_make(SKEP_OP_LSH64_IMM, to, 0, 0, (int)generate_below(g, 5)));
        generate_put(
            g, skep_insn_make(generate_below(g, 8) ? SKEP_OP_ADD64_REG : SKEP_OP_SUB64_REG, to, 9, 0, 0));
        generate_access(g, to);
        break;
    case 4:
    case 5:
        generate_access(g, generate_below(g, 20) ? pointer : 10);
        break;
    case 6:
        generate_put(g, skep_insn_make(SKEP_OP_ADD64_IMM, counter, 0, 0, generate_step(g)));
        break;
    case 7:
        generate_put(g, skep_insn_make(SKEP_OP_ADD64_IMM, pointer, 0, 0, generate_step(g)));
        break;
    case 8: { /* over some of the body, or out of it */
        const bool out = generate_below(g, 3) == 0;
        const size_t target = out ? end + generate_below(g, 2) : g->n + 1 + generate_below(g, 5);
        const unsigned r = generate_below(g, 3) ? 0 : counter;
        generate_put(g, skep_insn_make(generate_below(g, 2) ? SKEP_OP_JSET_IMM : SKEP_OP_JEQ_IMM, r, 0,
                                       (int16_t)(target - g->n - 1), (int32_t)(1U << generate_below(g, 7))));
        break;
    }
    case 9: { /* once more, early; or over what nobody may come to */
        const unsigned how = generate_below(g, 4);
        if (how == 0)
            generate_put(g, skep_insn_make(SKEP_OP_JSET_IMM, 0, 0, (int16_t)(top - g->n - 1), 32));
        else if (how == 1)
            generate_put(g, skep_insn_make(SKEP_OP_JA, 0, 0, (int16_t)generate_below(g, 5), 0));
        break;
    }
    case 10:
        generate_put(g, skep_insn_make(SKEP_OP_ADD64_REG, 0, generate_below(g, 2) ? 6 : counter, 0, 0));
        break;
    default:
        if (generate_below(g, 3) == 0)
            generate_insn(g, GENERATE_TAME, end);
    }
}

static inline void generate_loop(struct generate *g)
{
    const unsigned counter = 1 + generate_below(g, 3);
    for (unsigned r = 1; r < 4; r++)
        if (generate_below(g, 2))
            generate_put(g, skep_insn_make(SKEP_OP_MOV64_IMM, r, 0, 0, (int)generate_below(g, 72) - 6));
    for (unsigned r = 7; r < 9; r++)
        if (generate_below(g, 3) == 0) {
            generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, r, generate_below(g, 3) ? 9 : 10, 0, 0));
            generate_put(g, skep_insn_make(SKEP_OP_ADD64_IMM, r, 0, 0, (int)generate_below(g, 72) - 40));
        }
    const size_t length = 4 + generate_below(g, 16);
    if (generate_below(g, 4) == 0) /* the loop is entered in its middle */
        generate_put(g, skep_insn_make(SKEP_OP_JA, 0, 0, (int16_t)generate_below(g, 4), 0));
    const size_t top = g->n, end = top + length;
    while (g->n + 2 < end)
        generate_idiom(g, top, end);
    generate_put(g, skep_insn_make(SKEP_OP_ADD64_IMM, counter, 0, 0, generate_step(g)));
    generate_put(g, skep_insn_make(generate_below(g, 2) ? SKEP_OP_JNE_IMM : SKEP_OP_JSLT_IMM, counter, 0,
                                   (int16_t)(top - g->n - 1), (int)generate_below(g, 80) - 8));
}

/* What follows is a function: one that is called, or that bpf_loop() calls back. */
static inline void generate_function(struct generate *g)
{
    const bool back = generate_below(g, 2);
    if (back) {
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_IMM, 1, 0, 0, (int)generate_below(g, 5)));
        generate_put(g, skep_insn_make(SKEP_OP_LDDW_CODE, 2, 0, 0, 5));
        generate_put(g, skep_insn_make_wide(0));
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, 3, generate_below(g, 2) ? 9 : 10, 0, 0));
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_IMM, 4, 0, 0, 0));
        generate_put(g, skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, GENERATE_BPF_LOOP));
    } else {
        generate_put(g, skep_insn_make(SKEP_OP_CALL_LOCAL, 0, 0, 0, 1));
    }
    generate_put(g, skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0));
    if (back && generate_below(g, 2))
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, 7, 2, 0, 0));
    generate_put(g, skep_insn_make(SKEP_OP_MOV64_IMM, 0, 0, 0, (int)generate_below(g, 16)));
    for (unsigned r = 3; back && r < 6; r++)
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_IMM, r, 0, 0, (int)generate_below(g, 16)));
}

static inline void generate_loops(struct generate *g)
{
    generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, 9, 1, 0, 0));
    for (unsigned r = 0; r < 9; r++)
        if (r == 7 || r == 8) {
            generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, r, 9, 0, 0));
            generate_put(g, skep_insn_make(SKEP_OP_ADD64_IMM, r, 0, 0, (int)generate_below(g, 64)));
        } else {
            generate_put(g, skep_insn_make(SKEP_OP_MOV64_IMM, r, 0, 0, (int)generate_below(g, 16)));
        }
    if (generate_below(g, 4) == 0)
        generate_function(g);
    for (unsigned i = 1 + generate_below(g, 2); i > 0; i--)
        generate_loop(g);
    generate_put(g, skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0));
    generate_put(g, skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0));
}

static inline void generate_mix(struct generate *g, enum generate_kind kind)
{
    if (kind == GENERATE_PURE) {
        for (unsigned r = 0; r < 10; r++)
            generate_lddw(g, r, generate_value(g));
    } else {
        generate_put(g, skep_insn_make(SKEP_OP_MOV64_REG, 9, 1, 0, 0));
        for (unsigned r = 0; r < 9; r++)
            if (generate_below(g, 2) || kind == GENERATE_TAME)
                generate_lddw(g, r, generate_value(g));
    }
    unsigned length = 4 + generate_below(g, 40);
    size_t body = g->n + length + 1; /* a function begins there */
    while (g->n + 1 < body)
        generate_insn(g, kind, body - 1);
    generate_put(g, skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0));
    if (kind == GENERATE_WILD) {
        for (unsigned i = generate_below(g, 8); i > 0; i--)
            generate_insn(g, kind, body - 1);
        generate_put(g, skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0));
    }
}

static inline void generate(struct generate *g, uint64_t seed, enum generate_kind kind)
{
    for (g->state = seed * 0x2545f4914f6cdd1dULL + 1;;) {
        g->n = 0;
        if (kind == GENERATE_LOOP)
            generate_loops(g);
        else
            generate_mix(g, kind);
        uint16_t ops[GENERATE_MAX];
        uint8_t marks[GENERATE_MAX];
        struct skep_insns_error error;
        if (skep_insns_check(g->insns, g->n, 0, ops, marks, NULL, &error) == 0)
            return;
    }
}
#endif
