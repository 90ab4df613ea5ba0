/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_BTF_BTF_DUMP_H
#define SKEP_VM_BTF_BTF_DUMP_H
/*
 * Types as declarations of C, in an order in which a compiler takes them: whatever lies inside of a type by value stands
 * before it, what is only pointed to is declared. Members lie where BTF says: gaps that the compiler would not make become
 * padding, and a type whose members lie closer than it would put them is packed.
 *
 * Names that C does not allow, or that were taken by another type of the same kind, become NAME___2, NAME___3; types that
 * nest or depend on each other without an end (only hostile BTF has them) are left out with a comment.
 */
#include "base/strbuf.h"
#include "vm/btf/btf.h"

/* Appends all named types. -ENOMEM. */
int skep_btf_dump_c(const struct skep_btf *btf, struct skep_strbuf *sb);
#endif
