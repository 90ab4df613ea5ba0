/* SPDX-License-Identifier: Apache-2.0 */
#include "event/layout.h"

#include "abi/event.h"

#include <bpf/btf.h>
#include <jansson.h>

#define MAX_DEPTH 4
#define MAX_CHAIN 16
#define NAME_SIZE 128

static const struct {
    uint16_t number;
    const char *name, *group, *doc;
} rows[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) {number, #name, #group, doc},
#include "abi/events.def"
#undef SKEP_EVENT
};

static void clear(struct skep_layout *l)
{
    for (size_t i = 0; i < l->n_members; i++) {
        free(l->members[i].name);
        free(l->members[i].meaning);
    }
    free(l->members);
    free(l->name);
}

struct skep_layouts *skep_layouts_free(struct skep_layouts *l)
{
    if (!l)
        return NULL;
    clear(&l->header);
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        clear(&l->kinds[i]);
    free(l);
    return NULL;
}

const struct skep_layout *skep_layouts_kind(const struct skep_layouts *l, unsigned number)
{
    return number < SKEP_KIND_MAX && l->kinds[number].name ? &l->kinds[number] : NULL;
}

const struct skep_member *skep_layout_find(const struct skep_layout *l, const char *name)
{
    for (size_t i = 0; i < l->n_members; i++)
        if (skep_streq(l->members[i].name, name))
            return &l->members[i];
    return NULL;
}

bool skep_layout_equal(const struct skep_layout *a, const struct skep_layout *b)
{
    if (a->size != b->size || a->n_members != b->n_members)
        return false;
    for (size_t i = 0; i < a->n_members; i++) {
        const struct skep_member *ma = &a->members[i], *mb = &b->members[i];
        if (ma->type != mb->type || ma->off != mb->off || ma->size != mb->size ||
            !skep_streq(ma->name, mb->name))
            return false;
    }
    return true;
}

static bool is_number(enum skep_member_type type)
{
    return type == SKEP_MEMBER_UINT || type == SKEP_MEMBER_SINT;
}

/* The one place where members come in: whatever the source, they lie inside the record and have a size that
 * goes with their type. */
static int add_member(struct skep_layout *l, const char *name, const char *meaning,
                      enum skep_member_type type, uint32_t off, uint32_t size)
{
    if (l->n_members == SKEP_LAYOUT_MEMBERS_MAX || off > l->size || size > l->size - off || !*name)
        return -EBADMSG;
    if (is_number(type) && size != 1 && size != 2 && size != 4 && size != 8)
        return -EBADMSG;
    if (type == SKEP_MEMBER_SLICE && size != sizeof(struct skep_slice))
        return -EBADMSG;
    _cleanup_free_ char *n = strdup(name), *m = meaning ? strdup(meaning) : NULL;
    struct skep_member *all = reallocarray(l->members, l->n_members + 1, sizeof(*all));
    if (all)
        l->members = all;
    if (!all || !n || (meaning && !m))
        return -ENOMEM;
    all[l->n_members++] = (struct skep_member){
        .name = TAKE_PTR(n), .meaning = TAKE_PTR(m), .type = type, .off = off, .size = size};
    return 0;
}

static int set_size(struct skep_layout *l, uint64_t size)
{
    if (size == 0 || size > SKEP_RECORD_MAX || size % 8)
        return -EBADMSG;
    l->size = (uint32_t)size;
    return 0;
}

/* The reader of a record finds these two before it knows anything else. */
static int check_header(const struct skep_layout *header)
{
    const struct skep_member *len = skep_layout_find(header, "len"), *kind = skep_layout_find(header, "kind");
    bool ok = len && len->type == SKEP_MEMBER_UINT && len->off == 0 && len->size == 4;
    return ok && kind && kind->type == SKEP_MEMBER_UINT && kind->off == 4 && kind->size == 2 ? 0 : -EBADMSG;
}

/* ---- from BTF ---- */

static const char *string_at(const struct btf *btf, uint32_t off)
{
    const char *s = btf__str_by_offset(btf, off);
    return s ? s : "";
}

/* The type behind all typedefs; the outermost of ours is the meaning. */
static const struct btf_type *resolve(const struct btf *btf, uint32_t id, const char **ret_meaning)
{
    const char *meaning = NULL;
    for (unsigned i = 0; i < MAX_CHAIN; i++) {
        const struct btf_type *t = btf__type_by_id(btf, id);
        if (!t)
            return NULL;
        if (btf_is_typedef(t) && !meaning)
            meaning = skep_startswith(string_at(btf, t->name_off), "skep_");
        if (!btf_is_typedef(t) && !btf_is_mod(t)) {
            *ret_meaning = meaning;
            return t;
        }
        id = t->type;
    }
    return NULL;
}

static int add_struct(struct skep_layout *l, const struct btf *btf, const struct btf_type *t,
                      const char *prefix, uint32_t off, unsigned depth);

static int add_array(struct skep_layout *l, const struct btf *btf, const struct btf_type *t, const char *name,
                     uint32_t off)
{
    const char *meaning;
    const struct btf_type *element = resolve(btf, btf_array(t)->type, &meaning);
    if (!element || !btf_is_int(element) || element->size > 8)
        return -EBADMSG;
    uint64_t size = (uint64_t)element->size * btf_array(t)->nelems;
    return size > SKEP_RECORD_MAX ? -EBADMSG
                                  : add_member(l, name, NULL, SKEP_MEMBER_BYTES, off, (uint32_t)size);
}

static int add_btf_member(struct skep_layout *l, const struct btf *btf, const struct btf_type *t, unsigned i,
                          const char *prefix, uint32_t off, unsigned depth)
{
    const struct btf_member *m = &btf_members(t)[i];
    const char *name = string_at(btf, m->name_off), *meaning;
    uint32_t bit = btf_member_bit_offset(t, i);
    const struct btf_type *type = resolve(btf, m->type, &meaning);
    char full[NAME_SIZE];
    int n = snprintf(full, sizeof(full), "%s%s%s", prefix, *prefix ? "." : "", name);
    if (!type || n < 0 || (size_t)n >= sizeof(full) || btf_member_bitfield_size(t, i) || bit % 8 ||
        bit / 8 > SKEP_RECORD_MAX)
        return -EBADMSG;
    off += bit / 8;
    if (btf_is_array(type))
        return add_array(l, btf, type, full, off);
    if (btf_is_int(type) || btf_is_any_enum(type)) {
        bool negative = btf_is_int(type) ? btf_int_encoding(type) & BTF_INT_SIGNED : btf_kflag(type);
        return add_member(l, full, meaning, negative ? SKEP_MEMBER_SINT : SKEP_MEMBER_UINT, off, type->size);
    }
    if (!btf_is_struct(type))
        return -EBADMSG;
    if (skep_streq(string_at(btf, type->name_off), "skep_slice"))
        return add_member(l, full, meaning ? meaning : "text", SKEP_MEMBER_SLICE, off, type->size);
    return depth == MAX_DEPTH ? -EBADMSG : add_struct(l, btf, type, full, off, depth + 1);
}

static int add_struct(struct skep_layout *l, const struct btf *btf, const struct btf_type *t,
                      const char *prefix, uint32_t off, unsigned depth)
{
    /* the header has its own layout and begins every kind's struct */
    bool with_header = depth == 0 && l->number != 0;
    for (unsigned i = with_header ? 1 : 0; i < btf_vlen(t); i++) {
        int r = add_btf_member(l, btf, t, i, prefix, off, depth);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool begins_with_header(const struct btf *btf, const struct btf_type *t)
{
    const struct btf_type *h = btf_vlen(t) ? btf__type_by_id(btf, btf_members(t)[0].type) : NULL;
    return h && btf_is_struct(h) && skep_streq(string_at(btf, h->name_off), "skep_hdr") &&
           btf_member_bit_offset(t, 0) == 0;
}

static int add_btf(struct skep_layout *l, const struct btf *btf, uint16_t number, const char *name,
                   const char *struct_name)
{
    int32_t id = btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT);
    if (id < 0)
        return -ENOENT;
    const struct btf_type *t = btf__type_by_id(btf, (uint32_t)id);
    if (!t || (number && !begins_with_header(btf, t)))
        return -EBADMSG;
    l->number = number;
    int r = set_size(l, t->size);
    if (r < 0)
        return r;
    l->name = strdup(name);
    return l->name ? add_struct(l, btf, t, "", 0, 0) : -ENOMEM;
}

static void btf_freep(struct btf **btf)
{
    btf__free(*btf);
}

int skep_layouts_new_btf(const void *data, size_t size, struct skep_layouts **ret)
{
    if (size > UINT32_MAX)
        return -EBADMSG;
    SKEP_CLEANUP(btf_freep) struct btf *btf = btf__new(data, (uint32_t)size);
    if (!btf)
        return errno == ENOMEM ? -ENOMEM : -EBADMSG;
    _cleanup_layouts_ struct skep_layouts *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    int r = add_btf(&l->header, btf, 0, "header", "skep_hdr");
    if (r >= 0)
        r = check_header(&l->header);
    if (r < 0)
        return r == -ENOENT ? -EBADMSG : r;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[64];
        snprintf(name, sizeof(name), "skep_ev_%s", rows[i].name);
        r = add_btf(&l->kinds[rows[i].number], btf, rows[i].number, rows[i].name, name);
        if (r < 0 && r != -ENOENT)
            return r;
    }
    *ret = TAKE_PTR(l);
    return 0;
}

/* ---- as JSON ---- */

static void put_members(const struct skep_layout *l, struct skep_json *j)
{
    skep_json_u64(j, "size", l->size);
    skep_json_open(j, "members", '[');
    for (size_t i = 0; i < l->n_members; i++) {
        const struct skep_member *m = &l->members[i];
        char type[8];
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "name", m->name);
        snprintf(type, sizeof(type), "%c%u", m->type == SKEP_MEMBER_SINT ? 's' : 'u', (m->size & 15) * 8);
        skep_json_strz(j, "type",
                       m->type == SKEP_MEMBER_SLICE   ? "slice"
                       : m->type == SKEP_MEMBER_BYTES ? "bytes"
                                                      : type);
        if (m->meaning)
            skep_json_strz(j, "meaning", m->meaning);
        skep_json_u64(j, "offset", m->off);
        if (m->type == SKEP_MEMBER_BYTES)
            skep_json_u64(j, "size", m->size);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}

void skep_layouts_put_json(const struct skep_layouts *l, struct skep_json *j)
{
    skep_json_open(j, "header", '{');
    put_members(&l->header, j);
    skep_json_close(j, '}');
    skep_json_open(j, "kinds", '[');
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct skep_layout *kind = skep_layouts_kind(l, rows[i].number);
        if (!kind)
            continue;
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "number", kind->number);
        skep_json_strz(j, "name", kind->name);
        skep_json_strz(j, "group", rows[i].group);
        skep_json_strz(j, "doc", rows[i].doc);
        put_members(kind, j);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
}

/* A number from 0 to max. */
static int get_number(const json_t *o, const char *name, uint32_t max, uint32_t *ret)
{
    const json_t *v = json_object_get(o, name);
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || n > max)
        return -EBADMSG;
    *ret = (uint32_t)n;
    return 0;
}

static int get_type(const json_t *o, enum skep_member_type *ret_type, uint32_t *ret_size)
{
    static const struct {
        const char *name;
        enum skep_member_type type;
        uint32_t size;
    } types[] = {
        {"u8", SKEP_MEMBER_UINT, 1},     {"u16", SKEP_MEMBER_UINT, 2},
        {"u32", SKEP_MEMBER_UINT, 4},    {"u64", SKEP_MEMBER_UINT, 8},
        {"s8", SKEP_MEMBER_SINT, 1},     {"s16", SKEP_MEMBER_SINT, 2},
        {"s32", SKEP_MEMBER_SINT, 4},    {"s64", SKEP_MEMBER_SINT, 8},
        {"bytes", SKEP_MEMBER_BYTES, 0}, {"slice", SKEP_MEMBER_SLICE, sizeof(struct skep_slice)},
    };
    const char *name = json_string_value(json_object_get(o, "type"));
    for (size_t i = 0; name && i < ARRAY_SIZE(types); i++) {
        if (!skep_streq(types[i].name, name))
            continue;
        *ret_type = types[i].type;
        *ret_size = types[i].size;
        return types[i].size ? 0 : get_number(o, "size", SKEP_RECORD_MAX, ret_size);
    }
    return -EBADMSG;
}

static int get_members(const json_t *o, struct skep_layout *l)
{
    const json_t *members = json_object_get(o, "members");
    uint32_t size, off;
    enum skep_member_type type;
    int r = get_number(o, "size", SKEP_RECORD_MAX, &size);
    if (r >= 0)
        r = set_size(l, size);
    if (r < 0 || !json_is_array(members))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *m = json_array_get(members, i);
        const char *name = json_string_value(json_object_get(m, "name"));
        r = get_type(m, &type, &size);
        if (r >= 0)
            r = get_number(m, "offset", SKEP_RECORD_MAX, &off);
        if (r < 0 || !name || strlen(name) >= NAME_SIZE)
            return -EBADMSG;
        r = add_member(l, name, json_string_value(json_object_get(m, "meaning")), type, off, size);
        if (r < 0)
            return r;
    }
    return 0;
}

static int get_kind(const json_t *o, struct skep_layouts *l)
{
    const char *name = json_string_value(json_object_get(o, "name"));
    uint32_t number;
    int r = get_number(o, "number", UINT16_MAX, &number);
    if (r < 0 || !name || !*name || strlen(name) >= NAME_SIZE)
        return -EBADMSG;
    if (number >= SKEP_KIND_MAX)
        return 0;
    struct skep_layout *kind = &l->kinds[number];
    if (number == 0 || kind->name)
        return -EBADMSG;
    kind->number = (uint16_t)number;
    kind->name = strdup(name);
    if (!kind->name)
        return -ENOMEM;
    r = get_members(o, kind);
    return r >= 0 && kind->size < l->header.size ? -EBADMSG : r;
}

int skep_layouts_new_json(const json_t *json, struct skep_layouts **ret)
{
    const json_t *kinds = json_object_get(json, "kinds");
    _cleanup_layouts_ struct skep_layouts *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    int r = get_members(json_object_get(json, "header"), &l->header);
    if (r >= 0)
        r = check_header(&l->header);
    if (r >= 0 && !json_is_array(kinds))
        r = -EBADMSG;
    for (size_t i = 0; r >= 0 && i < json_array_size(kinds); i++)
        r = get_kind(json_array_get(kinds, i), l);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(l);
    return 0;
}
