/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include "vm/jit/jit.h"

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

static void slots_hold_what_fits(void **state)
{
    struct machine *m = *state;
    uint8_t memory[16];
    uint64_t at = (uintptr_t)memory;
    m->e->memory = (struct skep_region){at, sizeof(memory), true, true};
    m->e->writable = (struct skep_region){at + 4, 8, true, true};
    struct skep_slot *load = &m->e->load[3], *store = &m->e->store[31];
    assert_true(skep_exec_check(m->e, at + 8, 8, false, load));
    assert_int_equal(load->base, at);
    assert_int_equal(load->fit[SKEP_WIDTH_1], 16);
    assert_int_equal(load->fit[SKEP_WIDTH_2], 15);
    assert_int_equal(load->fit[SKEP_WIDTH_4], 13);
    assert_int_equal(load->fit[SKEP_WIDTH_8], 9);
    assert_true(skep_exec_check(m->e, at + 11, 1, true, store));
    assert_int_equal(store->base, at + 4);
    assert_int_equal(store->fit[SKEP_WIDTH_8], 1);
    assert_int_equal(m->e->transient_load, 1U << 3);
    assert_int_equal(m->e->transient_store, 1U << 31);
    skep_exec_forget(m->e);
    assert_int_equal(load->fit[SKEP_WIDTH_1], 0);
    assert_int_equal(store->fit[SKEP_WIDTH_1], 0);
    m->e->memory = m->e->writable = (struct skep_region){0};
}

static void regions_end_where_they_end(void **state)
{
    struct machine *m = *state;
    uint8_t memory[16];
    uint64_t at = (uintptr_t)memory;
    m->e->memory = (struct skep_region){at, sizeof(memory), true, true};
    static const struct {
        int64_t offset;
        uint64_t size;
        bool ok;
    } rows[] = {
        {0, 16, true},          {0, 17, false}, {16, 1, false}, {15, 1, true},
        {15, 2, false},         {-1, 1, false}, {-1, 2, false}, {8, UINT64_MAX, false},
        {0, UINT64_MAX, false}, {16, 0, true},  {1, 15, true},  {1, 16, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(skep_exec_check(m->e, at + (uint64_t)rows[i].offset, rows[i].size, false, NULL),
                         rows[i].ok);
    /* it is not writable */
    assert_false(skep_exec_check(m->e, at, 1, true, NULL));
    m->e->memory = (struct skep_region){0};
}

static void records_are_found_without_a_slot(void **state)
{
    struct machine *m = *state;
    uint8_t record[8];
    uint64_t at = (uintptr_t)record;
    m->e->refs[5] = (struct skep_ref){.start = at, .size = 8};
    assert_false(skep_exec_check(m->e, at, 8, true, &m->e->store[0]));
    m->e->n_refs = 1;
    assert_true(skep_exec_check(m->e, at, 8, true, &m->e->store[0]));
    assert_false(skep_exec_check(m->e, at + 1, 8, true, &m->e->store[0]));
    assert_int_equal(m->e->store[0].fit[SKEP_WIDTH_1], 0);
    m->e->refs[5].start = 0;
    m->e->n_refs = 0;
}

static void host_regions(void **state)
{
    struct machine *m = *state;
    uint64_t data[2] = {11, 0};
    char text[200];
    snprintf(text, sizeof(text), "r1 = %llu ll\nr0 = *(u64 *)(r1 + 0)\nr2 = 9\n*(u64 *)(r1 + 8) = r2\nexit",
             (unsigned long long)(uintptr_t)data);
    struct skep_vm_program *p = machine_load(m, text, NULL);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_READ, 2);
    assert_int_equal(skep_vm_thread_add_region(m->t, data, sizeof(data), false), 0);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_WRITE, 4);
    assert_int_equal(skep_vm_thread_remove_region(m->t, data), 0);
    assert_int_equal(skep_vm_thread_remove_region(m->t, data), -ENOENT);
    assert_int_equal(skep_vm_thread_add_region(m->t, data, sizeof(data), true), 0);
    machine_expect(m, p, NULL, 0, 11);
    assert_int_equal(data[1], 9);
    skep_vm_thread_remove_region(m->t, data);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_READ, 2);
    assert_int_equal(skep_vm_thread_add_region(m->t, NULL, 1, true), -EINVAL);
    assert_int_equal(skep_vm_thread_add_region(m->t, data, SIZE_MAX, true), -EINVAL);
    for (int i = 0; i < SKEP_HOST_REGIONS; i++)
        assert_int_equal(skep_vm_thread_add_region(m->t, data, 1, true), 0);
    assert_int_equal(skep_vm_thread_add_region(m->t, data, 1, true), -ENOSPC);
    skep_vm_program_unref(p);
}

static void no_run_sees_what_another_left(void **state)
{
    struct machine *m = *state;
    /* the first fills all of a deep frame, the second looks at it through a pointer from below */
    struct skep_vm_program *writer = machine_load(
        m,
        "call local f\nexit\nf:\nr1 = r10\nr1 += -512\nagain:\n*(u64 *)(r1 + 0) = 0x55\nr1 += 8\n"
        "if r1 != r10 goto again\nr0 = 0\nexit",
        NULL);
    struct skep_vm_program *reader =
        machine_load(m,
                     "r1 = r10\nr1 += -512\nr0 = 0\nagain:\nr2 = *(u64 *)(r1 + 0)\nr0 |= r2\nr1 += 8\n"
                     "if r1 != r10 goto again\nr6 = r0\ncall local f\nr0 |= r6\nexit\n"
                     "f:\nr1 = r10\nr1 += -512\nr0 = 0\nmore:\nr2 = *(u64 *)(r1 + 0)\nr0 |= r2\nr1 += 8\n"
                     "if r1 != r10 goto more\nexit",
                     NULL);
    machine_expect(m, writer, NULL, 0, 0);
    machine_expect(m, reader, NULL, 0, 0);
    /* a program that hands out no address of its frames has no stack to point to */
    char text[160];
    snprintf(text, sizeof(text), "*(u64 *)(r10 - 8) = 1\nr1 = %llu ll\nr0 = *(u64 *)(r1 + 0)\nexit",
             (unsigned long long)(m->e->frames_end - 8));
    struct skep_vm_program *guesser = machine_load(m, text, NULL);
    machine_expect_fault(m, guesser, NULL, 0, SKEP_VM_FAULT_READ, 3);
    skep_vm_program_unref(writer);
    skep_vm_program_unref(reader);
    skep_vm_program_unref(guesser);
}

static uint64_t run_again(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                          struct skep_vm_thread *t)
{
    (void)r1, (void)r2, (void)r3, (void)r4, (void)r5;
    uint64_t value;
    return (uint64_t)(int64_t)skep_vm_run(t, skep_exec_of(t)->program, NULL, 0, &value);
}

static void a_thread_runs_one_program(void **state)
{
    struct machine *m = *state;
    skep_vm_helper_register(m->vm, 100, "again", run_again);
    struct skep_vm_program *p = machine_load(m, "call 100\nexit", NULL);
    machine_expect(m, p, NULL, 0, (uint64_t)(int64_t)-EBUSY);
    struct machine other;
    machine_init(&other, SKEP_VM_MODE_INTERPRET);
    uint64_t value;
    assert_int_equal(skep_vm_run(other.t, p, NULL, 0, &value), -EINVAL);
    machine_clear(&other);
    skep_vm_program_unref(p);
}

static void fuel_is_counted_by_blocks(void **state)
{
    struct machine *m = *state;
    struct skep_vm_program *p =
        machine_load(m, "r0 = 0\nagain:\nr0 += 1\nif r0 != 10 goto again\nr0 += 1\nexit", NULL);
    assert_int_equal(skep_vm_thread_used(m->t), 0);
    machine_expect(m, p, NULL, 0, 11);
    assert_int_equal(skep_vm_thread_used(m->t), 1 + 10 * 2 + 2);
    skep_vm_thread_set_fuel(m->t, 23);
    machine_expect(m, p, NULL, 0, 11);
    assert_int_equal(skep_vm_thread_used(m->t), 23);
    skep_vm_thread_set_fuel(m->t, 22);
    assert_int_equal(skep_vm_thread_used(m->t), 23);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_FUEL, 3);
    assert_int_equal(skep_vm_thread_used(m->t), 21);
    skep_vm_thread_set_fuel(m->t, 20);
    machine_expect_fault(m, p, NULL, 0, SKEP_VM_FAULT_FUEL, 1);
    skep_vm_thread_set_fuel(m->t, UINT64_MAX);
    machine_expect(m, p, NULL, 0, 11);
    skep_vm_program_unref(p);
}

/* What a helper works on may be larger than all that a program could read itself. */
static void work_of_helpers_costs_fuel(void **state)
{
    struct machine *m = *state;
    static const struct {
        size_t size;
        uint64_t fuel, used; /* 4 instructions, and what is over a frame */
        uint32_t insn;       /* where it runs out of it, 0: nowhere */
    } rows[] = {
        {512, 4, 4, 0},
        {65536, 4 + 512, 4 + 512, 0},
        {65536, 4 + 511, 4 + 511, 3},
        {65536, 4 + 510, 4 + 510, 2},
        {65536, 4 + 255, 4 + 255, 2},
    };
    uint8_t *memory = calloc(1, 65536);
    assert_non_null(memory);
    for (enum skep_vm_mode mode = SKEP_VM_MODE_INTERPRET;
         mode <= (skep_jit_available() ? SKEP_VM_MODE_TRUSTED : SKEP_VM_MODE_INTERPRET); mode++) {
        const struct skep_vm_program_options o = {.mode = mode};
        struct skep_vm_program *p =
            machine_load(m, "r3 = r1\nr4 = r2\ncall 28\nexit\n", &o); /* csum_diff, with r5 as it is */
        const bool trusted = mode == SKEP_VM_MODE_TRUSTED;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            skep_vm_thread_set_fuel(m->t, rows[i].fuel);
            if (!rows[i].insn || trusted)
                machine_expect(m, p, memory, rows[i].size, 0xffff);
            else
                machine_expect_fault(m, p, memory, rows[i].size, SKEP_VM_FAULT_FUEL, rows[i].insn);
            assert_int_equal(skep_vm_thread_used(m->t), trusted ? 0 : rows[i].used);
        }
        skep_vm_program_unref(p);
    }
    free(memory);
}

static void errors_say_what_is_near(void **state)
{
    struct machine *m = *state;
    static const struct {
        const char *program, *text;
    } rows[] = {
        {"r0 = *(u32 *)(r1 + 13)\nexit", "instruction 0: reads 4 bytes"},
        {"r0 = *(u32 *)(r1 + 13)\nexit", "across the end of the memory of the run (16 bytes)"},
        {"r0 = *(u16 *)(r1 + 20)\nexit", "4 bytes past the end of the memory of the run (16 bytes)"},
        {"r0 = *(u16 *)(r1 - 3)\nexit", "3 bytes before the start of the memory of the run (16 bytes)"},
        {"r2 = 0x100000000 ll\nr0 = *(u8 *)(r2 + 0)\nexit", "which is nothing that it may touch"},
        {"r2 = 5\nr0 = *(u8 *)(r2 + 0)\nexit", "reads 1 byte at 0x5, near the null pointer"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_vm_program *p = machine_load(m, rows[i].program, NULL);
        uint8_t *memory = malloc(16);
        uint64_t value;
        assert_int_equal(skep_vm_run(m->t, p, memory, 16, &value), -EFAULT);
        if (!strstr(skep_vm_thread_error(m->t)->message, rows[i].text))
            fail_msg("'%s' has no '%s'", skep_vm_thread_error(m->t)->message, rows[i].text);
        free(memory);
        skep_vm_program_unref(p);
    }
    struct skep_vm_program *p = machine_load(m, "r0 = 0\nexit", NULL);
    machine_expect(m, p, NULL, 0, 0);
    assert_int_equal(skep_vm_thread_error(m->t)->fault, SKEP_VM_FAULT_NONE);
    assert_string_equal(skep_vm_thread_error(m->t)->message, "");
    skep_vm_program_unref(p);
}

static void contexts_are_written_where_allowed(void **state)
{
    struct machine *m = *state;
    const struct skep_vm_context_type type = {
        .size = sizeof(type), .name = "record", .memory = 16, .write_from = 8, .write_to = 12};
    assert_int_equal(skep_vm_context_register(m->vm, &type), 0);
    assert_int_equal(skep_vm_context_register(m->vm, &type), -EEXIST);
    const struct skep_vm_program_options o = {.context = "record"};
    struct skep_vm_program *p = machine_load(m, "r0 = *(u64 *)(r1 + 0)\n*(u32 *)(r1 + 8) = 1\nexit", &o);
    struct skep_vm_program *bad = machine_load(m, "r0 = 0\n*(u64 *)(r1 + 8) = 1\nexit", &o);
    uint64_t record[2] = {5, 0};
    machine_expect(m, p, record, sizeof(record), 5);
    assert_int_equal(record[1], 1);
    machine_expect_fault(m, bad, record, sizeof(record), SKEP_VM_FAULT_WRITE, 1);
    uint64_t value;
    assert_int_equal(skep_vm_run(m->t, p, record, 8, &value), -EINVAL);
    skep_vm_program_unref(p);
    skep_vm_program_unref(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slots_hold_what_fits, setup, teardown),
        cmocka_unit_test_setup_teardown(regions_end_where_they_end, setup, teardown),
        cmocka_unit_test_setup_teardown(records_are_found_without_a_slot, setup, teardown),
        cmocka_unit_test_setup_teardown(host_regions, setup, teardown),
        cmocka_unit_test_setup_teardown(no_run_sees_what_another_left, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thread_runs_one_program, setup, teardown),
        cmocka_unit_test_setup_teardown(fuel_is_counted_by_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(work_of_helpers_costs_fuel, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_say_what_is_near, setup, teardown),
        cmocka_unit_test_setup_teardown(contexts_are_written_where_allowed, setup, teardown),
    };
    return cmocka_run_group_tests_name("vm/exec", tests, NULL, NULL);
}
