/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/fact.h"

#include "rule/evttype.h"
#include "rule/transform.h"

int skep_rule_ctx_new(const struct skep_fact_request *requests, uint32_t n_facts, uint32_t n_atoms,
                      struct skep_rule_ctx **ret)
{
    size_t head = sizeof(struct skep_rule_ctx) + n_facts * sizeof(struct skep_fact);
    size_t arena = ROUND_UP(head + n_atoms, 8), size = arena + SKEP_FACT_ARENA_SIZE;
    struct skep_rule_ctx *x = aligned_alloc(64, ROUND_UP(size, 64));
    if (!x)
        return -ENOMEM;
    memset(x, 0, arena);
    x->n_facts = n_facts;
    x->n_atoms = n_atoms;
    x->size = size;
    x->requests = requests;
    x->arena = (char *)x + arena;
    *ret = x;
    return 0;
}

struct skep_rule_ctx *skep_rule_ctx_free(struct skep_rule_ctx *x)
{
    if (x)
        free(x->found);
    free(x);
    return NULL;
}

void skep_rule_ctx_begin(struct skep_rule_ctx *x, const struct skep_event *ev)
{
    x->evttype = x->untyped ? SKEP_EVTTYPE_NONE : skep_evttype_of(ev->h);
    x->n_matches = 0;
    x->arena_at = 0;
    x->ev = ev;
    memset(x->facts, 0, x->n_facts * sizeof(x->facts[0]) + x->n_atoms);
}

uint32_t skep_rule_fetch(struct skep_rule_ctx *x, uint32_t n)
{
    struct skep_fact *f = &x->facts[n];
    if (f->state != SKEP_FACT_UNASKED)
        return f->state;
    const struct skep_fact_request *q = &x->requests[n];
    bool there = q->field ? q->field->get(x, q, f) : skep_transform_get(x, q, f);
    f->state = there ? SKEP_FACT_THERE : SKEP_FACT_MISSING;
    return f->state;
}

bool skep_fact_number(struct skep_fact *f, int64_t value)
{
    f->value = (uint64_t)value;
    return true;
}

bool skep_fact_bool(struct skep_fact *f, bool value)
{
    f->value = value;
    return true;
}

/* n bytes and zeros up to a multiple of 8; NULL: the arena is full. */
static char *arena_take(struct skep_rule_ctx *x, size_t n)
{
    size_t size = ROUND_UP(n, (size_t)8);
    size_t end = SKEP_FACT_ARENA_SIZE - (size > SKEP_FACT_SHORT_MAX ? SKEP_FACT_ARENA_KEPT : 0);
    if (x->arena_at > end || size > end - x->arena_at) {
        x->cut++;
        return NULL;
    }
    char *p = x->arena + x->arena_at;
    x->arena_at += (uint32_t)size;
    if (size)
        memset(p + size - 8, 0, 8);
    return p;
}

char *skep_fact_room(struct skep_rule_ctx *x, size_t n, uint64_t *ret_value, uint32_t *ret_n)
{
    if (n > SKEP_FACT_TEXT_MAX) {
        n = SKEP_FACT_TEXT_MAX;
        x->cut++;
    }
    char *p = arena_take(x, n);
    if (!p)
        return NULL;
    *ret_value = (uint64_t)(uintptr_t)p;
    *ret_n = (uint32_t)n;
    return p;
}

static bool put_bytes(struct skep_rule_ctx *x, const void *s, size_t n, uint64_t *ret_value, uint32_t *ret_n)
{
    char *p = s ? skep_fact_room(x, n, ret_value, ret_n) : NULL;
    if (!p)
        return false;
    memcpy(p, s, *ret_n);
    return true;
}

bool skep_fact_text(struct skep_rule_ctx *x, struct skep_fact *f, const void *s, size_t n)
{
    return put_bytes(x, s, n, &f->value, &f->n);
}

bool skep_fact_ip(struct skep_rule_ctx *x, struct skep_fact *f, const void *ip, size_t n)
{
    return put_bytes(x, ip, n, &f->value, &f->n);
}

struct skep_fact_item *skep_fact_list(struct skep_rule_ctx *x, struct skep_fact *f, size_t n)
{
    struct skep_fact_item *items =
        n > SKEP_FACT_ARENA_SIZE ? NULL : (void *)arena_take(x, n * sizeof(*items));
    if (!items)
        return NULL;
    memset(items, 0, n * sizeof(*items));
    f->value = (uint64_t)(uintptr_t)items;
    f->n = (uint32_t)n;
    return items;
}

bool skep_fact_item_text(struct skep_rule_ctx *x, struct skep_fact_item *item, const void *s, size_t n)
{
    return put_bytes(x, s, n, &item->value, &item->n);
}
