/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/falco/load.h"
#include "rule/transform.h"

/* ---- reading ---- */

static size_t n_of(const struct skep_yaml *y)
{
    return y->kind == SKEP_YAML_SEQUENCE ? y->n_items : 1;
}

static const struct skep_yaml *nth(const struct skep_yaml *y, size_t i)
{
    return y->kind == SKEP_YAML_SEQUENCE ? y->items[i] : y;
}

/* `fields` or `comps`: a text, or a list of them. */
static int check_texts(struct skep_falco *f, const struct skep_yaml *y, const char *key)
{
    return y->kind == SKEP_YAML_SEQUENCE ? skep_falco_check_texts(f, y, key)
                                         : skep_falco_check_text(f, y, key);
}

static int check_comps(struct skep_falco *f, const struct skep_falco_exception *e)
{
    bool list = e->fields->kind == SKEP_YAML_SEQUENCE;
    const struct skep_yaml *comps = e->comps;
    if (!comps)
        return 0;
    if (list != (comps->kind == SKEP_YAML_SEQUENCE))
        return skep_falco_error(f, SKEP_FALCO_WRONG, comps,
                                "`fields` and `comps` are both one text or both a list");
    if (n_of(comps) != n_of(e->fields))
        return skep_falco_error(f, SKEP_FALCO_WRONG, comps, "there are %zu `fields` and %zu `comps`",
                                n_of(e->fields), n_of(comps));
    for (size_t i = 0; i < n_of(comps); i++) {
        const struct skep_yaml *c = nth(comps, i);
        enum skep_rule_op op;
        enum skep_rule_quantifier q;
        if (!skep_parse_op(c->source.text, c->source.len, &op, &q) || op == SKEP_RULE_OP_EXISTS)
            return skep_falco_error(f, SKEP_FALCO_WRONG, c, "`%.60s` does not compare a field with values",
                                    c->source.text);
        if (!list && !q && !skep_rule_op_takes_list(op)) {
            skep_falco_error(f, SKEP_FALCO_WRONG, c,
                             "one field is compared with a list of values, and `%.60s` takes one",
                             c->source.text);
            skep_diags_hint(f->diags, "use in, pmatch, intersects or `%s anyof`", skep_rule_op_text(op));
            return -EINVAL;
        }
    }
    return 0;
}

static int add_values(struct skep_falco *f, struct skep_falco_exception *e, const struct skep_yaml *values)
{
    if (skep_yaml_is_null(values))
        return 0;
    if (values->kind != SKEP_YAML_SEQUENCE)
        return skep_falco_error(f, SKEP_FALCO_FORM, values, "`values` is a list");
    int r = skep_falco_count(f, values, values->n_items);
    bool list = e->fields->kind == SKEP_YAML_SEQUENCE;
    for (size_t i = 0; i < values->n_items && r >= 0; i++) {
        const struct skep_yaml *v = values->items[i];
        if (!list && v->kind != SKEP_YAML_SCALAR)
            return skep_falco_error(f, SKEP_FALCO_WRONG, v, "one field has values that are texts");
        if (list && v->kind != SKEP_YAML_SEQUENCE)
            return skep_falco_error(f, SKEP_FALCO_WRONG, v,
                                    "a list of fields has values that are lists, one element a field");
        if (list && v->n_items != n_of(e->fields))
            return skep_falco_error(f, SKEP_FALCO_WRONG, v, "there are %zu fields and %zu values",
                                    n_of(e->fields), v->n_items);
        r = skep_falco_count(f, v, n_of(v));
        for (size_t k = 0; list && k < v->n_items && r >= 0; k++)
            if (v->items[k]->kind != SKEP_YAML_SCALAR)
                r = skep_falco_check_texts(f, v->items[k], "values");
        if (r >= 0)
            r = skep_falco_add_part(f, &e->values, v);
    }
    return r;
}

static struct skep_falco_exception *find_exception(const struct skep_falco_rule *rule,
                                                   const struct skep_yaml *name)
{
    for (struct skep_falco_exception *e = rule->exceptions; e; e = e->next)
        if (skep_yaml_is(name, e->name->source.text))
            return e;
    return NULL;
}

static int extend_exception(struct skep_falco *f, struct skep_falco_exception *e, const struct skep_yaml *y)
{
    static const char *const fixed[] = {"fields", "comps"};
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        if (skep_yaml_get(y, fixed[i])) {
            skep_falco_error(f, SKEP_FALCO_WRONG, skep_yaml_key(y, fixed[i]),
                             "the exception is there already, with its `%s`; only values can be appended",
                             fixed[i]);
            return -EINVAL;
        }
    const struct skep_yaml *values = skep_yaml_get(y, "values");
    return values ? add_values(f, e, values) : 0;
}

static int new_exception(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *name,
                         const struct skep_yaml *y, bool append)
{
    struct skep_falco_exception *e = skep_arena_alloc(f->arena, sizeof(*e)), **end = &rule->exceptions;
    if (!e)
        return -ENOMEM;
    const struct skep_yaml *values = skep_yaml_get(y, "values");
    e->name = name;
    e->fields = skep_yaml_get(y, "fields");
    e->comps = skep_yaml_get(y, "comps");
    if (!e->fields)
        return skep_falco_error(f, append ? SKEP_FALCO_WRONG : SKEP_FALCO_FORM, name,
                                "the exception has no `fields`");
    if (append && !values)
        return skep_falco_error(f, SKEP_FALCO_WRONG, name,
                                "the exception is new to the rule and has no `values`");
    int r = check_texts(f, e->fields, "fields");
    if (r >= 0 && e->comps)
        r = check_texts(f, e->comps, "comps");
    if (r >= 0)
        r = check_comps(f, e);
    if (r >= 0 && values)
        r = add_values(f, e, values);
    while (*end)
        end = &(*end)->next;
    *end = e;
    rule->n_exceptions++;
    return r;
}

static int read_exception(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *all,
                          size_t i, bool append)
{
    const struct skep_yaml *y = all->items[i];
    if (y->kind != SKEP_YAML_MAP)
        return skep_falco_error(f, SKEP_FALCO_FORM, y,
                                "an exception is a map with `name`, `fields`, `comps` and `values`");
    skep_falco_check_keys(f, SKEP_FALCO_EXCEPTION, y);
    const struct skep_yaml *name = skep_yaml_get(y, "name");
    if (!name)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "the exception has no `name`");
    int r = skep_falco_check_text(f, name, "name");
    if (r < 0)
        return r;
    for (size_t k = 0; k < i; k++) {
        const struct skep_yaml *other = skep_yaml_get(all->items[k], "name");
        if (!other || !skep_yaml_is(other, name->source.text))
            continue;
        skep_falco_warn(f, "LOAD_EXCEPTION_NAME_NOT_UNIQUE", name,
                        "another exception of this rule has the same name");
        break;
    }
    if (append && !skep_yaml_get(y, "values"))
        skep_falco_warn(f, "LOAD_APPEND_NO_VALUES", name, "the exception is appended to without values");
    struct skep_falco_exception *old = append ? find_exception(rule, name) : NULL;
    return old ? extend_exception(f, old, y) : new_exception(f, rule, name, y, append);
}

#define EXCEPTIONS_MAX 1000 /* of one rule; names are compared with each other */

int skep_falco_read_exceptions(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                               bool append)
{
    if (!append) {
        rule->exceptions = NULL;
        rule->n_exceptions = 0;
    }
    if (skep_yaml_is_null(y))
        return 0;
    if (y->kind != SKEP_YAML_SEQUENCE)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "`exceptions` is a list");
    if (y->n_items > EXCEPTIONS_MAX - rule->n_exceptions)
        return skep_falco_error(f, SKEP_FALCO_FORM, y, "a rule has at most %d exceptions", EXCEPTIONS_MAX);
    int r = 0;
    for (size_t i = 0; i < y->n_items; i++) {
        int r_one = read_exception(f, rule, y, i, append);
        if (r_one == -ENOMEM)
            return r_one;
        r = r_one < 0 ? r_one : r;
    }
    return r;
}

/* ---- building ---- */

static struct skep_rule_place place_of(const struct skep_falco_exception *e)
{
    return skep_yaml_place(e->name);
}

/* Left side and operator of the i-th comparison. */
static int make_left(struct skep_falco *f, const struct skep_falco_exception *e, size_t i,
                     struct skep_parsed *issues, struct skep_check *c)
{
    size_t at = 0;
    struct skep_rule_text text = skep_falco_text_of(f, nth(e->fields, i));
    if (!text.pieces)
        return -ENOMEM;
    int r = skep_parse_operand(&f->parse, &text, &at, SKEP_OPERAND_ALONE, issues, &c->left);
    if (r < 0)
        return r;
    bool list = e->fields->kind == SKEP_YAML_SEQUENCE;
    c->op = list ? SKEP_RULE_OP_EQ : SKEP_RULE_OP_IN;
    if (e->comps) {
        const struct skep_yaml *y = nth(e->comps, i);
        skep_parse_op(y->source.text, y->source.len, &c->op, &c->quantifier);
    }
    return 0;
}

/* Of an exception that has no values yet: whether there are such fields. */
static int check_lefts(struct skep_falco *f, const struct skep_falco_exception *e, struct skep_parsed *issues)
{
    int r = 0;
    for (size_t i = 0; i < n_of(e->fields) && r >= 0; i++) {
        struct skep_check c = {0};
        r = make_left(f, e, i, issues, &c);
    }
    return r;
}

/* Values that stand in several places of the file, one behind the other. */
static int join_items(struct skep_falco *f, const struct skep_yaml *const *items, size_t n,
                      struct skep_check *c)
{
    _cleanup_literals_ struct skep_literals all = {0};
    struct skep_literal *kept;
    for (size_t i = 0; i < n; i++) {
        struct skep_literal *some;
        size_t n_some;
        int r = skep_falco_parse_item(f, items[i], &some, &n_some);
        if (r < 0)
            return r;
        r = skep_literals_add(&all, some, n_some);
        if (r == -E2BIG)
            return skep_falco_error(f, SKEP_FALCO_WRONG, items[i], "there are too many values (more than %d)",
                                    SKEP_FALCO_ITEMS_MAX);
        if (r < 0)
            return r;
    }
    int r = skep_literals_keep(&all, f->arena, &kept);
    if (r < 0)
        return r;
    c->values = kept;
    c->n_values = all.n;
    return 0;
}

/* toupper(proc.pname), as Falco takes it: without blanks, with which it would be a text. */
static bool is_function(const struct skep_rule_text *t)
{
    struct skep_lex l = {.s = t->s, .n = t->n};
    size_t n = skep_lex_name(&l);
    return n && n < t->n && t->s[n] == '(' && t->s[t->n - 1] == ')' && !memchr(t->s, ' ', t->n) &&
           skep_transform_find(t->s, n) >= 0;
}

/* The right side: an element of a tuple. */
static int make_right(struct skep_falco *f, const struct skep_yaml *y, struct skep_parsed *issues,
                      struct skep_check *c)
{
    bool list = c->quantifier || skep_rule_op_takes_list(c->op);
    if (y->kind == SKEP_YAML_SEQUENCE) {
        if (list)
            return join_items(f, y->items, y->n_items, c);
        skep_falco_error(f, SKEP_FALCO_CONDITION, y, "`%s` compares with one value, and this is a list",
                         skep_rule_op_text(c->op));
        skep_diags_hint(f->diags, "use `in` or `%s anyof`", skep_rule_op_text(c->op));
        return -EINVAL;
    }
    struct skep_rule_text text = skep_falco_text_of(f, y);
    struct skep_literal *values;
    if (!text.pieces)
        return -ENOMEM;
    if (!list && is_function(&text)) {
        size_t at = 0;
        return skep_parse_operand(&f->parse, &text, &at, SKEP_OPERAND_RIGHT, issues, &c->right);
    }
    int r = list ? skep_parse_items(&f->parse, &text, &values, &c->n_values)
                 : skep_parse_item(&f->parse, &text, &values, &c->n_values);
    if (r < 0)
        return r;
    if (!list && c->n_values != 1)
        return skep_falco_error(f, SKEP_FALCO_CONDITION, y, "`%s` compares with one value, and these are %zu",
                                skep_rule_op_text(c->op), c->n_values);
    c->values = values;
    return 0;
}

/* One tuple: all its comparisons at once. */
static int make_tuple(struct skep_falco *f, const struct skep_check *lefts, const struct skep_yaml *tuple,
                      struct skep_parsed *issues, struct skep_parsed *ret)
{
    _cleanup_parsed_row_ struct skep_parsed_row checks = {0};
    struct skep_rule_place place = skep_yaml_place(tuple);
    for (size_t i = 0; i < tuple->n_items; i++) {
        struct skep_check c = lefts[i];
        struct skep_parsed check;
        int r = make_right(f, tuple->items[i], issues, &c);
        if (r >= 0)
            r = skep_parse_make_check(&f->parse, &c, &place, issues, &check);
        if (r >= 0)
            r = skep_parsed_row_add(&checks, &check);
        if (r < 0)
            return r;
    }
    return skep_parse_make_group(&f->parse, SKEP_EXPR_AND, checks.v, checks.n, &place, ret);
}

static int make_tuples(struct skep_falco *f, const struct skep_falco_exception *e, struct skep_parsed *issues,
                       struct skep_parsed *ret)
{
    _cleanup_parsed_row_ struct skep_parsed_row tuples = {0};
    struct skep_rule_place place = place_of(e);
    _cleanup_free_ struct skep_check *lefts = calloc(n_of(e->fields) + 1, sizeof(*lefts));
    if (!lefts)
        return -ENOMEM;
    for (size_t i = 0; i < n_of(e->fields); i++) {
        int r = make_left(f, e, i, issues, &lefts[i]);
        if (r < 0)
            return r;
    }
    for (const struct skep_falco_part *p = e->values.first; p; p = p->next) {
        struct skep_parsed tuple;
        int r = make_tuple(f, lefts, p->y, issues, &tuple);
        if (r >= 0)
            r = skep_parsed_row_add(&tuples, &tuple);
        if (r < 0)
            return r;
    }
    return skep_parse_make_group(&f->parse, SKEP_EXPR_OR, tuples.v, tuples.n, &place, ret);
}

/* One field: all values at once. */
static int make_single(struct skep_falco *f, const struct skep_falco_exception *e, struct skep_parsed *issues,
                       struct skep_parsed *ret)
{
    struct skep_check c = {0};
    struct skep_rule_place place = place_of(e);
    size_t n = 0, i = 0;
    for (const struct skep_falco_part *p = e->values.first; p; p = p->next)
        n++;
    _cleanup_free_ const struct skep_yaml **items = calloc(n, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (const struct skep_falco_part *p = e->values.first; p; p = p->next)
        items[i++] = p->y;
    int r = make_left(f, e, 0, issues, &c);
    if (r >= 0)
        r = join_items(f, items, n, &c);
    return r < 0 ? r : skep_parse_make_check(&f->parse, &c, &place, issues, ret);
}

int skep_falco_except(struct skep_falco *f, const struct skep_falco_rule *rule, struct skep_parsed *io)
{
    _cleanup_parsed_row_ struct skep_parsed_row all = {0};
    int r = skep_parsed_row_add(&all, io);
    for (const struct skep_falco_exception *e = rule->exceptions; e && r >= 0; e = e->next) {
        struct skep_rule_place place = place_of(e);
        struct skep_parsed match, not ;
        if (!e->values.first) {
            r = check_lefts(f, e, io);
            continue;
        }
        bool list = e->fields->kind == SKEP_YAML_SEQUENCE;
        r = list ? make_tuples(f, e, io, &match) : make_single(f, e, io, &match);
        if (r >= 0)
            r = skep_parse_make_group(&f->parse, SKEP_EXPR_NOT, &match, 1, &place, &not );
        if (r >= 0)
            r = skep_parsed_row_add(&all, &not );
    }
    if (r < 0 || all.n == 1)
        return r;
    struct skep_parsed tree;
    r = skep_parse_make_group(&f->parse, SKEP_EXPR_AND, all.v, all.n, &io->e->place, &tree);
    if (r < 0)
        return r;
    io->e = tree.e;
    io->depth = tree.depth;
    io->n_checks = tree.n_checks;
    return 0;
}
