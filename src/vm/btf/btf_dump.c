/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/btf_dump.h"

#include <ctype.h>

#define DEPTH_MAX 64 /* of types in types */
#define CHAIN_MAX 64 /* of pointers, arrays and qualifiers before a base */

enum { FRESH, BUSY, DONE, BROKEN };

struct dump {
    const struct skep_btf *btf;
    struct skep_strbuf *sb;
    uint8_t *states;    /* of each type */
    uint8_t *declared;  /* struct NAME; has been written */
    uint8_t *aligns;    /* 0: not computed */
    uint16_t *suffixes; /* 0: the name is its own */
    /* The same of enumerators, which all share one space: those of type id begin at first[id]. */
    uint32_t *first;
    uint16_t *enumerators;
    uint64_t budget; /* work that may still be done: hostile types nest without an end */
};

static unsigned kind_of(const struct btf_type *t)
{
    return t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN;
}
static unsigned vlen_of(const struct btf_type *t)
{
    return BTF_INFO_VLEN(t->info);
}
static bool is_composite(const struct btf_type *t)
{
    return kind_of(t) == BTF_KIND_STRUCT || kind_of(t) == BTF_KIND_UNION;
}
static bool is_enum(const struct btf_type *t)
{
    return kind_of(t) == BTF_KIND_ENUM || kind_of(t) == BTF_KIND_ENUM64;
}
static bool is_modifier(const struct btf_type *t)
{
    return kind_of(t) == BTF_KIND_CONST || kind_of(t) == BTF_KIND_VOLATILE ||
           kind_of(t) == BTF_KIND_RESTRICT || kind_of(t) == BTF_KIND_TYPE_TAG;
}

/* ---- names ---- */

/* struct, union and enum share one space of names, typedefs and functions another. */
static bool tagged(const struct btf_type *t)
{
    return is_composite(t) || is_enum(t) || kind_of(t) == BTF_KIND_FWD;
}

/* A name in which there is nothing but what C takes. */
static void put_identifier(struct skep_strbuf *sb, const char *name)
{
    if (isdigit((unsigned char)name[0]))
        skep_strbuf_putc(sb, '_');
    for (; *name; name++)
        skep_strbuf_putc(sb, isalnum((unsigned char)*name) || *name == '_' ? *name : '_');
}

static void put_name(struct dump *d, uint32_t id)
{
    put_identifier(d->sb, skep_btf_name(d->btf, skep_btf_type(d->btf, id)));
    if (d->suffixes[id])
        skep_strbuf_printf(d->sb, "___%u", d->suffixes[id] + 1U);
}

static const char *keyword(const struct btf_type *t)
{
    if (kind_of(t) == BTF_KIND_FWD)
        return BTF_INFO_KFLAG(t->info) ? "union" : "struct";
    return is_enum(t) ? "enum" : kind_of(t) == BTF_KIND_UNION ? "union" : "struct";
}

struct named {
    const char *name;
    uint32_t id;
    uint8_t
        space; /* 0: tags that are defined, 1: typedefs; 2: enumerators, whose id is an index of enumerators[] */
};

static int compare_names(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int r = x->space - y->space;
    if (r == 0)
        r = strcmp(x->name, y->name);
    return r ? r : x->id < y->id ? -1 : x->id > y->id;
}

static void number(struct named *all, size_t n, uint16_t *suffixes)
{
    qsort(all, n, sizeof(*all), compare_names);
    for (size_t i = 1; i < n; i++)
        if (all[i].space == all[i - 1].space && strcmp(all[i].name, all[i - 1].name) == 0)
            suffixes[all[i].id] = (uint16_t)MIN(suffixes[all[i - 1].id] + 1, UINT16_MAX);
}

/* Numbers the types that have the same name. */
static int number_types(struct dump *d)
{
    const uint32_t n = skep_btf_count(d->btf);
    _cleanup_free_ struct named *all = calloc(n + 1U, sizeof(*all));
    size_t used = 0;
    if (!all)
        return -ENOMEM;
    for (uint32_t id = 1; id < n; id++) {
        const struct btf_type *t = skep_btf_type(d->btf, id);
        if (!t || !skep_btf_name(d->btf, t)[0] || kind_of(t) == BTF_KIND_FWD)
            continue;
        if (tagged(t) || kind_of(t) == BTF_KIND_TYPEDEF)
            all[used++] = (struct named){skep_btf_name(d->btf, t), id, !tagged(t)};
    }
    number(all, used, d->suffixes);
    return 0;
}

static const char *enumerator_name(const struct skep_btf *btf, const struct btf_type *t, unsigned i)
{
    return skep_btf_string(btf, kind_of(t) == BTF_KIND_ENUM
                                    ? ((const struct btf_enum *)(t + 1))[i].name_off
                                    : ((const struct btf_enum64 *)(t + 1))[i].name_off);
}

/* The same for enumerators. */
static int number_enumerators(struct dump *d)
{
    const uint32_t n = skep_btf_count(d->btf);
    size_t total = 0, used = 0;
    for (uint32_t id = 1; id < n; id++) {
        const struct btf_type *t = skep_btf_type(d->btf, id);
        d->first[id] = (uint32_t)total;
        total += is_enum(t) ? vlen_of(t) : 0;
    }
    d->enumerators = calloc(total + 1, sizeof(*d->enumerators));
    _cleanup_free_ struct named *all = calloc(total + 1, sizeof(*all));
    if (!all || !d->enumerators)
        return -ENOMEM;
    for (uint32_t id = 1; id < n; id++) {
        const struct btf_type *t = skep_btf_type(d->btf, id);
        for (unsigned i = 0; is_enum(t) && i < vlen_of(t); i++, used++)
            all[used] = (struct named){enumerator_name(d->btf, t, i), (uint32_t)used, 2};
    }
    number(all, used, d->enumerators);
    return 0;
}

/* ---- declarations ---- */

static void put_body(struct dump *d, uint32_t id, unsigned indent, unsigned depth);
static void put_declaration(struct dump *d, uint32_t id, const char *name, unsigned indent, unsigned depth);

static void put_indent(struct dump *d, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++)
        skep_strbuf_putc(d->sb, '\t');
}

/* "long unsigned int": several words. */
static void put_int_name(struct dump *d, const struct btf_type *t)
{
    const char *name = skep_btf_name(d->btf, t);
    if (!name[0] || strcmp(name, "__ARRAY_SIZE_TYPE__") == 0)
        name = "unsigned int";
    for (; *name; name++)
        skep_strbuf_putc(d->sb, isalnum((unsigned char)*name) || *name == ' ' ? *name : '_');
}

/* What stands before the declarator: a name, or a whole anonymous type. */
static void put_base(struct dump *d, uint32_t id, unsigned indent, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    if (!t) {
        skep_strbuf_puts(d->sb, "void");
    } else if (kind_of(t) == BTF_KIND_INT) {
        put_int_name(d, t);
    } else if (kind_of(t) == BTF_KIND_FLOAT) {
        skep_strbuf_puts(d->sb, t->size == 4 ? "float" : t->size == 8 ? "double" : "long double");
    } else if (tagged(t)) {
        skep_strbuf_puts(d->sb, keyword(t));
        if (skep_btf_name(d->btf, t)[0]) {
            skep_strbuf_putc(d->sb, ' ');
            put_name(d, id);
        } else if (depth < DEPTH_MAX) {
            put_body(d, id, indent, depth + 1);
        }
    } else {
        put_name(d, id);
    }
}

static void put_parameters(struct dump *d, const struct btf_type *proto, struct skep_strbuf *to,
                           unsigned depth)
{
    const struct btf_param *params = (const struct btf_param *)(proto + 1);
    struct skep_strbuf *out = d->sb;
    d->sb = to;
    skep_strbuf_putc(to, '(');
    for (unsigned i = 0; i < vlen_of(proto); i++) {
        if (i)
            skep_strbuf_puts(to, ", ");
        if (!params[i].type && i + 1 == vlen_of(proto))
            skep_strbuf_puts(to, "...");
        else
            put_declaration(d, params[i].type, "", 0, depth + 1);
    }
    skep_strbuf_puts(to, vlen_of(proto) ? ")" : "void)");
    d->sb = out;
}

/* Puts text before what is in sb. */
static void prepend(struct skep_strbuf *sb, const char *text)
{
    _cleanup_strbuf_ struct skep_strbuf whole;
    skep_strbuf_init(&whole, sb->max);
    skep_strbuf_puts(&whole, text);
    skep_strbuf_put(&whole, sb->s, sb->len);
    skep_strbuf_reset(sb);
    skep_strbuf_put(sb, whole.s, whole.len);
}

/* A declarator grows from the name outwards: pointers before it, arrays and parameters behind it. */
static void put_declaration(struct dump *d, uint32_t id, const char *name, unsigned indent, unsigned depth)
{
    _cleanup_strbuf_ struct skep_strbuf decl, qualifiers;
    skep_strbuf_init(&decl, 1 << 16);
    skep_strbuf_init(&qualifiers, 256);
    put_identifier(&decl, name);
    if (depth > DEPTH_MAX || d->budget == 0 || d->sb->failed)
        return;
    d->budget--;
    bool pointer = false; /* the last thing that was put is a pointer */
    for (unsigned step = 0; step < CHAIN_MAX; step++) {
        const struct btf_type *t = skep_btf_type(d->btf, id);
        d->budget -= MIN(d->budget, decl.len / 64); /* each step may move all of it */
        if (kind_of(t) == BTF_KIND_PTR) {
            prepend(&decl, decl.len && qualifiers.len ? " " : "");
            prepend(&decl, qualifiers.s);
            prepend(&decl, "*");
            skep_strbuf_reset(&qualifiers);
            pointer = true;
        } else if (is_modifier(t)) {
            const char *q = kind_of(t) == BTF_KIND_CONST      ? "const"
                            : kind_of(t) == BTF_KIND_VOLATILE ? "volatile"
                            : kind_of(t) == BTF_KIND_RESTRICT ? "restrict"
                                                              : "";
            if (q[0] && !strstr(qualifiers.s, q))
                skep_strbuf_printf(&qualifiers, "%s%s", qualifiers.len ? " " : "", q);
        } else if (kind_of(t) == BTF_KIND_ARRAY || kind_of(t) == BTF_KIND_FUNC_PROTO) {
            if (pointer) {
                prepend(&decl, "(");
                skep_strbuf_putc(&decl, ')');
            }
            pointer = false;
            if (kind_of(t) == BTF_KIND_ARRAY)
                skep_strbuf_printf(&decl, "[%u]", ((const struct btf_array *)(t + 1))->nelems);
            else
                put_parameters(d, t, &decl, depth);
        } else {
            break;
        }
        const struct btf_type *at = skep_btf_type(d->btf, id);
        id = kind_of(at) == BTF_KIND_ARRAY ? ((const struct btf_array *)(at + 1))->type : at->type;
    }
    if (qualifiers.len)
        skep_strbuf_printf(d->sb, "%s ", qualifiers.s);
    put_base(d, id, indent, depth);
    if (decl.len)
        skep_strbuf_printf(d->sb, " %s", decl.s);
}

/* ---- where members lie ---- */

static bool is_packed(struct dump *d, const struct btf_type *t, unsigned depth);
static uint32_t alignment(struct dump *d, uint32_t id, unsigned depth);

static uint32_t composite_alignment(struct dump *d, uint32_t id, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    const struct btf_member *m = (const struct btf_member *)(t + 1);
    uint32_t most = 1;
    if (d->aligns[id])
        return d->aligns[id];
    d->aligns[id] = 1; /* while it is being computed: only hostile types come back to it */
    for (unsigned i = 0; i < vlen_of(t); i++)
        most = MAX(most, alignment(d, m[i].type, depth + 1));
    d->aligns[id] = (uint8_t)(is_packed(d, t, depth + 1) ? 1 : most);
    return d->aligns[id];
}

/* What the compiler aligns a type to, as far as BTF tells. Each type is looked at once. */
static uint32_t alignment(struct dump *d, uint32_t id, unsigned depth)
{
    const uint32_t at = skep_btf_resolve_id(d->btf, id);
    const struct btf_type *t = skep_btf_type(d->btf, at);
    if (!t || depth > DEPTH_MAX)
        return 1;
    if (kind_of(t) == BTF_KIND_ARRAY)
        return alignment(d, ((const struct btf_array *)(t + 1))->type, depth + 1);
    if (is_composite(t))
        return composite_alignment(d, at, depth);
    if (kind_of(t) == BTF_KIND_PTR)
        return 8;
    bool sized = kind_of(t) == BTF_KIND_INT || kind_of(t) == BTF_KIND_FLOAT || is_enum(t);
    return sized && t->size && t->size <= 16 && (t->size & (t->size - 1)) == 0 ? t->size : 1;
}

/* Whether members lie where a compiler would not put them. */
static bool is_packed(struct dump *d, const struct btf_type *t, unsigned depth)
{
    const struct btf_member *m = (const struct btf_member *)(t + 1);
    uint32_t most = 1;
    for (unsigned i = 0; i < vlen_of(t); i++) {
        bool kflag = BTF_INFO_KFLAG(t->info);
        uint32_t at = kflag ? BTF_MEMBER_BIT_OFFSET(m[i].offset) : m[i].offset;
        uint32_t one = alignment(d, m[i].type, depth);
        most = MAX(most, one);
        if ((!kflag || !BTF_MEMBER_BITFIELD_SIZE(m[i].offset)) && at % (8 * one))
            return true;
    }
    return t->size % most != 0;
}

static void put_padding(struct dump *d, uint64_t bits, uint64_t to, unsigned indent)
{
    if (to <= bits)
        return;
    /* up to the next byte as a field of bits, the rest as bytes */
    uint64_t head = MIN(to - bits, -bits & 7);
    if (head) {
        put_indent(d, indent);
        skep_strbuf_printf(d->sb, "char: %u;\n", (unsigned)head);
    }
    if (to - bits - head >= 8) {
        put_indent(d, indent);
        skep_strbuf_printf(d->sb, "char __pad%llu[%llu];\n", (unsigned long long)(bits + head) / 8,
                           (unsigned long long)(to - bits - head) / 8);
    }
}

static void put_members(struct dump *d, const struct btf_type *t, unsigned indent, unsigned depth,
                        bool packed)
{
    const struct btf_member *m = (const struct btf_member *)(t + 1);
    const bool is_struct = kind_of(t) == BTF_KIND_STRUCT, kflag = BTF_INFO_KFLAG(t->info);
    uint64_t bits = 0;
    uint32_t most = 1;
    for (unsigned i = 0; i < vlen_of(t); i++) {
        most = MAX(most, packed ? 1 : alignment(d, m[i].type, 0));
        uint32_t at = kflag ? BTF_MEMBER_BIT_OFFSET(m[i].offset) : m[i].offset;
        uint32_t width = kflag ? BTF_MEMBER_BITFIELD_SIZE(m[i].offset) : 0;
        uint64_t step = 8 * (packed || width ? 1 : alignment(d, m[i].type, 0));
        /* a compiler goes to the next place where the member fits: only more than that needs padding */
        if (is_struct && ROUND_UP(bits, step) != at && !(width && bits == at))
            put_padding(d, bits, at, indent);
        put_indent(d, indent);
        put_declaration(d, m[i].type, skep_btf_string(d->btf, m[i].name_off), indent, depth);
        skep_strbuf_printf(d->sb, width ? ": %u;\n" : ";\n", width);
        int64_t size = skep_btf_size(d->btf, m[i].type);
        bits = at + (width ? width : size > 0 ? 8 * (uint64_t)size : 0);
    }
    /* what a compiler adds at the end by itself is no padding */
    if (is_struct && ROUND_UP(ROUND_UP(bits, 8), 8 * (uint64_t)most) < 8 * (uint64_t)t->size)
        put_padding(d, ROUND_UP(bits, 8), 8 * (uint64_t)t->size, indent);
}

static void put_enumerators(struct dump *d, uint32_t id, unsigned indent)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    const bool sign = BTF_INFO_KFLAG(t->info);
    for (unsigned i = 0; i < vlen_of(t); i++) {
        put_indent(d, indent);
        put_identifier(d->sb, enumerator_name(d->btf, t, i));
        if (d->enumerators[d->first[id] + i])
            skep_strbuf_printf(d->sb, "___%u", d->enumerators[d->first[id] + i] + 1U);
        if (kind_of(t) == BTF_KIND_ENUM) {
            int32_t v = ((const struct btf_enum *)(t + 1))[i].val;
            skep_strbuf_printf(d->sb, sign || v < 0 ? " = %d,\n" : " = %u,\n", v);
        } else {
            const struct btf_enum64 *e = (const struct btf_enum64 *)(t + 1) + i;
            uint64_t v = (uint64_t)e->val_hi32 << 32 | e->val_lo32;
            skep_strbuf_printf(d->sb, sign ? " = %lldLL,\n" : " = %lluULL,\n", (unsigned long long)v);
        }
    }
}

static void put_body(struct dump *d, uint32_t id, unsigned indent, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    if (is_enum(t) && !vlen_of(t)) {
        skep_strbuf_puts(d->sb, " { __no_enumerators }");
        return;
    }
    bool packed = is_composite(t) && is_packed(d, t, 0);
    skep_strbuf_puts(d->sb, " {\n");
    if (is_enum(t))
        put_enumerators(d, id, indent + 1);
    else
        put_members(d, t, indent + 1, depth, packed);
    put_indent(d, indent);
    skep_strbuf_puts(d->sb, packed ? "} __attribute__((packed))" : "}");
    if (is_enum(t) && t->size != 4)
        skep_strbuf_puts(d->sb, t->size == 1   ? " __attribute__((mode(byte)))"
                                : t->size == 2 ? " __attribute__((mode(HI)))"
                                : t->size == 8 ? " __attribute__((mode(DI)))"
                                               : "");
}

/* ---- order ---- */

static bool order(struct dump *d, uint32_t id, bool by_value, unsigned depth);

/* struct NAME; for what is only pointed to. */
static void declare(struct dump *d, uint32_t id)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    if (d->declared[id] || !skep_btf_name(d->btf, t)[0])
        return;
    d->declared[id] = 1;
    if (!is_enum(t)) {
        skep_strbuf_printf(d->sb, "%s ", keyword(t));
        put_name(d, id);
        skep_strbuf_puts(d->sb, ";\n\n");
    }
}

static bool order_members(struct dump *d, const struct btf_type *t, unsigned depth)
{
    bool ok = true;
    for (unsigned i = 0; i < vlen_of(t) && is_composite(t); i++)
        ok = order(d, ((const struct btf_member *)(t + 1))[i].type, true, depth + 1) && ok;
    return ok;
}

/* Writes what stands on its own in the end. */
static void define(struct dump *d, uint32_t id, unsigned kind)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    if (kind == BTF_KIND_TYPEDEF) {
        _cleanup_strbuf_ struct skep_strbuf name;
        struct skep_strbuf *out = d->sb;
        skep_strbuf_init(&name, 1 << 12);
        d->sb = &name;
        put_name(d, id);
        d->sb = out;
        skep_strbuf_puts(d->sb, "typedef ");
        put_declaration(d, t->type, name.s, 0, 0);
    } else {
        skep_strbuf_printf(d->sb, "%s ", keyword(t));
        put_name(d, id);
        put_body(d, id, 0, 0);
    }
    skep_strbuf_puts(d->sb, ";\n\n");
}

static bool order_composite(struct dump *d, uint32_t id, bool by_value, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    const bool named = skep_btf_name(d->btf, t)[0];
    if (named && !by_value) {
        if (d->states[id] != DONE)
            declare(d, id);
        return true;
    }
    if (d->states[id] == BUSY)
        return false; /* inside of itself */
    d->states[id] = BUSY;
    bool ok = order_members(d, t, depth);
    d->states[id] = ok ? DONE : BROKEN;
    if (ok && named)
        define(d, id, kind_of(t));
    return ok;
}

/* Pointers, arrays and functions: each is looked at once. Coming back to one goes through a pointer, and is no harm. */
static bool order_derived(struct dump *d, uint32_t id, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    if (d->states[id] == BUSY)
        return true;
    d->states[id] = BUSY;
    bool ok;
    if (kind_of(t) == BTF_KIND_ARRAY)
        ok = order(d, ((const struct btf_array *)(t + 1))->type, true, depth + 1);
    else
        ok = order(d, t->type, false, depth + 1);
    for (unsigned i = 0; i < vlen_of(t) && kind_of(t) == BTF_KIND_FUNC_PROTO; i++)
        ok = order(d, ((const struct btf_param *)(t + 1))[i].type, false, depth + 1) && ok;
    d->states[id] = ok ? DONE : BROKEN;
    return ok;
}

/* A name must be known wherever it stands; what is behind it only where it is used by value. */
static bool order_typedef(struct dump *d, uint32_t id, bool by_value, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id), *to = skep_btf_type(d->btf, t->type);
    if (d->states[id] == FRESH) {
        d->states[id] = BUSY;
        bool anonymous = tagged(to) && !skep_btf_name(d->btf, to)[0];
        bool ok = order(d, t->type, anonymous, depth + 1);
        d->states[id] = ok ? DONE : BROKEN;
        if (ok)
            define(d, id, BTF_KIND_TYPEDEF);
    }
    return d->states[id] == DONE && (!by_value || order(d, t->type, true, depth + 1));
}

/* All that must stand before something that has the type by value (or only points to it). False: that has no end. */
static bool order(struct dump *d, uint32_t id, bool by_value, unsigned depth)
{
    const struct btf_type *t = skep_btf_type(d->btf, id);
    if (!t || kind_of(t) == BTF_KIND_INT || kind_of(t) == BTF_KIND_FLOAT)
        return true;
    if (depth > DEPTH_MAX)
        return false;
    if (kind_of(t) == BTF_KIND_FWD) {
        declare(d, id);
        return true;
    }
    if (d->states[id] == BROKEN)
        return false;
    if (d->states[id] == DONE && kind_of(t) != BTF_KIND_TYPEDEF)
        return true;
    if (is_composite(t) || is_enum(t))
        return order_composite(d, id, by_value || is_enum(t), depth);
    if (kind_of(t) == BTF_KIND_PTR || kind_of(t) == BTF_KIND_ARRAY || kind_of(t) == BTF_KIND_FUNC_PROTO)
        return order_derived(d, id, depth);
    if (kind_of(t) != BTF_KIND_TYPEDEF)
        return is_modifier(t) && order(d, t->type, by_value, depth + 1);
    return order_typedef(d, id, by_value, depth);
}

int skep_btf_dump_c(const struct skep_btf *btf, struct skep_strbuf *sb)
{
    const uint32_t n = skep_btf_count(btf);
    _cleanup_free_ uint8_t *states = calloc(n ? n : 1, 3);
    _cleanup_free_ uint16_t *suffixes = calloc(n ? n : 1, sizeof(*suffixes)), *enumerators = NULL;
    _cleanup_free_ uint32_t *first = calloc(n ? n : 1, sizeof(*first));
    if (!states || !suffixes || !first)
        return -ENOMEM;
    struct dump d = {btf,
                     sb,
                     states,
                     states + n,
                     states + 2 * (size_t)n,
                     suffixes,
                     first,
                     NULL,
                     1000000 + 64 * (uint64_t)n};
    int r = number_types(&d);
    if (r == 0)
        r = number_enumerators(&d);
    enumerators = d.enumerators;
    /* this one the compiler has by itself */
    const struct btf_type *builtin = skep_btf_find(btf, BTF_KIND_TYPEDEF, "__builtin_va_list");
    for (uint32_t id = 1; id < n && builtin; id++)
        if (skep_btf_type(btf, id) == builtin)
            states[id] = DONE;
    for (uint32_t id = 1; id < n && r == 0 && !sb->failed; id++) {
        const struct btf_type *t = skep_btf_type(btf, id);
        bool wanted = t && skep_btf_name(btf, t)[0] && (tagged(t) || kind_of(t) == BTF_KIND_TYPEDEF);
        if (wanted && !order(&d, id, true, 0))
            skep_strbuf_printf(sb, "/* type %u has no end */\n\n", id);
    }
    return r;
}
