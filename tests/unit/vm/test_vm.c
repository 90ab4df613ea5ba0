/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <sched.h>
#include <sys/mman.h>

#include "vm/interp/interp.h"

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
        "r2 = *(u64 *)(r1 + 0)\n*(u64 *)(r10 - 8) = r2\nr1 = *(u64 *)(r1 + 8)\ncall local f\n"
        "r2 = *(u64 *)(r10 - 8)\nr0 += r2\nexit\nf:\n*(u64 *)(r10 - 8) = r1\nr0 = *(u64 *)(r10 - 8)\nexit",
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

/* ---- areas ---- */

/* A map that is nothing but an area. */
struct bare {
    struct skep_vm_map m;
    unsigned *gone;
};

static void bare_init(struct bare *b, struct skep_vm *vm, uint32_t flags, unsigned *gone)
{
    *b = (struct bare){.m = {.vm = vm, .type = 2, .flags = flags, .refs = 1, .charged = 4096}, .gone = gone};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    b->m.area = (struct skep_area){.start = page, .size = 4096};
    *(uint64_t *)page = 21;
}

static void bare_free(struct skep_vm *vm, void *p)
{
    (void)vm;
    struct bare *b = p;
    munmap(b->m.area.start, b->m.area.size);
    __atomic_add_fetch(b->gone, 1, __ATOMIC_RELEASE);
}

static struct skep_vm_program *load_reader(struct machine *m, const struct bare *b, bool write)
{
    char text[128];
    snprintf(text, sizeof(text), "r1 = %llu ll\nr0 = *(u64 *)(r1 + 0)\n%sexit",
             (unsigned long long)(uintptr_t)b->m.area.start, write ? "*(u64 *)(r1 + 8) = 1\n" : "");
    return machine_load(m, text, NULL);
}

static void areas_have_rights(void **state)
{
    struct machine *m = *state;
    const uint32_t rdonly_prog = 1U << 7, wronly_prog = 1U << 8;
    const struct {
        uint32_t flags;
        enum skep_vm_fault read, write;
    } rows[] = {
        {0, SKEP_VM_FAULT_NONE, SKEP_VM_FAULT_NONE},
        {rdonly_prog, SKEP_VM_FAULT_NONE, SKEP_VM_FAULT_WRITE},
        {wronly_prog, SKEP_VM_FAULT_READ, SKEP_VM_FAULT_READ},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bare b;
        unsigned gone = 0;
        bare_init(&b, m->vm, rows[i].flags, &gone);
        struct skep_vm_program *reader = load_reader(m, &b, false), *writer = load_reader(m, &b, true);
        machine_expect_fault(m, reader, NULL, 0, SKEP_VM_FAULT_READ, 2);
        assert_int_equal(skep_vm_add_map(m->vm, &b.m), 0);
        assert_int_equal(m->vm->memory_used, 4096);
        assert_ptr_equal(skep_exec_map(m->e, skep_map_handle(&b.m)), &b.m);
        uint64_t value;
        skep_vm_run(m->t, reader, NULL, 0, &value);
        assert_int_equal(skep_vm_thread_error(m->t)->fault, rows[i].read);
        skep_vm_run(m->t, writer, NULL, 0, &value);
        assert_int_equal(skep_vm_thread_error(m->t)->fault, rows[i].write);
        skep_vm_remove_map(m->vm, &b.m);
        assert_int_equal(m->vm->memory_used, 0);
        machine_expect_fault(m, reader, NULL, 0, SKEP_VM_FAULT_READ, 2);
        m->e->fault = SKEP_VM_FAULT_NONE;
        assert_null(skep_exec_map(m->e, skep_map_handle(&b.m)));
        assert_int_equal(m->e->fault, SKEP_VM_FAULT_HANDLE);
        skep_vm_retire(m->vm, bare_free, &b);
        assert_int_equal(gone, 1);
        skep_vm_program_unref(reader);
        skep_vm_program_unref(writer);
    }
}

static void tables_have_limits(void **state)
{
    (void)state;
    const struct skep_vm_options o = {.size = sizeof(o), .max_maps = 3, .memory = 20000};
    struct skep_vm *vm;
    assert_int_equal(skep_vm_new(&o, &vm), 0);
    struct bare b[4];
    unsigned gone = 0;
    for (size_t i = 0; i < ARRAY_SIZE(b); i++)
        bare_init(&b[i], vm, 0, &gone);
    b[0].m.charged = 20001;
    assert_int_equal(skep_vm_add_map(vm, &b[0].m), -ENOMEM);
    for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
        b[i].m.charged = 3000;
        assert_int_equal(skep_vm_add_map(vm, &b[i].m), i < 3 ? 0 : -ENOSPC);
    }
    uint64_t handle = skep_map_handle(&b[1].m);
    assert_int_equal(vm->areas->n, 3);
    for (size_t i = 1; i < vm->areas->n; i++)
        assert_true(vm->areas->list[i - 1].start < vm->areas->list[i].start);
    skep_vm_remove_map(vm, &b[1].m);
    skep_vm_remove_map(vm, &b[1].m);
    assert_int_equal(vm->areas->n, 2);
    /* the place is used again, by another generation */
    assert_int_equal(skep_vm_add_map(vm, &b[3].m), 0);
    assert_int_equal(b[3].m.id, b[1].m.id);
    assert_int_not_equal(skep_map_handle(&b[3].m), handle);
    assert_ptr_equal(skep_vm_find_map(vm, b[3].m.id), &b[3].m);
    assert_null(skep_vm_find_map(vm, 0));
    assert_null(skep_vm_find_map(vm, 4));
    for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
        if (i != 1)
            skep_vm_remove_map(vm, &b[i].m);
        bare_free(vm, &b[i]);
    }
    skep_vm_free(vm);
}

struct reader {
    struct skep_vm *vm;
    const struct skep_vm_program **p; /* atomic */
    bool *stop;
    unsigned bad;
    uint64_t values, faults;
};

static void *read_for_ever(void *data)
{
    struct reader *r = data;
    struct skep_vm_thread *t;
    if (skep_vm_thread_new(r->vm, NULL, &t) < 0) {
        r->bad++;
        return NULL;
    }
    while (!__atomic_load_n(r->stop, __ATOMIC_ACQUIRE)) {
        uint64_t value;
        int error = skep_vm_run(t, __atomic_load_n(r->p, __ATOMIC_ACQUIRE), NULL, 0, &value);
        if (error == 0 ? value != 21 : skep_vm_thread_error(t)->fault != SKEP_VM_FAULT_READ)
            r->bad++;
        r->values += error == 0;
        r->faults += error < 0;
    }
    skep_vm_thread_free(t);
    return NULL;
}

/* A map goes while threads read its values: they get the value or a fault, and the memory stays until they
 * are done. */
static void maps_go_while_threads_run(void **state)
{
    struct machine *m = *state;
    enum { ROUNDS = 200 };
    static struct bare maps[ROUNDS];
    struct skep_vm_program *programs[ROUNDS];
    const struct skep_vm_program *now;
    unsigned gone = 0;
    bool stop = false;
    for (unsigned i = 0; i < ROUNDS; i++) {
        bare_init(&maps[i], m->vm, 0, &gone);
        programs[i] = load_reader(m, &maps[i], false);
    }
    assert_int_equal(skep_vm_add_map(m->vm, &maps[0].m), 0);
    now = programs[0];
    struct reader readers[2];
    pthread_t threads[2];
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        readers[i] = (struct reader){.vm = m->vm, .p = &now, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, read_for_ever, &readers[i]), 0);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned k = 0; k < 20; k++)
            sched_yield();
        skep_vm_remove_map(m->vm, &maps[i].m);
        skep_vm_retire(m->vm, bare_free, &maps[i]);
        if (i + 1 < ROUNDS) {
            assert_int_equal(skep_vm_add_map(m->vm, &maps[i + 1].m), 0);
            __atomic_store_n(&now, programs[i + 1], __ATOMIC_RELEASE);
        }
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].bad, 0);
    }
    skep_vm_reclaim(m->vm);
    assert_int_equal(gone, ROUNDS);
    assert_true(readers[0].values + readers[1].values > 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        skep_vm_program_unref(programs[i]);
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
        cmocka_unit_test_setup_teardown(areas_have_rights, setup, teardown),
        cmocka_unit_test(tables_have_limits),
        cmocka_unit_test_setup_teardown(maps_go_while_threads_run, setup, teardown),
        cmocka_unit_test(every_failing_allocation_is_an_error),
    };
    return cmocka_run_group_tests_name("vm/vm", tests, NULL, NULL);
}
