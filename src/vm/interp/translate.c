/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/check.h"
#include "vm/interp/interp.h"
#include "vm/interp/interp_op.h"
#include "vm/vm.h"

#define NO_OP UINT32_MAX

struct translation {
    const struct skep_vm_program *p;
    struct skep_interp *to;
    uint32_t *ops_of; /* first op of the instruction, NO_OP: part of a joined one */
    bool joined;
    uint32_t block; /* first op of the block: nothing is joined across */
};

/* Operations that need nothing but their operands. */
static const uint16_t handlers[SKEP_OP_MAX] = {
#define SAME(name) [SKEP_OP_##name] = SKEP_DO_##name,
#define ALU(name, ...) SAME(name##64_IMM) SAME(name##64_REG) SAME(name##32_IMM) SAME(name##32_REG)
    SKEP_INTERP_ARITHMETIC(ALU) SKEP_INTERP_SHIFTS(ALU) SKEP_INTERP_DIVISIONS(ALU)
#undef ALU
#define CONDITION(name, ...) SAME(name##_IMM) SAME(name##_REG) SAME(name##32_IMM) SAME(name##32_REG)
        SKEP_INTERP_CONDITIONS(CONDITION)
#undef CONDITION
            SAME(MOVSX64_8) SAME(MOVSX64_16) SAME(MOVSX64_32) SAME(MOVSX32_8) SAME(MOVSX32_16) SAME(NEG64)
                SAME(NEG32) SAME(LE16) SAME(BSWAP16) SAME(BSWAP32) SAME(BSWAP64) SAME(MOV64_IMM)
                    SAME(MOV64_REG) SAME(MOV32_REG) SAME(JA) SAME(MAY_GOTO) SAME(CALLX) SAME(EXIT)
#define LOAD(name, ...) SAME(LDX##name)
                        SKEP_INTERP_WIDTHS(LOAD) SKEP_INTERP_SIGNED_WIDTHS(LOAD)
#undef LOAD
#define STORE(name, ...) SAME(ST##name) SAME(STX##name)
                            SKEP_INTERP_WIDTHS(STORE)
#undef STORE
                                SAME(LOCK_ADD32) SAME(LOCK_ADD64)
#undef SAME
                                    [SKEP_OP_MOV32_IMM] = SKEP_DO_MOV64_IMM,
    [SKEP_OP_LE32] = SKEP_DO_MOV32_REG,
    [SKEP_OP_LE64] = SKEP_DO_NOTHING,
    [SKEP_OP_BE16] = SKEP_DO_BSWAP16,
    [SKEP_OP_BE32] = SKEP_DO_BSWAP32,
    [SKEP_OP_BE64] = SKEP_DO_BSWAP64,
    [SKEP_OP_JA32] = SKEP_DO_JA,
};

/* ---- joined ops ---- */

enum shape { OTHER, ALU_IMM, ALU_REG, CONDITION_IMM, CONDITION_REG };

/* What may be done to handlers, by their shape and by what they are called when something is joined to
 * them. */
struct traits {
    uint8_t shape, bits;
    uint16_t after_add; /* the handler for "add, then this" */
};

static const struct traits traits[SKEP_DO_MAX] = {
#define ALU(name, ...)                                                                                       \
    [SKEP_DO_##name##64_IMM] = {ALU_IMM, 64, 0}, [SKEP_DO_##name##64_REG] = {ALU_REG, 64, 0},                \
    [SKEP_DO_##name##32_IMM] = {ALU_IMM, 32, 0}, [SKEP_DO_##name##32_REG] = {ALU_REG, 32, 0},
    SKEP_INTERP_ARITHMETIC(ALU) SKEP_INTERP_SHIFTS(ALU) SKEP_INTERP_DIVISIONS(ALU)
#undef ALU
#define CONDITION(name, ...)                                                                                 \
    [SKEP_DO_##name##_IMM] = {CONDITION_IMM, 64, SKEP_DO_ADD64_##name##_IMM},                                \
    [SKEP_DO_##name##_REG] = {CONDITION_REG, 64, SKEP_DO_ADD64_##name##_REG},                                \
    [SKEP_DO_##name##32_IMM] = {CONDITION_IMM, 32, SKEP_DO_ADD32_##name##32_IMM},                            \
    [SKEP_DO_##name##32_REG] = {CONDITION_REG, 32, SKEP_DO_ADD32_##name##32_REG},
        SKEP_INTERP_CONDITIONS(CONDITION)
#undef CONDITION
};

/* What a load becomes with the op behind it. */
struct load_traits {
    uint8_t bits; /* 0: no load */
    uint16_t add64, add32, xor64, or64, jeq_imm, jne_imm, jeq_reg, jne_reg, stx, with_stx, at;
};

static const struct load_traits loads[SKEP_DO_MAX] = {
#define LOAD(name, type, width)                                                                              \
    [SKEP_DO_LDX##name] = {8 << (width),                                                                     \
                           SKEP_DO_LDX##name##_ADD64,                                                        \
                           SKEP_DO_LDX##name##_ADD32,                                                        \
                           SKEP_DO_LDX##name##_XOR64,                                                        \
                           SKEP_DO_LDX##name##_OR64,                                                         \
                           SKEP_DO_LDX##name##_JEQ_IMM,                                                      \
                           SKEP_DO_LDX##name##_JNE_IMM,                                                      \
                           SKEP_DO_LDX##name##_JEQ_REG,                                                      \
                           SKEP_DO_LDX##name##_JNE_REG,                                                      \
                           SKEP_DO_STX##name,                                                                \
                           SKEP_DO_LDX##name##_STX,                                                          \
                           SKEP_DO_LDX##name##_AT},
    SKEP_INTERP_WIDTHS(LOAD)
#undef LOAD
};

/* What a store becomes with the sum of its address in front of it. */
static const uint16_t stores[SKEP_DO_MAX] = {
#define STORE(name, ...) [SKEP_DO_STX##name] = SKEP_DO_STX##name##_AT,
    SKEP_INTERP_WIDTHS(STORE)
#undef STORE
};

/* x = y; x OP= z becomes x = y OP z. */
static bool join_copy(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    const struct traits *t = &traits[op->handler];
    if ((t->shape != ALU_IMM && t->shape != ALU_REG) || op->a != op->b || op->a != last->a)
        return false;
    if (last->handler != SKEP_DO_MOV64_REG && !(last->handler == SKEP_DO_MOV32_REG && t->bits == 32))
        return false;
    const uint8_t from = last->b;
    const uint32_t cost = last->cost;
    *last = *op;
    last->b = from;
    last->cost = cost;
    if (t->shape == ALU_REG && op->c == op->a)
        last->c = from;
    return true;
}

static bool join_shift(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    bool left = last->handler == SKEP_DO_LSH64_IMM;
    if (!left && last->handler != SKEP_DO_RSH64_IMM)
        return false;
    /* a pair of shifts by 32 is a conversion */
    if (left && last->imm == 32 && op->imm == 32 && op->a == last->a && op->b == last->a &&
        (op->handler == SKEP_DO_RSH64_IMM || op->handler == SKEP_DO_ARSH64_IMM)) {
        last->handler = op->handler == SKEP_DO_RSH64_IMM ? SKEP_DO_MOV32_REG : SKEP_DO_MOVSX64_32;
        return true;
    }
    if (op->handler != SKEP_DO_XOR64_REG || op->a != op->b)
        return false;
    if (op->c == last->a && op->a != last->a) {
        last->handler = left ? SKEP_DO_LSH64_XOR64 : SKEP_DO_RSH64_XOR64;
        last->c = op->a;
        return true;
    }
    if (op->a == last->a && op->c != last->a) {
        last->handler = left ? SKEP_DO_LSH64_THEN_XOR64 : SKEP_DO_RSH64_THEN_XOR64;
        last->c = op->c;
        return true;
    }
    return false;
}

static bool join_logic(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    if (last->handler == SKEP_DO_XOR64_REG && op->handler == SKEP_DO_MUL64_REG && op->a == last->a &&
        op->b == last->a && op->c != last->a) {
        last->handler = SKEP_DO_XOR64_MUL64;
        last->d = op->c;
        return true;
    }
    if ((last->handler != SKEP_DO_AND64_IMM && last->handler != SKEP_DO_AND32_IMM) || op->a != last->a)
        return false;
    bool wide = last->handler == SKEP_DO_AND64_IMM;
    if (wide && traits[op->handler].bits == 32)
        return false;
    switch (op->handler) {
    case SKEP_DO_JEQ32_IMM:
    case SKEP_DO_JEQ_IMM:
        last->handler = wide ? SKEP_DO_AND64_JEQ_IMM : SKEP_DO_AND32_JEQ_IMM;
        break;
    case SKEP_DO_JNE32_IMM:
    case SKEP_DO_JNE_IMM:
        last->handler = wide ? SKEP_DO_AND64_JNE_IMM : SKEP_DO_AND32_JNE_IMM;
        break;
    default:
        return false;
    }
    last->off = (int32_t)last->imm;
    last->imm = traits[op->handler].bits == 32 ? (int64_t)(uint32_t)op->imm : op->imm;
    last->to = op->to;
    return true;
}

/* A copy and the jump behind it. */
static bool join_jump(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    if (op->handler != SKEP_DO_JA)
        return false;
    if (last->handler == SKEP_DO_MOV64_REG)
        last->handler = SKEP_DO_MOV64_REG_JA;
    else if (last->handler == SKEP_DO_MOV32_REG)
        last->handler = SKEP_DO_MOV32_REG_JA;
    else if (last->handler == SKEP_DO_MOV64_IMM)
        last->handler = SKEP_DO_MOV64_IMM_JA;
    else
        return false;
    last->to = op->to;
    return true;
}

/* d = b + c and the access there; slots: from the first instruction of last to the access. */
static bool join_index(struct skep_interp_op *last, const struct skep_interp_op *op, uint32_t slots)
{
    if (last->handler != SKEP_DO_ADD64_REG)
        return false;
    const struct load_traits *l = &loads[op->handler];
    bool load = l->bits && op->b == last->a;
    bool store = stores[op->handler] && op->a == last->a;
    if (!load && !store)
        return false;
    last->handler = load ? l->at : stores[op->handler];
    last->d = last->a;
    last->a = load ? op->a : op->b;
    last->off = op->off;
    last->slot = op->slot;
    last->imm = slots;
    return true;
}

/* Whether op only keeps bits that are all that the load before it has given. */
static bool masks_nothing(const struct skep_interp_op *last, const struct skep_interp_op *op)
{
    if ((op->handler != SKEP_DO_AND64_IMM && op->handler != SKEP_DO_AND32_IMM) || op->a != op->b ||
        op->a != last->a)
        return false;
    unsigned bits = last->handler == SKEP_DO_LDXB || last->handler == SKEP_DO_LDXB_AT   ? 8
                    : last->handler == SKEP_DO_LDXH || last->handler == SKEP_DO_LDXH_AT ? 16
                                                                                        : 0;
    int64_t mask = (1LL << bits) - 1;
    return bits && (op->imm & mask) == mask;
}

static bool join_add(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    unsigned bits = last->handler == SKEP_DO_ADD64_IMM ? 64 : last->handler == SKEP_DO_ADD32_IMM ? 32 : 0;
    if (!bits || last->a != last->b)
        return false;
    const struct traits *t = &traits[op->handler];
    if (bits == 64 && op->handler == SKEP_DO_ADD64_IMM && op->a == op->b) {
        last->handler = SKEP_DO_ADD64_ADD64;
        last->off = (int32_t)last->imm;
        last->imm = op->imm;
        last->b = op->a;
        return true;
    }
    if (!t->after_add || t->bits != bits)
        return false;
    last->handler = t->after_add;
    last->off = (int32_t)last->imm;
    last->imm = op->imm;
    last->b = op->a;
    last->c = op->b;
    last->to = op->to;
    return true;
}

/* A load and the comparison of what it loaded. */
static bool join_load_condition(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    const struct load_traits *l = &loads[last->handler];
    unsigned bits = traits[op->handler].bits;
    if (l->bits > bits)
        return false;
    uint16_t imm = 0, reg = 0;
    if (op->handler == SKEP_DO_JEQ_IMM || op->handler == SKEP_DO_JEQ32_IMM)
        imm = l->jeq_imm;
    else if (op->handler == SKEP_DO_JNE_IMM || op->handler == SKEP_DO_JNE32_IMM)
        imm = l->jne_imm;
    else if (op->handler == SKEP_DO_JEQ_REG)
        reg = l->jeq_reg;
    else if (op->handler == SKEP_DO_JNE_REG)
        reg = l->jne_reg;
    if (imm && op->a == last->a) {
        last->handler = imm;
        last->imm = bits == 32 ? (int64_t)(uint32_t)op->imm : op->imm;
    } else if (reg && (op->a == last->a || op->b == last->a)) {
        last->handler = reg;
        last->c = op->a == last->a ? op->b : op->a;
    } else {
        return false;
    }
    last->to = op->to;
    return true;
}

static bool join_load(struct skep_interp_op *last, const struct skep_interp_op *op)
{
    const struct load_traits *l = &loads[last->handler];
    if (!l->bits)
        return false;
    if (op->handler == l->stx && op->b == last->a && op->a != last->a) {
        last->handler = l->with_stx;
        last->c = op->a;
        last->imm = op->off;
        return true;
    }
    if (traits[op->handler].shape == CONDITION_IMM || traits[op->handler].shape == CONDITION_REG)
        return join_load_condition(last, op);
    if (op->a != op->b || op->c != last->a || op->a == last->a)
        return false;
    uint16_t joined = op->handler == SKEP_DO_ADD64_REG   ? l->add64
                      : op->handler == SKEP_DO_ADD32_REG ? l->add32
                      : op->handler == SKEP_DO_XOR64_REG ? l->xor64
                      : op->handler == SKEP_DO_OR64_REG  ? l->or64
                                                         : 0;
    if (!joined)
        return false;
    last->handler = joined;
    last->c = op->a;
    return true;
}

static bool join(struct translation *t, uint32_t insn, const struct skep_interp_op *op)
{
    if (!t->joined || t->to->n_ops == t->block)
        return false;
    struct skep_interp_op *last = &t->to->ops[t->to->n_ops - 1];
    uint32_t slots = insn - t->to->insns[t->to->n_ops - 1];
    return masks_nothing(last, op) || join_copy(last, op) || join_shift(last, op) || join_logic(last, op) ||
           join_add(last, op) || join_index(last, op, slots) || join_load(last, op) || join_jump(last, op);
}

/* ---- translation ---- */

static void put(struct translation *t, uint32_t insn, const struct skep_interp_op *op)
{
    t->to->insns[t->to->n_ops] = insn;
    t->to->ops[t->to->n_ops++] = *op;
}

static bool in_frame(const struct skep_interp_op *op, unsigned size)
{
    return op->off >= -SKEP_FRAME_SIZE && op->off <= -(int)size;
}

/* Accesses of the own frame need no check, and those right beside it fail it. */
static void place_access(struct skep_interp_op *op, unsigned base, const struct skep_opcode_info *info)
{
    if (base != SKEP_REG_FRAME)
        return;
    bool fits = in_frame(op, info->bits / 8U);
    if (!fits) {
        op->handler = SKEP_DO_FAULT;
        op->c = info->flags & SKEP_OPF_STORE ? SKEP_VM_FAULT_WRITE : SKEP_VM_FAULT_READ;
    } else if (info->flags & SKEP_OPF_ATOMIC) {
        op->c = 1;
    } else {
        op->handler++; /* the _FRAME form follows */
    }
}

static void set_memory(const struct skep_vm_program *p, uint32_t i, struct skep_interp_op *op)
{
    const struct skep_opcode_info *info = skep_opcode_info(p->ops[i]);
    const struct skep_insn *insn = &p->insns[i];
    op->off = insn->off;
    op->slot = (uint16_t)(offsetof(struct skep_exec, load) + i % SKEP_SLOTS * sizeof(struct skep_slot));
    bool store = info->flags & SKEP_OPF_STORE;
    if (info->flags & SKEP_OPF_ATOMIC &&
        (store ? op->a == SKEP_REG_FRAME : true)) /* the common additions have handlers of their own */
        op->handler = 0;
    if (info->flags & SKEP_OPF_ATOMIC && !op->handler) {
        op->handler = SKEP_DO_ATOMIC;
        op->imm = p->ops[i];
    }
    place_access(op, store ? op->a : op->b, info);
}

static void set_call(const struct skep_vm_program *p, uint32_t i, struct skep_interp_op *op)
{
    uint32_t number = (uint32_t)p->insns[i].imm;
    const struct skep_helper *h = number < SKEP_HELPERS_MAX ? skep_vm_helper_find(p->vm, number) : NULL;
    if (number == SKEP_HELPER_TAIL_CALL) {
        op->handler = SKEP_DO_TAIL_CALL;
    } else if (skep_program_poison(p, i)) {
        op->handler = SKEP_DO_POISON;
    } else if (h) {
        op->handler = SKEP_DO_CALL_HELPER;
        op->helper = h->fn;
    } else {
        op->handler = SKEP_DO_NO_HELPER;
        op->imm = number;
    }
}

/* Divisions by the constants 0 and -1 are none. */
static void set_division(struct skep_interp_op *op, enum skep_opcode code)
{
    bool wide = skep_opcode_info(code)->bits == 64;
    bool modulo = code == SKEP_OP_MOD64_IMM || code == SKEP_OP_MOD32_IMM || code == SKEP_OP_SMOD64_IMM ||
                  code == SKEP_OP_SMOD32_IMM;
    bool sign = code == SKEP_OP_SDIV64_IMM || code == SKEP_OP_SDIV32_IMM || code == SKEP_OP_SMOD64_IMM ||
                code == SKEP_OP_SMOD32_IMM;
    if (op->imm == 0 && modulo)
        op->handler = wide ? SKEP_DO_NOTHING : SKEP_DO_MOV32_REG;
    else if (op->imm == 0 || (sign && op->imm == -1 && modulo))
        *op = (struct skep_interp_op){.handler = SKEP_DO_MOV64_IMM, .a = op->a, .cost = op->cost};
    else if (sign && op->imm == -1)
        op->handler = wide ? SKEP_DO_NEG64 : SKEP_DO_NEG32;
}

static void set_operands(const struct skep_vm_program *p, uint32_t i, struct skep_interp_op *op)
{
    const struct skep_insn *insn = &p->insns[i];
    const struct skep_opcode_info *info = skep_opcode_info(p->ops[i]);
    op->handler = handlers[p->ops[i]];
    op->a = (uint8_t)skep_insn_dst(insn);
    op->b = (uint8_t)skep_insn_src(insn);
    op->imm = insn->imm;
    switch (info->form) {
    case SKEP_FORM_ALU_IMM:
        op->b = op->a;
        if (p->ops[i] == SKEP_OP_MOV32_IMM)
            op->imm = (uint32_t)insn->imm;
        if (info->group == SKEP_GROUP_DIVMUL32 || info->group == SKEP_GROUP_DIVMUL64)
            if (p->ops[i] != SKEP_OP_MUL64_IMM && p->ops[i] != SKEP_OP_MUL32_IMM)
                set_division(op, p->ops[i]);
        break;
    case SKEP_FORM_ALU_REG:
        if (op->handler != SKEP_DO_MOV64_REG && op->handler != SKEP_DO_MOV32_REG) {
            op->c = op->b;
            op->b = op->a;
        }
        break;
    case SKEP_FORM_SWAP:
        op->b = op->a;
        break;
    case SKEP_FORM_LDDW:
        op->handler = SKEP_DO_MOV64_IMM;
        op->imm = (int64_t)skep_insn_imm64(insn);
        break;
    case SKEP_FORM_CALL_HELPER:
        set_call(p, i, op);
        break;
    case SKEP_FORM_CALL_LOCAL:
        op->handler = SKEP_DO_CALL_LOCAL;
        op->imm = skep_function_at(p, (uint32_t)skep_insn_target(SKEP_OP_CALL_LOCAL, insn, i));
        break;
    case SKEP_FORM_CALL_KFUNC:
        op->handler = SKEP_DO_FAULT;
        op->c = SKEP_VM_FAULT_CALL;
        break;
    case SKEP_FORM_LDABS:
    case SKEP_FORM_LDIND:
        op->handler = SKEP_DO_PACKET;
        op->c = info->form == SKEP_FORM_LDIND;
        op->a = info->bits / 8;
        break;
    default:
        if (info->flags & (SKEP_OPF_LOAD | SKEP_OPF_STORE))
            set_memory(p, i, op);
    }
}

static bool runs_into_block(const struct skep_vm_program *p, uint32_t i)
{
    if (i == 0 || !(p->marks[i] & SKEP_MARK_BLOCK))
        return false;
    uint32_t before = p->marks[i - 1] & SKEP_MARK_WIDE ? i - 2 : i - 1;
    uint32_t flags = skep_opcode_info(p->ops[before])->flags;
    return flags & SKEP_OPF_FALLS && !(flags & SKEP_OPF_ENDS_BLOCK);
}

static void translate_insn(struct translation *t, uint32_t i)
{
    const struct skep_vm_program *p = t->p;
    struct skep_interp_op op = {.cost = p->costs[i]};
    if (runs_into_block(p, i))
        put(t, i, &(struct skep_interp_op){.handler = SKEP_DO_BLOCK});
    if (p->marks[i] & SKEP_MARK_BLOCK)
        t->block = t->to->n_ops;
    set_operands(p, i, &op);
    /* jumps hold the number of their target until all ops are there */
    if (skep_opcode_info(p->ops[i])->flags & SKEP_OPF_JUMP)
        op.to = (const struct skep_interp_op *)(uintptr_t)(skep_insn_target(p->ops[i], &p->insns[i], i) + 1);
    if (!join(t, i, &op)) {
        t->ops_of[i] = t->to->n_ops;
        put(t, i, &op);
    }
}

/* Addresses instead of numbers. */
static void link_ops(struct translation *t)
{
    const void *const *labels = skep_interp_labels();
    for (uint32_t n = 0; n < t->to->n_ops; n++) {
        struct skep_interp_op *op = &t->to->ops[n];
        bool traced = !t->joined && op->handler != SKEP_DO_BLOCK;
        op->code = labels[traced ? SKEP_DO_TRACE : op->handler];
        if (op->to)
            op->to = &t->to->ops[t->ops_of[(uintptr_t)op->to - 1]];
    }
    for (uint32_t f = 0; f < t->p->n_functions; f++)
        t->to->functions[f] = &t->to->ops[t->ops_of[t->p->functions[f].insn]];
}

struct skep_interp *skep_interp_translate(const struct skep_vm_program *p, bool joined)
{
    const struct skep_vm *vm = p->vm;
    struct translation t = {.p = p, .joined = joined};
    size_t n = 0;
    for (uint32_t i = 0; i < p->n_insns; i++)
        n += 1U + runs_into_block(p, i);
    t.to = skep_vm_calloc(vm, 1, sizeof(*t.to));
    t.ops_of = skep_vm_alloc(vm, p->n_insns * sizeof(uint32_t));
    if (t.to) {
        t.to->ops = skep_vm_calloc(vm, n, sizeof(struct skep_interp_op));
        t.to->insns = skep_vm_calloc(vm, n, sizeof(uint32_t));
        t.to->functions = skep_vm_calloc(vm, p->n_functions, sizeof(struct skep_interp_op *));
    }
    if (!t.to || !t.ops_of || !t.to->ops || !t.to->insns || !t.to->functions) {
        skep_vm_release(vm, t.ops_of);
        return skep_interp_free(vm, t.to);
    }
    for (uint32_t i = 0; i < p->n_insns; i++) {
        t.ops_of[i] = NO_OP;
        if (!(p->marks[i] & SKEP_MARK_WIDE))
            translate_insn(&t, i);
    }
    link_ops(&t);
    skep_vm_release(vm, t.ops_of);
    return t.to;
}

struct skep_interp *skep_interp_free(const struct skep_vm *vm, struct skep_interp *i)
{
    if (!i)
        return NULL;
    skep_vm_release(vm, i->ops);
    skep_vm_release(vm, i->insns);
    skep_vm_release(vm, i->functions);
    skep_vm_release(vm, i);
    return NULL;
}
