/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tail calls, in every mode that this machine has: where they go, what they leave as it was, how many there
 * may be, and what becomes of programs and maps that hold each other.
 */
#include "machine.h"

#include <linux/bpf.h>

#include "vm/jit/jit.h"

struct chain {
    struct machine m;
    struct skep_vm_map *programs;
};

static void chain_init(struct chain *c, enum skep_vm_mode mode)
{
    machine_init(&c->m, mode);
    const struct skep_vm_map_options o = {.size = sizeof(o),
                                          .name = "chain",
                                          .type = BPF_MAP_TYPE_PROG_ARRAY,
                                          .key_size = 4,
                                          .value_size = 4,
                                          .max_entries = 4};
    assert_int_equal(skep_vm_map_new(c->m.vm, &o, &c->programs), 0);
}

static struct skep_vm_program *chain_load(struct chain *c, const char *text)
{
    const struct skep_vm_program_options o = {.maps = &c->programs, .n_maps = 1};
    return machine_load(&c->m, text, &o);
}

static void chain_set(struct chain *c, uint32_t index, const struct skep_vm_program *p)
{
    uint32_t id = skep_vm_program_id(p);
    assert_int_equal(skep_vm_map_update(c->programs, &index, &id, 0), 0);
}

static void go_to_the_program_at_the_index(struct chain *c)
{
    struct skep_vm_program *from =
        chain_load(c, "r7 = 3\nr3 = *(u8 *)(r1 + 0)\nr2 = map_idx 0\ncall 12\nr0 = 100\nexit");
    struct skep_vm_program *one = chain_load(c, "r0 = *(u8 *)(r1 + 1)\nexit");
    struct skep_vm_program *two = chain_load(c, "r0 = 2\nexit");
    chain_set(c, 1, one);
    chain_set(c, 2, two);
    uint8_t memory[] = {0, 55};
    static const struct {
        uint8_t index;
        uint64_t value;
    } rows[] = {{0, 100}, {1, 55}, {2, 2}, {3, 100}, {4, 100}, {255, 100}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memory[0] = rows[i].index;
        machine_expect(&c->m, from, memory, sizeof(memory), rows[i].value);
    }
    /* a program that is taken away is not reached any more */
    uint32_t index = 2;
    assert_int_equal(skep_vm_map_delete(c->programs, &index), 0);
    memory[0] = 2;
    machine_expect(&c->m, from, memory, sizeof(memory), 100);
    skep_vm_program_unref(from);
    skep_vm_program_unref(one);
    skep_vm_program_unref(two);
}

static void end_after_thirty_three(struct chain *c)
{
    /* counts its calls in the memory and calls itself */
    struct skep_vm_program *p = chain_load(
        c, "r0 = *(u8 *)(r1 + 0)\nr0 += 1\n*(u8 *)(r1 + 0) = r0\nr6 = r1\nr2 = map_idx 0\nr3 = 0\ncall 12\n"
           "r0 = *(u8 *)(r6 + 0)\nexit");
    chain_set(c, 0, p);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t memory[1] = {0};
        machine_expect(&c->m, p, memory, 1, 34);
    }
    skep_vm_program_unref(p);
}

static void return_to_the_caller_of_the_function(struct chain *c)
{
    struct skep_vm_program *from = chain_load(
        c, "r6 = 40\n*(u64 *)(r10 - 8) = 2\nr2 = map_idx 0\ncall local f\nr0 += r6\nr1 = *(u64 *)(r10 - 8)\n"
           "r0 += r1\nexit\n"
           "f:\nr6 = 7\nr3 = 0\ncall 12\nr0 = 1000\nexit");
    struct skep_vm_program *to = chain_load(c, "*(u64 *)(r10 - 8) = 9\nr6 = 1\nr0 = 100\nexit");
    machine_expect(&c->m, from, NULL, 0, 1042);
    chain_set(c, 0, to);
    machine_expect(&c->m, from, NULL, 0, 142);
    skep_vm_program_unref(from);
    skep_vm_program_unref(to);
}

static void find_a_zeroed_frame(struct chain *c)
{
    struct skep_vm_program *from =
        chain_load(c, "*(u64 *)(r10 - 16) = 7\nr2 = map_idx 0\nr3 = 0\ncall 12\nr0 = 1\nexit");
    struct skep_vm_program *to = chain_load(c, "r0 = *(u64 *)(r10 - 16)\nexit");
    chain_set(c, 0, to);
    machine_expect(&c->m, from, NULL, 0, 0);
    skep_vm_program_unref(from);
    skep_vm_program_unref(to);
}

static void fault_where_they_are(struct chain *c)
{
    struct skep_vm_program *from = chain_load(c, "r2 = map_idx 0\nr3 = 0\ncall 12\nr0 = 1\nexit");
    struct skep_vm_program *to =
        chain_load(c, "r0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nr0 = 0\nr0 = *(u8 *)(r0 + 7)\nexit");
    chain_set(c, 0, to);
    machine_expect_fault(&c->m, from, NULL, 0, SKEP_VM_FAULT_READ, 5);
    /* what is no map, and what is no prog array */
    struct skep_vm_program *bad = chain_load(c, "r2 = 5\nr3 = 0\ncall 12\nr0 = 1\nexit");
    machine_expect_fault(&c->m, bad, NULL, 0, SKEP_VM_FAULT_HANDLE, 2);
    const struct skep_vm_map_options o = {
        .size = sizeof(o), .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    struct skep_vm_map *array;
    assert_int_equal(skep_vm_map_new(c->m.vm, &o, &array), 0);
    const struct skep_vm_program_options with = {.maps = &array, .n_maps = 1};
    struct skep_vm_program *other =
        machine_load(&c->m, "r2 = map_idx 0\nr3 = 0\ncall 12\nr0 = 1\nexit", &with);
    machine_expect_fault(&c->m, other, NULL, 0, SKEP_VM_FAULT_HANDLE, 3);
    skep_vm_map_unref(array);
    skep_vm_program_unref(from);
    skep_vm_program_unref(to);
    skep_vm_program_unref(bad);
    skep_vm_program_unref(other);
}

static void keep_programs_that_only_the_map_holds(struct chain *c)
{
    struct skep_vm_program *from = chain_load(c, "r2 = map_idx 0\nr3 = 0\ncall 12\nr0 = 1\nexit");
    struct skep_vm_program *to = chain_load(c, "r0 = 6\nexit");
    uint32_t id = skep_vm_program_id(to), index = 0;
    chain_set(c, 0, to);
    skep_vm_program_unref(to);
    machine_expect(&c->m, from, NULL, 0, 6);
    assert_int_equal(skep_vm_map_delete(c->programs, &index), 0);
    machine_expect(&c->m, from, NULL, 0, 1);
    assert_null(skep_vm_find_program(c->m.vm, id));
    skep_vm_program_unref(from);
}

/* A program that holds a map that holds the program is freed with the vm. */
static void go_in_circles_with_the_vm(struct chain *c)
{
    struct skep_vm_program *p = chain_load(c, "r2 = map_idx 0\nr3 = 1\ncall 12\nr0 = 1\nexit");
    chain_set(c, 0, p);
    machine_expect(&c->m, p, NULL, 0, 1);
    skep_vm_program_unref(p);
}

static void (*const cases[])(struct chain *) = {
    go_to_the_program_at_the_index,
    end_after_thirty_three,
    return_to_the_caller_of_the_function,
    find_a_zeroed_frame,
    fault_where_they_are,
    keep_programs_that_only_the_map_holds,
    go_in_circles_with_the_vm,
};

static void run_all(enum skep_vm_mode mode)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct chain c;
        chain_init(&c, mode);
        cases[i](&c);
        skep_vm_map_unref(c.programs);
        machine_clear(&c.m);
    }
}

static void interpreted_tail_calls(void **state)
{
    (void)state;
    run_all(SKEP_VM_MODE_INTERPRET);
}

static void compiled_tail_calls(void **state)
{
    (void)state;
    if (skep_jit_available())
        run_all(SKEP_VM_MODE_JIT);
    else
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interpreted_tail_calls),
        cmocka_unit_test(compiled_tail_calls),
    };
    return cmocka_run_group_tests_name("vm/tail_call", tests, NULL, NULL);
}
