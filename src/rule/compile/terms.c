/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/terms.h"

#include "base/array.h"

#include "rule/match/parts.h"
#include "rule/match/text.h"

#define CHOICES_MAX 24
#define WIDE_NUMBERS ((uint64_t)1 << 16)
#define WIDE_BITS 8 /* networks of fewer */

void skep_terms_init(struct skep_terms *t, struct skep_arena *pool, const struct skep_atoms *all)
{
    *t = (struct skep_terms){.pool = pool, .all = all};
    skep_intern_init(&t->numbers, pool);
    skep_intern_init(&t->groups_known, pool);
}

void skep_terms_clear(struct skep_terms *t)
{
    skep_intern_clear(&t->numbers);
    skep_intern_clear(&t->groups_known);
    free(t->list);
    free(t->groups);
    free(t->atoms);
    *t = (struct skep_terms){0};
}

/* ---- terms ---- */

/* The choices of one constant, as they are being found. */
struct making {
    struct skep_terms *t;
    uint32_t request;
    struct skep_term_choice choices[CHOICES_MAX];
    uint32_t n;
    int error;
};

static void fail(struct making *m, int error)
{
    if (!m->error)
        m->error = error;
}

static uint32_t put_group(struct making *m, enum skep_term_family family)
{
    struct skep_terms *t = m->t;
    uint32_t key[2] = {m->request, family}, number = 0;
    bool is_new = false;
    int r = skep_intern_put(&t->groups_known, key, sizeof(key), &number, &is_new);
    if (r == 0 && is_new)
        r = SKEP_ARRAY_RESERVE(t->groups, t->n_groups, 1, t->cap_groups);
    if (r == 0 && is_new)
        t->groups[t->n_groups++] = (struct skep_term_group){m->request, family};
    if (r < 0)
        fail(m, r);
    return number;
}

static uint32_t put_term(struct making *m, enum skep_term_family family, const void *key, size_t n,
                         const struct skep_term *like)
{
    struct skep_terms *t = m->t;
    uint32_t number = 0, head[2] = {m->request, family};
    bool is_new = false;
    if (t->n >= SKEP_TERMS_MAX)
        fail(m, -E2BIG);
    char small[128], *all = n + sizeof(head) <= sizeof(small) ? small : malloc(n + sizeof(head));
    if (!all || m->error) {
        if (all != small)
            free(all);
        fail(m, -ENOMEM);
        return 0;
    }
    memcpy(all, head, sizeof(head));
    if (n)
        memcpy(all + sizeof(head), key, n);
    int r = SKEP_ARRAY_RESERVE(t->list, t->n, 1, t->cap);
    if (r == 0)
        r = skep_intern_put(&t->numbers, all, n + sizeof(head), &number, &is_new);
    if (all != small)
        free(all);
    if (r == 0 && is_new) {
        t->list[t->n] = *like;
        t->list[t->n].s = (const char *)t->numbers.keys[number].s + sizeof(head);
        t->list[t->n].group = put_group(m, family);
        t->n++;
    }
    if (r < 0)
        fail(m, r);
    return number;
}

static uint32_t put_text(struct making *m, enum skep_term_family family, const char *s, size_t n)
{
    return put_term(m, family, s, n,
                    &(struct skep_term){.n = n, .wide = n <= 1 && family != SKEP_TERM_EQUAL});
}

static void add_choice(struct making *m, const uint32_t *terms, uint32_t n, bool exact)
{
    uint32_t *kept = skep_arena_array(m->t->pool, n, sizeof(*kept));
    if (!kept) {
        fail(m, -ENOMEM);
        return;
    }
    memcpy(kept, terms, n * sizeof(*kept));
    if (m->n < CHOICES_MAX && !m->error)
        m->choices[m->n++] = (struct skep_term_choice){kept, n, exact};
}

static void add_one(struct making *m, uint32_t term, bool exact)
{
    add_choice(m, &term, 1, exact);
}

/* A text at this place of the value. */
static void add_text(struct making *m, enum skep_term_family family, const char *s, size_t n, bool exact)
{
    const size_t most = SKEP_TERM_TEXT_MAX;
    if (n == 0)
        return; /* always there: nothing is found by it */
    if (n <= most || family == SKEP_TERM_EQUAL) {
        add_one(m, put_text(m, family, s, n), exact);
        return;
    }
    bool inside = family == SKEP_TERM_INSIDE || family == SKEP_TERM_FOLDED;
    add_one(m, put_text(m, family == SKEP_TERM_END ? SKEP_TERM_INSIDE : family, s, most), false);
    add_one(m, put_text(m, family == SKEP_TERM_BEGIN ? SKEP_TERM_INSIDE : family, s + n - most, most), false);
    if (inside && n > 2 * most)
        add_one(m, put_text(m, family, s + n / 2, most), false);
}

/* ---- constants ---- */

static void add_part(struct making *m, const struct skep_part *p)
{
    if (p->begin)
        add_text(m, SKEP_TERM_BEGIN, p->s, p->n, false);
    if (p->end)
        add_text(m, SKEP_TERM_END, p->s, p->n, false);
    add_text(m, SKEP_TERM_INSIDE, p->s, p->n, false);
}

static void add_folded(struct making *m, const char *s, size_t n, bool exact)
{
    _cleanup_free_ char *lower = malloc(n + 1);
    if (!lower) {
        fail(m, -ENOMEM);
        return;
    }
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)skep_byte_lower((uint8_t)s[i]);
    add_text(m, SKEP_TERM_FOLDED, lower, n, exact);
}

static void add_parts(struct making *m, const struct skep_parts *p, bool fold)
{
    uint32_t terms[SKEP_PARTS_MAX];
    for (size_t i = 0; i < p->n; i++) {
        const struct skep_part_choice *c = &p->choices[i];
        if (c->n == 1 && fold)
            add_folded(m, c->parts[0].s, c->parts[0].n, false);
        else if (c->n == 1)
            add_part(m, &c->parts[0]);
        if (c->n == 1)
            continue;
        for (size_t k = 0; k < c->n; k++)
            terms[k] =
                put_text(m, SKEP_TERM_INSIDE, c->parts[k].s, MIN(c->parts[k].n, (size_t)SKEP_TERM_TEXT_MAX));
        add_choice(m, terms, (uint32_t)c->n, false);
    }
}

static void add_pattern(struct making *m, enum skep_atom_op op, const struct skep_constant *c)
{
    struct skep_parts parts;
    int r;
    if (op == SKEP_ATOM_REGEX)
        r = skep_parts_of_regex(m->t->pool, c->text.s, c->text.n, &parts);
    else if (op == SKEP_ATOM_PMATCH)
        r = skep_parts_of_path(m->t->pool, c->text.s, c->text.n, &parts);
    else
        r = skep_parts_of_glob(m->t->pool, c->text.s, c->text.n, &parts);
    if (r < 0)
        fail(m, r);
    else
        add_parts(m, &parts, op == SKEP_ATOM_IGLOB);
}

static void add_span(struct making *m, enum skep_rule_type type, const struct skep_constant *c)
{
    struct skep_term term = {.span = skep_span_of(type, c)};
    enum skep_term_family family = SKEP_TERM_NUMBER;
    if (type == SKEP_RULE_IP) {
        family = c->ip.len == 4 ? SKEP_TERM_IP4 : SKEP_TERM_IP6;
        term.wide = c->ip.bits < WIDE_BITS;
    } else {
        term.wide = term.span.last.lo - term.span.first.lo > WIDE_NUMBERS;
    }
    add_one(m, put_term(m, family, &term.span, sizeof(term.span), &term), true);
}

static void add_constant(struct making *m, const struct skep_atom *a, const struct skep_constant *c)
{
    static const enum skep_term_family families[] = {
        [SKEP_ATOM_EQ] = SKEP_TERM_EQUAL,
        [SKEP_ATOM_CONTAINS] = SKEP_TERM_INSIDE,
        [SKEP_ATOM_STARTSWITH] = SKEP_TERM_BEGIN,
        [SKEP_ATOM_ENDSWITH] = SKEP_TERM_END,
    };
    if (a->type != SKEP_RULE_TEXT) {
        add_span(m, a->type, c);
        return;
    }
    switch (a->op) {
    case SKEP_ATOM_EQ: /* the empty text, too, is one that something may be equal to */
        add_one(m, put_text(m, SKEP_TERM_EQUAL, c->text.s, c->text.n), true);
        break;
    case SKEP_ATOM_CONTAINS:
    case SKEP_ATOM_STARTSWITH:
    case SKEP_ATOM_ENDSWITH:
        add_text(m, families[a->op], c->text.s, c->text.n, true);
        break;
    case SKEP_ATOM_ICONTAINS:
        add_folded(m, c->text.s, c->text.n, true);
        break;
    default:
        add_pattern(m, a->op, c);
    }
}

/* ---- atoms ---- */

/* Whether it is true only if one of its constants fits a value of the field. All of no values fit. */
static bool has_terms(const struct skep_atom *a)
{
    bool compares = a->op != SKEP_ATOM_EXISTS && (a->op < SKEP_ATOM_LT || a->op > SKEP_ATOM_GE);
    return compares && a->right == SKEP_ATOM_NO_RIGHT && !a->on_evttype && !a->negated &&
           a->mode != SKEP_ATOM_ALL && a->n_values > 0;
}

static int look(struct skep_terms *t, const struct skep_atom *a, struct skep_term_atom *ret)
{
    struct skep_term_value *values = skep_arena_array(t->pool, a->n_values, sizeof(*values));
    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < a->n_values; i++) {
        struct making m = {.t = t, .request = a->request};
        add_constant(&m, a, &a->values[i]);
        if (m.error || m.n == 0)
            return m.error == -E2BIG ? 0 : m.error;
        struct skep_term_choice *choices = skep_arena_array(t->pool, m.n, sizeof(*choices));
        if (!choices)
            return -ENOMEM;
        memcpy(choices, m.choices, m.n * sizeof(*choices));
        for (uint32_t k = 0; k < m.n && a->oneof; k++)
            choices[k].exact = false;
        values[i] = (struct skep_term_value){choices, m.n};
    }
    ret->values = values;
    ret->n = a->n_values;
    return 0;
}

int skep_terms_of(struct skep_terms *t, uint32_t atom, const struct skep_term_atom **ret)
{
    if (atom >= t->n_atoms) {
        size_t n = MAX((size_t)atom + 1, t->all->n);
        struct skep_term_atom *atoms = reallocarray(t->atoms, n, sizeof(*atoms));
        if (!atoms)
            return -ENOMEM;
        memset(atoms + t->n_atoms, 0, (n - t->n_atoms) * sizeof(*atoms));
        t->atoms = atoms;
        t->n_atoms = n;
    }
    struct skep_term_atom *one = &t->atoms[atom];
    const struct skep_atom *a = &t->all->list[atom];
    if (!one->looked) {
        one->looked = true;
        int r = has_terms(a) ? look(t, a, one) : 0;
        if (r < 0)
            return r;
    }
    *ret = one;
    return 0;
}
