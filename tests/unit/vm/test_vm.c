/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <sched.h>

#include "vm/interp.h"

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

static uint64_t one(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct skep_vm_thread *t)
{
    (void)r1, (void)r2, (void)r3, (void)r4, (void)r5, (void)t;
    return 1;
}

static uint64_t two(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, struct skep_vm_thread *t)
{
    return one(r1, r2, r3, r4, r5, t) + 1;
}

static void helpers_are_registered(void **state)
{
    struct machine *m = *state;
    assert_int_equal(skep_vm_helper_register(m->vm, SKEP_HELPERS_MAX, "x", one), -EINVAL);
    assert_int_equal(skep_vm_helper_register(m->vm, 1, "x", NULL), -EINVAL);
    assert_null(skep_vm_helper_name(m->vm, 7777));
    char name[] = "first";
    assert_int_equal(skep_vm_helper_register(m->vm, 7777, name, one), 0);
    name[0] = 'x';
    assert_string_equal(skep_vm_helper_name(m->vm, 7777), "first");
    assert_int_equal(skep_vm_helper_register(m->vm, 7778, NULL, one), 0);
    assert_string_equal(skep_vm_helper_name(m->vm, 7778), "helper#7778");
    struct skep_vm_program *before = machine_load(m, "call 7777\nexit", NULL);
    assert_int_equal(skep_vm_helper_register(m->vm, 7777, "second", two), 0);
    struct skep_vm_program *after = machine_load(m, "call 7777\nexit", NULL);
    machine_expect(m, before, NULL, 0, 1);
    machine_expect(m, after, NULL, 0, 2);
    /* many, in no order */
    for (uint32_t i = 0; i < 2000; i++)
        assert_int_equal(skep_vm_helper_register(m->vm, 10000 + i * 7919 % 2000, NULL, i % 2 ? one : two), 0);
    for (uint32_t i = 0; i < 2000; i++)
        assert_non_null(skep_vm_helper_find(m->vm, 10000 + i));
    skep_vm_program_unref(before);
    skep_vm_program_unref(after);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    struct skep_vm *vm = NULL;
    const struct skep_vm_options rows[] = {
        {.size = sizeof(rows[0]), .mode = 4},
        {.size = sizeof(rows[0]), .cpus = 1025},
        {.size = sizeof(rows[0]), .max_maps = UINT32_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(skep_vm_new(&rows[i], &vm), -EINVAL);
    assert_null(vm);
    assert_null(skep_vm_free(NULL));
    assert_null(skep_vm_thread_free(NULL));
    assert_null(skep_vm_program_unref(NULL));
    assert_int_equal(skep_vm_new(NULL, &vm), 0);
    const struct skep_vm_thread_options far = {.size = sizeof(far), .cpu = 5000};
    struct skep_vm_thread *t = NULL;
    assert_int_equal(skep_vm_thread_new(vm, &far, &t), -EINVAL);
    assert_null(t);
    skep_vm_free(vm);
}

static void context_types_are_checked(void **state)
{
    struct machine *m = *state;
    const struct skep_vm_context_type rows[] = {
        {.size = sizeof(rows[0]), .memory = 8},
        {.size = sizeof(rows[0]), .name = "", .memory = 8},
        {.size = sizeof(rows[0]), .name = "a"},
        {.size = sizeof(rows[0]), .name = "a", .memory = 8, .write_from = 5, .write_to = 4},
        {.size = sizeof(rows[0]), .name = "a", .memory = 8, .write_from = 5, .write_to = 9},
        {.size = sizeof(rows[0]), .name = "a name that is much too long to be kept", .memory = 8},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(skep_vm_context_register(m->vm, &rows[i]), -EINVAL);
    assert_non_null(skep_vm_context_find(m->vm, "xdp"));
    assert_non_null(skep_vm_context_find(m->vm, "skb"));
    assert_null(skep_vm_context_find(m->vm, "a"));
}

/* ---- going ---- */

struct thing {
    struct skep_retired retired;
    int *gone;
    struct thing *next; /* retired when this one goes */
};

static void thing_free(struct skep_vm *vm, void *p)
{
    struct thing *t = p;
    ++*t->gone;
    if (t->next)
        skep_vm_retire(vm, thing_free, t->next);
}

static void what_is_retired_waits_for_runs(void **state)
{
    struct machine *m = *state;
    struct skep_vm_thread *other;
    assert_int_equal(skep_vm_thread_new(m->vm, NULL, &other), 0);
    struct skep_exec *o = skep_exec_of(other);
    int gone = 0;
    struct thing a = {.gone = &gone}, b = {.gone = &gone};
    skep_vm_retire(m->vm, thing_free, &a);
    assert_int_equal(gone, 1);
    /* a run that began before keeps it, one that began after does not */
    o->era = m->vm->era;
    skep_vm_retire(m->vm, thing_free, &b);
    assert_int_equal(gone, 1);
    m->e->era = m->vm->era;
    o->era = 0;
    skep_vm_reclaim(m->vm);
    assert_int_equal(gone, 2);
    m->e->era = 0;
    /* at the latest the end of a run frees it */
    struct skep_vm_program *p = machine_load(m, "r0 = 0\nexit", NULL);
    struct thing c = {.gone = &gone};
    o->era = m->vm->era;
    skep_vm_retire(m->vm, thing_free, &c);
    machine_expect(m, p, NULL, 0, 0);
    assert_int_equal(gone, 2);
    o->era = 0;
    machine_expect(m, p, NULL, 0, 0);
    assert_int_equal(gone, 3);
    skep_vm_program_unref(p);
    skep_vm_thread_free(other);
}

static void long_chains_do_not_recurse(void **state)
{
    struct machine *m = *state;
    int gone = 0;
    size_t n = 200000;
    struct thing *things = calloc(n, sizeof(*things));
    for (size_t i = 0; i < n; i++)
        things[i] = (struct thing){.gone = &gone, .next = i + 1 < n ? &things[i + 1] : NULL};
    skep_vm_retire(m->vm, thing_free, things);
    assert_int_equal(gone, n);
    free(things);
}

/* ---- threads ---- */

struct worker {
    struct machine *m;
    const struct skep_vm_program *p;
    uint32_t cpu;
    unsigned bad, runs;
    bool *stop;
};

static void *work(void *data)
{
    struct worker *w = data;
    const struct skep_vm_thread_options o = {.size = sizeof(o), .cpu = w->cpu};
    struct skep_vm_thread *t;
    if (skep_vm_thread_new(w->m->vm, &o, &t) < 0) {
        w->bad++;
        return NULL;
    }
    while (!__atomic_load_n(w->stop, __ATOMIC_ACQUIRE) || !w->runs) {
        uint64_t value = 0, memory[2] = {w->cpu, w->runs};
        if (skep_vm_run(t, w->p, memory, sizeof(memory), &value) < 0 || value != w->cpu + w->runs)
            w->bad++;
        w->runs++;
    }
    skep_vm_thread_free(t);
    return NULL;
}

static void threads_share_a_program(void **state)
{
    struct machine *m = *state;
    struct skep_vm_program *p = machine_load(
        m,
        "r2 = *(u64 *)(r1 + 0)\n*(u64 *)(r10 - 8) = r2\nr1 = *(u64 *)(r1 + 8)\ncall local f\nr2 = *(u64 *)(r10 - 8)\nr0 += r2\nexit\nf:\n*(u64 *)(r10 - 8) = r1\nr0 = *(u64 *)(r10 - 8)\nexit",
        NULL);
    pthread_t threads[3];
    struct worker workers[3];
    bool stop = false;
    for (uint32_t i = 0; i < ARRAY_SIZE(threads); i++) {
        workers[i] = (struct worker){.m = m, .p = p, .cpu = i + 1, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    /* meanwhile other programs and helpers come and go */
    for (unsigned i = 0; i < 500; i++) {
        struct skep_vm_program *passing = machine_load(m, "r0 = 3\nexit", NULL);
        machine_expect(m, passing, NULL, 0, 3);
        skep_vm_helper_register(m->vm, 9000 + i % 10, NULL, one);
        skep_vm_program_unref(passing);
        sched_yield();
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].bad, 0);
    }
    skep_vm_program_unref(p);
}

/* ---- no memory ---- */

/* All that allocates, once; the first error. */
static int use_everything(struct counting *c)
{
    const struct skep_vm_allocator allocator = {counting_alloc, counting_free, c};
    const struct skep_vm_options o = {.size = sizeof(o),
                                      .mode = SKEP_VM_MODE_INTERPRET,
                                      .cpus = 2,
                                      .max_maps = 16,
                                      .allocator = &allocator};
    struct skep_vm *vm = NULL;
    struct skep_vm_thread *t = NULL;
    struct skep_vm_program *p = NULL;
    int r = skep_vm_new(&o, &vm);
    if (r == 0)
        r = skep_vm_thread_new(vm, NULL, &t);
    if (r == 0)
        r = skep_vm_helper_register(vm, 5000, NULL, one);
    const struct skep_vm_context_type type = {.size = sizeof(type), .name = "own", .memory = 8};
    if (r == 0)
        r = skep_vm_context_register(vm, &type);
    const struct skep_insn insns[] = {
        skep_insn_make(SKEP_OP_MOV64_IMM, 0, 0, 0, 5),
        skep_insn_make(SKEP_OP_JEQ_IMM, 1, 0, 1, 0),
        skep_insn_make(SKEP_OP_CALL_HELPER, 0, 0, 0, SKEP_POISON_CALL),
        skep_insn_make(SKEP_OP_EXIT, 0, 0, 0, 0),
    };
    char text[] = "text";
    const struct skep_poison poisons[] = {{2, text}};
    const struct skep_program_extra extra = {.poisons = poisons, .n_poisons = 1};
    const struct skep_vm_program_options po = {.size = sizeof(po), .insns = insns, .n_insns = 4};
    struct skep_vm_error error = {0};
    if (r == 0) {
        r = skep_program_load(vm, &po, &extra, &p, &error);
        assert_int_equal(r, r < 0 ? error.error : 0);
    }
    if (r == 0)
        r = skep_interp_trace(p);
    uint64_t value;
    if (r == 0)
        r = skep_vm_run(t, p, NULL, 0, &value);
    skep_vm_free(vm);
    return r;
}

static void every_failing_allocation_is_an_error(void **state)
{
    (void)state;
    struct counting c = {0};
    assert_int_equal(use_everything(&c), 0);
    assert_int_equal(c.live, 0);
    size_t calls = c.calls;
    assert_in_range(calls, 15, 10000);
    for (size_t i = 1; i <= calls; i++) {
        c = (struct counting){.fail_at = i};
        int r = use_everything(&c);
        if (r != -ENOMEM || c.live != 0)
            fail_msg("allocation %zu of %zu failed: result %d, %zu blocks left", i, calls, r, c.live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(helpers_are_registered, setup, teardown),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test_setup_teardown(context_types_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_retired_waits_for_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(long_chains_do_not_recurse, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_share_a_program, setup, teardown),
        cmocka_unit_test(every_failing_allocation_is_an_error),
    };
    return cmocka_run_group_tests_name("vm/vm", tests, NULL, NULL);
}
