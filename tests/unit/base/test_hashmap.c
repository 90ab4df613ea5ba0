/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hashmap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define KEYS 500

static uint64_t rng = 0xda942042e4dd58b5ULL;

static uint32_t pick(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 32) % below);
}

static char cells[64]; /* their addresses are the values */

/* Key number i, key_size bytes; equal only for equal i, whichever the size. */
static void make_key(uint8_t *key, size_t key_size, unsigned i)
{
    memset(key, 0x5a, key_size);
    key[0] = (uint8_t)i;
    if (key_size > 1)
        key[key_size - 1] = (uint8_t)(i >> 8);
}

/* All that the map says, against an array indexed by key number. */
static void compare(const struct skep_hashmap *m, void *const *model, unsigned n_keys)
{
    uint8_t key[SKEP_HASHMAP_KEY_MAX];
    size_t count = 0, walked = 0, at = 0, uses[ARRAY_SIZE(cells)] = {0};
    for (unsigned i = 0; i < n_keys; i++) {
        make_key(key, m->key_size, i);
        assert_ptr_equal(skep_hashmap_get(m, key), model[i]);
        if (model[i]) {
            count++;
            uses[(char *)model[i] - cells]++;
        }
    }
    assert_int_equal(m->count, count);
    for (char *v; (v = skep_hashmap_next(m, &at)); walked++)
        uses[v - cells]--;
    assert_int_equal(walked, count);
    for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
        assert_int_equal(uses[i], 0);
}

static void test_against_model(void **state)
{
    (void)state;
    static const size_t key_sizes[] = {1, 2, 4, 8, 12, SKEP_HASHMAP_KEY_MAX};
    for (size_t k = 0; k < ARRAY_SIZE(key_sizes); k++) {
        void *model[KEYS] = {0};
        uint8_t key[SKEP_HASHMAP_KEY_MAX];
        unsigned n_keys = key_sizes[k] == 1 ? 256 : KEYS;
        size_t max = 200, count = 0;
        struct skep_hashmap m;
        skep_hashmap_init(&m, key_sizes[k], max);
        for (int step = 0; step < 40000; step++) {
            unsigned i = pick(n_keys);
            make_key(key, key_sizes[k], i);
            /* the mix drifts, so that the map fills up and empties again */
            if (pick(100) < (step / 4000 % 2 ? 30U : 70U)) {
                void *value = &cells[pick(sizeof(cells))], *old = key;
                int r = skep_hashmap_put(&m, key, value, &old);
                if (!model[i] && count == max) {
                    assert_int_equal(r, -E2BIG);
                    assert_ptr_equal(old, key);
                } else {
                    assert_int_equal(r, 0);
                    assert_ptr_equal(old, model[i]);
                    count += !model[i];
                    model[i] = value;
                }
            } else {
                assert_ptr_equal(skep_hashmap_del(&m, key), model[i]);
                count -= !!model[i];
                model[i] = NULL;
            }
            if (step % 200 == 0)
                compare(&m, model, n_keys);
        }
        compare(&m, model, n_keys);
        assert_true(m.n_slots <= 512);
        skep_hashmap_clear(&m);
        assert_null(skep_hashmap_get(&m, key));
        assert_null(skep_hashmap_del(&m, key));
        assert_int_equal(skep_hashmap_put(&m, key, cells, NULL), 0);
        assert_ptr_equal(skep_hashmap_get(&m, key), cells);
        skep_hashmap_clear(&m);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct skep_hashmap m;
    size_t at = 0;
    uint64_t key = 1;
    skep_hashmap_init(&m, sizeof(key), 0);
    assert_null(skep_hashmap_get(&m, &key));
    assert_null(skep_hashmap_del(&m, &key));
    assert_null(skep_hashmap_next(&m, &at));
    assert_int_equal(skep_hashmap_put(&m, &key, cells, NULL), -E2BIG);
    skep_hashmap_clear(&m);
}

/* A full life of insertions and deletions must not lengthen the probes: with tombstones this would. */
static void test_does_not_age(void **state)
{
    (void)state;
    struct skep_hashmap m;
    skep_hashmap_init(&m, sizeof(uint64_t), 1000);
    for (uint64_t i = 0; i < 300000; i++) {
        assert_int_equal(skep_hashmap_put(&m, &i, cells, NULL), 0);
        if (i >= 100) {
            uint64_t gone = i - 100;
            assert_ptr_equal(skep_hashmap_del(&m, &gone), cells);
        }
    }
    assert_int_equal(m.count, 100);
    assert_int_equal(m.n_slots, 256);
    size_t used = 0;
    for (size_t i = 0; i < m.n_slots; i++)
        used += m.slots[i].value != NULL;
    assert_int_equal(used, 100);
    skep_hashmap_clear(&m);
}

static void test_hash_spreads(void **state)
{
    (void)state;
    unsigned buckets[64] = {0};
    for (uint64_t i = 0; i < 64000; i++)
        buckets[skep_hash_bytes(&i, sizeof(i), 7) % 64]++;
    for (size_t i = 0; i < 64; i++)
        assert_in_range(buckets[i], 700, 1300);
    assert_int_equal(skep_hash_bytes("abc", 3, 1), skep_hash_bytes("abc", 3, 1));
    assert_int_not_equal(skep_hash_bytes("abc", 3, 1), skep_hash_bytes("abc", 3, 2));
    assert_int_not_equal(skep_hash_bytes("abc", 3, 1), skep_hash_bytes("abd", 3, 1));
    assert_int_not_equal(skep_hash_bytes("abc", 3, 1), skep_hash_bytes("abc", 2, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_does_not_age),
        cmocka_unit_test(test_hash_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
