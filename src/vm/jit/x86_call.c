/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/check.h"
#include "vm/jit/x86.h"
#include "vm/vm.h"

/* How a slow check is told what it is about, in 32 bits. */
#define CHECK_INSN(info) ((info)&0xfffff)
#define CHECK_WIDTH(info) ((info) >> 20 & 3)
#define CHECK_WRITE(info) ((info) >> 22 & 1)
_Static_assert(SKEP_ISA_INSNS_MAX <= 0xfffff + 1, "instruction numbers fit");

/* ---- what the code calls ---- */

static bool slow_check(struct skep_exec *e, uint64_t address, uint32_t info)
{
    const uint32_t insn = CHECK_INSN(info);
    const bool write = CHECK_WRITE(info);
    struct skep_slot *slot = &(write ? e->store : e->load)[insn % SKEP_SLOTS];
    if (skep_exec_check(e, address, 1U << CHECK_WIDTH(info), write, slot))
        return true;
    skep_exec_fault(e, write ? SKEP_VM_FAULT_WRITE : SKEP_VM_FAULT_READ, insn, address, NULL);
    return false;
}

static bool ask_region(struct skep_exec *e, uint64_t address, uint64_t info)
{
    const uint64_t size = info >> 32;
    const bool write = CHECK_WRITE(info);
    struct skep_slot *slot = &(write ? e->store : e->load)[CHECK_INSN(info) % SKEP_SLOTS];
    /* not all regions go into slots */
    return skep_exec_check(e, address, size, write, slot) && slot->fit[SKEP_WIDTH_1] >= size &&
           address - slot->base <= slot->fit[SKEP_WIDTH_1] - size;
}

static const void *tail_call(struct skep_exec *e, uint64_t handle, uint32_t index)
{
    struct skep_vm_map *map = skep_exec_map(e, handle);
    const struct skep_vm_program *p = map ? skep_exec_tail_call(e, map, index) : NULL;
    return p ? skep_jit_tail_entry(p->jit) : NULL;
}

struct callee {
    const void *address; /* NULL: there is none */
    uint64_t local;
};

static struct callee callx(struct skep_exec *e, uint64_t value, uint32_t insn)
{
    int64_t f = skep_function_of(e->program, value);
    if (f >= 0)
        return (struct callee){skep_jit_entry(e->program->jit, (uint32_t)f), 1};
    skep_vm_helper_fn helper = skep_exec_helper(e, value);
    if (!helper && e->insn == UINT32_MAX)
        e->insn = insn;
    return (struct callee){(const void *)(uintptr_t)helper, 0};
}

/* A call that was known to be impossible when the program was compiled. */
static void no_call(struct skep_exec *e, uint32_t insn)
{
    const struct skep_vm_program *p = e->program;
    const char *poison = skep_program_poison(p, insn);
    if (poison)
        skep_exec_fault(e, SKEP_VM_FAULT_RELOC, insn, 0, poison);
    else if (p->ops[insn] == SKEP_OP_CALL_KFUNC)
        skep_exec_fault(e, SKEP_VM_FAULT_CALL, insn, 0, NULL);
    else
        skep_exec_helper(e, (uint32_t)p->insns[insn].imm);
    if (e->insn == UINT32_MAX)
        e->insn = insn;
}

/* ---- pieces ---- */

void skep_jit_call_c(struct skep_jit *j, const void *fn)
{
    skep_x86_mov_imm(&j->x, X86_R11, (uintptr_t)fn);
    skep_x86_call_reg(&j->x, X86_R11);
}

void skep_jit_keep_fuel(struct skep_jit *j)
{
    if (j->checked)
        skep_x86_rm(&j->x, true, X86_MOV, X86_R9, X86_R12, SKEP_JIT_EXEC(fuel));
}
void skep_jit_take_fuel(struct skep_jit *j)
{
    if (j->checked)
        skep_x86_rm(&j->x, true, X86_LOAD, X86_R9, X86_R12, SKEP_JIT_EXEC(fuel));
}

static const uint8_t saved[] = {X86_RBX, X86_R13, X86_R14, X86_R15};

static void epilogue(struct skep_jit *j)
{
    skep_x86_alu_imm(&j->x, true, X86_ADD, X86_RSP, 8);
    for (unsigned i = ARRAY_SIZE(saved); i-- > 0;)
        skep_x86_pop(&j->x, saved[i]);
}

static void zero_registers(struct skep_jit *j, const uint8_t *registers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        skep_x86_rr(&j->x, false, X86_XOR, registers[i], registers[i]);
}

/* What a call leaves in r1 to r5 is nobody's business. */
void skep_jit_forget_arguments(struct skep_jit *j)
{
    static const uint8_t arguments[] = {X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8};
    if (j->checked)
        zero_registers(j, arguments, sizeof(arguments));
}

static void zero_frame(struct skep_jit *j, uint32_t zero)
{
    struct skep_x86 *x = &j->x;
    static const uint8_t xorps[] = {0x0f, 0x57, 0xc0};
    if (!j->checked || !zero)
        return;
    for (size_t i = 0; i < sizeof(xorps); i++)
        skep_x86_1(x, xorps[i]);
    if (zero <= 128) {
        for (int32_t at = (int32_t)ROUND_UP(zero, 16); at > 0; at -= 16)
            skep_x86_rm(x, false, 0x0f11, 0, X86_RBP, -at); /* movups */
        return;
    }
    skep_x86_rm(x, true, X86_LEA, X86_R10, X86_RBP, -(int32_t)ROUND_UP(zero, 64));
    size_t again = x->len;
    for (int32_t at = 0; at < 64; at += 16)
        skep_x86_rm(x, false, 0x0f11, 0, X86_R10, at);
    skep_x86_alu_imm(x, true, X86_ADD, X86_R10, 64);
    skep_x86_rr(x, true, X86_CMP, X86_RBP, X86_R10);
    skep_x86_jcc_back(x, X86_B, again);
}

void skep_jit_prologue(struct skep_jit *j, uint32_t function)
{
    for (unsigned i = 0; i < ARRAY_SIZE(saved); i++)
        skep_x86_push(&j->x, saved[i]);
    skep_x86_alu_imm(&j->x, true, X86_SUB, X86_RSP, 8);
    zero_frame(j, j->p->functions[function].zero);
}

/* ---- tails ---- */

static void put_leave(struct skep_jit *j)
{
    struct skep_x86 *x = &j->x;
    j->leave = x->len;
    skep_x86_rm(x, true, X86_LOAD, X86_RSP, X86_R12, SKEP_JIT_EXEC(native_sp));
    skep_x86_alu_imm(x, true, X86_SUB, X86_RSP, 8); /* the address to return to is still there */
    skep_x86_ret(x);
}

/* esi: fault, edx: instruction, rcx: address. */
static void put_fault(struct skep_jit *j)
{
    struct skep_x86 *x = &j->x;
    j->fault = x->len;
    skep_jit_keep_fuel(j);
    skep_x86_mov(x, true, X86_RDI, X86_R12);
    skep_x86_mov_imm(x, X86_R8, 0);
    skep_jit_call_c(j, (const void *)(uintptr_t)skep_exec_fault);
    skep_jit_take_fuel(j);
    skep_x86_jmp_back(x, j->leave);
}

/* r11d: instruction. */
static void put_located(struct skep_jit *j)
{
    struct skep_x86 *x = &j->x;
    j->located = x->len;
    skep_x86_alu_mem_imm(x, false, X86_CMP, X86_R12, SKEP_JIT_EXEC(insn), -1);
    size_t told = skep_x86_jcc1(x, X86_NE);
    skep_x86_rm(x, false, X86_MOV, X86_R11, X86_R12, SKEP_JIT_EXEC(insn));
    skep_x86_patch1(x, told, x->len);
    skep_jit_take_fuel(j);
    skep_x86_jmp_back(x, j->leave);
}

/* Asks C about the address in r10 and what r11 says of it; al is the answer until the registers are back. */
static void put_question(struct skep_jit *j, const uint8_t *kept, unsigned n, const void *fn)
{
    struct skep_x86 *x = &j->x;
    for (unsigned i = 0; i < n; i++)
        skep_x86_push(x, kept[i]);
    skep_x86_mov(x, true, X86_RDI, X86_R12);
    skep_x86_mov(x, true, X86_RSI, X86_R10);
    skep_x86_mov(x, true, X86_RDX, X86_R11);
    skep_jit_call_c(j, fn);
    skep_x86_rr8(x, false, 0x84, X86_RAX, X86_RAX); /* test al, al; pop keeps the flags */
    for (unsigned i = n; i-- > 0;)
        skep_x86_pop(x, kept[i]);
}

/* r10: address, r11: what about it. Keep all other registers. The first leaves when the answer is no, the second tells in
 * the flag. */
static void put_questions(struct skep_jit *j)
{
    static const uint8_t kept[] = {X86_RAX, X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9};
    struct skep_x86 *x = &j->x;
    j->slow_check = x->len;
    put_question(j, kept, sizeof(kept), (const void *)(uintptr_t)slow_check);
    skep_x86_jcc_back(x, X86_E, j->leave);
    skep_x86_ret(x);
    j->ask_region = x->len;
    put_question(j, kept, sizeof(kept), (const void *)(uintptr_t)ask_region);
    skep_x86_ret(x);
}

/* r10: value of the register, r11d: instruction. Gives r11: address, r10: whether it is a function of the program. */
static void put_callx(struct skep_jit *j)
{
    static const uint8_t kept[] = {X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8};
    struct skep_x86 *x = &j->x;
    j->callx_tail = x->len;
    for (unsigned i = 0; i < sizeof(kept); i++)
        skep_x86_push(x, kept[i]);
    skep_jit_keep_fuel(j);
    skep_x86_mov(x, true, X86_RDI, X86_R12);
    skep_x86_mov(x, true, X86_RSI, X86_R10);
    skep_x86_mov(x, false, X86_RDX, X86_R11);
    skep_jit_call_c(j, (const void *)(uintptr_t)callx);
    skep_x86_mov(x, true, X86_R11, X86_RAX);
    skep_x86_mov(x, true, X86_R10, X86_RDX);
    skep_jit_take_fuel(j);
    for (unsigned i = sizeof(kept); i-- > 0;)
        skep_x86_pop(x, kept[i]);
    skep_x86_rr(x, true, X86_TEST, X86_R11, X86_R11);
    skep_x86_jcc_back(x, X86_E, j->leave);
    skep_x86_ret(x);
}

void skep_jit_tails(struct skep_jit *j)
{
    static const uint8_t fresh[] = {X86_RAX, X86_RSI, X86_RDX, X86_RCX, X86_R8,
                                    X86_RBX, X86_R13, X86_R14, X86_R15};
    put_leave(j);
    put_fault(j);
    put_located(j);
    if (j->checked)
        put_questions(j);
    if (j->callx && skep_jit_room(j))
        put_callx(j);
    if (!skep_jit_room(j))
        return;
    /* the caller's frame is taken over, with what it has saved */
    j->tail_entry = j->x.len;
    zero_frame(j, j->p->functions[0].zero);
    zero_registers(j, fresh, j->checked ? sizeof(fresh) : 0);
    skep_jit_jump_to(j, -1, j->p->functions[0].insn);
}

/* ---- calls ---- */

static void cold_locate(struct skep_jit *j)
{
    skep_x86_alu_mem_imm(&j->x, false, X86_CMP, X86_R12, SKEP_JIT_EXEC(fault), 0);
    skep_jit_cold_add(j, SKEP_JIT_COLD_LOCATE, skep_x86_jcc4(&j->x, X86_NE));
}

/* Arguments are in place; fn is NULL: its address is in r11. */
static void call_helper(struct skep_jit *j, const void *fn)
{
    skep_jit_keep_fuel(j);
    skep_x86_mov(&j->x, true, X86_R9, X86_R12);
    if (fn)
        skep_jit_call_c(j, fn);
    else
        skep_x86_call_reg(&j->x, X86_R11);
    skep_jit_take_fuel(j);
    cold_locate(j);
    skep_jit_forget_arguments(j);
}

/* function: UINT32_MAX: its address is in r11. */
static void call_local(struct skep_jit *j, uint32_t function)
{
    struct skep_x86 *x = &j->x;
    if (j->checked) {
        skep_x86_alu_mem_imm(x, false, X86_CMP, X86_R12, SKEP_JIT_EXEC(depth), SKEP_FRAMES - 1);
        struct skep_jit_cold *c = skep_jit_cold_add(j, SKEP_JIT_COLD_FAULT, skep_x86_jcc4(x, X86_AE));
        if (c)
            c->disp = SKEP_VM_FAULT_STACK;
    }
    skep_x86_alu_mem_imm(x, false, X86_ADD, X86_R12, SKEP_JIT_EXEC(depth), 1);
    skep_x86_alu_imm(x, true, X86_SUB, X86_RBP, SKEP_FRAME_SIZE);
    if (function == UINT32_MAX) {
        skep_x86_call_reg(x, X86_R11);
    } else {
        size_t at = skep_x86_call4(x);
        if (j->entries[function])
            skep_x86_patch4(x, at, j->entries[function]);
        else
            j->jumps[j->n_jumps++] = (struct skep_jit_jump){at, function | SKEP_JIT_TO_FUNCTION};
    }
    skep_x86_alu_imm(x, true, X86_ADD, X86_RBP, SKEP_FRAME_SIZE);
    skep_x86_alu_mem_imm(x, false, X86_SUB, X86_R12, SKEP_JIT_EXEC(depth), 1);
    if (j->tail_calls) {
        /* the function may have ended as another program */
        skep_x86_mov_imm(x, X86_R11, (uintptr_t)j->p);
        skep_x86_rm(x, true, X86_MOV, X86_R11, X86_R12, SKEP_JIT_EXEC(program));
    }
}

static void put_callx_site(struct skep_jit *j, unsigned reg)
{
    struct skep_x86 *x = &j->x;
    skep_x86_mov(x, true, X86_R10, reg);
    skep_x86_mov_imm(x, X86_R11, j->insn);
    skep_x86_patch4(x, skep_x86_call4(x), j->callx_tail);
    skep_x86_rr(x, false, X86_TEST, X86_R10, X86_R10);
    size_t local = skep_x86_jcc4(x, X86_NE);
    call_helper(j, NULL);
    size_t done = skep_x86_jmp4(x);
    skep_x86_patch4(x, local, x->len);
    call_local(j, UINT32_MAX);
    skep_x86_patch4(x, done, x->len);
}

static void put_tail_call(struct skep_jit *j)
{
    struct skep_x86 *x = &j->x;
    skep_x86_rm(x, true, X86_MOV, X86_RDI, X86_R12, SKEP_JIT_EXEC(code_scratch[1]));
    skep_jit_keep_fuel(j);
    skep_x86_mov(x, true, X86_RDI, X86_R12);
    skep_jit_call_c(j, (const void *)(uintptr_t)tail_call);
    skep_jit_take_fuel(j);
    cold_locate(j);
    skep_x86_rr(x, true, X86_TEST, X86_RAX, X86_RAX);
    size_t falls = skep_x86_jcc1(x, X86_E);
    skep_x86_rm(x, true, X86_LOAD, X86_RDI, X86_R12, SKEP_JIT_EXEC(code_scratch[1]));
    skep_x86_jmp_reg(x, X86_RAX);
    skep_x86_patch1(x, falls, x->len);
    skep_jit_forget_arguments(j);
}

/* x86_call.c */
static void put_helper(struct skep_jit *j, uint32_t number)
{
    const struct skep_helper *h = number < SKEP_HELPERS_MAX ? skep_vm_helper_find(j->p->vm, number) : NULL;
    if (number == SKEP_HELPER_TAIL_CALL)
        put_tail_call(j);
    else if (h && !skep_program_poison(j->p, j->insn))
        call_helper(j, (const void *)(uintptr_t)h->fn);
    else
        skep_jit_cold_add(j, SKEP_JIT_COLD_NO_CALL, skep_x86_jmp4(&j->x));
}

static void put_packet_load(struct skep_jit *j, const struct skep_opcode_info *info,
                            const struct skep_insn *insn)
{
    struct skep_x86 *x = &j->x;
    if (info->form == SKEP_FORM_LDIND) {
        skep_x86_mov(x, false, X86_R11, skep_jit_native[skep_insn_src(insn)]);
        skep_jit_constant(j, X86_RDI, (uint32_t)insn->imm);
        skep_x86_rr(x, false, X86_ADD, X86_R11, X86_RDI); /* rdi += r11 */
    } else {
        skep_jit_constant(j, X86_RDI, (uint32_t)insn->imm);
    }
    skep_x86_mov_imm(x, X86_RSI, info->bits / 8);
    call_helper(j, (const void *)(uintptr_t)skep_exec_packet_load);
}

bool skep_jit_call_op(struct skep_jit *j, enum skep_opcode op, const struct skep_insn *insn)
{
    struct skep_x86 *x = &j->x;
    const struct skep_opcode_info *info = skep_opcode_info(op);
    switch (info->form) {
    case SKEP_FORM_CALL_HELPER:
        if (!skep_jit_map_call(j, (uint32_t)insn->imm))
            put_helper(j, (uint32_t)insn->imm);
        return true;
    case SKEP_FORM_CALL_LOCAL:
        call_local(j, skep_function_at(j->p, (uint32_t)skep_insn_target(op, insn, j->insn)));
        return true;
    case SKEP_FORM_CALL_KFUNC:
        skep_jit_cold_add(j, SKEP_JIT_COLD_NO_CALL, skep_x86_jmp4(x));
        return true;
    case SKEP_FORM_CALLX:
        put_callx_site(j, skep_jit_native[skep_insn_dst(insn)]);
        return true;
    case SKEP_FORM_EXIT:
        if (j->stretch)
            skep_jit_stretch_refund(j, j->stretch->s.moves, j->stretch->ahead);
        epilogue(j);
        skep_x86_ret(x);
        return true;
    case SKEP_FORM_LDABS:
    case SKEP_FORM_LDIND:
        put_packet_load(j, info, insn);
        return true;
    case SKEP_FORM_MAY_GOTO:
        skep_x86_alu_mem_imm(x, false, X86_CMP, X86_R12, SKEP_JIT_EXEC(may_goto), 0);
        skep_jit_jump_to(j, X86_E, (uint32_t)skep_insn_target(op, insn, j->insn));
        skep_x86_alu_mem_imm(x, false, X86_SUB, X86_R12, SKEP_JIT_EXEC(may_goto), 1);
        return true;
    default:
        return false;
    }
}

/* ---- cold parts ---- */

static void put_fault_at(struct skep_jit *j, const struct skep_jit_cold *c, enum skep_vm_fault fault,
                         bool address)
{
    struct skep_x86 *x = &j->x;
    if (address)
        skep_x86_rm(x, true, X86_LEA, X86_RCX, c->base, c->disp);
    else
        skep_x86_mov_imm(x, X86_RCX, 0);
    skep_x86_mov_imm(x, X86_RSI, fault);
    skep_x86_mov_imm(x, X86_RDX, c->insn);
    skep_x86_jmp_back(x, j->fault);
}

void skep_jit_put_cold(struct skep_jit *j, const struct skep_jit_cold *c)
{
    struct skep_x86 *x = &j->x;
    skep_x86_patch4(x, c->from, x->len);
    switch (c->kind) {
    case SKEP_JIT_COLD_CHECK:
        skep_x86_rm(x, true, X86_LEA, X86_R10, c->base, c->disp);
        skep_x86_mov_imm(x, X86_R11, SKEP_JIT_CHECK(c->insn, c->width, c->write));
        skep_x86_patch4(x, skep_x86_call4(x), j->slow_check);
        skep_x86_jmp_back(x, c->back);
        break;
    case SKEP_JIT_COLD_FUEL:
        skep_x86_alu_imm(x, true, X86_ADD, X86_R9, c->disp);
        put_fault_at(j, c, SKEP_VM_FAULT_FUEL, false);
        break;
    case SKEP_JIT_COLD_ALIGN:
        put_fault_at(j, c, SKEP_VM_FAULT_ALIGN, true);
        break;
    case SKEP_JIT_COLD_FRAME:
        put_fault_at(j, c, c->write ? SKEP_VM_FAULT_WRITE : SKEP_VM_FAULT_READ, true);
        break;
    case SKEP_JIT_COLD_FAULT:
        put_fault_at(j, c, (enum skep_vm_fault)c->disp, false);
        break;
    case SKEP_JIT_COLD_HELPER: {
        /* it may add cold parts, and move this one */
        const size_t back = c->back;
        j->insn = c->insn;
        put_helper(j, (uint32_t)c->disp);
        skep_x86_jmp_back(x, back);
        break;
    }
    case SKEP_JIT_COLD_GROUP:
        skep_x86_patch4(x, c->from2, x->len);
        skep_jit_stretch_ask(j, c);
        break;
    case SKEP_JIT_COLD_RESUME:
        skep_jit_stretch_refund(j, c->write, (uint32_t)c->disp);
        skep_x86_jmp_back(x, c->back ? j->twins[c->back - 1].code : j->offsets[c->insn]);
        break;
    case SKEP_JIT_COLD_LOCATE:
        skep_x86_mov_imm(x, X86_R11, c->insn);
        skep_x86_jmp_back(x, j->located);
        break;
    default: /* NO_CALL */
        skep_jit_keep_fuel(j);
        skep_x86_mov(x, true, X86_RDI, X86_R12);
        skep_x86_mov_imm(x, X86_RSI, c->insn);
        skep_jit_call_c(j, (const void *)(uintptr_t)no_call);
        skep_jit_take_fuel(j);
        skep_x86_jmp_back(x, j->leave);
    }
}
