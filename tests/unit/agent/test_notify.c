/* SPDX-License-Identifier: Apache-2.0 */
/* Against sockets of our own, in a directory and in the abstract namespace. */
#include "agent/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static void test_nobody_asked(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(skep_notify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(skep_notify("READY=1"), 0);
}

static void test_no_address(void **state)
{
    (void)state;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    setenv("NOTIFY_SOCKET", path, 1);
    assert_int_equal(skep_notify("READY=1"), -EINVAL);
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_int_equal(skep_notify("READY=1"), -EINVAL);
    setenv("NOTIFY_SOCKET", "@", 1);
    assert_int_equal(skep_notify("READY=1"), -EINVAL);
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    assert_int_equal(skep_notify("READY=1"), -ENOENT);
}

/* Binds name, where @ begins an abstract one, and finds there what was said. */
static void check_told(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    char got[64];
    memcpy(at.sun_path, name, n);
    if (*name == '@')
        at.sun_path[0] = '\0';
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    assert_int_equal(skep_notify("READY=1"), 1);
    assert_int_equal(skep_notify("STOPPING=1"), 1);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 7);
    assert_memory_equal(got, "READY=1", 7);
    assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 10);
    assert_memory_equal(got, "STOPPING=1", 10);
}

static void test_told(void **state)
{
    (void)state;
    char dir[] = "/tmp/skep-notify.XXXXXX", path[64], abstract[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(abstract, sizeof(abstract), "@%s", dir);
    check_told(path);
    check_told(abstract);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_asked),
        cmocka_unit_test(test_no_address),
        cmocka_unit_test(test_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
