/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_MAP_OBJECTS_H
#define SKEP_VM_MAP_OBJECTS_H
/*
 * Maps that hold maps: what an inner map has to look like is kept as a struct skep_vm_map that is none (type, sizes,
 * flags and operations only).
 */
#include "vm/map/memory.h"

/* Keeps what inner looks like. -EBADF: there is none, -EINVAL: it holds maps itself, -ENOTSUPP: its type cannot be one. */
int skep_inner_meta_new(struct skep_vm_map *m, struct skep_vm_map *inner, struct skep_vm_map **ret_meta);
/* A reference to the map with that id. -EBADF: there is none, -EINVAL: it does not look like meta. */
int skep_inner_find(struct skep_vm_map *m, const struct skep_vm_map *meta, uint32_t id,
                    struct skep_vm_map **ret_inner);
#endif
