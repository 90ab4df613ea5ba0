/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/prune.h"

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

/* ---- the longest way ---- */

struct walking {
    const struct skep_insn *insns;
    size_t n, loop;
    uint32_t *stack; /* where it is, and the way there */
    size_t *most;    /* from each instruction on */
    uint8_t *state;  /* of each: how many of its ways were walked, + 1; DONE */
};

enum { DONE = 4 };

/* Way 0 is straight on, way 1 the jump; SIZE_MAX: there is no such way. */
static size_t way_of(const struct walking *w, size_t at, unsigned way, bool *ret_branch)
{
    const struct skep_insn *i = &w->insns[at];
    enum skep_opcode op = SKEP_OP_EXIT;
    bool jump = is_jump(i, &op);
    size_t next = at + 1 + (i->code == skep_opcode_info(SKEP_OP_LDDW)->code);
    bool on =
        i->code != skep_opcode_info(SKEP_OP_JA)->code && i->code != skep_opcode_info(SKEP_OP_EXIT)->code;
    *ret_branch = jump && on;
    if (way == 0)
        return on && next < w->n ? next : SIZE_MAX;
    return jump ? (size_t)((int64_t)at + 1 + i->off) : SIZE_MAX;
}

static void walk(struct walking *w)
{
    size_t depth = 1;
    w->stack[0] = 0;
    w->state[0] = 1;
    while (depth) {
        size_t at = w->stack[depth - 1];
        unsigned way = w->state[at] - 1U;
        bool branch;
        if (way < 2) {
            size_t to = way_of(w, at, way, &branch);
            w->state[at]++;
            if (to == SIZE_MAX || to >= w->n || w->state[to] == DONE)
                continue;
            if (w->state[to]) { /* it leads here again */
                w->most[to] = MAX(w->most[to], w->loop);
                continue;
            }
            w->state[to] = 1;
            w->stack[depth++] = (uint32_t)to;
            continue;
        }
        size_t most = 0;
        for (way = 0; way < 2; way++) {
            size_t to = way_of(w, at, way, &branch);
            if (to < w->n && w->state[to] == DONE)
                most = MAX(most, w->most[to]);
        }
        w->most[at] += most + branch;
        w->state[at] = DONE;
        depth--;
    }
}

int skep_prune_branches(const struct skep_insn *insns, size_t n, size_t loop, size_t *ret)
{
    struct walking w = {.insns = insns, .n = n, .loop = loop};
    w.stack = calloc(n + 1, sizeof(*w.stack));
    w.most = calloc(n + 1, sizeof(*w.most));
    w.state = calloc(n + 1, sizeof(*w.state));
    int r = w.stack && w.most && w.state ? 0 : -ENOMEM;
    if (r == 0) {
        walk(&w);
        *ret = w.most[0];
    }
    free(w.stack);
    free(w.most);
    free(w.state);
    return r;
}
