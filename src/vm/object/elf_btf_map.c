/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <linux/bpf.h>
#include <stdarg.h>

#include "vm/btf/btf.h"
#include "vm/object/elf.h"

/*
 * A map is a variable whose type is a structure that nobody ever fills in: the types of its members are what counts. A
 * number is the length of an array that the member points to, a type is what it points to.
 */

/* A definition that is being read. */
struct reading {
    struct skep_elf *elf;
    struct skep_elf_map *m;
    const char *name; /* of the variable, also for the definition inside of it */
    bool inner;
};

SKEP_PRINTF(2, 3)
static int complain(const struct reading *g, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    skep_elf_error(g->elf, "section '.maps': %smap '%s': %s", g->inner ? "inner map of " : "", g->name, text);
    return -EINVAL;
}

/* The variable of that name in .maps, NULL: none. */
static const struct btf_type *find_variable(const struct skep_elf *elf, const char *name)
{
    const struct btf_type *t = elf->btf_maps;
    const struct btf_var_secinfo *v = t ? (const struct btf_var_secinfo *)(t + 1) : NULL;
    for (uint32_t i = 0; v && i < BTF_INFO_VLEN(t->info); i++) {
        const struct btf_type *var = skep_btf_type(elf->btf, v[i].type);
        if (var && BTF_INFO_KIND(var->info) == BTF_KIND_VAR && skep_streq(skep_btf_name(elf->btf, var), name))
            return var;
    }
    return NULL;
}

static int read_number(const struct reading *g, const char *member, const struct btf_type *t, uint32_t *ret)
{
    const struct skep_btf *btf = g->elf->btf;
    if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM && BTF_INFO_VLEN(t->info) == 1) {
        *ret = (uint32_t)((const struct btf_enum *)(t + 1))->val;
        return 0;
    }
    if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM64 && BTF_INFO_VLEN(t->info) == 1) {
        *ret = ((const struct btf_enum64 *)(t + 1))->val_lo32;
        return 0;
    }
    if (BTF_INFO_KIND(t->info) == BTF_KIND_PTR) {
        t = skep_btf_resolve(btf, t->type);
        if (t && BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY) {
            *ret = ((const struct btf_array *)(t + 1))->nelems;
            return 0;
        }
    }
    return complain(g, "member '%s' is not a number: a pointer to an array of that length", member);
}

static int read_size(const struct reading *g, const char *member, const struct btf_type *t, uint32_t *size)
{
    int64_t n = BTF_INFO_KIND(t->info) == BTF_KIND_PTR ? skep_btf_size(g->elf->btf, t->type) : -1;
    if (n < 0 || n > INT32_MAX)
        return complain(g, "member '%s' is not a pointer to a type with a size", member);
    if (*size && *size != n)
        return complain(g, "member '%s' has %lld bytes, but %u were given", member, (long long)n, *size);
    *size = (uint32_t)n;
    return 0;
}

static int read_definition(struct reading *g, const struct btf_type *t);

static bool is_map_of_maps(uint32_t type)
{
    return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* values: an array of pointers, to the definition of inner maps or to functions. */
static int read_values(struct reading *g, const struct btf_type *t, uint32_t offset)
{
    const struct skep_btf *btf = g->elf->btf;
    const struct btf_type *to = NULL;
    if (BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY) {
        to = skep_btf_resolve(btf, ((const struct btf_array *)(t + 1))->type);
        to = to && BTF_INFO_KIND(to->info) == BTF_KIND_PTR ? skep_btf_resolve(btf, to->type) : NULL;
    }
    if (!to)
        return complain(g, "member 'values' is not an array of pointers");
    if (g->inner)
        return complain(g, "it has inner maps of its own");
    g->m->values_at = offset;
    if (g->m->value_size && g->m->value_size != sizeof(uint32_t))
        return complain(g, "its values are named, but have %u bytes, not 4", g->m->value_size);
    g->m->value_size = sizeof(uint32_t);
    if (BTF_INFO_KIND(to->info) == BTF_KIND_FUNC_PROTO)
        return g->m->type == BPF_MAP_TYPE_PROG_ARRAY ? 0 : complain(g, "only a prog array holds programs");
    if (BTF_INFO_KIND(to->info) != BTF_KIND_STRUCT)
        return complain(g, "its values are neither maps nor programs");
    struct skep_elf_map *inner = skep_vm_arena_calloc(&g->elf->arena, 1, sizeof(*inner));
    if (!inner)
        return skep_elf_no_memory(g->elf);
    *inner = (struct skep_elf_map){.name = g->name, .values_at = SKEP_ELF_NONE};
    struct reading of_inner = {.elf = g->elf, .m = inner, .name = g->name, .inner = true};
    int r = read_definition(&of_inner, to);
    if (r == 0)
        g->m->inner = inner;
    return r;
}

static int read_member(struct reading *g, const char *name, const struct btf_type *t, uint32_t offset)
{
    struct skep_elf_map *m = g->m;
    uint32_t n = 0;
    if (skep_streq(name, "key"))
        return read_size(g, name, t, &m->key_size);
    if (skep_streq(name, "value"))
        return read_size(g, name, t, &m->value_size);
    if (skep_streq(name, "values"))
        return read_values(g, t, offset);
    int r = read_number(g, name, t, &n);
    if (r < 0)
        return r;
    const struct {
        const char *name;
        uint32_t *to;
    } numbers[] = {
        {"type", &m->type},
        {"key_size", &m->key_size},
        {"value_size", &m->value_size},
        {"max_entries", &m->max_entries},
        {"map_flags", &m->flags},
        {"pinning", &m->pinning},
    };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (skep_streq(name, numbers[i].name)) {
            bool size = numbers[i].to == &m->key_size || numbers[i].to == &m->value_size;
            if (size && *numbers[i].to && *numbers[i].to != n)
                return complain(g, "member '%s' is %u, but the type has %u bytes", name, n, *numbers[i].to);
            *numbers[i].to = n;
            return 0;
        }
    if (skep_streq(name, "map_extra"))
        m->extra = n;
    else if (!skep_streq(name, "numa_node"))
        skep_elf_warn(g->elf, "section '.maps': map '%s': member '%s' is not known and ignored", g->name,
                      name);
    return 0;
}

static int read_definition(struct reading *g, const struct btf_type *t)
{
    const struct skep_btf *btf = g->elf->btf;
    const struct btf_member *members = (const struct btf_member *)(t + 1);
    for (uint32_t i = 0; i < BTF_INFO_VLEN(t->info); i++) {
        const char *name = skep_btf_string(btf, members[i].name_off);
        const struct btf_type *type = skep_btf_resolve(btf, members[i].type);
        if (!type || BTF_INFO_KFLAG(t->info))
            return complain(g, "member '%s' has no type that can be read", name);
        int r = read_member(g, name, type, members[i].offset / 8);
        if (r < 0)
            return r;
    }
    if (is_map_of_maps(g->m->type) && !g->m->inner)
        return complain(g, "it is a map of maps, and its inner maps are not defined (member 'values')");
    return 0;
}

int skep_elf_read_btf_map(struct skep_elf *elf, struct skep_elf_map *m)
{
    struct reading g = {.elf = elf, .m = m, .name = m->name};
    if (!elf->btf)
        return complain(&g, "the object has no section '.BTF' that says what it is; compile with -g");
    const struct btf_type *t = find_variable(elf, m->name);
    if (t)
        t = skep_btf_resolve(elf->btf, t->type);
    if (!t || BTF_INFO_KIND(t->info) != BTF_KIND_STRUCT)
        return complain(&g, "there is no variable of that name in the BTF, or it is no structure");
    return read_definition(&g, t);
}

static int read_slot(struct skep_elf *elf, struct skep_elf_map *m, uint64_t from,
                     const struct skep_elf_reloc *reloc)
{
    struct reading g = {.elf = elf, .m = m, .name = m->name};
    const struct skep_elf_symbol *s = &elf->symbols[reloc->symbol];
    uint64_t at = reloc->offset - from, target;
    if (at % sizeof(target) || reloc->offset + sizeof(target) > m->offset + m->size ||
        at / sizeof(target) >= UINT32_MAX)
        return complain(&g, "its initialiser at offset %llu is not a pointer",
                        (unsigned long long)reloc->offset);
    memcpy(&target, elf->sections[m->section].data + reloc->offset, sizeof(target));
    target += s->value + (uint64_t)reloc->addend;
    uint32_t key = (uint32_t)(at / sizeof(target));
    if (m->inner) {
        uint32_t map = skep_elf_map_at(elf, s->section, target);
        if (map == SKEP_ELF_NONE)
            return complain(&g, "its value %u ('%s') is not a map", key, s->name);
        return skep_elf_add_slot(elf, m, key, false, map);
    }
    uint32_t function = target % sizeof(struct skep_insn)
                            ? SKEP_ELF_NONE
                            : skep_elf_function_at(elf, s->section, target / sizeof(struct skep_insn));
    uint32_t program = function == SKEP_ELF_NONE ? SKEP_ELF_NONE : skep_elf_program_of(elf, function);
    if (program == SKEP_ELF_NONE || elf->functions[function].start != target / sizeof(struct skep_insn))
        return complain(&g, "its value %u ('%s') is not a program", key, s->name);
    return skep_elf_add_slot(elf, m, key, true, program);
}

int skep_elf_read_btf_slots(struct skep_elf *elf, struct skep_elf_map *m)
{
    if (m->values_at == SKEP_ELF_NONE)
        return 0;
    const struct skep_elf_section *s = &elf->sections[m->section];
    uint64_t from = m->offset + m->values_at;
    size_t n;
    const struct skep_elf_reloc *relocs = skep_elf_relocs(s, from, m->offset + m->size, &n);
    for (size_t i = 0; i < n && s->data; i++) {
        int r = relocs[i].type == SKEP_R_BPF_NONE ? 0 : read_slot(elf, m, from, &relocs[i]);
        if (r < 0)
            return r;
    }
    return 0;
}
