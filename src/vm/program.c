/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/program.h"

#include <stdarg.h>

#include "isa/check.h"
#include "vm/interp/interp.h"
#include "vm/jit/jit.h"

/* A program that is being made. */
struct load {
    struct skep_vm *vm;
    const struct skep_vm_program_options *o;
    struct skep_vm_program *p;
    struct skep_vm_error *error;
    uint8_t *used; /* of o->maps: whether the program holds them */
};

SKEP_PRINTF(4, 5)
static int fail(struct skep_vm_error *error, int r, uint32_t insn, const char *fmt, ...)
{
    *error = (struct skep_vm_error){.fault = SKEP_VM_FAULT_LOAD, .error = r, .insn = insn};
    char text[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (insn == UINT32_MAX)
        snprintf(error->message, sizeof(error->message), "%s", text);
    else
        snprintf(error->message, sizeof(error->message), "instruction %u: %s", insn, text);
    return r;
}

static int no_memory(struct skep_vm_error *error)
{
    int r = fail(error, -ENOMEM, UINT32_MAX, "no memory");
    error->fault = SKEP_VM_FAULT_MEMORY;
    return r;
}

/* ---- relocation ---- */

static void set_wide(struct load *l, size_t i, uint64_t value)
{
    struct skep_insn *insn = &l->p->insns[i];
    skep_insn_set_src(insn, 0);
    insn[0].imm = (int32_t)(uint32_t)value;
    insn[1].imm = (int32_t)(uint32_t)(value >> 32);
    l->p->ops[i] = SKEP_OP_LDDW;
}

static int relocate_map(struct load *l, size_t i, bool of_value)
{
    const struct skep_insn *insn = &l->p->insns[i];
    uint32_t n = (uint32_t)insn->imm, offset = (uint32_t)insn[1].imm;
    if (n >= l->o->n_maps || !l->o->maps[n])
        return fail(l->error, -EINVAL, (uint32_t)i, "there is no map %u (%zu were given)", n, l->o->n_maps);
    struct skep_vm_map *m = l->o->maps[n];
    if (m->vm != l->vm)
        return fail(l->error, -EINVAL, (uint32_t)i, "map %u is of another vm", n);
    l->used[n] = 1;
    if (!of_value) {
        set_wide(l, i, skep_map_handle(m));
        return 0;
    }
    size_t size;
    uint8_t *area = skep_vm_map_area(m, &size);
    if (!area)
        return fail(l->error, -EINVAL, (uint32_t)i, "map %u (%s) is not one whose values have addresses", n,
                    m->name);
    if (offset >= size)
        return fail(l->error, -EINVAL, (uint32_t)i,
                    "offset %u is beyond the values of map %u (%s, %zu bytes)", offset, n, m->name, size);
    set_wide(l, i, (uintptr_t)area + offset);
    return 0;
}

static int relocate(struct load *l)
{
    struct skep_vm_program *p = l->p;
    for (uint32_t i = 0; i < p->n_insns; i++) {
        int r = 0;
        switch (p->ops[i]) {
        case SKEP_OP_LDDW_MAP_FD:
        case SKEP_OP_LDDW_MAP_IDX:
            r = relocate_map(l, i, false);
            break;
        case SKEP_OP_LDDW_MAP_VALUE:
        case SKEP_OP_LDDW_MAP_IDX_VALUE:
            r = relocate_map(l, i, true);
            break;
        case SKEP_OP_LDDW_CODE: {
            int64_t target = skep_insn_target(SKEP_OP_LDDW_CODE, &p->insns[i], i);
            set_wide(l, i, skep_function_handle(p, skep_function_at(p, (uint32_t)target)));
            break;
        }
        case SKEP_OP_LDDW_VAR:
            r = fail(l->error, -EINVAL, i, "the address of a kernel variable was not resolved");
            break;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int hold_maps(struct load *l)
{
    struct skep_vm_program *p = l->p;
    size_t n = 0;
    for (size_t i = 0; i < l->o->n_maps; i++)
        n += l->used[i];
    p->maps = skep_vm_calloc(l->vm, n, sizeof(struct skep_vm_map *));
    if (!p->maps)
        return no_memory(l->error);
    for (size_t i = 0; i < l->o->n_maps; i++)
        if (l->used[i])
            p->maps[p->n_maps++] = skep_vm_map_ref(l->o->maps[i]);
    return 0;
}

/* ---- functions and frames ---- */

static int find_functions(struct load *l)
{
    struct skep_vm_program *p = l->p;
    uint32_t n = 1;
    for (uint32_t i = 0; i < p->n_insns; i++)
        n += p->marks[i] & SKEP_MARK_FUNC && i != p->entry;
    if (n > SKEP_FUNCTIONS_MAX)
        return fail(l->error, -E2BIG, UINT32_MAX, "%u functions; %d are allowed", n, SKEP_FUNCTIONS_MAX);
    p->functions = skep_vm_calloc(l->vm, n, sizeof(struct skep_function));
    if (!p->functions)
        return no_memory(l->error);
    p->functions[p->n_functions++].insn = p->entry;
    for (uint32_t i = 0; i < p->n_insns; i++)
        if (p->marks[i] & SKEP_MARK_FUNC && i != p->entry)
            p->functions[p->n_functions++].insn = i;
    return 0;
}

uint32_t skep_function_at(const struct skep_vm_program *p, uint32_t insn)
{
    if (insn == p->entry)
        return 0;
    uint32_t low = 1, high = p->n_functions;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->functions[middle].insn < insn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How deep into its frame an instruction reaches by r10 + constant; the whole frame when it does anything
 * else with r10. Direct accesses outside of the frame end the run and do not count. */
static uint32_t frame_use(const struct skep_vm_program *p, uint32_t i)
{
    const struct skep_opcode_info *info = skep_opcode_info(p->ops[i]);
    const struct skep_insn *insn = &p->insns[i];
    bool dst = info->dst.use != SKEP_FIELD_FIXED && skep_insn_dst(insn) == SKEP_REG_FRAME;
    bool src = info->src.use != SKEP_FIELD_FIXED && skep_insn_src(insn) == SKEP_REG_FRAME;
    if (!dst && !src)
        return 0;
    if (info->off.use != SKEP_FIELD_MEMORY)
        return SKEP_FRAME_SIZE;
    /* the base of a load is src, of everything else dst; the other one is a value */
    bool base_is_src = !(info->flags & SKEP_OPF_STORE);
    if (base_is_src ? dst : src)
        return SKEP_FRAME_SIZE;
    return insn->off < 0 && insn->off >= -SKEP_FRAME_SIZE ? ROUND_UP((uint32_t)-insn->off, 8) : 0;
}

static bool may_leave(const struct skep_vm_program *p, uint32_t i)
{
    return p->ops[i] == SKEP_OP_CALL_HELPER && p->insns[i].imm == SKEP_HELPER_TAIL_CALL;
}

static void measure_frames(struct skep_vm_program *p)
{
    uint32_t function = 0;
    bool whole = false;
    for (uint32_t i = 0; i < p->n_insns; i++) {
        if (p->marks[i] & SKEP_MARK_FUNC)
            function = skep_function_at(p, i);
        uint32_t use = frame_use(p, i);
        p->functions[function].zero = MAX(p->functions[function].zero, use);
        /* the frame may also be left to a program that a function tail-calls */
        whole = whole || use == SKEP_FRAME_SIZE || (p->n_functions > 1 && may_leave(p, i));
    }
    p->whole_frames = whole;
    for (uint32_t i = 0; i < p->n_functions && whole; i++)
        p->functions[i].zero = SKEP_FRAME_SIZE;
}

/* ---- loading ---- */

static int copy_poisons(struct load *l, const struct skep_program_extra *extra)
{
    struct skep_vm_program *p = l->p;
    if (!extra->n_poisons)
        return 0;
    p->poisons = skep_vm_calloc(l->vm, extra->n_poisons, sizeof(struct skep_poison));
    if (!p->poisons)
        return no_memory(l->error);
    for (size_t i = 0; i < extra->n_poisons; i++) {
        p->poisons[i].insn = extra->poisons[i].insn;
        p->poisons[i].text = skep_vm_strdup(l->vm, extra->poisons[i].text);
        p->n_poisons++;
        if (!p->poisons[i].text)
            return no_memory(l->error);
    }
    return 0;
}

const char *skep_program_poison(const struct skep_vm_program *p, uint32_t insn)
{
    if (p->ops[insn] != SKEP_OP_CALL_HELPER || p->insns[insn].imm != SKEP_POISON_CALL)
        return NULL;
    for (size_t low = 0, high = p->n_poisons; low < high;) {
        size_t middle = (low + high) / 2;
        if (p->poisons[middle].insn == insn)
            return p->poisons[middle].text;
        if (p->poisons[middle].insn < insn)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int check(struct load *l)
{
    const struct skep_vm_program_options *o = l->o;
    struct skep_vm_program *p = l->p;
    size_t room = MIN(o->n_insns, (size_t)SKEP_ISA_INSNS_MAX + 1);
    p->insns = skep_vm_calloc(l->vm, room, sizeof(struct skep_insn));
    p->ops = skep_vm_calloc(l->vm, room, sizeof(uint16_t));
    p->marks = skep_vm_calloc(l->vm, room, sizeof(uint8_t));
    p->costs = skep_vm_calloc(l->vm, room, sizeof(uint32_t));
    l->used = skep_vm_calloc(l->vm, o->n_maps, 1);
    if (!p->insns || !p->ops || !p->marks || !p->costs || !l->used)
        return no_memory(l->error);
    /* of a program that is too long nothing is looked at */
    if (room && room <= SKEP_ISA_INSNS_MAX)
        memcpy(p->insns, o->insns, room * sizeof(struct skep_insn));
    struct skep_insns_error bad;
    int r = skep_insns_check(p->insns, o->n_insns, o->entry, p->ops, p->marks, p->costs, &bad);
    if (r < 0)
        return fail(l->error, r, bad.insn, "%s", bad.message);
    p->n_insns = (uint32_t)o->n_insns;
    return 0;
}

static int set_mode(struct load *l)
{
    struct skep_vm_program *p = l->p;
    bool any = l->o->mode == SKEP_VM_MODE_DEFAULT;
    p->mode = any ? l->vm->options.mode : l->o->mode;
    if (p->mode > SKEP_VM_MODE_TRUSTED)
        return fail(l->error, -EINVAL, UINT32_MAX, "there is no mode %d", (int)p->mode);
    if (p->mode != SKEP_VM_MODE_INTERPRET) {
        if (skep_jit_available())
            return skep_jit_compile(p, l->vm->options.blind, l->error);
        return fail(l->error, -EOPNOTSUPP, UINT32_MAX, "there is no JIT for this processor");
    }
    return skep_interp_prepare(p) < 0 ? no_memory(l->error) : 0;
}

static int load(struct load *l, const struct skep_program_extra *extra)
{
    const struct skep_vm_program_options *o = l->o;
    struct skep_vm_program *p = l->p;
    snprintf(p->name, sizeof(p->name), "%s", o->name ? o->name : "program");
    snprintf(p->section, sizeof(p->section), "%s", extra->section ? extra->section : "");
    if (o->n_insns && !o->insns)
        return fail(l->error, -EINVAL, UINT32_MAX, "there are no instructions");
    if (o->context) {
        p->context = skep_vm_context_find(l->vm, o->context);
        if (!p->context)
            return fail(l->error, -ENOENT, UINT32_MAX, "there is no context type %s", o->context);
    }
    p->entry = o->entry;
    int r = check(l);
    if (r == 0)
        r = find_functions(l);
    if (r < 0)
        return r;
    /* handles of functions have the program's id in them */
    r = skep_vm_add_program(l->vm, p);
    if (r < 0)
        return fail(l->error, r, UINT32_MAX, "the vm has no room for another program");
    r = relocate(l);
    if (r == 0)
        r = hold_maps(l);
    if (r == 0)
        r = copy_poisons(l, extra);
    if (r < 0)
        return r;
    measure_frames(p);
    if (extra->verify) {
        r = extra->verify(p, l->error);
        if (r < 0)
            return r;
    }
    return set_mode(l);
}

int skep_program_load(struct skep_vm *vm, const struct skep_vm_program_options *given,
                      const struct skep_program_extra *extra, struct skep_vm_program **ret_program,
                      struct skep_vm_error *reterr)
{
    static const struct skep_program_extra nothing;
    struct skep_vm_error ignored;
    struct skep_vm_program_options o = {0};
    memcpy(&o, given, MIN(given->size, sizeof(o)));
    struct load l = {.vm = vm, .o = &o, .error = reterr ? reterr : &ignored};
    l.p = skep_vm_calloc(vm, 1, sizeof(*l.p));
    if (!l.p)
        return no_memory(l.error);
    l.p->vm = vm;
    int r = load(&l, extra ? extra : &nothing);
    skep_vm_release(vm, l.used);
    if (r < 0) {
        skep_vm_remove_program(vm, l.p);
        skep_program_free(vm, l.p);
        return r;
    }
    /* until now nobody finds it by its id */
    __atomic_store_n(&l.p->refs, 1, __ATOMIC_RELEASE);
    *ret_program = l.p;
    return 0;
}

int skep_vm_program_load(struct skep_vm *vm, const struct skep_vm_program_options *o,
                         struct skep_vm_program **ret_program, struct skep_vm_error *reterr)
{
    return skep_program_load(vm, o, NULL, ret_program, reterr);
}

void skep_program_free(struct skep_vm *vm, void *program)
{
    struct skep_vm_program *p = program;
    skep_jit_free(p->jit);
    skep_interp_free(vm, p->interp);
    skep_interp_free(vm, p->traced);
    for (size_t i = 0; i < p->n_poisons; i++)
        skep_vm_release(vm, p->poisons[i].text);
    skep_vm_release(vm, p->poisons);
    for (size_t i = 0; i < p->n_maps; i++)
        skep_vm_map_unref(p->maps[i]);
    skep_vm_release(vm, p->maps);
    skep_vm_release(vm, p->functions);
    skep_vm_release(vm, p->costs);
    skep_vm_release(vm, p->marks);
    skep_vm_release(vm, p->ops);
    skep_vm_release(vm, p->insns);
    skep_vm_release(vm, p);
}

struct skep_vm_program *skep_vm_program_ref(struct skep_vm_program *p)
{
    __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

struct skep_vm_program *skep_vm_program_unref(struct skep_vm_program *p)
{
    if (p && __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        struct skep_vm *vm = p->vm;
        skep_vm_remove_program(vm, p);
        skep_vm_retire(vm, skep_program_free, p);
    }
    return NULL;
}

const char *skep_vm_program_name(const struct skep_vm_program *p)
{
    return p->name;
}

const char *skep_vm_program_section(const struct skep_vm_program *p)
{
    return p->section[0] ? p->section : NULL;
}

enum skep_vm_mode skep_vm_program_mode(const struct skep_vm_program *p)
{
    return p->mode;
}

uint32_t skep_vm_program_id(const struct skep_vm_program *p)
{
    return p->id;
}

const void *skep_vm_program_insns(const struct skep_vm_program *p, size_t *ret_n)
{
    *ret_n = p->n_insns;
    return p->insns;
}

const void *skep_vm_program_code(const struct skep_vm_program *p, size_t *ret_size)
{
    if (p->jit)
        return skep_jit_memory(p->jit, ret_size);
    *ret_size = 0;
    return NULL;
}
