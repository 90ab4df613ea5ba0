/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"
#include "rule/column/row.h"

#define ARENA_MAX ((size_t)1 << 30)

int skep_columns_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], struct skep_columns **ret)
{
    _cleanup_columns_ struct skep_columns *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    int r = skep_arena_new(ARENA_MAX, &c->arena);
    if (r < 0)
        return r;
    c->schema = s;
    c->chosen = kinds != NULL;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        c->kinds[k] = kind && kind->show != SKEP_SHOW_HIDDEN && (!kinds || kinds[k]);
    }
    *ret = TAKE_PTR(c);
    return 0;
}

struct skep_columns *skep_columns_free(struct skep_columns *c)
{
    if (!c)
        return NULL;
    skep_textmap_clear(&c->by_name);
    skep_arena_free(c->arena);
    free(c);
    return NULL;
}

bool skep_columns_failed(const struct skep_columns *c)
{
    return skep_arena_failed(c->arena);
}

const struct skep_rule_field *skep_columns_find(struct skep_columns *c, const char *name, size_t len)
{
    struct skep_column *known = skep_textmap_get(&c->by_name, name, len);
    struct skep_item items[SKEP_KIND_MAX] = {0};
    bool found = false;
    if (known)
        return &known->rule;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        if (c->kinds[k])
            found |= skep_item_find(c->schema, skep_schema_kind(c->schema, k), name, len, &items[k]);
    if (!found)
        return NULL;
    struct skep_column *column = skep_arena_alloc(c->arena, sizeof(*column));
    char *copy = skep_arena_text(c->arena, name, len);
    if (!column || !copy)
        return NULL;
    column->rule = (struct skep_rule_field){
        .name = copy, .doc = "", .type = SKEP_RULE_TEXT, .flags = SKEP_FIELD_COLUMN, .kinds = "*"};
    column->columns = c;
    memcpy(column->items, items, sizeof(items));
    return skep_textmap_put(&c->by_name, copy, len, column) < 0 ? NULL : &column->rule;
}

const char *skep_columns_nearest(const struct skep_columns *c, const char *name, size_t len)
{
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    /* of two that are as near, the name that is shown in columns */
    const char *column = skep_field_nearest(c->schema, c->kinds, name, len);
    if (column)
        skep_spell_offer(&sp, column);
    skep_rule_field_offer(&sp);
    return sp.best;
}

bool skep_columns_elsewhere(const struct skep_columns *c, const char *name, size_t len)
{
    struct skep_item item;
    for (unsigned k = 0; c->chosen && k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(c->schema, k);
        if (kind && kind->show != SKEP_SHOW_HIDDEN && skep_item_find(c->schema, kind, name, len, &item))
            return true;
    }
    return false;
}
