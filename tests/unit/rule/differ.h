/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_DIFFER_H
#define SKEP_TEST_DIFFER_H
/*
 * Random rules over random events: U in each mode of the engine against the reference, and K against U.
 */
#include "engine.h"
#include "random.h"

#define DIFFER_EVENTS 24

struct differ {
    uint64_t pairs;   /* of a rule and an event */
    uint64_t matches; /* that were true */
    uint64_t filters; /* records that a filter looked at, and dropped */
    uint64_t dropped;
    uint64_t failures;
    uint64_t candidates; /* rules that an index found */
};

static inline int differ_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static inline void differ_fail(struct differ *d, uint64_t seed, const char *what, const struct event *e,
                               size_t rule)
{
    if (d->failures++ < 10)
        fprintf(stderr, "seed %llu: %s: kind %u, rule %zu\n", (unsigned long long)seed, what,
                ((const struct skep_hdr *)e->raw)->kind, rule);
}

static inline void differ_event(struct differ *d, uint64_t seed, struct engine *en,
                                const struct skep_policy *p, struct skep_rule_ctx *ref, struct event *e)
{
    static const char *const names[ENGINE_MODES] = {"", "interpreter", "jit", "trusted"};
    const struct skep_compiled *c = en->compiled;
    bool expected[64] = {false}, got[64], any = false;
    for (size_t i = 0; i < p->n_rules; i++) {
        skep_rule_ctx_begin(ref, &e->ev);
        expected[i] = p->rules[i].state == SKEP_RULE_ENABLED && ref_expr(ref, p->rules[i].condition);
        any |= expected[i];
        d->matches += expected[i];
        d->pairs++;
        if (expected[i] && !c->rule_types[i][skep_evttype_of(e->ev.h)])
            differ_fail(d, seed, "rule_types", e, i);
    }
    for (unsigned m = 1; m < ENGINE_MODES; m++) {
        uint32_t n = engine_judge(en, m, &e->ev);
        memset(got, 0, sizeof(got));
        for (uint32_t i = 0; i < n; i++)
            got[en->ctx->matches[i]] = true;
        for (size_t i = 0; i < p->n_rules; i++) {
            bool wrong = c->all || !any ? got[i] != expected[i] : got[i] && !expected[i];
            if (!wrong)
                continue;
            differ_fail(d, seed, names[m], e, i);
            if (d->failures < 10) {
                random_show(stderr, p->rules[i].condition);
                fputc('\n', stderr);
            }
        }
        if (!c->all && any) { /* the smallest is what counts */
            size_t a = 0, b = 0;
            while (a < p->n_rules && !expected[a])
                a++;
            while (b < p->n_rules && !got[b])
                b++;
            if (a != b)
                differ_fail(d, seed, "first", e, a);
        }
    }
    if (!c->filter[e->ev.h->kind].insns)
        return;
    bool pass[ENGINE_MODES];
    for (unsigned m = 1; m < ENGINE_MODES; m++)
        pass[m] = engine_pass(en, m, e->raw);
    d->filters++;
    d->dropped += !pass[SKEP_VM_MODE_TRUSTED];
    if (pass[1] != pass[2] || pass[2] != pass[3])
        differ_fail(d, seed, "filter modes", e, 0);
    for (size_t i = 0; i < p->n_rules && !pass[1]; i++)
        if (expected[i]) {
            differ_fail(d, seed, "filter drops", e, i);
            random_show(stderr, p->rules[i].condition);
            fputc('\n', stderr);
        }
}

/* Kinds that have filters, those with paths and addresses before others. */
static inline uint16_t differ_kind(struct random *r)
{
    static const uint16_t kinds[] = {SKEP_KIND_open,   SKEP_KIND_open,  SKEP_KIND_open,   SKEP_KIND_connect,
                                     SKEP_KIND_accept, SKEP_KIND_bind,  SKEP_KIND_unlink, SKEP_KIND_rename,
                                     SKEP_KIND_chmod,  SKEP_KIND_mount, SKEP_KIND_dup,    SKEP_KIND_socket};
    return kinds[rnd(r, ARRAY_SIZE(kinds))];
}

/* One policy over some events. */
static inline void differ_round(struct differ *d, const struct skep_schema *schema, uint64_t seed)
{
    struct random r = {.state = seed * 0x9e3779b97f4a7c15ULL + 1};
    struct skep_arena *pool;
    struct event *events = calloc(DIFFER_EVENTS, sizeof(*events));
    struct skep_rule_ctx *ref;
    struct skep_policy policy;
    struct skep_diags diags;
    struct skep_compiled *c;
    struct engine en;
    for (unsigned i = 0; i < 8; i++)
        rnd64(&r);
    if (!events || skep_arena_new(1 << 30, &pool) < 0 || skep_rule_ctx_new(NULL, 0, 0, &ref) < 0)
        abort();
    uint16_t known = one_in(&r, 2) ? differ_kind(&r) : 0;
    for (size_t i = 0; i < DIFFER_EVENTS; i++) {
        if (known)
            random_event_of(&r, skep_schema_kind(schema, known), &events[i]);
        else
            random_event(&r, schema, &events[i]);
    }
    struct maker m = {&r, pool, events, DIFFER_EVENTS, ref, one_in(&r, 2), known};
    if (known)
        random_known_policy(&m, 1 + rnd(&r, one_in(&r, 3) ? 40 : 6), &policy);
    else
        random_policy(&m, 1 + rnd(&r, one_in(&r, 4) ? 60 : m.prefer_spots ? 3 : 8), &policy);
    struct skep_compile_options o = {.all = !one_in(&r, 4), .index_min = one_in(&r, 3) ? 0 : 1 + rnd(&r, 8)};
    skep_diags_init(&diags, "random");
    int err = skep_rules_compile(&policy, &o, &diags, &c);
    if (err < 0) {
        struct skep_strbuf sb;
        skep_strbuf_init(&sb, 1 << 20);
        skep_diags_put_text(&diags, NULL, &sb);
        fprintf(stderr, "seed %llu: not compiled (%d): %s\n", (unsigned long long)seed, err, sb.s);
        skep_strbuf_clear(&sb);
        d->failures++;
    } else {
        engine_init(&en, c, 0xe);
        for (size_t i = 0; i < DIFFER_EVENTS; i++)
            differ_event(d, seed, &en, &policy, ref, &events[i]);
        d->candidates += skep_index_candidates(en.ctx);
        engine_clear(&en);
        skep_compiled_free(c);
    }
    skep_diags_clear(&diags);
    skep_rule_ctx_free(ref);
    skep_arena_free(pool);
    free(events);
}
#endif
