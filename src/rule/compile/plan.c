/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/plan.h"

#include "base/array.h"

#define CACHE_MIN 6.0F  /* what costs less is evaluated again */
#define CACHE_COST 2.0F /* of looking whether a result is there */

int skep_rule_plan_init(struct skep_rule_plan *p, const struct skep_unit *u, uint16_t kind)
{
    *p = (struct skep_rule_plan){.unit = u, .kind = kind};
    p->nodes = calloc(MAX(u->dag.n, (size_t)1), sizeof(*p->nodes));
    return p->nodes ? 0 : -ENOMEM;
}

void skep_rule_plan_clear(struct skep_rule_plan *p)
{
    free(p->nodes);
    free(p->order);
    *p = (struct skep_rule_plan){0};
}

void skep_rule_plan_use(struct skep_rule_plan *p, uint32_t node)
{
    struct skep_rule_plan_node *at = &p->nodes[node];
    at->uses++;
    if (at->seen || p->error)
        return;
    at->seen = true;
    const struct skep_node *n = &p->unit->dag.nodes[node];
    for (uint32_t i = 0; i < n->n_kids; i++)
        skep_rule_plan_use(p, n->kids[i]);
    if (SKEP_ARRAY_RESERVE(p->order, p->n, 1, p->cap) < 0) {
        p->error = -ENOMEM;
        return;
    }
    p->order[p->n++] = node;
}

/* ---- guesses ---- */

/* Of getting the value for the first time, shared by those who ask. */
static float fetch_cost(const struct skep_rule_plan *p, uint32_t request)
{
    const struct skep_fact_request *q = &p->unit->requests.list[request];
    if (!q->field)
        return 25;
    return skep_rule_field_arg_spot(q->field, q->arg, p->kind) ? 4 : 12;
}

static float atom_cost(const struct skep_rule_plan *p, const struct skep_atom *a)
{
    if (a->on_evttype)
        return 1;
    float cost = fetch_cost(p, a->request);
    bool helper = a->right != SKEP_ATOM_NO_RIGHT || a->mode != SKEP_ATOM_ONE || a->oneof;
    size_t n = a->n_values;
    switch (a->op) {
    case SKEP_ATOM_EXISTS:
        return cost / 2;
    case SKEP_ATOM_EQ:
        cost += n <= 1 ? 1 : n <= 16 ? 4 : 10;
        break;
    case SKEP_ATOM_STARTSWITH:
    case SKEP_ATOM_ENDSWITH:
        cost += n <= 1 ? 2 : n <= 8 ? 6 : 25;
        break;
    case SKEP_ATOM_PMATCH:
        cost += 60;
        break;
    case SKEP_ATOM_REGEX:
        cost += 80 * (float)n;
        break;
    case SKEP_ATOM_GLOB:
    case SKEP_ATOM_IGLOB:
        cost += 60 * (float)n;
        break;
    default:
        cost += 25 * (float)n;
    }
    return cost + (helper ? 25 : 0);
}

float skep_unit_weight(const struct skep_unit *u, const struct skep_atom *a)
{
    for (size_t i = 0; i < u->options.n_weights; i++)
        if (skep_streq(u->options.weights[i].atom, a->text))
            return (float)u->options.weights[i].truth;
    if (a->op == SKEP_ATOM_EXISTS)
        return 0.8F;
    if (a->type == SKEP_RULE_BOOL || a->on_evttype)
        return 0.4F;
    float one = a->type == SKEP_RULE_NUMBER ? 0.2F : 0.03F;
    if (a->type == SKEP_RULE_NUMBER && a->n_values == 1 &&
        (a->values[0].number.lo == INT64_MIN || a->values[0].number.hi == INT64_MAX))
        return 0.6F;
    return MIN(one * (float)MAX(a->n_values, (size_t)1), 0.5F);
}

/* ---- order ---- */

/* What a use of the node costs on average, when its result may be known. */
static float use_cost(const struct skep_rule_plan *p, uint32_t node)
{
    const struct skep_rule_plan_node *n = &p->nodes[node];
    return n->cached ? CACHE_COST + n->cost / (float)n->uses : n->cost;
}

struct ranked {
    float rank;
    uint32_t node;
};

static int compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

void skep_rule_plan_sort(const struct skep_rule_plan *p, const struct skep_node *n, uint32_t *ret)
{
    _cleanup_free_ struct ranked *list = malloc(n->n_kids * sizeof(*list));
    for (uint32_t i = 0; i < n->n_kids; i++)
        ret[i] = n->kids[i];
    if (!list)
        return; /* any order is right */
    for (uint32_t i = 0; i < n->n_kids; i++) {
        float truth = p->nodes[n->kids[i]].truth;
        float decides = n->kind == SKEP_NODE_AND ? 1 - truth : truth;
        list[i] = (struct ranked){use_cost(p, n->kids[i]) / MAX(decides, 0.001F), n->kids[i]};
    }
    qsort(list, n->n_kids, sizeof(*list), compare);
    for (uint32_t i = 0; i < n->n_kids; i++)
        ret[i] = list[i].node;
}

/* Cost and truth of AND and OR, evaluated in the best order until one decides. */
static void settle_join(struct skep_rule_plan *p, const struct skep_node *n, struct skep_rule_plan_node *at)
{
    _cleanup_free_ uint32_t *kids = malloc(n->n_kids * sizeof(*kids));
    if (!kids) {
        p->error = -ENOMEM;
        return;
    }
    skep_rule_plan_sort(p, n, kids);
    float reached = 1, cost = 0;
    bool and = n->kind == SKEP_NODE_AND;
    for (uint32_t i = 0; i < n->n_kids; i++) {
        const struct skep_rule_plan_node *k = &p->nodes[kids[i]];
        cost += reached * use_cost(p, kids[i]);
        reached *= and? k->truth : 1 - k->truth;
        at->calls = MAX(at->calls, (uint8_t)(k->calls + (k->cached != 0)));
    }
    at->cost = cost;
    at->truth = and? reached : 1 - reached;
}

void skep_rule_plan_settle(struct skep_rule_plan *p)
{
    const struct skep_unit *u = p->unit;
    for (size_t i = 0; i < p->n && !p->error; i++) {
        const struct skep_node *n = &u->dag.nodes[p->order[i]];
        struct skep_rule_plan_node *at = &p->nodes[p->order[i]];
        const struct skep_atom *a = n->kind == SKEP_NODE_ATOM ? &u->atoms.list[n->atom] : NULL;
        if (a) {
            at->cost = atom_cost(p, a);
            at->truth = skep_unit_weight(u, a);
        } else if (n->kind == SKEP_NODE_NOT) {
            const struct skep_rule_plan_node *k = &p->nodes[n->kids[0]];
            at->cost = use_cost(p, n->kids[0]);
            at->truth = 1 - k->truth;
            at->calls = (uint8_t)(k->calls + (k->cached != 0));
        } else if (n->kind != SKEP_NODE_CONSTANT) {
            settle_join(p, n, at);
        }
        bool worth = (a && a->op != SKEP_ATOM_EXISTS) || n->kind == SKEP_NODE_AND || n->kind == SKEP_NODE_OR;
        if (worth && at->uses > 1 && at->cost >= CACHE_MIN && at->calls < SKEP_PLAN_CALLS)
            at->cached = ++p->n_cached;
    }
}
