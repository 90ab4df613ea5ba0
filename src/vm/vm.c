/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/vm.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "vm/jit/jit.h"
#include "vm/program.h"

#define MAPS_DEFAULT 4096
#define MAPS_MAX (1u << 20)
#define PROGRAMS_MAX 4096
#define CPUS_MAX 1024
#define MEMORY_DEFAULT (1ULL << 30)
#define HELPERS_ROOM 256

struct skep_context {
    struct skep_context_type type;
    struct skep_context *next;
};

/* ---- memory ---- */

static void *default_alloc(void *data, size_t size)
{
    (void)data;
    return malloc(size);
}

static void default_free(void *data, void *p)
{
    (void)data;
    free(p);
}

static const struct skep_vm_allocator default_allocator = {.alloc = default_alloc, .free = default_free};

void *skep_vm_alloc(const struct skep_vm *vm, size_t size)
{
    return vm->allocator.alloc(vm->allocator.data, MAX(size, (size_t)1));
}

void *skep_vm_calloc(const struct skep_vm *vm, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return NULL;
    void *p = skep_vm_alloc(vm, total);
    if (p)
        memset(p, 0, total);
    return p;
}

void skep_vm_release(const struct skep_vm *vm, void *p)
{
    if (p)
        vm->allocator.free(vm->allocator.data, p);
}

char *skep_vm_strdup(const struct skep_vm *vm, const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = skep_vm_alloc(vm, n);
    return copy ? memcpy(copy, s, n) : NULL;
}

/* ---- what is no longer wanted ---- */

static void release_retired(struct skep_vm *vm, void *p)
{
    skep_vm_release(vm, p);
}

/* The oldest era in which a run that still goes on began. */
static uint64_t oldest_run(const struct skep_vm *vm)
{
    uint64_t oldest = UINT64_MAX;
    for (size_t i = 0; i < vm->n_execs; i++) {
        uint64_t era = __atomic_load_n(&vm->execs[i]->era, __ATOMIC_ACQUIRE);
        if (era && era < oldest)
            oldest = era;
    }
    return oldest;
}

/* After it, the stores that other threads did before reading a table are visible here. */
static void barrier_everywhere(const struct skep_vm *vm)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!vm->fences)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

/* Takes what may go off the list. The lock is held. */
static struct skep_retired *take_expired(struct skep_vm *vm)
{
    /* the list is ordered by era, youngest first; a look without the barrier tells whether one is worth it */
    struct skep_retired **from = &vm->retired;
    uint64_t oldest = oldest_run(vm);
    while (*from && (*from)->era > oldest)
        from = &(*from)->next;
    if (!*from)
        return NULL;
    barrier_everywhere(vm);
    oldest = oldest_run(vm);
    while (*from && (*from)->era > oldest)
        from = &(*from)->next;
    struct skep_retired *expired = *from;
    __atomic_store_n(from, NULL, __ATOMIC_RELAXED);
    return expired;
}

void skep_vm_reclaim(struct skep_vm *vm)
{
    pthread_mutex_lock(&vm->lock);
    /* what is freed may retire more: that is left to the loop, so that chains do not become recursion */
    if (!vm->reclaiming) {
        vm->reclaiming = true;
        struct skep_retired *expired;
        while ((expired = take_expired(vm))) {
            pthread_mutex_unlock(&vm->lock);
            while (expired) {
                struct skep_retired *next = expired->next;
                expired->fn(vm, expired);
                expired = next;
            }
            pthread_mutex_lock(&vm->lock);
        }
        vm->reclaiming = false;
    }
    pthread_mutex_unlock(&vm->lock);
}

/* The lock is held. */
static void retire(struct skep_vm *vm, void (*fn)(struct skep_vm *vm, void *p), void *p)
{
    struct skep_retired *node = p;
    node->fn = fn;
    /* a run that notes this era began after p was taken out of where runs find it */
    node->era = __atomic_add_fetch(&vm->era, 1, __ATOMIC_SEQ_CST);
    node->next = vm->retired;
    __atomic_store_n(&vm->retired, node, __ATOMIC_RELAXED);
}

void skep_vm_retire(struct skep_vm *vm, void (*fn)(struct skep_vm *vm, void *p), void *p)
{
    pthread_mutex_lock(&vm->lock);
    retire(vm, fn, p);
    pthread_mutex_unlock(&vm->lock);
    skep_vm_reclaim(vm);
}

int skep_vm_add_exec(struct skep_vm *vm, struct skep_exec *e)
{
    int r = 0;
    pthread_mutex_lock(&vm->lock);
    if (vm->n_execs == vm->room_execs) {
        size_t room = MAX(vm->room_execs * 2, (size_t)8);
        struct skep_exec **execs = skep_vm_calloc(vm, room, sizeof(struct skep_exec *));
        if (execs) {
            if (vm->n_execs)
                memcpy(execs, vm->execs, vm->n_execs * sizeof(struct skep_exec *));
            skep_vm_release(vm, vm->execs);
            vm->execs = execs;
            vm->room_execs = room;
        } else {
            r = -ENOMEM;
        }
    }
    if (r == 0)
        vm->execs[vm->n_execs++] = e;
    pthread_mutex_unlock(&vm->lock);
    return r;
}

void skep_vm_remove_exec(struct skep_vm *vm, struct skep_exec *e)
{
    pthread_mutex_lock(&vm->lock);
    for (size_t i = 0; i < vm->n_execs; i++)
        if (vm->execs[i] == e)
            vm->execs[i--] = vm->execs[--vm->n_execs];
    pthread_mutex_unlock(&vm->lock);
}

/* ---- areas ---- */

/* Whether values of m are addresses for programs. Ring buffers give out records one by one. */
static bool has_area(const struct skep_vm_map *m)
{
    const uint32_t ringbuf = 27, user_ringbuf = 31;
    return m->area.size && m->type != ringbuf && m->type != user_ringbuf;
}

/* A copy of the areas with m's, or without it. The lock is held. */
static int replace_areas(struct skep_vm *vm, const struct skep_vm_map *m, bool with)
{
    const uint32_t rdonly_prog = 1u << 7, wronly_prog = 1u << 8;
    struct skep_areas *old = vm->areas;
    struct skep_areas *areas =
        skep_vm_alloc(vm, sizeof(*areas) + (old->n + 1) * sizeof(struct skep_area_ref));
    if (!areas)
        return -ENOMEM;
    const struct skep_area_ref own = {
        .start = (uintptr_t)m->area.start,
        .size = m->area.size,
        .readable = !(m->flags & wronly_prog),
        .writable = !(m->flags & rdonly_prog),
    };
    size_t n = 0, i = 0;
    for (; i < old->n && old->list[i].start < own.start; i++)
        areas->list[n++] = old->list[i];
    if (with)
        areas->list[n++] = own;
    for (; i < old->n; i++)
        if (old->list[i].start != own.start)
            areas->list[n++] = old->list[i];
    areas->n = n;
    __atomic_store_n(&vm->areas, areas, __ATOMIC_RELEASE);
    __atomic_add_fetch(&vm->areas_generation, 1, __ATOMIC_RELEASE);
    retire(vm, release_retired, old);
    return 0;
}

/* Without memory for a smaller table the map's area becomes one that may not be touched. */
static void forget_area(struct skep_vm *vm, const struct skep_vm_map *m)
{
    if (replace_areas(vm, m, false) == 0)
        return;
    for (size_t i = 0; i < vm->areas->n; i++)
        if (vm->areas->list[i].start == (uintptr_t)m->area.start)
            vm->areas->list[i].readable = vm->areas->list[i].writable = false;
    __atomic_add_fetch(&vm->areas_generation, 1, __ATOMIC_RELEASE);
}

/* ---- tables ---- */

static int add_map(struct skep_vm *vm, struct skep_vm_map *m)
{
    if (m->charged > vm->options.memory - vm->memory_used)
        return -ENOMEM;
    for (uint32_t id = 1; id < vm->max_maps; id++) {
        if (vm->maps[id])
            continue;
        int r = has_area(m) ? replace_areas(vm, m, true) : 0;
        if (r < 0)
            return r;
        vm->memory_used += m->charged;
        m->id = id;
        m->generation = vm->map_generations[id]++;
        __atomic_store_n(&vm->maps[id], m, __ATOMIC_RELEASE);
        return 0;
    }
    return -ENOSPC;
}

int skep_vm_add_map(struct skep_vm *vm, struct skep_vm_map *m)
{
    pthread_mutex_lock(&vm->lock);
    int r = add_map(vm, m);
    pthread_mutex_unlock(&vm->lock);
    return r;
}

void skep_vm_remove_map(struct skep_vm *vm, struct skep_vm_map *m)
{
    pthread_mutex_lock(&vm->lock);
    if (m->id && m->id < vm->max_maps && vm->maps[m->id] == m) {
        __atomic_store_n(&vm->maps[m->id], NULL, __ATOMIC_RELEASE);
        vm->memory_used -= m->charged;
        if (has_area(m))
            forget_area(vm, m);
    }
    pthread_mutex_unlock(&vm->lock);
}

int skep_vm_add_program(struct skep_vm *vm, struct skep_vm_program *p)
{
    int r = -ENOSPC;
    pthread_mutex_lock(&vm->lock);
    for (uint32_t id = 1; id < vm->max_programs && r < 0; id++) {
        if (vm->programs[id])
            continue;
        p->id = id;
        __atomic_store_n(&vm->programs[id], p, __ATOMIC_RELEASE);
        r = 0;
    }
    pthread_mutex_unlock(&vm->lock);
    return r;
}

void skep_vm_remove_program(struct skep_vm *vm, struct skep_vm_program *p)
{
    pthread_mutex_lock(&vm->lock);
    if (p->id && p->id < vm->max_programs && vm->programs[p->id] == p)
        __atomic_store_n(&vm->programs[p->id], NULL, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&vm->lock);
}

/* One more reference, unless the last one is gone. */
static bool ref_unless_gone(unsigned *refs)
{
    unsigned n = __atomic_load_n(refs, __ATOMIC_RELAXED);
    while (n)
        if (__atomic_compare_exchange_n(refs, &n, n + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

struct skep_vm_map *skep_vm_find_map(struct skep_vm *vm, uint32_t id)
{
    pthread_mutex_lock(&vm->lock);
    struct skep_vm_map *m = id < vm->max_maps ? vm->maps[id] : NULL;
    if (m && !ref_unless_gone(&m->refs))
        m = NULL;
    pthread_mutex_unlock(&vm->lock);
    return m;
}

struct skep_vm_program *skep_vm_find_program(struct skep_vm *vm, uint32_t id)
{
    pthread_mutex_lock(&vm->lock);
    struct skep_vm_program *p = id < vm->max_programs ? vm->programs[id] : NULL;
    if (p && !ref_unless_gone(&p->refs))
        p = NULL;
    pthread_mutex_unlock(&vm->lock);
    return p;
}

/* ---- helpers and context types ---- */

/* Where number is in the list, or would be. */
static size_t helper_place(const struct skep_helpers *h, uint32_t number)
{
    size_t low = 0, high = h->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->list[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct skep_helper *skep_vm_helper_find(const struct skep_vm *vm, uint32_t number)
{
    const struct skep_helpers *h = __atomic_load_n(&vm->helpers, __ATOMIC_ACQUIRE);
    size_t at = helper_place(h, number);
    return at < h->n && h->list[at].number == number ? &h->list[at] : NULL;
}

/* A table with room for one more that nobody reads yet. The lock is held. */
static struct skep_helpers *writable_helpers(struct skep_vm *vm)
{
    struct skep_helpers *old = vm->helpers;
    if (old && old->n < old->room && !vm->n_execs)
        return old;
    size_t room = old ? old->n + old->n / 2 + 8 : HELPERS_ROOM;
    struct skep_helpers *h = skep_vm_alloc(vm, sizeof(*h) + room * sizeof(struct skep_helper));
    if (!h)
        return NULL;
    h->n = old ? old->n : 0;
    h->room = room;
    if (old)
        memcpy(h->list, old->list, old->n * sizeof(struct skep_helper));
    return h;
}

static int set_helper(struct skep_vm *vm, const struct skep_helper *helper)
{
    struct skep_helpers *old = vm->helpers, *h = writable_helpers(vm);
    if (!h)
        return -ENOMEM;
    size_t at = helper_place(h, helper->number);
    if (at == h->n || h->list[at].number != helper->number) {
        memmove(&h->list[at + 1], &h->list[at], (h->n - at) * sizeof(struct skep_helper));
        h->n++;
    }
    h->list[at] = *helper;
    __atomic_store_n(&vm->helpers, h, __ATOMIC_RELEASE);
    if (old && old != h)
        retire(vm, release_retired, old);
    return 0;
}

int skep_vm_helper_register(struct skep_vm *vm, uint32_t number, const char *name, skep_vm_helper_fn fn)
{
    if (number >= SKEP_HELPERS_MAX || !fn)
        return -EINVAL;
    struct skep_helper helper = {.number = number, .fn = fn};
    if (name)
        snprintf(helper.name, sizeof(helper.name), "%s", name);
    else
        snprintf(helper.name, sizeof(helper.name), "helper#%u", number);
    pthread_mutex_lock(&vm->lock);
    int r = set_helper(vm, &helper);
    pthread_mutex_unlock(&vm->lock);
    return r;
}

const char *skep_vm_helper_name(const struct skep_vm *vm, uint32_t number)
{
    const struct skep_helper *h = skep_vm_helper_find(vm, number);
    return h ? h->name : NULL;
}

const struct skep_context_type *skep_vm_context_find(const struct skep_vm *vm, const char *name)
{
    for (const struct skep_context *c = __atomic_load_n(&vm->contexts, __ATOMIC_ACQUIRE); c; c = c->next)
        if (skep_streq(c->type.name, name))
            return &c->type;
    return NULL;
}

/* The lock is held. */
static int add_context(struct skep_vm *vm, const struct skep_context_type *type)
{
    if (skep_vm_context_find(vm, type->name))
        return -EEXIST;
    struct skep_context *c = skep_vm_alloc(vm, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct skep_context){.type = *type, .next = vm->contexts};
    __atomic_store_n(&vm->contexts, c, __ATOMIC_RELEASE);
    return 0;
}

int skep_vm_context_register(struct skep_vm *vm, const struct skep_vm_context_type *type)
{
    struct skep_vm_context_type t = {0};
    memcpy(&t, type, MIN(type->size, sizeof(t)));
    struct skep_context_type own = {
        .memory = (uint32_t)t.memory,
        .write_from = (uint32_t)t.write_from,
        .write_to = (uint32_t)t.write_to,
    };
    if (!t.name || !t.name[0] || strlen(t.name) >= sizeof(own.name) || t.memory == 0 ||
        t.memory > INT32_MAX || t.write_from > t.write_to || t.write_to > t.memory)
        return -EINVAL;
    memcpy(own.name, t.name, strlen(t.name));
    pthread_mutex_lock(&vm->lock);
    int r = add_context(vm, &own);
    pthread_mutex_unlock(&vm->lock);
    return r;
}

/* ---- life ---- */

static int register_barriers(struct skep_vm *vm)
{
    vm->fences = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0;
    return 0;
}

/* struct xdp_md and struct __sk_buff: their sizes, and what of them programs may write. */
static const struct skep_context_type packet_contexts[] = {
    {.name = "xdp", .packet = true, .memory = 24},
    {.name = "skb", .packet = true, .memory = 192, .write_from = 8, .write_to = 192},
};

static int fill(struct skep_vm *vm)
{
    vm->maps = skep_vm_calloc(vm, vm->max_maps, sizeof(struct skep_vm_map *));
    vm->map_generations = skep_vm_calloc(vm, vm->max_maps, sizeof(uint16_t));
    vm->programs = skep_vm_calloc(vm, vm->max_programs, sizeof(struct skep_vm_program *));
    vm->areas = skep_vm_calloc(vm, 1, sizeof(struct skep_areas));
    vm->helpers = writable_helpers(vm);
    if (!vm->maps || !vm->map_generations || !vm->programs || !vm->areas || !vm->helpers)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(packet_contexts); i++) {
        int r = add_context(vm, &packet_contexts[i]);
        if (r < 0)
            return r;
    }
    register_barriers(vm);
    return skep_helpers_register(vm);
}

int skep_vm_new(const struct skep_vm_options *given, struct skep_vm **ret_vm)
{
    struct skep_vm_options o = {0};
    if (given)
        memcpy(&o, given, MIN(given->size, sizeof(o)));
    if (o.mode > SKEP_VM_MODE_TRUSTED || o.cpus > CPUS_MAX || o.max_maps >= MAPS_MAX)
        return -EINVAL;
    if (o.mode == SKEP_VM_MODE_DEFAULT)
        o.mode = skep_jit_available() ? SKEP_VM_MODE_JIT : SKEP_VM_MODE_INTERPRET;
    if (!o.memory)
        o.memory = MEMORY_DEFAULT;
    const struct skep_vm_allocator *allocator = o.allocator ? o.allocator : &default_allocator;
    struct skep_vm *vm = allocator->alloc(allocator->data, sizeof(*vm));
    if (!vm)
        return -ENOMEM;
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    *vm = (struct skep_vm){
        .options = o,
        .allocator = *allocator,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .cpus = o.cpus ? o.cpus : (uint32_t)MIN(MAX(cpus, 1L), (long)CPUS_MAX),
        .max_maps = (o.max_maps ? o.max_maps : MAPS_DEFAULT) + 1, /* place 0 stays empty: id 0 is none */
        .max_programs = PROGRAMS_MAX + 1,
        .era = 1,
    };
    vm->options.allocator = &vm->allocator;
    int r = fill(vm);
    if (r < 0) {
        skep_vm_free(vm);
        return r;
    }
    *ret_vm = vm;
    return 0;
}

/* Programs hold maps and maps hold programs and maps, in circles too. With a reference of our own to each,
 * nothing is freed while they let go of each other. */
static void free_objects(struct skep_vm *vm)
{
    for (uint32_t i = 0; vm->maps && i < vm->max_maps; i++)
        if (vm->maps[i])
            __atomic_add_fetch(&vm->maps[i]->refs, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; vm->programs && i < vm->max_programs; i++)
        if (vm->programs[i])
            __atomic_add_fetch(&vm->programs[i]->refs, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; vm->maps && i < vm->max_maps; i++)
        if (vm->maps[i])
            skep_map_clear(vm->maps[i]);
    for (uint32_t i = 0; vm->programs && i < vm->max_programs; i++) {
        struct skep_vm_program *p = vm->programs[i];
        if (!p)
            continue;
        skep_vm_remove_program(vm, p);
        skep_program_free(vm, p);
    }
    for (uint32_t i = 0; vm->maps && i < vm->max_maps; i++) {
        struct skep_vm_map *m = vm->maps[i];
        if (!m)
            continue;
        vm->maps[i] = NULL;
        skep_map_free(vm, m);
    }
}

struct skep_vm *skep_vm_free(struct skep_vm *vm)
{
    if (!vm)
        return NULL;
    while (vm->n_execs)
        skep_vm_thread_free(skep_exec_thread(vm->execs[vm->n_execs - 1]));
    skep_vm_reclaim(vm);
    free_objects(vm);
    skep_vm_reclaim(vm);
    for (struct skep_context *c = vm->contexts, *next; c; c = next) {
        next = c->next;
        skep_vm_release(vm, c);
    }
    skep_vm_release(vm, vm->execs);
    skep_vm_release(vm, vm->helpers);
    skep_vm_release(vm, vm->areas);
    skep_vm_release(vm, vm->programs);
    skep_vm_release(vm, vm->map_generations);
    skep_vm_release(vm, vm->maps);
    pthread_mutex_destroy(&vm->lock);
    const struct skep_vm_allocator allocator = vm->allocator;
    allocator.free(allocator.data, vm);
    return NULL;
}
