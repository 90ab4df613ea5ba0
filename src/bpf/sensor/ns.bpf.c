/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setns and unshare: on the life cycle ring, since they change what the process table says.
 */
#include "bpf/lib/syscall.h"
#include "bpf/lib/task.h"

SEC("tp_btf/sys_exit")
int sys_ns(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    if (call.kind == SKEP_KIND_setns) {
        struct skep_ev_setns *ev = skep_begin_life_call(&b, SKEP_KIND_setns, sizeof(*ev), &call);
        if (!ev)
            return 0;
        ev->fd = (int)skep_arg(&call, 0);
        ev->flags = (__u32)skep_arg(&call, 1);
        skep_fill_namespaces(&ev->new_ns, call.task);
    } else {
        struct skep_ev_unshare *ev = skep_begin_life_call(&b, SKEP_KIND_unshare, sizeof(*ev), &call);
        if (!ev)
            return 0;
        ev->flags = (__u32)skep_arg(&call, 0);
        skep_fill_namespaces(&ev->new_ns, call.task);
    }
    skep_submit(&b);
    return 0;
}
