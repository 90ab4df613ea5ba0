/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/index.h"

#include "rule/match/automaton.h"

/* Answers for the terms of one group: one field, one way to compare. */
struct finder {
    struct skep_term_group group;
    bool several;                         /* the field has several values */
    const struct skep_automaton *texts;   /* BEGIN to FOLDED */
    const struct skep_spans *spans;       /* NUMBER to IP6 */
    const struct skep_index_term **slots; /* EQUAL: a hash table */
    size_t n_slots;                       /* a power of two */
    uint32_t first, n;                    /* its terms */
};

struct skep_index {
    struct finder *finders;
    size_t n_finders;
    const struct skep_index_term *terms;
    const struct skep_index_demand *demands;
    size_t n_terms, n_rules;
};

/* What is known of this event is marked with its generation, so that nothing has to be wiped out for the next one. */
struct skep_index_scratch {
    uint32_t generation;
    uint32_t n, at; /* candidates, and those that were handed out */
    size_t n_terms, n_rules;
    uint64_t candidates; /* since it was made */
    uint32_t *terms, *rules, *list;
    uint32_t words[];
};

/* ---- making ---- */

static uint64_t hash_text(const char *s, size_t n)
{
    uint64_t h = n * 0x9e3779b97f4a7c15ULL, word;
    for (; n > 8; s += 8, n -= 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdULL;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, s, n);
    h = (h ^ word) * 0xff51afd7ed558ccdULL;
    h = (h ^ h >> 29) * 0xc4ceb9fe1a85ec53ULL; /* texts that differ in a digit must not stand side by side */
    return h ^ h >> 32;
}

static int make_table(struct skep_arena *pool, const struct skep_index *x, struct finder *f)
{
    f->n_slots = 16;
    while (f->n_slots < (size_t)f->n * 2)
        f->n_slots *= 2;
    f->slots = skep_arena_array(pool, f->n_slots, sizeof(*f->slots));
    if (!f->slots)
        return -ENOMEM;
    for (uint32_t i = f->first; i < f->first + f->n; i++) {
        const struct skep_index_term *t = &x->terms[i];
        size_t at = hash_text(t->term->s, t->term->n) & (f->n_slots - 1);
        while (f->slots[at])
            at = (at + 1) & (f->n_slots - 1);
        f->slots[at] = t;
    }
    return 0;
}

static int make_automaton(struct skep_arena *pool, const struct skep_index *x, struct finder *f)
{
    static const enum skep_automaton_place places[] = {
        [SKEP_TERM_BEGIN] = SKEP_AUTOMATON_BEGIN,
        [SKEP_TERM_END] = SKEP_AUTOMATON_END,
        [SKEP_TERM_INSIDE] = SKEP_AUTOMATON_INSIDE,
        [SKEP_TERM_FOLDED] = SKEP_AUTOMATON_INSIDE,
    };
    struct skep_automaton_pattern *patterns = calloc(f->n, sizeof(*patterns));
    if (!patterns)
        return -ENOMEM;
    for (uint32_t i = 0; i < f->n; i++)
        patterns[i] =
            (struct skep_automaton_pattern){x->terms[f->first + i].term->s, x->terms[f->first + i].term->n};
    struct skep_automaton *a = NULL;
    int r = skep_automaton_new(pool, patterns, f->n, places[f->group.family],
                               f->group.family == SKEP_TERM_FOLDED, &a);
    f->texts = a;
    free(patterns);
    return r;
}

static int make_spans(struct skep_arena *pool, const struct skep_index *x, struct finder *f)
{
    struct skep_span *list = calloc(f->n, sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (uint32_t i = 0; i < f->n; i++)
        list[i] = x->terms[f->first + i].term->span;
    struct skep_spans *s = NULL;
    int r = skep_spans_new(pool, list, f->n, &s);
    f->spans = s;
    free(list);
    return r;
}

static int make_finder(struct skep_arena *pool, const struct skep_index *x, struct finder *f)
{
    if (f->group.family == SKEP_TERM_EQUAL)
        return make_table(pool, x, f);
    return f->group.family < SKEP_TERM_NUMBER ? make_automaton(pool, x, f) : make_spans(pool, x, f);
}

static bool same_group(const struct skep_term_group *a, const struct skep_term_group *b)
{
    return a->request == b->request && a->family == b->family;
}

int skep_index_new(struct skep_arena *pool, const struct skep_requests *requests,
                   const struct skep_index_term *terms, size_t n_terms,
                   const struct skep_index_demand *demands, size_t n_rules, struct skep_index **ret,
                   struct skep_term_group *ret_group)
{
    struct skep_index *x = skep_arena_alloc(pool, sizeof(*x));
    size_t n = 0;
    for (size_t i = 0; i < n_terms; i++)
        n += i == 0 || !same_group(&terms[i - 1].group, &terms[i].group);
    if (x)
        x->finders = skep_arena_array(pool, n, sizeof(*x->finders));
    if (!x || !x->finders)
        return -ENOMEM;
    *x = (struct skep_index){x->finders, 0, terms, demands, n_terms, n_rules};
    for (uint32_t i = 0; i < n_terms;) {
        struct finder *f = &x->finders[x->n_finders++];
        f->group = terms[i].group;
        f->several = requests->list[f->group.request].flags & (SKEP_FIELD_LIST | SKEP_FIELD_ANY);
        f->first = i;
        while (i < n_terms && same_group(&terms[i].group, &f->group))
            i++;
        f->n = i - f->first;
        int r = make_finder(pool, x, f);
        *ret_group = f->group;
        if (r < 0)
            return r;
    }
    *ret = x;
    return 0;
}

int skep_index_scratch_new(const struct skep_index *const *indexes, struct skep_index_scratch **ret)
{
    size_t n_terms = 0, n_rules = 0;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        n_terms = indexes[k] ? MAX(n_terms, indexes[k]->n_terms) : n_terms;
        n_rules = indexes[k] ? MAX(n_rules, indexes[k]->n_rules) : n_rules;
    }
    if (n_terms == 0)
        return 0;
    struct skep_index_scratch *s = calloc(1, sizeof(*s) + (n_terms + 2 * n_rules) * sizeof(uint32_t));
    if (!s)
        return -ENOMEM;
    s->n_terms = n_terms;
    s->n_rules = n_rules;
    s->terms = s->words;
    s->rules = s->terms + n_terms;
    s->list = s->rules + n_rules;
    *ret = s;
    return 0;
}

/* ---- finding ---- */

struct search {
    const struct skep_index *index;
    struct skep_index_scratch *s;
    uint32_t first; /* term of the finder */
};

static void found(const struct search *q, uint32_t term)
{
    struct skep_index_scratch *s = q->s;
    const struct skep_index_term *t = &q->index->terms[term];
    s->terms[term] = s->generation;
    for (size_t i = 0; i < t->n_demands; i++) {
        const struct skep_index_demand *d = &q->index->demands[t->demands[i]];
        for (size_t k = 0; k < d->n_rules; k++) {
            if (s->rules[d->rules[k]] == s->generation)
                continue;
            s->rules[d->rules[k]] = s->generation;
            s->list[s->n++] = d->rules[k];
        }
    }
}

static enum skep_automaton_go found_text(void *arg, uint32_t pattern)
{
    const struct search *q = arg;
    if (q->s->terms[q->first + pattern] == q->s->generation)
        return SKEP_AUTOMATON_KNOWN;
    found(q, q->first + pattern);
    return SKEP_AUTOMATON_ON;
}

static void found_span(void *arg, uint32_t span)
{
    const struct search *q = arg;
    if (q->s->terms[q->first + span] != q->s->generation)
        found(q, q->first + span);
}

static void find_equal(const struct finder *f, struct search *q, const char *s, size_t n)
{
    for (size_t at = hash_text(s, n) & (f->n_slots - 1); f->slots[at]; at = (at + 1) & (f->n_slots - 1)) {
        const struct skep_term *t = f->slots[at]->term;
        if (t->n == n && memcmp(t->s, s, n) == 0) {
            found_span(q, (uint32_t)(f->slots[at] - q->index->terms) - f->first);
            return;
        }
    }
}

static void find_value(const struct finder *f, struct search *q, uint64_t value, uint32_t n)
{
    const char *s = (const char *)(uintptr_t)value;
    switch (f->group.family) {
    case SKEP_TERM_EQUAL:
        find_equal(f, q, s, n);
        break;
    case SKEP_TERM_NUMBER:
        skep_spans_search(f->spans, skep_span_key_number((int64_t)value), found_span, q);
        break;
    case SKEP_TERM_IP4:
    case SKEP_TERM_IP6:
        if (n == (f->group.family == SKEP_TERM_IP4 ? 4 : 16))
            skep_spans_search(f->spans, skep_span_key_ip(s, n), found_span, q);
        break;
    default:
        skep_automaton_search(f->texts, s, n, found_text, q);
    }
}

uint32_t skep_index_find(struct skep_rule_ctx *x, uint32_t kind)
{
    const struct skep_matchers *all = x->matchers;
    struct skep_index_scratch *s = x->found;
    if (!s || kind >= SKEP_KIND_MAX || !all->indexes[kind])
        return 0;
    struct search q = {all->indexes[kind], s, 0};
    if (++s->generation == 0) { /* after 4 billion events: marks of the first ones must not count again */
        memset(s->words, 0, (s->n_terms + s->n_rules) * sizeof(uint32_t));
        s->generation = 1;
    }
    s->n = s->at = 0;
    for (size_t i = 0; i < q.index->n_finders; i++) {
        const struct finder *f = &q.index->finders[i];
        if (skep_rule_fetch(x, f->group.request) != SKEP_FACT_THERE)
            continue;
        const struct skep_fact *fact = &x->facts[f->group.request];
        q.first = f->first;
        if (!f->several) {
            find_value(f, &q, fact->value, fact->n);
            continue;
        }
        const struct skep_fact_item *items = (const struct skep_fact_item *)(uintptr_t)fact->value;
        for (uint32_t k = 0; k < fact->n; k++)
            find_value(f, &q, items[k].value, items[k].n);
    }
    s->candidates += s->n;
    return s->n;
}

uint32_t skep_index_next(struct skep_rule_ctx *x)
{
    struct skep_index_scratch *s = x->found;
    return s && s->at < s->n ? s->list[s->at++] + 1 : 0;
}

uint64_t skep_index_candidates(const struct skep_rule_ctx *x)
{
    return x->found ? x->found->candidates : 0;
}
