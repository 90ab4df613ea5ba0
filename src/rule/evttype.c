/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/evttype.h"

#include "base/spell.h"
#include "event/syscalls.h"

enum {
    TYPE_NONE,
#define SKEP_EVTTYPE(name, kind, call) TYPE_##name,
#include "rule/evttypes.def"
#undef SKEP_EVTTYPE
    TYPE_MAX,
};
_Static_assert(TYPE_MAX <= SKEP_EVTTYPE_MAX, "types of event");

static const struct skep_evttype types[TYPE_MAX] = {
#define CALL(name) #name
#define OWN(name) NULL
#define SKEP_EVTTYPE(name, kind, call) [TYPE_##name] = {#name, SKEP_KIND_##kind, call(name)},
#include "rule/evttypes.def"
#undef SKEP_EVTTYPE
#undef CALL
#undef OWN
};

static const unsigned char lengths[TYPE_MAX] = {
#define SKEP_EVTTYPE(name, kind, call) [TYPE_##name] = sizeof(#name) - 1,
#include "rule/evttypes.def"
#undef SKEP_EVTTYPE
};

const struct skep_evttype *skep_evttypes(size_t *ret_n)
{
    *ret_n = TYPE_MAX;
    return types;
}

uint32_t skep_evttype_find(const char *name, size_t len)
{
    for (uint32_t i = 1; i < TYPE_MAX; i++)
        if (lengths[i] == len && memcmp(types[i].name, name, len) == 0)
            return i;
    return 0;
}

const char *skep_evttype_nearest(const char *name, size_t len)
{
    struct skep_spell sp;
    skep_spell_init(&sp, name, len);
    for (uint32_t i = 1; i < TYPE_MAX; i++)
        skep_spell_offer(&sp, types[i].name);
    return sp.best;
}

uint32_t skep_evttype_of(const struct skep_hdr *h)
{
    const char *call =
        h->flags & SKEP_HDR_SYSCALL ? skep_syscall_name(h->nr, h->flags & SKEP_HDR_COMPAT) : NULL;
    uint32_t own = 0;
    for (uint32_t i = 1; i < TYPE_MAX; i++) {
        if (types[i].kind != h->kind)
            continue;
        if (!types[i].syscall || !own)
            own = i;
        if (call && types[i].syscall && strcmp(types[i].syscall, call) == 0)
            return i;
    }
    return own;
}
