/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/evttype.h"

#include "base/spell.h"
#include "event/syscalls.h"

#include <pthread.h>

_Static_assert(SKEP_EVTTYPE_COUNT <= SKEP_EVTTYPE_MAX, "types of event");

static const struct skep_evttype types[SKEP_EVTTYPE_COUNT] = {
#define CALL(name) #name
#define OWN(name) NULL
#define SKEP_EVTTYPE(name, kind, call) [SKEP_EVTTYPE_##name] = {#name, SKEP_KIND_##kind, call(name)},
#define SKEP_EVTTYPE_AGAIN(id, name, kind) [SKEP_EVTTYPE_##id] = {#name, SKEP_KIND_##kind, #name},
#include "rule/evttypes.def"
#undef CALL
#undef OWN
};

static const unsigned char lengths[SKEP_EVTTYPE_COUNT] = {
#define SKEP_EVTTYPE(name, kind, call) [SKEP_EVTTYPE_##name] = sizeof(#name) - 1,
#define SKEP_EVTTYPE_AGAIN(id, name, kind) [SKEP_EVTTYPE_##id] = sizeof(#name) - 1,
#include "rule/evttypes.def"
};

static const struct alias {
    const char *call;
    uint32_t type;
} aliases[] = {
#define SKEP_EVTTYPE_ALIAS(call, name) {#call, SKEP_EVTTYPE_##name},
#include "rule/evttypes.def"
};

/* By type: the next one of the same name. */
static const uint8_t again[SKEP_EVTTYPE_COUNT] = {
#define SKEP_EVTTYPE_AGAIN(id, name, kind) [SKEP_EVTTYPE_##name] = SKEP_EVTTYPE_##id,
#include "rule/evttypes.def"
};

/* Written once, read by all threads. */
static struct {
    uint8_t of_call[2][SKEP_SYSCALL_MAX]; /* [compat][number] */
    uint8_t of_kind[SKEP_KIND_MAX];       /* when the call does not tell */
} table;
_Static_assert(SKEP_EVTTYPE_MAX <= UINT8_MAX + 1, "a type is a byte of the table");

const struct skep_evttype *skep_evttypes(size_t *ret_n)
{
    *ret_n = SKEP_EVTTYPE_COUNT;
    return types;
}

uint32_t skep_evttype_find(const char *name, size_t len)
{
    for (uint32_t i = 1; i < SKEP_EVTTYPE_COUNT; i++)
        if (lengths[i] == len && memcmp(types[i].name, name, len) == 0)
            return i;
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (strlen(aliases[i].call) == len && memcmp(aliases[i].call, name, len) == 0)
            return aliases[i].type;
    return SKEP_EVTTYPE_NONE;
}

uint32_t skep_evttype_again(uint32_t type)
{
    return again[type];
}

size_t skep_evttype_names(const bool set[SKEP_EVTTYPE_MAX], const char *names[SKEP_EVTTYPE_MAX],
                          bool *ret_all)
{
    size_t n = 0;
    bool is_told[SKEP_EVTTYPE_COUNT] = {false};
    *ret_all = true;
    for (uint32_t i = 1; i < SKEP_EVTTYPE_COUNT; i++) {
        *ret_all &= set[i];
        if (set[i] && !is_told[i])
            names[n++] = types[i].name;
        is_told[again[i]] = set[i];
    }
    return n;
}

bool skep_evttype_exists(const char *name, size_t len)
{
    /* what Falco calls otherwise than the kernel, and what is no system call */
    static const char *const others[] = {
        "asyncevent",  "cpu_hotplug", "drop",    "generic",  "groupadded",     "groupdeleted",
        "infra",       "k8s",         "llseek",  "mesos",    "mmap2",          "notification",
        "page_fault",  "pluginevent", "pread",   "procinfo", "pwrite",         "scapevent",
        "switch",      "sysdigevent", "syscall", "tracer",   "unsupported",    "useradded",
        "userdeleted", "recv",        "send",    "semop",    "timerfd_create", "inotify_init",
        "prlimit",     "umount2"};
    if (skep_evttype_find(name, len))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strlen(others[i]) == len && memcmp(others[i], name, len) == 0)
            return true;
    for (unsigned nr = 0; nr < 2 * SKEP_SYSCALL_MAX; nr++) {
        const char *call = skep_syscall_name(nr / 2, nr % 2);
        if (call && strlen(call) == len && memcmp(call, name, len) == 0)
            return true;
    }
    return false;
}

const char *skep_evttype_nearest(const char *name, size_t len)
{
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    for (uint32_t i = 1; i < SKEP_EVTTYPE_COUNT; i++)
        skep_spell_offer(&sp, types[i].name);
    return sp.best;
}

static void fill_calls(bool compat)
{
    for (unsigned nr = 0; nr < SKEP_SYSCALL_MAX; nr++) {
        const char *name = skep_syscall_name(nr, compat);
        uint32_t type = name ? skep_evttype_find(name, strlen(name)) : SKEP_EVTTYPE_NONE;
        /* a call must not be taken for something that has only its name in common */
        if (type && types[type].syscall)
            table.of_call[compat][nr] = (uint8_t)type;
    }
}

static void fill_table(void)
{
    fill_calls(false);
    fill_calls(true);
    for (uint32_t i = SKEP_EVTTYPE_COUNT - 1; i > 0; i--)
        table.of_kind[types[i].kind] = (uint8_t)i;
}

uint32_t skep_evttype_of(const struct skep_hdr *h)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_table);
    if (h->kind >= SKEP_KIND_MAX)
        return SKEP_EVTTYPE_NONE;
    if (h->flags & SKEP_HDR_SYSCALL && h->nr < SKEP_SYSCALL_MAX) {
        uint32_t type = table.of_call[!!(h->flags & SKEP_HDR_COMPAT)][h->nr];
        for (; type; type = again[type])
            if (types[type].kind == h->kind)
                return type;
    }
    return table.of_kind[h->kind];
}
