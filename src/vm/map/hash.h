/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_MAP_HASH_H
#define SKEP_VM_MAP_HASH_H
/*
 * What hash maps and hashes of maps have in common: the rules for their options, and a table as their state.
 */
#include "vm/map/table.h"

struct skep_hash {
    struct skep_table table;
    struct skep_vm_map **inner;     /* of maps: the map that each element holds; atomic */
    struct skep_vm_map *inner_meta; /* what it must look like */
};

/* Whether the kernel would make a hash with these options. */
int skep_hash_check(const struct skep_vm_map_options *o);
#endif
