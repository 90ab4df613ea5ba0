/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>

static enum skep_log_level log_level = SKEP_LOG_INFO;

static const char *const prefixes[] = {
    [SKEP_LOG_ERROR] = "error: ",
    [SKEP_LOG_WARNING] = "warning: ",
    [SKEP_LOG_INFO] = "",
    [SKEP_LOG_DEBUG] = "debug: ",
};

void skep_log_set_level(enum skep_log_level level)
{
    log_level = level;
}

/* One write per message, so that lines of several threads do not mix. */
static void log_va(enum skep_log_level level, const char *fmt, va_list ap)
{
    char line[1024];
    int saved = errno;
    int n = snprintf(line, sizeof(line), "skep: %s", prefixes[level]);
    int m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
    size_t len = MIN((size_t)n + (size_t)MAX(m, 0), sizeof(line) - 2);
    line[len++] = '\n';
    fwrite(line, 1, len, stderr);
    errno = saved;
}

void skep_log(enum skep_log_level level, const char *fmt, ...)
{
    if (level > log_level)
        return;
    va_list ap;
    va_start(ap, fmt);
    log_va(level, fmt, ap);
    va_end(ap);
}

int skep_log_error(int r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_va(SKEP_LOG_ERROR, fmt, ap);
    va_end(ap);
    return r;
}
