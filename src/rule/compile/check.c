/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/check.h"

#include "base/hashmap.h"
#include "rule/match/glob.h"
#include "rule/match/text.h"
#include "rule/names/services.h"

#include <ctype.h>

#define CODE "LOAD_ERR_COMPILE_CONDITION"
#define WRONG ((void *)UINTPTR_MAX) /* in the table: was complained about */
#define DEPTH_MAX (4 * SKEP_RULE_DEPTH_MAX)

static const struct {
    const char *text;
    enum skep_atom_op op;
    bool text_only, number_only, with_right;
} ops[SKEP_RULE_OP_MAX] = {
    [SKEP_RULE_OP_EXISTS] = {"exists", SKEP_ATOM_EXISTS, false, false, false},
    [SKEP_RULE_OP_EQ] = {"=", SKEP_ATOM_EQ, false, false, true},
    [SKEP_RULE_OP_NE] = {"!=", SKEP_ATOM_EQ, false, false, true},
    [SKEP_RULE_OP_LT] = {"<", SKEP_ATOM_LT, false, true, true},
    [SKEP_RULE_OP_LE] = {"<=", SKEP_ATOM_LE, false, true, true},
    [SKEP_RULE_OP_GT] = {">", SKEP_ATOM_GT, false, true, true},
    [SKEP_RULE_OP_GE] = {">=", SKEP_ATOM_GE, false, true, true},
    [SKEP_RULE_OP_CONTAINS] = {"contains", SKEP_ATOM_CONTAINS, true, false, true},
    [SKEP_RULE_OP_ICONTAINS] = {"icontains", SKEP_ATOM_ICONTAINS, true, false, true},
    [SKEP_RULE_OP_BCONTAINS] = {"bcontains", SKEP_ATOM_CONTAINS, true, false, false},
    [SKEP_RULE_OP_STARTSWITH] = {"startswith", SKEP_ATOM_STARTSWITH, true, false, true},
    [SKEP_RULE_OP_BSTARTSWITH] = {"bstartswith", SKEP_ATOM_STARTSWITH, true, false, false},
    [SKEP_RULE_OP_ENDSWITH] = {"endswith", SKEP_ATOM_ENDSWITH, true, false, true},
    [SKEP_RULE_OP_GLOB] = {"glob", SKEP_ATOM_GLOB, true, false, false},
    [SKEP_RULE_OP_IGLOB] = {"iglob", SKEP_ATOM_IGLOB, true, false, false},
    [SKEP_RULE_OP_REGEX] = {"regex", SKEP_ATOM_REGEX, true, false, false},
    [SKEP_RULE_OP_IN] = {"in", SKEP_ATOM_EQ, false, false, true},
    [SKEP_RULE_OP_INTERSECTS] = {"intersects", SKEP_ATOM_EQ, false, false, true},
    [SKEP_RULE_OP_PMATCH] = {"pmatch", SKEP_ATOM_PMATCH, true, false, false},
};

static bool takes_list(enum skep_rule_op op)
{
    return op == SKEP_RULE_OP_IN || op == SKEP_RULE_OP_INTERSECTS || op == SKEP_RULE_OP_PMATCH;
}

/* What is being looked at. */
struct look {
    struct skep_checker *c;
    const struct skep_check *k;
    const struct skep_rule_place *place;
    const struct skep_fact_request *left;
    struct skep_atom atom; /* without values */
    struct skep_constant *values;
};

static const char *a_value(enum skep_rule_type type)
{
    switch (type) {
    case SKEP_RULE_NUMBER:
        return "a number";
    case SKEP_RULE_BOOL:
        return "true or false";
    case SKEP_RULE_IP:
        return "an address";
    default:
        return "a text";
    }
}

static int complain(struct look *l, const struct skep_rule_place *p, const char *what, const char *reason)
{
    skep_rule_complain(l->c->diags, true, p && p->source ? p : l->place, CODE, "%s%s%s", what,
                       *what && *reason ? ": " : "", reason);
    return -EINVAL;
}

static const struct skep_rule_place *place_of(const struct skep_operand *o, const struct look *l)
{
    return o->place.source ? &o->place : l->place;
}

/* ---- values ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_hex(struct look *l, const struct skep_literal *v, struct skep_constant *ret)
{
    char *out = skep_arena_alloc(l->c->pool, v->n / 2 + 1);
    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < v->n; i++) {
        int d = hex_digit(v->s[i]);
        if (d < 0 || v->n % 2)
            return complain(l, &v->place, "bytes are written as pairs of hexadecimal digits", "");
        out[i / 2] = (char)(i % 2 ? out[i / 2] | d : d << 4);
    }
    ret->text.s = out;
    ret->text.n = v->n / 2;
    return 0;
}

static int lower(struct look *l, struct skep_constant *c)
{
    char *out = skep_arena_text(l->c->pool, c->text.s, c->text.n);
    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < c->text.n; i++)
        out[i] = (char)skep_byte_lower((uint8_t)out[i]);
    c->text.s = out;
    return 0;
}

/* < 5 is an interval. */
static void open_interval(enum skep_rule_op op, struct skep_constant *c, bool *ret_never)
{
    int64_t v = c->number.lo;
    *ret_never = (op == SKEP_RULE_OP_LT && v == INT64_MIN) || (op == SKEP_RULE_OP_GT && v == INT64_MAX);
    if (*ret_never)
        return;
    if (op == SKEP_RULE_OP_LT || op == SKEP_RULE_OP_LE) {
        c->number.lo = INT64_MIN;
        c->number.hi = v - (op == SKEP_RULE_OP_LT);
    } else if (op == SKEP_RULE_OP_GT || op == SKEP_RULE_OP_GE) {
        c->number.lo = v + (op == SKEP_RULE_OP_GT);
        c->number.hi = INT64_MAX;
    }
}

/* The name of a service where a port is meant. */
static bool is_service(const struct look *l, const struct skep_literal *v, struct skep_constant *ret)
{
    const struct skep_rule_field *f = l->k->left->field;
    uint16_t port;
    if (!f || !(f->flags & SKEP_FIELD_PORT) || !v->n || !isalpha((unsigned char)v->s[0]) ||
        !skep_rule_service_port(v->s, v->n, &port))
        return false;
    *ret = (struct skep_constant){.number = {port, port}};
    return true;
}

static int read_value(struct look *l, const struct skep_literal *v, struct skep_constant *ret)
{
    enum skep_rule_op op = l->k->op;
    if (op == SKEP_RULE_OP_BCONTAINS || op == SKEP_RULE_OP_BSTARTSWITH)
        return read_hex(l, v, ret);
    const char *reason;
    bool ranges = op == SKEP_RULE_OP_IN || op == SKEP_RULE_OP_INTERSECTS;
    if (is_service(l, v, ret))
        return 0;
    if (!skep_constant_read(l->atom.type, v->s, v->n, ranges, ret, &reason)) {
        skep_rule_complain(l->c->diags, true, v->place.source ? &v->place : l->place, CODE, "`%.*s` %s",
                           (int)MIN(v->n, (size_t)100), v->s, reason);
        return -EINVAL;
    }
    return l->atom.op == SKEP_ATOM_ICONTAINS ? lower(l, ret) : 0;
}

static int read_values(struct look *l)
{
    int result = 0;
    l->values = skep_arena_array(l->c->pool, l->k->n_values, sizeof(*l->values));
    if (!l->values)
        return -ENOMEM;
    for (size_t i = 0; i < l->k->n_values; i++) {
        int r = read_value(l, &l->k->values[i], &l->values[i]);
        if (r == -ENOMEM)
            return r;
        result = r < 0 ? r : result;
    }
    return result;
}

/* ---- atoms ---- */

static int put_atom(struct look *l, struct skep_atom *one, uint32_t *ret)
{
    uint32_t atom;
    const char *reason = "";
    size_t value = 0;
    int r = skep_atoms_put(l->c->atoms, one, &atom, &reason, &value);
    if (r == -EINVAL) {
        /* about one of several that were sorted: find it among those that were written */
        const struct skep_rule_place *p = NULL;
        for (size_t i = 0; value < one->n_values && i < l->k->n_values; i++)
            if (l->k->values[i].n == one->values[value].text.n &&
                memcmp(l->k->values[i].s, one->values[value].text.s, l->k->values[i].n) == 0)
                p = &l->k->values[i].place;
        return complain(l, p, "", reason);
    }
    if (r == 0)
        *ret = skep_dag_atom(l->c->dag, atom);
    return r;
}

/* A pattern that is a plain comparison becomes that. */
static int simplify_glob(struct look *l, struct skep_atom *a)
{
    const struct skep_constant *c = &a->values[0];
    _cleanup_free_ struct skep_glob *g = malloc(sizeof(*g));
    if (!g)
        return -ENOMEM;
    if (a->op != SKEP_ATOM_GLOB || a->n_values != 1 || a->oneof ||
        skep_rule_glob_look(c->text.s, c->text.n, g) < 0)
        return 0;
    static const enum skep_atom_op shapes[] = {
        [SKEP_GLOB_LITERAL] = SKEP_ATOM_EQ,      [SKEP_GLOB_PREFIX] = SKEP_ATOM_STARTSWITH,
        [SKEP_GLOB_SUFFIX] = SKEP_ATOM_ENDSWITH, [SKEP_GLOB_CONTAINS] = SKEP_ATOM_CONTAINS,
        [SKEP_GLOB_ALL] = SKEP_ATOM_STARTSWITH,  [SKEP_GLOB_OTHER] = SKEP_ATOM_GLOB,
    };
    if (g->shape == SKEP_GLOB_OTHER)
        return 0;
    bool suffix = g->shape == SKEP_GLOB_SUFFIX;
    size_t n = suffix ? g->n_end : g->shape == SKEP_GLOB_ALL ? 0 : g->n_begin;
    struct skep_constant *plain = skep_arena_alloc(l->c->pool, sizeof(*plain));
    char *s = skep_arena_text(l->c->pool, suffix ? g->end : g->begin, n);
    if (!plain || !s)
        return -ENOMEM;
    plain->text.s = s;
    plain->text.n = n;
    a->values = plain;
    a->op = shapes[g->shape];
    return 0;
}

/* Values first to first + n of the check, of which any may fit. */
static int any_of(struct look *l, size_t first, size_t n, uint32_t *ret)
{
    struct skep_atom one = l->atom;
    one.values = l->values + first;
    one.n_values = n;
    int r = n ? simplify_glob(l, &one) : 0;
    return r < 0 ? r : put_atom(l, &one, ret);
}

static int exists(struct look *l, uint32_t request, uint32_t *ret)
{
    struct skep_atom one = {.op = SKEP_ATOM_EXISTS,
                            .type = l->c->requests->list[request].type,
                            .request = request,
                            .right = SKEP_ATOM_NO_RIGHT};
    return put_atom(l, &one, ret);
}

/* Has a value, and not this. */
static int but_not(struct look *l, uint32_t node, uint32_t *ret)
{
    uint32_t both[3];
    size_t n = 0;
    both[n++] = skep_dag_not(l->c->dag, node);
    int r = exists(l, l->atom.request, &both[n++]);
    if (r == 0 && l->atom.right != SKEP_ATOM_NO_RIGHT)
        r = exists(l, l->atom.right, &both[n++]);
    if (r == 0)
        *ret = skep_dag_join(l->c->dag, SKEP_NODE_AND, both, n);
    return r;
}

static int one_value(struct look *l, size_t i, uint32_t *ret)
{
    uint32_t node;
    int r = any_of(l, i, 1, &node);
    if (r < 0)
        return r;
    if (l->k->op == SKEP_RULE_OP_NE)
        return but_not(l, node, ret);
    *ret = node;
    return 0;
}

static int quantified(struct look *l, uint32_t *ret)
{
    size_t n = l->k->n_values;
    bool ne = l->k->op == SKEP_RULE_OP_NE;
    if (n == 0) {
        *ret = SKEP_NODE_FALSE;
        return 0;
    }
    if (l->k->quantifier == SKEP_RULE_ONEOF) {
        struct skep_atom one = l->atom;
        one.oneof = true;
        one.negated = ne;
        one.values = l->values;
        one.n_values = n;
        return put_atom(l, &one, ret);
    }
    if (l->k->quantifier == SKEP_RULE_ANYOF && !ne)
        return any_of(l, 0, n, ret);
    if (l->k->quantifier == SKEP_RULE_ALLOF && ne) { /* none of them */
        uint32_t node;
        int r = any_of(l, 0, n, &node);
        return r < 0 ? r : but_not(l, node, ret);
    }
    _cleanup_free_ uint32_t *nodes = calloc(n, sizeof(*nodes));
    if (!nodes)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r = one_value(l, i, &nodes[i]);
        if (r < 0)
            return r;
    }
    bool all = l->k->quantifier == SKEP_RULE_ALLOF;
    *ret = skep_dag_join(l->c->dag, all ? SKEP_NODE_AND : SKEP_NODE_OR, nodes, n);
    return 0;
}

/* ---- checks ---- */

static int with_constants(struct look *l, uint32_t *ret)
{
    enum skep_rule_op op = l->k->op;
    int r = read_values(l);
    if (r < 0)
        return r;
    if (l->k->quantifier != SKEP_RULE_SINGLE)
        return quantified(l, ret);
    if (takes_list(op)) {
        if (l->k->n_values)
            return any_of(l, 0, l->k->n_values, ret);
        *ret = SKEP_NODE_FALSE;
        return 0;
    }
    if (l->k->n_values != 1)
        return complain(l, NULL, "the operator takes one value", "");
    bool never = false;
    if (ops[op].number_only) {
        open_interval(op, &l->values[0], &never);
        l->atom.op = SKEP_ATOM_EQ;
    }
    if (!never)
        return one_value(l, 0, ret);
    *ret = SKEP_NODE_FALSE;
    return 0;
}

static int with_field(struct look *l, uint32_t *ret)
{
    const char *reason = "";
    const struct skep_operand *o = l->k->right;
    uint32_t left = l->atom.request, right;
    if (!ops[l->k->op].with_right)
        return complain(l, place_of(o, l), "this operator compares with constants, not with a field", "");
    int r = skep_requests_put(l->c->requests, o, &right, &reason);
    if (r == -EINVAL)
        return complain(l, place_of(o, l), "", reason);
    if (r < 0)
        return r;
    const struct skep_fact_request *list = l->c->requests->list;
    if (list[right].type != list[left].type) {
        skep_rule_complain(l->c->diags, true, place_of(o, l), CODE, "%s cannot be compared with %s",
                           a_value(list[left].type), a_value(list[right].type));
        return -EINVAL;
    }
    if (list[right].flags & SKEP_FIELD_LIST && !takes_list(l->k->op))
        return complain(l, place_of(o, l), "a list can only be on the right side of in and intersects", "");
    l->atom.right = right;
    uint32_t node;
    r = put_atom(l,
                 &(struct skep_atom){l->atom.op, l->atom.mode, l->atom.type, .request = left, .right = right},
                 &node);
    if (r == 0 && l->k->op == SKEP_RULE_OP_NE)
        return but_not(l, node, ret);
    if (r == 0)
        *ret = node;
    return r;
}

/* Whether the operator may be applied to the field at all. */
static int check_op(struct look *l)
{
    enum skep_rule_op op = l->k->op;
    uint32_t flags = l->left->flags;
    if (op < 0 || op >= SKEP_RULE_OP_MAX)
        return complain(l, NULL, "there is no such operator", "");
    const char *reason = NULL;
    if (ops[op].text_only && l->left->type != SKEP_RULE_TEXT)
        reason = "is for texts";
    else if (ops[op].number_only && l->left->type != SKEP_RULE_NUMBER)
        reason = "is for numbers";
    else if (flags & SKEP_FIELD_LIST && op != SKEP_RULE_OP_EXISTS && !takes_list(op))
        reason = "is not for a list: use in, intersects or pmatch";
    else if (l->k->quantifier != SKEP_RULE_SINGLE &&
             (takes_list(op) || ops[op].number_only || op == SKEP_RULE_OP_EXISTS))
        reason = "takes no oneof, anyof or allof";
    if (!reason)
        return 0;
    _cleanup_strbuf_ struct skep_strbuf name;
    skep_strbuf_init(&name, 1 << 16);
    skep_operand_put(l->k->left, &name);
    skep_rule_complain(l->c->diags, true, l->place, CODE, "`%s` %s; `%s` is %s%s", ops[op].text, reason,
                       name.s, flags & SKEP_FIELD_LIST ? "a list, each " : "", a_value(l->left->type));
    return -EINVAL;
}

static int check_one(struct skep_checker *c, const struct skep_expr *e, uint32_t *ret)
{
    struct look l = {.c = c, .k = &e->check, .place = &e->place};
    uint32_t request;
    const char *reason = "";
    int r = skep_requests_put(c->requests, e->check.left, &request, &reason);
    if (r == -EINVAL) {
        _cleanup_strbuf_ struct skep_strbuf name;
        skep_strbuf_init(&name, 1 << 16);
        skep_operand_put(e->check.left, &name);
        return complain(&l, place_of(e->check.left, &l), name.s, reason);
    }
    if (r < 0)
        return r;
    struct skep_fact_request left = c->requests->list[request];
    l.left = &left;
    r = check_op(&l);
    if (r < 0)
        return r;
    enum skep_rule_op op = e->check.op;
    if (op == SKEP_RULE_OP_EXISTS)
        return exists(&l, request, ret);
    l.atom = (struct skep_atom){
        .op = ops[op].op, .type = left.type, .request = request, .right = SKEP_ATOM_NO_RIGHT};
    if (left.flags & SKEP_FIELD_ANY)
        l.atom.mode = SKEP_ATOM_ANY;
    else if (left.flags & SKEP_FIELD_LIST)
        l.atom.mode = op == SKEP_RULE_OP_IN ? SKEP_ATOM_ALL : SKEP_ATOM_ANY;
    return e->check.right ? with_field(&l, ret) : with_constants(&l, ret);
}

/* ---- expressions ---- */

static int check_join(struct skep_checker *c, const struct skep_expr *e, uint32_t *ret)
{
    int result = 0;
    _cleanup_free_ uint32_t *kids = calloc(MAX(e->n_kids, (size_t)1), sizeof(*kids));
    if (!kids)
        return -ENOMEM;
    for (size_t i = 0; i < e->n_kids; i++) {
        int r = skep_check_expr(c, e->kids[i], &kids[i]);
        if (r == -ENOMEM)
            return r;
        result = r < 0 ? r : result;
    }
    if (result < 0)
        return result;
    if (e->kind == SKEP_EXPR_NOT)
        *ret = e->n_kids == 1 ? skep_dag_not(c->dag, kids[0]) : SKEP_NODE_FALSE;
    else
        *ret =
            skep_dag_join(c->dag, e->kind == SKEP_EXPR_AND ? SKEP_NODE_AND : SKEP_NODE_OR, kids, e->n_kids);
    return 0;
}

int skep_check_expr(struct skep_checker *c, const struct skep_expr *e, uint32_t *ret_node)
{
    void *known = skep_hashmap_get(c->known, &e);
    if (known == WRONG)
        return -EINVAL; /* said already */
    if (known) {
        *ret_node = (uint32_t)(uintptr_t)known - 1;
        return 0;
    }
    if (c->depth >= DEPTH_MAX) {
        skep_rule_complain(c->diags, true, &e->place, CODE, "the condition is nested too deeply");
        return -EINVAL;
    }
    uint32_t node = SKEP_NODE_FALSE;
    c->depth++;
    int r = e->kind == SKEP_EXPR_CHECK ? check_one(c, e, &node) : check_join(c, e, &node);
    c->depth--;
    if (r == 0)
        r = c->dag->error;
    if (r < 0 && r != -EINVAL)
        return r;
    /* when the table has no room for it, it is looked at once more */
    (void)skep_hashmap_put(c->known, &e, r < 0 ? WRONG : (void *)((uintptr_t)node + 1), NULL);
    if (r == 0)
        *ret_node = node;
    return r;
}
