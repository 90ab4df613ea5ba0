/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "rule/compile/filter_plan.h"

#define DEPTH_MAX 8          /* ifs and switches inside each other */
#define NODES_MAX 400000     /* of one plan; then it is left as it is */
#define IF_KIDS_MIN 3        /* alternatives that ask what an if would */
#define SWITCH_TEXTS_MIN 4   /* for fewer it is not worth it */
#define SWITCH_TEXTS_MAX 500 /* for more the code would be too long */
#define GROUPS_MAX 32

/* ---- what all alternatives demand: (x and r1) or (x and r2) is x and (r1 or r2) ---- */

static bool demands(const struct skep_filter_node *n, const struct skep_filter_node *literal)
{
    if (n == literal)
        return true;
    for (size_t i = 0; n->kind == SKEP_FILTER_AND && i < n->n_kids; i++)
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
static struct skep_filter_node *without(struct skep_filter_planner *p, struct skep_filter_node *n,
                                        const struct skep_filter_node *taken)
{
    bool and = n->kind == SKEP_FILTER_AND;
    struct skep_filter_node *rest = skep_filter_make(p, SKEP_FILTER_AND, and? n->n_kids : 1);
    for (size_t i = 0; rest && i < (and? n->n_kids : 1); i++) {
        struct skep_filter_node *k = and? n->kids[i] : n;
        if (!demands(taken, k))
            rest->kids[rest->n_kids++] = k;
    }
    return rest ? skep_filter_settle(p, rest) : NULL;
}

static struct skep_filter_node *arrange(struct skep_filter_planner *p, struct skep_filter_node *n,
                                        unsigned depth);

static struct skep_filter_node *factor(struct skep_filter_planner *p, struct skep_filter_node *n,
                                       unsigned depth)
{
    const struct skep_filter_node *first = n->kids[0];
    bool and = first->kind == SKEP_FILTER_AND;
    struct skep_filter_node *common = skep_filter_make(p, SKEP_FILTER_AND, (and? first->n_kids : 1) + 1);
    struct skep_filter_node *rests = skep_filter_make(p, SKEP_FILTER_OR, n->n_kids);
    if (!common || !rests)
        return NULL;
    for (size_t i = 0; i < (and? first->n_kids : 1); i++) {
        const struct skep_filter_node *k = and? first->kids[i] : first;
        if (k->kind == SKEP_FILTER_ATOM && all_demand(n, k))
            common->kids[common->n_kids++] = (struct skep_filter_node *)k;
    }
    if (common->n_kids == 0)
        return n;
    for (size_t i = 0; i < n->n_kids; i++)
        rests->kids[rests->n_kids++] = without(p, n->kids[i], common);
    common->kids[common->n_kids++] = arrange(p, skep_filter_settle(p, rests), depth);
    return p->error ? NULL : skep_filter_settle(p, common);
}

/* ---- what is left when something is known ---- */

struct given {
    struct skep_filter_planner *p;
    /* of an if */
    const struct skep_filter_node *atom;
    enum skep_filter_if outcome;
    /* of a switch */
    const struct skep_rule_spot *spot;
    enum skep_filter_switch text; /* CASES: it has the tags */
    uint32_t group;
    const bool *tags;
};

/* Whether the two look at the same text. The forms of paths differ in what follows from it. */
static bool same_text(const struct skep_rule_spot *a, const struct skep_rule_spot *b)
{
    bool path_a =
        a->form == SKEP_SPOT_PATH || a->form == SKEP_SPOT_DIRECTORY || a->form == SKEP_SPOT_FILENAME;
    bool path_b =
        b->form == SKEP_SPOT_PATH || b->form == SKEP_SPOT_DIRECTORY || b->form == SKEP_SPOT_FILENAME;
    return a->off == b->off && path_a == path_b && a->succeeded == b->succeeded &&
           (path_a ? a->source_off == b->source_off : a->form == b->form);
}

enum { KEEP = -1 };

/* evt.type: one set of types tells of others, too. */
static int given_types(const struct given *g, const struct skep_filter_node *n)
{
    struct skep_evtset of_kind = skep_evtset_of_kind(g->p->kind);
    bool some = false, all = true;
    if (g->outcome == SKEP_FILTER_IF_UNKNOWN)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(of_kind.bits); i++) {
        uint64_t known = g->outcome == SKEP_FILTER_IF_YES ? g->atom->atom.types[i] : ~g->atom->atom.types[i];
        known &= of_kind.bits[i];
        some |= (n->atom.types[i] & known) != 0;
        all &= (known & ~n->atom.types[i]) == 0;
    }
    return all ? !n->negated : some ? KEEP : n->negated;
}

/* The literal's value; KEEP: nothing follows. */
static int value_of(const struct given *g, const struct skep_filter_node *n)
{
    if (g->atom) {
        if (g->atom->atom.on_evttype)
            return n->atom.on_evttype ? given_types(g, n) : KEEP;
        if (n->number == UINT32_MAX || n->number != g->atom->number)
            return KEEP;
        return g->outcome == SKEP_FILTER_IF_UNKNOWN || (g->outcome == SKEP_FILTER_IF_YES) != n->negated;
    }
    bool there = g->text != SKEP_FILTER_CASE_MISSING;
    if (n->group == g->group)
        return g->text == SKEP_FILTER_CASE_UNKNOWN || (there && g->tags[n->tag]) != n->negated;
    if (n->atom.type != SKEP_RULE_TEXT || n->atom.on_evttype ||
        (g->text == SKEP_FILTER_CASES && n->atom.op != SKEP_ATOM_EXISTS))
        return KEEP;
    const struct skep_rule_spot *s = skep_filter_spot(g->p->u, &n->atom, g->p->kind);
    if (!s || !same_text(s, g->spot))
        return KEEP;
    return g->text == SKEP_FILTER_CASE_UNKNOWN || there != n->negated;
}

/* As deep as conditions are. Each given has a stamp of its own. */
static struct skep_filter_node *restricted(const struct given *g, struct skep_filter_node *n)
{
    struct skep_filter_planner *p = g->p;
    if (p->error)
        return NULL;
    if (n->stamp == p->stamp)
        return n->result;
    struct skep_filter_node *result = n;
    if (n->kind == SKEP_FILTER_ATOM) {
        int value = value_of(g, n);
        result = value == KEEP ? n : skep_filter_constant(p, value);
    } else if (n->kind == SKEP_FILTER_AND || n->kind == SKEP_FILTER_OR) {
        struct skep_filter_node *less = NULL;
        for (size_t i = 0; i < n->n_kids && !p->error; i++) {
            struct skep_filter_node *k = restricted(g, n->kids[i]);
            if (k != n->kids[i] && !less) {
                less = skep_filter_make(p, n->kind, n->n_kids);
                for (size_t j = 0; less && j < i; j++)
                    less->kids[less->n_kids++] = n->kids[j];
            }
            if (less)
                less->kids[less->n_kids++] = k;
        }
        if (less)
            result = p->error ? NULL : skep_filter_settle(p, less);
    }
    n->stamp = p->stamp;
    n->result = result;
    return result;
}

static struct skep_filter_node *restrict_to(const struct given *g, struct skep_filter_node *n)
{
    g->p->stamp++;
    return restricted(g, n);
}

/* ---- ifs ---- */

static bool can_divide(const struct skep_filter_planner *p, const struct skep_filter_node *n)
{
    if (n->kind != SKEP_FILTER_ATOM || n->number == UINT32_MAX || n->atom.n_values > 2)
        return false;
    if (n->atom.on_evttype)
        return true;
    const struct skep_rule_spot *s = skep_filter_spot(p->u, &n->atom, p->kind);
    return (n->atom.type == SKEP_RULE_NUMBER || n->atom.type == SKEP_RULE_BOOL) && s &&
           s->form != SKEP_SPOT_PORT;
}

/* The literal that most alternatives have among what they demand. */
static const struct skep_filter_node *best_divider(const struct skep_filter_planner *p,
                                                   const struct skep_filter_node *n, size_t *ret_count)
{
    _cleanup_free_ uint32_t *counts = calloc(p->u->atoms.n + 1, sizeof(*counts));
    const struct skep_filter_node *best = NULL;
    *ret_count = 0;
    for (size_t i = 0; counts && i < n->n_kids; i++) {
        const struct skep_filter_node *k = n->kids[i];
        for (size_t j = 0; j < (k->kind == SKEP_FILTER_AND ? k->n_kids : 1); j++) {
            const struct skep_filter_node *one = k->kind == SKEP_FILTER_AND ? k->kids[j] : k;
            if (can_divide(p, one) && ++counts[one->number] > *ret_count) {
                *ret_count = counts[one->number];
                best = one;
            }
        }
    }
    return best;
}

/* Whether it does not matter which of the kids counts. */
static bool is_same(const struct skep_filter_node *n)
{
    for (size_t i = 0; i < n->n_kids; i++)
        if (n->kids[i]->kind != SKEP_FILTER_CONSTANT || n->kids[i]->value != n->kids[0]->value)
            return false;
    return true;
}

static struct skep_filter_node *make_if(struct skep_filter_planner *p, struct skep_filter_node *n,
                                        unsigned depth)
{
    size_t count;
    const struct skep_filter_node *by = best_divider(p, n, &count);
    if (!by || p->text || count < IF_KIDS_MIN || count < n->n_kids / 3)
        return NULL;
    struct skep_filter_node *f = skep_filter_make(p, SKEP_FILTER_IF, SKEP_FILTER_IF_KIDS);
    if (!f)
        return NULL;
    f->atom = by->atom;
    f->number = by->number;
    for (int outcome = 0; outcome < SKEP_FILTER_IF_KIDS; outcome++) {
        struct given g = {.p = p, .atom = by, .outcome = (enum skep_filter_if)outcome};
        struct skep_filter_node *k = restrict_to(&g, n);
        if (outcome == SKEP_FILTER_IF_UNKNOWN) /* rare, and not worth more code; numbers are always known */
            k = by->atom.on_evttype ? k : skep_filter_constant(p, true);
        else
            k = arrange(p, k, depth + 1);
        f->kids[f->n_kids++] = k;
    }
    f->cost = 10;
    f->truth = 0.1F;
    return p->error ? NULL : is_same(f) ? f->kids[0] : f;
}

/* ---- switches ---- */

struct group {
    const struct skep_rule_spot *spot;
    bool from_end;
    size_t n_texts, n_kids;
    size_t last_kid; /* + 1 */
};

struct gathering {
    struct skep_filter_planner *p;
    struct group groups[GROUPS_MAX];
    size_t n_groups;
    size_t kid;
    /* of the group that was chosen */
    const struct group *chosen;
    struct skep_filter_node **literals;
    struct pair {
        uint32_t tag, kid;
    } * pairs;
    size_t n_literals, n_pairs, cap_literals, cap_pairs;
};

static bool can_switch(const struct skep_filter_planner *p, const struct skep_filter_node *n,
                       const struct skep_rule_spot **ret_spot)
{
    const struct skep_atom *a = &n->atom;
    if (n->kind != SKEP_FILTER_ATOM || n->negated || a->type != SKEP_RULE_TEXT || a->on_evttype ||
        !skep_filter_has_radix(a))
        return false;
    *ret_spot = skep_filter_spot(p->u, a, p->kind);
    return *ret_spot != NULL && (*ret_spot)->form != SKEP_SPOT_CHOICE;
}

static struct group *group_of(struct gathering *g, const struct skep_rule_spot *spot, bool from_end)
{
    for (size_t i = 0; i < g->n_groups; i++)
        if (g->groups[i].from_end == from_end && same_text(g->groups[i].spot, spot))
            return &g->groups[i];
    if (g->n_groups == GROUPS_MAX)
        return NULL;
    g->groups[g->n_groups] = (struct group){.spot = spot, .from_end = from_end};
    return &g->groups[g->n_groups++];
}

static int add_literal(struct gathering *g, struct skep_filter_node *n)
{
    if (n->group != g->p->group) {
        if (SKEP_ARRAY_RESERVE(g->literals, g->n_literals, 1, g->cap_literals) < 0)
            return -ENOMEM;
        n->group = g->p->group;
        n->tag = (uint32_t)g->n_literals;
        g->literals[g->n_literals++] = n;
    }
    if (SKEP_ARRAY_RESERVE(g->pairs, g->n_pairs, 1, g->cap_pairs) < 0)
        return -ENOMEM;
    g->pairs[g->n_pairs++] = (struct pair){n->tag, (uint32_t)g->kid};
    return 0;
}

/* Counts the texts of all groups in one alternative or, when one is chosen, gathers its literals. */
static void gather(struct gathering *g, struct skep_filter_node *n)
{
    const struct skep_rule_spot *spot;
    if (n->stamp == g->p->stamp || g->p->error)
        return;
    n->stamp = g->p->stamp;
    n->result = n;
    for (size_t i = 0; (n->kind == SKEP_FILTER_AND || n->kind == SKEP_FILTER_OR) && i < n->n_kids; i++)
        gather(g, n->kids[i]);
    if (!can_switch(g->p, n, &spot))
        return;
    struct group *group = group_of(g, spot, n->atom.op == SKEP_ATOM_ENDSWITH);
    if (!group)
        return;
    if (g->chosen) {
        if (group == g->chosen)
            g->p->error = add_literal(g, n);
        return;
    }
    group->n_texts += n->atom.n_values;
    group->n_kids += group->last_kid != g->kid + 1;
    group->last_kid = g->kid + 1;
}

static void gather_all(struct gathering *g, struct skep_filter_node *n)
{
    for (g->kid = 0; g->kid < n->n_kids && !g->p->error; g->kid++) {
        g->p->stamp++;
        gather(g, n->kids[g->kid]);
    }
}

static bool choose(struct gathering *g)
{
    for (size_t i = 0; i < g->n_groups; i++) {
        struct group *one = &g->groups[i];
        if (one->n_texts < SWITCH_TEXTS_MIN || one->n_texts > SWITCH_TEXTS_MAX)
            continue;
        if (!g->chosen || one->n_kids > g->chosen->n_kids ||
            (one->n_kids == g->chosen->n_kids && one->n_texts > g->chosen->n_texts))
            g->chosen = one;
    }
    return g->chosen != NULL;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->tag != y->tag)
        return x->tag < y->tag ? -1 : 1;
    return (x->kid > y->kid) - (x->kid < y->kid);
}

/* ---- the alternatives of a switch ---- */

struct dividing {
    struct gathering *g;
    struct given given;
    struct skep_filter_node *from, *to;
    struct skep_filter_node **none; /* of each alternative, what is left when no text fits */
    bool *touched, *tags;           /* alternatives and tags of the class at hand */
    unsigned depth;
};

static void touch(struct dividing *d, const struct skep_radix_class *c, bool on)
{
    for (size_t i = 0; i < c->n; i++) {
        d->tags[c->tags[i]] = on;
        size_t lo = 0, hi = d->g->n_pairs;
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (d->g->pairs[mid].tag < c->tags[i])
                lo = mid + 1;
            else
                hi = mid;
        }
        for (; lo < d->g->n_pairs && d->g->pairs[lo].tag == c->tags[i]; lo++)
            d->touched[d->g->pairs[lo].kid] = on;
    }
}

/* What is left for the texts of a class. What CASE_NONE says is not written again where it counts as well: when of the
 * alternatives that are touched nothing is left there, or when all that differs is that some literals are true. */
static struct skep_filter_node *divide(struct dividing *d, const struct skep_radix_class *c,
                                       bool *ret_chained)
{
    struct skep_filter_planner *p = d->given.p;
    bool chained = true, more = true;
    for (size_t i = 0; i < c->n; i++)
        more &= !d->g->literals[c->tags[i]]->negated;
    for (size_t i = 0; i < d->from->n_kids && !more; i++)
        chained &= !d->touched[i] || (d->none[i]->kind == SKEP_FILTER_CONSTANT && !d->none[i]->value);
    struct skep_filter_node *any = skep_filter_make(p, SKEP_FILTER_OR, d->from->n_kids);
    p->stamp++;
    for (size_t i = 0; any && i < d->from->n_kids && !p->error; i++) {
        if (d->touched[i])
            any->kids[any->n_kids++] = restricted(&d->given, d->from->kids[i]);
        else if (!chained)
            any->kids[any->n_kids++] = d->none[i];
    }
    *ret_chained = chained;
    return p->error ? NULL : arrange(p, skep_filter_settle(p, any), d->depth + 1);
}

/* The kids of the switch, by outcome and by class. */
static int divide_all(struct dividing *d)
{
    struct skep_filter_planner *p = d->given.p;
    struct skep_filter_node *to = d->to;
    const struct skep_rule_spot *known = p->text;
    bool looked = known && same_text(known, to->spot);
    p->text = to->spot;
    for (int outcome = 0; outcome < SKEP_FILTER_CASES && !p->error; outcome++) {
        d->given.text =
            outcome == SKEP_FILTER_CASE_NONE ? SKEP_FILTER_CASES : (enum skep_filter_switch)outcome;
        struct skep_filter_node *k;
        if (outcome == SKEP_FILTER_CASE_NONE) {
            struct skep_filter_node *any = skep_filter_make(p, SKEP_FILTER_OR, d->from->n_kids);
            p->stamp++;
            for (size_t i = 0; any && i < d->from->n_kids && !p->error; i++)
                any->kids[any->n_kids++] = d->none[i] = restricted(&d->given, d->from->kids[i]);
            k = p->error ? NULL : arrange(p, skep_filter_settle(p, any), d->depth + 1);
        } else {
            k = looked ? skep_filter_constant(p, true) : restrict_to(&d->given, d->from);
        }
        to->kids[to->n_kids++] = k;
    }
    d->given.text = SKEP_FILTER_CASES;
    for (size_t i = 1; i < to->radix->n_classes && !p->error; i++) {
        touch(d, &to->radix->classes[i], true);
        struct skep_filter_node *k = divide(d, &to->radix->classes[i], &to->chained[to->n_kids]);
        touch(d, &to->radix->classes[i], false);
        to->cases[i] = (uint32_t)to->n_kids;
        to->kids[to->n_kids++] = k;
        if (p->made > NODES_MAX)
            break;
    }
    p->text = known;
    return p->made > NODES_MAX ? -E2BIG : p->error;
}

static struct skep_filter_node *switch_by(struct gathering *g, struct skep_filter_node *n, unsigned depth)
{
    struct skep_filter_planner *p = g->p;
    struct skep_radix *x;
    bool rooted = false;
    int r = skep_filter_radix(p->u->pool, g->literals, g->n_literals, g->chosen->spot, &rooted, &x);
    if (r < 0) {
        p->error = r == -E2BIG ? 0 : r;
        return NULL;
    }
    size_t n_kids = SKEP_FILTER_CASES + x->n_classes;
    struct skep_filter_node *to = skep_filter_make(p, SKEP_FILTER_SWITCH, n_kids);
    _cleanup_free_ struct skep_filter_node **none = calloc(n->n_kids, sizeof(struct skep_filter_node *));
    _cleanup_free_ bool *touched = calloc(n->n_kids, sizeof(*touched)),
                        *tags = calloc(g->n_literals + 1, sizeof(*tags));
    if (to) {
        to->cases = skep_arena_array(p->u->pool, x->n_classes, sizeof(*to->cases));
        to->chained = skep_arena_array(p->u->pool, n_kids, sizeof(*to->chained));
    }
    if (!to || !to->cases || !to->chained || !none || !touched || !tags) {
        p->error = -ENOMEM;
        return NULL;
    }
    to->radix = x;
    to->rooted = rooted;
    to->spot = g->chosen->spot;
    to->cost = 20;
    to->truth = 0.1F;
    struct dividing d = {
        .g = g,
        .given = {.p = p, .spot = to->spot, .group = p->group, .tags = tags},
        .from = n,
        .to = to,
        .none = none,
        .touched = touched,
        .tags = tags,
        .depth = depth,
    };
    r = divide_all(&d);
    if (r < 0 && r != -E2BIG)
        p->error = r;
    return r < 0 ? NULL : is_same(to) ? to->kids[0] : to;
}

static struct skep_filter_node *make_switch(struct skep_filter_planner *p, struct skep_filter_node *n,
                                            unsigned depth)
{
    struct gathering g = {.p = p};
    struct skep_filter_node *made = NULL;
    gather_all(&g, n);
    if (!p->error && choose(&g)) {
        p->group = ++p->groups;
        gather_all(&g, n);
        if (g.n_pairs)
            qsort(g.pairs, g.n_pairs, sizeof(*g.pairs), compare_pairs);
        if (!p->error)
            made = switch_by(&g, n, depth);
    }
    free(g.literals);
    free(g.pairs);
    return made;
}

/* ---- all ---- */

static struct skep_filter_node *arrange_or(struct skep_filter_planner *p, struct skep_filter_node *n,
                                           unsigned depth)
{
    struct skep_filter_node *f = factor(p, n, depth);
    if (f != n || p->error)
        return p->error ? NULL : f;
    if (p->precision == SKEP_FILTER_FULL && depth < DEPTH_MAX && p->made < NODES_MAX) {
        f = make_if(p, n, depth);
        if (!f && !p->error)
            f = make_switch(p, n, depth);
        if (f || p->error)
            return p->error ? NULL : f;
    }
    n = skep_filter_gate_searches(p, n);
    return n ? skep_filter_gates(p, n) : NULL;
}

static struct skep_filter_node *arrange(struct skep_filter_planner *p, struct skep_filter_node *n,
                                        unsigned depth)
{
    if (!n || p->error)
        return NULL;
    if (n->kind == SKEP_FILTER_OR)
        return arrange_or(p, n, depth);
    return n;
}

struct skep_filter_node *skep_filter_arrange(struct skep_filter_planner *p, struct skep_filter_node *n)
{
    return arrange(p, n, 0);
}
