/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>

#include "vm/btf/core.h"
#include "vm/object/object.h"
#include "vm/program.h"

/* Most instructions of all programs of an object together: a subprogram is in each program that calls it. */
#define OBJECT_INSNS_MAX (16u << 20)
#define LINK_MEMORY_MAX (256u << 20)

/* A program that is being made. */
struct making {
    struct skep_vm_object *object;
    const struct skep_elf_program *program;
    struct skep_vm_arena *arena;
    struct skep_elf_code code;
    struct skep_poison *poisons; /* room for one for each extern and relocation */
    size_t n_poisons;
};

/* What a program of a section is given; the longest prefix that fits counts. */
static const struct {
    const char *section;
    const char *context;
} contexts[] = {
    {"xdp", "xdp"},           {"tc", "skb"},         {"tcx", "skb"},
    {"classifier", "skb"},    {"action", "skb"},     {"netkit", "skb"},
    {"socket", "skb"},        {"cgroup_skb", "skb"}, {"cgroup/skb", "skb"},
    {"lwt_in", "skb"},        {"lwt_out", "skb"},    {"lwt_xmit", "skb"},
    {"lwt_seg6local", "skb"}, {"sk_skb", "skb"},     {"flow_dissector", "skb"},
};

static const char *context_of_section(const char *section)
{
    section += *section == '?'; /* libbpf's mark of what is not loaded unless asked for */
    for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
        const char *rest = skep_startswith(section, contexts[i].section);
        if (rest && (*rest == '\0' || strchr("/._-", *rest)))
            return contexts[i].context;
    }
    return NULL;
}

static const char *context_of(const struct skep_elf *elf, const char *section)
{
    /* sections of iproute2's tail calls, ID/KEY, are of the type of those that call them */
    bool numbered = section[strspn(section, "0123456789/")] == '\0' && strchr(section, '/');
    const char *context = context_of_section(section);
    for (uint32_t i = 0; numbered && !context && i < elf->n_programs; i++)
        context = context_of_section(elf->programs[i].section);
    return context;
}

/* ---- externs ---- */

static int complain(const struct making *m, uint32_t insn, const char *text)
{
    const struct skep_elf *elf = m->object->elf;
    const struct skep_elf_part *part = skep_elf_code_part(&m->code, insn);
    const struct skep_elf_function *f = &elf->functions[part->function];
    skep_elf_error(elf, "program '%s' (section '%s'): function '%s', instruction %u: %s", m->program->name,
                   m->program->section, f->name, insn - part->at, text);
    return -ENOENT;
}

static void set_wide(struct skep_insn *insn, uint64_t value)
{
    insn[0].imm = (int32_t)(uint32_t)value;
    insn[1].imm = (int32_t)(uint32_t)(value >> 32);
}

/* Keeps what the instruction will say when it is reached. */
static int add_poison(struct making *m, uint32_t insn, const char *text)
{
    char *copy = skep_vm_arena_strndup(m->arena, text, strlen(text));
    if (!copy)
        return skep_elf_no_memory(m->object->elf);
    m->poisons[m->n_poisons++] = (struct skep_poison){.insn = insn, .text = copy};
    return 0;
}

static int bind_call(struct making *m, const struct skep_elf_extern *e, const struct skep_elf_symbol *s)
{
    uint64_t number;
    char text[160];
    int r = skep_object_find_extern(m->object, SKEP_VM_EXTERN_KFUNC, s->name, &number, NULL, 0);
    if (r == 0 && number < SKEP_HELPERS_MAX) {
        m->code.insns[e->insn] = skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, (int32_t)number);
        return 0;
    }
    if (r == 0) {
        snprintf(text, sizeof(text), "function '%.80s' has number %llu, which is no helper's", s->name,
                 (unsigned long long)number);
        return complain(m, e->insn, text);
    }
    snprintf(text, sizeof(text), "there is no function '%.80s' outside of the object", s->name);
    if (s->bind != STB_WEAK)
        return complain(m, e->insn, text);
    m->code.insns[e->insn] = skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, SKEP_POISON_CALL);
    return add_poison(m, e->insn, text);
}

static int bind_address(struct making *m, const struct skep_elf_extern *e, const struct skep_elf_symbol *s)
{
    uint64_t value;
    char text[160];
    int r = skep_object_find_extern(m->object, SKEP_VM_EXTERN_KSYM, s->name, &value, NULL, 0);
    if (r == -ENOENT) /* programs ask for the address of a weak function before they call it */
        r = skep_object_find_extern(m->object, SKEP_VM_EXTERN_KFUNC, s->name, &value, NULL, 0);
    if (r < 0 && s->bind != STB_WEAK) {
        snprintf(text, sizeof(text), "there is no symbol '%.80s' outside of the object", s->name);
        return complain(m, e->insn, text);
    }
    set_wide(&m->code.insns[e->insn], r < 0 ? 0 : value);
    return 0;
}

static int bind_externs(struct making *m)
{
    for (uint32_t i = 0; i < m->code.n_externs; i++) {
        const struct skep_elf_extern *e = &m->code.externs[i];
        const struct skep_elf_symbol *s = &m->object->elf->symbols[e->symbol];
        int r = e->call ? bind_call(m, e, s) : bind_address(m, e, s);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- types ---- */

static size_t count_relos(const struct making *m)
{
    size_t all = 0, n;
    for (uint32_t i = 0; i < m->code.n_parts; i++) {
        skep_elf_relos(m->object->elf, m->code.parts[i].function, &n);
        all += n;
    }
    return all;
}

static int relocate(struct making *m, struct skep_core *core)
{
    const struct skep_elf *elf = m->object->elf;
    for (uint32_t i = 0; i < m->code.n_parts; i++) {
        const struct skep_elf_part *part = &m->code.parts[i];
        size_t n;
        const struct skep_elf_relo *relos = skep_elf_relos(elf, part->function, &n);
        for (size_t k = 0; k < n; k++) {
            uint32_t at = part->at + relos[k].insn - elf->functions[part->function].start;
            char message[SKEP_CORE_MESSAGE_MAX];
            int r = skep_core_relocate(core, relos[k].type, relos[k].kind, relos[k].access, m->code.insns,
                                       m->code.n_insns, at, message);
            if (r < 0) {
                complain(m, at, message);
                return r;
            }
            r = r == 1 ? add_poison(m, at, message) : 0;
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* ---- loading ---- */

static int compare_poisons(const void *a, const void *b)
{
    const struct skep_poison *x = a, *y = b;
    return x->insn < y->insn ? -1 : x->insn > y->insn;
}

/* A variable of .kconfig that has no value, NULL: none is at that offset. They are laid out in order. */
static const char *missing_kconfig(const struct skep_elf *elf, uint32_t offset)
{
    uint32_t low = 0, high = elf->n_kconfigs;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (elf->kconfigs[middle].offset + elf->kconfigs[middle].size <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < elf->n_kconfigs && elf->kconfigs[low].missing ? elf->kconfigs[low].name : NULL;
}

/* Maps that could not be made and values that nobody has, by name. */
static int check_maps(struct making *m)
{
    enum { WIDE = 0x18, SRC_MAP_IDX = 5, SRC_MAP_IDX_VALUE = 6 };
    const struct skep_elf *elf = m->object->elf;
    for (uint32_t i = 0; i < m->code.n_insns; i += m->code.insns[i].code == WIDE ? 2 : 1) {
        const struct skep_insn *insn = &m->code.insns[i];
        unsigned src = skep_insn_src(insn);
        uint32_t map = (uint32_t)insn->imm;
        char text[160];
        if (insn->code != WIDE || (src != SRC_MAP_IDX && src != SRC_MAP_IDX_VALUE) || map >= elf->n_maps)
            continue;
        if (!m->object->maps[map]) {
            snprintf(text, sizeof(text), "needs map '%.100s', which could not be made", elf->maps[map].name);
            return complain(m, i, text);
        }
        const char *name = map == elf->kconfig_map && src == SRC_MAP_IDX_VALUE && i + 1 < m->code.n_insns
                               ? missing_kconfig(elf, (uint32_t)insn[1].imm)
                               : NULL;
        if (name) {
            snprintf(text, sizeof(text), "there is no value of '%.100s' (section '.kconfig')", name);
            return complain(m, i, text);
        }
    }
    return 0;
}

static int load(struct making *m, struct skep_vm_program **ret_program)
{
    struct skep_vm_object *object = m->object;
    if (m->n_poisons)
        qsort(m->poisons, m->n_poisons, sizeof(*m->poisons), compare_poisons);
    struct skep_vm_program_options o = {
        .size = sizeof(o),
        .name = m->program->name,
        .insns = m->code.insns,
        .n_insns = m->code.n_insns,
        .mode = object->options.mode,
        .maps = object->maps,
        .n_maps = object->elf->n_maps,
        .context = context_of(object->elf, m->program->section),
    };
    struct skep_program_extra extra = {
        .section = m->program->section,
        .poisons = m->poisons,
        .n_poisons = m->n_poisons,
    };
    struct skep_vm_error error = {.insn = UINT32_MAX};
    int r = skep_program_load(object->vm, &o, &extra, ret_program, &error);
    if (r < 0 && error.insn < m->code.n_insns) {
        /* the number is that of the linked program, which nobody has seen */
        const char *text = strchr(error.message, ':');
        bool numbered = text && skep_startswith(error.message, "instruction ");
        complain(m, error.insn, numbered ? text + 2 : error.message);
    } else if (r < 0)
        skep_elf_error(object->elf, "program '%s' (section '%s'): %s", m->program->name, m->program->section,
                       error.message);
    return r;
}

/* core: NULL: types stay as they were compiled. */
static int make_program(struct skep_vm_object *object, uint32_t i, struct skep_core *core,
                        struct skep_vm_arena *arena)
{
    struct making m = {.object = object, .program = &object->elf->programs[i], .arena = arena};
    int r = skep_elf_link(object->elf, i, arena, &m.code);
    if (r < 0)
        return r;
    object->n_insns += m.code.n_insns;
    if (object->n_insns > OBJECT_INSNS_MAX) {
        skep_elf_error(object->elf, "program '%s': all programs together have more than %u instructions",
                       m.program->name, OBJECT_INSNS_MAX);
        return -E2BIG;
    }
    /* an instruction is poisoned at most once */
    m.poisons = skep_vm_arena_calloc(arena, m.code.n_externs + count_relos(&m), sizeof(*m.poisons));
    if (!m.poisons)
        return skep_elf_no_memory(object->elf);
    r = bind_externs(&m);
    if (r == 0 && core)
        r = relocate(&m, core);
    if (r == 0)
        r = check_maps(&m);
    if (r == 0)
        r = load(&m, &object->programs[i]);
    return r;
}

/* The types to fit programs to. Without any, or when no program asks, *ret_core stays NULL. */
static int open_core(struct skep_vm_object *object, struct skep_btf **ret_target, struct skep_core **ret_core)
{
    const struct skep_vm_object_options *o = &object->options;
    const struct skep_elf *elf = object->elf;
    if (!o->btf || !elf->btf || !elf->n_relos)
        return 0;
    char message[SKEP_BTF_MESSAGE_MAX];
    int r = skep_btf_new(o->btf, o->btf_size, NULL, &object->vm->allocator, ret_target, message);
    if (r < 0) {
        skep_elf_error(elf, "the BTF to relocate against: %s", message);
        return r;
    }
    r = skep_core_new(elf->btf, *ret_target, &object->vm->allocator, ret_core);
    return r < 0 ? skep_elf_no_memory(elf) : 0;
}

int skep_object_load_programs(struct skep_vm_object *object)
{
    SKEP_CLEANUP(skep_btf_freep) struct skep_btf *target = NULL;
    SKEP_CLEANUP(skep_core_freep) struct skep_core *core = NULL;
    int r = open_core(object, &target, &core);
    if (r < 0)
        return r;
    struct skep_vm_arena arena;
    skep_vm_arena_init(&arena, &object->vm->allocator, LINK_MEMORY_MAX);
    for (uint32_t i = 0; i < object->elf->n_programs && r != -ENOMEM && r != -E2BIG; i++) {
        r = make_program(object, i, core, &arena);
        object->incomplete = object->incomplete || r < 0;
        skep_vm_arena_clear(&arena);
    }
    return r == -ENOMEM ? r : 0;
}
