/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/jit/jit.h"

#include <sys/mman.h>

#include "vm/jit/code.h"
#include "vm/vm.h"

struct skep_jit_code *skep_jit_free(struct skep_jit_code *code)
{
    if (code) {
        if (code->mapping)
            munmap(code->mapping, code->mapping_size);
        skep_vm_release(code->vm, code);
    }
    return NULL;
}
SKEP_DEFINE_CLEANUP(struct skep_jit_code, skep_jit_free)

int skep_jit_code_new(const struct skep_vm *vm, const void *bytes, size_t size, const size_t *entries,
                      uint32_t n_entries, size_t tail_entry, struct skep_jit_code **ret_code)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = ROUND_UP(size, page);
    SKEP_CLEANUP(skep_jit_freep)
    struct skep_jit_code *c = skep_vm_calloc(vm, 1, sizeof(*c) + n_entries * sizeof(*entries));
    if (!c)
        return -ENOMEM;
    c->vm = vm;
    c->size = size;
    c->tail_entry = tail_entry;
    c->n_entries = n_entries;
    memcpy(c->entries, entries, n_entries * sizeof(*entries));
    void *mapping =
        mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return -ENOMEM;
    c->mapping = mapping;
    c->mapping_size = room + 2 * page;
    uint8_t *code = c->mapping + page;
    if (mprotect(code, room, PROT_READ | PROT_WRITE) < 0)
        return -ENOMEM;
    memcpy(code, bytes, size);
    memset(code + size, 0xcc, room - size); /* traps */
    if (mprotect(code, room, PROT_READ | PROT_EXEC) < 0)
        return -ENOMEM;
    c->code = code;
    *ret_code = TAKE_PTR(c);
    return 0;
}

const void *skep_jit_memory(const struct skep_jit_code *code, size_t *ret_size)
{
    *ret_size = code->size;
    return code->code;
}

const void *skep_jit_entry(const struct skep_jit_code *code, uint32_t function)
{
    return code->code + code->entries[function];
}

const void *skep_jit_tail_entry(const struct skep_jit_code *code)
{
    return code->code + code->tail_entry;
}

#ifndef __x86_64__
/* Another machine has no back end yet: its programs are interpreted. */
bool skep_jit_available(void)
{
    return false;
}
int skep_jit_compile(struct skep_vm_program *p, bool blind, struct skep_vm_error *reterr)
{
    (void)p, (void)blind, (void)reterr;
    return -EOPNOTSUPP;
}
bool skep_jit_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                  uint64_t *ret_value)
{
    (void)p, (void)r1, (void)r2, (void)ret_value;
    skep_exec_fault(e, SKEP_VM_FAULT_LOAD, UINT32_MAX, 0, "there is no JIT for this processor");
    return false;
}
bool skep_jit_call(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function,
                   const uint64_t args[5], uint64_t *ret_value)
{
    (void)function;
    return skep_jit_run(e, p, args[0], args[1], ret_value);
}
#endif
