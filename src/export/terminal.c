/* SPDX-License-Identifier: Apache-2.0 */
#include "export/terminal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/strbuf.h"

#define WIDTH_UNKNOWN 80

bool skep_terminal_is(int fd)
{
    return isatty(fd) == 1;
}

static bool term_is_smart(void)
{
    const char *term = getenv("TERM");
    return term && *term && !skep_streq(term, "dumb");
}

bool skep_terminal_can_draw(int fd)
{
    return skep_terminal_is(fd) && term_is_smart();
}

bool skep_terminal_wants_color(enum skep_color color, int fd)
{
    if (color != SKEP_COLOR_AUTO)
        return color == SKEP_COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && skep_terminal_can_draw(fd);
}

bool skep_terminal_same(int a, int b)
{
    struct stat sa, sb;
    return skep_terminal_is(a) && skep_terminal_is(b) && fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
           sa.st_rdev == sb.st_rdev;
}

unsigned skep_terminal_width(int fd)
{
    struct winsize ws;
    if (ioctl(fd, TIOCGWINSZ, &ws) < 0 || ws.ws_col == 0)
        return WIDTH_UNKNOWN;
    return ws.ws_col;
}

/* Length of the SGR sequence at s, or 0. */
static size_t sgr_len(const char *s, size_t n)
{
    if (n < 3 || s[0] != '\033' || s[1] != '[')
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (s[i] == 'm')
            return i + 1;
        if (!((s[i] >= '0' && s[i] <= '9') || s[i] == ';'))
            return 0;
    }
    return 0;
}

size_t skep_terminal_fit(const char *text, size_t len, unsigned columns)
{
    size_t at = 0;
    while (at < len) {
        size_t n = sgr_len(text + at, len - at);
        if (n == 0) {
            if (columns == 0)
                break;
            columns--;
            n = skep_utf8_len((const uint8_t *)text + at, len - at);
        }
        at += MAX(n, (size_t)1);
    }
    return at;
}
