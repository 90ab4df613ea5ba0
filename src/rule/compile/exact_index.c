/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/exact.h"

/* A candidate's number is in r1. */
static void emit_switch(struct skep_exact *x, const unsigned *labels, uint32_t first, uint32_t n)
{
    if (n == 1) {
        skep_build_jump(&x->b, labels[first]);
        return;
    }
    unsigned upper = skep_build_label(&x->b);
    uint32_t half = n / 2;
    skep_build_jump_imm(&x->b, SKEP_OP_JGE_IMM, 1, (int32_t)(first + half), upper);
    emit_switch(x, labels, first, half);
    skep_build_bind(&x->b, upper);
    emit_switch(x, labels, first + half, n - half);
}

static void emit_candidates(struct skep_exact *x, const struct skep_index_choice *c, unsigned *labels)
{
    struct skep_build *b = &x->b;
    unsigned next = skep_build_label(b), end = skep_build_label(b);
    for (size_t i = 0; i < c->n; i++)
        labels[i] = skep_build_label(b);
    skep_exact_call(x, SKEP_RULE_HELPER_FIND, x->plan.kind);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, end);
    skep_build_bind(b, next);
    skep_exact_call(x, SKEP_RULE_HELPER_NEXT, 0);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, end);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 1, 0);
    skep_build_imm(b, SKEP_OP_SUB64_IMM, 1, 1);
    emit_switch(x, labels, 0, (uint32_t)c->n);
    for (size_t i = 0; i < c->n && !b->error; i++) {
        unsigned yes = skep_build_label(b);
        skep_build_bind(b, labels[i]);
        skep_exact_node(x, c->rules[i].rest, &(struct skep_branch){yes, next, yes});
        skep_build_bind(b, yes);
        skep_exact_report(x, c->rules[i].rule);
        skep_build_jump(b, next);
    }
    skep_build_bind(b, end);
}

void skep_exact_candidates(struct skep_exact *x)
{
    const struct skep_index_choice *c = &x->unit->found[x->plan.kind];
    if (c->n == 0)
        return;
    unsigned *labels = calloc(c->n, sizeof(*labels));
    if (labels)
        emit_candidates(x, c, labels);
    else
        skep_exact_fail(x, -ENOMEM);
    free(labels);
}
