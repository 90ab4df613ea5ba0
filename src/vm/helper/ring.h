/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_HELPER_RING_H
#define SKEP_VM_HELPER_RING_H
/*
 * Records of ring buffers that a run has reserved: what the helpers of ring buffers and of dynptrs share. A record is
 * in e->refs from its reservation until it is submitted or discarded, and a region of the run for that long.
 */
#include <linux/bpf.h>

#include "vm/helper/helpers.h"
#include "vm/map/map.h"

/* The ring buffer behind a handle, or NULL after a fault. */
struct skep_vm_map *skep_helper_ring(struct skep_exec *e, uint64_t handle);
/* Reserves a record. NULL: no room, in the ring or in e->refs. */
struct skep_ref *skep_helper_reserve(struct skep_exec *e, struct skep_vm_map *m, uint64_t size);
void skep_helper_commit(struct skep_exec *e, struct skep_ref *ref, uint64_t flags, bool discard);
#endif
