/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/request.h"

#include "rule/transform.h"

void skep_requests_init(struct skep_requests *q, struct skep_arena *pool)
{
    *q = (struct skep_requests){0};
    skep_intern_init(&q->numbers, pool);
}

void skep_requests_clear(struct skep_requests *q)
{
    skep_intern_clear(&q->numbers);
    free(q->kinds);
    free(q->list);
    *q = (struct skep_requests){0};
}

static bool read_index(const char *s, uint32_t *ret)
{
    uint32_t v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > SKEP_FIELD_INDEX_MAX)
            return false;
        v = v * 10 + (uint32_t)(*s - '0');
    }
    *ret = v;
    return v <= SKEP_FIELD_INDEX_MAX;
}

bool skep_request_of(const struct skep_operand *o, struct skep_fact_request *ret, const char **ret_reason)
{
    struct skep_fact_request q = {.operand = o, .field = o->field, .arg = o->arg};
    const struct skep_rule_field *f = o->field;
    if (!f) {
        if (o->transform < 0 || o->transform >= SKEP_TRANSFORM_MAX) {
            q.type = SKEP_RULE_TEXT;
        } else if (!skep_transform_type(o, &q.type, &q.flags, ret_reason)) {
            return false;
        }
        *ret = q;
        return true;
    }
    if (!o->arg && f->flags & SKEP_FIELD_ARG_REQUIRED) {
        *ret_reason = "the field needs an argument: name[argument]";
        return false;
    }
    if (o->arg && !(f->flags & (SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_OPTIONAL))) {
        *ret_reason = "the field takes no argument";
        return false;
    }
    if (o->arg && f->flags & SKEP_FIELD_ARG_INDEX && !read_index(o->arg, &q.index)) {
        *ret_reason = "the argument of this field is a number from 0 to 1023";
        return false;
    }
    if (o->arg && !skep_rule_field_arg_known(f, o->arg, strlen(o->arg))) {
        *ret_reason = "no event has this argument";
        return false;
    }
    q.type = f->type;
    q.flags = f->flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY | SKEP_FIELD_NET);
    /* an argument picks one of many: proc.aname[2] */
    if (o->arg)
        q.flags &= ~(uint32_t)(SKEP_FIELD_ANY | (f->flags & SKEP_FIELD_ARG_INDEX ? SKEP_FIELD_LIST : 0));
    *ret = q;
    return true;
}

void skep_operand_put(const struct skep_operand *o, struct skep_strbuf *sb)
{
    if (o->field) {
        skep_strbuf_puts(sb, o->field->name);
        if (o->arg) {
            skep_strbuf_putc(sb, '[');
            skep_strbuf_puts(sb, o->arg);
            skep_strbuf_putc(sb, ']');
        }
    } else if (o->transform < 0 || o->transform >= SKEP_TRANSFORM_MAX) {
        skep_strbuf_putc(sb, '"');
        skep_strbuf_puts(sb, o->literal ? o->literal : "");
        skep_strbuf_putc(sb, '"');
    } else {
        skep_strbuf_puts(sb, skep_transform_name(o->transform));
        skep_strbuf_putc(sb, '(');
        for (size_t i = 0; i < o->n_operands; i++) {
            skep_strbuf_puts(sb, i ? ", " : "");
            skep_operand_put(o->operands[i], sb);
        }
        skep_strbuf_putc(sb, ')');
    }
}

static unsigned depth_of(const struct skep_operand *o, unsigned limit)
{
    unsigned most = 0;
    for (size_t i = 0; limit && i < o->n_operands; i++) {
        unsigned d = depth_of(o->operands[i], limit - 1);
        most = MAX(most, d);
    }
    return 1 + most;
}

static uint32_t flags_of(const struct skep_operand *o, unsigned limit)
{
    uint32_t flags = o->field ? o->field->flags : 0;
    for (size_t i = 0; limit && i < o->n_operands; i++)
        flags |= flags_of(o->operands[i], limit - 1);
    return flags;
}

uint32_t skep_requests_flags(const struct skep_fact_request *list, size_t n)
{
    uint32_t flags = 0;
    for (size_t i = 0; i < n; i++)
        flags |= list[i].operand ? flags_of(list[i].operand, SKEP_OPERAND_DEPTH_MAX)
                 : list[i].field ? list[i].field->flags
                                 : 0;
    return flags;
}

/* Fields of other families compute nothing from the type. */
static bool is_typed(const struct skep_operand *o, unsigned limit)
{
    bool typed = !limit || (o->field && skep_startswith(o->field->name, "evt."));
    for (size_t i = 0; limit && i < o->n_operands; i++)
        typed |= is_typed(o->operands[i], limit - 1);
    return typed;
}

bool skep_requests_typed(const struct skep_fact_request *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!list[i].operand || is_typed(list[i].operand, SKEP_OPERAND_DEPTH_MAX))
            return true;
    return false;
}

/* The kinds that have all fields of o. */
static void kinds_of(const struct skep_operand *o, uint64_t kinds[SKEP_KIND_MAX / 64])
{
    static const char *const names[SKEP_KIND_MAX] = {
#define SKEP_EVENT(number, name, ...) [number] = #name,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    for (unsigned k = 0; o->field && k < SKEP_KIND_MAX; k++)
        if (!names[k] || !skep_rule_field_of_kind(o->field, names[k]))
            kinds[k / 64] &= ~((uint64_t)1 << (k % 64));
    for (size_t i = 0; i < o->n_operands; i++)
        kinds_of(o->operands[i], kinds);
}

/* val(x) is x. */
static const struct skep_operand *plain(const struct skep_operand *o)
{
    while (!o->field && o->transform == SKEP_TRANSFORM_val && o->n_operands == 1)
        o = o->operands[0];
    return o;
}

static int add(struct skep_requests *q, const struct skep_fact_request *one)
{
    if (q->n >= q->cap) {
        size_t cap = q->cap ? q->cap * 2 : 32;
        struct skep_fact_request *list = reallocarray(q->list, cap, sizeof(*list));
        if (!list)
            return -ENOMEM;
        q->list = list;
        void *kinds = reallocarray(q->kinds, cap, sizeof(q->kinds[0]));
        if (!kinds)
            return -ENOMEM;
        q->kinds = kinds;
        q->cap = cap;
    }
    memset(q->kinds[q->n], 0xff, sizeof(q->kinds[0]));
    kinds_of(one->operand, q->kinds[q->n]);
    q->list[q->n++] = *one;
    return 0;
}

int skep_requests_put(struct skep_requests *q, const struct skep_operand *o, uint32_t *ret,
                      const char **ret_reason)
{
    struct skep_fact_request one;
    *ret_reason = "functions are nested too deeply";
    if (depth_of(o, SKEP_OPERAND_DEPTH_MAX) > SKEP_OPERAND_DEPTH_MAX)
        return -EINVAL;
    o = plain(o);
    if (!skep_request_of(o, &one, ret_reason))
        return -EINVAL;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, 1 << 20);
    skep_operand_put(o, &text);
    if (text.failed) {
        *ret_reason = "the field with its arguments is too long";
        return -EINVAL;
    }
    bool is_new;
    uint32_t number;
    int r = skep_intern_put(&q->numbers, text.s, text.len, &number, &is_new);
    if (r < 0)
        return r;
    if (is_new) {
        r = add(q, &one);
        if (r < 0)
            return r;
    }
    *ret = number;
    return 0;
}
