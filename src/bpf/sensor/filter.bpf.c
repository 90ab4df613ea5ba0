/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of the filter stage: a filter found that a record may matter, or that it has to see what was left out of it, and
 * calls on to here. The filters themselves are made from rules at run time, see rule/compile/frame.h and load/filter.h.
 */
#include "bpf/lib/open.h"

/* The slot that waits with this context; as the filters find it. */
static __always_inline bool filter_find(struct skep_build *b, __u64 *ctx)
{
    b->cpu = bpf_get_smp_processor_id();
    b->slot = b->cpu * SKEP_SCRATCH_SLOTS;
    b->life = false;
#pragma unroll
    for (int i = 0; i < SKEP_SCRATCH_SLOTS; i++) {
        b->s = bpf_map_lookup_elem(&skep_scratch, &b->slot);
        if (b->s && b->s->waiting == (__u64)ctx)
            return true;
        b->slot++;
    }
    return false;
}

static __always_inline void filter_finish_open(struct skep_build *b, __u64 *ctx)
{
    struct skep_call call;
    skep_call_init(&call, ctx);
    __u64 name = skep_open_name(&call);
    if (b->s->late == SKEP_LATE_ASKED) {
        struct skep_ev_open *ev = (struct skep_ev_open *)b->s->record;
        ev->raw_path = skep_put_user_str(b, (void *)name);
        b->s->late = SKEP_LATE_NO;
        b->s->eager = SKEP_EAGER;
        bpf_tail_call_static(ctx, &skep_filters, SKEP_KIND_open);
    }
    skep_open_finish(b, name);
}

SEC("tp_btf/sys_exit")
int sys_emit(__u64 *ctx)
{
    struct skep_build b;
    if (!filter_find(&b, ctx))
        return 0;
    b.kind = skep_hdr(&b)->kind;
    if (b.kind == SKEP_KIND_open)
        filter_finish_open(&b, ctx);
    b.s->waiting = 0;
    skep_end(&b, skep_current());
    return 0;
}
