/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_EXEC_H
#define SKEP_VM_EXEC_H
/*
 * The state of a thread that runs programs (publicly: struct skep_vm_thread, the same object). Interpreter, machine code
 * and helpers all work on it; the machine code knows the offsets of the members that are marked [code], which is why
 * they come first.
 *
 * What a run may touch is a set of regions {start, size, writable}: its stack, the memory or packet it was given, what
 * the host added, records that it has reserved, and the value areas of the vm's maps. An access is checked in two steps.
 * The fast one asks a *slot*: the region that an earlier access hit, and for each width of access the number of
 * addresses at which one fits:
 *
 *     address - slot->base < slot->fit[width]        one subtraction, one comparison, no separate upper bound
 *
 * There are SKEP_SLOTS slots for loads and as many for stores; instruction number n uses slot n % SKEP_SLOTS. Which
 * slot is asked does not matter for safety, since each holds a region that is valid for the whole run. On a miss
 * skep_exec_check() searches the regions and refills the slot. Regions that may end before the run does (reserved
 * records) are never put into a slot. Slots are emptied when a run starts, except those that hold value areas (they stay
 * as long as the vm's table of areas has not changed).
 *
 * The stack is a region, as deep as frames are in use, only for programs whose frames are zeroed as a whole
 * (program->whole_frames). Direct accesses at r10 + constant inside of the frame need no region.
 *
 * Atomic operations are checked as stores (load-acquire: as a load), and after that for their alignment.
 *
 * Faults. Whoever finds that something is wrong calls skep_exec_fault(); the first fault of a run is kept. Interpreter
 * and checked code look at fault after each call of a helper and unwind.
 *
 * Handles. Programs hold maps and functions as numbers that no address can equal (the upper 16 bits are neither all 0
 * nor all 1): tag << 48 | generation << 32 | id. skep_exec_map() gives the map behind one, or faults.
 *
 * One thread works on an exec at a time; nothing here is locked.
 */
#include "base/macro.h"
#include <skep/vm.h>

#define SKEP_SLOTS 32
#define SKEP_FRAMES 8
#define SKEP_FRAME_SIZE 512
#define SKEP_TAIL_CALLS 33
#define SKEP_REFS 32
#define SKEP_DYNPTRS 64
#define SKEP_HOST_REGIONS 32
#define SKEP_WORK_BYTES 256 /* that a helper works on for the price of an instruction */

#define SKEP_HANDLE_MAP 0x6d61ULL
#define SKEP_HANDLE_FUNCTION 0x666eULL
#define SKEP_HANDLE_TAG(handle) ((uint64_t)(handle) >> 48)
#define SKEP_HANDLE_ID(handle) ((uint32_t)(handle))
#define SKEP_HANDLE(tag, generation, id)                                                                     \
    ((uint64_t)(tag) << 48 | (uint64_t)((generation)&0xffff) << 32 | (uint32_t)(id))

/* Widths of accesses as indices of fit: 1, 2, 4, 8 bytes. */
enum { SKEP_WIDTH_1, SKEP_WIDTH_2, SKEP_WIDTH_4, SKEP_WIDTH_8, SKEP_WIDTHS };

/* What can be retired (vm/vm.h) begins with one. */
struct skep_retired {
    struct skep_retired *next;
    void (*fn)(struct skep_vm *vm, void *p);
    uint64_t era;
};

struct skep_slot {
    uint64_t base;
    uint64_t fit[SKEP_WIDTHS];
};

struct skep_region {
    uint64_t start;
    uint64_t size;
    bool readable;
    bool writable;
};

/* A record that was reserved and neither submitted nor discarded. */
struct skep_ref {
    uint64_t start; /* of its data, 0: free */
    uint32_t size;
    uint32_t offset; /* in its ring */
    struct skep_vm_map *map;
};

/* What the 16 bytes of a struct bpf_dynptr on the program's stack stand for. They hold its number and generation. */
struct skep_dynptr {
    uint32_t generation;
    uint8_t kind; /* SKEP_DYNPTR_* */
    bool readonly;
    uint64_t start; /* memory it views; packets: offset 0 */
    uint32_t offset, size;
    uint32_t ref; /* ring buffers: index into refs */
};
enum { SKEP_DYNPTR_NONE, SKEP_DYNPTR_LOCAL, SKEP_DYNPTR_RING, SKEP_DYNPTR_PACKET };

struct skep_exec {
    /* [code] */
    uint64_t fuel;       /* instructions left */
    uint32_t fault;      /* enum skep_vm_fault of this run */
    uint32_t insn;       /* where */
    uint64_t native_sp;  /* stack pointer to go back to on a fault */
    uint32_t depth;      /* frames in use below the first */
    uint32_t tail_calls; /* taken in this run */
    uint64_t frames_end; /* end of the memory of the stack: r10 of the first frame */
    uint32_t may_goto;   /* times that a may_goto of this run may still fall through */
    uint64_t code_scratch[2];
    uint64_t
        fuel_apart; /* of what is left, what code that runs a stretch (vm/stretch.h) does not have at hand */
    uint32_t stretch_asks; /* how often it may still ask for the region of a group */
    uint64_t iterations;   /* scratch of the same */
    struct skep_slot load[SKEP_SLOTS];
    struct skep_slot store[SKEP_SLOTS];
    /* the rest is for C only */

    uint32_t transient_load, transient_store; /* bit n: slot n holds a region of this run only */
    uint32_t areas_seen;                      /* generation of the vm's areas that the other slots are of */
    uint32_t cpu;
    struct skep_vm *vm;
    const struct skep_vm_program *program; /* that runs now (changes with a tail call) */
    uint64_t address;                      /* of the access that faulted */
    char text[160];                        /* what the fault's message says, "": the usual */
    uint64_t registers[11];                /* when the interpreter faulted: */
    bool has_registers;
    uint64_t fuel_limit; /* of the next run */
    uint64_t fuel_given; /* to this one, or the last */
    uint64_t value;      /* of the run; here, since a variable of a function would want a canary */
    uint64_t era;        /* of the vm when the run began, 0: no run; see vm/vm.h on what may be freed when */
    bool running;
    uint8_t *stack_map; /* mapping with guard pages */
    size_t stack_map_size;

    struct skep_region memory;   /* context or memory of the run: what of it may be read */
    struct skep_region writable; /* the part of it that may be written */
    struct skep_region packet;   /* of a packet context: what data..data_end (and data_meta) is now */
    struct skep_region host[SKEP_HOST_REGIONS];
    unsigned n_host;
    unsigned n_refs, n_dynptrs; /* how many of the following are in use; 0 when a run starts */
    struct skep_ref refs[SKEP_REFS];
    struct skep_dynptr dynptrs[SKEP_DYNPTRS];
    struct skep_vm_packet *packet_object; /* NULL: not a packet context */
    uint64_t lock;                        /* address of the spin lock that it holds, 0: none */
    struct skep_vm_task task;
    bool traced; /* this run; whatever a helper does to trace */
    skep_vm_trace_fn trace;
    void *trace_data;
    struct skep_vm_error error;
};

/* The fault of a run that is over early and well, with r0 = 0 (a packet load beyond the end): unwinds like the others
 * and is none to the host. */
#define SKEP_FAULT_LEAVE 0x100u
#define SKEP_MAY_GOTO_MAX (8u << 20)
/* Enough for all groups of a program; loops whose groups never fit are not to ask for ever. */
#define SKEP_STRETCH_ASKS 256

/* r10 of the frame that runs. */
static inline uint64_t skep_exec_frame(const struct skep_exec *e)
{
    return e->frames_end - (uint64_t)e->depth * SKEP_FRAME_SIZE;
}

/* The public name of an exec, and back. */
static inline struct skep_exec *skep_exec_of(struct skep_vm_thread *t)
{
    return (struct skep_exec *)t;
}
static inline struct skep_vm_thread *skep_exec_thread(struct skep_exec *e)
{
    return (struct skep_vm_thread *)e;
}

/* Whether size bytes at address lie in one region, readable or (write) writable. slot: to be refilled, or NULL. */
bool skep_exec_check(struct skep_exec *e, uint64_t address, uint64_t size, bool write,
                     struct skep_slot *slot);

/* Keeps the first fault of a run. insn: UINT32_MAX leaves it to whoever runs the program: e->insn is then UINT32_MAX, and
 * who comes across the fault first sets it. text: NULL: the usual one (for READ and WRITE: how many bytes where, and what
 * lies nearby). Copied. */
void skep_exec_fault(struct skep_exec *e, enum skep_vm_fault fault, uint32_t insn, uint64_t address,
                     const char *text);

/* Fuel for what a helper does with so many bytes: none for as many as a frame has, else an instruction for each
 * SKEP_WORK_BYTES. False after a fault. In trusted runs nothing is paid. */
bool skep_exec_work(struct skep_exec *e, uint64_t bytes);

/* For helpers: size bytes at address of the program, which are paid for as work, or NULL after a fault. size 0 gives a
 * pointer that is not to be followed. In trusted runs there is no check. */
void *skep_exec_memory(struct skep_exec *e, uint64_t address, uint64_t size, bool write);

/* The map behind a handle, or NULL after a fault. Borrowed for the run. */
struct skep_vm_map *skep_exec_map(struct skep_exec *e, uint64_t handle);

/* Forgets slots of regions of this run (the packet was moved). */
void skep_exec_forget(struct skep_exec *e);

/* Calls a function of the running program by handle from inside of a helper, in the mode that the program runs in.
 * False after a fault. */
bool skep_exec_call(struct skep_exec *e, uint64_t function, const uint64_t args[5], uint64_t *ret_value);

/* Packet loads (LD_ABS, LD_IND), in the form of a helper: size (1, 2 or 4) bytes at offset of the packet, or of the memory
 * of a run without one, in network order. Beyond the end, and before the start: SKEP_FAULT_LEAVE. */
uint64_t skep_exec_packet_load(uint64_t offset, uint64_t size, uint64_t unused1, uint64_t unused2,
                               uint64_t unused3, struct skep_exec *e);

/* Runs p with r1, r2 over the regions that the caller has put into memory, writable, packet and packet_object, in the
 * mode that p was loaded for; they are emptied afterwards. Negative: e->error is filled in. */
int skep_exec_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                  uint64_t *ret_value);

/* Fills in error from fault, insn, address and text. */
void skep_exec_describe(struct skep_exec *e);
/* The errno of a fault. */
int skep_fault_errno(enum skep_vm_fault fault);
#endif
