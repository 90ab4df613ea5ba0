/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spell.h"
#include "rule/falco/load.h"

#include <inttypes.h>

enum { NEVER, REPLACE, EITHER };

static const struct key {
    enum skep_falco_item item;
    const char *name;
    int override;
} keys[] = {
#define SKEP_FALCO_KEY(item, name, override) {SKEP_FALCO_##item, name, override},
#include "rule/falco/keys.def"
#undef SKEP_FALCO_KEY
};
_Static_assert(ARRAY_SIZE(keys) <= 32, "keys are bits");

/* Its number; ARRAY_SIZE(keys): there is none. */
static size_t find(enum skep_falco_item kind, const struct skep_yaml *name)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(keys) && !(keys[i].item == kind && skep_yaml_is(name, keys[i].name)))
        i++;
    return i;
}

uint32_t skep_falco_key(enum skep_falco_item kind, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].item == kind && skep_streq(keys[i].name, name))
            return 1u << i;
    return 0;
}

static void hint_nearest(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *name,
                         int least)
{
    if (name->kind != SKEP_YAML_SCALAR || !f->diags->last)
        return;
    struct skep_spell sp;
    skep_spell_init(&sp, name->source.text, name->source.len);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].item == kind && keys[i].override >= least)
            skep_spell_offer(&sp, keys[i].name);
    if (sp.best)
        skep_diags_hint(f->diags, "did you mean `%s`?", sp.best);
}

void skep_falco_check_keys(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *item)
{
    uint32_t seen = 0;
    for (size_t i = 0; i + 1 < item->n_items; i += 2) {
        const struct skep_yaml *name = item->items[i];
        size_t k = find(kind, name);
        if (name->kind != SKEP_YAML_SCALAR) {
            skep_falco_warn(f, "LOAD_UNKNOWN_KEY", name, "a key is a text; this one is left out");
        } else if (k == ARRAY_SIZE(keys)) {
            skep_falco_warn(f, "LOAD_UNKNOWN_KEY", name, "the key `%.60s` is not known here and is left out",
                            name->source.text);
            hint_nearest(f, kind, name, NEVER);
        } else if (seen & 1u << k) {
            skep_falco_warn(f, "LOAD_UNKNOWN_KEY", name,
                            "the key `%s` stands here twice; the first one counts", keys[k].name);
        } else {
            seen |= 1u << k;
        }
    }
}

/* One line of `override`. */
static int read_override(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *name,
                         const struct skep_yaml *how, uint32_t *append, uint32_t *replace)
{
    size_t k = find(kind, name);
    int can = k < ARRAY_SIZE(keys) ? keys[k].override : NEVER;
    if (name->kind != SKEP_YAML_SCALAR || how->kind != SKEP_YAML_SCALAR)
        return skep_falco_error(f, SKEP_FALCO_FORM, name, "`override` names keys with `append` or `replace`");
    if (can == NEVER) {
        skep_falco_error(f, SKEP_FALCO_FORM, name, "the key `%.60s` cannot be overridden", name->source.text);
        hint_nearest(f, kind, name, REPLACE);
        return -EINVAL;
    }
    if (skep_yaml_is(how, "append")) {
        if (can != EITHER) {
            skep_falco_error(f, SKEP_FALCO_FORM, how, "the key `%s` cannot be appended to", keys[k].name);
            skep_diags_hint(f->diags, "use `replace`");
            return -EINVAL;
        }
        *append |= 1u << k;
    } else if (skep_yaml_is(how, "replace")) {
        *replace |= 1u << k;
    } else {
        return skep_falco_error(f, SKEP_FALCO_FORM, how, "`%.60s` is no way to override `%s`: it is %s",
                                how->source.text, keys[k].name,
                                can == EITHER ? "`append` or `replace`" : "`replace`");
    }
    return 0;
}

int skep_falco_overrides(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *item,
                         uint32_t *ret_append, uint32_t *ret_replace)
{
    const struct skep_yaml *o = skep_yaml_get(item, "override");
    uint32_t append = 0, replace = 0;
    int r = 0;
    *ret_append = *ret_replace = 0;
    if (!o || skep_yaml_is_null(o))
        return 0;
    if (o->kind != SKEP_YAML_MAP)
        return skep_falco_error(f, SKEP_FALCO_FORM, o,
                                "`override` is a map of keys to `append` or `replace`");
    for (size_t i = 0; i + 1 < o->n_items; i += 2)
        if (read_override(f, kind, o->items[i], o->items[i + 1], &append, &replace) < 0)
            r = -EINVAL;
    if (r < 0 || !(append | replace))
        return r;
    for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
        if (keys[k].item != kind || !keys[k].override)
            continue;
        const struct skep_yaml *key = skep_yaml_key(item, keys[k].name);
        bool named = (append | replace) & 1u << k;
        if (named && !key)
            r = skep_falco_error(f, SKEP_FALCO_FORM, skep_yaml_key(o, keys[k].name),
                                 "`%s` is to be overridden, but there is no `%s` in this item", keys[k].name,
                                 keys[k].name);
        else if (key && !named)
            r = skep_falco_error(f, SKEP_FALCO_FORM, key,
                                 "`%s` stands here, but `override` does not say what for", keys[k].name);
    }
    *ret_append = append;
    *ret_replace = replace;
    return r;
}
