/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_JIT_X86_H
#define SKEP_VM_JIT_X86_H
/*
 * The parts of the JIT for x86-64, among themselves.
 *
 *     r0  rax   r1  rdi   r2  rsi   r3  rdx   r4  rcx   r5  r8
 *     r6  rbx   r7  r13   r8  r14   r9  r15   r10 rbp
 *     r12: struct skep_exec      r9: fuel left (checked code)      r10, r11: scratch, and r9 in trusted code
 *
 * r1 to r5 are where the calling convention wants arguments, so that a helper is called as it is; its sixth argument,
 * r9, is the exec. The native stack is aligned to 16 in functions, so that any of them may call C.
 *
 * A function pushes r6 to r9 on entry and pops them on exit: a local call needs nothing else than a frame 512 bytes
 * further down. The code of a program:
 *
 *     common tails: slow check of an access, faults, callx
 *     entry by tail call: takes the caller's native frame over, and sets r0 and r2 to r9 to zero
 *     functions in the order of the program
 *     cold parts: for each access that is checked, each block that may run out of fuel, each way to fault
 *
 * One pass over the instructions writes it; jumps ahead are patched when their target is known. A stretch (vm/stretch.h) of
 * checked code is written twice: where it stands, a test whether its groups fit and the version without their checks;
 * between the functions and the cold parts the other one, which has the places of its instructions in offsets (but for
 * the first: that is the test). In a stretch that moves, r9 is the fuel for as many iterations as fit, the rest is
 * fuel_apart, and "out of fuel" is one of the reasons to go on in the other version.
 */
#include "vm/jit/encoding.h"
#include "vm/jit/jit.h"
#include "vm/stretch.h"

struct skep_jit_jump {
    size_t at;     /* position of the 4 bytes of distance */
    uint32_t insn; /* where it goes; with SKEP_JIT_TO_FUNCTION: the number of a function */
};
#define SKEP_JIT_TO_FUNCTION 0x80000000u

/* Something rare, done at the end of the code. */
struct skep_jit_cold {
    uint8_t kind;  /* SKEP_JIT_COLD_* */
    uint8_t base;  /* native register, for checks */
    uint8_t width; /* SKEP_WIDTH_* */
    bool write;
    int32_t disp; /* CHECK, ALIGN, FRAME: address is base + disp; FUEL: the block's cost; others: the fault */
    uint32_t insn; /* it belongs to; RESUME: to go on with */
    uint32_t twin; /* GROUP */
    size_t from2;  /* GROUP: another jump to it */
    size_t from;   /* 4 bytes of distance of the jump to it */
    size_t back; /* where it goes on, CHECK and GROUP only; RESUME: twin + 1 whose first instruction it is */
};
enum {
    SKEP_JIT_COLD_CHECK,   /* ask the regions, go on or fault */
    SKEP_JIT_COLD_FUEL,    /* out of fuel */
    SKEP_JIT_COLD_ALIGN,   /* misaligned */
    SKEP_JIT_COLD_FRAME,   /* outside of the frame */
    SKEP_JIT_COLD_FAULT,   /* disp is the fault */
    SKEP_JIT_COLD_LOCATE,  /* a helper faulted: say where */
    SKEP_JIT_COLD_NO_CALL, /* a call of nothing */
    SKEP_JIT_COLD_HELPER,  /* a call whose short cut does not fit */
    SKEP_JIT_COLD_GROUP,   /* a group (of disp bytes) is not where the slot has its region */
    SKEP_JIT_COLD_RESUME,  /* out of a stretch: disp is the fuel that was paid ahead */
};

/* The checking version of a stretch, to be written later. */
struct skep_jit_twin {
    uint32_t first, end;
    size_t code; /* of its first instruction, 0: not yet */
};

/* The other version, while it is being written. */
struct skep_jit_stretch {
    struct skep_stretch s;
    size_t code;                        /* of its first instruction */
    size_t offsets[SKEP_STRETCH_INSNS]; /* of those that jumps from inside go to */
    struct skep_jit_jump jumps[SKEP_STRETCH_INSNS];
    size_t n_jumps;
    uint32_t ahead; /* fuel that was paid for blocks behind the present one */
};

struct skep_jit {
    struct skep_x86 x;
    size_t cap;
    struct skep_vm_program *p;
    bool checked;
    bool blind;
    bool bmi2;
    bool tail_calls; /* the program makes some */
    bool callx;      /* the same of calls through registers */
    uint32_t key;    /* for blinding */
    uint32_t insn;   /* that is being translated */
    /* The map whose handle a register was last seen to get, in the order of the text: a guess, but certain (bit r of
     * sure) when that was in this block. */
    const struct skep_vm_map *maps[SKEP_REGS];
    uint32_t sure;
    /* Bit r: register r is r10 + frame_at[r], for certain. */
    uint32_t in_frame;
    int32_t frame_at[SKEP_REGS];

    /* While the version of a stretch without checks is written: */
    struct skep_jit_stretch *stretch;
    struct skep_jit_twin *twins; /* its own twin is the last */
    size_t n_twins, room_twins;

    size_t *offsets; /* of each instruction; 0: not yet */
    size_t *entries; /* of each function, before its pushes */
    struct skep_jit_jump *jumps;
    size_t n_jumps;
    struct skep_jit_cold *colds;
    size_t n_colds, room_colds;

    size_t slow_check, ask_region, fault, located, leave, callx_tail, tail_entry;
    bool failed; /* no memory */
};

extern const uint8_t skep_jit_native[11];

/* Room for another 512 bytes of code. False (and failed): there is no memory, or the code is too large. */
bool skep_jit_room(struct skep_jit *j);
/* Jumps to an instruction: cc < 0: always. */
void skep_jit_jump_to(struct skep_jit *j, int cc, uint32_t insn);
/* Translates the instruction at i (not the second half of a wide one); how many slots that were. 0: it is none. */
uint32_t skep_jit_insn(struct skep_jit *j, uint32_t i);
/* Loops begin where the processor fetches. */
void skep_jit_align(struct skep_jit *j);
/* Remembers something cold that the jump at `from` goes to. NULL after a failure. */
struct skep_jit_cold *skep_jit_cold_add(struct skep_jit *j, unsigned kind, size_t from);

/* x86_alu.c: operations that only concern registers, and conditional jumps. False: op is none of them. */
bool skep_jit_alu(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn);
bool skep_jit_condition(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn);
/* A constant of the program in a register, blinded when that is asked for. */
void skep_jit_constant(struct skep_jit *j, unsigned reg, uint64_t imm);

/* x86_stretch.c. While one is being written, jumps go through skep_jit_stretch_jump(), and what checked code otherwise
 * does when something does not fit is skep_jit_stretch_leave(). */

/* Writes the stretch that begins at i, and remembers its twin; where it ends, or 0: there is none. */
uint32_t skep_jit_stretch(struct skep_jit *j, uint32_t i);
/* The same instructions with all checks. */
void skep_jit_twin(struct skep_jit *j, struct skep_jit_twin *t);
void skep_jit_stretch_jump(struct skep_jit *j, int cc, uint32_t insn);
/* The jump at `from` goes on with the present instruction in the twin. */
void skep_jit_stretch_leave(struct skep_jit *j, size_t from);
/* r10: where the group lies; goes on at c->back when that is in a region now, else in the twin. */
void skep_jit_stretch_ask(struct skep_jit *j, const struct skep_jit_cold *c);
/* Puts back the fuel that the stretch keeps apart. */
void skep_jit_stretch_refund(struct skep_jit *j, bool moves, uint32_t ahead);

/* x86_memory.c */
bool skep_jit_memory_op(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn);

/* Checks a load of width at the program's register reg (checked code). */
void skep_jit_check_load(struct skep_jit *j, unsigned reg, unsigned width);
/* Whether size bytes at register reg + disp are known to lie in the frame of the function. */
bool skep_jit_in_frame(const struct skep_jit *j, unsigned reg, int32_t disp, uint32_t size);
/* Keeps account of which registers are r10 + constant, within a block. */
void skep_jit_track_frame(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn);

/* x86_map.c: short cuts for helpers on maps that are known when the program is compiled. Each asks first whether the
 * register really holds that map; if not, the helper is called. False: there is none for this call. */
void skep_jit_guess_maps(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn);
bool skep_jit_map_call(struct skep_jit *j, uint32_t helper);

void skep_jit_keep_fuel(struct skep_jit *j);
void skep_jit_take_fuel(struct skep_jit *j);
void skep_jit_forget_arguments(struct skep_jit *j);
bool skep_jit_call_op(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn);
void skep_jit_tails(struct skep_jit *j);
void skep_jit_prologue(struct skep_jit *j, uint32_t function);
void skep_jit_put_cold(struct skep_jit *j, const struct skep_jit_cold *c);
/* Calls a C function; r11 is lost. */
void skep_jit_call_c(struct skep_jit *j, const void *fn);

/* What C is told of a check, in r11: the instruction, its width and kind, and of a group how many bytes (above). */
#define SKEP_JIT_CHECK(insn, width, write)                                                                   \
    ((uint32_t)(insn) | (uint32_t)(width) << 20 | (uint32_t)(write) << 22)
#define SKEP_JIT_EXEC(member) ((int32_t)offsetof(struct skep_exec, member))
#endif
