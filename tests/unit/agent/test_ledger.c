/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/ledger.h"

static const char *const names[SKEP_KIND_MAX] = {[SKEP_KIND_open] = "open", [SKEP_KIND_exec] = "exec"};

static struct skep_ledger sample(void)
{
    struct skep_ledger l = {.missed = 2};
    l.rows[SKEP_KIND_open] = (struct skep_ledger_row){.seen = 100, .emitted = 60, .filtered = 30};
    l.rows[SKEP_KIND_open].lost[SKEP_LOST_ring_full] = 7;
    l.rows[SKEP_KIND_open].lost[SKEP_LOST_queue_full] = 3;
    l.rows[SKEP_KIND_exec] = (struct skep_ledger_row){.seen = 5, .emitted = 5};
    return l;
}

static void test_difference(void **state)
{
    (void)state;
    struct skep_ledger l = sample();
    struct skep_ledger_row *row = &l.rows[SKEP_KIND_open];
    assert_int_equal(skep_ledger_lost(row), 10);
    assert_int_equal(skep_ledger_difference(row), 0);
    row->emitted--;
    assert_int_equal(skep_ledger_difference(row), 1);
    row->emitted += 3;
    assert_int_equal(skep_ledger_difference(row), -2);
}

/* submitted is not added: what was submitted is counted where it ends. */
static void test_kernel_counts_are_added(void **state)
{
    (void)state;
    struct skep_ledger l = sample();
    static struct skep_counters sum[SKEP_KIND_MAX];
    sum[SKEP_KIND_open] = (struct skep_counters){.seen = 1000, .submitted = 900, .filtered = 60};
    sum[SKEP_KIND_open].lost[SKEP_LOST_ring_full] = 30;
    sum[SKEP_KIND_open].lost[SKEP_LOST_nested] = 10;
    skep_ledger_add_kernel(&l, sum);
    const struct skep_ledger_row *row = &l.rows[SKEP_KIND_open];
    assert_int_equal(row->seen, 1100);
    assert_int_equal(row->filtered, 90);
    assert_int_equal(row->emitted, 60);
    assert_int_equal(row->lost[SKEP_LOST_ring_full], 37);
    assert_int_equal(row->lost[SKEP_LOST_nested], 10);
    assert_int_equal(row->lost[SKEP_LOST_queue_full], 3);
    assert_int_equal(skep_ledger_difference(row), 900);
}

/* What a replay leaves out is filtered, and nothing else is: not what filtered before it, and not what it lost. */
static void test_narrowed(void **state)
{
    (void)state;
    struct skep_ledger l = sample(), replayed = {0};
    struct skep_ledger_row *row = &l.rows[SKEP_KIND_open], *by = &replayed.rows[SKEP_KIND_open];
    *by = (struct skep_ledger_row){.seen = 63, .emitted = 63};
    skep_ledger_narrow(&l, &replayed); /* all was shown, and what the output lost then as well */
    assert_int_equal(row->emitted, 60);
    *by = (struct skep_ledger_row){.seen = 63, .emitted = 20, .filtered = 43};
    skep_ledger_narrow(&l, &replayed);
    assert_int_equal(row->seen, 100);
    assert_int_equal(row->emitted, 20);
    assert_int_equal(row->filtered, 70);
    assert_int_equal(skep_ledger_difference(row), 0);
    *by = (struct skep_ledger_row){.seen = 20, .emitted = 3, .filtered = 2};
    skep_ledger_narrow(&l, &replayed);
    assert_int_equal(row->emitted, 18);
    assert_int_equal(row->filtered, 72);
}

static void test_json(void **state)
{
    (void)state;
    struct skep_ledger l = sample(), back;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 16);
    skep_ledger_put_json(&l, names, &sb);
    assert_string_equal(
        sb.s,
        "{\"kind\":\"ledger\",\"kinds\":{"
        "\"exec\":{\"seen\":5,\"emitted\":5,\"filtered\":0,\"lost\":{}},"
        "\"open\":{\"seen\":100,\"emitted\":60,\"filtered\":30,\"lost\":{\"ring_full\":7,\"queue_full\":3}}"
        "},\"missed\":2}");
    assert_int_equal(skep_ledger_parse_json(&back, names, sb.s, sb.len), 0);
    assert_memory_equal(&back, &l, sizeof(l));
}

static const char *const damaged[] = {
    "",
    "null",
    "[]",
    "{\"kinds\":[]}",
    "{\"kinds\":{}}",
    "{\"kinds\":{},\"missed\":-1}",
    "{\"kinds\":{\"nothing\":{\"seen\":1,\"emitted\":1,\"filtered\":0,\"lost\":{}}},\"missed\":0}",
    "{\"kinds\":{\"open\":{\"seen\":1,\"emitted\":1,\"lost\":{}}},\"missed\":0}",
    "{\"kinds\":{\"open\":{\"seen\":1,\"emitted\":1,\"filtered\":-2,\"lost\":{}}},\"missed\":0}",
    "{\"kinds\":{\"open\":{\"seen\":1,\"emitted\":1,\"filtered\":0}},\"missed\":0}",
    "{\"kinds\":{\"open\":{\"seen\":1,\"emitted\":1,\"filtered\":0,\"lost\":{\"whim\":1}}},\"missed\":0}",
    "{\"kinds\":{\"open\":{\"seen\":1,\"emitted\":1,\"filtered\":0,\"lost\":{\"nested\":\"1\"}}},\"missed\":0}",
    "{\"kinds\":{\"open\":{\"seen\":1,\"emitted\":1,\"filtered\":0,\"lost\":{}}},\"missed\":0",
};

static void test_damaged_json(void **state)
{
    (void)state;
    struct skep_ledger untouched = sample(), l = untouched;
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        if (skep_ledger_parse_json(&l, names, damaged[i], strlen(damaged[i])) != -EBADMSG)
            fail_msg("taken: %s", damaged[i]);
        assert_memory_equal(&l, &untouched, sizeof(l));
    }
}

static void test_text(void **state)
{
    (void)state;
    struct skep_ledger l = sample();
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 16);
    skep_ledger_put_text(&l, names, &sb);
    assert_non_null(strstr(
        sb.s,
        "\nopen                      100           60           30           10  ring_full 7, queue_full 3\n"));
    assert_non_null(strstr(sb.s, "\nexec                        5            5            0            0\n"));
    assert_non_null(strstr(sb.s, "\n2 calls of sensors"));
    assert_null(strstr(sb.s, "UNACCOUNTED"));
    l.rows[SKEP_KIND_open].seen += 4;
    skep_strbuf_reset(&sb);
    skep_ledger_put_text(&l, names, &sb);
    assert_non_null(strstr(sb.s, "UNACCOUNTED 4\n"));
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(skep_reason_name(SKEP_LOST_ring_full), "ring_full");
    assert_string_equal(skep_reason_name(SKEP_LOST_no_memory_user), "no_memory_user");
    assert_null(skep_reason_name(SKEP_REASON_MAX));
    assert_null(skep_reason_name(SKEP_REASON_MAX - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_difference),   cmocka_unit_test(test_kernel_counts_are_added),
        cmocka_unit_test(test_narrowed),     cmocka_unit_test(test_json),
        cmocka_unit_test(test_damaged_json), cmocka_unit_test(test_text),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
