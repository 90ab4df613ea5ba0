/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/compile/compile.h"

#include "base/hashmap.h"
#include "rule/compile/check.h"
#include "rule/compile/exact.h"
#include "rule/compile/filter.h"
#include "rule/compile/index.h"
#include "rule/compile/notes.h"
#include "rule/compile/operations.h"
#include "rule/compile/profile.h"

#define CODE "LOAD_ERR_COMPILE_CONDITION"
#define MEMORY_MAX ((size_t)4 << 30) /* of one compilation */
#define SHARED_MAX 1000000           /* expressions that are remembered */

struct skep_compiled_arena {
    struct skep_unit unit;
    struct skep_filter filters[SKEP_KIND_MAX];
    struct skep_compiled compiled;
};

static int unit_init(struct skep_unit *u, const struct skep_compile_options *o)
{
    if (o)
        u->options = *o;
    u->options.all |= u->options.profile;
    u->options.no_pushdown |= u->options.profile;
    int r = skep_arena_new(MEMORY_MAX, &u->pool);
    if (r < 0)
        return r;
    skep_requests_init(&u->requests, u->pool);
    skep_atoms_init(&u->atoms, u->pool, &u->requests);
    skep_maps_init(&u->maps, u->pool);
    return skep_dag_init(&u->dag, u->pool, &u->atoms);
}

static void unit_clear(struct skep_unit *u)
{
    skep_dag_clear(&u->dag);
    skep_atoms_clear(&u->atoms);
    skep_requests_clear(&u->requests);
    skep_maps_clear(&u->maps);
    skep_arena_free(u->pool);
}

/* ---- passes ---- */

/* A node for each rule that is on; FALSE for the others. */
static int check_rules(struct skep_unit *u, const struct skep_policy *p, struct skep_diags *diags,
                       uint32_t *nodes)
{
    struct skep_hashmap known;
    skep_hashmap_init(&known, sizeof(void *), SHARED_MAX);
    struct skep_checker c = {.pool = u->pool,
                             .requests = &u->requests,
                             .atoms = &u->atoms,
                             .dag = &u->dag,
                             .diags = diags,
                             .known = &known};
    int result = 0;
    for (size_t i = 0; i < p->n_rules && result != -ENOMEM; i++) {
        const struct skep_rule *rule = &p->rules[i];
        nodes[i] = SKEP_NODE_FALSE;
        if (!rule->condition || (rule->state != SKEP_RULE_ENABLED && rule->state != SKEP_RULE_DISABLED))
            continue;
        int r = skep_check_expr(&c, rule->condition, &nodes[i]);
        if (rule->state == SKEP_RULE_DISABLED)
            nodes[i] = SKEP_NODE_FALSE;
        result = r < 0 ? r : result;
    }
    skep_hashmap_clear(&known);
    return result;
}

/* Which types each rule can match, and what is left of it for each kind. */
static int split_kinds(struct skep_unit *u, const struct skep_policy *p, const uint32_t *nodes,
                       struct skep_compiled *c)
{
    bool(*types)[SKEP_EVTTYPE_MAX] = skep_arena_array(u->pool, p->n_rules, sizeof(*types));
    if (!types)
        return -ENOMEM;
    for (size_t i = 0; i < p->n_rules; i++)
        for (unsigned t = 0; t < SKEP_EVTTYPE_MAX; t++) {
            types[i][t] = skep_evtset_has(&u->dag.nodes[nodes[i]].yes, t);
            c->wanted[t] |= types[i][t];
        }
    c->rule_types = (const bool(*)[SKEP_EVTTYPE_MAX])types;
    for (unsigned k = 1; k < SKEP_KIND_MAX; k++) {
        struct skep_evtset of_kind = skep_evtset_of_kind(k);
        size_t n = 0;
        for (size_t i = 0; i < p->n_rules; i++)
            n += skep_evtset_meets(&u->dag.nodes[nodes[i]].yes, &of_kind);
        if (n == 0)
            continue;
        u->rules[k] = skep_arena_array(u->pool, n, sizeof(*u->rules[k]));
        if (!u->rules[k])
            return -ENOMEM;
        for (size_t i = 0; i < p->n_rules; i++) {
            uint32_t node = skep_dag_for_kind(&u->dag, nodes[i], k);
            if (node != SKEP_NODE_FALSE)
                u->rules[k][u->n_rules[k]++] = (struct skep_unit_rule){(uint32_t)i, node};
        }
    }
    if (u->options.profile && !u->dag.error)
        return skep_profile_make(u, c);
    return u->dag.error ? u->dag.error : skep_indexes_make(u);
}

static int build_programs(struct skep_unit *u, struct skep_compiled *c, struct skep_diags *diags)
{
    for (unsigned k = 1; k < SKEP_KIND_MAX; k++) {
        if (u->n_rules[k] == 0)
            continue;
        int r = skep_exact_build(u, (uint16_t)k, &c->exact[k]);
        if (r == -E2BIG) {
            skep_rule_complain(diags, true, NULL, CODE,
                               "the rules are too large together: their program for one kind "
                               "of event would be longer than %u instructions",
                               u->options.max_insns ? u->options.max_insns : 1000000);
            return -EINVAL;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

/* The program in the engine's frame, by which it is also known that it is not too long. */
static int build_filter(struct skep_unit *u, struct skep_filter *f, struct skep_rule_program *ret)
{
    struct skep_frame frame = {.kind = SKEP_FRAME_ENGINE, .event = f->kind};
    struct skep_insn *insns;
    size_t n;
    int r = skep_filter_build(u, f, &frame, &insns, &n);
    if (r < 0)
        return r;
    struct skep_insn *kept = skep_arena_array(u->pool, n, sizeof(*kept));
    uint32_t *maps = skep_arena_array(u->pool, f->refs.n, sizeof(*maps));
    if (kept && maps) {
        memcpy(kept, insns, n * sizeof(*kept));
        if (f->refs.n)
            memcpy(maps, f->refs.list, f->refs.n * sizeof(*maps));
        *ret = (struct skep_rule_program){kept, n, maps, f->refs.n};
    }
    free(insns);
    return kept && maps ? 0 : -ENOMEM;
}

/* As precise as fits. */
static int build_filters(struct skep_unit *u, struct skep_filter *filters, struct skep_compiled *c)
{
    for (unsigned k = 1; k < SKEP_KIND_MAX && !u->options.no_pushdown; k++) {
        int r = u->n_rules[k] && skep_filter_has_kind(k) ? -E2BIG : 0;
        for (int precision = SKEP_FILTER_FULL; r == -E2BIG; precision++) {
            r = skep_filter_plan(u, (uint16_t)k, (enum skep_filter_precision)precision, &filters[k]);
            if (r == 0 && filters[k].root)
                r = build_filter(u, &filters[k], &c->filter[k]);
            if (r < 0) {
                free(filters[k].refs.list);
                filters[k] = (struct skep_filter){.precision = (enum skep_filter_precision)precision};
            }
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int compile(struct skep_compiled_arena *arena, const struct skep_policy *p, struct skep_diags *diags)
{
    struct skep_unit *u = &arena->unit;
    struct skep_compiled *c = &arena->compiled;
    _cleanup_free_ uint32_t *nodes = calloc(MAX(p->n_rules, (size_t)1), sizeof(*nodes));
    if (!nodes)
        return -ENOMEM;
    int r = check_rules(u, p, diags, nodes);
    if (r == 0)
        r = split_kinds(u, p, nodes, c);
    if (r < 0)
        return r;
    skep_atoms_settle(&u->atoms);
    u->matchers =
        (struct skep_matchers){u->atoms.matchers, u->atoms.n, (const struct skep_index *const *)u->indexes};
    r = build_programs(u, c, diags);
    if (r == 0)
        r = build_filters(u, arena->filters, c);
    if (r == 0)
        r = skep_operations_of(u, SKEP_KIND_uring, c->uring_ops);
    if (r == 0)
        r = skep_operations_of(u, SKEP_KIND_uring_done, c->uring_done_ops);
    if (r == 0 && u->options.notes)
        r = skep_notes_make(u, arena->filters, c);
    if (r < 0)
        return r;
    c->policy = p;
    c->all = u->options.all;
    c->requests = u->requests.list;
    c->n_requests = (uint32_t)u->requests.n;
    c->n_atoms = u->n_cached;
    c->maps = u->maps.list;
    c->n_maps = u->maps.n;
    c->matchers = &u->matchers;
    return 0;
}

int skep_rules_check(const struct skep_policy *p, struct skep_diags *diags)
{
    struct skep_unit u = {0};
    _cleanup_free_ uint32_t *nodes = calloc(MAX(p->n_rules, (size_t)1), sizeof(*nodes));
    int r = nodes ? unit_init(&u, NULL) : -ENOMEM;
    if (r == 0)
        r = check_rules(&u, p, diags, nodes);
    if (nodes)
        unit_clear(&u);
    return r;
}

int skep_rules_compile(const struct skep_policy *p, const struct skep_compile_options *o,
                       struct skep_diags *diags, struct skep_compiled **ret)
{
    struct skep_compiled_arena *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->compiled.arena = a;
    int r = unit_init(&a->unit, o);
    if (r == 0)
        r = compile(a, p, diags);
    if (r < 0) {
        skep_compiled_free(&a->compiled);
        return r;
    }
    *ret = &a->compiled;
    return 0;
}

struct skep_compiled *skep_compiled_free(struct skep_compiled *c)
{
    if (!c)
        return NULL;
    struct skep_compiled_arena *a = c->arena;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        free(a->filters[k].refs.list);
    unit_clear(&a->unit);
    free(a);
    return NULL;
}

int skep_compiled_ctx_new(const struct skep_compiled *c, struct skep_rule_ctx **ret)
{
    struct skep_rule_ctx *x;
    int r = skep_rule_ctx_new(c->requests, c->n_requests, c->n_atoms, &x);
    if (r < 0)
        return r;
    x->matchers = c->matchers;
    x->untyped = !skep_requests_typed(c->requests, c->n_requests);
    r = skep_index_scratch_new(c->arena->unit.matchers.indexes, &x->found);
    if (r < 0) {
        skep_rule_ctx_free(x);
        return r;
    }
    *ret = x;
    return 0;
}

int skep_rule_filter_build(const struct skep_compiled *c, uint16_t kind, const struct skep_frame *frame,
                           struct skep_insn **ret_insns, size_t *ret_n)
{
    const struct skep_filter *f = kind < SKEP_KIND_MAX ? &c->arena->filters[kind] : NULL;
    if (!f || !f->root)
        return -ENOENT;
    return skep_filter_build(&c->arena->unit, f, frame, ret_insns, ret_n);
}
