/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_REFERENCE_H
#define SKEP_TEST_REFERENCE_H
/*
 * What a condition means, written as plainly as possible: walks the tree, asks fields for their values again and
 * again, compares by the C library, fnmatch(3) and PCRE. Nothing of the compiler is used.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "rule/fact.h"
#include "rule/transform.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fnmatch.h>

#define REF_VALUES 600

struct ref_value {
    int64_t number;
    const char *s;
    size_t n;
};

struct ref_values {
    bool there;
    enum skep_rule_type type;
    uint32_t flags;
    size_t n;
    struct ref_value list[REF_VALUES];
};

/* x: a context that belongs to the reference, begun for the event. */
static inline void ref_get(struct skep_rule_ctx *x, const struct skep_operand *o, struct ref_values *ret)
{
    struct skep_fact_request q = {.operand = o, .field = o->field, .arg = o->arg};
    struct skep_fact f = {0};
    const char *reason;
    memset(ret, 0, sizeof(*ret));
    if (o->field) {
        q.type = o->field->type;
        q.flags = o->field->flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY | SKEP_FIELD_NET);
        if (o->arg)
            q.flags &= ~(uint32_t)SKEP_FIELD_ANY;
        if (o->arg && o->field->flags & SKEP_FIELD_ARG_INDEX) {
            q.index = (uint32_t)strtoul(o->arg, NULL, 10);
            q.flags &= ~(uint32_t)SKEP_FIELD_LIST;
        }
        ret->there = o->field->get(x, &q, &f);
    } else {
        if (!skep_transform_type(o, &q.type, &q.flags, &reason))
            abort();
        ret->there = skep_transform_get(x, &q, &f);
    }
    ret->type = q.type;
    ret->flags = q.flags;
    if (!ret->there)
        return;
    bool several = q.flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY);
    const struct skep_fact_item *items = (const void *)(uintptr_t)f.value;
    ret->n = several ? f.n : 1;
    if (ret->n > REF_VALUES)
        abort();
    for (size_t i = 0; i < ret->n; i++) {
        uint64_t v = several ? items[i].value : f.value;
        ret->list[i].number = (int64_t)v;
        ret->list[i].s = (const char *)(uintptr_t)v;
        ret->list[i].n = several ? items[i].n : f.n;
    }
}

static inline bool ref_contains(const char *s, size_t n, const char *t, size_t m, bool fold)
{
    for (size_t at = 0; at + m <= n; at++) {
        size_t i = 0;
        while (i < m &&
               (fold ? tolower((unsigned char)s[at + i]) == tolower((unsigned char)t[i]) : s[at + i] == t[i]))
            i++;
        if (i == m)
            return true;
    }
    return false;
}

/* fnmatch() reads texts up to a NUL: one inside is read as another byte that no pattern names. */
static inline bool ref_glob(const char *s, size_t n, const char *pattern, bool fold)
{
    char *text = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = s[i] ? s[i] : '\001';
    text[n] = '\0';
    bool fits = fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0) == 0;
    free(text);
    return fits;
}

static inline bool ref_regex(const char *s, size_t n, const char *pattern)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
    if (!re)
        abort();
    pcre2_match_data *md = pcre2_match_data_create_from_pattern(re, NULL);
    int r = pcre2_match(re, (PCRE2_SPTR)s, n, 0, 0, md, NULL);
    pcre2_match_data_free(md);
    pcre2_code_free(re);
    return r >= 0;
}

static inline size_t ref_split(char *s, char **parts, size_t max)
{
    size_t n = 0;
    for (char *p = strtok(s, "/"); p && n < max; p = strtok(NULL, "/"))
        parts[n++] = p;
    return n;
}

static inline bool ref_pmatch(const char *s, size_t n, const char *path)
{
    char *a = malloc(n + 1), *b = strdup(path), *have[3000], *want[512];
    for (size_t at = 0; at < n; at++)
        a[at] = s[at] ? s[at] : '\001';
    a[n] = '\0';
    size_t n_have = ref_split(a, have, 3000), n_want = ref_split(b, want, 512), i = 0;
    bool fits = n_have >= n_want;
    for (; fits && i < n_want; i++)
        fits = fnmatch(want[i], have[i], 0) == 0;
    free(a);
    free(b);
    return fits;
}

static inline bool ref_ip(const struct ref_value *v, const char *literal)
{
    char text[64];
    uint8_t net[16];
    snprintf(text, sizeof(text), "%s", literal);
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    bool four = !strchr(text, ':');
    if (inet_pton(four ? AF_INET : AF_INET6, text, net) != 1)
        abort();
    if (v->n != (four ? 4U : 16U))
        return false;
    unsigned bits = slash ? (unsigned)atoi(slash + 1) : (four ? 32 : 128);
    for (unsigned i = 0; i < bits; i++)
        if ((v->s[i / 8] ^ (char)net[i / 8]) & (0x80 >> (i % 8)))
            return false;
    return true;
}

static inline bool ref_number(enum skep_rule_op op, int64_t v, const char *literal)
{
    char *end;
    int64_t a = strtoll(literal, &end, strchr(literal, 'x') ? 16 : 10), b = a;
    if ((op == SKEP_RULE_OP_IN || op == SKEP_RULE_OP_INTERSECTS) && *end == '-')
        b = strtoll(end + 1, NULL, 10);
    switch (op) {
    case SKEP_RULE_OP_LT:
        return v < a;
    case SKEP_RULE_OP_LE:
        return v <= a;
    case SKEP_RULE_OP_GT:
        return v > a;
    case SKEP_RULE_OP_GE:
        return v >= a;
    default:
        return v >= a && v <= b;
    }
}

/* One value against one constant; != is asked as =. */
static inline bool ref_fits(enum skep_rule_op op, enum skep_rule_type type, const struct ref_value *v,
                            const struct skep_literal *l)
{
    char bytes[4096];
    size_t n = 0;
    if (type == SKEP_RULE_IP)
        return ref_ip(v, l->s);
    if (type == SKEP_RULE_BOOL)
        return (v->number != 0) == (strcmp(l->s, "true") == 0);
    if (type == SKEP_RULE_NUMBER)
        return ref_number(op, v->number, l->s);
    switch (op) {
    case SKEP_RULE_OP_CONTAINS:
        return ref_contains(v->s, v->n, l->s, l->n, false);
    case SKEP_RULE_OP_ICONTAINS:
        return ref_contains(v->s, v->n, l->s, l->n, true);
    case SKEP_RULE_OP_BCONTAINS:
    case SKEP_RULE_OP_BSTARTSWITH:
        for (; n < l->n / 2; n++)
            bytes[n] = (char)strtoul((char[]){l->s[2 * n], l->s[2 * n + 1], 0}, NULL, 16);
        return op == SKEP_RULE_OP_BCONTAINS ? ref_contains(v->s, v->n, bytes, n, false)
                                            : v->n >= n && memcmp(v->s, bytes, n) == 0;
    case SKEP_RULE_OP_STARTSWITH:
        return v->n >= l->n && memcmp(v->s, l->s, l->n) == 0;
    case SKEP_RULE_OP_ENDSWITH:
        return v->n >= l->n && memcmp(v->s + v->n - l->n, l->s, l->n) == 0;
    case SKEP_RULE_OP_GLOB:
    case SKEP_RULE_OP_IGLOB:
        return ref_glob(v->s, v->n, l->s, op == SKEP_RULE_OP_IGLOB);
    case SKEP_RULE_OP_REGEX:
        return ref_regex(v->s, v->n, l->s);
    case SKEP_RULE_OP_PMATCH:
        return ref_pmatch(v->s, v->n, l->s);
    default:
        return v->n == l->n && memcmp(v->s, l->s, l->n) == 0;
    }
}

/* Some value of the field against one constant. */
static inline bool ref_some(enum skep_rule_op op, const struct ref_values *v, const struct skep_literal *l)
{
    bool some = false;
    for (size_t i = 0; i < v->n; i++)
        some |= ref_fits(op, v->type, &v->list[i], l);
    return some != (op == SKEP_RULE_OP_NE);
}

static inline bool ref_pair(enum skep_rule_op op, enum skep_rule_type type, const struct ref_value *a,
                            const struct ref_value *b)
{
    if (type == SKEP_RULE_NUMBER || type == SKEP_RULE_BOOL) {
        switch (op) {
        case SKEP_RULE_OP_LT:
            return a->number < b->number;
        case SKEP_RULE_OP_LE:
            return a->number <= b->number;
        case SKEP_RULE_OP_GT:
            return a->number > b->number;
        case SKEP_RULE_OP_GE:
            return a->number >= b->number;
        default:
            return a->number == b->number;
        }
    }
    struct skep_literal l = {.s = b->s, .n = b->n};
    if (type == SKEP_RULE_IP || op == SKEP_RULE_OP_IN || op == SKEP_RULE_OP_INTERSECTS)
        return a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
    return ref_fits(op, type, a, &l);
}

static inline bool ref_right(struct skep_rule_ctx *x, const struct skep_check *k, const struct ref_values *v)
{
    struct ref_values *r = malloc(sizeof(*r));
    ref_get(x, k->right, r);
    bool all = k->op == SKEP_RULE_OP_IN && v->flags & SKEP_FIELD_LIST, result = all;
    for (size_t i = 0; i < v->n; i++) {
        bool some = false;
        for (size_t j = 0; j < r->n; j++)
            some |= ref_pair(k->op, v->type, &v->list[i], &r->list[j]);
        result = all ? result && some : result || some;
    }
    if (k->op == SKEP_RULE_OP_NE)
        result = !result;
    result &= r->there;
    free(r);
    return result;
}

static inline bool ref_check(struct skep_rule_ctx *x, const struct skep_check *k)
{
    struct ref_values *v = malloc(sizeof(*v));
    bool result = false;
    size_t fitting = 0;
    ref_get(x, k->left, v);
    for (size_t i = 0; v->there && i < k->n_values; i++)
        fitting += ref_some(k->op, v, &k->values[i]);
    if (!v->there) {
        result = false;
    } else if (k->op == SKEP_RULE_OP_EXISTS) {
        result = true;
    } else if (k->right) {
        result = ref_right(x, k, v);
    } else if (k->op == SKEP_RULE_OP_IN &&
               v->flags & SKEP_FIELD_LIST) { /* each element is one of the values */
        result = k->n_values > 0;
        for (size_t i = 0; i < v->n && result; i++) {
            bool some = false;
            for (size_t j = 0; j < k->n_values; j++)
                some |= ref_fits(k->op, v->type, &v->list[i], &k->values[j]);
            result = some;
        }
    } else if (k->quantifier == SKEP_RULE_ONEOF) {
        result = fitting == 1;
    } else if (k->quantifier == SKEP_RULE_ALLOF) {
        result = fitting == k->n_values && k->n_values;
    } else {
        result = fitting > 0;
    }
    free(v);
    return result;
}

static inline bool ref_expr(struct skep_rule_ctx *x, const struct skep_expr *e)
{
    switch (e->kind) {
    case SKEP_EXPR_CHECK:
        x->arena_at = 0; /* values of other checks are not needed any more */
        return ref_check(x, &e->check);
    case SKEP_EXPR_NOT:
        return !ref_expr(x, e->kids[0]);
    case SKEP_EXPR_AND:
        for (size_t i = 0; i < e->n_kids; i++)
            if (!ref_expr(x, e->kids[i]))
                return false;
        return true;
    default:
        for (size_t i = 0; i < e->n_kids; i++)
            if (ref_expr(x, e->kids[i]))
                return true;
        return false;
    }
}
#endif
