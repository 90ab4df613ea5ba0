/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/column/row.h"

#include "rule/condition/parse_state.h"
#include "rule/evttype.h"
#include "rule/names/services.h"
#include "rule/request.h"

#include <inttypes.h>

#define ONEOF_MAX 16 /* sets of bits of which one has to be there */

/* A comparison as it is taken apart. */
struct split {
    struct skep_columns *columns;
    const struct skep_parse *p;
    const struct skep_rule_place *place;
    struct skep_parsed *into;
    struct skep_check check;    /* with both sides settled, but for a column on the left */
    struct skep_column *column; /* on the left; NULL: none */
    /* Why the values do not fit a type, for when they fit none. */
    const struct skep_literal *bad; /* NULL: no value was wrong so far */
    const char *expected;
};

static struct skep_column *column_of(const struct skep_operand *o)
{
    return o && o->field && o->field->flags & SKEP_FIELD_COLUMN ? (struct skep_column *)o->field : NULL;
}

/* ---- which form a column takes ---- */

static enum skep_column_form form_of_type(enum skep_type type)
{
    switch (skep_type_info(type)->class) {
    case SKEP_CLASS_TEXT:
        return SKEP_COLUMN_TEXT;
    case SKEP_CLASS_LIST:
        return SKEP_COLUMN_LIST;
    case SKEP_CLASS_IP:
        return SKEP_COLUMN_IP;
    default:
        /* system calls are known by their names */
        return type == SKEP_TYPE_bool      ? SKEP_COLUMN_BOOL
               : type == SKEP_TYPE_syscall ? SKEP_COLUMN_TEXT
                                           : SKEP_COLUMN_NUMBER;
    }
}

/* That of all its types; TEXT where they differ. */
static enum skep_column_form natural_form(const struct skep_column *c)
{
    bool found = false;
    enum skep_column_form form = SKEP_COLUMN_TEXT;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        enum skep_type type = skep_column_type(c, k);
        if (type < 0)
            continue;
        if (found && form_of_type(type) != form)
            return SKEP_COLUMN_TEXT;
        form = form_of_type(type);
        found = true;
    }
    return form;
}

static const struct skep_operand *with_field(const struct skep_parse *p, const struct skep_operand *o,
                                             const struct skep_rule_field *f)
{
    struct skep_operand *copy = f ? skep_arena_alloc(p->arena, sizeof(*copy)) : NULL;
    if (!copy)
        return NULL;
    *copy = *o;
    copy->field = f;
    return copy;
}

/* Functions are of texts and lists. NULL: no memory. */
static const struct skep_operand *settle(const struct skep_parse *p, const struct skep_operand *o,
                                         bool in_function)
{
    struct skep_column *c = column_of(o);
    if (c) {
        enum skep_column_form form = natural_form(c);
        if (in_function && form != SKEP_COLUMN_LIST)
            form = SKEP_COLUMN_TEXT;
        return with_field(p, o, skep_column_row(c, form, SKEP_COLUMN_TYPE_ANY, NULL));
    }
    if (!o->n_operands)
        return o;
    struct skep_operand *copy = skep_arena_alloc(p->arena, sizeof(*copy));
    const struct skep_operand **list = skep_arena_array(p->arena, o->n_operands, sizeof(*list));
    if (!copy || !list)
        return NULL;
    *copy = *o;
    copy->operands = list;
    for (size_t i = 0; i < o->n_operands; i++) {
        list[i] = settle(p, o->operands[i], true);
        if (!list[i])
            return NULL;
    }
    return copy;
}

/* ---- what comes out ---- */

static int make(struct split *s, const struct skep_rule_field *row, enum skep_rule_op op,
                const struct skep_literal *values, size_t n, struct skep_parsed *ret)
{
    struct skep_check c = s->check;
    c.left = with_field(s->p, c.left, row);
    if (!c.left)
        return -ENOMEM;
    c.op = op;
    c.values = values;
    c.n_values = n;
    return skep_parse_make_check(s->p, &c, s->place, s->into, ret);
}

static int join(struct split *s, enum skep_expr_kind kind, const struct skep_parsed_row *kids,
                struct skep_parsed *ret)
{
    return skep_parse_make_group(s->p, kind, kids->v, kids->n, s->place, ret);
}

static int wrong(struct split *s, const struct skep_rule_place *place, const char *near,
                 struct skep_parsed *ret, const char *fmt, ...) SKEP_PRINTF(5, 6);

/* What is wrong with the meaning is said when all has been read; the comparison is false until then. */
static int wrong(struct split *s, const struct skep_rule_place *place, const char *near,
                 struct skep_parsed *ret, const char *fmt, ...)
{
    static const struct skep_parsed_row none;
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct skep_rule_issue *issue =
        skep_parse_issue(s->p, s->into, true, s->p->code, place->source ? place : s->place, "%s", text);
    if (issue && near)
        issue->hint = skep_arena_printf(s->p->arena, "did you mean `%s`?", near);
    return join(s, SKEP_EXPR_OR, &none, ret);
}

static bool is_any(enum skep_rule_op op, const enum skep_rule_op *of, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (of[i] == op)
            return true;
    return false;
}

static bool is_equality(enum skep_rule_op op)
{
    static const enum skep_rule_op of[] = {SKEP_RULE_OP_EQ, SKEP_RULE_OP_NE, SKEP_RULE_OP_IN,
                                           SKEP_RULE_OP_INTERSECTS};
    return is_any(op, of, ARRAY_SIZE(of));
}

static bool is_order(enum skep_rule_op op)
{
    static const enum skep_rule_op of[] = {SKEP_RULE_OP_LT, SKEP_RULE_OP_LE, SKEP_RULE_OP_GT,
                                           SKEP_RULE_OP_GE};
    return is_any(op, of, ARRAY_SIZE(of));
}

/* ---- values ---- */

static bool bad_value(struct split *s, const struct skep_literal *v, const char *expected)
{
    if (!s->bad) {
        s->bad = v;
        s->expected = expected;
    }
    return false;
}

/* A range (1-1023) of a type whose numbers have no such sign in them. */
static const char *read_range(struct split *s, enum skep_type type, const struct skep_literal *v)
{
    const char *dash = v->n > 1 ? memchr(v->s + 1, '-', v->n - 1) : NULL, *expected;
    struct skep_word lo, hi;
    if (!dash || type == SKEP_TYPE_time || skep_type_info(type)->names ||
        skep_value_read(type, v->s, (size_t)(dash - v->s), &lo, &expected) < 0 ||
        skep_value_read(type, dash + 1, v->n - (size_t)(dash + 1 - v->s), &hi, &expected) < 0)
        return NULL;
    return skep_arena_printf(s->p->arena, "%" PRId64 "-%" PRId64, (int64_t)lo.number, (int64_t)hi.number);
}

/* Values as decimal numbers, in an array of their own; *ret NULL: they do not fit. */
static int to_numbers(struct split *s, enum skep_type type, struct skep_literal **ret)
{
    const struct skep_check *c = &s->check;
    bool ranges = c->op == SKEP_RULE_OP_IN || c->op == SKEP_RULE_OP_INTERSECTS;
    struct skep_literal *list = skep_arena_array(s->p->arena, c->n_values, sizeof(*list));
    *ret = NULL;
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_values; i++) {
        const struct skep_literal *v = &c->values[i];
        struct skep_word word;
        const char *expected, *text = NULL;
        uint16_t port;
        if (skep_value_read(type, v->s, v->n, &word, &expected) >= 0)
            text = type == SKEP_TYPE_bool ? (word.number ? "true" : "false")
                                          : skep_arena_printf(s->p->arena, "%" PRId64, (int64_t)word.number);
        else if (ranges)
            text = read_range(s, type, v);
        if (!text && type == SKEP_TYPE_port && skep_rule_service_port(v->s, v->n, &port))
            text = skep_arena_printf(s->p->arena, "%u", port);
        if (skep_arena_failed(s->p->arena))
            return -ENOMEM;
        if (!text) {
            bad_value(s, v, expected);
            return 0;
        }
        list[i] = (struct skep_literal){text, strlen(text), v->place};
    }
    *ret = list;
    return 0;
}

/* ---- bits of a set ---- */

static int has_bits(struct split *s, enum skep_type type, size_t i, struct skep_parsed *ret, bool *ret_fits)
{
    static const struct skep_literal yes = {.s = "true", .n = 4};
    const struct skep_literal *v = &s->check.values[i];
    struct skep_word bits;
    const char *expected;
    struct split one = *s;
    if (skep_value_read(type, v->s, v->n, &bits, &expected) < 0) {
        *ret_fits = bad_value(s, v, expected);
        return 0;
    }
    one.check.quantifier = SKEP_RULE_SINGLE;
    return make(&one, skep_column_row(s->column, SKEP_COLUMN_BITS, type, &bits), SKEP_RULE_OP_EQ, &yes, 1,
                ret);
}

/* a and not b and not c, or b and ... */
static int one_alone(struct split *s, const struct skep_parsed_row *all, struct skep_parsed *ret)
{
    _cleanup_parsed_row_ struct skep_parsed_row ways = {0};
    int r = 0;
    if (all->n > ONEOF_MAX)
        return wrong(s, s->place, NULL, ret, "`oneof` takes at most %d values of a set", ONEOF_MAX);
    for (size_t i = 0; r >= 0 && i < all->n; i++) {
        _cleanup_parsed_row_ struct skep_parsed_row way = {0};
        struct skep_parsed one;
        for (size_t k = 0; r >= 0 && k < all->n; k++) {
            one = all->v[k];
            if (k != i)
                r = skep_parse_make_group(s->p, SKEP_EXPR_NOT, &all->v[k], 1, s->place, &one);
            if (r >= 0)
                r = skep_parsed_row_add(&way, &one);
        }
        if (r >= 0)
            r = join(s, SKEP_EXPR_AND, &way, &one);
        if (r >= 0)
            r = skep_parsed_row_add(&ways, &one);
    }
    return r < 0 ? r : join(s, SKEP_EXPR_OR, &ways, ret);
}

static int check_bits(struct split *s, enum skep_type type, struct skep_parsed *ret, bool *ret_fits)
{
    _cleanup_parsed_row_ struct skep_parsed_row all = {0};
    bool fits = true;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < s->check.n_values && fits; i++) {
        struct skep_parsed one;
        r = has_bits(s, type, i, &one, &fits);
        if (r >= 0 && fits)
            r = skep_parsed_row_add(&all, &one);
    }
    *ret_fits = fits;
    if (r < 0 || !fits)
        return r;
    if (s->check.quantifier == SKEP_RULE_ONEOF)
        return one_alone(s, &all, ret);
    return join(s, s->check.quantifier == SKEP_RULE_ALLOF ? SKEP_EXPR_AND : SKEP_EXPR_OR, &all, ret);
}

/* ---- a comparison with constants, for one type ---- */

static int check_numbers(struct split *s, enum skep_type type, enum skep_rule_op op, struct skep_parsed *ret,
                         bool *ret_fits)
{
    struct skep_literal *values;
    int r = to_numbers(s, type, &values);
    *ret_fits = values != NULL;
    if (r < 0 || !values)
        return r;
    return make(s, skep_column_row(s->column, form_of_type(type), type, NULL), op, values, s->check.n_values,
                ret);
}

static int check_type(struct split *s, enum skep_type type, struct skep_parsed *ret, bool *ret_fits)
{
    enum skep_column_form form = form_of_type(type);
    enum skep_rule_op op = s->check.op;
    const struct skep_names *names = skep_type_info(type)->names;
    bool set = names && names->set, number = form == SKEP_COLUMN_NUMBER || form == SKEP_COLUMN_BOOL;
    /* numbers that people know as words */
    bool word = names || type == SKEP_TYPE_dev || type == SKEP_TYPE_ring || type == SKEP_TYPE_mode ||
                type == SKEP_TYPE_addr || type == SKEP_TYPE_cgroupid || type == SKEP_TYPE_fdnum;
    if (set && (op == SKEP_RULE_OP_CONTAINS || op == SKEP_RULE_OP_INTERSECTS))
        return check_bits(s, type, ret, ret_fits);
    bool text = form == SKEP_COLUMN_TEXT || form == SKEP_COLUMN_LIST || form == SKEP_COLUMN_IP || word;
    if (is_order(op) ? !number || set || type == SKEP_TYPE_bool : !is_equality(op) && !text) {
        *ret_fits = false;
        return 0;
    }
    if (number && (is_equality(op) || is_order(op)))
        return check_numbers(s, type, op, ret, ret_fits);
    if (number || (form == SKEP_COLUMN_IP && !is_equality(op)))
        form = SKEP_COLUMN_TEXT;
    return make(s, skep_column_row(s->column, form, type, NULL), op, s->check.values, s->check.n_values, ret);
}

/* ---- kind ---- */

/* kind = open is evt.type in (open, openat, ...): so it chooses what is observed. */
static int check_kind(struct split *s, struct skep_parsed *ret)
{
    const struct skep_check *c = &s->check;
    size_t n_types, n = 0;
    const struct skep_evttype *types = skep_evttypes(&n_types);
    struct skep_literal *list = skep_arena_array(s->p->arena, SKEP_EVTTYPE_MAX, sizeof(*list));
    bool taken[SKEP_EVTTYPE_MAX] = {false};
    struct split of = *s;
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_values; i++) {
        const struct skep_literal *v = &c->values[i];
        const struct skep_kind *kind = skep_schema_kind_by_name(s->columns->schema, v->s);
        if (!kind || kind->show == SKEP_SHOW_HIDDEN) {
            return wrong(s, &v->place, skep_schema_nearest_kind(s->columns->schema, v->s, v->n), ret,
                         "there is no kind of event `%.60s`", v->s);
        }
        for (size_t t = 1; t < n_types && t < SKEP_EVTTYPE_MAX; t++)
            if (types[t].kind == kind->number && !taken[t]) {
                taken[t] = true;
                list[n++] = (struct skep_literal){types[t].name, strlen(types[t].name), v->place};
            }
    }
    of.check.quantifier = SKEP_RULE_SINGLE;
    struct skep_parsed one;
    int r = make(&of, skep_rule_field_find("evt.type", strlen("evt.type")), SKEP_RULE_OP_IN, list, n, &one);
    if (r >= 0 && c->op == SKEP_RULE_OP_NE)
        return skep_parse_make_group(s->p, SKEP_EXPR_NOT, &one, 1, s->place, ret);
    if (r >= 0)
        *ret = one;
    return r;
}

static bool is_kind(const struct split *s)
{
    return skep_streq(s->column->rule.name, "kind") && is_equality(s->check.op) &&
           s->check.quantifier == SKEP_RULE_SINGLE;
}

/* ---- all types ---- */

static const char *nearest(const struct split *s)
{
    const char *near = NULL;
    for (unsigned k = 0; k < SKEP_KIND_MAX && !near; k++) {
        enum skep_type type = skep_column_type(s->column, k);
        near = type < 0 ? NULL : skep_value_nearest(type, s->bad->s, s->bad->n);
    }
    return near;
}

static int fits_none(struct split *s, struct skep_parsed *ret)
{
    const char *name = s->column->rule.name;
    if (s->bad)
        return wrong(s, &s->bad->place, nearest(s), ret, "`%.60s` cannot be compared with this: expected %s",
                     name, s->expected);
    enum skep_type type = SKEP_TYPE_INVALID;
    for (unsigned k = 0; type < 0; k++)
        type = skep_column_type(s->column, k);
    return wrong(s, s->place, NULL, ret, "`%s` is not for `%.60s`, which is: %s",
                 skep_rule_op_text(s->check.op), name, skep_type_info(type)->doc);
}

static int with_constants(struct split *s, struct skep_parsed *ret)
{
    _cleanup_parsed_row_ struct skep_parsed_row ways = {0};
    bool done[SKEP_TYPE_MAX] = {false};
    if (s->check.op == SKEP_RULE_OP_EXISTS)
        return make(s, skep_column_row(s->column, SKEP_COLUMN_EXISTS, SKEP_COLUMN_TYPE_ANY, NULL),
                    SKEP_RULE_OP_EXISTS, NULL, 0, ret);
    if (is_kind(s))
        return check_kind(s, ret);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        enum skep_type type = skep_column_type(s->column, k);
        struct skep_parsed one;
        bool fits = true;
        if (type < 0 || done[type])
            continue;
        done[type] = true;
        int r = check_type(s, type, &one, &fits);
        if (r >= 0 && fits)
            r = skep_parsed_row_add(&ways, &one);
        if (r < 0)
            return r;
    }
    return ways.n ? join(s, SKEP_EXPR_OR, &ways, ret) : fits_none(s, ret);
}

/* ---- a comparison with another field ---- */

static bool type_of(const struct skep_operand *o, enum skep_rule_type *ret)
{
    struct skep_fact_request q;
    const char *reason;
    if (!o->field && o->transform < 0)
        return false;
    if (!skep_request_of(o, &q, &reason))
        return false; /* which the checker of types will say */
    *ret = q.type;
    return true;
}

/* What is of one type on one side and of another on the other is compared as it is written. */
static int with_other(struct split *s, struct skep_parsed *ret)
{
    struct skep_check c = s->check;
    struct skep_column *left = column_of(c.left), *right = column_of(c.right);
    enum skep_rule_type a, b;
    bool differ;
    const struct skep_operand *l = settle(s->p, c.left, false), *r = settle(s->p, c.right, false);
    if (!l || !r)
        return -ENOMEM;
    differ = type_of(l, &a) && type_of(r, &b) && a != b;
    if (differ && left && (right || b == SKEP_RULE_TEXT))
        l = with_field(s->p, c.left, skep_column_row(left, SKEP_COLUMN_TEXT, SKEP_COLUMN_TYPE_ANY, NULL));
    if (differ && right && (left || a == SKEP_RULE_TEXT))
        r = with_field(s->p, c.right, skep_column_row(right, SKEP_COLUMN_TEXT, SKEP_COLUMN_TYPE_ANY, NULL));
    if (!l || !r)
        return -ENOMEM;
    c.left = l;
    c.right = r;
    return skep_parse_make_check(s->p, &c, s->place, s->into, ret);
}

int skep_columns_check(struct skep_columns *columns, const struct skep_parse *p,
                       const struct skep_check *check, const struct skep_rule_place *place,
                       struct skep_parsed *into, struct skep_parsed *ret)
{
    struct split s = {.columns = columns,
                      .p = p,
                      .place = place,
                      .into = into,
                      .check = *check,
                      .column = column_of(check->left)};
    int r;
    if (check->right) {
        r = with_other(&s, ret);
    } else if (s.column) {
        r = with_constants(&s, ret);
    } else {
        s.check.left = settle(p, check->left, false);
        r = s.check.left ? skep_parse_make_check(p, &s.check, place, into, ret) : -ENOMEM;
    }
    return skep_columns_failed(columns) || skep_arena_failed(p->arena) ? -ENOMEM : r;
}
