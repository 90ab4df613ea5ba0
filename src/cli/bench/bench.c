/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench/bench.h"

#include <linux/bpf.h>
#include <math.h>
#include <time.h>

#include "cli/bench/kernel.h"
#include "cli/bench/native.h"
#include "cli/bench/sizes.h"
#include "vm/jit/jit.h"

#define PACKET_BYTES (KERNEL_BYTES + 64)
/* As many runs of "output" as the ring takes before somebody has to read it. */
#define RUNS_PER_RING 20000
#define COMPILES 200

static const char *const variant_names[SKEP_BENCH_VARIANTS] = {
    [SKEP_BENCH_NATIVE] = "native",   [SKEP_BENCH_INTERPRET] = "interpreter", [SKEP_BENCH_JIT] = "jit",
    [SKEP_BENCH_TRUSTED] = "trusted", [SKEP_BENCH_KERNEL] = "kernel",
};

/* One mode of the engine, with maps of its own. */
struct side {
    struct skep_vm *vm;
    struct skep_vm_thread *thread;
    struct skep_vm_object *object;
    struct skep_vm_packet *packet;
    struct skep_vm_program *nothing;
    struct skep_bench_maps maps;
};

struct bench {
    struct side sides[SKEP_BENCH_VARIANTS]; /* of the engine's modes only */
    struct skep_bench_kernel_side *kernel;  /* NULL: the kernel does not let us */
    uint8_t packet[PACKET_BYTES];
    struct skep_strbuf *err;
};

static void side_clear(struct side *s)
{
    skep_vm_packet_free(s->packet);
    skep_vm_program_unref(s->nothing);
    skep_vm_object_free(s->object);
    skep_vm_thread_free(s->thread);
    skep_vm_free(s->vm);
}

static void bench_clear(struct bench *b)
{
    for (unsigned v = 0; v < SKEP_BENCH_VARIANTS; v++)
        side_clear(&b->sides[v]);
    skep_bench_kernel_close(b->kernel);
}

static double now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void hear(void *data, bool error, const char *text)
{
    struct skep_strbuf *err = data;
    if (error && err->len == 0)
        skep_strbuf_puts(err, text);
}

static int forget(void *data, const void *record, size_t size)
{
    (void)data;
    (void)record;
    (void)size;
    return 0;
}

static int fill(struct side *s)
{
    s->maps.hash = skep_vm_object_map(s->object, "kernel_hash", 0);
    s->maps.values = skep_vm_object_map(s->object, "kernel_values", 0);
    s->maps.ring = skep_vm_object_map(s->object, "kernel_ring", 0);
    s->maps.chain = skep_bench_native_chain;
    struct skep_vm_map *chain = skep_vm_object_map(s->object, "kernel_chain", 0);
    if (!s->maps.hash || !s->maps.values || !s->maps.ring || !chain)
        return -ENOENT;
    for (uint32_t i = 0; i < KERNEL_ELEMENTS; i++) {
        uint64_t key = i, value = 3 * (uint64_t)i;
        int r = skep_vm_map_update(s->maps.hash, &key, &value, BPF_ANY);
        if (r == 0)
            r = skep_vm_map_update(s->maps.values, &i, &value, BPF_ANY);
        if (r < 0)
            return r;
    }
    for (uint32_t i = 0; i < KERNEL_CHAIN; i++) {
        char name[] = "chain_0";
        name[sizeof(name) - 2] = (char)('0' + i);
        struct skep_vm_program *p = skep_vm_object_program(s->object, name, 0);
        uint32_t id = p ? skep_vm_program_id(p) : 0;
        int r = p ? skep_vm_map_update(chain, &i, &id, BPF_ANY) : -ENOENT;
        if (r < 0)
            return r;
    }
    return 0;
}

static int side_init(struct side *s, enum skep_vm_mode mode, struct skep_strbuf *err)
{
    static const uint8_t nothing[] = {0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0};
    size_t size;
    const void *elf = skep_bench_object(&size);
    struct skep_vm_options vo = {.size = sizeof(vo), .mode = mode};
    struct skep_vm_thread_options to = {.size = sizeof(to), .fuel = UINT64_MAX / 2};
    struct skep_vm_object_options oo = {.size = sizeof(oo), .name = "bench", .log = hear, .log_data = err};
    struct skep_vm_program_options po = {
        .size = sizeof(po), .name = "nothing", .insns = nothing, .n_insns = sizeof(nothing) / 8};
    struct skep_vm_error error = {0};

    int r = skep_vm_new(&vo, &s->vm);
    if (r == 0)
        r = skep_vm_thread_new(s->vm, &to, &s->thread);
    if (r == 0)
        r = skep_vm_packet_new(s->vm, 2048, &s->packet);
    if (r == 0)
        r = skep_vm_program_load(s->vm, &po, &s->nothing, &error);
    if (r == 0)
        r = skep_vm_object_open(s->vm, elf, size, &oo, &s->object);
    if (r == 0)
        r = skep_vm_object_load(s->object);
    if (r == 0)
        r = fill(s);
    if (r < 0 && err->len == 0)
        skep_strbuf_puts(err, error.message[0] ? error.message : strerror(-r));
    return r;
}

/* The same bytes every time: mixed, and with two equal strings but for their last byte. */
static void fill_packet(uint8_t *p)
{
    uint64_t x = 0x9e3779b97f4a7c15ULL;
    for (size_t i = 0; i < PACKET_BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (uint8_t)(x >> 24);
    }
    memcpy(p + 512, p, 256);
    p[512 + 255] ^= 1;
    memset(p + KERNEL_BYTES, 0, PACKET_BYTES - KERNEL_BYTES);
}

static uint64_t answer_of(const uint8_t *packet)
{
    uint64_t answer;
    memcpy(&answer, packet + KERNEL_BYTES, sizeof(answer));
    return answer;
}

/* Runs the program of row repeat times as variant; its answer, and nanoseconds for one run. */
static int measure(struct bench *b, enum skep_bench_variant v, const char *name, skep_bench_native_fn native,
                   uint32_t repeat, uint64_t *ret_answer, double *ret_ns)
{
    struct side *s = &b->sides[v];
    double begin;
    int r = 0;
    if (v == SKEP_BENCH_KERNEL) {
        uint8_t packet[PACKET_BYTES];
        memcpy(packet, b->packet, sizeof(packet));
        r = skep_bench_kernel_run(b->kernel, name, packet, sizeof(packet), repeat, ret_ns);
        *ret_answer = answer_of(packet);
        return r;
    }
    if (v == SKEP_BENCH_NATIVE) {
        s = &b->sides[SKEP_BENCH_TRUSTED];
        struct skep_bench_maps *maps = &s->maps;
        uint64_t answer = 0;
        begin = now_ns();
        for (uint32_t i = 0; i < repeat; i++) {
            maps->calls = 0;
            answer = native(b->packet, maps);
            __asm__ volatile("" : "+r"(answer), "+r"(native) : : "memory");
        }
        *ret_ns = (now_ns() - begin) / repeat;
        *ret_answer = answer;
    } else {
        struct skep_vm_program *p = skep_vm_object_program(s->object, name, 0);
        uint64_t verdict;
        if (!p)
            return -ENOENT;
        r = skep_vm_packet_set(s->packet, b->packet, sizeof(b->packet));
        begin = now_ns();
        for (uint32_t i = 0; i < repeat && r == 0; i++)
            r = skep_vm_run_packet(s->thread, p, s->packet, &verdict);
        *ret_ns = (now_ns() - begin) / repeat;
        if (r < 0) {
            skep_strbuf_printf(b->err, "%s: %s: %s", name, variant_names[v],
                               skep_vm_thread_error(s->thread)->message);
            return r;
        }
        size_t len;
        *ret_answer = answer_of(skep_vm_packet_data(s->packet, &len));
    }
    skep_vm_ring_consume(s->maps.ring, 0, forget, NULL);
    return r;
}

static bool have(const struct bench *b, enum skep_bench_variant v)
{
    return v != SKEP_BENCH_KERNEL || b->kernel;
}

/* All variants of one program, in turns. compare: whether they leave an answer. */
static int measure_row(struct bench *b, const char *name, skep_bench_native_fn native, bool compare,
                       unsigned rounds, double seconds, double ns[SKEP_BENCH_VARIANTS])
{
    uint64_t expected = 0, answer;
    double once;
    uint32_t repeat = 1;
    /* as many runs as fill the time natively, or in the slowest variant a dozen times as long */
    for (;;) {
        int r = measure(b, SKEP_BENCH_NATIVE, name, native, repeat, &expected, &once);
        if (r < 0)
            return r;
        if (once * repeat >= 1e9 * seconds || repeat >= RUNS_PER_RING)
            break;
        repeat = MIN(repeat * 2, RUNS_PER_RING);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned v = 0; v < SKEP_BENCH_VARIANTS; v++) {
            if (!have(b, v))
                continue;
            int r = measure(b, v, name, native, repeat, &answer, &once);
            if (r < 0)
                return r;
            if (compare && answer != expected) {
                skep_strbuf_printf(b->err, "%s: %s gives 0x%llx, native 0x%llx", name, variant_names[v],
                                   (unsigned long long)answer, (unsigned long long)expected);
                return -EBADMSG;
            }
            if (ns[v] == 0 || once < ns[v])
                ns[v] = once;
        }
    }
    return 0;
}

/* What calling a program costs: one that does nothing, many times. */
static int measure_calls(struct bench *b, unsigned rounds, double ns[SKEP_BENCH_VARIANTS])
{
    const uint32_t repeat = 200000;
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned v = SKEP_BENCH_INTERPRET; v <= SKEP_BENCH_TRUSTED; v++) {
            struct side *s = &b->sides[v];
            uint64_t value;
            double begin = now_ns();
            for (uint32_t i = 0; i < repeat; i++) {
                int r = skep_vm_run(s->thread, s->nothing, NULL, 0, &value);
                if (r < 0 || value != 2)
                    return r < 0 ? r : -EBADMSG;
            }
            double once = (now_ns() - begin) / repeat;
            if (ns[v] == 0 || once < ns[v])
                ns[v] = once;
        }
        uint64_t answer;
        double once;
        measure(b, SKEP_BENCH_NATIVE, "empty", skep_bench_native_empty, repeat, &answer, &once);
        if (ns[SKEP_BENCH_NATIVE] == 0 || once < ns[SKEP_BENCH_NATIVE])
            ns[SKEP_BENCH_NATIVE] = once;
        if (b->kernel &&
            skep_bench_kernel_run(b->kernel, "bench_empty", b->packet, sizeof(b->packet), repeat, &once) ==
                0 &&
            (ns[SKEP_BENCH_KERNEL] == 0 || once < ns[SKEP_BENCH_KERNEL]))
            ns[SKEP_BENCH_KERNEL] = once;
    }
    return 0;
}

/* How long making machine code of a program takes, its least time of many. */
static int measure_compile(struct bench *b, const char *name, struct skep_bench_row *row)
{
    struct skep_vm_program *p = skep_vm_object_program(b->sides[SKEP_BENCH_TRUSTED].object, name, 0);
    struct skep_vm_error error;
    if (!p)
        return -ENOENT;
    skep_vm_program_insns(p, &row->insns);
    skep_vm_program_code(p, &row->code);
    struct skep_jit_code *kept = p->jit;
    int r = 0;
    for (unsigned i = 0; i < COMPILES && r == 0; i++) {
        p->jit = NULL;
        double begin = now_ns();
        r = skep_jit_compile(p, false, &error);
        double us = (now_ns() - begin) / 1000;
        p->jit = skep_jit_free(p->jit);
        if (row->compile_us == 0 || us < row->compile_us)
            row->compile_us = us;
    }
    p->jit = kept;
    return r;
}

static int measure_all(struct bench *b, unsigned rounds, double seconds, struct skep_bench_result *ret)
{
    for (const struct skep_bench_kernel *k = skep_bench_kernels; k->name; k++) {
        struct skep_bench_row *row = &ret->rows[ret->n++];
        char name[64];
        snprintf(name, sizeof(name), "bench_%s", k->name);
        row->name = k->name;
        int r = measure_row(b, name, k->native, true, rounds, seconds, row->ns);
        if (r == 0)
            r = measure_compile(b, name, row);
        if (r < 0)
            return r;
    }
    struct skep_bench_row *chain = &ret->rows[ret->n++];
    chain->name = "tail_calls";
    int r = measure_row(b, "chain_0", skep_bench_native_chain[0], false, rounds, seconds, chain->ns);
    if (r == 0)
        r = measure_compile(b, "chain_0", chain);
    if (r == 0)
        r = measure_calls(b, rounds, ret->empty_ns);
    return r;
}

int skep_bench_run(unsigned rounds, double seconds_each, struct skep_bench_result *ret,
                   struct skep_strbuf *reterr)
{
    static const enum skep_vm_mode modes[SKEP_BENCH_VARIANTS] = {
        [SKEP_BENCH_INTERPRET] = SKEP_VM_MODE_INTERPRET,
        [SKEP_BENCH_JIT] = SKEP_VM_MODE_JIT,
        [SKEP_BENCH_TRUSTED] = SKEP_VM_MODE_TRUSTED,
    };
    SKEP_CLEANUP(bench_clear) struct bench b = {.err = reterr};
    memset(ret, 0, sizeof(*ret));
    fill_packet(b.packet);
    for (unsigned v = SKEP_BENCH_INTERPRET; v <= SKEP_BENCH_TRUSTED; v++) {
        int r = side_init(&b.sides[v], modes[v], reterr);
        if (r < 0)
            return r;
    }
    size_t size;
    const void *object = skep_bench_object(&size);
    _cleanup_strbuf_ struct skep_strbuf why;
    skep_strbuf_init(&why, sizeof(ret->kernel_missing) - 1);
    if (skep_bench_kernel_open(object, size, KERNEL_ELEMENTS, &b.kernel, &why) < 0)
        snprintf(ret->kernel_missing, sizeof(ret->kernel_missing), "%s", why.s);
    int r = measure_all(&b, rounds, seconds_each, ret);
    if (r < 0 && reterr->len == 0)
        skep_strbuf_puts(reterr, strerror(-r));
    return r;
}

/* Geometric mean of the ratios of two variants over all programs; 0: not measured. */
static double mean_ratio(const struct skep_bench_result *b, enum skep_bench_variant of,
                         enum skep_bench_variant to)
{
    double sum = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (b->rows[i].ns[of] == 0 || b->rows[i].ns[to] == 0)
            return 0;
        sum += log(b->rows[i].ns[of] / b->rows[i].ns[to]);
    }
    return exp(sum / (double)b->n);
}

static void put_ratio(struct skep_strbuf *sb, double ratio)
{
    if (ratio > 0)
        skep_strbuf_printf(sb, " %10.2fx", ratio);
    else
        skep_strbuf_printf(sb, " %11s", "-");
}

static void put_row(const struct skep_bench_row *row, struct skep_strbuf *sb)
{
    double native = row->ns[SKEP_BENCH_NATIVE];
    skep_strbuf_printf(sb, "%-12s %10.1f", row->name, native);
    for (unsigned v = SKEP_BENCH_INTERPRET; v < SKEP_BENCH_VARIANTS; v++)
        put_ratio(sb, row->ns[v] / native);
    put_ratio(sb, row->ns[SKEP_BENCH_JIT] / row->ns[SKEP_BENCH_TRUSTED]);
    skep_strbuf_printf(sb, " %6zu %6zu %8.1f\n", row->insns, row->code, row->compile_us);
}

void skep_bench_put_text(const struct skep_bench_result *b, struct skep_strbuf *sb)
{
    skep_strbuf_printf(sb, "%-12s %10s %11s %11s %11s %11s %11s %6s %6s %8s\n", "program", "native ns",
                       "interpreter", "JIT", "trusted", "kernel", "JIT/trusted", "insns", "bytes", "compile");
    for (size_t i = 0; i < b->n; i++)
        put_row(&b->rows[i], sb);
    skep_strbuf_printf(sb, "%-12s %10s", "geo. mean", "");
    for (unsigned v = SKEP_BENCH_INTERPRET; v < SKEP_BENCH_VARIANTS; v++)
        put_ratio(sb, mean_ratio(b, v, SKEP_BENCH_NATIVE));
    put_ratio(sb, mean_ratio(b, SKEP_BENCH_JIT, SKEP_BENCH_TRUSTED));
    skep_strbuf_puts(sb, "\n\nTimes the native time; compile: microseconds for machine code, trusted.\n");
    skep_strbuf_printf(sb, "Calling an empty program: %.1f ns interpreted, %.1f ns JIT, %.1f ns trusted",
                       b->empty_ns[SKEP_BENCH_INTERPRET], b->empty_ns[SKEP_BENCH_JIT],
                       b->empty_ns[SKEP_BENCH_TRUSTED]);
    if (b->empty_ns[SKEP_BENCH_KERNEL] > 0)
        skep_strbuf_printf(sb, ", %.1f ns in the kernel", b->empty_ns[SKEP_BENCH_KERNEL]);
    skep_strbuf_puts(sb, ".\n");
    if (b->kernel_missing[0])
        skep_strbuf_printf(sb, "Without the kernel: %s.\n", b->kernel_missing);
}

static void put_variants(struct skep_json *j, const char *name, const double values[SKEP_BENCH_VARIANTS])
{
    skep_json_open(j, name, '{');
    for (unsigned v = 0; v < SKEP_BENCH_VARIANTS; v++) {
        if (values[v] > 0)
            skep_json_f64(j, variant_names[v], values[v]);
        else
            skep_json_null(j, variant_names[v]);
    }
    skep_json_close(j, '}');
}

void skep_bench_put_json(const struct skep_bench_result *b, struct skep_json *j)
{
    double means[SKEP_BENCH_VARIANTS] = {0};
    skep_json_open(j, NULL, '{');
    skep_json_open(j, "programs", '[');
    for (size_t i = 0; i < b->n; i++) {
        const struct skep_bench_row *row = &b->rows[i];
        skep_json_open(j, NULL, '{');
        skep_json_strz(j, "name", row->name);
        put_variants(j, "ns", row->ns);
        skep_json_u64(j, "insns", row->insns);
        skep_json_u64(j, "code_bytes", row->code);
        skep_json_f64(j, "compile_us", row->compile_us);
        skep_json_close(j, '}');
    }
    skep_json_close(j, ']');
    for (unsigned v = SKEP_BENCH_INTERPRET; v < SKEP_BENCH_VARIANTS; v++)
        means[v] = mean_ratio(b, v, SKEP_BENCH_NATIVE);
    put_variants(j, "mean_of_native", means);
    put_variants(j, "empty_call_ns", b->empty_ns);
    skep_json_strz(j, "kernel_missing", b->kernel_missing[0] ? b->kernel_missing : NULL);
    skep_json_close(j, '}');
}
