/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <linux/bpf.h>

#include "vm/object/elf.h"

/* ---- sections of data ---- */

static bool is_standard(const char *name)
{
    static const char *const names[] = {".data", ".rodata", ".bss"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *rest = skep_startswith(name, names[i]);
        if (rest && (*rest == '\0' || *rest == '.'))
            return true;
    }
    return false;
}

/* Sections of other names are only data of the programs when something in the object refers to them. */
static void mark_used(const struct skep_elf *elf, bool *used)
{
    for (uint32_t i = 1; i < elf->n_sections; i++) {
        const struct skep_elf_section *s = &elf->sections[i];
        for (size_t k = 0; k < s->n_relocs && (s->kind == SKEP_ELF_CODE || s->kind == SKEP_ELF_DATA); k++)
            used[elf->symbols[s->relocs[k].symbol].section] = true;
    }
}

int skep_elf_read_data(struct skep_elf *elf)
{
    bool *used = skep_vm_arena_calloc(&elf->arena, elf->n_sections, sizeof(*used));
    if (!used)
        return skep_elf_no_memory(elf);
    mark_used(elf, used);
    for (uint32_t i = 1; i < elf->n_sections; i++) {
        struct skep_elf_section *s = &elf->sections[i];
        if (s->kind != SKEP_ELF_DATA || s->size == 0 || (!is_standard(s->name) && !used[i]))
            continue;
        if (s->size > SKEP_ELF_DATA_MAX) {
            skep_elf_error(elf, "section '%s' has %llu bytes; at most %u are loaded", s->name,
                           (unsigned long long)s->size, SKEP_ELF_DATA_MAX);
            return -E2BIG;
        }
        struct skep_elf_map *m = skep_elf_add_map(elf, s->name, SKEP_ELF_DIALECT_DATA, i, 0, s->size);
        if (!m)
            return -E2BIG;
        m->type = BPF_MAP_TYPE_ARRAY;
        m->key_size = sizeof(uint32_t);
        m->value_size = (uint32_t)s->size;
        m->max_entries = 1;
        m->flags = s->flags & SHF_WRITE ? 0 : BPF_F_RDONLY_PROG;
        s->map = elf->n_maps - 1;
    }
    return 0;
}
