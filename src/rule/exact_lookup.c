/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/exact.h"

#define FACT(member) offsetof(struct skep_fact, member)

/* A rule that several classes have is a function: label + 1; 0: written where its only class is. */
struct found {
    struct skep_exact *x;
    const struct skep_lookup *l;
    unsigned *functions; /* by rule of the lookup */
    unsigned *classes;   /* labels */
    unsigned end;
};

static void emit_rule(struct skep_exact *x, const struct skep_lookup_rule *r)
{
    unsigned yes = skep_build_label(&x->b), no = skep_build_label(&x->b);
    skep_exact_node(x, r->rest, &(struct skep_branch){yes, no, yes});
    skep_build_bind(&x->b, yes);
    skep_exact_report(x, r->rule);
    skep_build_bind(&x->b, no);
}

static void emit_class(const struct found *f, const struct skep_lookup_class *c)
{
    struct skep_exact *x = f->x;
    for (size_t i = 0; i < c->n && !x->b.error; i++) {
        if (f->functions[c->rules[i]]) {
            skep_build_reg(&x->b, SKEP_OP_MOV64_REG, 1, 6);
            skep_build_call_label(&x->b, f->functions[c->rules[i]] - 1);
        } else {
            emit_rule(x, &f->l->rules[c->rules[i]]);
        }
    }
    skep_build_jump(&x->b, f->end);
}

/* To the label of the class in r1, which is one of first to last. */
static void emit_switch(const struct found *f, uint32_t first, uint32_t last)
{
    struct skep_build *b = &f->x->b;
    if (first == last) {
        skep_build_jump(b, f->classes[first]);
        return;
    }
    unsigned upper = skep_build_label(b);
    uint32_t mid = first + (last - first) / 2 + 1;
    skep_build_jump_imm(b, SKEP_OP_JGE_IMM, 1, (int32_t)mid, upper);
    emit_switch(f, first, mid - 1);
    skep_build_bind(b, upper);
    emit_switch(f, mid, last);
}

static void emit_choice(const struct found *f)
{
    const struct skep_lookup *l = f->l;
    _cleanup_free_ struct skep_emit_choice *choices = calloc(MAX(l->n_texts, (size_t)1), sizeof(*choices));
    if (!choices) {
        skep_exact_fail(f->x, -ENOMEM);
        return;
    }
    for (size_t i = 0; i < l->n_texts; i++)
        choices[i] = (struct skep_emit_choice){
            .s = l->texts[i].text.s, .n = l->texts[i].text.n, .label = f->classes[l->text_classes[i]]};
    skep_exact_load_fact(f->x, SKEP_OP_LDXDW, 1, l->request, FACT(value));
    skep_exact_load_fact(f->x, SKEP_OP_LDXW, 2, l->request, FACT(n));
    struct skep_emit_text t = {.ptr = 1, .len = 2, .tmp = 3, .tmp2 = 4, .padded = true};
    skep_emit_choose(&f->x->b, &t, choices, l->n_texts, f->end);
}

static void emit_find(const struct found *f)
{
    struct skep_exact *x = f->x;
    const struct skep_lookup *l = f->l;
    skep_exact_fetch(x, l->request, f->end);
    if (l->prefixes) {
        skep_exact_call(x, SKEP_RULE_HELPER_MATCH, (uint32_t)x->unit->atoms.n + l->matcher);
        skep_build_jump_imm(&x->b, SKEP_OP_JEQ_IMM, 0, 0, f->end);
        skep_build_reg(&x->b, SKEP_OP_MOV64_REG, 1, 0);
        emit_switch(f, 1, (uint32_t)l->n_classes - 1);
    } else if (l->set) {
        unsigned empty = f->classes[l->set->has_empty ? l->set->empty_class : 1];
        skep_exact_lookup(x, l->request, l->set, empty, f->end);
        skep_build_load(&x->b, SKEP_OP_LDXW, 1, 0, offsetof(struct skep_map_value, class));
        emit_switch(f, 1, (uint32_t)l->n_classes - 1);
    } else {
        emit_choice(f);
    }
}

static unsigned add_function(struct skep_exact *x, const struct skep_lookup_rule *rule)
{
    if (x->n_rules >= x->cap_rules) {
        size_t cap = x->cap_rules ? x->cap_rules * 2 : 64;
        struct skep_exact_rule *rules = reallocarray(x->rules, cap, sizeof(*rules));
        if (!rules) {
            skep_exact_fail(x, -ENOMEM);
            return 0;
        }
        x->rules = rules;
        x->cap_rules = cap;
    }
    unsigned label = skep_build_label(&x->b);
    x->rules[x->n_rules++] = (struct skep_exact_rule){label, rule};
    return label;
}

static void emit_lookup(struct found *f)
{
    struct skep_build *b = &f->x->b;
    const struct skep_lookup *l = f->l;
    for (size_t i = 0; i < l->n_rules; i++)
        f->functions[i] = l->rules[i].classes > 1 ? add_function(f->x, &l->rules[i]) + 1 : 0;
    for (size_t i = 1; i < l->n_classes; i++)
        f->classes[i] = skep_build_label(b);
    f->end = skep_build_label(b);
    emit_find(f);
    for (size_t i = 1; i < l->n_classes; i++) {
        skep_build_bind(b, f->classes[i]);
        emit_class(f, &l->classes[i]);
    }
    skep_build_bind(b, f->end);
}

void skep_exact_lookups(struct skep_exact *x)
{
    uint16_t kind = x->plan.kind;
    for (size_t i = 0; i < x->unit->n_lookups[kind] && !x->b.error; i++) {
        struct found f = {.x = x, .l = &x->unit->lookups[kind][i]};
        f.functions = calloc(f.l->n_rules, sizeof(*f.functions));
        f.classes = calloc(f.l->n_classes, sizeof(*f.classes));
        if (f.functions && f.classes && f.l->n_classes > 1)
            emit_lookup(&f);
        else
            skep_exact_fail(x, -ENOMEM);
        free(f.functions);
        free(f.classes);
    }
}

void skep_exact_rules(struct skep_exact *x)
{
    for (size_t i = 0; i < x->n_rules && !x->b.error; i++) {
        skep_build_bind(&x->b, x->rules[i].label);
        skep_build_reg(&x->b, SKEP_OP_MOV64_REG, 6, 1);
        emit_rule(x, x->rules[i].rule);
        skep_build_mov(&x->b, 0, 0);
        skep_build_exit(&x->b);
    }
}
