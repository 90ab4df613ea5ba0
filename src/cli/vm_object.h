/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_VM_OBJECT_H
#define SKEP_CLI_VM_OBJECT_H
/*
 * Objects as `skep vm disasm` and `skep vm maps` show them: read without loading, so that one whose maps or externs this
 * machine does not have can be looked at too.
 *
 *     struct skep_elf *elf;
 *     r = skep_vm_object_read(&in, &elf);
 *     struct skep_vm_listing l;
 *     r = skep_vm_listing_init(&l, elf, vm, program);
 *     skep_disasm(l.code.insns, l.code.n_insns, &(struct skep_disasm_options){.comment = skep_vm_listing_comment,
 *                 .before = skep_vm_listing_before, .data = &l}, sb);
 *     skep_vm_listing_clear(&l);
 */
#include "cli/vm_input.h"
#include "isa/disasm.h"
#include "vm/object/elf.h"

/* Both print what is wrong. */
int skep_vm_elf_read(const char *path, const void *bytes, size_t size, struct skep_elf **ret_elf);
int skep_vm_object_read(const struct skep_vm_input *in, struct skep_elf **ret_elf);

/* A program, linked. */
struct skep_vm_listing {
    struct skep_elf *elf;     /* borrowed */
    const struct skep_vm *vm; /* whose helpers have names; borrowed, NULL: none */
    struct skep_vm_arena arena;
    struct skep_elf_code code;
    bool source;                      /* also lines of the source */
    uint32_t next_extern;             /* of the instruction that comes next */
    const struct skep_elf_line *line; /* printed last */
    char text[160];
};
int skep_vm_listing_init(struct skep_vm_listing *l, struct skep_elf *elf, const struct skep_vm *vm,
                         uint32_t program);
void skep_vm_listing_clear(struct skep_vm_listing *l);

/* For struct skep_disasm_options, with a listing as data; instructions in ascending order. */
const char *skep_vm_listing_comment(void *listing, size_t i, enum skep_opcode op,
                                    const struct skep_insn *slots);
void skep_vm_listing_before(void *listing, size_t i, struct skep_strbuf *sb);

/* Where instruction i comes from, NULL: not known. */
const struct skep_elf_line *skep_vm_listing_line(const struct skep_vm_listing *l, size_t i);
#endif
