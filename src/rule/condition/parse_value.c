/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "rule/condition/parse_state.h"
#include "rule/falco/falco.h"

void skep_literals_clear(struct skep_literals *l)
{
    free(l->v);
    *l = (struct skep_literals){0};
}

int skep_literals_add(struct skep_literals *l, const struct skep_literal *some, size_t n)
{
    if (n > SKEP_FALCO_ITEMS_MAX - l->n)
        return -E2BIG;
    if (SKEP_ARRAY_RESERVE(l->v, l->n, n, l->room) < 0)
        return -ENOMEM;
    if (n)
        memcpy(l->v + l->n, some, n * sizeof(*some));
    l->n += n;
    return 0;
}

int skep_literals_keep(const struct skep_literals *l, struct skep_arena *a, struct skep_literal **ret)
{
    struct skep_literal *kept = skep_arena_array(a, l->n, sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    if (l->n)
        memcpy(kept, l->v, l->n * sizeof(*kept));
    *ret = kept;
    return 0;
}

static int too_many(struct skep_parser *ps, size_t at)
{
    return skep_parser_error(ps, at, 1, "there are too many values (more than %d, with what lists stand for)",
                             SKEP_FALCO_ITEMS_MAX);
}

static int values_add(struct skep_parser *ps, struct skep_literals *v, const struct skep_literal *what,
                      size_t n)
{
    int r = skep_literals_add(v, what, n);
    return r == -E2BIG ? too_many(ps, ps->l.at) : r;
}

static int values_keep(struct skep_parser *ps, const struct skep_literals *v, struct skep_literal **ret)
{
    size_t *left = ps->p->literals_left;
    if (left && v->n > *left)
        return too_many(ps, ps->l.at);
    int r = skep_literals_keep(v, ps->p->arena, ret);
    if (r >= 0 && left)
        *left -= v->n;
    return r;
}

static int list_items(struct skep_parser *ps, const char *name, size_t n, const struct skep_literal **ret,
                      size_t *ret_n)
{
    const struct skep_parse_names *names = ps->p->names;
    return names && names->list ? names->list(names->data, name, n, ret, ret_n) : 0;
}

#define BLANK_LIST_MAX                                                                                       \
    256 /* bytes behind its first word: conditions without a comma are not searched to their end each time */

/* The name of a list may have blanks in it, although it should not: up to the comma or parenthesis that ends a value. 0:
 * no list has the name that stands here, of *ret_len bytes. */
static int blank_list(struct skep_parser *ps, size_t n, const struct skep_literal **ret, size_t *ret_n,
                      size_t *ret_len)
{
    const char *s = ps->l.s + ps->l.at;
    size_t left = MIN(ps->l.n - ps->l.at, n + BLANK_LIST_MAX), end = n, len = n;
    while (end < left && !strchr(",)(='\"", s[end])) {
        len = strchr(" \t\r\n", s[end]) ? len : end + 1;
        end++;
    }
    *ret_len = len;
    return len > n && end < left && strchr(",)", s[end]) ? list_items(ps, s, len, ret, ret_n) : 0;
}

/* One value: a text in quotes, or a bare word, which may name a list. *ret_list: it did, and items and n are those. */
static int parse_value(struct skep_parser *ps, struct skep_literal *one, const struct skep_literal **ret,
                       size_t *ret_n, bool *ret_list)
{
    size_t at = ps->l.at, n = skep_lex_bare(&ps->l);
    char buf[64], c = skep_lex_peek(&ps->l);
    int r = 0;
    *ret_list = false;
    *ret = one;
    *ret_n = 1;
    if (c == '"' || c == '\'') {
        r = skep_parser_quoted(ps, &one->s, &one->n);
    } else if (n) {
        size_t len = n;
        r = list_items(ps, ps->l.s + at, n, ret, ret_n);
        if (r == 0)
            r = blank_list(ps, n, ret, ret_n, &len);
        if (r != 0)
            n = len;
        ps->l.at += n;
        if (r > 0) {
            *ret_list = true;
            return 0;
        }
        one->s = skep_arena_text(ps->p->arena, ps->l.s + at, n);
        one->n = n;
        if (r == 0 && !one->s)
            r = -ENOMEM;
    } else {
        skep_parser_error(ps, at, 1, "a value is expected instead of %s",
                          skep_parser_here(ps, buf, sizeof(buf)));
        if (c == '(' || c == '=')
            skep_diags_hint(ps->p->diags, "a value with such characters is written in quotes");
        return -EINVAL;
    }
    one->place = skep_parser_place(ps, at, ps->l.at - at);
    return r;
}

/* Values with commas between them, up to the closing parenthesis or (close false) the end. shared: when a list alone
 * stands there, its items are handed out as they are. */
static int parse_values(struct skep_parser *ps, bool close, struct skep_literals *v,
                        const struct skep_literal **shared, size_t *n_shared)
{
    char buf[64];
    bool alone = true, list = false;
    *shared = NULL;
    skep_lex_blank(&ps->l);
    if (close ? skep_lex_char(&ps->l, ')') : ps->l.at == ps->l.n)
        return 0;
    for (;; alone = false) {
        struct skep_literal one;
        const struct skep_literal *items;
        size_t n;
        int r = parse_value(ps, &one, &items, &n, &list);
        if (r < 0)
            return r;
        skep_lex_blank(&ps->l);
        bool end = close ? skep_lex_char(&ps->l, ')') : ps->l.at == ps->l.n;
        if (end && alone && list) {
            *shared = items;
            *n_shared = n;
            return 0;
        }
        r = values_add(ps, v, items, n);
        if (r < 0 || end)
            return r;
        if (!skep_lex_char(&ps->l, ',')) {
            skep_parser_error(ps, ps->l.at, 1, "`,` or `)` is expected instead of %s",
                              skep_parser_here(ps, buf, sizeof(buf)));
            skep_parser_hint_quotes(ps);
            return -EINVAL;
        }
        skep_lex_blank(&ps->l);
    }
}

int skep_parser_list(struct skep_parser *ps, struct skep_check *c)
{
    _cleanup_literals_ struct skep_literals v = {0};
    const struct skep_literal *shared;
    struct skep_literal *kept;
    size_t n;
    int r = parse_values(ps, true, &v, &shared, &n);
    if (r < 0)
        return r;
    if (shared) {
        c->values = shared;
        c->n_values = n;
        return 0;
    }
    r = values_keep(ps, &v, &kept);
    if (r < 0)
        return r;
    c->values = kept;
    c->n_values = v.n;
    return 0;
}

/* A single value, also by the name of a list that has one item. */
static int parse_single(struct skep_parser *ps, struct skep_check *c)
{
    size_t at = ps->l.at;
    struct skep_literal *one = skep_arena_alloc(ps->p->arena, sizeof(*one));
    const struct skep_literal *items;
    size_t n;
    bool list;
    if (!one)
        return -ENOMEM;
    int r = parse_value(ps, one, &items, &n, &list);
    if (r < 0)
        return r;
    if (list && n != 1) {
        skep_parser_error(ps, at, ps->l.at - at,
                          "`%.*s` is a list of %zu items, and one value is expected here",
                          (int)MIN(ps->l.at - at, (size_t)60), ps->l.s + at, n);
        skep_diags_hint(ps->p->diags, "compare with `in (...)`");
        return -EINVAL;
    }
    c->values = items;
    c->n_values = 1;
    return 0;
}

static int parse_number(struct skep_parser *ps, struct skep_check *c)
{
    size_t at = ps->l.at, n = skep_lex_number(&ps->l);
    char buf[64];
    if (!n)
        return skep_parser_error(ps, at, MAX(skep_lex_bare(&ps->l), (size_t)1),
                                 "a number is expected instead of %s",
                                 skep_parser_here(ps, buf, sizeof(buf)));
    struct skep_literal *one = skep_arena_alloc(ps->p->arena, sizeof(*one));
    char *s = skep_arena_text(ps->p->arena, ps->l.s + at, n);
    if (!one || !s)
        return -ENOMEM;
    ps->l.at += n;
    *one = (struct skep_literal){.s = s, .n = n, .place = skep_parser_place(ps, at, n)};
    c->values = one;
    c->n_values = 1;
    return 0;
}

/* `in list` without parentheses. */
static int parse_bare_list(struct skep_parser *ps, struct skep_check *c)
{
    size_t at = ps->l.at, n = skep_lex_name(&ps->l);
    char buf[64];
    const struct skep_literal *items;
    int r = n ? list_items(ps, ps->l.s + at, n, &items, &c->n_values) : 0;
    if (r > 0) {
        ps->l.at += n;
        c->values = items;
        return 0;
    }
    if (r == 0 && n && skep_lex_bare(&ps->l) == n && !skep_lex_is(&ps->l, "and") &&
        !skep_lex_is(&ps->l, "or"))
        return parse_single(ps, c);
    if (r == 0) {
        skep_parser_error(ps, at, MAX(skep_lex_bare(&ps->l), (size_t)1),
                          "values in parentheses are expected instead of %s",
                          skep_parser_here(ps, buf, sizeof(buf)));
        skep_diags_hint(ps->p->diags, "%s (a, b)", skep_rule_op_text(c->op));
        r = -EINVAL;
    }
    return r;
}

int skep_parser_right(struct skep_parser *ps, struct skep_check *c)
{
    size_t len = skep_lex_name(&ps->l);
    bool list = skep_rule_op_takes_list(c->op);
    if (len && ps->l.at + len < ps->l.n && ps->l.s[ps->l.at + len] == '(') {
        ps->right = true;
        int r = skep_parser_operand(ps, &c->right);
        ps->right = false;
        return r;
    }
    if (list && skep_lex_char(&ps->l, '('))
        return skep_parser_list(ps, c);
    if (list)
        return parse_bare_list(ps, c);
    /* 10ms and 4KiB are numbers for some columns */
    bool column = c->left->field && c->left->field->flags & SKEP_FIELD_COLUMN;
    bool order = c->op == SKEP_RULE_OP_LT || c->op == SKEP_RULE_OP_LE || c->op == SKEP_RULE_OP_GT ||
                 c->op == SKEP_RULE_OP_GE;
    if (order && !column)
        return parse_number(ps, c);
    return parse_single(ps, c);
}

static int parse_text_values(const struct skep_parse *p, const struct skep_rule_text *t, bool parenthesis,
                             struct skep_literal **ret, size_t *ret_n)
{
    struct skep_parsed ignored = {0};
    struct skep_parser ps = {.p = p, .t = t, .l = {.s = t->s, .n = t->n}, .into = &ignored};
    _cleanup_literals_ struct skep_literals v = {0};
    const struct skep_literal *shared;
    size_t n_shared;
    skep_lex_blank(&ps.l);
    bool close = parenthesis && skep_lex_char(&ps.l, '(');
    int r = parse_values(&ps, close, &v, &shared, &n_shared);
    skep_lex_blank(&ps.l);
    if (r >= 0 && ps.l.at < ps.l.n)
        r = skep_parser_error(&ps, ps.l.at, 1, "nothing is expected behind the parenthesis");
    if (r >= 0 && shared)
        r = values_add(&ps, &v, shared, n_shared);
    if (r >= 0)
        r = values_keep(&ps, &v, ret);
    if (skep_arena_failed(p->arena))
        return -ENOMEM;
    if (r >= 0)
        *ret_n = v.n;
    return r;
}

int skep_parse_item(const struct skep_parse *p, const struct skep_rule_text *t, struct skep_literal **ret,
                    size_t *ret_n)
{
    if (!t->n || t->s[0] == '"' || t->s[0] == '\'' || !memchr(t->s, ' ', t->n))
        return parse_text_values(p, t, false, ret, ret_n);
    struct skep_parser ps = {.p = p, .t = t, .l = {.s = t->s, .n = t->n}};
    char *s = skep_arena_text(p->arena, t->s, t->n);
    struct skep_literal *one = skep_arena_alloc(p->arena, sizeof(*one));
    if (!s || !one)
        return -ENOMEM;
    if (p->literals_left && !*p->literals_left)
        return too_many(&ps, 0);
    if (p->literals_left)
        --*p->literals_left;
    *one = (struct skep_literal){.s = s, .n = t->n, .place = skep_parser_place(&ps, 0, t->n)};
    *ret = one;
    *ret_n = 1;
    return 0;
}

int skep_parse_items(const struct skep_parse *p, const struct skep_rule_text *t, struct skep_literal **ret,
                     size_t *ret_n)
{
    return parse_text_values(p, t, true, ret, ret_n);
}
