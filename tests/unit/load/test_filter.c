/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter stage on the running kernel: programs written by hand in the frames of rule/compile/frame.h, loaded and swapped as
 * the agent does it, and real system calls that pass or are dropped. Needs root; takes part in nobody else's events,
 * since all that is looked at are this process's own (SKEP_SCOPE_TRACKED; skep_cfg.self is the process that opened the
 * kernel, so the calls are made by a child).
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "load/filter.h"
#include "load/swap.h"
#include "rule/compile/frame.h"
#include <cmocka.h>

#define NAME_OFF offsetof(struct skep_ev_open, path)

/* The last one cannot even be made. */
static const char *const paths[] = {"/tmp/skx-one", "/tmp/sky-two", "/tmp/skx-three-and-more",
                                    "/etc/nothing/there"};

static struct skep_kernel *kernel;
static char reason[512];
static struct skep_selection nothing, opens;

/* ---- bodies ---- */

/* Passes when the text begins with these eight bytes. */
static void body_prefix(struct skep_build *b, size_t text, const char *prefix, unsigned pass, unsigned drop)
{
    uint64_t word;
    memcpy(&word, prefix, 8);
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, (int16_t)text);
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 1, SKEP_RECORD_MAX, drop);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, 6);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 2, 1);
    skep_build_load(b, SKEP_OP_LDXDW, 3, 2, 0);
    skep_build_wide(b, SKEP_OP_LDDW, 4, (uint32_t)word, (uint32_t)(word >> 32));
    skep_build_jump_reg(b, SKEP_OP_JEQ_REG, 3, 4, pass);
    skep_build_jump(b, drop);
}

/* Passes when map 0 has the first 16 bytes of the path, behind their length as a trie wants it or without. */
static void body_lookup(struct skep_build *b, bool trie, unsigned pass, unsigned drop)
{
    int key = -SKEP_FRAME_BODY_STACK;
    skep_build_load(b, SKEP_OP_LDXW, 1, 6, NAME_OFF);
    skep_build_jump_imm(b, SKEP_OP_JGT_IMM, 1, SKEP_RECORD_MAX, drop);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, 6);
    skep_build_reg(b, SKEP_OP_ADD64_REG, 2, 1);
    skep_build_store_imm(b, SKEP_OP_STW, SKEP_REG_FRAME, (int16_t)(key + 4), 128);
    for (int16_t i = 0; i < 16; i = (int16_t)(i + 8)) {
        skep_build_load(b, SKEP_OP_LDXDW, 3, 2, i);
        skep_build_store(b, SKEP_OP_STXDW, SKEP_REG_FRAME, (int16_t)(key + 8 + i), 3);
    }
    skep_build_wide(b, SKEP_OP_LDDW_MAP_IDX, 1, 0, 0);
    skep_build_reg(b, SKEP_OP_MOV64_REG, 2, SKEP_REG_FRAME);
    skep_build_imm(b, SKEP_OP_ADD64_IMM, 2, trie ? key + 4 : key + 8);
    skep_build_call(b, 1);
    skep_build_jump_imm(b, SKEP_OP_JEQ_IMM, 0, 0, drop);
    skep_build_jump(b, pass);
}

/* Writes where nobody may: the verifier must say so. */
static void body_wrong(struct skep_build *b, unsigned pass)
{
    skep_build_store_imm(b, SKEP_OP_STDW, 6, 32767, 0);
    skep_build_load(b, SKEP_OP_LDXDW, 1, 9, 0);
    skep_build_jump(b, pass);
}

enum body { PREFIX, RAW_PREFIX, HASH, TRIE, ALL, NONE, WRONG };

static void build(enum skep_frame_kind frame, enum body body, uint32_t n_maps, struct skep_insn **ret,
                  size_t *ret_n)
{
    struct skep_frame f = {.kind = frame,
                           .event = SKEP_KIND_open,
                           .scratch_map = n_maps,
                           .counters_map = n_maps + 1,
                           .filters_map = n_maps + 2};
    _cleanup_build_ struct skep_build b;
    unsigned pass, drop;
    skep_build_init(&b, 4096);
    skep_frame_begin(&f, &b, &pass, &drop);
    switch (body) {
    case PREFIX:
        body_prefix(&b, NAME_OFF, "/tmp/skx", pass, drop);
        break;
    case RAW_PREFIX:
        skep_frame_ask_late(&f, &b, pass);
        body_prefix(&b, offsetof(struct skep_ev_open, raw_path), "/tmp/skx", pass, drop);
        break;
    case HASH:
    case TRIE:
        body_lookup(&b, body == TRIE, pass, drop);
        break;
    case ALL:
        skep_build_jump(&b, pass);
        break;
    case NONE:
        skep_build_jump(&b, drop);
        break;
    case WRONG:
        body_wrong(&b, pass);
    }
    skep_frame_end(&f, &b, pass, drop);
    assert_int_equal(skep_build_finish(&b, ret, ret_n), 0);
}

static bool late_raw_path;

static int load_body(struct skep_filters *f, uint16_t kind, enum body body, uint32_t n_maps)
{
    static const uint32_t maps[] = {0};
    _cleanup_free_ struct skep_insn *insns = NULL;
    struct skep_filter_program p = {.maps = maps, .n_maps = n_maps, .late_raw_path = late_raw_path};
    build(SKEP_FRAME_KERNEL, body, n_maps, &insns, &p.n_insns);
    p.insns = insns;
    return skep_filters_load(f, kind, &p);
}

/* ---- the world ---- */

static int setup(void **state)
{
    (void)state;
    struct skep_kernel_options o = {
        .scope = SKEP_SCOPE_TRACKED, .data_bytes = 16 << 20, .life_bytes = 1 << 20};
    skep_selection_kind(&opens, SKEP_KIND_open);
    o.selection = &opens;
    int r = geteuid() ? -EPERM : skep_kernel_open(&o, &kernel, reason, sizeof(reason));
    if (r >= 0)
        r = skep_kernel_attach(kernel, reason, sizeof(reason));
    if (r < 0) {
        print_message("# skipped, no kernel to filter in: %s\n", *reason ? reason : strerror(-r));
        kernel = skep_kernel_free(kernel);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kernel = skep_kernel_free(kernel);
    for (size_t i = 0; i < 3; i++)
        unlink(paths[i]);
    return 0;
}

/* Runs fn in a child that is in scope. */
static void in_child(void (*fn)(void))
{
    int go[2];
    char c = 0;
    assert_int_equal(pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (read(go[0], &c, 1) != 1)
            _exit(1);
        fn();
        _exit(0);
    }
    assert_int_equal(skep_kernel_track(kernel, (uint32_t)pid), 0);
    assert_int_equal(write(go[1], &c, 1), 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(go[0]);
    close(go[1]);
}

static void open_all(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        close(open(paths[i], O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
    close(open(paths[3], O_RDONLY));
}

static unsigned bad_headers, without_raw;

/* What filters do not see must be there at the end. */
static void check_rest(const struct skep_ev_open *ev)
{
    const struct skep_hdr *h = &ev->h;
    const char *path = (const char *)h + ev->path.off, *raw = (const char *)h + ev->raw_path.off;
    uint64_t now = skep_clock_boot_ns();
    bad_headers += !h->start || !h->caps || !h->cgroup || h->time > now || h->time + 2000000000ULL < now ||
                   ev->path.off + ev->path.len > h->len || h->len > 1024;
    without_raw +=
        !ev->raw_path.off || ev->raw_path.len != ev->path.len || memcmp(path, raw, ev->path.len) != 0;
}

/* A bit for each of paths that was reported. */
static unsigned reported(void)
{
    const struct skep_hdr *h;
    size_t size;
    unsigned seen = 0;
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    skep_kernel_refill(kernel);
    while (skep_kernel_next(kernel, UINT64_MAX, &h, &size) > 0) {
        const struct skep_ev_open *ev = (const void *)h;
        for (size_t i = 0; h->kind == SKEP_KIND_open && i < ARRAY_SIZE(paths); i++)
            if (ev->path.len == strlen(paths[i]) &&
                memcmp((const char *)h + ev->path.off, paths[i], ev->path.len) == 0) {
                seen |= 1U << i;
                check_rest(ev);
            }
    }
    skep_kernel_release(kernel);
    assert_int_equal(bad_headers, 0);
    assert_int_equal(without_raw, 0);
    return seen;
}

static void assert_ledger(uint16_t kind, struct skep_counters *ret)
{
    static struct skep_counters sum[SKEP_KIND_MAX];
    assert_int_equal(skep_kernel_counters(kernel, sum), 0);
    uint64_t lost = 0;
    for (size_t i = 0; i < SKEP_REASON_MAX; i++)
        lost += sum[kind].lost[i];
    assert_int_equal(sum[kind].seen, sum[kind].submitted + sum[kind].filtered + lost);
    *ret = sum[kind];
}

static void swap_to(const struct skep_selection *s, struct skep_filters *f)
{
    int r = skep_kernel_swap(kernel, s, f, NULL, NULL, reason, sizeof(reason));
    if (r < 0)
        fail_msg("swap: %s, %s", strerror(-r), reason);
}

static struct skep_filters *filters_of(enum body body, const struct skep_filter_map *map)
{
    struct skep_filters *f = NULL;
    int r = skep_filters_new(kernel, map, map ? 1 : 0, &f, reason, sizeof(reason));
    if (r < 0)
        fail_msg("maps: %s", reason);
    r = load_body(f, SKEP_KIND_open, body, map ? 1 : 0);
    if (r < 0)
        fail_msg("load: %s", skep_filters_reason(f, SKEP_KIND_open));
    return f;
}

#define NEED_KERNEL()                                                                                        \
    do {                                                                                                     \
        if (!kernel)                                                                                         \
            skip();                                                                                          \
    } while (0)

/* ---- tests ---- */

static void test_prefix(void **state)
{
    (void)state;
    NEED_KERNEL();
    struct skep_counters before, after;
    in_child(open_all);
    assert_int_equal(reported(), 15);
    assert_ledger(SKEP_KIND_open, &before);
    swap_to(&opens, filters_of(PREFIX, NULL));
    in_child(open_all);
    assert_int_equal(reported(), 5);
    assert_ledger(SKEP_KIND_open, &after);
    assert_int_equal(after.filtered - before.filtered >= 3,
                     1); /* two by the filter; others are out of scope */
    swap_to(&opens, NULL);
    in_child(open_all);
    assert_int_equal(reported(), 15);
}

static void test_all_and_none(void **state)
{
    (void)state;
    NEED_KERNEL();
    swap_to(&opens, filters_of(NONE, NULL));
    in_child(open_all);
    assert_int_equal(reported(), 0);
    swap_to(&opens, filters_of(ALL, NULL));
    in_child(open_all);
    assert_int_equal(reported(), 15);
}

/* Asked for, it is there, the first time and when it is read at once thereafter. */
static void test_asked(void **state)
{
    (void)state;
    NEED_KERNEL();
    struct skep_counters before, after;
    late_raw_path = true;
    swap_to(&opens, filters_of(RAW_PREFIX, NULL));
    late_raw_path = false;
    assert_ledger(SKEP_KIND_open, &before);
    for (unsigned i = 0; i < 2 * SKEP_EAGER / 3; i++) {
        in_child(open_all);
        assert_int_equal(reported(), 5);
    }
    assert_ledger(SKEP_KIND_open, &after);
    assert_true(after.submitted - before.submitted >= 2 * SKEP_EAGER / 3 * 2);
    assert_true(after.filtered - before.filtered >= 2 * SKEP_EAGER / 3 * 3);
}

/* The raw path is put into records that passed; into those of failed calls, whose path is made from it, at once. */
static void test_late(void **state)
{
    (void)state;
    NEED_KERNEL();
    static const enum body bodies[] = {PREFIX, ALL};
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        late_raw_path = true;
        swap_to(&opens, filters_of(bodies[i], NULL));
        late_raw_path = false;
        in_child(open_all);
        assert_int_equal(reported(), bodies[i] == ALL ? 15 : 5);
    }
}

/* By outcome and flags, with no program at all. */
static void test_early(void **state)
{
    (void)state;
    NEED_KERNEL();
    static const struct {
        struct skep_filter_early early;
        unsigned reported;
    } cases[] = {
        {{.unwanted_ret = SKEP_RET_FAILED}, 7},
        {{.unwanted_ret = SKEP_RET_OK}, 8},
        {{.unwanted_ret = SKEP_RET_OK | SKEP_RET_FAILED}, 0},
        {{.flags = {1, {{O_CREAT, O_CREAT}}}}, 15},
        {{.flags = {1, {{O_CREAT, 0}}}}, 8},
        {{.flags = {2, {{O_ACCMODE, O_WRONLY}, {O_ACCMODE, O_RDWR}}}}, 0},
        {{.flags = {4, {{O_ACCMODE, O_WRONLY}, {O_ACCMODE, O_RDWR}, {O_CREAT, 0}, {O_CREAT, O_CREAT}}}}, 15},
        {{.unwanted_ret = 0}, 15},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct skep_filters *f = NULL;
        struct skep_counters c;
        assert_int_equal(skep_filters_new(kernel, NULL, 0, &f, reason, sizeof(reason)), 0);
        assert_int_equal(skep_filters_early(f, SKEP_KIND_open, &cases[i].early), 0);
        swap_to(&opens, f);
        in_child(open_all);
        assert_int_equal(reported(), cases[i].reported);
        assert_ledger(SKEP_KIND_open, &c);
    }
    _cleanup_filters_ struct skep_filters *f = NULL;
    assert_int_equal(skep_filters_new(kernel, NULL, 0, &f, reason, sizeof(reason)), 0);
    assert_int_equal(skep_filters_early(f, SKEP_KIND_tcp, &cases[0].early), -EOPNOTSUPP);
    assert_int_equal(skep_filters_early(f, SKEP_KIND_mkdir, &cases[3].early), -EOPNOTSUPP);
    assert_int_equal(skep_filters_early(f, SKEP_KIND_mkdir, &cases[0].early), 0);
    assert_int_equal(skep_filters_early(f, SKEP_KIND_open, &(struct skep_filter_early){.flags.n = 5}),
                     -E2BIG);
}

struct trie_key {
    uint32_t bits;
    char path[16];
};

static void test_maps(void **state)
{
    (void)state;
    NEED_KERNEL();
    char keys[2][16] = {"/etc/nothing/the", "/tmp/sky-two\0\0\0"};
    struct trie_key prefixes[2] = {{64, "/tmp/skx"}, {40, "/etc/"}};
    uint8_t values[2] = {1, 1};
    struct skep_filter_map m = {.name = "names",
                                .type = BPF_MAP_TYPE_HASH,
                                .key_size = 16,
                                .value_size = 1,
                                .max_entries = 2,
                                .keys = keys,
                                .values = values,
                                .n_entries = 2};
    swap_to(&opens, filters_of(HASH, &m));
    in_child(open_all);
    assert_int_equal(reported() & 8, 8);
    m.type = BPF_MAP_TYPE_LPM_TRIE;
    m.flags = BPF_F_NO_PREALLOC;
    m.key_size = sizeof(struct trie_key);
    m.keys = prefixes;
    swap_to(&opens, filters_of(TRIE, &m));
    in_child(open_all);
    assert_int_equal(reported(), 1 | 4 | 8);
}

static void test_large_map(void **state)
{
    (void)state;
    NEED_KERNEL();
    size_t n = 100000;
    _cleanup_free_ uint64_t(*keys)[2] = calloc(n, 16);
    _cleanup_free_ uint8_t *values = calloc(n, 1);
    for (size_t i = 0; i < n; i++)
        keys[i][0] = keys[i][1] = i * 0x9e3779b97f4a7c15ULL;
    memcpy(keys[n - 1], "/tmp/skx-three-and-more", 16);
    struct skep_filter_map m = {.name = "large",
                                .type = BPF_MAP_TYPE_HASH,
                                .key_size = 16,
                                .value_size = 1,
                                .max_entries = (uint32_t)n,
                                .keys = keys,
                                .values = values,
                                .n_entries = n};
    uint64_t begin = skep_clock_mono_ns();
    struct skep_filters *f = filters_of(HASH, &m);
    print_message("# 100,000 entries and a program: %.1f ms\n", (double)(skep_clock_mono_ns() - begin) / 1e6);
    swap_to(&opens, f);
    in_child(open_all);
    assert_int_equal(reported(), 4);
    m.n_entries = 3;
    m.max_entries = 2; /* does not fit */
    f = NULL;
    assert_true(skep_filters_new(kernel, &m, 1, &f, reason, sizeof(reason)) < 0);
    assert_non_null(strstr(reason, "large"));
    assert_null(f);
}

static void test_refusal(void **state)
{
    (void)state;
    NEED_KERNEL();
    _cleanup_filters_ struct skep_filters *f = NULL;
    assert_int_equal(skep_filters_new(kernel, NULL, 0, &f, reason, sizeof(reason)), 0);
    assert_true(load_body(f, SKEP_KIND_open, WRONG, 0) < 0);
    assert_false(skep_filters_has(f, SKEP_KIND_open));
    if (!strstr(skep_filters_reason(f, SKEP_KIND_open), "!read_ok"))
        fail_msg("%s", skep_filters_reason(f, SKEP_KIND_open));
    assert_int_equal(load_body(f, SKEP_KIND_exec, ALL, 0), -EOPNOTSUPP);
    assert_int_equal(load_body(f, SKEP_KIND_tcp, ALL, 0), -EOPNOTSUPP);
    assert_int_equal(load_body(f, SKEP_KIND_setns, ALL, 0), -EOPNOTSUPP);
    assert_int_equal(load_body(f, SKEP_KIND_open, ALL, 1), -EINVAL); /* there is no map 0 */
    assert_int_equal(load_body(f, SKEP_KIND_open, PREFIX, 0), 0);
    assert_true(skep_filters_has(f, SKEP_KIND_open));
    assert_null(skep_filters_reason(f, SKEP_KIND_open));
    assert_true(skep_filters_verified(f, SKEP_KIND_open) > 10);
    swap_to(&opens, TAKE_PTR(f));
    in_child(open_all);
    assert_int_equal(reported(), 5);
}

/* The same bodies on records by hand. */
static void test_run(void **state)
{
    (void)state;
    NEED_KERNEL();
    _cleanup_filter_test_ struct skep_filter_test *t = NULL;
    _cleanup_free_ struct skep_insn *insns = NULL;
    struct skep_filter_program p = {0};
    build(SKEP_FRAME_TEST, PREFIX, 0, &insns, &p.n_insns);
    p.insns = insns;
    if (skep_filter_test_new(NULL, 0, &p, &t, reason, sizeof(reason)) < 0)
        fail_msg("test frame: %s", reason);
    struct {
        struct skep_ev_open ev;
        char text[64];
    } record = {.ev.path = {.off = sizeof(record.ev)}};
    uint64_t begin = skep_clock_mono_ns();
    for (size_t i = 0; i < 1000; i++) {
        const char *path = paths[i % ARRAY_SIZE(paths)];
        record.ev.path.len = (uint32_t)strlen(path);
        strcpy(record.text, path);
        int r = skep_filter_test_run(t, &record, sizeof(record));
        assert_int_equal(r, i % ARRAY_SIZE(paths) == 0 || i % ARRAY_SIZE(paths) == 2);
    }
    print_message("# a record under BPF_PROG_TEST_RUN: %.1f us\n",
                  (double)(skep_clock_mono_ns() - begin) / 1e6);
    record.ev.path.off = UINT32_MAX;
    assert_int_equal(skep_filter_test_run(t, &record, sizeof(record)), 0);
    assert_int_equal(skep_filter_test_run(t, &record, 1 << 20), -E2BIG);
}

static void unlink_and_connect(void)
{
    close(open(paths[0], O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
    unlink(paths[0]);
    close(openat(AT_FDCWD, paths[1], O_RDONLY));
    syscall(SYS_open, paths[2], O_RDONLY);
    mkdir("/tmp/skx-directory", 0700);
    unlinkat(AT_FDCWD, "/tmp/skx-directory", AT_REMOVEDIR);
}

struct tally {
    unsigned kinds[SKEP_KIND_MAX];
    unsigned path_bits;
};

static void tally_up(struct tally *t)
{
    const struct skep_hdr *h;
    size_t size;
    *t = (struct tally){0};
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    skep_kernel_refill(kernel);
    while (skep_kernel_next(kernel, UINT64_MAX, &h, &size) > 0)
        t->kinds[h->kind]++;
    skep_kernel_release(kernel);
}

/* What was not loaded at the start is loaded when it is wanted, and taken off again. */
static void test_select(void **state)
{
    (void)state;
    NEED_KERNEL();
    struct tally t;
    struct skep_selection s = {0};
    skep_selection_kind(&s, SKEP_KIND_unlink);
    skep_selection_kind(&s, SKEP_KIND_tcp);
    skep_selection_kind(&s, SKEP_KIND_signal);
    skep_selection_kind(&s, SKEP_KIND_dns);
    skep_selection_kind(&s, SKEP_KIND_uring);
    assert_int_equal(skep_selection_call(&s, SKEP_KIND_open, "open"), 0);
    tally_up(&t);
    swap_to(&opens, NULL);
    in_child(unlink_and_connect);
    tally_up(&t);
    assert_int_equal(t.kinds[SKEP_KIND_open], 3);
    assert_int_equal(t.kinds[SKEP_KIND_unlink], 0);
    for (int round = 0; round < 3; round++) {
        if (skep_kernel_select(kernel, &s, reason, sizeof(reason)) < 0)
            fail_msg("select: %s", reason);
        in_child(unlink_and_connect);
        tally_up(&t);
        assert_int_equal(t.kinds[SKEP_KIND_open], 1);
        assert_int_equal(t.kinds[SKEP_KIND_unlink], 1);
        assert_int_equal(t.kinds[SKEP_KIND_rmdir], 0);
        struct skep_selection r = {0};
        assert_int_equal(skep_selection_call(&r, SKEP_KIND_rmdir, "unlinkat"), 0);
        assert_int_equal(skep_selection_call(&r, SKEP_KIND_unlink, "unlink"), 0);
        assert_int_equal(skep_kernel_select(kernel, &r, reason, sizeof(reason)), 0);
        in_child(unlink_and_connect);
        tally_up(&t);
        assert_int_equal(t.kinds[SKEP_KIND_open], 0);
        assert_int_equal(t.kinds[SKEP_KIND_unlink], 1);
        assert_int_equal(t.kinds[SKEP_KIND_rmdir], 1);
    }
    size_t n, attached = 0;
    const struct skep_program *programs = skep_kernel_programs(kernel, &n);
    for (size_t i = 0; i < n; i++)
        if (programs[i].state == SKEP_PROGRAM_ATTACHED &&
            (strcmp(programs[i].name, "tcp_state") == 0 || strcmp(programs[i].name, "dns_egress") == 0 ||
             strcmp(programs[i].name, "signal_generate") == 0 ||
             strcmp(programs[i].name, "uring_submit_req") == 0))
            attached++;
    assert_int_equal(attached, 0);
    assert_int_equal(skep_kernel_select(kernel, &nothing, reason, sizeof(reason)), 0);
    in_child(unlink_and_connect);
    tally_up(&t);
    assert_int_equal(t.kinds[SKEP_KIND_open] + t.kinds[SKEP_KIND_unlink] + t.kinds[SKEP_KIND_rmdir], 0);
}

/* ---- swapping under load ---- */

#define PAIRS_MAX 2000000
#define SWAPS_MAX 4096

/* x 0, y 0, x 1, y 1, ...: files that are not there. */
static void open_pairs(void)
{
    char path[] = "/tmp/skx00000000";
    uint64_t end = skep_clock_mono_ns() + 1500000000ULL;
    for (int i = 0; i < PAIRS_MAX && skep_clock_mono_ns() < end; i++) {
        snprintf(path + 8, 9, "%08d", i);
        path[7] = 'x';
        close(open(path, O_RDONLY));
        path[7] = 'y';
        close(open(path, O_RDONLY));
        if (i % 16 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
}

/* What was seen of the child, and when which policy held. */
struct load_test {
    uint64_t *x, *y; /* by number: time; 0: not seen */
    size_t last;
    struct {
        uint64_t from;
        bool all;
    } policies[SWAPS_MAX];
    size_t n_policies;
    uint64_t twice;
};

static void load_take(struct load_test *t, uint64_t limit)
{
    const struct skep_hdr *h;
    size_t size;
    skep_kernel_refill(kernel);
    while (skep_kernel_next(kernel, limit, &h, &size) > 0) {
        const struct skep_ev_open *ev = (const void *)h;
        const char *path = (const char *)h + ev->path.off;
        if (h->kind != SKEP_KIND_open || ev->path.len != 16 || memcmp(path, "/tmp/sk", 7) != 0)
            continue;
        size_t number = strtoul(path + 8, NULL, 10);
        uint64_t *times = path[7] == 'x' ? t->x : t->y;
        if (number >= PAIRS_MAX)
            continue;
        t->twice += times[number] != 0;
        times[number] = h->time;
        t->last = MAX(t->last, number);
    }
    skep_kernel_release(kernel);
}

static bool load_wants_y(const struct load_test *t, uint64_t time)
{
    size_t i = t->n_policies - 1;
    while (i > 0 && t->policies[i].from > time)
        i--;
    return t->policies[i].all;
}

/* One policy wants what begins with /tmp/skx, the other wants all. Every x is wanted always; a y is wanted when the x
 * before and the x behind it both have times of the second policy. */
static void load_judge(const struct load_test *t)
{
    uint64_t missing_x = 0, missing_y = 0, wanted_y = 0;
    for (size_t i = 0; i < t->last; i++) {
        missing_x += t->x[i] == 0;
        if (!t->x[i] || !t->x[i + 1] || !load_wants_y(t, t->x[i]) || !load_wants_y(t, t->x[i + 1]))
            continue;
        wanted_y++;
        missing_y += t->y[i] == 0;
    }
    print_message("# %zu policies, %zu pairs, %lu times both wanted\n", t->n_policies, t->last,
                  (unsigned long)wanted_y);
    assert_int_equal(t->twice, 0);
    assert_int_equal(missing_x, 0);
    assert_int_equal(missing_y, 0);
    assert_true(wanted_y > 0);
}

/* Swaps until the child has ended. */
static void load_swap(struct load_test *t, pid_t child)
{
    int status;
    bool busy = false, all = false;
    while (busy || waitpid(child, &status, WNOHANG) == 0) {
        uint64_t boundary;
        if (!busy && t->n_policies < SWAPS_MAX) {
            all = !all;
            if (skep_swap_begin(kernel, &opens, filters_of(all ? ALL : PREFIX, NULL), reason,
                                sizeof(reason)) < 0)
                fail_msg("swap: %s", reason);
            busy = true;
        }
        int r = skep_swap_step(kernel, &boundary);
        assert_true(r >= 0);
        if (r == SKEP_SWAP_BOUNDARY) {
            t->policies[t->n_policies].from = boundary;
            t->policies[t->n_policies++].all = all;
        }
        if (r == SKEP_SWAP_DONE)
            busy = false;
        load_take(t, skep_clock_boot_ns() - SKEP_KERNEL_LAG);
    }
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    load_take(t, UINT64_MAX);
}

static void test_swap_under_load(void **state)
{
    (void)state;
    NEED_KERNEL();
    struct skep_counters after;
    _cleanup_free_ uint64_t *x = calloc(PAIRS_MAX, sizeof(*x)), *y = calloc(PAIRS_MAX, sizeof(*y));
    static struct load_test t;
    t = (struct load_test){.x = x, .y = y, .n_policies = 1};
    int go[2];
    char c = 0;
    swap_to(&opens, filters_of(PREFIX, NULL));
    assert_int_equal(pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (read(go[0], &c, 1) == 1)
            open_pairs();
        _exit(0);
    }
    assert_int_equal(skep_kernel_track(kernel, (uint32_t)pid), 0);
    assert_int_equal(write(go[1], &c, 1), 1);
    load_swap(&t, pid);
    close(go[0]);
    close(go[1]);
    assert_ledger(SKEP_KIND_open, &after);
    assert_int_equal(after.lost[SKEP_LOST_ring_full], 0);
    load_judge(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_all_and_none),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_large_map),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_swap_under_load),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
