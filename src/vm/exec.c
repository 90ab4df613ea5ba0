/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/exec.h"

#include <sys/mman.h>

#include "vm/interp/interp.h"
#include "vm/jit/jit.h"
#include "vm/program.h"
#include "vm/vm.h"

#define FUEL_DEFAULT 1000000
#define STACK_SIZE (SKEP_FRAMES * SKEP_FRAME_SIZE)

/* ---- regions ---- */

static void fill_slot(struct skep_exec *e, struct skep_slot *slot, const struct skep_region *region,
                      bool lasts)
{
    slot->base = region->start;
    for (unsigned w = 0; w < SKEP_WIDTHS; w++) {
        uint64_t width = 1ULL << w;
        slot->fit[w] = region->size >= width ? region->size - width + 1 : 0;
    }
    size_t load = (size_t)(slot - e->load);
    uint32_t *transient = load < SKEP_SLOTS ? &e->transient_load : &e->transient_store;
    uint32_t bit = 1U << (load < SKEP_SLOTS ? load : (size_t)(slot - e->store));
    if (lasts)
        *transient &= ~bit;
    else
        *transient |= bit;
}

static bool inside(const struct skep_region *region, uint64_t address, uint64_t size, bool write)
{
    uint64_t offset = address - region->start;
    return offset < region->size && size <= region->size - offset &&
           (write ? region->writable : region->readable);
}

/* The area that an access lies in. The slots of an older table were emptied when the run started; one that
 * changes during the run changes nothing for it: what it could reach stays until its end. */
static bool find_area(const struct skep_exec *e, uint64_t address, uint64_t size, bool write,
                      struct skep_region *ret)
{
    const struct skep_areas *areas = __atomic_load_n(&e->vm->areas, __ATOMIC_ACQUIRE);
    size_t low = 0, high = areas->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (areas->list[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    const struct skep_area_ref *a = &areas->list[low - 1];
    *ret = (struct skep_region){a->start, a->size, a->readable, a->writable};
    return inside(ret, address, size, write);
}

static bool in_record(const struct skep_exec *e, uint64_t address, uint64_t size)
{
    for (unsigned i = 0; i < SKEP_REFS && e->n_refs; i++) {
        const struct skep_ref *ref = &e->refs[i];
        if (ref->start && address >= ref->start && address - ref->start < ref->size &&
            size <= ref->size - (address - ref->start))
            return true;
    }
    return false;
}

/* A region of this run only. */
static bool find_own(const struct skep_exec *e, uint64_t address, uint64_t size, bool write,
                     struct skep_region *ret)
{
    if (e->program && e->program->whole_frames) {
        const uint64_t depth = SKEP_FRAME_SIZE * (uint64_t)(e->depth + 1);
        *ret = (struct skep_region){e->frames_end - depth, depth, true, true};
        if (inside(ret, address, size, write))
            return true;
    }
    *ret = write ? e->writable : e->memory;
    if (inside(ret, address, size, write))
        return true;
    *ret = e->packet;
    if (inside(ret, address, size, write))
        return true;
    for (unsigned i = 0; i < e->n_host; i++) {
        *ret = e->host[i];
        if (inside(ret, address, size, write))
            return true;
    }
    return false;
}

bool skep_exec_check(struct skep_exec *e, uint64_t address, uint64_t size, bool write, struct skep_slot *slot)
{
    if (size == 0)
        return true;
    struct skep_region region;
    bool own = find_own(e, address, size, write, &region);
    if (!own && !find_area(e, address, size, write, &region))
        return in_record(e, address, size);
    if (slot)
        fill_slot(e, slot, &region, !own);
    return true;
}

/* Empties the slots whose bits are set. */
static void empty_slots(struct skep_slot *slots, uint32_t bits)
{
    for (; bits; bits &= bits - 1)
        slots[__builtin_ctz(bits)] = (struct skep_slot){0};
}

void skep_exec_forget(struct skep_exec *e)
{
    empty_slots(e->load, e->transient_load);
    empty_slots(e->store, e->transient_store);
    e->transient_load = e->transient_store = 0;
}

struct skep_vm_map *skep_exec_map(struct skep_exec *e, uint64_t handle)
{
    uint32_t id = SKEP_HANDLE_ID(handle);
    if (SKEP_HANDLE_TAG(handle) == SKEP_HANDLE_MAP && id < e->vm->max_maps) {
        struct skep_vm_map *m = __atomic_load_n(&e->vm->maps[id], __ATOMIC_ACQUIRE);
        if (m && skep_map_handle(m) == handle)
            return m;
    }
    char text[64];
    snprintf(text, sizeof(text), "0x%llx is not a map", (unsigned long long)handle);
    skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, 0, text);
    return NULL;
}

/* ---- packet loads ---- */

uint64_t skep_exec_packet_load(uint64_t offset, uint64_t size, uint64_t unused1, uint64_t unused2,
                               uint64_t unused3, struct skep_exec *e)
{
    (void)unused1, (void)unused2, (void)unused3;
    const struct skep_region *from = e->packet_object ? &e->packet : &e->memory;
    /* as in the kernel, the sum of register and constant is a signed number of 32 bits */
    int64_t at = (int32_t)offset;
    if (at < 0 || (uint64_t)at >= from->size || size > from->size - (uint64_t)at) {
        skep_exec_fault(e, (enum skep_vm_fault)SKEP_FAULT_LEAVE, UINT32_MAX, 0, NULL);
        return 0;
    }
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)from->start + at;
    uint64_t value = 0;
    for (uint64_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* ---- calls ---- */

bool skep_exec_call(struct skep_exec *e, uint64_t function, const uint64_t args[5], uint64_t *ret_value)
{
    const struct skep_vm_program *p = e->program;
    if (e->fault)
        return false;
    int64_t f = p ? skep_function_of(p, function) : -1;
    if (f < 0) {
        char text[64];
        snprintf(text, sizeof(text), "0x%llx is not a function", (unsigned long long)function);
        skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, 0, text);
        return false;
    }
    if (e->depth + 1 >= SKEP_FRAMES) {
        skep_exec_fault(e, SKEP_VM_FAULT_STACK, UINT32_MAX, 0, NULL);
        return false;
    }
    uint32_t depth = e->depth++;
    bool ok = p->jit ? skep_jit_call(e, p, (uint32_t)f, args, ret_value)
                     : skep_interp_call(e, p, (uint32_t)f, args, ret_value);
    e->depth = depth;
    /* a tail call in the function ends with it; a fault is told of where it was */
    if (ok)
        e->program = p;
    return ok;
}

const struct skep_vm_program *skep_exec_tail_call(struct skep_exec *e, struct skep_vm_map *map,
                                                  uint32_t index)
{
    const uint32_t prog_array = 3;
    const struct skep_vm_program *from = e->program;
    if (map->type != prog_array) {
        skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, 0, "a tail call wants a prog array");
        return NULL;
    }
    const struct skep_vm_program *p = skep_prog_array_get(map, index);
    if (!p || e->tail_calls >= SKEP_TAIL_CALLS || !from || p->mode != from->mode ||
        p->context != from->context)
        return NULL;
    e->tail_calls++;
    e->program = p;
    return p;
}

skep_vm_helper_fn skep_exec_helper(struct skep_exec *e, uint64_t number)
{
    char text[80];
    const struct skep_helper *h =
        number < SKEP_HELPERS_MAX ? skep_vm_helper_find(e->vm, (uint32_t)number) : NULL;
    if (h && number != SKEP_HELPER_TAIL_CALL)
        return h->fn;
    if (number == SKEP_HELPER_TAIL_CALL)
        snprintf(text, sizeof(text), "a tail call cannot be made through a register");
    else if (number < SKEP_HELPERS_MAX)
        snprintf(text, sizeof(text), "there is no helper %u", (unsigned)number);
    else
        snprintf(text, sizeof(text), "calls 0x%llx, which is no function and no helper",
                 (unsigned long long)number);
    skep_exec_fault(e, SKEP_VM_FAULT_CALL, UINT32_MAX, 0, text);
    return NULL;
}

/* ---- runs ---- */

static void begin(struct skep_exec *e, const struct skep_vm_program *p)
{
    struct skep_vm *vm = e->vm;
    __atomic_store_n(&e->era, __atomic_load_n(&vm->era, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    if (vm->fences)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    else
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    e->running = true;
    e->program = p;
    e->fuel = e->fuel_given = e->fuel_limit;
    e->fault = SKEP_VM_FAULT_NONE;
    e->insn = UINT32_MAX;
    e->has_registers = false;
    e->traced = e->trace != NULL;
    e->depth = 0;
    e->tail_calls = 0;
    e->may_goto = SKEP_MAY_GOTO_MAX;
    e->stretch_asks = SKEP_STRETCH_ASKS;
    uint32_t generation = __atomic_load_n(&vm->areas_generation, __ATOMIC_ACQUIRE);
    if (generation != e->areas_seen) {
        memset(e->load, 0, sizeof(e->load));
        memset(e->store, 0, sizeof(e->store));
        e->transient_load = e->transient_store = 0;
        e->areas_seen = generation;
    } else if (e->transient_load | e->transient_store) {
        skep_exec_forget(e);
    }
    if (e->error.fault)
        e->error = (struct skep_vm_error){.insn = UINT32_MAX};
}

/* What a run that is over still held. */
static void drop_held(struct skep_exec *e)
{
    if (e->n_refs) {
        skep_exec_fault(e, SKEP_VM_FAULT_HELPER, UINT32_MAX, 0,
                        "ends with a reserved record that was neither submitted nor discarded");
        for (unsigned i = 0; i < SKEP_REFS; i++)
            if (e->refs[i].start)
                skep_ring_commit(e->refs[i].map, e->refs[i].offset, 0, true);
        memset(e->refs, 0, sizeof(e->refs));
        e->n_refs = 0;
    }
    if (e->lock) {
        skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, e->lock, "ends with a spin lock held");
        __atomic_store_n((uint32_t *)(uintptr_t)e->lock, 0, __ATOMIC_RELEASE);
        e->lock = 0;
    }
    if (e->n_dynptrs) {
        for (unsigned i = 0; i < SKEP_DYNPTRS; i++)
            e->dynptrs[i].kind = SKEP_DYNPTR_NONE;
        e->n_dynptrs = 0;
    }
}

static void end(struct skep_exec *e)
{
    struct skep_vm *vm = e->vm;
    e->memory.size = e->writable.size = 0;
    if (e->packet_object) {
        e->packet.size = 0;
        e->packet_object = NULL;
    }
    e->running = false;
    __atomic_store_n(&e->era, 0, __ATOMIC_RELEASE);
    if (__builtin_expect(__atomic_load_n(&vm->retired, __ATOMIC_RELAXED) != NULL, 0))
        skep_vm_reclaim(vm);
}

int skep_exec_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                  uint64_t *ret_value)
{
    begin(e, p);
    bool ok = p->jit ? skep_jit_run(e, p, r1, r2, &e->value) : skep_interp_run(e, p, r1, r2, &e->value);
    if (!ok && e->fault == SKEP_FAULT_LEAVE) {
        e->fault = SKEP_VM_FAULT_NONE;
        e->value = 0;
    }
    if (e->n_refs || e->lock || e->n_dynptrs)
        drop_held(e);
    int r = 0;
    if (__builtin_expect(e->fault != SKEP_VM_FAULT_NONE, 0)) {
        skep_exec_describe(e);
        r = e->error.error;
    } else {
        *ret_value = e->value;
    }
    end(e);
    return r;
}

/* A run that does not even begin. */
static int refuse(struct skep_exec *e, int error, const char *text)
{
    e->memory.size = e->writable.size = 0;
    e->error = (struct skep_vm_error){.fault = SKEP_VM_FAULT_HELPER, .error = error, .insn = UINT32_MAX};
    snprintf(e->error.message, sizeof(e->error.message), "%s", text);
    return error;
}

int skep_vm_run(struct skep_vm_thread *t, const struct skep_vm_program *p, void *memory, size_t size,
                uint64_t *ret_value)
{
    struct skep_exec *e = skep_exec_of(t);
    if (e->running)
        return -EBUSY;
    if (p->vm != e->vm)
        return refuse(e, -EINVAL, "program and thread are of different vms");
    if (!memory)
        size = 0;
    e->memory.start = e->writable.start = (uintptr_t)memory;
    e->memory.size = e->writable.size = size;
    e->memory.readable = e->writable.readable = e->writable.writable = true;
    if (__builtin_expect(p->context != NULL, 0)) {
        if (p->context->packet)
            return refuse(e, -EINVAL, "the program wants a packet");
        if (size != p->context->memory)
            return refuse(e, -EINVAL, "the memory is not of the size of the program's context");
        e->writable.start += p->context->write_from;
        e->writable.size = p->context->write_to - p->context->write_from;
    }
    return skep_exec_run(e, p, (uintptr_t)memory, size, ret_value);
}

/* ---- threads ---- */

static int map_stack(struct skep_exec *e)
{
    /* beyond the pages of the stack, and before them, nothing may be touched */
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = ROUND_UP(STACK_SIZE, page);
    uint8_t *map = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return -ENOMEM;
    e->stack_map = map;
    e->stack_map_size = size + 2 * page;
    if (mprotect(map + page, size, PROT_READ | PROT_WRITE) < 0)
        return -ENOMEM;
    e->frames_end = (uintptr_t)map + page + size;
    return 0;
}

int skep_vm_thread_new(struct skep_vm *vm, const struct skep_vm_thread_options *given,
                       struct skep_vm_thread **ret_t)
{
    struct skep_vm_thread_options o = {0};
    if (given)
        memcpy(&o, given, MIN(given->size, sizeof(o)));
    if (o.cpu >= vm->cpus)
        return -EINVAL;
    struct skep_exec *e = skep_vm_calloc(vm, 1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->vm = vm;
    e->cpu = o.cpu;
    e->error.insn = UINT32_MAX;
    skep_vm_thread_set_fuel(skep_exec_thread(e), o.fuel);
    skep_vm_thread_set_task(skep_exec_thread(e), o.task);
    int r = map_stack(e);
    if (r == 0)
        r = skep_vm_add_exec(vm, e);
    if (r < 0) {
        skep_vm_thread_free(skep_exec_thread(e));
        return r;
    }
    *ret_t = skep_exec_thread(e);
    return 0;
}

struct skep_vm_thread *skep_vm_thread_free(struct skep_vm_thread *t)
{
    if (!t)
        return NULL;
    struct skep_exec *e = skep_exec_of(t);
    skep_vm_remove_exec(e->vm, e);
    if (e->stack_map)
        munmap(e->stack_map, e->stack_map_size);
    skep_vm_release(e->vm, e);
    return NULL;
}

void skep_vm_thread_set_fuel(struct skep_vm_thread *t, uint64_t fuel)
{
    /* half of the numbers, so that what is left can be compared as signed */
    skep_exec_of(t)->fuel_limit = fuel ? MIN(fuel, (uint64_t)INT64_MAX) : FUEL_DEFAULT;
}

void skep_vm_thread_set_task(struct skep_vm_thread *t, const struct skep_vm_task *task)
{
    struct skep_exec *e = skep_exec_of(t);
    e->task = (struct skep_vm_task){0};
    if (task)
        memcpy(&e->task, task, MIN(task->size, sizeof(e->task)));
    e->task.comm[sizeof(e->task.comm) - 1] = '\0';
}

struct skep_vm *skep_vm_thread_vm(const struct skep_vm_thread *t)
{
    return ((const struct skep_exec *)t)->vm;
}

uint64_t skep_vm_thread_used(const struct skep_vm_thread *t)
{
    const struct skep_exec *e = (const struct skep_exec *)t;
    return e->fuel_given - e->fuel;
}

const struct skep_vm_error *skep_vm_thread_error(const struct skep_vm_thread *t)
{
    return &((const struct skep_exec *)t)->error;
}

int skep_vm_thread_add_region(struct skep_vm_thread *t, void *base, size_t size, bool writable)
{
    struct skep_exec *e = skep_exec_of(t);
    if (!base || !size || (uintptr_t)base + size < (uintptr_t)base)
        return -EINVAL;
    if (e->n_host == SKEP_HOST_REGIONS)
        return -ENOSPC;
    e->host[e->n_host++] = (struct skep_region){(uintptr_t)base, size, true, writable};
    return 0;
}

int skep_vm_thread_remove_region(struct skep_vm_thread *t, void *base)
{
    struct skep_exec *e = skep_exec_of(t);
    for (unsigned i = 0; i < e->n_host; i++) {
        if (e->host[i].start != (uintptr_t)base)
            continue;
        e->host[i] = e->host[--e->n_host];
        skep_exec_forget(e);
        return 0;
    }
    return -ENOENT;
}

void skep_vm_thread_set_trace(struct skep_vm_thread *t, skep_vm_trace_fn cb, void *data)
{
    struct skep_exec *e = skep_exec_of(t);
    e->trace = cb;
    e->trace_data = data;
}

void *skep_vm_thread_memory(struct skep_vm_thread *t, uint64_t address, size_t size, bool write)
{
    return skep_exec_memory(skep_exec_of(t), address, size, write);
}

void skep_vm_thread_fail(struct skep_vm_thread *t, enum skep_vm_fault fault, const char *text)
{
    if (fault == SKEP_VM_FAULT_NONE || fault > SKEP_VM_FAULT_STOPPED)
        fault = SKEP_VM_FAULT_HELPER;
    skep_exec_fault(skep_exec_of(t), fault, UINT32_MAX, 0, text);
}

int skep_vm_thread_call(struct skep_vm_thread *t, uint64_t function, const uint64_t args[5],
                        uint64_t *ret_value)
{
    struct skep_exec *e = skep_exec_of(t);
    if (!e->running)
        return -EINVAL;
    return skep_exec_call(e, function, args, ret_value) ? 0 : skep_fault_errno(e->fault);
}
