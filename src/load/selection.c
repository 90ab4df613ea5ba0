/* SPDX-License-Identifier: Apache-2.0 */
#include "load/selection.h"

#include "load/syscalls.h"

#include <assert.h>

void skep_selection_kind(struct skep_selection *s, uint16_t kind)
{
    s->kinds[kind] = true;
    s->narrowed[kind] = false;
}

static bool in_native(const char *call)
{
    for (const struct skep_syscall *c = skep_syscalls_native(); c->name; c++)
        if (skep_streq(c->name, call))
            return true;
    return false;
}

int skep_selection_call(struct skep_selection *s, uint16_t kind, const char *call)
{
    size_t n = skep_syscalls_n();
    bool any = false, found = false;
    assert(n <= SKEP_SELECTION_ROWS);
    for (size_t i = 0; i < n; i++) {
        const struct skep_syscall *c = skep_syscalls_at(i);
        any |= c->kind == kind;
        found |= c->kind == kind && skep_streq(c->name, call);
    }
    if (!any || (s->kinds[kind] && !s->narrowed[kind])) {
        s->kinds[kind] = true;
        return 0;
    }
    if (!found)
        return -ENOENT;
    s->kinds[kind] = s->narrowed[kind] = true;
    for (size_t i = 0; i < n; i++) {
        const struct skep_syscall *c = skep_syscalls_at(i);
        if (c->kind == kind && (skep_streq(c->name, call) || !in_native(c->name)))
            s->calls[i] = true;
    }
    return 0;
}

void skep_selection_join(struct skep_selection *s, const struct skep_selection *other)
{
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        if (!other->kinds[i])
            continue;
        s->narrowed[i] = s->kinds[i] ? s->narrowed[i] && other->narrowed[i] : other->narrowed[i];
        s->kinds[i] = true;
    }
    for (size_t i = 0; i < SKEP_SELECTION_ROWS; i++)
        s->calls[i] |= other->calls[i];
}

bool skep_selection_wants(const struct skep_selection *s, size_t row)
{
    uint8_t kind = skep_syscalls_at(row)->kind;
    return s->kinds[kind] && (!s->narrowed[kind] || s->calls[row]);
}

/* exec tells who the user was before, so calls that change the user are noted also when nobody asks for them. */
bool skep_selection_needs(const struct skep_selection *s, size_t row)
{
    return skep_selection_wants(s, row) ||
           (skep_syscalls_at(row)->handler == SKEP_HANDLER_cred && s->kinds[SKEP_KIND_exec]);
}
