/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pushdown.h"

#include "rule/frame.h"

static const char *kind_name(uint16_t kind)
{
    static const char *const names[SKEP_KIND_MAX] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) [number] = #name,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    return names[kind] ? names[kind] : "?";
}

void skep_pushdown_selection(const struct skep_ruleset *rs, const bool shown[SKEP_KIND_MAX],
                             const bool always[SKEP_KIND_MAX], struct skep_selection *ret)
{
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    *ret = (struct skep_selection){0};
    for (uint16_t kind = 0; kind < SKEP_KIND_MAX; kind++)
        if (shown[kind] || always[kind])
            skep_selection_kind(ret, kind);
    if (rs && rs->wants_names)
        skep_selection_kind(ret, SKEP_KIND_dns);
    for (size_t i = 1; rs && i < n; i++) {
        if (!rs->compiled->wanted[i])
            continue;
        if (!types[i].syscall || skep_selection_call(ret, types[i].kind, types[i].syscall) < 0)
            skep_selection_kind(ret, types[i].kind);
    }
}

/* Whether the program asks for the path of an open as it was given; bodies have the record in r6 all the time. */
static bool reads_raw_path(const struct skep_rule_program *p)
{
    size_t at = offsetof(struct skep_ev_open, raw_path), end = at + sizeof(struct skep_slice);
    for (size_t i = 0; i < p->n_insns; i++) {
        const struct skep_insn *insn = &p->insns[i];
        bool load = (insn->code & 7) == 1;
        if (load && insn->regs >> 4 == 6 && insn->off >= (int)at && insn->off < (int)end)
            return true;
    }
    return false;
}

static int load_filter(struct skep_filters *f, const struct skep_compiled *c, uint16_t kind)
{
    const struct skep_rule_program *p = &c->filter[kind];
    struct skep_frame frame = {
        .kind = SKEP_FRAME_KERNEL,
        .event = kind,
        .scratch_map = (uint32_t)p->n_maps,
        .counters_map = (uint32_t)p->n_maps + 1,
        .filters_map = (uint32_t)p->n_maps + 2,
    };
    struct skep_insn *insns;
    size_t n;
    int r = skep_rule_filter_build(c, kind, &frame, &insns, &n);
    if (r < 0)
        return r;
    struct skep_filter_program program = {.insns = insns,
                                          .n_insns = n,
                                          .maps = p->maps,
                                          .n_maps = p->n_maps,
                                          .no_raw_path = kind == SKEP_KIND_open && !reads_raw_path(p)};
    r = skep_filters_load(f, kind, &program);
    free(insns);
    return r;
}

int skep_pushdown_filters(struct skep_kernel *k, const struct skep_ruleset *rs,
                          const bool shown[SKEP_KIND_MAX], void (*tell)(void *data, const char *line),
                          void *data, struct skep_filters **ret)
{
    const struct skep_compiled *c = rs->compiled;
    _cleanup_filters_ struct skep_filters *f = NULL;
    _cleanup_free_ struct skep_filter_map *maps = calloc(c->n_maps + 1, sizeof(*maps));
    char reason[512], line[700];
    if (!maps)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_maps; i++) {
        const struct skep_rule_map *m = &c->maps[i];
        maps[i] = (struct skep_filter_map){m->name,  m->type, m->key_size, m->value_size, m->max_entries,
                                           m->flags, m->keys, m->values,   m->n_entries};
    }
    int r = skep_filters_new(k, maps, c->n_maps, &f, reason, sizeof(reason));
    if (r < 0) {
        snprintf(line, sizeof(line), "warning: the kernel drops nothing on behalf of rules: %s", reason);
        tell(data, line);
        *ret = NULL;
        return 0;
    }
    bool some = false;
    for (uint16_t kind = 0; kind < SKEP_KIND_MAX; kind++) {
        if (!c->filter[kind].insns || shown[kind])
            continue;
        r = load_filter(f, c, kind);
        if (r == -ENOMEM)
            return r;
        some |= r >= 0;
        if (r >= 0)
            continue;
        const char *why = skep_filters_reason(f, kind);
        snprintf(line, sizeof(line), "warning: the kernel drops no %s events on behalf of rules: %s",
                 kind_name(kind), why ? why : strerror(-r));
        tell(data, line);
    }
    *ret = some ? TAKE_PTR(f) : NULL;
    return 0;
}
