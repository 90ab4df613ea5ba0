/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an object: read, linked, loaded and run. Tables that were read hold what their header promises.
 */
#include <skep/vm.h>

#include "base/strbuf.h"
#include "vm/object/elf.h"

#define PROGRAMS 4
#define FUEL 2000

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(void *data, bool error, const char *text)
{
    size_t n = strlen(text), len;
    (void)data;
    (void)error;
    check(n > 0);
    for (size_t i = 0; i < n; i += len) {
        len = skep_utf8_len((const uint8_t *)text + i, n - i);
        check(len > 0 && (uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
    }
}

static int resolve(void *data, enum skep_vm_extern kind, const char *name, uint64_t *ret, char *text,
                   size_t size)
{
    (void)data;
    size_t n = strlen(name);
    if (n % 3 == 0)
        return -ENOENT;
    *ret = kind == SKEP_VM_EXTERN_KFUNC ? n : n % 2;
    if (size)
        snprintf(text, size, "%s", name);
    return 0;
}

static void check_elf(struct skep_elf *elf)
{
    for (uint32_t i = 0; i < elf->n_maps; i++) {
        const struct skep_elf_map *m = &elf->maps[i];
        check(m->section < elf->n_sections && m->name);
        check(m->dialect == SKEP_ELF_DIALECT_KCONFIG ||
              m->offset + m->size <= elf->sections[m->section].size);
        for (uint32_t k = 0; k < m->n_slots; k++)
            check(m->slots[k].target < (m->slots[k].program ? elf->n_programs : elf->n_maps));
    }
    for (uint32_t i = 0; i < elf->n_functions; i++) {
        const struct skep_elf_function *f = &elf->functions[i];
        check(f->n > 0 &&
              ((uint64_t)f->start + f->n) * sizeof(struct skep_insn) <= elf->sections[f->section].size);
        check(skep_elf_function_at(elf, f->section, f->start) == i);
    }
    for (uint32_t i = 0; i < elf->n_programs && i < PROGRAMS; i++) {
        struct skep_vm_arena a;
        struct skep_elf_code code;
        skep_vm_arena_init(&a, NULL, 64 << 20);
        check(skep_elf_program_of(elf, elf->programs[i].function) == i);
        if (skep_elf_link(elf, i, &a, &code) == 0) {
            check(code.n_parts > 0 && code.parts[0].function == elf->programs[i].function);
            for (uint32_t k = 0; k < code.n_externs; k++)
                check(code.externs[k].insn < code.n_insns && code.externs[k].symbol < elf->n_symbols);
        }
        skep_vm_arena_clear(&a);
    }
}

static void run(struct skep_vm *vm, const uint8_t *data, size_t size)
{
    const struct skep_vm_object_options o = {
        .size = sizeof(o), .log = check_text, .resolve = resolve, .mode = SKEP_VM_MODE_INTERPRET};
    struct skep_vm_object *object;
    if (skep_vm_object_open(vm, data, size, &o, &object) < 0)
        return;
    skep_vm_object_load(object);
    struct skep_vm_thread *t;
    const struct skep_vm_thread_options options = {.size = sizeof(options), .fuel = FUEL};
    check(skep_vm_thread_new(vm, &options, &t) == 0);
    for (size_t i = 0; i < PROGRAMS; i++) {
        uint8_t memory[64] = {0};
        uint64_t value;
        struct skep_vm_program *p = skep_vm_object_program(object, NULL, i);
        if (p)
            skep_vm_run(t, p, memory, sizeof(memory), &value);
    }
    skep_vm_thread_free(t);
    skep_vm_object_free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct skep_elf_options o = {.log = check_text};
    struct skep_elf *elf;
    if (skep_elf_open(data, n, &o, &elf) < 0)
        return 0;
    check_elf(elf);
    skep_elf_close(elf);
    struct skep_vm *vm;
    const struct skep_vm_options options = {.size = sizeof(options), .cpus = 2, .memory = 4 << 20};
    check(skep_vm_new(&options, &vm) == 0);
    run(vm, data, n);
    skep_vm_free(vm);
    return 0;
}
