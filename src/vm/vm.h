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
 * is therefore taken out of its table at once but freed only when no run that was going on then still goes on: the vm
 * counts eras; a run notes the era that it began in, what is retired gets a new one, and skep_vm_reclaim() frees what is
 * not younger than every run. A run pays one plain store at its start and one at its end; who retires pays for the
 * barrier in all threads (membarrier). Retiring needs no memory: what can be retired begins with a struct skep_retired.
 * A map is retired twice: a run may have its handle from a map of maps, so it stays in the table until such runs are
 * over, and is freed when those are over that could find it there.
 *
 * Areas. The value areas of all maps, sorted by address, for checked accesses; the table is replaced as a whole under
 * the lock and retired like the rest; areas_generation tells execs that their slots are stale.
 */
#include <pthread.h>

#include "base/macro.h"
#include "vm/map/map.h"

#define SKEP_HELPERS_MAX (1u << 20)

struct skep_helper {
    uint32_t number;
    char name[48];
    skep_vm_helper_fn fn;
};
struct skep_helpers {
    struct skep_retired retired;
    size_t n, room;
    struct skep_helper list[]; /* sorted by number */
};

/* Context types are never removed, so that programs may point to them. */
struct skep_context;

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
    struct skep_retired retired;
    size_t n;
    struct skep_area_ref list[];
};

struct skep_vm {
    struct skep_vm_options options;
    struct skep_vm_allocator allocator;
    pthread_mutex_t lock; /* tables, retired, areas: for writers */
    uint32_t cpus;

    uint32_t max_maps, max_programs;
    struct skep_vm_map **maps;         /* [max_maps], atomic */
    uint16_t *map_generations;         /* of the map that takes the place next */
    struct skep_vm_program **programs; /* [max_programs], atomic */
    uint64_t memory_used;

    struct skep_areas *areas; /* atomic */
    uint32_t areas_generation;

    struct skep_helpers *helpers; /* atomic; replaced as a whole once there are threads */
    struct skep_context *contexts;

    struct skep_exec **execs; /* all threads, for their eras */
    size_t n_execs, room_execs;
    uint64_t era; /* atomic; from 1 */
    bool fences;  /* there is no membarrier: runs have to fence */
    bool reclaiming;
    struct skep_retired *retired; /* atomic */
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
/* Out of the table, the areas and the account; skep_vm_retire() is the next step. */
void skep_vm_remove_map(struct skep_vm *vm, struct skep_vm_map *m);
void skep_vm_remove_program(struct skep_vm *vm, struct skep_vm_program *p);
/* A new reference to the map or program with an id, NULL: there is none. */
struct skep_vm_map *skep_vm_find_map(struct skep_vm *vm, uint32_t id);
struct skep_vm_program *skep_vm_find_program(struct skep_vm *vm, uint32_t id);

/* Calls fn(vm, p) when no run can hold it any more, perhaps at once. p begins with a struct skep_retired. The caller holds
 * no lock that fn could want. */
void skep_vm_retire(struct skep_vm *vm, void (*fn)(struct skep_vm *vm, void *p), void *p);
void skep_vm_reclaim(struct skep_vm *vm);

/* For vm/exec.c: threads come and go. */
int skep_vm_add_exec(struct skep_vm *vm, struct skep_exec *e);
void skep_vm_remove_exec(struct skep_vm *vm, struct skep_exec *e);

const struct skep_helper *skep_vm_helper_find(const struct skep_vm *vm, uint32_t number);
const struct skep_context_type *skep_vm_context_find(const struct skep_vm *vm, const char *name);
/* What the library itself brings (helpers.def). */
int skep_helpers_register(struct skep_vm *vm);
#endif
