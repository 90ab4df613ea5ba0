/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the parts that are not merged yet. */
#include "vm/jit.h"
#include "vm/vm.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define WEAK __attribute__((weak))
WEAK int skep_helpers_register(struct skep_vm *vm) { return 0; }
WEAK const struct skep_vm_program *skep_prog_array_get(const struct skep_vm_map *m, uint32_t index) { return NULL; }
WEAK void skep_map_clear(struct skep_vm_map *m) {}
WEAK void skep_map_free(struct skep_vm *vm, void *m) {}
WEAK void skep_ring_commit(struct skep_vm_map *m, uint32_t offset, uint64_t flags, bool discard) {}
WEAK struct skep_vm_map *skep_vm_map_ref(struct skep_vm_map *m) { return m; }
WEAK struct skep_vm_map *skep_vm_map_unref(struct skep_vm_map *m) { return NULL; }
WEAK void *skep_vm_map_area(struct skep_vm_map *m, size_t *ret_size) { return NULL; }
WEAK int skep_vm_object_open(struct skep_vm *vm, const void *elf, size_t size, const struct skep_vm_object_options *o, struct skep_vm_object **ret_object) { return -EOPNOTSUPP; }
WEAK int skep_vm_object_load(struct skep_vm_object *object) { return -EOPNOTSUPP; }
WEAK struct skep_vm_object *skep_vm_object_free(struct skep_vm_object *object) { return NULL; }
WEAK struct skep_vm_program *skep_vm_object_program(struct skep_vm_object *object, const char *name, size_t number) { return NULL; }
WEAK int skep_vm_packet_new(struct skep_vm *vm, size_t max, struct skep_vm_packet **ret_packet) { return -EOPNOTSUPP; }
WEAK struct skep_vm_packet *skep_vm_packet_free(struct skep_vm_packet *packet) { return NULL; }
WEAK int skep_vm_packet_set(struct skep_vm_packet *packet, const void *data, size_t len) { return -EOPNOTSUPP; }
WEAK const void *skep_vm_packet_data(const struct skep_vm_packet *packet, size_t *ret_len) { *ret_len = 0; return NULL; }
WEAK int skep_vm_run_packet(struct skep_vm_thread *t, const struct skep_vm_program *p, struct skep_vm_packet *packet, uint64_t *ret_value) { return -EOPNOTSUPP; }
