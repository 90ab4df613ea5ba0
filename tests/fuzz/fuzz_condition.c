/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a condition: it is refused with a diagnostic that can be printed, or it becomes a tree that can be
 * walked. */
#include "rule/evtset.h"
#include "rule/falco/falco.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

static void walk_operand(const struct skep_operand *o)
{
    if ((o->field != NULL) + (o->transform >= 0) + (o->literal != NULL) != 1 &&
        !(o->field && o->transform <= 0))
        abort();
    for (size_t i = 0; i < o->n_operands; i++)
        walk_operand(o->operands[i]);
    sink += o->arg ? strlen(o->arg) : 0;
}

static void walk(const struct skep_expr *e, unsigned depth)
{
    if (depth > SKEP_RULE_DEPTH_MAX || (e->kind == SKEP_EXPR_NOT && e->n_kids != 1))
        abort();
    for (size_t i = 0; i < e->n_kids; i++)
        walk(e->kids[i], depth + 1);
    if (e->kind != SKEP_EXPR_CHECK)
        return;
    walk_operand(e->check.left);
    if (e->check.right)
        walk_operand(e->check.right);
    for (size_t i = 0; i < e->check.n_values; i++) {
        const struct skep_literal *v = &e->check.values[i];
        if (v->s[v->n])
            abort();
        sink += skep_rule_source_offset(v->place.source, v->place.at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_diags_ struct skep_diags d;
    _cleanup_policy_ struct skep_policy *p = NULL;
    _cleanup_strbuf_ struct skep_strbuf sb;
    bool set[SKEP_EVTTYPE_MAX], pure;
    if (size > 65536)
        return 0;
    /* exactly as large as it is, so that a byte too far is noticed */
    _cleanup_free_ char *text = malloc(MAX(size, (size_t)1));
    memcpy(text, data, size);
    skep_diags_init(&d, "condition");
    skep_strbuf_init(&sb, 1 << 20);
    int r = skep_falco_condition(text, size, &d, &p);
    if ((r < 0) != (p == NULL) || (r == -EINVAL) != (d.n_errors > 0))
        abort();
    skep_diags_put_text(&d, NULL, &sb);
    if (p) {
        walk(p->rules[0].condition, 1);
        skep_rule_evttypes(p->rules[0].condition, set, &pure);
    }
    return 0;
}
