/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/match.h"

#include "rule/compile/compile.h"
#include "rule/match/automaton.h"
#include "rule/match/glob.h"
#include "rule/match/pathset.h"
#include "rule/match/regex.h"
#include "rule/match/text.h"

#define TEXTS_MIN 4 /* fewer are tried one after another */

/* ---- making ---- */

static int make_regexes(struct skep_arena *pool, const struct skep_atom *a, struct skep_matcher *m,
                        const char **ret_reason, size_t *ret_value)
{
    struct skep_regex **list = skep_arena_array(pool, a->n_values, sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < a->n_values; i++) {
        size_t at;
        *ret_value = i;
        int r = skep_regex_compile(pool, a->values[i].text.s, a->values[i].text.n, &list[i], ret_reason, &at);
        if (r < 0)
            return r;
    }
    m->regexes = (const struct skep_regex *const *)list;
    return 0;
}

static int make_paths(struct skep_arena *pool, const struct skep_atom *a, struct skep_matcher *m,
                      const char **ret_reason)
{
    _cleanup_free_ const char **paths = calloc(MAX(a->n_values, (size_t)1), sizeof(*paths));
    _cleanup_free_ size_t *lens = calloc(MAX(a->n_values, (size_t)1), sizeof(*lens));
    if (!paths || !lens)
        return -ENOMEM;
    for (size_t i = 0; i < a->n_values; i++) {
        paths[i] = a->values[i].text.s;
        lens[i] = a->values[i].text.n;
    }
    struct skep_pathset *set;
    int r = skep_pathset_new(pool, paths, lens, a->n_values, &set);
    if (r == -E2BIG) {
        *ret_reason = "the path is too deep or its pattern too long";
        return -EINVAL;
    }
    if (r == 0)
        m->paths = set;
    return r;
}

/* Many texts in one pass. They are tried one after another where they are few, or too large for an automaton. */
static int make_texts(struct skep_arena *pool, const struct skep_atom *a, struct skep_matcher *m)
{
    _cleanup_free_ struct skep_automaton_pattern *patterns = calloc(a->n_values, sizeof(*patterns));
    if (!patterns)
        return -ENOMEM;
    for (size_t i = 0; i < a->n_values; i++)
        patterns[i] = (struct skep_automaton_pattern){a->values[i].text.s, a->values[i].text.n};
    enum skep_automaton_place place = a->op == SKEP_ATOM_STARTSWITH ? SKEP_AUTOMATON_BEGIN
                                      : a->op == SKEP_ATOM_ENDSWITH ? SKEP_AUTOMATON_END
                                                                    : SKEP_AUTOMATON_INSIDE;
    struct skep_automaton *texts = NULL;
    int r = skep_automaton_new(pool, patterns, a->n_values, place, a->op == SKEP_ATOM_ICONTAINS, &texts);
    m->texts = texts;
    return r == -E2BIG ? 0 : r;
}

int skep_matcher_make(struct skep_arena *pool, const struct skep_atom *a, struct skep_matcher *ret,
                      const char **ret_reason, size_t *ret_value)
{
    struct skep_matcher m = {.atom = a};
    int r = 0;
    *ret_value = 0;
    if (a->op == SKEP_ATOM_REGEX)
        r = make_regexes(pool, a, &m, ret_reason, ret_value);
    else if (a->op == SKEP_ATOM_PMATCH)
        r = make_paths(pool, a, &m, ret_reason);
    else if (a->op >= SKEP_ATOM_CONTAINS && a->op <= SKEP_ATOM_ENDSWITH && !a->oneof &&
             a->n_values >= TEXTS_MIN)
        r = make_texts(pool, a, &m);
    for (size_t i = 0; (a->op == SKEP_ATOM_GLOB || a->op == SKEP_ATOM_IGLOB) && i < a->n_values; i++) {
        if (a->values[i].text.n > SKEP_GLOB_MAX) {
            *ret_value = i;
            *ret_reason = "the pattern is longer than 1024 bytes";
            r = -EINVAL;
        }
    }
    if (r == 0)
        *ret = m;
    return r;
}

/* ---- one value of the field against constants ---- */

static bool text_fits(const struct skep_matcher *m, size_t i, const char *s, size_t n)
{
    const struct skep_constant *c = &m->atom->values[i];
    switch (m->atom->op) {
    case SKEP_ATOM_EQ:
        return n == c->text.n && memcmp(s, c->text.s, n) == 0;
    case SKEP_ATOM_CONTAINS:
        return skep_text_contains(s, n, c->text.s, c->text.n, false);
    case SKEP_ATOM_ICONTAINS:
        return skep_text_contains(s, n, c->text.s, c->text.n, true);
    case SKEP_ATOM_STARTSWITH:
        return skep_text_begins(s, n, c->text.s, c->text.n);
    case SKEP_ATOM_ENDSWITH:
        return skep_text_ends(s, n, c->text.s, c->text.n);
    case SKEP_ATOM_GLOB:
        return skep_rule_glob_match(c->text.s, c->text.n, s, n, false);
    case SKEP_ATOM_IGLOB:
        return skep_rule_glob_match(c->text.s, c->text.n, s, n, true);
    case SKEP_ATOM_REGEX:
        return skep_regex_match(m->regexes[i], s, n);
    default:
        return false;
    }
}

static bool value_fits(const struct skep_matcher *m, size_t i, uint64_t value, uint32_t n)
{
    const struct skep_atom *a = m->atom;
    const char *s = (const char *)(uintptr_t)value;
    if (a->type == SKEP_RULE_TEXT)
        return text_fits(m, i, s, n);
    if (a->type == SKEP_RULE_IP)
        return skep_constants_have_ip(&a->values[i], 1, s, n);
    return skep_constants_have_number(&a->values[i], 1, (int64_t)value);
}

/* Sorted constants: is the value one of them? */
static bool in_set(const struct skep_atom *a, uint64_t value, uint32_t n)
{
    const char *s = (const char *)(uintptr_t)value;
    if (a->type == SKEP_RULE_TEXT)
        return skep_constants_have_text(a->values, a->n_values, s, n);
    if (a->type == SKEP_RULE_IP)
        return skep_constants_have_ip(a->values, a->n_values, s, n);
    return skep_constants_have_number(a->values, a->n_values, (int64_t)value);
}

static bool fits_any(const struct skep_matcher *m, uint64_t value, uint32_t n)
{
    if (m->atom->op == SKEP_ATOM_PMATCH)
        return skep_pathset_match(m->paths, (const char *)(uintptr_t)value, n);
    if (m->texts)
        return skep_automaton_any(m->texts, (const char *)(uintptr_t)value, n);
    if (skep_atom_is_set(m->atom))
        return in_set(m->atom, value, n);
    for (size_t i = 0; i < m->atom->n_values; i++)
        if (value_fits(m, i, value, n))
            return true;
    return false;
}

bool skep_matcher_text(const struct skep_matcher *m, const char *s, size_t n)
{
    const struct skep_atom *a = m->atom;
    uint64_t value = (uint64_t)(uintptr_t)s;
    if (a->op == SKEP_ATOM_EXISTS)
        return true;
    if (!a->oneof)
        return fits_any(m, value, (uint32_t)n);
    size_t fitting = 0;
    for (size_t i = 0; i < a->n_values; i++)
        fitting += text_fits(m, i, s, n) != a->negated;
    return fitting == 1;
}

/* ---- facts ---- */

struct values {
    const struct skep_fact_item *items;
    size_t n;
    struct skep_fact_item one; /* a single value is a list of itself */
};

static bool read_values(struct skep_rule_ctx *x, uint32_t request, struct values *ret)
{
    if (skep_rule_fetch(x, request) != SKEP_FACT_THERE)
        return false;
    const struct skep_fact *f = &x->facts[request];
    if (x->requests[request].flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY)) {
        ret->items = (const struct skep_fact_item *)(uintptr_t)f->value;
        ret->n = f->n;
    } else {
        ret->one = (struct skep_fact_item){.value = f->value, .n = f->n};
        ret->items = &ret->one;
        ret->n = 1;
    }
    return true;
}

static bool any_fits(const struct skep_matcher *m, size_t value, const struct values *v)
{
    for (size_t k = 0; k < v->n; k++)
        if (value_fits(m, value, v->items[k].value, v->items[k].n))
            return true;
    return false;
}

static bool against_constants(const struct skep_matcher *m, const struct values *v)
{
    const struct skep_atom *a = m->atom;
    if (a->oneof) {
        size_t fitting = 0;
        for (size_t i = 0; i < a->n_values && fitting < 2; i++)
            fitting += any_fits(m, i, v) != a->negated;
        return fitting == 1;
    }
    bool all = a->mode == SKEP_ATOM_ALL;
    for (size_t k = 0; k < v->n; k++)
        if (fits_any(m, v->items[k].value, v->items[k].n) != all)
            return !all;
    return all;
}

/* ---- two fields ---- */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static bool pair_fits(const struct skep_atom *a, const struct skep_fact_item *l,
                      const struct skep_fact_item *r)
{
    const char *s = (const char *)(uintptr_t)l->value, *t = (const char *)(uintptr_t)r->value;
    bool bytes = a->type == SKEP_RULE_TEXT || a->type == SKEP_RULE_IP;
    int d = bytes ? 0 : compare_numbers((int64_t)l->value, (int64_t)r->value);
    switch (a->op) {
    case SKEP_ATOM_EQ:
        return bytes ? l->n == r->n && memcmp(s, t, l->n) == 0 : d == 0;
    case SKEP_ATOM_LT:
        return d < 0;
    case SKEP_ATOM_LE:
        return d <= 0;
    case SKEP_ATOM_GT:
        return d > 0;
    case SKEP_ATOM_GE:
        return d >= 0;
    case SKEP_ATOM_CONTAINS:
        return skep_text_contains(s, l->n, t, r->n, false);
    case SKEP_ATOM_STARTSWITH:
        return skep_text_begins(s, l->n, t, r->n);
    case SKEP_ATOM_ENDSWITH:
        return skep_text_ends(s, l->n, t, r->n);
    case SKEP_ATOM_ICONTAINS:
        for (size_t i = 0; r->n <= l->n && i <= l->n - r->n; i++) {
            size_t k = 0;
            while (k < r->n && skep_byte_lower((uint8_t)s[i + k]) == skep_byte_lower((uint8_t)t[k]))
                k++;
            if (k == r->n)
                return true;
        }
        return false;
    default:
        return false;
    }
}

/* Lists may be long on both sides: beyond this many pairs nothing more is looked at. */
#define PAIRS_MAX 1000000

static bool against_field(const struct skep_atom *a, const struct values *l, const struct values *r)
{
    bool all = a->mode == SKEP_ATOM_ALL;
    size_t pairs = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool fits = false;
        for (size_t k = 0; k < r->n && !fits && pairs < PAIRS_MAX; k++, pairs++)
            fits = pair_fits(a, &l->items[i], &r->items[k]);
        if (fits != all)
            return !all;
    }
    return all;
}

uint32_t skep_rule_match(struct skep_rule_ctx *x, uint32_t matcher)
{
    const struct skep_matchers *all = x->matchers;
    if (matcher >= all->n)
        return 0;
    const struct skep_matcher *m = &all->list[matcher];
    const struct skep_atom *a = m->atom;
    struct values left, right;
    if (!read_values(x, a->request, &left))
        return 0;
    if (a->op == SKEP_ATOM_EXISTS)
        return 1;
    if (a->right == SKEP_ATOM_NO_RIGHT)
        return against_constants(m, &left);
    return read_values(x, a->right, &right) && against_field(a, &left, &right);
}
