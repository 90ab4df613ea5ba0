/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/pushdown.h"

#include "base/job.h"
#include "rule/compile/frame.h"

#include <stdatomic.h>

struct skep_pushdown_job {
    struct skep_kernel *kernel;
    struct skep_pushdown p;
    struct skep_job *aside;
    atomic_bool give_up;
    /* written aside */
    struct skep_filters *filters;
    struct skep_strbuf lines; /* what is to be told, each ended by a NUL */
    int result;
};

static const char *kind_name(uint16_t kind)
{
    static const char *const names[SKEP_KIND_MAX] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) [number] = #name,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    return names[kind] ? names[kind] : "?";
}

static bool wants_names(const struct skep_ruleset *rs)
{
    return rs && rs->wants_names;
}

/* Types of event are wanted by rules, or because their kind is shown, and not when the condition cannot be true. */
void skep_pushdown_selection(const struct skep_pushdown *p, struct skep_selection *ret)
{
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    *ret = (struct skep_selection){0};
    for (uint16_t kind = 0; kind < SKEP_KIND_MAX; kind++)
        if (p->always[kind] || (p->shown[kind] && !p->where))
            skep_selection_kind(ret, kind);
    if (wants_names(p->rules) || wants_names(p->where))
        skep_selection_kind(ret, SKEP_KIND_dns);
    for (size_t i = 1; i < n; i++) {
        bool shown = p->where && p->shown[types[i].kind];
        if (!shown && !(p->rules && p->rules->compiled->wanted[i]))
            continue;
        if (p->where && !p->where->compiled->wanted[i])
            continue;
        if (!types[i].syscall || skep_selection_call(ret, types[i].kind, types[i].syscall) < 0)
            skep_selection_kind(ret, types[i].kind);
    }
}

/* first_map: where the maps of c begin in those of f. */
static int load_filter(struct skep_filters *f, const struct skep_compiled *c, size_t first_map, uint16_t kind)
{
    const struct skep_rule_program *p = &c->filter[kind];
    struct skep_frame frame = {
        .kind = SKEP_FRAME_KERNEL,
        .event = kind,
        .scratch_map = (uint32_t)p->n_maps,
        .counters_map = (uint32_t)p->n_maps + 1,
        .filters_map = (uint32_t)p->n_maps + 2,
    };
    _cleanup_free_ uint32_t *maps = calloc(p->n_maps + 1, sizeof(*maps));
    struct skep_insn *insns;
    size_t n;
    if (!maps)
        return -ENOMEM;
    for (size_t i = 0; i < p->n_maps; i++)
        maps[i] = p->maps[i] + (uint32_t)first_map;
    int r = skep_rule_filter_build(c, kind, &frame, &insns, &n);
    if (r < 0)
        return r;
    struct skep_filter_program program = {.insns = insns,
                                          .n_insns = n,
                                          .maps = maps,
                                          .n_maps = p->n_maps,
                                          .late_raw_path = kind == SKEP_KIND_open};
    r = skep_filters_load(f, kind, &program);
    free(insns);
    return r;
}

static size_t put_maps(const struct skep_ruleset *rs, struct skep_filter_map *to)
{
    const struct skep_compiled *c = rs ? rs->compiled : NULL;
    for (size_t i = 0; c && i < c->n_maps; i++) {
        const struct skep_rule_map *m = &c->maps[i];
        to[i] = (struct skep_filter_map){m->name,  m->type, m->key_size, m->value_size, m->max_entries,
                                         m->flags, m->keys, m->values,   m->n_entries};
    }
    return c ? c->n_maps : 0;
}

/* Whose filter a kind gets; NULL: none. What rules cannot match is dropped also where the condition could be true. */
static const struct skep_ruleset *filter_of(const struct skep_pushdown *p, uint16_t kind)
{
    if (p->rules && !p->shown[kind] && p->rules->compiled->filter[kind].insns)
        return p->rules;
    return p->where && p->where->compiled->filter[kind].insns ? p->where : NULL;
}

__attribute__((format(printf, 2, 3))) static void tell_later(struct skep_pushdown_job *job,
                                                             const char *format, ...)
{
    char line[700];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    skep_strbuf_put(&job->lines, line, strlen(line) + 1);
}

/* 1: there is a filter. */
static int load_kind(struct skep_pushdown_job *job, struct skep_filters *f, size_t first_map, uint16_t kind)
{
    const struct skep_pushdown *p = &job->p;
    const struct skep_ruleset *of = filter_of(p, kind);
    if (!of || atomic_load(&job->give_up))
        return 0;
    int r = load_filter(f, of->compiled, of == p->where ? first_map : 0, kind);
    if (r >= 0 || r == -ENOMEM)
        return r < 0 ? r : 1;
    const char *why = skep_filters_reason(f, kind);
    tell_later(job, "warning: the kernel drops no %s events on behalf of %s: %s", kind_name(kind),
               of == p->where ? "--where" : "rules", why ? why : strerror(-r));
    return 0;
}

/* What no rule wants of a kind that is told apart by the operation; whether there is any. */
static bool drop_operations(const struct skep_pushdown *p, struct skep_filters *f, uint16_t kind,
                            const uint64_t wanted[SKEP_URING_OPS / 64])
{
    struct skep_filter_early early = {0};
    bool some = false;
    for (size_t i = 0; i < ARRAY_SIZE(early.unwanted_ops); i++) {
        early.unwanted_ops[i] = ~wanted[i];
        some |= early.unwanted_ops[i] != 0;
    }
    return some && !p->shown[kind] && !p->always[kind] && skep_filters_early(f, kind, &early) >= 0;
}

static int load_all(struct skep_pushdown_job *job)
{
    const struct skep_pushdown *p = &job->p;
    _cleanup_filters_ struct skep_filters *f = NULL;
    size_t n = (p->rules ? p->rules->compiled->n_maps : 0) + (p->where ? p->where->compiled->n_maps : 0);
    _cleanup_free_ struct skep_filter_map *maps = calloc(n + 1, sizeof(*maps));
    char reason[512];
    if (!maps)
        return -ENOMEM;
    size_t first = put_maps(p->rules, maps);
    put_maps(p->where, maps + first);
    int r = skep_filters_new(job->kernel, maps, n, &f, reason, sizeof(reason));
    if (r < 0) {
        tell_later(job, "warning: the kernel drops nothing on behalf of %s: %s",
                   p->rules ? "rules" : "--where", reason);
        return 0;
    }
    bool some = false;
    for (uint16_t kind = 0; kind < SKEP_KIND_MAX; kind++) {
        r = load_kind(job, f, first, kind);
        if (r < 0)
            return r;
        some |= r > 0;
    }
    if (p->rules) {
        some |= drop_operations(p, f, SKEP_KIND_uring, p->rules->compiled->uring_ops);
        some |= drop_operations(p, f, SKEP_KIND_uring_done, p->rules->compiled->uring_done_ops);
    }
    job->filters = some ? TAKE_PTR(f) : NULL;
    return 0;
}

static void work(void *data)
{
    struct skep_pushdown_job *job = data;
    job->result = load_all(job);
}

int skep_pushdown_begin(struct skep_kernel *k, const struct skep_pushdown *p, struct skep_pushdown_job **ret)
{
    struct skep_pushdown_job *job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    job->kernel = k;
    job->p = *p;
    skep_strbuf_init(&job->lines, 1 << 16);
    int r = skep_job_begin("skep-pushdown", work, job, &job->aside);
    if (r < 0) {
        free(job);
        return r;
    }
    *ret = job;
    return 0;
}

int skep_pushdown_fd(const struct skep_pushdown_job *job)
{
    return skep_job_fd(job->aside);
}

const struct skep_pushdown *skep_pushdown_of(const struct skep_pushdown_job *job)
{
    return &job->p;
}

int skep_pushdown_end(struct skep_pushdown_job *job, void (*tell)(void *data, const char *line), void *data,
                      struct skep_filters **ret)
{
    job->aside = skep_job_end(job->aside);
    int r = job->result;
    for (size_t at = 0; tell && at < job->lines.len; at += strlen(job->lines.s + at) + 1)
        tell(data, job->lines.s + at);
    if (r >= 0 && ret)
        *ret = TAKE_PTR(job->filters);
    skep_filters_free(job->filters);
    skep_strbuf_clear(&job->lines);
    free(job);
    return r;
}

struct skep_pushdown_job *skep_pushdown_free(struct skep_pushdown_job *job)
{
    if (job) {
        atomic_store(&job->give_up, true);
        skep_pushdown_end(job, NULL, NULL, NULL);
    }
    return NULL;
}
