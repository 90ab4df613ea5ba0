/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_OWNER_H
#define SKEP_BPF_LIB_OWNER_H
/*
 * Whose socket it is. Much of what happens to a socket happens in interrupts, while some unrelated process
 * runs: a handshake ends, an answer comes in, a connection is reset. Such an event belongs to the process that
 * opened the socket, which is remembered when that process acts:
 *
 *   skep_socks      what is remembered with the socket itself; the kernel frees it with the socket, and a
 *                   connection that comes in begins with a copy of what its listener has (BPF_F_CLONE)
 *   skep_accepted   the process that accepted a connection, by the socket's cookie: the process that listens
 *                   is often not the one that serves
 *
 * A record that begins with skep_begin_owner() carries that process as it was then (SKEP_HDR_INDIRECT), or
 * none at all (SKEP_HDR_NO_TASK).
 */
#include "bpf/lib/emit.h"

struct skep_owner {
    struct skep_hdr who; /* the members that say who acts; pid 0: not known */
    __u8 tracked;        /* was in skep_tracked, which forgets a process that ends */
    __u8 on_host;
    __u8 pad[6];
};

/* Where in a stream of DNS messages one direction of a connection is (sensor/dns.bpf.c). */
enum {
    SKEP_DNS_SYNCED = 1 << 0, /* next is known, and what is behind it */
    SKEP_DNS_WHOLE = 1 << 1,  /* left are all bytes of a message */
    SKEP_DNS_HALF =
        1 << 2, /* high is the first byte of a message's length, and the other one is still to come */
};

struct skep_dns_stream {
    __u32 next; /* sequence number of the next byte */
    __u16 left; /* bytes of a message that is not over */
    __u8 flags;
    __u8 high;
};

struct skep_socket_state {
    struct skep_owner owner;
    __u64 opened;      /* CLOCK_BOOTTIME of the SYN, or of the incoming handshake */
    __u64 established; /* 0: not yet */
    __u32 direction;   /* enum skep_direction_id; 0: not known, or not a connection */
    __u32 pad;
    struct skep_dns_stream dns[2]; /* in, out */
};

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, struct skep_socket_state);
} skep_socks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 65536);
    __type(key, __u64);
    __type(value, struct skep_owner);
} skep_accepted SEC(".maps");

static __always_inline void skep_owner_fill(struct skep_owner *o, struct task_struct *t)
{
    __u32 pid = t->tgid;
    skep_hdr_task(&o->who, t);
    o->tracked = (skep_cfg.scope & SKEP_SCOPE_TRACKED) && bpf_map_lookup_elem(&skep_tracked, &pid);
    o->on_host = (skep_cfg.scope & SKEP_SCOPE_HOST_ONLY) && skep_on_host(t);
}

/* skep_in_scope() for a process that is not at hand. One that is not known is in no narrowed scope. */
static __always_inline bool skep_owner_in_scope(const struct skep_owner *o)
{
    __u32 scope = skep_cfg.scope, pid = o ? o->who.pid : 0;
    if (!o || !pid)
        return scope == 0;
    if (pid == skep_cfg.self)
        return false;
    if (scope == 0)
        return true;
    if ((scope & SKEP_SCOPE_UID) && o->who.uid != skep_cfg.uid)
        return false;
    if ((scope & SKEP_SCOPE_TRACKED) && !o->tracked && !bpf_map_lookup_elem(&skep_tracked, &pid))
        return false;
    if ((scope & SKEP_SCOPE_COMM) && !skep_comm_wanted(o->who.comm))
        return false;
    return !(scope & SKEP_SCOPE_HOST_ONLY) || o->on_host;
}

/* Starts a record on a data ring for what happens to the owner; NULL when it is filtered or lost. */
static __always_inline void *skep_begin_owner(struct skep_build *b, __u32 kind, __u32 size,
                                              const struct skep_owner *o)
{
    if (!skep_owner_in_scope(o)) {
        skep_count_refused(kind);
        return NULL;
    }
    struct skep_hdr *h = skep_claim(b, kind, size, false);
    if (!h)
        return NULL;
    skep_slot_tally(b)->seen++;
    skep_hdr_time(h);
    if (o && o->who.pid) {
        h->flags = SKEP_HDR_INDIRECT;
        h->start = o->who.start;
        h->pid = o->who.pid;
        h->tid = o->who.tid;
        h->exec_id = o->who.exec_id;
        h->cgroup = o->who.cgroup;
        h->caps = o->who.caps;
        h->uid = o->who.uid;
        h->gid = o->who.gid;
        h->euid = o->who.euid;
        h->egid = o->who.egid;
        __builtin_memcpy(h->comm, o->who.comm, sizeof(h->comm));
    } else {
        h->flags = SKEP_HDR_NO_TASK;
        h->start = h->cgroup = h->caps = 0;
        h->pid = h->tid = h->exec_id = 0;
        h->uid = h->gid = h->euid = h->egid = 0;
        skep_zero(h->comm, sizeof(h->comm));
    }
    return h;
}
#endif
