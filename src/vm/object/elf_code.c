/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stdarg.h>

#include "vm/object/elf.h"

/* ---- functions ---- */

/* Whether a symbol says that a function begins at it. Old compilers gave functions no type; then the global symbols
 * are functions, and the local ones labels of jumps. */
static bool is_function(const struct skep_elf *elf, const struct skep_elf_symbol *s, const bool *typed)
{
    if (!s->defined || elf->sections[s->section].kind != SKEP_ELF_CODE || s->type == STT_SECTION)
        return false;
    return s->type == STT_FUNC || (!typed[s->section] && s->type == STT_NOTYPE && s->bind != STB_LOCAL);
}

static int add_function(struct skep_elf *elf, const struct skep_elf_symbol *s)
{
    const struct skep_elf_section *section = &elf->sections[s->section];
    if (s->value % sizeof(struct skep_insn) || s->value == section->size) {
        skep_elf_error(elf, "section '%s': function '%s' begins at offset %llu", section->name, s->name,
                       (unsigned long long)s->value);
        return -EINVAL;
    }
    if (s->size > section->size - s->value || s->size % sizeof(struct skep_insn)) {
        skep_elf_error(elf, "section '%s': function '%s' at offset %llu is %llu bytes long", section->name,
                       s->name, (unsigned long long)s->value, (unsigned long long)s->size);
        return -EINVAL;
    }
    elf->functions[elf->n_functions++] = (struct skep_elf_function){
        .name = s->name,
        .section = s->section,
        .start = (uint32_t)(s->value / sizeof(struct skep_insn)),
        .n = (uint32_t)(s->size / sizeof(struct skep_insn)),
        .global = s->bind != STB_LOCAL,
    };
    return 0;
}

static int compare_functions(const void *a, const void *b)
{
    const struct skep_elf_function *x = a, *y = b;
    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    /* of two names for the same code, the one that others can see */
    if (x->global != y->global)
        return x->global ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sizes that symbols do not have, or that reach into the next function; code that no symbol covers becomes a function
 * without a name. from: of the symbols, sorted; to: has room for all and a gap before each and behind the last of a
 * section. */
static uint32_t lay_out(struct skep_elf *elf, const struct skep_elf_function *from, uint32_t n_from,
                        struct skep_elf_function *to)
{
    uint32_t n = 0, i = 0;
    for (uint32_t section = 1; section < elf->n_sections; section++) {
        const struct skep_elf_section *s = &elf->sections[section];
        if (s->kind != SKEP_ELF_CODE)
            continue;
        uint32_t end = (uint32_t)(s->size / sizeof(struct skep_insn)), at = 0;
        bool any = false;
        for (; i < n_from && from[i].section == section; i++) {
            const struct skep_elf_function *f = &from[i];
            if (any && f->start == to[n - 1].start)
                continue;
            if (f->start > at)
                to[n++] = (struct skep_elf_function){
                    .name = "", .section = section, .start = at, .n = f->start - at};
            uint32_t next = end;
            for (uint32_t k = i + 1; k < n_from && from[k].section == section && next == end; k++)
                next = from[k].start > f->start ? from[k].start : end;
            to[n] = *f;
            to[n].n = f->n && f->n <= next - f->start ? f->n : next - f->start;
            at = f->start + to[n++].n;
            any = true;
        }
        if (at < end)
            to[n++] = (struct skep_elf_function){
                .name = any ? "" : s->name, .section = section, .start = at, .n = end - at, .global = !any};
    }
    return n;
}

static int check_sections(struct skep_elf *elf, uint32_t *ret_n)
{
    for (uint32_t i = 1; i < elf->n_sections; i++) {
        struct skep_elf_section *s = &elf->sections[i];
        if (s->kind != SKEP_ELF_CODE)
            continue;
        if (s->size == 0) {
            s->kind = SKEP_ELF_OTHER; /* the .text of nearly every object */
            continue;
        }
        if (s->size % sizeof(struct skep_insn)) {
            skep_elf_error(elf, "section '%s': %llu bytes of code; an instruction has 8", s->name,
                           (unsigned long long)s->size);
            return -EINVAL;
        }
        (*ret_n)++;
    }
    return 0;
}

static int read_functions(struct skep_elf *elf)
{
    uint32_t n_sections = 0, n = 0;
    int r = check_sections(elf, &n_sections);
    if (r < 0)
        return r;
    bool *typed = skep_vm_arena_calloc(&elf->arena, elf->n_sections, sizeof(*typed));
    if (!typed)
        return skep_elf_no_memory(elf);
    for (uint32_t i = 1; i < elf->n_symbols; i++)
        if (elf->symbols[i].type == STT_FUNC)
            typed[elf->symbols[i].section] = true;
    for (uint32_t i = 1; i < elf->n_symbols; i++)
        n += is_function(elf, &elf->symbols[i], typed);
    struct skep_elf_function *found = skep_vm_arena_calloc(&elf->arena, n, sizeof(*found));
    struct skep_elf_function *all =
        skep_vm_arena_calloc(&elf->arena, 2 * (size_t)n + n_sections, sizeof(*all));
    if (!found || !all)
        return skep_elf_no_memory(elf);
    elf->functions = found;
    for (uint32_t i = 1; i < elf->n_symbols && r == 0; i++)
        if (is_function(elf, &elf->symbols[i], typed))
            r = add_function(elf, &elf->symbols[i]);
    if (r < 0)
        return r;
    if (n)
        qsort(found, n, sizeof(*found), compare_functions);
    elf->n_functions = lay_out(elf, found, n, all);
    elf->functions = all;
    return 0;
}

uint32_t skep_elf_function_at(const struct skep_elf *elf, uint32_t section, uint64_t insn)
{
    uint32_t low = 0, high = elf->n_functions;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct skep_elf_function *f = &elf->functions[middle];
        if (f->section == section ? (uint64_t)f->start + f->n <= insn : f->section < section)
            low = middle + 1;
        else
            high = middle;
    }
    const struct skep_elf_function *f = &elf->functions[low];
    return low < elf->n_functions && f->section == section && f->start <= insn ? low : SKEP_ELF_NONE;
}

/* ---- programs ---- */

/* Functions of .text are there to be called, unless the object has nothing else. Then the global ones are programs, or
 * all when none is. */
static bool is_program(const struct skep_elf *elf, const struct skep_elf_function *f, bool others,
                       bool globals)
{
    if (!f->name[0])
        return false;
    if (!skep_streq(elf->sections[f->section].name, ".text"))
        return true;
    return !others && (f->global || !globals);
}

int skep_elf_read_code(struct skep_elf *elf)
{
    int r = read_functions(elf);
    if (r < 0)
        return r;
    bool others = false, globals = false;
    for (uint32_t i = 0; i < elf->n_functions; i++) {
        others = others || !skep_streq(elf->sections[elf->functions[i].section].name, ".text");
        globals = globals || elf->functions[i].global;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < elf->n_functions; i++)
        n += is_program(elf, &elf->functions[i], others, globals);
    if (n > SKEP_ELF_PROGRAMS_MAX) {
        skep_elf_error(elf, "%u programs; at most %d are read", n, SKEP_ELF_PROGRAMS_MAX);
        return -E2BIG;
    }
    elf->programs = skep_vm_arena_calloc(&elf->arena, n, sizeof(*elf->programs));
    if (!elf->programs)
        return skep_elf_no_memory(elf);
    for (uint32_t i = 0; i < elf->n_functions; i++) {
        const struct skep_elf_function *f = &elf->functions[i];
        if (is_program(elf, f, others, globals))
            elf->programs[elf->n_programs++] = (struct skep_elf_program){
                .name = f->name,
                .section = elf->sections[f->section].name,
                .function = i,
            };
    }
    return 0;
}

uint32_t skep_elf_program_of(const struct skep_elf *elf, uint32_t function)
{
    uint32_t low = 0, high = elf->n_programs;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (elf->programs[middle].function < function)
            low = middle + 1;
        else
            high = middle;
    }
    return low < elf->n_programs && elf->programs[low].function == function ? low : SKEP_ELF_NONE;
}

/* ---- linking ---- */

/* What an instruction names. */
enum target { TARGET_NOTHING, TARGET_CODE, TARGET_MAP, TARGET_VALUE, TARGET_EXTERN };
struct name {
    enum target target;
    uint32_t index;  /* of a function, map or symbol */
    uint32_t offset; /* into it: instructions, or bytes of a value */
};

/* A walk over the instructions of a function together with their relocations. */
struct walk {
    const struct skep_elf *elf;
    const struct skep_elf_function *f;
    const struct skep_elf_section *section;
    const struct skep_elf_reloc *relocs;
    size_t n_relocs;
    uint32_t i; /* the instruction, from 0 */
    struct skep_insn insn;
};

static void walk_init(struct walk *w, const struct skep_elf *elf, uint32_t function)
{
    const struct skep_elf_function *f = &elf->functions[function];
    *w = (struct walk){.elf = elf, .f = f, .section = &elf->sections[f->section]};
    w->relocs = skep_elf_relocs(w->section, (uint64_t)f->start * sizeof(struct skep_insn),
                                ((uint64_t)f->start + f->n) * sizeof(struct skep_insn), &w->n_relocs);
}

SKEP_PRINTF(2, 3)
static int complain(const struct walk *w, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    skep_elf_error(w->elf, "section '%s', function '%s', instruction %u (offset %llu): %s", w->section->name,
                   w->f->name, w->i, ((unsigned long long)w->f->start + w->i) * sizeof(struct skep_insn),
                   text);
    return -EINVAL;
}

static bool is_wide(const struct skep_insn *insn)
{
    return insn->code == 0x18;
}
static bool is_call(const struct skep_insn *insn)
{
    return insn->code == 0x85;
}
/* LDDW_CODE, CALL_LOCAL and their kin by the src that stands for them. */
enum { SRC_CALL_LOCAL = 1, SRC_CALL_KFUNC = 2, SRC_MAP_IDX = 5, SRC_MAP_IDX_VALUE = 6, SRC_CODE = 4 };

static int name_code(const struct walk *w, uint32_t section, int64_t insn, struct name *ret)
{
    uint32_t function = insn < 0 ? SKEP_ELF_NONE : skep_elf_function_at(w->elf, section, (uint64_t)insn);
    if (function == SKEP_ELF_NONE)
        return complain(w, "calls instruction %lld of section '%s', where there is no function",
                        (long long)insn, w->elf->sections[section].name);
    *ret = (struct name){TARGET_CODE, function, (uint32_t)insn - w->elf->functions[function].start};
    return 0;
}

static int name_data(const struct walk *w, const struct skep_elf_symbol *s,
                     const struct skep_elf_reloc *reloc, struct name *ret)
{
    const struct skep_elf_section *section = &w->elf->sections[s->section];
    /* the place itself holds what is to be added, as a signed number */
    int64_t offset = (int64_t)s->value + (reloc->addend ? reloc->addend : w->insn.imm);
    if (section->kind == SKEP_ELF_MAPS || section->kind == SKEP_ELF_BTF_MAPS) {
        uint32_t map = offset < 0 ? SKEP_ELF_NONE : skep_elf_map_at(w->elf, s->section, (uint64_t)offset);
        if (map == SKEP_ELF_NONE)
            return complain(w, "there is no map at offset %lld of section '%s' (symbol '%s')",
                            (long long)offset, section->name, s->name);
        *ret = (struct name){.target = TARGET_MAP, .index = map};
        return 0;
    }
    if (section->kind != SKEP_ELF_DATA || section->map == SKEP_ELF_NONE)
        return complain(w, "names symbol '%s' of section '%s', which is neither code nor data", s->name,
                        section->name);
    if (offset < 0 || (uint64_t)offset >= section->size)
        return complain(w, "names offset %lld of section '%s' (%llu bytes)", (long long)offset, section->name,
                        (unsigned long long)section->size);
    *ret = (struct name){TARGET_VALUE, section->map, (uint32_t)offset};
    return 0;
}

static int name_by_reloc(const struct walk *w, const struct skep_elf_reloc *reloc, struct name *ret)
{
    const struct skep_elf_symbol *s = &w->elf->symbols[reloc->symbol];
    bool call = is_call(&w->insn);
    if (!call && !is_wide(&w->insn))
        return complain(w, "relocation of type %u by symbol '%s', but code 0x%02x names nothing", reloc->type,
                        s->name, w->insn.code);
    if (!s->defined) {
        if (!s->name[0])
            return complain(w, "relocation by a symbol that is neither defined nor named");
        *ret = s->map == SKEP_ELF_NONE || call
                   ? (struct name){.target = TARGET_EXTERN, .index = reloc->symbol}
                   : (struct name){TARGET_VALUE, s->map, s->map_offset};
        return 0;
    }
    if (w->elf->sections[s->section].kind == SKEP_ELF_CODE) {
        int64_t at = (int64_t)s->value / (int64_t)sizeof(struct skep_insn);
        if (s->value % sizeof(struct skep_insn))
            return complain(w, "symbol '%s' points into an instruction", s->name);
        if (call) /* imm counts from the next instruction, and is -1 for the symbol itself */
            return name_code(w, s->section, at + w->insn.imm + 1, ret);
        if (w->insn.imm % (int)sizeof(struct skep_insn))
            return complain(w, "points %d bytes behind function '%s'", w->insn.imm, s->name);
        return name_code(w, s->section, at + w->insn.imm / (int)sizeof(struct skep_insn), ret);
    }
    if (call)
        return complain(w, "calls '%s' of section '%s', which is no code", s->name,
                        w->elf->sections[s->section].name);
    if (s->section == 0)
        return complain(w, "names the absolute symbol '%s'", s->name);
    return name_data(w, s, reloc, ret);
}

/* The next instruction and what it names; *ret_slots: of it, 0 at the end. */
static int walk_next(struct walk *w, uint32_t *ret_slots, struct name *ret)
{
    *ret = (struct name){.target = TARGET_NOTHING};
    *ret_slots = 0;
    if (w->i == w->f->n)
        return 0;
    uint64_t offset = ((uint64_t)w->f->start + w->i) * sizeof(struct skep_insn);
    memcpy(&w->insn, w->section->data + offset, sizeof(w->insn));
    /* one that is cut off is left to the check of the whole program */
    *ret_slots = is_wide(&w->insn) && w->i + 1 < w->f->n ? 2 : 1;
    const struct skep_elf_reloc *reloc = NULL;
    while (w->n_relocs && w->relocs->offset < offset + *ret_slots * sizeof(struct skep_insn)) {
        if (w->relocs->type != SKEP_R_BPF_NONE) {
            if (reloc || w->relocs->offset != offset)
                return complain(w, "relocation at offset %llu is not of one instruction",
                                (unsigned long long)w->relocs->offset);
            reloc = w->relocs;
        }
        w->relocs++;
        w->n_relocs--;
    }
    if (reloc)
        return name_by_reloc(w, reloc, ret);
    unsigned src = skep_insn_src(&w->insn);
    bool local = is_call(&w->insn) ? src == SRC_CALL_LOCAL : is_wide(&w->insn) && src == SRC_CODE;
    if (local)
        return name_code(w, w->f->section, (int64_t)w->f->start + w->i + w->insn.imm + 1, ret);
    return 0;
}

/* The functions that a program needs, each once, in the order in which they are met. */
static int find_parts(struct skep_elf *elf, uint32_t entry, struct skep_vm_arena *a,
                      struct skep_elf_code *code)
{
    uint64_t link = ++elf->links;
    uint64_t n_insns = 0;
    uint32_t room = 8;
    code->parts = skep_vm_arena_calloc(a, room, sizeof(*code->parts));
    if (!code->parts)
        return skep_elf_no_memory(elf);
    elf->functions[entry].link = link;
    code->parts[code->n_parts++].function = entry;
    for (uint32_t i = 0; i < code->n_parts; i++) {
        struct skep_elf_function *f = &elf->functions[code->parts[i].function];
        code->parts[i].at = f->at = (uint32_t)n_insns;
        n_insns += f->n;
        if (n_insns > SKEP_ISA_INSNS_MAX) {
            skep_elf_error(elf, "function '%s' and what it calls have more than %d instructions",
                           elf->functions[entry].name, SKEP_ISA_INSNS_MAX);
            return -E2BIG;
        }
        struct walk w;
        uint32_t slots = 0;
        for (walk_init(&w, elf, code->parts[i].function);; w.i += slots) {
            struct name name;
            int r = walk_next(&w, &slots, &name);
            if (r < 0)
                return r;
            if (slots == 0)
                break;
            code->n_externs += name.target == TARGET_EXTERN;
            if (name.target != TARGET_CODE || elf->functions[name.index].link == link)
                continue;
            elf->functions[name.index].link = link;
            if (code->n_parts == room) {
                struct skep_elf_part *more = skep_vm_arena_calloc(a, 2 * (size_t)room, sizeof(*more));
                if (!more)
                    return skep_elf_no_memory(elf);
                code->parts = memcpy(more, code->parts, room * sizeof(*more));
                room *= 2;
            }
            code->parts[code->n_parts++] = (struct skep_elf_part){.function = name.index};
        }
    }
    code->n_insns = (uint32_t)n_insns;
    return 0;
}

/* Writes what name means into the instruction at the end of code. */
static void place(const struct skep_elf *elf, struct skep_elf_code *code, uint32_t at,
                  const struct name *name)
{
    struct skep_insn *insn = &code->insns[at];
    bool call = is_call(insn);
    switch (name->target) {
    case TARGET_NOTHING:
        return;
    case TARGET_CODE:
        skep_insn_set_src(insn, call ? SRC_CALL_LOCAL : SRC_CODE);
        insn->imm = (int32_t)(elf->functions[name->index].at + name->offset) - (int32_t)at - 1;
        break;
    case TARGET_MAP:
        skep_insn_set_src(insn, SRC_MAP_IDX);
        insn->imm = (int32_t)name->index;
        break;
    case TARGET_VALUE:
        skep_insn_set_src(insn, SRC_MAP_IDX_VALUE);
        insn->imm = (int32_t)name->index;
        break;
    case TARGET_EXTERN:
        code->externs[code->n_externs++] =
            (struct skep_elf_extern){.insn = at, .symbol = name->index, .call = call};
        skep_insn_set_src(insn, call ? SRC_CALL_KFUNC : 0);
        insn->imm = 0;
        break;
    }
    if (!call)
        insn[1].imm = name->target == TARGET_VALUE ? (int32_t)name->offset : 0;
}

int skep_elf_link(struct skep_elf *elf, uint32_t program, struct skep_vm_arena *a, struct skep_elf_code *ret)
{
    struct skep_elf_code code = {0};
    int r = find_parts(elf, elf->programs[program].function, a, &code);
    if (r < 0)
        return r;
    code.insns = skep_vm_arena_calloc(a, code.n_insns, sizeof(*code.insns));
    code.externs = skep_vm_arena_calloc(a, code.n_externs, sizeof(*code.externs));
    if (!code.insns || !code.externs)
        return skep_elf_no_memory(elf);
    code.n_externs = 0;
    for (uint32_t i = 0; i < code.n_parts; i++) {
        const struct skep_elf_function *f = &elf->functions[code.parts[i].function];
        memcpy(code.insns + code.parts[i].at,
               elf->sections[f->section].data + (size_t)f->start * sizeof(struct skep_insn),
               f->n * sizeof(struct skep_insn));
        struct walk w;
        uint32_t slots = 0;
        for (walk_init(&w, elf, code.parts[i].function);; w.i += slots) {
            struct name name;
            r = walk_next(&w, &slots, &name);
            if (r < 0)
                return r;
            if (slots == 0)
                break;
            if (slots == 1 && is_wide(&w.insn) && name.target != TARGET_NOTHING)
                return complain(&w, "the second half of the instruction is missing");
            place(elf, &code, code.parts[i].at + w.i, &name);
            if (slots == 1)
                skep_insn_modernize(&code.insns[code.parts[i].at + w.i]);
        }
    }
    *ret = code;
    return 0;
}

const struct skep_elf_part *skep_elf_code_part(const struct skep_elf_code *code, uint32_t insn)
{
    uint32_t low = 0, high = code->n_parts;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (code->parts[middle].at <= insn)
            low = middle;
        else
            high = middle;
    }
    return &code->parts[low];
}
