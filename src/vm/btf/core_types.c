/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/core.h"

#include "base/flavour.h"

#define DEPTH_MAX 32

bool skep_core_names_match(const char *local, const char *target)
{
    size_t n = skep_flavour_plain_len(local);
    return n == skep_flavour_plain_len(target) && memcmp(local, target, n) == 0;
}

static bool is_enum(const struct btf_type *t)
{
    return BTF_INFO_KIND(t->info) == BTF_KIND_ENUM || BTF_INFO_KIND(t->info) == BTF_KIND_ENUM64;
}

static bool is_composite(const struct btf_type *t)
{
    return BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT || BTF_INFO_KIND(t->info) == BTF_KIND_UNION;
}

bool skep_core_kinds_match(const struct btf_type *local, const struct btf_type *target)
{
    return BTF_INFO_KIND(local->info) == BTF_INFO_KIND(target->info) || (is_enum(local) && is_enum(target));
}

static uint32_t encoding(const struct btf_type *integer)
{
    return *(const uint32_t *)(integer + 1);
}

/* The types behind modifiers. False: nothing more to compare, and *ret says how it ended. */
static bool step(struct skep_core_pair *p, unsigned depth, uint32_t local, uint32_t target,
                 const struct btf_type **ret_local, const struct btf_type **ret_target, int *ret)
{
    if (depth == DEPTH_MAX || p->steps == 0) {
        *ret = -E2BIG;
        return false;
    }
    p->steps--;
    *ret_local = skep_btf_resolve(p->local, local);
    *ret_target = skep_btf_resolve(p->target, target);
    *ret = !*ret_local && !*ret_target; /* void and void */
    return *ret_local && *ret_target;
}

int skep_core_fields_compatible(struct skep_core_pair *p, uint32_t local, uint32_t target)
{
    const struct btf_type *l, *t;
    int r;
    for (unsigned depth = 0; step(p, depth, local, target, &l, &t, &r); depth++) {
        if (is_composite(l) && is_composite(t))
            return 1;
        if (!skep_core_kinds_match(l, t))
            return 0;
        const char *local_name = skep_btf_name(p->local, l), *target_name = skep_btf_name(p->target, t);
        switch (BTF_INFO_KIND(l->info)) {
        case BTF_KIND_PTR:
        case BTF_KIND_FLOAT:
            return 1;
        case BTF_KIND_FWD:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
            return !*local_name || !*target_name || skep_core_names_match(local_name, target_name);
        case BTF_KIND_INT:
            return BTF_INT_OFFSET(encoding(l)) == 0 && BTF_INT_OFFSET(encoding(t)) == 0;
        case BTF_KIND_ARRAY:
            local = ((const struct btf_array *)(l + 1))->type;
            target = ((const struct btf_array *)(t + 1))->type;
            break;
        default:
            return 0;
        }
    }
    return r;
}

typedef int (*compare_fn)(struct skep_core_pair *p, uint32_t local, uint32_t target, bool behind,
                          unsigned depth);

static int compare_parameters(struct skep_core_pair *p, const struct btf_type *l, const struct btf_type *t,
                              bool behind, unsigned depth, compare_fn compare)
{
    const struct btf_param *x = (const struct btf_param *)(l + 1), *y = (const struct btf_param *)(t + 1);
    if (BTF_INFO_VLEN(l->info) != BTF_INFO_VLEN(t->info))
        return 0;
    int r = 1;
    for (uint32_t i = 0; i < BTF_INFO_VLEN(l->info) && r == 1; i++)
        r = compare(p, x[i].type, y[i].type, behind, depth + 1);
    return r;
}

/* behind is not used: existence does not look at what is in a type. */
static int compatible(struct skep_core_pair *p, uint32_t local, uint32_t target, bool behind, unsigned depth)
{
    const struct btf_type *l, *t;
    int r;
    for (; step(p, depth, local, target, &l, &t, &r); depth++) {
        if (!skep_core_kinds_match(l, t))
            return 0;
        switch (BTF_INFO_KIND(l->info)) {
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
        case BTF_KIND_FWD:
            return 1;
        case BTF_KIND_INT:
            return BTF_INT_OFFSET(encoding(l)) == 0 && BTF_INT_OFFSET(encoding(t)) == 0;
        case BTF_KIND_FUNC_PROTO:
            r = compare_parameters(p, l, t, behind, depth, compatible);
            if (r != 1)
                return r;
            local = l->type;
            target = t->type;
            break;
        case BTF_KIND_PTR:
            local = l->type;
            target = t->type;
            break;
        case BTF_KIND_ARRAY:
            local = ((const struct btf_array *)(l + 1))->type;
            target = ((const struct btf_array *)(t + 1))->type;
            break;
        default:
            return 0;
        }
    }
    return r;
}

int skep_core_types_compatible(struct skep_core_pair *p, uint32_t local, uint32_t target)
{
    return compatible(p, local, target, false, 0);
}

/* ---- matching: everything in the local type is in the other ---- */

static const char *enumerator(const struct skep_btf *btf, const struct btf_type *t, uint32_t i)
{
    if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM)
        return skep_btf_string(btf, ((const struct btf_enum *)(t + 1))[i].name_off);
    return skep_btf_string(btf, ((const struct btf_enum64 *)(t + 1))[i].name_off);
}

static int match_enums(struct skep_core_pair *p, const struct btf_type *l, const struct btf_type *t)
{
    uint32_t n = BTF_INFO_VLEN(t->info);
    for (uint32_t i = 0; i < BTF_INFO_VLEN(l->info); i++) {
        const char *name = enumerator(p->local, l, i);
        uint32_t k = 0;
        while (k < n && p->steps && !skep_core_names_match(name, enumerator(p->target, t, k))) {
            k++;
            p->steps--;
        }
        if (p->steps == 0)
            return -E2BIG;
        if (k == n)
            return 0;
    }
    return 1;
}

static int match(struct skep_core_pair *p, uint32_t local, uint32_t target, bool behind, unsigned depth);

static int match_members(struct skep_core_pair *p, const struct btf_type *l, const struct btf_type *t,
                         bool behind, unsigned depth)
{
    const struct btf_member *x = (const struct btf_member *)(l + 1), *y = (const struct btf_member *)(t + 1);
    for (uint32_t i = 0; i < BTF_INFO_VLEN(l->info); i++) {
        int r = 0;
        for (uint32_t k = 0; k < BTF_INFO_VLEN(t->info) && r == 0; k++) {
            if (p->steps == 0)
                return -E2BIG;
            p->steps--;
            if (skep_core_names_match(skep_btf_string(p->local, x[i].name_off),
                                      skep_btf_string(p->target, y[k].name_off)))
                r = match(p, x[i].type, y[k].type, behind, depth + 1);
        }
        if (r != 1)
            return r;
    }
    return 1;
}

/* Behind a pointer a declaration stands for the whole type, and only kinds count. */
static int match_behind(const struct btf_type *l, const struct btf_type *t)
{
    unsigned lk = BTF_INFO_KIND(l->info), tk = BTF_INFO_KIND(t->info);
    bool l_union = lk == BTF_KIND_UNION || (lk == BTF_KIND_FWD && BTF_INFO_KFLAG(l->info));
    bool t_union = tk == BTF_KIND_UNION || (tk == BTF_KIND_FWD && BTF_INFO_KFLAG(t->info));
    return (is_composite(t) || tk == BTF_KIND_FWD) && l_union == t_union;
}

static int match(struct skep_core_pair *p, uint32_t local, uint32_t target, bool behind, unsigned depth)
{
    const struct btf_type *l, *t;
    int r;
    for (; step(p, depth, local, target, &l, &t, &r); depth++) {
        if (!skep_core_names_match(skep_btf_name(p->local, l), skep_btf_name(p->target, t)))
            return 0;
        unsigned kind = BTF_INFO_KIND(l->info);
        if (behind && (is_composite(l) || kind == BTF_KIND_FWD))
            return match_behind(l, t);
        if (!skep_core_kinds_match(l, t))
            return 0;
        const struct btf_array *x = (const struct btf_array *)(l + 1), *y = (const struct btf_array *)(t + 1);
        switch (kind) {
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
            return match_members(p, l, t, behind, depth);
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
            return match_enums(p, l, t);
        case BTF_KIND_FWD:
            return BTF_INFO_KFLAG(l->info) == BTF_INFO_KFLAG(t->info);
        case BTF_KIND_INT:
            return l->size == t->size &&
                   !((BTF_INT_ENCODING(encoding(l)) ^ BTF_INT_ENCODING(encoding(t))) & BTF_INT_SIGNED);
        case BTF_KIND_FUNC_PROTO:
            r = compare_parameters(p, l, t, behind, depth, match);
            if (r != 1)
                return r;
            local = l->type;
            target = t->type;
            break;
        case BTF_KIND_PTR:
            behind = true;
            local = l->type;
            target = t->type;
            break;
        case BTF_KIND_ARRAY:
            if (x->nelems != y->nelems)
                return 0;
            local = x->type;
            target = y->type;
            break;
        default:
            return 0;
        }
    }
    return r;
}

int skep_core_types_match(struct skep_core_pair *p, uint32_t local, uint32_t target)
{
    return match(p, local, target, false, 0);
}
