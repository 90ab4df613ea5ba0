/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/interp/interp.h"

#include "vm/interp/interp_op.h"
#include "vm/vm.h"

#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* What a called function gives back to its caller. */
struct frame {
    const struct skep_interp_op *ip;
    const struct skep_vm_program *program;
    uint64_t saved[4];
};

/* What a function finds in its frame. The C library's way of writing nothing is slow where nothing can be
 * written. */
static inline void zero_frame(const struct skep_function *f, uint64_t frame)
{
    if (f->zero)
        memset((void *)(uintptr_t)(frame - f->zero), 0, f->zero);
}

/* Programs need no alignment. */
#define AT(type, address) (((struct { type v; } __attribute__((packed, may_alias)) *)(uintptr_t)(address))->v)

static const struct skep_interp *translation(const struct skep_vm_program *p, bool traced)
{
    return traced ? __atomic_load_n(&p->traced, __ATOMIC_ACQUIRE) : p->interp;
}

static uint32_t insn_of(const struct skep_exec *e, const struct skep_interp_op *ip)
{
    const struct skep_interp *i = translation(e->program, e->traced);
    return i->insns[ip - i->ops];
}

#define ATOMIC_CASES(name, builtin)                                                                          \
    case SKEP_OP_LOCK_##name##32:                                                                            \
        builtin((uint32_t *)p, (uint32_t)R[ip->b], __ATOMIC_SEQ_CST);                                        \
        break;                                                                                               \
    case SKEP_OP_LOCK_##name##64:                                                                            \
        builtin((uint64_t *)p, R[ip->b], __ATOMIC_SEQ_CST);                                                  \
        break;                                                                                               \
    case SKEP_OP_FETCH_##name##32:                                                                           \
        R[ip->b] = builtin((uint32_t *)p, (uint32_t)R[ip->b], __ATOMIC_SEQ_CST);                             \
        break;                                                                                               \
    case SKEP_OP_FETCH_##name##64:                                                                           \
        R[ip->b] = builtin((uint64_t *)p, R[ip->b], __ATOMIC_SEQ_CST);                                       \
        break;

#define ORDERED_CASES(letter, type)                                                                          \
    case SKEP_OP_LOAD_ACQ_##letter:                                                                          \
        R[ip->a] = __atomic_load_n((type *)p, __ATOMIC_ACQUIRE);                                             \
        break;                                                                                               \
    case SKEP_OP_STORE_REL_##letter:                                                                         \
        __atomic_store_n((type *)p, (type)R[ip->b], __ATOMIC_RELEASE);                                       \
        break;

/* Does an atomic operation (ip->imm) at p, which is checked. */
static void do_atomic(const struct skep_interp_op *ip, uint64_t *R, void *p)
{
    switch (ip->imm) {
        ATOMIC_CASES(ADD, __atomic_fetch_add)
        ATOMIC_CASES(OR, __atomic_fetch_or)
        ATOMIC_CASES(AND, __atomic_fetch_and)
        ATOMIC_CASES(XOR, __atomic_fetch_xor)
        ORDERED_CASES(B, uint8_t)
        ORDERED_CASES(H, uint16_t)
        ORDERED_CASES(W, uint32_t)
        ORDERED_CASES(DW, uint64_t)
    case SKEP_OP_XCHG32:
        R[ip->b] = __atomic_exchange_n((uint32_t *)p, (uint32_t)R[ip->b], __ATOMIC_SEQ_CST);
        break;
    case SKEP_OP_XCHG64:
        R[ip->b] = __atomic_exchange_n((uint64_t *)p, R[ip->b], __ATOMIC_SEQ_CST);
        break;
    case SKEP_OP_CMPXCHG32: {
        uint32_t expected = (uint32_t)R[0];
        __atomic_compare_exchange_n((uint32_t *)p, &expected, (uint32_t)R[ip->b], false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
        R[0] = expected;
        break;
    }
    case SKEP_OP_CMPXCHG64:
        __atomic_compare_exchange_n((uint64_t *)p, &R[0], R[ip->b], false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
        break;
    }
}

/* a: base (of load-acquire: b); c: the base is r10 and off is in its frame. False after a fault. */
static __attribute__((noinline)) bool atomic(struct skep_exec *e, const struct skep_interp_op *ip,
                                             uint64_t *R)
{
    const struct skep_opcode_info *info = skep_opcode_info((enum skep_opcode)ip->imm);
    bool write = info->flags & SKEP_OPF_STORE;
    uint64_t address = R[write ? ip->a : ip->b] + (uint64_t)(int64_t)ip->off;
    uint64_t size = info->bits / 8;
    struct skep_slot *slot =
        (struct skep_slot *)(void *)((char *)e + ip->slot + (write ? SKEP_STORE_SLOTS : 0));
    uint64_t fit = slot->fit[__builtin_ctzll(size)];
    if (!ip->c && address - slot->base >= fit && !skep_exec_check(e, address, size, write, slot)) {
        skep_exec_fault(e, write ? SKEP_VM_FAULT_WRITE : SKEP_VM_FAULT_READ, insn_of(e, ip), address, NULL);
        return false;
    }
    if (address & (size - 1)) {
        skep_exec_fault(e, SKEP_VM_FAULT_ALIGN, insn_of(e, ip), address, NULL);
        return false;
    }
    do_atomic(ip, R, (void *)(uintptr_t)address);
    return true;
}

/* ---- pieces of execute(): they use its variables ---- */

#define A R[ip->a]
#define B R[ip->b]
#define C R[ip->c]

/* What a call leaves in r1 to r5 is nobody's business; machine code has them as zero, too. */
#define FORGET_ARGUMENTS() memset(&R[1], 0, 5 * sizeof(R[0]))

#define DISPATCH() goto * ip->code
#define NEXT()                                                                                               \
    do {                                                                                                     \
        ip++;                                                                                                \
        DISPATCH();                                                                                          \
    } while (0)
/* ip is at the beginning of a block */
#define ENTER()                                                                                              \
    do {                                                                                                     \
        fuel -= ip->cost;                                                                                    \
        if (UNLIKELY(fuel < 0))                                                                              \
            goto out_of_fuel;                                                                                \
        DISPATCH();                                                                                          \
    } while (0)
/* Two dispatches, and no conditional move: the next op must not wait for the comparison. */
#define BRANCH(condition)                                                                                    \
    do {                                                                                                     \
        if (condition) {                                                                                     \
            ip = ip->to;                                                                                     \
            ENTER();                                                                                         \
        }                                                                                                    \
        ip++;                                                                                                \
        __asm__ volatile("");                                                                                \
        ENTER();                                                                                             \
    } while (0)

#define U64(x) (uint64_t)(x)
#define S64(x) (int64_t)(x)
#define U32(x) (uint32_t)(x)
#define S32(x) (int32_t)(x)
#define COMPARE(bits, sign, x, op, y) (sign##bits(x) op sign##bits(y))

#define ARITHMETIC(name, op)                                                                                 \
    name##64_IMM : A = B op U64(ip->imm);                                                                    \
    NEXT();                                                                                                  \
    name##64_REG : A = B op C;                                                                               \
    NEXT();                                                                                                  \
    name##32_IMM : A = U32(U32(B) op U32(ip->imm));                                                          \
    NEXT();                                                                                                  \
    name##32_REG : A = U32(U32(B) op U32(C));                                                                \
    NEXT();

#define SHIFT(name, sign, op)                                                                                \
    name##64_IMM : A = U64(sign##64(B)op(ip->imm & 63));                                                     \
    NEXT();                                                                                                  \
    name##64_REG : A = U64(sign##64(B)op(C & 63));                                                           \
    NEXT();                                                                                                  \
    name##32_IMM : A = U32(sign##32(B)op(ip->imm & 31));                                                     \
    NEXT();                                                                                                  \
    name##32_REG : A = U32(sign##32(B)op(C & 31));                                                           \
    NEXT();

/* zero, minus: the results when the divisor is 0, and -1 (where the quotient may not fit). Immediates are
 * not 0. */
#define DIVISION(name, sign, is_signed, op, zero64, zero32, minus64, minus32)                                \
    name##64_IMM : A = U64(sign##64(B)op sign##64(ip->imm));                                                 \
    NEXT();                                                                                                  \
    name##32_IMM : A = U32(sign##32(B)op sign##32(ip->imm));                                                 \
    NEXT();                                                                                                  \
    name##64_REG : A = C == 0                           ? (zero64)                                           \
                       : (is_signed) && C == UINT64_MAX ? (minus64)                                          \
                                                        : U64(sign##64(B)op sign##64(C));                    \
    NEXT();                                                                                                  \
    name##32_REG : A = U32(C) == 0                           ? (zero32)                                      \
                       : (is_signed) && U32(C) == UINT32_MAX ? (minus32)                                     \
                                                             : U32(sign##32(B)op sign##32(C));               \
    NEXT();

#define DO_CONDITION(name, sign, op)                                                                         \
    name##_IMM : BRANCH(COMPARE(64, sign, A, op, ip->imm));                                                  \
    name##_REG : BRANCH(COMPARE(64, sign, A, op, B));                                                        \
    name##32_IMM : BRANCH(COMPARE(32, sign, A, op, ip->imm));                                                \
    name##32_REG : BRANCH(COMPARE(32, sign, A, op, B));                                                      \
    ADD64_##name##_IMM : A += U64(S64(ip->off));                                                             \
    BRANCH(COMPARE(64, sign, B, op, ip->imm));                                                               \
    ADD64_##name##_REG : A += U64(S64(ip->off));                                                             \
    BRANCH(COMPARE(64, sign, B, op, C));                                                                     \
    ADD32_##name##32_IMM : A = U32(A) + U32(ip->off);                                                        \
    BRANCH(COMPARE(32, sign, B, op, ip->imm));                                                               \
    ADD32_##name##32_REG : A = U32(A) + U32(ip->off);                                                        \
    BRANCH(COMPARE(32, sign, B, op, C));

/* Sets address to base + distance after checking it. kind: 0 for loads, SKEP_STORE_SLOTS for stores. */
#define CHECK(from, distance, kind, width, write, fault)                                                     \
    do {                                                                                                     \
        address = (from) + U64(S64(distance));                                                               \
        struct skep_slot *slot = (struct skep_slot *)(void *)((char *)e + ip->slot + (kind));                \
        if (UNLIKELY(address - slot->base >= slot->fit[width]) &&                                            \
            UNLIKELY(!skep_exec_check(e, address, 1U << (width), write, slot)))                              \
            goto fault;                                                                                      \
    } while (0)
#define CHECK_LOAD(width) CHECK(B, ip->off, 0, width, false, bad_read)
#define CHECK_STORE(width) CHECK(A, ip->off, SKEP_STORE_SLOTS, width, true, bad_write)
#define FRAME_AT(type) AT(type, R[SKEP_REG_FRAME] + U64(S64(ip->off)))

#define DO_LOAD(name, type, width)                                                                           \
    LDX##name : CHECK_LOAD(width);                                                                           \
    A = U64(S64(AT(type, address)));                                                                         \
    NEXT();                                                                                                  \
    LDX##name##_FRAME : A = U64(S64(FRAME_AT(type)));                                                        \
    NEXT();

/* Loads that do something with what they loaded. */
#define DO_JOINED_LOAD(name, type, width)                                                                    \
    LDX##name##_ADD64 : CHECK_LOAD(width);                                                                   \
    C += A = AT(type, address);                                                                              \
    NEXT();                                                                                                  \
    LDX##name##_ADD32 : CHECK_LOAD(width);                                                                   \
    A = AT(type, address);                                                                                   \
    C = U32(C) + U32(A);                                                                                     \
    NEXT();                                                                                                  \
    LDX##name##_XOR64 : CHECK_LOAD(width);                                                                   \
    C ^= A = AT(type, address);                                                                              \
    NEXT();                                                                                                  \
    LDX##name##_OR64 : CHECK_LOAD(width);                                                                    \
    C |= A = AT(type, address);                                                                              \
    NEXT();                                                                                                  \
    LDX##name##_JEQ_IMM : CHECK_LOAD(width);                                                                 \
    A = AT(type, address);                                                                                   \
    BRANCH(A == U64(ip->imm));                                                                               \
    LDX##name##_JNE_IMM : CHECK_LOAD(width);                                                                 \
    A = AT(type, address);                                                                                   \
    BRANCH(A != U64(ip->imm));                                                                               \
    LDX##name##_JEQ_REG : CHECK_LOAD(width);                                                                 \
    A = AT(type, address);                                                                                   \
    BRANCH(A == C);                                                                                          \
    LDX##name##_JNE_REG : CHECK_LOAD(width);                                                                 \
    A = AT(type, address);                                                                                   \
    BRANCH(A != C);                                                                                          \
    LDX##name##_STX : CHECK_LOAD(width);                                                                     \
    A = AT(type, address);                                                                                   \
    CHECK(C, ip->imm, SKEP_STORE_SLOTS, width, true, bad_second_write);                                      \
    AT(type, address) = (type)A;                                                                             \
    NEXT();

/* d = b + c, and an access there. */
#define DO_INDEXED(name, type, width)                                                                        \
    LDX##name##_AT : R[ip->d] = B + C;                                                                       \
    CHECK(R[ip->d], ip->off, 0, width, false, bad_read_at);                                                  \
    A = AT(type, address);                                                                                   \
    NEXT();                                                                                                  \
    STX##name##_AT : R[ip->d] = B + C;                                                                       \
    CHECK(R[ip->d], ip->off, SKEP_STORE_SLOTS, width, true, bad_write_at);                                   \
    AT(type, address) = (type)A;                                                                             \
    NEXT();

#define DO_STORE(name, type, width)                                                                          \
    ST##name : CHECK_STORE(width);                                                                           \
    AT(type, address) = (type)ip->imm;                                                                       \
    NEXT();                                                                                                  \
    ST##name##_FRAME : FRAME_AT(type) = (type)ip->imm;                                                       \
    NEXT();                                                                                                  \
    STX##name : CHECK_STORE(width);                                                                          \
    AT(type, address) = (type)B;                                                                             \
    NEXT();                                                                                                  \
    STX##name##_FRAME : FRAME_AT(type) = (type)B;                                                            \
    NEXT();

#define LOCK_ADD(bits, width)                                                                                \
    LOCK_ADD##bits : CHECK_STORE(width);                                                                     \
    if (UNLIKELY(address & (bits / 8 - 1)))                                                                  \
        goto misaligned;                                                                                     \
    __atomic_fetch_add((uint##bits##_t *)(uintptr_t)address, (uint##bits##_t)B, __ATOMIC_SEQ_CST);           \
    NEXT();

/* Runs from start until the exit of the frame that it began in. ret_labels: only tells where the labels
 * are. */
static bool execute(struct skep_exec *e, const struct skep_interp_op *start, const uint64_t args[5],
                    uint64_t *ret_value, const void *const **ret_labels)
{
    static const void *const labels[] = {
#define HANDLER(name) &&name,
#include "vm/interp/interp.def"
#undef HANDLER
    };
    if (ret_labels) {
        *ret_labels = labels;
        return true;
    }
    const struct skep_interp_op *ip = start;
    const uint32_t bottom = e->depth;
    int64_t fuel = (int64_t)e->fuel;
    uint64_t address;
    uint32_t function;
    struct frame frames[SKEP_FRAMES];
    uint64_t R[SKEP_REGS] = {0};
    memcpy(&R[1], args, 5 * sizeof(uint64_t));
    R[SKEP_REG_FRAME] = skep_exec_frame(e);
    ENTER();

    SKEP_INTERP_ARITHMETIC(ARITHMETIC)
    SHIFT(LSH, U, <<)
    SHIFT(RSH, U, >>)
    SHIFT(ARSH, S, >>)
    DIVISION(DIV, U, false, /, 0, 0, 0, 0)
    DIVISION(MOD, U, false, %, B, U32(B), 0, 0)
    DIVISION(SDIV, S, true, /, 0, 0, 0 - B, U32(0 - U32(B)))
    DIVISION(SMOD, S, true, %, B, U32(B), 0, 0)

MOV64_IMM:
    A = U64(ip->imm);
    NEXT();
MOV64_REG:
    A = B;
    NEXT();
MOV32_REG:
    A = U32(B);
    NEXT();
MOVSX64_8:
    A = U64(S64((int8_t)B));
    NEXT();
MOVSX64_16:
    A = U64(S64((int16_t)B));
    NEXT();
MOVSX64_32:
    A = U64(S64((int32_t)B));
    NEXT();
MOVSX32_8:
    A = U32((int8_t)B);
    NEXT();
MOVSX32_16:
    A = U32((int16_t)B);
    NEXT();
NEG64:
    A = 0 - A;
    NEXT();
NEG32:
    A = U32(0 - U32(A));
    NEXT();
LE16:
    A = (uint16_t)A;
    NEXT();
BSWAP16:
    A = __builtin_bswap16((uint16_t)A);
    NEXT();
BSWAP32:
    A = __builtin_bswap32(U32(A));
    NEXT();
BSWAP64:
    A = __builtin_bswap64(A);
    NEXT();

ADD64_ADD64:
    A += U64(S64(ip->off));
    B += U64(ip->imm);
    NEXT();
LSH64_XOR64:
    A = B << (ip->imm & 63);
    C ^= A;
    NEXT();
RSH64_XOR64:
    A = B >> (ip->imm & 63);
    C ^= A;
    NEXT();
LSH64_THEN_XOR64:
    A = B << (ip->imm & 63) ^ C;
    NEXT();
RSH64_THEN_XOR64:
    A = B >> (ip->imm & 63) ^ C;
    NEXT();
XOR64_MUL64:
    A = (B ^ C) * R[ip->d];
    NEXT();
AND64_JEQ_IMM:
    A = B & U64(S64(ip->off));
    BRANCH(A == U64(ip->imm));
AND64_JNE_IMM:
    A = B & U64(S64(ip->off));
    BRANCH(A != U64(ip->imm));
AND32_JEQ_IMM:
    A = U32(B) & U32(ip->off);
    BRANCH(A == U64(ip->imm));
AND32_JNE_IMM:
    A = U32(B) & U32(ip->off);
    BRANCH(A != U64(ip->imm));
MOV64_REG_JA:
    A = B;
    ip = ip->to;
    ENTER();
MOV32_REG_JA:
    A = U32(B);
    ip = ip->to;
    ENTER();
MOV64_IMM_JA:
    A = U64(ip->imm);
    ip = ip->to;
    ENTER();

JA:
    ip = ip->to;
    ENTER();
    SKEP_INTERP_CONDITIONS(DO_CONDITION)
MAY_GOTO:
    BRANCH(e->may_goto == 0 || (e->may_goto--, false));
BLOCK:
    ip++;
    ENTER();
NOTHING:
    NEXT();

    SKEP_INTERP_WIDTHS(DO_LOAD)
    SKEP_INTERP_SIGNED_WIDTHS(DO_LOAD)
    SKEP_INTERP_WIDTHS(DO_JOINED_LOAD)
    SKEP_INTERP_WIDTHS(DO_INDEXED)
    SKEP_INTERP_WIDTHS(DO_STORE)
    LOCK_ADD(32, SKEP_WIDTH_4)
    LOCK_ADD(64, SKEP_WIDTH_8)
ATOMIC:
    if (!atomic(e, ip, R))
        goto faulted;
    NEXT();

PACKET:
    address = (ip->c ? B : 0) + U64(ip->imm);
    R[0] = skep_exec_packet_load(U32(address), ip->a, 0, 0, 0, e);
    FORGET_ARGUMENTS();
    if (UNLIKELY(e->fault))
        goto faulted;
    NEXT();

CALL_HELPER:
    e->fuel = (uint64_t)fuel;
    R[0] = ip->helper(R[1], R[2], R[3], R[4], R[5], skep_exec_thread(e));
    if (UNLIKELY(e->fault))
        goto faulted;
    fuel = (int64_t)e->fuel;
    FORGET_ARGUMENTS();
    ip++;
    ENTER();
CALLX : {
    int64_t f = skep_function_of(e->program, A);
    if (f >= 0) {
        function = (uint32_t)f;
        goto call;
    }
    skep_vm_helper_fn helper = skep_exec_helper(e, A);
    if (UNLIKELY(!helper))
        goto faulted;
    e->fuel = (uint64_t)fuel;
    R[0] = helper(R[1], R[2], R[3], R[4], R[5], skep_exec_thread(e));
    if (UNLIKELY(e->fault))
        goto faulted;
    fuel = (int64_t)e->fuel;
    FORGET_ARGUMENTS();
    ip++;
    ENTER();
}
CALL_LOCAL:
    function = U32(ip->imm);
call : {
    if (UNLIKELY(e->depth + 1 >= SKEP_FRAMES)) {
        skep_exec_fault(e, SKEP_VM_FAULT_STACK, UINT32_MAX, 0, NULL);
        goto faulted;
    }
    struct frame *f = &frames[e->depth++];
    f->ip = ip + 1;
    f->program = e->program;
    memcpy(f->saved, &R[6], sizeof(f->saved));
    R[SKEP_REG_FRAME] -= SKEP_FRAME_SIZE;
    zero_frame(&e->program->functions[function], R[SKEP_REG_FRAME]);
    ip = translation(e->program, e->traced)->functions[function];
    ENTER();
}
EXIT : {
    if (e->depth == bottom) {
        e->fuel = (uint64_t)fuel;
        *ret_value = R[0];
        return true;
    }
    const struct frame *f = &frames[--e->depth];
    e->program = f->program;
    memcpy(&R[6], f->saved, sizeof(f->saved));
    R[SKEP_REG_FRAME] += SKEP_FRAME_SIZE;
    ip = f->ip;
    ENTER();
}
TAIL_CALL : {
    uint64_t context = R[1];
    struct skep_vm_map *map = skep_exec_map(e, R[2]);
    const struct skep_vm_program *from = e->program;
    const struct skep_vm_program *p = map ? skep_exec_tail_call(e, map, U32(R[3])) : NULL;
    if (UNLIKELY(e->fault))
        goto faulted;
    R[0] = 0;
    FORGET_ARGUMENTS();
    if (!p) {
        ip++;
        ENTER();
    }
    R[1] = context;
    memset(&R[6], 0, 4 * sizeof(R[0]));
    if (e->traced && skep_interp_trace(p) < 0) {
        e->program = from; /* ip is still there */
        skep_exec_fault(e, SKEP_VM_FAULT_MEMORY, UINT32_MAX, 0, NULL);
        goto faulted;
    }
    zero_frame(&p->functions[0], R[SKEP_REG_FRAME]);
    ip = translation(p, e->traced)->functions[0];
    ENTER();
}

TRACE:
    if (e->trace)
        e->trace(e->trace_data, e->program, insn_of(e, ip), R);
    goto *labels[ip->handler];

NO_HELPER:
    skep_exec_helper(e, U64(ip->imm));
    goto faulted;
POISON:
    skep_exec_fault(e, SKEP_VM_FAULT_RELOC, UINT32_MAX, 0, skep_program_poison(e->program, insn_of(e, ip)));
    goto faulted;
FAULT:
    skep_exec_fault(e, (enum skep_vm_fault)ip->c, UINT32_MAX,
                    ip->c == SKEP_VM_FAULT_CALL ? 0 : R[SKEP_REG_FRAME] + U64(S64(ip->off)), NULL);
    goto faulted;
bad_read:
    skep_exec_fault(e, SKEP_VM_FAULT_READ, UINT32_MAX, address, NULL);
    goto faulted;
bad_write:
    skep_exec_fault(e, SKEP_VM_FAULT_WRITE, UINT32_MAX, address, NULL);
    goto faulted;
bad_read_at:
    skep_exec_fault(e, SKEP_VM_FAULT_READ, insn_of(e, ip) + U32(ip->imm), address, NULL);
    goto faulted;
bad_write_at:
    skep_exec_fault(e, SKEP_VM_FAULT_WRITE, insn_of(e, ip) + U32(ip->imm), address, NULL);
    goto faulted;
bad_second_write:
    skep_exec_fault(e, SKEP_VM_FAULT_WRITE, insn_of(e, ip) + 1, address, NULL);
    goto faulted;
misaligned:
    skep_exec_fault(e, SKEP_VM_FAULT_ALIGN, UINT32_MAX, address, NULL);
    goto faulted;
out_of_fuel:
    fuel += ip->cost;
    skep_exec_fault(e, SKEP_VM_FAULT_FUEL, UINT32_MAX, 0, NULL);
    e->fuel = (uint64_t)fuel;
    goto located;
faulted:
    e->fuel = MIN(e->fuel, (uint64_t)fuel);
located:
    /* a function that a helper called back has said where already */
    if (e->insn == UINT32_MAX)
        e->insn = insn_of(e, ip);
    if (!e->has_registers)
        memcpy(e->registers, R, sizeof(R));
    e->has_registers = true;
    return false;
}

const void *const *skep_interp_labels(void)
{
    const void *const *labels;
    execute(NULL, NULL, NULL, NULL, &labels);
    return labels;
}

int skep_interp_prepare(struct skep_vm_program *p)
{
    p->interp = skep_interp_translate(p, true);
    return p->interp ? 0 : -ENOMEM;
}

/* Translates for traced runs, once. */
int skep_interp_trace(const struct skep_vm_program *p)
{
    if (__atomic_load_n(&p->traced, __ATOMIC_ACQUIRE))
        return 0;
    struct skep_interp *i = skep_interp_translate(p, false);
    if (!i)
        return -ENOMEM;
    struct skep_interp *expected = NULL;
    /* the only member that changes after loading */
    struct skep_interp **to = (struct skep_interp **)(uintptr_t)&p->traced;
    if (!__atomic_compare_exchange_n(to, &expected, i, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        skep_interp_free(p->vm, i);
    return 0;
}

/* Runs a function in the frame that e->depth says. */
static bool run_function(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function,
                         const uint64_t args[5], uint64_t *ret_value)
{
    if (e->traced && skep_interp_trace(p) < 0) {
        skep_exec_fault(e, SKEP_VM_FAULT_MEMORY, UINT32_MAX, 0, NULL);
        return false;
    }
    zero_frame(&p->functions[function], skep_exec_frame(e));
    return execute(e, translation(p, e->traced)->functions[function], args, ret_value, NULL);
}

bool skep_interp_run(struct skep_exec *e, const struct skep_vm_program *p, uint64_t r1, uint64_t r2,
                     uint64_t *ret_value)
{
    const uint64_t args[5] = {r1, r2};
    return run_function(e, p, 0, args, ret_value);
}

bool skep_interp_call(struct skep_exec *e, const struct skep_vm_program *p, uint32_t function,
                      const uint64_t args[5], uint64_t *ret_value)
{
    return run_function(e, p, function, args, ret_value);
}
