/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/match/automaton.h"

#include "rule/match/text.h"

#define ROWS_MAX ((size_t)4 << 20) /* bytes of all rows: what a cache of the processor holds */
#define NONE UINT32_MAX
#define ENDS ((uint32_t)1 << 31) /* in a row: some pattern ends in this state */
#define SCRATCH_MAX ((size_t)1 << 30)

struct skep_automaton {
    uint8_t *labels;    /* of a state: the byte that leads to it */
    uint32_t *children; /* the first of them; the next state's first is behind the last */
    uint32_t *patterns; /* that ends here, NONE */
    uint32_t *fails;    /* INSIDE: the longest state that is an end of this one */
    uint32_t
        *ends; /* INSIDE: itself if a pattern ends here, else the longest of its ends where one does, NONE */
    uint32_t *rows;       /* INSIDE: of the first states */
    uint8_t classes[256]; /* bytes that no pattern has are class 0 */
    uint32_t n_states, n_classes, n_rows;
    enum skep_automaton_place place;
    bool fold;
};

static uint8_t read_byte(const struct skep_automaton *a, char c)
{
    return a->fold ? skep_byte_lower((uint8_t)c) : (uint8_t)c;
}

/* The state that a byte leads to in the tree, NONE. */
static uint32_t child(const struct skep_automaton *a, uint32_t state, uint8_t c)
{
    uint32_t lo = a->children[state], end = a->children[state + 1], hi = end;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (a->labels[mid] < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < end && a->labels[lo] == c ? lo : NONE;
}

/* ---- making ---- */

/* A pattern in the order in which it is read, and its number. */
struct word {
    const char *s;
    size_t n;
    uint32_t number;
};

/* Those of the sorted words that begin with a state. */
struct range {
    uint32_t first, end;
};

struct maker {
    struct skep_automaton *a;
    struct skep_arena *scratch;
    struct word *words;
    uint32_t n_words;
    struct range *ranges;
    size_t cap;
};

static int compare_words(const void *x, const void *y)
{
    const struct word *a = x, *b = y;
    size_t n = MIN(a->n, b->n);
    int d = n ? memcmp(a->s, b->s, n) : 0;
    if (d == 0)
        d = (a->n > b->n) - (a->n < b->n);
    return d ? d : (a->number > b->number) - (a->number < b->number);
}

static int read_words(struct maker *m, const struct skep_automaton_pattern *patterns, size_t n,
                      size_t *ret_states)
{
    const struct skep_automaton *a = m->a;
    m->words = skep_arena_array(m->scratch, n, sizeof(*m->words));
    if (!m->words)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        char *s = skep_arena_alloc(m->scratch, patterns[i].n);
        if (!s)
            return -ENOMEM;
        for (size_t k = 0; k < patterns[i].n; k++)
            s[a->place == SKEP_AUTOMATON_END ? patterns[i].n - 1 - k : k] =
                (char)read_byte(a, patterns[i].s[k]);
        m->words[i] = (struct word){s, patterns[i].n, (uint32_t)i};
    }
    m->n_words = (uint32_t)n;
    if (n)
        qsort(m->words, n, sizeof(*m->words), compare_words);
    size_t states = 1; /* a word adds a state for each byte that it does not share with the one before */
    for (size_t i = 0; i < n; i++) {
        size_t same = 0, most = i ? MIN(m->words[i].n, m->words[i - 1].n) : 0;
        while (same < most && m->words[i].s[same] == m->words[i - 1].s[same])
            same++;
        states += m->words[i].n - same;
    }
    *ret_states = states;
    return 0;
}

/* The children of a state, which is depth bytes deep, behind all states that there are. */
static void add_children(struct maker *m, uint32_t state, size_t depth)
{
    struct skep_automaton *a = m->a;
    struct range r = m->ranges[state];
    while (r.first < r.end && m->words[r.first].n == depth) { /* those that end here stand first */
        if (a->patterns[state] == NONE)
            a->patterns[state] = m->words[r.first].number;
        r.first++;
    }
    a->children[state] = a->n_states;
    while (r.first < r.end) {
        uint8_t c = (uint8_t)m->words[r.first].s[depth];
        uint32_t first = r.first;
        while (r.first < r.end && (uint8_t)m->words[r.first].s[depth] == c)
            r.first++;
        a->labels[a->n_states] = c;
        a->patterns[a->n_states] = NONE;
        m->ranges[a->n_states++] = (struct range){first, r.first};
        if (!a->classes[c]) {
            a->classes[c] = (uint8_t)MIN(a->n_classes, 255U);
            a->n_classes++;
        }
    }
}

static void make_tree(struct maker *m)
{
    struct skep_automaton *a = m->a;
    a->n_states = 1;
    a->n_classes = 1;
    a->patterns[0] = NONE;
    m->ranges[0] = (struct range){0, m->n_words};
    uint32_t level_end = 1;
    size_t depth = 0;
    for (uint32_t s = 0; s < a->n_states; s++) {
        if (s == level_end) {
            level_end = a->n_states;
            depth++;
        }
        add_children(m, s, depth);
    }
    a->children[a->n_states] = a->n_states;
}

/* The fail of a child: what its byte leads to from the fail of its parent, or from the fail of that, and so on. */
static void make_fails(struct skep_automaton *a)
{
    for (uint32_t s = 0; s < a->n_states; s++) {
        if (s == 0)
            a->ends[s] = NONE; /* an empty pattern is told before all others */
        else
            a->ends[s] = a->patterns[s] != NONE ? s : a->ends[a->fails[s]];
        for (uint32_t k = a->children[s]; k < a->children[s + 1]; k++) {
            uint32_t to = NONE;
            for (uint32_t f = s; f != 0 && to == NONE;) {
                f = a->fails[f];
                to = child(a, f, a->labels[k]);
            }
            a->fails[k] = to == NONE ? 0 : to;
        }
    }
}

static void make_rows(struct skep_automaton *a)
{
    for (uint32_t s = 0; s < a->n_rows; s++) {
        uint32_t *row = a->rows + (size_t)s * a->n_classes;
        if (s)
            memcpy(row, a->rows + (size_t)a->fails[s] * a->n_classes, a->n_classes * sizeof(*row));
        for (uint32_t k = a->children[s]; k < a->children[s + 1]; k++)
            row[a->classes[a->labels[k]]] = k | (a->ends[k] != NONE ? ENDS : 0);
    }
}

static int make(struct maker *m, struct skep_arena *pool, size_t n_states)
{
    struct skep_automaton *a = m->a;
    m->ranges = skep_arena_array(m->scratch, n_states, sizeof(*m->ranges));
    a->labels = skep_arena_alloc(pool, n_states);
    a->children = skep_arena_array(pool, n_states + 1, sizeof(*a->children));
    a->patterns = skep_arena_array(pool, n_states, sizeof(*a->patterns));
    if (!m->ranges || !a->labels || !a->children || !a->patterns)
        return -ENOMEM;
    make_tree(m);
    if (a->place != SKEP_AUTOMATON_INSIDE)
        return 0;
    if (a->n_classes > 256) { /* every byte is in some pattern, and none is left for class 0 */
        for (unsigned c = 0; c < 256; c++)
            a->classes[c] = (uint8_t)c;
        a->n_classes = 256;
    }
    a->n_rows =
        (uint32_t)MIN((size_t)a->n_states, MAX(ROWS_MAX / (a->n_classes * sizeof(*a->rows)), (size_t)1));
    a->fails = skep_arena_array(pool, n_states, sizeof(*a->fails));
    a->ends = skep_arena_array(pool, n_states, sizeof(*a->ends));
    a->rows = skep_arena_array(pool, (size_t)a->n_rows * a->n_classes, sizeof(*a->rows));
    if (!a->fails || !a->ends || !a->rows)
        return -ENOMEM;
    make_fails(a);
    make_rows(a);
    if (a->fold)
        for (unsigned c = 'A'; c <= 'Z'; c++)
            a->classes[c] = a->classes[c + 32];
    return 0;
}

int skep_automaton_new(struct skep_arena *pool, const struct skep_automaton_pattern *patterns, size_t n,
                       enum skep_automaton_place place, bool fold, struct skep_automaton **ret)
{
    _cleanup_arena_ struct skep_arena *scratch = NULL;
    size_t bytes = 0, states;
    for (size_t i = 0; i < n; i++) {
        if (patterns[i].n > SKEP_AUTOMATON_BYTES_MAX - bytes)
            return -E2BIG;
        bytes += patterns[i].n;
    }
    if (n >= SKEP_AUTOMATON_STATES_MAX)
        return -E2BIG;
    int r = skep_arena_new(SCRATCH_MAX, &scratch);
    if (r < 0)
        return r;
    struct skep_automaton *a = skep_arena_alloc(pool, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->place = place;
    a->fold = fold;
    struct maker m = {.a = a, .scratch = scratch};
    r = read_words(&m, patterns, n, &states);
    if (r == 0 && states > SKEP_AUTOMATON_STATES_MAX)
        r = -E2BIG;
    if (r == 0)
        r = make(&m, pool, states);
    if (r == 0)
        *ret = a;
    return r;
}

/* ---- searching ---- */

typedef enum skep_automaton_go hit_fn(void *arg, uint32_t pattern);

/* Of a text read from one of its ends, which patterns it begins with on the way. */
static void search_end(const struct skep_automaton *a, const char *s, size_t n, hit_fn *hit, void *arg)
{
    uint32_t state = 0;
    for (size_t i = 0; i <= n; i++) {
        if (a->patterns[state] != NONE && hit(arg, a->patterns[state]) == SKEP_AUTOMATON_STOP)
            return;
        if (i == n)
            return;
        state = child(a, state, read_byte(a, s[a->place == SKEP_AUTOMATON_END ? n - 1 - i : i]));
        if (state == NONE)
            return;
    }
}

/* The patterns that end in a state; false: no more is wanted. */
static bool tell(const struct skep_automaton *a, uint32_t state, hit_fn *hit, void *arg)
{
    for (uint32_t s = a->ends[state]; s != NONE; s = a->ends[a->fails[s]]) {
        enum skep_automaton_go go = hit(arg, a->patterns[s]);
        if (go != SKEP_AUTOMATON_ON)
            return go != SKEP_AUTOMATON_STOP;
    }
    return true;
}

static void search_inside(const struct skep_automaton *a, const char *s, size_t n, hit_fn *hit, void *arg)
{
    uint32_t state = 0, n_rows = a->n_rows, n_classes = a->n_classes;
    const uint32_t *rows = a->rows;
    if (a->patterns[0] != NONE && hit(arg, a->patterns[0]) == SKEP_AUTOMATON_STOP)
        return;
    for (size_t i = 0; i < n; i++) {
        uint32_t to = NONE;
        while (state >= n_rows && to == NONE) {
            to = child(a, state, read_byte(a, s[i]));
            if (to == NONE)
                state = a->fails[state];
            else if (a->ends[to] != NONE)
                to |= ENDS;
        }
        if (to == NONE)
            to = rows[(size_t)state * n_classes + a->classes[(uint8_t)s[i]]];
        state = to & ~ENDS;
        if (to & ENDS && !tell(a, state, hit, arg))
            return;
    }
}

void skep_automaton_search(const struct skep_automaton *a, const char *s, size_t n, hit_fn *hit, void *arg)
{
    if (a->place == SKEP_AUTOMATON_INSIDE)
        search_inside(a, s, n, hit, arg);
    else
        search_end(a, s, n, hit, arg);
}

static enum skep_automaton_go found(void *arg, uint32_t pattern)
{
    (void)pattern;
    *(bool *)arg = true;
    return SKEP_AUTOMATON_STOP;
}

bool skep_automaton_any(const struct skep_automaton *a, const char *s, size_t n)
{
    bool any = false;
    skep_automaton_search(a, s, n, found, &any);
    return any;
}
