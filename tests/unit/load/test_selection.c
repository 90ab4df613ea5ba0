/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>

#include "load/selection.h"
#include "load/syscalls.h"
#include <cmocka.h>

static bool wants(const struct skep_selection *s, uint16_t kind, const char *call, bool compat)
{
    for (size_t i = 0; i < skep_syscalls_n(); i++) {
        const struct skep_syscall *c = skep_syscalls_at(i);
        if (c->kind == kind && strcmp(c->name, call) == 0 && (c->index >= SKEP_COMPAT_BASE) == compat)
            return skep_selection_wants(s, i);
    }
    fail_msg("no row for %s", call);
    return false;
}

static void test_kind(void **state)
{
    (void)state;
    struct skep_selection s = {0};
    assert_false(wants(&s, SKEP_KIND_open, "open", false));
    skep_selection_kind(&s, SKEP_KIND_open);
    assert_true(wants(&s, SKEP_KIND_open, "open", false));
    assert_true(wants(&s, SKEP_KIND_open, "openat2", true));
    assert_false(wants(&s, SKEP_KIND_unlink, "unlinkat", false));
}

static void test_call(void **state)
{
    (void)state;
    struct skep_selection s = {0};
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_open, "openat"), 0);
    assert_true(wants(&s, SKEP_KIND_open, "openat", false));
    assert_true(wants(&s, SKEP_KIND_open, "openat", true));
    assert_false(wants(&s, SKEP_KIND_open, "open", false));
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_open, "unlinkat"), -ENOENT);
    skep_selection_kind(&s, SKEP_KIND_open);
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_open, "creat"), 0);
    assert_true(wants(&s, SKEP_KIND_open, "open", false)); /* as a whole, still */
}

static void test_call_of_two_kinds(void **state)
{
    (void)state;
    struct skep_selection s = {0};
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_rmdir, "unlinkat"), 0);
    assert_true(wants(&s, SKEP_KIND_rmdir, "unlinkat", false));
    assert_false(wants(&s, SKEP_KIND_rmdir, "rmdir", false));
    assert_false(wants(&s, SKEP_KIND_unlink, "unlinkat", false));
}

/* Numbers that 32-bit programs alone have come with any call of the kind. */
static void test_compat_only(void **state)
{
    (void)state;
    struct skep_selection s = {0};
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_setuid, "setuid"), 0);
    assert_true(wants(&s, SKEP_KIND_setuid, "setuid32", true));
    assert_false(wants(&s, SKEP_KIND_setuid, "setreuid", true));
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_connect, "connect"), 0);
    assert_true(wants(&s, SKEP_KIND_connect, "socketcall", true));
    assert_false(wants(&s, SKEP_KIND_bind, "socketcall", true));
}

/* exec is seen at a tracepoint, whatever the call. */
static void test_not_by_calls(void **state)
{
    (void)state;
    struct skep_selection s = {0};
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_exec, "execveat"), 0);
    assert_true(s.kinds[SKEP_KIND_exec]);
    assert_false(wants(&s, SKEP_KIND_setuid, "setuid", false));
    for (size_t i = 0; i < skep_syscalls_n(); i++) /* it tells who the user was before */
        assert_int_equal(skep_selection_needs(&s, i), skep_syscalls_at(i)->handler == SKEP_HANDLER_cred);
}

static void test_join(void **state)
{
    (void)state;
    struct skep_selection a = {0}, b = {0}, whole = {0};
    skep_selection_call(&a, SKEP_KIND_open, "openat");
    skep_selection_call(&b, SKEP_KIND_open, "creat");
    skep_selection_kind(&b, SKEP_KIND_mount);
    skep_selection_join(&a, &b);
    assert_true(wants(&a, SKEP_KIND_open, "openat", false));
    assert_true(wants(&a, SKEP_KIND_open, "creat", false));
    assert_false(wants(&a, SKEP_KIND_open, "open", false));
    assert_true(wants(&a, SKEP_KIND_mount, "mount", false));
    skep_selection_kind(&whole, SKEP_KIND_open);
    skep_selection_join(&whole, &a);
    assert_true(wants(&whole, SKEP_KIND_open, "open", false));
    skep_selection_join(&a, &whole);
    assert_true(wants(&a, SKEP_KIND_open, "open", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_call_of_two_kinds),
        cmocka_unit_test(test_compat_only),
        cmocka_unit_test(test_not_by_calls),
        cmocka_unit_test(test_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
