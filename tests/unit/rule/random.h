/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_RANDOM_H
#define SKEP_TEST_RANDOM_H
/*
 * Random rules about random events, made from the registry of fields, the schema and what the events say: constants are
 * mostly values that some event has, or pieces of such, so that conditions are true often enough.
 */
#include "random_event.h"

struct maker {
    struct random *r;
    struct skep_arena *pool;
    struct event *events;
    size_t n_events;
    struct skep_rule_ctx *ctx; /* to look at values */
    bool prefer_spots;
    uint16_t kind; /* only fields that the kernel knows of this kind; 0 */
};

/* prefer_spots: fields that the kernel knows. */
static inline const struct skep_rule_field *random_field(struct random *r, bool prefer_spots)
{
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    if (prefer_spots && !one_in(r, 6)) {
        for (unsigned tries = 0; tries < 200; tries++) {
            const struct skep_rule_family *f = families[rnd(r, (uint32_t)n)];
            const struct skep_rule_field *one =
                f->n_fields ? &f->fields[rnd(r, (uint32_t)f->n_fields)] : NULL;
            if (one && one->n_spots)
                return one;
        }
    }
    static const char *const favourites[] = {"fd.name", "proc.name", "evt.type", "user.uid", "evt.rawres"};
    if (one_in(r, 3)) {
        const char *name = favourites[rnd(r, ARRAY_SIZE(favourites))];
        const struct skep_rule_field *f = skep_rule_field_find(name, strlen(name));
        if (f)
            return f;
    }
    for (;;) {
        const struct skep_rule_family *f = families[rnd(r, (uint32_t)n)];
        if (f->n_fields)
            return &f->fields[rnd(r, (uint32_t)f->n_fields)];
    }
}

/* A field that the kernel knows of a kind; NULL: there is none. */
static inline const struct skep_rule_field *random_known(struct random *r, uint16_t kind)
{
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    static const char *const favourites[] = {"fd.name", "proc.name", "fd.sip",
                                             "fd.lip",  "fd.rip",    "fd.filename"};
    for (unsigned tries = 0; tries < 2000; tries++) {
        const struct skep_rule_family *f = families[rnd(r, (uint32_t)n)];
        const struct skep_rule_field *one = f->n_fields ? &f->fields[rnd(r, (uint32_t)f->n_fields)] : NULL;
        if (one_in(r, 2)) {
            const char *name = favourites[rnd(r, ARRAY_SIZE(favourites))];
            one = skep_rule_field_find(name, strlen(name));
        }
        const struct skep_rule_spot *s = one ? skep_rule_field_spot(one, kind) : NULL;
        if (s && s->form != SKEP_SPOT_UNKNOWN && !(one->flags & SKEP_FIELD_ARG_REQUIRED))
            return one;
    }
    return NULL;
}

/* An argument that the field takes; NULL: none was found. */
static inline const char *random_arg(struct random *r, const struct skep_rule_field *f)
{
    static const char *const numbers[] = {"0", "1", "2", "3", "7"};
    static const char *const names[] = {"flags", "name", "fd", "res",  "path", "filename", "mode", "uid",
                                        "0",     "1",    "2",  "/etc", "HOME", "request",  "size", "target"};
    for (unsigned tries = 0; tries < 30; tries++) {
        const char *a = f->flags & SKEP_FIELD_ARG_INDEX ? numbers[rnd(r, ARRAY_SIZE(numbers))]
                                                        : names[rnd(r, ARRAY_SIZE(names))];
        if (skep_rule_field_arg_known(f, a, strlen(a)))
            return a;
    }
    return NULL;
}

static inline const struct skep_operand *random_operand(struct maker *m)
{
    struct skep_operand *o = skep_arena_alloc(m->pool, sizeof(*o));
    o->transform = SKEP_TRANSFORM_INVALID;
    do {
        o->field = m->kind ? random_known(m->r, m->kind) : NULL;
        if (!o->field)
            o->field = random_field(m->r, m->prefer_spots);
        o->arg = NULL;
        if (o->field->flags & SKEP_FIELD_ARG_REQUIRED ||
            (o->field->flags & SKEP_FIELD_ARG_OPTIONAL && one_in(m->r, 2)))
            o->arg = random_arg(m->r, o->field);
    } while (!o->arg && o->field->flags & SKEP_FIELD_ARG_REQUIRED);
    if (!one_in(m->r, 12))
        return o;
    static const enum skep_transform_id ids[] = {SKEP_TRANSFORM_tolower, SKEP_TRANSFORM_toupper,
                                                 SKEP_TRANSFORM_len,     SKEP_TRANSFORM_basename,
                                                 SKEP_TRANSFORM_b64,     SKEP_TRANSFORM_val};
    struct skep_operand *t = skep_arena_alloc(m->pool, sizeof(*t));
    enum skep_rule_type type;
    uint32_t flags;
    const char *reason;
    t->transform = ids[rnd(m->r, ARRAY_SIZE(ids))];
    t->operands = skep_arena_array(m->pool, 1, sizeof(*t->operands));
    t->operands[0] = o;
    t->n_operands = 1;
    return skep_transform_type(t, &type, &flags, &reason) ? t : o;
}

/* A value that an event has; false: not found. */
static inline bool random_seen(struct maker *m, const struct skep_operand *o, struct ref_value *ret)
{
    struct ref_values *v = malloc(sizeof(*v));
    bool found = false;
    for (unsigned tries = 0; tries < 6 && !found; tries++) {
        skep_rule_ctx_begin(m->ctx, &m->events[rnd(m->r, (uint32_t)m->n_events)].ev);
        ref_get(m->ctx, o, v);
        found = v->there && v->n;
        if (found)
            *ret = v->list[rnd(m->r, (uint32_t)v->n)];
    }
    free(v);
    return found;
}

static inline struct skep_literal literal(struct maker *m, const char *s, size_t n)
{
    return (struct skep_literal){.s = skep_arena_text(m->pool, s, n), .n = n};
}

/* Texts that mean themselves to fnmatch and PCRE. */
static inline bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !memchr("/_-:=, ", s[i], 8))
            return false;
    return true;
}

static inline struct skep_literal random_pattern(struct maker *m, const char *s, size_t n, bool regex)
{
    char buf[512];
    const char *any = regex ? ".*" : "*", *one = regex ? "[a-z/]" : "?";
    if (!is_plain(s, n) || n > 200) {
        s = words[rnd(m->r, 20)];
        n = is_plain(s, strlen(s)) ? strlen(s) : 0;
    }
    size_t cut = rnd(m->r, (uint32_t)n + 1), cut2 = cut + rnd(m->r, (uint32_t)(n - cut) + 1);
    int len = 0;
    switch (rnd(m->r, 8)) {
    case 0:
        len = snprintf(buf, sizeof(buf), "%.*s%s", (int)cut, s, any);
        break;
    case 1:
        len = snprintf(buf, sizeof(buf), "%s%.*s", any, (int)(n - cut), s + cut);
        break;
    case 2:
        len = snprintf(buf, sizeof(buf), "%s%.*s%s", any, (int)(cut2 - cut), s + cut, any);
        break;
    case 3:
        len = snprintf(buf, sizeof(buf), "%.*s%s%.*s", (int)cut, s, any, (int)(n - cut2), s + cut2);
        break;
    case 4:
        len = snprintf(buf, sizeof(buf), "%.*s%s%.*s", (int)cut, s, one, (int)(n - cut2), s + cut2);
        break;
    case 5:
        len = snprintf(buf, sizeof(buf), regex ? "(%.*s|x)%s[^q]*" : "%.*s%s[!q]*", (int)cut, s, any);
        break;
    case 6:
        len = snprintf(buf, sizeof(buf), regex ? "(%.*s)+([a-f]{1,3}|/)*" : "%.*s[[:alpha:]/]*", (int)cut, s);
        break;
    default:
        len = snprintf(buf, sizeof(buf), "%.*s", (int)n, s);
    }
    if (regex && len == 0)
        len = snprintf(buf, sizeof(buf), "a*");
    return literal(m, buf, (size_t)len);
}

static inline struct skep_literal random_path(struct maker *m, const char *s, size_t n)
{
    char buf[400];
    if (!is_plain(s, n) || n > 300) {
        s = words[7 + rnd(m->r, 8)];
        n = strlen(s);
    }
    n = one_in(m->r, 2) ? n : rnd(m->r, (uint32_t)n + 1);
    int len = snprintf(buf, sizeof(buf), "%.*s", (int)n, s);
    if (one_in(m->r, 6) && len)
        buf[rnd(m->r, (uint32_t)len)] = '*';
    return literal(m, buf, (size_t)len);
}

static inline struct skep_literal random_number(struct maker *m, enum skep_rule_op op, int64_t v)
{
    char buf[80];
    v += one_in(m->r, 3) ? (int64_t)rnd(m->r, 5) - 2 : 0;
    bool range =
        (op == SKEP_RULE_OP_IN || op == SKEP_RULE_OP_INTERSECTS) && one_in(m->r, 3) && v < INT64_MAX / 2;
    int n = range ? snprintf(buf, sizeof(buf), "%lld-%lld", (long long)v, (long long)v + rnd(m->r, 5000))
                  : snprintf(buf, sizeof(buf), "%lld", (long long)v);
    return literal(m, buf, (size_t)n);
}

static inline struct skep_literal random_ip(struct maker *m, const struct ref_value *v)
{
    char buf[80] = "10.0.0.0";
    bool four = v->n != 16;
    uint8_t ip[16];
    if (v->n == 4 || v->n == 16) {
        memcpy(ip, v->s, v->n);
        for (unsigned i = rnd(m->r, 4); i > 1; i--)
            ip[rnd(m->r, (uint32_t)v->n)] = (uint8_t)rnd64(m->r);
        inet_ntop(four ? AF_INET : AF_INET6, ip, buf, sizeof(buf));
    }
    if (one_in(m->r, 2))
        snprintf(buf + strlen(buf), 8, "/%u", rnd(m->r, four ? 33 : 129));
    return literal(m, buf, strlen(buf));
}

static inline struct skep_literal random_value(struct maker *m, const struct skep_operand *o,
                                               enum skep_rule_type type, enum skep_rule_op op)
{
    char buf[2 * SKEP_FACT_TEXT_MAX];
    struct ref_value v = {.s = "", .number = rnd(m->r, 50)};
    bool seen = random_seen(m, o, &v);
    if (type == SKEP_RULE_BOOL)
        return one_in(m->r, 2) ? literal(m, "true", 4) : literal(m, "false", 5);
    if (type == SKEP_RULE_NUMBER)
        return random_number(m, op, v.number);
    if (type == SKEP_RULE_IP)
        return random_ip(m, &v);
    if (!seen || one_in(m->r, 5)) {
        v.s = words[rnd(m->r, ARRAY_SIZE(words))];
        v.n = strlen(v.s);
    }
    size_t from = 0, n = v.n;
    switch (op) {
    case SKEP_RULE_OP_GLOB:
    case SKEP_RULE_OP_IGLOB:
    case SKEP_RULE_OP_REGEX:
        return random_pattern(m, v.s, v.n, op == SKEP_RULE_OP_REGEX);
    case SKEP_RULE_OP_PMATCH:
        return random_path(m, v.s, v.n);
    case SKEP_RULE_OP_STARTSWITH:
    case SKEP_RULE_OP_BSTARTSWITH:
        n = one_in(m->r, 3) ? n : rnd(m->r, (uint32_t)MIN(n, (size_t)40) + 1);
        break;
    case SKEP_RULE_OP_ENDSWITH:
        from = n - (one_in(m->r, 3) ? n : rnd(m->r, (uint32_t)MIN(n, (size_t)40) + 1));
        n -= from;
        break;
    case SKEP_RULE_OP_CONTAINS:
    case SKEP_RULE_OP_ICONTAINS:
    case SKEP_RULE_OP_BCONTAINS:
        from = rnd(m->r, (uint32_t)n + 1);
        n = rnd(m->r, (uint32_t)MIN(n - from, (size_t)30) + 1);
        break;
    default:
        break;
    }
    n = MIN(n, (size_t)5000);
    if (op == SKEP_RULE_OP_BCONTAINS || op == SKEP_RULE_OP_BSTARTSWITH) {
        n = MIN(n, (size_t)2000);
        for (size_t i = 0; i < n; i++)
            snprintf(buf + 2 * i, 3, "%02x", (unsigned char)v.s[from + i]);
        return literal(m, buf, 2 * n);
    }
    memcpy(buf, v.s + from, n);
    if (n && one_in(m->r, 6))
        buf[rnd(m->r, (uint32_t)n)] ^= 1 << rnd(m->r, 7);
    if (n && op == SKEP_RULE_OP_ICONTAINS)
        buf[rnd(m->r, (uint32_t)n)] = (char)toupper((unsigned char)buf[rnd(m->r, (uint32_t)n)]);
    return literal(m, buf, n);
}

static inline enum skep_rule_op random_op(struct random *r, enum skep_rule_type type, bool list)
{
    static const enum skep_rule_op texts[] = {
        SKEP_RULE_OP_EQ,         SKEP_RULE_OP_NE,         SKEP_RULE_OP_CONTAINS, SKEP_RULE_OP_ICONTAINS,
        SKEP_RULE_OP_BCONTAINS,  SKEP_RULE_OP_STARTSWITH, SKEP_RULE_OP_ENDSWITH, SKEP_RULE_OP_BSTARTSWITH,
        SKEP_RULE_OP_GLOB,       SKEP_RULE_OP_IGLOB,      SKEP_RULE_OP_REGEX,    SKEP_RULE_OP_IN,
        SKEP_RULE_OP_INTERSECTS, SKEP_RULE_OP_PMATCH,     SKEP_RULE_OP_EXISTS,   SKEP_RULE_OP_STARTSWITH};
    static const enum skep_rule_op numbers[] = {
        SKEP_RULE_OP_EQ, SKEP_RULE_OP_NE, SKEP_RULE_OP_LT,         SKEP_RULE_OP_LE,    SKEP_RULE_OP_GT,
        SKEP_RULE_OP_GE, SKEP_RULE_OP_IN, SKEP_RULE_OP_INTERSECTS, SKEP_RULE_OP_EXISTS};
    static const enum skep_rule_op others[] = {SKEP_RULE_OP_EQ, SKEP_RULE_OP_NE, SKEP_RULE_OP_IN,
                                               SKEP_RULE_OP_EXISTS};
    static const enum skep_rule_op lists[] = {SKEP_RULE_OP_IN, SKEP_RULE_OP_INTERSECTS, SKEP_RULE_OP_EXISTS};
    if (list)
        return type == SKEP_RULE_TEXT && one_in(r, 4) ? SKEP_RULE_OP_PMATCH
                                                      : lists[rnd(r, ARRAY_SIZE(lists))];
    if (type == SKEP_RULE_TEXT)
        return texts[rnd(r, ARRAY_SIZE(texts))];
    return type == SKEP_RULE_NUMBER ? numbers[rnd(r, ARRAY_SIZE(numbers))]
                                    : others[rnd(r, ARRAY_SIZE(others))];
}

static inline void random_type_of(const struct skep_operand *o, enum skep_rule_type *type, uint32_t *flags)
{
    const char *reason;
    if (!o->field) {
        skep_transform_type(o, type, flags, &reason);
        return;
    }
    *type = o->field->type;
    *flags = o->field->flags;
    if (o->arg)
        *flags &= ~(uint32_t)SKEP_FIELD_ANY;
    if (o->arg && o->field->flags & SKEP_FIELD_ARG_INDEX)
        *flags &= ~(uint32_t)SKEP_FIELD_LIST;
}

static inline bool takes_several(enum skep_rule_op op)
{
    return op == SKEP_RULE_OP_IN || op == SKEP_RULE_OP_INTERSECTS || op == SKEP_RULE_OP_PMATCH;
}

/* val() of another field of the same type. */
static inline const struct skep_operand *random_right(struct maker *m, enum skep_rule_type type,
                                                      enum skep_rule_op op)
{
    static const enum skep_rule_op allowed[] = {
        SKEP_RULE_OP_EQ,       SKEP_RULE_OP_NE,        SKEP_RULE_OP_LT,         SKEP_RULE_OP_GE,
        SKEP_RULE_OP_CONTAINS, SKEP_RULE_OP_ICONTAINS, SKEP_RULE_OP_STARTSWITH, SKEP_RULE_OP_ENDSWITH,
        SKEP_RULE_OP_IN,       SKEP_RULE_OP_INTERSECTS};
    bool fine = false;
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
        fine |= allowed[i] == op;
    for (unsigned tries = 0; fine && tries < 20; tries++) {
        enum skep_rule_type t;
        uint32_t flags;
        const struct skep_operand *o = random_operand(m);
        random_type_of(o, &t, &flags);
        if (t == type && (!(flags & SKEP_FIELD_LIST) || takes_several(op)))
            return o;
    }
    return NULL;
}

static inline void random_check(struct maker *m, struct skep_check *k)
{
    enum skep_rule_type type = SKEP_RULE_TEXT;
    uint32_t flags = 0;
    k->left = random_operand(m);
    random_type_of(k->left, &type, &flags);
    k->op = random_op(m->r, type, flags & SKEP_FIELD_LIST);
    if (k->op == SKEP_RULE_OP_EXISTS)
        return;
    if (one_in(m->r, 14) && (k->right = random_right(m, type, k->op)))
        return;
    bool ordered = k->op == SKEP_RULE_OP_LT || k->op == SKEP_RULE_OP_LE || k->op == SKEP_RULE_OP_GT ||
                   k->op == SKEP_RULE_OP_GE;
    size_t n = 1;
    if (takes_several(k->op)) {
        n = one_in(m->r, 12) ? 1 + rnd(m->r, 300) : 1 + rnd(m->r, 6);
    } else if (!ordered && one_in(m->r, 8)) {
        k->quantifier = (enum skep_rule_quantifier)(1 + rnd(m->r, 3));
        n = 1 + rnd(m->r, 5);
    }
    struct skep_literal *values = skep_arena_array(m->pool, n, sizeof(*values));
    for (size_t i = 0; i < n; i++)
        values[i] = random_value(m, k->left, type, k->op);
    k->values = values;
    k->n_values = n;
}

/* shared: expressions that were made before, as macros are. */
static inline const struct skep_expr *random_expr(struct maker *m, unsigned depth,
                                                  const struct skep_expr **shared, size_t *n_shared)
{
    if (*n_shared && one_in(m->r, 5))
        return shared[rnd(m->r, (uint32_t)*n_shared)];
    struct skep_expr *e = skep_arena_alloc(m->pool, sizeof(*e));
    e->kind = depth == 0 || one_in(m->r, 3) ? SKEP_EXPR_CHECK : (enum skep_expr_kind)rnd(m->r, 3);
    if (e->kind == SKEP_EXPR_CHECK) {
        random_check(m, &e->check);
    } else {
        e->n_kids = e->kind == SKEP_EXPR_NOT ? 1 : one_in(m->r, 40) ? 0 : 1 + rnd(m->r, 4);
        e->kids = skep_arena_array(m->pool, e->n_kids, sizeof(*e->kids));
        for (size_t i = 0; i < e->n_kids; i++)
            e->kids[i] = random_expr(m, depth - 1, shared, n_shared);
    }
    if (*n_shared < 32 && one_in(m->r, 3))
        shared[(*n_shared)++] = e;
    return e;
}

/* What the rules of a policy demand alike: one field by one operator, or whatever fits the field. */
struct crowd {
    const struct skep_operand *o;
    enum skep_rule_type type;
    enum skep_rule_op op;
    bool list, mixed;
};

static inline void random_crowd(struct maker *m, struct crowd *c)
{
    struct skep_operand *o = skep_arena_alloc(m->pool, sizeof(*o));
    do {
        o->field = random_field(m->r, m->prefer_spots);
    } while (o->field->flags & SKEP_FIELD_ARG_REQUIRED ||
             (o->field->type != SKEP_RULE_TEXT && one_in(m->r, 3)));
    o->transform = SKEP_TRANSFORM_INVALID;
    c->o = o;
    c->type = o->field->type;
    c->list = o->field->flags & SKEP_FIELD_LIST;
    c->mixed = one_in(m->r, 3);
    do
        c->op = random_op(m->r, c->type, c->list);
    while (c->op == SKEP_RULE_OP_EXISTS || c->op == SKEP_RULE_OP_NE);
}

static inline const struct skep_expr *random_demand(struct maker *m, const struct crowd *c)
{
    struct skep_expr *demand = skep_arena_alloc(m->pool, sizeof(*demand));
    struct skep_check *k = &demand->check;
    enum skep_rule_op op = c->op;
    while (c->mixed && (op == c->op || op == SKEP_RULE_OP_EXISTS) && !one_in(m->r, 4))
        op = random_op(m->r, c->type, c->list);
    demand->kind = SKEP_EXPR_CHECK;
    k->left = c->o;
    k->op = op == SKEP_RULE_OP_EXISTS                  ? c->op
            : op == SKEP_RULE_OP_EQ && one_in(m->r, 3) ? SKEP_RULE_OP_IN
                                                       : op;
    size_t n = takes_several(k->op) ? 1 + rnd(m->r, one_in(m->r, 6) ? 80 : 4) : 1;
    struct skep_literal *values = skep_arena_array(m->pool, n, sizeof(*values));
    for (size_t i = 0; i < n; i++)
        values[i] = random_value(m, c->o, c->type, k->op);
    k->values = values;
    k->n_values = n;
    return demand;
}

/* Many rules that demand something of one or two fields, as lists of known names and places do. */
static inline const struct skep_expr *random_alike(struct maker *m, const struct crowd crowds[2],
                                                   const struct skep_expr *rest)
{
    struct skep_expr *both = skep_arena_alloc(m->pool, sizeof(*both));
    const struct skep_expr *demand = random_demand(m, &crowds[0]);
    if (one_in(m->r, 3)) {
        struct skep_expr *either = skep_arena_alloc(m->pool, sizeof(*either));
        either->kind = SKEP_EXPR_OR;
        either->n_kids = 2 + rnd(m->r, 2);
        either->kids = skep_arena_array(m->pool, 3, sizeof(*either->kids));
        either->kids[0] = demand;
        either->kids[1] = random_demand(m, &crowds[1]);
        either->kids[2] = random_demand(m, &crowds[rnd(m->r, 2)]);
        demand = either;
    }
    both->kind = SKEP_EXPR_AND;
    both->n_kids = one_in(m->r, 4) ? 1 : 2;
    both->kids = skep_arena_array(m->pool, 2, sizeof(*both->kids));
    both->kids[0] = demand;
    both->kids[1] = rest;
    return both;
}

static inline void random_policy(struct maker *m, size_t n, struct skep_policy *ret)
{
    const struct skep_expr *shared[32];
    size_t n_shared = 0;
    struct skep_rule *rules = skep_arena_array(m->pool, n, sizeof(*rules));
    bool alike = n >= 10 && one_in(m->r, 2);
    struct crowd crowds[2];
    random_crowd(m, &crowds[0]);
    random_crowd(m, &crowds[1]);
    for (size_t i = 0; i < n; i++) {
        rules[i].name = "random";
        rules[i].state = one_in(m->r, 30) ? SKEP_RULE_DISABLED : SKEP_RULE_ENABLED;
        rules[i].condition = random_expr(m, rnd(m->r, 5), shared, &n_shared);
        if (alike && !one_in(m->r, 6))
            rules[i].condition = random_alike(m, crowds, rules[i].condition);
    }
    *ret = (struct skep_policy){.rules = rules, .n_rules = n};
}

/* A condition as text, for whoever looks into a failure. */
static inline void random_show(FILE *f, const struct skep_expr *e)
{
    static const char *const ops[] = {
#define SKEP_RULE_OP(name, text, args, doc) text,
#include "rule/ops.def"
#undef SKEP_RULE_OP
    };
    if (e->kind != SKEP_EXPR_CHECK) {
        fprintf(f, e->kind == SKEP_EXPR_NOT ? "not(" : e->kind == SKEP_EXPR_AND ? "and(" : "or(");
        for (size_t i = 0; i < e->n_kids; i++) {
            fprintf(f, i ? ", " : "");
            random_show(f, e->kids[i]);
        }
        fprintf(f, ")");
        return;
    }
    const struct skep_operand *o = e->check.left;
    if (!o->field) {
        fprintf(f, "%s()", skep_transform_name(o->transform));
        o = o->operands[0];
    }
    fprintf(f, "%s[%s] %s q%d", o->field->name, o->arg ? o->arg : "", ops[e->check.op],
            (int)e->check.quantifier);
    for (size_t i = 0; i < e->check.n_values && i < 5; i++)
        fprintf(f, " \"%.60s\"", e->check.values[i].s);
}
/* ---- rules about one kind of event, of which the kernel can decide most ---- */

/* A demand that few records meet, often of many values. */
static inline const struct skep_expr *random_narrow(struct maker *m)
{
    static const enum skep_rule_op texts[] = {
        SKEP_RULE_OP_EQ,         SKEP_RULE_OP_IN,       SKEP_RULE_OP_STARTSWITH,
        SKEP_RULE_OP_STARTSWITH, SKEP_RULE_OP_ENDSWITH, SKEP_RULE_OP_PMATCH,
        SKEP_RULE_OP_CONTAINS,   SKEP_RULE_OP_GLOB,     SKEP_RULE_OP_REGEX};
    struct skep_expr *e = skep_arena_alloc(m->pool, sizeof(*e));
    struct skep_check *k = &e->check;
    struct skep_operand *o = skep_arena_alloc(m->pool, sizeof(*o));
    o->transform = SKEP_TRANSFORM_INVALID;
    do
        o->field = random_known(m->r, m->kind);
    while (o->field && o->field->type != SKEP_RULE_TEXT && o->field->type != SKEP_RULE_IP &&
           !one_in(m->r, 3));
    if (!o->field)
        o->field = skep_rule_field_find("proc.name", strlen("proc.name"));
    enum skep_rule_type type = o->field->type;
    e->kind = SKEP_EXPR_CHECK;
    k->left = o;
    k->op = type == SKEP_RULE_TEXT ? texts[rnd(m->r, ARRAY_SIZE(texts))]
                                   : (one_in(m->r, 2) ? SKEP_RULE_OP_IN : SKEP_RULE_OP_EQ);
    size_t n = 1;
    if (takes_several(k->op)) {
        n = 1 + rnd(m->r, one_in(m->r, 5) ? 300 : 6);
    } else if (type == SKEP_RULE_TEXT && one_in(m->r, 3)) {
        k->quantifier = (enum skep_rule_quantifier)(1 + rnd(m->r, 3));
        n = 1 + rnd(m->r, one_in(m->r, 4) ? 40 : 4);
    }
    struct skep_literal *values = skep_arena_array(m->pool, n, sizeof(*values));
    for (size_t i = 0; i < n; i++)
        values[i] = random_value(m, o, type, k->op);
    k->values = values;
    k->n_values = n;
    return e;
}

static inline const struct skep_expr *random_join(struct maker *m, enum skep_expr_kind kind, unsigned depth)
{
    struct skep_expr *e = skep_arena_alloc(m->pool, sizeof(*e));
    e->kind = kind;
    e->n_kids = 2 + rnd(m->r, 3);
    e->kids = skep_arena_array(m->pool, e->n_kids, sizeof(*e->kids));
    for (size_t i = 0; i < e->n_kids; i++) {
        const struct skep_expr *one =
            depth && one_in(m->r, 3)
                ? random_join(m, kind == SKEP_EXPR_AND ? SKEP_EXPR_OR : SKEP_EXPR_AND, depth - 1)
                : random_narrow(m);
        if (i && kind == SKEP_EXPR_AND && one_in(m->r, 2)) {
            struct skep_expr *no = skep_arena_alloc(m->pool, sizeof(*no));
            no->kind = SKEP_EXPR_NOT;
            no->n_kids = 1;
            no->kids = skep_arena_array(m->pool, 1, sizeof(*no->kids));
            no->kids[0] = one;
            one = no;
        }
        e->kids[i] = one;
    }
    return e;
}

/* Each rule demands something; some of what they demand is common to many. */
static inline void random_known_policy(struct maker *m, size_t n, struct skep_policy *ret)
{
    const struct skep_expr *common[4];
    for (size_t i = 0; i < ARRAY_SIZE(common); i++)
        common[i] = one_in(m->r, 2) ? random_join(m, SKEP_EXPR_OR, 1) : random_narrow(m);
    random_policy(m, n, ret);
    for (size_t i = 0; i < n; i++) {
        struct skep_expr *e = (struct skep_expr *)random_join(m, SKEP_EXPR_AND, 2);
        if (one_in(m->r, 2))
            e->kids[e->n_kids - 1] = common[rnd(m->r, ARRAY_SIZE(common))];
        ((struct skep_rule *)&ret->rules[i])->condition = e;
    }
}
#endif
