/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation fails once, the others succeed: whatever was going on ends with -ENOMEM or goes on without what it
 * wanted the memory for, and nothing is left behind.
 */
#include "machine.h"

#include <errno.h>
#include <glob.h>
#include <linux/bpf.h>

#include "vm/jit/jit.h"
#include "vm/map/memory.h"

#define HOST_ADD 1000

/* What is tried with each allocation failing. Returns 0 or what the first thing that failed said. */
typedef int (*trial_fn)(struct skep_vm *vm, enum skep_vm_mode mode, void *data);

static int try_once(size_t fail_at, enum skep_vm_mode mode, trial_fn trial, void *data, size_t *ret_calls)
{
    struct counting counting = {.fail_at = fail_at};
    const struct skep_vm_allocator allocator = {counting_alloc, counting_free, &counting};
    const struct skep_vm_options o = {.size = sizeof(o), .mode = mode, .cpus = 2, .allocator = &allocator};
    struct skep_vm *vm = NULL;
    int r = skep_vm_new(&o, &vm);
    if (r == 0)
        r = trial(vm, mode, data);
    skep_vm_free(vm);
    if (counting.live)
        fail_msg("allocation %zu: %zu blocks are left", fail_at, counting.live);
    *ret_calls = counting.calls;
    return r;
}

static void try_all(enum skep_vm_mode mode, trial_fn trial, void *data)
{
    size_t calls;
    int r = try_once(0, mode, trial, data, &calls);
    if (r < 0)
        fail_msg("without a failure: %d", r);
    size_t failed = 0;
    for (size_t n = 1; n <= calls; n++) {
        size_t unused;
        r = try_once(n, mode, trial, data, &unused);
        if (r != 0 && r != -ENOMEM)
            fail_msg("allocation %zu of %zu: %d", n, calls, r);
        failed += r != 0;
    }
    /* nearly all memory is needed */
    assert_true(failed > calls / 2);
}

static void in_each_mode(trial_fn trial, void *data)
{
    try_all(SKEP_VM_MODE_INTERPRET, trial, data);
    if (!skep_jit_available())
        return;
    try_all(SKEP_VM_MODE_JIT, trial, data);
    try_all(SKEP_VM_MODE_TRUSTED, trial, data);
}

/* ---- objects ---- */

struct file {
    char *data;
    size_t size;
};

static uint64_t host_add(uint64_t a, uint64_t b, uint64_t r3, uint64_t r4, uint64_t r5,
                         struct skep_vm_thread *t)
{
    (void)r3, (void)r4, (void)r5, (void)t;
    return a + b;
}

static int resolve(void *data, enum skep_vm_extern kind, const char *name, uint64_t *ret, char *text,
                   size_t size)
{
    (void)data;
    (void)kind;
    *ret = skep_streq(name, "host_add") ? HOST_ADD : 1;
    if (size)
        snprintf(text, size, "skep");
    return skep_streq(name, "host_unknown") ? -ENOENT : 0;
}

static int run_programs(struct skep_vm *vm, struct skep_vm_thread *t, struct skep_vm_object *object)
{
    struct skep_vm_packet *packet;
    int r = skep_vm_packet_new(vm, 128, &packet);
    if (r < 0)
        return r;
    skep_vm_packet_set(packet, "0123456789abcdef0123456789", 26);
    struct skep_vm_program *p;
    for (size_t i = 0; (p = skep_vm_object_program(object, NULL, i)); i++) {
        uint64_t value;
        /* whatever it says: some want a packet, some end with a fault */
        if (skep_vm_run(t, p, NULL, 0, &value) < 0)
            skep_vm_run_packet(t, p, packet, &value);
    }
    skep_vm_packet_free(packet);
    return 0;
}

static int open_load_run(struct skep_vm *vm, enum skep_vm_mode mode, void *data)
{
    const struct file *file = data;
    const struct skep_vm_object_options o = {
        .size = sizeof(o), .name = "t.o", .mode = mode, .resolve = resolve};
    struct skep_vm_object *object = NULL;
    struct skep_vm_thread *t = NULL;
    int r = skep_vm_helper_register(vm, HOST_ADD, "host_add", host_add);
    if (r == 0)
        r = skep_vm_thread_new(vm, NULL, &t);
    if (r == 0)
        r = skep_vm_object_open(vm, file->data, file->size, &o, &object);
    if (r == 0)
        r = skep_vm_object_load(object);
    /* the programs that are there must run whether or not the others are */
    if (object) {
        int error = t ? run_programs(vm, t, object) : 0;
        r = r == 0 ? error : r;
    }
    skep_vm_object_free(object);
    skep_vm_thread_free(t);
    return r;
}

static void objects(void **state)
{
    (void)state;
    static const char *const names[] = {"modern", "legacy", "legacy-old", "iproute2", "plain-old"};
    const char *dir = getenv("SKEP_TEST_OBJECTS");
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char pattern[4096];
        glob_t g;
        snprintf(pattern, sizeof(pattern), "%s/clang-%s.bpf.o", dir ? dir : "", names[i]);
        if (!dir || glob(pattern, 0, NULL, &g) != 0)
            continue;
        found++;
        _cleanup_fclose_ FILE *f = fopen(g.gl_pathv[0], "re");
        globfree(&g);
        assert_non_null(f);
        struct file file = {.data = malloc(1 << 20)};
        assert_non_null(file.data);
        file.size = fread(file.data, 1, 1 << 20, f);
        in_each_mode(open_load_run, &file);
        free(file.data);
    }
    if (!found) {
        print_message("skipped: SKEP_TEST_OBJECTS names no objects\n");
        skip();
    }
}

/* ---- maps ---- */

static int visit(void *data, const void *key, const void *value)
{
    (void)key, (void)value;
    ++*(unsigned *)data;
    return 0;
}

/* As a user of the library: everything that may want memory. */
static int use_map(struct skep_vm_map *m)
{
    uint32_t keys[1024] = {32, 0x01020304, 24, 0x0a0b0c0d}, count = 4, cursor[256] = {0};
    uint64_t values[64] = {1, 2, 3, 4};
    unsigned seen = 0;
    const void *key = m->key_size ? keys : NULL;
    if (m->key_size == 4)
        keys[0] = 1;
    static const int fine[] = {0, -ENOMEM, -EINVAL, -SKEP_ENOTSUPP, -ENOENT, -EOPNOTSUPP, -EBADF, -E2BIG};
    int results[] = {
        skep_vm_map_update(m, key, values, 0),
        skep_vm_map_update(m, key, values, 0),
        skep_vm_map_for_each(m, visit, &seen),
        key ? skep_vm_map_update_batch(m, keys, values, &count, 0) : 0,
        key ? skep_vm_map_lookup_batch(m, NULL, cursor, keys, values, &count, 0) : 0,
        key ? skep_vm_map_lookup_and_delete_batch(m, NULL, cursor, keys, values, &count, 0) : 0,
        key ? skep_vm_map_delete_batch(m, keys, &count, 0) : 0,
        skep_vm_map_lookup_and_delete(m, key, values, 0),
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
        bool known = false;
        for (size_t k = 0; k < ARRAY_SIZE(fine); k++)
            known = known || results[i] == fine[k];
        if (!known)
            fail_msg("%s, step %zu: %d", m->ops->name, i, results[i]);
        r = results[i] == -ENOMEM ? -ENOMEM : r;
    }
    return r;
}

static int all_maps(struct skep_vm *vm, enum skep_vm_mode mode, void *data)
{
    (void)mode;
    const struct skep_vm_map_options *o = data;
    struct skep_vm_map *inner = NULL, *m = NULL;
    const struct skep_vm_map_options inner_options = {.size = sizeof(inner_options),
                                                      .type = BPF_MAP_TYPE_HASH,
                                                      .key_size = 4,
                                                      .value_size = 8,
                                                      .max_entries = 4};
    int r = skep_vm_map_new(vm, &inner_options, &inner);
    struct skep_vm_map_options own = *o;
    own.inner = inner;
    if (r == 0)
        r = skep_vm_map_new(vm, &own, &m);
    if (r == 0)
        r = use_map(m);
    uint32_t key = 1, id = inner ? skep_vm_map_id(inner) : 0;
    if (r == 0 && (o->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || o->type == BPF_MAP_TYPE_HASH_OF_MAPS))
        r = skep_vm_map_update(m, &key, &id, 0);
    skep_vm_map_unref(inner);
    skep_vm_map_unref(m);
    return r;
}

static void maps(void **state)
{
    (void)state;
    static const struct {
        uint32_t type, key_size, value_size, max_entries, flags;
    } rows[] = {
        {BPF_MAP_TYPE_HASH, 4, 8, 8, 0},
        {BPF_MAP_TYPE_HASH, 600, 8, 8, 0},
        {BPF_MAP_TYPE_ARRAY, 4, 8, 8, 0},
        {BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 8, 0},
        {BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 8, 0},
        {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 8, 0},
        {BPF_MAP_TYPE_STACK_TRACE, 4, 64, 8, 0},
        {BPF_MAP_TYPE_LRU_HASH, 4, 8, 8, 0},
        {BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 8, 0},
        {BPF_MAP_TYPE_LPM_TRIE, 8, 8, 8, BPF_F_NO_PREALLOC},
        {BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 8, 0},
        {BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 8, 0},
        {BPF_MAP_TYPE_QUEUE, 0, 8, 8, 0},
        {BPF_MAP_TYPE_STACK, 0, 8, 8, 0},
        {BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
        {BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 8, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct skep_vm_map_options o = {
            .size = sizeof(o),
            .type = rows[i].type,
            .key_size = rows[i].key_size,
            .value_size = rows[i].value_size,
            .max_entries = rows[i].max_entries,
            .flags = rows[i].flags,
        };
        try_all(SKEP_VM_MODE_INTERPRET, all_maps, &o);
    }
}

static void *nothing_at_all(void *data, size_t size)
{
    (void)data, (void)size;
    return NULL;
}

static void a_host_without_memory(void **state)
{
    (void)state;
    const struct skep_vm_allocator allocator = {nothing_at_all, counting_free, NULL};
    const struct skep_vm_options o = {.size = sizeof(o), .allocator = &allocator};
    struct skep_vm *vm = NULL;
    assert_int_equal(skep_vm_new(&o, &vm), -ENOMEM);
    assert_null(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps),
        cmocka_unit_test(objects),
        cmocka_unit_test(a_host_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
