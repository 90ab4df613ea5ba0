/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/profile.h"

/* Marks what is below the rules of a kind; children have smaller numbers than their parents. */
static void mark(const struct skep_unit *u, uint16_t kind, bool *used)
{
    for (size_t i = 0; i < u->n_rules[kind]; i++)
        used[u->rules[kind][i].node] = true;
    for (size_t i = u->dag.n; i-- > 0;)
        for (uint32_t k = 0; used[i] && k < u->dag.nodes[i].n_kids; k++)
            used[u->dag.nodes[i].kids[k]] = true;
}

static bool told(const struct skep_unit *u, const struct skep_node *n)
{
    return n->kind == SKEP_NODE_ATOM && n->atom < SKEP_RULE_MATCHES_MAX && !u->atoms.list[n->atom].on_evttype;
}

static int replace(struct skep_unit *u, uint16_t kind, bool *used, bool (*kinds)[SKEP_KIND_MAX])
{
    size_t n = 0;
    memset(used, 0, u->dag.n * sizeof(*used));
    mark(u, kind, used);
    for (size_t i = 0; i < u->dag.n; i++)
        n += used[i] && told(u, &u->dag.nodes[i]);
    struct skep_unit_rule *rules = skep_arena_array(u->pool, n + 1, sizeof(*rules));
    if (!rules)
        return -ENOMEM;
    u->n_rules[kind] = 0;
    for (size_t i = 0; i < u->dag.n; i++) {
        if (!used[i] || !told(u, &u->dag.nodes[i]))
            continue;
        rules[u->n_rules[kind]++] = (struct skep_unit_rule){u->dag.nodes[i].atom, (uint32_t)i};
        kinds[u->dag.nodes[i].atom][kind] = true;
    }
    u->rules[kind] = u->tried[kind] = rules;
    u->n_tried[kind] = u->n_rules[kind];
    return 0;
}

int skep_profile_make(struct skep_unit *u, struct skep_compiled *c)
{
    _cleanup_free_ bool *used = calloc(u->dag.n + 1, sizeof(*used));
    c->n_profiled = MIN(u->atoms.n, (size_t)SKEP_RULE_MATCHES_MAX);
    const char **texts = skep_arena_array(u->pool, c->n_profiled + 1, sizeof(*texts));
    bool(*kinds)[SKEP_KIND_MAX] = skep_arena_array(u->pool, c->n_profiled + 1, sizeof(*kinds));
    if (!used || !texts || !kinds)
        return -ENOMEM;
    c->profiled_kinds = (const bool(*)[SKEP_KIND_MAX])kinds;
    for (size_t i = 0; i < c->n_profiled; i++)
        texts[i] = u->atoms.list[i].text;
    c->profiled = texts;
    for (unsigned k = 1; k < SKEP_KIND_MAX; k++) {
        int r = u->n_rules[k] ? replace(u, (uint16_t)k, used, kinds) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}
