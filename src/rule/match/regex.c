/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/regex.h"

#include "rule/match/regex_parse.h"

/* States of the machine. SPLIT goes to both, BEGIN and END on only at that end of the text. */
enum { OP_BYTES, OP_SPLIT, OP_BEGIN, OP_END, OP_MATCH };

struct state {
    uint8_t op;
    uint16_t next, other;
    uint16_t set; /* BYTES: of sets */
};

#define SCRATCH_MAX ((size_t)256 << 20)
#define TABLE_STATES_MAX 512
#define TABLE_WORK_MAX 4000000 /* steps that making the table may take */
#define DEAD 0
#define NO_STATE UINT16_MAX

struct skep_regex {
    struct state *states;
    uint16_t n_states, start;
    struct skep_regex_set *sets;
    size_t n_sets;
    uint8_t classes[256]; /* bytes that no set tells apart have the same class */
    unsigned n_classes;
    uint16_t *table; /* state * n_classes + class -> state; NULL: sets are walked */
    uint8_t *accepts;
    uint16_t table_start;
};

/* ---- from the tree to states ---- */

struct maker {
    struct skep_regex *re;
    unsigned work; /* also repetitions of nothing take time */
    bool full;
};

static uint16_t add_state(struct maker *m, uint8_t op, uint16_t next, uint16_t other)
{
    struct skep_regex *re = m->re;
    if (re->n_states >= SKEP_REGEX_STATES_MAX) {
        m->full = true;
        return 0;
    }
    re->states[re->n_states] = (struct state){.op = op, .next = next, .other = other};
    return re->n_states++;
}

static uint16_t add_bytes(struct maker *m, const struct skep_regex_set *set, uint16_t next)
{
    struct skep_regex *re = m->re;
    size_t at = 0;
    while (at < re->n_sets && memcmp(&re->sets[at], set, sizeof(*set)) != 0)
        at++;
    if (at == re->n_sets)
        re->sets[re->n_sets++] = *set;
    uint16_t s = add_state(m, OP_BYTES, next, 0);
    if (!m->full)
        re->states[s].set = (uint16_t)at;
    return s;
}

static uint16_t make(struct maker *m, const struct skep_regex_node *n, uint16_t next);

/* A character: a byte of the set, or one outside of ASCII with those that continue it. */
static uint16_t make_set(struct maker *m, const struct skep_regex_node *n, uint16_t next)
{
    if (!n->wide)
        return add_bytes(m, &n->set, next);
    struct skep_regex_set high = {{0, 0, ~(uint64_t)0, ~(uint64_t)0}};
    struct skep_regex_set continued = {{0, 0, ~(uint64_t)0, 0}};
    uint16_t loop = add_state(m, OP_SPLIT, 0, next);
    uint16_t more = add_bytes(m, &continued, loop);
    uint16_t wide = add_bytes(m, &high, loop);
    uint16_t narrow = add_bytes(m, &n->set, next);
    if (m->full)
        return 0;
    m->re->states[loop].next = more;
    return add_state(m, OP_SPLIT, narrow, wide);
}

static uint16_t make_repeat(struct maker *m, const struct skep_regex_node *n, uint16_t next)
{
    uint16_t s = next;
    if (n->max < 0) { /* the last one may come again */
        uint16_t loop = add_state(m, OP_SPLIT, 0, next);
        uint16_t body = make(m, n->kids[0], loop);
        if (m->full)
            return 0;
        m->re->states[loop].next = body;
        s = n->min > 0 ? body : loop;
        for (int i = 1; i < n->min && !m->full; i++)
            s = make(m, n->kids[0], s);
        return s;
    }
    for (int i = n->min; i < n->max && !m->full; i++) {
        uint16_t body = make(m, n->kids[0], s);
        s = add_state(m, OP_SPLIT, body, next);
    }
    for (int i = 0; i < n->min && !m->full; i++)
        s = make(m, n->kids[0], s);
    return s;
}

/* The tree is at most SKEP_REGEX_DEPTH_MAX deep. Built from the end: next is where a match goes on. */
static uint16_t make(struct maker *m, const struct skep_regex_node *n, uint16_t next)
{
    m->full |= ++m->work > 16 * SKEP_REGEX_STATES_MAX;
    if (m->full)
        return 0;
    uint16_t s = next;
    switch (n->kind) {
    case SKEP_REGEX_EMPTY:
        return next;
    case SKEP_REGEX_SET:
        return make_set(m, n, next);
    case SKEP_REGEX_BEGIN:
        return add_state(m, OP_BEGIN, next, 0);
    case SKEP_REGEX_END:
        return add_state(m, OP_END, next, 0);
    case SKEP_REGEX_REPEAT:
        return make_repeat(m, n, next);
    case SKEP_REGEX_CONCAT:
        for (size_t i = n->n_kids; i-- > 0;)
            s = make(m, n->kids[i], s);
        return s;
    case SKEP_REGEX_ALTERNATE:
        s = make(m, n->kids[n->n_kids - 1], next);
        for (size_t i = n->n_kids - 1; i-- > 0 && !m->full;)
            s = add_state(m, OP_SPLIT, make(m, n->kids[i], next), s);
        return s;
    }
    return next;
}

/* ---- sets of states ---- */

struct states {
    uint16_t dense[SKEP_REGEX_STATES_MAX];
    uint16_t sparse[SKEP_REGEX_STATES_MAX]; /* not initialized: dense says what counts */
    unsigned n;
};

static bool has(const struct states *s, uint16_t at)
{
    return s->sparse[at] < s->n && s->dense[s->sparse[at]] == at;
}

static void put(struct states *s, uint16_t at)
{
    if (has(s, at))
        return;
    s->sparse[at] = (uint16_t)s->n;
    s->dense[s->n++] = at;
}

/* Adds what is reached without reading: dense grows while it is walked. */
static void close_over(const struct skep_regex *re, struct states *s, bool begin, bool end)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct state *st = &re->states[s->dense[i]];
        if (st->op == OP_SPLIT) {
            put(s, st->next);
            put(s, st->other);
        } else if ((st->op == OP_BEGIN && begin) || (st->op == OP_END && end)) {
            put(s, st->next);
        }
    }
}

static void advance(const struct skep_regex *re, const struct states *from, uint8_t c, struct states *to)
{
    to->n = 0;
    for (unsigned i = 0; i < from->n; i++) {
        const struct state *st = &re->states[from->dense[i]];
        if (st->op == OP_BYTES && skep_regex_set_has(&re->sets[st->set], c))
            put(to, st->next);
    }
}

static bool accepts(const struct skep_regex *re, const struct states *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (re->states[s->dense[i]].op == OP_MATCH)
            return true;
    return false;
}

/* ---- the table ---- */

struct table {
    struct skep_intern known; /* sorted sets of states */
    struct states *from, *to;
    size_t work;
};

static int compare_u16(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* The number of the set t->to; it is sorted by this. */
static int number_of(struct table *t, uint16_t *ret)
{
    bool is_new;
    uint32_t number;
    qsort(t->to->dense, t->to->n, sizeof(uint16_t), compare_u16);
    int r = skep_intern_put(&t->known, t->to->dense, t->to->n * sizeof(uint16_t), &number, &is_new);
    if (r < 0)
        return r;
    *ret = (uint16_t)number;
    return number < TABLE_STATES_MAX ? 0 : -E2BIG;
}

static void classify(struct skep_regex *re)
{
    for (unsigned c = 0; c < 256; c++) {
        unsigned like = 0;
        for (; like < c; like++) {
            size_t i = 0;
            while (i < re->n_sets && skep_regex_set_has(&re->sets[i], (uint8_t)c) ==
                                         skep_regex_set_has(&re->sets[i], (uint8_t)like))
                i++;
            if (i == re->n_sets)
                break;
        }
        re->classes[c] = like < c ? re->classes[like] : (uint8_t)re->n_classes++;
    }
}

static int fill_row(struct skep_regex *re, struct table *t, const uint8_t *member, size_t row)
{
    const struct skep_intern_key *key = &t->known.keys[row];
    t->from->n = 0;
    for (size_t i = 0; i < key->n / sizeof(uint16_t); i++)
        put(t->from, ((const uint16_t *)key->s)[i]);
    for (unsigned c = 0; c < re->n_classes; c++) {
        advance(re, t->from, member[c], t->to);
        close_over(re, t->to, false, false);
        t->work += t->from->n + t->to->n + 1;
        if (t->work > TABLE_WORK_MAX)
            return -E2BIG;
        int r = number_of(t, &re->table[row * re->n_classes + c]);
        if (r < 0)
            return r;
    }
    close_over(re, t->from, false, true);
    re->accepts[row] = accepts(re, t->from);
    return 0;
}

/* -E2BIG: it would become too large. */
static int make_table(struct skep_regex *re, struct table *t)
{
    uint8_t member[256];
    for (unsigned c = 256; c-- > 0;)
        member[re->classes[c]] = (uint8_t)c;
    t->to->n = 0;
    uint16_t dead;
    int r = number_of(t, &dead); /* the empty set is number 0 */
    if (r < 0)
        return r;
    put(t->to, re->start);
    close_over(re, t->to, true, false);
    r = number_of(t, &re->table_start);
    for (size_t row = 0; r == 0 && row < t->known.n; row++)
        r = fill_row(re, t, member, row);
    return r;
}

/* Tries in memory of its own, keeps what it needs. */
static int add_table(struct skep_regex *re, struct skep_arena *pool)
{
    _cleanup_arena_ struct skep_arena *scratch = NULL;
    struct table t = {0};
    int r = skep_arena_new(SCRATCH_MAX, &scratch);
    if (r < 0)
        return r;
    classify(re);
    uint16_t *table = calloc((size_t)TABLE_STATES_MAX * re->n_classes, sizeof(*table));
    uint8_t *accept = calloc(TABLE_STATES_MAX, 1);
    t.from = calloc(1, sizeof(*t.from));
    t.to = calloc(1, sizeof(*t.to));
    skep_intern_init(&t.known, scratch);
    re->table = table;
    re->accepts = accept;
    r = table && accept && t.from && t.to ? make_table(re, &t) : -ENOMEM;
    re->table = NULL;
    re->accepts = NULL;
    if (r == 0) {
        size_t size = t.known.n * re->n_classes * sizeof(*table);
        re->table = skep_arena_alloc(pool, size);
        re->accepts = skep_arena_alloc(pool, t.known.n);
        if (re->table && re->accepts) {
            memcpy(re->table, table, size);
            memcpy(re->accepts, accept, t.known.n);
        } else {
            r = -ENOMEM;
        }
    }
    skep_intern_clear(&t.known);
    free(t.from);
    free(t.to);
    free(table);
    free(accept);
    return r == -E2BIG ? 0 : r;
}

int skep_regex_compile(struct skep_arena *pool, const char *pattern, size_t n, struct skep_regex **ret,
                       const char **ret_reason, size_t *ret_at)
{
    _cleanup_arena_ struct skep_arena *tree = NULL;
    const struct skep_regex_node *root;
    int r = skep_arena_new(SCRATCH_MAX, &tree);
    if (r == 0)
        r = skep_regex_parse(tree, pattern, n, &root, ret_reason, ret_at);
    if (r < 0)
        return r;
    struct skep_regex big = {0}, *re = skep_arena_alloc(pool, sizeof(*re));
    big.states = skep_arena_array(tree, SKEP_REGEX_STATES_MAX, sizeof(struct state));
    big.sets = skep_arena_array(tree, SKEP_REGEX_STATES_MAX, sizeof(struct skep_regex_set));
    r = re && big.states && big.sets ? 0 : -ENOMEM;
    if (r == 0) {
        struct maker m = {.re = &big};
        big.start = make(&m, root, add_state(&m, OP_MATCH, 0, 0));
        *re = big;
        re->states = skep_arena_array(pool, big.n_states, sizeof(struct state));
        re->sets = skep_arena_array(pool, big.n_sets, sizeof(struct skep_regex_set));
        *ret_reason = "the regular expression is too large once its repetitions are written out";
        *ret_at = 0;
        r = m.full ? -EINVAL : re->states && re->sets ? 0 : -ENOMEM;
    }
    if (r == 0) {
        memcpy(re->states, big.states, big.n_states * sizeof(struct state));
        if (big.n_sets)
            memcpy(re->sets, big.sets, big.n_sets * sizeof(struct skep_regex_set));
        r = add_table(re, pool);
    }
    if (r == 0)
        *ret = re;
    return r;
}

bool skep_regex_is_table(const struct skep_regex *re)
{
    return re->table != NULL;
}

static bool walk(const struct skep_regex *re, const char *s, size_t n)
{
    struct states a, b, *from = &a, *to = &b;
    a.n = b.n = 0;
    put(from, re->start);
    close_over(re, from, true, n == 0);
    for (size_t i = 0; i < n && from->n; i++) {
        advance(re, from, (uint8_t)s[i], to);
        close_over(re, to, false, i + 1 == n);
        struct states *swap = from;
        from = to;
        to = swap;
    }
    return accepts(re, from);
}

bool skep_regex_match(const struct skep_regex *re, const char *s, size_t n)
{
    if (!re->table)
        return walk(re, s, n);
    unsigned at = re->table_start;
    for (size_t i = 0; i < n && at != DEAD; i++)
        at = re->table[at * re->n_classes + re->classes[(uint8_t)s[i]]];
    return re->accepts[at];
}
