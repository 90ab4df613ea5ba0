/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/child.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static bool ends_within(const struct skep_child *c, int ms)
{
    struct pollfd p = {.fd = c->pidfd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static int finish(struct skep_child *c)
{
    int status = -1;
    assert_true(ends_within(c, 10000));
    assert_int_equal(skep_child_reap(c, &status), 0);
    assert_int_equal(c->pid, 0);
    assert_int_equal(c->pidfd, -1);
    skep_child_clear(c);
    return status;
}

static int shell(struct skep_child *c, const char *script, const sigset_t *mask)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    return skep_child_spawn(c, argv, mask);
}

static void test_nothing_runs_before_release(void **state)
{
    (void)state;
    char dir[] = "/tmp/skep-child-XXXXXX", script[128], path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/ran", dir);
    snprintf(script, sizeof(script), "echo > %s; exit 3", path);
    struct skep_child c = SKEP_CHILD_INIT;
    assert_int_equal(shell(&c, script, NULL), 0);
    assert_true(c.pid > 0);
    assert_false(ends_within(&c, 100));
    int status = 77;
    assert_int_equal(skep_child_reap(&c, &status), -EAGAIN);
    assert_int_equal(status, 77);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(skep_child_release(&c), 0);
    status = finish(&c);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(unlink(path), 0);
    rmdir(dir);
}

static void test_exec_failures_come_back(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int want;
    } rows[] = {{"skep-no-such-command", -ENOENT}, {"/", -EACCES}, {"/dev/null", -EACCES}, {"", -ENOENT}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *argv[] = {(char *)rows[i].name, NULL};
        struct skep_child c = SKEP_CHILD_INIT;
        assert_int_equal(skep_child_spawn(&c, argv, NULL), 0);
        pid_t pid = c.pid;
        assert_int_equal(skep_child_release(&c), rows[i].want);
        assert_int_equal(c.pid, 0);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        skep_child_clear(&c);
    }
}

static void test_clear_without_release_runs_nothing(void **state)
{
    (void)state;
    struct skep_child c = SKEP_CHILD_INIT;
    assert_int_equal(shell(&c, "echo ran > /dev/tty", NULL), 0);
    pid_t pid = c.pid;
    skep_child_clear(&c);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    skep_child_clear(&c);
}

static void on_signal(int sig)
{
    (void)sig;
}

static void test_signal_state_is_the_callers(void **state)
{
    (void)state;
    sigset_t block, at_start;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGINT);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &block, &at_start), 0);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGUSR2, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGUSR1, &sa, NULL);

    sigset_t want;
    sigemptyset(&want);
    sigaddset(&want, SIGWINCH);
    struct skep_child c = SKEP_CHILD_INIT;
    /* no shell: some clear the mask. SIGWINCH is signal 28; SIGUSR1 is bit 0x200 */
    char *argv[] = {
        (char *)"grep", (char *)"-Ezq",
        (char
             *)"SigBlk:[[:space:]]0*8000000[[:space:]]+SigIgn:[[:space:]][0-9a-f]+[2367abef][0-9a-f]{2}[[:space:]]",
        (char *)"/proc/self/status", NULL};
    assert_int_equal(skep_child_spawn(&c, argv, &want), 0);
    assert_int_equal(skep_child_release(&c), 0);
    assert_int_equal(WEXITSTATUS(finish(&c)), 0);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigaction(SIGUSR2, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    pthread_sigmask(SIG_SETMASK, &at_start, NULL);
}

static void test_no_descriptor_leaks_into_the_command(void **state)
{
    (void)state;
    struct skep_child c = SKEP_CHILD_INIT;
    assert_int_equal(
        shell(&c, "for n in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && exit 1; done; exit 0", NULL), 0);
    assert_int_equal(skep_child_release(&c), 0);
    assert_int_equal(WEXITSTATUS(finish(&c)), 0);
}

static void test_forward(void **state)
{
    (void)state;
    static const struct {
        int sig;
        int code;
        bool ends;
    } rows[] = {
        {SIGTERM, SI_USER, true},   {SIGINT, SI_USER, true},    {SIGTERM, SI_KERNEL, true},
        {SIGINT, SI_KERNEL, false}, {SIGHUP, SI_KERNEL, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *argv[] = {(char *)"sleep", (char *)"30", NULL};
        struct skep_child c = SKEP_CHILD_INIT;
        assert_int_equal(skep_child_spawn(&c, argv, NULL), 0);
        assert_int_equal(skep_child_release(&c), 0);
        struct signalfd_siginfo si = {.ssi_signo = (uint32_t)rows[i].sig, .ssi_code = rows[i].code};
        assert_int_equal(skep_child_forward(&c, &si), 0);
        if (!rows[i].ends) {
            assert_false(ends_within(&c, 50));
            kill(c.pid, SIGKILL);
        }
        int status = finish(&c);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), rows[i].ends ? rows[i].sig : SIGKILL);
        assert_int_equal(skep_child_forward(&c, &si), 0);
    }
}

static void test_killed_before_release(void **state)
{
    (void)state;
    struct skep_child c = SKEP_CHILD_INIT;
    assert_int_equal(shell(&c, "exit 0", NULL), 0);
    kill(c.pid, SIGKILL);
    assert_true(ends_within(&c, 10000));
    assert_int_equal(skep_child_release(&c), 0);
    int status = finish(&c);
    assert_true(WIFSIGNALED(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_runs_before_release),
        cmocka_unit_test(test_exec_failures_come_back),
        cmocka_unit_test(test_clear_without_release_runs_nothing),
        cmocka_unit_test(test_signal_state_is_the_callers),
        cmocka_unit_test(test_no_descriptor_leaks_into_the_command),
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_killed_before_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
