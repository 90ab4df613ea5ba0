/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the parts that are not merged yet. */
#include "vm/jit.h"
#include "vm/vm.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define WEAK __attribute__((weak))
WEAK bool skep_jit_available(void) { return false; }
WEAK int skep_jit_compile(struct skep_vm_program *p, bool blind, struct skep_vm_error *reterr) { return -EOPNOTSUPP; }
WEAK struct skep_jit_code *skep_jit_free(struct skep_jit_code *code) { return NULL; }
WEAK bool skep_jit_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2, uint64_t *ret_value) { return false; }
WEAK bool skep_jit_call(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function, const uint64_t args[5], uint64_t *ret_value) { return false; }
WEAK const void *skep_jit_memory(const struct skep_jit_code *code, size_t *ret_size) { return NULL; }
WEAK int skep_vm_object_open(struct skep_vm *vm, const void *elf, size_t size, const struct skep_vm_object_options *o, struct skep_vm_object **ret_object) { return -EOPNOTSUPP; }
WEAK int skep_vm_object_load(struct skep_vm_object *object) { return -EOPNOTSUPP; }
WEAK struct skep_vm_object *skep_vm_object_free(struct skep_vm_object *object) { return NULL; }
WEAK struct skep_vm_program *skep_vm_object_program(struct skep_vm_object *object, const char *name, size_t number) { return NULL; }
