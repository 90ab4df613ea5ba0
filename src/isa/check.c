/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/check.h"

#include <stdarg.h>

struct check {
    const struct skep_insn *insns;
    size_t n;
    uint16_t *ops;
    uint8_t *marks;
    struct skep_insns_error *error;
};

static const char *const fault_names[SKEP_INSNS_FAULT_MAX] = {
    [SKEP_INSNS_EMPTY] = "empty-program",     [SKEP_INSNS_TOO_LONG] = "program-too-long",
    [SKEP_INSNS_OPCODE] = "unknown-opcode",   [SKEP_INSNS_FIELD] = "unused-field",
    [SKEP_INSNS_REGISTER] = "bad-register",   [SKEP_INSNS_WIDE] = "bad-wide-instruction",
    [SKEP_INSNS_JUMP] = "bad-jump",           [SKEP_INSNS_CALL] = "bad-call",
    [SKEP_INSNS_FALLS_OFF] = "falls-off-end",
};

const char *skep_insns_fault_name(enum skep_insns_fault fault)
{
    return fault_names[fault];
}

SKEP_PRINTF(4, 5)
static int fail(struct check *c, size_t insn, enum skep_insns_fault fault, const char *fmt, ...)
{
    c->error->insn = (uint32_t)insn;
    c->error->fault = fault;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->error->message, sizeof(c->error->message), fmt, ap);
    va_end(ap);
    return fault == SKEP_INSNS_TOO_LONG ? -E2BIG : -EINVAL;
}

int64_t skep_insn_target(enum skep_opcode op, const struct skep_insn *insn, size_t i)
{
    bool in_off = skep_opcode_info(op)->off.use == SKEP_FIELD_JUMP;
    return (int64_t)i + 1 + (in_off ? insn->off : insn->imm);
}

static bool writes(enum skep_field_use use)
{
    return use == SKEP_FIELD_WRITE || use == SKEP_FIELD_READ_WRITE;
}

static int check_register(struct check *c, size_t i, enum skep_field_use use, unsigned reg)
{
    if (use == SKEP_FIELD_FIXED || reg < SKEP_REG_FRAME || (reg == SKEP_REG_FRAME && !writes(use)))
        return 0;
    if (reg == SKEP_REG_FRAME)
        return fail(c, i, SKEP_INSNS_REGISTER, "r10 is the frame pointer and cannot be written");
    return fail(c, i, SKEP_INSNS_REGISTER, "there is no register r%u", reg);
}

static int decode(struct check *c, size_t i)
{
    const struct skep_insn *insn = &c->insns[i];
    enum skep_opcode op;
    const char *reason;
    int r = skep_insn_decode(insn, &op, &reason);
    if (r == -EOPNOTSUPP)
        return fail(c, i, SKEP_INSNS_OPCODE, "%s (code 0x%02x, src %u, off %d, imm %d)", reason, insn->code,
                    skep_insn_src(insn), insn->off, insn->imm);
    if (r < 0)
        return fail(c, i, SKEP_INSNS_FIELD, "%s", reason);
    c->ops[i] = (uint16_t)op;

    const struct skep_opcode_info *info = skep_opcode_info(op);
    r = check_register(c, i, info->dst.use, skep_insn_dst(insn));
    if (r == 0)
        r = check_register(c, i, info->src.use, skep_insn_src(insn));
    if (r < 0 || !(info->flags & SKEP_OPF_WIDE))
        return r;
    if (i + 1 == c->n)
        return fail(c, i, SKEP_INSNS_WIDE, "the program ends in the middle of a wide instruction");
    if (skep_insn_decode_wide(op, insn + 1, &reason) < 0)
        return fail(c, i, SKEP_INSNS_WIDE, "%s", reason);
    c->ops[i + 1] = SKEP_OP_INVALID;
    c->marks[i + 1] = SKEP_MARK_WIDE;
    return 0;
}

/* Marks what instruction i leads to. */
static int mark_target(struct check *c, size_t i)
{
    enum skep_opcode op = c->ops[i];
    const struct skep_opcode_info *info = skep_opcode_info(op);
    bool jump = info->flags & SKEP_OPF_JUMP;
    if (jump || info->imm.use == SKEP_FIELD_FUNCTION) {
        const char *what = jump                          ? "jump to"
                           : info->flags & SKEP_OPF_CALL ? "call of"
                                                         : "address of a function at";
        enum skep_insns_fault fault = jump ? SKEP_INSNS_JUMP : SKEP_INSNS_CALL;
        int64_t target = skep_insn_target(op, &c->insns[i], i);
        if (target < 0 || target >= (int64_t)c->n)
            return fail(c, i, fault, "%s %lld is outside of the program (%zu instructions)", what,
                        (long long)target, c->n);
        if (c->marks[target] & SKEP_MARK_WIDE)
            return fail(c, i, fault, "%s %lld is in the middle of a wide instruction", what,
                        (long long)target);
        c->marks[target] |= SKEP_MARK_BLOCK;
        if (!jump)
            c->marks[target] |= SKEP_MARK_FUNC;
        else if (target <= (int64_t)i)
            c->marks[target] |= SKEP_MARK_BACK;
    }
    if (info->flags & SKEP_OPF_ENDS_BLOCK && i + 1 < c->n)
        c->marks[i + 1] |= SKEP_MARK_BLOCK;
    return 0;
}

/* One function, from its first instruction to the one before the next function: returns where that is. */
static int check_function(struct check *c, size_t start, size_t *ret_end)
{
    size_t end = start + 1, last = start;
    while (end < c->n && !(c->marks[end] & SKEP_MARK_FUNC)) {
        if (!(c->marks[end] & SKEP_MARK_WIDE))
            last = end;
        end++;
    }
    for (size_t i = start; i < end; i++) {
        if (!(skep_opcode_info(c->ops[i])->flags & SKEP_OPF_JUMP))
            continue;
        int64_t target = skep_insn_target(c->ops[i], &c->insns[i], i);
        if (target < (int64_t)start || target >= (int64_t)end)
            return fail(c, i, SKEP_INSNS_JUMP, "jump to %lld leaves the function, which is %zu to %zu",
                        (long long)target, start, end - 1);
    }
    if (skep_opcode_info(c->ops[last])->flags & SKEP_OPF_FALLS) {
        if (end == c->n)
            return fail(c, last, SKEP_INSNS_FALLS_OFF,
                        "falls off the end: the last instruction must be an exit or a jump");
        return fail(c, last, SKEP_INSNS_FALLS_OFF, "falls into the function that begins at %zu", end);
    }
    *ret_end = end;
    return 0;
}

static void count_costs(const struct check *c, uint32_t *costs)
{
    size_t block = 0;
    for (size_t i = 0; i < c->n; i++) {
        costs[i] = 0;
        if (c->marks[i] & SKEP_MARK_BLOCK)
            block = i;
        if (!(c->marks[i] & SKEP_MARK_WIDE))
            costs[block]++;
    }
}

int skep_insns_check(const struct skep_insn *insns, size_t n, uint32_t entry, uint16_t *ret_ops,
                     uint8_t *ret_marks, uint32_t *ret_costs, struct skep_insns_error *reterr)
{
    struct check c = {.insns = insns, .n = n, .ops = ret_ops, .marks = ret_marks, .error = reterr};
    if (n == 0)
        return fail(&c, 0, SKEP_INSNS_EMPTY, "the program has no instructions");
    if (n > SKEP_ISA_INSNS_MAX)
        return fail(&c, SKEP_ISA_INSNS_MAX, SKEP_INSNS_TOO_LONG,
                    "the program has %zu instructions; %u are allowed", n, (unsigned)SKEP_ISA_INSNS_MAX);
    memset(ret_marks, 0, n);
    for (size_t i = 0; i < n; i += skep_opcode_info(ret_ops[i])->flags & SKEP_OPF_WIDE ? 2 : 1) {
        int r = decode(&c, i);
        if (r < 0)
            return r;
    }
    if (entry >= n || ret_marks[entry] & SKEP_MARK_WIDE)
        return fail(&c, entry, SKEP_INSNS_EMPTY, "no instruction begins at the entry, %u", entry);
    ret_marks[0] |= SKEP_MARK_BLOCK | SKEP_MARK_FUNC;
    ret_marks[entry] |= SKEP_MARK_BLOCK | SKEP_MARK_FUNC;
    for (size_t i = 0; i < n; i++) {
        int r = mark_target(&c, i);
        if (r < 0)
            return r;
    }
    for (size_t start = 0; start < n;) {
        int r = check_function(&c, start, &start);
        if (r < 0)
            return r;
    }
    if (ret_costs)
        count_costs(&c, ret_costs);
    return 0;
}
