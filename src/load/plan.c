/* SPDX-License-Identifier: Apache-2.0 */
#include "load/kernel_internal.h"

#include <stdarg.h>

static const struct {
    const char *sensor;
    unsigned rank;
    const char *program;
    enum skep_attach attach;
    const char *kinds;
    const char *doc;
} sensors[] = {
#define SKEP_SENSOR(sensor, rank, program, attach, kinds, doc)                                               \
    {#sensor, rank, #program, SKEP_ATTACH_##attach, kinds, doc},
#include "load/sensors.def"
#undef SKEP_SENSOR
};

static const struct {
    uint8_t slot;
    const char *name;
} handlers[] = {
#define SKEP_HANDLER(slot, name) {slot, #name},
#include "abi/handlers.def"
#undef SKEP_HANDLER
};

static const struct {
    uint16_t number;
    const char *name;
} kinds[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) {number, #name},
#include "abi/events.def"
#undef SKEP_EVENT
};

static bool list_wanted(const char *list, const bool wanted[SKEP_KIND_MAX])
{
    if (skep_streq(list, "*"))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].name);
        for (const char *at = list; (at = strstr(at, kinds[i].name)); at += n)
            if (wanted[kinds[i].number] && (at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
                return true;
    }
    return false;
}

bool skep_program_makes(const struct skep_program *p, const char *kind)
{
    size_t n = strlen(kind);
    if (!p->kinds || p->optional)
        return false;
    for (const char *at = p->kinds; (at = strstr(at, kind)); at += n)
        if ((at == p->kinds || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

static bool handler_wanted(uint8_t slot, const struct skep_selection *s)
{
    for (size_t i = 0; i < skep_syscalls_n(); i++)
        if (skep_syscalls_at(i)->handler == slot && skep_selection_needs(s, i))
            return true;
    return false;
}

static struct skep_plan_row *add(struct skep_plan *p, const char *program, const char *sensor, unsigned rank)
{
    struct skep_plan_row *row = &p->rows[p->n++];
    *row = (struct skep_plan_row){.info.rank = rank};
    snprintf(row->info.name, sizeof(row->info.name), "%s", program);
    snprintf(row->info.sensor, sizeof(row->info.sensor), "%s", sensor);
    return row;
}

void skep_plan_init(struct skep_plan *p)
{
    p->n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        char program[64];
        snprintf(program, sizeof(program), "sys_%s", handlers[i].name);
        struct skep_plan_row *row = add(p, program, program, 1);
        row->attach = SKEP_ATTACH_HANDLER;
        row->handler = row->info.handler = handlers[i].slot;
        row->info.doc = "handler of system calls";
    }
    for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
        struct skep_plan_row *row = add(p, sensors[i].program, sensors[i].sensor, sensors[i].rank);
        row->attach = sensors[i].attach;
        row->info.doc = sensors[i].doc;
        row->info.kinds = sensors[i].kinds;
        row->info.optional = skep_startswith(sensors[i].program, "note_") != NULL;
    }
}

void skep_plan_want(struct skep_plan *p, const struct skep_selection *s)
{
    bool any_handler = false;
    for (size_t i = 0; i < p->n; i++) { /* handlers come first */
        struct skep_plan_row *row = &p->rows[i];
        bool on_the_way = row->attach == SKEP_ATTACH_FILTER || skep_streq(row->info.name, "syscall_exit");
        if (row->attach == SKEP_ATTACH_HANDLER)
            any_handler |= row->wanted = handler_wanted(row->handler, s);
        else
            row->wanted = list_wanted(row->info.kinds, s->kinds) || (on_the_way && any_handler);
    }
}

void skep_plan_choose(struct skep_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct skep_plan_row *row = &p->rows[i];
        if (row->info.state == SKEP_PROGRAM_FAILED)
            continue;
        if (row->wanted && row->resident && row->info.state >= SKEP_PROGRAM_LOADED)
            continue;
        row->info.state = row->wanted ? SKEP_PROGRAM_LOADED : SKEP_PROGRAM_UNUSED;
        for (size_t j = 0; row->wanted && j < p->n; j++)
            if (j != i && skep_streq(p->rows[j].info.sensor, row->info.sensor) &&
                p->rows[j].info.state != SKEP_PROGRAM_FAILED && p->rows[j].info.rank < row->info.rank)
                row->info.state = SKEP_PROGRAM_SPARE;
    }
}

struct skep_plan_row *skep_plan_find(struct skep_plan *p, const char *program)
{
    for (size_t i = 0; i < p->n; i++)
        if (skep_streq(p->rows[i].info.name, program))
            return &p->rows[i];
    return NULL;
}

void skep_plan_fail(struct skep_plan_row *row, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(row->info.reason, sizeof(row->info.reason), fmt, ap);
    va_end(ap);
    row->info.state = SKEP_PROGRAM_FAILED;
}

bool skep_plan_needs_trampoline(const struct skep_plan_row *row)
{
    static const char *const prefixes[] = {"fentry", "fexit", "fmod_ret", "lsm"};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (skep_startswith(row->info.section, prefixes[i]))
            return true;
    return false;
}
