/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The dispatcher: the one program that every system call of the machine pays for. It must stay as short as
 * it is; see bench/ before touching it.
 */
#include "bpf/lib/syscall.h"

SEC("tp_btf/sys_exit")
int syscall_exit(__u64 *ctx)
{
    struct pt_regs *regs = (struct pt_regs *)ctx[0];
    __u32 nr = (__u32)regs->orig_ax & ~SKEP_X32_BIT;
    if (nr >= SKEP_SYSCALL_MAX)
        return 0;
    /* both conventions at once: whether this is a 32-bit call is asked only when one of them wants it */
    __u32 slot = skep_cfg.handler[nr], compat_slot = skep_cfg.handler[nr + SKEP_COMPAT_BASE];
    if (!(slot | compat_slot))
        return 0;
    if (skep_task_in_compat(bpf_get_current_task_btf()))
        slot = compat_slot;
    if (slot == SKEP_HANDLER_open) /* the most frequent one: to a slot known beforehand it is a jump */
        bpf_tail_call_static(ctx, &skep_handlers, SKEP_HANDLER_open);
    if (slot)
        bpf_tail_call(ctx, &skep_handlers, slot);
    return 0;
}
