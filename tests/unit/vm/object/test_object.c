/* SPDX-License-Identifier: Apache-2.0 */
#include <skep/vm.h>

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/strbuf.h"

#define HOST_ADD 1000

static const enum skep_vm_mode modes[] = {SKEP_VM_MODE_INTERPRET, SKEP_VM_MODE_JIT, SKEP_VM_MODE_TRUSTED};

/* ---- a host ---- */

struct host {
    const char *without; /* an extern that it does not have, NULL: none */
    struct skep_strbuf log;
};

static int resolve(void *data, enum skep_vm_extern kind, const char *name, uint64_t *ret, char *text,
                   size_t size)
{
    const struct host *h = data;
    static const struct {
        enum skep_vm_extern kind;
        const char *name;
        uint64_t value;
        const char *text;
    } externs[] = {
        {SKEP_VM_EXTERN_KCONFIG, "LINUX_KERNEL_VERSION", 0x60000, ""},
        {SKEP_VM_EXTERN_KCONFIG, "CONFIG_SKEP", 1, ""},
        {SKEP_VM_EXTERN_KCONFIG, "CONFIG_NAME", 0, "skep"},
        {SKEP_VM_EXTERN_KSYM, "known_symbol", 5, ""},
        {SKEP_VM_EXTERN_KFUNC, "host_add", HOST_ADD, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(externs); i++) {
        if (externs[i].kind != kind || !skep_streq(externs[i].name, name) ||
            (h->without && skep_streq(h->without, name)))
            continue;
        *ret = externs[i].value;
        if (size)
            snprintf(text, size, "%s", externs[i].text);
        return 0;
    }
    return -ENOENT;
}

static void note(void *data, bool error, const char *text)
{
    struct host *h = data;
    skep_strbuf_printf(&h->log, "%s%s\n", error ? "" : "warning: ", text);
}

static uint64_t host_add(uint64_t a, uint64_t b, uint64_t r3, uint64_t r4, uint64_t r5,
                         struct skep_vm_thread *t)
{
    (void)r3;
    (void)r4;
    (void)r5;
    (void)t;
    return a + b;
}

static struct skep_vm_object_options options_of(struct host *h, enum skep_vm_mode mode)
{
    return (struct skep_vm_object_options){
        .size = sizeof(struct skep_vm_object_options),
        .name = "t.o",
        .mode = mode,
        .resolve = resolve,
        .resolve_data = h,
        .log = note,
        .log_data = h,
    };
}

/* The objects that end in -name.bpf.o, one for each compiler; skips when there are none. */
static void find_objects(const char *name, glob_t *ret)
{
    const char *dir = getenv("SKEP_TEST_OBJECTS");
    char pattern[4096];
    snprintf(pattern, sizeof(pattern), "%s/*-%s.bpf.o", dir ? dir : "", name);
    if (!dir || glob(pattern, 0, NULL, ret) != 0) {
        print_message("skipped: SKEP_TEST_OBJECTS names no objects\n");
        skip();
    }
}

static char *read_file(const char *path, size_t *ret_size)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    assert_non_null(f);
    char *data = malloc(1 << 20);
    assert_non_null(data);
    *ret_size = fread(data, 1, 1 << 20, f);
    return data;
}

/* ---- runs ---- */

static const struct {
    const char *object, *program;
    const char *memory; /* NULL: none */
    bool packet;
    uint64_t values[2]; /* of one run after the other */
} runs[] = {
    {"modern", "data", NULL, false, {65, 90}},
    {"modern", "calls", NULL, false, {49, 49}},
    {"modern", "maps", NULL, false, {100, 2}},
    {"modern", "callback", NULL, false, {10, 10}},
    {"modern", "tail_one", NULL, false, {1001, 1001}},
    {"modern", "jump", NULL, false, {1002, 1002}},
    {"modern", "no_jump", NULL, false, {17, 17}},
    {"modern", "externs", NULL, false, {0x60007, 0x60007}},
    {"modern", "pointers", NULL, false, {'b', 'b'}},
    {"modern", "hidden_program", NULL, false, {4711, 4711}},
    {"legacy", "run", NULL, false, {109, 218}},
    {"legacy-old", "run", NULL, false, {109, 218}},
    {"iproute2", "entry", NULL, true, {21, 42}},
    {"iproute2-old", "entry", NULL, true, {21, 42}},
    {"indirect", "program", "\7", false, {14, 14}},
    {"indirect", "program", NULL, false, {81, 81}},
    {"indirect-old", "program", NULL, false, {81, 81}},
    {"plain", "program", "\7", false, {14, 14}},
    {"plain", "program", NULL, false, {42, 42}},
    {"plain-old", "program", "\7", false, {14, 14}},
};

static void set_sums(struct skep_vm_object *object)
{
    struct skep_vm_map *m = skep_vm_object_map(object, "sums", 0);
    for (uint32_t i = 0; m && i < 4; i++)
        assert_int_equal(skep_vm_map_update(m, &i, &(uint64_t){i + 1}, 0), 0);
}

static int run_one(struct skep_vm_thread *t, struct skep_vm_program *p, size_t i, uint64_t *ret)
{
    char memory[8] = "";
    if (!runs[i].packet) {
        const char *from = runs[i].memory;
        if (from)
            memcpy(memory, from, strlen(from));
        return skep_vm_run(t, p, from ? memory : NULL, from ? strlen(from) : 0, ret);
    }
    struct skep_vm_packet *packet;
    assert_int_equal(skep_vm_packet_new(skep_vm_thread_vm(t), 128, &packet), 0);
    assert_int_equal(skep_vm_packet_set(packet, "0123456789abcdef0123456789", 26), 0);
    int r = skep_vm_run_packet(t, p, packet, ret);
    skep_vm_packet_free(packet);
    return r;
}

static void run(const char *path, size_t i, enum skep_vm_mode mode)
{
    size_t size;
    _cleanup_free_ char *data = read_file(path, &size);
    struct host h = {0};
    skep_strbuf_init(&h.log, 1 << 16);
    struct skep_vm *vm;
    struct skep_vm_object *object;
    struct skep_vm_thread *t;
    assert_int_equal(skep_vm_new(NULL, &vm), 0);
    assert_int_equal(skep_vm_helper_register(vm, HOST_ADD, "host_add", host_add), 0);
    assert_int_equal(skep_vm_thread_new(vm, NULL, &t), 0);
    const struct skep_vm_object_options o = options_of(&h, mode);
    int r = skep_vm_object_open(vm, data, size, &o, &object);
    if (r == 0)
        r = skep_vm_object_load(object);
    if (r < 0 || h.log.len)
        fail_msg("%s: %d\n%s", path, r, h.log.s);
    assert_int_equal(skep_vm_object_load(object), -EALREADY);
    set_sums(object);
    struct skep_vm_program *p = skep_vm_object_program(object, runs[i].program, 0);
    assert_non_null(p);
    for (size_t k = 0; k < ARRAY_SIZE(runs[i].values); k++) {
        uint64_t value = ~0ULL;
        r = run_one(t, p, i, &value);
        if (r < 0 || value != runs[i].values[k])
            fail_msg("%s: %s in mode %d, run %zu: %d, %llu: %s", path, runs[i].program, (int)mode, k, r,
                     (unsigned long long)value, skep_vm_thread_error(t)->message);
    }
    skep_vm_object_free(object);
    skep_vm_thread_free(t);
    skep_vm_free(vm);
    skep_strbuf_clear(&h.log);
}

/* Whether this machine has a JIT. */
static bool has_jit(void)
{
    static const char exit_0[] = "\xb7\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0";
    const struct skep_vm_program_options o = {
        .size = sizeof(o), .insns = exit_0, .n_insns = 2, .mode = SKEP_VM_MODE_JIT};
    struct skep_vm *vm;
    struct skep_vm_program *p = NULL;
    assert_int_equal(skep_vm_new(NULL, &vm), 0);
    int r = skep_vm_program_load(vm, &o, &p, NULL);
    skep_vm_program_unref(p);
    skep_vm_free(vm);
    return r == 0;
}

static void test_runs(void **state)
{
    (void)state;
    size_t n_modes = has_jit() ? ARRAY_SIZE(modes) : 1;
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
        glob_t g;
        find_objects(runs[i].object, &g);
        for (size_t k = 0; k < g.gl_pathc; k++)
            for (size_t mode = 0; mode < n_modes; mode++)
                run(g.gl_pathv[k], i, modes[mode]);
        globfree(&g);
    }
}

/* ---- what is missing ---- */

static void test_missing(void **state)
{
    (void)state;
    static const struct {
        const char *extern_name;
        int r;
        const char *program; /* that is missing then */
        const char *text;
    } missing[] = {
        {"host_add", -ENOEXEC, "externs", "there is no function 'host_add' outside of the object\n"},
        {"known_symbol", -ENOEXEC, "externs", "there is no symbol 'known_symbol' outside of the object\n"},
        {"CONFIG_SKEP", -ENOEXEC, "externs", "there is no value of 'CONFIG_SKEP' (section '.kconfig')\n"},
    };
    glob_t g;
    find_objects("modern", &g);
    size_t size;
    _cleanup_free_ char *data = read_file(g.gl_pathv[0], &size);
    globfree(&g);
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
        struct host h = {.without = missing[i].extern_name};
        skep_strbuf_init(&h.log, 1 << 16);
        struct skep_vm *vm;
        struct skep_vm_object *object;
        const struct skep_vm_object_options o = options_of(&h, SKEP_VM_MODE_INTERPRET);
        assert_int_equal(skep_vm_new(NULL, &vm), 0);
        assert_int_equal(skep_vm_object_open(vm, data, size, &o, &object), 0);
        assert_int_equal(skep_vm_object_load(object), missing[i].r);
        if (!strstr(h.log.s, missing[i].text))
            fail_msg("%s: %s", missing[i].extern_name, h.log.s);
        assert_null(skep_vm_object_program(object, missing[i].program, 0));
        assert_non_null(skep_vm_object_program(object, "calls", 0));
        skep_vm_object_free(object);
        skep_vm_free(vm);
        skep_strbuf_clear(&h.log);
    }
}

/* A weak function that nobody has is only an error when it is called. */
static void test_poison(void **state)
{
    (void)state;
    glob_t g;
    find_objects("modern", &g);
    size_t size;
    _cleanup_free_ char *data = read_file(g.gl_pathv[0], &size);
    globfree(&g);
    struct host h = {0};
    skep_strbuf_init(&h.log, 1 << 16);
    struct skep_vm *vm;
    struct skep_vm_object *object;
    struct skep_vm_thread *t;
    uint64_t value;
    const struct skep_vm_object_options o = options_of(&h, SKEP_VM_MODE_INTERPRET);
    assert_int_equal(skep_vm_new(NULL, &vm), 0);
    assert_int_equal(skep_vm_thread_new(vm, NULL, &t), 0);
    assert_int_equal(skep_vm_object_open(vm, data, size, &o, &object), 0);
    assert_int_equal(skep_vm_object_load(object), 0);
    struct skep_vm_program *p = skep_vm_object_program(object, "reaches_unknown", 0);
    assert_non_null(p);
    assert_string_equal(skep_vm_program_section(p), "raw");
    assert_true(skep_vm_run(t, p, NULL, 0, &value) < 0);
    assert_int_equal(skep_vm_thread_error(t)->fault, SKEP_VM_FAULT_RELOC);
    assert_int_equal(skep_vm_thread_error(t)->insn, 1);
    assert_non_null(strstr(skep_vm_thread_error(t)->message, "host_unknown"));
    skep_vm_object_free(object);
    skep_vm_thread_free(t);
    skep_vm_free(vm);
    skep_strbuf_clear(&h.log);
}

/* ---- memory ---- */

struct ledger {
    size_t left; /* allocations that still succeed */
    size_t held;
};

static void *give(void *data, size_t size)
{
    struct ledger *l = data;
    if (l->left == 0)
        return NULL;
    l->left--;
    l->held++;
    return malloc(size);
}

static void take(void *data, void *p)
{
    ((struct ledger *)data)->held--;
    free(p);
}

/* Whichever allocation fails, loading says so, and nothing is left behind. */
static void test_memory(void **state)
{
    (void)state;
    glob_t g;
    find_objects("modern", &g);
    size_t size;
    _cleanup_free_ char *data = read_file(g.gl_pathv[0], &size);
    globfree(&g);
    bool done = false;
    for (size_t n = 1; !done; n++) {
        struct ledger l = {.left = n};
        const struct skep_vm_allocator allocator = {.alloc = give, .free = take, .data = &l};
        const struct skep_vm_options vm_options = {
            .size = sizeof(vm_options), .allocator = &allocator, .cpus = 2};
        struct host h = {0};
        skep_strbuf_init(&h.log, 1 << 20);
        struct skep_vm *vm;
        struct skep_vm_object *object;
        const struct skep_vm_object_options o = options_of(&h, SKEP_VM_MODE_INTERPRET);
        int r = skep_vm_new(&vm_options, &vm);
        if (r == 0) {
            r = skep_vm_object_open(vm, data, size, &o, &object);
            if (r == 0) {
                r = skep_vm_object_load(object);
                skep_vm_object_free(object);
            }
            skep_vm_free(vm);
        }
        assert_int_equal(l.held, 0);
        done = r == 0;
        if (!done && r != -ENOMEM && r != -ENOEXEC)
            fail_msg("allocation %zu: %d\n%s", n, r, h.log.s);
        assert_true(n < 10000);
        skep_strbuf_clear(&h.log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_poison),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
