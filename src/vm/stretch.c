/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/stretch.h"

#include "isa/check.h"

#define JOINS 12
#define ATTEMPTS 4
#define SCALE_MAX 8
/* Constants beyond this are no offsets into anything. */
#define OFFSET_MAX (1 << 28)
#define STEP_MAX (1 << 20)

/* A value as a sum of registers at the beginning and a constant. */
struct sum {
    bool known;
    int32_t scale[SKEP_REGS];
    int64_t offset;
};

struct state {
    struct sum regs[SKEP_REGS];
};

/* An instruction that jumps from inside go to, and what is known there. */
struct join {
    uint32_t insn;
    struct state state;
};

enum kind { KEPT, COUNTER, VARIABLE };

struct analysis {
    const struct skep_vm_program *p;
    struct skep_stretch *s;
    uint8_t kinds[SKEP_REGS];
    int64_t steps[SKEP_REGS]; /* of counters, when iterated */
    bool iterated;            /* a jump back was seen */
    bool again;               /* a counter is none: begin anew */
    bool failed;
    bool reached;
    struct state now;
    struct join joins[JOINS];
    unsigned n_joins;
};

/* ---- where stretches are ---- */

static bool suited(enum skep_opcode op)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    return !(info->flags & (SKEP_OPF_CALL | SKEP_OPF_PACKET)) && info->form != SKEP_FORM_CALLX;
}

static bool jumps(enum skep_opcode op)
{
    return skep_opcode_info(op)->flags & SKEP_OPF_JUMP;
}

static uint32_t target_of(const struct skep_vm_program *p, uint32_t i)
{
    return (uint32_t)skep_insn_target(p->ops[i], &p->insns[i], i);
}

static uint32_t limit_of(const struct skep_vm_program *p, uint32_t first)
{
    return MIN(p->n_insns, first + SKEP_STRETCH_INSNS);
}

/* Behind the last jump back to first that no other loop and no call comes before, or 0. */
static uint32_t loop_end(const struct skep_vm_program *p, uint32_t first)
{
    uint32_t end = 0;
    for (uint32_t i = first, limit = limit_of(p, first); i < limit; i++) {
        if (p->marks[i] & SKEP_MARK_WIDE)
            continue;
        if ((i > first && p->marks[i] & (SKEP_MARK_BACK | SKEP_MARK_FUNC)) || !suited(p->ops[i]))
            break;
        if (jumps(p->ops[i]) && target_of(p, i) == first)
            end = i + 1;
    }
    return end;
}

static uint32_t block_end(const struct skep_vm_program *p, uint32_t first)
{
    uint32_t i = first, accesses = 0;
    for (uint32_t limit = limit_of(p, first); i < limit; i++) {
        if (p->marks[i] & SKEP_MARK_WIDE)
            continue;
        if ((i > first && p->marks[i] & SKEP_MARK_BLOCK) || !suited(p->ops[i]))
            break;
        accesses += (skep_opcode_info(p->ops[i])->flags & (SKEP_OPF_LOAD | SKEP_OPF_STORE)) != 0;
    }
    while (i < p->n_insns && p->marks[i] & SKEP_MARK_WIDE)
        i--;
    return accesses > 2 ? i : 0;
}

/* ---- sums ---- */

static void forget(struct sum *v)
{
    v->known = false;
}

static void constant(struct sum *v, int64_t n)
{
    *v = (struct sum){.known = true, .offset = n};
}

static void check_bounds(struct sum *v)
{
    bool fits = v->offset >= -(int64_t)OFFSET_MAX && v->offset <= OFFSET_MAX;
    for (unsigned r = 0; r < SKEP_REGS; r++)
        fits = fits && v->scale[r] >= -SCALE_MAX && v->scale[r] <= SCALE_MAX;
    v->known = v->known && fits;
}

static void add(struct sum *v, const struct sum *w, int sign)
{
    v->known = v->known && w->known;
    if (!v->known)
        return;
    for (unsigned r = 0; r < SKEP_REGS; r++)
        v->scale[r] += sign * w->scale[r];
    v->offset += sign * w->offset;
    check_bounds(v);
}

static void multiply(struct sum *v, int32_t by)
{
    if (by < 1 || by > 4096)
        forget(v);
    if (!v->known)
        return;
    for (unsigned r = 0; r < SKEP_REGS; r++)
        v->scale[r] *= by;
    v->offset *= by;
    check_bounds(v);
}

static bool same(const struct sum *v, const struct sum *w)
{
    return v->known && w->known && v->offset == w->offset && !memcmp(v->scale, w->scale, sizeof(v->scale));
}

static bool is_register(const struct sum *v, unsigned r)
{
    for (unsigned i = 0; i < SKEP_REGS; i++)
        if (v->scale[i] != (i == r))
            return false;
    return v->known;
}

/* ---- what instructions do ---- */

static void execute(struct analysis *a, uint32_t i)
{
    const enum skep_opcode op = a->p->ops[i];
    const struct skep_opcode_info *info = skep_opcode_info(op);
    const struct skep_insn *insn = &a->p->insns[i];
    struct sum *dst = &a->now.regs[skep_insn_dst(insn)];
    const struct sum *src = &a->now.regs[skep_insn_src(insn)];
    switch (op) {
    case SKEP_OP_MOV64_REG:
        *dst = *src;
        return;
    case SKEP_OP_MOV64_IMM:
        constant(dst, insn->imm);
        check_bounds(dst);
        return;
    case SKEP_OP_ADD64_IMM:
    case SKEP_OP_SUB64_IMM: {
        struct sum n;
        constant(&n, insn->imm);
        add(dst, &n, op == SKEP_OP_ADD64_IMM ? 1 : -1);
        return;
    }
    case SKEP_OP_ADD64_REG: {
        struct sum n = *src;
        add(dst, &n, 1);
        return;
    }
    case SKEP_OP_SUB64_REG: {
        struct sum n = *src;
        add(dst, &n, -1);
        return;
    }
    case SKEP_OP_LSH64_IMM:
        multiply(dst, insn->imm >= 0 && insn->imm < 12 ? 1 << insn->imm : 0);
        return;
    case SKEP_OP_MUL64_IMM:
        multiply(dst, insn->imm);
        return;
    default:
        break;
    }
    if (info->dst.use == SKEP_FIELD_WRITE || info->dst.use == SKEP_FIELD_READ_WRITE)
        forget(dst);
    if (info->src.use == SKEP_FIELD_READ_WRITE)
        forget(&a->now.regs[skep_insn_src(insn)]);
    if (info->flags & SKEP_OPF_WRITES_R0)
        forget(&a->now.regs[0]);
}

/* Counters are registers to which nothing but constants is added; that it is the same in each iteration shows later. */
static void classify(struct analysis *a)
{
    for (uint32_t i = a->s->first; a->s->loop && i < a->s->end; i++) {
        const enum skep_opcode op = a->p->ops[i];
        const struct skep_opcode_info *info = skep_opcode_info(op);
        const unsigned dst = skep_insn_dst(&a->p->insns[i]), src = skep_insn_src(&a->p->insns[i]);
        const bool writes = info->dst.use == SKEP_FIELD_WRITE || info->dst.use == SKEP_FIELD_READ_WRITE;
        if (a->p->marks[i] & SKEP_MARK_WIDE)
            continue;
        if (writes && (op == SKEP_OP_ADD64_IMM || op == SKEP_OP_SUB64_IMM))
            a->kinds[dst] = MAX(a->kinds[dst], (uint8_t)COUNTER);
        else if (writes)
            a->kinds[dst] = VARIABLE;
        if (info->src.use == SKEP_FIELD_READ_WRITE)
            a->kinds[src] = VARIABLE;
        if (info->flags & SKEP_OPF_WRITES_R0)
            a->kinds[0] = VARIABLE;
    }
}

static void begin(struct analysis *a)
{
    struct skep_stretch *s = a->s;
    s->n_groups = 0;
    memset(s->covered, 0, sizeof(s->covered));
    memset(s->joined, 0, sizeof(s->joined));
    a->n_joins = 0;
    a->iterated = a->again = false;
    a->reached = true;
    for (unsigned r = 0; r < SKEP_REGS; r++) {
        a->now.regs[r] = (struct sum){.known = a->kinds[r] != VARIABLE};
        a->now.regs[r].scale[r] = 1;
    }
}

/* ---- ways through the stretch ---- */

static void meet(struct state *into, const struct state *from)
{
    for (unsigned r = 0; r < SKEP_REGS; r++)
        if (!same(&into->regs[r], &from->regs[r]))
            forget(&into->regs[r]);
}

static struct join *join_at(struct analysis *a, uint32_t insn)
{
    for (unsigned i = 0; i < a->n_joins; i++)
        if (a->joins[i].insn == insn)
            return &a->joins[i];
    return NULL;
}

static void go_ahead(struct analysis *a, uint32_t to)
{
    struct join *j = join_at(a, to);
    const uint32_t n = to - a->s->first;
    a->s->joined[n / 64] |= 1ULL << (n % 64);
    if (j) {
        meet(&j->state, &a->now);
    } else if (a->n_joins == JOINS) {
        a->failed = true;
    } else {
        a->joins[a->n_joins].insn = to;
        a->joins[a->n_joins++].state = a->now;
    }
}

static void go_back(struct analysis *a)
{
    for (unsigned r = 0; r < SKEP_REGS; r++) {
        if (a->kinds[r] != COUNTER)
            continue;
        const struct sum *v = &a->now.regs[r];
        if (!is_register(v, r) || (a->iterated && v->offset != a->steps[r])) {
            a->kinds[r] = VARIABLE;
            a->again = true;
        }
        a->steps[r] = v->offset;
    }
    a->iterated = true;
}

static void jump(struct analysis *a, uint32_t i)
{
    const uint32_t to = target_of(a->p, i);
    if (to == a->s->first && a->s->loop)
        go_back(a);
    else if (to > i && to < a->s->end)
        go_ahead(a, to);
}

/* ---- accesses ---- */

/* A group may be as wide as what it is made of; more would only fit less often. */
static bool belongs(const struct skep_stretch_group *g, const struct sum *v, bool write)
{
    return g->write == write && !memcmp(g->scale, v->scale, sizeof(g->scale));
}

static bool usable(const struct sum *v)
{
    bool any = false;
    for (unsigned r = 0; r < SKEP_REGS; r++) {
        const int32_t n = v->scale[r];
        if (n != 0 && n != 1 && n != 2 && n != 4 && n != 8)
            return false;
        any = any || n;
    }
    return v->known && any;
}

static bool in_frame(const struct sum *v, int32_t size)
{
    return is_register(v, SKEP_REG_FRAME) && v->offset >= -SKEP_FRAME_SIZE && v->offset <= -size;
}

static void note_access(struct analysis *a, uint32_t i)
{
    const struct skep_opcode_info *info = skep_opcode_info(a->p->ops[i]);
    const struct skep_insn *insn = &a->p->insns[i];
    const bool write = info->flags & SKEP_OPF_STORE;
    const int32_t size = info->bits / 8;
    const unsigned base = write ? skep_insn_dst(insn) : skep_insn_src(insn);
    struct sum v = a->now.regs[base];
    v.offset += insn->off;
    /* what r10 itself reaches is the own frame, whatever else is beside it */
    if (info->off.use != SKEP_FIELD_MEMORY || base == SKEP_REG_FRAME || !usable(&v) || in_frame(&v, size))
        return;
    struct skep_stretch *s = a->s;
    struct skep_stretch_group *g = s->groups;
    while (g < s->groups + s->n_groups && !belongs(g, &v, write))
        g++;
    if (g == s->groups + SKEP_STRETCH_GROUPS)
        return;
    const int32_t low = (int32_t)v.offset, high = low + size;
    if (g == s->groups + s->n_groups) {
        s->n_groups++;
        *g = (struct skep_stretch_group){.low = low, .high = high, .insn = i, .write = write};
        memcpy(g->scale, v.scale, sizeof(g->scale));
    }
    g->low = MIN(g->low, low);
    g->high = MAX(g->high, high);
    g->n++;
    s->covered[(i - s->first) / 64] |= 1ULL << ((i - s->first) % 64);
}

static void walk(struct analysis *a)
{
    const struct skep_vm_program *p = a->p;
    begin(a);
    for (uint32_t i = a->s->first; i < a->s->end && !a->failed; i++) {
        if (p->marks[i] & SKEP_MARK_WIDE)
            continue;
        const struct join *j = i > a->s->first && p->marks[i] & SKEP_MARK_BLOCK ? join_at(a, i) : NULL;
        if (j && a->reached)
            meet(&a->now, &j->state);
        else if (j)
            a->now = j->state;
        a->reached = a->reached || j;
        if (!a->reached)
            continue; /* only from outside, where the other version is */
        const uint32_t flags = skep_opcode_info(p->ops[i])->flags;
        if (flags & (SKEP_OPF_LOAD | SKEP_OPF_STORE))
            note_access(a, i);
        execute(a, i);
        if (flags & SKEP_OPF_JUMP)
            jump(a, i);
        a->reached = flags & SKEP_OPF_FALLS;
    }
}

/* ---- results ---- */

static bool set_steps(struct analysis *a)
{
    struct skep_stretch *s = a->s;
    for (struct skep_stretch_group *g = s->groups; g < s->groups + s->n_groups; g++) {
        int64_t step = 0;
        for (unsigned r = 0; r < SKEP_REGS; r++)
            step += a->kinds[r] == COUNTER && s->loop ? g->scale[r] * a->steps[r] : 0;
        if (step < -STEP_MAX || step > STEP_MAX)
            return false;
        g->step = (int32_t)step;
        s->moves = s->moves || step;
    }
    return true;
}

/* Which blocks every iteration passes: nothing in front of them jumps over them or back. */
static void find_always(const struct analysis *a)
{
    const struct skep_vm_program *p = a->p;
    struct skep_stretch *s = a->s;
    uint32_t far = s->first;
    for (uint32_t i = s->first; i < s->end; i++) {
        if (p->marks[i] & SKEP_MARK_WIDE)
            continue;
        if (p->costs[i] && i >= far) {
            s->always[(i - s->first) / 64] |= 1ULL << ((i - s->first) % 64);
            s->cost += p->costs[i];
        }
        if (!jumps(p->ops[i]))
            continue;
        const uint32_t to = target_of(p, i);
        if (to == s->first)
            far = UINT32_MAX;
        else if (to > i && to < s->end)
            far = MAX(far, to);
    }
}

/* A group costs as much as about two checks do. */
static bool saves(const struct skep_stretch *s)
{
    unsigned accesses = 0;
    for (unsigned i = 0; i < s->n_groups; i++)
        accesses += s->groups[i].n;
    return s->loop ? accesses > 0 : accesses > 2 * s->n_groups;
}

static bool analyse(const struct skep_vm_program *p, uint32_t first, uint32_t end, bool loop,
                    struct skep_stretch *ret)
{
    struct analysis a;
    *ret = (struct skep_stretch){.first = first, .end = end, .loop = loop};
    a.p = p;
    a.s = ret;
    a.failed = false;
    memset(a.kinds, KEPT, sizeof(a.kinds));
    classify(&a);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        walk(&a);
        if (!a.again)
            break;
    }
    if (a.failed || a.again || (loop && !a.iterated) || !set_steps(&a) || !saves(ret))
        return false;
    if (loop)
        find_always(&a);
    return true;
}

bool skep_stretch_find(const struct skep_vm_program *p, uint32_t first, struct skep_stretch *ret)
{
    uint32_t end = p->marks[first] & SKEP_MARK_BACK ? loop_end(p, first) : 0;
    if (end && analyse(p, first, end, true, ret))
        return true;
    end = block_end(p, first);
    return end && analyse(p, first, end, false, ret);
}
