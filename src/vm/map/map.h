/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_MAP_MAP_H
#define SKEP_VM_MAP_MAP_H
/*
 * Maps, as the rest of the engine sees them: one struct skep_vm_map in front of a type's own state, and a table of
 * operations for each type (types.def lists the types, map_<type>.c implements one or a family).
 *
 * Values lie in the map's *area*: whole pages of their own with a guard page on either side, apart from keys, links,
 * locks and everything else that we rely on. Programs get addresses inside of the area; whatever they write there, only
 * values change. Memory of the area belongs to values as long as the map lives (an element that is deleted and used
 * again keeps being a value), so that a pointer that a program still holds is never dangling.
 *
 * Operations return what the kernel's do: 0 or a negative errno, with the same numbers in the same situations.
 *
 * Threads: all operations may be called at once from any number of threads. Lookups take no lock.
 */
#include "base/macro.h"
#include "vm/exec.h"
#include <skep/vm.h>

struct skep_map_ops {
    const char *name; /* "hash" */
    bool percpu;      /* a value for each CPU */
    unsigned batch;   /* SKEP_BATCH_*: what can be done many at a time */
    /* Keys and values as the host sees them are no key (queue, stack, bloom filter), ids (of maps and programs). */
    bool keyless, ids;
    /* Checks the options (kernel's rules and codes) and sets up m->state; m's common members are filled in. */
    int (*init)(struct skep_vm_map *m, const struct skep_vm_map_options *o);
    void (*clear)(struct skep_vm_map *m);

    /* From programs. NULL: -EOPNOTSUPP or NULL. cpu: whose value of a per-CPU map. lookup gives an address in the area,
     * or for maps of maps the inner map's handle, 0: none. e may be NULL (called by the host). */
    uint64_t (*lookup)(struct skep_vm_map *m, const void *key, uint32_t cpu);
    int (*update)(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags, uint32_t cpu);
    int (*delete)(struct skep_vm_map *m, const void *key);
    int (*push)(struct skep_vm_map *m, const void *value, uint64_t flags);
    int (*pop)(struct skep_vm_map *m, void *value);
    int (*peek)(struct skep_vm_map *m, void *value);

    /* From the host, in the form of bpf(2) (all CPUs' values, ids). NULL: by the operations above. */
    int (*read)(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags);
    int (*write)(struct skep_vm_map *m, const void *key, const void *value, uint64_t flags);
    int (*take)(struct skep_vm_map *m, const void *key, void *ret_value, uint64_t flags);
    int (*next_key)(struct skep_vm_map *m, const void *key, void *ret_next);
    /* Goes on from the element with that key; the first call of a batch has NULL. NULL: by next_key and read. */
    int (*batch_lookup)(struct skep_vm_map *m, uint32_t *cursor, void *keys, void *values, uint32_t room,
                        uint32_t *ret_count, bool take);
    /* Calls cb for each element as programs see it: the key as a copy, the value as lookup gives it. NULL: by next_key and
     * lookup. Returns how many, or a negative result of cb. */
    int64_t (*each)(struct skep_vm_map *m, uint32_t cpu,
                    int (*cb)(void *data, const void *key, uint64_t value), void *data);
    /* Whether b can be an inner map where a was the example. NULL: it cannot be one. */
    bool (*same_meta)(const struct skep_vm_map *a, const struct skep_vm_map *b);
};
enum {
    SKEP_BATCH_LOOKUP = 1,
    SKEP_BATCH_UPDATE = 2,
    SKEP_BATCH_DELETE = 4,
    SKEP_BATCH_TAKE = 8,
};

/* Whole pages between guard pages. */
struct skep_area {
    uint8_t *start;
    size_t size; /* usable; accesses beyond it are refused, or hit the guard */
    void *mapping;
    size_t mapping_size;
};
int skep_area_init(struct skep_area *a, size_t size);
void skep_area_clear(struct skep_area *a);

struct skep_vm_map {
    struct skep_retired retired;
    const struct skep_map_ops *ops;
    struct skep_vm *vm;
    char name[64];
    uint32_t id,
        generation; /* place in the vm's table; handle = SKEP_HANDLE(SKEP_HANDLE_MAP, generation, id) */
    uint32_t type, key_size, value_size, max_entries, flags;
    uint64_t extra;
    uint32_t stride; /* of values: value_size rounded up to 8 */
    unsigned refs;   /* atomic */
    bool frozen;     /* atomic */
    struct skep_area area;
    uint64_t charged; /* bytes that count against the vm's limit */
    void *state;      /* of the type */
};

static inline uint64_t skep_map_handle(const struct skep_vm_map *m)
{
    return SKEP_HANDLE(SKEP_HANDLE_MAP, m->generation, m->id);
}

#define SKEP_MAP_TYPE(type, ops) extern const struct skep_map_ops ops;
#include "vm/map/types.def"
#undef SKEP_MAP_TYPE
/* The usual same_meta: same type, key, value and flags. */
bool skep_map_same_meta(const struct skep_vm_map *a, const struct skep_vm_map *b);

/* Drops what the map holds (programs, inner maps, its values); only skep_map_free() may follow. Doing it twice is fine. */
void skep_map_clear(struct skep_vm_map *m);
/* Frees a map that no table has any more, for skep_vm_retire(); clears it first. */
void skep_map_free(struct skep_vm *vm, void *m);

/* Ring buffers, for helpers. reserve: address of the data, 0 when full; *ret_offset names the record. */
uint64_t skep_ring_reserve(struct skep_vm_map *m, uint64_t size, uint32_t *ret_offset);
void skep_ring_commit(struct skep_vm_map *m, uint32_t offset, uint64_t flags, bool discard);
int skep_ring_output(struct skep_vm_map *m, const void *data, uint64_t size, uint64_t flags);
uint64_t skep_ring_query(const struct skep_vm_map *m, uint64_t flags);
/* Prog arrays, for tail calls: the program at index, NULL: none. */
const struct skep_vm_program *skep_prog_array_get(const struct skep_vm_map *m, uint32_t index);
/* The same for machine code: max_entries pointers to programs, which live as long as the map. */
const void *skep_prog_array_elements(const struct skep_vm_map *m);
/* Stack traces, for bpf_get_stackid. */
int64_t skep_stack_trace_put(struct skep_vm_map *m, const uint64_t *addresses, size_t n, uint64_t flags);
/* Calls cb for each element as a program sees it (bpf_for_each_map_elem); returns how many, or -errno. */
int64_t skep_map_for_each_elem(struct skep_vm_map *m, uint32_t cpu,
                               int (*cb)(void *data, const void *key, uint64_t value), void *data);
#endif
