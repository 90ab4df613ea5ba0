/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operations of io_uring, which make no system call of their own: one event when the kernel takes an operation
 * in, before it runs, and one when it is over. Whoever watches what is attempted need not wait for a result that
 * may never come, and whoever asks for results alone pays for no other event.
 *
 * The second has all that the first had, and the process that submitted it, whoever completes it (the caller
 * itself, a worker or the polling thread of the kernel, for a ring that is closed the kernel alone). Every
 * operation that is submitted while somebody asks for results has exactly one such event, unless it is still on
 * its way: one whose result cannot be known says why in place of it.
 *
 *   not_posted  the caller asked for no word of success: told at once
 *   table_full  nothing could be kept of it: told at once
 *   too_large   the same, for its long paths
 *   displaced   SKEP_HELD_STALE after it was submitted its place was needed
 *   unseen      its memory serves another request already. Where the ring for completions is full, newer kernels do not
 *               say which request a result was of.
 *
 * What a multishot operation yields before it ends makes no event, for the kernel does not say which request it is of.
 */
#include "bpf/lib/held.h"

/* Whether somebody wants to hear of the operation when it is submitted, */
static __always_inline bool uring_wants(__u32 op)
{
    return skep_cfg.enabled[SKEP_KIND_uring] &&
           (op >= SKEP_URING_OPS ||
            !(skep_cfg.uring_unwanted[SKEP_BOUND(op / 64, SKEP_URING_OPS / 64)] >> op % 64 & 1));
}

/* and when it is over. */
static __always_inline bool uring_wants_done(__u32 op)
{
    return skep_cfg.enabled[SKEP_KIND_uring_done] &&
           (op >= SKEP_URING_OPS ||
            !(skep_cfg.uring_done_unwanted[SKEP_BOUND(op / 64, SKEP_URING_OPS / 64)] >> op % 64 & 1));
}

static __always_inline void uring_drop(__u32 kind)
{
    if (skep_cfg.enabled[kind])
        skep_count_refused(kind);
}

/* Begins the record of what is submitted, as the kind that it becomes first. */
static __always_inline struct skep_ev_uring *uring_begin(struct skep_build *b, struct task_struct *t,
                                                         bool attempt)
{
    if (attempt)
        return skep_begin(b, SKEP_KIND_uring, sizeof(struct skep_ev_uring), t);
    /* Counted when it is told; here only what never will be. */
    if (!skep_in_scope(t)) {
        skep_count_refused(SKEP_KIND_uring_done);
        return NULL;
    }
    struct skep_hdr *h = skep_claim(b, SKEP_KIND_uring_done, sizeof(struct skep_ev_uring), false);
    if (!h)
        return NULL;
    skep_hdr_time(h);
    skep_hdr_task(h, t);
    return (struct skep_ev_uring *)h;
}

/* ---- the end ---- */

/* Makes a uring_done of the record in b. */
static __always_inline void uring_done_init(struct skep_build *b, __u32 unknown)
{
    struct skep_ev_uring_done *ev = (struct skep_ev_uring_done *)b->s->record;
    b->kind = ev->h.kind = SKEP_KIND_uring_done;
    skep_slot_tally(b)->seen++;
    ev->unknown = unknown;
}

/* Takes a record out of its locked place, which is free then; false: lost, and counted. */
static __always_inline bool uring_take(struct skep_build *b, __u32 place, __u32 unknown)
{
    struct skep_held *held = skep_held_at(place);
    if (!held || !skep_claim(b, SKEP_KIND_uring_done, sizeof(struct skep_ev_uring_done), false))
        return false;
    struct skep_hdr *h = skep_hdr(b);
    __u32 len = held->len, ring = h->ring, cpu = h->cpu;
    barrier_var(len);
    if (len > SKEP_HELD_RECORD_MAX)
        len = SKEP_HELD_RECORD_MAX;
    bpf_probe_read_kernel(h, len, held->record);
    b->s->len = len;
    h->ring = ring;
    h->cpu = cpu;
    h->flags |= SKEP_HDR_INDIRECT;
    struct skep_ev_uring_done *ev = (struct skep_ev_uring_done *)h;
    __u64 now = bpf_ktime_get_boot_ns();
    ev->duration = now - h->time;
    h->time = now;
    uring_done_init(b, unknown);
    return true;
}

/* Tells that nobody will learn what became of the operation in a locked place. */
static __noinline void uring_give_up(__u32 place, __u32 unknown)
{
    struct skep_build b;
    if (uring_take(&b, place, unknown))
        skep_submit(&b);
}

/* ---- submission ---- */

/* Keeps the record until the operation is over. 0, or why there is no waiting for that. */
static __noinline __u32 uring_hold(struct skep_build *b, __u64 req)
{
    struct skep_ev_uring *ev = (struct skep_ev_uring *)b->s->record;
    __u32 len = b->s->len;
    if (ev->sqe_flags & URING_SQE_CQE_SKIP_SUCCESS)
        return SKEP_URING_NOT_POSTED;
    if (len > SKEP_HELD_RECORD_MAX)
        return SKEP_URING_TOO_LARGE;
    __u32 place = skep_held_claim(req);
    if (!place) {
        place = skep_held_displace(req, ev->h.time);
        if (place)
            uring_give_up(place, SKEP_URING_DISPLACED);
    }
    struct skep_held *held = place ? skep_held_at(place) : NULL;
    if (!held)
        return SKEP_URING_TABLE_FULL;
    barrier_var(len);
    if (len > SKEP_HELD_RECORD_MAX) /* once more: verifiers of the 6.1 series forget what they put aside */
        len = SKEP_HELD_RECORD_MAX;
    bpf_probe_read_kernel(held->record, len, ev);
    held->len = len;
    skep_held_unlock(place, req);
    return SKEP_URING_KNOWN;
}

/* What the verifier takes for a pointer, as a number. */
static __always_inline __u64 uring_address_of(__u64 *ctx)
{
    __u64 address = 0;
    bpf_probe_read_kernel(&address, sizeof(address), ctx);
    return address;
}

static __noinline void uring_forget(__u64 address)
{
    __u32 before = skep_held_find(address);
    if (!before)
        return;
    uring_give_up(before, SKEP_URING_UNSEEN);
    skep_held_unlock(before, SKEP_HELD_FREE);
}

static __always_inline int uring_submitted(__u64 *ctx)
{
    struct io_kiocb *req = SKEP_PLAIN(struct io_kiocb, (struct io_kiocb *)ctx[0]);
    struct skep_build b;
    __u32 op = req->opcode, unknown = SKEP_URING_KNOWN;
    bool attempt = uring_wants(op), done = uring_wants_done(op);
    __u64 address = done ? uring_address_of(ctx) : 0;
    if (!attempt)
        uring_drop(SKEP_KIND_uring);
    if (!done)
        uring_drop(SKEP_KIND_uring_done);
    else
        uring_forget(
            address); /* its memory serves another operation: what was there is over, and nobody told */
    if (!attempt && !done)
        return 0;
    struct task_struct *t = skep_current();
    struct skep_ev_uring *ev = uring_begin(&b, t, attempt);
    if (!ev)
        return 0;
    uring_fill(&b, ev, req, t);
    if (done)
        unknown = uring_hold(&b, address);
    if (attempt)
        skep_send(&b);
    if (unknown) {
        uring_done_init(&b, unknown);
        skep_send(&b);
    }
    skep_scratch_release(b.s);
    return 0;
}

SEC("tp_btf/io_uring_submit_req")
int uring_submit_req(__u64 *ctx)
{
    return uring_submitted(ctx);
}

/* The tracepoint's name before 2ad57931db64 ("io_uring: rename trace_io_uring_submit_sqe() tracepoint", 6.4). */
SEC("tp_btf/io_uring_submit_sqe")
int uring_submit_sqe(__u64 *ctx)
{
    return uring_submitted(ctx);
}

/* ---- completion ---- */

/* The file that an operation opened or accepted, as far as its process can still be asked: the caller itself and the
 * kernel's threads that work for it share its table. */
static __always_inline struct file *uring_result_file(const struct skep_ev_uring_done *ev,
                                                      struct io_kiocb *req, struct task_struct *t)
{
    if (ev->op == URING_OP_OPENAT || ev->op == URING_OP_OPENAT2) {
        __u32 slot = SKEP_READ(struct io_open, req, file_slot);
        if (slot)
            return compat_uring_fixed_file(SKEP_READ(struct io_kiocb, req, ctx),
                                           slot == URING_SLOT_ALLOC ? ev->h.ret : slot - 1);
    } else if (ev->op == URING_OP_ACCEPT) {
        if (SKEP_READ(struct io_accept, req, file_slot))
            return NULL;
    } else {
        return NULL;
    }
    return ev->h.pid == t->tgid ? skep_file_of(t, ev->h.ret) : NULL;
}

static __noinline void uring_fill_result(struct skep_build *b, struct io_kiocb *req)
{
    struct skep_ev_uring_done *ev = (struct skep_ev_uring_done *)b->s->record;
    struct task_struct *t = skep_current();
    struct file *f = uring_result_file(ev, req, t);
    if (!f)
        return;
    if (ev->op == URING_OP_ACCEPT) {
        struct skep_sock s = {.sk = skep_sock_of_file(f)};
        if (!s.sk)
            return;
        skep_sock_read(&s);
        ev->local = s.local;
        ev->remote = s.remote;
        return;
    }
    struct skep_slice path = skep_put_file_path(b, f, t->fs);
    if (!path.off)
        return;
    ev->path = path;
    ev->path_source = SKEP_PATH_OBJECT;
}

/* The request is the second argument on all kernels; the others differ, and stand in the request as well. None: one of
 * several results. */
SEC("tp_btf/io_uring_complete")
int uring_complete(__u64 *ctx)
{
    struct skep_build b;
    __u64 address = ctx[1];
    if (!address)
        return 0;
    __u32 place = skep_held_find(address);
    if (!place)
        return 0;
    struct io_kiocb *req = (struct io_kiocb *)address;
    bool taken = uring_take(&b, place, SKEP_URING_KNOWN);
    skep_held_unlock(place, SKEP_HELD_FREE);
    if (!taken)
        return 0;
    struct skep_ev_uring_done *ev = (struct skep_ev_uring_done *)b.s->record;
    if (ev->op != SKEP_READ(struct io_kiocb, req, opcode) ||
        ev->user_data != SKEP_READ(struct io_kiocb, req, cqe.user_data)) {
        /* the memory was used again by an operation that nobody looked at */
        ev->unknown = SKEP_URING_UNSEEN;
    } else {
        skep_set_ret(&b, SKEP_READ(struct io_kiocb, req, cqe.res));
        ev->cqe_flags = SKEP_READ(struct io_kiocb, req, cqe.flags);
        if (ev->h.ret >= 0)
            uring_fill_result(&b, req);
    }
    skep_submit(&b);
    return 0;
}
