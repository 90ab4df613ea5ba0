/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_JIT_CODE_H
#define SKEP_VM_JIT_CODE_H
/*
 * Where machine code lives: a mapping of its own between two guard pages, written while it may not run, and made
 * executable when it may not be written any more. What is not code (offsets of entries) lies elsewhere.
 */
#include "vm/jit/jit.h"

struct skep_jit_code {
    const struct skep_vm *vm;
    uint8_t *mapping;
    size_t mapping_size;
    const uint8_t *code;
    size_t size;
    size_t tail_entry;
    uint32_t n_entries;
    size_t entries[]; /* of functions */
};

/* Copies size bytes into executable memory. -ENOMEM. */
int skep_jit_code_new(const struct skep_vm *vm, const void *bytes, size_t size, const size_t *entries,
                      uint32_t n_entries, size_t tail_entry, struct skep_jit_code **ret_code);
#endif
