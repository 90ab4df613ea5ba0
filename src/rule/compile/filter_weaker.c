/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/filter_plan.h"

#include "rule/match/glob.h"
#include "rule/match/pathset.h"
#include "rule/match/regex_begin.h"

static bool longer_than(const struct skep_atom *a, size_t max)
{
    for (size_t i = 0; i < a->n_values; i++)
        if (a->values[i].text.n > max)
            return true;
    return false;
}

/* One constant of a pattern that stands positively: the texts that fit begin and end with these. */
static struct skep_filter_node *around(struct skep_filter_planner *p, const struct skep_atom *a,
                                       const struct skep_constant *c)
{
    _cleanup_free_ struct skep_glob *g = malloc(sizeof(*g));
    struct skep_filter_node *both = skep_filter_make(p, SKEP_FILTER_AND, 2);
    if (!g || !both) {
        p->error = -ENOMEM;
        return NULL;
    }
    if (skep_rule_glob_look(c->text.s, c->text.n, g) < 0)
        return skep_filter_constant(p, true);
    for (unsigned end = 0; end < 2; end++) {
        size_t n = end ? g->n_end : g->n_begin;
        if (n == 0)
            continue;
        struct skep_constant *value = skep_arena_alloc(p->u->pool, sizeof(*value));
        char *s = skep_arena_text(p->u->pool, end ? g->end : g->begin, n);
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
        both->kids[both->n_kids++] = skep_filter_literal(p, &one, UINT32_MAX, false);
    }
    return skep_filter_settle(p, both);
}

static struct skep_filter_node *around_all(struct skep_filter_planner *p, const struct skep_atom *a)
{
    struct skep_filter_node *any = skep_filter_make(p, SKEP_FILTER_OR, a->n_values);
    for (size_t i = 0; any && i < a->n_values; i++)
        any->kids[any->n_kids++] = around(p, a, &a->values[i]);
    return any ? skep_filter_settle(p, any) : NULL;
}

/* Paths become what their texts begin with, up to the first pattern. */
static struct skep_filter_node *below(struct skep_filter_planner *p, const struct skep_atom *a)
{
    struct skep_constant *values = skep_arena_array(p->u->pool, a->n_values, sizeof(*values));
    if (!values) {
        p->error = -ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < a->n_values; i++) {
        const struct skep_constant *c = &a->values[i];
        size_t n = 0;
        while (n < c->text.n && c->text.s[n] && !strchr("*?[\\", c->text.s[n]))
            n++;
        char *s = skep_arena_alloc(p->u->pool, n + 2);
        if (!s) {
            p->error = -ENOMEM;
            return NULL;
        }
        values[i].text.n = MIN(skep_pathset_normal(c->text.s, n, s), (size_t)SKEP_FILTER_PREFIX_MAX);
        values[i].text.s = s;
        if (values[i].text.n == 0)
            return skep_filter_constant(p, true);
    }
    struct skep_atom one = *a;
    one.values = values;
    one.n_values = skep_constants_sort(SKEP_RULE_TEXT, values, a->n_values);
    return skep_filter_literal(p, &one, UINT32_MAX, false); /* PMATCH: the code knows what it stands for */
}

/* A name that has no slash in it is what the path ends with, behind one. */
static struct skep_filter_node *of_name(struct skep_filter_planner *p, const struct skep_atom *a)
{
    struct skep_atom one = *a;
    bool whole = a->op == SKEP_ATOM_EQ;
    struct skep_constant *values = skep_arena_array(p->u->pool, a->n_values, sizeof(*values));
    if (!values) {
        p->error = -ENOMEM;
        return NULL;
    }
    if (!whole && a->op != SKEP_ATOM_ENDSWITH)
        return skep_filter_constant(p, true);
    for (size_t i = 0; i < a->n_values; i++) {
        const struct skep_constant *c = &a->values[i];
        if (c->text.n == 0 || c->text.n >= SKEP_RADIX_LEN_MAX || memchr(c->text.s, '/', c->text.n))
            return skep_filter_constant(p, true);
        char *s = skep_arena_alloc(p->u->pool, c->text.n + 2);
        if (!s) {
            p->error = -ENOMEM;
            return NULL;
        }
        s[0] = '/';
        memcpy(s + whole, c->text.s, c->text.n);
        values[i].text.s = s;
        values[i].text.n = c->text.n + whole;
    }
    one.op = SKEP_ATOM_ENDSWITH;
    one.values = values;
    if (one.n_values > SKEP_FILTER_CODE_PREFIXES && !skep_filter_has_radix(&one))
        return skep_filter_constant(p, true);
    return skep_filter_literal(p, &one, UINT32_MAX, false);
}

/* What texts that fit a regular expression begin with; NULL: nothing is known. */
static struct skep_filter_node *begun(struct skep_filter_planner *p, const struct skep_atom *a)
{
    struct skep_constant *values =
        skep_arena_array(p->u->pool, a->n_values * SKEP_REGEX_BEGINS_MAX, sizeof(*values));
    struct skep_atom one = *a;
    size_t n = 0;
    if (!values) {
        p->error = -ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < a->n_values; i++) {
        struct skep_regex_begin begins[SKEP_REGEX_BEGINS_MAX];
        size_t count = skep_regex_begins(a->values[i].text.s, a->values[i].text.n, begins);
        if (count == 0)
            return skep_filter_constant(p, true);
        for (size_t k = 0; k < count; k++) {
            values[n].text.s = skep_arena_text(p->u->pool, begins[k].s, begins[k].n);
            values[n].text.n = begins[k].n;
            if (!values[n++].text.s) {
                p->error = -ENOMEM;
                return NULL;
            }
        }
    }
    one.op = SKEP_ATOM_STARTSWITH;
    one.values = values;
    one.n_values = skep_constants_sort(SKEP_RULE_TEXT, values, n);
    if (one.n_values > SKEP_FILTER_CODE_PREFIXES && !skep_filter_has_radix(&one))
        return skep_filter_constant(p, true);
    return skep_filter_literal(p, &one, UINT32_MAX, false);
}

/* A file's path begins with its directory; of what is no path the directory is "/". */
static struct skep_filter_node *in_directory(struct skep_filter_planner *p, const struct skep_atom *a)
{
    struct skep_atom one = *a;
    if ((a->op != SKEP_ATOM_EQ && a->op != SKEP_ATOM_STARTSWITH) || longer_than(a, SKEP_FILTER_PREFIX_MAX))
        return skep_filter_constant(p, true);
    for (size_t i = 0; i < a->n_values; i++)
        if (a->values[i].text.n < 2)
            return skep_filter_constant(p, true);
    one.op = SKEP_ATOM_STARTSWITH;
    return skep_filter_literal(p, &one, UINT32_MAX, false);
}

struct skep_filter_node *skep_filter_weaker(struct skep_filter_planner *p, const struct skep_atom *a)
{
    if (a->oneof || a->mode != SKEP_ATOM_ONE || a->right != SKEP_ATOM_NO_RIGHT || a->type != SKEP_RULE_TEXT ||
        a->on_evttype)
        return skep_filter_constant(p, true);
    const struct skep_rule_spot *s = skep_filter_spot(p->u, a, p->kind);
    if (!s || s->form == SKEP_SPOT_CHOICE)
        return skep_filter_constant(p, true);
    if (s->form == SKEP_SPOT_DIRECTORY)
        return in_directory(p, a);
    if (s->form == SKEP_SPOT_FILENAME)
        return of_name(p, a);
    if (a->op == SKEP_ATOM_GLOB && a->n_values <= 8)
        return around_all(p, a);
    if (a->op == SKEP_ATOM_PMATCH)
        return below(p, a);
    if (a->op == SKEP_ATOM_REGEX)
        return begun(p, a);
    return skep_filter_constant(p, true);
}
