/* SPDX-License-Identifier: Apache-2.0 */
/* What maps promise beyond the codes that test_map_kernel.c compares: memory, threads, iteration, eviction, and what
 * programs see of them. */
#include "../machine.h"

#include <linux/bpf.h>
#include <pthread.h>

#include "vm/map/memory.h"

static struct skep_vm_map *make(struct machine *m, uint32_t type, uint32_t key, uint32_t value, uint32_t n)
{
    const struct skep_vm_map_options o = {.size = sizeof(o),
                                          .type = type,
                                          .key_size = key,
                                          .value_size = value,
                                          .max_entries = n,
                                          .flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0};
    struct skep_vm_map *map = NULL;
    assert_int_equal(skep_vm_map_new(m->vm, &o, &map), 0);
    return map;
}

/* ---- memory ---- */

static const struct skep_vm_map_options all_types[] = {
    {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_HASH, .key_size = 9, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_LRU_PERCPU_HASH, .key_size = 4, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_LPM_TRIE,
     .key_size = 8,
     .value_size = 8,
     .max_entries = 10,
     .flags = BPF_F_NO_PREALLOC},
    {.type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_STACK, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 8, .max_entries = 10},
    {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
    {.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 10},
    {.type = BPF_MAP_TYPE_STACK_TRACE, .key_size = 4, .value_size = 80, .max_entries = 10},
    {.type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .key_size = 4, .value_size = 4, .max_entries = 10},
    {.type = BPF_MAP_TYPE_HASH_OF_MAPS, .key_size = 4, .value_size = 4, .max_entries = 10},
};

static void no_memory_at_any_point(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *inner = make(&m, BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    for (size_t i = 0; i < ARRAY_SIZE(all_types); i++) {
        struct skep_vm_map_options o = all_types[i];
        o.size = sizeof(o);
        o.inner = inner;
        uint64_t used = m.vm->memory_used;
        size_t failures = 0;
        for (;;) {
            struct skep_vm_map *map = NULL;
            m.counting.fail_at = m.counting.calls + ++failures;
            int r = skep_vm_map_new(m.vm, &o, &map);
            m.counting.fail_at = 0;
            if (r == 0) {
                assert_true(m.vm->memory_used > used);
                skep_vm_map_unref(map);
                break;
            }
            assert_int_equal(r, -ENOMEM);
            assert_null(map);
            assert_true(failures < 32);
        }
        assert_true(failures > 1);
        assert_int_equal(m.vm->memory_used, used);
    }
    skep_vm_map_unref(inner);
    machine_clear(&m);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    const struct skep_vm_options vo = {.size = sizeof(vo), .memory = 1 << 20, .mode = SKEP_VM_MODE_INTERPRET};
    struct skep_vm *vm;
    assert_int_equal(skep_vm_new(&vo, &vm), 0);
    static const struct skep_vm_map_options large[] = {
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 1 << 20, .max_entries = 1},
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = INT32_MAX, .max_entries = UINT32_MAX},
        {.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = 32768, .max_entries = UINT32_MAX},
        {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 1 << 20},
        {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 1u << 31},
        {.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 3 << 20, .value_size = 8, .max_entries = 1u << 30},
        {.type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4, .value_size = 32768, .max_entries = 1u << 29},
        {.type = BPF_MAP_TYPE_LPM_TRIE,
         .key_size = 8,
         .value_size = 8,
         .max_entries = UINT32_MAX,
         .flags = 1},
        {.type = BPF_MAP_TYPE_QUEUE, .value_size = 4 << 20, .max_entries = UINT32_MAX},
        {.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 8, .max_entries = UINT32_MAX},
        {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 1u << 31},
        {.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = UINT32_MAX},
        {.type = BPF_MAP_TYPE_STACK_TRACE, .key_size = 4, .value_size = 8, .max_entries = 1u << 31},
    };
    for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
        struct skep_vm_map_options o = large[i];
        struct skep_vm_map *map;
        o.size = sizeof(o);
        assert_int_equal(skep_vm_map_new(vm, &o, &map), -ENOMEM);
    }
    assert_int_equal(vm->memory_used, 0);
    skep_vm_free(vm);
}

/* ---- iteration ---- */

static void walks_end_though_all_is_updated(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_HASH, 4, 8, 1000);
    for (uint32_t key = 0; key < 1000; key++) {
        uint64_t value = key;
        assert_int_equal(skep_vm_map_update(map, &key, &value, BPF_NOEXIST), 0);
    }
    uint8_t seen[1000] = {0};
    uint32_t key, next, n = 0;
    for (int r = skep_vm_map_next_key(map, NULL, &next); r == 0; r = skep_vm_map_next_key(map, &key, &next)) {
        key = next;
        uint64_t value = key + 1;
        assert_false(seen[key]++);
        assert_int_equal(skep_vm_map_update(map, &key, &value, BPF_EXIST), 0);
        n++;
    }
    assert_int_equal(n, 1000);
    skep_vm_map_unref(map);
    machine_clear(&m);
}

struct walk {
    struct skep_vm_map *map;
    uint32_t n;
    bool deletes;
    int stop_at;
};

static int walk(void *data, const void *key, const void *value)
{
    struct walk *w = data;
    (void)value;
    if (w->deletes)
        assert_int_equal(skep_vm_map_delete(w->map, key), 0);
    return (int)++w->n == w->stop_at ? -EINTR : 0;
}

static void hosts_walk(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    static const uint32_t types[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_MAP_TYPE_LPM_TRIE};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct skep_vm_map *map = make(&m, types[i], 8, 8, 100);
        uint64_t value[4] = {1, 2, 3, 4};
        for (uint32_t n = 0; n < 100; n++) {
            const uint32_t key[2] = {32, n};
            assert_int_equal(skep_vm_map_update(map, key, value, 0), 0);
        }
        struct walk w = {.map = map};
        assert_int_equal(skep_vm_map_for_each(map, walk, &w), 0);
        assert_int_equal(w.n, 100);
        w = (struct walk){.map = map, .stop_at = 7};
        assert_int_equal(skep_vm_map_for_each(map, walk, &w), -EINTR);
        assert_int_equal(w.n, 7);
        w = (struct walk){.map = map, .deletes = true};
        assert_int_equal(skep_vm_map_for_each(map, walk, &w), 0);
        assert_int_equal(w.n, 100);
        uint32_t next[2];
        assert_int_equal(skep_vm_map_next_key(map, NULL, next), -ENOENT);
        skep_vm_map_unref(map);
    }
    machine_clear(&m);
}

static void batches_go_on(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_HASH, 4, 8, 500);
    for (uint32_t key = 0; key < 500; key++) {
        uint64_t value = key * 3;
        assert_int_equal(skep_vm_map_update(map, &key, &value, 0), 0);
    }
    uint8_t seen[500] = {0};
    uint32_t keys[32], batch, total = 0;
    uint64_t values[32];
    int r = 0;
    for (bool first = true; r == 0; first = false) {
        uint32_t count = 32;
        r = skep_vm_map_lookup_batch(map, first ? NULL : &batch, &batch, keys, values, &count, 0);
        assert_true(r == 0 || r == -ENOENT);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(values[i], keys[i] * 3);
            assert_false(seen[keys[i]]++);
        }
        total += count;
    }
    assert_int_equal(total, 500);
    uint32_t none = 0;
    assert_int_equal(skep_vm_map_lookup_batch(map, NULL, &batch, keys, values, &none, 0), 0);
    batch = UINT32_MAX;
    none = 32;
    assert_int_equal(skep_vm_map_lookup_batch(map, &batch, &batch, keys, values, &none, 0), -ENOENT);
    assert_int_equal(none, 0);
    skep_vm_map_unref(map);
    machine_clear(&m);
}

/* ---- LRU ---- */

static void lru_keeps_what_is_used(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    static const uint32_t sizes[] = {1, 2, 10, 100, 1000};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint32_t n = sizes[i], hot = n / 10;
        struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_LRU_HASH, 4, 8, n);
        for (uint32_t key = 0; key < 20 * n; key++) {
            uint64_t value = key;
            assert_int_equal(skep_vm_map_update(map, &key, &value, 0), 0);
            assert_int_equal(skep_vm_map_lookup(map, &key, &value, 0), 0);
            /* as a program does */
            for (uint32_t h = 0; h < hot; h++)
                map->ops->lookup(map, &h, 0);
        }
        for (uint32_t h = 0; h < hot; h++)
            assert_true(map->ops->lookup(map, &h, 0) != 0);
        struct walk w = {.map = map};
        assert_int_equal(skep_vm_map_for_each(map, walk, &w), 0);
        assert_int_equal(w.n, n);
        skep_vm_map_unref(map);
    }
    machine_clear(&m);
}

/* ---- what programs see ---- */

static void values_of_cpus_are_apart(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    static const uint32_t types[] = {BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
                                     BPF_MAP_TYPE_LRU_PERCPU_HASH};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct skep_vm_map *map = make(&m, types[i], 4, 8, 3);
        uint32_t key = 2;
        uint64_t value = 0;
        for (uint32_t cpu = 0; cpu < 4; cpu++) {
            value = 10 + cpu;
            assert_int_equal(map->ops->update(map, &key, &value, 0, cpu), 0);
        }
        uint64_t all[4];
        assert_int_equal(skep_vm_map_value_bytes(map), sizeof(all));
        assert_int_equal(skep_vm_map_lookup(map, &key, all, 0), 0);
        for (uint32_t cpu = 0; cpu < 4; cpu++) {
            assert_int_equal(all[cpu], 10 + cpu);
            assert_int_equal(*(uint64_t *)(uintptr_t)map->ops->lookup(map, &key, cpu), 10 + cpu);
        }
        assert_int_equal(map->ops->lookup(map, &key, 4), 0);
        skep_vm_map_unref(map);
    }
    machine_clear(&m);
}

static void areas_have_guards(void **state)
{
    (void)state;
    struct skep_area a;
    assert_int_equal(skep_area_init(&a, 100), 0);
    memset(a.start, 1, 4096);
    assert_true(a.mapping_size >= 3 * 4096);
    assert_true((uintptr_t)a.start % 4096 == 0);
    skep_area_clear(&a);
    skep_area_clear(&a);
    assert_int_equal(skep_area_init(&a, SIZE_MAX - 5), -ENOMEM);
}

/* A tail call goes to programs of one kind only. */
static void prog_arrays_hold_one_kind(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2);
    struct skep_vm_program *plain = machine_load(&m, "r0 = 1\nexit\n", NULL);
    const struct skep_vm_program_options xdp = {.context = "xdp"};
    struct skep_vm_program *other = machine_load(&m, "r0 = 1\nexit\n", &xdp);
    uint32_t key = 1, id = skep_vm_program_id(plain), value;
    assert_int_equal(skep_vm_map_lookup(map, &key, &value, 0), -ENOENT);
    assert_int_equal(skep_vm_map_update(map, &key, &id, 0), 0);
    assert_int_equal(skep_vm_map_lookup(map, &key, &value, 0), 0);
    assert_int_equal(value, id);
    assert_ptr_equal(skep_prog_array_get(map, 1), plain);
    id = skep_vm_program_id(other);
    assert_int_equal(skep_vm_map_update(map, &key, &id, 0), -EINVAL);
    id = 4000;
    assert_int_equal(skep_vm_map_update(map, &key, &id, 0), -EBADF);
    key = 2;
    assert_int_equal(skep_vm_map_update(map, &key, &id, 0), -E2BIG);
    assert_int_equal(skep_vm_map_delete(map, &key), -E2BIG);
    key = 0;
    assert_int_equal(skep_vm_map_delete(map, &key), -ENOENT);
    assert_null(skep_prog_array_get(map, 0));
    assert_null(skep_prog_array_get(map, 7));
    /* the array keeps the program */
    skep_vm_program_unref(plain);
    assert_string_equal(skep_vm_program_name(skep_prog_array_get(map, 1)), "program");
    key = 1;
    assert_int_equal(skep_vm_map_delete(map, &key), 0);
    skep_vm_program_unref(other);
    skep_vm_map_unref(map);
    machine_clear(&m);
}

static void maps_are_found_in_maps(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct machine m;
        machine_init(&m, SKEP_VM_MODE_INTERPRET);
        struct skep_vm_map *inner = make(&m, BPF_MAP_TYPE_ARRAY, 4, 8, 2), *outer;
        const struct skep_vm_map_options o = {.size = sizeof(o),
                                              .type =
                                                  i ? BPF_MAP_TYPE_HASH_OF_MAPS : BPF_MAP_TYPE_ARRAY_OF_MAPS,
                                              .key_size = 4,
                                              .value_size = 4,
                                              .max_entries = 4,
                                              .inner = inner};
        assert_int_equal(skep_vm_map_new(m.vm, &o, &outer), 0);
        uint32_t key = 1, id = skep_vm_map_id(inner);
        uint64_t value = 42;
        assert_int_equal(skep_vm_map_update(inner, &key, &value, 0), 0);
        assert_int_equal(skep_vm_map_update(outer, &key, &id, 0), 0);
        const struct skep_vm_program_options po = {.maps = &outer, .n_maps = 1};
        struct skep_vm_program *p = machine_load(&m,
                                                 "*(u32 *)(r10 -4) = 1\nr1 = map_idx 0\nr2 = r10\nr2 += -4\n"
                                                 "call 1\nif r0 == 0 goto none\n"
                                                 "r1 = r0\nr2 = r10\nr2 += -4\ncall 1\nif r0 == 0 goto none\n"
                                                 "r0 = *(u64 *)(r0 +0)\nexit\nnone: r0 = 7\nexit\n",
                                                 &po);
        machine_expect(&m, p, NULL, 0, 42);
        /* the outer map keeps it */
        inner = skep_vm_map_unref(inner);
        machine_expect(&m, p, NULL, 0, 42);
        assert_int_equal(skep_vm_map_delete(outer, &key), 0);
        machine_expect(&m, p, NULL, 0, 7);
        skep_vm_program_unref(p);
        skep_vm_map_unref(outer);
        machine_clear(&m);
    }
}

static void stack_traces_are_kept(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_STACK_TRACE, 4, 24, 1);
    const uint64_t a[4] = {1, 2, 3, 4}, b[1] = {9};
    uint64_t got[3];
    int64_t id = skep_stack_trace_put(map, a, 4, 0);
    assert_int_equal(id, 0);
    assert_int_equal(skep_stack_trace_put(map, a, 4, 0), 0);
    assert_int_equal(skep_stack_trace_put(map, b, 1, 0), -EEXIST);
    assert_int_equal(skep_stack_trace_put(map, b, 0, 0), -EFAULT);
    uint32_t key = 0;
    assert_int_equal(skep_vm_map_lookup(map, &key, got, 0), 0);
    assert_int_equal(got[2], 3);
    assert_int_equal(skep_stack_trace_put(map, b, 1, BPF_F_REUSE_STACKID), 0);
    assert_int_equal(skep_vm_map_lookup(map, &key, got, 0), 0);
    assert_int_equal(got[0], 9);
    assert_int_equal(got[1], 0);
    assert_int_equal(skep_vm_map_delete(map, &key), 0);
    assert_int_equal(skep_vm_map_lookup(map, &key, got, 0), -ENOENT);
    skep_vm_map_unref(map);
    machine_clear(&m);
}

static void bloom_filters_know_what_they_got(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 1000);
    uint32_t wrong = 0;
    for (uint64_t value = 0; value < 1000; value++)
        assert_int_equal(skep_vm_map_update(map, NULL, &value, 0), 0);
    for (uint64_t value = 0; value < 1000; value++)
        assert_int_equal(skep_vm_map_lookup(map, NULL, &value, 0), 0);
    for (uint64_t value = 1000; value < 11000; value++)
        wrong += skep_vm_map_lookup(map, NULL, &value, 0) == 0;
    assert_true(wrong < 1000); /* 5 hashes in 8192 bits: about 2 in 100 */
    skep_vm_map_unref(map);
    machine_clear(&m);
}

/* ---- threads ---- */

#define STRESS_KEYS 64
#define STRESS_OPS 20000
#define CHECK_SUM(key, value) ((value) >> 32 == (key))

struct stress {
    struct skep_vm_map *map;
    uint32_t thread;
    bool wrong;
};

/* The key in a value of 64 bits, or of a trie. */
static void stress_key(const struct skep_vm_map *map, uint32_t n, uint32_t key[2])
{
    key[0] = map->type == BPF_MAP_TYPE_LPM_TRIE ? 32 : n;
    key[1] = n;
}

static void *write_all_over(void *data)
{
    struct stress *s = data;
    uint64_t random = s->thread * 7919 + 1;
    for (uint32_t op = 0; op < STRESS_OPS; op++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        uint32_t n = (uint32_t)(random >> 40) % STRESS_KEYS, key[2];
        uint64_t value = (uint64_t)n << 32 | op;
        stress_key(s->map, n, key);
        if (random >> 62)
            skep_vm_map_update(s->map, key, &value, 0);
        else
            skep_vm_map_delete(s->map, key);
    }
    return NULL;
}

static void *read_all_over(void *data)
{
    struct stress *s = data;
    for (uint32_t op = 0; op < STRESS_OPS; op++) {
        uint32_t n = op % STRESS_KEYS, key[2];
        uint64_t value = 0;
        stress_key(s->map, n, key);
        if (s->map->type != BPF_MAP_TYPE_LPM_TRIE && skep_vm_map_lookup(s->map, key, &value, 0) == 0 &&
            !CHECK_SUM(n, value))
            s->wrong = true;
        s->map->ops->lookup(s->map, key, 0);
        if (op % 100 == 0)
            skep_vm_map_next_key(s->map, op % 200 ? key : NULL, key);
    }
    return NULL;
}

/* The key that is always there is always found. */
static void *find_always(void *data)
{
    struct stress *s = data;
    uint32_t key[2];
    stress_key(s->map, 1000, key);
    for (uint32_t op = 0; op < STRESS_OPS; op++) {
        uint64_t value = 1000ULL << 32 | op;
        uint64_t found = s->map->ops->lookup(s->map, key, 0);
        if (!found)
            s->wrong = true;
        if (op % 16 == 0 && skep_vm_map_update(s->map, key, &value, BPF_EXIST) < 0)
            s->wrong = true;
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    static const uint32_t types[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LPM_TRIE};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct machine m;
        machine_init(&m, SKEP_VM_MODE_INTERPRET);
        struct skep_vm_map *map = make(&m, types[i], 8, 8, STRESS_KEYS + 1);
        uint32_t key[2];
        uint64_t value = 1000ULL << 32;
        stress_key(map, 1000, key);
        assert_int_equal(skep_vm_map_update(map, key, &value, 0), 0);
        pthread_t threads[5];
        struct stress stress[5];
        void *(*const work[5])(void *) = {write_all_over, write_all_over, read_all_over, read_all_over,
                                          find_always};
        for (uint32_t t = 0; t < 5; t++) {
            stress[t] = (struct stress){.map = map, .thread = t};
            assert_int_equal(pthread_create(&threads[t], NULL, work[t], &stress[t]), 0);
        }
        for (uint32_t t = 0; t < 5; t++) {
            pthread_join(threads[t], NULL);
            assert_false(stress[t].wrong);
        }
        skep_vm_map_unref(map);
        machine_clear(&m);
    }
}

static void *evict_all_over(void *data)
{
    struct stress *s = data;
    for (uint32_t op = 0; op < STRESS_OPS; op++) {
        uint32_t key[2] = {s->thread << 20 | op, 0};
        uint64_t value = op;
        if (skep_vm_map_update(s->map, key, &value, 0) < 0)
            s->wrong = true;
    }
    return NULL;
}

static void eviction_never_fails(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, SKEP_VM_MODE_INTERPRET);
    struct skep_vm_map *map = make(&m, BPF_MAP_TYPE_LRU_HASH, 8, 8, 8);
    pthread_t threads[4];
    struct stress stress[4];
    for (uint32_t t = 0; t < 4; t++) {
        stress[t] = (struct stress){.map = map, .thread = t};
        assert_int_equal(pthread_create(&threads[t], NULL, evict_all_over, &stress[t]), 0);
    }
    for (uint32_t t = 0; t < 4; t++) {
        pthread_join(threads[t], NULL);
        assert_false(stress[t].wrong);
    }
    struct walk w = {.map = map};
    assert_int_equal(skep_vm_map_for_each(map, walk, &w), 0);
    assert_true(w.n <= 8);
    skep_vm_map_unref(map);
    machine_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_at_any_point),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(walks_end_though_all_is_updated),
        cmocka_unit_test(hosts_walk),
        cmocka_unit_test(batches_go_on),
        cmocka_unit_test(lru_keeps_what_is_used),
        cmocka_unit_test(values_of_cpus_are_apart),
        cmocka_unit_test(areas_have_guards),
        cmocka_unit_test(prog_arrays_hold_one_kind),
        cmocka_unit_test(maps_are_found_in_maps),
        cmocka_unit_test(stack_traces_are_kept),
        cmocka_unit_test(bloom_filters_know_what_they_got),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(eviction_never_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
