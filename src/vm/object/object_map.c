/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>
#include <sys/utsname.h>

#include "vm/map/map.h"
#include "vm/object/object.h"

#define TEXT_MAX 4096

static int make_map(struct skep_vm_object *object, const struct skep_elf_map *m, struct skep_vm_map *inner,
                    struct skep_vm_map **ret_map)
{
    struct skep_vm_map_options o = {
        .size = sizeof(o),
        .name = m->name,
        .type = m->type,
        .key_size = m->key_size,
        .value_size = m->value_size,
        .max_entries = m->max_entries,
        .flags = m->flags,
        .extra = m->extra,
        .inner = inner,
    };
    if (m->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY && m->max_entries == 0)
        o.max_entries = object->vm->cpus;
    int r = skep_vm_map_new(object->vm, &o, ret_map);
    if (r < 0)
        skep_elf_error(object->elf,
                       "map '%s' (type %u, key %u, value %u, entries %u, flags 0x%x) cannot be made: %s",
                       m->name, m->type, m->key_size, m->value_size, m->max_entries, m->flags, strerror(-r));
    return r;
}

int skep_object_make_maps(struct skep_vm_object *object)
{
    for (uint32_t i = 0; i < object->elf->n_maps; i++) {
        const struct skep_elf_map *m = &object->elf->maps[i];
        struct skep_vm_map *inner = NULL;
        int r = m->inner ? make_map(object, m->inner, NULL, &inner) : 0;
        if (r == 0)
            r = make_map(object, m, inner, &object->maps[i]);
        skep_vm_map_unref(inner);
        if (r == -ENOMEM)
            return r;
        /* programs that do not use it can be loaded nevertheless */
        object->incomplete = object->incomplete || r < 0;
    }
    return 0;
}

/* ---- data ---- */

/* Addresses in data: of other data. */
static int relocate_data(struct skep_vm_object *object, const struct skep_elf_section *s, uint8_t *to)
{
    const struct skep_elf *elf = object->elf;
    for (size_t i = 0; i < s->n_relocs; i++) {
        const struct skep_elf_reloc *reloc = &s->relocs[i];
        const struct skep_elf_symbol *symbol = &elf->symbols[reloc->symbol];
        const struct skep_elf_section *target = &elf->sections[symbol->section];
        if (reloc->type == SKEP_R_BPF_NONE)
            continue;
        uint64_t value, size;
        uint8_t *area = NULL;
        if ((reloc->type == SKEP_R_BPF_64_ABS64 || reloc->type == SKEP_R_BPF_64_64) && symbol->section &&
            target->kind == SKEP_ELF_DATA && target->map != SKEP_ELF_NONE && object->maps[target->map])
            area = skep_vm_map_area(object->maps[target->map], &(size_t){0});
        if (!area || s->size - reloc->offset < sizeof(value)) {
            skep_elf_warn(elf, "section '%s', offset %llu: the address of '%s' (section '%s') cannot be data",
                          s->name, (unsigned long long)reloc->offset, symbol->name,
                          target->name ? target->name : "");
            continue;
        }
        memcpy(&value, to + reloc->offset, sizeof(value));
        value += symbol->value + (uint64_t)reloc->addend;
        size = target->size;
        if (value > size) {
            skep_elf_error(elf,
                           "section '%s', offset %llu: points to offset %llu of section '%s' (%llu bytes)",
                           s->name, (unsigned long long)reloc->offset, (unsigned long long)value,
                           target->name, (unsigned long long)size);
            return -EINVAL;
        }
        value += (uintptr_t)area;
        memcpy(to + reloc->offset, &value, sizeof(value));
    }
    return 0;
}

static int fill_data(struct skep_vm_object *object, uint32_t i)
{
    const struct skep_elf_map *m = &object->elf->maps[i];
    const struct skep_elf_section *s = &object->elf->sections[m->section];
    size_t size = 0;
    uint8_t *area = skep_vm_map_area(object->maps[i], &size);
    if (!area || size < s->size)
        return -EINVAL;
    if (s->data)
        memcpy(area, s->data, s->size);
    return s->data ? relocate_data(object, s, area) : 0;
}

int skep_object_find_extern(struct skep_vm_object *object, enum skep_vm_extern kind, const char *name,
                            uint64_t *ret, char *text, size_t size)
{
    const struct skep_vm_object_options *o = &object->options;
    *ret = 0;
    if (size)
        memset(text, 0, size);
    int r = o->resolve ? o->resolve(o->resolve_data, kind, name, ret, text, size) : -ENOENT;
    struct utsname u;
    unsigned v[3] = {0};
    if (r == -ENOENT && kind == SKEP_VM_EXTERN_KCONFIG && skep_streq(name, "LINUX_KERNEL_VERSION") &&
        uname(&u) == 0 && sscanf(u.release, "%u.%u.%u", &v[0], &v[1], &v[2]) >= 2) {
        *ret = v[0] << 16 | v[1] << 8 | MIN(v[2], 255u);
        return 0;
    }
    return r;
}

static bool fits(const struct skep_elf_kconfig *k, uint64_t value)
{
    if (k->tristate)
        return value <= (k->size == 1 ? 1 : 2);
    if (k->size == 8)
        return true;
    unsigned bits = 8 * k->size;
    int64_t n = (int64_t)value;
    return k->sign ? n >= -(1LL << (bits - 1)) && n < 1LL << (bits - 1) : value < 1ULL << bits;
}

static int fill_kconfig(struct skep_vm_object *object, uint32_t map)
{
    const struct skep_elf *elf = object->elf;
    size_t size = 0;
    uint8_t *area = skep_vm_map_area(object->maps[map], &size);
    if (!area || size < elf->kconfig_size)
        return -EINVAL;
    for (uint32_t i = 0; i < elf->n_kconfigs; i++) {
        struct skep_elf_kconfig *k = &elf->kconfigs[i];
        char text[TEXT_MAX];
        uint64_t value;
        int r = skep_object_find_extern(object, SKEP_VM_EXTERN_KCONFIG, k->name, &value, text, sizeof(text));
        if (r == -ENOENT) {
            /* stays 0; programs that need it are left out */
            k->missing = !k->weak;
            continue;
        }
        if (r < 0) {
            skep_elf_error(elf, "section '.kconfig': the value of '%s' cannot be found: %s", k->name,
                           strerror(-r));
            return r;
        }
        /* a char of the configuration is its y, n or m */
        if (!k->text && !k->tristate && k->size == 1 && text[0] && !text[1] && strchr("ynm", text[0]))
            value = (uint8_t)text[0];
        if (k->text ? strnlen(text, sizeof(text)) >= MIN(k->size, sizeof(text)) : !fits(k, value)) {
            skep_elf_error(elf, "section '.kconfig': the value of '%s' does not fit into %u bytes", k->name,
                           k->size);
            return -ERANGE;
        }
        if (k->text)
            memcpy(area + k->offset, text, strlen(text));
        else
            memcpy(area + k->offset, &value, k->size);
    }
    return 0;
}

int skep_object_fill_maps(struct skep_vm_object *object)
{
    for (uint32_t i = 0; i < object->elf->n_maps; i++) {
        const struct skep_elf_map *m = &object->elf->maps[i];
        if (!object->maps[i])
            continue;
        int r = 0;
        if (m->dialect == SKEP_ELF_DIALECT_DATA)
            r = fill_data(object, i);
        else if (m->dialect == SKEP_ELF_DIALECT_KCONFIG)
            r = fill_kconfig(object, i);
        if (r == 0 && m->dialect >= SKEP_ELF_DIALECT_DATA && m->flags & BPF_F_RDONLY_PROG)
            r = skep_vm_map_freeze(object->maps[i]);
        if (r < 0) {
            skep_elf_error(object->elf, "map '%s' cannot be filled: %s", m->name, strerror(-r));
            return r;
        }
    }
    return 0;
}

int skep_object_fill_slots(struct skep_vm_object *object)
{
    const struct skep_elf *elf = object->elf;
    for (uint32_t i = 0; i < elf->n_maps; i++) {
        const struct skep_elf_map *m = &elf->maps[i];
        for (uint32_t k = 0; k < m->n_slots && object->maps[i]; k++) {
            const struct skep_elf_slot *slot = &m->slots[k];
            uint32_t id;
            int r = -ENOENT;
            if (object->maps[i]->key_size != sizeof(slot->key)) {
                r = -EINVAL; /* only numbers can be initialised */
            } else if (slot->program ? (bool)object->programs[slot->target]
                                     : (bool)object->maps[slot->target]) {
                id = slot->program ? skep_vm_program_id(object->programs[slot->target])
                                   : skep_vm_map_id(object->maps[slot->target]);
                r = skep_vm_map_update(object->maps[i], &slot->key, &id, BPF_ANY);
            }
            if (r < 0) {
                skep_elf_error(elf, "map '%s': %s '%s' cannot be put at key %u: %s", m->name,
                               slot->program ? "program" : "map",
                               slot->program ? elf->programs[slot->target].name
                                             : elf->maps[slot->target].name,
                               slot->key, strerror(-r));
                object->incomplete = true;
            }
        }
    }
    return 0;
}
