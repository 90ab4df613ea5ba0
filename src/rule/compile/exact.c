/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/exact.h"

#include "base/array.h"

#define INSNS_MAX 1000000
#define FALSE_BYTE 1
#define TRUE_BYTE 2

void skep_exact_fail(struct skep_exact *x, int error)
{
    if (!x->b.error)
        x->b.error = error;
}

/* ---- nodes ---- */

/* The label of the function of a node, which will be written later. */
static unsigned function_of(struct skep_exact *x, uint32_t node)
{
    if (x->functions[node])
        return x->functions[node] - 1;
    if (SKEP_ARRAY_RESERVE(x->wanted, x->n_wanted, 1, x->cap_wanted) < 0) {
        skep_exact_fail(x, -ENOMEM);
        return 0;
    }
    unsigned label = skep_build_label(&x->b);
    x->functions[node] = label + 1;
    x->wanted[x->n_wanted++] = node;
    return label;
}

/* The byte of a node that is kept: register and offset to reach it. */
static int16_t byte_of(struct skep_exact *x, uint32_t cached, unsigned tmp, unsigned *ret_reg)
{
    size_t off =
        offsetof(struct skep_rule_ctx, facts) + x->unit->requests.n * sizeof(struct skep_fact) + cached - 1;
    *ret_reg = 6;
    if (off <= INT16_MAX)
        return (int16_t)off;
    skep_build_reg(&x->b, SKEP_OP_MOV64_REG, tmp, 6);
    skep_build_imm(&x->b, SKEP_OP_ADD64_IMM, tmp, (int32_t)off);
    *ret_reg = tmp;
    return 0;
}

static void emit_cached(struct skep_exact *x, uint32_t node, const struct skep_branch *to)
{
    struct skep_build *b = &x->b;
    unsigned known = skep_build_label(b), reg;
    int16_t off = byte_of(x, x->plan.nodes[node].cached, 1, &reg);
    skep_build_load(b, SKEP_OP_LDXB, 0, reg, off);
    skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 0, 0, known);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 6);
    skep_build_call_label(b, function_of(x, node));
    skep_build_bind(b, known);
    if (to->fall == to->yes) {
        skep_build_jump_imm(b, SKEP_OP_JNE_IMM, 0, TRUE_BYTE, to->no);
    } else {
        skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, TRUE_BYTE, to->yes);
        skep_emit_goto(b, to->no, to->fall);
    }
}

static void emit_join(struct skep_exact *x, const struct skep_node *n, const struct skep_branch *to)
{
    _cleanup_free_ uint32_t *kids = malloc(n->n_kids * sizeof(*kids));
    if (!kids) {
        skep_exact_fail(x, -ENOMEM);
        return;
    }
    bool and = n->kind == SKEP_NODE_AND;
    skep_rule_plan_sort(&x->plan, n, kids);
    for (uint32_t i = 0; i + 1 < n->n_kids && !x->b.error; i++) {
        unsigned next = skep_build_label(&x->b);
        skep_exact_node(x, kids[i], &(struct skep_branch){and? next : to->yes, and? to->no : next, next});
        skep_build_bind(&x->b, next);
    }
    skep_exact_node(x, kids[n->n_kids - 1], to);
}

/* The node itself, whether its result is kept or not. */
static void emit_inside(struct skep_exact *x, uint32_t node, const struct skep_branch *to)
{
    const struct skep_node *n = &x->unit->dag.nodes[node];
    switch (n->kind) {
    case SKEP_NODE_CONSTANT:
        skep_emit_goto(&x->b, node == SKEP_NODE_TRUE ? to->yes : to->no, to->fall);
        break;
    case SKEP_NODE_ATOM:
        skep_exact_atom(x, n->atom, to);
        break;
    case SKEP_NODE_NOT:
        skep_exact_node(x, n->kids[0], &(struct skep_branch){to->no, to->yes, to->fall});
        break;
    default:
        emit_join(x, n, to);
    }
}

void skep_exact_node(struct skep_exact *x, uint32_t node, const struct skep_branch *to)
{
    if (x->b.error)
        return;
    if (x->plan.nodes[node].cached)
        emit_cached(x, node, to);
    else
        emit_inside(x, node, to);
}

/* ---- functions ---- */

static void emit_function(struct skep_exact *x, uint32_t node)
{
    struct skep_build *b = &x->b;
    unsigned yes = skep_build_label(b), no = skep_build_label(b), done = skep_build_label(b), reg;
    skep_build_bind(b, x->functions[node] - 1);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 6, 1);
    emit_inside(x, node, &(struct skep_branch){yes, no, yes});
    skep_build_bind(b, yes);
    skep_build_mov(b, 0, TRUE_BYTE);
    skep_build_jump(b, done);
    skep_build_bind(b, no);
    skep_build_mov(b, 0, FALSE_BYTE);
    skep_build_bind(b, done);
    int16_t off = byte_of(x, x->plan.nodes[node].cached, 1, &reg);
    skep_build_store(b, SKEP_OP_STXB, reg, off, 0);
    skep_build_exit(b);
}

/* r1 = context, r2 = number of the rule. */
static void emit_report_function(struct skep_exact *x)
{
    struct skep_build *b = &x->b;
    unsigned full = skep_build_label(b);
    skep_build_bind(b, x->report);
    skep_build_load(b, SKEP_OP_LDXW, 3, 1, offsetof(struct skep_rule_ctx, n_matches));
    skep_build_jump_imm(b, SKEP_OP_JGE_IMM, 3, SKEP_RULE_MATCHES_MAX, full);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 4, 3);
    skep_build_imm(b, SKEP_OP_LSH64_IMM, 4, 2);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 4, 1);
    skep_build_store(b, SKEP_OP_STXW, 4, offsetof(struct skep_rule_ctx, matches), 2);
    skep_build_bind(b, full);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 3, 1);
    skep_build_store(b, SKEP_OP_STXW, 1, offsetof(struct skep_rule_ctx, n_matches), 3);
    skep_build_mov(b, 0, 0);
    skep_build_exit(b);
}

void skep_exact_report(struct skep_exact *x, uint32_t rule)
{
    skep_build_reg(&x->b, SKEP_OP_MOV64_REG, 1, 6);
    skep_build_mov(&x->b, 2, rule);
    skep_build_call_label(&x->b, x->report);
    if (x->first_only)
        skep_build_jump(&x->b, x->end);
}

/* ---- the program ---- */

static void emit_program(struct skep_exact *x)
{
    struct skep_build *b = &x->b;
    const struct skep_unit *u = x->unit;
    uint16_t kind = x->plan.kind;
    x->report = skep_build_label(b);
    x->end = skep_build_label(b);
    x->first_only = !u->options.all && u->found[kind].n == 0;
    skep_build_reg(b, SKEP_OP_MOV64_REG, 6, 1);
    for (size_t i = 0; i < u->n_tried[kind] && !b->error; i++) {
        unsigned yes = skep_build_label(b), no = skep_build_label(b);
        skep_exact_node(x, u->tried[kind][i].node, &(struct skep_branch){yes, no, yes});
        skep_build_bind(b, yes);
        skep_exact_report(x, u->tried[kind][i].rule);
        skep_build_bind(b, no);
    }
    skep_exact_candidates(x);
    skep_build_bind(b, x->end);
    skep_build_load(b, SKEP_OP_LDXW, 0, 6, offsetof(struct skep_rule_ctx, n_matches));
    skep_build_exit(b);
    emit_report_function(x);
    for (size_t i = 0; i < x->n_wanted && !b->error; i++) /* functions may ask for others */
        emit_function(x, x->wanted[i]);
}

static int finish(struct skep_exact *x, struct skep_rule_program *ret)
{
    struct skep_insn *insns = NULL;
    size_t n;
    int r = skep_build_finish(&x->b, &insns, &n);
    if (r < 0)
        return r;
    struct skep_insn *kept = skep_arena_array(x->unit->pool, n, sizeof(*kept));
    uint32_t *maps = skep_arena_array(x->unit->pool, x->refs.n, sizeof(*maps));
    if (kept && maps) {
        memcpy(kept, insns, n * sizeof(*kept));
        if (x->refs.n)
            memcpy(maps, x->refs.list, x->refs.n * sizeof(*maps));
        *ret = (struct skep_rule_program){kept, n, maps, x->refs.n};
    }
    free(insns);
    return kept && maps ? 0 : -ENOMEM;
}

int skep_exact_build(struct skep_unit *u, uint16_t kind, struct skep_rule_program *ret)
{
    struct skep_exact x = {.unit = u};
    size_t max = u->options.max_insns ? u->options.max_insns : INSNS_MAX;
    skep_build_init(&x.b, max);
    int r = skep_rule_plan_init(&x.plan, u, kind);
    x.functions = calloc(MAX(u->dag.n, (size_t)1), sizeof(*x.functions));
    if (r == 0 && x.functions) {
        for (size_t i = 0; i < u->n_rules[kind]; i++)
            skep_rule_plan_use(&x.plan, u->rules[kind][i].node);
        skep_rule_plan_settle(&x.plan);
        r = x.plan.error;
    } else {
        r = -ENOMEM;
    }
    if (r == 0) {
        emit_program(&x);
        u->n_cached = MAX(u->n_cached, x.plan.n_cached);
        r = finish(&x, ret);
    }
    skep_rule_plan_clear(&x.plan);
    skep_build_clear(&x.b);
    free(x.functions);
    free(x.wanted);
    free(x.refs.list);
    return r;
}
