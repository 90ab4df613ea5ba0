/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field.h"

#include "base/spell.h"
#include "rule/field/args.h"

#define SKEP_RULE_FAMILY(name) extern const struct skep_rule_family skep_rule_family_##name;
#include "rule/field/families.def"
#undef SKEP_RULE_FAMILY

static const struct skep_rule_family *const families[] = {
#define SKEP_RULE_FAMILY(name) &skep_rule_family_##name,
#include "rule/field/families.def"
#undef SKEP_RULE_FAMILY
};

const struct skep_rule_family *const *skep_rule_families(size_t *ret_n)
{
    *ret_n = ARRAY_SIZE(families);
    return families;
}

const struct skep_rule_field *skep_rule_field_find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            const struct skep_rule_field *f = &families[i]->fields[k];
            if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
                return f;
        }
    return NULL;
}

bool skep_rule_field_arg_known(const struct skep_rule_field *f, const char *arg, size_t len)
{
    return !(f->flags & SKEP_FIELD_ARG_EVENT) || skep_rule_args_known(arg, len, f->type);
}

const struct skep_rule_field *skep_rule_field_find_dotted(const char *name, size_t len, size_t *ret_arg_at)
{
    const struct skep_rule_field *f = skep_rule_field_find(name, len);
    if (f) {
        *ret_arg_at = 0;
        return f;
    }
    /* The argument may have dots of its own, as names of labels do; of two fields the longer name counts. */
    const struct skep_rule_field *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            f = &families[i]->fields[k];
            size_t n = f->flags & SKEP_FIELD_ARG_DOT ? strlen(f->name) : 0;
            if (n <= best_len || len < n + 2 || name[n] != '.' || memcmp(f->name, name, n) != 0)
                continue;
            best = f;
            best_len = n;
        }
    if (!best || !skep_rule_field_arg_known(best, name + best_len + 1, len - best_len - 1))
        return NULL;
    *ret_arg_at = best_len + 1;
    return best;
}

bool skep_rule_field_may_be(const char *name, size_t len)
{
    static const char *const roots[] = {"container", "evt",  "fd",      "fs",     "group", "k8s",
                                        "k8smeta",   "proc", "syscall", "thread", "user"};
    const char *dot = memchr(name, '.', len);
    size_t n = dot ? (size_t)(dot - name) : 0;
    for (size_t i = 0; i < ARRAY_SIZE(roots) && n; i++)
        if (roots[i][0] == name[0] && strlen(roots[i]) == n && memcmp(roots[i], name, n) == 0)
            return true;
    return false;
}

void skep_rule_field_offer(struct skep_spell *sp)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        for (size_t k = 0; k < families[i]->n_fields; k++)
            skep_spell_offer(sp, families[i]->fields[k].name);
}

const char *skep_rule_field_nearest(const char *name, size_t len)
{
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    skep_rule_field_offer(&sp);
    return sp.best;
}

const struct skep_rule_spot *skep_rule_field_spot(const struct skep_rule_field *f, uint16_t kind)
{
    for (size_t i = 0; i < f->n_spots; i++)
        if (f->spots[i].kind == 0 || f->spots[i].kind == kind)
            return f->spots[i].form == SKEP_SPOT_UNKNOWN ? NULL : &f->spots[i];
    return NULL;
}

const struct skep_rule_spot *skep_rule_field_arg_spot(const struct skep_rule_field *f, const char *arg,
                                                      uint16_t kind)
{
    if (!arg)
        return skep_rule_field_spot(f, kind);
    return f->flags & SKEP_FIELD_ARG_EVENT ? skep_rule_args_spot(arg, f->type, kind) : NULL;
}

bool skep_rule_field_of_kind(const struct skep_rule_field *f, const char *kind)
{
    size_t n = strlen(kind);
    if (skep_streq(f->kinds, "*"))
        return true;
    for (const char *p = f->kinds; *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && memcmp(p, kind, n) == 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

const char *skep_rule_type_name(enum skep_rule_type type)
{
    static const char *const names[] = {[SKEP_RULE_TEXT] = "text",
                                        [SKEP_RULE_NUMBER] = "number",
                                        [SKEP_RULE_BOOL] = "bool",
                                        [SKEP_RULE_IP] = "ip"};
    return names[type];
}
