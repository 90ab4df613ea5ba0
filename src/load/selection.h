/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_SELECTION_H
#define SKEP_LOAD_SELECTION_H
/*
 * What is to be observed: kinds of event, and of a kind that system calls make, all of its calls or some.
 *
 *     struct skep_selection s = {0};
 *     skep_selection_kind(&s, SKEP_KIND_connect);            all calls that connect
 *     skep_selection_call(&s, SKEP_KIND_open, "openat");     of those that open, this one
 *
 * Calls that 32-bit programs alone have (setuid32, socketcall, ...) have no name in rules: they are observed with any
 * call of their kind. unlinkat removes directories, too: it makes one of two kinds, and may be chosen for either.
 *
 * A plain value, that may be copied.
 */
#include "abi/event.h"
#include "base/macro.h"

#define SKEP_SELECTION_ROWS 320 /* at least the rows of abi/syscalls.def, native and 32-bit */

struct skep_selection {
    bool kinds[SKEP_KIND_MAX];
    bool narrowed[SKEP_KIND_MAX]; /* of the calls that make the kind, only these: */
    bool calls[SKEP_SELECTION_ROWS];
};

void skep_selection_kind(struct skep_selection *s, uint16_t kind);
/* A kind that is selected as a whole stays so. Kinds that are not observed through calls (exec, fork) are selected as a
 * whole. -ENOENT: no call of this name makes the kind. */
int skep_selection_call(struct skep_selection *s, uint16_t kind, const char *call);
/* Adds what other has. */
void skep_selection_join(struct skep_selection *s, const struct skep_selection *other);
/* Whether row (load/syscalls.h) is observed, */
bool skep_selection_wants(const struct skep_selection *s, size_t row);
/* or must be looked at for another reason. */
bool skep_selection_needs(const struct skep_selection *s, size_t row);
#endif
