/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of the filter stage: a filter found that a record may matter, and calls on to here. The filters themselves
 * are made from rules at run time, see rule/compile/frame.h and load/filter.h.
 */
#include "bpf/lib/open.h"

/* The slot that waits on behalf of this thread; as the filters find it. */
static __always_inline bool filter_find(struct skep_build *b)
{
    b->cpu = bpf_get_smp_processor_id();
    b->slot = b->cpu * SKEP_SCRATCH_SLOTS;
    b->life = false;
    __u64 task = (__u64)bpf_get_current_task();
#pragma unroll
    for (int i = 0; i < SKEP_SCRATCH_SLOTS; i++) {
        b->s = bpf_map_lookup_elem(&skep_scratch, &b->slot);
        if (b->s && b->s->waiting == task)
            return true;
        b->slot++;
    }
    return false;
}

static __always_inline void filter_finish_open(struct skep_build *b, __u64 *ctx)
{
    struct skep_call call;
    skep_call_init(&call, ctx);
    skep_open_finish(b, skep_open_name(&call));
}

SEC("tp_btf/sys_exit")
int sys_emit(__u64 *ctx)
{
    struct skep_build b;
    if (!filter_find(&b))
        return 0;
    b.s->waiting = 0;
    b.kind = skep_hdr(&b)->kind;
    b.c = skep_counters_of(b.kind);
    if (!b.c) { /* cannot be: kinds are below the size of the map */
        skep_scratch_release(b.s);
        return 0;
    }
    if (b.kind == SKEP_KIND_open)
        filter_finish_open(&b, ctx);
    skep_end(&b, skep_current());
    return 0;
}
