/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/btf/btf.h"
#include "vm/object/elf.h"

/*
 * .BTF, and .BTF.ext: tables of records about instructions, each table a record size followed by groups, a group the
 * name of a section, a number and that many records, which begin with the offset of the instruction in the section.
 */

struct ext_header {
    uint16_t magic;
    uint8_t version, flags;
    uint32_t header_size;
    uint32_t functions_at, functions_size; /* counted from the end of the header */
    uint32_t lines_at, lines_size;
    /* older files end here */
    uint32_t relos_at, relos_size;
};
#define HEADER_LEAST offsetof(struct ext_header, relos_at)
#define RECORD_SIZE 16 /* of lines and of relocations; they may be longer */

/* A table, walked record by record. */
struct table {
    const struct skep_elf *elf;
    const char *what;
    const uint8_t *data; /* what is left of it */
    uint32_t size, record;
    uint32_t group;   /* records that are left in this one */
    uint32_t section; /* SKEP_ELF_NONE: not in the file */
};

static int bad(const struct skep_elf *elf, const char *what, const char *text)
{
    skep_elf_error(elf, "section '.BTF.ext': %s %s", what, text);
    return -EINVAL;
}

static uint32_t word(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof(value));
    return value;
}

static int table_init(struct table *t, const struct skep_elf *elf, const char *what, uint64_t at,
                      uint32_t size)
{
    const struct skep_elf_section *s = &elf->sections[elf->btf_ext_section];
    *t = (struct table){.elf = elf, .what = what};
    if (size == 0)
        return 0;
    if (at > s->size || size > s->size - at || size < sizeof(uint32_t))
        return bad(elf, what, "are not in it");
    t->record = word(s->data + at);
    t->data = s->data + at + sizeof(uint32_t);
    t->size = size - (uint32_t)sizeof(uint32_t);
    return t->record >= RECORD_SIZE && t->record % 4 == 0 ? 0
                                                          : bad(elf, what, "have records of an unknown size");
}

/* The next record; *ret NULL: that was the last one. */
static int table_next(struct table *t, const uint8_t **ret)
{
    *ret = NULL;
    while (t->group == 0) {
        if (t->size == 0)
            return 0;
        if (t->size < 2 * sizeof(uint32_t))
            return bad(t->elf, t->what, "are cut off");
        const char *name = skep_btf_string(t->elf->btf, word(t->data));
        t->group = word(t->data + sizeof(uint32_t));
        t->data += 2 * sizeof(uint32_t);
        t->size -= (uint32_t)(2 * sizeof(uint32_t));
        t->section = skep_elf_section_find(t->elf, name);
    }
    if (t->size < t->record)
        return bad(t->elf, t->what, "are cut off");
    *ret = t->data;
    t->data += t->record;
    t->size -= t->record;
    t->group--;
    return 0;
}

/* Whether the record is of an instruction that is there; others are left out, as of code that a linker removed. */
static bool is_of_code(const struct table *t, const uint8_t *record)
{
    const struct skep_elf_section *s = &t->elf->sections[t->section];
    return t->section && s->kind == SKEP_ELF_CODE && word(record) < s->size &&
           word(record) % sizeof(struct skep_insn) == 0;
}

static int count(const struct table *from, size_t *ret_n)
{
    struct table t = *from;
    *ret_n = 0;
    for (;;) {
        const uint8_t *record;
        int r = table_next(&t, &record);
        if (r < 0 || !record)
            return r;
        *ret_n += is_of_code(&t, record);
    }
}

static int compare_lines(const void *a, const void *b)
{
    const struct skep_elf_line *x = a, *y = b;
    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int compare_relos(const void *a, const void *b)
{
    const struct skep_elf_relo *x = a, *y = b;
    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int read_lines(struct skep_elf *elf, struct table t)
{
    size_t n;
    int r = count(&t, &n);
    if (r < 0)
        return r;
    elf->lines = skep_vm_arena_calloc(&elf->arena, n, sizeof(*elf->lines));
    if (!elf->lines)
        return skep_elf_no_memory(elf);
    for (const uint8_t *record; table_next(&t, &record) == 0 && record;)
        if (is_of_code(&t, record))
            elf->lines[elf->n_lines++] = (struct skep_elf_line){
                .section = t.section,
                .insn = word(record) / (uint32_t)sizeof(struct skep_insn),
                .file = skep_btf_string(elf->btf, word(record + 4)),
                .text = skep_btf_string(elf->btf, word(record + 8)),
                .line = word(record + 12) >> 10,
                .column = word(record + 12) & 0x3ff,
            };
    if (n)
        qsort(elf->lines, n, sizeof(*elf->lines), compare_lines);
    return 0;
}

static int read_relos(struct skep_elf *elf, struct table t)
{
    size_t n;
    int r = count(&t, &n);
    if (r < 0)
        return r;
    elf->relos = skep_vm_arena_calloc(&elf->arena, n, sizeof(*elf->relos));
    if (!elf->relos)
        return skep_elf_no_memory(elf);
    for (const uint8_t *record; table_next(&t, &record) == 0 && record;)
        if (is_of_code(&t, record))
            elf->relos[elf->n_relos++] = (struct skep_elf_relo){
                .section = t.section,
                .insn = word(record) / (uint32_t)sizeof(struct skep_insn),
                .type = word(record + 4),
                .access = skep_btf_string(elf->btf, word(record + 8)),
                .kind = word(record + 12),
            };
    if (n)
        qsort(elf->relos, n, sizeof(*elf->relos), compare_relos);
    return 0;
}

static int read_ext(struct skep_elf *elf)
{
    const struct skep_elf_section *s = &elf->sections[elf->btf_ext_section];
    struct ext_header h = {0};
    if (!elf->btf_ext_section || !s->data)
        return 0;
    if (s->size < HEADER_LEAST)
        return bad(elf, "its header", "is cut off");
    memcpy(&h, s->data, HEADER_LEAST);
    if (h.magic != BTF_MAGIC || h.version != BTF_VERSION || h.header_size < HEADER_LEAST ||
        h.header_size > s->size)
        return bad(elf, "its header", "is not that of this machine's .BTF.ext");
    if (h.header_size >= sizeof(h))
        memcpy(&h, s->data, sizeof(h));
    struct table lines, relos;
    int r = table_init(&lines, elf, "line numbers", (uint64_t)h.header_size + h.lines_at, h.lines_size);
    if (r == 0)
        r = table_init(&relos, elf, "relocations", (uint64_t)h.header_size + h.relos_at, h.relos_size);
    if (r == 0)
        r = read_lines(elf, lines);
    return r == 0 ? read_relos(elf, relos) : r;
}

int skep_elf_read_btf(struct skep_elf *elf)
{
    elf->btf_section = skep_elf_section_find(elf, ".BTF");
    elf->btf_ext_section = skep_elf_section_find(elf, ".BTF.ext");
    const struct skep_elf_section *s = &elf->sections[elf->btf_section];
    if (!elf->btf_section || !s->data)
        return 0;
    char message[SKEP_BTF_MESSAGE_MAX];
    int r = skep_btf_new(s->data, s->size, NULL, elf->options.allocator, &elf->btf, message);
    if (r < 0) {
        skep_elf_error(elf, "section '.BTF': %s", message);
        return r;
    }
    elf->btf_maps = skep_btf_find(elf->btf, BTF_KIND_DATASEC, ".maps");
    return read_ext(elf);
}

const struct skep_elf_line *skep_elf_line_at(const struct skep_elf *elf, uint32_t section, uint32_t insn)
{
    size_t low = 0, high = elf->n_lines;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct skep_elf_line *l = &elf->lines[middle];
        if (l->section < section || (l->section == section && l->insn <= insn))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && elf->lines[low - 1].section == section ? &elf->lines[low - 1] : NULL;
}

const struct skep_elf_relo *skep_elf_relos(const struct skep_elf *elf, uint32_t function, size_t *ret_n)
{
    const struct skep_elf_function *f = &elf->functions[function];
    size_t low = 0, high = elf->n_relos;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct skep_elf_relo *relo = &elf->relos[middle];
        if (relo->section < f->section || (relo->section == f->section && relo->insn < f->start))
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < elf->n_relos && elf->relos[end].section == f->section &&
           elf->relos[end].insn < f->start + f->n)
        end++;
    *ret_n = end - low;
    return elf->relos ? elf->relos + low : NULL;
}
