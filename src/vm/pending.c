/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the parts that are not merged yet. */
#include "vm/helpers.h"
#include "vm/jit.h"
#include "vm/vm.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define WEAK __attribute__((weak))
WEAK const struct skep_vm_program *skep_prog_array_get(const struct skep_vm_map *m, uint32_t index) { return NULL; }
WEAK void skep_map_clear(struct skep_vm_map *m) {}
WEAK void skep_map_free(struct skep_vm *vm, void *m) {}
WEAK void skep_ring_commit(struct skep_vm_map *m, uint32_t offset, uint64_t flags, bool discard) {}
WEAK struct skep_vm_map *skep_vm_map_ref(struct skep_vm_map *m) { return m; }
WEAK struct skep_vm_map *skep_vm_map_unref(struct skep_vm_map *m) { return NULL; }
WEAK void *skep_vm_map_area(struct skep_vm_map *m, size_t *ret_size) { return NULL; }
WEAK uint64_t skep_helper_map_lookup_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_map_update_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_map_delete_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_map_push_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_map_pop_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_map_peek_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_for_each_map_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_map_lookup_percpu_elem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_output(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_reserve(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_submit(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_discard(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_query(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_from_mem(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_reserve_dynptr(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_submit_dynptr(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_ringbuf_discard_dynptr(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_read(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_write(SKEP_HELPER_ARGS) { return 0; }
WEAK uint64_t skep_helper_dynptr_data(SKEP_HELPER_ARGS) { return 0; }
WEAK int64_t skep_stack_trace_put(struct skep_vm_map *m, const uint64_t *a, size_t n, uint64_t f) { return 0; }
WEAK int skep_vm_map_new(struct skep_vm *vm, const struct skep_vm_map_options *o, struct skep_vm_map **ret_map) { return -EOPNOTSUPP; }
WEAK int skep_vm_map_freeze(struct skep_vm_map *m) { return -EOPNOTSUPP; }
WEAK int skep_vm_map_update(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags) { return -EOPNOTSUPP; }
WEAK uint32_t skep_vm_map_id(const struct skep_vm_map *m) { return m->id; }
