/* SPDX-License-Identifier: Apache-2.0 */
/* Maps against the kernel's of the same type: the same operations, and the results, errnos and contents have to be the
 * same. Without bpf(2) there is nothing to compare with. */
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/macro.h"
#include <cmocka.h>
#include <skep/vm.h>

#define VALUE_BYTES_MAX 8192
#define BATCH_MAX 256
#define SECONDS_EACH 1.0

static struct skep_vm *vm;
static uint32_t cpus;
static uint64_t seed = 1;

static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

static int kernel(int cmd, union bpf_attr *attr)
{
    long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
    return r < 0 ? -errno : (int)r;
}

static int kernel_create(const struct skep_vm_map_options *o, int inner)
{
    union bpf_attr a = {0};
    a.map_type = o->type;
    a.key_size = o->key_size;
    a.value_size = o->value_size;
    a.max_entries = o->max_entries;
    a.map_flags = o->flags;
    a.map_extra = o->extra;
    a.inner_map_fd = inner > 0 ? (uint32_t)inner : 0;
    return kernel(BPF_MAP_CREATE, &a);
}

static uint32_t possible_cpus(void)
{
    _cleanup_fclose_ FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
    unsigned first = 0, last = 0;
    if (!f)
        return 0;
    return fscanf(f, "%u-%u", &first, &last) == 2 && first == 0 ? last + 1 : 1;
}

static int setup(void **state)
{
    (void)state;
    cpus = possible_cpus();
    struct skep_vm_options o = {.size = sizeof(o), .cpus = cpus};
    return skep_vm_new(&o, &vm);
}

static int teardown(void **state)
{
    (void)state;
    skep_vm_free(vm);
    return 0;
}

static void need_kernel(void)
{
    struct skep_vm_map_options o = {
        .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    int fd = kernel_create(&o, 0);
    if (fd < 0) {
        print_message("[  SKIPPED ] bpf(2): %s\n", strerror(-fd));
        skip();
    }
    close(fd);
}

/* ---- options ---- */

static void test_options(void **state)
{
    (void)state;
    need_kernel();
    static const uint32_t types[] = {1, 2, 3, 5, 6, 7, 9, 10, 11, 22, 23, 27, 30};
    static const uint32_t keys[] = {0, 1, 4, 5, 8, 260, 261, 513};
    static const uint32_t values[] = {
        0, 1, 4, 7, 8, 1016, 1024, 32768, 32769, 4194304 - 280, 4194304 - 279, 4194304, 4194305};
    static const uint32_t entries[] = {0, 1, 3, 4096, 12288};
    static const uint32_t flags[] = {0,       1,     2,         4,    8,      16,      8 | 16, 64,
                                     128,     256,   128 | 256, 1024, 1 | 64, 1 | 128, 2048,   4096,
                                     1 << 20, 4 | 2, 4 | 128,   512,  1 | 2,  8192};
    unsigned compared = 0;
    for (size_t t = 0; t < ARRAY_SIZE(types); t++)
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
            for (size_t v = 0; v < ARRAY_SIZE(values); v++)
                for (size_t n = 0; n < ARRAY_SIZE(entries); n++)
                    for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
                        struct skep_vm_map_options o = {
                            .size = sizeof(o),
                            .type = types[t],
                            .key_size = keys[k],
                            .value_size = values[v],
                            .max_entries = entries[n],
                            .flags = flags[f],
                            .extra = compared % 64 == 0 ? compared / 64 % 20 : 0,
                        };
                        if ((uint64_t)o.value_size * o.max_entries > 16 << 20 || (f > 2 && rnd(4)))
                            continue; /* large ones are a matter of memory */
                        if (o.type == BPF_MAP_TYPE_STACK_TRACE && o.flags & BPF_F_STACK_BUILD_ID)
                            continue; /* refused by us */
                        int fd = kernel_create(&o, 0);
                        if (fd >= 0)
                            close(fd);
                        struct skep_vm_map *m = NULL;
                        int r = skep_vm_map_new(vm, &o, &m);
                        skep_vm_map_unref(m);
                        if (r != MIN(fd, 0))
                            fail_msg(
                                "type %u key %u value %u entries %u flags %#x extra %llu: kernel %d, we %d",
                                o.type, o.key_size, o.value_size, o.max_entries, o.flags,
                                (unsigned long long)o.extra, fd, r);
                        compared++;
                    }
    assert_true(compared > 5000);
}

/* ---- operations ---- */

struct pair {
    struct skep_vm_map_options o;
    int fd;
    struct skep_vm_map *m;
    uint32_t universe; /* keys that are used */
    bool ordered;      /* next_key gives the same order */
    size_t value_bytes;
};

static void open_pair(struct pair *p)
{
    p->o.size = sizeof(p->o);
    p->fd = kernel_create(&p->o, 0);
    assert_true(p->fd >= 0);
    assert_int_equal(skep_vm_map_new(vm, &p->o, &p->m), 0);
    p->value_bytes = skep_vm_map_value_bytes(p->m);
    assert_true(p->value_bytes <= VALUE_BYTES_MAX);
}

static void close_pair(struct pair *p)
{
    close(p->fd);
    p->m = skep_vm_map_unref(p->m);
}

/* A key of the universe; keys of tries are prefixes that often lie in each other. */
static void make_key(const struct pair *p, uint8_t *key)
{
    memset(key, 0, p->o.key_size);
    uint32_t n = rnd(p->universe);
    if (p->o.type == BPF_MAP_TYPE_LPM_TRIE) {
        uint32_t len = rnd(20) == 0 ? 8 * (p->o.key_size - 4) + rnd(3) : rnd(8 * (p->o.key_size - 4) + 1);
        memcpy(key, &len, 4);
        for (uint32_t i = 4; i < p->o.key_size; i++)
            key[i] = (uint8_t)(rnd(8) ? 0 : 1u << rnd(8));
        return;
    }
    memcpy(key, &n, MIN(p->o.key_size, 4u));
    if (p->o.key_size > 8)
        memcpy(key + p->o.key_size - 4, &n, 4);
}

static void make_value(const struct pair *p, uint8_t *value, size_t n)
{
    for (size_t i = 0; i < n * p->value_bytes; i++)
        value[i] = (uint8_t)rnd(256);
}

static uint64_t make_flags(void)
{
    static const uint64_t flags[] = {0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 8, 1ULL << 33};
    return flags[rnd(ARRAY_SIZE(flags))];
}

static void expect(const char *what, int k, int own)
{
    if (MIN(k, 0) != own)
        fail_msg("%s: kernel %d, we %d", what, k, own);
}

static int kernel_element(struct pair *p, int cmd, const void *key, void *value, uint64_t flags)
{
    union bpf_attr a = {0};
    a.map_fd = (uint32_t)p->fd;
    a.key = p->o.key_size ? (uintptr_t)key : 0;
    a.value = (uintptr_t)value;
    a.flags = flags;
    if (cmd == BPF_MAP_DELETE_ELEM || cmd == BPF_MAP_GET_NEXT_KEY)
        a.flags = 0;
    return kernel(cmd, &a);
}

/* The bytes that mean something: those behind each CPU's value do not. */
static void same_value(const struct pair *p, const uint8_t *a, const uint8_t *b)
{
    size_t stride = ROUND_UP(p->o.value_size, 8u);
    size_t n = p->value_bytes / p->o.value_size > 1 ? p->value_bytes / stride : 1;
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(a + i * stride, b + i * stride, p->o.value_size);
}

static void one_operation(struct pair *p)
{
    uint8_t key[512], next_a[512], next_b[512], a[VALUE_BYTES_MAX] = {0}, b[VALUE_BYTES_MAX] = {0};
    make_key(p, key);
    make_value(p, a, 1);
    memcpy(b, a, p->value_bytes);
    const void *k = p->o.key_size ? key : NULL;
    uint64_t flags = make_flags();
    int r;
    switch (rnd(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        r = kernel_element(p, BPF_MAP_UPDATE_ELEM, key, a, flags);
        expect("update", r, skep_vm_map_update(p->m, k, b, flags));
        break;
    case 4:
    case 5:
        r = kernel_element(p, BPF_MAP_DELETE_ELEM, key, NULL, 0);
        expect("delete", r, skep_vm_map_delete(p->m, k));
        break;
    case 6:
        if (p->o.type == BPF_MAP_TYPE_STACK_TRACE)
            break; /* only younger kernels can */
        r = kernel_element(p, BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, a, flags);
        expect("lookup and delete", r, skep_vm_map_lookup_and_delete(p->m, k, b, flags));
        if (r >= 0)
            same_value(p, a, b);
        break;
    case 7:
        r = kernel_element(p, BPF_MAP_GET_NEXT_KEY, key, next_a, 0);
        if (p->ordered || !k) {
            expect("next key", r, skep_vm_map_next_key(p->m, k, next_b));
            if (r >= 0)
                assert_memory_equal(next_a, next_b, p->o.key_size);
        }
        break;
    default:
        if (p->o.type == BPF_MAP_TYPE_BLOOM_FILTER)
            break; /* other hashes */
        r = kernel_element(p, BPF_MAP_LOOKUP_ELEM, key, a, flags);
        expect("lookup", r, skep_vm_map_lookup(p->m, k, b, flags));
        if (r >= 0)
            same_value(p, a, b);
    }
}

/* ---- batches ---- */

struct batch {
    uint8_t in[512], out[512];
    uint8_t keys[BATCH_MAX * 64], values[BATCH_MAX * 256];
    uint32_t count;
};

static int kernel_batch(struct pair *p, int cmd, struct batch *b, bool first, uint64_t flags)
{
    union bpf_attr a = {0};
    a.batch.map_fd = (uint32_t)p->fd;
    a.batch.in_batch = first ? 0 : (uintptr_t)b->in;
    a.batch.out_batch = (uintptr_t)b->out;
    a.batch.keys = (uintptr_t)b->keys;
    a.batch.values = (uintptr_t)b->values;
    a.batch.count = b->count;
    a.batch.elem_flags = flags;
    int r = kernel(cmd, &a);
    b->count = a.batch.count;
    return r;
}

static int own_batch(struct pair *p, int cmd, struct batch *b, bool first, uint64_t flags)
{
    const void *in = first ? NULL : b->in;
    switch (cmd) {
    case BPF_MAP_LOOKUP_BATCH:
        return skep_vm_map_lookup_batch(p->m, in, b->out, b->keys, b->values, &b->count, flags);
    case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
        return skep_vm_map_lookup_and_delete_batch(p->m, in, b->out, b->keys, b->values, &b->count, flags);
    case BPF_MAP_UPDATE_BATCH:
        return skep_vm_map_update_batch(p->m, b->keys, b->values, &b->count, flags);
    default:
        return skep_vm_map_delete_batch(p->m, b->keys, &b->count, flags);
    }
}

static void one_batch(struct pair *p)
{
    static struct batch a, b;
    static const int cmds[] = {BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH,
                               BPF_MAP_DELETE_BATCH};
    if (p->o.key_size > 64 || p->value_bytes > 256)
        return;
    int cmd = cmds[rnd(4)];
    bool reads = cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH;
    uint64_t flags = rnd(8) ? 0 : make_flags();
    /* where the order is the kernel's own, only a batch that has room for all can be compared */
    a.count = reads && !p->ordered ? BATCH_MAX : rnd(reads ? BATCH_MAX : 8);
    if (!reads)
        for (uint32_t i = 0; i < a.count; i++)
            make_key(p, a.keys + i * p->o.key_size);
    make_value(p, a.values, MIN(a.count, 8u));
    b = a;
    int r = kernel_batch(p, cmd, &a, true, flags);
    expect("batch", r, own_batch(p, cmd, &b, true, flags));
    assert_int_equal(a.count, b.count);
    if (!reads || !p->ordered || (r < 0 && r != -ENOENT))
        return;
    assert_memory_equal(a.keys, b.keys, a.count * p->o.key_size);
    for (uint32_t i = 0; i < a.count; i++)
        same_value(p, a.values + i * p->value_bytes, b.values + i * p->value_bytes);
    if (r < 0)
        return;
    memcpy(a.in, a.out, sizeof(a.in));
    memcpy(b.in, b.out, sizeof(b.in));
    a.count = b.count = 1 + rnd(BATCH_MAX - 1);
    r = kernel_batch(p, cmd, &a, false, 0);
    expect("second batch", r, own_batch(p, cmd, &b, false, 0));
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.keys, b.keys, a.count * p->o.key_size);
}

/* ---- contents ---- */

static void expect_contents(struct pair *p)
{
    uint8_t key[512], last[512], a[VALUE_BYTES_MAX], b[VALUE_BYTES_MAX];
    uint32_t n_kernel = 0, n_own = 0;
    if (!p->o.key_size || p->o.type == BPF_MAP_TYPE_STACK_TRACE || p->o.flags & BPF_F_WRONLY)
        return;
    int r;
    union bpf_attr first = {0};
    first.map_fd = (uint32_t)p->fd;
    first.next_key = (uintptr_t)key;
    for (r = kernel(BPF_MAP_GET_NEXT_KEY, &first); r >= 0;
         r = kernel_element(p, BPF_MAP_GET_NEXT_KEY, last, key, 0)) {
        memset(a, 0, sizeof(a));
        memset(b, 0, sizeof(b));
        expect("lookup of what is there", kernel_element(p, BPF_MAP_LOOKUP_ELEM, key, a, 0),
               skep_vm_map_lookup(p->m, key, b, 0));
        same_value(p, a, b);
        memcpy(last, key, sizeof(last));
        n_kernel++;
    }
    for (r = skep_vm_map_next_key(p->m, NULL, key); r == 0; r = skep_vm_map_next_key(p->m, last, key)) {
        memcpy(last, key, sizeof(last));
        n_own++;
    }
    assert_int_equal(r, -ENOENT);
    assert_int_equal(n_kernel, n_own);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void replay(const struct pair *like, size_t n)
{
    double end = now() + SECONDS_EACH;
    for (uint64_t round = 1; round == 1 || (round <= 4 && now() < end); round++)
        for (size_t i = 0; i < n; i++) {
            struct pair p = like[i];
            seed = (i + 1) * 1000003 + round * 7919;
            open_pair(&p);
            for (int op = 0; op < 3000; op++) {
                if (rnd(40) == 0)
                    one_batch(&p);
                else
                    one_operation(&p);
                if (op % 500 == 499)
                    expect_contents(&p);
            }
            close_pair(&p);
        }
}

#define PAIR(t, k, v, n, f, u, ord)                                                                          \
    {                                                                                                        \
        .o = {.type = BPF_MAP_TYPE_##t, .key_size = k, .value_size = v, .max_entries = n, .flags = f},       \
        .universe = u, .ordered = ord                                                                        \
    }

static void test_arrays(void **state)
{
    (void)state;
    need_kernel();
    static const struct pair pairs[] = {
        PAIR(ARRAY, 4, 8, 16, 0, 20, true),
        PAIR(ARRAY, 4, 3, 1, 0, 3, true),
        PAIR(ARRAY, 4, 100, 300, 0, 310, true),
        PAIR(PERCPU_ARRAY, 4, 8, 16, 0, 20, true),
        PAIR(PERCPU_ARRAY, 4, 12, 7, 0, 8, true),
        PAIR(ARRAY, 4, 8, 16, BPF_F_RDONLY, 20, true),
        PAIR(ARRAY, 4, 8, 16, BPF_F_WRONLY, 20, true),
    };
    replay(pairs, ARRAY_SIZE(pairs));
}

static void test_hashes(void **state)
{
    (void)state;
    need_kernel();
    static const struct pair pairs[] = {
        PAIR(HASH, 4, 8, 8, 0, 12, false),
        PAIR(HASH, 8, 24, 64, BPF_F_NO_PREALLOC, 80, false),
        PAIR(HASH, 1, 1, 5, 0, 9, false),
        PAIR(HASH, 13, 7, 100, 0, 90, false),
        PAIR(HASH, 64, 5, 1, 0, 3, false),
        PAIR(HASH, 200, 40, 33, BPF_F_ZERO_SEED, 40, false),
        PAIR(PERCPU_HASH, 4, 8, 8, 0, 12, false),
        PAIR(PERCPU_HASH, 12, 20, 30, BPF_F_NO_PREALLOC, 40, false),
        PAIR(HASH, 4, 8, 8, BPF_F_RDONLY, 12, false),
    };
    replay(pairs, ARRAY_SIZE(pairs));
}

/* As long as nothing is evicted. */
static void test_lru(void **state)
{
    (void)state;
    need_kernel();
    static const struct pair pairs[] = {
        PAIR(LRU_HASH, 4, 8, 4096, 0, 64, false),
        PAIR(LRU_PERCPU_HASH, 8, 16, 4096, 0, 64, false),
        PAIR(LRU_HASH, 20, 5, 4096, BPF_F_NO_COMMON_LRU, 64, false),
    };
    replay(pairs, ARRAY_SIZE(pairs));
}

/* Kernels before 6.13 take no notice of flags, and go through tries in another order. */
static void need_tries(void)
{
    struct skep_vm_map_options o = {.type = BPF_MAP_TYPE_LPM_TRIE,
                                    .key_size = 8,
                                    .value_size = 8,
                                    .max_entries = 1,
                                    .flags = BPF_F_NO_PREALLOC};
    struct pair p = {.o = o, .fd = kernel_create(&o, 0)};
    uint64_t key = 8, value = 1;
    int r = kernel_element(&p, BPF_MAP_UPDATE_ELEM, &key, &value, BPF_EXIST);
    close(p.fd);
    if (r != -ENOENT) {
        print_message("[  SKIPPED ] this kernel's tries are of before 6.13\n");
        skip();
    }
}

static void test_tries(void **state)
{
    (void)state;
    need_kernel();
    need_tries();
    static const struct pair pairs[] = {
        PAIR(LPM_TRIE, 5, 8, 20, BPF_F_NO_PREALLOC, 1, true),
        PAIR(LPM_TRIE, 8, 4, 200, BPF_F_NO_PREALLOC, 1, true),
        PAIR(LPM_TRIE, 20, 12, 50, BPF_F_NO_PREALLOC, 1, true),
        PAIR(LPM_TRIE, 260, 1, 30, BPF_F_NO_PREALLOC, 1, true),
        PAIR(LPM_TRIE, 6, 1, 1, BPF_F_NO_PREALLOC, 1, true),
    };
    replay(pairs, ARRAY_SIZE(pairs));
}

static void test_keyless(void **state)
{
    (void)state;
    need_kernel();
    static const struct pair pairs[] = {
        PAIR(QUEUE, 0, 8, 5, 0, 1, true),         PAIR(QUEUE, 0, 3, 1, 0, 1, true),
        PAIR(STACK, 0, 8, 5, 0, 1, true),         PAIR(STACK, 0, 31, 64, 0, 1, true),
        PAIR(BLOOM_FILTER, 0, 8, 50, 0, 1, true), PAIR(RINGBUF, 0, 0, 4096, 0, 1, true),
    };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        replay(&pairs[i], 1);
}

static void test_stack_traces(void **state)
{
    (void)state;
    need_kernel();
    static const struct pair pairs[] = {PAIR(STACK_TRACE, 4, 80, 10, 0, 20, true)};
    replay(pairs, ARRAY_SIZE(pairs));
}

/* ---- maps of maps, and freezing ---- */

#define INNER 6

static void test_maps_of_maps(void **state)
{
    (void)state;
    need_kernel();
    static const struct skep_vm_map_options inner_options[INNER] = {
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4},
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 4},
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 5},
        {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 4},
        {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 9},
        {.type = BPF_MAP_TYPE_ARRAY,
         .key_size = 4,
         .value_size = 8,
         .max_entries = 9,
         .flags = BPF_F_INNER_MAP},
    };
    int fds[INNER];
    uint32_t ids[INNER];
    struct skep_vm_map *maps[INNER];
    for (int i = 0; i < INNER; i++) {
        struct skep_vm_map_options o = inner_options[i];
        o.size = sizeof(o);
        fds[i] = kernel_create(&o, 0);
        assert_true(fds[i] >= 0);
        struct bpf_map_info info = {0};
        union bpf_attr a = {0};
        a.info.bpf_fd = (uint32_t)fds[i];
        a.info.info_len = sizeof(info);
        a.info.info = (uintptr_t)&info;
        assert_int_equal(kernel(BPF_OBJ_GET_INFO_BY_FD, &a), 0);
        ids[i] = info.id;
        assert_int_equal(skep_vm_map_new(vm, &o, &maps[i]), 0);
    }
    static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};
    for (size_t t = 0; t < 2; t++)
        for (int like = 0; like < INNER; like++) {
            struct pair p = {.o = {.size = sizeof(p.o),
                                   .type = types[t],
                                   .key_size = 4,
                                   .value_size = 4,
                                   .max_entries = 4,
                                   .inner = maps[like]}};
            p.fd = kernel_create(&p.o, fds[like]);
            assert_true(p.fd >= 0);
            assert_int_equal(skep_vm_map_new(vm, &p.o, &p.m), 0);
            for (int op = 0; op < 400; op++) {
                uint32_t key = rnd(6), n = rnd(INNER), a = (uint32_t)fds[n], b = skep_vm_map_id(maps[n]),
                         r_own;
                uint64_t flags = make_flags();
                int r;
                switch (rnd(4)) {
                case 0:
                case 1:
                    r = kernel_element(&p, BPF_MAP_UPDATE_ELEM, &key, &a, flags);
                    expect("update", r, skep_vm_map_update(p.m, &key, &b, flags));
                    break;
                case 2:
                    r = kernel_element(&p, BPF_MAP_DELETE_ELEM, &key, NULL, 0);
                    expect("delete", r, skep_vm_map_delete(p.m, &key));
                    break;
                default:
                    r = kernel_element(&p, BPF_MAP_LOOKUP_ELEM, &key, &a, flags);
                    expect("lookup", r, skep_vm_map_lookup(p.m, &key, &r_own, flags));
                    for (int i = 0; r >= 0 && i < INNER; i++)
                        assert_int_equal(a == ids[i], r_own == skep_vm_map_id(maps[i]));
                }
            }
            close_pair(&p);
        }
    for (int i = 0; i < INNER; i++) {
        close(fds[i]);
        skep_vm_map_unref(maps[i]);
    }
}

/* What cannot be an example for inner maps. */
static void test_inner_types(void **state)
{
    (void)state;
    need_kernel();
    static const struct skep_vm_map_options inner[] = {
        {.type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1},
        {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096},
        {.type = BPF_MAP_TYPE_QUEUE, .value_size = 4, .max_entries = 1},
        {.type = BPF_MAP_TYPE_BLOOM_FILTER, .value_size = 4, .max_entries = 1},
        {.type = BPF_MAP_TYPE_STACK_TRACE, .key_size = 4, .value_size = 8, .max_entries = 1},
        {.type = BPF_MAP_TYPE_LPM_TRIE, .key_size = 8, .value_size = 8, .max_entries = 1, .flags = 1},
        {.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1},
        {.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 4, .value_size = 8, .max_entries = 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(inner); i++) {
        struct pair in = {.o = inner[i]};
        in.o.size = sizeof(in.o);
        in.fd = kernel_create(&in.o, 0);
        assert_int_equal(skep_vm_map_new(vm, &in.o, &in.m), 0);
        struct skep_vm_map_options o = {.size = sizeof(o),
                                        .type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
                                        .key_size = 4,
                                        .value_size = 4,
                                        .max_entries = 1,
                                        .inner = in.m};
        struct skep_vm_map *m = NULL;
        int fd = kernel_create(&o, in.fd);
        expect("map of maps", fd, skep_vm_map_new(vm, &o, &m));
        if (m && fd >= 0) {
            /* one level is the most */
            struct skep_vm_map_options outer = o;
            struct skep_vm_map *unused;
            outer.inner = m;
            expect("map of maps of maps", kernel_create(&outer, fd), skep_vm_map_new(vm, &outer, &unused));
        }
        skep_vm_map_unref(m);
        if (fd >= 0)
            close(fd);
        close_pair(&in);
    }
}

static void test_freeze(void **state)
{
    (void)state;
    need_kernel();
    static const struct pair pairs[] = {PAIR(ARRAY, 4, 8, 4, 0, 5, true), PAIR(HASH, 4, 8, 4, 0, 5, false),
                                        PAIR(QUEUE, 0, 8, 4, 0, 5, true),
                                        PAIR(HASH, 4, 8, 4, BPF_F_RDONLY, 5, false)};
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct pair p = pairs[i];
        open_pair(&p);
        for (int op = 0; op < 20; op++)
            one_operation(&p);
        for (int twice = 0; twice < 2; twice++) {
            union bpf_attr a = {0};
            a.map_fd = (uint32_t)p.fd;
            expect("freeze", kernel(BPF_MAP_FREEZE, &a), skep_vm_map_freeze(p.m));
        }
        for (int op = 0; op < 300; op++) {
            one_operation(&p);
            if (op % 10 == 0)
                one_batch(&p);
        }
        close_pair(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),      cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_hashes),       cmocka_unit_test(test_lru),
        cmocka_unit_test(test_tries),        cmocka_unit_test(test_keyless),
        cmocka_unit_test(test_stack_traces), cmocka_unit_test(test_maps_of_maps),
        cmocka_unit_test(test_inner_types),  cmocka_unit_test(test_freeze),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
