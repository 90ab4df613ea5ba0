/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

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

static void frames_are_measured(void **state)
{
    struct machine *m = *state;
    static const struct {
        const char *text;
        uint32_t zero[2];
        bool whole;
    } rows[] = {
        {"r0 = 0\nexit", {0}, false},
        {"*(u8 *)(r10 - 1) = 1\nexit", {8}, false},
        {"*(u64 *)(r10 - 24) = 1\nr0 = *(u8 *)(r10 - 9)\nexit", {24}, false},
        {"*(u64 *)(r10 - 512) = 1\nexit", {512}, true},
        {"*(u64 *)(r10 - 513) = 1\nexit", {0}, false},
        {"*(u64 *)(r10 - 8) = r10\nexit", {512}, true},
        {"r1 = r10\nexit", {512}, true},
        {"r1 = 1\nlock *(u64 *)(r10 - 8) += r1\nexit", {8}, false},
        {"lock *(u64 *)(r1 + 0) += r10\nexit", {512}, true},
        {"w0 = load_acquire((u32 *)(r10 - 12))\nexit", {16}, false},
        {"if r10 == 5 goto +0\nexit", {512}, true},
        {"*(u64 *)(r10 - 8) = 1\ncall local f\nexit\nf:\n*(u64 *)(r10 - 40) = 1\nexit", {8, 40}, false},
        {"*(u64 *)(r10 - 8) = 1\ncall local f\nexit\nf:\nr0 = r10\nexit", {512, 512}, true},
        {"call local f\nexit\nf:\ncall 12\nexit", {512, 512}, true},
        {"*(u64 *)(r10 - 8) = 1\ncall 12\nexit", {8}, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_vm_program *p = machine_load(m, rows[i].text, NULL);
        for (uint32_t f = 0; f < p->n_functions; f++)
            if (p->functions[f].zero != rows[i].zero[f])
                fail_msg("row %zu: function %u zeroes %u", i, f, p->functions[f].zero);
        assert_int_equal(p->whole_frames, rows[i].whole);
        skep_vm_program_unref(p);
    }
}

static void functions_are_found(void **state)
{
    struct machine *m = *state;
    const struct skep_vm_program_options o = {.entry = 2};
    struct skep_vm_program *p = machine_load(
        m, "r0 = 1\nexit\ncall local -3\nr1 = code f\ncall local f\nexit\nexit\nf:\nr0 += 41\nexit", &o);
    assert_int_equal(p->n_functions, 3);
    assert_int_equal(p->functions[0].insn, 2);
    assert_int_equal(p->functions[1].insn, 0);
    assert_int_equal(p->functions[2].insn, 8);
    for (uint32_t f = 0; f < p->n_functions; f++) {
        assert_int_equal(skep_function_at(p, p->functions[f].insn), f);
        assert_int_equal(skep_function_of(p, skep_function_handle(p, f)), f);
    }
    assert_int_equal(skep_function_of(p, skep_function_handle(p, 3)), -1);
    assert_int_equal(skep_function_of(p, skep_function_handle(p, 1) ^ 1ULL << 33), -1);
    assert_int_equal(skep_function_of(p, 0), -1);
    assert_int_equal(p->ops[3], SKEP_OP_LDDW);
    assert_int_equal(skep_insn_imm64(&p->insns[3]), skep_function_handle(p, 2));
    machine_expect(m, p, NULL, 0, 42);
    skep_vm_program_unref(p);
}

static void bad_programs_are_refused(void **state)
{
    struct machine *m = *state;
    static const struct {
        const char *text;
        struct skep_vm_program_options o;
        int error;
        const char *message;
    } rows[] = {
        {"exit", {.entry = 1}, -EINVAL, "instruction 1: "},
        {"exit", {.context = "none"}, -ENOENT, "there is no context type none"},
        {"exit", {.mode = 9}, -EINVAL, "there is no mode 9"},
        {"r0 = 0", {0}, -EINVAL, "instruction 0: falls off the end"},
        {"r1 = map_fd 0\nexit", {0}, -EINVAL, "instruction 0: there is no map 0 (0 were given)"},
        {"exit\nr1 = var 1\nexit", {0}, -EINVAL, "instruction 1: the address of a kernel variable"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_vm_program *p = NULL;
        struct skep_vm_error error;
        assert_int_equal(machine_try(m, rows[i].text, &rows[i].o, &p, &error), rows[i].error);
        assert_null(p);
        assert_int_equal(error.fault, SKEP_VM_FAULT_LOAD);
        assert_int_equal(error.error, rows[i].error);
        if (!skep_startswith(error.message, rows[i].message))
            fail_msg("%s", error.message);
        /* nobody is obliged to ask why */
        assert_int_equal(machine_try(m, rows[i].text, &rows[i].o, &p, NULL), rows[i].error);
    }
    const struct skep_vm_program_options none = {.size = sizeof(none), .n_insns = 3};
    struct skep_vm_program *p = NULL;
    assert_int_equal(skep_vm_program_load(m->vm, &none, &p, NULL), -EINVAL);
    /* a number that cannot be right is not believed */
    const uint64_t exit_only = 0x95;
    const struct skep_vm_program_options huge = {
        .size = sizeof(huge), .insns = &exit_only, .n_insns = SIZE_MAX};
    assert_int_equal(skep_vm_program_load(m->vm, &huge, &p, NULL), -E2BIG);
}

static void poisons_fault_when_reached(void **state)
{
    struct machine *m = *state;
    const struct skep_insn insns[] = {
        skep_insn_make(SKEP_OP_MOV64_IMM, 0, 0, 0, 4),
        skep_insn_make(SKEP_OP_JEQ_IMM, 1, 0, 1, 0),
        skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, SKEP_POISON_CALL),
        skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0),
    };
    char text[] = "no field task_struct.colour";
    const struct skep_poison poisons[] = {{2, text}};
    const struct skep_program_extra extra = {.section = "xdp", .poisons = poisons, .n_poisons = 1};
    const struct skep_vm_program_options o = {.size = sizeof(o), .name = "p", .insns = insns, .n_insns = 4};
    struct skep_vm_program *p;
    assert_int_equal(skep_program_load(m->vm, &o, &extra, &p, NULL), 0);
    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(skep_vm_program_name(p), "p");
    assert_string_equal(skep_vm_program_section(p), "xdp");
    assert_null(skep_program_poison(p, 1));
    assert_string_equal(skep_program_poison(p, 2), "no field task_struct.colour");
    machine_expect(m, p, NULL, 0, 4);
    uint8_t memory[1];
    const struct skep_vm_error *error = machine_expect_fault(m, p, memory, 1, SKEP_VM_FAULT_RELOC, 2);
    assert_string_equal(error->message, "instruction 2: no field task_struct.colour");
    skep_vm_program_unref(p);
}

static int refuse(const struct skep_vm_program *p, struct skep_vm_error *reterr)
{
    if (p->n_insns == 1)
        return 0;
    *reterr =
        (struct skep_vm_error){.fault = SKEP_VM_FAULT_LOAD, .error = -EACCES, .insn = 1, .message = "no"};
    return -EACCES;
}

static void a_verifier_has_the_last_word(void **state)
{
    struct machine *m = *state;
    const struct skep_insn insns[] = {skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0),
                                      skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0)};
    const struct skep_program_extra extra = {.verify = refuse};
    struct skep_vm_program_options o = {.size = sizeof(o), .insns = insns, .n_insns = 2};
    struct skep_vm_program *p = NULL;
    struct skep_vm_error error;
    assert_int_equal(skep_program_load(m->vm, &o, &extra, &p, &error), -EACCES);
    assert_string_equal(error.message, "no");
    o.n_insns = 1;
    assert_int_equal(skep_program_load(m->vm, &o, &extra, &p, &error), 0);
    skep_vm_program_unref(p);
}

static void ids_are_found_and_used_again(void **state)
{
    struct machine *m = *state;
    struct skep_vm_program *a = machine_load(m, "exit", NULL), *b = machine_load(m, "exit", NULL);
    uint32_t id = skep_vm_program_id(a);
    assert_int_not_equal(id, 0);
    assert_int_not_equal(id, skep_vm_program_id(b));
    assert_ptr_equal(skep_vm_find_program(m->vm, id), a);
    skep_vm_program_unref(a);
    assert_ptr_equal(skep_vm_find_program(m->vm, id), a);
    skep_vm_program_unref(a);
    skep_vm_program_unref(a);
    assert_null(skep_vm_find_program(m->vm, id));
    assert_null(skep_vm_find_program(m->vm, UINT32_MAX));
    a = machine_load(m, "exit", NULL);
    assert_int_equal(skep_vm_program_id(a), id);
    /* what is left is freed with the vm */
}

static void shorter_options_are_older_ones(void **state)
{
    struct machine *m = *state;
    const struct skep_insn insns[] = {skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0)};
    struct skep_vm_program_options o = {.size = offsetof(struct skep_vm_program_options, mode),
                                        .insns = insns,
                                        .n_insns = 1,
                                        .mode = 99,
                                        .context = "none",
                                        .entry = 7};
    struct skep_vm_program *p;
    assert_int_equal(skep_vm_program_load(m->vm, &o, &p, NULL), 0);
    assert_int_equal(skep_vm_program_mode(p), SKEP_VM_MODE_INTERPRET);
    assert_string_equal(skep_vm_program_name(p), "program");
    assert_null(skep_vm_program_section(p));
    size_t size = 1;
    assert_null(skep_vm_program_code(p, &size));
    assert_int_equal(size, 0);
    assert_memory_equal(skep_vm_program_insns(p, &size), insns, sizeof(insns));
    assert_int_equal(size, 1);
    skep_vm_program_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_are_measured, setup, teardown),
        cmocka_unit_test_setup_teardown(functions_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_programs_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(poisons_fault_when_reached, setup, teardown),
        cmocka_unit_test_setup_teardown(a_verifier_has_the_last_word, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_are_found_and_used_again, setup, teardown),
        cmocka_unit_test_setup_teardown(shorter_options_are_older_ones, setup, teardown),
    };
    return cmocka_run_group_tests_name("vm/program", tests, NULL, NULL);
}
