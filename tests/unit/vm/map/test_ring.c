/* SPDX-License-Identifier: Apache-2.0 */
#include "../machine.h"

#include <linux/bpf.h>
#include <pthread.h>

#define SIZE 4096

static struct skep_vm_map *make(struct machine *m)
{
    const struct skep_vm_map_options o = {
        .size = sizeof(o), .type = BPF_MAP_TYPE_RINGBUF, .max_entries = SIZE};
    struct skep_vm_map *map;
    machine_init(m, SKEP_VM_MODE_INTERPRET);
    assert_int_equal(skep_vm_map_new(m->vm, &o, &map), 0);
    return map;
}

static void finish(struct machine *m, struct skep_vm_map *map)
{
    skep_vm_map_unref(map);
    machine_clear(m);
}

struct seen {
    unsigned n;
    int stop_at;
    size_t sizes[16];
    uint8_t first[16]; /* byte of each */
};

static int see(void *data, const void *record, size_t size)
{
    struct seen *s = data;
    if (s->n < 16) {
        s->sizes[s->n] = size;
        s->first[s->n] = size ? *(const uint8_t *)record : 0;
    }
    return (int)++s->n == s->stop_at ? -EINTR : 0;
}

static void put(struct skep_vm_map *map, uint8_t byte, size_t size, int wanted)
{
    uint8_t record[SIZE];
    memset(record, byte, sizeof(record));
    assert_int_equal(skep_ring_output(map, record, size, 0), wanted);
}

static void records_come_in_order_of_reservation(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    uint32_t a, b, c;
    uint8_t *first = (uint8_t *)(uintptr_t)skep_ring_reserve(map, 5, &a);
    uint8_t *second = (uint8_t *)(uintptr_t)skep_ring_reserve(map, 8, &b);
    uint8_t *third = (uint8_t *)(uintptr_t)skep_ring_reserve(map, 1, &c);
    assert_true(first && second && third);
    first[0] = 1, second[0] = 2, third[0] = 3;
    struct seen s = {0};
    skep_ring_commit(map, c, 0, false);
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 0);
    skep_ring_commit(map, a, 0, false);
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 1);
    skep_ring_commit(map, b, 0, true); /* nobody sees what was discarded */
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 1);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.first[0], 1);
    assert_int_equal(s.sizes[0], 5);
    assert_int_equal(s.first[1], 3);
    assert_int_equal(s.sizes[1], 1);
    assert_int_equal(skep_ring_query(map, BPF_RB_AVAIL_DATA), 0);
    assert_int_equal(skep_ring_query(map, BPF_RB_RING_SIZE), SIZE);
    assert_int_equal(skep_ring_query(map, BPF_RB_CONS_POS), 16 + 16 + 16);
    assert_int_equal(skep_ring_query(map, BPF_RB_PROD_POS), 16 + 16 + 16);
    assert_int_equal(skep_ring_query(map, 4), 0);
    finish(&m, map);
}

static void records_go_over_the_end_in_one_piece(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    for (unsigned i = 0; i < 100; i++) {
        struct seen s = {0};
        put(map, (uint8_t)i, 1000 + i, 0);
        put(map, (uint8_t)(i + 1), 500, 0);
        assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 2);
        assert_int_equal(s.first[0], (uint8_t)i);
        assert_int_equal(s.sizes[0], 1000 + i);
        assert_int_equal(s.first[1], (uint8_t)(i + 1));
    }
    /* the whole of a record that lies across the end can be written and read at its addresses */
    uint32_t offset;
    uint8_t *record = (uint8_t *)(uintptr_t)skep_ring_reserve(map, 3000, &offset);
    memset(record, 0x5a, 3000);
    skep_ring_commit(map, offset, 0, false);
    struct seen s = {0};
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 1);
    finish(&m, map);
}

static void a_full_ring_says_so(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    uint32_t offset;
    assert_int_equal(skep_ring_reserve(map, UINT64_MAX, &offset), 0);
    assert_int_equal(skep_ring_reserve(map, UINT32_MAX, &offset), 0);
    assert_int_equal(skep_ring_reserve(map, SIZE, &offset), 0);
    put(map, 1, SIZE - 8, -EAGAIN); /* as in the kernel one byte always stays free */
    put(map, 1, SIZE - 16, 0);
    put(map, 1, 0, -EAGAIN);
    assert_int_equal(skep_ring_output(map, "", 1, 4), -EINVAL);
    struct seen s = {0};
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 1);
    put(map, 1, 0, 0);
    finish(&m, map);
}

static void consuming_can_stop(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    for (uint8_t i = 0; i < 5; i++)
        put(map, i, 8, 0);
    struct seen s = {.stop_at = 2};
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), -EINTR);
    s.stop_at = 0;
    assert_int_equal(skep_vm_ring_consume(map, 2, see, &s), 2);
    assert_int_equal(s.first[3], 3); /* none twice, none left out */
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 1);
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 0);
    finish(&m, map);
}

static void count(void *data)
{
    ++*(unsigned *)data;
}

static void wake_ups_adapt(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    unsigned n = 0;
    skep_vm_ring_set_wakeup(map, count, &n);
    struct seen s = {0};
    put(map, 1, 8, 0);
    assert_int_equal(n, 1);
    put(map, 1, 8, 0); /* the consumer has not come yet: it knows already */
    assert_int_equal(n, 1);
    skep_ring_output(map, "", 1, BPF_RB_FORCE_WAKEUP);
    assert_int_equal(n, 2);
    skep_vm_ring_consume(map, 0, see, &s);
    skep_ring_output(map, "", 1, BPF_RB_NO_WAKEUP);
    assert_int_equal(n, 2);
    skep_vm_ring_consume(map, 0, see, &s);
    put(map, 1, 8, 0);
    assert_int_equal(n, 3);
    skep_vm_ring_set_wakeup(map, NULL, NULL);
    skep_ring_output(map, "", 1, BPF_RB_FORCE_WAKEUP);
    assert_int_equal(n, 3);
    finish(&m, map);
}

/* Whatever a program writes where the kernel has its headers, the ring stays whole. */
static void headers_are_out_of_reach(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    put(map, 1, 8, 0);
    put(map, 2, 8, 0);
    memset(map->area.start, 0xff, 2 * SIZE);
    struct seen s = {0};
    assert_int_equal(skep_vm_ring_consume(map, 0, see, &s), 2);
    assert_int_equal(s.sizes[0], 8);
    finish(&m, map);
}

/* ---- threads ---- */

#define PRODUCERS 3
#define RECORDS 5000

struct producer {
    struct skep_vm_map *map;
    uint32_t number;
};

static void *produce(void *data)
{
    const struct producer *p = data;
    for (uint32_t i = 0; i < RECORDS;) {
        const uint32_t record[3] = {p->number, i, p->number ^ i};
        if (i % 7 == 6) {
            uint32_t offset;
            uint64_t at = skep_ring_reserve(p->map, 40, &offset);
            if (at)
                skep_ring_commit(p->map, offset, 0, true);
        }
        if (skep_ring_output(p->map, record, sizeof(record), 0) == 0)
            i++;
    }
    return NULL;
}

struct consumer {
    uint32_t next[PRODUCERS];
    bool wrong;
};

static int take(void *data, const void *record, size_t size)
{
    struct consumer *c = data;
    const uint32_t *r = record;
    if (size != 12 || r[0] >= PRODUCERS || r[1] != c->next[r[0]]++ || r[2] != (r[0] ^ r[1]))
        c->wrong = true;
    return 0;
}

static void many_producers(void **state)
{
    (void)state;
    struct machine m;
    struct skep_vm_map *map = make(&m);
    pthread_t threads[PRODUCERS];
    struct producer producers[PRODUCERS];
    struct consumer c = {0};
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){map, i};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    int64_t total = 0;
    while (total < (int64_t)PRODUCERS * RECORDS) {
        int64_t n = skep_vm_ring_consume(map, 0, take, &c);
        assert_true(n >= 0);
        total += n;
        if (!n)
            sched_yield();
    }
    for (uint32_t i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    assert_false(c.wrong);
    finish(&m, map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order_of_reservation),
        cmocka_unit_test(records_go_over_the_end_in_one_piece),
        cmocka_unit_test(a_full_ring_says_so),
        cmocka_unit_test(consuming_can_stop),
        cmocka_unit_test(wake_ups_adapt),
        cmocka_unit_test(headers_are_out_of_reach),
        cmocka_unit_test(many_producers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
