/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "vm/program.h"
#include "vm/vm.h"

/* How far from a region an address is still called near it. */
#define NEAR 65536

static const struct {
    const char *name;
    int error;
    const char *text;
} faults[] = {
    [SKEP_VM_FAULT_NONE] = {"none", 0, "no error"},
    [SKEP_VM_FAULT_LOAD] = {"load", -EINVAL, "the program is malformed"},
    [SKEP_VM_FAULT_READ] = {"read", -EFAULT, "reads memory that it may not read"},
    [SKEP_VM_FAULT_WRITE] = {"write", -EFAULT, "writes memory that it may not write"},
    [SKEP_VM_FAULT_FUEL] = {"fuel", -ETIME, "out of fuel: more instructions than allowed"},
    [SKEP_VM_FAULT_STACK] = {"stack", -E2BIG, "calls are nested more than 8 deep"},
    [SKEP_VM_FAULT_CALL] = {"call", -ENOSYS, "calls a function that does not exist"},
    [SKEP_VM_FAULT_HANDLE] = {"handle", -EBADF, "an argument is not the object that it should be"},
    [SKEP_VM_FAULT_HELPER] = {"helper", -EINVAL, "a helper refused its arguments"},
    [SKEP_VM_FAULT_LOCK] = {"lock", -EDEADLK, "a spin lock is taken twice, or held at the end"},
    [SKEP_VM_FAULT_ALIGN] = {"align", -EINVAL, "an atomic access is not aligned"},
    [SKEP_VM_FAULT_RELOC] = {"reloc", -ENOEXEC, "reaches an instruction that could not be relocated"},
    [SKEP_VM_FAULT_MEMORY] = {"memory", -ENOMEM, "the host has no memory left"},
    [SKEP_VM_FAULT_STOPPED] = {"stopped", -EINTR, "the host asked the run to stop"},
};

const char *skep_vm_fault_name(enum skep_vm_fault fault)
{
    return (size_t)fault < ARRAY_SIZE(faults) ? faults[fault].name : "unknown";
}

int skep_fault_errno(enum skep_vm_fault fault)
{
    return (size_t)fault < ARRAY_SIZE(faults) ? faults[fault].error : -EINVAL;
}

/* Text of bounded length, cut off where it does not fit. */
struct line {
    char *s;
    size_t size, len;
};

SKEP_PRINTF(2, 3)
static void put(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->s + l->len, l->size - l->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->len = MIN(l->len + (size_t)n, l->size - 1);
}

/* The region that an address lies in or near. */
struct place {
    const char *what;
    struct skep_region region;
    uint64_t distance; /* 0: inside */
    bool found;
};

static void consider(struct place *best, uint64_t address, const char *what, const struct skep_region *region)
{
    if (!region->size)
        return;
    uint64_t end = region->start + region->size;
    uint64_t distance = address < region->start ? region->start - address
                        : address >= end        ? address - end + 1
                                                : 0;
    if (distance > NEAR || (best->found && distance >= best->distance))
        return;
    *best = (struct place){.what = what, .region = *region, .distance = distance, .found = true};
}

static struct place find_place(struct skep_exec *e, uint64_t address)
{
    struct place best = {0};
    const uint64_t depth = SKEP_FRAME_SIZE * (uint64_t)(e->depth + 1);
    const struct skep_region stack = {e->frames_end - depth, depth, true, true};
    consider(&best, address, "the stack", &stack);
    consider(&best, address, e->packet_object ? "the context" : "the memory of the run", &e->memory);
    consider(&best, address, "the packet", &e->packet);
    for (unsigned i = 0; i < e->n_host; i++)
        consider(&best, address, "memory of the host", &e->host[i]);
    for (unsigned i = 0; i < SKEP_REFS; i++) {
        const struct skep_region record = {e->refs[i].start, e->refs[i].size, true, true};
        if (e->refs[i].start)
            consider(&best, address, "a reserved record", &record);
    }
    const struct skep_areas *areas = __atomic_load_n(&e->vm->areas, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < areas->n; i++) {
        const struct skep_area_ref *a = &areas->list[i];
        const struct skep_region region = {a->start, a->size, a->readable, a->writable};
        consider(&best, address, "values of a map", &region);
    }
    return best;
}

static void put_place(struct skep_exec *e, struct line *l, uint64_t address, uint64_t size, bool write)
{
    if (SKEP_HANDLE_TAG(address) == SKEP_HANDLE_MAP) {
        put(l, ", which is a map and no address");
        return;
    }
    if (SKEP_HANDLE_TAG(address) == SKEP_HANDLE_FUNCTION) {
        put(l, ", which is a function and no address");
        return;
    }
    if (address < 4096) {
        put(l, address ? ", near the null pointer" : ", the null pointer");
        return;
    }
    struct place at = find_place(e, address);
    if (!at.found) {
        put(l, ", which is nothing that it may touch");
        return;
    }
    uint64_t end = at.region.start + at.region.size;
    bool inside = !at.distance && size <= end - address;
    if (inside)
        put(l, ", in %s, which it may not %s", at.what, write ? "write" : "read");
    else if (address < at.region.start)
        put(l, ", %llu bytes before the start of %s (%llu bytes)",
            (unsigned long long)(at.region.start - address), at.what, (unsigned long long)at.region.size);
    else if (address >= end)
        put(l, ", %llu bytes past the end of %s (%llu bytes)", (unsigned long long)(address - end), at.what,
            (unsigned long long)at.region.size);
    else
        put(l, ", across the end of %s (%llu bytes)", at.what, (unsigned long long)at.region.size);
}

static void put_access(struct skep_exec *e, struct line *l, bool write)
{
    uint64_t size = 1;
    const struct skep_vm_program *p = e->program;
    if (p && e->insn < p->n_insns)
        size = MAX(skep_opcode_info(p->ops[e->insn])->bits / 8, 1);
    put(l, "%s %llu byte%s at 0x%llx", write ? "writes" : "reads", (unsigned long long)size,
        size == 1 ? "" : "s", (unsigned long long)e->address);
    put_place(e, l, e->address, size, write);
}

void skep_exec_describe(struct skep_exec *e)
{
    enum skep_vm_fault fault = e->fault;
    e->error.fault = fault;
    e->error.error = skep_fault_errno(fault);
    e->error.insn = e->insn;
    e->error.address = e->address;
    struct line l = {.s = e->error.message, .size = sizeof(e->error.message)};
    l.s[0] = '\0';
    if (e->insn != UINT32_MAX)
        put(&l, "instruction %u: ", e->insn);
    if (e->text[0])
        put(&l, "%s", e->text);
    else if ((fault == SKEP_VM_FAULT_READ || fault == SKEP_VM_FAULT_WRITE))
        put_access(e, &l, fault == SKEP_VM_FAULT_WRITE);
    else
        put(&l, "%s", faults[(size_t)fault < ARRAY_SIZE(faults) ? fault : 0].text);
}

/* An access by a helper: how much and where is known only now. */
static void fault_memory(struct skep_exec *e, uint64_t address, uint64_t size, bool write)
{
    char text[sizeof(e->text)];
    struct line l = {.s = text, .size = sizeof(text)};
    put(&l, "the helper that it calls %s %llu byte%s at 0x%llx", write ? "writes" : "reads",
        (unsigned long long)size, size == 1 ? "" : "s", (unsigned long long)address);
    put_place(e, &l, address, size, write);
    skep_exec_fault(e, write ? SKEP_VM_FAULT_WRITE : SKEP_VM_FAULT_READ, UINT32_MAX, address, text);
}

static bool is_trusted(const struct skep_exec *e)
{
    return e->program && e->program->mode == SKEP_VM_MODE_TRUSTED;
}

bool skep_exec_work(struct skep_exec *e, uint64_t bytes)
{
    if (bytes <= SKEP_FRAME_SIZE || is_trusted(e))
        return true;
    const uint64_t cost = bytes / SKEP_WORK_BYTES;
    if (cost <= e->fuel) {
        e->fuel -= cost;
        return true;
    }
    e->fuel = 0;
    skep_exec_fault(e, SKEP_VM_FAULT_FUEL, UINT32_MAX, 0, NULL);
    return false;
}

void *skep_exec_memory(struct skep_exec *e, uint64_t address, uint64_t size, bool write)
{
    if (size == 0)
        return e->text; /* not NULL; not to be followed */
    if (!is_trusted(e) && !skep_exec_check(e, address, size, write, NULL)) {
        fault_memory(e, address, size, write);
        return NULL;
    }
    return skep_exec_work(e, size) ? (void *)(uintptr_t)address : NULL;
}

void skep_exec_fault(struct skep_exec *e, enum skep_vm_fault fault, uint32_t insn, uint64_t address,
                     const char *text)
{
    if (e->fault)
        return;
    e->fault = fault;
    e->insn = insn;
    e->address = address;
    snprintf(e->text, sizeof(e->text), "%s", text ? text : "");
}
