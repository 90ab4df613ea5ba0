/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/ruleset.h"

#include "rule/alert/alert.h"
#include "rule/default.h"
#include "rule/falco/files.h"
#include "rule/names/hosts.h"
#include "rule/request.h"

/* ---- what programs call ---- */

static uint64_t call_fetch(uint64_t ctx, uint64_t fact, uint64_t r3, uint64_t r4, uint64_t r5,
                           struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return skep_rule_fetch((struct skep_rule_ctx *)(uintptr_t)ctx, (uint32_t)fact);
}

static uint64_t call_match(uint64_t ctx, uint64_t matcher, uint64_t r3, uint64_t r4, uint64_t r5,
                           struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return skep_rule_match((struct skep_rule_ctx *)(uintptr_t)ctx, (uint32_t)matcher);
}

static uint64_t call_find(uint64_t ctx, uint64_t kind, uint64_t r3, uint64_t r4, uint64_t r5,
                          struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return skep_index_find((struct skep_rule_ctx *)(uintptr_t)ctx, (uint32_t)kind);
}

static uint64_t call_next(uint64_t ctx, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                          struct skep_vm_thread *t)
{
    (void)r2, (void)r3, (void)r4, (void)r5, (void)t;
    return skep_index_next((struct skep_rule_ctx *)(uintptr_t)ctx);
}

/* ---- into the engine ---- */

/* A program that is ours and cannot be loaded is a defect of ours, but the operator has to know. */
static int refused(struct skep_diags *diags, const char *what, const char *message, int r)
{
    skep_rule_complain(diags, true, NULL, "LOAD_ERR_COMPILE_CONDITION",
                       "%s cannot be loaded into the engine: %s", what, message ? message : strerror(-r));
    return r;
}

static int make_map(struct skep_ruleset *rs, const struct skep_rule_map *m, struct skep_vm_map **ret)
{
    struct skep_vm_map_options o = {
        .size = sizeof(o),
        .name = m->name,
        .type = m->type,
        .key_size = m->key_size,
        .value_size = m->value_size,
        .max_entries = m->max_entries,
        .flags = m->flags,
    };
    int r = skep_vm_map_new(rs->vm, &o, ret);
    for (size_t i = 0; r >= 0 && i < m->n_entries; i++)
        r = skep_vm_map_update(*ret, m->keys + i * m->key_size, m->values + i * m->value_size, 0);
    return r;
}

static int make_maps(struct skep_ruleset *rs, struct skep_diags *diags)
{
    const struct skep_compiled *c = rs->compiled;
    rs->maps = calloc(c->n_maps + 1, sizeof(struct skep_vm_map *));
    if (!rs->maps)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_maps; i++) {
        int r = make_map(rs, &c->maps[i], &rs->maps[i]);
        if (r < 0)
            return refused(diags, c->maps[i].name, NULL, r);
    }
    return 0;
}

static int load_program(struct skep_ruleset *rs, uint16_t kind, enum skep_vm_mode mode,
                        struct skep_diags *diags)
{
    const struct skep_rule_program *p = &rs->compiled->exact[kind];
    char name[32];
    snprintf(name, sizeof(name), "rules_%u", kind);
    _cleanup_free_ struct skep_vm_map **maps = calloc(p->n_maps + 1, sizeof(struct skep_vm_map *));
    if (!maps)
        return -ENOMEM;
    for (size_t i = 0; i < p->n_maps; i++)
        maps[i] = rs->maps[p->maps[i]];
    struct skep_vm_program_options o = {
        .size = sizeof(o),
        .name = name,
        .insns = p->insns,
        .n_insns = p->n_insns,
        .mode = mode,
        .maps = maps,
        .n_maps = p->n_maps,
    };
    struct skep_vm_error error;
    int r = skep_vm_program_load(rs->vm, &o, &rs->exact[kind], &error);
    return r < 0 ? refused(diags, name, error.message, r) : 0;
}

static int load_engine(struct skep_ruleset *rs, bool interpret, struct skep_diags *diags)
{
    struct skep_vm_options vo = {.size = sizeof(vo), .cpus = 1};
    struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = 100000000};
    int r = skep_vm_new(&vo, &rs->vm);
    if (r >= 0)
        r = skep_vm_helper_register(rs->vm, SKEP_RULE_HELPER_FETCH, "rule_fetch", call_fetch);
    if (r >= 0)
        r = skep_vm_helper_register(rs->vm, SKEP_RULE_HELPER_MATCH, "rule_match", call_match);
    if (r >= 0)
        r = skep_vm_helper_register(rs->vm, SKEP_RULE_HELPER_FIND, "rule_find", call_find);
    if (r >= 0)
        r = skep_vm_helper_register(rs->vm, SKEP_RULE_HELPER_NEXT, "rule_next", call_next);
    if (r >= 0)
        r = skep_vm_thread_new(rs->vm, &to, &rs->thread);
    if (r >= 0)
        r = make_maps(rs, diags);
    for (uint16_t kind = 0; r >= 0 && kind < SKEP_KIND_MAX; kind++) {
        if (!rs->compiled->exact[kind].insns)
            continue;
        rs->kinds[kind] = true;
        r = load_program(rs, kind, interpret ? SKEP_VM_MODE_INTERPRET : SKEP_VM_MODE_TRUSTED, diags);
    }
    if (r < 0)
        return r;
    return skep_compiled_ctx_new(rs->compiled, &rs->ctx);
}

/* ---- outputs ---- */

static int make_formats(struct skep_ruleset *rs, bool suggest, struct skep_diags *diags)
{
    const struct skep_policy *p = rs->policy;
    _cleanup_strbuf_ struct skep_strbuf template;
    int result = 0;
    skep_strbuf_init(&template, 1 << 20);
    rs->formats = calloc(p->n_rules + 1, sizeof(struct skep_format *));
    if (!rs->formats)
        return -ENOMEM;
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct skep_rule *rule = &p->rules[i];
        if (rule->state != SKEP_RULE_ENABLED)
            continue;
        skep_strbuf_reset(&template);
        skep_alert_put_template(&template, rule, suggest);
        if (template.failed)
            return -ENOMEM;
        int r = skep_format_new(template.s, &rule->output_place, diags, &rs->formats[i]);
        if (r < 0 && r != -EINVAL)
            return r;
        result = r < 0 ? r : result;
    }
    return result;
}

/* ---- the whole ---- */

/* What conditions and outputs need of the others. */
static void collect_wants(struct skep_ruleset *rs)
{
    uint32_t flags = skep_requests_flags(rs->compiled->requests, rs->compiled->n_requests);
    for (size_t i = 0; i < rs->policy->n_rules; i++)
        flags |= rs->formats[i] ? skep_format_flags(rs->formats[i]) : 0;
    rs->wants_names = flags & SKEP_FIELD_HOSTS;
    rs->wants_environ = flags & SKEP_FIELD_ENVIRON;
}

struct skep_ruleset *skep_ruleset_free(struct skep_ruleset *rs)
{
    if (!rs)
        return NULL;
    for (size_t i = 0; rs->formats && i < rs->policy->n_rules; i++)
        skep_format_free(rs->formats[i]);
    free(rs->formats);
    skep_rule_ctx_free(rs->ctx);
    for (size_t i = 0; i < SKEP_KIND_MAX; i++)
        skep_vm_program_unref(rs->exact[i]);
    for (size_t i = 0; rs->maps && i < rs->compiled->n_maps; i++)
        skep_vm_map_unref(rs->maps[i]);
    free(rs->maps);
    skep_vm_thread_free(rs->thread);
    skep_vm_free(rs->vm);
    skep_compiled_free(rs->compiled);
    if (!rs->borrowed)
        skep_policy_free(rs->policy);
    free(rs);
    return NULL;
}

/* Every other rule is off. */
static int leave_only(struct skep_policy *p, uint32_t only)
{
    for (size_t i = 0; i < p->n_rules; i++) {
        struct skep_rule *rule = (struct skep_rule *)&p->rules[i];
        if (i != only && rule->state == SKEP_RULE_ENABLED)
            rule->state = SKEP_RULE_DISABLED;
    }
    return only < p->n_rules ? 0 : -EINVAL;
}

int skep_ruleset_make(const struct skep_ruleset_options *o, struct skep_policy *policy,
                      struct skep_diags *diags, struct skep_ruleset **ret)
{
    _cleanup_ruleset_ struct skep_ruleset *rs = calloc(1, sizeof(*rs));
    struct skep_compile_options co = {.all = o->all,
                                      .no_pushdown = o->no_pushdown,
                                      .notes = o->notes,
                                      .weights = o->weights,
                                      .n_weights = o->n_weights};
    if (!rs) {
        skep_policy_free(policy);
        return -ENOMEM;
    }
    rs->policy = policy;
    rs->weighed = o->n_weights > 0;
    int r = o->only ? leave_only(policy, o->only - 1) : 0;
    if (r < 0)
        return r;
    /* both, so that the operator sees all that is wrong at once */
    int compiled = skep_rules_compile(policy, &co, diags, &rs->compiled);
    r = make_formats(rs, !o->no_suggestions, diags);
    if (compiled < 0 || r < 0)
        return compiled < 0 ? compiled : r;
    r = load_engine(rs, o->interpret, diags);
    if (r < 0)
        return r;
    collect_wants(rs);
    *ret = TAKE_PTR(rs);
    return 0;
}

/* The files that were named; without any those of the host, and without those our own. */
static int load_policy(const struct skep_ruleset_options *o, struct skep_diags *diags,
                       struct skep_policy **ret)
{
    static const char *const of_host[] = {SKEP_RULES_DIR};
    _cleanup_falco_files_ struct skep_falco_files files = {0};
    struct skep_falco_input builtin = {
        .name = "default.yaml", .text = skep_default_rules, .len = skep_default_rules_len};
    struct skep_falco_options fo = {
        .choices = o->choices, .n_choices = o->n_choices, .min_priority = o->min_priority};
    bool installed = !o->n_paths && access(SKEP_RULES_DIR, F_OK) == 0;
    if (!o->n_paths && !installed)
        return skep_falco_load(&builtin, 1, &fo, diags, ret);
    int read = skep_falco_files_read(o->n_paths ? o->paths : of_host, o->n_paths ? o->n_paths : 1, o->kept,
                                     diags, &files);
    if (read == -ENOMEM)
        return read;
    int r = skep_falco_load(files.list, files.n, &fo, diags, ret);
    if (r >= 0 && read < 0) {
        *ret = skep_policy_free(*ret);
        return read;
    }
    return r;
}

int skep_ruleset_load(const struct skep_ruleset_options *o, struct skep_diags *diags,
                      struct skep_ruleset **ret)
{
    struct skep_policy *policy;
    int r = load_policy(o, diags, &policy);
    return r < 0 ? r : skep_ruleset_make(o, policy, diags, ret);
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

size_t skep_ruleset_judge(struct skep_ruleset *rs, const struct skep_event *ev,
                          const struct skep_ruleset_world *world, const uint32_t **ret_rules)
{
    const struct skep_vm_program *program = rs->exact[ev->h->kind & (SKEP_KIND_MAX - 1)];
    struct skep_rule_ctx *x = rs->ctx;
    uint64_t n;
    if (!program)
        return 0;
    skep_rule_ctx_begin(x, ev);
    x->users = world->users;
    x->hosts = world->hosts;
    if (skep_vm_run(rs->thread, program, x, x->size, &n) < 0) {
        rs->faults++;
        snprintf(rs->fault, sizeof(rs->fault), "%s", skep_vm_thread_error(rs->thread)->message);
        return 0;
    }
    *ret_rules = x->matches;
    n = MIN(x->n_matches, SKEP_RULE_MATCHES_MAX);
    if (n > 1)
        qsort(x->matches, n, sizeof(x->matches[0]), compare_numbers);
    return rs->compiled->all ? n : MIN(n, 1);
}

/* ---- what comparisons are worth ---- */

#define SAMPLES_MIN 16 /* of an atom, before anything is said of it */

struct skep_ruleset_profile {
    struct skep_ruleset *rs; /* of atoms */
    uint64_t samples;
    uint64_t seen[SKEP_KIND_MAX];           /* events by kind */
    uint64_t truths[SKEP_RULE_MATCHES_MAX]; /* by atom */
};

struct skep_ruleset_profile *skep_ruleset_profile_free(struct skep_ruleset_profile *p)
{
    if (p)
        skep_ruleset_free(p->rs);
    free(p);
    return NULL;
}

int skep_ruleset_profile_new(const struct skep_ruleset *rs, struct skep_ruleset_profile **ret)
{
    struct skep_compile_options co = {.profile = true};
    _cleanup_diags_ struct skep_diags diags;
    struct skep_ruleset_profile *p = calloc(1, sizeof(*p));
    skep_diags_init(&diags, NULL);
    if (p)
        p->rs = calloc(1, sizeof(*p->rs));
    int r = p && p->rs ? 0 : -ENOMEM;
    if (r >= 0) {
        p->rs->policy = rs->policy;
        p->rs->borrowed = true;
        r = skep_rules_compile(rs->policy, &co, &diags, &p->rs->compiled);
    }
    if (r >= 0)
        r = load_engine(p->rs, false, &diags);
    if (r < 0) {
        skep_ruleset_profile_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void skep_ruleset_profile_event(struct skep_ruleset_profile *p, const struct skep_event *ev,
                                const struct skep_ruleset_world *world)
{
    const uint32_t *atoms;
    if (!p->rs->kinds[ev->h->kind & (SKEP_KIND_MAX - 1)])
        return;
    size_t n = skep_ruleset_judge(p->rs, ev, world, &atoms);
    for (size_t i = 0; i < n; i++)
        p->truths[atoms[i]]++;
    p->seen[ev->h->kind & (SKEP_KIND_MAX - 1)]++;
    p->samples++;
}

uint64_t skep_ruleset_profile_samples(const struct skep_ruleset_profile *p)
{
    return p->samples;
}

/* Events of the kinds that ask for an atom. */
static uint64_t asked(const struct skep_ruleset_profile *p, size_t atom)
{
    uint64_t n = 0;
    for (size_t k = 0; k < SKEP_KIND_MAX; k++)
        n += p->rs->compiled->profiled_kinds[atom][k] ? p->seen[k] : 0;
    return n;
}

int skep_ruleset_profile_weights(const struct skep_ruleset_profile *p, struct skep_atom_weight **ret,
                                 size_t *ret_n)
{
    const struct skep_compiled *c = p->rs->compiled;
    size_t bytes = c->n_profiled * sizeof(struct skep_atom_weight), n = 0;
    for (size_t i = 0; i < c->n_profiled; i++)
        bytes += strlen(c->profiled[i]) + 1;
    struct skep_atom_weight *weights = malloc(bytes + 1);
    if (!weights)
        return -ENOMEM;
    char *text = (char *)(weights + c->n_profiled);
    for (size_t i = 0; i < c->n_profiled; i++) {
        uint64_t events = asked(p, i);
        if (events < SAMPLES_MIN)
            continue;
        /* never quite 0 or 1: a sample is a sample */
        weights[n++] = (struct skep_atom_weight){text, ((double)p->truths[i] + 0.5) / ((double)events + 1)};
        text = stpcpy(text, c->profiled[i]) + 1;
    }
    *ret = weights;
    *ret_n = n;
    return 0;
}
