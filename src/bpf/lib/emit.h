/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_EMIT_H
#define SKEP_BPF_LIB_EMIT_H
/*
 * From "something happened" to a record in a ring, with the ledger kept on the way. A sensor does
 *
 *     struct skep_build b;
 *     struct skep_ev_mkdir *ev = skep_begin(&b, SKEP_KIND_mkdir, sizeof(*ev), task);
 *     if (!ev)
 *         return 0;                                 (filtered or lost: already counted)
 *     skep_set_ret(&b, ret);
 *     ev->mode = mode;
 *     ev->raw_path = skep_put_user_str(&b, ptr);
 *     skep_submit(&b);
 *     return 0;
 *
 * and every event that skep_begin() counts as seen ends in exactly one of: filtered, lost by a reason, or
 * submitted. Each path out of a sensor behind skep_begin() must call skep_submit() or skep_abandon(). Who holds a slot
 * counts in the slot (struct skep_slot_tally); where there is none, or where it has been given back, in skep_counters.
 *
 * The record is put together in a scratch slot of the CPU. Sensors may interrupt one another on one CPU
 * (a system call, the network's soft interrupt, ...), and newer kernels may preempt them: a slot is claimed
 * by an atomic exchange and given back at the end.
 *
 * How long the record is stands in the slot and not on the stack: the verifier then takes it for unknown at
 * each use, and does not follow every combination of strings that were there or not.
 *
 * Records are submitted without waking the reader, who comes by time; a ring that fills up wakes him.
 */
#include "bpf/compat.h"
#include "bpf/lib/maps.h"

struct skep_build {
    struct skep_scratch_slot *s;
    __u32 slot; /* index of s */
    __u32 cpu;
    __u32 life;
    __u32 kind;
};

#define SKEP_COUNT(field) __sync_fetch_and_add(&(field), 1)

static __always_inline struct task_struct *skep_current(void)
{
    return SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf());
}

static __always_inline struct skep_counters *skep_counters_of(__u32 kind)
{
    return bpf_map_lookup_elem(&skep_counters, &kind);
}

static __always_inline void skep_count_seen(__u32 kind)
{
    struct skep_counters *c = skep_counters_of(kind);
    if (c)
        SKEP_COUNT(c->seen);
}

static __always_inline void skep_count_lost(__u32 kind, __u32 reason)
{
    struct skep_counters *c = skep_counters_of(kind);
    if (c)
        SKEP_COUNT(c->lost[reason]);
}

static __always_inline void skep_count_refused(__u32 kind)
{
    struct skep_counters *c = skep_counters_of(kind);
    if (c)
        SKEP_COUNT(c->refused);
}

static __always_inline struct skep_slot_tally *skep_slot_tally(struct skep_build *b)
{
    return &b->s->tally[SKEP_BOUND(b->kind, SKEP_KIND_MAX)];
}

static __always_inline struct skep_scratch_slot *skep_scratch_claim(__u32 cpu, __u32 *ret_slot)
{
    __u32 at = cpu * SKEP_SCRATCH_SLOTS;
#pragma unroll
    for (int i = 0; i < SKEP_SCRATCH_SLOTS; i++) {
        struct skep_scratch_slot *s = bpf_map_lookup_elem(&skep_scratch, &at);
        if (s && __sync_lock_test_and_set(&s->busy, 1) == 0) {
            *ret_slot = at;
            return s;
        }
        at++;
    }
    return NULL;
}

static __always_inline void skep_scratch_release(struct skep_scratch_slot *s)
{
    /* A plain store is ordered enough: the slot never leaves this CPU. */
    *(volatile __u64 *)&s->busy = 0;
}

/* The mask comes last and behind a barrier: the verifier of older kernels forgets bounds that the compiler
 * applied before it kept the number on the stack. */
static __always_inline struct skep_ring_state *skep_ring_state_of(__u32 cpu, bool life)
{
    __u64 at = cpu + (life ? 0 : SKEP_MAX_CPUS);
    barrier_var(at);
    return &skep_rings[at & (2 * SKEP_MAX_CPUS - 1)];
}

/* A slice that is not there must read as such: slots are reused. */
static __always_inline void skep_zero(void *p, __u32 size)
{
    __builtin_memset(p, 0, size);
}

static __always_inline bool skep_comm_wanted(const char *have)
{
#pragma unroll
    for (int i = 0; i < SKEP_COMM_LEN; i++) {
        if (have[i] != skep_cfg.comm[i])
            return false;
        if (!have[i])
            break;
    }
    return true;
}

static __always_inline bool skep_comm_is(struct task_struct *t)
{
    char have[SKEP_COMM_LEN] = {0};
    bpf_probe_read_kernel(have, sizeof(have), &t->comm);
    return skep_comm_wanted(have);
}

static __always_inline bool skep_on_host(struct task_struct *t)
{
    struct nsproxy *ns = t->nsproxy;
    return ns && ns->mnt_ns->ns.inum == skep_cfg.host_mnt_ns &&
           ns->pid_ns_for_children->ns.inum == skep_cfg.host_pid_ns;
}

/* Does anybody want to hear of this task? The cheap questions come first. */
static __always_inline bool skep_in_scope(struct task_struct *t)
{
    __u32 tgid = t->tgid;
    if (tgid == skep_cfg.self)
        return false;
    __u32 scope = skep_cfg.scope;
    if (scope == 0)
        return true;
    t = SKEP_PLAIN(struct task_struct, t);
    if ((scope & SKEP_SCOPE_UID) && t->cred->uid.val != skep_cfg.uid)
        return false;
    if ((scope & SKEP_SCOPE_TRACKED) && !bpf_map_lookup_elem(&skep_tracked, &tgid))
        return false;
    if ((scope & SKEP_SCOPE_COMM) && !skep_comm_is(t))
        return false;
    if ((scope & SKEP_SCOPE_HOST_ONLY) && !skep_on_host(t))
        return false;
    return true;
}

static __always_inline __u64 skep_cgroup_of(struct task_struct *t);

/* The part of the header that says who acts: what filters may ask for ... A task that the verifier trusts is read
 * without the check of each address that others cost; see SKEP_PLAIN() for why its pointers are not. */
static __always_inline void skep_hdr_who(struct skep_hdr *h, struct task_struct *t)
{
    const struct cred *cred = SKEP_PLAIN(struct task_struct, t)->cred;
    h->pid = t->tgid;
    h->tid = t->pid;
    h->uid = cred->uid.val;
    h->gid = cred->gid.val;
    h->euid = cred->euid.val;
    h->egid = cred->egid.val;
    /* two loads instead of a helper call */
    const __u64 *comm = (const __u64 *)t->comm;
    ((__u64 *)h->comm)[0] = comm[0];
    ((__u64 *)h->comm)[1] = comm[1];
}

/* ... and the rest. */
static __always_inline void skep_hdr_more(struct skep_hdr *h, struct task_struct *t)
{
    struct task_struct *leader = t->group_leader;
    h->start = leader->start_boottime;
    h->exec_id = (__u32)t->self_exec_id;
    h->caps = compat_cred_effective(t->cred);
    h->cgroup = skep_cgroup_of(t);
}

static __always_inline void skep_hdr_task(struct skep_hdr *h, struct task_struct *t)
{
    skep_hdr_who(h, t);
    skep_hdr_more(h, t);
}

static __always_inline void skep_hdr_time(struct skep_hdr *h)
{
    h->time = bpf_ktime_get_boot_ns();
}

static __always_inline void skep_hdr_init(struct skep_hdr *h, __u32 kind, __u32 cpu, bool life)
{
    h->kind = kind;
    h->flags = 0;
    h->cpu = cpu;
    h->ring = life ? 0 : 1 + cpu;
    h->ret = 0;
    h->nr = 0;
}

/* Claims a slot for an event that is not counted yet; NULL: counted as seen and lost. */
static __always_inline void *skep_claim(struct skep_build *b, __u32 kind, __u32 size, bool life)
{
    b->cpu = bpf_get_smp_processor_id();
    b->life = life;
    b->kind = kind;
    b->s = skep_scratch_claim(b->cpu, &b->slot);
    if (!b->s) {
        skep_count_seen(kind);
        skep_count_lost(kind, SKEP_LOST_nested);
        if (life)
            SKEP_COUNT(skep_ring_state_of(b->cpu, true)->lost);
        return NULL;
    }
    b->s->len = size;
    skep_hdr_init((struct skep_hdr *)b->s->record, kind, b->cpu, life);
    return b->s->record;
}

/* Starts a record on a data ring for what task does, unless it is known already that nobody wants it. The header has
 * what filters see; skep_end() brings the rest. NULL: filtered or lost. */
static __always_inline void *skep_begin_unless(struct skep_build *b, bool unwanted, __u32 kind, __u32 size,
                                               struct task_struct *t)
{
    if (unwanted || !skep_in_scope(t)) {
        skep_count_refused(kind);
        return NULL;
    }
    struct skep_hdr *h = skep_claim(b, kind, size, false);
    if (!h)
        return NULL;
    skep_slot_tally(b)->seen++;
    skep_hdr_who(h, t);
    return h;
}

/* The same with all of the header. */
static __always_inline void *skep_begin(struct skep_build *b, __u32 kind, __u32 size, struct task_struct *t)
{
    struct skep_hdr *h = skep_begin_unless(b, false, kind, size, t);
    if (h) {
        skep_hdr_time(h);
        skep_hdr_more(h, t);
    }
    return h;
}

/* The same for the life cycle ring, which knows no filter. */
static __always_inline void *skep_begin_life(struct skep_build *b, __u32 kind, __u32 size,
                                             struct task_struct *t)
{
    struct skep_hdr *h = skep_claim(b, kind, size, true);
    if (!h)
        return NULL;
    skep_slot_tally(b)->seen++;
    skep_hdr_time(h);
    skep_hdr_task(h, t);
    return h;
}

static __always_inline struct skep_hdr *skep_hdr(struct skep_build *b)
{
    return (struct skep_hdr *)b->s->record;
}

static __always_inline void skep_set_ret(struct skep_build *b, __s64 ret)
{
    skep_hdr(b)->ret = ret;
    skep_hdr(b)->flags |= SKEP_HDR_RET;
}

/* Gives the slot back without a record; the event was seen and counts as filtered. */
static __always_inline void skep_abandon(struct skep_build *b)
{
    skep_slot_tally(b)->filtered++;
    skep_scratch_release(b->s);
}

static __always_inline __u64 skep_wakeup_flag(void *ring, __u64 seq)
{
    /* Asking how full the ring is costs more than a record: ask now and then. */
    if ((seq & 31) == 0 && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= skep_cfg.wakeup_bytes)
        return BPF_RB_FORCE_WAKEUP;
    return BPF_RB_NO_WAKEUP;
}

static __always_inline long skep_output(struct skep_build *b, __u32 len)
{
    struct skep_hdr *h = skep_hdr(b);
    struct skep_ring_state *st = skep_ring_state_of(b->cpu, b->life);
    h->seq = __sync_fetch_and_add(&st->seq, 1);
    long r;
    if (b->life) {
        r = bpf_ringbuf_output(&skep_life, h, len, skep_wakeup_flag(&skep_life, h->seq));
    } else {
        void *ring = bpf_map_lookup_elem(&skep_data, &b->cpu);
        r = ring ? bpf_ringbuf_output(ring, h, len, skep_wakeup_flag(ring, h->seq)) : -1;
    }
    if (r < 0)
        SKEP_COUNT(st->lost);
    return r;
}

/* Puts the record into the ring, or counts it as lost, and tells which; it stays where it is. */
static __always_inline bool skep_send(struct skep_build *b)
{
    __u32 len = (b->s->len + 7) & ~7U;
    barrier_var(len);
    if (len > SKEP_RECORD_MAX) {
        /* cannot be: appending stops before; the verifier wants to see it */
        skep_count_lost(b->kind, SKEP_LOST_too_large);
        return false;
    }
    skep_hdr(b)->len = len;
    bool done = skep_output(b, len) >= 0;
    if (done)
        skep_slot_tally(b)->submitted++;
    else
        skep_count_lost(b->kind, SKEP_LOST_ring_full);
    return done;
}

/* Ends the record: into the ring, or counted as lost; tells which. */
static __always_inline bool skep_submit(struct skep_build *b)
{
    bool done = skep_send(b);
    skep_scratch_release(b->s);
    return done;
}

/* Ends a record that skep_begin_unless() began. */
static __always_inline void skep_end(struct skep_build *b, struct task_struct *t)
{
    skep_hdr_time(skep_hdr(b));
    skep_hdr_more(skep_hdr(b), t);
    skep_submit(b);
}

/* ---- strings behind the struct ---- */

static __always_inline struct skep_slice skep_no_slice(void)
{
    return (struct skep_slice){0, 0};
}

static __always_inline void skep_mark(struct skep_build *b, __u16 flag)
{
    skep_hdr(b)->flags |= flag;
}

/* Where the next string goes, or NULL when the record is full. */
static __always_inline char *skep_tail(struct skep_build *b, __u32 *ret_off)
{
    __u32 off = b->s->len;
    barrier_var(off);
    if (off >= SKEP_RECORD_MAX - SKEP_PATH_MAX) {
        skep_mark(b, SKEP_HDR_TRUNCATED);
        return NULL;
    }
    *ret_off = off;
    return b->s->record + off;
}

/* Appends len bytes (at most SKEP_PATH_MAX) of kernel memory. */
static __always_inline struct skep_slice skep_put_kernel(struct skep_build *b, const void *from, __u32 len)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    if (!to)
        return skep_no_slice();
    barrier_var(len);
    if (len > SKEP_PATH_MAX)
        len = SKEP_PATH_MAX;
    if (bpf_probe_read_kernel(to, len, from) < 0)
        return skep_no_slice();
    b->s->len = off + len;
    return (struct skep_slice){off, len};
}

/* Appends a NUL-terminated string; it ends up in the record with its NUL, which the slice leaves out. */
static __always_inline struct skep_slice skep_put_str_n(struct skep_build *b, const void *from, bool user,
                                                        __u32 max)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    if (!to || !from)
        return skep_no_slice();
    long n = user ? bpf_probe_read_user_str(to, max, from) : bpf_probe_read_kernel_str(to, max, from);
    if (n == 0) { /* an empty one, before "maccess: fix strncpy_from_user_nofault() empty string handling" */
        *to = '\0';
        n = 1;
    }
    if (n < 0) {
        if (user)
            skep_mark(b, SKEP_HDR_FAULT);
        return skep_no_slice();
    }
    __u32 len = n;
    if (n == 0) { /* kernels differ in whether the NUL of an empty string of the caller counts */
        *to = '\0';
        len = 1;
    }
    barrier_var(len);
    if (len > SKEP_PATH_MAX)
        len = SKEP_PATH_MAX;
    b->s->len = off + len;
    return (struct skep_slice){off, len - 1};
}

static __always_inline struct skep_slice skep_put_user_str(struct skep_build *b, const void *from)
{
    struct skep_slice s = skep_put_str_n(b, from, true, SKEP_PATH_MAX);
    char beyond = 0;
    if (s.len == SKEP_PATH_MAX - 1 && bpf_probe_read_user(&beyond, 1, from + SKEP_PATH_MAX - 1) == 0 &&
        beyond)
        skep_mark(b, SKEP_HDR_TRUNCATED);
    return s;
}

static __always_inline struct skep_slice skep_put_kernel_str(struct skep_build *b, const void *from)
{
    return skep_put_str_n(b, from, false, SKEP_PATH_MAX);
}

/* Appends len bytes (at most SKEP_PATH_MAX) of the caller's memory. */
static __always_inline struct skep_slice skep_put_user(struct skep_build *b, const void *from, __u32 len)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    if (!to)
        return skep_no_slice();
    barrier_var(len);
    if (len > SKEP_PATH_MAX) {
        len = SKEP_PATH_MAX;
        skep_mark(b, SKEP_HDR_TRUNCATED);
    }
    if (bpf_probe_read_user(to, len, from) < 0) {
        skep_mark(b, SKEP_HDR_FAULT);
        return skep_no_slice();
    }
    b->s->len = off + len;
    return (struct skep_slice){off, len};
}

#include "bpf/lib/cgroup.h"
#endif
