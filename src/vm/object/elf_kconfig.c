/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <linux/bpf.h>

#include "vm/btf/btf.h"
#include "vm/object/elf.h"

/*
 * Variables of .kconfig are declared and never defined: the BTF knows their types, symbols without a section their
 * names. They become one map, laid out here, of which the loader fills in what the host says.
 */

static int complain(const struct skep_elf *elf, const char *name, const char *text)
{
    skep_elf_error(elf, "section '.kconfig': '%s' %s", name, text);
    return -EINVAL;
}

static int read_number(struct skep_elf_kconfig *k, const struct btf_type *t)
{
    uint32_t encoding =
        BTF_INFO_KIND(t->info) == BTF_KIND_INT ? BTF_INT_ENCODING(*(const uint32_t *)(t + 1)) : 0;
    k->size = t->size;
    k->sign = encoding & BTF_INT_SIGNED;
    k->tristate = encoding & BTF_INT_BOOL || BTF_INFO_KIND(t->info) == BTF_KIND_ENUM;
    return t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8 ? 0 : -EINVAL;
}

static int read_type(const struct skep_elf *elf, struct skep_elf_kconfig *k, uint32_t id)
{
    const struct btf_type *t = skep_btf_resolve(elf->btf, id);
    int r = -EINVAL;
    if (t && (BTF_INFO_KIND(t->info) == BTF_KIND_INT || BTF_INFO_KIND(t->info) == BTF_KIND_ENUM))
        r = read_number(k, t);
    if (t && BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY) {
        const struct btf_array *array = (const struct btf_array *)(t + 1);
        k->text = true;
        k->size = array->nelems;
        r = skep_btf_size(elf->btf, array->type) == 1 && k->size ? 0 : -EINVAL;
    }
    return r < 0 ? complain(elf, k->name, "is neither a number nor text") : 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct skep_elf_kconfig *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int read_section(struct skep_elf *elf, const struct btf_type *t)
{
    const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)(t + 1);
    uint32_t n = BTF_INFO_VLEN(t->info);
    elf->kconfigs = skep_vm_arena_calloc(&elf->arena, n, sizeof(*elf->kconfigs));
    if (!elf->kconfigs)
        return skep_elf_no_memory(elf);
    for (uint32_t i = 0; i < n; i++) {
        const struct btf_type *var = skep_btf_type(elf->btf, v[i].type);
        if (!var || BTF_INFO_KIND(var->info) != BTF_KIND_VAR)
            continue;
        struct skep_elf_kconfig *k = &elf->kconfigs[elf->n_kconfigs++];
        k->name = skep_btf_string(elf->btf, var->name_off);
        int r = read_type(elf, k, var->type);
        if (r < 0)
            return r;
    }
    if (elf->n_kconfigs)
        qsort(elf->kconfigs, elf->n_kconfigs, sizeof(*elf->kconfigs), compare_names);
    return 0;
}

static int lay_out(struct skep_elf *elf)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < elf->n_kconfigs; i++) {
        struct skep_elf_kconfig *k = &elf->kconfigs[i];
        size = ROUND_UP(size, (uint64_t)(k->text ? 1 : k->size));
        k->offset = (uint32_t)size;
        size += k->size;
        if (size > SKEP_ELF_DATA_MAX) {
            skep_elf_error(elf, "section '.kconfig' has more than %u bytes", SKEP_ELF_DATA_MAX);
            return -E2BIG;
        }
    }
    elf->kconfig_size = (uint32_t)size;
    return 0;
}

int skep_elf_read_kconfig(struct skep_elf *elf)
{
    const struct btf_type *t = elf->btf ? skep_btf_find(elf->btf, BTF_KIND_DATASEC, ".kconfig") : NULL;
    if (!t)
        return 0;
    int r = read_section(elf, t);
    if (r == 0)
        r = lay_out(elf);
    if (r < 0 || elf->kconfig_size == 0)
        return r;
    struct skep_elf_map *m =
        skep_elf_add_map(elf, ".kconfig", SKEP_ELF_DIALECT_KCONFIG, 0, 0, elf->kconfig_size);
    if (!m)
        return -E2BIG;
    m->type = BPF_MAP_TYPE_ARRAY;
    m->key_size = sizeof(uint32_t);
    m->value_size = elf->kconfig_size;
    m->max_entries = 1;
    m->flags = BPF_F_RDONLY_PROG;
    elf->kconfig_map = elf->n_maps - 1;
    for (uint32_t i = 1; i < elf->n_symbols; i++) {
        struct skep_elf_symbol *s = &elf->symbols[i];
        const struct skep_elf_kconfig key = {.name = s->name};
        if (s->defined || !s->name[0])
            continue;
        struct skep_elf_kconfig *k =
            bsearch(&key, elf->kconfigs, elf->n_kconfigs, sizeof(*elf->kconfigs), compare_names);
        if (!k)
            continue;
        k->weak = s->bind == STB_WEAK;
        s->map = elf->kconfig_map;
        s->map_offset = k->offset;
    }
    return 0;
}
