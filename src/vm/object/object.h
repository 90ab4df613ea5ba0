/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_OBJECT_OBJECT_H
#define SKEP_VM_OBJECT_OBJECT_H
/*
 * An object in a vm: what vm/object/elf.h read, made into maps and programs. Loading is
 *
 *     object_map.c      make the maps; fill data, .kconfig and, after the programs, prog arrays and maps of maps
 *     object_program.c  for each program: link, ask for its externs, relocate it against BTF, load it
 *
 * What cannot be made is told to the log and left out; what depends on it is left out too. Only a vm without memory, and
 * data that cannot be filled in, end it all. The object holds a reference of each of its maps and programs.
 */
#include "vm/object/elf.h"
#include "vm/vm.h"

struct skep_vm_object {
    struct skep_vm *vm;
    struct skep_vm_object_options options;
    struct skep_elf *elf;
    struct skep_vm_map **maps;         /* [elf->n_maps], NULL: could not be made */
    struct skep_vm_program **programs; /* [elf->n_programs], NULL: could not be loaded */
    uint64_t n_insns;                  /* linked so far */
    bool loaded;
    bool incomplete; /* something is missing, and was told to the log */
};

/* In this order. */
int skep_object_make_maps(struct skep_vm_object *object);
int skep_object_fill_maps(struct skep_vm_object *object);
int skep_object_load_programs(struct skep_vm_object *object);
int skep_object_fill_slots(struct skep_vm_object *object);

/* Asks the host for something from outside; -ENOENT: there is none. text has room for size bytes and is empty when
 * there is no text. */
int skep_object_find_extern(struct skep_vm_object *object, enum skep_vm_extern kind, const char *name,
                            uint64_t *ret, char *text, size_t size);
#endif
