/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/notes.h"

#include "base/array.h"

struct noting {
    struct skep_unit *u;
    const struct skep_filter *filter;
    uint32_t *seen; /* by node: the number of the walk that met it */
    uint32_t walk;
    struct skep_atom_note *list;
    size_t n, cap;
};

static const char *why_user(const struct noting *t, const struct skep_atom *a, uint16_t kind)
{
    const char *reason = skep_filter_why_not(t->u, a, kind);
    if (reason || a->on_evttype)
        return reason;
    if (t->u->options.no_pushdown)
        return "filters are off";
    if (!t->filter->root && t->filter->precision <= SKEP_FILTER_PLAIN)
        return "some rule needs every event of this kind";
    return t->filter->precision <= SKEP_FILTER_PLAIN
               ? NULL
               : "the filter of all rules would be too long: it has less of each";
}

static int add(struct noting *t, const struct skep_atom *a, uint32_t rule, uint16_t kind)
{
    if (SKEP_ARRAY_RESERVE(t->list, t->n, 1, t->cap) < 0)
        return -ENOMEM;
    const char *reason = why_user(t, a, kind);
    t->list[t->n++] = (struct skep_atom_note){
        .rule = rule,
        .kind = kind,
        .where = reason ? SKEP_ATOM_USER : SKEP_ATOM_KERNEL,
        .text = a->text,
        .reason = reason,
    };
    return 0;
}

static int walk(struct noting *t, uint32_t number, uint32_t rule, uint16_t kind)
{
    const struct skep_node *n = &t->u->dag.nodes[number];
    int r = 0;
    if (t->seen[number] == t->walk)
        return 0;
    t->seen[number] = t->walk;
    if (n->kind == SKEP_NODE_ATOM)
        return add(t, &t->u->atoms.list[n->atom], rule, kind);
    for (uint32_t i = 0; i < n->n_kids && r == 0; i++)
        r = walk(t, n->kids[i], rule, kind);
    return r;
}

/* By rule, then by kind. */
static int compare(const void *a, const void *b)
{
    const struct skep_atom_note *x = a, *y = b;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->where != y->where ? (int)x->where - (int)y->where : strcmp(x->text, y->text);
}

int skep_notes_make(struct skep_unit *u, const struct skep_filter *filters, struct skep_compiled *c)
{
    struct noting t = {.u = u};
    int r = 0;
    t.seen = calloc(MAX(u->dag.n, (size_t)1), sizeof(*t.seen));
    if (!t.seen)
        return -ENOMEM;
    for (unsigned k = 1; k < SKEP_KIND_MAX && r == 0; k++) {
        t.filter = &filters[k];
        for (size_t i = 0; i < u->n_rules[k] && r == 0; i++) {
            t.walk++;
            r = walk(&t, u->rules[k][i].node, u->rules[k][i].rule, (uint16_t)k);
        }
    }
    free(t.seen);
    if (t.n)
        qsort(t.list, t.n, sizeof(*t.list), compare);
    struct skep_atom_note *kept = r == 0 ? skep_arena_array(u->pool, t.n, sizeof(*kept)) : NULL;
    if (kept && t.n)
        memcpy(kept, t.list, t.n * sizeof(*kept));
    free(t.list);
    if (!kept)
        return r < 0 ? r : -ENOMEM;
    c->notes = kept;
    c->n_notes = t.n;
    return 0;
}
