/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/vm_object.h"

#define TEXT_MAX (64U << 20)

struct maps_options {
    bool json;
};

static const struct skep_option output[] = {
    {"json", 'j', NULL, SKEP_OPTION_FLAG, offsetof(struct maps_options, json), .help = "one JSON document"},
    {0},
};

static const struct skep_option_group groups[] = {{"Output", output}, {0}};

static const struct skep_example examples[] = {
    {"skep vm maps filter.o", "the maps that an object defines, whatever the dialect"},
    {0},
};

/* BPF_MAP_TYPE_*, also those that no vm can make. */
static const char *const types[] = {
    "unspec",
    "hash",
    "array",
    "prog_array",
    "perf_event_array",
    "percpu_hash",
    "percpu_array",
    "stack_trace",
    "cgroup_array",
    "lru_hash",
    "lru_percpu_hash",
    "lpm_trie",
    "array_of_maps",
    "hash_of_maps",
    "devmap",
    "sockmap",
    "cpumap",
    "xskmap",
    "sockhash",
    "cgroup_storage",
    "reuseport_sockarray",
    "percpu_cgroup_storage",
    "queue",
    "stack",
    "sk_storage",
    "devmap_hash",
    "struct_ops",
    "ringbuf",
    "inode_storage",
    "task_storage",
    "bloom_filter",
    "user_ringbuf",
    "cgrp_storage",
    "arena",
    "insn_array",
    "rhash",
};

static const char *const dialects[] = {
    [SKEP_ELF_DIALECT_BTF] = "btf",           [SKEP_ELF_DIALECT_LEGACY] = "legacy",
    [SKEP_ELF_DIALECT_IPROUTE2] = "iproute2", [SKEP_ELF_DIALECT_DATA] = "data",
    [SKEP_ELF_DIALECT_KCONFIG] = "kconfig",
};

static const char *type_name(uint32_t type)
{
    return type < ARRAY_SIZE(types) ? types[type] : "unknown";
}

static const char *section_name(const struct skep_elf *elf, const struct skep_elf_map *m)
{
    return m->section ? elf->sections[m->section].name : m->name;
}

static const char *slot_name(const struct skep_elf *elf, const struct skep_elf_slot *slot)
{
    return slot->program ? elf->programs[slot->target].name : elf->maps[slot->target].name;
}

/* ---- JSON ---- */

static void put_definition(struct skep_json *j, const struct skep_elf_map *m)
{
    skep_json_strz(j, "type", type_name(m->type));
    skep_json_u64(j, "type_number", m->type);
    skep_json_u64(j, "key_size", m->key_size);
    skep_json_u64(j, "value_size", m->value_size);
    skep_json_u64(j, "max_entries", m->max_entries);
    skep_json_u64(j, "flags", m->flags);
    skep_json_u64(j, "extra", m->extra);
}

static void put_map(const struct skep_elf *elf, const struct skep_elf_map *m, struct skep_json *j)
{
    skep_json_open(j, NULL, '{');
    skep_json_strz(j, "name", m->name);
    put_definition(j, m);
    skep_json_strz(j, "dialect", dialects[m->dialect]);
    skep_json_strz(j, "section", section_name(elf, m));
    skep_json_u64(j, "offset", m->offset);
    if (m->inner) {
        skep_json_open(j, "inner", '{');
        put_definition(j, m->inner);
        skep_json_close(j, '}');
    }
    if (m->n_slots)
        skep_json_open(j, "values", '[');
    for (uint32_t i = 0; i < m->n_slots; i++) {
        skep_json_open(j, NULL, '{');
        skep_json_u64(j, "key", m->slots[i].key);
        skep_json_strz(j, m->slots[i].program ? "program" : "map", slot_name(elf, &m->slots[i]));
        skep_json_close(j, '}');
    }
    if (m->n_slots)
        skep_json_close(j, ']');
    skep_json_close(j, '}');
}

static void put_json(const struct skep_elf *elf, struct skep_strbuf *sb)
{
    struct skep_json j;
    skep_json_init(&j, sb);
    skep_json_open(&j, NULL, '{');
    skep_json_open(&j, "maps", '[');
    for (uint32_t i = 0; i < elf->n_maps; i++)
        put_map(elf, &elf->maps[i], &j);
    skep_json_close(&j, ']');
    skep_json_close(&j, '}');
    skep_strbuf_putc(sb, '\n');
}

/* ---- text ---- */

static void put_text_cell(struct skep_strbuf *sb, const char *text, size_t width)
{
    size_t before = sb->len;
    skep_strbuf_put_visible(sb, text, strlen(text));
    while (!sb->failed && sb->len - before < width)
        skep_strbuf_putc(sb, ' ');
}

static void put_row(const struct skep_elf_map *m, const char *name, size_t width, const char *from,
                    struct skep_strbuf *sb)
{
    put_text_cell(sb, name, width);
    skep_strbuf_printf(sb, "  %-16s %8u %10u %10u %#10x  ", type_name(m->type), m->key_size, m->value_size,
                       m->max_entries, m->flags);
    skep_strbuf_put_visible(sb, from, strlen(from));
    skep_strbuf_putc(sb, '\n');
}

static void put_text(const struct skep_elf *elf, struct skep_strbuf *sb)
{
    size_t width = strlen("NAME");
    for (uint32_t i = 0; i < elf->n_maps; i++)
        width = MAX(width, MIN(strlen(elf->maps[i].name), (size_t)40));
    put_text_cell(sb, "NAME", width);
    skep_strbuf_puts(sb, "  TYPE             KEY SIZE VALUE SIZE    ENTRIES      FLAGS  SECTION\n");
    for (uint32_t i = 0; i < elf->n_maps; i++) {
        const struct skep_elf_map *m = &elf->maps[i];
        put_row(m, m->name, width, section_name(elf, m), sb);
        if (m->inner)
            put_row(m->inner, "  of", width, "", sb);
        for (uint32_t k = 0; k < m->n_slots; k++) {
            skep_strbuf_printf(sb, "  %u = ", m->slots[k].key);
            skep_strbuf_put_visible(sb, slot_name(elf, &m->slots[k]), strlen(slot_name(elf, &m->slots[k])));
            skep_strbuf_putc(sb, '\n');
        }
    }
}

static int run(const struct skep_command_entry *self, const struct skep_args *args, void *options)
{
    const struct maps_options *o = options;
    (void)self;
    const char *path = args->args[0];
    _cleanup_free_ uint8_t *bytes = NULL;
    size_t size;
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *elf = NULL;
    if (skep_vm_read_file(path, &bytes, &size) < 0 || skep_vm_elf_read(path, bytes, size, &elf) < 0)
        return SKEP_EXIT_FAILED;
    _cleanup_strbuf_ struct skep_strbuf text;
    skep_strbuf_init(&text, TEXT_MAX);
    if (o->json)
        put_json(elf, &text);
    else
        put_text(elf, &text);
    return skep_print(&text);
}

static const struct maps_options defaults;

const struct skep_command skep_command_vm_maps = {
    .description =
        "Prints the maps of an object: those that it defines (BTF-defined, struct bpf_map_def, iproute2's struct "
        "bpf_elf_map), and those made of its sections of data. Maps and programs that are put into them from the "
        "start follow below, as key = name.",
    .groups = groups,
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .options_size = sizeof(struct maps_options),
    .defaults = &defaults,
    .run = run,
};
