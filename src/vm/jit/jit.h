/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_JIT_JIT_H
#define SKEP_VM_JIT_JIT_H
/*
 * Machine code of a program, behind one small interface: jit_<machine>.c makes it, nobody else knows the machine.
 *
 * The code of a program is one mapping between guard pages, written first and executable afterwards, never both. It is
 * entered through skep_jit_run() for a run and skep_jit_call() for a function that a helper calls back, and left by its
 * exit, by a tail call into another program's code, or by a fault, which restores the stack pointer of the innermost
 * entry and returns there with e->fault set.
 *
 * Checked code does all that the interpreter does and faults with the same code and instruction number; trusted code
 * has no checks and no fuel. Both kinds obey the same calling rules, so that they may share a vm (not a prog array).
 */
#include "base/macro.h"
#include "vm/exec.h"
#include "vm/program.h"

/* Whether this machine has a JIT. */
bool skep_jit_available(void);

/* Makes p->jit for p->mode (JIT or TRUSTED). -EOPNOTSUPP: this machine has none. */
int skep_jit_compile(struct skep_vm_program *p, bool blind, struct skep_vm_error *reterr);
struct skep_jit_code *skep_jit_free(struct skep_jit_code *code);

/* Runs from p's entry with r1, r2. True: *ret_value is r0. False: e->fault is set. */
bool skep_jit_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                  uint64_t *ret_value);
/* Runs a function of p, a frame below the running one (the caller has counted it). */
bool skep_jit_call(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function,
                   const uint64_t args[5], uint64_t *ret_value);
/* Addresses in the code: of a function, and of the entry for tail calls. */
const void *skep_jit_entry(const struct skep_jit_code *code, uint32_t function);
const void *skep_jit_tail_entry(const struct skep_jit_code *code);
const void *skep_jit_memory(const struct skep_jit_code *code, size_t *ret_size);
#endif
