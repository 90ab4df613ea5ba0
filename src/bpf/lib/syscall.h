/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_SYSCALL_H
#define SKEP_BPF_LIB_SYSCALL_H
/*
 * System calls, seen when they return. One program on sys_exit decides in a few instructions whether anybody
 * asked for this call, and hands over to the handler by tail call; the arguments still stand in the saved
 * registers. A handler is
 *
 *     SEC("tp_btf/sys_exit")
 *     int sys_mkdir(__u64 *ctx)
 *     {
 *         struct skep_call call;
 *         skep_call_init(&call, ctx);
 *         ... call.ret, call.nr, skep_arg(&call, 0), call.task ...
 *     }
 *
 * and ends with skep_submit(&b), or, when its record goes to a data ring, with
 *
 *         return skep_hand_over(ctx, &b);
 *
 * which lets the filter of the kind judge the record first, when there is one, and completes the header behind it. That
 * is a tail call: nothing that follows would run.
 *
 * Pointers among the arguments point to the caller's memory, which another thread may have changed since the
 * kernel read it. What an event claims comes from kernel objects where there is one; the caller's string is
 * carried beside it.
 */
#include "bpf/lib/emit.h"

struct skep_call {
    struct pt_regs *regs;     /* trusted, as is ... */
    struct task_struct *self; /* ... this: for numbers, which are read without a check of the address ... */
    struct task_struct *task; /* ... and the same for pointers, see SKEP_PLAIN() */
    long ret;
    __u32 nr;
    __u32 kind;  /* of event, from abi/syscalls.def */
    __u32 form;  /* enum skep_form_id */
    bool compat; /* a 32-bit call: other numbers, other registers, 32-bit pointers */
};

/* x32 calls are native ones with this bit set. */
#define SKEP_X32_BIT 0x40000000U

static __always_inline bool skep_task_in_compat(struct task_struct *t)
{
    return t->thread_info.status & TS_COMPAT;
}

/* Of a call in the tables of skep_cfg. */
static __always_inline __u64 skep_call_index(__u32 nr, bool compat)
{
    __u32 at = (nr & (SKEP_SYSCALL_MAX - 1)) + (compat ? SKEP_COMPAT_BASE : 0);
    return SKEP_BOUND(at, 2 * SKEP_SYSCALL_MAX);
}

/* A call that a signal interrupted is restarted or ends with EINTR; the kernel's own codes for that (512 to 516,
 * include/linux/errno.h) never reach the caller. */
static __always_inline long skep_visible_ret(long ret)
{
    return ret <= -512 && ret >= -516 ? -4 : ret;
}

static __always_inline void skep_call_init(struct skep_call *call, __u64 *ctx)
{
    call->regs = (struct pt_regs *)ctx[0];
    call->ret = skep_visible_ret((long)ctx[1]);
    call->self = bpf_get_current_task_btf();
    call->task = SKEP_PLAIN(struct task_struct, call->self);
    call->compat = skep_task_in_compat(call->self);
    call->nr = (__u32)call->regs->orig_ax & ~SKEP_X32_BIT;
    __u64 at = skep_call_index(call->nr, call->compat);
    call->kind = skep_cfg.kind[at];
    call->form = skep_cfg.form[at];
}

/* For calls that make one of several kinds, and calls that are handled for other reasons, too. */
static __always_inline bool skep_call_wanted(const struct skep_call *call, __u32 kind)
{
    return skep_cfg.enabled[SKEP_BOUND(kind, SKEP_KIND_MAX)] &&
           skep_cfg.without[skep_call_index(call->nr, call->compat)] != kind;
}

/* Argument n, counted from 0. */
static __always_inline __u64 skep_arg(const struct skep_call *call, int n)
{
    struct pt_regs *r = call->regs;
    if (call->compat) {
        switch (n) {
        case 0:
            return (__u32)r->bx;
        case 1:
            return (__u32)r->cx;
        case 2:
            return (__u32)r->dx;
        case 3:
            return (__u32)r->si;
        case 4:
            return (__u32)r->di;
        }
        return (__u32)r->bp;
    }
    switch (n) {
    case 0:
        return r->di;
    case 1:
        return r->si;
    case 2:
        return r->dx;
    case 3:
        return r->r10;
    case 4:
        return r->r8;
    }
    return r->r9;
}

/* All of them at once, for handlers of many shapes. */
static __always_inline void skep_args(struct pt_regs *r, bool compat, __u64 args[6])
{
    if (compat) {
        args[0] = (__u32)r->bx;
        args[1] = (__u32)r->cx;
        args[2] = (__u32)r->dx;
        args[3] = (__u32)r->si;
        args[4] = (__u32)r->di;
        args[5] = (__u32)r->bp;
        return;
    }
    args[0] = r->di;
    args[1] = r->si;
    args[2] = r->dx;
    args[3] = r->r10;
    args[4] = r->r8;
    args[5] = r->r9;
}

static __always_inline void skep_hdr_call(struct skep_hdr *h, const struct skep_call *call)
{
    h->ret = call->ret;
    h->nr = call->nr;
    h->flags = SKEP_HDR_RET | SKEP_HDR_SYSCALL | (call->compat ? SKEP_HDR_COMPAT : 0);
}

static __always_inline void *skep_fill_call(struct skep_hdr *h, __u32 size, const struct skep_call *call)
{
    if (!h)
        return NULL;
    skep_hdr_call(h, call);
    skep_zero((char *)h + sizeof(*h), size - sizeof(*h));
    return h;
}

static __always_inline bool skep_ret_unwanted(const struct skep_call *call, __u32 kind)
{
    __u32 class = call->ret < 0 ? SKEP_RET_FAILED : SKEP_RET_OK;
    return skep_cfg.unwanted_ret[SKEP_BOUND(kind, SKEP_KIND_MAX)] & class;
}

/* Starts the record of a system call and fills in what all of them share, zeroes the rest; NULL: filtered or
 * lost. unwanted: its arguments told so already. */
static __always_inline void *skep_begin_call_unless(struct skep_build *b, bool unwanted, __u32 kind,
                                                    __u32 size, const struct skep_call *call)
{
    unwanted |= skep_ret_unwanted(call, kind);
    return skep_fill_call(skep_begin_unless(b, unwanted, kind, size, call->self), size, call);
}

static __always_inline void *skep_begin_call(struct skep_build *b, __u32 kind, __u32 size,
                                             const struct skep_call *call)
{
    return skep_begin_call_unless(b, false, kind, size, call);
}

/*
 * Hands the record of a system call to the filter of its kind, and comes back when there is none. The byte in the
 * configuration is there because a tail call into an empty slot costs more than a look at it. A filter that was taken
 * out in between leaves us the record.
 */
static __always_inline void skep_ask_filter(__u64 *ctx, struct skep_build *b)
{
    __u32 kind = b->kind;
    if (skep_cfg.filtered[SKEP_BOUND(kind, SKEP_KIND_MAX)]) {
        b->s->waiting = (__u64)ctx;
        bpf_tail_call(ctx, &skep_filters, kind);
        b->s->waiting = 0;
    }
}

static __always_inline int skep_hand_over(__u64 *ctx, struct skep_build *b)
{
    skep_ask_filter(ctx, b);
    skep_end(b, skep_current());
    return 0;
}

/* The same for the life cycle ring; NULL: lost. */
static __always_inline void *skep_begin_life_call(struct skep_build *b, __u32 kind, __u32 size,
                                                  const struct skep_call *call)
{
    return skep_fill_call(skep_begin_life(b, kind, size, call->task), size, call);
}
#endif
