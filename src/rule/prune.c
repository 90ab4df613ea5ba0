/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/prune.h"

struct pruning {
    struct skep_insn *insns;
    size_t n;
    uint32_t *stack, *places; /* places: where an instruction goes; with UINT32_MAX it goes away */
    bool *reached;
    size_t n_stack;
};

static bool is_jump(const struct skep_insn *i, enum skep_opcode *ret_op)
{
    const char *reason;
    return skep_insn_decode(i, ret_op, &reason) == 0 && skep_opcode_info(*ret_op)->flags & SKEP_OPF_JUMP;
}

static void reach(struct pruning *p, size_t at)
{
    if (at >= p->n || p->reached[at])
        return;
    p->reached[at] = true;
    p->stack[p->n_stack++] = (uint32_t)at;
}

static void mark(struct pruning *p)
{
    reach(p, 0);
    while (p->n_stack) {
        size_t at = p->stack[--p->n_stack];
        const struct skep_insn *i = &p->insns[at];
        enum skep_opcode op;
        if (is_jump(i, &op))
            reach(p, (size_t)((int64_t)at + 1 + i->off));
        bool wide = i->code == skep_opcode_info(SKEP_OP_LDDW)->code;
        if (wide)
            p->reached[at + 1] = true;
        if (i->code != skep_opcode_info(SKEP_OP_JA)->code && i->code != skep_opcode_info(SKEP_OP_EXIT)->code)
            reach(p, at + 1 + wide);
    }
}

int skep_prune(struct skep_insn *insns, size_t *n)
{
    struct pruning p = {.insns = insns, .n = *n};
    for (size_t i = 0; i < *n; i++)
        if (insns[i].code == skep_opcode_info(SKEP_OP_JA32)->code && insns[i].imm)
            return -E2BIG;
    p.stack = calloc(*n, sizeof(*p.stack));
    p.places = calloc(*n, sizeof(*p.places));
    p.reached = calloc(*n, sizeof(*p.reached));
    int r = p.stack && p.places && p.reached ? 0 : -ENOMEM;
    if (r == 0) {
        mark(&p);
        uint32_t kept = 0;
        for (size_t i = 0; i < *n; i++)
            p.places[i] = p.reached[i] ? kept++ : UINT32_MAX;
        for (size_t i = 0; i < *n; i++) {
            enum skep_opcode op;
            if (p.reached[i] && is_jump(&insns[i], &op))
                insns[i].off =
                    (int16_t)((int64_t)p.places[(int64_t)i + 1 + insns[i].off] - (int64_t)p.places[i] - 1);
        }
        for (size_t i = 0; i < *n; i++)
            if (p.reached[i])
                insns[p.places[i]] = insns[i];
        *n = kept;
    }
    free(p.stack);
    free(p.places);
    free(p.reached);
    return r;
}

size_t skep_prune_branches(const struct skep_insn *insns, size_t n)
{
    size_t count = 0;
    enum skep_opcode op;
    for (size_t i = 0; i < n; i++)
        count += is_jump(&insns[i], &op) && op != SKEP_OP_JA;
    return count;
}
