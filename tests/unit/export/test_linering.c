/* SPDX-License-Identifier: Apache-2.0 */
#include "export/linering.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define BYTES 512

struct account {
    size_t lines;
    unsigned last_kind;
};

static void count(void *userdata, unsigned kind)
{
    struct account *a = userdata;
    a->lines++;
    a->last_kind = kind;
}

/* What peek offers, joined. */
static size_t content(const struct skep_linering *r, size_t max, char *to)
{
    struct iovec iov[2];
    int n;
    size_t len = skep_linering_peek(r, max, iov, &n);
    memcpy(to, iov[0].iov_base, iov[0].iov_len);
    if (n == 2)
        memcpy(to + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
    to[len] = '\0';
    return len;
}

static void test_trim(void **state)
{
    (void)state;
    struct skep_linering r;
    struct account written = {0};
    unsigned char resident;
    static char line[4000];
    assert_int_equal(skep_linering_init(&r, 4 << 20), 0);
    assert_true(skep_linering_put(&r, 1, false, line, sizeof(line)));
    skep_linering_consume(&r, r.used, count, &written);
    assert_false(skep_linering_wants_trim(&r)); /* little was in use */
    for (int i = 0; i < 500; i++)
        assert_true(skep_linering_put(&r, 1, false, line, sizeof(line)));
    assert_false(skep_linering_wants_trim(&r)); /* in use */
    char *inside = (char *)(((uintptr_t)r.bytes + (1 << 20)) & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1));
    assert_int_equal(mincore(inside, 1, &resident), 0);
    assert_true(resident & 1);
    skep_linering_consume(&r, r.used, count, &written);
    assert_true(skep_linering_wants_trim(&r));
    skep_linering_trim(&r);
    assert_int_equal(mincore(inside, 1, &resident), 0);
    assert_false(resident & 1);
    assert_false(skep_linering_wants_trim(&r));
    /* as good as new */
    for (int i = 0; i < 500; i++) {
        memset(line, i, sizeof(line));
        assert_true(skep_linering_put(&r, 2, false, line, sizeof(line)));
    }
    assert_int_equal(r.bytes[400 * 4001], (char)400);
    skep_linering_consume(&r, r.used, count, &written);
    assert_int_equal(written.lines, 1001);
    assert_int_equal(written.last_kind, 2);
    skep_linering_clear(&r);
}

static void test_order_and_counts(void **state)
{
    (void)state;
    struct skep_linering r;
    assert_int_equal(skep_linering_init(&r, BYTES), 0);
    char text[BYTES + 1];
    struct account a = {0};
    assert_true(skep_linering_put(&r, 1, false, "one", 3));
    assert_true(skep_linering_put(&r, 2, false, "", 0));
    assert_true(skep_linering_put(&r, 3, false, "three", 5));
    content(&r, BYTES, text);
    assert_string_equal(text, "one\n\nthree\n");
    skep_linering_consume(&r, 2, count, &a);
    assert_int_equal(a.lines, 0);
    assert_int_equal(r.cut, 2);
    skep_linering_consume(&r, 4, count, &a);
    assert_int_equal(a.lines, 2);
    assert_int_equal(a.last_kind, 2);
    assert_int_equal(r.cut, 1);
    content(&r, 3, text);
    assert_string_equal(text, "hre");
    skep_linering_consume(&r, 5, count, &a);
    assert_int_equal(a.lines, 3);
    assert_int_equal(r.used, 0);
    assert_int_equal(r.at, 0);
    skep_linering_clear(&r);
}

static void test_reserve_is_for_urgent_lines(void **state)
{
    (void)state;
    struct skep_linering r;
    assert_int_equal(skep_linering_init(&r, BYTES), 0);
    char line[BYTES];
    memset(line, 'x', sizeof(line));
    assert_false(skep_linering_put(&r, 1, false, line, BYTES - BYTES / 16));
    assert_true(skep_linering_put(&r, 1, false, line, BYTES - BYTES / 16 - 1));
    assert_false(skep_linering_put(&r, 1, false, "", 0));
    assert_false(skep_linering_put(&r, 1, true, line, BYTES / 16));
    assert_true(skep_linering_put(&r, 1, true, line, BYTES / 16 - 1));
    assert_false(skep_linering_put(&r, 1, true, "", 0));
    assert_int_equal(r.used, BYTES);
    skep_linering_clear(&r);
}

static void test_slots_run_out(void **state)
{
    (void)state;
    struct skep_linering r;
    assert_int_equal(skep_linering_init(&r, BYTES), 0);
    size_t n = 0;
    while (skep_linering_put(&r, 1, true, "", 0))
        n++;
    assert_int_equal(n, BYTES / 32);
    struct account a = {0};
    skep_linering_drop_all(&r, count, &a);
    assert_int_equal(a.lines, n);
    skep_linering_clear(&r);
}

/* At every place in the ring, so that they also run across its end. */
static void test_many_at_once(void **state)
{
    (void)state;
    static const char lines[] = "one\n\nthree\n";
    static const struct skep_linering_slot slots[] = {
        {.len = 4, .kind = 1}, {.len = 1, .kind = 2}, {.len = 6, .kind = 3}};
    for (size_t start = 0; start < BYTES; start++) {
        struct skep_linering r;
        struct account a = {0};
        char text[BYTES + 1];
        size_t len = 1;
        assert_int_equal(skep_linering_init(&r, BYTES), 0);
        r.at = start;
        r.first = start % r.n_slots;
        assert_int_equal(skep_linering_put_lines(&r, slots, 3, lines, &len), 3);
        assert_int_equal(len, 11);
        content(&r, BYTES, text);
        assert_string_equal(text, lines);
        assert_int_equal(r.most, 11);
        skep_linering_consume(&r, 11, count, &a);
        assert_int_equal(a.lines, 3);
        assert_int_equal(a.last_kind, 3);
        skep_linering_clear(&r);
    }
}

static void test_many_and_no_room(void **state)
{
    (void)state;
    static char bytes[BYTES];
    struct skep_linering_slot slots[BYTES];
    struct skep_linering r;
    size_t len;
    for (size_t i = 0; i < BYTES; i++)
        slots[i] = (struct skep_linering_slot){.len = 100, .kind = 1};
    assert_int_equal(skep_linering_init(&r, BYTES), 0);
    /* the part that is reserved stays free */
    assert_int_equal(skep_linering_put_lines(&r, slots, 5, bytes, &len), 4);
    assert_int_equal(len, 400);
    assert_int_equal(skep_linering_put_lines(&r, slots, 1, bytes, &len), 0);
    assert_int_equal(len, 0);
    slots[0].len = BYTES - BYTES / 16 - 400;
    assert_int_equal(skep_linering_put_lines(&r, slots, 1, bytes, &len), 1);
    skep_linering_drop_all(&r, count, &(struct account){0});
    /* and so do slots */
    for (size_t i = 0; i < BYTES; i++)
        slots[i].len = 1;
    assert_int_equal(skep_linering_put_lines(&r, slots, BYTES, bytes, &len), BYTES / 32 - BYTES / 32 / 16);
    skep_linering_clear(&r);
}

static void test_drop_keeps_the_rest_of_a_torn_line(void **state)
{
    (void)state;
    /* at every place in the ring, so that the rest also moves across its end */
    for (size_t start = 0; start < BYTES; start++) {
        struct skep_linering r;
        assert_int_equal(skep_linering_init(&r, BYTES), 0);
        r.at = start;
        r.first = start % r.n_slots;
        struct account lost = {0}, written = {0};
        assert_true(skep_linering_put(&r, 1, false, "first line", 10));
        assert_true(skep_linering_put(&r, 2, false, "second", 6));
        assert_true(skep_linering_put(&r, 3, false, "third", 5));
        assert_true(skep_linering_put(&r, 4, false, "fourth", 6));
        skep_linering_consume(&r, 6, count, &written);
        skep_linering_drop(&r, 5 + 7 + 1, count, &lost); /* ends inside the third */
        assert_int_equal(written.lines, 0);
        assert_int_equal(lost.lines, 2);
        assert_int_equal(lost.last_kind, 3);
        char text[BYTES + 1];
        content(&r, BYTES, text);
        assert_string_equal(text, "line\nfourth\n");
        skep_linering_consume(&r, 5, count, &written);
        assert_int_equal(written.lines, 1);
        assert_int_equal(written.last_kind, 1);
        skep_linering_consume(&r, 7, count, &written);
        assert_int_equal(written.last_kind, 4);
        assert_int_equal(r.count, 0);
        skep_linering_clear(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_order_and_counts),
        cmocka_unit_test(test_reserve_is_for_urgent_lines),
        cmocka_unit_test(test_slots_run_out),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_many_and_no_room),
        cmocka_unit_test(test_drop_keeps_the_rest_of_a_torn_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
