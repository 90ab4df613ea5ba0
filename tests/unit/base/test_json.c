/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t rng = 0x2545f4914f6cdd1dULL;

static uint32_t pick(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 32) % below);
}

static void test_members(void **state)
{
    (void)state;
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 1000);
    skep_json_init(&j, &sb);
    skep_json_open(&j, NULL, '{');
    skep_json_str(&j, "comm", "bash", 4);
    skep_json_u64(&j, "max", UINT64_MAX);
    skep_json_i64(&j, "min", INT64_MIN);
    skep_json_bool(&j, "yes", true);
    skep_json_bool(&j, "no", false);
    skep_json_null(&j, "nil");
    skep_json_strz(&j, "none", NULL);
    skep_json_f64(&j, "half", 0.5);
    skep_json_f64(&j, "nan", NAN);
    skep_json_f64(&j, "inf", -INFINITY);
    skep_json_open(&j, "empty", '{');
    skep_json_close(&j, '}');
    skep_json_open(&j, "list", '[');
    skep_json_u64(&j, NULL, 1);
    skep_json_open(&j, NULL, '[');
    skep_json_close(&j, ']');
    skep_json_strz(&j, NULL, "x");
    skep_json_close(&j, ']');
    skep_json_name(&j, "raw");
    skep_strbuf_puts(&sb, "7");
    skep_json_close(&j, '}');
    assert_false(sb.failed);
    assert_string_equal(sb.s,
                        "{\"comm\":\"bash\",\"max\":18446744073709551615,\"min\":-9223372036854775808,"
                        "\"yes\":true,\"no\":false,\"nil\":null,\"none\":null,\"half\":0.5,\"nan\":null,"
                        "\"inf\":null,\"empty\":{},\"list\":[1,[],\"x\"],\"raw\":7}");
}

static void test_quote(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t n;
        const char *out;
    } rows[] = {
        {"", 0, "\"\""},
        {"a b", 3, "\"a b\""},
        {"\"\\/", 3, "\"\\\"\\\\/\""},
        {"\n\t\r", 3, "\"\\n\\t\\r\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\x1f\x7f", 2, "\"\\u001f\\u007f\""},
        {"\xc3\xbc", 2, "\"\xc3\xbc\""},
        {"\xc3", 1, "\"\\ufffd\""},
        {"\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf0\x9f\x90\x9d!", 5, "\"\xf0\x9f\x90\x9d!\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 100);
        skep_json_quote(&sb, rows[i].in, rows[i].n);
        assert_string_equal(sb.s, rows[i].out);
    }
}

/* Any bytes give text that a strict reader takes, and that reader gets back each valid sequence unchanged
 * and U+FFFD for each byte that belongs to none. */
static void test_round_trip(void **state)
{
    (void)state;
    for (int round = 0; round < 5000; round++) {
        uint8_t in[80];
        size_t n = pick(sizeof(in));
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)(pick(2) ? pick(256) : 0xc0 + pick(64));
        _cleanup_strbuf_ struct skep_strbuf text, expected;
        skep_strbuf_init(&text, 4096);
        skep_strbuf_init(&expected, 4096);
        for (size_t i = 0; i < n;) {
            size_t len = skep_utf8_len(in + i, n - i);
            skep_strbuf_put(&expected, len ? (const char *)in + i : "\xef\xbf\xbd", len ? len : 3);
            i += len ? len : 1;
        }
        skep_json_quote(&text, in, n);
        json_t *back = json_loadb(text.s, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(back);
        assert_int_equal(json_string_length(back), expected.len);
        assert_memory_equal(json_string_value(back), expected.s, expected.len);
        json_decref(back);
    }
}

/* Writes a random tree; wrote counts the values, whichever shape they have. */
static void write_tree(struct skep_json *j, const char *name, int depth, size_t *wrote)
{
    (*wrote)++;
    uint32_t what = pick(depth > 0 ? 8 : 6);
    bool object = what == 7;
    switch (what) {
    case 0:
        skep_json_u64(j, name, rng);
        return;
    case 1:
        skep_json_i64(j, name, -(int64_t)pick(1000));
        return;
    case 2:
        skep_json_bool(j, name, pick(2));
        return;
    case 3:
        skep_json_null(j, name);
        return;
    case 4:
        skep_json_f64(j, name, (double)pick(1000) / 7);
        return;
    case 5:
        skep_json_str(j, name, &rng, sizeof(rng));
        return;
    }
    skep_json_open(j, name, object ? '{' : '[');
    for (uint32_t i = 0, n = pick(5); i < n; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u\"", i);
        write_tree(j, object ? key : NULL, depth - 1, wrote);
    }
    skep_json_close(j, object ? '}' : ']');
}

static size_t count_tree(const json_t *v)
{
    size_t n = 1, i;
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)(uintptr_t)v, key, child) n += count_tree(child);
    json_array_foreach(v, i, child) n += count_tree(child);
    return n;
}

static void test_random_trees(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t wrote = 0;
        struct skep_json j;
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 1 << 20);
        skep_json_init(&j, &sb);
        skep_json_open(&j, NULL, '[');
        write_tree(&j, NULL, 5, &wrote);
        skep_json_close(&j, ']');
        json_error_t error;
        json_t *back = json_loadb(sb.s, sb.len,
                                  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
        if (!back)
            fail_msg("%s in %s", error.text, sb.s);
        assert_int_equal(count_tree(back), wrote + 1);
        json_decref(back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_random_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
