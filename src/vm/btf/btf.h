/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_BTF_BTF_H
#define SKEP_VM_BTF_BTF_H
/*
 * BTF: the types of an object, as far as loading it needs them. A block of hostile bytes is checked once, when it is
 * made: afterwards every type has all of its members, every id that a type holds is in range and of a kind that may stand
 * there (types where types are wanted: no variables, sections, functions or tags), every name is a string of bounded length.
 * Chains of modifiers and nested arrays may still be circles, so walks over them are bounded.
 *
 * Types are the kernel's own structures (linux/btf.h) inside of a copy of the data, by id; id 0 is void, for which there
 * is no structure. Nothing changes after it was made: any number of threads may read.
 *
 *     const struct btf_type *t = skep_btf_find(btf, BTF_KIND_STRUCT, "task_struct");
 *     puts(skep_btf_name(btf, t));
 */
#include <linux/btf.h>

#include "base/macro.h"
#include <skep/vm.h>

#define SKEP_BTF_MESSAGE_MAX 160
#define SKEP_BTF_NAME_MAX 1023 /* the kernel takes 511 */

struct skep_btf;

/* data: a header, types and strings; copied. base: what its ids and names go on from (split BTF), outlives it; NULL:
 * none. allocator NULL: malloc. -EINVAL with what is wrong and where in message; -ENOMEM. */
int skep_btf_new(const void *data, size_t size, const struct skep_btf *base,
                 const struct skep_vm_allocator *allocator, struct skep_btf **ret_btf,
                 char message[SKEP_BTF_MESSAGE_MAX]);
struct skep_btf *skep_btf_free(struct skep_btf *btf);
SKEP_DEFINE_CLEANUP(struct skep_btf, skep_btf_free)

/* Ids go from 1 to this - 1. */
uint32_t skep_btf_count(const struct skep_btf *btf);
/* NULL: void, or there is no such type. */
const struct btf_type *skep_btf_type(const struct skep_btf *btf, uint32_t id);
/* "" when there is none at that offset. */
const char *skep_btf_string(const struct skep_btf *btf, uint32_t offset);
const char *skep_btf_name(const struct skep_btf *btf, const struct btf_type *t);
/* The first type of that kind and name, NULL: none. */
const struct btf_type *skep_btf_find(const struct skep_btf *btf, unsigned kind, const char *name);
/* The type behind typedefs, const, volatile, restrict and tags; NULL: void, or a circle. */
const struct btf_type *skep_btf_resolve(const struct skep_btf *btf, uint32_t id);
/* The same as an id, 0 for NULL. */
uint32_t skep_btf_resolve_id(const struct skep_btf *btf, uint32_t id);
/* Bytes of an object of the type; -EINVAL: it has no size. */
int64_t skep_btf_size(const struct skep_btf *btf, uint32_t id);
#endif
