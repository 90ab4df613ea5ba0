/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_VM_H
#define SKEP_VM_VM_H
/*
 * The vm: tables of the maps, programs, helpers and context types that know each other, the allocator, and the order in
 * which what is no longer wanted may go.
 *
 * Maps and programs have ids: places in fixed tables (never moved, read without a lock). When one goes, the place may be
 * used again under another generation, so that an old handle finds nothing.
 *
 * Going. A run borrows maps and programs through tables and prog arrays without counting. What lost its last reference
 * is therefore taken out of its table at once but freed only when no run that was going on then still goes on: each exec
 * has an epoch that is odd during a run; skep_vm_retire() notes the epochs, skep_vm_reclaim() frees what nobody can
 * hold any more. A run pays one plain store at its start and one at its end; who retires pays for the barrier in all
 * threads (membarrier).
 *
 * Areas. The value areas of all maps, sorted by address, for checked accesses; the table is replaced as a whole under
 * the lock and retired like the rest; areas_generation tells execs that their slots are stale.
 */
#include <pthread.h>

#include "base/macro.h"
#include "vm/map.h"

#define SKEP_HELPERS_MAX (1u << 20)

struct skep_helper {
    uint32_t number;
    char name[48];
    skep_vm_helper_fn fn;
};

/* A name and how its memory is checked; "xdp" and "skb" have packets. */
struct skep_context_type {
    char name[32];
    bool packet;
    uint32_t memory;
    uint32_t write_from, write_to;
};

struct skep_area_ref {
    uint64_t start, size;
    bool readable, writable; /* by programs: BPF_F_WRONLY_PROG, BPF_F_RDONLY_PROG */
};
struct skep_areas {
    size_t n;
    struct skep_area_ref list[];
};

struct skep_vm {
    struct skep_vm_options options;
    struct skep_vm_allocator allocator;
    pthread_mutex_t lock; /* tables, retired, areas: for writers */
    uint32_t cpus;

    uint32_t max_maps, max_programs;
    struct skep_vm_map **maps; /* [max_maps], atomic */
    uint16_t *map_generations;
    struct skep_vm_program **programs; /* [max_programs], atomic */
    uint64_t memory_used;

    struct skep_areas *areas; /* atomic */
    uint32_t areas_generation;

    struct skep_helper *helpers; /* sorted by number; read by loading only */
    size_t n_helpers;
    struct skep_context_type *contexts;
    size_t n_contexts;

    struct skep_exec **execs; /* all threads, for epochs */
    size_t n_execs;
    struct skep_retired *retired;
};

/* Memory from the vm's allocator. calloc: zeroed; overflow of n * size gives NULL. */
void *skep_vm_alloc(const struct skep_vm *vm, size_t size);
void *skep_vm_calloc(const struct skep_vm *vm, size_t n, size_t size);
void skep_vm_release(const struct skep_vm *vm, void *p);
char *skep_vm_strdup(const struct skep_vm *vm, const char *s);

/* Puts a map or program into its table. -ENOSPC: full. For maps also the area into the areas and the memory against the
 * limit (-ENOMEM). */
int skep_vm_add_map(struct skep_vm *vm, struct skep_vm_map *m);
int skep_vm_add_program(struct skep_vm *vm, struct skep_vm_program *p);
/* Out of the table now, fn(p) when no run can hold it any more. */
void skep_vm_remove_map(struct skep_vm *vm, struct skep_vm_map *m);
void skep_vm_remove_program(struct skep_vm *vm, struct skep_vm_program *p);
void skep_vm_retire(struct skep_vm *vm, void (*fn)(struct skep_vm *vm, void *p), void *p);
void skep_vm_reclaim(struct skep_vm *vm);

const struct skep_helper *skep_vm_helper_find(const struct skep_vm *vm, uint32_t number);
const struct skep_context_type *skep_vm_context_find(const struct skep_vm *vm, const char *name);
/* What the library itself brings (helpers.def). */
int skep_helpers_register(struct skep_vm *vm);
#endif
