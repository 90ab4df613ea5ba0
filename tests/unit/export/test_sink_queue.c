/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink_queue.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct skep_sink_item only(const struct skep_sink_queue *q)
{
    struct skep_sink_item item;
    assert_int_equal(skep_sink_queue_peek(q, &item, 1), 1);
    return item;
}

static void test_keeps_what_was_put(void **state)
{
    (void)state;
    struct skep_sink_queue q;
    assert_int_equal(skep_sink_queue_init(&q, 4, 64), 0);
    assert_true(skep_sink_queue_put(&q, 3, 1234, "one\ntwo\n", 8));
    assert_true(skep_sink_queue_put(&q, 5, 1235, "", 0));
    struct skep_sink_item item = only(&q);
    assert_int_equal(item.len, 9);
    assert_memory_equal(item.data, "one two \n", 9);
    assert_int_equal(item.priority, 3);
    assert_int_equal(item.utc_s, 1234);
    skep_sink_queue_pop(&q, 1);
    item = only(&q);
    assert_int_equal(item.len, 1);
    assert_memory_equal(item.data, "\n", 1);
    skep_sink_queue_pop(&q, 1);
    assert_int_equal(q.count, 0);
    assert_int_equal(skep_sink_queue_peek(&q, &item, 1), 0);
    skep_sink_queue_clear(&q);
}

static void test_bounds(void **state)
{
    (void)state;
    struct skep_sink_queue q;
    char line[64] = {0};
    assert_int_equal(skep_sink_queue_init(&q, 3, 40), 0);
    /* bytes: the line feed counts */
    assert_false(skep_sink_queue_put(&q, 0, 0, line, 40));
    assert_true(skep_sink_queue_put(&q, 0, 0, line, 39));
    assert_false(skep_sink_queue_put(&q, 0, 0, line, 0));
    skep_sink_queue_pop(&q, 1);
    /* alerts */
    for (int i = 0; i < 3; i++)
        assert_true(skep_sink_queue_put(&q, 0, 0, line, 1));
    assert_false(skep_sink_queue_put(&q, 0, 0, line, 1));
    skep_sink_queue_pop(&q, 1);
    assert_true(skep_sink_queue_put(&q, 0, 0, line, 1));
    skep_sink_queue_clear(&q);
}

/* An alert that does not fit before the end goes to the beginning, in one piece, once there is room. */
static void test_never_splits(void **state)
{
    (void)state;
    struct skep_sink_queue q;
    assert_int_equal(skep_sink_queue_init(&q, 8, 32), 0);
    assert_true(skep_sink_queue_put(&q, 0, 0, "aaaaaaaaaaa", 11)); /* 0..12 */
    assert_true(skep_sink_queue_put(&q, 0, 0, "bbbbbbbbbbb", 11)); /* 12..24 */
    assert_false(skep_sink_queue_put(&q, 0, 0, "ccccccccccc", 11));
    skep_sink_queue_pop(&q, 1);
    assert_true(skep_sink_queue_put(&q, 0, 0, "ccccccccccc", 11)); /* 0..12, and full */
    assert_false(skep_sink_queue_put(&q, 0, 0, "", 0));
    struct skep_sink_item items[2];
    assert_int_equal(skep_sink_queue_peek(&q, items, 2), 2);
    assert_memory_equal(items[0].data, "bbbbbbbbbbb\n", 12);
    assert_memory_equal(items[1].data, "ccccccccccc\n", 12);
    assert_ptr_equal(items[1].data, q.bytes);
    skep_sink_queue_clear(&q);
}

/* A deque of the test's own says what must be in it; sizes and order by a fixed sequence of chance. */
static void test_random(void **state)
{
    (void)state;
    struct skep_sink_queue q;
    unsigned seed = 1, next_in = 0, next_out = 0, refused = 0;
    char line[200];
    assert_int_equal(skep_sink_queue_init(&q, 20, 700), 0);
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1103515245 + 12345;
        if (seed >> 16 & 1) {
            size_t len = 4 + (seed >> 17) % 150;
            memset(line, 'a' + (int)(next_in % 26), len);
            memcpy(line, &(uint32_t){next_in | 0x80808080}, 4); /* no line feed among the four */
            if (skep_sink_queue_put(&q, next_in % 8, next_in, line, len))
                next_in++;
            else
                refused++;
        } else if (q.count) {
            struct skep_sink_item items[3];
            size_t n = skep_sink_queue_peek(&q, items, 1 + (seed >> 17) % 3);
            for (size_t k = 0; k < n; k++) {
                uint32_t number = next_out | 0x80808080;
                assert_memory_equal(items[k].data, &number, 4);
                for (size_t b = 4; b < items[k].len - 1; b++)
                    assert_int_equal(items[k].data[b], 'a' + (int)(next_out % 26));
                assert_int_equal(items[k].data[items[k].len - 1], '\n');
                assert_int_equal(items[k].priority, next_out % 8);
                next_out++;
            }
            skep_sink_queue_pop(&q, n);
        }
        assert_int_equal(q.count, next_in - next_out);
    }
    assert_true(refused > 100 && next_out > 10000);
    skep_sink_queue_clear(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_what_was_put),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_never_splits),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
