/* SPDX-License-Identifier: Apache-2.0 */
#include "export/descriptor.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

static char data[100000];

/* Writes until it would block; the bytes taken. A write that waits is ended by the alarm. */
static size_t fill(struct skep_descriptor *d)
{
    size_t total = 0;
    for (;;) {
        struct iovec iov[2] = {{.iov_base = data, .iov_len = 1000},
                               {.iov_base = data, .iov_len = sizeof(data)}};
        alarm(10);
        ssize_t n = skep_descriptor_write(d, iov, 2);
        alarm(0);
        if (n == -EAGAIN)
            return total;
        assert_true(n > 0);
        total += (size_t)n;
        assert_true(total < 64 << 20);
    }
}

static void test_ways(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum skep_descriptor_way way;
    } rows[] = {
        {"pipe", SKEP_DESCRIPTOR_OWN},         {"socket", SKEP_DESCRIPTOR_SOCKET},
        {"terminal", SKEP_DESCRIPTOR_OWN},     {"/dev/null", SKEP_DESCRIPTOR_DIRECT},
        {"/dev/full", SKEP_DESCRIPTOR_DIRECT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int p[2] = {-1, -1};
        if (skep_streq(rows[i].what, "pipe")) {
            assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        } else if (skep_streq(rows[i].what, "socket")) {
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
        } else if (skep_streq(rows[i].what, "terminal")) {
            p[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
            assert_true(grantpt(p[0]) == 0 && unlockpt(p[0]) == 0);
            p[1] = open(ptsname(p[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
        } else {
            p[1] = open(rows[i].what, O_WRONLY | O_CLOEXEC);
        }
        struct skep_descriptor d = SKEP_DESCRIPTOR_INIT;
        assert_int_equal(skep_descriptor_open(&d, p[1]), 0);
        assert_int_equal(d.way, rows[i].way);
        assert_true(skep_descriptor_has_reader(&d) == (d.way != SKEP_DESCRIPTOR_DIRECT));
        if (d.way != SKEP_DESCRIPTOR_DIRECT)
            assert_true(fill(&d) >= 2048);
        if (skep_streq(rows[i].what, "pipe") &&
            geteuid() == 0) /* others may have used up what they are given */
            assert_true(fcntl(p[1], F_GETPIPE_SZ) >= 1 << 20);
        assert_int_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
        skep_descriptor_close(&d);
        assert_true(fcntl(p[1], F_GETFD) >= 0);
        close(p[1]);
        if (p[0] >= 0)
            close(p[0]);
    }
    struct skep_descriptor d = SKEP_DESCRIPTOR_INIT;
    assert_int_equal(skep_descriptor_open(&d, -1), -EBADF);
}

/* The way for hosts where /proc does not give the pipe or terminal a second time. */
static void test_careful(void **state)
{
    (void)state;
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    struct skep_descriptor d = {.fd = p[1], .own_fd = -1, .way = SKEP_DESCRIPTOR_CAREFUL, .piece = PIPE_BUF};
    size_t first = fill(&d);
    assert_true(first >= PIPE_BUF);
    char piece[2 * PIPE_BUF];
    assert_int_equal(read(p[0], piece, sizeof(piece)), sizeof(piece));
    assert_true(fill(&d) > 0);
    close(p[0]);
    signal(SIGPIPE, SIG_IGN);
    struct iovec iov = {.iov_base = data, .iov_len = 10};
    int error = (int)skep_descriptor_write(&d, &iov, 1);
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(error, -EPIPE);
    assert_true(skep_descriptor_is_final(&d, error));
    close(p[1]);

    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    d = (struct skep_descriptor){.fd = slave, .own_fd = -1, .way = SKEP_DESCRIPTOR_CAREFUL, .piece = 256};
    assert_true(fill(&d) >= 256);
    close(slave);
    close(master);
}

static void test_final_errors(void **state)
{
    (void)state;
    struct skep_descriptor file = {.way = SKEP_DESCRIPTOR_DIRECT}, terminal = {.way = SKEP_DESCRIPTOR_OWN};
    assert_true(skep_descriptor_is_final(&file, -EPIPE));
    assert_true(skep_descriptor_is_final(&file, -EBADF));
    assert_false(skep_descriptor_is_final(&file, -EIO));
    assert_true(skep_descriptor_is_final(&terminal, -EIO));
    assert_false(skep_descriptor_is_final(&terminal, -ENOSPC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_careful),
        cmocka_unit_test(test_final_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
