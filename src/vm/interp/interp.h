/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_INTERP_INTERP_H
#define SKEP_VM_INTERP_INTERP_H
/*
 * The interpreter: programs are translated once into an array of ops that carry the address of the code that
 * does them (direct threading), with their operands widened, common pairs joined, and block costs in ops of
 * their own.
 *
 * Calls of functions do not use the native stack: an interpreter frame is a few saved registers in the exec.
 * Only a helper that calls back nests skep_interp_call(), at most SKEP_FRAMES deep.
 */
#include "base/macro.h"
#include "vm/exec.h"
#include "vm/program.h"

/* Makes p->interp. -ENOMEM. */
int skep_interp_prepare(struct skep_vm_program *p);
/* Makes p->traced, once; any thread may call. */
int skep_interp_trace(const struct skep_vm_program *p);
struct skep_interp *skep_interp_free(const struct skep_vm *vm, struct skep_interp *i);

bool skep_interp_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                     uint64_t *ret_value);
bool skep_interp_call(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function,
                      const uint64_t args[5], uint64_t *ret_value);
#endif
