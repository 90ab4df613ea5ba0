/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/syscalls.h"
#include "rule/evttype.h"

static const struct skep_evttype *type_of(const struct skep_hdr *h)
{
    size_t n;
    return &skep_evttypes(&n)[skep_evttype_of(h)];
}

static uint32_t number(const char *call, bool compat)
{
    for (unsigned nr = 0; nr < SKEP_SYSCALL_MAX; nr++) {
        const char *name = skep_syscall_name(nr, compat);
        if (name && skep_streq(name, call))
            return nr;
    }
    fail_msg("no system call %s", call);
    return 0;
}

static uint32_t find(const char *name)
{
    return skep_evttype_find(name, strlen(name));
}

/* Every call in the table of the sensors is a type of its own or another name of one, of the right kind. */
static void test_calls(void **s)
{
    static const struct {
        const char *name;
        uint16_t kind;
        bool native, compat;
    } calls[] = {
#define SKEP_SYSCALL(name, kind, handler, form) {#name, SKEP_KIND_##kind, true, true},
#define SKEP_SYSCALL_NATIVE(name, kind, handler, form) {#name, SKEP_KIND_##kind, true, false},
#define SKEP_SYSCALL_COMPAT(name, kind, handler, form) {#name, SKEP_KIND_##kind, false, true},
#include "abi/syscalls.def"
#undef SKEP_SYSCALL
#undef SKEP_SYSCALL_NATIVE
#undef SKEP_SYSCALL_COMPAT
    };
    (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        for (int compat = 0; compat < 2; compat++) {
            if (compat ? !calls[i].compat : !calls[i].native)
                continue;
            struct skep_hdr h = {.kind = calls[i].kind, .nr = number(calls[i].name, compat)};
            h.flags = SKEP_HDR_SYSCALL | (compat ? SKEP_HDR_COMPAT : 0);
            const struct skep_evttype *t = type_of(&h);
            assert_int_equal(t->kind, calls[i].kind);
            bool stands_for_others = skep_streq(calls[i].name, "socketcall") ||
                                     (skep_streq(calls[i].name, "unlinkat") && h.kind == SKEP_KIND_rmdir);
            uint32_t named = find(calls[i].name);
            if (skep_evttypes(&(size_t){0})[named].kind != h.kind && skep_evttype_again(named))
                named = skep_evttype_again(named);
            if (!stands_for_others && t != &skep_evttypes(&(size_t){0})[named])
                fail_msg("%s is %s", calls[i].name, t->name);
        }
}

static void test_without_call(void **s)
{
    static const struct {
        uint16_t kind;
        const char *name;
    } cases[] = {{SKEP_KIND_exec, "execve"},   {SKEP_KIND_fork, "clone"}, {SKEP_KIND_exit, "procexit"},
                 {SKEP_KIND_tcp, "tcp"},       {SKEP_KIND_dns, "dns"},    {SKEP_KIND_uring, "io_uring"},
                 {SKEP_KIND_signal, "signal"}, {SKEP_KIND_open, "open"},  {SKEP_KIND_container, "container"},
                 {SKEP_KIND_rmdir, "rmdir"}};
    (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct skep_hdr h = {.kind = cases[i].kind};
        assert_string_equal(type_of(&h)->name, cases[i].name);
    }
    struct skep_hdr hidden = {.kind = SKEP_KIND_exec_data}, wild = {.kind = 60000, .nr = 60000};
    wild.flags = SKEP_HDR_SYSCALL;
    assert_int_equal(skep_evttype_of(&hidden), 0);
    assert_int_equal(skep_evttype_of(&wild), 0);
    /* the number of another kind's call */
    struct skep_hdr odd = {.kind = SKEP_KIND_open, .flags = SKEP_HDR_SYSCALL, .nr = number("connect", false)};
    assert_string_equal(type_of(&odd)->name, "open");
}

static void test_names(void **s)
{
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    (void)s;
    for (size_t i = 1; i < n; i++) {
        uint32_t first = skep_evttype_find(types[i].name, strlen(types[i].name));
        assert_true(first == i || skep_evttype_again(first) == i);
        assert_true(types[i].kind > 0 && types[i].kind < SKEP_KIND_MAX);
    }
    assert_int_equal(find("openat"), SKEP_EVTTYPE_openat);
    assert_int_equal(find("fcntl64"), SKEP_EVTTYPE_fcntl);
    assert_int_equal(find("setresuid32"), SKEP_EVTTYPE_setresuid);
    assert_int_equal(find("opena"), 0);
    assert_int_equal(find(""), 0);
    assert_string_equal(skep_evttype_nearest("opnat", 5), "openat");
    assert_null(skep_evttype_nearest("quite different", 15));
}

/* One call, two kinds of event: the types have one name, and each record has its own. */
static void test_again(void **s)
{
    bool set[SKEP_EVTTYPE_MAX] = {false}, all;
    const char *names[SKEP_EVTTYPE_MAX];
    (void)s;
    for (int compat = 0; compat < 2; compat++)
        for (int at = 0; at < 2; at++) {
            const char *call = at ? "execveat" : "execve";
            struct skep_hdr h = {.kind = SKEP_KIND_exec, .nr = number(call, compat)};
            h.flags = SKEP_HDR_SYSCALL | (compat ? SKEP_HDR_COMPAT : 0);
            assert_int_equal(skep_evttype_of(&h), at ? SKEP_EVTTYPE_execveat : SKEP_EVTTYPE_execve);
            h.kind = SKEP_KIND_exec_failed;
            assert_int_equal(skep_evttype_of(&h),
                             at ? SKEP_EVTTYPE_execveat_failed : SKEP_EVTTYPE_execve_failed);
            assert_string_equal(type_of(&h)->name, call);
        }
    assert_int_equal(skep_evttype_again(SKEP_EVTTYPE_execve), SKEP_EVTTYPE_execve_failed);
    assert_int_equal(skep_evttype_again(SKEP_EVTTYPE_execve_failed), 0);
    assert_int_equal(skep_evttype_again(SKEP_EVTTYPE_openat), 0);
    set[SKEP_EVTTYPE_execve_failed] = true;
    assert_int_equal(skep_evttype_names(set, names, &all), 1);
    set[SKEP_EVTTYPE_execve] = set[SKEP_EVTTYPE_open] = true;
    assert_int_equal(skep_evttype_names(set, names, &all), 2);
    assert_string_equal(names[0], "execve");
    assert_string_equal(names[1], "open");
    assert_false(all);
    memset(set, true, sizeof(set));
    skep_evttype_names(set, names, &all);
    assert_true(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_without_call),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
