/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a DNS message: all that comes out is printable ASCII and inside its buffers.
 */
#include "base/macro.h"
#include "event/dns.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(s[i] >= 0x20 && s[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct skep_dns d;
    memset(&d, 0xff, sizeof(d));
    if (skep_dns_parse(data, n, &d) < 0)
        return 0;
    check(memchr(d.question, 0, sizeof(d.question)) != NULL);
    check_text(d.question, strlen(d.question));
    check(d.answers_len <= sizeof(d.answers));
    unsigned count = 0;
    for (size_t at = 0; at < d.answers_len; count++) {
        size_t len = strnlen(d.answers + at, d.answers_len - at);
        check(at + len < d.answers_len);
        check_text(d.answers + at, len);
        at += len + 1;
    }
    check(count == d.n_answers);
    return 0;
}
