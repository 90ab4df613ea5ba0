/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>

#include "vm/helper/helpers.h"
#include "vm/jit/x86.h"
#include "vm/vm.h"

#define LOOKUP 1
#define NOT_ASKED SIZE_MAX

/* Compiling stays linear: beyond so many maps nothing is guessed. */
#define GUESSED_MAX 64

/* The map of the program behind a handle, NULL: it is none. */
static const struct skep_vm_map *map_of(const struct skep_vm_program *p, uint64_t handle)
{
    for (size_t i = 0; i < MIN(p->n_maps, (size_t)GUESSED_MAX); i++)
        if (skep_map_handle(p->maps[i]) == handle)
            return p->maps[i];
    return NULL;
}

void skep_jit_guess_maps(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn)
{
    const struct skep_opcode_info *info = skep_opcode_info(op);
    const unsigned dst = skep_insn_dst(insn);
    const uint32_t bit = 1u << dst;
    if (op == SKEP_OP_LDDW) {
        j->maps[dst] = map_of(j->p, skep_insn_imm64(insn));
        j->sure |= bit;
    } else if (op == SKEP_OP_MOV64_REG) {
        j->maps[dst] = j->maps[skep_insn_src(insn)];
        j->sure = j->sure & 1u << skep_insn_src(insn) ? j->sure | bit : j->sure & ~bit;
    } else if (info->dst.use == SKEP_FIELD_WRITE || info->dst.use == SKEP_FIELD_READ_WRITE) {
        j->maps[dst] = NULL;
    }
    /* what an atomic operation fetches into src, or a call into r0, is no map: nobody asks for it as one */
    if (info->src.use == SKEP_FIELD_READ_WRITE)
        j->maps[skep_insn_src(insn)] = NULL;
    if (info->flags & SKEP_OPF_WRITES_R0)
        j->maps[0] = NULL;
}

/* Goes on only when r holds the handle of m; else the helper is called, and then what follows ask_end(). The place of the
 * cold part among its like, or NOT_ASKED when there is no doubt. */
static size_t ask(struct skep_jit *j, unsigned r, const struct skep_vm_map *m, uint32_t helper)
{
    struct skep_x86 *x = &j->x;
    const unsigned reg = skep_jit_native[r];
    if (j->sure & 1u << r)
        return NOT_ASKED;
    skep_x86_mov_imm(x, X86_R11, skep_map_handle(m));
    skep_x86_rr(x, true, X86_CMP, X86_R11, reg);
    struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_HELPER, skep_x86_jcc4(x, X86_NE));
    if (!c)
        return NOT_ASKED;
    c->disp = (int32_t)helper;
    return j->n_colds - 1;
}

static void ask_end(struct skep_jit *j, size_t cold)
{
    if (cold != NOT_ASKED)
        j->colds[cold].back = j->x.len;
}

/* rax = address of element *rsi, or 0. */
static void put_array(struct skep_jit *j, const struct skep_vm_map *m)
{
    struct skep_x86 *x = &j->x;
    skep_x86_rm(x, false, X86_LOAD, X86_RAX, X86_RSI, 0);
    skep_x86_alu_imm(x, false, X86_CMP, X86_RAX, (int32_t)m->max_entries);
    size_t beyond = skep_x86_jcc1(x, X86_AE);
    if (m->stride & (m->stride - 1))
        skep_x86_imul_imm(x, true, X86_RAX, X86_RAX, (int32_t)m->stride);
    else
        skep_x86_shift_imm(x, true, X86_SHL, X86_RAX, (unsigned)__builtin_ctz(m->stride));
    skep_x86_mov_imm(x, X86_R11, (uintptr_t)m->area.start);
    skep_x86_rr(x, true, X86_ADD, X86_R11, X86_RAX);
    size_t done = skep_x86_jmp1(x);
    skep_x86_patch1(x, beyond, x->len);
    skep_x86_mov_imm(x, X86_RAX, 0);
    skep_x86_patch1(x, done, x->len);
}

/* The map's own lookup, without asking again which map it is. */
static void put_lookup(struct skep_jit *j, const struct skep_vm_map *m)
{
    struct skep_x86 *x = &j->x;
    skep_jit_keep_fuel(j);
    skep_x86_mov_imm(x, X86_RDI, (uintptr_t)m);
    skep_x86_rm(x, false, X86_LOAD, X86_RDX, X86_R12, SKEP_JIT_EXEC(cpu));
    skep_jit_call_c(j, (const void *)(uintptr_t)m->ops->lookup);
    skep_jit_take_fuel(j);
}

static bool lookup(struct skep_jit *j)
{
    const struct skep_vm_map *m = j->maps[1];
    const struct skep_helper *h = skep_vm_helper_find(j->p->vm, LOOKUP);
    if (!m || !m->ops->lookup || !m->key_size || !h || h->fn != skep_helper_map_lookup_elem)
        return false;
    /* keys of other sizes want a check that the slots do not have, unless they lie in the frame */
    bool easy = m->key_size <= 8 && (m->key_size & (m->key_size - 1)) == 0;
    bool covered = skep_jit_in_frame(j, 2, 0, m->key_size);
    if (j->checked && !easy && !covered)
        return false;
    const size_t cold = ask(j, 1, m, LOOKUP);
    if (!covered)
        skep_jit_check_load(j, 2, easy ? (unsigned)__builtin_ctz(m->key_size) : 0);
    if (m->type == BPF_MAP_TYPE_ARRAY && m->stride <= INT32_MAX)
        put_array(j, m);
    else
        put_lookup(j, m);
    skep_jit_forget_arguments(j);
    ask_end(j, cold);
    return true;
}

/* As skep_exec_tail_call(): the same questions in the same order. */
static bool tail_call(struct skep_jit *j)
{
    struct skep_x86 *x = &j->x;
    const struct skep_vm_map *m = j->maps[2];
    const struct skep_vm_program *p = j->p;
    if (!m || m->type != BPF_MAP_TYPE_PROG_ARRAY)
        return false;
    const size_t cold = ask(j, 2, m, SKEP_HELPER_TAIL_CALL);
    size_t falls[5];
    skep_x86_alu_imm(x, false, X86_CMP, X86_RDX, (int32_t)m->max_entries);
    falls[0] = skep_x86_jcc4(x, X86_AE);
    skep_x86_mov(x, false, X86_RDX, X86_RDX);
    skep_x86_shift_imm(x, true, X86_SHL, X86_RDX, 3);
    skep_x86_mov_imm(x, X86_R10, (uintptr_t)skep_prog_array_elements(m));
    skep_x86_rr(x, true, X86_ADD, X86_RDX, X86_R10);
    skep_x86_rm(x, true, X86_LOAD, X86_R10, X86_R10, 0);
    skep_x86_rr(x, true, X86_TEST, X86_R10, X86_R10);
    falls[1] = skep_x86_jcc4(x, X86_E);
    skep_x86_alu_mem_imm(x, false, X86_CMP, X86_R12, SKEP_JIT_EXEC(tail_calls), SKEP_TAIL_CALLS);
    falls[2] = skep_x86_jcc4(x, X86_AE);
    skep_x86_alu_mem_imm(x, false, X86_CMP, X86_R10, (int32_t)offsetof(struct skep_vm_program, mode),
                         (int32_t)p->mode);
    falls[3] = skep_x86_jcc4(x, X86_NE);
    skep_x86_mov_imm(x, X86_R11, (uintptr_t)p->context);
    skep_x86_rm(x, true, X86_CMP, X86_R11, X86_R10, (int32_t)offsetof(struct skep_vm_program, context));
    falls[4] = skep_x86_jcc4(x, X86_NE);
    skep_x86_alu_mem_imm(x, false, X86_ADD, X86_R12, SKEP_JIT_EXEC(tail_calls), 1);
    skep_x86_rm(x, true, X86_MOV, X86_R10, X86_R12, SKEP_JIT_EXEC(program));
    skep_x86_rm(x, true, X86_LOAD, X86_R11, X86_R10, (int32_t)offsetof(struct skep_vm_program, tail_entry));
    skep_x86_jmp_reg(x, X86_R11);
    for (size_t i = 0; i < ARRAY_SIZE(falls); i++)
        skep_x86_patch4(x, falls[i], x->len);
    skep_x86_mov_imm(x, X86_RAX, 0);
    skep_jit_forget_arguments(j);
    ask_end(j, cold);
    return true;
}

bool skep_jit_map_call(struct skep_jit *j, uint32_t helper)
{
    return helper == LOOKUP ? lookup(j) : helper == SKEP_HELPER_TAIL_CALL && tail_call(j);
}
