/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/print.h"

#include "agent/options.h"
#include "base/log.h"

/* e: why, 0: of an earlier write, whose reason is gone. */
static int failed(int e)
{
    if (e == EPIPE)
        return SKEP_EXIT_OK;
    return skep_log_error(SKEP_EXIT_FAILED, "cannot write to standard output%s%s", e ? ": " : "",
                          e ? strerror(e) : "");
}

int skep_print_end(void)
{
    bool before = ferror(stdout) != 0;
    if (fflush(stdout) != 0)
        return failed(errno);
    return before ? failed(0) : SKEP_EXIT_OK;
}

int skep_print(const struct skep_strbuf *text)
{
    if (text->failed)
        return -ENOMEM;
    if (fwrite(text->s, 1, text->len, stdout) != text->len)
        return failed(errno);
    return skep_print_end();
}
