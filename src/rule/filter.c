/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/filter.h"

#include "rule/glob.h"
#include "rule/pathset.h"
#include "rule/prune.h"

#define BRANCHES_MAX 8000 /* the verifier gives up when it has put off 8192 of them */
#define GATE_MIN 8        /* alternatives that are looked up together before they are tried */
#define SHORT_LITERALS 3  /* of a rule, when the filter would be too long */

bool skep_filter_has_kind(unsigned kind)
{
    enum { LIFE, DATA };
    static const bool data[SKEP_KIND_MAX] = {
#define SKEP_EVENT(number, name, ring, ...) [number] = ring == DATA,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    bool all = true, any = false;
    for (size_t i = 1; i < n; i++) {
        if (types[i].kind != kind)
            continue;
        any = true;
        all &= types[i].syscall != NULL;
    }
    return kind < SKEP_KIND_MAX && data[kind] && any && all;
}

/* ---- what the kernel knows ---- */

/* How much of the record a spot reads. */
static size_t size_of(const struct skep_rule_spot *s)
{
    switch (s->form) {
    case SKEP_SPOT_SLICE:
    case SKEP_SPOT_PATH:
        return sizeof(struct skep_slice);
    case SKEP_SPOT_CHARS:
        return s->size;
    case SKEP_SPOT_U8:
        return 1;
    case SKEP_SPOT_U16:
        return 2;
    case SKEP_SPOT_U64:
        return 8;
    case SKEP_SPOT_ENDPOINT:
    case SKEP_SPOT_PORT:
        return sizeof(struct skep_endpoint);
    default:
        return 4;
    }
}

const struct skep_rule_spot *skep_filter_spot(const struct skep_unit *u, const struct skep_atom *a,
                                              uint16_t kind)
{
    const struct skep_fact_request *q = &u->requests.list[a->request];
    const struct skep_rule_spot *s = q->field ? skep_rule_field_arg_spot(q->field, q->arg, kind) : NULL;
    if (!s || s->form == SKEP_SPOT_UNKNOWN)
        return NULL;
    if (s->form == SKEP_SPOT_RET || s->form == SKEP_SPOT_FD_RET)
        return s;
    if (s->form == SKEP_SPOT_BITS && s->mask == 0)
        return s; /* a constant */
    if (s->form == SKEP_SPOT_CHARS && (s->size % 8 || s->size > 256))
        return NULL;
    return skep_frame_sees(s->off, size_of(s)) ? s : NULL;
}

static bool longer_than(const struct skep_atom *a, size_t max)
{
    for (size_t i = 0; i < a->n_values; i++)
        if (a->values[i].text.n > max)
            return true;
    return false;
}

static const char *why_not_text(const struct skep_unit *u, const struct skep_atom *a)
{
    switch (a->op) {
    case SKEP_ATOM_EQ:
        if (a->n_values <= SKEP_FILTER_CODE_TEXTS && !longer_than(a, SKEP_PATH_MAX))
            return NULL;
        return skep_maps_can_hold(&u->maps, a->values, a->n_values) ? NULL
                                                                    : "the texts are too long for a map";
    case SKEP_ATOM_STARTSWITH:
        if (a->n_values > SKEP_FILTER_CODE_PREFIXES)
            return longer_than(a, SKEP_FILTER_PREFIX_MAX) ? "the texts are too long for a trie" : NULL;
        return longer_than(a, SKEP_PATH_MAX) ? "the text is too long" : NULL;
    case SKEP_ATOM_ENDSWITH:
        if (a->n_values > SKEP_FILTER_CODE_PREFIXES)
            return "too many endings";
        return longer_than(a, SKEP_PATH_MAX) ? "the text is too long" : NULL;
    case SKEP_ATOM_CONTAINS:
    case SKEP_ATOM_ICONTAINS:
        if (a->n_values > 2)
            return "too many texts to search for";
        return longer_than(a, SKEP_FILTER_NEEDLE_MAX) ? "the text is too long to search for" : NULL;
    case SKEP_ATOM_REGEX:
        return "regular expressions are matched in user space";
    case SKEP_ATOM_PMATCH:
        return "the kernel tells only that a path is not below these";
    default:
        return "patterns are matched in user space; the kernel looks at what they begin and end with";
    }
}

const char *skep_filter_why_not(const struct skep_unit *u, const struct skep_atom *a, uint16_t kind)
{
    if (!skep_filter_has_kind(kind))
        return "records of this kind do not pass a filter";
    if (a->on_evttype)
        return NULL;
    if (!u->requests.list[a->request].field)
        return "functions are computed in user space";
    if (!skep_filter_spot(u, a, kind))
        return "the record does not hold the field";
    if (a->mode != SKEP_ATOM_ONE)
        return "the field has several values";
    if (skep_filter_spot(u, a, kind)->form == SKEP_SPOT_DIRECTORY)
        return "the kernel tells only that a path is not in these directories";
    if (a->op == SKEP_ATOM_EXISTS)
        return NULL;
    if (a->right != SKEP_ATOM_NO_RIGHT)
        return "two fields are compared in user space";
    if (a->oneof)
        return "oneof is counted in user space";
    if (a->type == SKEP_RULE_TEXT)
        return why_not_text(u, a);
    if (a->type == SKEP_RULE_IP)
        return a->n_values > SKEP_FILTER_NETWORKS_MAX ? "too many networks" : NULL;
    return a->n_values > SKEP_FILTER_INTERVALS_MAX ? "too many numbers" : NULL;
}

/* ---- making ---- */

struct planner {
    struct skep_unit *u;
    uint16_t kind;
    enum skep_filter_precision precision;
    struct skep_filter_node **known; /* by node and sign */
    int error;
};

static struct skep_filter_node *make(struct planner *p, enum skep_node_kind kind, size_t room)
{
    struct skep_filter_node *n = skep_pool_take(&p->u->pool, sizeof(*n));
    struct skep_filter_node **kids = skep_pool_array(&p->u->pool, room, sizeof(struct skep_filter_node *));
    if (!n || !kids) {
        p->error = -ENOMEM;
        return NULL;
    }
    n->kind = kind;
    n->kids = kids;
    n->number = n->trie = UINT32_MAX;
    return n;
}

static struct skep_filter_node *constant(struct planner *p, bool value)
{
    struct skep_filter_node *n = make(p, SKEP_NODE_CONSTANT, 0);
    if (n) {
        n->value = value;
        n->truth = value;
    }
    return n;
}

static struct skep_filter_node *literal(struct planner *p, const struct skep_atom *a, uint32_t number,
                                        bool negated)
{
    struct skep_filter_node *n = make(p, SKEP_NODE_ATOM, 0);
    if (!n)
        return NULL;
    n->atom = *a;
    n->number = number;
    n->negated = negated;
    n->truth = skep_unit_weight(p->u, a);
    if (negated)
        n->truth = 1 - n->truth;
    bool search = a->op == SKEP_ATOM_CONTAINS || a->op == SKEP_ATOM_ICONTAINS;
    n->cost = a->type != SKEP_RULE_TEXT || a->op == SKEP_ATOM_EXISTS || a->on_evttype ? 1 : search ? 40 : 4;
    n->cost += a->n_values > SKEP_FILTER_CODE_PREFIXES ? 10 : (float)a->n_values / 4;
    return n;
}

static int compare_rank(const void *a, const void *b)
{
    const struct skep_filter_node *x = *(struct skep_filter_node *const *)a,
                                  *y = *(struct skep_filter_node *const *)b;
    float rank_x = x->cost / MAX(1 - x->truth, 0.001F), rank_y = y->cost / MAX(1 - y->truth, 0.001F);
    return (rank_x > rank_y) - (rank_x < rank_y);
}

static int compare_rank_or(const void *a, const void *b)
{
    const struct skep_filter_node *x = *(struct skep_filter_node *const *)a,
                                  *y = *(struct skep_filter_node *const *)b;
    float rank_x = x->cost / MAX(x->truth, 0.001F), rank_y = y->cost / MAX(y->truth, 0.001F);
    return (rank_x > rank_y) - (rank_x < rank_y);
}

/* n holds kids as they came; constants go, the rest is put in order. */
static struct skep_filter_node *settle(struct planner *p, struct skep_filter_node *n)
{
    bool and = n->kind == SKEP_NODE_AND;
    size_t kept = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        struct skep_filter_node *k = n->kids[i];
        if (!k)
            return NULL;
        if (k->kind == SKEP_NODE_CONSTANT && k->value != and)
            return k;
        bool known = k->kind == SKEP_NODE_CONSTANT;
        for (size_t j = 0; j < kept && !known && n->n_kids <= 64; j++)
            known = n->kids[j] == k;
        if (!known)
            n->kids[kept++] = k;
    }
    n->n_kids = kept;
    if (kept == 0)
        return constant(p, and);
    if (kept == 1)
        return n->kids[0];
    qsort(n->kids, kept, sizeof(struct skep_filter_node *), and? compare_rank : compare_rank_or);
    float reached = 1;
    n->cost = 0;
    for (size_t i = 0; i < kept; i++) {
        n->cost += reached * n->kids[i]->cost;
        reached *= and? n->kids[i]->truth : 1 - n->kids[i]->truth;
    }
    n->truth = and? reached : 1 - reached;
    return n;
}

/* One constant of a pattern that stands positively: the texts that fit begin and end with these. */
static struct skep_filter_node *around(struct planner *p, const struct skep_atom *a,
                                       const struct skep_constant *c)
{
    _cleanup_free_ struct skep_glob *g = malloc(sizeof(*g));
    struct skep_filter_node *both = make(p, SKEP_NODE_AND, 2);
    if (!g || !both) {
        p->error = -ENOMEM;
        return NULL;
    }
    if (skep_rule_glob_look(c->text.s, c->text.n, g) < 0)
        return constant(p, true);
    for (unsigned end = 0; end < 2; end++) {
        size_t n = end ? g->n_end : g->n_begin;
        if (n == 0)
            continue;
        struct skep_constant *value = skep_pool_take(&p->u->pool, sizeof(*value));
        char *s = skep_pool_copy(&p->u->pool, end ? g->end : g->begin, n);
        if (!value || !s) {
            p->error = -ENOMEM;
            return NULL;
        }
        value->text.s = s;
        value->text.n = n;
        struct skep_atom one = *a;
        one.op = end ? SKEP_ATOM_ENDSWITH : SKEP_ATOM_STARTSWITH;
        one.values = value;
        one.n_values = 1;
        both->kids[both->n_kids++] = literal(p, &one, UINT32_MAX, false);
    }
    return settle(p, both);
}

static struct skep_filter_node *around_all(struct planner *p, const struct skep_atom *a)
{
    struct skep_filter_node *any = make(p, SKEP_NODE_OR, a->n_values);
    for (size_t i = 0; any && i < a->n_values; i++)
        any->kids[any->n_kids++] = around(p, a, &a->values[i]);
    return any ? settle(p, any) : NULL;
}

/* Paths become what their texts begin with, up to the first pattern. */
static struct skep_filter_node *below(struct planner *p, const struct skep_atom *a)
{
    struct skep_constant *values = skep_pool_array(&p->u->pool, a->n_values, sizeof(*values));
    if (!values) {
        p->error = -ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < a->n_values; i++) {
        const struct skep_constant *c = &a->values[i];
        size_t n = 0;
        while (n < c->text.n && c->text.s[n] && !strchr("*?[\\", c->text.s[n]))
            n++;
        char *s = skep_pool_take(&p->u->pool, n + 2);
        if (!s) {
            p->error = -ENOMEM;
            return NULL;
        }
        values[i].text.n = MIN(skep_pathset_normal(c->text.s, n, s), (size_t)SKEP_FILTER_PREFIX_MAX);
        values[i].text.s = s;
        if (values[i].text.n == 0)
            return constant(p, true);
    }
    struct skep_atom one = *a;
    one.values = values;
    one.n_values = skep_constants_sort(SKEP_RULE_TEXT, values, a->n_values);
    return literal(p, &one, UINT32_MAX, false); /* PMATCH: the code knows what it stands for */
}

/* A file's path begins with its directory; of what is no path the directory is "/". */
static struct skep_filter_node *in_directory(struct planner *p, const struct skep_atom *a)
{
    struct skep_atom one = *a;
    if ((a->op != SKEP_ATOM_EQ && a->op != SKEP_ATOM_STARTSWITH) || longer_than(a, SKEP_FILTER_PREFIX_MAX))
        return constant(p, true);
    for (size_t i = 0; i < a->n_values; i++)
        if (a->values[i].text.n < 2)
            return constant(p, true);
    one.op = SKEP_ATOM_STARTSWITH;
    return literal(p, &one, UINT32_MAX, false);
}

static struct skep_filter_node *push_atom(struct planner *p, uint32_t number, bool negated)
{
    const struct skep_atom *a = &p->u->atoms.list[number];
    if (!skep_filter_why_not(p->u, a, p->kind)) {
        const struct skep_rule_spot *s = a->on_evttype ? NULL : skep_filter_spot(p->u, a, p->kind);
        bool always = s && s->form == SKEP_SPOT_BITS && (s->n_values == 0 || s->mask == 0) &&
                      (s->n_values == 0 || s->values[0] == 0);
        if (always && a->op == SKEP_ATOM_EQ)
            return constant(p,
                            skep_constants_have_number(a->values, a->n_values, s->n_values != 0) != negated);
        return literal(p, a, number, negated);
    }
    bool usable = !negated && !a->oneof && a->mode == SKEP_ATOM_ONE && a->right == SKEP_ATOM_NO_RIGHT &&
                  a->type == SKEP_RULE_TEXT && !a->on_evttype && skep_filter_spot(p->u, a, p->kind);
    if (usable && skep_filter_spot(p->u, a, p->kind)->form == SKEP_SPOT_DIRECTORY)
        return in_directory(p, a);
    if (usable && a->op == SKEP_ATOM_GLOB && a->n_values <= 8)
        return around_all(p, a);
    if (usable && a->op == SKEP_ATOM_PMATCH)
        return below(p, a);
    return constant(p, true);
}

/* The graph is at most as deep as conditions are. */
static struct skep_filter_node *push(struct planner *p, uint32_t number, bool negated)
{
    struct skep_filter_node **known = &p->known[2 * (size_t)number + negated];
    const struct skep_node *n = &p->u->dag.nodes[number];
    if (*known || p->error)
        return *known;
    struct skep_filter_node *result = NULL;
    if (n->kind == SKEP_NODE_CONSTANT) {
        result = constant(p, (number == SKEP_NODE_TRUE) != negated);
    } else if (n->kind == SKEP_NODE_NOT) {
        result = push(p, n->kids[0], !negated);
    } else if (n->kind == SKEP_NODE_ATOM) {
        result = push_atom(p, n->atom, negated);
    } else {
        bool and = (n->kind == SKEP_NODE_AND) != negated;
        struct skep_filter_node *join = make(p, and? SKEP_NODE_AND : SKEP_NODE_OR, n->n_kids);
        for (uint32_t i = 0; join && i < n->n_kids; i++)
            join->kids[join->n_kids++] = push(p, n->kids[i], negated);
        result = join ? settle(p, join) : NULL;
    }
    return *known = result;
}

/* What can be looked up for all rules at once is worth more than what is true as seldom. */
static float worth(const struct skep_filter_node *n)
{
    bool together = !n->negated && n->atom.type == SKEP_RULE_TEXT && !n->atom.on_evttype &&
                    (n->atom.op == SKEP_ATOM_EQ || n->atom.op == SKEP_ATOM_STARTSWITH);
    return together ? n->truth / 100 : n->truth;
}

static int compare_worth(const void *a, const void *b)
{
    float x = worth(*(struct skep_filter_node *const *)a), y = worth(*(struct skep_filter_node *const *)b);
    return (x > y) - (x < y);
}

/* Of a rule, what the precision allows: the literals that are least often true. */
static struct skep_filter_node *shorten(struct planner *p, struct skep_filter_node *n)
{
    if (!n || p->precision == SKEP_FILTER_FULL || n->kind == SKEP_NODE_ATOM || n->kind == SKEP_NODE_CONSTANT)
        return n;
    if (p->precision == SKEP_FILTER_NONE || n->kind == SKEP_NODE_OR)
        return constant(p, true);
    struct skep_filter_node *less = make(p, SKEP_NODE_AND, n->n_kids);
    for (size_t i = 0; less && i < n->n_kids; i++)
        if (n->kids[i]->kind == SKEP_NODE_ATOM)
            less->kids[less->n_kids++] = n->kids[i];
    if (!less)
        return NULL;
    qsort(less->kids, less->n_kids, sizeof(struct skep_filter_node *), compare_worth);
    less->n_kids = MIN(less->n_kids, (size_t)(p->precision == SKEP_FILTER_SHORT ? SHORT_LITERALS : 1));
    return settle(p, less);
}

/* ---- what all alternatives demand: (x and r1) or (x and r2) is x and (r1 or r2) ---- */

static bool demands(const struct skep_filter_node *n, const struct skep_filter_node *literal)
{
    if (n == literal)
        return true;
    for (size_t i = 0; n->kind == SKEP_NODE_AND && i < n->n_kids; i++)
        if (n->kids[i] == literal)
            return true;
    return false;
}

static bool all_demand(const struct skep_filter_node * or, const struct skep_filter_node *literal)
{
    for (size_t i = 0; i < or->n_kids; i++)
        if (!demands(or->kids[i], literal))
            return false;
    return true;
}

/* n without the literals of taken. */
static struct skep_filter_node *without(struct planner *p, struct skep_filter_node *n,
                                        const struct skep_filter_node *taken)
{
    bool and = n->kind == SKEP_NODE_AND;
    struct skep_filter_node *rest = make(p, SKEP_NODE_AND, and? n->n_kids : 1);
    for (size_t i = 0; rest && i < (and? n->n_kids : 1); i++) {
        struct skep_filter_node *k = and? n->kids[i] : n;
        if (!demands(taken, k))
            rest->kids[rest->n_kids++] = k;
    }
    return rest ? settle(p, rest) : NULL;
}

static struct skep_filter_node *add_gates(struct planner *p, struct skep_filter_node *n);

static struct skep_filter_node *factor(struct planner *p, struct skep_filter_node *n)
{
    if (!n || n->kind != SKEP_NODE_OR)
        return n;
    const struct skep_filter_node *first = n->kids[0];
    bool and = first->kind == SKEP_NODE_AND;
    struct skep_filter_node *common = make(p, SKEP_NODE_AND, (and? first->n_kids : 1) + 1);
    struct skep_filter_node *rests = make(p, SKEP_NODE_OR, n->n_kids);
    if (!common || !rests)
        return NULL;
    for (size_t i = 0; i < (and? first->n_kids : 1); i++) {
        const struct skep_filter_node *k = and? first->kids[i] : first;
        if (k->kind == SKEP_NODE_ATOM && all_demand(n, k))
            common->kids[common->n_kids++] = (struct skep_filter_node *)k;
    }
    if (common->n_kids == 0)
        return n;
    for (size_t i = 0; i < n->n_kids; i++)
        rests->kids[rests->n_kids++] = without(p, n->kids[i], common);
    common->kids[common->n_kids++] = add_gates(p, settle(p, rests));
    return p->error ? NULL : settle(p, common);
}

/* ---- gates ----
 *
 * a rule that demands x = a can only match where x is one of the values that all such rules demand: one look at x spares
 * all of them. (a1 and r1) or (a2 and r2) is (a1 or a2) and ((a1 and r1) or (a2 and r2)). */

static const struct skep_atom *gate_of(const struct skep_filter_node *n, enum skep_atom_op op,
                                       uint32_t request)
{
    const struct skep_filter_node *one = n;
    for (size_t i = 0; i < (n->kind == SKEP_NODE_AND ? n->n_kids : 1); i++) {
        one = n->kind == SKEP_NODE_AND ? n->kids[i] : n;
        if (one->kind == SKEP_NODE_ATOM && !one->negated && one->atom.op == op &&
            one->atom.request == request && one->atom.type == SKEP_RULE_TEXT && !one->atom.on_evttype)
            return &one->atom;
    }
    return NULL;
}

/* Takes the kids that demand something of one field out of n and puts them behind a gate. */
static struct skep_filter_node *add_gate(struct planner *p, struct skep_filter_node *n, enum skep_atom_op op,
                                         uint32_t request)
{
    size_t count = 0, n_values = 0, kept = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        const struct skep_atom *a = gate_of(n->kids[i], op, request);
        count += a != NULL;
        n_values += a ? a->n_values : 0;
    }
    if (count < GATE_MIN)
        return NULL;
    struct skep_filter_node *inside = make(p, SKEP_NODE_OR, count), *both = make(p, SKEP_NODE_AND, 2);
    struct skep_constant *values = skep_pool_array(&p->u->pool, n_values, sizeof(*values));
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
    if (skep_filter_why_not(p->u, &gate, p->kind))
        return inside;
    bool all = true; /* that the rules demand */
    for (size_t i = 0; i < inside->n_kids; i++)
        all &= inside->kids[i]->kind == SKEP_NODE_ATOM;
    if (all)
        return literal(p, &gate, UINT32_MAX, false);
    both->kids[0] = literal(p, &gate, UINT32_MAX, false);
    both->kids[1] = inside;
    both->n_kids = 2;
    both->cost = 10;
    both->truth = 0.1F;
    return both;
}

static struct skep_filter_node *add_gates(struct planner *p, struct skep_filter_node *n)
{
    static const enum skep_atom_op ops[] = {SKEP_ATOM_EQ, SKEP_ATOM_STARTSWITH};
    if (!n || n->kind != SKEP_NODE_OR || n->n_kids < GATE_MIN)
        return n;
    size_t n_gates = 0, max = n->n_kids / GATE_MIN + 1;
    struct skep_filter_node **gates = skep_pool_array(&p->u->pool, max, sizeof(struct skep_filter_node *));
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
    struct skep_filter_node *all = make(p, SKEP_NODE_OR, n->n_kids + n_gates);
    for (size_t i = 0; all && i < n_gates; i++)
        all->kids[all->n_kids++] = gates[i];
    for (size_t i = 0; all && i < n->n_kids; i++)
        all->kids[all->n_kids++] = n->kids[i];
    return all;
}

static struct skep_filter_node *narrow(struct planner *p, struct skep_filter_node *n)
{
    struct skep_filter_node *f = factor(p, n);
    return f == n ? add_gates(p, n) : f;
}

/* ---- maps ---- */

static int add_trie(struct skep_unit *u, const struct skep_atom *a, uint32_t *ret)
{
    size_t size = 8;
    for (size_t i = 0; i < a->n_values; i++)
        size = MAX(size, ROUND_UP(MIN(a->values[i].text.n, (size_t)SKEP_FILTER_PREFIX_MAX), (size_t)8));
    _cleanup_free_ uint8_t *data = calloc(a->n_values, size);
    _cleanup_free_ uint32_t *bits = calloc(a->n_values, sizeof(*bits));
    if (!data || !bits)
        return -ENOMEM;
    for (size_t i = 0; i < a->n_values; i++) {
        size_t n = MIN(a->values[i].text.n, size);
        memcpy(data + i * size, a->values[i].text.s, n);
        bits[i] = (uint32_t)n * 8;
    }
    return skep_maps_add_trie(&u->maps, data, bits, a->n_values, (uint32_t)size, ret);
}

/* The maps that literals need are made once, before code is. */
static int add_maps(struct planner *p, struct skep_filter *f, struct skep_filter_node *n)
{
    uint32_t ref;
    int r = 0;
    for (size_t i = 0; i < n->n_kids && r == 0; i++)
        r = add_maps(p, f, n->kids[i]);
    if (r < 0 || n->kind != SKEP_NODE_ATOM || n->atom.type != SKEP_RULE_TEXT || n->atom.on_evttype ||
        n->trie != UINT32_MAX)
        return r;
    bool prefixes = n->atom.op == SKEP_ATOM_STARTSWITH || n->atom.op == SKEP_ATOM_PMATCH;
    if (prefixes && n->atom.n_values > SKEP_FILTER_CODE_PREFIXES) {
        r = add_trie(p->u, &n->atom, &n->trie);
        return r < 0 ? r : skep_map_refs_add(&f->refs, n->trie, &ref);
    }
    if (n->atom.op != SKEP_ATOM_EQ || n->atom.n_values <= SKEP_FILTER_CODE_TEXTS)
        return 0;
    if (n->number != UINT32_MAX)
        r = skep_maps_of_atom(&p->u->maps, &n->atom, n->number, &n->set);
    else
        r = skep_maps_add_texts(&p->u->maps, n->atom.values, NULL, n->atom.n_values, &n->set);
    for (size_t i = 0; r == 0 && i < SKEP_MAP_CLASSES; i++)
        if (n->set->map[i] != UINT32_MAX)
            r = skep_map_refs_add(&f->refs, n->set->map[i], &ref);
    return r;
}

int skep_filter_plan(struct skep_unit *u, uint16_t kind, enum skep_filter_precision precision,
                     struct skep_filter *ret)
{
    struct planner p = {.u = u, .kind = kind, .precision = precision};
    struct skep_filter f = {.kind = kind, .precision = precision};
    p.known = calloc(2 * MAX(u->dag.n, (size_t)1), sizeof(struct skep_filter_node *));
    struct skep_filter_node *any = make(&p, SKEP_NODE_OR, u->n_rules[kind]), *root = NULL;
    if (p.known && any) {
        for (size_t i = 0; i < u->n_rules[kind]; i++)
            any->kids[any->n_kids++] = shorten(&p, push(&p, u->rules[kind][i].node, false));
        root = p.error ? NULL : narrow(&p, settle(&p, any));
    }
    free(p.known);
    if (!root)
        return p.error ? p.error : -ENOMEM;
    bool passes = root->kind == SKEP_NODE_CONSTANT && root->value;
    int r = passes ? 0 : add_maps(&p, &f, root);
    if (r < 0) {
        free(f.refs.list);
        return r;
    }
    f.root = passes ? NULL : root;
    *ret = f;
    return 0;
}

/* ---- the program ---- */

static void emit(struct skep_filter_emit *e, const struct skep_filter_node *n, const struct skep_branch *to)
{
    if (e->b->error)
        return;
    if (n->kind == SKEP_NODE_CONSTANT) {
        skep_emit_goto(e->b, n->value ? to->yes : to->no, to->fall);
    } else if (n->kind == SKEP_NODE_ATOM) {
        struct skep_filter_ways ways = {n->negated ? to->no : to->yes, n->negated ? to->yes : to->no, to->yes,
                                        to->fall};
        skep_filter_emit_atom(e, n, &ways);
    } else {
        bool and = n->kind == SKEP_NODE_AND;
        for (size_t i = 0; i + 1 < n->n_kids && !e->b->error; i++) {
            unsigned next = skep_build_label(e->b);
            emit(e, n->kids[i], &(struct skep_branch){and? next : to->yes, and? to->no : next, next});
            skep_build_bind(e->b, next);
        }
        emit(e, n->kids[n->n_kids - 1], to);
    }
}

int skep_filter_build(const struct skep_unit *u, const struct skep_filter *f, const struct skep_frame *frame,
                      struct skep_insn **ret_insns, size_t *ret_n)
{
    struct skep_build b;
    struct skep_filter_emit e = {.b = &b, .unit = u, .filter = f};
    unsigned pass, drop;
    skep_build_init(&b, SKEP_RULE_FILTER_INSNS);
    skep_frame_begin(frame, &b, &pass, &drop);
    skep_build_load(&b, SKEP_OP_LDXH, 9, 6, offsetof(struct skep_hdr, flags));
    /* who acts is not known: what the header says of him does not count */
    skep_build_jump_imm(&b, SKEP_OP_JSET_IMM, 9, SKEP_HDR_NO_TASK, pass);
    emit(&e, f->root, &(struct skep_branch){pass, drop, drop});
    skep_frame_end(frame, &b, pass, drop);
    struct skep_insn *insns;
    size_t n;
    int r = skep_build_finish(&b, &insns, &n);
    skep_build_clear(&b);
    if (r < 0)
        return r;
    r = skep_prune(insns, &n);
    if (r == 0 &&
        skep_prune_branches(insns, n) + (size_t)e.loops * 2 * SKEP_FILTER_SEARCH_MAX / 8 > BRANCHES_MAX)
        r = -E2BIG;
    if (r < 0) {
        free(insns);
        return r;
    }
    *ret_insns = insns;
    *ret_n = n;
    return 0;
}
