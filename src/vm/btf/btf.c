/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/btf.h"

#include "vm/arena.h"

#define DEPTH_MAX 32
#define POINTER_SIZE 8

struct skep_btf {
    struct skep_vm_arena arena;
    const struct skep_btf *base;
    const uint8_t *types;
    uint32_t types_size;
    const char *strings; /* ends with a NUL */
    uint32_t strings_size;
    uint32_t first, n;       /* ids [first, first + n) are ours */
    uint32_t strings_first;  /* offset of our first string */
    const uint32_t *offsets; /* of each of our types */
};

/* ---- reading ---- */

/* Bytes behind the common part of a type, -1: no such kind. */
static int64_t extra_bytes(const struct btf_type *t)
{
    uint32_t n = BTF_INFO_VLEN(t->info);
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
        return sizeof(uint32_t);
    case BTF_KIND_ARRAY:
        return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return (int64_t)n * (int64_t)sizeof(struct btf_member);
    case BTF_KIND_ENUM:
        return (int64_t)n * (int64_t)sizeof(struct btf_enum);
    case BTF_KIND_ENUM64:
        return (int64_t)n * (int64_t)sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO:
        return (int64_t)n * (int64_t)sizeof(struct btf_param);
    case BTF_KIND_DATASEC:
        return (int64_t)n * (int64_t)sizeof(struct btf_var_secinfo);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG:
        return 0;
    default:
        return -1;
    }
}

static int bad(char *message, uint32_t id, const char *text)
{
    snprintf(message, SKEP_BTF_MESSAGE_MAX, "type %u %s", id, text);
    return -EINVAL;
}

/* Ids and names within a type. */
static bool refers_well(const struct skep_btf *btf, const struct btf_type *t)
{
    uint32_t end = btf->first + btf->n, n = BTF_INFO_VLEN(t->info),
             names = btf->strings_first + btf->strings_size;
    const void *extra = t + 1;
    bool ok = t->name_off < names;
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_ARRAY: {
        const struct btf_array *a = extra;
        return ok && a->type < end && a->index_type < end;
    }
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        for (const struct btf_member *m = extra; n; n--, m++)
            ok = ok && m->name_off < names && m->type < end;
        return ok;
    case BTF_KIND_ENUM:
        for (const struct btf_enum *e = extra; n; n--, e++)
            ok = ok && e->name_off < names;
        return ok;
    case BTF_KIND_ENUM64:
        for (const struct btf_enum64 *e = extra; n; n--, e++)
            ok = ok && e->name_off < names;
        return ok;
    case BTF_KIND_FUNC_PROTO:
        for (const struct btf_param *p = extra; n; n--, p++)
            ok = ok && p->name_off < names && p->type < end;
        return ok && t->type < end;
    case BTF_KIND_DATASEC:
        for (const struct btf_var_secinfo *v = extra; n; n--, v++)
            ok = ok && v->type < end;
        return ok;
    case BTF_KIND_INT:
    case BTF_KIND_FLOAT:
    case BTF_KIND_FWD:
        return ok;
    default:
        return ok && t->type < end;
    }
}

/* A count of members stands in types that have some; a function keeps its linkage there. */
static bool counts_well(const struct btf_type *t)
{
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
    case BTF_KIND_FUNC_PROTO:
    case BTF_KIND_DATASEC:
    case BTF_KIND_FUNC:
        return true;
    default:
        return BTF_INFO_VLEN(t->info) == 0;
    }
}

static unsigned kind_at(const struct skep_btf *btf, uint32_t id)
{
    const struct btf_type *t = skep_btf_type(btf, id);
    return t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN;
}

/* Whether a thing may have the type: void may be behind a pointer or be returned; functions, variables, their sections
 * and tags are no types. */
static bool is_type(const struct skep_btf *btf, uint32_t id, bool or_void)
{
    switch (kind_at(btf, id)) {
    case BTF_KIND_UNKN:
        return or_void;
    case BTF_KIND_FUNC:
    case BTF_KIND_VAR:
    case BTF_KIND_DATASEC:
    case BTF_KIND_DECL_TAG:
        return false;
    default:
        return true;
    }
}

/* An id of a tag: the thing itself, or one of the things in it. */
static bool tags_well(const struct skep_btf *btf, const struct btf_type *t)
{
    const struct btf_type *to = skep_btf_type(btf, t->type);
    const int32_t index = *(const int32_t *)(t + 1);
    if (index == -1 || !to)
        return index == -1 && to;
    if (BTF_INFO_KIND(to->info) == BTF_KIND_FUNC)
        to = skep_btf_type(btf, to->type);
    const unsigned kind = to ? BTF_INFO_KIND(to->info) : BTF_KIND_UNKN;
    return (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_FUNC_PROTO) && index >= 0 &&
           (uint32_t)index < BTF_INFO_VLEN(to->info);
}

/* The rules of the kernel for which kind may refer to which, when all ids are known to be there. */
static bool fits_kinds(const struct skep_btf *btf, const struct btf_type *t)
{
    const uint32_t n = BTF_INFO_VLEN(t->info);
    const void *extra = t + 1;
    bool ok = true;
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_ARRAY:
        return is_type(btf, ((const struct btf_array *)extra)->type, false) &&
               is_type(btf, ((const struct btf_array *)extra)->index_type, false);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        for (uint32_t i = 0; i < n; i++)
            ok = ok && is_type(btf, ((const struct btf_member *)extra)[i].type, false);
        return ok;
    case BTF_KIND_FUNC_PROTO: /* void as the last parameter: there may be more */
        for (uint32_t i = 0; i < n; i++)
            ok = ok && is_type(btf, ((const struct btf_param *)extra)[i].type, i + 1 == n);
        return ok && is_type(btf, t->type, true);
    case BTF_KIND_DATASEC: /* compilers put functions of the kernel into one, too */
        for (uint32_t i = 0; i < n; i++) {
            const unsigned kind = kind_at(btf, ((const struct btf_var_secinfo *)extra)[i].type);
            ok = ok && (kind == BTF_KIND_VAR || kind == BTF_KIND_FUNC);
        }
        return ok;
    case BTF_KIND_FUNC:
        return kind_at(btf, t->type) == BTF_KIND_FUNC_PROTO;
    case BTF_KIND_VAR: /* void: of the kernel, without a type */
    case BTF_KIND_PTR:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_TYPE_TAG:
        return is_type(btf, t->type, true);
    case BTF_KIND_DECL_TAG:
        return tags_well(btf, t);
    default:
        return true;
    }
}

/* Names are compared with each other: without a limit, few bytes would make work for hours. */
static bool is_short(const struct skep_btf *btf, uint32_t offset)
{
    return strnlen(skep_btf_string(btf, offset), SKEP_BTF_NAME_MAX + 1) <= SKEP_BTF_NAME_MAX;
}

static bool named_well(const struct skep_btf *btf, const struct btf_type *t)
{
    const uint32_t n = BTF_INFO_VLEN(t->info);
    const void *extra = t + 1;
    bool ok = is_short(btf, t->name_off);
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        for (uint32_t i = 0; i < n; i++)
            ok = ok && is_short(btf, ((const struct btf_member *)extra)[i].name_off);
        return ok;
    case BTF_KIND_ENUM:
        for (uint32_t i = 0; i < n; i++)
            ok = ok && is_short(btf, ((const struct btf_enum *)extra)[i].name_off);
        return ok;
    case BTF_KIND_ENUM64:
        for (uint32_t i = 0; i < n; i++)
            ok = ok && is_short(btf, ((const struct btf_enum64 *)extra)[i].name_off);
        return ok;
    case BTF_KIND_FUNC_PROTO:
        for (uint32_t i = 0; i < n; i++)
            ok = ok && is_short(btf, ((const struct btf_param *)extra)[i].name_off);
        return ok;
    default:
        return ok;
    }
}

/* What is wrong with a type that is whole, NULL: nothing. */
static const char *fault(const struct skep_btf *btf, const struct btf_type *t)
{
    if (!counts_well(t))
        return "counts members, but its kind has none";
    if (!refers_well(btf, t))
        return "refers to a type or name that does not exist";
    if (!fits_kinds(btf, t))
        return "refers to something of a kind that it may not";
    if (!named_well(btf, t))
        return "has a name, or one in it, that is too long";
    if (BTF_INFO_KIND(t->info) == BTF_KIND_FWD && !skep_btf_name(btf, t)[0])
        return "announces a struct or union without a name";
    return NULL;
}

/* Counts the types; with offsets given, notes where they are. */
static int scan(const struct skep_btf *btf, uint32_t *offsets, uint32_t *ret_n, char *message)
{
    uint32_t n = 0;
    for (uint32_t at = 0; at < btf->types_size; n++) {
        const struct btf_type *t = (const struct btf_type *)(btf->types + at);
        uint32_t left = btf->types_size - at;
        if (left < sizeof(*t))
            return bad(message, btf->first + n, "is cut off");
        int64_t extra = extra_bytes(t);
        if (extra < 0)
            return bad(message, btf->first + n, "is of an unknown kind");
        if ((uint64_t)extra > left - sizeof(*t))
            return bad(message, btf->first + n, "is cut off");
        if (offsets)
            offsets[n] = at;
        at += (uint32_t)(sizeof(*t) + (size_t)extra);
    }
    *ret_n = n;
    return 0;
}

static int index_types(struct skep_btf *btf, char *message)
{
    int r = scan(btf, NULL, &btf->n, message);
    if (r < 0)
        return r;
    uint32_t *offsets = skep_vm_arena_calloc(&btf->arena, btf->n, sizeof(*offsets));
    if (!offsets) {
        snprintf(message, SKEP_BTF_MESSAGE_MAX, "no memory");
        return -ENOMEM;
    }
    uint32_t n;
    scan(btf, offsets, &n, message);
    btf->offsets = offsets;
    for (uint32_t i = 0; i < btf->n; i++) {
        const char *what = fault(btf, (const struct btf_type *)(btf->types + offsets[i]));
        if (what)
            return bad(message, btf->first + i, what);
    }
    return 0;
}

static int check_header(const uint8_t *data, size_t size, struct btf_header *h, char *message)
{
    memset(h, 0, sizeof(*h));
    if (size >= sizeof(*h))
        memcpy(h, data, sizeof(*h));
    const char *what = NULL;
    uint64_t body = size - h->hdr_len;
    if (size < sizeof(*h) || h->magic != BTF_MAGIC)
        what = "no BTF of this machine's byte order";
    else if (h->version != BTF_VERSION)
        what = "of an unknown version";
    else if (h->hdr_len < sizeof(*h) || h->hdr_len > size)
        what = "the header is cut off";
    else if ((uint64_t)h->type_off + h->type_len > body || h->type_off % 4 || h->type_len % 4 ||
             h->hdr_len % 4)
        what = "the types are not in it";
    else if ((uint64_t)h->str_off + h->str_len > body || h->str_len == 0 ||
             data[(uint64_t)h->hdr_len + h->str_off + h->str_len - 1] != '\0')
        what = "the strings are not in it";
    if (what)
        snprintf(message, SKEP_BTF_MESSAGE_MAX, "%s", what);
    return what ? -EINVAL : 0;
}

int skep_btf_new(const void *data, size_t size, const struct skep_btf *base,
                 const struct skep_vm_allocator *allocator, struct skep_btf **ret_btf,
                 char message[SKEP_BTF_MESSAGE_MAX])
{
    struct btf_header h;
    int r = check_header(data, size, &h, message);
    if (r < 0)
        return r;
    struct skep_vm_arena arena;
    skep_vm_arena_init(&arena, allocator, 4 * size + 65536);
    struct skep_btf *btf = skep_vm_arena_calloc(&arena, 1, sizeof(*btf));
    uint8_t *copy = skep_vm_arena_calloc(&arena, size, 1);
    if (!btf || !copy) {
        skep_vm_arena_clear(&arena);
        snprintf(message, SKEP_BTF_MESSAGE_MAX, "no memory");
        return -ENOMEM;
    }
    memcpy(copy, data, size);
    *btf = (struct skep_btf){
        .arena = arena,
        .base = base,
        .types = copy + h.hdr_len + h.type_off,
        .types_size = h.type_len,
        .strings = (const char *)copy + h.hdr_len + h.str_off,
        .strings_size = h.str_len,
        .first = base ? base->first + base->n : 1,
        .strings_first = base ? base->strings_first + base->strings_size : 0,
    };
    r = index_types(btf, message);
    if (r < 0) {
        skep_btf_free(btf);
        return r;
    }
    *ret_btf = btf;
    return 0;
}

struct skep_btf *skep_btf_free(struct skep_btf *btf)
{
    if (btf) {
        struct skep_vm_arena arena = btf->arena; /* it holds the btf */
        skep_vm_arena_clear(&arena);
    }
    return NULL;
}

/* ---- looking ---- */

uint32_t skep_btf_count(const struct skep_btf *btf)
{
    return btf->first + btf->n;
}

const struct btf_type *skep_btf_type(const struct skep_btf *btf, uint32_t id)
{
    while (btf->base && id < btf->first)
        btf = btf->base;
    if (id < btf->first || id - btf->first >= btf->n)
        return NULL;
    return (const struct btf_type *)(btf->types + btf->offsets[id - btf->first]);
}

const char *skep_btf_string(const struct skep_btf *btf, uint32_t offset)
{
    while (btf->base && offset < btf->strings_first)
        btf = btf->base;
    return offset - btf->strings_first < btf->strings_size ? btf->strings + (offset - btf->strings_first)
                                                           : "";
}

const char *skep_btf_name(const struct skep_btf *btf, const struct btf_type *t)
{
    return skep_btf_string(btf, t->name_off);
}

const struct btf_type *skep_btf_find(const struct skep_btf *btf, unsigned kind, const char *name)
{
    for (uint32_t id = 1; id < skep_btf_count(btf); id++) {
        const struct btf_type *t = skep_btf_type(btf, id);
        if (BTF_INFO_KIND(t->info) == kind && skep_streq(skep_btf_name(btf, t), name))
            return t;
    }
    return NULL;
}

uint32_t skep_btf_resolve_id(const struct skep_btf *btf, uint32_t id)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        const struct btf_type *t = skep_btf_type(btf, id);
        switch (t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN) {
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_CONST:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
            id = t->type;
            break;
        default:
            return t ? id : 0;
        }
    }
    return 0;
}

const struct btf_type *skep_btf_resolve(const struct skep_btf *btf, uint32_t id)
{
    return skep_btf_type(btf, skep_btf_resolve_id(btf, id));
}

int64_t skep_btf_size(const struct skep_btf *btf, uint32_t id)
{
    int64_t factor = 1;
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        const struct btf_type *t = skep_btf_resolve(btf, id);
        int64_t size = -1;
        switch (t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN) {
        case BTF_KIND_INT:
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
        case BTF_KIND_FLOAT:
        case BTF_KIND_DATASEC:
            size = t->size;
            break;
        case BTF_KIND_PTR:
            size = POINTER_SIZE;
            break;
        case BTF_KIND_ARRAY: {
            const struct btf_array *a = (const struct btf_array *)(t + 1);
            if (__builtin_mul_overflow(factor, (int64_t)a->nelems, &factor))
                return -EINVAL;
            id = a->type;
            continue;
        }
        default:
            return -EINVAL;
        }
        return __builtin_mul_overflow(size, factor, &size) ? -EINVAL : size;
    }
    return -EINVAL;
}
