/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/object/elf.h"

#include <elf.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/strbuf.h"

/* ---- files made by hand ---- */

#define EXIT "\x95\0\0\0\0\0\0\0"
#define RETURN_1 "\xb7\0\0\0\1\0\0\0" EXIT
#define LDDW "\x18\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define CALL(imm) "\x85\x10\0\0" imm
#define CALL_NEXT CALL("\xff\xff\xff\xff")
#define WORDS(...) (const char *)(const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__})

#define CODE SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR
#define DATA SHT_PROGBITS, SHF_ALLOC | SHF_WRITE
#define BYTES(s) (s), sizeof(s) - 1

struct section {
    const char *name;
    uint32_t type;
    uint64_t flags;
    const char *data;
    size_t size;
};
struct symbol {
    const char *name;
    uint32_t section; /* from 1, as they are listed */
    uint64_t value, size;
    uint8_t type, bind;
};
struct reloc {
    uint32_t section;
    uint64_t offset;
    uint32_t symbol, type; /* symbols count from 1, as they are listed */
};
#define N 6
struct image {
    struct section sections[N];
    struct symbol symbols[N];
    struct reloc relocs[N]; /* of one section after the other */
    void (*change)(Elf64_Ehdr *h, Elf64_Shdr *sections);
};

/* A file of the sections of an image, a table of symbols, one of relocations for each section that has some, and the
 * strings. */
struct writer {
    struct skep_strbuf file, names;
    Elf64_Shdr headers[3 * N];
    unsigned n;
};

static unsigned add(struct writer *w, const char *name, Elf64_Shdr h, const void *data, size_t size)
{
    while (w->file.len % 8)
        skep_strbuf_putc(&w->file, '\0');
    h.sh_name = *name ? (Elf64_Word)w->names.len : 0;
    h.sh_offset = w->file.len;
    h.sh_size = size;
    skep_strbuf_put(&w->names, name, strlen(name) + 1);
    if (h.sh_type != SHT_NOBITS && size)
        skep_strbuf_put(&w->file, data, size);
    w->headers[w->n] = h;
    return w->n++;
}

static unsigned add_symbols(struct writer *w, const struct image *image)
{
    Elf64_Sym symbols[N + 1] = {0};
    size_t n = 1;
    _cleanup_strbuf_ struct skep_strbuf names;
    skep_strbuf_init(&names, 4096);
    skep_strbuf_putc(&names, '\0');
    for (size_t i = 0; i < N && image->symbols[i].name; i++) {
        const struct symbol *s = &image->symbols[i];
        symbols[n++] = (Elf64_Sym){
            .st_name = (Elf64_Word)names.len,
            .st_info = ELF64_ST_INFO(s->bind, s->type),
            .st_shndx = (Elf64_Section)s->section,
            .st_value = s->value,
            .st_size = s->size,
        };
        skep_strbuf_put(&names, s->name, strlen(s->name) + 1);
    }
    if (n == 1)
        return 0;
    unsigned strings = add(w, ".strtab", (Elf64_Shdr){.sh_type = SHT_STRTAB}, names.s, names.len);
    return add(w, ".symtab",
               (Elf64_Shdr){
                   .sh_type = SHT_SYMTAB, .sh_link = strings, .sh_info = 1, .sh_entsize = sizeof(symbols[0])},
               symbols, n * sizeof(symbols[0]));
}

static void write_image(const struct image *image, struct skep_strbuf *ret)
{
    struct writer w = {.n = 1};
    skep_strbuf_init(&w.file, 1 << 20);
    skep_strbuf_init(&w.names, 1 << 16);
    Elf64_Ehdr h = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_REL,
        .e_machine = EM_BPF,
        .e_ehsize = sizeof(h),
        .e_shentsize = sizeof(Elf64_Shdr),
    };
    skep_strbuf_put(&w.file, &h, sizeof(h));
    skep_strbuf_putc(&w.names, '\0');
    for (size_t i = 0; i < N && image->sections[i].name; i++) {
        const struct section *s = &image->sections[i];
        add(&w, s->name, (Elf64_Shdr){.sh_type = s->type, .sh_flags = s->flags}, s->data, s->size);
    }
    unsigned symtab = add_symbols(&w, image);
    for (size_t i = 0, n; i < N && image->relocs[i].section; i += n) {
        Elf64_Rel relocs[N];
        for (n = 0; i + n < N && image->relocs[i + n].section == image->relocs[i].section; n++)
            relocs[n] = (Elf64_Rel){
                .r_offset = image->relocs[i + n].offset,
                .r_info = ELF64_R_INFO((uint64_t)image->relocs[i + n].symbol, image->relocs[i + n].type)};
        add(&w, ".rel",
            (Elf64_Shdr){.sh_type = SHT_REL,
                         .sh_link = symtab,
                         .sh_info = image->relocs[i].section,
                         .sh_entsize = sizeof(relocs[0])},
            relocs, n * sizeof(relocs[0]));
    }
    /* the last section names all others, and itself not */
    h.e_shstrndx = (Elf64_Half)w.n;
    add(&w, "", (Elf64_Shdr){.sh_type = SHT_STRTAB}, w.names.s, w.names.len);
    while (w.file.len % 8)
        skep_strbuf_putc(&w.file, '\0');
    h.e_shoff = w.file.len;
    h.e_shnum = (Elf64_Half)w.n;
    if (image->change)
        image->change(&h, w.headers);
    skep_strbuf_put(&w.file, w.headers, w.n * sizeof(w.headers[0]));
    memcpy(w.file.s, &h, sizeof(h));
    assert_false(w.file.failed);
    skep_strbuf_clear(&w.names);
    *ret = w.file;
}

/* ---- what is in them ---- */

static void note(void *data, bool error, const char *text)
{
    struct skep_strbuf *log = data;
    skep_strbuf_printf(log, "%s%s\n", error ? "" : "warning: ", text);
}

/* All that was read, a line each. */
static void describe(struct skep_elf *elf, struct skep_strbuf *sb)
{
    for (uint32_t i = 0; i < elf->n_maps; i++) {
        const struct skep_elf_map *m = &elf->maps[i];
        skep_strbuf_printf(sb, "map %s type=%u key=%u value=%u entries=%u flags=%u", m->name, m->type,
                           m->key_size, m->value_size, m->max_entries, m->flags);
        if (m->inner)
            skep_strbuf_printf(sb, " inner=%s:%u", m->inner->name, m->inner->type);
        for (uint32_t k = 0; k < m->n_slots; k++)
            skep_strbuf_printf(sb, " [%u]=%s", m->slots[k].key,
                               m->slots[k].program ? elf->programs[m->slots[k].target].name
                                                   : elf->maps[m->slots[k].target].name);
        skep_strbuf_puts(sb, "\n");
    }
    for (uint32_t i = 0; i < elf->n_programs; i++) {
        struct skep_vm_arena a;
        struct skep_elf_code code;
        skep_vm_arena_init(&a, NULL, 64 << 20);
        skep_strbuf_printf(sb, "program %s (%s)", elf->programs[i].name, elf->programs[i].section);
        if (skep_elf_link(elf, i, &a, &code) == 0) {
            skep_strbuf_printf(sb, " %u:", code.n_insns);
            for (uint32_t k = 0; k < code.n_parts; k++)
                skep_strbuf_printf(sb, " %u=%s", code.parts[k].at,
                                   elf->functions[code.parts[k].function].name);
            for (uint32_t k = 0; k < code.n_insns; k++)
                if ((code.insns[k].code == 0x18 || code.insns[k].code == 0x85) &&
                    skep_insn_src(&code.insns[k]))
                    skep_strbuf_printf(sb, " @%u:%u:%d", k, skep_insn_src(&code.insns[k]), code.insns[k].imm);
            for (uint32_t k = 0; k < code.n_externs; k++)
                skep_strbuf_printf(sb, " extern@%u=%s", code.externs[k].insn,
                                   elf->symbols[code.externs[k].symbol].name);
        }
        skep_strbuf_puts(sb, "\n");
        skep_vm_arena_clear(&a);
    }
}

static int read_bytes(const void *data, size_t size, struct skep_strbuf *sb)
{
    const struct skep_elf_options o = {.name = "t.o", .log = note, .log_data = sb};
    SKEP_CLEANUP(skep_elf_closep) struct skep_elf *elf = NULL;
    int r = skep_elf_open(data, size, &o, &elf);
    if (r == 0)
        describe(elf, sb);
    return r;
}

static void is_32_bit(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_ident[EI_CLASS] = ELFCLASS32;
}
static void is_big_endian(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_ident[EI_DATA] = ELFDATA2MSB;
}
static void is_x86(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_machine = EM_X86_64;
}
static void is_shared(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_type = ET_DYN;
}
static void has_no_sections(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_shnum = 0;
}
static void has_sections_outside(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_shoff = UINT64_MAX - 8;
}
static void has_no_names(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)sections;
    h->e_shstrndx = 99;
}
static void has_bad_name(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)h;
    sections[1].sh_name = 1 << 30;
}
static void has_section_outside(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)h;
    sections[1].sh_offset = UINT64_MAX - 7;
}
static void has_huge_bss(Elf64_Ehdr *h, Elf64_Shdr *sections)
{
    (void)h;
    sections[1].sh_size = 1ULL << 40;
}

#define PROGRAM                                                                                              \
    {                                                                                                        \
        "xdp", CODE, BYTES(RETURN_1)                                                                         \
    }
#define FUNC(name, section, value, size)                                                                     \
    {                                                                                                        \
        name, section, value, size, STT_FUNC, STB_GLOBAL                                                     \
    }

static const struct {
    const char *what;
    struct image image;
    int r;
    const char *text;
} images[] = {
    {"no symbols: a section is a program", {.sections = {PROGRAM}}, 0, "program xdp (xdp) 2: 0=xdp\n"},
    {".text is a program when there is nothing else",
     {.sections = {{".text", CODE, BYTES(RETURN_1)}}},
     0,
     "program .text (.text) 2: 0=.text\n"},
    {"an empty .text is nothing",
     {.sections = {{".text", CODE, "", 0}, PROGRAM}},
     0,
     "program xdp (xdp) 2: 0=xdp\n"},
    {"symbols without a type; labels are local",
     {.sections = {{"tc", CODE, BYTES(RETURN_1 RETURN_1)}},
      .symbols = {{"LBB0_1", 1, 8, 0, STT_NOTYPE, STB_LOCAL},
                  {"one", 1, 0, 0, STT_NOTYPE, STB_GLOBAL},
                  {"two", 1, 16, 0, STT_NOTYPE, STB_GLOBAL}}},
     0,
     "program one (tc) 2: 0=one\nprogram two (tc) 2: 0=two\n"},
    {"a static program; subprograms of .text, each once",
     {.sections = {{".text", CODE, BYTES(CALL_NEXT EXIT EXIT)},
                   {"tc", CODE, BYTES(CALL_NEXT CALL_NEXT EXIT)}},
      .symbols = {{"main", 2, 0, 24, STT_FUNC, STB_LOCAL}, FUNC("sub", 1, 0, 16), FUNC("leaf", 1, 16, 8)},
      .relocs = {{2, 0, 2, SKEP_R_BPF_64_32}, {2, 8, 2, SKEP_R_BPF_64_32}, {1, 0, 3, SKEP_R_BPF_64_32}}},
     0,
     "program main (tc) 6: 0=main 3=sub 5=leaf @0:1:2 @1:1:1 @3:1:1\n"},
    {"a call without a relocation",
     {.sections = {{"tc", CODE, BYTES(CALL("\1\0\0\0") EXIT EXIT)}},
      .symbols = {FUNC("main", 1, 0, 16), {"sub", 1, 16, 8, STT_FUNC, STB_LOCAL}}},
     0,
     "program main (tc) 3: 0=main 2=sub @0:1:1\nprogram sub (tc) 1: 0=sub\n"},
    {"a call into code that has no symbol",
     {.sections = {{"tc", CODE, BYTES(CALL("\1\0\0\0") EXIT EXIT)}}, .symbols = {FUNC("main", 1, 0, 16)}},
     0,
     "program main (tc) 3: 0=main 2= @0:1:1\n"},
    {"the address of a function",
     {.sections = {{".text", CODE, BYTES(EXIT EXIT)},
                   {"tc", CODE, BYTES("\x18\x02\0\0\x08\0\0\0\0\0\0\0\0\0\0\0" EXIT)}},
      .symbols = {{"", 1, 0, 0, STT_SECTION, STB_LOCAL},
                  FUNC("a", 1, 0, 8),
                  FUNC("b", 1, 8, 8),
                  FUNC("main", 2, 0, 24)},
      .relocs = {{2, 0, 1, SKEP_R_BPF_64_64}}},
     0,
     "program main (tc) 4: 0=main 3=b @0:4:2\n"},
    {"externs",
     {.sections = {{"tc", CODE, BYTES(LDDW CALL_NEXT EXIT)}},
      .symbols = {FUNC("main", 1, 0, 32), {"value", 0, 0, 0, 0, STB_GLOBAL}, {"call", 0, 0, 0, 0, STB_WEAK}},
      .relocs = {{1, 0, 2, SKEP_R_BPF_64_64}, {1, 16, 3, SKEP_R_BPF_64_32}}},
     0,
     "program main (tc) 4: 0=main @2:2:0 extern@0=value extern@2=call\n"},
    {"legacy maps: sizes from the next symbol",
     {.sections = {{"maps", DATA, WORDS(1, 4, 8, 16, 0, 2, 4, 8, 3)}, {"tc", CODE, BYTES(LDDW EXIT)}},
      .symbols = {{"b", 1, 20, 0, STT_NOTYPE, STB_GLOBAL},
                  {"a", 1, 0, 0, STT_NOTYPE, STB_GLOBAL},
                  {"main", 2, 0, 0, STT_NOTYPE, STB_GLOBAL}},
      .relocs = {{2, 0, 1, SKEP_R_BPF_64_64}}},
     0,
     "map a type=1 key=4 value=8 entries=16 flags=0\nmap b type=2 key=4 value=8 entries=3 flags=0\n"
     "program main (tc) 3: 0=main @0:5:1\n"},
    {"a section of its own for each map",
     {.sections = {{"maps/events", DATA, WORDS(1, 4, 8, 16, 0)}, PROGRAM}},
     0,
     "map events type=1 key=4 value=8 entries=16 flags=0\nprogram xdp (xdp) 2: 0=xdp\n"},
    {"a legacy map with more than is known",
     {.sections = {{"maps", DATA, WORDS(1, 4, 8, 16, 0, 7)}},
      .symbols = {{"m", 1, 0, 24, STT_OBJECT, STB_GLOBAL}}},
     0,
     "warning: t.o: section 'maps': map 'm' has 24 bytes; those behind the first 20 are ignored\n"
     "map m type=1 key=4 value=8 entries=16 flags=0\n"},
    {"the kernel's samples: an inner map by number",
     {.sections = {{"maps", DATA, WORDS(2, 4, 4, 1, 0, 0, 0, 12, 4, 4, 8, 0, 0, 0)}},
      .symbols = {{"in", 1, 0, 28, STT_OBJECT, STB_GLOBAL}, {"out", 1, 28, 28, STT_OBJECT, STB_GLOBAL}}},
     0,
     "map in type=2 key=4 value=4 entries=1 flags=0\n"
     "map out type=12 key=4 value=4 entries=8 flags=0 inner=in:2\n"},
    {"iproute2: ids, inner maps, sections of tail calls",
     {.sections = {{"maps", DATA,
                    WORDS(3, 4, 4, 8, 0, 5, 0, 0, 0, 2, 4, 4, 1, 0, 6, 0, 0, 2, 12, 4, 4, 4, 0, 0, 0, 6, 0)},
                   {"5/3", CODE, BYTES(RETURN_1)}},
      .symbols = {{"jumps", 1, 0, 36, STT_OBJECT, STB_GLOBAL},
                  {"in", 1, 36, 36, STT_OBJECT, STB_GLOBAL},
                  {"out", 1, 72, 36, STT_OBJECT, STB_GLOBAL},
                  FUNC("third", 2, 0, 16)}},
     0,
     "map jumps type=3 key=4 value=4 entries=8 flags=0 [3]=third\n"
     "map in type=2 key=4 value=4 entries=1 flags=0\n"
     "map out type=12 key=4 value=4 entries=4 flags=0 inner=in:2 [2]=in\n"
     "program third (5/3) 2: 0=third\n"},
    {"data; a section of another name only when it is used",
     {.sections = {{".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, NULL, 16},
                   {"mine", DATA, BYTES("12345678")},
                   {"nobodys", DATA, BYTES("12345678")},
                   {".rodata.x", SHT_PROGBITS, SHF_ALLOC, BYTES("abc")},
                   {"tc", CODE, BYTES("\x18\x02\0\0\x04\0\0\0\0\0\0\0\0\0\0\0" EXIT)}},
      .symbols = {{"", 2, 0, 0, STT_SECTION, STB_LOCAL}, FUNC("main", 5, 0, 24)},
      .relocs = {{5, 0, 1, SKEP_R_BPF_64_64}}},
     0,
     "map .bss type=2 key=4 value=16 entries=1 flags=0\nmap mine type=2 key=4 value=8 entries=1 flags=0\n"
     "map .rodata.x type=2 key=4 value=3 entries=1 flags=128\nprogram main (tc) 3: 0=main @0:6:1\n"},

    {"32 bits", {.sections = {PROGRAM}, .change = is_32_bit}, -ENOEXEC, "t.o: not a 64-bit object\n"},
    {"the other byte order",
     {.sections = {PROGRAM}, .change = is_big_endian},
     -ENOEXEC,
     "t.o: a big-endian object; this machine is little-endian\n"},
    {"another machine", {.sections = {PROGRAM}, .change = is_x86}, -ENOEXEC, "t.o: not a BPF object\n"},
    {"a library", {.sections = {PROGRAM}, .change = is_shared}, -ENOEXEC, "t.o: not a relocatable object\n"},
    {"no sections", {.sections = {PROGRAM}, .change = has_no_sections}, -EINVAL, NULL},
    {"sections outside", {.sections = {PROGRAM}, .change = has_sections_outside}, -EINVAL, NULL},
    {"no names",
     {.sections = {PROGRAM}, .change = has_no_names},
     -EINVAL,
     "t.o: the sections have no names\n"},
    {"a name outside",
     {.sections = {PROGRAM}, .change = has_bad_name},
     -EINVAL,
     "t.o: section 1: its name at offset 1073741824 is not in the table of names\n"},
    {"a section outside", {.sections = {PROGRAM}, .change = has_section_outside}, -EINVAL, NULL},
    {"a terabyte of zeros",
     {.sections = {{".bss", SHT_NOBITS, SHF_ALLOC, NULL, 8}}, .change = has_huge_bss},
     -E2BIG,
     "t.o: section '.bss' has 1099511627776 bytes; at most 268435456 are loaded\n"},
    {"half an instruction",
     {.sections = {{"xdp", CODE, BYTES(RETURN_1 "1234")}}},
     -EINVAL,
     "t.o: section 'xdp': 20 bytes of code; an instruction has 8\n"},
    {"a symbol of no section",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 77, 0, 8)}},
     -EINVAL,
     "t.o: symbol 1 ('f') is of section 77; there are 5\n"},
    {"a symbol outside of its section",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 1, 999, 8)}},
     -EINVAL,
     "t.o: symbol 1 ('f') is at offset 999 of section 'xdp' (16 bytes)\n"},
    {"a function that is too long",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 1, 8, 16)}},
     -EINVAL,
     "t.o: section 'xdp': function 'f' at offset 8 is 16 bytes long\n"},
    {"a function at half an instruction",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 1, 4, 8)}},
     -EINVAL,
     "t.o: section 'xdp': function 'f' begins at offset 4\n"},
    {"a relocation of nothing",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 1, 0, 16)}, .relocs = {{1, 16, 1, SKEP_R_BPF_64_32}}},
     -EINVAL,
     "t.o: section '.rel': relocation 0 (offset 16, symbol 1) is of nothing\n"},
    {"a relocation by no symbol",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 1, 0, 16)}, .relocs = {{1, 0, 2, SKEP_R_BPF_64_32}}},
     -EINVAL,
     "t.o: section '.rel': relocation 0 (offset 0, symbol 2) is of nothing\n"},
    {"a relocation of an instruction that names nothing",
     {.sections = {PROGRAM}, .symbols = {FUNC("f", 1, 0, 16)}, .relocs = {{1, 0, 1, SKEP_R_BPF_64_32}}},
     0,
     "program f (xdp)t.o: section 'xdp', function 'f', instruction 0 (offset 0): relocation of type 10 by symbol 'f', "
     "but code 0xb7 names nothing\n\n"},
    {"two relocations of one instruction",
     {.sections = {{"xdp", CODE, BYTES(LDDW EXIT)}},
      .symbols = {FUNC("f", 1, 0, 24)},
      .relocs = {{1, 0, 1, SKEP_R_BPF_64_64}, {1, 8, 1, SKEP_R_BPF_64_64}}},
     0,
     "program f (xdp)t.o: section 'xdp', function 'f', instruction 0 (offset 0): relocation at offset 8 is not of one "
     "instruction\n\n"},
    {"a call to nowhere",
     {.sections = {{"xdp", CODE, BYTES(CALL("\xf0\xff\xff\xff") EXIT)}}},
     0,
     "program xdp (xdp)t.o: section 'xdp', function 'xdp', instruction 0 (offset 0): calls instruction -15 of section "
     "'xdp', where there is no function\n\n"},
    {"a map that is too small",
     {.sections = {{"maps", DATA, WORDS(1, 4)}}, .symbols = {{"m", 1, 0, 8, STT_OBJECT, STB_GLOBAL}}},
     -EINVAL,
     "t.o: section 'maps': map 'm' at offset 0 has 8 bytes; a definition has at least 16\n"},
    {"maps that overlap",
     {.sections = {{"maps", DATA, WORDS(1, 4, 8, 16, 0, 1, 4, 8, 16, 0)}},
      .symbols = {{"a", 1, 0, 20, STT_OBJECT, STB_GLOBAL}, {"b", 1, 4, 20, STT_OBJECT, STB_GLOBAL}}},
     -EINVAL,
     "t.o: section 'maps': map 'a' at offset 0 has 20 bytes; there is room for 4\n"},
    {"maps without bytes",
     {.sections = {{"maps", SHT_NOBITS, SHF_ALLOC, NULL, 20}},
      .symbols = {{"m", 1, 0, 20, STT_OBJECT, STB_GLOBAL}}},
     -EINVAL,
     NULL},
    {"an inner map that is not there",
     {.sections = {{"maps", DATA, WORDS(12, 4, 4, 8, 0, 9, 0)}},
      .symbols = {{"m", 1, 0, 28, STT_OBJECT, STB_GLOBAL}}},
     -EINVAL,
     "t.o: section 'maps': map 'm': there is no inner map with the number 9\n"},
    {"a place between maps",
     {.sections = {{"maps", DATA, WORDS(1, 4, 8, 16, 0, 0, 0)}, {"xdp", CODE, BYTES(LDDW EXIT)}},
      .symbols = {{"m", 1, 0, 20, STT_OBJECT, STB_GLOBAL}, {"gap", 1, 24, 0, STT_SECTION, STB_LOCAL}},
      .relocs = {{2, 0, 2, SKEP_R_BPF_64_64}}},
     0,
     NULL},
    {".maps without BTF",
     {.sections = {{".maps", DATA, BYTES("12345678")}}, .symbols = {{"m", 1, 0, 8, STT_OBJECT, STB_GLOBAL}}},
     -EINVAL,
     "t.o: section '.maps': map 'm': the object has no section '.BTF' that says what it is; compile with -g\n"},
    {"BTF that is none",
     {.sections = {{".BTF", SHT_PROGBITS, 0, BYTES("nonsense")}}},
     -EINVAL,
     "t.o: section '.BTF': no BTF of this machine's byte order\n"},
    {"text for terminals in names",
     {.sections = {{"x\x1b[2J", CODE, BYTES("1234")}}},
     -EINVAL,
     "t.o: section 'x\\x1b[2J': 4 bytes of code; an instruction has 8\n"},
};

static void test_images(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
        _cleanup_strbuf_ struct skep_strbuf file, text;
        write_image(&images[i].image, &file);
        skep_strbuf_init(&text, 1 << 16);
        int r = read_bytes(file.s, file.len, &text);
        if (r != images[i].r || (images[i].text && !skep_streq(text.s, images[i].text)))
            fail_msg("%s: %d\n%s", images[i].what, r, text.s);
    }
}

/* ---- damage ---- */

static char *read_file(const char *path, size_t *ret_size)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    assert_non_null(f);
    char *data = malloc(1 << 20);
    assert_non_null(data);
    *ret_size = fread(data, 1, 1 << 20, f);
    return data;
}

/* Cut anywhere, or with any byte changed, an object is read or refused. */
static void damage(const char *path)
{
    size_t size;
    _cleanup_free_ char *data = read_file(path, &size);
    struct skep_strbuf text;
    skep_strbuf_init(&text, 1 << 20);
    assert_int_equal(read_bytes(data, size, &text), 0);
    for (size_t n = 0; n < size; n += n < 64 ? 1 : 37) {
        /* memory of exactly that size, for the sanitizers */
        _cleanup_free_ char *cut = malloc(MAX(n, (size_t)1));
        assert_non_null(cut);
        memcpy(cut, data, n);
        skep_strbuf_reset(&text);
        assert_true(read_bytes(cut, n, &text) <= 0);
    }
    for (size_t i = 0; i < size; i += i < 64 ? 1 : 7) {
        char old = data[i];
        data[i] = (char)(i % 2 ? old ^ (1 << i % 8) : 0xff);
        skep_strbuf_reset(&text);
        assert_true(read_bytes(data, size, &text) <= 0);
        data[i] = old;
    }
    skep_strbuf_clear(&text);
}

static void test_damage(void **state)
{
    (void)state;
    const char *dir = getenv("SKEP_TEST_OBJECTS");
    char pattern[4096];
    snprintf(pattern, sizeof(pattern), "%s/*.bpf.o", dir ? dir : "");
    glob_t g;
    if (!dir || glob(pattern, 0, NULL, &g) != 0) {
        print_message("skipped: SKEP_TEST_OBJECTS names no objects\n");
        skip();
    }
    for (size_t i = 0; i < g.gl_pathc; i++)
        damage(g.gl_pathv[i]);
    globfree(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
