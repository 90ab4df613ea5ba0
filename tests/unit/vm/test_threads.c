/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several threads at once, in every mode that this machine has: what they add up is not lost, what they read
 * is whole, and what is taken away under them stays until they are done. Meant to be run under TSan too, so
 * programs do not load or store values that other threads write, except by atomic instructions: that is a race
 * of theirs, which an interpreter with sanitized accesses would have to tell.
 */
#include "machine.h"

#include <inttypes.h>
#include <linux/bpf.h>
#include <pthread.h>

#include "vm/jit/jit.h"
#include "vm/map/map.h"

#define RUNNERS 3
#define MILLISECONDS 50       /* of each test in each mode */
#define MILLISECONDS_MAX 5000 /* more if the machine is too busy to let all runners run */

struct runner;

struct crowd {
    struct machine m;
    struct skep_vm_map *maps[4];
    size_t n_maps;
    struct skep_vm_program *p;
    bool stop;     /* atomic */
    uint64_t bad;  /* atomic: what no thread should have seen */
    unsigned busy; /* atomic: runners that are not done */
    bool has_aim;  /* runs may find nothing there; only those count that do not */
};

struct runner {
    struct crowd *c;
    struct skep_vm_thread *t;
    uint32_t number;
    uint64_t runs;      /* atomic: that ended well */
    uint64_t aimed;     /* atomic: of these, those that found what they look for */
    uint64_t counts[8]; /* of the test */
    void (*step)(struct runner *r);
    pthread_t thread;
};

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void complain(struct crowd *c)
{
    __atomic_add_fetch(&c->bad, 1, __ATOMIC_RELAXED);
}

static bool stopped(const struct crowd *c)
{
    return __atomic_load_n(&c->stop, __ATOMIC_ACQUIRE);
}

static struct skep_vm_map *crowd_map(struct crowd *c, uint32_t type, uint32_t value_size,
                                     uint32_t max_entries, struct skep_vm_map *inner)
{
    const struct skep_vm_map_options o = {
        .size = sizeof(o),
        .name = "crowd",
        .type = type,
        .key_size = type == BPF_MAP_TYPE_RINGBUF ? 0 : 4,
        .value_size = value_size,
        .max_entries = max_entries,
        .inner = inner,
    };
    struct skep_vm_map *map;
    assert_int_equal(skep_vm_map_new(c->m.vm, &o, &map), 0);
    return map;
}

static void crowd_add_map(struct crowd *c, uint32_t type, uint32_t value_size, uint32_t max_entries,
                          struct skep_vm_map *inner)
{
    c->maps[c->n_maps++] = crowd_map(c, type, value_size, max_entries, inner);
}

static struct skep_vm_program *crowd_load(struct crowd *c, const char *text)
{
    const struct skep_vm_program_options o = {.maps = c->maps, .n_maps = c->n_maps};
    return machine_load(&c->m, text, &o);
}

/* Runs p; UINT64_MAX - 1000 - errno when it ends with a fault, which nothing here should. */
static uint64_t run(struct runner *r, const struct skep_vm_program *p, void *memory, size_t size)
{
    uint64_t value = 0;
    if (skep_vm_run(r->t, p, memory, size, &value) < 0) {
        if (__atomic_fetch_add(&r->c->bad, 1, __ATOMIC_RELAXED) == 0)
            print_message("# %s\n", skep_vm_thread_error(r->t)->message);
        return UINT64_MAX - 1000;
    }
    __atomic_store_n(&r->runs, r->runs + 1, __ATOMIC_RELAXED);
    return value;
}

static void found(struct runner *r)
{
    __atomic_store_n(&r->aimed, r->aimed + 1, __ATOMIC_RELAXED);
}

static void *run_for_a_while(void *data)
{
    struct runner *r = data;
    while (!stopped(r->c))
        r->step(r);
    __atomic_sub_fetch(&r->c->busy, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

/* A busy machine may not let all of them run in the time that is given. */
static bool all_have_run(const struct runner runners[RUNNERS])
{
    const uint64_t enough = 50;
    for (uint32_t i = 0; i < RUNNERS; i++) {
        const struct runner *r = &runners[i];
        if (__atomic_load_n(r->c->has_aim ? &r->aimed : &r->runs, __ATOMIC_RELAXED) < enough)
            return false;
    }
    return true;
}

/* Has the runners do step while this thread does host (NULL: it waits). */
static void crowd_run(struct crowd *c, struct runner runners[RUNNERS], void (*step)(struct runner *r),
                      void (*host)(struct crowd *c, uint64_t round))
{
    c->stop = false;
    c->busy = RUNNERS;
    for (uint32_t i = 0; i < RUNNERS; i++) {
        const struct skep_vm_thread_options o = {.size = sizeof(o), .cpu = i};
        runners[i] = (struct runner){.c = c, .number = i, .step = step};
        assert_int_equal(skep_vm_thread_new(c->m.vm, &o, &runners[i].t), 0);
    }
    for (uint32_t i = 0; i < RUNNERS; i++)
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run_for_a_while, &runners[i]), 0);
    uint64_t end = now_ms() + MILLISECONDS, last = end + MILLISECONDS_MAX;
    for (uint64_t round = 0;
         now_ms() < end ||
         (!all_have_run(runners) && !__atomic_load_n(&c->bad, __ATOMIC_RELAXED) && now_ms() < last);
         round++) {
        if (host)
            host(c, round);
        sched_yield();
    }
    __atomic_store_n(&c->stop, true, __ATOMIC_RELEASE);
    /* a consumer goes on until nobody produces any more */
    while (__atomic_load_n(&c->busy, __ATOMIC_ACQUIRE))
        if (host)
            host(c, UINT64_MAX);
    for (uint32_t i = 0; i < RUNNERS; i++) {
        pthread_join(runners[i].thread, NULL);
        skep_vm_thread_free(runners[i].t);
        assert_true(runners[i].runs > 0);
    }
    if (host)
        host(c, UINT64_MAX);
    assert_int_equal(c->bad, 0);
}

static void crowd_clear(struct crowd *c)
{
    skep_vm_program_unref(c->p);
    for (size_t i = 0; i < c->n_maps; i++)
        skep_vm_map_unref(c->maps[i]);
    machine_clear(&c->m);
}

/* ---- sums ---- */

#define KEYS 13

/* Adds 1 to the value of a key, which it makes if it is not there. */
#define COUNT(map, add)                                                                                      \
    "r1 = map_idx " map "\nr2 = r6\ncall 1\nif r0 != 0 goto have" map "\n*(u64 *)(r10 - 8) = 1\n"            \
    "r1 = map_idx " map "\nr2 = r6\nr3 = r10\nr3 += -8\nr4 = 1\ncall 2\nif r0 == 0 goto done" map "\n"       \
    "r1 = map_idx " map "\nr2 = r6\ncall 1\nif r0 == 0 goto lost\nhave" map ":\n" add "done" map ":\n"
#define ATOMIC_ADD "r1 = 1\nlock *(u64 *)(r0 + 0) += r1\n"
#define PLAIN_ADD "r1 = *(u64 *)(r0 + 0)\nr1 += 1\n*(u64 *)(r0 + 0) = r1\n"

static void count(struct runner *r)
{
    uint32_t key = (uint32_t)(r->runs * 7 + r->number) % KEYS;
    if (run(r, r->c->p, &key, sizeof(key)) != 1)
        complain(r->c);
}

static int nothing(void *data, const void *key, const void *value)
{
    (void)value;
    uint32_t k;
    memcpy(&k, key, sizeof(k));
    if (k >= KEYS)
        complain(data);
    return 0;
}

static void look_on(struct crowd *c, uint64_t round)
{
    (void)round;
    /* only those whose values programs change atomically */
    if (skep_vm_map_for_each(c->maps[0], nothing, c) < 0 || skep_vm_map_for_each(c->maps[1], nothing, c) < 0)
        complain(c);
    uint32_t batch, n = 2 * KEYS, keys[2 * KEYS];
    uint64_t values[2 * KEYS];
    int r = skep_vm_map_lookup_batch(c->maps[0], NULL, &batch, keys, values, &n, 0);
    if (r != 0 && r != -ENOENT)
        complain(c);
}

static void nothing_that_is_counted_is_lost(struct crowd *c)
{
    crowd_add_map(c, BPF_MAP_TYPE_HASH, 8, KEYS + 1, NULL);
    crowd_add_map(c, BPF_MAP_TYPE_ARRAY, 8, KEYS, NULL);
    crowd_add_map(c, BPF_MAP_TYPE_PERCPU_ARRAY, 8, KEYS, NULL);
    crowd_add_map(c, BPF_MAP_TYPE_PERCPU_HASH, 8, KEYS + 1, NULL);
    c->p = crowd_load(c, "r6 = r1\n" COUNT("0", ATOMIC_ADD) COUNT("1", ATOMIC_ADD) COUNT("2", PLAIN_ADD)
                             COUNT("3", PLAIN_ADD) "r0 = 1\nexit\nlost:\nr0 = 0\nexit");
    struct runner runners[RUNNERS];
    crowd_run(c, runners, count, look_on);
    uint64_t runs = 0, sums[4] = {0};
    for (uint32_t i = 0; i < RUNNERS; i++)
        runs += runners[i].runs;
    for (uint32_t key = 0; key < KEYS; key++)
        for (size_t m = 0; m < 4; m++) {
            uint64_t values[4] = {0};
            assert_int_equal(skep_vm_map_lookup(c->maps[m], &key, values, 0), 0);
            sums[m] += values[0] + values[1] + values[2] + values[3];
        }
    for (size_t m = 0; m < 4; m++)
        assert_int_equal(sums[m], runs);
}

/* ---- elements that come and go ---- */

#define CHURN 32

struct job {
    uint32_t key, op;
    uint64_t value[2]; /* the second is the complement of the first, whose upper half is the key */
};

#define DO_WITH(number, helper, value)                                                                       \
    "if r0 != " number " goto not" number "\nr1 = map_idx 0\nr2 = r6\nr3 = r6\nr3 += " value                 \
    "\nr4 = 0\ncall " helper "\nexit\nnot" number ":\n"
#define DO(number, helper) DO_WITH(number, helper, "8")

static void churn(struct runner *r)
{
    uint64_t x = (r->counts[0]++ * RUNNERS + r->number + 1) * 0x9e3779b97f4a7c15u;
    struct job job = {.key = (uint32_t)(x >> 40) % CHURN, .op = 1 + (uint32_t)(x >> 20) % 3};
    job.value[0] = (uint64_t)job.key << 32 | (uint32_t)x;
    job.value[1] = ~job.value[0];
    uint64_t got = run(r, r->c->p, &job, sizeof(job));
    int64_t error = (int64_t)got;
    if ((job.op == 2 && error != 0) || (job.op == 3 && error != 0 && error != -ENOENT)) {
        print_message("# %s of key %u: %" PRId64 "\n", job.op == 2 ? "update" : "deletion", job.key, error);
        complain(r->c);
    }
}

static int whole(void *data, const void *key, const void *value)
{
    uint32_t k;
    uint64_t v[2];
    memcpy(&k, key, sizeof(k));
    memcpy(v, value, sizeof(v));
    const struct crowd *c = data;
    /* those of per-CPU maps are written in place, one word after the other, and are zero where they were not */
    bool percpu = c->maps[0]->ops->percpu;
    bool right =
        percpu ? (!v[0] || v[0] >> 32 == k) && (!v[1] || ~v[1] >> 32 == k) : v[1] == ~v[0] && v[0] >> 32 == k;
    if (k >= CHURN || !right) {
        print_message("# key %u has %#" PRIx64 ", %#" PRIx64 "\n", k, v[0], v[1]);
        complain(data);
    }
    return 0;
}

static void read_while_they_churn(struct crowd *c, uint64_t round)
{
    uint64_t values[8];
    uint32_t key = (uint32_t)round % CHURN;
    if (skep_vm_map_lookup(c->maps[0], &key, values, 0) == 0)
        whole(c, &key, values);
    if (round % 16 == 0 && skep_vm_map_for_each(c->maps[0], whole, c) < 0)
        complain(c);
    if (round % 8 == 1 && skep_vm_map_lookup_and_delete(c->maps[0], &key, values, 0) == 0)
        whole(c, &key, values);
}

static void all_places_are_still_there(struct crowd *c, uint32_t entries, bool lru)
{
    uint64_t values[8] = {1, 2, 3};
    uint32_t n = 0;
    for (uint32_t key = 0; key < CHURN; key++)
        n += skep_vm_map_delete(c->maps[0], &key) == 0;
    assert_in_range(n, 1, entries);
    uint32_t key;
    assert_int_equal(skep_vm_map_next_key(c->maps[0], NULL, &key), -ENOENT);
    for (key = 1000; key < 1000 + entries; key++)
        assert_int_equal(skep_vm_map_update(c->maps[0], &key, values, BPF_NOEXIST), 0);
    for (key = 1000; key < 1000 + entries; key++)
        assert_int_equal(skep_vm_map_lookup(c->maps[0], &key, values, 0), 0);
    key = 999;
    assert_int_equal(skep_vm_map_update(c->maps[0], &key, values, BPF_NOEXIST), lru ? 0 : -E2BIG);
}

static void churn_in(struct crowd *c, uint32_t type, uint32_t entries, bool lru)
{
    crowd_add_map(c, type, 16, entries, NULL);
    c->p = crowd_load(c, "r6 = r1\nr0 = *(u32 *)(r1 + 4)\n" DO("1", "1") DO("2", "2")
                             DO("3", "3") "r0 = 0\nexit");
    struct runner runners[RUNNERS];
    crowd_run(c, runners, churn, read_while_they_churn);
    all_places_are_still_there(c, entries, lru);
}

/* a place is on its way back while its key may come again, so that each thread may have one */
static void values_of_a_hash_are_whole(struct crowd *c)
{
    churn_in(c, BPF_MAP_TYPE_HASH, CHURN + RUNNERS + 1, false);
}

static void values_of_an_lru_hash_are_whole(struct crowd *c)
{
    churn_in(c, BPF_MAP_TYPE_LRU_HASH, CHURN / 2, true);
}

static void values_of_a_percpu_hash_are_whole(struct crowd *c)
{
    churn_in(c, BPF_MAP_TYPE_PERCPU_HASH, CHURN + RUNNERS + 1, false);
}

static void values_of_an_lru_percpu_hash_are_whole(struct crowd *c)
{
    churn_in(c, BPF_MAP_TYPE_LRU_PERCPU_HASH, CHURN / 2, true);
}

/* ---- one key that is written all the time: its places come again with the same key ---- */

#define WIDE 64
#define WIDE_KEY 32 /* for a trie a prefix of 32 bits */

struct wide_job {
    uint64_t key, value[WIDE]; /* all the same */
};

static void write_wide(struct runner *r)
{
    struct wide_job job = {.key = WIDE_KEY};
    for (uint32_t i = 0; i < WIDE; i++)
        job.value[i] = r->runs * RUNNERS + r->number + 1;
    if (run(r, r->c->p, &job, sizeof(job)) != 0)
        complain(r->c);
}

static void read_wide(struct crowd *c, uint64_t round)
{
    (void)round;
    uint64_t key = WIDE_KEY, value[WIDE];
    for (int turn = 0; turn < 100; turn++) {
        if (skep_vm_map_lookup(c->maps[0], &key, value, 0) != 0)
            continue;
        for (uint32_t i = 1; i < WIDE; i++)
            if (value[i] != value[0]) {
                print_message("# word %u is %" PRIu64 ", the first %" PRIu64 "\n", i, value[i], value[0]);
                complain(c);
                return;
            }
    }
}

static void write_and_read_wide(struct crowd *c, uint32_t type)
{
    const struct skep_vm_map_options o = {.size = sizeof(o),
                                          .name = "wide",
                                          .type = type,
                                          .key_size = 8,
                                          .value_size = WIDE * 8,
                                          .max_entries = 8,
                                          .flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0};
    assert_int_equal(skep_vm_map_new(c->m.vm, &o, &c->maps[c->n_maps++]), 0);
    c->p = crowd_load(c, "r2 = r1\nr3 = r1\nr3 += 8\nr1 = map_idx 0\nr4 = 0\ncall 2\nexit");
    struct runner runners[RUNNERS];
    crowd_run(c, runners, write_wide, read_wide);
}

static void a_hash_value_is_whole_while_its_key_is_written(struct crowd *c)
{
    write_and_read_wide(c, BPF_MAP_TYPE_HASH);
}

static void a_trie_value_is_whole_while_its_key_is_written(struct crowd *c)
{
    write_and_read_wide(c, BPF_MAP_TYPE_LPM_TRIE);
}

/* ---- prefixes ---- */

struct prefix_job {
    uint32_t length, data;
    uint64_t op, value[2];
};

static void prefix_churn(struct runner *r)
{
    uint64_t x = (r->counts[0]++ * RUNNERS + r->number + 1) * 0x9e3779b97f4a7c15u;
    struct prefix_job job = {
        .length = (uint32_t)(x >> 40) % 33, .data = (uint32_t)(x >> 24), .op = 1 + (x >> 12) % 3};
    job.value[0] = x;
    job.value[1] = ~x;
    int64_t error = (int64_t)run(r, r->c->p, &job, sizeof(job));
    if ((job.op == 2 && error != 0 && error != -ENOSPC) || (job.op == 3 && error != 0 && error != -ENOENT))
        complain(r->c);
}

static void read_prefixes(struct crowd *c, uint64_t round)
{
    uint64_t v[2];
    const uint32_t key[2] = {32, (uint32_t)round * 0x9e3779b9u};
    if (skep_vm_map_lookup(c->maps[0], key, v, 0) == 0 && v[1] != ~v[0])
        complain(c);
    uint32_t next[2];
    if (round % 4 == 0 && skep_vm_map_next_key(c->maps[0], NULL, next) == 0 && next[0] > 32)
        complain(c);
}

static void values_of_a_trie_are_whole(struct crowd *c)
{
    const struct skep_vm_map_options o = {
        .size = sizeof(o),
        .name = "crowd",
        .type = BPF_MAP_TYPE_LPM_TRIE,
        .key_size = 8,
        .value_size = 16,
        .max_entries = 64,
        .flags = BPF_F_NO_PREALLOC,
    };
    assert_int_equal(skep_vm_map_new(c->m.vm, &o, &c->maps[c->n_maps++]), 0);
    c->p = crowd_load(c, "r6 = r1\nr0 = *(u64 *)(r1 + 8)\n" DO_WITH("1", "1", "16") DO_WITH("2", "2", "16")
                             DO_WITH("3", "3", "16") "r0 = 0\nexit");
    struct runner runners[RUNNERS];
    crowd_run(c, runners, prefix_churn, read_prefixes);
    uint32_t key[2], n = 0;
    while (skep_vm_map_next_key(c->maps[0], NULL, key) == 0) {
        assert_int_equal(skep_vm_map_delete(c->maps[0], key), 0);
        n++;
    }
    assert_in_range(n, 1, o.max_entries);
    for (uint32_t i = 0; i <= o.max_entries; i++) {
        const uint32_t own[2] = {32, i};
        assert_int_equal(skep_vm_map_update(c->maps[0], own, (uint64_t[2]){0}, 0),
                         i < o.max_entries ? 0 : -ENOSPC);
    }
}

/* ---- queues ---- */

struct queue_job {
    uint64_t op, value;
};

static void push_and_pop(struct runner *r)
{
    struct queue_job job = {.op = r->counts[0]++ % 2, .value = r->counts[0] * RUNNERS + r->number};
    uint64_t value = job.value;
    int64_t error = (int64_t)run(r, r->c->p, &job, sizeof(job));
    if (job.op == 0 && error == 0)
        r->counts[1] += value;
    else if (job.op == 1 && error == 0)
        r->counts[2] += job.value;
    else if (error != (job.op ? -ENOENT : -E2BIG))
        complain(r->c);
}

static void each_element_is_had_once(struct crowd *c, uint32_t type)
{
    const struct skep_vm_map_options o = {
        .size = sizeof(o), .name = "crowd", .type = type, .value_size = 8, .max_entries = 5};
    assert_int_equal(skep_vm_map_new(c->m.vm, &o, &c->maps[c->n_maps++]), 0);
    c->p =
        crowd_load(c, "r6 = *(u64 *)(r1 + 0)\nr2 = r1\nr2 += 8\nr1 = map_idx 0\nif r6 != 0 goto pop\nr3 = 0\n"
                      "call 87\nexit\npop:\ncall 88\nexit");
    struct runner runners[RUNNERS];
    crowd_run(c, runners, push_and_pop, NULL);
    uint64_t pushed = 0, popped = 0, value;
    for (uint32_t i = 0; i < RUNNERS; i++) {
        pushed += runners[i].counts[1];
        popped += runners[i].counts[2];
    }
    while (skep_vm_map_lookup_and_delete(c->maps[0], NULL, &value, 0) == 0)
        popped += value;
    assert_int_equal(pushed, popped);
}

static void elements_of_a_queue_are_had_once(struct crowd *c)
{
    each_element_is_had_once(c, BPF_MAP_TYPE_QUEUE);
}

static void elements_of_a_stack_are_had_once(struct crowd *c)
{
    each_element_is_had_once(c, BPF_MAP_TYPE_STACK);
}

/* ---- ring buffers ---- */

enum { OUTPUT, SUBMIT, DISCARD };

struct record {
    uint64_t how, from, sequence;
};

static uint64_t consumed[RUNNERS];

static void produce(struct runner *r)
{
    struct record record = {.how = r->counts[1]++ % 3, .from = r->number, .sequence = r->counts[0]};
    uint64_t got = run(r, r->c->p, &record, sizeof(record));
    if (got == 0 && record.how != DISCARD)
        r->counts[0]++;
    else if (got != 0 && got != (uint64_t)-EAGAIN)
        complain(r->c);
}

static int consume_one(void *data, const void *record, size_t size)
{
    uint64_t v[2];
    if (size != sizeof(v)) {
        complain(data);
        return 0;
    }
    memcpy(v, record, sizeof(v));
    if (v[0] >= RUNNERS || v[1] != consumed[v[0]]++)
        complain(data);
    return 0;
}

static void consume(struct crowd *c, uint64_t round)
{
    if (skep_vm_ring_consume(c->maps[0], round % 2 ? 0 : 3, consume_one, c) < 0)
        complain(c);
}

static void records_come_whole_and_in_order(struct crowd *c)
{
    crowd_add_map(c, BPF_MAP_TYPE_RINGBUF, 0, 4096, NULL);
    c->p = crowd_load(
        c, "r6 = r1\nr7 = *(u64 *)(r1 + 0)\nif r7 != 0 goto reserve\n"
           "r1 = map_idx 0\nr2 = r6\nr2 += 8\nr3 = 16\nr4 = 0\ncall 130\nexit\n"
           "reserve:\nr1 = map_idx 0\nr2 = 16\nr3 = 0\ncall 131\nif r0 != 0 goto have\nr0 = -11\nexit\n"
           "have:\nr2 = *(u64 *)(r6 + 8)\n*(u64 *)(r0 + 0) = r2\nr2 = *(u64 *)(r6 + 16)\n"
           "*(u64 *)(r0 + 8) = r2\nr1 = r0\nr2 = 0\nif r7 != 1 goto discard\ncall 132\nr0 = 0\nexit\n"
           "discard:\ncall 133\nr0 = 0\nexit");
    memset(consumed, 0, sizeof(consumed));
    struct runner runners[RUNNERS];
    crowd_run(c, runners, produce, consume);
    assert_true(skep_vm_ring_consume(c->maps[0], 0, consume_one, c) >= 0);
    assert_int_equal(c->bad, 0);
    uint64_t all = 0;
    for (uint32_t i = 0; i < RUNNERS; i++) {
        assert_int_equal(consumed[i], runners[i].counts[0]);
        all += consumed[i];
    }
    assert_true(all > 0);
}

/* ---- tail calls ---- */

static void tail_call(struct runner *r)
{
    uint64_t got = run(r, r->c->p, NULL, 0);
    if (got < 100 || got > 102)
        complain(r->c);
    else if (got < 102)
        found(r);
}

static void change_the_programs(struct crowd *c, uint64_t round)
{
    static const char *const texts[] = {"r0 = 100\nexit", "r0 = 5\nr0 += 96\nexit"};
    uint32_t index = 0;
    if (round == UINT64_MAX)
        return;
    if (round % 3 == 2) {
        skep_vm_map_delete(c->maps[0], &index);
        return;
    }
    /* nobody but the array has it: it goes while it may be running */
    struct skep_vm_program *p = crowd_load(c, texts[round % 3]);
    uint32_t id = skep_vm_program_id(p);
    if (skep_vm_map_update(c->maps[0], &index, &id, 0) < 0)
        complain(c);
    skep_vm_program_unref(p);
}

static void tail_calls_go_to_what_is_there(struct crowd *c)
{
    crowd_add_map(c, BPF_MAP_TYPE_PROG_ARRAY, 4, 1, NULL);
    c->p = crowd_load(c, "r2 = map_idx 0\nr3 = 0\ncall 12\nr0 = 102\nexit");
    c->has_aim = true;
    struct runner runners[RUNNERS];
    crowd_run(c, runners, tail_call, change_the_programs);
    for (uint32_t i = 0; i < RUNNERS; i++)
        assert_true(runners[i].aimed > 0);
}

/* ---- maps of maps ---- */

#define INNER 4096

static struct skep_vm_map *inners[INNER];
static size_t n_inners;

static void count_inside(struct runner *r)
{
    uint32_t key = 0;
    uint64_t got = run(r, r->c->p, &key, sizeof(key));
    if (got > 1)
        complain(r->c);
    else if (got)
        found(r);
}

/* A new map takes the place of the one before, which has no reference but that of runs; every other one is kept to be
 * added up. */
static void replace_the_map(struct crowd *c, uint64_t round)
{
    uint32_t key = 0;
    if (round == UINT64_MAX || n_inners == INNER)
        return;
    if (round % 5 == 4) {
        skep_vm_map_delete(c->maps[0], &key);
        return;
    }
    struct skep_vm_map *m = crowd_map(c, BPF_MAP_TYPE_ARRAY, 8, 1, NULL);
    uint32_t id = skep_vm_map_id(m);
    if (skep_vm_map_update(c->maps[0], &key, &id, 0) < 0)
        complain(c);
    if (c->maps[1])
        inners[n_inners++] = m;
    else
        skep_vm_map_unref(m);
}

static void count_in_maps_of(struct crowd *c, uint32_t type, bool keep)
{
    struct skep_vm_map *first = crowd_map(c, BPF_MAP_TYPE_ARRAY, 8, 1, NULL);
    crowd_add_map(c, type, 4, 1, first);
    uint32_t key = 0, id = skep_vm_map_id(first);
    assert_int_equal(skep_vm_map_update(c->maps[0], &key, &id, 0), 0);
    c->maps[1] = keep ? first : NULL;
    n_inners = 0;
    if (keep)
        inners[n_inners++] = first;
    else
        skep_vm_map_unref(first);
    /* looks around between the two lookups, so that the map may go */
    c->p = crowd_load(
        c, "r6 = r1\nr1 = map_idx 0\nr2 = r6\ncall 1\nif r0 == 0 goto none\nr7 = r0\nr8 = 200\n"
           "again:\nr8 += -1\nif r8 != 0 goto again\nr1 = r7\nr2 = r6\ncall 1\nif r0 == 0 goto bad\n"
           "r7 = r0\nr8 = 200\nmore:\nr8 += -1\nif r8 != 0 goto more\nr1 = 1\n"
           "lock *(u64 *)(r7 + 0) += r1\nr0 = 1\nexit\nnone:\nr0 = 0\nexit\nbad:\nr0 = 2\nexit");
    c->has_aim = true;
    struct runner runners[RUNNERS];
    crowd_run(c, runners, count_inside, replace_the_map);
    uint64_t runs = 0, sum = 0;
    for (uint32_t i = 0; i < RUNNERS; i++)
        runs += runners[i].aimed;
    assert_true(runs > 0);
    for (size_t i = 0; i < n_inners; i++) {
        uint64_t value;
        assert_int_equal(skep_vm_map_lookup(inners[i], &key, &value, 0), 0);
        sum += value;
        skep_vm_map_unref(inners[i]);
    }
    if (keep)
        assert_int_equal(sum, runs);
    c->maps[1] = NULL;
}

static void nothing_is_lost_in_arrays_of_maps(struct crowd *c)
{
    count_in_maps_of(c, BPF_MAP_TYPE_ARRAY_OF_MAPS, true);
}

static void inner_maps_of_arrays_stay_for_runs(struct crowd *c)
{
    count_in_maps_of(c, BPF_MAP_TYPE_ARRAY_OF_MAPS, false);
}

static void inner_maps_of_hashes_stay_for_runs(struct crowd *c)
{
    count_in_maps_of(c, BPF_MAP_TYPE_HASH_OF_MAPS, false);
}

/* ---- in every mode ---- */

static void in_every_mode(void (*test)(struct crowd *c))
{
    static const enum skep_vm_mode modes[] = {SKEP_VM_MODE_INTERPRET, SKEP_VM_MODE_JIT, SKEP_VM_MODE_TRUSTED};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (modes[i] != SKEP_VM_MODE_INTERPRET && !skep_jit_available())
            continue;
        struct crowd c = {0};
        machine_init(&c.m, modes[i]);
        test(&c);
        crowd_clear(&c);
    }
}

#define IN_EVERY_MODE(test)                                                                                  \
    static void test##_in_every_mode(void **state)                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        in_every_mode(test);                                                                                 \
    }
IN_EVERY_MODE(nothing_that_is_counted_is_lost)
IN_EVERY_MODE(values_of_a_hash_are_whole)
IN_EVERY_MODE(values_of_an_lru_hash_are_whole)
IN_EVERY_MODE(values_of_a_percpu_hash_are_whole)
IN_EVERY_MODE(values_of_an_lru_percpu_hash_are_whole)
IN_EVERY_MODE(a_hash_value_is_whole_while_its_key_is_written)
IN_EVERY_MODE(a_trie_value_is_whole_while_its_key_is_written)
IN_EVERY_MODE(values_of_a_trie_are_whole)
IN_EVERY_MODE(elements_of_a_queue_are_had_once)
IN_EVERY_MODE(elements_of_a_stack_are_had_once)
IN_EVERY_MODE(records_come_whole_and_in_order)
IN_EVERY_MODE(tail_calls_go_to_what_is_there)
IN_EVERY_MODE(nothing_is_lost_in_arrays_of_maps)
IN_EVERY_MODE(inner_maps_of_arrays_stay_for_runs)
IN_EVERY_MODE(inner_maps_of_hashes_stay_for_runs)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_is_counted_is_lost_in_every_mode),
        cmocka_unit_test(values_of_a_hash_are_whole_in_every_mode),
        cmocka_unit_test(values_of_an_lru_hash_are_whole_in_every_mode),
        cmocka_unit_test(values_of_a_percpu_hash_are_whole_in_every_mode),
        cmocka_unit_test(values_of_an_lru_percpu_hash_are_whole_in_every_mode),
        cmocka_unit_test(a_hash_value_is_whole_while_its_key_is_written_in_every_mode),
        cmocka_unit_test(a_trie_value_is_whole_while_its_key_is_written_in_every_mode),
        cmocka_unit_test(values_of_a_trie_are_whole_in_every_mode),
        cmocka_unit_test(elements_of_a_queue_are_had_once_in_every_mode),
        cmocka_unit_test(elements_of_a_stack_are_had_once_in_every_mode),
        cmocka_unit_test(records_come_whole_and_in_order_in_every_mode),
        cmocka_unit_test(tail_calls_go_to_what_is_there_in_every_mode),
        cmocka_unit_test(nothing_is_lost_in_arrays_of_maps_in_every_mode),
        cmocka_unit_test(inner_maps_of_arrays_stay_for_runs_in_every_mode),
        cmocka_unit_test(inner_maps_of_hashes_stay_for_runs_in_every_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
