/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_RULE_PRINT_H
#define SKEP_TEST_RULE_PRINT_H
/* Conditions as text, fully parenthesized, with every value in quotes. */
#include "base/strbuf.h"
#include "rule/condition/ast.h"
#include "rule/condition/parse.h"
#include "rule/transform.h"

static inline void print_operand(const struct skep_operand *o, struct skep_strbuf *sb)
{
    if (o->field) {
        skep_strbuf_puts(sb, o->field->name);
        if (o->arg)
            skep_strbuf_printf(sb, "[%s]", o->arg);
    } else if (o->transform >= 0) {
        skep_strbuf_printf(sb, "%s(", skep_transform_name(o->transform));
        for (size_t i = 0; i < o->n_operands; i++) {
            skep_strbuf_puts(sb, i ? ", " : "");
            print_operand(o->operands[i], sb);
        }
        skep_strbuf_putc(sb, ')');
    } else if (o->literal) {
        skep_strbuf_printf(sb, "\"%s\"", o->literal);
    } else {
        skep_strbuf_putc(sb, '?');
    }
}

static inline void print_check(const struct skep_check *c, struct skep_strbuf *sb)
{
    static const char *const quantifiers[] = {"", " oneof", " anyof", " allof"};
    bool list = c->quantifier || skep_rule_op_takes_list(c->op);
    print_operand(c->left, sb);
    skep_strbuf_printf(sb, " %s%s", skep_rule_op_text(c->op), quantifiers[c->quantifier]);
    if (c->op == SKEP_RULE_OP_EXISTS)
        return;
    skep_strbuf_putc(sb, ' ');
    if (c->right) {
        print_operand(c->right, sb);
        return;
    }
    skep_strbuf_puts(sb, list ? "(" : "");
    for (size_t i = 0; i < c->n_values; i++) {
        skep_strbuf_puts(sb, i ? ", \"" : "\"");
        skep_strbuf_put_visible(sb, c->values[i].s, c->values[i].n);
        skep_strbuf_putc(sb, '"');
    }
    skep_strbuf_puts(sb, list ? ")" : "");
}

static inline void print_expr(const struct skep_expr *e, struct skep_strbuf *sb)
{
    if (e->kind == SKEP_EXPR_CHECK) {
        print_check(&e->check, sb);
        return;
    }
    if (e->kind == SKEP_EXPR_NOT) {
        skep_strbuf_puts(sb, "not ");
        print_expr(e->kids[0], sb);
        return;
    }
    skep_strbuf_putc(sb, '(');
    for (size_t i = 0; i < e->n_kids; i++) {
        if (i)
            skep_strbuf_puts(sb, e->kind == SKEP_EXPR_AND ? " and " : " or ");
        print_expr(e->kids[i], sb);
    }
    skep_strbuf_putc(sb, ')');
}
#endif
