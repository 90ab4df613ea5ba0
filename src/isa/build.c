/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/build.h"

#include "base/array.h"

#include <assert.h>

#define UNBOUND UINT32_MAX

struct skep_build_fixup {
    uint32_t insn;
    uint32_t label;
    enum skep_opcode op;
    bool far; /* a conditional jump that takes FAR_SLOTS */
};

/* if ... goto +1; goto +1; gotol TARGET */
#define FAR_SLOTS 3
#define ROUNDS 16 /* of looking for jumps that became too far */

void skep_build_init(struct skep_build *b, size_t max)
{
    *b = (struct skep_build){.max = MIN(max, (size_t)SKEP_ISA_INSNS_MAX)};
}

void skep_build_clear(struct skep_build *b)
{
    free(b->insns);
    free(b->labels);
    free(b->fixups);
    skep_build_init(b, b->max);
}

/* Whether there is room for one more; without, the builder has failed. */
#define HAS_ROOM(b, list, n, room)                                                                           \
    (!(b)->error && ((b)->error = SKEP_ARRAY_RESERVE((b)->list, (b)->n, 1, (b)->room)) == 0)

static void add(struct skep_build *b, struct skep_insn insn)
{
    if (b->n >= b->max && !b->error)
        b->error = -E2BIG;
    if (HAS_ROOM(b, insns, n, cap))
        b->insns[b->n++] = insn;
}

static enum skep_form form_of(enum skep_opcode op)
{
    return skep_opcode_info(op)->form;
}

static void add_op(struct skep_build *b, enum skep_opcode op, unsigned dst, unsigned src, int16_t off,
                   int32_t imm)
{
    assert(dst < SKEP_REGS && src < SKEP_REGS);
    add(b, skep_insn_make(op, dst, src, off, imm));
}

/* The next instruction, of operation op, is about label. */
static void add_fixup(struct skep_build *b, enum skep_opcode op, unsigned label)
{
    assert(b->error || label < b->n_labels);
    if (HAS_ROOM(b, fixups, n_fixups, cap_fixups))
        b->fixups[b->n_fixups++] = (struct skep_build_fixup){(uint32_t)b->n, label, op, false};
}

unsigned skep_build_label(struct skep_build *b)
{
    if (!HAS_ROOM(b, labels, n_labels, cap_labels))
        return 0;
    b->labels[b->n_labels] = UNBOUND;
    return (unsigned)b->n_labels++;
}

void skep_build_bind(struct skep_build *b, unsigned label)
{
    if (b->error)
        return;
    assert(label < b->n_labels && b->labels[label] == UNBOUND);
    b->labels[label] = (uint32_t)b->n;
}

void skep_build_imm(struct skep_build *b, enum skep_opcode op, unsigned dst, int32_t imm)
{
    assert(form_of(op) == SKEP_FORM_ALU_IMM);
    add_op(b, op, dst, 0, 0, imm);
}

void skep_build_reg(struct skep_build *b, enum skep_opcode op, unsigned dst, unsigned src)
{
    assert(form_of(op) == SKEP_FORM_ALU_REG || form_of(op) == SKEP_FORM_MOVSX);
    add_op(b, op, dst, src, 0, 0);
}

void skep_build_one(struct skep_build *b, enum skep_opcode op, unsigned dst)
{
    assert(form_of(op) == SKEP_FORM_NEG || form_of(op) == SKEP_FORM_SWAP);
    add_op(b, op, dst, 0, 0, 0);
}

void skep_build_load(struct skep_build *b, enum skep_opcode op, unsigned dst, unsigned src, int16_t off)
{
    assert(form_of(op) == SKEP_FORM_LOAD || form_of(op) == SKEP_FORM_LOAD_ACQ);
    add_op(b, op, dst, src, off, 0);
}

void skep_build_store(struct skep_build *b, enum skep_opcode op, unsigned dst, int16_t off, unsigned src)
{
    assert(skep_opcode_info(op)->flags & SKEP_OPF_STORE && form_of(op) != SKEP_FORM_STORE_IMM);
    add_op(b, op, dst, src, off, 0);
}

void skep_build_store_imm(struct skep_build *b, enum skep_opcode op, unsigned dst, int16_t off, int32_t imm)
{
    assert(form_of(op) == SKEP_FORM_STORE_IMM);
    add_op(b, op, dst, 0, off, imm);
}

void skep_build_packet(struct skep_build *b, enum skep_opcode op, unsigned src, int32_t imm)
{
    assert(skep_opcode_info(op)->flags & SKEP_OPF_PACKET);
    add_op(b, op, 0, src, 0, imm);
}

void skep_build_jump(struct skep_build *b, unsigned label)
{
    add_fixup(b, SKEP_OP_JA, label);
    add_op(b, SKEP_OP_JA, 0, 0, 0, 0);
}

void skep_build_jump_imm(struct skep_build *b, enum skep_opcode op, unsigned dst, int32_t imm, unsigned label)
{
    assert(form_of(op) == SKEP_FORM_JUMP_IMM);
    add_fixup(b, op, label);
    add_op(b, op, dst, 0, 0, imm);
}

void skep_build_jump_reg(struct skep_build *b, enum skep_opcode op, unsigned dst, unsigned src,
                         unsigned label)
{
    assert(form_of(op) == SKEP_FORM_JUMP_REG);
    add_fixup(b, op, label);
    add_op(b, op, dst, src, 0, 0);
}

void skep_build_may_goto(struct skep_build *b, unsigned label)
{
    add_fixup(b, SKEP_OP_MAY_GOTO, label);
    add_op(b, SKEP_OP_MAY_GOTO, 0, 0, 0, 0);
}

void skep_build_call(struct skep_build *b, uint32_t helper)
{
    add_op(b, SKEP_OP_CALL_HELPER, 0, 0, 0, (int32_t)helper);
}

void skep_build_call_label(struct skep_build *b, unsigned label)
{
    add_fixup(b, SKEP_OP_CALL_LOCAL, label);
    add_op(b, SKEP_OP_CALL_LOCAL, 0, 0, 0, 0);
}

void skep_build_call_kfunc(struct skep_build *b, int32_t id, int16_t off)
{
    add_op(b, SKEP_OP_CALL_KFUNC, 0, 0, off, id);
}

void skep_build_callx(struct skep_build *b, unsigned dst)
{
    add_op(b, SKEP_OP_CALLX, dst, 0, 0, 0);
}

void skep_build_exit(struct skep_build *b)
{
    add_op(b, SKEP_OP_EXIT, 0, 0, 0, 0);
}

void skep_build_wide(struct skep_build *b, enum skep_opcode op, unsigned dst, uint32_t low, uint32_t high)
{
    assert(form_of(op) == SKEP_FORM_LDDW || form_of(op) == SKEP_FORM_LDDW_PAIR ||
           (form_of(op) == SKEP_FORM_LDDW_ID && high == 0));
    add_op(b, op, dst, 0, 0, (int32_t)low);
    add(b, skep_insn_make_wide((int32_t)high));
}

void skep_build_code(struct skep_build *b, unsigned dst, unsigned label)
{
    add_fixup(b, SKEP_OP_LDDW_CODE, label);
    add_op(b, SKEP_OP_LDDW_CODE, dst, 0, 0, 0);
    add(b, skep_insn_make_wide(0));
}

void skep_build_mov(struct skep_build *b, unsigned dst, uint64_t value)
{
    if (value <= UINT32_MAX)
        skep_build_imm(b, SKEP_OP_MOV32_IMM, dst, (int32_t)(uint32_t)value);
    else if ((uint64_t)(int64_t)(int32_t)(uint32_t)value == value)
        skep_build_imm(b, SKEP_OP_MOV64_IMM, dst, (int32_t)(uint32_t)value);
    else
        skep_build_wide(b, SKEP_OP_LDDW, dst, (uint32_t)value, (uint32_t)(value >> 32));
}

/* ---- distances ---- */

/* places[i]: where instruction i (up to and including n) lies when far jumps take their room. */
static void place(const struct skep_build *b, uint32_t *places)
{
    uint32_t shift = 0;
    size_t f = 0;
    for (size_t i = 0; i <= b->n; i++) {
        places[i] = (uint32_t)i + shift;
        for (; f < b->n_fixups && b->fixups[f].insn == i; f++)
            shift += b->fixups[f].far ? FAR_SLOTS - 1 : 0;
    }
}

static int64_t distance_of(const struct skep_build *b, const struct skep_build_fixup *f,
                           const uint32_t *places)
{
    return (int64_t)places[b->labels[f->label]] - places[f->insn] - 1;
}

static bool fits(int64_t distance)
{
    return distance >= INT16_MIN && distance <= INT16_MAX;
}

static bool is_conditional(enum skep_opcode op)
{
    return op != SKEP_OP_JA && skep_opcode_info(op)->flags & SKEP_OPF_JUMP;
}

/* Making one jump far may push others apart, so until nothing changes. Programs for which that takes long get
 * more far jumps than they need: a distance cannot grow to more than FAR_SLOTS times of what it was. */
static void place_all(struct skep_build *b, uint32_t *places)
{
    bool changed = true;
    for (unsigned round = 0; changed; round++) {
        changed = false;
        place(b, places);
        for (size_t i = 0; i < b->n_fixups; i++) {
            struct skep_build_fixup *f = &b->fixups[i];
            bool near = round < ROUNDS ? fits(distance_of(b, f, places))
                                       : fits(FAR_SLOTS * ((int64_t)b->labels[f->label] - f->insn - 1));
            if (!f->far && !near && is_conditional(f->op)) {
                f->far = true;
                changed = true;
            }
        }
    }
}

/* Writes the distance of f, whose instruction lies at out. */
static void write_fixup(const struct skep_build *b, const struct skep_build_fixup *f, const uint32_t *places,
                        struct skep_insn *out)
{
    int64_t distance = distance_of(b, f, places);
    if (f->far) {
        out[0].off = 1;
        out[1] = skep_insn_make(SKEP_OP_JA, 0, 0, 1, 0);
        out[2] = skep_insn_make(SKEP_OP_JA32, 0, 0, 0, (int32_t)(distance - 2));
    } else if (f->op == SKEP_OP_JA && !fits(distance)) {
        out[0] = skep_insn_make(SKEP_OP_JA32, 0, 0, 0, (int32_t)distance);
    } else if (skep_opcode_info(f->op)->off.use == SKEP_FIELD_JUMP) {
        out[0].off = (int16_t)distance;
    } else {
        out[0].imm = (int32_t)distance;
    }
}

int skep_build_finish(struct skep_build *b, struct skep_insn **ret_insns, size_t *ret_n)
{
    if (b->error)
        return b->error;
    for (size_t i = 0; i < b->n_fixups; i++) {
        if (b->labels[b->fixups[i].label] == UNBOUND)
            return -ENOENT;
    }
    _cleanup_free_ uint32_t *places = calloc(b->n + 1, sizeof(*places));
    if (!places)
        return -ENOMEM;
    place_all(b, places);
    size_t n = places[b->n];
    if (n > b->max)
        return -E2BIG;
    struct skep_insn *insns = calloc(MAX(n, (size_t)1), sizeof(*insns));
    if (!insns)
        return -ENOMEM;
    for (size_t i = 0; i < b->n; i++)
        insns[places[i]] = b->insns[i];
    for (size_t i = 0; i < b->n_fixups; i++)
        write_fixup(b, &b->fixups[i], places, &insns[places[b->fixups[i].insn]]);
    for (size_t i = 0; i < b->n_labels; i++) {
        if (b->labels[i] != UNBOUND)
            b->labels[i] = places[b->labels[i]];
    }
    b->error = -EALREADY; /* labels mean something else now */
    *ret_insns = insns;
    *ret_n = n;
    return 0;
}

size_t skep_build_where(const struct skep_build *b, unsigned label)
{
    assert(label < b->n_labels && b->labels[label] != UNBOUND);
    return b->labels[label];
}
