/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_OBJECT_ELF_H
#define SKEP_VM_OBJECT_ELF_H
/*
 * An object file with BPF programs, as far as it can be understood without a vm: what the loader, `skep vm maps` and
 * `skep vm disasm` work on.
 *
 * Twenty years of compilers and loaders have left several dialects; all are read into the same tables:
 *
 *   functions  from function symbols, static or global; from plain symbols where an old compiler gave them no type; a
 *              section without any symbol is one function with the section's name
 *   programs   the functions outside of .text. In .text they are subprograms, unless there is nothing else.
 *   maps       BTF-defined (.maps), struct bpf_map_def (maps, maps/NAME), iproute2's struct bpf_elf_map (maps), and one
 *              for each section of data and for .kconfig
 *
 * Each of elf.c (the file), elf_code.c (functions, linking), elf_btf.c (types, lines, CO-RE), elf_map.c and
 * elf_btf_map.c (maps), elf_data.c and elf_kconfig.c fills its part. Programs are put together on demand by
 * skep_elf_link(): the function, and behind it every function that it calls or takes the address of, wherever it lies.
 * In what comes out maps are LDDW_MAP_IDX and LDDW_MAP_IDX_VALUE with the index into maps, functions are CALL_LOCAL and
 * LDDW_CODE; only externs and CO-RE relocations are left over.
 *
 * The file is hostile: each offset, size, index and name in it is checked before use, all work is linear in its size
 * (linking: in the size of what comes out), and what is wrong is told to the log with section, symbol and offset.
 * Everything lives in one arena. Nothing is shared; one thread at a time.
 *
 *     struct skep_elf_options o = {.name = "prog.o", .log = print};
 *     struct skep_elf *elf;
 *     r = skep_elf_open(data, size, &o, &elf);
 *     for (i = 0; i < elf->n_programs; i++) puts(elf->programs[i].name);
 *     skep_elf_close(elf);
 */
#include "base/macro.h"
#include "isa/insn.h"
#include "vm/arena.h"

struct skep_btf;
struct btf_type;

#define SKEP_ELF_FILE_MAX (256u << 20)
#define SKEP_ELF_PROGRAMS_MAX 4096
#define SKEP_ELF_MAPS_MAX 4096
#define SKEP_ELF_DATA_MAX (256u << 20) /* bytes of one section of data */
#define SKEP_ELF_NONE UINT32_MAX

enum skep_elf_kind {
    SKEP_ELF_OTHER,
    SKEP_ELF_CODE,
    SKEP_ELF_MAPS,     /* legacy and iproute2 */
    SKEP_ELF_BTF_MAPS, /* .maps */
    SKEP_ELF_DATA,
};

/* R_BPF_*: the system's elf.h has not all of them. */
enum {
    SKEP_R_BPF_NONE = 0,
    SKEP_R_BPF_64_64 = 1,
    SKEP_R_BPF_64_ABS64 = 2,
    SKEP_R_BPF_64_ABS32 = 3,
    SKEP_R_BPF_64_NODYLD32 = 4,
    SKEP_R_BPF_64_32 = 10
};

struct skep_elf_reloc {
    uint64_t offset; /* in the section */
    uint32_t type;
    uint32_t symbol; /* index into symbols, in range */
    int64_t addend;  /* 0 for SHT_REL: it is in the place itself */
};

struct skep_elf_section {
    const char *name;
    const uint8_t *data; /* NULL: no bytes in the file (.bss) */
    uint64_t size;       /* with data: all in the file */
    uint64_t flags;
    uint32_t type, link, info;
    uint64_t entry_size;
    enum skep_elf_kind kind;
    struct skep_elf_reloc *relocs; /* that apply to it, by offset */
    size_t n_relocs;
    uint32_t map; /* DATA: its map, SKEP_ELF_NONE: none */
};

struct skep_elf_symbol {
    const char *name; /* "" for sections */
    uint64_t value, size;
    uint32_t section; /* 0: undefined or absolute; else in range */
    uint8_t type, bind;
    bool defined;
    uint32_t map; /* undefined: the map that it lies in (.kconfig), SKEP_ELF_NONE: none */
    uint32_t map_offset;
};

/* Instructions [start, start + n) of a section. */
struct skep_elf_function {
    const char *name; /* "": code without a symbol */
    uint32_t section, start, n;
    bool global;
    uint64_t link; /* of the last link that it was part of, */
    uint32_t at;   /* and where */
};

struct skep_elf_program {
    const char *name;
    const char *section;
    uint32_t function;
};

enum skep_elf_dialect {
    SKEP_ELF_DIALECT_BTF,
    SKEP_ELF_DIALECT_LEGACY,
    SKEP_ELF_DIALECT_IPROUTE2,
    SKEP_ELF_DIALECT_DATA,
    SKEP_ELF_DIALECT_KCONFIG
};

/* What is in a map of maps or a prog array from the start. */
struct skep_elf_slot {
    uint32_t key;
    bool program;
    uint32_t target; /* index into maps or programs */
};

struct skep_elf_map {
    const char *name;
    enum skep_elf_dialect dialect;
    uint32_t section;      /* where it was defined */
    uint64_t offset, size; /* there */
    uint32_t type, key_size, value_size, max_entries, flags;
    uint64_t extra;
    uint32_t pinning;
    uint32_t id, inner_id;            /* iproute2; 0: none */
    const struct skep_elf_map *inner; /* map of maps: what its values look like */
    uint32_t values_at;               /* BTF: offset of the initialisers, SKEP_ELF_NONE: none */
    struct skep_elf_slot *slots;
    uint32_t n_slots, room_slots;
};

/* A value that .kconfig wants: a place in its map. */
struct skep_elf_kconfig {
    const char *name;
    uint32_t offset, size; /* 1, 2, 4 or 8 of numbers, of text with the NUL */
    bool text, sign, weak;
    bool tristate; /* a bool or enum: 0 to 2 */
    bool missing;  /* for the loader: nobody has a value for it */
};

/* Where in the source an instruction of a section comes from. */
struct skep_elf_line {
    uint32_t section, insn;
    uint32_t line, column;
    const char *file, *text; /* "" when they are not known */
};

/* A CO-RE relocation, as in .BTF.ext: what vm/btf/core.h resolves. */
struct skep_elf_relo {
    uint32_t section, insn;
    uint32_t type;      /* id in the object's BTF, not checked */
    uint32_t kind;      /* enum bpf_core_relo_kind, not checked */
    const char *access; /* "0:1:2" */
};

struct skep_elf_options {
    const char *name; /* of the file, for messages; NULL: "object" */
    const struct skep_vm_allocator *allocator;
    skep_vm_log_fn log; /* NULL: nobody listens */
    void *log_data;
};

struct skep_elf {
    struct skep_vm_arena arena;
    struct skep_elf_options options;
    const uint8_t *file;
    size_t size;
    struct skep_elf_section *sections; /* [0] is no section */
    uint32_t n_sections;
    uint32_t *by_name;               /* [n_sections] indices of sections */
    struct skep_elf_symbol *symbols; /* [0] is no symbol */
    uint32_t n_symbols;
    struct skep_elf_function *functions; /* by section and start */
    uint32_t n_functions;
    struct skep_elf_program *programs; /* in the order of the file */
    uint32_t n_programs;
    struct skep_elf_map *maps;
    uint32_t n_maps, room_maps;
    uint32_t n_defined; /* of maps, the first ones: defined in sections, by section and offset */
    struct skep_elf_kconfig *kconfigs;
    uint32_t n_kconfigs, kconfig_size;
    uint32_t kconfig_map;                  /* SKEP_ELF_NONE: none */
    uint32_t btf_section, btf_ext_section; /* 0: none */
    struct skep_btf *btf;                  /* NULL: none */
    const struct btf_type *btf_maps;       /* its section .maps, NULL: none */
    struct skep_elf_line *lines;           /* by section and instruction, as are the relocations */
    size_t n_lines;
    struct skep_elf_relo *relos;
    size_t n_relos;
    const char *license; /* NULL: none */
    uint64_t links;
};

/* Reads all tables. The data are copied. -ENOEXEC: no object for this machine; -EINVAL: malformed; -E2BIG: beyond a
 * limit; -ENOMEM; the log knows more. */
int skep_elf_open(const void *data, size_t size, const struct skep_elf_options *o, struct skep_elf **ret_elf);
struct skep_elf *skep_elf_close(struct skep_elf *elf);
SKEP_DEFINE_CLEANUP(struct skep_elf, skep_elf_close)

/* Index of the section of that name, 0: there is none. */
uint32_t skep_elf_section_find(const struct skep_elf *elf, const char *name);
/* Index into maps of the map that covers offset of section, SKEP_ELF_NONE: none. */
uint32_t skep_elf_map_at(const struct skep_elf *elf, uint32_t section, uint64_t offset);
/* Index into functions of the one that covers instruction insn of section, SKEP_ELF_NONE: none. */
uint32_t skep_elf_function_at(const struct skep_elf *elf, uint32_t section, uint64_t insn);
/* Index into programs of the one that begins at that function, SKEP_ELF_NONE: none. */
uint32_t skep_elf_program_of(const struct skep_elf *elf, uint32_t function);
/* The relocations of a section with from <= offset < to. */
const struct skep_elf_reloc *skep_elf_relocs(const struct skep_elf_section *s, uint64_t from, uint64_t to,
                                             size_t *ret_n);

/* The line that an instruction of a section belongs to, NULL: not known. */
const struct skep_elf_line *skep_elf_line_at(const struct skep_elf *elf, uint32_t section, uint32_t insn);
/* The CO-RE relocations of a function. */
const struct skep_elf_relo *skep_elf_relos(const struct skep_elf *elf, uint32_t function, size_t *ret_n);

/* ---- linking ---- */

/* A function in a program: instructions [at, at + functions[function].n). */
struct skep_elf_part {
    uint32_t at, function;
};
/* An instruction (LDDW, or a call) that names something from outside. */
struct skep_elf_extern {
    uint32_t insn;
    uint32_t symbol;
    bool call;
};
struct skep_elf_code {
    struct skep_insn *insns;
    uint32_t n_insns;
    struct skep_elf_part *parts;
    uint32_t n_parts;
    struct skep_elf_extern *externs;
    uint32_t n_externs;
};
/* Puts program together in the arena a. -E2BIG: more than SKEP_ISA_INSNS_MAX. */
int skep_elf_link(struct skep_elf *elf, uint32_t program, struct skep_vm_arena *a, struct skep_elf_code *ret);
/* The part that instruction insn is in. */
const struct skep_elf_part *skep_elf_code_part(const struct skep_elf_code *code, uint32_t insn);

/* ---- steps of skep_elf_open(), in this order ---- */

int skep_elf_read_code(struct skep_elf *elf);
int skep_elf_read_btf(struct skep_elf *elf);
int skep_elf_read_maps(struct skep_elf *elf);
int skep_elf_read_data(struct skep_elf *elf);
int skep_elf_read_kconfig(struct skep_elf *elf);

/* ---- for them ---- */

/* Fills in a map that .maps defines, by its BTF. */
int skep_elf_read_btf_map(struct skep_elf *elf, struct skep_elf_map *m);
/* What the initialisers of such a map name; when all maps are known. */
int skep_elf_read_btf_slots(struct skep_elf *elf, struct skep_elf_map *m);
int skep_elf_add_slot(struct skep_elf *elf, struct skep_elf_map *m, uint32_t key, bool program,
                      uint32_t target);

/* A new map at the end of maps; NULL: too many (logged). */
struct skep_elf_map *skep_elf_add_map(struct skep_elf *elf, const char *name, enum skep_elf_dialect dialect,
                                      uint32_t section, uint64_t offset, uint64_t size);

/* To the log: NAME: text. What is not printable in it is made so. */
void skep_elf_error(const struct skep_elf *elf, const char *fmt, ...) SKEP_PRINTF(2, 3);
void skep_elf_warn(const struct skep_elf *elf, const char *fmt, ...) SKEP_PRINTF(2, 3);
/* Says so and gives -ENOMEM. */
int skep_elf_no_memory(const struct skep_elf *elf);
#endif
