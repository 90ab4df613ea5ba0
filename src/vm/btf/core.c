/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/core.h"

#include <linux/bpf.h>
#include <stdarg.h>

#include "base/flavour.h"
#include "vm/arena.h"
#include "vm/program.h"

#define ACCESS_MAX 64
#define STEPS_MAX 200000           /* of one relocation */
#define STEPS_ALL_MAX (100u << 20) /* of all */

/* Types of the target by the hash of their name without its flavour: heads and, by id, the next one. */
struct skep_core {
    struct skep_vm_arena arena;
    const struct skep_btf *local, *target;
    uint32_t *heads, *next;
    uint32_t n_heads; /* a power of two */
    uint32_t steps;   /* left */
};

/* A step on the way to a field. */
struct part {
    const struct btf_type *t; /* the composite it is a member of */
    const struct btf_member
        *member; /* NULL: an element of an array, or of what a pointer to the root points to */
    uint32_t index;
    uint32_t type; /* id of what is there */
};

/* What an instruction is about, in one of the two BTFs. */
struct spec {
    const struct skep_btf *btf;
    uint32_t root; /* type id */
    struct part parts[ACCESS_MAX];
    uint32_t n;
    uint64_t bits;       /* offset of the field */
    uint32_t enumerator; /* index */
    const char *enum_name;
};

/* The fact that an instruction holds. */
struct fact {
    uint64_t value;
    bool poison;   /* there is nothing to hold */
    bool validate; /* the instruction must hold the local fact now */
    int64_t size;  /* of the field, when the instruction may read or write it; 0: not known */
    const struct btf_type *type;
};

struct work {
    struct skep_core *core;
    uint32_t kind;
    struct skep_core_pair pair;
    char *message;
    struct spec local;
};

SKEP_PRINTF(3, 4)
static int fail(struct work *w, int r, const char *fmt, ...)
{
    char text[SKEP_CORE_MESSAGE_MAX - 100];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    const struct btf_type *t = w->local.root ? skep_btf_type(w->core->local, w->local.root) : NULL;
    snprintf(w->message, SKEP_CORE_MESSAGE_MAX, "CO-RE relocation of '%.80s': %s",
             t ? skep_btf_name(w->core->local, t) : "", text);
    return r;
}

/* ---- names of the target ---- */

static uint64_t hash_name(const char *name)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0, n = skep_flavour_plain_len(name); i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 0x100000001b3;
    return h ^ h >> 32;
}

int skep_core_new(const struct skep_btf *local, const struct skep_btf *target,
                  const struct skep_vm_allocator *allocator, struct skep_core **ret_core)
{
    uint32_t n = skep_btf_count(target), n_heads = 64;
    while (n_heads < n)
        n_heads *= 2;
    struct skep_vm_arena arena;
    skep_vm_arena_init(&arena, allocator, 16 * (size_t)n_heads + 65536);
    struct skep_core *core = skep_vm_arena_calloc(&arena, 1, sizeof(*core));
    uint32_t *heads = skep_vm_arena_calloc(&arena, n_heads, sizeof(*heads));
    uint32_t *next = skep_vm_arena_calloc(&arena, n, sizeof(*next));
    if (!core || !heads || !next) {
        skep_vm_arena_clear(&arena);
        return -ENOMEM;
    }
    for (uint32_t id = n; id-- > 1;) { /* chains in ascending order */
        const char *name = skep_btf_name(target, skep_btf_type(target, id));
        if (!*name)
            continue;
        uint32_t *head = &heads[hash_name(name) & (n_heads - 1)];
        next[id] = *head;
        *head = id;
    }
    *core = (struct skep_core){.arena = arena,
                               .local = local,
                               .target = target,
                               .heads = heads,
                               .next = next,
                               .n_heads = n_heads,
                               .steps = STEPS_ALL_MAX};
    *ret_core = core;
    return 0;
}

struct skep_core *skep_core_free(struct skep_core *core)
{
    if (core) {
        struct skep_vm_arena arena = core->arena; /* it holds the core */
        skep_vm_arena_clear(&arena);
    }
    return NULL;
}

/* ---- kinds ---- */

static bool is_about_field(uint32_t kind)
{
    return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}
static bool is_about_enumerator(uint32_t kind)
{
    return kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_ENUMVAL_VALUE;
}

static const struct btf_member *members(const struct btf_type *t)
{
    return (const struct btf_member *)(t + 1);
}
static bool is_composite(const struct btf_type *t)
{
    return BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT || BTF_INFO_KIND(t->info) == BTF_KIND_UNION;
}
static bool is_enum(const struct btf_type *t)
{
    return BTF_INFO_KIND(t->info) == BTF_KIND_ENUM || BTF_INFO_KIND(t->info) == BTF_KIND_ENUM64;
}
static uint32_t member_bits(const struct btf_type *t, const struct btf_member *m)
{
    return BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BIT_OFFSET(m->offset) : m->offset;
}
static uint32_t bitfield_size(const struct btf_type *t, const struct btf_member *m)
{
    return BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BITFIELD_SIZE(m->offset) : 0;
}

/* ---- the local side ---- */

static int parse_access(struct work *w, const char *access, uint32_t indices[ACCESS_MAX], uint32_t *ret_n)
{
    uint32_t n = 0;
    for (const char *s = access;; s++) {
        uint64_t index = 0;
        const char *from = s;
        while (*s >= '0' && *s <= '9' && index <= UINT32_MAX)
            index = index * 10 + (uint64_t)(*s++ - '0');
        if (s == from || index > UINT32_MAX || n == ACCESS_MAX || (*s && *s != ':'))
            return fail(w, -EINVAL, "the access '%.40s' is malformed", access);
        indices[n++] = (uint32_t)index;
        if (!*s)
            break;
    }
    *ret_n = n;
    return 0;
}

static int add_bits(struct work *w, struct spec *s, uint64_t element, uint64_t index)
{
    uint64_t bits;
    if (__builtin_mul_overflow(element, index * 8, &bits) ||
        __builtin_add_overflow(s->bits, bits, &s->bits) || s->bits > (uint64_t)INT32_MAX * 8)
        return fail(w, -EINVAL, "the field lies outside of what a type can have");
    return 0;
}

/* Goes to element index of an array of elements of a type. */
static int go_element(struct work *w, struct spec *s, uint32_t type, uint32_t index)
{
    int64_t size = skep_btf_size(s->btf, type);
    if (size < 0)
        return fail(w, -EINVAL, "an element has no size");
    s->parts[s->n++] = (struct part){.index = index, .type = type};
    return add_bits(w, s, (uint64_t)size, index);
}

/* Whether t is the last member of what it was reached by, so that an array of no length may go on behind it. */
static bool is_flexible(const struct spec *s, const struct btf_array *a)
{
    if (a->nelems > 0 || s->n < 2)
        return false;
    const struct part *p = &s->parts[s->n - 1];
    return p->member && p->index == BTF_INFO_VLEN(p->t->info) - 1 &&
           BTF_INFO_KIND(p->t->info) == BTF_KIND_STRUCT;
}

static int parse_local(struct work *w, uint32_t type, const char *access)
{
    struct spec *s = &w->local;
    uint32_t indices[ACCESS_MAX], n = 0;
    *s = (struct spec){.btf = w->core->local, .root = type};
    const struct btf_type *t = skep_btf_type(s->btf, type);
    if (!t)
        return fail(w, -EINVAL, "there is no type %u", type);
    int r = parse_access(w, access, indices, &n);
    if (r < 0)
        return r;
    if (!is_about_field(w->kind) && !is_about_enumerator(w->kind))
        return n == 1 && indices[0] == 0 ? 0
                                         : fail(w, -EINVAL, "the access '%.40s' is not of a type", access);
    t = skep_btf_resolve(s->btf, type);
    if (is_about_enumerator(w->kind)) {
        if (!t || !is_enum(t) || n != 1 || indices[0] >= BTF_INFO_VLEN(t->info))
            return fail(w, -EINVAL, "the access '%.40s' is not of an enumerator", access);
        s->enumerator = indices[0];
        s->enum_name =
            skep_btf_string(s->btf, BTF_INFO_KIND(t->info) == BTF_KIND_ENUM
                                        ? ((const struct btf_enum *)(t + 1))[indices[0]].name_off
                                        : ((const struct btf_enum64 *)(t + 1))[indices[0]].name_off);
        return 0;
    }
    r = go_element(w, s, type, indices[0]);
    uint32_t id = type;
    for (uint32_t i = 1; i < n && r == 0; i++) {
        t = skep_btf_resolve(s->btf, id);
        if (t && is_composite(t) && indices[i] < BTF_INFO_VLEN(t->info)) {
            const struct btf_member *m = &members(t)[indices[i]];
            s->parts[s->n++] = (struct part){.t = t, .member = m, .index = indices[i], .type = m->type};
            s->bits += member_bits(t, m);
            id = m->type;
        } else if (t && BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY) {
            const struct btf_array *a = (const struct btf_array *)(t + 1);
            if (indices[i] >= a->nelems && !is_flexible(s, a))
                return fail(w, -EINVAL, "the access '%.40s' is behind the end of an array", access);
            id = a->type;
            r = go_element(w, s, id, indices[i]);
        } else {
            return fail(w, -EINVAL, "the access '%.40s' goes nowhere", access);
        }
    }
    return r;
}

/* ---- the target's side: the same way, by the names of members ---- */

/* Goes to the member of that name of a composite, or of one without a name inside of it. 1: found, 0: not there. */
static int go_member(struct work *w, struct spec *s, uint32_t id, const char *name, uint32_t local_type,
                     unsigned depth)
{
    const struct btf_type *t = skep_btf_resolve(s->btf, id);
    if (!t || !is_composite(t) || depth == 32 || s->n == ACCESS_MAX)
        return 0;
    for (uint32_t i = 0; i < BTF_INFO_VLEN(t->info); i++) {
        const struct btf_member *m = &members(t)[i];
        const char *own = skep_btf_string(s->btf, m->name_off);
        if (w->pair.steps == 0)
            return fail(w, -EINVAL, "it takes too long to compare the types");
        w->pair.steps--;
        uint64_t bits = s->bits;
        uint32_t n = s->n;
        if (*own && !skep_streq(own, name))
            continue;
        s->bits += member_bits(t, m);
        s->parts[s->n++] = (struct part){.t = t, .member = m, .index = i, .type = m->type};
        int r = *own ? skep_core_fields_compatible(&w->pair, local_type, m->type)
                     : go_member(w, s, m->type, name, local_type, depth + 1);
        if (r != 0 || *own)
            return r;
        s->bits = bits;
        s->n = n;
    }
    return 0;
}

static int go_along(struct work *w, struct spec *s, uint32_t id)
{
    const struct spec *local = &w->local;
    int r = go_element(w, s, id, local->parts[0].index);
    for (uint32_t i = 1; i < local->n; i++) {
        const struct part *p = &local->parts[i];
        if (r < 0 || s->n == ACCESS_MAX)
            return r < 0 ? r : 0;
        if (p->member) {
            const char *name = skep_btf_string(local->btf, p->member->name_off);
            if (!*name)
                continue; /* found through it by the name of what is inside */
            r = go_member(w, s, id, name, p->member->type, 0);
            if (r <= 0)
                return r;
            id = s->parts[s->n - 1].type;
            r = 0;
        } else {
            const struct btf_type *t = skep_btf_resolve(s->btf, id);
            const struct btf_array *a = t ? (const struct btf_array *)(t + 1) : NULL;
            if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_ARRAY ||
                (p->index >= a->nelems && !is_flexible(s, a)))
                return 0;
            id = a->type;
            r = go_element(w, s, id, p->index);
        }
    }
    return r < 0 ? r : 1;
}

/* Whether the thing is in a type of the target. 1, 0, or negative. */
static int find_in(struct work *w, uint32_t id, struct spec *ret)
{
    *ret = (struct spec){.btf = w->core->target, .root = id};
    if (is_about_field(w->kind)) {
        /* a type without a size is no failure of the object's */
        return skep_btf_size(ret->btf, id) < 0 ? 0 : go_along(w, ret, id);
    }
    if (w->kind == BPF_CORE_TYPE_MATCHES)
        return skep_core_types_match(&w->pair, w->local.root, id);
    if (!is_about_enumerator(w->kind))
        return skep_core_types_compatible(&w->pair, w->local.root, id);
    const struct btf_type *t = skep_btf_resolve(ret->btf, id);
    for (uint32_t i = 0; t && is_enum(t) && i < BTF_INFO_VLEN(t->info); i++) {
        if (w->pair.steps == 0)
            return -E2BIG;
        w->pair.steps--;
        uint32_t name = BTF_INFO_KIND(t->info) == BTF_KIND_ENUM
                            ? ((const struct btf_enum *)(t + 1))[i].name_off
                            : ((const struct btf_enum64 *)(t + 1))[i].name_off;
        if (!skep_core_names_match(w->local.enum_name, skep_btf_string(ret->btf, name)))
            continue;
        ret->enumerator = i;
        return 1;
    }
    return 0;
}

/* ---- facts ---- */

static uint64_t enumerator_value(const struct btf_type *t, uint32_t i)
{
    bool sign = BTF_INFO_KFLAG(t->info);
    if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM) {
        int32_t value = ((const struct btf_enum *)(t + 1))[i].val;
        return sign ? (uint64_t)(int64_t)value : (uint32_t)value;
    }
    const struct btf_enum64 *e = &((const struct btf_enum64 *)(t + 1))[i];
    return (uint64_t)e->val_hi32 << 32 | e->val_lo32;
}

static int field_fact(struct work *w, const struct spec *s, struct fact *ret)
{
    const struct part *p = &s->parts[s->n - 1];
    uint32_t bits = p->member ? bitfield_size(p->t, p->member) : 0;
    const struct btf_type *t = skep_btf_resolve(s->btf, p->type);
    int64_t size = skep_btf_size(s->btf, p->type);
    if (!t || size < 0)
        return fail(w, -EINVAL, "the field has no size");
    uint64_t at = s->bits / 8;
    if (bits) {
        /* the smallest aligned unit that has all of it */
        ret->validate = false; /* compilers take larger units */
        if (size == 0 || size > 8)
            return fail(w, -EINVAL, "the bitfield has an unknown type");
        for (at = s->bits / 8 / (uint64_t)size * (uint64_t)size;
             s->bits + bits - at * 8 > (uint64_t)size * 8;) {
            if (size >= 8)
                return fail(w, -EINVAL, "the bitfield does not fit into 8 bytes");
            size *= 2;
            at = s->bits / 8 / (uint64_t)size * (uint64_t)size;
        }
    } else {
        bits = (uint32_t)MIN(size, 8) * 8;
    }
    bool sign = (is_enum(t) && BTF_INFO_KFLAG(t->info)) ||
                (BTF_INFO_KIND(t->info) == BTF_KIND_INT &&
                 BTF_INT_ENCODING(*(const uint32_t *)(t + 1)) & BTF_INT_SIGNED);
    switch (w->kind) {
    case BPF_CORE_FIELD_BYTE_OFFSET:
        ret->value = at;
        if (!p->member || !bitfield_size(p->t, p->member)) {
            ret->size = size;
            ret->type = t;
        }
        break;
    case BPF_CORE_FIELD_BYTE_SIZE:
        ret->value = (uint64_t)size;
        break;
    case BPF_CORE_FIELD_SIGNED:
        ret->value = sign;
        ret->validate = false; /* compilers disagree */
        break;
    case BPF_CORE_FIELD_LSHIFT_U64:
        ret->value = 64 - (s->bits + bits - at * 8);
        ret->validate = false;
        break;
    case BPF_CORE_FIELD_RSHIFT_U64:
        ret->value = 64 - bits;
        ret->validate = false;
        break;
    default:
        return fail(w, -EINVAL, "there is no kind %u", w->kind);
    }
    return 0;
}

/* s NULL: the target does not have it. */
static int find_fact(struct work *w, const struct spec *s, struct fact *ret)
{
    *ret = (struct fact){.validate = true};
    switch (w->kind) {
    case BPF_CORE_FIELD_EXISTS:
    case BPF_CORE_TYPE_EXISTS:
    case BPF_CORE_TYPE_MATCHES:
    case BPF_CORE_ENUMVAL_EXISTS:
        ret->value = s != NULL;
        return 0;
    case BPF_CORE_TYPE_SIZE:
        if (s) {
            int64_t size = skep_btf_size(s->btf, s->root);
            if (size < 0)
                return fail(w, -EINVAL, "the type has no size");
            ret->value = (uint64_t)size;
        }
        return 0;
    case BPF_CORE_TYPE_ID_TARGET:
        ret->value = s ? s->root : 0;
        ret->validate = false;
        return 0;
    case BPF_CORE_TYPE_ID_LOCAL:
        ret->value = w->local.root;
        return 0;
    case BPF_CORE_ENUMVAL_VALUE:
        if (s)
            ret->value = enumerator_value(skep_btf_resolve(s->btf, s->root), s->enumerator);
        ret->poison = !s;
        return 0;
    default:
        ret->poison = !s;
        return s ? field_fact(w, s, ret) : 0;
    }
}

/* What the target says: of all candidates, which must agree. */
static int ask_target(struct work *w, struct fact *ret)
{
    const struct skep_core *core = w->core;
    const struct btf_type *t = skep_btf_type(core->local, w->local.root);
    const char *name = skep_btf_name(core->local, t);
    if (!*name)
        return fail(w, -EINVAL, "the type has no name");
    /* an enumerator or field may be asked of a typedef: the kind that counts is that of the name */
    uint32_t found = 0, id = core->heads[hash_name(name) & (core->n_heads - 1)];
    for (; id; id = core->next[id]) {
        const struct btf_type *candidate = skep_btf_type(core->target, id);
        struct spec s;
        struct fact fact;
        if (w->pair.steps == 0)
            return fail(w, -EINVAL, "it takes too long to compare the types");
        w->pair.steps--;
        if (!skep_core_kinds_match(t, candidate) ||
            !skep_core_names_match(name, skep_btf_name(core->target, candidate)))
            continue;
        int r = find_in(w, id, &s);
        if (r == -E2BIG)
            return fail(w, -EINVAL, "it takes too long to compare the types");
        if (r <= 0) {
            if (r < 0)
                return r;
            continue;
        }
        r = find_fact(w, &s, &fact);
        if (r < 0)
            return r;
        if (found && w->kind != BPF_CORE_TYPE_ID_TARGET && fact.value != ret->value)
            return fail(w, -EINVAL, "ambiguous: type %u of the target says %llu, type %u says %llu", found,
                        (unsigned long long)ret->value, id, (unsigned long long)fact.value);
        if (!found)
            *ret = fact;
        found = found ? found : id;
    }
    return found ? 0 : find_fact(w, NULL, ret);
}

/* ---- instructions ---- */

/* Whether an access may become one of another size: of addresses, and of numbers without a sign. */
static bool may_resize(const struct fact *from, const struct fact *to)
{
    if (!from->type || !to->type)
        return false;
    unsigned a = BTF_INFO_KIND(from->type->info), b = BTF_INFO_KIND(to->type->info);
    if (a == BTF_KIND_PTR && b == BTF_KIND_PTR)
        return true;
    return a == BTF_KIND_INT && b == BTF_KIND_INT &&
           !(BTF_INT_ENCODING(*(const uint32_t *)(from->type + 1)) & BTF_INT_SIGNED) &&
           !(BTF_INT_ENCODING(*(const uint32_t *)(to->type + 1)) & BTF_INT_SIGNED);
}

static int size_code(int64_t size)
{
    return size == 8 ? BPF_DW : size == 4 ? BPF_W : size == 2 ? BPF_H : size == 1 ? BPF_B : -1;
}

static int code_size(uint8_t code)
{
    static const uint8_t sizes[] = {[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};
    return sizes[BPF_SIZE(code) >> 3];
}

static int patch_access(struct work *w, struct skep_insn *insn, const struct fact *from,
                        const struct fact *to)
{
    if (from->validate && (uint64_t)(int64_t)insn->off != from->value)
        return fail(w, -EINVAL, "the instruction has offset %d, not %llu", insn->off,
                    (unsigned long long)from->value);
    if (to->value > INT16_MAX)
        return fail(w, -EINVAL, "offset %llu does not fit into an instruction",
                    (unsigned long long)to->value);
    if (from->size != to->size && from->size && to->size) {
        if (!may_resize(from, to))
            return fail(w, -EINVAL, "the field has %lld bytes instead of %lld, and a sign or another type",
                        (long long)to->size, (long long)from->size);
        if (code_size(insn->code) != from->size || size_code(to->size) < 0)
            return fail(w, -EINVAL, "an access of %d bytes to a field of %lld cannot become one of %lld",
                        code_size(insn->code), (long long)from->size, (long long)to->size);
        insn->code = (uint8_t)((insn->code & ~0x18) | size_code(to->size));
    }
    insn->off = (int16_t)to->value;
    return 0;
}

static void poison(struct skep_insn *insns, size_t n, size_t i)
{
    if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && i + 1 < n)
        insns[i + 1] = skep_insn_make(SKEP_OP_JA, 0, 0, 0, 0);
    insns[i] = skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, SKEP_POISON_CALL);
}

static int patch(struct work *w, struct skep_insn *insns, size_t n, size_t i, const struct fact *from,
                 const struct fact *to)
{
    struct skep_insn *insn = &insns[i];
    if (to->poison) {
        poison(insns, n, i);
        const struct part *last = w->local.n > 1 ? &w->local.parts[w->local.n - 1] : NULL;
        const char *name = w->local.enum_name;
        if (last && last->member)
            name = skep_btf_string(w->core->local, last->member->name_off);
        fail(w, 0, "the target has no '%.60s' that fits", name ? name : "type");
        return 1;
    }
    switch (BPF_CLASS(insn->code)) {
    case BPF_ALU:
    case BPF_ALU64:
        if (BPF_SRC(insn->code) != BPF_K)
            return fail(w, -EINVAL, "the instruction has no number");
        if (from->validate && (uint32_t)insn->imm != (uint32_t)from->value)
            return fail(w, -EINVAL, "the instruction has %d, not %llu", insn->imm,
                        (unsigned long long)from->value);
        insn->imm = (int32_t)(uint32_t)to->value;
        return 0;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX:
        return patch_access(w, insn, from, to);
    case BPF_LD:
        if (insn->code != (BPF_LD | BPF_IMM | BPF_DW) || skep_insn_src(insn) || i + 1 >= n)
            break;
        if (from->validate && skep_insn_imm64(insn) != from->value)
            return fail(w, -EINVAL, "the instruction has %llu, not %llu",
                        (unsigned long long)skep_insn_imm64(insn), (unsigned long long)from->value);
        insn[0].imm = (int32_t)(uint32_t)to->value;
        insn[1].imm = (int32_t)(uint32_t)(to->value >> 32);
        return 0;
    default:
        break;
    }
    return fail(w, -EINVAL, "code 0x%02x holds nothing that could be fitted", insn->code);
}

int skep_core_relocate(struct skep_core *core, uint32_t type, uint32_t kind, const char *access,
                       struct skep_insn *insns, size_t n, size_t i, char message[SKEP_CORE_MESSAGE_MAX])
{
    struct work w = {
        .core = core,
        .kind = kind,
        .pair = {.local = core->local, .target = core->target, .steps = MIN(STEPS_MAX, core->steps)},
        .message = message,
    };
    if (kind > BPF_CORE_TYPE_MATCHES)
        return fail(&w, -EINVAL, "there is no kind %u", kind);
    struct fact from, to;
    int r = parse_local(&w, type, access);
    if (r == 0)
        r = find_fact(&w, &w.local, &from);
    if (r < 0)
        return r;
    if (kind == BPF_CORE_TYPE_ID_LOCAL)
        to = from;
    else
        r = ask_target(&w, &to);
    core->steps -= MIN(STEPS_MAX, core->steps) - w.pair.steps;
    return r < 0 ? r : patch(&w, insns, n, i, &from, &to);
}
