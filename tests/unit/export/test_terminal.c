/* SPDX-License-Identifier: Apache-2.0 */
#include "export/terminal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include <cmocka.h>

struct pty {
    int master;
    int slave;
};

static struct pty pty_open(void)
{
    struct pty p = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    assert_true(p.master >= 0);
    assert_int_equal(grantpt(p.master), 0);
    assert_int_equal(unlockpt(p.master), 0);
    p.slave = open(ptsname(p.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p.slave >= 0);
    return p;
}

static void pty_close(struct pty *p)
{
    close(p->slave);
    close(p->master);
}

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void test_color(void **state)
{
    (void)state;
    static const struct {
        enum skep_color color;
        bool terminal;
        const char *term;
        const char *no_color;
        bool want;
    } rows[] = {
        {SKEP_COLOR_AUTO, true, "xterm", NULL, true},   {SKEP_COLOR_AUTO, true, "xterm", "", true},
        {SKEP_COLOR_AUTO, true, "xterm", "1", false},   {SKEP_COLOR_AUTO, true, "dumb", NULL, false},
        {SKEP_COLOR_AUTO, true, "", NULL, false},       {SKEP_COLOR_AUTO, true, NULL, NULL, false},
        {SKEP_COLOR_AUTO, false, "xterm", NULL, false}, {SKEP_COLOR_ALWAYS, false, "dumb", "1", true},
        {SKEP_COLOR_NEVER, true, "xterm", NULL, false},
    };
    struct pty p = pty_open();
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        set("TERM", rows[i].term);
        set("NO_COLOR", rows[i].no_color);
        if (skep_terminal_wants_color(rows[i].color, rows[i].terminal ? p.slave : null) != rows[i].want)
            fail_msg("row %zu", i);
    }
    close(null);
    pty_close(&p);
}

static void test_same_and_width(void **state)
{
    (void)state;
    struct pty a = pty_open(), b = pty_open();
    int again = dup(a.slave), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(skep_terminal_same(a.slave, again));
    assert_false(skep_terminal_same(a.slave, b.slave));
    assert_false(skep_terminal_same(null, null));
    assert_false(skep_terminal_is(-1));
    struct winsize ws = {.ws_col = 132, .ws_row = 40};
    assert_int_equal(ioctl(a.master, TIOCSWINSZ, &ws), 0);
    assert_int_equal(skep_terminal_width(again), 132);
    assert_int_equal(skep_terminal_width(b.slave), 80);
    assert_int_equal(skep_terminal_width(null), 80);
    close(again);
    close(null);
    pty_close(&a);
    pty_close(&b);
}

static void test_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned columns;
        size_t want;
    } rows[] = {
        {"", 10, 0},
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"abc", 10, 3},
        {"\xc3\xa4\xc3\xb6", 1, 2},
        {"\033[31mred\033[0m", 3, 12},
        {"\033[31mred\033[0m!", 3, 12},
        {"\033[31mred", 1, 6},
        {"\033[", 1, 1},
        {"a\xff"
         "b",
         2, 2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (skep_terminal_fit(rows[i].text, strlen(rows[i].text), rows[i].columns) != rows[i].want)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_color),
        cmocka_unit_test(test_same_and_width),
        cmocka_unit_test(test_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
