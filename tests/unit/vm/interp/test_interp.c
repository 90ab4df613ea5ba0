/* SPDX-License-Identifier: Apache-2.0 */
#include "../machine.h"
#include "vm/interp/interp_op.h"

static int setup(void **state)
{
    static struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    *state = &m;
    return 0;
}

static int teardown(void **state)
{
    machine_clear(*state);
    return 0;
}

struct seen {
    uint32_t insns[64];
    uint64_t r0[64];
    size_t n;
};

static void see(void *data, const struct skep_vm_program *p, uint32_t insn, const uint64_t registers[11])
{
    struct seen *s = data;
    assert_non_null(p);
    if (s->n < ARRAY_SIZE(s->insns)) {
        s->insns[s->n] = insn;
        s->r0[s->n++] = registers[0];
    }
}

static void each_instruction_is_traced(void **state)
{
    struct machine *m = *state;
    struct skep_vm_program *p =
        machine_load(m,
                     "r0 = 1\nr1 = r0\nr1 += 4\nr0 = 5 ll\nagain:\nr0 += 1\nif r0 != 7 goto again\n"
                     "call local f\nexit\nf:\nr0 += 1\nexit",
                     NULL);
    static const uint32_t insns[] = {0, 1, 2, 3, 5, 6, 5, 6, 7, 9, 10, 8};
    static const uint64_t values[] = {0, 1, 1, 1, 5, 6, 6, 7, 7, 7, 8, 8};
    struct seen s = {0};
    skep_vm_thread_set_trace(m->t, see, &s);
    machine_expect(m, p, NULL, 0, 8);
    uint64_t used = skep_vm_thread_used(m->t);
    assert_int_equal(s.n, ARRAY_SIZE(insns));
    for (size_t i = 0; i < s.n; i++) {
        assert_int_equal(s.insns[i], insns[i]);
        assert_int_equal(s.r0[i], values[i]);
    }
    skep_vm_thread_set_trace(m->t, NULL, NULL);
    machine_expect(m, p, NULL, 0, 8);
    assert_int_equal(s.n, ARRAY_SIZE(insns));
    assert_int_equal(skep_vm_thread_used(m->t), used);
    skep_vm_program_unref(p);
}

static uint64_t switch_trace(uint64_t on, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                             struct skep_vm_thread *t)
{
    (void)r2, (void)r3, (void)r4, (void)r5;
    static struct seen ignored;
    skep_vm_thread_set_trace(t, on ? see : NULL, &ignored);
    return 0;
}

/* Whatever a helper does to the trace, a run stays what it was when it began. */
static void helpers_switch_the_trace(void **state)
{
    struct machine *m = *state;
    skep_vm_helper_register(m->vm, 300, NULL, switch_trace);
    struct skep_vm_program *p =
        machine_load(m,
                     "r1 = 0\ncall 300\nr6 = 3\nr6 += 1\nr1 = 1\ncall 300\ncall local f\nr0 = r6\nr1 = 0\n"
                     "r1 = *(u8 *)(r1 + 0)\nexit\nf:\nexit",
                     NULL);
    for (int traced = 0; traced < 2; traced++) {
        struct seen s = {0};
        skep_vm_thread_set_trace(m->t, traced ? see : NULL, &s);
        machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_READ, 9);
        assert_int_equal(s.n, traced ? 2 : 0);
    }
    skep_vm_thread_set_trace(m->t, NULL, NULL);
    skep_vm_program_unref(p);
}

/* ---- joined against single ---- */

struct rng {
    uint64_t s;
};

static uint32_t next(struct rng *r, uint32_t below)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return (uint32_t)((r->s >> 20) % below);
}

#define MEMORY 64

/* One of the operations that take part in joined ops, on few registers so that they meet. r5 holds the
 * memory. */
static size_t put_random(struct rng *r, struct skep_insn *insns, size_t left)
{
    static const uint16_t alu[] = {
        SKEP_OP_ADD64_IMM,  SKEP_OP_ADD64_REG,  SKEP_OP_ADD32_IMM,  SKEP_OP_ADD32_REG,  SKEP_OP_MOV64_REG,
        SKEP_OP_MOV32_REG,  SKEP_OP_MOV64_IMM,  SKEP_OP_MOV32_IMM,  SKEP_OP_XOR64_REG,  SKEP_OP_MUL64_REG,
        SKEP_OP_LSH64_IMM,  SKEP_OP_RSH64_IMM,  SKEP_OP_ARSH64_IMM, SKEP_OP_AND64_IMM,  SKEP_OP_AND32_IMM,
        SKEP_OP_OR64_REG,   SKEP_OP_SUB32_REG,  SKEP_OP_LSH32_REG,  SKEP_OP_MOD64_IMM,  SKEP_OP_SDIV64_IMM,
        SKEP_OP_SMOD32_IMM, SKEP_OP_DIV32_REG,  SKEP_OP_SDIV32_REG, SKEP_OP_SMOD64_REG, SKEP_OP_NEG64,
        SKEP_OP_BSWAP32,    SKEP_OP_MOVSX64_16, SKEP_OP_LE32,       SKEP_OP_MUL32_IMM,  SKEP_OP_RSH32_IMM,
    };
    static const uint16_t jumps[] = {
        SKEP_OP_JEQ_IMM,   SKEP_OP_JNE_IMM,  SKEP_OP_JEQ_REG,  SKEP_OP_JNE_REG,    SKEP_OP_JEQ32_IMM,
        SKEP_OP_JNE32_REG, SKEP_OP_JLT_REG,  SKEP_OP_JSGT_IMM, SKEP_OP_JSLE32_IMM, SKEP_OP_JSET_IMM,
        SKEP_OP_JGE32_REG, SKEP_OP_JSLT_REG, SKEP_OP_JA,       SKEP_OP_JSET32_REG, SKEP_OP_JNE32_IMM,
    };
    static const uint16_t memory[] = {
        SKEP_OP_LDXB, SKEP_OP_LDXH, SKEP_OP_LDXW, SKEP_OP_LDXDW, SKEP_OP_LDXSB,
        SKEP_OP_STXB, SKEP_OP_STXH, SKEP_OP_STXW, SKEP_OP_STXDW, SKEP_OP_STW,
    };
    static const int32_t numbers[] = {0, 1, -1, 2, 8, 32, 255, 65535, 4095, INT32_MAX, INT32_MIN, 3};
    unsigned a = next(r, 4), b = next(r, 4);
    int32_t imm = numbers[next(r, ARRAY_SIZE(numbers))];
    unsigned what = next(r, 10);
    if (what < 6) {
        insns[0] = skep_insn_make(alu[next(r, ARRAY_SIZE(alu))], a, b, 0, imm);
        return 1;
    }
    if (what < 8 && left > 4) {
        insns[0] = skep_insn_make(jumps[next(r, ARRAY_SIZE(jumps))], a, b, (int16_t)next(r, 4), imm);
        return 1;
    }
    /* now and then a sum in front, and an access that may miss */
    enum skep_opcode op = memory[next(r, ARRAY_SIZE(memory))];
    bool load = skep_opcode_info(op)->flags & SKEP_OPF_LOAD;
    unsigned base = 5;
    size_t n = 0;
    if (next(r, 2) && left > 8) {
        insns[n++] = skep_insn_make(SKEP_OP_MOV64_REG, 4, 5, 0, 0);
        insns[n++] = skep_insn_make(SKEP_OP_AND64_IMM, b, 0, 0, 15);
        insns[n++] = skep_insn_make(SKEP_OP_ADD64_REG, 4, b, 0, 0);
        base = 4;
    }
    int16_t off = (int16_t)next(r, next(r, 16) ? MEMORY - 24 : MEMORY);
    insns[n++] = load ? skep_insn_make(op, a, base, off, 0) : skep_insn_make(op, base, a, off, imm);
    return n;
}

/* Back to an early instruction. */
static size_t put_loop(struct skep_insn *insns, size_t n)
{
    insns[n] = skep_insn_make(SKEP_OP_JSET_IMM, 0, 0, (int16_t)(3 - (int)n), 4);
    return n + 1;
}

static void ignore(void *data, const struct skep_vm_program *p, uint32_t insn, const uint64_t registers[11])
{
    (void)data, (void)p, (void)insn, (void)registers;
}

struct outcome {
    int r;
    uint64_t value, used;
    uint32_t insn;
    uint64_t address;
    uint8_t memory[MEMORY];
};

static struct outcome outcome_of(struct machine *m, const struct skep_vm_program *p, uint8_t *memory)
{
    struct outcome o = {0};
    for (unsigned i = 0; i < MEMORY; i++)
        memory[i] = (uint8_t)(i * 37);
    o.r = skep_vm_run(m->t, p, memory, MEMORY, &o.value);
    o.used = skep_vm_thread_used(m->t);
    o.insn = o.r < 0 ? skep_vm_thread_error(m->t)->insn : 0;
    o.address = o.r < 0 ? skep_vm_thread_error(m->t)->address : 0;
    memcpy(o.memory, memory, MEMORY);
    return o;
}

static void joined_ops_do_the_same(void **state)
{
    struct machine *m = *state;
    struct rng rng = {0x9e3779b97f4a7c15ULL};
    uint8_t *memory = malloc(MEMORY);
    size_t faults = 0;
    skep_vm_thread_set_fuel(m->t, 2000);
    for (unsigned round = 0; round < 20000; round++) {
        struct skep_insn insns[72];
        size_t n = 0;
        insns[n++] = skep_insn_make(SKEP_OP_MOV64_REG, 5, 1, 0, 0);
        insns[n++] = skep_insn_make(SKEP_OP_MOV64_IMM, 0, 0, 0, (int32_t)next(&rng, 1000));
        insns[n++] = skep_insn_make(SKEP_OP_MOV64_IMM, 3, 0, 0, -3);
        while (n < 48)
            n += put_random(&rng, &insns[n], 48 - n);
        /* all of the registers count; a backward jump now and then */
        for (unsigned i = 1; i < 5; i++)
            if (i != 4)
                insns[n++] = skep_insn_make(SKEP_OP_XOR64_REG, 0, i, 0, 0);
        if (next(&rng, 4) == 0)
            n = put_loop(insns, n);
        insns[n++] = skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0);
        const struct skep_vm_program_options o = {.size = sizeof(o), .insns = insns, .n_insns = n};
        struct skep_vm_program *p;
        struct skep_vm_error error;
        if (skep_vm_program_load(m->vm, &o, &p, &error) < 0)
            fail_msg("round %u: %s", round, error.message);
        struct outcome joined = outcome_of(m, p, memory);
        skep_vm_thread_set_trace(m->t, ignore, NULL);
        struct outcome single = outcome_of(m, p, memory);
        skep_vm_thread_set_trace(m->t, NULL, NULL);
        if (memcmp(&joined, &single, sizeof(joined)) != 0)
            fail_msg("round %u: joined %d 0x%llx used %llu insn %u, single %d 0x%llx used %llu insn %u",
                     round, joined.r, (unsigned long long)joined.value, (unsigned long long)joined.used,
                     joined.insn, single.r, (unsigned long long)single.value, (unsigned long long)single.used,
                     single.insn);
        faults += joined.r < 0;
        skep_vm_program_unref(p);
    }
    free(memory);
    /* both kinds of end were tried */
    assert_in_range(faults, 500, 19500);
}

static void common_pairs_are_joined(void **state)
{
    struct machine *m = *state;
    static const struct {
        const char *text;
        uint32_t ops;
    } rows[] = {
        {"r2 = r1\nr2 += 5\nexit", 2},
        {"r2 += 1\nif r2 != 9 goto +0\nexit", 2},
        {"r2 = *(u8 *)(r1 + 0)\nif r2 == 9 goto +0\nexit", 2},
        {"r2 = r1\nr2 += r3\nr2 = *(u8 *)(r2 + 0)\nexit", 2},
        {"r2 = *(u8 *)(r1 + 0)\nr2 &= 255\nr0 += r2\nexit", 2},
        {"r2 = *(u64 *)(r1 + 0)\n*(u64 *)(r3 + 0) = r2\nexit", 2},
        {"r2 = r1\nr2 <<= 32\nr2 >>= 32\nexit", 2},
        /* not across the beginning of a block, which costs a step of its own */
        {"goto +1\nr2 = r1\nr2 += 5\nexit", 5},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_vm_program *p = machine_load(m, rows[i].text, NULL);
        if (p->interp->n_ops != rows[i].ops)
            fail_msg("row %zu: %u ops", i, p->interp->n_ops);
        skep_vm_program_unref(p);
    }
}

/* ---- calls back ---- */

static uint64_t each(uint64_t n, uint64_t function, uint64_t context, uint64_t r4, uint64_t r5,
                     struct skep_vm_thread *t)
{
    (void)r4, (void)r5;
    uint64_t i, value;
    for (i = 0; i < n; i++) {
        const uint64_t args[5] = {i, context};
        if (skep_vm_thread_call(t, function, args, &value) < 0)
            return 0;
        if (value)
            break;
    }
    return i;
}

static void helpers_call_functions(void **state)
{
    struct machine *m = *state;
    skep_vm_helper_register(m->vm, 200, "each", each);
    struct skep_vm_program *p =
        machine_load(m,
                     "*(u64 *)(r10 - 8) = 0\nr1 = 10\nr2 = code f\nr3 = r10\nr3 += -8\nr6 = 7\n"
                     "call 200\nr0 = *(u64 *)(r10 - 8)\nr0 += r6\nexit\n"
                     "f:\nr3 = *(u64 *)(r2 + 0)\nr3 += r1\n*(u64 *)(r2 + 0) = r3\nr6 = 1\nr0 = 0\nexit",
                     NULL);
    machine_expect(m, p, NULL, 0, 45 + 7);
    assert_int_equal(skep_vm_thread_used(m->t), 7 + 3 + 10 * 6);
    skep_vm_thread_set_fuel(m->t, 40);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_FUEL, 11);
    skep_vm_thread_set_fuel(m->t, 0);
    skep_vm_program_unref(p);
    /* a fault in the function is the run's, at its own instruction */
    p = machine_load(m, "r1 = 1\nr2 = code f\ncall 200\nexit\nf:\nr0 = 0\nr0 = *(u8 *)(r0 + 0)\nexit", NULL);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_READ, 6);
    skep_vm_program_unref(p);
    /* what is no function */
    p = machine_load(m, "r1 = 1\nr2 = 77\ncall 200\nexit", NULL);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_HANDLE, 2);
    skep_vm_program_unref(p);
    /* a function that calls back without end */
    p = machine_load(m, "f:\nr1 = 1\nr2 = code f\ncall 200\nexit", NULL);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_STACK, 3);
    skep_vm_program_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_instruction_is_traced, setup, teardown),
        cmocka_unit_test_setup_teardown(helpers_switch_the_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(joined_ops_do_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(common_pairs_are_joined, setup, teardown),
        cmocka_unit_test_setup_teardown(helpers_call_functions, setup, teardown),
    };
    return cmocka_run_group_tests_name("vm/interp", tests, NULL, NULL);
}
