/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_ENGINE_H
#define SKEP_TEST_ENGINE_H
/*
 * Runs what the rule compiler made in the engine, in every mode.
 */
#include <skep/vm.h>

#include "rule/compile/compile.h"
#include "rule/compile/frame.h"

#include <stdio.h>

#define ENGINE_MODES 4 /* by enum skep_vm_mode; 0 is not used */

struct engine {
    const struct skep_compiled *compiled;
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    struct skep_vm_map **maps;
    struct skep_vm_program *exact[SKEP_KIND_MAX][ENGINE_MODES];
    struct skep_vm_program *filter[SKEP_KIND_MAX][ENGINE_MODES];
    struct skep_rule_ctx *ctx;
};

static inline uint64_t engine_fetch(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return skep_rule_fetch((struct skep_rule_ctx *)(uintptr_t)r1, (uint32_t)r2);
}

static inline uint64_t engine_match(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                    struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return skep_rule_match((struct skep_rule_ctx *)(uintptr_t)r1, (uint32_t)r2);
}

static inline uint64_t engine_find(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                   struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return skep_index_find((struct skep_rule_ctx *)(uintptr_t)r1, (uint32_t)r2);
}

static inline uint64_t engine_next(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                   struct skep_vm_thread *t)
{
    (void)r2, (void)r3, (void)r4, (void)r5, (void)t;
    return skep_index_next((struct skep_rule_ctx *)(uintptr_t)r1);
}

static inline int engine_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

static inline struct skep_vm_map *engine_map(struct engine *e, const struct skep_rule_map *m)
{
    struct skep_vm_map *map;
    struct skep_vm_map_options o = {.size = sizeof(o),
                                    .name = m->name,
                                    .type = m->type,
                                    .key_size = m->key_size,
                                    .value_size = m->value_size,
                                    .max_entries = m->max_entries,
                                    .flags = m->flags};
    if (skep_vm_map_new(e->vm, &o, &map) < 0)
        engine_die("map", m->name);
    for (size_t i = 0; i < m->n_entries; i++)
        if (skep_vm_map_update(map, m->keys + i * m->key_size, m->values + i * m->value_size, 0) < 0)
            engine_die("map entry", m->name);
    return map;
}

static inline struct skep_vm_program *engine_program(struct engine *e, const struct skep_insn *insns,
                                                     size_t n, const uint32_t *maps, size_t n_maps,
                                                     enum skep_vm_mode mode)
{
    struct skep_vm_program *p;
    struct skep_vm_error error;
    struct skep_vm_map **list = calloc(n_maps + 1, sizeof(struct skep_vm_map *));
    for (size_t i = 0; i < n_maps; i++)
        list[i] = e->maps[maps[i]];
    struct skep_vm_program_options o = {
        .size = sizeof(o), .insns = insns, .n_insns = n, .mode = mode, .maps = list, .n_maps = n_maps};
    if (skep_vm_program_load(e->vm, &o, &p, &error) < 0)
        engine_die("program", error.message);
    free(list);
    return p;
}

/* modes: a set of bits by mode. */
static inline void engine_init(struct engine *e, const struct skep_compiled *c, unsigned modes)
{
    *e = (struct engine){.compiled = c};
    struct skep_vm_options vo = {.size = sizeof(vo)};
    struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = 100000000};
    if (skep_vm_new(&vo, &e->vm) < 0 || skep_vm_thread_new(e->vm, &to, &e->thread) < 0)
        engine_die("vm", "cannot be made");
    skep_vm_helper_register(e->vm, SKEP_RULE_HELPER_FETCH, "rule_fetch", engine_fetch);
    skep_vm_helper_register(e->vm, SKEP_RULE_HELPER_MATCH, "rule_match", engine_match);
    skep_vm_helper_register(e->vm, SKEP_RULE_HELPER_FIND, "rule_find", engine_find);
    skep_vm_helper_register(e->vm, SKEP_RULE_HELPER_NEXT, "rule_next", engine_next);
    e->maps = calloc(c->n_maps + 1, sizeof(struct skep_vm_map *));
    for (size_t i = 0; i < c->n_maps; i++)
        e->maps[i] = engine_map(e, &c->maps[i]);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_rule_program *u = &c->exact[k], *f = &c->filter[k];
        for (unsigned m = 1; m < ENGINE_MODES; m++) {
            if (!(modes >> m & 1))
                continue;
            if (u->insns)
                e->exact[k][m] = engine_program(e, u->insns, u->n_insns, u->maps, u->n_maps, m);
            if (f->insns)
                e->filter[k][m] = engine_program(e, f->insns, f->n_insns, f->maps, f->n_maps, m);
        }
    }
    if (skep_compiled_ctx_new(c, &e->ctx) < 0)
        engine_die("context", "no memory");
}

static inline void engine_clear(struct engine *e)
{
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++)
        for (unsigned m = 0; m < ENGINE_MODES; m++) {
            skep_vm_program_unref(e->exact[k][m]);
            skep_vm_program_unref(e->filter[k][m]);
        }
    for (size_t i = 0; i < e->compiled->n_maps; i++)
        skep_vm_map_unref(e->maps[i]);
    free(e->maps);
    skep_rule_ctx_free(e->ctx);
    skep_vm_thread_free(e->thread);
    skep_vm_free(e->vm);
}

/* Which rules match: how many, their numbers in e->ctx->matches. */
static inline uint32_t engine_judge(struct engine *e, enum skep_vm_mode mode, const struct skep_event *ev)
{
    struct skep_vm_program *p = e->exact[ev->h->kind][mode];
    uint64_t value;
    skep_rule_ctx_begin(e->ctx, ev);
    if (!p)
        return 0;
    if (skep_vm_run(e->thread, p, e->ctx, e->ctx->size, &value) < 0)
        engine_die("run", skep_vm_thread_error(e->thread)->message);
    if (value != e->ctx->n_matches)
        engine_die("run", "r0 is not the number of matches");
    return e->ctx->n_matches;
}

/* Whether the filter lets the record pass; record: SKEP_RECORD_MAX + SKEP_PATH_MAX bytes. */
static inline bool engine_pass(struct engine *e, enum skep_vm_mode mode, void *record)
{
    struct skep_vm_program *p = e->filter[((const struct skep_hdr *)record)->kind][mode];
    uint64_t value;
    if (!p)
        return true;
    if (skep_vm_run(e->thread, p, record, SKEP_RECORD_MAX + SKEP_PATH_MAX, &value) < 0)
        engine_die("filter", skep_vm_thread_error(e->thread)->message);
    return value != 0;
}
#endif
