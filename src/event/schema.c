/* SPDX-License-Identifier: Apache-2.0 */
#include "event/schema.h"

#include "event/fields.h"

#include <bpf/btf.h>

#define MAX_DEPTH 4    /* structs in structs */
#define MAX_CHAIN 16   /* typedefs of typedefs */
#define MAX_FIELDS 256 /* leaves of one kind; more is not a record of ours */
#define NAME_SIZE 128

struct skep_schema {
    struct skep_kind kinds[SKEP_KIND_MAX]; /* by number; name NULL: not there */
};

static const struct {
    uint16_t number;
    enum skep_ring_id ring;
    enum skep_show show;
    const char *name, *group, *text, *doc;
} rows[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc)                                               \
    {number, SKEP_RING_##ring, SKEP_SHOW_##show, #name, #group, text, doc},
#include "abi/events.def"
#undef SKEP_EVENT
};

/* State while one kind is built. */
struct build {
    const struct btf *btf;
    struct skep_kind *kind;
    struct skep_field *fields;
    uint32_t *slices;
    uint32_t n_types;
};

/* Where a member stands, and what its parents decided. */
struct place {
    char prefix[NAME_SIZE]; /* "" or ending in a dot */
    const char *doc;        /* of the enclosing member, or NULL */
    uint32_t off;
    unsigned depth;
    bool hidden;
};

struct resolved {
    const struct btf_type *type; /* behind all typedefs */
    uint32_t id;
    uint32_t size;
    const char *meaning; /* the outermost typedef that is ours, without skep_, or "" */
};

static const char *string_at(const struct btf *btf, uint32_t off)
{
    const char *s = btf__str_by_offset(btf, off);
    return s ? s : "";
}

static int resolve(const struct btf *btf, uint32_t id, struct resolved *ret)
{
    struct resolved r = {.meaning = ""};
    for (unsigned i = 0; i < MAX_CHAIN; i++) {
        const struct btf_type *t = btf__type_by_id(btf, id);
        if (!t)
            return -EBADMSG;
        if (btf_is_typedef(t) && !*r.meaning) {
            const char *meaning = skep_startswith(string_at(btf, t->name_off), "skep_");
            if (meaning)
                r.meaning = meaning;
        }
        if (!btf_is_typedef(t) && !btf_is_mod(t)) {
            long long size = btf_is_array(t) ? 0 : btf__resolve_size(btf, id);
            if (size < 0 || size > SKEP_RECORD_MAX)
                return -EBADMSG;
            r.type = t;
            r.id = id;
            r.size = (uint32_t)size;
            *ret = r;
            return 0;
        }
        id = t->type;
    }
    return -EBADMSG;
}

/* The text behind "doc:" that was attached to a member; NULL: none. */
static const char *doc_of(const struct build *b, uint32_t struct_id, int member)
{
    for (uint32_t id = 1; id < b->n_types; id++) {
        const struct btf_type *t = btf__type_by_id(b->btf, id);
        if (t && btf_is_decl_tag(t) && t->type == struct_id && btf_decl_tag(t)->component_idx == member) {
            const char *doc = skep_startswith(string_at(b->btf, t->name_off), "doc:");
            if (doc)
                return doc;
        }
    }
    return NULL;
}

static char *join(const char *a, const char *between, const char *b)
{
    char *s = NULL;
    return asprintf(&s, "%s%s%s", a, between, b) < 0 ? NULL : s;
}

/* f without name and doc; doc may be NULL. */
static int add_field(struct build *b, const struct place *at, const char *name, const char *doc,
                     struct skep_field f)
{
    if (b->kind->n_fields == MAX_FIELDS || f.off > b->kind->size || f.size > b->kind->size - f.off)
        return -EBADMSG;
    _cleanup_free_ char *full = join(at->prefix, "", name);
    _cleanup_free_ char *text = at->doc && doc ? join(at->doc, ": ", doc)
                                               : join(doc       ? doc
                                                      : at->doc ? at->doc
                                                                : "",
                                                      "", "");
    if (!full || !text)
        return -ENOMEM;
    f.name = TAKE_PTR(full);
    f.doc = TAKE_PTR(text);
    b->fields[b->kind->n_fields++] = f;
    return 0;
}

static int add_slice(struct build *b, uint32_t off)
{
    if (b->kind->n_slices == MAX_FIELDS || off > b->kind->size ||
        sizeof(struct skep_slice) > b->kind->size - off)
        return -EBADMSG;
    b->slices[b->kind->n_slices++] = off;
    return 0;
}

static int add_endpoint(struct build *b, const struct place *in, uint32_t off)
{
    struct skep_field f = {.off = off, .size = sizeof(struct skep_endpoint)};
    f.type = SKEP_TYPE_ip;
    f.get = skep_get_endpoint_ip;
    int r = add_field(b, in, "ip", "IP address", f);
    if (r < 0)
        return r;
    f.type = SKEP_TYPE_port;
    f.get = skep_get_endpoint_port;
    return add_field(b, in, "port", "port", f);
}

static int add_dns(struct build *b, const struct place *at, uint32_t off)
{
    static const struct {
        const char *name, *doc;
        enum skep_type type;
        skep_field_get_fn *get;
    } parts[] = {
        {"question", "the name asked for", SKEP_TYPE_text, skep_get_dns_question},
        {"qtype", "type of record asked for", SKEP_TYPE_dns_qtype, skep_get_dns_qtype},
        {"id", "number that ties an answer to its question", SKEP_TYPE_number, skep_get_dns_id},
        {"rcode", "result, in answers", SKEP_TYPE_dns_rcode, skep_get_dns_rcode},
        {"answers", "addresses and names in the answer", SKEP_TYPE_textlist, skep_get_dns_answers},
    };
    struct place plain = *at;
    plain.doc = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        struct skep_field f = {
            .type = parts[i].type, .off = off, .size = sizeof(struct skep_slice), .get = parts[i].get};
        int r = add_field(b, &plain, parts[i].name, parts[i].doc, f);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_slice_member(struct build *b, const struct place *at, const char *name, const char *doc,
                            enum skep_type type, uint32_t off)
{
    int r = add_slice(b, off);
    if (r < 0 || at->hidden)
        return r;
    if (type == SKEP_TYPE_dnsmsg)
        return add_dns(b, at, off);
    struct skep_field f = {.type = type, .off = off, .size = sizeof(struct skep_slice)};
    if (type == SKEP_TYPE_environ)
        f.get = skep_get_env;
    return add_field(b, at, name, doc, f);
}

static int add_number(struct build *b, const struct place *at, const char *name, const char *doc,
                      const struct resolved *r, uint32_t off)
{
    if (at->hidden)
        return 0;
    if (r->size != 1 && r->size != 2 && r->size != 4 && r->size != 8)
        return -EBADMSG;
    enum skep_type type = skep_type_find(r->meaning);
    enum skep_class class = type < 0 ? SKEP_CLASS_TEXT : skep_type_info(type)->class;
    if (class != SKEP_CLASS_INT && class != SKEP_CLASS_UINT)
        type = btf_int_encoding(r->type) & BTF_INT_SIGNED ? SKEP_TYPE_integer : SKEP_TYPE_number;
    struct skep_field f = {.type = type, .off = off, .size = r->size};
    if (type == SKEP_TYPE_kexec_flags)
        f.get = skep_get_kexec_flags;
    return add_field(b, at, name, doc, f);
}

static int add_array(struct build *b, const struct place *at, const char *name, const char *doc,
                     const struct btf_type *t, uint32_t off)
{
    struct resolved element;
    int r = resolve(b->btf, btf_array(t)->type, &element);
    if (r < 0)
        return r;
    if (at->hidden || !btf_is_int(element.type) || element.size != 1)
        return 0;
    return add_field(
        b, at, name, doc,
        (struct skep_field){
            .type = SKEP_TYPE_text, .off = off, .size = btf_array(t)->nelems, .get = skep_get_chars});
}

static int add_struct(struct build *b, uint32_t id, const struct btf_type *t, const struct place *at);

static int add_member(struct build *b, uint32_t struct_id, const struct btf_type *t, int i,
                      const struct place *at)
{
    const char *name = string_at(b->btf, btf_members(t)[i].name_off);
    uint32_t bit = btf_member_bit_offset(t, (uint32_t)i);
    struct resolved m;
    int r = resolve(b->btf, btf_members(t)[i].type, &m);
    if (r < 0)
        return r;
    /* The bound keeps sums of offsets in range; add_field() and add_slice() hold against the kind's size. */
    if (btf_member_bitfield_size(t, (uint32_t)i) || bit % 8 || bit / 8 > SKEP_RECORD_MAX || !*name)
        return -EBADMSG;
    uint32_t off = at->off + bit / 8;

    struct place here = *at;
    here.hidden |= skep_startswith(name, "pad") != NULL;
    here.hidden |=
        at->depth == 0 && (skep_streq(name, "h") || skep_streq(name, "task") || skep_streq(name, "image"));
    if (skep_streq(name, "namespace_"))
        name = "namespace"; /* a keyword for those who read the headers with a C++ compiler */
    const char *doc = here.hidden ? NULL : doc_of(b, struct_id, i);

    if (btf_is_array(m.type))
        return add_array(b, &here, name, doc, m.type, off);
    if (btf_is_int(m.type))
        return add_number(b, &here, name, doc, &m, off);
    if (!btf_is_struct(m.type))
        return -EBADMSG;
    const char *struct_name = string_at(b->btf, m.type->name_off);
    if (skep_streq(struct_name, "skep_slice")) {
        enum skep_type type = skep_type_find(m.meaning);
        if (m.size != sizeof(struct skep_slice))
            return -EBADMSG;
        if (type < 0 || (skep_type_info(type)->class != SKEP_CLASS_TEXT &&
                         skep_type_info(type)->class != SKEP_CLASS_LIST))
            type = SKEP_TYPE_text;
        return add_slice_member(b, &here, name, doc, type, off);
    }

    int n = snprintf(here.prefix, sizeof(here.prefix), "%s%s.", at->prefix, name);
    if (n < 0 || (size_t)n >= sizeof(here.prefix) || ++here.depth > MAX_DEPTH)
        return -EBADMSG;
    here.off = off;
    here.doc = doc;
    if (skep_streq(struct_name, "skep_endpoint")) {
        if (m.size != sizeof(struct skep_endpoint))
            return -EBADMSG;
        return here.hidden ? 0 : add_endpoint(b, &here, off);
    }
    return add_struct(b, m.id, m.type, &here);
}

static int add_struct(struct build *b, uint32_t id, const struct btf_type *t, const struct place *at)
{
    for (int i = 0; i < btf_vlen(t); i++) {
        int r = add_member(b, id, t, i, at);
        if (r < 0)
            return r;
    }
    return 0;
}

static const struct skep_field *leaf(const struct skep_kind *kind, const char *name, size_t len)
{
    for (size_t i = 0; i < kind->n_fields; i++)
        if (strncmp(kind->fields[i].name, name, len) == 0 && kind->fields[i].name[len] == '\0')
            return &kind->fields[i];
    return NULL;
}

/* Sockets that carry no protocol number are known by their family: where both stand in a record together
 * with an address. (The kind socket shows what was asked for, both numbers as they are.) */
static void link_proto(struct build *b)
{
    const struct skep_field *family = leaf(b->kind, "family", 6), *proto = leaf(b->kind, "proto", 5);
    if (family && family->size == 4 && proto && leaf(b->kind, "local.ip", 8)) {
        struct skep_field *f = &b->fields[proto - b->fields];
        f->beside = family->off;
        f->get = skep_get_proto;
    }
}

static int add_kind(struct skep_schema *s, const struct btf *btf, size_t row)
{
    char name[64];
    snprintf(name, sizeof(name), "skep_ev_%s", rows[row].name);
    int32_t id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
    if (id < 0)
        return 0;
    const struct btf_type *t = btf__type_by_id(btf, (uint32_t)id);
    if (!t || t->size < sizeof(struct skep_hdr) || t->size > SKEP_RECORD_MAX || btf_vlen(t) == 0)
        return -EBADMSG;
    /* All that reads a record trusts the header to be this build's. */
    const struct btf_type *header = btf__type_by_id(btf, btf_members(t)[0].type);
    if (!header || !btf_is_struct(header) || header->size != sizeof(struct skep_hdr) ||
        !skep_streq(string_at(btf, header->name_off), "skep_hdr") || btf_member_bit_offset(t, 0) != 0)
        return -EBADMSG;

    struct skep_kind *kind = &s->kinds[rows[row].number];
    *kind = (struct skep_kind){
        .number = rows[row].number,
        .name = rows[row].name,
        .group = rows[row].group,
        .text = rows[row].text,
        .doc = rows[row].doc,
        .ring = rows[row].ring,
        .show = rows[row].show,
        .size = t->size,
    };
    struct build b = {.btf = btf, .kind = kind, .n_types = btf__type_cnt(btf)};
    b.fields = calloc(MAX_FIELDS, sizeof(*b.fields));
    b.slices = calloc(MAX_FIELDS, sizeof(*b.slices));
    kind->fields = b.fields; /* owned by the schema from here on */
    kind->slices = b.slices;
    if (!b.fields || !b.slices)
        return -ENOMEM;
    int r = add_struct(&b, (uint32_t)id, t, &(struct place){.prefix = ""});
    if (r < 0)
        return r;
    link_proto(&b);
    const struct skep_field *source = leaf(kind, "path_source", 11);
    kind->path_source = source ? source->off : 0;
    struct skep_field *fields = reallocarray(b.fields, kind->n_fields + 1, sizeof(*fields));
    if (fields)
        kind->fields = fields;
    uint32_t *slices = reallocarray(b.slices, kind->n_slices + 1, sizeof(*slices));
    if (slices)
        kind->slices = slices;
    return 0;
}

static void btf_freep(struct btf **btf)
{
    btf__free(*btf);
}

int skep_schema_new(const void *btf_data, size_t btf_size, struct skep_schema **ret)
{
    if (btf_size > UINT32_MAX)
        return -EBADMSG;
    SKEP_CLEANUP(btf_freep) struct btf *btf = btf__new(btf_data, (uint32_t)btf_size);
    if (!btf)
        return errno == ENOMEM ? -ENOMEM : -EBADMSG;
    _cleanup_schema_ struct skep_schema *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int r = add_kind(s, btf, i);
        if (r < 0)
            return r;
    }
    *ret = TAKE_PTR(s);
    return 0;
}

struct skep_schema *skep_schema_free(struct skep_schema *s)
{
    if (!s)
        return NULL;
    for (size_t k = 0; k < SKEP_KIND_MAX; k++) {
        struct skep_kind *kind = &s->kinds[k];
        for (size_t i = 0; i < kind->n_fields; i++) {
            free((char *)kind->fields[i].name);
            free((char *)kind->fields[i].doc);
        }
        free((struct skep_field *)kind->fields);
        free((uint32_t *)kind->slices);
    }
    free(s);
    return NULL;
}

const struct skep_kind *skep_schema_kind(const struct skep_schema *s, unsigned number)
{
    return number < SKEP_KIND_MAX && s->kinds[number].name ? &s->kinds[number] : NULL;
}

int skep_record_check(const struct skep_kind *kind, const void *record, size_t n)
{
    struct skep_hdr h;
    if (!kind || n < sizeof(h))
        return -EBADMSG;
    memcpy(&h, record, sizeof(h));
    if (h.kind != kind->number || h.len > n || h.len > SKEP_RECORD_MAX || h.len < kind->size || h.len % 8)
        return -EBADMSG;
    for (size_t i = 0; i < kind->n_slices; i++) {
        struct skep_slice slice;
        memcpy(&slice, (const char *)record + kind->slices[i], sizeof(slice));
        if (slice.off == 0) {
            if (slice.len != 0)
                return -EBADMSG;
        } else if (slice.off < kind->size || slice.off > h.len || slice.len > h.len - slice.off) {
            return -EBADMSG;
        }
    }
    return 0;
}
