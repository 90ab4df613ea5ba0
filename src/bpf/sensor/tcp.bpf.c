/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of TCP connections, from the changes of their state. Who opens or listens is remembered at the
 * change that this process makes itself (to SYN_SENT, to LISTEN); the others come in interrupts. An accepted
 * connection inherits from its listener, and from the process that accepted it once there is one.
 */
#include "bpf/lib/owner.h"
#include "bpf/lib/sock.h"

static __always_inline struct skep_socket_state *tcp_remembered(struct sock *sk, __u64 flags)
{
    return bpf_sk_storage_get(&skep_socks, sk, NULL, flags);
}

static __always_inline void tcp_remember(struct sock *sk, struct task_struct *t, __u32 direction)
{
    struct skep_socket_state *st = tcp_remembered(sk, BPF_SK_STORAGE_GET_F_CREATE);
    if (!st)
        return;
    skep_owner_fill(&st->owner, t);
    st->opened = bpf_ktime_get_boot_ns();
    st->established = 0;
    st->direction = direction;
}

static __always_inline void tcp_fill(struct skep_ev_tcp *ev, __u32 action, __u32 direction, struct sock *sk,
                                     __u64 cookie)
{
    struct skep_sock s = {.sk = (__u64)sk};
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    skep_sock_read(&s);
    ev->action = action;
    ev->direction = direction;
    ev->local = s.local;
    ev->remote = s.remote;
    ev->cookie = cookie;
}

/* The caller's own connect: its process is the current one. */
static __always_inline void tcp_open(struct sock *sk)
{
    struct skep_build b;
    struct task_struct *t = SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf());
    __u64 cookie = bpf_get_socket_cookie(sk);
    tcp_remember(sk, t, SKEP_DIR_OUT);
    struct skep_ev_tcp *ev = skep_begin(&b, SKEP_KIND_tcp, sizeof(*ev), t);
    if (!ev)
        return;
    tcp_fill(ev, SKEP_TCP_OPEN, SKEP_DIR_OUT, sk, cookie);
    skep_submit(&b);
}

/* A connection comes in: what its socket has was copied from the listener's. When two sides open at the same
 * moment, SYN_RECV is a step of an outgoing one. */
static __always_inline void tcp_incoming(struct sock *sk)
{
    struct skep_socket_state *st = tcp_remembered(sk, BPF_SK_STORAGE_GET_F_CREATE);
    if (!st || st->direction == SKEP_DIR_OUT)
        return;
    st->opened = bpf_ktime_get_boot_ns();
    st->established = 0;
    st->direction = SKEP_DIR_IN;
}

static __always_inline void tcp_established(struct sock *sk, int oldstate)
{
    struct skep_build b;
    __u64 cookie = bpf_get_socket_cookie(sk);
    __u64 now = bpf_ktime_get_boot_ns(), opened = 0;
    __u32 direction = oldstate == TCP_SYN_RECV ? SKEP_DIR_IN : SKEP_DIR_OUT;
    struct skep_socket_state *st = tcp_remembered(sk, BPF_SK_STORAGE_GET_F_CREATE);
    if (st) {
        if (!st->direction)
            st->direction = direction;
        direction = st->direction;
        opened = st->opened;
        st->established = now;
    }
    struct skep_ev_tcp *ev = skep_begin_owner(&b, SKEP_KIND_tcp, sizeof(*ev), st ? &st->owner : NULL);
    if (!ev)
        return;
    tcp_fill(ev, SKEP_TCP_ESTABLISHED, direction, sk, cookie);
    ev->duration = opened ? now - opened : 0;
    skep_submit(&b);
}

/* The kernel's counters take SYN and FIN for a byte each. */
static __always_inline void tcp_fill_traffic(struct skep_ev_tcp *ev, struct sock *sk, int oldstate,
                                             bool syn_counted)
{
    __u64 sent = SKEP_READ(struct tcp_sock, sk, bytes_acked);
    __u64 received = SKEP_READ(struct tcp_sock, sk, bytes_received);
    bool fin_sent = oldstate == TCP_FIN_WAIT1 || oldstate == TCP_FIN_WAIT2 || oldstate == TCP_CLOSING ||
                    oldstate == TCP_LAST_ACK;
    if (syn_counted && sent)
        sent--;
    if (fin_sent && sent &&
        SKEP_READ(struct tcp_sock, sk, snd_una) == SKEP_READ(struct tcp_sock, sk, write_seq))
        sent--;
    if (received && (SKEP_SK(sk, skc_flags) & 1 << SOCK_DONE))
        received--;
    ev->bytes_sent = sent;
    ev->bytes_received = received;
    ev->retransmits = SKEP_READ(struct tcp_sock, sk, total_retrans);
    ev->srtt = SKEP_READ(struct tcp_sock, sk, srtt_us) >> 3; /* the kernel keeps eighths */
    ev->reason = SKEP_READ(struct sock, sk, sk_err);
}

static __always_inline void tcp_close(struct sock *sk, int oldstate)
{
    struct skep_build b;
    __u64 cookie = bpf_get_socket_cookie(sk);
    __u64 since = 0;
    __u32 direction = 0;
    bool syn_counted = false;
    struct skep_socket_state *st = tcp_remembered(sk, 0);
    const struct skep_owner *owner = st ? &st->owner : NULL;
    if (st) {
        direction = st->direction;
        if (direction == SKEP_DIR_IN && !st->established) /* never was a connection */
            return;
        since = st->established ? st->established : st->opened;
        syn_counted = direction == SKEP_DIR_OUT && st->established;
        st->direction = 0; /* the socket may be used again */
        st->established = st->opened = 0;
    }
    struct skep_owner *accepted = bpf_map_lookup_elem(&skep_accepted, &cookie);
    if (accepted)
        owner = accepted;
    struct skep_ev_tcp *ev = skep_begin_owner(&b, SKEP_KIND_tcp, sizeof(*ev), owner);
    if (accepted)
        bpf_map_delete_elem(&skep_accepted, &cookie);
    if (!ev)
        return;
    tcp_fill(ev, SKEP_TCP_CLOSE, direction, sk, cookie);
    tcp_fill_traffic(ev, sk, oldstate, syn_counted);
    ev->duration = since ? ev->h.time - since : 0;
    skep_submit(&b);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int oldstate, int newstate)
{
    struct sock *plain = SKEP_PLAIN(struct sock, sk);
    if (plain->sk_protocol != IPPROTO_TCP)
        return 0;
    switch (newstate) {
    case TCP_SYN_SENT:
        tcp_open(sk);
        break;
    case TCP_LISTEN:
        tcp_remember(sk, SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf()), 0);
        break;
    case TCP_SYN_RECV:
        tcp_incoming(sk);
        break;
    case TCP_ESTABLISHED:
        tcp_established(sk, oldstate);
        break;
    case TCP_CLOSE:
        if (oldstate != TCP_LISTEN && oldstate != TCP_CLOSE)
            tcp_close(sk, oldstate);
    }
    return 0;
}
