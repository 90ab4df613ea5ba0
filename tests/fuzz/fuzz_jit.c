/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a program, in the interpreter and as checked machine code: the same result, memory, error, place of the
 * error, and fuel. */
#include "vm/exec.h"
#include "vm/program.h"

#define FUEL 1000
#define MEMORY 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int r;
    uint64_t value, used, address;
    uint32_t insn, fault;
    uint8_t memory[MEMORY];
};

static struct skep_vm *vm;
static struct skep_vm_thread *t;
static uint8_t *memory; /* always at one place: programs may look at their addresses */

/* In place of helpers that say something else each time. */
static uint64_t mix(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                    struct skep_vm_thread *thread)
{
    if (r1 % 16 == 7)
        skep_vm_thread_fail(thread, SKEP_VM_FAULT_HELPER, "seven");
    return r1 + 3 * r2 + 5 * r3 + 7 * r4 + 11 * r5;
}

static void make(void)
{
    static const uint32_t changing[] = {5, 7, 16, 14, 15, 118, 125, 160, 208, 181};
    const struct skep_vm_options o = {.size = sizeof(o), .cpus = 1};
    const struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = FUEL};
    if (skep_vm_new(&o, &vm) < 0 || skep_vm_thread_new(vm, &to, &t) < 0)
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(changing); i++)
        skep_vm_helper_register(vm, changing[i], NULL, mix);
    memory = malloc(MEMORY);
}

static bool run(const uint8_t *data, size_t size, enum skep_vm_mode mode, struct outcome *o)
{
    struct skep_vm_error error;
    const struct skep_vm_program_options options = {
        .size = sizeof(options), .insns = data, .n_insns = size / 8, .mode = mode};
    struct skep_vm_program *p = NULL;
    if (skep_vm_program_load(vm, &options, &p, &error) < 0)
        return false;
    for (size_t i = 0; i < MEMORY; i++)
        memory[i] = (uint8_t)(i * 11);
    o->r = skep_vm_run(t, p, memory, MEMORY, &o->value);
    o->used = skep_vm_thread_used(t);
    const struct skep_vm_error *e = skep_vm_thread_error(t);
    o->insn = e->insn;
    o->fault = e->fault;
    o->address = e->address;
    memcpy(o->memory, memory, MEMORY);
    skep_vm_program_unref(p);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!vm)
        make();
    if (size > 4096)
        return 0;
    struct outcome a, b;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    /* handles of functions have the number of the program in them */
    for (size_t i = 0; i + 8 <= size; i += 8)
        if (data[i] == 0x18 && data[i + 1] >> 4 == 4)
            return 0;
    bool loads = run(data, size, SKEP_VM_MODE_INTERPRET, &a);
    if (loads != run(data, size, SKEP_VM_MODE_JIT, &b) || (loads && memcmp(&a, &b, sizeof(a)) != 0))
        abort();
    return 0;
}
