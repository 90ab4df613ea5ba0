/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/radix.h"

/* What follows from the length where the bytes up to here are known: the last row whose from is not above it. */
struct end {
    uint32_t from;
    uint32_t class;
};

/* What follows from one interval of numbers. */
struct leaf {
    struct end *ends; /* by from, the first from 0 */
    size_t n_ends;
    const struct skep_radix_node *deeper; /* for texts that are longer than what was looked at; NULL */
};

/* The word at depth * 8. */
struct skep_radix_node {
    size_t depth;
    uint64_t *bounds; /* where leaf i + 1 begins */
    struct leaf *leaves;
    size_t n; /* of leaves */
};

struct maker {
    struct skep_arena *pool;
    struct skep_intern known; /* sets of tags -> class */
    size_t array;
    bool from_end;
};

/* ---- making ---- */

struct one {
    const struct skep_radix_text *text;
    uint8_t bytes[SKEP_RADIX_LEN_MAX + 8]; /* in the order in which they are looked at */
    size_t n;
};

/* The numbers that the word at depth * 8 of what fits can be. */
struct interval {
    uint64_t lo, hi;
};

static struct interval interval_of(const struct one *o, size_t depth)
{
    struct interval v = {0, 0};
    for (size_t i = 0; i < 8; i++) {
        bool known = depth * 8 + i < o->n;
        v.lo = v.lo << 8 | (known ? o->bytes[depth * 8 + i] : 0);
        v.hi = v.hi << 8 | (known ? o->bytes[depth * 8 + i] : 0xff);
    }
    return v;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts tags, too. */
static int class_of(struct maker *m, uint32_t *tags, size_t n, uint32_t *ret)
{
    bool is_new;
    size_t kept = 0;
    if (n)
        qsort(tags, n, sizeof(*tags), compare_u32);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || tags[kept - 1] != tags[i])
            tags[kept++] = tags[i];
    return skep_intern_put(&m->known, tags, kept * sizeof(*tags), ret, &is_new);
}

/* Whether a text whose bytes are those of o as far as both go fits it when it has this length. */
static bool fits(const struct maker *m, const struct one *o, size_t len)
{
    return m->array || (o->text->whole ? len == o->n : len >= o->n);
}

static int make_node(struct maker *m, struct one **alive, size_t n, const uint32_t *above, size_t n_above,
                     size_t depth, const struct skep_radix_node **ret);

/* alive: those whose interval holds the leaf's. above: tags of those that ended before. */
static int make_leaf(struct maker *m, struct one **alive, size_t n, const uint32_t *above, size_t n_above,
                     size_t depth, struct leaf *ret)
{
    size_t limit = (depth + 1) * 8, n_deeper = 0, n_cuts = 1;
    uint32_t cuts[2 * 8 + 3] = {0};
    _cleanup_free_ struct one **deeper = calloc(n + 1, sizeof(struct one *));
    _cleanup_free_ uint32_t *tags = calloc(n + n_above + 1, sizeof(*tags));
    bool at[10] = {false}; /* lengths from depth * 8 on at which something changes */
    if (!deeper || !tags)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t len = alive[i]->n - depth * 8;
        if (alive[i]->n > limit) {
            deeper[n_deeper++] = alive[i];
            continue;
        }
        if (m->array)
            continue;
        at[len] = true;
        if (alive[i]->text->whole)
            at[len + 1] = true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(at); i++)
        if (at[i] && depth * 8 + i > 0)
            cuts[n_cuts++] = (uint32_t)(depth * 8 + i);
    ret->ends = skep_arena_array(m->pool, n_cuts, sizeof(*ret->ends));
    if (!ret->ends)
        return -ENOMEM;
    ret->n_ends = 0;
    size_t count = 0;
    for (size_t i = 0; i < n_cuts; i++) {
        uint32_t class;
        count = 0;
        for (; count < n_above; count++)
            tags[count] = above[count];
        for (size_t k = 0; k < n; k++)
            if (alive[k]->n <= limit && fits(m, alive[k], cuts[i]))
                tags[count++] = alive[k]->text->tag;
        int r = class_of(m, tags, count, &class);
        if (r < 0)
            return r;
        if (ret->n_ends && ret->ends[ret->n_ends - 1].class == class)
            continue;
        ret->ends[ret->n_ends++] = (struct end){cuts[i], class};
    }
    /* the last cut is what texts beyond all of these lengths have, but for one that is whole at the limit */
    count = 0;
    for (; count < n_above; count++)
        tags[count] = above[count];
    for (size_t k = 0; k < n; k++)
        if (alive[k]->n <= limit && fits(m, alive[k], limit + 1))
            tags[count++] = alive[k]->text->tag;
    return n_deeper ? make_node(m, deeper, n_deeper, tags, count, depth + 1, &ret->deeper) : 0;
}

static bool same_leaf(const struct leaf *a, const struct leaf *b)
{
    return !a->deeper && !b->deeper && a->n_ends == b->n_ends &&
           memcmp(a->ends, b->ends, a->n_ends * sizeof(*a->ends)) == 0;
}

/* Texts are at most SKEP_RADIX_LEN_MAX long, which bounds the depth. */
static int make_node(struct maker *m, struct one **alive, size_t n, const uint32_t *above, size_t n_above,
                     size_t depth, const struct skep_radix_node **ret)
{
    struct skep_radix_node *node = skep_arena_alloc(m->pool, sizeof(*node));
    _cleanup_free_ uint64_t *starts = calloc(2 * n + 1, sizeof(*starts));
    _cleanup_free_ struct interval *intervals = calloc(n + 1, sizeof(*intervals));
    _cleanup_free_ struct one **inside = calloc(n + 1, sizeof(struct one *));
    if (!node || !starts || !intervals || !inside)
        return -ENOMEM;
    size_t n_starts = 1, kept = 0; /* the first is 0 */
    for (size_t i = 0; i < n; i++) {
        intervals[i] = interval_of(alive[i], depth);
        starts[n_starts++] = intervals[i].lo;
        if (intervals[i].hi != UINT64_MAX)
            starts[n_starts++] = intervals[i].hi + 1;
    }
    qsort(starts, n_starts, sizeof(*starts), compare_u64);
    for (size_t i = 0; i < n_starts; i++)
        if (kept == 0 || starts[kept - 1] != starts[i])
            starts[kept++] = starts[i];
    node->depth = depth;
    node->bounds = skep_arena_array(m->pool, kept, sizeof(*node->bounds));
    node->leaves = skep_arena_array(m->pool, kept, sizeof(*node->leaves));
    if (!node->bounds || !node->leaves)
        return -ENOMEM;
    for (size_t i = 0; i < kept; i++) {
        size_t count = 0;
        for (size_t k = 0; k < n; k++)
            if (intervals[k].lo <= starts[i] && starts[i] <= intervals[k].hi)
                inside[count++] = alive[k];
        struct leaf leaf = {0};
        int r = make_leaf(m, inside, count, above, n_above, depth, &leaf);
        if (r < 0)
            return r;
        if (node->n && same_leaf(&node->leaves[node->n - 1], &leaf))
            continue;
        if (node->n)
            node->bounds[node->n - 1] = starts[i];
        node->leaves[node->n++] = leaf;
    }
    *ret = node;
    return 0;
}

/* false: it never fits. */
static bool take(const struct maker *m, const struct skep_radix_text *t, struct one *o)
{
    *o = (struct one){.text = t, .n = t->n};
    for (size_t i = 0; i < t->n; i++)
        o->bytes[i] = (uint8_t)t->s[m->from_end ? t->n - 1 - i : i];
    if (m->array && t->n > m->array)
        return false;
    if (m->array && t->whole && t->n < m->array)
        o->n++; /* with its NUL */
    return true;
}

int skep_radix_new(struct skep_arena *pool, const struct skep_radix_text *texts, size_t n, size_t array,
                   bool from_end, struct skep_radix **ret)
{
    struct skep_radix *x = skep_arena_alloc(pool, sizeof(*x));
    _cleanup_free_ struct one *ones = n <= SKEP_RADIX_TEXTS_MAX ? calloc(n + 1, sizeof(*ones)) : NULL;
    _cleanup_free_ struct one **alive = calloc(n + 1, sizeof(struct one *));
    struct maker m = {.pool = pool, .array = array, .from_end = from_end};
    uint32_t empty, always[1] = {0};
    size_t count = 0;
    if (n > SKEP_RADIX_TEXTS_MAX)
        return -E2BIG;
    if (!x || !ones || !alive)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (texts[i].n > SKEP_RADIX_LEN_MAX)
            return -E2BIG;
        if (take(&m, &texts[i], &ones[i]))
            alive[count++] = &ones[i];
    }
    skep_intern_init(&m.known, pool);
    int r = class_of(&m, always, 0, &empty); /* the first: 0 */
    if (r == 0)
        r = make_node(&m, alive, count, always, 0, 0, &x->root);
    x->n_classes = m.known.n;
    x->from_end = from_end;
    x->array = array;
    x->classes = skep_arena_array(pool, m.known.n, sizeof(*x->classes));
    if (r == 0 && !x->classes)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < m.known.n; i++)
        x->classes[i] = (struct skep_radix_class){m.known.keys[i].s, m.known.keys[i].n / sizeof(uint32_t)};
    skep_intern_clear(&m.known);
    if (r == 0)
        *ret = x;
    return r;
}

/* ---- code ---- */

struct emitter {
    const struct skep_radix *x;
    struct skep_build *b;
    skep_radix_load load;
    void *context;
    const unsigned *labels;
};

static void emit_node(const struct emitter *e, const struct skep_radix_node *node);

static void emit_leaf(const struct emitter *e, const struct leaf *leaf, size_t depth)
{
    if (leaf->deeper) {
        unsigned shorter = skep_build_label(e->b);
        if (!e->x->array)
            skep_build_jump_imm(e->b, SKEP_OP_JLE_IMM, 8, (int32_t)(depth + 1) * 8, shorter);
        emit_node(e, leaf->deeper);
        skep_build_bind(e->b, shorter);
        if (e->x->array)
            return;
    }
    for (size_t i = leaf->n_ends; i-- > 1;)
        skep_build_jump_imm(e->b, SKEP_OP_JGE_IMM, 8, (int32_t)leaf->ends[i].from,
                            e->labels[leaf->ends[i].class]);
    skep_build_jump(e->b, e->labels[leaf->ends[0].class]);
}

/* The leaves from .. to - 1; the number is in r1. */
static void emit_between(const struct emitter *e, const struct skep_radix_node *node, size_t from, size_t to)
{
    if (to - from == 1) {
        emit_leaf(e, &node->leaves[from], node->depth);
        return;
    }
    /* one number, with the same on both sides */
    if (to - from == 3 && node->bounds[from] + 1 == node->bounds[from + 1] &&
        same_leaf(&node->leaves[from], &node->leaves[from + 2])) {
        unsigned other = skep_build_label(e->b);
        skep_build_mov(e->b, 2, node->bounds[from]);
        skep_build_jump_reg(e->b, SKEP_OP_JNE_REG, 1, 2, other);
        emit_leaf(e, &node->leaves[from + 1], node->depth);
        skep_build_bind(e->b, other);
        emit_leaf(e, &node->leaves[from], node->depth);
        return;
    }
    size_t mid = from + (to - from) / 2;
    unsigned upper = skep_build_label(e->b);
    skep_build_mov(e->b, 2, node->bounds[mid - 1]);
    skep_build_jump_reg(e->b, SKEP_OP_JGE_REG, 1, 2, upper);
    emit_between(e, node, from, mid);
    skep_build_bind(e->b, upper);
    emit_between(e, node, mid, to);
}

static void emit_node(const struct emitter *e, const struct skep_radix_node *node)
{
    if (node->n > 1) {
        e->load(e->context, node->depth * 8);
        if (!e->x->from_end)
            skep_build_one(e->b, SKEP_OP_BE64, 1);
    }
    emit_between(e, node, 0, node->n);
}

void skep_radix_emit(const struct skep_radix *x, struct skep_build *b, skep_radix_load load, void *context,
                     const unsigned *labels)
{
    struct emitter e = {x, b, load, context, labels};
    emit_node(&e, x->root);
}
