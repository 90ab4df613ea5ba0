/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/filter_plan.h"

#define GATE_MIN 8    /* alternatives that are looked up together before they are tried */
#define NEEDLES_MIN 3 /* texts that are searched for, of which one pair of bytes tells that none is there */
#define PAIRS_MAX 64

/* ---- gates ----
 *
 * a rule that demands x = a can only match where x is one of the values that all such rules demand: one look at x spares
 * all of them. (a1 and r1) or (a2 and r2) is (a1 or a2) and ((a1 and r1) or (a2 and r2)). */

static const struct skep_atom *gate_of(const struct skep_filter_node *n, enum skep_atom_op op,
                                       uint32_t request)
{
    const struct skep_filter_node *one = n;
    for (size_t i = 0; i < (n->kind == SKEP_FILTER_AND ? n->n_kids : 1); i++) {
        one = n->kind == SKEP_FILTER_AND ? n->kids[i] : n;
        if (one->kind == SKEP_FILTER_ATOM && !one->negated && one->atom.op == op &&
            one->atom.request == request && one->atom.type == SKEP_RULE_TEXT && !one->atom.on_evttype)
            return &one->atom;
    }
    return NULL;
}

/* Takes the kids that demand something of one field out of n and puts them behind a gate. */
static struct skep_filter_node *add_gate(struct skep_filter_planner *p, struct skep_filter_node *n,
                                         enum skep_atom_op op, uint32_t request)
{
    size_t count = 0, n_values = 0, kept = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        const struct skep_atom *a = gate_of(n->kids[i], op, request);
        count += a != NULL;
        n_values += a ? a->n_values : 0;
    }
    if (count < GATE_MIN)
        return NULL;
    struct skep_filter_node *inside = skep_filter_make(p, SKEP_FILTER_OR, count),
                            *both = skep_filter_make(p, SKEP_FILTER_AND, 2);
    struct skep_constant *values = skep_arena_array(p->u->pool, n_values, sizeof(*values));
    if (!inside || !both || !values) {
        p->error = -ENOMEM;
        return NULL;
    }
    struct skep_atom gate = {0};
    n_values = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        const struct skep_atom *a = gate_of(n->kids[i], op, request);
        if (!a) {
            n->kids[kept++] = n->kids[i];
            continue;
        }
        gate = *a;
        inside->kids[inside->n_kids++] = n->kids[i];
        memcpy(values + n_values, a->values, a->n_values * sizeof(*values));
        n_values += a->n_values;
    }
    n->n_kids = kept;
    gate.values = values;
    gate.n_values = skep_constants_sort(SKEP_RULE_TEXT, values, n_values);
    const struct skep_rule_spot *s = skep_filter_spot(p->u, &gate, p->kind);
    if (skep_filter_why_not(p->u, &gate, p->kind) || s->form == SKEP_SPOT_CHOICE)
        return inside;
    bool all = true; /* that the rules demand */
    for (size_t i = 0; i < inside->n_kids; i++)
        all &= inside->kids[i]->kind == SKEP_FILTER_ATOM;
    if (all)
        return skep_filter_literal(p, &gate, UINT32_MAX, false);
    both->kids[0] = skep_filter_literal(p, &gate, UINT32_MAX, false);
    both->kids[1] = inside;
    both->n_kids = 2;
    both->cost = 10;
    both->truth = 0.1F;
    return both;
}

struct skep_filter_node *skep_filter_gates(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    static const enum skep_atom_op ops[] = {SKEP_ATOM_EQ, SKEP_ATOM_STARTSWITH};
    if (!n || n->kind != SKEP_FILTER_OR || n->n_kids < GATE_MIN)
        return n;
    size_t n_gates = 0, max = n->n_kids / GATE_MIN + 1;
    struct skep_filter_node **gates = skep_arena_array(p->u->pool, max, sizeof(struct skep_filter_node *));
    if (!gates) {
        p->error = -ENOMEM;
        return NULL;
    }
    for (uint32_t q = 0; q < p->u->requests.n && n->n_kids >= GATE_MIN && !p->error; q++)
        for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
            struct skep_filter_node *gate = add_gate(p, n, ops[i], q);
            if (gate)
                gates[n_gates++] = gate;
        }
    if (n_gates == 0)
        return n;
    struct skep_filter_node *all = skep_filter_make(p, SKEP_FILTER_OR, n->n_kids + n_gates);
    for (size_t i = 0; all && i < n_gates; i++)
        all->kids[all->n_kids++] = gates[i];
    for (size_t i = 0; all && i < n->n_kids; i++)
        all->kids[all->n_kids++] = n->kids[i];
    return all;
}

/* ---- searches: where a pair of bytes that all needles have is not there, none of them is ---- */

static bool is_search(const struct skep_filter_node *n)
{
    return n->kind == SKEP_FILTER_ATOM && !n->negated && n->atom.type == SKEP_RULE_TEXT &&
           n->atom.op == SKEP_ATOM_CONTAINS && n->number != UINT32_MAX;
}

/* The node of an alternative that is nothing but searches of one field, and demanded; NULL. */
static const struct skep_filter_node *searches_of(const struct skep_filter_node *n, uint32_t *request)
{
    for (size_t i = 0; n->kind == SKEP_FILTER_AND && i < n->n_kids; i++) {
        const struct skep_filter_node *found =
            n->kids[i]->kind == SKEP_FILTER_AND ? NULL : searches_of(n->kids[i], request);
        if (found)
            return found;
    }
    if (is_search(n)) {
        *request = n->atom.request;
        return n;
    }
    for (size_t i = 0; n->kind == SKEP_FILTER_OR && i < n->n_kids; i++) {
        if (!is_search(n->kids[i]) || (i && n->kids[i]->atom.request != *request))
            return NULL;
        *request = n->kids[i]->atom.request;
    }
    return n->kind == SKEP_FILTER_OR ? n : NULL;
}

static bool has_pair(const struct skep_atom *a, const char *pair)
{
    for (size_t i = 0; i < a->n_values; i++)
        if (!memmem(a->values[i].text.s, a->values[i].text.n, pair, 2))
            return false;
    return true;
}

/* How many needles, when all of the node's have the pair; 0. */
static size_t count_needles(const struct skep_filter_node *n, const char *pair)
{
    size_t count = 0;
    for (size_t i = 0; i < (n->kind == SKEP_FILTER_OR ? n->n_kids : 1); i++) {
        const struct skep_atom *a = n->kind == SKEP_FILTER_OR ? &n->kids[i]->atom : &n->atom;
        if (!has_pair(a, pair))
            return 0;
        count += a->n_values;
    }
    return count;
}

/* The pair that spares most needles of one field. */
static size_t best_pair(const struct skep_filter_node *n, uint32_t request, const char **ret)
{
    size_t best = 0, tried = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        uint32_t of;
        const struct skep_filter_node *s = searches_of(n->kids[i], &of);
        const struct skep_atom *a = !s ? NULL : s->kind == SKEP_FILTER_OR ? &s->kids[0]->atom : &s->atom;
        if (!a || of != request || a->n_values == 0)
            continue;
        for (size_t at = 0; at + 2 <= a->values[0].text.n && tried < PAIRS_MAX; at++, tried++) {
            size_t count = 0;
            for (size_t k = 0; k < n->n_kids; k++) {
                const struct skep_filter_node *t = searches_of(n->kids[k], &of);
                count += t && of == request ? count_needles(t, a->values[0].text.s + at) : 0;
            }
            if (count > best) {
                best = count;
                *ret = a->values[0].text.s + at;
            }
        }
    }
    return best;
}

struct skep_filter_node *skep_filter_gate_searches(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    const struct skep_filter_node *first = NULL;
    const char *pair = NULL;
    uint32_t request = 0, of;
    for (size_t i = 0; i < n->n_kids && !first; i++)
        first = searches_of(n->kids[i], &request);
    if (!first || best_pair(n, request, &pair) < NEEDLES_MIN)
        return n;
    struct skep_filter_node *inside = skep_filter_make(p, SKEP_FILTER_OR, n->n_kids),
                            *both = skep_filter_make(p, SKEP_FILTER_AND, 2),
                            *all = skep_filter_make(p, SKEP_FILTER_OR, n->n_kids + 1);
    struct skep_constant *value = skep_arena_alloc(p->u->pool, sizeof(*value));
    if (!inside || !both || !all || !value) {
        p->error = -ENOMEM;
        return NULL;
    }
    struct skep_atom gate = {0};
    for (size_t i = 0; i < n->n_kids; i++) {
        const struct skep_filter_node *s = searches_of(n->kids[i], &of);
        if (!s || of != request || !count_needles(s, pair)) {
            all->kids[all->n_kids++] = n->kids[i];
            continue;
        }
        gate = s->kind == SKEP_FILTER_OR ? s->kids[0]->atom : s->atom;
        inside->kids[inside->n_kids++] = n->kids[i];
    }
    value->text.s = pair;
    value->text.n = 2;
    gate.values = value;
    gate.n_values = 1;
    both->kids[both->n_kids++] = skep_filter_literal(p, &gate, UINT32_MAX, false);
    both->kids[both->n_kids++] = skep_filter_settle(p, inside);
    both->cost = 40;
    both->truth = 0.1F;
    all->kids[all->n_kids++] = both;
    return p->error ? NULL : skep_filter_settle(p, all);
}
