/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/check.h"
#include "vm/jit/x86.h"
#include "vm/vm.h"

static bool twin_add(struct skep_jit *j, const struct skep_stretch *s)
{
    const struct skep_vm *vm = j->p->vm;
    if (j->n_twins == j->room_twins) {
        size_t room = MAX(j->room_twins * 2, (size_t)8);
        struct skep_jit_twin *more = skep_vm_calloc(vm, room, sizeof(*more));
        if (!more) {
            j->failed = true;
            return false;
        }
        if (j->n_twins)
            memcpy(more, j->twins, j->n_twins * sizeof(*more));
        skep_vm_release(vm, j->twins);
        j->twins = more;
        j->room_twins = room;
    }
    j->twins[j->n_twins++] = (struct skep_jit_twin){.first = s->first, .end = s->end};
    return true;
}

/* ---- the test ---- */

/* r10 = where in its region the lowest access of the first iteration lies. */
static void put_place(struct skep_jit *j, const struct skep_stretch_group *g, int32_t slot)
{
    struct skep_x86 *x = &j->x;
    bool any = false;
    for (unsigned r = 0; r < SKEP_REGS; r++) {
        if (!g->scale[r])
            continue;
        const unsigned shift = (unsigned)__builtin_ctz((unsigned)g->scale[r]);
        if (any) {
            skep_x86_lea_sum(x, X86_R10, X86_R10, skep_jit_native[r], shift);
        } else {
            skep_x86_mov(x, true, X86_R10, skep_jit_native[r]);
            if (shift)
                skep_x86_shift_imm(x, true, X86_SHL, X86_R10, shift);
        }
        any = true;
    }
    if (g->low)
        skep_x86_alu_imm(x, true, X86_ADD, X86_R10, g->low);
    skep_x86_rm(x, true, X86_SUB_RM, X86_R10, X86_R12, slot + (int32_t)offsetof(struct skep_slot, base));
}

static int32_t slot_of(uint32_t insn, bool write)
{
    const int32_t slots = write ? SKEP_JIT_EXEC(store) : SKEP_JIT_EXEC(load);
    return slots + (int32_t)(insn % SKEP_SLOTS * sizeof(struct skep_slot));
}

/* Goes to the twin unless the first iteration fits; iterations = how many more do, at most. */
static void put_group(struct skep_jit *j, const struct skep_stretch_group *g, bool first)
{
    struct skep_x86 *x = &j->x;
    const int32_t slot = slot_of(g->insn, g->write);
    const size_t begin = x->len;
    put_place(j, g, slot);
    /* r11 = size of the region - size of the group - place */
    skep_x86_rm(x, true, X86_LOAD, X86_R11, X86_R12, slot + (int32_t)offsetof(struct skep_slot, fit));
    skep_x86_alu_imm(x, true, X86_SUB, X86_R11, g->high - g->low);
    const size_t small = skep_x86_jcc4(x, X86_B);
    skep_x86_rr(x, true, X86_SUB, X86_R10, X86_R11);
    struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_GROUP, skep_x86_jcc4(x, X86_B));
    if (!c)
        return;
    c->from2 = small;
    c->insn = g->insn;
    c->write = g->write;
    c->disp = g->high - g->low;
    c->back = begin;
    c->twin = (uint32_t)j->n_twins - 1;
    if (!g->step)
        return;
    const unsigned room = g->step > 0 ? X86_R11 : X86_R10;
    const uint32_t step = (uint32_t)(g->step > 0 ? g->step : -g->step);
    /* divided by the step, or by somewhat more */
    const unsigned shift = step > 1 ? 32 - (unsigned)__builtin_clz(step - 1) : 0;
    if (shift)
        skep_x86_shift_imm(x, true, X86_SHR, room, shift);
    size_t less = 0;
    if (!first) {
        skep_x86_rm(x, true, X86_CMP_RM, room, X86_R12, SKEP_JIT_EXEC(iterations));
        less = skep_x86_jcc1(x, X86_AE);
    }
    skep_x86_rm(x, true, X86_MOV, room, X86_R12, SKEP_JIT_EXEC(iterations));
    if (!first)
        skep_x86_patch1(x, less, x->len);
}

void skep_jit_stretch_ask(struct skep_jit *j, const struct skep_jit_cold *c)
{
    struct skep_x86 *x = &j->x;
    const int32_t slot = slot_of(c->insn, c->write);
    const size_t twin = j->twins[c->twin].code;
    /* begins in the region, and does not fit: that is known */
    skep_x86_rm(x, true, X86_CMP_RM, X86_R10, X86_R12, slot + (int32_t)offsetof(struct skep_slot, fit));
    skep_x86_jcc_back(x, X86_B, twin);
    skep_x86_alu_mem_imm(x, false, X86_CMP, X86_R12, SKEP_JIT_EXEC(stretch_asks), 0);
    skep_x86_jcc_back(x, X86_E, twin);
    skep_x86_alu_mem_imm(x, false, X86_SUB, X86_R12, SKEP_JIT_EXEC(stretch_asks), 1);
    skep_x86_rm(x, true, X86_ADD_RM, X86_R10, X86_R12, slot + (int32_t)offsetof(struct skep_slot, base));
    skep_x86_mov_imm(x, X86_R11, (uint64_t)c->disp << 32 | SKEP_JIT_CHECK(c->insn, 0, c->write));
    skep_x86_patch4(x, skep_x86_call4(x), j->ask_region);
    skep_x86_jcc_back(x, X86_E, twin);
    skep_x86_jmp_back(x, c->back);
}

static bool has_sometimes(const struct skep_jit *j, const struct skep_stretch *s)
{
    for (uint32_t i = s->first; i < s->end; i++)
        if (j->p->costs[i] && !skep_stretch_bit(s->always, s, i))
            return true;
    return false;
}

/* Takes along what the iterations that fit cost in the blocks that are in all of them; the other blocks are paid for from
 * what is left apart, which therefore gets half when there is little. A region is smaller than 2^47 bytes, and an
 * iteration costs no more than SKEP_STRETCH_INSNS. */
static void put_budget(struct skep_jit *j, const struct skep_stretch *s)
{
    struct skep_x86 *x = &j->x;
    skep_x86_rm(x, true, X86_LOAD, X86_R11, X86_R12, SKEP_JIT_EXEC(iterations));
    skep_x86_alu_imm(x, true, X86_ADD, X86_R11, 1);
    if (s->cost > 1)
        skep_x86_imul_imm(x, true, X86_R11, X86_R11, (int32_t)s->cost);
    skep_x86_mov(x, true, X86_R10, X86_R9);
    if (has_sometimes(j, s))
        skep_x86_shift_imm(x, true, X86_SHR, X86_R10, 1);
    skep_x86_rr(x, true, X86_CMP, X86_R10, X86_R11);
    size_t enough = skep_x86_jcc1(x, X86_BE);
    skep_x86_mov(x, true, X86_R11, X86_R10);
    skep_x86_patch1(x, enough, x->len);
    skep_x86_rr(x, true, X86_SUB, X86_R11, X86_R9);
    skep_x86_rm(x, true, X86_MOV, X86_R9, X86_R12, SKEP_JIT_EXEC(fuel_apart));
    skep_x86_mov(x, true, X86_R9, X86_R11);
}

static void put_test(struct skep_jit *j, const struct skep_stretch *s)
{
    bool first = true;
    for (unsigned i = 0; i < s->n_groups && skep_jit_room(j); i++) {
        put_group(j, &s->groups[i], first);
        first = first && !s->groups[i].step;
    }
    if (s->moves && skep_jit_room(j))
        put_budget(j, s);
}

/* ---- ways out ---- */

void skep_jit_stretch_refund(struct skep_jit *j, bool moves, uint32_t ahead)
{
    if (ahead)
        skep_x86_alu_imm(&j->x, true, X86_ADD, X86_R9, (int32_t)ahead);
    if (moves)
        skep_x86_rm(&j->x, true, X86_ADD_RM, X86_R9, X86_R12, SKEP_JIT_EXEC(fuel_apart));
}

/* own: into the twin, not to where the instruction is otherwise found. */
static void resume(struct skep_jit *j, size_t from, uint32_t insn, uint32_t ahead, bool own)
{
    struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_RESUME, from);
    if (!c)
        return;
    c->insn = insn;
    c->disp = (int32_t)ahead;
    c->write = j->stretch->s.moves;
    c->back = own && insn == j->stretch->s.first ? j->n_twins : 0;
}

void skep_jit_stretch_leave(struct skep_jit *j, size_t from)
{
    /* who comes to the beginning of a block pays for it */
    resume(j, from, j->insn, j->stretch->ahead + j->p->costs[j->insn], true);
}

void skep_jit_stretch_jump(struct skep_jit *j, int cc, uint32_t insn)
{
    struct skep_x86 *x = &j->x;
    struct skep_jit_stretch *w = j->stretch;
    const struct skep_stretch *s = &w->s;
    if (s->loop && insn == s->first) {
        if (cc >= 0)
            skep_x86_jcc_back(x, (unsigned)cc, w->code);
        else
            skep_x86_jmp_back(x, w->code);
        return;
    }
    const bool inside = insn > j->insn && insn < s->end;
    if (!inside && !s->moves && !w->ahead) {
        j->stretch = NULL;
        skep_jit_jump_to(j, cc, insn);
        j->stretch = w;
        return;
    }
    const size_t at = cc >= 0 ? skep_x86_jcc4(x, (unsigned)cc) : skep_x86_jmp4(x);
    if (inside)
        w->jumps[w->n_jumps++] = (struct skep_jit_jump){at, insn};
    else
        resume(j, at, insn, w->ahead, false);
}

/* ---- the version without checks ---- */

/* Whether one who is in the block in front of the one at i, which ends with the instruction before, comes here or leaves the
 * stretch. */
static bool follows(const struct skep_jit *j, uint32_t before, uint32_t i)
{
    const struct skep_vm_program *p = j->p;
    const struct skep_stretch *s = &j->stretch->s;
    const uint32_t flags = skep_opcode_info(p->ops[before])->flags;
    if (skep_stretch_bit(s->joined, s, i) || !(flags & SKEP_OPF_FALLS))
        return false;
    if (!(flags & SKEP_OPF_JUMP))
        return true;
    const uint32_t to = (uint32_t)skep_insn_target(p->ops[before], &p->insns[before], before);
    return to < s->first || to >= s->end;
}

/* Whether the block at i is paid for from what is left apart. What the other blocks take from the budget is what ends the
 * iterations that fit: none of it may be paid from elsewhere. */
static bool is_apart(const struct skep_stretch *s, uint32_t i)
{
    return s->moves && !skep_stretch_bit(s->always, s, i);
}

/* What the block at i costs, and those that can only be reached through it and are paid for from the same. */
static uint32_t pay(struct skep_jit *j, uint32_t i)
{
    const struct skep_vm_program *p = j->p;
    const struct skep_stretch *s = &j->stretch->s;
    uint32_t cost = p->costs[i], before = i;
    for (uint32_t n = i + 1; n < s->end; n++) {
        if (p->marks[n] & SKEP_MARK_WIDE)
            continue;
        if (p->costs[n] && (!follows(j, before, n) || is_apart(s, n) != is_apart(s, i)))
            break;
        cost += p->costs[n];
        before = n;
    }
    return cost;
}

static void begin_block(struct skep_jit *j, uint32_t i)
{
    struct skep_x86 *x = &j->x;
    struct skep_jit_stretch *w = j->stretch;
    const uint32_t cost = j->p->costs[i];
    j->in_frame = j->sure = 0;
    w->offsets[i - w->s.first] = x->len;
    if (w->ahead) {
        w->ahead -= cost;
        return;
    }
    const uint32_t all = pay(j, i);
    if (is_apart(&w->s, i))
        skep_x86_alu_mem_imm(x, true, X86_SUB, X86_R12, SKEP_JIT_EXEC(fuel_apart), (int32_t)all);
    else
        skep_x86_alu_imm(x, true, X86_SUB, X86_R9, (int32_t)all);
    resume(j, skep_x86_jcc4(x, X86_B), i, all, true);
    w->ahead = all - cost;
}

static void put_stretch(struct skep_jit *j)
{
    struct skep_jit_stretch *w = j->stretch;
    const struct skep_stretch *s = &w->s;
    uint32_t last = s->first;
    w->code = j->x.len;
    for (uint32_t i = s->first; i < s->end && skep_jit_room(j);) {
        last = i;
        if (j->p->costs[i])
            begin_block(j, i);
        j->insn = i;
        i += skep_jit_insn(j, i);
    }
    for (size_t i = 0; i < w->n_jumps; i++)
        skep_x86_patch4(&j->x, w->jumps[i].at, w->offsets[w->jumps[i].insn - s->first]);
    if (skep_jit_room(j) && s->moves && skep_opcode_info(j->p->ops[last])->flags & SKEP_OPF_FALLS)
        skep_jit_stretch_refund(j, true, 0);
}

uint32_t skep_jit_stretch(struct skep_jit *j, uint32_t i)
{
    struct skep_jit_stretch w;
    if (!j->checked || j->blind || j->failed || !skep_stretch_find(j->p, i, &w.s))
        return 0;
    if (!twin_add(j, &w.s))
        return 0;
    w.n_jumps = 0;
    w.ahead = 0;
    j->offsets[i] = j->x.len;
    put_test(j, &w.s);
    if (w.s.loop && skep_jit_room(j))
        skep_jit_align(j);
    j->stretch = &w;
    if (skep_jit_room(j))
        put_stretch(j);
    j->stretch = NULL;
    return w.s.end;
}
