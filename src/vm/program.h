/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_PROGRAM_H
#define SKEP_VM_PROGRAM_H
/*
 * A loaded program: its instructions after checks and relocation, what they mean (isa/check.h), what the interpreter
 * made of them (vm/interp/interp.h) and what the JIT made of them (vm/jit/jit.h). It never changes after loading, so any number of
 * threads may run it.
 *
 * Relocation at load: LDDW of a map (fd or index) becomes LDDW of the map's handle, LDDW of a map's value the address
 * in its area, LDDW of code the handle of a function; CALL of a helper that the vm does not have stays and faults when
 * it is reached (programs probe for helpers that way); a poisoned instruction (see SKEP_POISON_CALL) faults with the
 * text of what could not be resolved.
 *
 * Functions. A function is an entry in functions[] (the first is the program's own entry); its handle is
 * SKEP_HANDLE(SKEP_HANDLE_FUNCTION, low bits of the program's id, index). zero is how many bytes of its frame, from the
 * top, a checked run sets to zero on entry (also by a tail call): the deepest direct use of r10. When in any function of
 * the program the address of a frame goes anywhere else, or when a tail call may leave frames to a program where it does,
 * it is the whole frame in all of them: whole_frames. Only then is the stack a region. No run ever sees what another left.
 *
 * Helper 12, the tail call, is no function but an operation: interpreter and JIT do it themselves.
 */
#include "base/macro.h"
#include "isa/insn.h"
#include "vm/exec.h"
#include "vm/vm.h"

#define SKEP_FUNCTIONS_MAX 4096
#define SKEP_HELPER_TAIL_CALL 12

struct skep_function {
    uint32_t insn; /* it begins there */
    uint32_t zero;
};

/* A verifier, in front of loading: gets the program as it will run (after relocation). NULL: none, and then the mode
 * TRUSTED is the caller's word. */
typedef int (*skep_verify_fn)(const struct skep_vm_program *p, struct skep_vm_error *reterr);

struct skep_poison {
    uint32_t insn;
    char *text;
};

struct skep_vm_program {
    struct skep_retired retired;
    struct skep_vm *vm;
    char name[64];
    char section[128]; /* "": of no object */
    uint32_t id;
    unsigned refs; /* atomic */
    enum skep_vm_mode mode;
    const struct skep_context_type *context; /* NULL: plain memory */
    uint32_t entry;

    struct skep_insn *insns; /* as loaded, relocated */
    uint16_t *ops;           /* enum skep_opcode of each */
    uint8_t *marks;          /* isa/check.h */
    uint32_t *costs;         /* of the block that begins there, else 0 */
    uint32_t n_insns;

    struct skep_function *functions;
    uint32_t n_functions;
    struct skep_vm_map **maps; /* held */
    size_t n_maps;
    struct skep_poison *poisons; /* sorted by insn */
    size_t n_poisons;

    bool whole_frames;          /* the stack is a region */
    struct skep_interp *interp; /* vm/interp/interp.h */
    struct skep_interp *traced; /* the same for traced runs; atomic, made by the first */
    struct skep_jit_code *jit;  /* vm/jit/jit.h; NULL: interpreted */
    const void *tail_entry;     /* address in it, for machine code that tail-calls this program */
};

static inline uint64_t skep_function_handle(const struct skep_vm_program *p, uint32_t function)
{
    return SKEP_HANDLE(SKEP_HANDLE_FUNCTION, p->id, function);
}
/* Index into functions, or -1 when it is no function of p. */
static inline int64_t skep_function_of(const struct skep_vm_program *p, uint64_t handle)
{
    uint32_t id = SKEP_HANDLE_ID(handle);
    return id < p->n_functions && handle == skep_function_handle(p, id) ? (int64_t)id : -1;
}

/* The function that begins at insn, which does begin one. */
uint32_t skep_function_at(const struct skep_vm_program *p, uint32_t insn);
/* For callx: the helper of that number, or NULL after a fault (there is none, or it is the tail call). */
skep_vm_helper_fn skep_exec_helper(struct skep_exec *e, uint64_t number);

/* The text of a poisoned instruction, NULL when it is none. Poisoned instructions are calls of helper
 * SKEP_POISON_CALL. */
#define SKEP_POISON_CALL 0xbad2310
const char *skep_program_poison(const struct skep_vm_program *p, uint32_t insn);

/* As skep_vm_program_load(), with what objects know besides. poisons are copied. */
struct skep_program_extra {
    const char *section;
    const struct skep_poison *poisons;
    size_t n_poisons;
    skep_verify_fn verify;
};
int skep_program_load(struct skep_vm *vm, const struct skep_vm_program_options *o,
                      const struct skep_program_extra *extra, struct skep_vm_program **ret_program,
                      struct skep_vm_error *reterr);
void skep_program_free(struct skep_vm *vm, void *p);

/* The program that a tail call through map (already resolved) at index reaches, or NULL: it falls through (no program
 * there, or 33 taken), r0 is as it was; or after a fault: map is no prog array. Counts it and makes it e->program. A tail
 * call out of a called function goes on in that function's frame, and the exit returns to the caller's program. */
const struct skep_vm_program *skep_exec_tail_call(struct skep_exec *e, struct skep_vm_map *map,
                                                  uint32_t index);
#endif
