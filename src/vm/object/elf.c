/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/object/elf.h"

#include <elf.h>
#include <stdarg.h>

#include "base/strbuf.h"
#include "vm/btf/btf.h"

#define MESSAGE_MAX 400
/* Of a section or symbol: many may share one string, and all are looked at. */
#define NAME_MAX_BYTES 4096
/* Tables are a small multiple of the file; beyond that something is wrong with us. */
#define ARENA_FACTOR 24
#define ARENA_BASE (4u << 20)

/* ---- the log ---- */

static void say(const struct skep_elf *elf, bool error, const char *fmt, va_list ap)
{
    if (!elf->options.log)
        return;
    char text[MESSAGE_MAX];
    vsnprintf(text, sizeof(text), fmt, ap);
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 8 * MESSAGE_MAX);
    skep_strbuf_printf(&sb, "%s: ", elf->options.name);
    skep_strbuf_put_visible(&sb, text, strlen(text));
    elf->options.log(elf->options.log_data, error, sb.s);
}

void skep_elf_error(const struct skep_elf *elf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(elf, true, fmt, ap);
    va_end(ap);
}

void skep_elf_warn(const struct skep_elf *elf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(elf, false, fmt, ap);
    va_end(ap);
}

int skep_elf_no_memory(const struct skep_elf *elf)
{
    skep_elf_error(elf, "no memory");
    return -ENOMEM;
}

/* ---- the file ---- */

static int read_header(struct skep_elf *elf, Elf64_Ehdr *ret)
{
    Elf64_Ehdr h;
    if (elf->size < sizeof(h) || memcmp(elf->file, ELFMAG, SELFMAG) != 0) {
        skep_elf_error(elf, "not an ELF file");
        return -ENOEXEC;
    }
    memcpy(&h, elf->file, sizeof(h));
    const char *what = NULL;
    if (h.e_ident[EI_CLASS] != ELFCLASS64)
        what = "not a 64-bit object";
    else if (h.e_ident[EI_DATA] == ELFDATA2MSB)
        what = "a big-endian object; this machine is little-endian";
    else if (h.e_ident[EI_DATA] != ELFDATA2LSB)
        what = "an object of unknown byte order";
    else if (h.e_machine != EM_BPF && h.e_machine != EM_NONE)
        what = "not a BPF object";
    else if (h.e_type != ET_REL)
        what = "not a relocatable object";
    if (what) {
        skep_elf_error(elf, "%s", what);
        return -ENOEXEC;
    }
    if (h.e_shnum == 0 || h.e_shentsize != sizeof(Elf64_Shdr) || h.e_shoff > elf->size ||
        (elf->size - h.e_shoff) / sizeof(Elf64_Shdr) < h.e_shnum) {
        skep_elf_error(elf, "the table of sections (%u at offset %llu) is not in the file", h.e_shnum,
                       (unsigned long long)h.e_shoff);
        return -EINVAL;
    }
    *ret = h;
    return 0;
}

/* The string at offset of a section, NULL: there is none, or it has no end within reach. */
static const char *string_at(const struct skep_elf_section *s, uint64_t offset)
{
    if (s->type != SHT_STRTAB || !s->data || offset >= s->size ||
        !memchr(s->data + offset, '\0', MIN(s->size - offset, (uint64_t)NAME_MAX_BYTES)))
        return NULL;
    return (const char *)s->data + offset;
}

static enum skep_elf_kind kind_of(const struct skep_elf_section *s)
{
    if (skep_streq(s->name, ".maps"))
        return SKEP_ELF_BTF_MAPS;
    if (skep_streq(s->name, "maps") || skep_startswith(s->name, "maps/"))
        return SKEP_ELF_MAPS;
    if (s->type == SHT_PROGBITS && s->flags & SHF_EXECINSTR)
        return SKEP_ELF_CODE;
    if (!(s->flags & SHF_ALLOC) || (s->type != SHT_PROGBITS && s->type != SHT_NOBITS))
        return SKEP_ELF_OTHER;
    if (skep_streq(s->name, "license") || skep_streq(s->name, "version") ||
        skep_startswith(s->name, ".struct_ops") || skep_streq(s->name, ".eh_frame"))
        return SKEP_ELF_OTHER;
    return SKEP_ELF_DATA;
}

static int compare_names(const void *a, const void *b, void *data)
{
    const struct skep_elf *elf = data;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int r = strcmp(elf->sections[x].name, elf->sections[y].name);
    return r ? r : x < y ? -1 : x > y;
}

static int sort_names(struct skep_elf *elf)
{
    elf->by_name = skep_vm_arena_calloc(&elf->arena, elf->n_sections, sizeof(*elf->by_name));
    if (!elf->by_name)
        return skep_elf_no_memory(elf);
    elf->sections[0].name = "";
    for (uint32_t i = 0; i < elf->n_sections; i++)
        elf->by_name[i] = i;
    qsort_r(elf->by_name, elf->n_sections, sizeof(*elf->by_name), compare_names, elf);
    return 0;
}

static int read_sections(struct skep_elf *elf, const Elf64_Ehdr *header)
{
    elf->sections = skep_vm_arena_calloc(&elf->arena, header->e_shnum, sizeof(*elf->sections));
    if (!elf->sections)
        return skep_elf_no_memory(elf);
    elf->n_sections = header->e_shnum;
    for (uint32_t i = 1; i < elf->n_sections; i++) {
        struct skep_elf_section *s = &elf->sections[i];
        Elf64_Shdr h;
        memcpy(&h, elf->file + header->e_shoff + i * sizeof(h), sizeof(h));
        *s = (struct skep_elf_section){
            .name = "",
            .size = h.sh_size,
            .flags = h.sh_flags,
            .type = h.sh_type,
            .link = h.sh_link,
            .info = h.sh_info,
            .entry_size = h.sh_entsize,
            .map = SKEP_ELF_NONE,
        };
        if (h.sh_type == SHT_NULL || h.sh_type == SHT_NOBITS)
            continue;
        if (h.sh_offset > elf->size || h.sh_size > elf->size - h.sh_offset) {
            skep_elf_error(elf, "section %u: its %llu bytes at offset %llu are not in the file (%zu bytes)",
                           i, (unsigned long long)h.sh_size, (unsigned long long)h.sh_offset, elf->size);
            return -EINVAL;
        }
        s->data = elf->file + h.sh_offset;
    }
    if (header->e_shstrndx == 0 || header->e_shstrndx >= elf->n_sections) {
        skep_elf_error(elf, "the sections have no names");
        return -EINVAL;
    }
    for (uint32_t i = 1; i < elf->n_sections; i++) {
        struct skep_elf_section *s = &elf->sections[i];
        Elf64_Shdr h;
        memcpy(&h, elf->file + header->e_shoff + i * sizeof(h), sizeof(h));
        s->name = string_at(&elf->sections[header->e_shstrndx], h.sh_name);
        if (!s->name) {
            s->name = "";
            skep_elf_error(elf, "section %u: its name at offset %u is not in the table of names", i,
                           h.sh_name);
            return -EINVAL;
        }
        s->kind = kind_of(s);
    }
    return sort_names(elf);
}

uint32_t skep_elf_section_find(const struct skep_elf *elf, const char *name)
{
    uint32_t low = 0, high = elf->n_sections;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(elf->sections[elf->by_name[middle]].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < elf->n_sections && skep_streq(elf->sections[elf->by_name[low]].name, name)
               ? elf->by_name[low]
               : 0;
}

static int read_symbol(struct skep_elf *elf, const struct skep_elf_section *names, uint32_t i,
                       const Elf64_Sym *raw)
{
    struct skep_elf_symbol *s = &elf->symbols[i];
    *s = (struct skep_elf_symbol){
        .name = string_at(names, raw->st_name),
        .value = raw->st_value,
        .size = raw->st_size,
        .type = ELF64_ST_TYPE(raw->st_info),
        .bind = ELF64_ST_BIND(raw->st_info),
        .defined = raw->st_shndx != SHN_UNDEF,
        .map = SKEP_ELF_NONE,
    };
    if (!s->name) {
        s->name = "";
        skep_elf_error(elf, "symbol %u: its name at offset %u is not in the table of names", i, raw->st_name);
        return -EINVAL;
    }
    if (raw->st_shndx == SHN_UNDEF || raw->st_shndx == SHN_ABS)
        return 0;
    if (raw->st_shndx == SHN_COMMON) {
        skep_elf_error(elf, "symbol '%s' has no section: compile with -fno-common", s->name);
        return -EINVAL;
    }
    if (raw->st_shndx >= elf->n_sections) {
        skep_elf_error(elf, "symbol %u ('%s') is of section %u; there are %u", i, s->name, raw->st_shndx,
                       elf->n_sections);
        return -EINVAL;
    }
    s->section = raw->st_shndx;
    if (s->value > elf->sections[s->section].size) {
        skep_elf_error(elf, "symbol %u ('%s') is at offset %llu of section '%s' (%llu bytes)", i, s->name,
                       (unsigned long long)s->value, elf->sections[s->section].name,
                       (unsigned long long)elf->sections[s->section].size);
        return -EINVAL;
    }
    return 0;
}

static int read_symbols(struct skep_elf *elf, uint32_t *ret_table)
{
    uint32_t table = 0;
    for (uint32_t i = 1; i < elf->n_sections && !table; i++)
        table = elf->sections[i].type == SHT_SYMTAB ? i : 0;
    *ret_table = table;
    const struct skep_elf_section *s = &elf->sections[table];
    if (table && (s->entry_size != sizeof(Elf64_Sym) || s->size % sizeof(Elf64_Sym) || s->link == 0 ||
                  s->link >= elf->n_sections)) {
        skep_elf_error(elf, "section %u ('%s') is not a table of symbols", table, s->name);
        return -EINVAL;
    }
    /* an object without symbols has one that is none */
    uint32_t n = table ? (uint32_t)(s->size / sizeof(Elf64_Sym)) : 0;
    elf->symbols = skep_vm_arena_calloc(&elf->arena, MAX(n, 1u), sizeof(*elf->symbols));
    if (!elf->symbols)
        return skep_elf_no_memory(elf);
    elf->symbols[0] = (struct skep_elf_symbol){.name = "", .map = SKEP_ELF_NONE};
    elf->n_symbols = MAX(n, 1u);
    for (uint32_t i = 1; i < n; i++) {
        Elf64_Sym raw;
        memcpy(&raw, s->data + i * sizeof(raw), sizeof(raw));
        int r = read_symbol(elf, &elf->sections[s->link], i, &raw);
        if (r < 0)
            return r;
    }
    return 0;
}

static int compare_relocs(const void *a, const void *b)
{
    const struct skep_elf_reloc *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int read_relocs(struct skep_elf *elf, uint32_t index, uint32_t table)
{
    const struct skep_elf_section *s = &elf->sections[index];
    bool rela = s->type == SHT_RELA;
    size_t entry = rela ? sizeof(Elf64_Rela) : sizeof(Elf64_Rel);
    if (s->info == 0 || s->info >= elf->n_sections || s->link != table || !table || s->entry_size != entry ||
        s->size % entry) {
        skep_elf_error(elf, "section %u ('%s') is not a table of relocations", index, s->name);
        return -EINVAL;
    }
    struct skep_elf_section *to = &elf->sections[s->info];
    if (to->kind == SKEP_ELF_OTHER)
        return 0; /* debug information and the like; nobody asks for them */
    if (to->relocs) {
        skep_elf_error(elf, "section '%s' has two tables of relocations", to->name);
        return -EINVAL;
    }
    size_t n = s->size / entry;
    to->relocs = skep_vm_arena_calloc(&elf->arena, n, sizeof(*to->relocs));
    if (!to->relocs)
        return skep_elf_no_memory(elf);
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        Elf64_Rela raw = {0};
        memcpy(&raw, s->data + i * entry, entry);
        struct skep_elf_reloc *reloc = &to->relocs[i];
        *reloc = (struct skep_elf_reloc){
            .offset = raw.r_offset,
            .type = ELF64_R_TYPE(raw.r_info),
            .symbol = ELF64_R_SYM(raw.r_info),
            .addend = raw.r_addend,
        };
        if (reloc->offset >= to->size || reloc->symbol >= elf->n_symbols) {
            skep_elf_error(elf, "section '%s': relocation %zu (offset %llu, symbol %u) is of nothing",
                           s->name, i, (unsigned long long)reloc->offset, reloc->symbol);
            return -EINVAL;
        }
        sorted = sorted && (i == 0 || to->relocs[i - 1].offset <= reloc->offset);
    }
    if (!sorted)
        qsort(to->relocs, n, sizeof(*to->relocs), compare_relocs);
    to->n_relocs = n;
    return 0;
}

const struct skep_elf_reloc *skep_elf_relocs(const struct skep_elf_section *s, uint64_t from, uint64_t to,
                                             size_t *ret_n)
{
    size_t low = 0, high = s->n_relocs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->relocs[middle].offset < from)
            low = middle + 1;
        else
            high = middle;
    }
    size_t first = low;
    for (high = s->n_relocs; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (s->relocs[middle].offset < to)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_n = low - first;
    return s->relocs ? s->relocs + first : NULL;
}

/* ---- all of it ---- */

static void read_license(struct skep_elf *elf)
{
    const struct skep_elf_section *s = &elf->sections[skep_elf_section_find(elf, "license")];
    if (s->data && s->size && memchr(s->data, '\0', s->size))
        elf->license = (const char *)s->data;
}

static int read_all(struct skep_elf *elf)
{
    Elf64_Ehdr header;
    uint32_t table = 0;
    int r = read_header(elf, &header);
    if (r == 0)
        r = read_sections(elf, &header);
    if (r == 0)
        r = read_symbols(elf, &table);
    for (uint32_t i = 1; r == 0 && i < elf->n_sections; i++)
        if (elf->sections[i].type == SHT_REL || elf->sections[i].type == SHT_RELA)
            r = read_relocs(elf, i, table);
    if (r == 0)
        r = skep_elf_read_code(elf);
    if (r == 0)
        r = skep_elf_read_btf(elf);
    if (r == 0)
        r = skep_elf_read_maps(elf);
    if (r == 0)
        r = skep_elf_read_data(elf);
    if (r == 0)
        r = skep_elf_read_kconfig(elf);
    if (r == 0)
        read_license(elf);
    return r;
}

int skep_elf_open(const void *data, size_t size, const struct skep_elf_options *o, struct skep_elf **ret_elf)
{
    struct skep_elf options = {.options = *o};
    if (!options.options.name)
        options.options.name = "object";
    if (size > SKEP_ELF_FILE_MAX) {
        skep_elf_error(&options, "%zu bytes; at most %u are read", size, SKEP_ELF_FILE_MAX);
        return -E2BIG;
    }
    struct skep_vm_arena arena;
    skep_vm_arena_init(&arena, o->allocator, ARENA_BASE + size * ARENA_FACTOR);
    struct skep_elf *elf = skep_vm_arena_calloc(&arena, 1, sizeof(*elf));
    char *copy = skep_vm_arena_calloc(&arena, size, 1);
    char *name = skep_vm_arena_strndup(&arena, options.options.name, strlen(options.options.name));
    if (!elf || !copy || !name) {
        skep_vm_arena_clear(&arena);
        return skep_elf_no_memory(&options);
    }
    if (size)
        memcpy(copy, data, size);
    *elf = (struct skep_elf){
        .arena = arena,
        .options = options.options,
        .file = (const uint8_t *)copy,
        .size = size,
        .kconfig_map = SKEP_ELF_NONE,
    };
    elf->options.name = name;
    int r = read_all(elf);
    if (r < 0) {
        skep_elf_close(elf);
        return r;
    }
    *ret_elf = elf;
    return 0;
}

struct skep_elf *skep_elf_close(struct skep_elf *elf)
{
    if (elf) {
        skep_btf_free(elf->btf);
        struct skep_vm_arena arena = elf->arena; /* it holds the elf */
        skep_vm_arena_clear(&arena);
    }
    return NULL;
}
