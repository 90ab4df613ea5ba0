/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/reference.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t count(const char *s, const char *what)
{
    size_t n = 0;
    for (; (s = strstr(s, what)); s += strlen(what))
        n++;
    return n;
}

static void test_text(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_instructions_put_text(&sb);
    assert_false(sb.failed);
    assert_int_equal(count(sb.s, "\n0x"), SKEP_OP_MAX - 1);
    assert_int_equal(count(sb.s, ".word"), 0); /* each example is one */
    assert_non_null(strstr(sb.s, "\n0xbf off 32      base64    r1 = (s32)r2 "));
    assert_non_null(
        strstr(sb.s, "\n0xdb imm 0xf1    atomic64  r0 = cmpxchg_64(r1 + 8, r0, r2)             "
                     "lock cmpxchg [%r1+8], %r2        if r0 is there, put src; r0 = what was there\n"));
}

static void test_json(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 1 << 20);
    skep_json_init(&j, &sb);
    skep_instructions_put_json(&j, NULL);
    assert_false(sb.failed);
    assert_int_equal(count(sb.s, "{\"name\":"), SKEP_OP_MAX - 1);
    assert_non_null(strstr(
        sb.s,
        "{\"name\":\"LDDW_MAP_FD\",\"code\":24,\"group\":\"base64\",\"bits\":64,\"slots\":2,\"fields\":{"
        "\"dst\":\"written\",\"src\":1,\"off\":0,\"imm\":\"id\"},\"c\":\"r1 = map_fd 5\","
        "\"mnemonic\":\"lddw %r1, map_fd 5\",\"doc\":\"dst = the map with descriptor imm\"}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
