/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/dag.h"

#include "base/array.h"

#define NODES_MAX 20000000
#define OR_FLAT_MAX 8   /* larger alternatives stay nodes of their own, which others may share */
#define MERGED_MAX 4096 /* values of an atom that several single ones become */

struct skep_dag_memo {
    uint32_t kind; /* 0: none */
    uint32_t node;
};

static uint32_t fail(struct skep_dag *d, int error)
{
    if (!d->error)
        d->error = error;
    return SKEP_NODE_FALSE;
}

static bool is_empty(const struct skep_evtset *s)
{
    return !skep_evtset_meets(s, s);
}

static int grow(struct skep_dag *d)
{
    if (d->n < d->cap)
        return 0;
    return d->n < NODES_MAX ? SKEP_ARRAY_RESERVE(d->nodes, d->n, 1, d->cap) : -ENOMEM;
}

/* The node of this form; a new one gets the sets of types. */
static uint32_t put(struct skep_dag *d, const struct skep_node *n)
{
    uint32_t head[2] = {n->kind, n->atom}, number;
    bool is_new;
    if (d->error)
        return SKEP_NODE_FALSE;
    if (n->kind != SKEP_NODE_CONSTANT) {
        if (is_empty(&n->yes))
            return SKEP_NODE_FALSE;
        if (is_empty(&n->no))
            return SKEP_NODE_TRUE;
    }
    size_t size = sizeof(head) + n->n_kids * sizeof(uint32_t);
    char small[256], *key = size <= sizeof(small) ? small : malloc(size);
    if (!key)
        return fail(d, -ENOMEM);
    memcpy(key, head, sizeof(head));
    if (n->n_kids)
        memcpy(key + sizeof(head), n->kids, n->n_kids * sizeof(uint32_t));
    int r = grow(d);
    if (r == 0)
        r = skep_intern_put(&d->numbers, key, size, &number, &is_new);
    if (key != small)
        free(key);
    if (r < 0)
        return fail(d, r);
    if (is_new) {
        d->nodes[d->n] = *n;
        d->nodes[d->n++].kids = (const uint32_t *)((const char *)d->numbers.keys[number].s + sizeof(head));
    }
    return number;
}

int skep_dag_init(struct skep_dag *d, struct skep_arena *pool, struct skep_atoms *atoms)
{
    *d = (struct skep_dag){.pool = pool, .atoms = atoms};
    skep_intern_init(&d->numbers, pool);
    d->all = skep_evtset_all();
    put(d, &(struct skep_node){.kind = SKEP_NODE_CONSTANT, .atom = 0, .no = d->all});
    put(d, &(struct skep_node){.kind = SKEP_NODE_CONSTANT, .atom = 1, .yes = d->all});
    return d->error;
}

void skep_dag_clear(struct skep_dag *d)
{
    skep_intern_clear(&d->numbers);
    free(d->nodes);
    free(d->memo);
    *d = (struct skep_dag){0};
}

uint32_t skep_dag_atom(struct skep_dag *d, uint32_t atom)
{
    const struct skep_atom *a = &d->atoms->list[atom];
    struct skep_node n = {.kind = SKEP_NODE_ATOM, .atom = atom, .no = d->all};
    if (a->on_evttype) {
        for (size_t i = 0; i < ARRAY_SIZE(n.yes.bits); i++) {
            n.yes.bits[i] = a->types[i] & d->all.bits[i];
            n.no.bits[i] = ~a->types[i] & d->all.bits[i];
        }
        return put(d, &n);
    }
    size_t n_types;
    const struct skep_evttype *types = skep_evttypes(&n_types);
    const struct skep_requests *q = d->atoms->requests;
    for (size_t i = 1; i < n_types; i++)
        if (skep_requests_of_kind(q, a->request, types[i].kind) &&
            (a->right == SKEP_ATOM_NO_RIGHT || skep_requests_of_kind(q, a->right, types[i].kind)))
            n.yes.bits[i / 64] |= (uint64_t)1 << (i % 64);
    return put(d, &n);
}

uint32_t skep_dag_not(struct skep_dag *d, uint32_t node)
{
    const struct skep_node *of = &d->nodes[node];
    if (of->kind == SKEP_NODE_NOT)
        return of->kids[0];
    if (of->kind == SKEP_NODE_CONSTANT)
        return node == SKEP_NODE_TRUE ? SKEP_NODE_FALSE : SKEP_NODE_TRUE;
    return put(d, &(struct skep_node){
                      .kind = SKEP_NODE_NOT, .kids = &node, .n_kids = 1, .yes = of->no, .no = of->yes});
}

/* ---- and, or ---- */

struct list {
    uint32_t *nodes;
    size_t n, cap;
};

static bool list_add(struct list *l, uint32_t node)
{
    if (SKEP_ARRAY_RESERVE(l->nodes, l->n, 1, l->cap) < 0)
        return false;
    l->nodes[l->n++] = node;
    return true;
}

static bool flatten(const struct skep_dag *d, enum skep_node_kind kind, const uint32_t *nodes, size_t n,
                    struct list *l)
{
    for (size_t i = 0; i < n; i++) {
        const struct skep_node *k = &d->nodes[nodes[i]];
        bool flat = k->kind == kind && (kind == SKEP_NODE_AND || k->n_kids <= OR_FLAT_MAX);
        for (uint32_t j = 0; j < (flat ? k->n_kids : 1); j++)
            if (!list_add(l, flat ? k->kids[j] : nodes[i]))
                return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The atom that a node is in an OR, or negated in an AND; NULL: none that could be joined with others. */
static const struct skep_atom *single(const struct skep_dag *d, enum skep_node_kind kind, uint32_t node)
{
    const struct skep_node *n = &d->nodes[node];
    if (kind == SKEP_NODE_AND) {
        if (n->kind != SKEP_NODE_NOT)
            return NULL;
        n = &d->nodes[n->kids[0]];
    }
    if (n->kind != SKEP_NODE_ATOM)
        return NULL;
    const struct skep_atom *a = &d->atoms->list[n->atom];
    return skep_atom_is_set(a) && a->n_values == 1 && a->mode != SKEP_ATOM_ALL ? a : NULL;
}

/* One atom with the values of those from first on that ask the same field; they are taken out. */
static uint32_t merge(struct skep_dag *d, enum skep_node_kind kind, struct list *l, size_t first)
{
    struct skep_atom one = *single(d, kind, l->nodes[first]);
    size_t n = 0;
    for (size_t i = first; i < l->n && n < MERGED_MAX; i++) {
        const struct skep_atom *a = single(d, kind, l->nodes[i]);
        n += a && a->request == one.request && a->mode == one.mode;
    }
    struct skep_constant *values = skep_arena_array(d->pool, n, sizeof(*values));
    if (!values)
        return fail(d, -ENOMEM);
    one.n_values = 0;
    size_t kept = first;
    for (size_t i = first; i < l->n; i++) {
        const struct skep_atom *a = single(d, kind, l->nodes[i]);
        if (a && a->request == one.request && a->mode == one.mode && one.n_values < n)
            values[one.n_values++] = a->values[0];
        else
            l->nodes[kept++] = l->nodes[i];
    }
    l->n = kept;
    one.values = values;
    memset(one.types, 0, sizeof(one.types));
    uint32_t atom;
    const char *reason;
    size_t at;
    int r = skep_atoms_put(d->atoms, &one, &atom, &reason, &at);
    if (r < 0)
        return fail(d, r);
    uint32_t node = skep_dag_atom(d, atom);
    return kind == SKEP_NODE_AND ? skep_dag_not(d, node) : node;
}

/* x = a or x = b is x in (a, b); x != a and x != b is the same, negated. */
static bool merge_all(struct skep_dag *d, enum skep_node_kind kind, struct list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct skep_atom *a = single(d, kind, l->nodes[i]);
        for (size_t k = i + 1; a && k < l->n && k < i + 256; k++) {
            const struct skep_atom *b = single(d, kind, l->nodes[k]);
            if (!b || b->request != a->request || b->mode != a->mode)
                continue;
            uint32_t merged = merge(d, kind, l, i);
            if (d->error || !list_add(l, merged))
                return false;
            i--; /* what stands here now has not been looked at */
            break;
        }
    }
    return true;
}

/* Sorted and each once, without what changes nothing; true: the result is known (a constant that decides). */
static bool tidy(const struct skep_dag *d, enum skep_node_kind kind, struct list *l)
{
    uint32_t nothing = kind == SKEP_NODE_AND ? SKEP_NODE_TRUE : SKEP_NODE_FALSE;
    size_t kept = 0;
    if (l->n)
        qsort(l->nodes, l->n, sizeof(*l->nodes), compare);
    for (size_t i = 0; i < l->n; i++) {
        uint32_t node = l->nodes[i];
        if (node == !nothing)
            return true;
        if (node == nothing || (kept && l->nodes[kept - 1] == node))
            continue;
        l->nodes[kept++] = node;
    }
    l->n = kept;
    for (size_t i = 0; i < kept; i++) { /* x and not x */
        const struct skep_node *n = &d->nodes[l->nodes[i]];
        if (n->kind == SKEP_NODE_NOT && bsearch(&n->kids[0], l->nodes, kept, sizeof(*l->nodes), compare))
            return true;
    }
    return false;
}

uint32_t skep_dag_join(struct skep_dag *d, enum skep_node_kind kind, const uint32_t *nodes, size_t n)
{
    struct list l = {0};
    uint32_t result = kind == SKEP_NODE_AND ? SKEP_NODE_FALSE : SKEP_NODE_TRUE;
    if (d->error)
        return SKEP_NODE_FALSE;
    if (!flatten(d, kind, nodes, n, &l) || !merge_all(d, kind, &l)) {
        free(l.nodes);
        return fail(d, -ENOMEM);
    }
    if (!tidy(d, kind, &l)) {
        struct skep_node node = {.kind = kind, .kids = l.nodes, .n_kids = (uint32_t)l.n};
        struct skep_evtset some = {0}, every = d->all;
        for (size_t i = 0; i < l.n; i++) {
            const struct skep_node *k = &d->nodes[l.nodes[i]];
            for (size_t w = 0; w < ARRAY_SIZE(some.bits); w++) {
                every.bits[w] &= kind == SKEP_NODE_AND ? k->yes.bits[w] : k->no.bits[w];
                some.bits[w] |= kind == SKEP_NODE_AND ? k->no.bits[w] : k->yes.bits[w];
            }
        }
        node.yes = kind == SKEP_NODE_AND ? every : some;
        node.no = kind == SKEP_NODE_AND ? some : every;
        if (l.n == 0)
            result = !result;
        else
            result = l.n == 1 ? l.nodes[0] : put(d, &node);
    }
    free(l.nodes);
    return result;
}

/* ---- kinds of event ---- */

static bool memo_grow(struct skep_dag *d, uint32_t node)
{
    if (node < d->n_memo)
        return true;
    size_t n = MAX(d->n_memo * 2, d->n + 1024);
    struct skep_dag_memo *memo = reallocarray(d->memo, n, sizeof(*memo));
    if (!memo)
        return false;
    memset(memo + d->n_memo, 0, (n - d->n_memo) * sizeof(*memo));
    d->memo = memo;
    d->n_memo = n;
    return true;
}

static uint32_t shrink(struct skep_dag *d, uint32_t number, unsigned kind, const struct skep_evtset *types)
{
    struct skep_node n = d->nodes[number];
    if (d->error || n.kind == SKEP_NODE_CONSTANT)
        return number;
    if (!skep_evtset_meets(&n.yes, types))
        return SKEP_NODE_FALSE;
    if (!skep_evtset_meets(&n.no, types))
        return SKEP_NODE_TRUE;
    if (n.kind == SKEP_NODE_ATOM)
        return number;
    if (!memo_grow(d, number))
        return fail(d, -ENOMEM);
    if (d->memo[number].kind == kind)
        return d->memo[number].node;
    uint32_t result;
    if (n.kind == SKEP_NODE_NOT) {
        result = skep_dag_not(d, shrink(d, n.kids[0], kind, types));
    } else {
        _cleanup_free_ uint32_t *kids = malloc(n.n_kids * sizeof(*kids));
        if (!kids)
            return fail(d, -ENOMEM);
        for (uint32_t i = 0; i < n.n_kids; i++)
            kids[i] = shrink(d, n.kids[i], kind, types);
        result = memcmp(kids, n.kids, n.n_kids * sizeof(*kids)) == 0
                     ? number
                     : skep_dag_join(d, n.kind, kids, n.n_kids);
    }
    d->memo[number] = (struct skep_dag_memo){kind, result};
    return result;
}

uint32_t skep_dag_for_kind(struct skep_dag *d, uint32_t node, unsigned kind)
{
    struct skep_evtset types = skep_evtset_of_kind(kind);
    return shrink(d, node, kind, &types);
}
