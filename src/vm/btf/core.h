/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_BTF_CORE_H
#define SKEP_VM_BTF_CORE_H
/*
 * CO-RE: fitting instructions that were compiled for one set of types (the object's BTF, "local") to another (a kernel's,
 * "target").
 *
 * A relocation says which type and what in it an instruction is about: an access string "0:2:1" (as is: [0], member 2,
 * member or element 1), a type, or an enumerator, and which fact about it the instruction holds: where a field is,
 * whether it exists, how large a type is, ... All 13 kinds of enum bpf_core_relo_kind are known. Every type of the target
 * that has the same name (what follows a ___ is a flavour of the program's and does not count) and kind is tried. When
 * more than one fits and they disagree it is an error. When none fits, questions about existence are answered with 0, and
 * any other instruction is poisoned: it ends the run with a readable message if it is ever reached, since programs test
 * for existence first.
 *
 *     r = skep_core_new(local, target, allocator, &core);
 *     r = skep_core_relocate(core, type, kind, "0:1", insns, n, i, message);
 *     if (r == 1) ... insns[i] is poisoned, message says why
 *
 * Both BTFs come from outside; comparisons of types are bounded in depth and number of steps. Nothing is shared.
 */
#include "base/macro.h"
#include "isa/insn.h"
#include "vm/btf/btf.h"

#define SKEP_CORE_MESSAGE_MAX 240

struct skep_core;

/* Borrows both. -ENOMEM. */
int skep_core_new(const struct skep_btf *local, const struct skep_btf *target,
                  const struct skep_vm_allocator *allocator, struct skep_core **ret_core);
struct skep_core *skep_core_free(struct skep_core *core);
SKEP_DEFINE_CLEANUP(struct skep_core, skep_core_free)

/* Fits insns[i] of n. 0: done; 1: it is poisoned (a call of SKEP_POISON_CALL), with the reason in message; -EINVAL: the
 * relocation makes no sense, or is ambiguous, with the reason in message. */
int skep_core_relocate(struct skep_core *core, uint32_t type, uint32_t kind, const char *access,
                       struct skep_insn *insns, size_t n, size_t i, char message[SKEP_CORE_MESSAGE_MAX]);

/* ---- comparing types (core_types.c) ---- */

/* What is left of the steps that one relocation may take; comparisons give -E2BIG when they are used up. */
struct skep_core_pair {
    const struct skep_btf *local, *target;
    uint32_t steps;
};
/* Whether two names are the same but for their flavours. */
bool skep_core_names_match(const char *local, const char *target);
/* Whether a type can be a candidate: the same kind, all enums being one. */
bool skep_core_kinds_match(const struct btf_type *local, const struct btf_type *target);
/* 1 or 0: whether a field of one type can be read as the other; whether the types are the same as far as existence
 * goes; whether all of the local type is in the target's. */
int skep_core_fields_compatible(struct skep_core_pair *p, uint32_t local, uint32_t target);
int skep_core_types_compatible(struct skep_core_pair *p, uint32_t local, uint32_t target);
int skep_core_types_match(struct skep_core_pair *p, uint32_t local, uint32_t target);
#endif
