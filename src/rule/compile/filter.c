/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/filter_plan.h"

#include "rule/compile/prune.h"

#define BRANCHES_MAX 8000 /* the verifier gives up when it has put off 8192 of them */
#define FLATTEN_MAX 64    /* kids that are compared with each other */
#define AGAIN_MAX 16      /* kids of a node that is recognized when it comes again */
#define DONE_SIZE_MAX (256 << 20)
#define SHORT_LITERALS 3 /* of a rule, when the filter would be too long */

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
    case SKEP_SPOT_DIRECTORY:
    case SKEP_SPOT_FILENAME:
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
        if (a->n_values > SKEP_FILTER_CODE_PREFIXES && !skep_filter_has_radix(a))
            return longer_than(a, SKEP_FILTER_PREFIX_MAX) ? "the texts are too long for a trie" : NULL;
        return longer_than(a, SKEP_PATH_MAX) ? "the text is too long" : NULL;
    case SKEP_ATOM_ENDSWITH:
        if (a->n_values > SKEP_FILTER_CODE_PREFIXES && !skep_filter_has_radix(a))
            return "too many endings, or too long ones";
        return longer_than(a, SKEP_PATH_MAX) ? "the text is too long" : NULL;
    case SKEP_ATOM_CONTAINS:
    case SKEP_ATOM_ICONTAINS:
        if (a->n_values > SKEP_FILTER_NEEDLES_MAX)
            return "too many texts to search for";
        return longer_than(a, SKEP_FILTER_NEEDLE_MAX) ? "the text is too long to search for" : NULL;
    case SKEP_ATOM_REGEX:
        return "regular expressions are matched in user space; the kernel looks at what they begin with";
    case SKEP_ATOM_PMATCH:
        return "the kernel tells only that a path is not below these";
    default:
        return "patterns are matched in user space; the kernel looks at what they begin and end with";
    }
}

static bool can_choose(const struct skep_atom *a)
{
    return a->op == SKEP_ATOM_EXISTS || a->op == SKEP_ATOM_EQ || a->op == SKEP_ATOM_STARTSWITH ||
           a->op == SKEP_ATOM_ENDSWITH || a->op == SKEP_ATOM_CONTAINS || a->op == SKEP_ATOM_ICONTAINS;
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
    if (skep_filter_spot(u, a, kind)->form == SKEP_SPOT_FILENAME)
        return "the kernel tells only that a path does not end with these names";
    if (skep_filter_spot(u, a, kind)->form == SKEP_SPOT_CHOICE && !can_choose(a))
        return "the kernel compares texts that stand for numbers as a whole, or by begin, end or part";
    if (a->op == SKEP_ATOM_EXISTS)
        return NULL;
    if (a->right != SKEP_ATOM_NO_RIGHT)
        return "two fields are compared in user space";
    if (a->oneof)
        return "oneof is counted in user space";
    if (skep_filter_spot(u, a, kind)->form == SKEP_SPOT_CHOICE)
        return NULL;
    if (a->type == SKEP_RULE_TEXT)
        return why_not_text(u, a);
    if (a->type == SKEP_RULE_IP)
        return NULL;
    return a->n_values > SKEP_FILTER_INTERVALS_MAX ? "too many numbers" : NULL;
}

/* ---- making ---- */

struct skep_filter_node *skep_filter_make(struct skep_filter_planner *p, enum skep_filter_kind kind,
                                          size_t room)
{
    struct skep_filter_node *n = skep_arena_alloc(p->u->pool, sizeof(*n));
    struct skep_filter_node **kids = skep_arena_array(p->u->pool, room, sizeof(struct skep_filter_node *));
    if (!n || !kids) {
        p->error = -ENOMEM;
        return NULL;
    }
    n->kind = kind;
    n->kids = kids;
    n->number = n->trie = n->trie6 = UINT32_MAX;
    p->made++;
    return n;
}

struct skep_filter_node *skep_filter_constant(struct skep_filter_planner *p, bool value)
{
    struct skep_filter_node *n = skep_filter_make(p, SKEP_FILTER_CONSTANT, 0);
    if (n) {
        n->value = value;
        n->truth = value;
    }
    return n;
}

struct skep_filter_node *skep_filter_literal(struct skep_filter_planner *p, const struct skep_atom *a,
                                             uint32_t number, bool negated)
{
    struct skep_filter_node *n = skep_filter_make(p, SKEP_FILTER_ATOM, 0);
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
    if (!a->on_evttype && skep_filter_is_late(skep_filter_spot(p->u, a, p->kind), p->kind))
        n->cost += 60;
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

/* Kids of the same kind become their kids. */
static int flatten(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    size_t count = 0;
    bool any = false;
    for (size_t i = 0; i < n->n_kids; i++) {
        bool same = n->kids[i] && n->kids[i]->kind == n->kind && n->kids[i]->n_kids <= FLATTEN_MAX;
        count += same ? n->kids[i]->n_kids : 1;
        any |= same;
    }
    if (!any)
        return 0;
    struct skep_filter_node **flat = skep_arena_array(p->u->pool, count, sizeof(struct skep_filter_node *));
    if (!flat)
        return p->error = -ENOMEM;
    count = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        struct skep_filter_node *k = n->kids[i];
        bool same = k && k->kind == n->kind && k->n_kids <= FLATTEN_MAX;
        for (size_t j = 0; j < (same ? k->n_kids : 1); j++)
            flat[count++] = same ? k->kids[j] : k;
    }
    n->kids = flat;
    n->n_kids = count;
    return 0;
}

/* x or (x and y) is x, x and (x or y) is x: of an OR the kids are ANDs, and the other way round. */
static bool covers(const struct skep_filter_node *x, const struct skep_filter_node *y,
                   enum skep_filter_kind kids)
{
    size_t n_x = x->kind == kids ? x->n_kids : 1, n_y = y->kind == kids ? y->n_kids : 1;
    if (n_x > n_y || n_y > FLATTEN_MAX)
        return false;
    for (size_t i = 0; i < n_x; i++) {
        const struct skep_filter_node *one = x->kind == kids ? x->kids[i] : x;
        bool found = false;
        for (size_t k = 0; k < n_y && !found; k++)
            found = one == (y->kind == kids ? y->kids[k] : y);
        if (!found)
            return false;
    }
    return true;
}

static void absorb(struct skep_filter_node *n)
{
    enum skep_filter_kind kids = n->kind == SKEP_FILTER_AND ? SKEP_FILTER_OR : SKEP_FILTER_AND;
    size_t kept = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        bool covered = false;
        for (size_t k = 0; k < n->n_kids && !covered; k++) /* of two that are the same the first stays */
            covered = k != i && n->kids[k] && covers(n->kids[k], n->kids[i], kids);
        if (covered)
            n->kids[i] = NULL;
    }
    for (size_t i = 0; i < n->n_kids; i++)
        if (n->kids[i])
            n->kids[kept++] = n->kids[i];
    n->n_kids = kept;
}

/* Nodes with the same kids are one, whose code is written once. */
static struct skep_filter_node *known_shape(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    uint32_t number;
    bool is_new;
    if (n->n_kids > FLATTEN_MAX)
        return n;
    struct skep_intern *shapes = &p->shapes[n->kind == SKEP_FILTER_OR];
    int r = skep_intern_put(shapes, n->kids, n->n_kids * sizeof(struct skep_filter_node *), &number, &is_new);
    struct skep_filter_node ***shaped = &p->shaped[n->kind == SKEP_FILTER_OR];
    if (r == 0 && is_new && (number & (number + 1)) == 0) { /* 0, 1, 3, 7, ... */
        void *wider = reallocarray(*shaped, (size_t)number * 2 + 1, sizeof(struct skep_filter_node *));
        if (!wider)
            r = -ENOMEM;
        else
            *shaped = wider;
    }
    if (r < 0) {
        p->error = r;
        return NULL;
    }
    if (is_new)
        (*shaped)[number] = n;
    return (*shaped)[number];
}

struct skep_filter_node *skep_filter_settle(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    bool and = n->kind == SKEP_FILTER_AND;
    size_t kept = 0;
    if (flatten(p, n) < 0)
        return NULL;
    for (size_t i = 0; i < n->n_kids; i++) {
        struct skep_filter_node *k = n->kids[i];
        if (!k)
            return NULL;
        if (k->kind == SKEP_FILTER_CONSTANT && k->value != and)
            return k;
        if (k->kind != SKEP_FILTER_CONSTANT)
            n->kids[kept++] = k;
    }
    n->n_kids = kept;
    if (kept <= FLATTEN_MAX)
        absorb(n);
    kept = n->n_kids;
    if (kept == 0)
        return skep_filter_constant(p, and);
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
    return known_shape(p, n);
}

static struct skep_filter_node *push_atom(struct skep_filter_planner *p, uint32_t number, bool negated)
{
    const struct skep_atom *a = &p->u->atoms.list[number];
    if (!skep_filter_why_not(p->u, a, p->kind)) {
        const struct skep_rule_spot *s = a->on_evttype ? NULL : skep_filter_spot(p->u, a, p->kind);
        bool always = s && s->form == SKEP_SPOT_BITS && (s->n_values == 0 || s->mask == 0) &&
                      (s->n_values == 0 || s->values[0] == 0);
        if (always && a->op == SKEP_ATOM_EQ)
            return skep_filter_constant(
                p, skep_constants_have_number(a->values, a->n_values, s->n_values != 0) != negated);
        return skep_filter_literal(p, a, number, negated);
    }
    return negated ? skep_filter_constant(p, true) : skep_filter_weaker(p, a);
}

/* The graph is at most as deep as conditions are. */
static struct skep_filter_node *push(struct skep_filter_planner *p, uint32_t number, bool negated)
{
    struct skep_filter_node **known = &p->known[2 * (size_t)number + negated];
    const struct skep_node *n = &p->u->dag.nodes[number];
    if (*known || p->error)
        return *known;
    struct skep_filter_node *result = NULL;
    if (n->kind == SKEP_NODE_CONSTANT) {
        result = skep_filter_constant(p, (number == SKEP_NODE_TRUE) != negated);
    } else if (n->kind == SKEP_NODE_NOT) {
        result = push(p, n->kids[0], !negated);
    } else if (n->kind == SKEP_NODE_ATOM) {
        result = push_atom(p, n->atom, negated);
    } else {
        bool and = (n->kind == SKEP_NODE_AND) != negated;
        struct skep_filter_node *join = skep_filter_make(p, and? SKEP_FILTER_AND : SKEP_FILTER_OR, n->n_kids);
        for (uint32_t i = 0; join && i < n->n_kids; i++)
            join->kids[join->n_kids++] = push(p, n->kids[i], negated);
        result = join ? skep_filter_settle(p, join) : NULL;
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
static struct skep_filter_node *shorten(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    if (!n || p->precision <= SKEP_FILTER_PLAIN || n->kind == SKEP_FILTER_ATOM ||
        n->kind == SKEP_FILTER_CONSTANT)
        return n;
    if (p->precision == SKEP_FILTER_NONE || n->kind == SKEP_FILTER_OR)
        return skep_filter_constant(p, true);
    struct skep_filter_node *less = skep_filter_make(p, SKEP_FILTER_AND, n->n_kids);
    for (size_t i = 0; less && i < n->n_kids; i++)
        if (n->kids[i]->kind == SKEP_FILTER_ATOM)
            less->kids[less->n_kids++] = n->kids[i];
    if (!less)
        return NULL;
    qsort(less->kids, less->n_kids, sizeof(struct skep_filter_node *), compare_worth);
    less->n_kids = MIN(less->n_kids, (size_t)(p->precision == SKEP_FILTER_SHORT ? SHORT_LITERALS : 1));
    return skep_filter_settle(p, less);
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

/* Networks of one length, where they are many. */
static int add_networks(struct skep_unit *u, const struct skep_atom *a, unsigned len, size_t max,
                        uint32_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_values; i++)
        n += a->values[i].ip.len == len;
    if (n <= max)
        return 0;
    if (u->maps.n >= SKEP_MAPS_MAX)
        return -E2BIG;
    _cleanup_free_ uint8_t *data = calloc(n, len);
    _cleanup_free_ uint32_t *bits = calloc(n, sizeof(*bits));
    if (!data || !bits)
        return -ENOMEM;
    n = 0;
    for (size_t i = 0; i < a->n_values; i++) {
        if (a->values[i].ip.len != len)
            continue;
        memcpy(data + n * len, a->values[i].ip.bytes, len);
        bits[n++] = a->values[i].ip.bits;
    }
    return skep_maps_add_trie(&u->maps, data, bits, n, len, ret);
}

static int add_all_networks(struct skep_filter_planner *p, struct skep_filter *f, struct skep_filter_node *n)
{
    uint32_t ref;
    if (n->trie != UINT32_MAX || n->trie6 != UINT32_MAX)
        return 0;
    int r = add_networks(p->u, &n->atom, 4, SKEP_FILTER_CODE_NETWORKS4, &n->trie);
    if (r == 0)
        r = add_networks(p->u, &n->atom, 16, SKEP_FILTER_CODE_NETWORKS6, &n->trie6);
    if (r == 0 && n->trie != UINT32_MAX)
        r = skep_map_refs_add(&f->refs, n->trie, &ref);
    if (r == 0 && n->trie6 != UINT32_MAX)
        r = skep_map_refs_add(&f->refs, n->trie6, &ref);
    return r;
}

/* Texts that are told apart by code. true: these are. */
static bool add_radix(struct skep_filter_planner *p, struct skep_filter_node *n, int *ret)
{
    const struct skep_rule_spot *s = skep_filter_spot(p->u, &n->atom, p->kind);
    const struct skep_atom *a = &n->atom;
    bool chars = s && s->form == SKEP_SPOT_CHARS && a->op != SKEP_ATOM_ENDSWITH;
    bool few = !chars && a->n_values <= (a->op == SKEP_ATOM_EQ ? SKEP_FILTER_CODE_TEXTS : 2);
    if (!s || s->form == SKEP_SPOT_CHOICE || !skep_filter_has_radix(a) || (few && a->op != SKEP_ATOM_PMATCH))
        return false;
    if (!chars && a->op == SKEP_ATOM_EQ) /* a map */
        return false;
    *ret = skep_filter_radix(p->u->pool, &n, 1, s, &n->rooted, &n->radix);
    if (*ret != -E2BIG)
        return true;
    *ret = 0;
    n->radix = NULL;
    return false;
}

/* The maps that literals need are made once, before code is. */
static int add_maps(struct skep_filter_planner *p, struct skep_filter *f, struct skep_filter_node *n)
{
    uint32_t ref;
    int r = 0;
    for (size_t i = 0; i < n->n_kids && r == 0; i++)
        r = add_maps(p, f, n->kids[i]);
    if (r == 0 && n->kind == SKEP_FILTER_ATOM && n->atom.type == SKEP_RULE_IP && !n->atom.on_evttype)
        return add_all_networks(p, f, n);
    if (r < 0 || n->kind != SKEP_FILTER_ATOM || n->atom.type != SKEP_RULE_TEXT || n->atom.on_evttype ||
        n->trie != UINT32_MAX || n->radix || add_radix(p, n, &r))
        return r;
    bool prefixes = n->atom.op == SKEP_ATOM_STARTSWITH || n->atom.op == SKEP_ATOM_PMATCH;
    if (prefixes && n->atom.n_values > SKEP_FILTER_CODE_PREFIXES) {
        r = add_trie(p->u, &n->atom, &n->trie);
        return r < 0 ? r : skep_map_refs_add(&f->refs, n->trie, &ref);
    }
    const struct skep_rule_spot *s = skep_filter_spot(p->u, &n->atom, p->kind);
    if (n->atom.op != SKEP_ATOM_EQ || n->atom.n_values <= SKEP_FILTER_CODE_TEXTS ||
        (s && s->form == SKEP_SPOT_CHOICE))
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
    struct skep_filter_planner p = {.u = u, .kind = kind, .precision = precision};
    struct skep_filter f = {.kind = kind, .precision = precision};
    for (size_t i = 0; i < ARRAY_SIZE(p.shapes); i++)
        skep_intern_init(&p.shapes[i], u->pool);
    p.known = calloc(2 * MAX(u->dag.n, (size_t)1), sizeof(struct skep_filter_node *));
    struct skep_filter_node *any = skep_filter_make(&p, SKEP_FILTER_OR, u->n_rules[kind]), *root = NULL;
    if (p.known && any) {
        for (size_t i = 0; i < u->n_rules[kind]; i++)
            any->kids[any->n_kids++] = shorten(&p, push(&p, u->rules[kind][i].node, false));
        root = p.error ? NULL : skep_filter_arrange(&p, skep_filter_settle(&p, any));
    }
    free(p.known);
    for (size_t i = 0; i < ARRAY_SIZE(p.shapes); i++) {
        skep_intern_clear(&p.shapes[i]);
        free(p.shaped[i]);
    }
    if (!root)
        return p.error ? p.error : -ENOMEM;
    bool passes = root->kind == SKEP_FILTER_CONSTANT && root->value;
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

#define NO_FALL UINT32_MAX /* nothing is bound next */

static void emit(struct skep_filter_emit *e, const struct skep_filter_node *n, const struct skep_branch *to);

static void emit_if(struct skep_filter_emit *e, const struct skep_filter_node *n,
                    const struct skep_branch *to)
{
    unsigned labels[SKEP_FILTER_IF_KIDS];
    for (unsigned i = 0; i < SKEP_FILTER_IF_KIDS; i++)
        labels[i] = skep_build_label(e->b);
    struct skep_filter_ways ways = {labels[SKEP_FILTER_IF_YES], labels[SKEP_FILTER_IF_NO],
                                    labels[SKEP_FILTER_IF_UNKNOWN], labels[SKEP_FILTER_IF_YES]};
    skep_filter_emit_atom(e, n, &ways);
    for (unsigned i = 0; i < SKEP_FILTER_IF_KIDS; i++) {
        skep_build_bind(e->b, labels[i]);
        emit(e, n->kids[i], &(struct skep_branch){to->yes, to->no, NO_FALL});
    }
}

/* What stands behind a class that is chained to what counts when no text fits comes before that. */
static void emit_switch(struct skep_filter_emit *e, const struct skep_filter_node *n,
                        const struct skep_branch *to)
{
    _cleanup_free_ unsigned *labels = calloc(n->n_kids, sizeof(*labels));
    _cleanup_free_ unsigned *classes = calloc(n->radix->n_classes, sizeof(*classes));
    if (!labels || !classes) {
        e->b->error = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < n->n_kids; i++)
        labels[i] = skep_build_label(e->b);
    for (size_t i = 0; i < n->radix->n_classes; i++)
        classes[i] = labels[n->cases[i]];
    skep_filter_emit_switch(e, n, classes, labels[SKEP_FILTER_CASE_UNKNOWN],
                            labels[SKEP_FILTER_CASE_MISSING]);
    uint16_t loaded = e->loaded;
    for (size_t i = 0; i < n->n_kids && !e->b->error; i++) {
        bool known = i == SKEP_FILTER_CASE_NONE || i >= SKEP_FILTER_CASES;
        unsigned no = n->chained[i] ? labels[SKEP_FILTER_CASE_NONE] : to->no;
        if (n->spot->form != SKEP_SPOT_CHARS)
            e->loaded = known ? n->spot->off : loaded;
        skep_build_bind(e->b, labels[i]);
        emit(e, n->kids[i], &(struct skep_branch){to->yes, no, NO_FALL});
    }
    e->loaded = loaded;
}

/* What was written before, with the same ways out, is not written again. true: it was, and is jumped to. Else it is
 * about to be. */
static bool emit_again(struct skep_filter_emit *e, enum skep_filter_kind kind,
                       struct skep_filter_node *const *kids, size_t n, const struct skep_branch *to)
{
    struct {
        uint32_t kind, yes, no, loaded;
        const struct skep_filter_node *kids[AGAIN_MAX];
    } key = {kind, to->yes, to->no, e->loaded, {NULL}};
    uint32_t number;
    bool is_new;
    if (n > AGAIN_MAX)
        return false;
    memcpy(key.kids, kids, n * sizeof(struct skep_filter_node *));
    int r = skep_intern_put(&e->done, &key, sizeof(key), &number, &is_new);
    if (r == 0 && is_new && (number & (number + 1)) == 0) { /* 0, 1, 3, 7, ... */
        unsigned *wider = reallocarray(e->labels, (size_t)number * 2 + 1, sizeof(*wider));
        if (!wider)
            r = -ENOMEM;
        else
            e->labels = wider;
    }
    if (r < 0) {
        e->b->error = r;
        return true;
    }
    if (is_new) {
        e->labels[number] = skep_build_label(e->b);
        skep_build_bind(e->b, e->labels[number]);
        return false;
    }
    skep_build_jump(e->b, e->labels[number]);
    return true;
}

static void emit_join(struct skep_filter_emit *e, const struct skep_filter_node *n,
                      const struct skep_branch *to)
{
    bool and = n->kind == SKEP_FILTER_AND;
    for (size_t i = 0; i + 1 < n->n_kids && !e->b->error; i++) {
        if (emit_again(e, n->kind, &n->kids[i], n->n_kids - i, to))
            return;
        unsigned next = skep_build_label(e->b);
        emit(e, n->kids[i], &(struct skep_branch){and? next : to->yes, and? to->no : next, next});
        skep_build_bind(e->b, next);
    }
    emit(e, n->kids[n->n_kids - 1], to);
}

static bool is_long(const struct skep_filter_node *n)
{
    return n->kind == SKEP_FILTER_ATOM &&
           (n->atom.n_values > 2 || n->atom.op == SKEP_ATOM_CONTAINS || n->atom.op == SKEP_ATOM_ICONTAINS);
}

static void emit(struct skep_filter_emit *e, const struct skep_filter_node *n, const struct skep_branch *to)
{
    struct skep_filter_node *one = (struct skep_filter_node *)n;
    if (e->b->error || (is_long(n) && emit_again(e, n->kind, &one, 1, to)))
        return;
    if (n->kind == SKEP_FILTER_CONSTANT) {
        skep_emit_goto(e->b, n->value ? to->yes : to->no, to->fall);
    } else if (n->kind == SKEP_FILTER_ATOM) {
        struct skep_filter_ways ways = {n->negated ? to->no : to->yes, n->negated ? to->yes : to->no, to->yes,
                                        to->fall};
        skep_filter_emit_atom(e, n, &ways);
    } else if (n->kind == SKEP_FILTER_IF) {
        emit_if(e, n, to);
    } else if (n->kind == SKEP_FILTER_SWITCH) {
        emit_switch(e, n, to);
    } else {
        emit_join(e, n, to);
    }
}

int skep_filter_build(const struct skep_unit *u, const struct skep_filter *f, const struct skep_frame *frame,
                      struct skep_insn **ret_insns, size_t *ret_n)
{
    struct skep_build b;
    struct skep_filter_emit e = {.b = &b, .unit = u, .filter = f, .frame = frame};
    unsigned pass, drop;
    _cleanup_arena_ struct skep_arena *pool = NULL;
    int r = skep_arena_new(DONE_SIZE_MAX, &pool);
    if (r < 0)
        return r;
    skep_intern_init(&e.done, pool);
    skep_build_init(&b, SKEP_RULE_FILTER_INSNS);
    skep_frame_begin(frame, &b, &pass, &drop);
    e.pass = pass;
    skep_build_load(&b, SKEP_OP_LDXH, 9, 6, offsetof(struct skep_hdr, flags));
    /* who acts is not known: what the header says of him does not count */
    skep_build_jump_imm(&b, SKEP_OP_JSET_IMM, 9, SKEP_HDR_NO_TASK, pass);
    emit(&e, f->root, &(struct skep_branch){pass, drop, drop});
    skep_frame_end(frame, &b, pass, drop);
    struct skep_insn *insns;
    size_t n;
    r = skep_build_finish(&b, &insns, &n);
    skep_intern_clear(&e.done);
    free(e.labels);
    skep_build_clear(&b);
    if (r < 0)
        return r;
    size_t branches;
    r = skep_prune(insns, &n);
    if (r == 0)
        r = skep_prune_branches(insns, n, 2 * SKEP_FILTER_SEARCH_MAX / 8, &branches);
    if (r == 0 && branches > BRANCHES_MAX)
        r = -E2BIG;
    if (r < 0) {
        free(insns);
        return r;
    }
    *ret_insns = insns;
    *ret_n = n;
    return 0;
}
