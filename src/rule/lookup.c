/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/lookup.h"

#define TRIES_MAX 16          /* lookups of one kind */
#define CONSTANTS_MAX 1000000 /* of one lookup */

/* A rule that could be found by an atom that it demands. */
struct offer {
    uint32_t request;
    uint32_t op; /* enum skep_atom_op */
    uint32_t atom;
    uint32_t at; /* in u->rules[kind] */
};

struct offers {
    struct offer *list;
    size_t n, cap;
};

static bool is_demand(const struct skep_atom *a)
{
    return a->type == SKEP_RULE_TEXT && a->mode == SKEP_ATOM_ONE && !a->oneof && !a->on_evttype &&
           a->right == SKEP_ATOM_NO_RIGHT && (a->op == SKEP_ATOM_EQ || a->op == SKEP_ATOM_STARTSWITH);
}

static int add_offers(const struct skep_unit *u, uint16_t kind, uint32_t at, struct offers *o)
{
    uint32_t root = u->rules[kind][at].node;
    const struct skep_node *n = &u->dag.nodes[root];
    bool and = n->kind == SKEP_NODE_AND;
    for (uint32_t i = 0; i < (and? n->n_kids : 1); i++) {
        const struct skep_node *k = and? &u->dag.nodes[n->kids[i]] : n;
        const struct skep_atom *a = k->kind == SKEP_NODE_ATOM ? &u->atoms.list[k->atom] : NULL;
        if (!a || !is_demand(a))
            continue;
        if (o->n >= o->cap) {
            size_t cap = o->cap ? o->cap * 2 : 256;
            struct offer *list = reallocarray(o->list, cap, sizeof(*list));
            if (!list)
                return -ENOMEM;
            o->list = list;
            o->cap = cap;
        }
        o->list[o->n++] = (struct offer){a->request, a->op, k->atom, at};
    }
    return 0;
}

static int compare_offers(const void *a, const void *b)
{
    const struct offer *x = a, *y = b;
    if (x->request != y->request)
        return x->request < y->request ? -1 : 1;
    if (x->op != y->op)
        return x->op < y->op ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->atom > y->atom) - (x->atom < y->atom);
}

/* The longest run of one request and operation, counting each rule once; what is taken is left out. */
static size_t best_run(const struct offers *o, const bool *taken, size_t *ret_first, size_t *ret_end)
{
    size_t best = 0;
    for (size_t i = 0; i < o->n;) {
        size_t end = i, rules = 0;
        uint32_t last = UINT32_MAX;
        for (; end < o->n && o->list[end].request == o->list[i].request && o->list[end].op == o->list[i].op;
             end++) {
            if (!taken[o->list[end].at] && o->list[end].at != last) {
                rules++;
                last = o->list[end].at;
            }
        }
        if (rules > best) {
            best = rules;
            *ret_first = i;
            *ret_end = end;
        }
        i = end;
    }
    return best;
}

/* ---- one lookup ---- */

/* A constant, and the place in the lookup of a rule that demands it. */
struct pair {
    const struct skep_constant *text;
    uint32_t rule;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    size_t n = MIN(x->text->text.n, y->text->text.n);
    int d = memcmp(x->text->text.s, y->text->text.s, n);
    if (d == 0)
        d = (x->text->text.n > y->text->text.n) - (x->text->text.n < y->text->text.n);
    return d ? d : (x->rule > y->rule) - (x->rule < y->rule);
}

static bool same_text(const struct pair *a, const struct pair *b)
{
    return a->text->text.n == b->text->text.n &&
           memcmp(a->text->text.s, b->text->text.s, a->text->text.n) == 0;
}

struct making {
    struct skep_unit *u;
    struct skep_lookup *l;
    struct skep_intern known; /* lists of rules -> class - 1 */
    size_t entries;           /* rules in all classes */
};

/* The class of a sorted list of rules. -E2BIG: there would be too many. */
static int class_of(struct making *m, const uint32_t *rules, size_t n, uint32_t *ret)
{
    bool is_new;
    uint32_t number;
    int r = skep_intern_put(&m->known, rules, n * sizeof(*rules), &number, &is_new);
    if (r == 0 && is_new) {
        m->entries += n;
        for (size_t i = 0; i < n; i++)
            m->l->rules[rules[i]].classes++;
        if (m->entries > 65536 + 4 * m->l->n_rules)
            r = -E2BIG;
    }
    *ret = number + 1;
    return r;
}

static int finish_classes(struct making *m)
{
    struct skep_lookup *l = m->l;
    l->n_classes = m->known.n + 1;
    l->classes = skep_arena_array(m->u->pool, l->n_classes, sizeof(*l->classes));
    if (!l->classes)
        return -ENOMEM;
    for (size_t i = 1; i < l->n_classes; i++) {
        const struct skep_intern_key *k = &m->known.keys[i - 1];
        l->classes[i] = (struct skep_lookup_class){(uint32_t *)k->s, k->n / sizeof(uint32_t)};
    }
    return 0;
}

static int make_texts(struct making *m, const struct pair *pairs, size_t n)
{
    struct skep_lookup *l = m->l;
    _cleanup_free_ uint32_t *rules = calloc(n, sizeof(*rules));
    l->texts = skep_arena_array(m->u->pool, n, sizeof(*l->texts));
    l->text_classes = skep_arena_array(m->u->pool, n, sizeof(*l->text_classes));
    if (!rules || !l->texts || !l->text_classes)
        return -ENOMEM;
    size_t longest = 0;
    for (size_t i = 0; i < n;) {
        size_t n_rules = 0, first = i;
        for (; i < n && same_text(&pairs[first], &pairs[i]); i++)
            if (n_rules == 0 || rules[n_rules - 1] != pairs[i].rule)
                rules[n_rules++] = pairs[i].rule;
        l->texts[l->n_texts] = *pairs[first].text;
        longest = MAX(longest, pairs[first].text->text.n);
        int r = class_of(m, rules, n_rules, &l->text_classes[l->n_texts++]);
        if (r < 0)
            return r;
    }
    int r = finish_classes(m);
    if (r < 0 || (l->n_texts <= SKEP_LOOKUP_CODE_TEXTS && longest <= SKEP_PATH_MAX))
        return r;
    if (!skep_maps_can_hold(&m->u->maps, l->texts, l->n_texts))
        return -E2BIG;
    return skep_maps_add_texts(&m->u->maps, l->texts, l->text_classes, l->n_texts, &l->set);
}

/* The rules of a prefix and of those that it begins with, each once. */
static size_t rules_of(const struct skep_prefixes *p, uint32_t at, const struct pair *pairs,
                       const size_t *ends, uint32_t *rules, bool *seen)
{
    size_t n = 0;
    for (uint32_t i = at; i != SKEP_PREFIX_NONE; i = p->list[i].parent) {
        size_t end = ends[p->list[i].tag];
        for (size_t k = p->list[i].tag ? ends[p->list[i].tag - 1] : 0; k < end; k++) {
            if (seen[pairs[k].rule])
                continue;
            seen[pairs[k].rule] = true;
            rules[n++] = pairs[k].rule;
        }
    }
    for (size_t i = 0; i < n; i++)
        seen[rules[i]] = false;
    return n;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int make_prefixes(struct making *m, const struct pair *pairs, size_t n)
{
    struct skep_lookup *l = m->l;
    struct skep_prefixes *p = skep_arena_alloc(m->u->pool, sizeof(*p));
    _cleanup_free_ uint32_t *rules = calloc(l->n_rules, sizeof(*rules)),
                            *classes = calloc(n, sizeof(*classes));
    _cleanup_free_ size_t *ends = calloc(n, sizeof(*ends));
    _cleanup_free_ bool *seen = calloc(l->n_rules, sizeof(*seen));
    if (p)
        p->list = skep_arena_array(m->u->pool, n, sizeof(*p->list));
    if (!p || !p->list || !rules || !classes || !ends || !seen)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !same_text(&pairs[i - 1], &pairs[i])) {
            p->list[p->n] = (struct skep_prefix){.s = pairs[i].text->text.s, .n = pairs[i].text->text.n};
            p->list[p->n].tag = (uint32_t)p->n;
            p->n++;
        }
        ends[p->n - 1] = i + 1;
    }
    skep_prefixes_settle(p);
    for (uint32_t i = 0; i < p->n; i++) {
        size_t count = rules_of(p, i, pairs, ends, rules, seen);
        qsort(rules, count, sizeof(*rules), compare_numbers);
        int r = class_of(m, rules, count, &classes[i]);
        if (r < 0)
            return r;
    }
    for (uint32_t i = 0; i < p->n; i++)
        p->list[i].tag = classes[i];
    l->matcher = (uint32_t)m->u->n_finders;
    int r = skep_unit_add_finder(m->u, &(struct skep_matcher){.prefixes = p, .request = l->request});
    return r < 0 ? r : finish_classes(m);
}

/* What a rule demands besides the atom that it is looked up by. */
static uint32_t rest_of(struct skep_unit *u, uint32_t root, uint32_t atom)
{
    const struct skep_node *n = &u->dag.nodes[root];
    if (n->kind != SKEP_NODE_AND)
        return SKEP_NODE_TRUE;
    _cleanup_free_ uint32_t *kids = malloc(n->n_kids * sizeof(*kids));
    size_t kept = 0;
    if (!kids) {
        u->dag.error = -ENOMEM;
        return SKEP_NODE_FALSE;
    }
    for (uint32_t i = 0; i < n->n_kids; i++) {
        const struct skep_node *k = &u->dag.nodes[n->kids[i]];
        if (k->kind != SKEP_NODE_ATOM || k->atom != atom)
            kids[kept++] = n->kids[i];
    }
    return skep_dag_join(&u->dag, SKEP_NODE_AND, kids, kept);
}

/* The lookup for a run of offers; *ret untouched and 0: it is not worth it after all. */
static int make_lookup(struct skep_unit *u, uint16_t kind, const struct offer *run, size_t n, bool *taken,
                       struct skep_lookup *ret, bool *ret_made)
{
    struct skep_lookup l = {.request = run[0].request, .prefixes = run[0].op == SKEP_ATOM_STARTSWITH};
    l.rules = skep_arena_array(u->pool, n, sizeof(*l.rules));
    _cleanup_free_ uint32_t *places = calloc(n, sizeof(*places));
    if (!l.rules || !places)
        return -ENOMEM;
    size_t n_pairs = 0;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct skep_unit_rule *rule = &u->rules[kind][run[i].at];
        if (taken[run[i].at] || run[i].at == last)
            continue;
        last = run[i].at;
        places[l.n_rules] = run[i].atom;
        n_pairs += u->atoms.list[run[i].atom].n_values;
        l.rules[l.n_rules++] =
            (struct skep_lookup_rule){.rule = rule->rule, .rest = rest_of(u, rule->node, run[i].atom)};
    }
    if (u->dag.error)
        return u->dag.error;
    _cleanup_free_ struct pair *pairs = n_pairs <= CONSTANTS_MAX ? calloc(n_pairs, sizeof(*pairs)) : NULL;
    if (!pairs)
        return n_pairs <= CONSTANTS_MAX ? -ENOMEM : 0;
    n_pairs = 0;
    for (uint32_t i = 0; i < l.n_rules; i++)
        for (size_t k = 0; k < u->atoms.list[places[i]].n_values; k++)
            pairs[n_pairs++] = (struct pair){&u->atoms.list[places[i]].values[k], i};
    qsort(pairs, n_pairs, sizeof(*pairs), compare_pairs);
    struct making m = {.u = u, .l = &l};
    skep_intern_init(&m.known, u->pool);
    int r = l.prefixes ? make_prefixes(&m, pairs, n_pairs) : make_texts(&m, pairs, n_pairs);
    skep_intern_clear(&m.known);
    *ret_made = r == 0;
    if (r == 0)
        *ret = l;
    return r == -E2BIG ? 0 : r;
}

int skep_lookups_make(struct skep_unit *u, uint16_t kind)
{
    struct offers o = {0};
    int r = 0;
    for (uint32_t i = 0; i < u->n_rules[kind] && r == 0; i++)
        r = add_offers(u, kind, i, &o);
    _cleanup_free_ bool *taken = calloc(MAX(u->n_rules[kind], (size_t)1), sizeof(*taken));
    u->lookups[kind] = skep_arena_array(u->pool, TRIES_MAX, sizeof(*u->lookups[kind]));
    if (!taken || !u->lookups[kind])
        r = -ENOMEM;
    if (o.n)
        qsort(o.list, o.n, sizeof(*o.list), compare_offers);
    for (size_t tries = 0; r == 0 && tries < TRIES_MAX; tries++) {
        size_t first = 0, end = 0;
        bool made = false;
        if (best_run(&o, taken, &first, &end) < SKEP_LOOKUP_RULES_MIN)
            break;
        r = make_lookup(u, kind, &o.list[first], end - first, taken, &u->lookups[kind][u->n_lookups[kind]],
                        &made);
        if (r == 0 && made) {
            u->n_lookups[kind]++;
            for (size_t i = first; i < end; i++)
                taken[o.list[i].at] = true;
        } else { /* never again */
            memmove(&o.list[first], &o.list[end], (o.n - end) * sizeof(*o.list));
            o.n -= end - first;
        }
    }
    free(o.list);
    u->tried[kind] = skep_arena_array(u->pool, u->n_rules[kind], sizeof(*u->tried[kind]));
    if (r < 0 || !u->tried[kind])
        return r < 0 ? r : -ENOMEM;
    for (size_t i = 0; i < u->n_rules[kind]; i++)
        if (!taken[i])
            u->tried[kind][u->n_tried[kind]++] = u->rules[kind][i];
    return 0;
}
