/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <linux/bpf.h>

#include "vm/object/elf.h"

/* The words of the definitions that were in use before BTF, all of the same beginning. */
enum {
    WORD_TYPE,
    WORD_KEY,
    WORD_VALUE,
    WORD_ENTRIES,
    WORD_FLAGS, /* struct bpf_map_def ends here */
    WORD_ID,    /* iproute2; elsewhere the number of the inner map */
    WORD_PINNING,
    WORD_INNER_ID,
    WORD_INNER_INDEX, /* struct bpf_elf_map ends here */
    WORDS
};
#define BYTES_LEAST (4 * sizeof(uint32_t)) /* without flags */
#define BYTES_LIBBPF (5 * sizeof(uint32_t))
#define BYTES_SHORT (7 * sizeof(uint32_t)) /* iproute2 without inner maps, or the kernel's samples */
#define BYTES_IPROUTE2 (9 * sizeof(uint32_t))

static bool is_map_of_maps(uint32_t type)
{
    return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

struct skep_elf_map *skep_elf_add_map(struct skep_elf *elf, const char *name, enum skep_elf_dialect dialect,
                                      uint32_t section, uint64_t offset, uint64_t size)
{
    if (elf->n_maps == elf->room_maps) {
        skep_elf_error(elf, "more than %u maps", elf->room_maps);
        return NULL;
    }
    struct skep_elf_map *m = &elf->maps[elf->n_maps++];
    *m = (struct skep_elf_map){
        .name = name,
        .dialect = dialect,
        .section = section,
        .offset = offset,
        .size = size,
        .values_at = SKEP_ELF_NONE,
    };
    return m;
}

int skep_elf_add_slot(struct skep_elf *elf, struct skep_elf_map *m, uint32_t key, bool program,
                      uint32_t target)
{
    if (m->n_slots == m->room_slots) {
        uint32_t room = MAX(2 * m->room_slots, 4u);
        struct skep_elf_slot *slots = skep_vm_arena_calloc(&elf->arena, room, sizeof(*slots));
        if (!slots)
            return skep_elf_no_memory(elf);
        if (m->n_slots)
            memcpy(slots, m->slots, m->n_slots * sizeof(*slots));
        m->slots = slots;
        m->room_slots = room;
    }
    m->slots[m->n_slots++] = (struct skep_elf_slot){.key = key, .program = program, .target = target};
    return 0;
}

uint32_t skep_elf_map_at(const struct skep_elf *elf, uint32_t section, uint64_t offset)
{
    uint32_t low = 0, high = elf->n_defined;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct skep_elf_map *m = &elf->maps[middle];
        if (m->section == section ? m->offset + m->size <= offset : m->section < section)
            low = middle + 1;
        else
            high = middle;
    }
    const struct skep_elf_map *m = &elf->maps[low];
    return low < elf->n_defined && m->section == section && m->offset <= offset ? low : SKEP_ELF_NONE;
}

/* ---- definitions without BTF ---- */

static int read_words(struct skep_elf *elf, struct skep_elf_map *m)
{
    const struct skep_elf_section *s = &elf->sections[m->section];
    if (!s->data || m->size < BYTES_LEAST) {
        skep_elf_error(
            elf, "section '%s': map '%s' at offset %llu has %llu bytes; a definition has at least %zu",
            s->name, m->name, (unsigned long long)m->offset, (unsigned long long)m->size, BYTES_LEAST);
        return -EINVAL;
    }
    uint32_t words[WORDS] = {0};
    memcpy(words, s->data + m->offset, MIN(m->size, sizeof(words)));
    m->type = words[WORD_TYPE];
    m->key_size = words[WORD_KEY];
    m->value_size = words[WORD_VALUE];
    m->max_entries = words[WORD_ENTRIES];
    m->flags = words[WORD_FLAGS];
    bool samples = m->size == BYTES_SHORT && is_map_of_maps(m->type);
    if (samples || m->size == BYTES_LIBBPF || m->size == BYTES_LEAST)
        return 0;
    if (m->size == BYTES_SHORT || m->size == BYTES_IPROUTE2) {
        m->dialect = SKEP_ELF_DIALECT_IPROUTE2;
        m->id = words[WORD_ID];
        m->pinning = words[WORD_PINNING];
        m->inner_id = words[WORD_INNER_ID];
        return 0;
    }
    for (uint64_t i = BYTES_LIBBPF; i < m->size; i++)
        if (s->data[m->offset + i]) {
            skep_elf_warn(elf,
                          "section '%s': map '%s' has %llu bytes; those behind the first %zu are ignored",
                          s->name, m->name, (unsigned long long)m->size, BYTES_LIBBPF);
            break;
        }
    return 0;
}

static uint32_t word(const struct skep_elf *elf, const struct skep_elf_map *m, unsigned i)
{
    uint32_t value;
    memcpy(&value, elf->sections[m->section].data + m->offset + i * sizeof(value), sizeof(value));
    return value;
}

static int no_inner(const struct skep_elf *elf, const struct skep_elf_map *m, const char *what, uint32_t n)
{
    skep_elf_error(elf, "section '%s': map '%s': there is no inner map with the %s %u",
                   elf->sections[m->section].name, m->name, what, n);
    return -EINVAL;
}

/* The inner map of an iproute2 map of maps is the one with its inner_id; all that have it and an inner_idx are put
 * in. */
static int join_iproute2(struct skep_elf *elf, struct skep_elf_map *outer)
{
    for (uint32_t i = 0; i < elf->n_defined; i++) {
        struct skep_elf_map *m = &elf->maps[i];
        if (m->dialect != SKEP_ELF_DIALECT_IPROUTE2 || m == outer || m->id == 0 || m->id != outer->inner_id ||
            is_map_of_maps(m->type))
            continue;
        if (!outer->inner)
            outer->inner = m;
        uint32_t index = m->size == BYTES_IPROUTE2 ? word(elf, m, WORD_INNER_INDEX) : UINT32_MAX;
        int r = index == UINT32_MAX ? 0 : skep_elf_add_slot(elf, outer, index, false, i);
        if (r < 0)
            return r;
    }
    return outer->inner ? 0 : no_inner(elf, outer, "id", outer->inner_id);
}

/* In the kernel's samples it is the one with that number among the maps of the section. */
static int join_samples(struct skep_elf *elf, struct skep_elf_map *outer, uint32_t first)
{
    uint32_t n = word(elf, outer, WORD_ID);
    if (n >= elf->n_defined - first || elf->maps[first + n].section != outer->section ||
        is_map_of_maps(elf->maps[first + n].type))
        return no_inner(elf, outer, "number", n);
    outer->inner = &elf->maps[first + n];
    return 0;
}

/* Sections of iproute2 that are named ID/KEY hold programs that belong into the prog array with that id. */
static int join_programs(struct skep_elf *elf)
{
    for (uint32_t i = 0; i < elf->n_programs; i++) {
        const char *section = elf->programs[i].section;
        unsigned id, key;
        int end = 0;
        if (section[0] < '0' || section[0] > '9' || sscanf(section, "%9u/%9u%n", &id, &key, &end) != 2 ||
            section[end])
            continue;
        for (uint32_t k = 0; k < elf->n_defined; k++) {
            struct skep_elf_map *m = &elf->maps[k];
            if (m->dialect != SKEP_ELF_DIALECT_IPROUTE2 || m->type != BPF_MAP_TYPE_PROG_ARRAY || m->id != id)
                continue;
            int r = skep_elf_add_slot(elf, m, key, true, i);
            if (r < 0)
                return r;
            break;
        }
    }
    return 0;
}

static int join_maps(struct skep_elf *elf)
{
    uint32_t first = 0; /* map of the section */
    for (uint32_t i = 0; i < elf->n_defined; i++) {
        struct skep_elf_map *m = &elf->maps[i];
        if (m->section != elf->maps[first].section)
            first = i;
        int r = 0;
        if (m->dialect == SKEP_ELF_DIALECT_BTF)
            r = skep_elf_read_btf_slots(elf, m);
        else if (is_map_of_maps(m->type) && m->dialect == SKEP_ELF_DIALECT_IPROUTE2)
            r = join_iproute2(elf, m);
        else if (is_map_of_maps(m->type) && m->size == BYTES_SHORT)
            r = join_samples(elf, m, first);
        if (r < 0)
            return r;
    }
    return join_programs(elf);
}

/* ---- all sections of maps ---- */

static bool is_map(const struct skep_elf *elf, const struct skep_elf_symbol *s)
{
    enum skep_elf_kind kind = elf->sections[s->section].kind;
    return s->defined && (kind == SKEP_ELF_MAPS || kind == SKEP_ELF_BTF_MAPS) && s->name[0] &&
           (s->type == STT_OBJECT || s->type == STT_NOTYPE);
}

static int compare_maps(const void *a, const void *b)
{
    const struct skep_elf_map *x = a, *y = b;
    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int find_maps(struct skep_elf *elf)
{
    for (uint32_t i = 1; i < elf->n_symbols; i++) {
        const struct skep_elf_symbol *s = &elf->symbols[i];
        if (!is_map(elf, s))
            continue;
        bool btf = elf->sections[s->section].kind == SKEP_ELF_BTF_MAPS;
        if (!skep_elf_add_map(elf, s->name, btf ? SKEP_ELF_DIALECT_BTF : SKEP_ELF_DIALECT_LEGACY, s->section,
                              s->value, s->size))
            return -E2BIG;
        elf->sections[s->section].map = elf->n_maps - 1;
    }
    for (uint32_t i = 1; i < elf->n_sections; i++) {
        const struct skep_elf_section *s = &elf->sections[i];
        const char *name = skep_startswith(s->name, "maps/");
        if (s->kind == SKEP_ELF_MAPS && s->map == SKEP_ELF_NONE && name && s->size &&
            !skep_elf_add_map(elf, name, SKEP_ELF_DIALECT_LEGACY, i, 0, s->size))
            return -E2BIG;
    }
    if (elf->n_maps)
        qsort(elf->maps, elf->n_maps, sizeof(*elf->maps), compare_maps);
    elf->n_defined = elf->n_maps;
    return 0;
}

/* How far a map reaches; symbols of old compilers have no size. */
static int measure(struct skep_elf *elf, uint32_t i)
{
    struct skep_elf_map *m = &elf->maps[i];
    const struct skep_elf_section *s = &elf->sections[m->section];
    bool last = i + 1 == elf->n_defined || elf->maps[i + 1].section != m->section;
    uint64_t end = last ? s->size : elf->maps[i + 1].offset;
    if (m->size == 0)
        m->size = end - m->offset;
    if (m->size == 0 || m->size > end - m->offset) {
        skep_elf_error(elf, "section '%s': map '%s' at offset %llu has %llu bytes; there is room for %llu",
                       s->name, m->name, (unsigned long long)m->offset, (unsigned long long)m->size,
                       (unsigned long long)(end - m->offset));
        return -EINVAL;
    }
    return 0;
}

int skep_elf_read_maps(struct skep_elf *elf)
{
    uint64_t room = elf->n_sections + 1; /* data, .kconfig */
    for (uint32_t i = 1; i < elf->n_symbols; i++)
        room += is_map(elf, &elf->symbols[i]);
    elf->room_maps = (uint32_t)MIN(room, SKEP_ELF_MAPS_MAX);
    elf->maps = skep_vm_arena_calloc(&elf->arena, elf->room_maps, sizeof(*elf->maps));
    if (!elf->maps)
        return skep_elf_no_memory(elf);
    int r = find_maps(elf);
    for (uint32_t i = 0; i < elf->n_defined && r == 0; i++) {
        r = measure(elf, i);
        if (r == 0)
            r = elf->maps[i].dialect == SKEP_ELF_DIALECT_BTF ? skep_elf_read_btf_map(elf, &elf->maps[i])
                                                             : read_words(elf, &elf->maps[i]);
    }
    return r < 0 ? r : join_maps(elf);
}
