/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TESTS_VM_MACHINE_H
#define SKEP_TESTS_VM_MACHINE_H
/*
 * What the tests of the engine have in common: a vm with a thread, programs from assembly, and an allocator
 * that counts and fails on demand. Everything in a test is torn down by machine_clear(), which asserts that
 * no memory is left.
 */
/* cmocka.h wants them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isa/asm.h"
#include "vm/exec.h"
#include "vm/program.h"
#include "vm/vm.h"

struct counting {
    size_t live;    /* blocks that are not freed */
    size_t calls;   /* of alloc */
    size_t fail_at; /* the call that fails, from 1; 0: none */
};

static inline void *counting_alloc(void *data, size_t size)
{
    struct counting *c = data;
    if (__atomic_add_fetch(&c->calls, 1, __ATOMIC_RELAXED) == c->fail_at)
        return NULL;
    void *p = malloc(size);
    if (p) {
        memset(p, 0xa5, size);
        __atomic_add_fetch(&c->live, 1, __ATOMIC_RELAXED);
    }
    return p;
}

static inline void counting_free(void *data, void *p)
{
    struct counting *c = data;
    __atomic_sub_fetch(&c->live, 1, __ATOMIC_RELAXED);
    free(p);
}

struct machine {
    struct counting counting;
    struct skep_vm *vm;
    struct skep_vm_thread *t;
    struct skep_exec *e;
};

static inline void machine_init(struct machine *m, enum skep_vm_mode mode)
{
    *m = (struct machine){0};
    const struct skep_vm_allocator allocator = {counting_alloc, counting_free, &m->counting};
    const struct skep_vm_options o = {.size = sizeof(o), .mode = mode, .cpus = 4, .allocator = &allocator};
    assert_int_equal(skep_vm_new(&o, &m->vm), 0);
    assert_int_equal(skep_vm_thread_new(m->vm, NULL, &m->t), 0);
    m->e = skep_exec_of(m->t);
}

static inline void machine_clear(struct machine *m)
{
    skep_vm_free(m->vm);
    assert_int_equal(m->counting.live, 0);
}

/* Assembles and loads; maps may be NULL. */
static inline int machine_try(struct machine *m, const char *text, const struct skep_vm_program_options *with,
                              struct skep_vm_program **ret_program, struct skep_vm_error *reterr)
{
    struct skep_diags d;
    struct skep_insn *insns = NULL;
    size_t n;
    skep_diags_init(&d, "test");
    int r = skep_asm(text, strlen(text), NULL, &d, &insns, &n);
    if (r < 0)
        fail_msg("%s", d.n ? d.list[0].message : "cannot assemble");
    skep_diags_clear(&d);
    struct skep_vm_program_options o = {0};
    if (with)
        o = *with;
    o.size = sizeof(o);
    o.insns = insns;
    o.n_insns = n;
    r = skep_vm_program_load(m->vm, &o, ret_program, reterr);
    free(insns);
    return r;
}

static inline struct skep_vm_program *machine_load(struct machine *m, const char *text,
                                                   const struct skep_vm_program_options *with)
{
    struct skep_vm_program *p = NULL;
    struct skep_vm_error error;
    if (machine_try(m, text, with, &p, &error) < 0)
        fail_msg("%s", error.message);
    return p;
}

/* Runs p over memory and wants value. */
static inline void machine_expect(struct machine *m, const struct skep_vm_program *p, void *memory,
                                  size_t size, uint64_t value)
{
    uint64_t got = ~value;
    int r = skep_vm_run(m->t, p, memory, size, &got);
    if (r < 0)
        fail_msg("%s", skep_vm_thread_error(m->t)->message);
    assert_int_equal(got, value);
}

/* Runs p and wants it to end with a fault at an instruction. */
static inline const struct skep_vm_error *machine_expect_fault(struct machine *m,
                                                               const struct skep_vm_program *p, void *memory,
                                                               size_t size, enum skep_vm_fault fault,
                                                               uint32_t insn)
{
    uint64_t value = 77;
    int r = skep_vm_run(m->t, p, memory, size, &value);
    const struct skep_vm_error *error = skep_vm_thread_error(m->t);
    assert_int_equal(r, skep_fault_errno(fault));
    assert_int_equal(value, 77);
    if (error->fault != fault)
        fail_msg("%s instead of %s: %s", skep_vm_fault_name(error->fault), skep_vm_fault_name(fault),
                 error->message);
    assert_int_equal(error->insn, insn);
    assert_int_equal(error->error, r);
    return error;
}
#endif
