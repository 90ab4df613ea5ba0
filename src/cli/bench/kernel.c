/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cli/bench/sizes.h"

struct skep_bench_kernel_side {
    struct bpf_object *object;
    struct ring_buffer *ring;
};

static int say_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    (void)level;
    (void)fmt;
    (void)ap;
    return 0;
}

static int forget(void *data, void *record, size_t size)
{
    (void)data;
    (void)record;
    (void)size;
    return 0;
}

struct skep_bench_kernel_side *skep_bench_kernel_close(struct skep_bench_kernel_side *k)
{
    if (k) {
        ring_buffer__free(k->ring);
        bpf_object__close(k->object);
        free(k);
    }
    return NULL;
}
SKEP_DEFINE_CLEANUP(struct skep_bench_kernel_side, skep_bench_kernel_close)

static int fill(struct bpf_object *object, uint32_t elements)
{
    int hash = bpf_object__find_map_fd_by_name(object, "kernel_hash");
    int values = bpf_object__find_map_fd_by_name(object, "kernel_values");
    int chain = bpf_object__find_map_fd_by_name(object, "kernel_chain");
    for (uint32_t i = 0; i < elements; i++) {
        uint64_t key = i, value = 3 * (uint64_t)i;
        if (bpf_map_update_elem(hash, &key, &value, BPF_ANY) < 0 ||
            bpf_map_update_elem(values, &i, &value, BPF_ANY) < 0)
            return -errno;
    }
    for (uint32_t i = 0; i < KERNEL_CHAIN; i++) {
        char name[] = "chain_0";
        name[sizeof(name) - 2] = (char)('0' + i);
        struct bpf_program *p = bpf_object__find_program_by_name(object, name);
        int fd = p ? bpf_program__fd(p) : -1;
        if (bpf_map_update_elem(chain, &i, &fd, BPF_ANY) < 0)
            return -errno;
    }
    return 0;
}

static int load(struct skep_bench_kernel_side *k, const void *object, size_t size, uint32_t elements)
{
    LIBBPF_OPTS(bpf_object_open_opts, o, .object_name = "skep_bench");
    k->object = bpf_object__open_mem(object, size, &o);
    if (!k->object)
        return -errno;
    int r = bpf_object__load(k->object);
    if (r < 0)
        return r;
    r = fill(k->object, elements);
    if (r < 0)
        return r;
    k->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(k->object, "kernel_ring"), forget, NULL, NULL);
    return k->ring ? 0 : -errno;
}

int skep_bench_kernel_open(const void *object, size_t size, uint32_t elements,
                           struct skep_bench_kernel_side **ret_k, struct skep_strbuf *reterr)
{
    SKEP_CLEANUP(skep_bench_kernel_closep) struct skep_bench_kernel_side *k = calloc(1, sizeof(*k));
    if (!k)
        return -ENOMEM;
    libbpf_print_fn_t before = libbpf_set_print(say_nothing);
    int r = load(k, object, size, elements);
    libbpf_set_print(before);
    if (r < 0) {
        skep_strbuf_printf(reterr, "the kernel does not load the programs: %s%s", strerror(-r),
                           r == -EPERM && geteuid() != 0 ? " (not root)" : "");
        return r;
    }
    *ret_k = TAKE_PTR(k);
    return 0;
}

int skep_bench_kernel_run(struct skep_bench_kernel_side *k, const char *program, uint8_t *packet, size_t len,
                          uint32_t repeat, double *ret_ns)
{
    struct bpf_program *p = bpf_object__find_program_by_name(k->object, program);
    if (!p)
        return -ENOENT;
    LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = (uint32_t)len, .data_out = packet,
                .data_size_out = (uint32_t)len, .repeat = (int)repeat);
    int r = bpf_prog_test_run_opts(bpf_program__fd(p), &o);
    if (r < 0)
        return r;
    *ret_ns = o.duration;
    ring_buffer__consume(k->ring);
    return 0;
}
