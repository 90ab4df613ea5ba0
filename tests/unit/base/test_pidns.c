/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pidns.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_here(void **state)
{
    (void)state;
    assert_int_not_equal(skep_pidns_own(), 0);
    assert_int_equal(skep_pidns_self(), skep_pidns_is_initial() ? getpid() : 0);
}

/* In a namespace of its own a process does not know its number outside. /proc here is still the one from outside, which
 * knows the process as well. */
static int report_from_inside(uint32_t outside)
{
    if (unshare(CLONE_NEWPID) < 0)
        return 77;
    pid_t pid = fork();
    if (pid == 0)
        _exit(skep_pidns_own() != outside && !skep_pidns_is_initial() && skep_pidns_self() == 0 ? 0 : 1);
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static void test_inside(void **state)
{
    (void)state;
    uint32_t outside = skep_pidns_own();
    pid_t pid = fork();
    if (pid == 0)
        _exit(report_from_inside(outside));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: no pid namespaces for us\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_here),
        cmocka_unit_test(test_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
