/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "rule/compile/index.h"

#define COVER_MAX 4096 /* atoms that one demand may consist of */
#define FINDERS_MAX 12 /* of one kind: each costs a search for every event */
#define ROUNDS_MAX 64

/* Rules for which a search pays: what is compared in no time is compared one by one for longer. */
static const uint32_t rules_min[] = {
    [SKEP_TERM_EQUAL] = 8,  [SKEP_TERM_BEGIN] = 8,   [SKEP_TERM_END] = 8, [SKEP_TERM_INSIDE] = 8,
    [SKEP_TERM_FOLDED] = 8, [SKEP_TERM_NUMBER] = 16, [SKEP_TERM_IP4] = 8, [SKEP_TERM_IP6] = 8,
};

/* Atoms of which one is true when a node is. */
struct cover {
    const uint32_t *atoms;
    uint32_t n; /* 0: there is no such set */
    bool whole; /* the node is nothing but an or of them */
    bool known;
    uint32_t users; /* how many nodes use these atoms: which of several covers is taken inside of an or */
};

/* Something that a rule demands. */
struct offer {
    const struct cover *cover;
    uint32_t kid; /* the node */
};

/* What an atom costs as things stand: how many rules are found together with it, at worst. */
struct price {
    uint32_t round;
    bool found; /* by groups that are left */
    double score;
};

struct maker {
    struct skep_unit *u;
    struct skep_terms terms;
    struct cover *covers; /* by node, then of the negated nodes */
    size_t n_nodes;
    uint32_t *users; /* by node */
    /* of one kind */
    uint16_t kind;
    struct offer *offers;
    size_t n_offers, cap_offers;
    size_t *ends;       /* by rule: behind its last offer */
    uint32_t *picks;    /* by rule: its offer + 1; 0: none */
    uint32_t *demanded; /* by term: by how many rules, in any of their offers */
    uint32_t *uses;     /* by atom: the same */
    struct price *prices;
    size_t n_terms, n_atoms, n_groups;
    uint32_t *population, *picked, *last; /* by group: rules that could, that do use it */
    bool *dead;
    uint32_t round;
};

/* ---- covers ---- */

static int cover_of(struct maker *m, uint32_t node, bool negated, const struct cover **ret);

static int cover_atom(struct maker *m, uint32_t node, struct cover *c)
{
    const struct skep_term_atom *t;
    uint32_t atom = m->u->dag.nodes[node].atom;
    int r = skep_terms_of(&m->terms, atom, &t);
    if (r < 0 || !t->values)
        return r;
    uint32_t *one = skep_arena_array(m->u->pool, 1, sizeof(*one));
    if (!one)
        return -ENOMEM;
    *one = atom;
    *c = (struct cover){one, 1, true, true, m->users[node]};
    return 0;
}

/* Of an and that of the kid that the fewest others use; of an or those of all kids. */
static int cover_join(struct maker *m, const struct skep_node *n, bool and, bool negated, struct cover *c)
{
    struct cover sum = {.whole = true, .known = true};
    _cleanup_free_ uint32_t *atoms = and? NULL : malloc(COVER_MAX * sizeof(*atoms));
    if (!and&&!atoms)
        return -ENOMEM;
    for (uint32_t i = 0; i < n->n_kids; i++) {
        const struct cover *k;
        int r = cover_of(m, n->kids[i], negated, &k);
        if (r < 0)
            return r;
        if (and) {
            if (k->n && (sum.n == 0 || k->users < sum.users))
                sum = *k;
            continue;
        }
        if (k->n == 0 || sum.n + k->n > COVER_MAX)
            return 0;
        memcpy(atoms + sum.n, k->atoms, k->n * sizeof(*atoms));
        sum.n += k->n;
        sum.whole &= k->whole;
        sum.users = MAX(sum.users, k->users);
    }
    if (and) {
        *c = sum;
        c->whole = false;
        return 0;
    }
    uint32_t *kept = skep_arena_array(m->u->pool, sum.n, sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    if (sum.n)
        memcpy(kept, atoms, sum.n * sizeof(*kept));
    sum.atoms = kept;
    *c = sum;
    return 0;
}

static int cover_of(struct maker *m, uint32_t node, bool negated, const struct cover **ret)
{
    struct cover *c = &m->covers[node + (negated ? m->n_nodes : 0)];
    const struct skep_node *n = &m->u->dag.nodes[node];
    *ret = c;
    if (c->known)
        return 0;
    struct cover found = {0};
    int r = 0;
    if (n->kind == SKEP_NODE_ATOM && !negated) {
        r = cover_atom(m, node, &found);
    } else if (n->kind == SKEP_NODE_NOT) {
        const struct cover *k;
        r = cover_of(m, n->kids[0], !negated, &k);
        found = r < 0 ? found : *k;
    } else if (n->kind == SKEP_NODE_AND || n->kind == SKEP_NODE_OR) {
        r = cover_join(m, n, (n->kind == SKEP_NODE_AND) != negated, negated, &found);
    }
    *c = found;
    c->known = true;
    return r;
}

/* ---- what rules offer ---- */

static int add_offer(struct maker *m, uint32_t kid)
{
    const struct cover *c;
    int r = cover_of(m, kid, false, &c);
    if (r < 0 || c->n == 0)
        return r;
    if (SKEP_ARRAY_RESERVE(m->offers, m->n_offers, 1, m->cap_offers) < 0)
        return -ENOMEM;
    m->offers[m->n_offers++] = (struct offer){c, kid};
    return 0;
}

static int add_offers(struct maker *m)
{
    const struct skep_unit *u = m->u;
    m->n_offers = 0;
    for (size_t i = 0; i < u->n_rules[m->kind]; i++) {
        uint32_t root = u->rules[m->kind][i].node;
        const struct skep_node *n = &u->dag.nodes[root];
        bool and = n->kind == SKEP_NODE_AND;
        for (uint32_t k = 0; k < (and? n->n_kids : 1); k++) {
            int r = add_offer(m, and? n->kids[k] : root);
            if (r < 0)
                return r;
        }
        m->ends[i] = m->n_offers;
    }
    return 0;
}

static void count_value(struct maker *m, const struct skep_term_value *v, uint32_t uses)
{
    for (uint32_t k = 0; k < v->n; k++)
        for (uint32_t j = 0; j < v->choices[k].n; j++)
            m->demanded[v->choices[k].terms[j]] += uses;
}

static void populate(struct maker *m, uint32_t rule, const struct offer *o)
{
    for (uint32_t i = 0; i < o->cover->n; i++) {
        const struct skep_term_atom *a = &m->terms.atoms[o->cover->atoms[i]];
        /* a list has the same groups throughout, or nearly so */
        for (size_t v = 0; v < MIN(a->n, (size_t)16); v++)
            for (uint32_t k = 0; k < a->values[v].n; k++) {
                uint32_t g = m->terms.list[a->values[v].choices[k].terms[0]].group;
                m->population[g] += m->last[g] != rule + 1;
                m->last[g] = rule + 1;
            }
    }
}

static uint32_t least_rules(const struct maker *m, size_t group)
{
    uint32_t min = m->u->options.index_min;
    return min ? min : rules_min[m->terms.groups[group].family];
}

/* How many rules demand a term, how many could be found by a group. */
static void count_demands(struct maker *m)
{
    for (size_t i = 0; i < m->n_offers; i++)
        for (uint32_t k = 0; k < m->offers[i].cover->n; k++)
            m->uses[m->offers[i].cover->atoms[k]]++;
    for (size_t i = 0; i < m->n_atoms && i < m->terms.n_atoms; i++)
        for (size_t v = 0; m->uses[i] && v < m->terms.atoms[i].n; v++)
            count_value(m, &m->terms.atoms[i].values[v], m->uses[i]);
    size_t at = 0;
    for (uint32_t i = 0; i < m->u->n_rules[m->kind]; i++)
        for (; at < m->ends[i]; at++)
            populate(m, i, &m->offers[at]);
    for (size_t g = 0; g < m->n_groups; g++)
        m->dead[g] = m->population[g] < least_rules(m, g);
}

/* ---- prices ---- */

static double choice_score(const struct maker *m, const struct skep_term_choice *c)
{
    uint32_t most = 0, population = UINT32_MAX;
    size_t shortest = SIZE_MAX;
    unsigned family = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct skep_term *t = &m->terms.list[c->terms[i]];
        uint32_t all = m->population[t->group];
        if (m->dead[t->group])
            return -1;
        most = MAX(most, m->demanded[c->terms[i]] + (t->wide ? all / 4 : 0));
        population = MIN(population, all);
        shortest = MIN(shortest, t->n);
        family = MAX(family, (unsigned)m->terms.groups[t->group].family);
    }
    unsigned bits = most ? 32 - (unsigned)__builtin_clz(most) : 0;
    return 1e8 + bits * 1e7 - MIN((double)population, 9e6) + family * 0.05 - (double)shortest * 1e-3;
}

/* The choice of a constant that is looked for, NULL: none is left. */
static const struct skep_term_choice *best_choice(const struct maker *m, const struct skep_term_value *v,
                                                  double *ret_score)
{
    const struct skep_term_choice *best = NULL;
    for (uint32_t k = 0; k < v->n; k++) {
        double score = choice_score(m, &v->choices[k]);
        if (score >= 0 && (!best || score < *ret_score)) {
            best = &v->choices[k];
            *ret_score = score;
        }
    }
    return best;
}

static const struct price *price_of(struct maker *m, uint32_t atom)
{
    struct price *p = &m->prices[atom];
    const struct skep_term_atom *a = &m->terms.atoms[atom];
    if (p->round == m->round)
        return p;
    *p = (struct price){m->round, true, 0};
    for (size_t v = 0; v < a->n && p->found; v++) {
        double score = 0;
        p->found = best_choice(m, &a->values[v], &score);
        p->score = MAX(p->score, score);
    }
    return p;
}

/* The offer of a rule that it is best found by. */
static uint32_t best_offer(struct maker *m, size_t rule)
{
    uint32_t best = 0;
    double least = 0;
    for (size_t i = rule ? m->ends[rule - 1] : 0; i < m->ends[rule]; i++) {
        double score = 0;
        bool found = true;
        for (uint32_t k = 0; k < m->offers[i].cover->n && found; k++) {
            const struct price *p = price_of(m, m->offers[i].cover->atoms[k]);
            found = p->found;
            score = MAX(score, p->score);
        }
        if (found && (best == 0 || score < least)) {
            best = (uint32_t)i + 1;
            least = score;
        }
    }
    return best;
}

/* ---- which groups ---- */

static void count_picked(struct maker *m, uint32_t rule, const struct offer *o)
{
    for (uint32_t i = 0; i < o->cover->n; i++) {
        const struct skep_term_atom *a = &m->terms.atoms[o->cover->atoms[i]];
        for (size_t v = 0; v < a->n; v++) {
            double score;
            const struct skep_term_choice *c = best_choice(m, &a->values[v], &score);
            for (uint32_t k = 0; c && k < c->n; k++) {
                uint32_t g = m->terms.list[c->terms[k]].group;
                m->picked[g] += m->last[g] != rule + 1;
                m->last[g] = rule + 1;
            }
            if (v >= 16 && a->n > 64)
                v += a->n / 64; /* of a long list a part will do to count by */
        }
    }
}

/* Takes away a group that too few rules are found by; false: all are worth it. */
static bool drop_group(struct maker *m)
{
    size_t worst = SIZE_MAX, in_use = 0;
    bool any = false;
    for (size_t g = 0; g < m->n_groups; g++) {
        in_use += m->picked[g] > 0;
        if (m->picked[g] == 0)
            continue;
        if (m->picked[g] < least_rules(m, g) && m->round > ROUNDS_MAX) {
            m->dead[g] = any = true; /* that is enough of trying */
            continue;
        }
        if (worst == SIZE_MAX || m->picked[g] < m->picked[worst])
            worst = g;
    }
    if (any || worst == SIZE_MAX)
        return any;
    if (m->picked[worst] >= least_rules(m, worst) && in_use <= FINDERS_MAX) {
        /* the one with the fewest rules is worth it; others have other bounds */
        for (size_t g = 0; g < m->n_groups; g++)
            if (m->picked[g] && m->picked[g] < least_rules(m, g))
                m->dead[g] = any = true;
        return any;
    }
    m->dead[worst] = true;
    return true;
}

static void pick(struct maker *m)
{
    size_t n = m->u->n_rules[m->kind];
    do {
        m->round++;
        memset(m->picked, 0, m->n_groups * sizeof(*m->picked));
        memset(m->last, 0, m->n_groups * sizeof(*m->last));
        for (uint32_t i = 0; i < n; i++) {
            m->picks[i] = best_offer(m, i);
            if (m->picks[i])
                count_picked(m, i, &m->offers[m->picks[i] - 1]);
        }
    } while (drop_group(m));
}

/* ---- the index ---- */

/* A term and a demand, or a demand and a rule. */
struct link {
    uint32_t from, to;
};

struct links {
    struct link *list;
    size_t n, cap;
};

static int add_link(struct links *l, uint32_t from, uint32_t to)
{
    if (SKEP_ARRAY_RESERVE(l->list, l->n, 1, l->cap) < 0)
        return -ENOMEM;
    l->list[l->n++] = (struct link){from, to};
    return 0;
}

static int compare_links(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* What a rule demands besides a node among those that it demands. */
static uint32_t rest_of(struct skep_unit *u, uint32_t root, uint32_t kid)
{
    const struct skep_node *n = &u->dag.nodes[root];
    if (root == kid)
        return SKEP_NODE_TRUE;
    _cleanup_free_ uint32_t *kids = malloc(n->n_kids * sizeof(*kids));
    size_t kept = 0;
    if (!kids) {
        u->dag.error = -ENOMEM;
        return SKEP_NODE_FALSE;
    }
    for (uint32_t i = 0; i < n->n_kids; i++)
        if (n->kids[i] != kid)
            kids[kept++] = n->kids[i];
    return skep_dag_join(&u->dag, SKEP_NODE_AND, kids, kept);
}

/* The terms of an atom that is demanded; *ret_exact: they are all that it asks. */
static int link_atom(struct maker *m, struct links *terms, uint32_t atom, bool *ret_exact)
{
    const struct skep_term_atom *a = &m->terms.atoms[atom];
    for (size_t v = 0; v < a->n; v++) {
        double score;
        const struct skep_term_choice *c = best_choice(m, &a->values[v], &score);
        *ret_exact &= c->exact;
        for (uint32_t k = 0; k < c->n; k++) {
            int r = add_link(terms, c->terms[k], atom);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* terms: (term, atom); demands: (atom, place of the rule). */
static int link_rules(struct maker *m, struct links *terms, struct links *demands,
                      struct skep_index_choice *found)
{
    struct skep_unit *u = m->u;
    uint8_t *linked = calloc(m->n_atoms + 1, 1); /* 1: and exact, 2: and not */
    int r = linked ? 0 : -ENOMEM;
    for (size_t i = 0; i < u->n_rules[m->kind] && r == 0; i++) {
        const struct skep_unit_rule *rule = &u->rules[m->kind][i];
        if (!m->picks[i]) {
            u->tried[m->kind][u->n_tried[m->kind]++] = *rule;
            continue;
        }
        const struct offer *o = &m->offers[m->picks[i] - 1];
        bool exact = o->cover->whole;
        for (uint32_t k = 0; k < o->cover->n && r == 0; k++) {
            uint32_t atom = o->cover->atoms[k];
            bool own = true;
            if (!linked[atom]) {
                r = link_atom(m, terms, atom, &own);
                linked[atom] = own ? 1 : 2;
            }
            exact &= linked[atom] == 1;
            if (r == 0)
                r = add_link(demands, atom, (uint32_t)found->n);
        }
        found->rules[found->n++] =
            (struct skep_index_rule){rule->rule, exact ? rest_of(u, rule->node, o->kid) : rule->node};
    }
    free(linked);
    return r < 0 ? r : u->dag.error;
}

static int compare_terms(const void *a, const void *b)
{
    const struct skep_index_term *x = a, *y = b;
    if (x->group.family != y->group.family)
        return x->group.family < y->group.family ? -1 : 1;
    if (x->group.request != y->group.request)
        return x->group.request < y->group.request ? -1 : 1;
    return (x->term > y->term) - (x->term < y->term);
}

/* The right sides of a run of links with the same left side. */
static const uint32_t *run_of(struct skep_arena *pool, const struct links *l, size_t *at, size_t *ret_n)
{
    size_t first = *at, n = 0;
    while (*at < l->n && l->list[*at].from == l->list[first].from)
        ++*at;
    uint32_t *list = skep_arena_array(pool, *at - first, sizeof(*list));
    for (size_t i = first; list && i < *at; i++)
        if (i == first || l->list[i].to != l->list[i - 1].to)
            list[n++] = l->list[i].to;
    *ret_n = n;
    return list;
}

/* Demands are numbered in the order of their atoms. */
static int make_index(struct maker *m, struct links *terms, struct links *demands, size_t n_rules,
                      struct skep_term_group *ret_group)
{
    struct skep_unit *u = m->u;
    struct skep_term *kept = skep_arena_array(u->pool, terms->n, sizeof(*kept));
    struct skep_index_term *t = skep_arena_array(u->pool, terms->n, sizeof(*t));
    struct skep_index_demand *d = skep_arena_array(u->pool, demands->n, sizeof(*d));
    _cleanup_free_ uint32_t *places = calloc(m->n_atoms + 1, sizeof(*places));
    if (!kept || !t || !d || !places)
        return -ENOMEM;
    qsort(terms->list, terms->n, sizeof(*terms->list), compare_links);
    qsort(demands->list, demands->n, sizeof(*demands->list), compare_links);
    size_t n_terms = 0, n_demands = 0;
    for (size_t at = 0; at < demands->n; n_demands++) {
        places[demands->list[at].from] = (uint32_t)n_demands;
        d[n_demands].rules = run_of(u->pool, demands, &at, &d[n_demands].n_rules);
        if (!d[n_demands].rules)
            return -ENOMEM;
    }
    for (size_t i = 0; i < terms->n; i++)
        terms->list[i].to = places[terms->list[i].to];
    for (size_t at = 0; at < terms->n; n_terms++) {
        kept[n_terms] = m->terms.list[terms->list[at].from];
        t[n_terms].term = &kept[n_terms];
        t[n_terms].group = m->terms.groups[kept[n_terms].group];
        t[n_terms].demands = run_of(u->pool, terms, &at, &t[n_terms].n_demands);
        if (!t[n_terms].demands)
            return -ENOMEM;
    }
    qsort(t, n_terms, sizeof(*t), compare_terms);
    return skep_index_new(u->pool, &u->requests, t, n_terms, d, n_rules, &u->indexes[m->kind], ret_group);
}

/* ---- a kind ---- */

static int alloc_kind(struct maker *m)
{
    size_t n = MAX(m->u->n_rules[m->kind], (size_t)1);
    m->n_atoms = m->terms.n_atoms;
    m->n_terms = m->terms.n;
    m->n_groups = m->terms.n_groups;
    m->picks = calloc(n, sizeof(*m->picks));
    m->demanded = calloc(m->n_terms + 1, sizeof(*m->demanded));
    m->uses = calloc(m->n_atoms + 1, sizeof(*m->uses));
    m->prices = calloc(m->n_atoms + 1, sizeof(*m->prices));
    m->population = calloc(m->n_groups + 1, sizeof(*m->population));
    m->picked = calloc(m->n_groups + 1, sizeof(*m->picked));
    m->last = calloc(m->n_groups + 1, sizeof(*m->last));
    m->dead = calloc(m->n_groups + 1, sizeof(*m->dead));
    m->round = 0;
    bool all =
        m->picks && m->demanded && m->uses && m->prices && m->population && m->picked && m->last && m->dead;
    return all ? 0 : -ENOMEM;
}

static void free_kind(struct maker *m)
{
    void *const list[] = {m->ends,       m->picks,  m->demanded, m->uses, m->prices,
                          m->population, m->picked, m->last,     m->dead};
    for (size_t i = 0; i < ARRAY_SIZE(list); i++)
        free(list[i]);
    m->ends = NULL;
    m->picks = m->demanded = m->uses = m->population = m->picked = m->last = NULL;
    m->prices = NULL;
    m->dead = NULL;
}

static int build(struct maker *m)
{
    struct skep_unit *u = m->u;
    struct skep_index_choice *found = &u->found[m->kind];
    struct links terms = {0}, demands = {0};
    struct skep_term_group group = {0};
    int r = -E2BIG;
    for (size_t tries = 0; r == -E2BIG && tries <= m->n_groups; tries++) {
        pick(m);
        u->n_tried[m->kind] = found->n = 0;
        terms.n = demands.n = 0;
        r = link_rules(m, &terms, &demands, found);
        if (r == 0 && found->n)
            r = make_index(m, &terms, &demands, found->n, &group);
        for (size_t g = 0; r == -E2BIG && g < m->n_groups; g++) /* without what is too large */
            m->dead[g] |=
                m->terms.groups[g].request == group.request && m->terms.groups[g].family == group.family;
    }
    free(terms.list);
    free(demands.list);
    return r;
}

static int make_kind(struct maker *m)
{
    struct skep_unit *u = m->u;
    size_t n = u->n_rules[m->kind];
    u->tried[m->kind] = skep_arena_array(u->pool, n, sizeof(*u->tried[m->kind]));
    u->found[m->kind].rules = skep_arena_array(u->pool, n, sizeof(*u->found[m->kind].rules));
    m->ends = calloc(n, sizeof(*m->ends));
    if (!u->tried[m->kind] || !u->found[m->kind].rules || !m->ends)
        return -ENOMEM;
    int r = add_offers(m);
    if (r == 0)
        r = alloc_kind(m);
    if (r < 0)
        return r;
    count_demands(m);
    return build(m);
}

static int count_users(struct maker *m)
{
    const struct skep_dag *d = &m->u->dag;
    m->n_nodes = d->n;
    m->covers = calloc(2 * d->n + 1, sizeof(*m->covers));
    m->users = calloc(d->n + 1, sizeof(*m->users));
    if (!m->covers || !m->users)
        return -ENOMEM;
    for (size_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->nodes[i].n_kids; k++)
            m->users[d->nodes[i].kids[k]]++;
    return 0;
}

int skep_indexes_make(struct skep_unit *u)
{
    struct maker m = {.u = u};
    skep_terms_init(&m.terms, u->pool, &u->atoms);
    int r = count_users(&m);
    for (unsigned k = 1; k < SKEP_KIND_MAX && r == 0; k++) {
        m.kind = (uint16_t)k;
        r = u->n_rules[k] ? make_kind(&m) : 0;
        free_kind(&m);
    }
    skep_terms_clear(&m.terms);
    free(m.covers);
    free(m.users);
    free(m.offers);
    return r;
}
