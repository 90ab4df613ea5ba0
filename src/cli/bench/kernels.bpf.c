// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The programs of `skep vm bench` as XDP programs, for the engine and for the kernel. */
/* the helpers want the types first */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, u64);
    __type(value, u64);
} kernel_hash SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1024);
    __type(key, u32);
    __type(value, u64);
} kernel_values SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 24);
} kernel_ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 8);
    __type(key, u32);
    __type(value, u32);
} kernel_chain SEC(".maps");

#define KERNEL_LOOKUP(map, key) bpf_map_lookup_elem(map, key)
#define KERNEL_OUTPUT(map, data, size) bpf_ringbuf_output(map, data, size, BPF_RB_NO_WAKEUP)
#define KERNEL_ARGS const u8 *p
#include "cli/bench/sizes.h"

#include "cli/bench/kernels.h"

/* The result goes into the packet, since an XDP program returns only 32 bits. */
#define KERNEL(name)                                                                                         \
    SEC("xdp") int bench_##name(struct xdp_md *ctx)                                                          \
    {                                                                                                        \
        u8 *p = (u8 *)(long)ctx->data;                                                                       \
        if (p + KERNEL_BYTES + 8 > (u8 *)(long)ctx->data_end)                                                \
            return 0;                                                                                        \
        *(u64 *)(p + KERNEL_BYTES) = kernel_##name(p);                                                       \
        return 2;                                                                                            \
    }
#include "cli/bench/kernels.def"

SEC("xdp") int bench_empty(struct xdp_md *ctx)
{
    return 2;
}

/* Each member of the ring goes to the next by a tail call, until the machine says that it is enough. */
#define CHAIN(n)                                                                                             \
    SEC("xdp") int chain_##n(struct xdp_md *ctx)                                                             \
    {                                                                                                        \
        bpf_tail_call(ctx, &kernel_chain, (n + 1) % KERNEL_CHAIN);                                           \
        return 2;                                                                                            \
    }
CHAIN(0)
CHAIN(1)
CHAIN(2)
CHAIN(3)
CHAIN(4)
CHAIN(5)
CHAIN(6)
CHAIN(7)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
