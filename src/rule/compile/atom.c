/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/atom.h"

#include "rule/compile/match.h"

#define TEXT_MAX 200 /* of a note about an atom */

void skep_atoms_init(struct skep_atoms *a, struct skep_arena *pool, struct skep_requests *requests)
{
    *a = (struct skep_atoms){.pool = pool, .requests = requests};
    skep_intern_init(&a->numbers, pool);
}

void skep_atoms_clear(struct skep_atoms *a)
{
    skep_intern_clear(&a->numbers);
    free(a->list);
    free(a->matchers);
    skep_atoms_init(a, a->pool, a->requests);
}

bool skep_atom_is_set(const struct skep_atom *a)
{
    return a->op == SKEP_ATOM_EQ && a->right == SKEP_ATOM_NO_RIGHT && !a->oneof;
}

/* ---- what it says ---- */

static const char *const op_names[] = {
    [SKEP_ATOM_EXISTS] = "exists",
    [SKEP_ATOM_EQ] = "=",
    [SKEP_ATOM_LT] = "<",
    [SKEP_ATOM_LE] = "<=",
    [SKEP_ATOM_GT] = ">",
    [SKEP_ATOM_GE] = ">=",
    [SKEP_ATOM_CONTAINS] = "contains",
    [SKEP_ATOM_ICONTAINS] = "icontains",
    [SKEP_ATOM_STARTSWITH] = "startswith",
    [SKEP_ATOM_ENDSWITH] = "endswith",
    [SKEP_ATOM_GLOB] = "glob",
    [SKEP_ATOM_IGLOB] = "iglob",
    [SKEP_ATOM_REGEX] = "regex",
    [SKEP_ATOM_PMATCH] = "pmatch",
};

static void put_interval(struct skep_strbuf *sb, enum skep_rule_type type, const struct skep_constant *c)
{
    if (type == SKEP_RULE_BOOL) {
        skep_strbuf_puts(sb, c->number.lo ? "true" : "false");
        return;
    }
    skep_strbuf_i64(sb, c->number.lo);
    if (c->number.hi != c->number.lo) {
        skep_strbuf_putc(sb, '-');
        skep_strbuf_i64(sb, c->number.hi);
    }
}

static void put_ip(struct skep_strbuf *sb, const struct skep_constant *c)
{
    const uint8_t *b = c->ip.bytes;
    if (c->ip.len == 4) {
        skep_strbuf_printf(sb, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    } else {
        for (unsigned i = 0; i < 16; i += 2)
            skep_strbuf_printf(sb, "%s%x", i ? ":" : "", b[i] << 8 | b[i + 1]);
    }
    if (c->ip.bits != c->ip.len * 8)
        skep_strbuf_printf(sb, "/%u", c->ip.bits);
}

static void put_value(struct skep_strbuf *sb, const struct skep_atom *a, const struct skep_constant *c)
{
    if (a->type == SKEP_RULE_TEXT)
        skep_strbuf_put_visible(sb, c->text.s, c->text.n);
    else if (a->type == SKEP_RULE_IP)
        put_ip(sb, c);
    else
        put_interval(sb, a->type, c);
}

/* One interval that is open on a side is a comparison. */
static bool put_comparison(struct skep_strbuf *sb, const struct skep_atom *a)
{
    if (a->type != SKEP_RULE_NUMBER || !skep_atom_is_set(a) || a->n_values != 1)
        return false;
    int64_t lo = a->values[0].number.lo, hi = a->values[0].number.hi;
    if (lo == hi || (lo != INT64_MIN && hi != INT64_MAX))
        return false;
    skep_strbuf_puts(sb, lo == INT64_MIN ? " <= " : " >= ");
    skep_strbuf_i64(sb, lo == INT64_MIN ? hi : lo);
    return true;
}

static void put_atom(const struct skep_atoms *all, const struct skep_atom *a, struct skep_strbuf *sb)
{
    skep_operand_put(all->requests->list[a->request].operand, sb);
    if (put_comparison(sb, a))
        return;
    bool list = a->n_values != 1 && a->op != SKEP_ATOM_EXISTS && a->right == SKEP_ATOM_NO_RIGHT;
    bool set = skep_atom_is_set(a) && (list || a->mode == SKEP_ATOM_ALL);
    skep_strbuf_putc(sb, ' ');
    skep_strbuf_puts(sb, a->negated ? "!=" : set ? "in" : op_names[a->op]);
    if (a->op == SKEP_ATOM_EXISTS)
        return;
    skep_strbuf_putc(sb, ' ');
    if (a->right != SKEP_ATOM_NO_RIGHT) {
        skep_operand_put(all->requests->list[a->right].operand, sb);
        return;
    }
    if (list && !set && a->op != SKEP_ATOM_PMATCH)
        skep_strbuf_puts(sb, a->oneof ? "oneof " : "anyof ");
    skep_strbuf_puts(sb, list || set ? "(" : "");
    size_t i = 0;
    for (; i < a->n_values && sb->len < TEXT_MAX; i++) {
        skep_strbuf_puts(sb, i ? ", " : "");
        put_value(sb, a, &a->values[i]);
    }
    if (i < a->n_values)
        skep_strbuf_printf(sb, ", ... %zu more", a->n_values - i);
    skep_strbuf_puts(sb, list || set ? ")" : "");
}

/* ---- one of its kind ---- */

static void key_add(struct skep_strbuf *sb, const void *s, size_t n)
{
    skep_strbuf_put(sb, s, n);
}

static void put_key(const struct skep_atom *a, struct skep_strbuf *sb)
{
    uint32_t head[] = {a->op, a->mode, a->type, a->oneof, a->negated, a->request, a->right};
    key_add(sb, head, sizeof(head));
    for (size_t i = 0; i < a->n_values; i++) {
        const struct skep_constant *c = &a->values[i];
        if (a->type == SKEP_RULE_TEXT) {
            key_add(sb, &c->text.n, sizeof(c->text.n));
            key_add(sb, c->text.s, c->text.n);
        } else if (a->type == SKEP_RULE_IP) {
            key_add(sb, c->ip.bytes, 16);
            key_add(sb, &c->ip.len, 1);
            key_add(sb, &c->ip.bits, 1);
        } else {
            key_add(sb, &c->number, sizeof(c->number));
        }
    }
}

static int grow(struct skep_atoms *a)
{
    if (a->n < a->cap)
        return 0;
    size_t cap = a->cap ? a->cap * 2 : 64;
    struct skep_atom *list = reallocarray(a->list, cap, sizeof(*list));
    if (!list)
        return -ENOMEM;
    a->list = list;
    struct skep_matcher *matchers = reallocarray(a->matchers, cap, sizeof(*matchers));
    if (!matchers)
        return -ENOMEM;
    a->matchers = matchers;
    a->cap = cap;
    return 0;
}

/* evt.type has few values: which of them it is true for can be told at once. */
static void find_types(const struct skep_atoms *all, struct skep_atom *a, const struct skep_matcher *m)
{
    const struct skep_rule_field *f = all->requests->list[a->request].field;
    a->on_evttype = f && a->right == SKEP_ATOM_NO_RIGHT && skep_streq(f->name, "evt.type");
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    memset(a->types, 0, sizeof(a->types));
    for (size_t i = 1; a->on_evttype && i < n; i++)
        if (skep_matcher_text(m, types[i].name, strlen(types[i].name)))
            a->types[i / 64] |= (uint64_t)1 << (i % 64);
}

int skep_atoms_put(struct skep_atoms *a, struct skep_atom *one, uint32_t *ret, const char **ret_reason,
                   size_t *ret_value)
{
    if (!one->oneof) {
        bool set = one->op == SKEP_ATOM_EQ;
        struct skep_constant *values = (struct skep_constant *)one->values;
        if (set || one->type == SKEP_RULE_TEXT)
            one->n_values = skep_constants_sort(one->type, values, one->n_values);
    }
    _cleanup_strbuf_ struct skep_strbuf key, text;
    skep_strbuf_init(&key, SIZE_MAX / 2);
    skep_strbuf_init(&text, 1 << 20);
    put_key(one, &key);
    bool is_new;
    int r = key.failed ? -ENOMEM : grow(a);
    if (r == 0)
        r = skep_intern_put(&a->numbers, key.s, key.len, ret, &is_new);
    if (r < 0 || !is_new)
        return r;
    a->list[a->n] = *one;
    a->matchers[a->n] = (struct skep_matcher){0};
    struct skep_atom *at = &a->list[a->n++];
    put_atom(a, at, &text);
    at->text = skep_arena_text(a->pool, text.s, text.len);
    if (!at->text)
        return -ENOMEM;
    r = skep_matcher_make(a->pool, at, &a->matchers[a->n - 1], ret_reason, ret_value);
    if (r < 0)
        return r;
    find_types(a, at, &a->matchers[a->n - 1]);
    return 0;
}

void skep_atoms_settle(struct skep_atoms *a)
{
    for (size_t i = 0; i < a->n; i++)
        a->matchers[i].atom = &a->list[i];
}
