/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a program: it is refused with a place and a reason, or it runs over some memory to a result
 * or an error within its fuel, joined and traced alike. */
#include "vm/exec.h"
#include "vm/program.h"

#define FUEL 1000
#define MEMORY 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct skep_vm *vm;
static struct skep_vm_thread *t;
static uint8_t *memory; /* always at one place: programs may look at their addresses */

static void make(void)
{
    const struct skep_vm_options o = {.size = sizeof(o), .mode = SKEP_VM_MODE_INTERPRET, .cpus = 1};
    const struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = FUEL};
    if (skep_vm_new(&o, &vm) < 0 || skep_vm_thread_new(vm, &to, &t) < 0)
        abort();
    memory = malloc(MEMORY);
}

static void ignore(void *data, const struct skep_vm_program *p, uint32_t insn, const uint64_t registers[11])
{
    size_t n;
    skep_vm_program_insns(p, &n);
    if (insn >= n || !registers[10])
        abort();
    ++*(uint64_t *)data;
}

struct outcome {
    int r;
    uint64_t used;
    uint32_t insn;
};

static struct outcome run(const struct skep_vm_program *p)
{
    struct outcome o = {0};
    memset(memory, 0, MEMORY);
    uint64_t value;
    o.r = skep_vm_run(t, p, memory, MEMORY, &value);
    o.used = skep_vm_thread_used(t);
    const struct skep_vm_error *error = skep_vm_thread_error(t);
    if ((o.r < 0) != (error->fault != SKEP_VM_FAULT_NONE) || o.used > FUEL)
        abort();
    if (o.r < 0 && !error->message[0])
        abort();
    o.insn = error->insn;
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!vm)
        make();
    if (size > 4096)
        return 0;
    struct skep_vm_error error;
    const struct skep_vm_program_options o = {.size = sizeof(o), .insns = data, .n_insns = size / 8};
    struct skep_vm_program *p = NULL;
    if (skep_vm_program_load(vm, &o, &p, &error) < 0) {
        if (p || error.fault != SKEP_VM_FAULT_LOAD || !error.message[0])
            abort();
        return 0;
    }
    struct outcome joined = run(p);
    uint64_t steps = 0;
    skep_vm_thread_set_trace(t, ignore, &steps);
    struct outcome single = run(p);
    skep_vm_thread_set_trace(t, NULL, NULL);
    /* helpers tell the time and random numbers */
    bool calls = false;
    for (uint32_t i = 0; i < p->n_insns; i++)
        calls = calls || skep_opcode_info(p->ops[i])->flags & SKEP_OPF_CALL;
    if (!calls && (joined.r != single.r || joined.used != single.used || joined.insn != single.insn))
        abort();
    skep_vm_program_unref(p);
    return 0;
}
