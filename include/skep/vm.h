/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_H
#define SKEP_VM_H
/*
 * libskepvm: an eBPF runtime for user space.
 *
 * A *vm* is a world of its own: programs, maps and helpers that know each other. A *thread* is what runs programs: its
 * stack, its CPU number, its fuel, its last error. A program is loaded once and may be run by many threads at once.
 *
 *     struct skep_vm *vm;
 *     struct skep_vm_thread *thread;
 *     struct skep_vm_program *program;
 *     struct skep_vm_error error;
 *     uint64_t value;
 *
 *     skep_vm_new(NULL, &vm);
 *     skep_vm_thread_new(vm, NULL, &thread);
 *     struct skep_vm_program_options o = {.size = sizeof(o), .insns = insns, .n_insns = n};
 *     if (skep_vm_program_load(vm, &o, &program, &error) < 0)
 *         puts(error.message);
 *     if (skep_vm_run(thread, program, memory, size, &value) < 0)
 *         puts(skep_vm_thread_error(thread)->message);
 *
 * Safety. A program comes from anywhere. Loading checks its form (instructions, registers, jumps). Running it in the
 * modes INTERPRET and JIT checks each access to memory against what the run may touch (its stack, the memory or packet
 * that it was given, values of maps, records it reserved, regions that the host added), each call, the depth of calls
 * and the number of instructions: what is wrong ends the run with an error and the number of the instruction. It never
 * ends the host. The mode TRUSTED leaves the checks out and is for programs that were proved or made by ourselves.
 *
 * Numbers. An instruction is 8 bytes as in RFC 9669, little endian. Instruction numbers count from 0; the second half
 * of a wide instruction counts. Flags, map types, helper numbers and the codes that map operations return are those of
 * Linux (uapi/linux/bpf.h). Sizes are in bytes. Functions return 0 or a negative errno.
 *
 * Versions. Every options structure begins with its size, so that a program built against an older header runs with a
 * newer library; members are only ever added at the end, and zero means the default.
 *
 * Threads. A vm, its maps and its programs may be used from several threads at once, except that *_free and object_load
 * want nobody else to use what they work on. A skep_vm_thread belongs to one thread at a time. No function is safe in a
 * signal handler.
 *
 * Ownership. What a _new, _load or _open function gave is returned to the matching _free or _unref, the vm last. A
 * program holds its maps.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skep_vm;
struct skep_vm_thread;
struct skep_vm_program;
struct skep_vm_map;
struct skep_vm_object;
struct skep_vm_packet;

/* ---- errors ---- */

/* Why a program was refused or ended. The numbers are never reused. */
enum skep_vm_fault {
    SKEP_VM_FAULT_NONE = 0,
    SKEP_VM_FAULT_LOAD = 1,    /* the program is malformed */
    SKEP_VM_FAULT_READ = 2,    /* reads memory that the run does not have */
    SKEP_VM_FAULT_WRITE = 3,   /* writes memory that the run does not have, or that is read-only */
    SKEP_VM_FAULT_FUEL = 4,    /* more instructions than allowed */
    SKEP_VM_FAULT_STACK = 5,   /* calls nested too deep */
    SKEP_VM_FAULT_CALL = 6,    /* calls a helper or function that does not exist */
    SKEP_VM_FAULT_HANDLE = 7,  /* an argument is not the map, function or dynptr that it should be */
    SKEP_VM_FAULT_HELPER = 8,  /* a helper refused its arguments */
    SKEP_VM_FAULT_LOCK = 9,    /* a lock is taken twice, or held at the end */
    SKEP_VM_FAULT_ALIGN = 10,  /* an atomic access crosses its natural alignment */
    SKEP_VM_FAULT_RELOC = 11,  /* an instruction that relocation could not fill in was reached */
    SKEP_VM_FAULT_MEMORY = 12, /* the host has no memory left */
    SKEP_VM_FAULT_STOPPED = 13 /* the host asked the run to stop */
};

/* A word for it: "read", "fuel", ... */
const char *skep_vm_fault_name(enum skep_vm_fault fault);

struct skep_vm_error {
    enum skep_vm_fault fault;
    int error;         /* a negative errno */
    uint32_t insn;     /* number of the instruction, UINT32_MAX: none */
    uint64_t address;  /* of the access, 0: none */
    char message[224]; /* one line, without a newline */
};

/* ---- the vm ---- */

/* How a program is run. */
enum skep_vm_mode {
    SKEP_VM_MODE_DEFAULT = 0, /* JIT where this processor has one, else INTERPRET */
    SKEP_VM_MODE_INTERPRET = 1,
    SKEP_VM_MODE_JIT = 2,    /* machine code with every check */
    SKEP_VM_MODE_TRUSTED = 3 /* machine code without checks and without fuel */
};

/* Everything that the library keeps comes from here, except what needs whole pages (code, stacks, values of maps).
 * alloc: zeroed or not, aligned for any type; NULL: there is none. Called from any thread that calls the library. */
struct skep_vm_allocator {
    void *(*alloc)(void *data, size_t size);
    void (*free)(void *data, void *p);
    void *data;
};

/* Text of bpf_trace_printk and its like: one line, without a newline. */
typedef void (*skep_vm_print_fn)(void *data, const char *text, size_t len);

struct skep_vm_options {
    size_t size; /* of this structure */
    enum skep_vm_mode mode;
    bool blind;        /* JIT: keep constants of programs out of the code as they are */
    uint32_t cpus;     /* values of a per-CPU map, 0: as many as the machine may have; at most 1024 */
    uint32_t max_maps; /* 0: 4096 */
    uint64_t memory;   /* most bytes that all maps together may take, 0: 1 GiB */
    const struct skep_vm_allocator *allocator;
    skep_vm_print_fn print;
    void *print_data;
};

int skep_vm_new(const struct skep_vm_options *o, struct skep_vm **ret_vm);
/* Frees it with all that it still has. NULL is fine. Returns NULL. */
struct skep_vm *skep_vm_free(struct skep_vm *vm);

/* ---- helpers of the host ---- */

/* A helper: five arguments, one result; t is the thread that runs the program. */
typedef uint64_t (*skep_vm_helper_fn)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                      struct skep_vm_thread *t);

/* Makes fn helper number (below 2^20) of the programs that are loaded afterwards, also in place of one of the
 * library's own. name is copied; NULL: "helper#N". */
int skep_vm_helper_register(struct skep_vm *vm, uint32_t number, const char *name, skep_vm_helper_fn fn);
/* The name of helper number, NULL when there is none. */
const char *skep_vm_helper_name(const struct skep_vm *vm, uint32_t number);

/* For helpers: the memory at an address that the program gave, or NULL after ending the run with a fault. */
void *skep_vm_thread_memory(struct skep_vm_thread *t, uint64_t address, size_t size, bool write);
/* For helpers: ends the run. The text is copied. */
void skep_vm_thread_fail(struct skep_vm_thread *t, enum skep_vm_fault fault, const char *text);
/* For helpers: calls a function of the program by the handle that it passed (at most 8 frames deep). */
int skep_vm_thread_call(struct skep_vm_thread *t, uint64_t function, const uint64_t args[5],
                        uint64_t *ret_value);

/* ---- programs ---- */

struct skep_vm_program_options {
    size_t size;
    const char *name;  /* copied; NULL: "program" */
    const void *insns; /* copied; 8 bytes each */
    size_t n_insns;
    enum skep_vm_mode mode;    /* DEFAULT: that of the vm */
    struct skep_vm_map **maps; /* what LDDW with a map index (src 5, 6) means, and with a map fd (src 1, 2) */
    size_t n_maps;
    const char *context; /* name of a context type, NULL: plain memory */
    uint32_t entry;      /* instruction that it begins with */
};

int skep_vm_program_load(struct skep_vm *vm, const struct skep_vm_program_options *o,
                         struct skep_vm_program **ret_program, struct skep_vm_error *reterr);
struct skep_vm_program *skep_vm_program_ref(struct skep_vm_program *p);
struct skep_vm_program *skep_vm_program_unref(struct skep_vm_program *p);
const char *skep_vm_program_name(const struct skep_vm_program *p);
enum skep_vm_mode skep_vm_program_mode(const struct skep_vm_program *p);
/* What a prog array stores. */
uint32_t skep_vm_program_id(const struct skep_vm_program *p);
/* Its instructions after relocation, and its machine code; NULL when there is none. */
const void *skep_vm_program_insns(const struct skep_vm_program *p, size_t *ret_n);
const void *skep_vm_program_code(const struct skep_vm_program *p, size_t *ret_size);

/* ---- running ---- */

/* What get_current_* and the clocks say. Members that are 0 or NULL: what the calling thread is. */
struct skep_vm_task {
    size_t size;
    uint32_t pid, tid; /* in user-space terms: process, thread */
    uint32_t uid, gid;
    char comm[16];
    uint64_t cgroup_id;
    uint64_t task;                         /* what bpf_get_current_task returns */
    uint64_t (*clock)(void *data, int id); /* nanoseconds; id is a CLOCK_*; NULL: the system's */
    uint32_t (*random)(void *data);
    /* bpf_get_stackid and bpf_get_stack: fills at most max addresses, returns how many, or -errno */
    int (*stack)(void *data, uint64_t *addresses, size_t max, bool user);
    void *data;
};

struct skep_vm_thread_options {
    size_t size;
    uint32_t cpu; /* which value of per-CPU maps it works on; two threads that run at once want two */
    /* instructions for each run, 0: 1,000,000; a helper that works on more than 512 bytes counts as one for each 256 of
     * them besides */
    uint64_t fuel;
    const struct skep_vm_task *task; /* copied */
};

int skep_vm_thread_new(struct skep_vm *vm, const struct skep_vm_thread_options *o,
                       struct skep_vm_thread **ret_t);
struct skep_vm_thread *skep_vm_thread_free(struct skep_vm_thread *t);
void skep_vm_thread_set_fuel(struct skep_vm_thread *t, uint64_t fuel);
void skep_vm_thread_set_task(struct skep_vm_thread *t, const struct skep_vm_task *task);
struct skep_vm *skep_vm_thread_vm(const struct skep_vm_thread *t);
/* Instructions that the last run took, by the blocks it entered. 0 in the mode TRUSTED. */
uint64_t skep_vm_thread_used(const struct skep_vm_thread *t);
/* What ended the last run; valid until the next one. */
const struct skep_vm_error *skep_vm_thread_error(const struct skep_vm_thread *t);

/* Memory of the host that programs of this thread may read (or write) besides their own, until it is removed. */
int skep_vm_thread_add_region(struct skep_vm_thread *t, void *base, size_t size, bool writable);
int skep_vm_thread_remove_region(struct skep_vm_thread *t, void *base);

/* Calls cb before each instruction (mode INTERPRET only). registers: r0 to r10. NULL: no more. */
typedef void (*skep_vm_trace_fn)(void *data, const struct skep_vm_program *p, uint32_t insn,
                                 const uint64_t registers[11]);
void skep_vm_thread_set_trace(struct skep_vm_thread *t, skep_vm_trace_fn cb, void *data);

/* Runs p over memory (r1 = memory, r2 = size; NULL and 0: none), which it may read and write. ret_value: r0.
 * Negative: it was ended, see skep_vm_thread_error(). Not to be called from a helper of a run of the same thread. */
int skep_vm_run(struct skep_vm_thread *t, const struct skep_vm_program *p, void *memory, size_t size,
                uint64_t *ret_value);

/* ---- packets ---- */

/* A packet with room before and behind it, for programs with the context "xdp" or "skb". */
int skep_vm_packet_new(struct skep_vm *vm, size_t max, struct skep_vm_packet **ret_packet);
struct skep_vm_packet *skep_vm_packet_free(struct skep_vm_packet *packet);
/* Copies it in. -E2BIG: longer than max. The fields below are set to their defaults. */
int skep_vm_packet_set(struct skep_vm_packet *packet, const void *data, size_t len);
/* As the last run left it. */
const void *skep_vm_packet_data(const struct skep_vm_packet *packet, size_t *ret_len);

/* Where the packet is, before a run; what the program said, after it. */
struct skep_vm_packet_fields {
    size_t size;
    uint32_t ifindex, egress_ifindex, rx_queue;
    uint32_t mark, priority, protocol /* as in the Ethernet header, network order */, vlan_tci, hash,
        tc_index, tc_classid;
    uint32_t cb[5];
    uint64_t tstamp;
    uint32_t redirect_ifindex; /* after bpf_redirect and its like */
    uint64_t redirect_flags;
};
void skep_vm_packet_get_fields(const struct skep_vm_packet *packet, struct skep_vm_packet_fields *ret);
void skep_vm_packet_set_fields(struct skep_vm_packet *packet, const struct skep_vm_packet_fields *f);

/* Runs p with a context of the type that it was loaded with ("xdp": struct xdp_md, "skb": struct __sk_buff). */
int skep_vm_run_packet(struct skep_vm_thread *t, const struct skep_vm_program *p,
                       struct skep_vm_packet *packet, uint64_t *ret_value);

/* A context type of the host: plain memory of size bytes, of which programs may write [write_from, write_to). */
struct skep_vm_context_type {
    size_t size;
    const char *name;
    size_t memory;
    size_t write_from, write_to;
};
int skep_vm_context_register(struct skep_vm *vm, const struct skep_vm_context_type *type);

/* ---- maps ---- */

struct skep_vm_map_options {
    size_t size;
    const char *name;
    uint32_t type; /* BPF_MAP_TYPE_* */
    uint32_t key_size, value_size, max_entries;
    uint32_t flags;
    uint64_t extra;            /* bloom filter: number of hash functions */
    struct skep_vm_map *inner; /* map of maps: what its values look like; not kept */
};

int skep_vm_map_new(struct skep_vm *vm, const struct skep_vm_map_options *o, struct skep_vm_map **ret_map);
struct skep_vm_map *skep_vm_map_ref(struct skep_vm_map *m);
struct skep_vm_map *skep_vm_map_unref(struct skep_vm_map *m);
/* What a map of maps stores. */
uint32_t skep_vm_map_id(const struct skep_vm_map *m);
/* o->size must be set; name is borrowed from the map. inner is NULL. */
void skep_vm_map_info(const struct skep_vm_map *m, struct skep_vm_map_options *o);
/* Bytes of one value as the functions below copy it: per-CPU maps have one for each CPU, each rounded up to 8. */
size_t skep_vm_map_value_bytes(const struct skep_vm_map *m);

/* As the commands of bpf(2) of the same names. key is NULL for queue, stack and bloom filter. Values of a map of maps
 * and of a prog array are ids (uint32_t). next_key: key NULL gives the first; -ENOENT behind the last. */
int skep_vm_map_lookup(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags);
int skep_vm_map_update(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags);
int skep_vm_map_delete(struct skep_vm_map *m, const void *key);
int skep_vm_map_lookup_and_delete(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags);
int skep_vm_map_next_key(struct skep_vm_map *m, const void *key, void *ret_next);
/* No more changes by the functions above. */
int skep_vm_map_freeze(struct skep_vm_map *m);

/* Batches, as in bpf(2): count in: room or number, out: how many; in_batch NULL: from the start, out_batch: where to go
 * on (4 bytes, or key_size if that is more); -ENOENT: that was the last. */
int skep_vm_map_lookup_batch(struct skep_vm_map *m, const void *in_batch, void *out_batch, void *keys,
                             void *values, uint32_t *count, uint64_t flags);
int skep_vm_map_lookup_and_delete_batch(struct skep_vm_map *m, const void *in_batch, void *out_batch,
                                        void *keys, void *values, uint32_t *count, uint64_t flags);
int skep_vm_map_update_batch(struct skep_vm_map *m, const void *keys, const void *values, uint32_t *count,
                             uint64_t flags);
int skep_vm_map_delete_batch(struct skep_vm_map *m, const void *keys, uint32_t *count, uint64_t flags);

/* Calls cb for each element (key and value as in lookup); it may change the map. A negative result ends it. */
typedef int (*skep_vm_map_each_fn)(void *data, const void *key, const void *value);
int skep_vm_map_for_each(struct skep_vm_map *m, skep_vm_map_each_fn cb, void *data);

/* The value area of an array, as programs see it (value_size rounded up to 8 apart); NULL for other maps. */
void *skep_vm_map_area(struct skep_vm_map *m, size_t *ret_size);

/* Ring buffers. Takes up to max records (0: all that are there); a negative result of cb ends it. Returns how many. One
 * consumer at a time. */
typedef int (*skep_vm_ring_fn)(void *data, const void *record, size_t size);
int64_t skep_vm_ring_consume(struct skep_vm_map *m, size_t max, skep_vm_ring_fn cb, void *data);
/* Called by whoever submits a record that asks for a wake-up; NULL: nobody. */
void skep_vm_ring_set_wakeup(struct skep_vm_map *m, void (*cb)(void *data), void *data);

/* ---- objects ---- */

/* Something that an object wants from outside: a value of the kernel's configuration (CONFIG_X, LINUX_KERNEL_VERSION),
 * the address of a kernel symbol, a function. Returns 0 and the value, -ENOENT when there is none. */
enum skep_vm_extern { SKEP_VM_EXTERN_KCONFIG = 0, SKEP_VM_EXTERN_KSYM = 1, SKEP_VM_EXTERN_KFUNC = 2 };
/* ret: the number; text: for strings, room for size bytes. */
typedef int (*skep_vm_resolve_fn)(void *data, enum skep_vm_extern kind, const char *name, uint64_t *ret,
                                  char *text, size_t size);
/* One line about the object: an error that ends it, or a warning. */
typedef void (*skep_vm_log_fn)(void *data, bool error, const char *text);

struct skep_vm_object_options {
    size_t size;
    const char *name; /* for messages */
    /* Raw BTF that CO-RE relocations are resolved against, borrowed until the object is loaded; NULL: types stay what
     * they were when the object was compiled. */
    const void *btf;
    size_t btf_size;
    enum skep_vm_mode mode;
    skep_vm_resolve_fn resolve;
    void *resolve_data;
    skep_vm_log_fn log;
    void *log_data;
};

/* Reads an ELF object (copied). */
int skep_vm_object_open(struct skep_vm *vm, const void *elf, size_t size,
                        const struct skep_vm_object_options *o, struct skep_vm_object **ret_object);
/* Makes its maps, relocates and loads its programs. One that cannot be loaded is told to the log and has no
 * skep_vm_program; the result is then -ENOEXEC, but the others are there. */
int skep_vm_object_load(struct skep_vm_object *object);
/* Frees what only the object holds. */
struct skep_vm_object *skep_vm_object_free(struct skep_vm_object *object);
/* By name, or by number from 0 (name NULL); NULL: there is none. Borrowed. */
struct skep_vm_program *skep_vm_object_program(struct skep_vm_object *object, const char *name,
                                               size_t number);
struct skep_vm_map *skep_vm_object_map(struct skep_vm_object *object, const char *name, size_t number);
/* The name of the section of a program ("xdp", "tracepoint/syscalls/..."), NULL when it is of no object. */
const char *skep_vm_program_section(const struct skep_vm_program *p);

#ifdef __cplusplus
}
#endif
#endif
