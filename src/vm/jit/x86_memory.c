/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/jit/x86.h"

/* Where an access goes, and what of it the code has to prove. */
struct access {
    unsigned base; /* native register */
    int32_t disp;
    unsigned width; /* SKEP_WIDTH_* */
    bool write;
};

static unsigned width_of(unsigned bits)
{
    return (unsigned)__builtin_ctz(bits) - 3;
}

static void check_slot(struct skep_jit *j, const struct access *a)
{
    struct skep_x86 *x = &j->x;
    size_t slot = a->write ? offsetof(struct skep_exec, store) : offsetof(struct skep_exec, load);
    slot += j->insn % SKEP_SLOTS * sizeof(struct skep_slot);
    if (a->disp)
        skep_x86_rm(x, true, X86_LEA, X86_R10, a->base, a->disp);
    else
        skep_x86_mov(x, true, X86_R10, a->base);
    skep_x86_rm(x, true, X86_SUB_RM, X86_R10, X86_R12, (int32_t)(slot + offsetof(struct skep_slot, base)));
    skep_x86_rm(x, true, X86_CMP_RM, X86_R10, X86_R12,
                (int32_t)(slot + offsetof(struct skep_slot, fit) + 8 * a->width));
    const size_t misses = skep_x86_jcc4(x, X86_AE);
    if (j->stretch) {
        skep_jit_stretch_leave(j, misses);
        return;
    }
    struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_CHECK, misses);
    if (c) {
        c->base = (uint8_t)a->base;
        c->disp = a->disp;
        c->width = (uint8_t)a->width;
        c->write = a->write;
        c->back = x->len;
    }
}

bool skep_jit_in_frame(const struct skep_jit *j, unsigned reg, int32_t disp, uint32_t size)
{
    if (reg != SKEP_REG_FRAME && !(j->in_frame & 1u << reg))
        return false;
    int64_t at = (reg == SKEP_REG_FRAME ? 0 : (int64_t)j->frame_at[reg]) + disp;
    return at >= -SKEP_FRAME_SIZE && at <= -(int64_t)size;
}

void skep_jit_check_load(struct skep_jit *j, unsigned reg, unsigned width)
{
    if (j->checked && !skep_jit_in_frame(j, reg, 0, 1u << width))
        check_slot(j, &(struct access){skep_jit_native[reg], 0, width, false});
}

void skep_jit_track_frame(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    const unsigned dst = skep_insn_dst(insn), src = skep_insn_src(insn);
    const uint32_t arguments = 0x3f; /* r0 to r5 */
    if (info->flags & (SKEP_OPF_CALL | SKEP_OPF_PACKET)) {
        j->in_frame &= ~arguments;
    } else if (op == SKEP_OP_MOV64_REG && (src == SKEP_REG_FRAME || j->in_frame & 1u << src)) {
        j->in_frame |= 1u << dst;
        j->frame_at[dst] = src == SKEP_REG_FRAME ? 0 : j->frame_at[src];
    } else if (op == SKEP_OP_ADD64_IMM) {
        /* beyond this it is no frame any more, and the sum stays a number */
        if (__builtin_add_overflow(j->frame_at[dst], insn->imm, &j->frame_at[dst]))
            j->in_frame &= ~(1u << dst);
    } else {
        if (info->dst.use == SKEP_FIELD_WRITE || info->dst.use == SKEP_FIELD_READ_WRITE)
            j->in_frame &= ~(1u << dst);
        if (info->src.use == SKEP_FIELD_READ_WRITE)
            j->in_frame &= ~(1u << src);
        if (info->flags & SKEP_OPF_WRITES_R0)
            j->in_frame &= ~1u;
    }
}

/* Unless the slot covers it, the access goes the slow way first. False: it can only fault. */
static bool check(struct skep_jit *j, unsigned reg, const struct access *a)
{
    struct skep_x86 *x = &j->x;
    if (!j->checked)
        return true;
    if (skep_jit_in_frame(j, reg, a->disp, 1u << a->width))
        return true;
    if (j->stretch && skep_stretch_bit(j->stretch->s.covered, &j->stretch->s, j->insn))
        return true;
    if (reg == SKEP_REG_FRAME && j->stretch) {
        skep_jit_stretch_leave(j, skep_x86_jmp4(x));
        return false;
    }
    if (reg == SKEP_REG_FRAME) {
        struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_FRAME, skep_x86_jmp4(x));
        if (c) {
            c->base = (uint8_t)a->base;
            c->disp = a->disp;
            c->write = a->write;
        }
        return false;
    }
    check_slot(j, a);
    return true;
}

static void load(struct skep_jit *j, unsigned bits, bool sign, unsigned dst, const struct access *a)
{
    static const unsigned zero[] = {X86_MOVZX8, X86_MOVZX16, X86_LOAD, X86_LOAD};
    static const unsigned extend[] = {X86_MOVSX8, X86_MOVSX16, X86_MOVSXD, X86_LOAD};
    skep_x86_rm(&j->x, sign || bits == 64, (sign ? extend : zero)[a->width], dst, a->base, a->disp);
}

static void store_reg(struct skep_jit *j, unsigned src, const struct access *a)
{
    struct skep_x86 *x = &j->x;
    if (a->width == SKEP_WIDTH_2)
        skep_x86_1(x, 0x66);
    skep_x86_rex(x, a->width == SKEP_WIDTH_8, src, a->base, a->width == SKEP_WIDTH_1 && src >= X86_RSP);
    skep_x86_1(x, a->width == SKEP_WIDTH_1 ? 0x88 : 0x89);
    skep_x86_modrm_mem(x, src, a->base, a->disp);
}

static void store_imm(struct skep_jit *j, int32_t imm, const struct access *a)
{
    struct skep_x86 *x = &j->x;
    if (j->blind) {
        skep_jit_constant(j, X86_R11, (uint64_t)(int64_t)imm);
        store_reg(j, X86_R11, a);
        return;
    }
    if (a->width == SKEP_WIDTH_2)
        skep_x86_1(x, 0x66);
    skep_x86_rex(x, a->width == SKEP_WIDTH_8, 0, a->base, false);
    skep_x86_1(x, a->width == SKEP_WIDTH_1 ? 0xc6 : 0xc7);
    skep_x86_modrm_mem(x, 0, a->base, a->disp);
    if (a->width == SKEP_WIDTH_1) {
        skep_x86_1(x, (uint8_t)imm);
    } else if (a->width == SKEP_WIDTH_2) {
        skep_x86_1(x, (uint8_t)imm);
        skep_x86_1(x, (uint8_t)(imm >> 8));
    } else {
        skep_x86_4(x, (uint32_t)imm);
    }
}

/* ---- atomic operations ---- */

static void check_alignment(struct skep_jit *j, const struct access *a)
{
    struct skep_x86 *x = &j->x;
    if (!j->checked || a->width == SKEP_WIDTH_1)
        return;
    skep_x86_rm(x, true, X86_LEA, X86_R10, a->base, a->disp);
    skep_x86_test_imm(x, false, X86_R10, (1 << a->width) - 1);
    const size_t bent = skep_x86_jcc4(x, X86_NE);
    if (j->stretch) {
        skep_jit_stretch_leave(j, bent);
        return;
    }
    struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_ALIGN, bent);
    if (c) {
        c->base = (uint8_t)a->base;
        c->disp = a->disp;
    }
}

static void locked(struct skep_jit *j, unsigned opcode, unsigned reg, const struct access *a)
{
    skep_x86_1(&j->x, 0xf0);
    skep_x86_rm(&j->x, a->width == SKEP_WIDTH_8, opcode, reg, a->base, a->disp);
}

/* or, and, xor that want the old value: try until nobody came between. */
static void fetch_loop(struct skep_jit *j, unsigned opcode, unsigned src, struct access a)
{
    struct skep_x86 *x = &j->x;
    const bool wide = a.width == SKEP_WIDTH_8;
    unsigned operand = src;
    skep_x86_mov(x, true, X86_R10, X86_RAX); /* cmpxchg wants rax */
    if (src == X86_RAX)
        operand = X86_R10;
    if (a.base == X86_RAX)
        a.base = X86_R10;
    skep_x86_rm(x, wide, X86_LOAD, X86_RAX, a.base, a.disp);
    size_t again = x->len;
    skep_x86_mov(x, wide, X86_R11, X86_RAX);
    skep_x86_rr(x, wide, opcode, operand, X86_R11);
    locked(j, X86_CMPXCHG, X86_R11, &a);
    skep_x86_jcc_back(x, X86_NE, again);
    if (src == X86_RAX) {
        if (!wide)
            skep_x86_mov(x, false, X86_RAX, X86_RAX);
        return;
    }
    skep_x86_mov(x, wide, src, X86_RAX);
    skep_x86_mov(x, true, X86_RAX, X86_R10);
}

static void read_modify_write(struct skep_jit *j, enum skep_opcode op, unsigned src, const struct access *a)
{
    struct skep_x86 *x = &j->x;
    switch (op) {
    case SKEP_OP_LOCK_ADD32:
    case SKEP_OP_LOCK_ADD64:
        locked(j, X86_ADD, src, a);
        break;
    case SKEP_OP_LOCK_OR32:
    case SKEP_OP_LOCK_OR64:
        locked(j, X86_OR, src, a);
        break;
    case SKEP_OP_LOCK_AND32:
    case SKEP_OP_LOCK_AND64:
        locked(j, X86_AND, src, a);
        break;
    case SKEP_OP_LOCK_XOR32:
    case SKEP_OP_LOCK_XOR64:
        locked(j, X86_XOR, src, a);
        break;
    case SKEP_OP_FETCH_ADD32:
    case SKEP_OP_FETCH_ADD64:
        locked(j, X86_XADD, src, a);
        break;
    case SKEP_OP_FETCH_OR32:
    case SKEP_OP_FETCH_OR64:
        fetch_loop(j, X86_OR, src, *a);
        break;
    case SKEP_OP_FETCH_AND32:
    case SKEP_OP_FETCH_AND64:
        fetch_loop(j, X86_AND, src, *a);
        break;
    case SKEP_OP_FETCH_XOR32:
    case SKEP_OP_FETCH_XOR64:
        fetch_loop(j, X86_XOR, src, *a);
        break;
    case SKEP_OP_XCHG32:
    case SKEP_OP_XCHG64:
        skep_x86_rm(x, a->width == SKEP_WIDTH_8, X86_XCHG, src, a->base, a->disp); /* locks by itself */
        break;
    default: /* CMPXCHG: rax is r0; after a success its upper half has not been written */
        locked(j, X86_CMPXCHG, src, a);
        if (a->width == SKEP_WIDTH_4)
            skep_x86_mov(x, false, X86_RAX, X86_RAX);
    }
}

bool skep_jit_memory_op(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    const unsigned dst = skep_jit_native[skep_insn_dst(insn)], src = skep_jit_native[skep_insn_src(insn)];
    const bool write = info->flags & SKEP_OPF_STORE;
    const unsigned reg = write ? skep_insn_dst(insn) : skep_insn_src(insn);
    if (info->off.use != SKEP_FIELD_MEMORY)
        return false;
    const struct access a = {skep_jit_native[reg], insn->off, width_of(info->bits), write};
    if (!check(j, reg, &a))
        return true;
    switch (info->form) {
    case SKEP_FORM_LOAD:
        load(j, info->bits, op == SKEP_OP_LDXSB || op == SKEP_OP_LDXSH || op == SKEP_OP_LDXSW, dst, &a);
        break;
    case SKEP_FORM_STORE_IMM:
        store_imm(j, insn->imm, &a);
        break;
    case SKEP_FORM_STORE_REG:
        store_reg(j, src, &a);
        break;
    case SKEP_FORM_LOAD_ACQ: /* loads and stores of this machine are in order enough */
        check_alignment(j, &a);
        load(j, info->bits, false, dst, &a);
        break;
    case SKEP_FORM_STORE_REL:
        check_alignment(j, &a);
        store_reg(j, src, &a);
        break;
    default:
        check_alignment(j, &a);
        read_modify_write(j, op, src, &a);
    }
    return true;
}
