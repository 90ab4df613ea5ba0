/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __x86_64__
#include <sys/random.h>

#include "isa/check.h"
#include "vm/jit/code.h"
#include "vm/jit/x86.h"
#include "vm/vm.h"

#define ROOM 512
#define CODE_MAX (512u << 20)

const uint8_t skep_jit_native[SKEP_REGS] = {X86_RAX, X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8,
                                            X86_RBX, X86_R13, X86_R14, X86_R15, X86_RBP};

/* ---- into the code and back ---- */

/* Calls code with r1 to r5 as given, r10 = frame, e and its fuel in their registers, all others zero. */
uint64_t skep_jit_enter(struct skep_exec *e, const void *code, uint64_t frame, uint64_t r1, uint64_t r2,
                        uint64_t r3, uint64_t r4, uint64_t r5);
__asm__(".text\n"
        ".balign 16\n"
        ".hidden skep_jit_enter\n"
        ".globl skep_jit_enter\n"
        ".type skep_jit_enter, @function\n"
        "skep_jit_enter:\n"
        ".cfi_startproc\n"
        "push %rbp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %rbx\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %r12\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %r13\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %r14\n"
        ".cfi_adjust_cfa_offset 8\n"
        "push %r15\n"
        ".cfi_adjust_cfa_offset 8\n"
        "sub $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "mov %rdi, %r12\n"
        "mov %rsi, %r11\n"
        "mov %rdx, %rbp\n"
        "mov %rcx, %rdi\n"
        "mov %r8, %rsi\n"
        "mov %r9, %rdx\n"
        "mov 64(%rsp), %rcx\n"
        "mov 72(%rsp), %r8\n"
        "mov (%r12), %r9\n"    /* fuel */
        "mov %rsp, 16(%r12)\n" /* native_sp */
        "xor %eax, %eax\n"
        "xor %ebx, %ebx\n"
        "xor %r13d, %r13d\n"
        "xor %r14d, %r14d\n"
        "xor %r15d, %r15d\n"
        "call *%r11\n"
        "mov %r9, (%r12)\n"
        "add $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %r15\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %r14\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %r13\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %r12\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rbx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "pop %rbp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size skep_jit_enter, . - skep_jit_enter\n");
_Static_assert(offsetof(struct skep_exec, fuel) == 0 && offsetof(struct skep_exec, native_sp) == 16,
               "as skep_jit_enter has it");

/* What is left to do when the code is over. */
static bool leave(struct skep_exec *e, const struct skep_vm_program *p, uint64_t fuel, uint64_t value,
                  uint64_t *ret_value)
{
    if (p->mode == SKEP_VM_MODE_TRUSTED)
        e->fuel = fuel; /* its register is for other things there */
    if (__builtin_expect(e->fault != SKEP_VM_FAULT_NONE, 0))
        return false;
    *ret_value = value;
    return true;
}

bool skep_jit_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                  uint64_t *ret_value)
{
    const uint64_t fuel = e->fuel;
    uint64_t value =
        skep_jit_enter(e, p->jit->code + p->jit->entries[0], skep_exec_frame(e), r1, r2, 0, 0, 0);
    return leave(e, p, fuel, value, ret_value);
}

bool skep_jit_call(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function,
                   const uint64_t args[5], uint64_t *ret_value)
{
    const uint64_t fuel = e->fuel, outer = e->native_sp;
    uint64_t value = skep_jit_enter(e, skep_jit_entry(p->jit, function), skep_exec_frame(e), args[0], args[1],
                                    args[2], args[3], args[4]);
    e->native_sp = outer;
    return leave(e, p, fuel, value, ret_value);
}

bool skep_jit_available(void)
{
    return true;
}

/* ---- translation ---- */

bool skep_jit_room(struct skep_jit *j)
{
    if (j->failed)
        return false;
    if (j->cap - j->x.len >= ROOM)
        return true;
    size_t cap = MAX(j->cap * 2, (size_t)4096);
    uint8_t *code = cap <= CODE_MAX ? skep_vm_alloc(j->p->vm, cap) : NULL;
    if (!code) {
        j->failed = true;
        return false;
    }
    if (j->x.len)
        memcpy(code, j->x.code, j->x.len);
    skep_vm_release(j->p->vm, j->x.code);
    j->x.code = code;
    j->cap = cap;
    return true;
}

void skep_jit_jump_to(struct skep_jit *j, int cc, uint32_t insn)
{
    struct skep_x86 *x = &j->x;
    if (j->stretch) {
        skep_jit_stretch_jump(j, cc, insn);
        return;
    }
    size_t target = j->offsets[insn];
    if (target && cc >= 0)
        skep_x86_jcc_back(x, (unsigned)cc, target);
    else if (target)
        skep_x86_jmp_back(x, target);
    else
        j->jumps[j->n_jumps++] =
            (struct skep_jit_jump){cc >= 0 ? skep_x86_jcc4(x, (unsigned)cc) : skep_x86_jmp4(x), insn};
}

struct skep_jit_cold *skep_jit_cold_add(struct skep_jit *j, unsigned kind, size_t from)
{
    const struct skep_vm *vm = j->p->vm;
    if (j->n_colds == j->room_colds) {
        size_t room = MAX(j->room_colds * 2, (size_t)64);
        struct skep_jit_cold *more = skep_vm_calloc(vm, room, sizeof(*more));
        if (!more) {
            j->failed = true;
            return NULL;
        }
        if (j->n_colds)
            memcpy(more, j->colds, j->n_colds * sizeof(*more));
        skep_vm_release(vm, j->colds);
        j->colds = more;
        j->room_colds = room;
    }
    struct skep_jit_cold *c = &j->colds[j->n_colds++];
    *c = (struct skep_jit_cold){.kind = (uint8_t)kind, .insn = j->insn, .from = from};
    return c;
}

void skep_jit_align(struct skep_jit *j)
{
    static const uint8_t nops[16][8] = {
        [1] = {0x90},
        [2] = {0x66, 0x90},
        [3] = {0x0f, 0x1f, 0x00},
        [4] = {0x0f, 0x1f, 0x40, 0x00},
        [5] = {0x0f, 0x1f, 0x44, 0x00, 0x00},
        [6] = {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        [7] = {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        [8] = {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };
    for (size_t n = -j->x.len & 15; n > 0;) {
        size_t one = MIN(n, (size_t)8);
        memcpy(j->x.code + j->x.len, nops[one], one);
        j->x.len += one;
        n -= one;
    }
}

static void begin_function(struct skep_jit *j, uint32_t i)
{
    uint32_t f = skep_function_at(j->p, i);
    skep_jit_align(j);
    j->entries[f] = j->x.len;
    skep_jit_prologue(j, f);
}

static void begin_block(struct skep_jit *j, uint32_t i)
{
    const struct skep_vm_program *p = j->p;
    if (p->marks[i] & SKEP_MARK_BLOCK)
        j->in_frame = j->sure = 0;
    if (!j->offsets[i]) {
        if (p->marks[i] & SKEP_MARK_BACK)
            skep_jit_align(j);
        j->offsets[i] = j->x.len;
    }
    if (j->checked && p->costs[i]) {
        skep_x86_alu_imm(&j->x, true, X86_SUB, X86_R9, (int32_t)p->costs[i]);
        struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_FUEL, skep_x86_jcc4(&j->x, X86_B));
        if (c)
            c->disp = (int32_t)p->costs[i];
    }
}

/* A pair of shifts by 32 is a conversion from 32 bits. */
static bool shift_pair(struct skep_jit *j, uint32_t i)
{
    const struct skep_vm_program *p = j->p;
    if (p->ops[i] != SKEP_OP_LSH64_IMM || p->insns[i].imm != 32 || i + 1 >= p->n_insns ||
        p->marks[i + 1] & SKEP_MARK_BLOCK || p->insns[i + 1].imm != 32 ||
        p->insns[i + 1].regs != p->insns[i].regs)
        return false;
    const unsigned dst = skep_jit_native[skep_insn_dst(&p->insns[i])];
    if (p->ops[i + 1] == SKEP_OP_RSH64_IMM)
        skep_x86_mov(&j->x, false, dst, dst);
    else if (p->ops[i + 1] == SKEP_OP_ARSH64_IMM)
        skep_x86_rr(&j->x, true, X86_MOVSXD, dst, dst);
    else
        return false;
    return true;
}

uint32_t skep_jit_insn(struct skep_jit *j, uint32_t i)
{
    const struct skep_insn *insn = &j->p->insns[i];
    const enum skep_opcode op = j->p->ops[i];
    j->insn = i;
    skep_jit_guess_maps(j, op, insn);
    if (shift_pair(j, i)) {
        j->in_frame &= ~(1u << skep_insn_dst(insn));
        return 2;
    }
    if (op == SKEP_OP_JA || op == SKEP_OP_JA32)
        skep_jit_jump_to(j, -1, (uint32_t)skep_insn_target(op, insn, i));
    else if (!skep_jit_alu(j, op, insn) && !skep_jit_condition(j, op, insn) &&
             !skep_jit_memory_op(j, op, insn) && !skep_jit_call_op(j, op, insn))
        return 0;
    skep_jit_track_frame(j, op, insn);
    return skep_opcode_info(op)->flags & SKEP_OPF_WIDE ? 2 : 1;
}

void skep_jit_twin(struct skep_jit *j, struct skep_jit_twin *t)
{
    for (uint32_t i = t->first; i < t->end && skep_jit_room(j);) {
        j->insn = i;
        if (i == t->first) {
            skep_jit_align(j);
            t->code = j->x.len;
        }
        begin_block(j, i);
        i += skep_jit_insn(j, i);
    }
    if (skep_jit_room(j) && j->p->n_insns > t->end)
        skep_jit_jump_to(j, -1, t->end);
}

static int translate(struct skep_jit *j)
{
    const struct skep_vm_program *p = j->p;
    if (!skep_jit_room(j))
        return -ENOMEM;
    skep_jit_tails(j);
    for (uint32_t i = 0; i < p->n_insns;) {
        if (!skep_jit_room(j))
            return -ENOMEM;
        j->insn = i;
        if (p->marks[i] & SKEP_MARK_FUNC)
            begin_function(j, i);
        const uint32_t end = p->marks[i] & SKEP_MARK_BLOCK ? skep_jit_stretch(j, i) : 0;
        if (end) {
            i = end;
            continue;
        }
        begin_block(j, i);
        const uint32_t slots = skep_jit_insn(j, i);
        if (!slots)
            return -EOPNOTSUPP;
        i += slots;
    }
    for (size_t i = 0; i < j->n_twins && skep_jit_room(j); i++)
        skep_jit_twin(j, &j->twins[i]);
    for (size_t i = 0; i < j->n_colds && skep_jit_room(j); i++)
        skep_jit_put_cold(j, &j->colds[i]);
    if (j->failed)
        return -ENOMEM;
    for (size_t i = 0; i < j->n_jumps; i++) {
        uint32_t to = j->jumps[i].insn;
        skep_x86_patch4(&j->x, j->jumps[i].at,
                        to & SKEP_JIT_TO_FUNCTION ? j->entries[to & ~SKEP_JIT_TO_FUNCTION] : j->offsets[to]);
    }
    return 0;
}

static void jit_clear(struct skep_jit *j)
{
    const struct skep_vm *vm = j->p->vm;
    skep_vm_release(vm, j->x.code);
    skep_vm_release(vm, j->offsets);
    skep_vm_release(vm, j->jumps);
    skep_vm_release(vm, j->colds);
    skep_vm_release(vm, j->twins);
}

static int allocate(struct skep_jit *j)
{
    const struct skep_vm_program *p = j->p;
    j->offsets = skep_vm_calloc(p->vm, (size_t)p->n_insns + p->n_functions, sizeof(*j->offsets));
    if (j->offsets)
        j->entries = j->offsets + p->n_insns;
    size_t n_jumps = 1; /* of the entry for tail calls */
    /* in two versions of a stretch, and behind them */
    const size_t times = j->checked ? 4 : 1;
    for (uint32_t i = 0; i < p->n_insns; i++) {
        if (skep_opcode_info(p->ops[i])->flags & SKEP_OPF_JUMP || p->ops[i] == SKEP_OP_CALL_LOCAL)
            n_jumps += times;
        else if (j->checked && p->costs[i])
            n_jumps += 2;
        j->callx |= p->ops[i] == SKEP_OP_CALLX;
        j->tail_calls |= p->ops[i] == SKEP_OP_CALL_HELPER && p->insns[i].imm == SKEP_HELPER_TAIL_CALL;
    }
    j->jumps = skep_vm_calloc(p->vm, n_jumps, sizeof(*j->jumps));
    while (j->blind && !j->key)
        if (getrandom(&j->key, sizeof(j->key), 0) != sizeof(j->key))
            return -EIO;
    return j->offsets && j->jumps ? 0 : -ENOMEM;
}

int skep_jit_compile(struct skep_vm_program *p, bool blind, struct skep_vm_error *reterr)
{
    SKEP_CLEANUP(jit_clear)
    struct skep_jit j = {.p = p,
                         .checked = p->mode != SKEP_VM_MODE_TRUSTED,
                         .blind = blind,
                         .bmi2 = __builtin_cpu_supports("bmi2")};
    int r = allocate(&j);
    if (r == 0)
        r = translate(&j);
    if (r == 0)
        r = skep_jit_code_new(p->vm, j.x.code, j.x.len, j.entries, p->n_functions, j.tail_entry, &p->jit);
    if (r == 0)
        p->tail_entry = skep_jit_tail_entry(p->jit);
    if (r < 0) {
        *reterr = (struct skep_vm_error){.fault = SKEP_VM_FAULT_LOAD, .error = r, .insn = UINT32_MAX};
        snprintf(reterr->message, sizeof(reterr->message), "cannot make machine code: %s", strerror(-r));
    }
    return r;
}
#endif
