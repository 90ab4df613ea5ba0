/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_CLI_VM_INPUT_H
#define SKEP_CLI_VM_INPUT_H
/*
 * What the commands of `skep vm` work on: an ELF object, instructions as bytes or hex text, or assembly. The
 * kind is told by the content (an ELF header, nothing but hex digits) and for assembly by the name (.s, .asm)
 * or by being text.
 *
 *     _cleanup_vm_input_ struct skep_vm_input in = {0};
 *     r = skep_vm_input_open("prog.o:filter", &in);
 *     if (in.elf) ... in.bytes, in.program
 *     else ... in.insns, in.n
 *
 * What is wrong has been printed when a function here returns a negative number.
 */
#include "isa/insn.h"
#include <skep/vm.h>

struct skep_vm_input {
    char *path;     /* without the program */
    char *program;  /* what stood behind the colon, NULL: nothing */
    uint8_t *bytes; /* the file; a 0 follows */
    size_t size;
    bool elf;
    struct skep_insn *insns;
    size_t n;
    const char *context; /* of instructions without an object, set by who loads them; NULL: plain memory */
    uint8_t *
        btf; /* types that an object is fitted to, set by who loads it; NULL: it stays as it is. Freed with the rest. */
    size_t btf_size;
};

/* "-" is standard input. */
int skep_vm_input_open(const char *name, struct skep_vm_input *ret);
void skep_vm_input_clear(struct skep_vm_input *in);
#define _cleanup_vm_input_ SKEP_CLEANUP(skep_vm_input_clear)

/* The bytes of a file, at most 64 MiB; a 0 follows them. Prints what is wrong. */
int skep_vm_read_file(const char *path, uint8_t **ret_bytes, size_t *ret_size);
/* Hex digits, with blanks and "0x" between bytes, to bytes. -EINVAL: something else is there. */
int skep_vm_hex(const char *text, size_t len, uint8_t **ret_bytes, size_t *ret_size);
/* Assembles; prints diagnostics. */
int skep_vm_assemble(const char *name, const uint8_t *text, size_t len, struct skep_insn **ret_insns,
                     size_t *ret_n);

/* A vm with an object or a single program in it. name: of the program of the object, NULL: the first one.
 * The program is borrowed from the vm. mode: DEFAULT takes what the machine has. Prints what is wrong. */
int skep_vm_input_load(const struct skep_vm_input *in, struct skep_vm *vm, enum skep_vm_mode mode,
                       struct skep_vm_object **ret_object, struct skep_vm_program **ret_program);

/* Runs p over size bytes: its memory, or for programs of packets the packet. As skep_vm_run(). */
int skep_vm_run_bytes(struct skep_vm_thread *t, const struct skep_vm_program *p, void *bytes, size_t size,
                      uint64_t *ret_value);
#endif
