/* SPDX-License-Identifier: Apache-2.0 */
/* The class that emitted code finds is the one that comparing with each text finds. */
#include <skep/vm.h>

#include "rule/compile/radix.h"
#include "rule/match/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define TEXTS 40
#define ROOM 64 /* before and behind the text */
#define ARRAY 16

static uint64_t state_of = 88172645463325252ULL;

static uint32_t rnd(uint32_t n)
{
    state_of ^= state_of << 13;
    state_of ^= state_of >> 7;
    state_of ^= state_of << 17;
    return (uint32_t)((state_of >> 33) % n);
}

/* Texts that often begin and end alike. */
static size_t random_text(char *s, size_t max)
{
    size_t n = rnd((uint32_t)max + 1);
    for (size_t i = 0; i < n; i++)
        s[i] = rnd(12) ? "ab"[i % 2] : "ab/\xff"[rnd(4)];
    return n;
}

struct loading {
    struct skep_build *b;
    bool from_end;
};

/* r6 is the text, r8 its length. */
static void load(void *context, size_t at)
{
    const struct loading *l = context;
    if (!l->from_end) {
        skep_build_load(l->b, SKEP_OP_LDXDW, 1, 6, (int16_t)at);
        return;
    }
    skep_build_reg(l->b, SKEP_OP_MOV64_REG, 1, 6);
    skep_build_reg(l->b, SKEP_OP_ADD64_REG, 1, 8);
    skep_build_load(l->b, SKEP_OP_LDXDW, 1, 1, (int16_t)(-8 - (int)at));
}

/* r1: the length, and behind it ROOM bytes, the text, and as many bytes that do not count. */
static struct skep_vm_program *make(struct skep_vm *vm, const struct skep_radix *x)
{
    struct skep_build b;
    struct loading l = {&b, x->from_end};
    unsigned labels[1024];
    struct skep_insn *insns;
    struct skep_vm_program *p;
    struct skep_vm_error error;
    size_t n;
    assert_true(x->n_classes <= ARRAY_SIZE(labels));
    skep_build_init(&b, 65536);
    skep_build_load(&b, SKEP_OP_LDXDW, 8, 1, 0);
    skep_build_reg(&b, SKEP_OP_MOV64_REG, 6, 1);
    skep_build_imm(&b, SKEP_OP_ADD64_IMM, 6, 8 + ROOM);
    for (size_t i = 0; i < x->n_classes; i++)
        labels[i] = skep_build_label(&b);
    skep_radix_emit(x, &b, load, &l, labels);
    for (size_t i = 0; i < x->n_classes; i++) {
        skep_build_bind(&b, labels[i]);
        skep_build_mov(&b, 0, i);
        skep_build_exit(&b);
    }
    assert_int_equal(skep_build_finish(&b, &insns, &n), 0);
    skep_build_clear(&b);
    struct skep_vm_program_options o = {
        .size = sizeof(o), .insns = insns, .n_insns = n, .mode = SKEP_VM_MODE_INTERPRET};
    if (skep_vm_program_load(vm, &o, &p, &error) < 0)
        fail_msg("%s", error.message);
    free(insns);
    return p;
}

static bool fits(const struct skep_radix_text *t, const char *s, size_t n, bool from_end)
{
    if (t->whole)
        return t->n == n && memcmp(t->s, s, n) == 0;
    return from_end ? skep_text_ends(s, n, t->s, t->n) : skep_text_begins(s, n, t->s, t->n);
}

static void compare(const struct skep_radix *x, uint64_t class, const struct skep_radix_text *texts,
                    const char *s, size_t n)
{
    assert_true(class < x->n_classes);
    const struct skep_radix_class *c = &x->classes[class];
    for (uint32_t i = 0; i < TEXTS; i++) {
        bool found = false;
        for (size_t k = 0; k < c->n; k++)
            found |= c->tags[k] == i;
        if (found != fits(&texts[i], s, n, x->from_end))
            fail_msg("'%.*s' and '%.*s', %s: %d", (int)n, s, (int)texts[i].n, texts[i].s,
                     x->from_end      ? "from its end"
                     : texts[i].whole ? "whole"
                                      : "from its begin",
                     found);
    }
}

static void run_rounds(bool from_end, size_t array)
{
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    struct skep_vm_options vo = {.size = sizeof(vo)};
    struct skep_vm_thread_options to = {.size = sizeof(to)};
    assert_int_equal(skep_vm_new(&vo, &vm), 0);
    assert_int_equal(skep_vm_thread_new(vm, &to, &thread), 0);
    for (unsigned round = 0; round < 60; round++) {
        static char made[TEXTS][ROOM];
        struct skep_radix_text texts[TEXTS];
        struct skep_arena *pool;
        struct skep_radix *x;
        assert_int_equal(skep_arena_new(1 << 26, &pool), 0);
        for (uint32_t i = 0; i < TEXTS; i++)
            texts[i] = (struct skep_radix_text){made[i], random_text(made[i], i % 3 ? 12 : 40),
                                                !from_end && rnd(3) == 0, i};
        assert_int_equal(skep_radix_new(pool, texts, TEXTS, array, from_end, &x), 0);
        struct skep_vm_program *p = make(vm, x);
        for (unsigned i = 0; i < 300; i++) {
            _Alignas(8) char memory[8 + 3 * ROOM];
            char *s = memory + 8 + ROOM;
            for (size_t k = 0; k < sizeof(memory); k++)
                memory[k] = "ab"[k % 2];
            const struct skep_radix_text *t = &texts[rnd(TEXTS)];
            uint64_t n = rnd(3) ? t->n : random_text(s, ROOM), value;
            if (n == t->n)
                memcpy(s, t->s, n);
            if (n && rnd(3) == 0)
                n -= rnd(2);
            else if (n < ROOM - 1)
                n += rnd(3) == 0;
            if (array) {
                n = MIN(n, (uint64_t)array);
                if (n < array)
                    s[n] = '\0';
            }
            memcpy(memory, &n, sizeof(n));
            assert_int_equal(skep_vm_run(thread, p, memory, sizeof(memory), &value), 0);
            compare(x, value, texts, s, n);
        }
        skep_vm_program_unref(p);
        skep_arena_free(pool);
    }
    skep_vm_thread_free(thread);
    skep_vm_free(vm);
}

static void test_from_begin(void **state)
{
    (void)state;
    run_rounds(false, 0);
}

static void test_from_end(void **state)
{
    (void)state;
    run_rounds(true, 0);
}

static void test_array(void **state)
{
    (void)state;
    run_rounds(false, ARRAY);
}

static void test_limits(void **state)
{
    (void)state;
    static char s[SKEP_RADIX_LEN_MAX + 1];
    struct skep_arena *pool;
    struct skep_radix *x;
    memset(s, 'x', sizeof(s));
    assert_int_equal(skep_arena_new(1 << 20, &pool), 0);
    struct skep_radix_text t = {s, sizeof(s), false, 0};
    assert_int_equal(skep_radix_new(pool, &t, 1, 0, false, &x), -E2BIG);
    assert_int_equal(skep_radix_new(pool, &t, SKEP_RADIX_TEXTS_MAX + 1, 0, false, &x), -E2BIG);
    t.n--;
    assert_int_equal(skep_radix_new(pool, &t, 1, 0, false, &x), 0);
    assert_int_equal(x->n_classes, 2);
    skep_arena_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_from_begin), cmocka_unit_test(test_from_end),
                                       cmocka_unit_test(test_array), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
