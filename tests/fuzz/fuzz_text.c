/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes written as JSON must come back through a strict reader, and any bytes shown on a terminal must be
 * valid UTF-8 without control characters. The first byte chooses how small the buffer is, so that every append
 * also fails somewhere.
 */
#include "base/clock.h"
#include "base/json.h"

#include <jansson.h>

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_json(const uint8_t *data, size_t n, size_t max)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, max);
    skep_json_quote(&sb, data, n);
    check(sb.len <= max && sb.s[sb.len] == '\0');
    if (sb.failed)
        return;
    json_t *v = json_loadb(sb.s, sb.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    check(json_is_string(v));
    json_decref(v);
}

static void check_visible(const uint8_t *data, size_t n, size_t max)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, max);
    skep_strbuf_put_visible(&sb, data, n);
    check(sb.len <= max && sb.s[sb.len] == '\0');
    for (size_t i = 0; i < sb.len;) {
        const uint8_t *s = (const uint8_t *)sb.s + i;
        size_t len = skep_utf8_len(s, sb.len - i);
        check(len > 0 && s[0] >= 0x20 && s[0] != 0x7f && !(s[0] == 0xc2 && s[1] < 0xa0));
        i += len;
    }
}

static void check_duration(const uint8_t *data, size_t n)
{
    uint64_t ns;
    _cleanup_free_ char *text = strndup((const char *)data, n);
    if (!text || skep_duration_parse(text, &ns) < 0)
        return;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 64);
    skep_duration_put(&sb, ns);
    check(!sb.failed && sb.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    size_t max = data[0] ? data[0] : 1 << 20;
    check_json(data + 1, n - 1, max);
    check_visible(data + 1, n - 1, max);
    check_duration(data + 1, n - 1);
    return 0;
}
