/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS over UDP and TCP, seen as packets of the root cgroup: whichever call sent them, and in every network namespace.
 * Ports 53, 5353 (multicast DNS) and 5355 (LLMNR) of UDP, port 53 of TCP.
 *
 * A question is reported where it leaves the process that asks, an answer where it reaches that process, so
 * that a name server on the same machine does not show each message twice. The process is remembered with the
 * socket when the question leaves, for answers come in interrupts.
 *
 * Every packet of every socket passes here: what is neither is let go first of all. The programs always let the
 * packet pass.
 *
 * Over TCP each message stands behind its length in a stream, and a segment may hold several of them, or a part of
 * one. Where the next one begins is kept with the socket, for each direction, and what is sent again is not read
 * again. A message is read as far as it lies in the segment that it begins in: what goes on in the next one is cut
 * off, and the record says so; one of which not even the header lies there is not told of. Where a segment was lost
 * on the way to us, or a connection is older than skep, the next segment is taken to begin with a message.
 */
#include "bpf/lib/owner.h"
#include "bpf/lib/sock.h"

#define DNS_PASS 1
#define DNS_MESSAGE_MAX 1232 /* bytes that are captured: what fits into every packet, RFC 9715 */
#define DNS_HEADER_SIZE 12
#define DNS_PORT __builtin_bswap16(53)
#define DNS_TCP_MESSAGES 8 /* of one segment */
#define DNS_IP6_HEADERS 6  /* extension headers that are stepped over */

#define DNS_ETH_IP4 __builtin_bswap16(0x0800)
#define DNS_ETH_IP6 __builtin_bswap16(0x86dd)
#define DNS_IP6_HOP_BY_HOP 0
#define DNS_IP6_ROUTING 43
#define DNS_IP6_FRAGMENT 44
#define DNS_IP6_DESTINATION 60

/* as they stand in packets */
struct dns_ip4 {
    __u8 version_ihl;
    __u8 tos;
    __u16 len;
    __u16 id;
    __u16 fragment;
    __u8 ttl;
    __u8 proto;
    __u16 check;
    __u32 from;
    __u32 to;
};

struct dns_ip6 {
    __u32 flow;
    __u16 len;
    __u8 next;
    __u8 hops;
    __u32 from[4];
    __u32 to[4];
};

struct dns_udp {
    __u16 from;
    __u16 to;
    __u16 len;
    __u16 check;
};

struct dns_tcp {
    __u16 from;
    __u16 to;
    __u32 seq;
    __u32 ack;
    __u8 header; /* its size in words, in the upper half */
    __u8 flags;
    __u16 window;
};
#define DNS_TCP_SYN 2

struct dns_packet {
    __u16 from, to; /* ports, as in the packet */
    __u32 off;      /* of the header behind IP's; 0: neither UDP nor TCP */
    __u32 proto;
    __u32 ip6;
    __u32 out;
};

/* A message in a segment, at `at`: have bytes of size. */
struct dns_message {
    struct dns_packet p;
    __u32 at, size, have;
};

static __always_inline bool dns_is_wanted_proto(__u32 proto)
{
    return proto == IPPROTO_UDP || proto == IPPROTO_TCP;
}

static __always_inline void dns_find_ip4(struct __sk_buff *skb, struct dns_packet *p)
{
    const struct dns_ip4 *ip = (void *)(long)skb->data;
    if ((void *)(ip + 1) > (void *)(long)skb->data_end || !dns_is_wanted_proto(ip->proto) ||
        ip->fragment & __builtin_bswap16(0x1fff))
        return;
    p->proto = ip->proto;
    p->off = (ip->version_ihl & 0xf) * 4;
}

static __always_inline bool dns_is_extension(__u32 next)
{
    return next == DNS_IP6_HOP_BY_HOP || next == DNS_IP6_ROUTING || next == DNS_IP6_FRAGMENT ||
           next == DNS_IP6_DESTINATION;
}

static __always_inline void dns_find_ip6(struct __sk_buff *skb, struct dns_packet *p)
{
    const struct dns_ip6 *ip = (void *)(long)skb->data;
    if ((void *)(ip + 1) > (void *)(long)skb->data_end)
        return;
    __u32 next = ip->next, off = sizeof(*ip);
    if (!dns_is_wanted_proto(next) && !dns_is_extension(next))
        return;
    for (int i = 0; i < DNS_IP6_HEADERS && dns_is_extension(next); i++) {
        __u8 ext[8]; /* next header, length, ... */
        if (bpf_skb_load_bytes(skb, off, ext, sizeof(ext)) < 0)
            return;
        if (next == DNS_IP6_FRAGMENT && (ext[2] || ext[3] & 0xf8)) /* not the first fragment */
            return;
        off += next == DNS_IP6_FRAGMENT ? 8 : (ext[1] + 1) * 8;
        next = ext[0];
    }
    if (!dns_is_wanted_proto(next))
        return;
    p->proto = next;
    p->off = off;
}

static __always_inline bool dns_is_port(__u16 port)
{
    return port == DNS_PORT || port == __builtin_bswap16(5353) || port == __builtin_bswap16(5355);
}

/* Is this a message that the local process asks (out), or one that answers it? Ports tell; where both are
 * those of name servers the message does, which its sender could forge otherwise. at: where it begins */
static __always_inline bool dns_is_ours(struct __sk_buff *skb, struct dns_packet *p, __u32 at)
{
    bool to = dns_is_port(p->to), from = dns_is_port(p->from);
    if (!(p->out ? to : from))
        return false;
    if (!(p->out ? from : to))
        return true;
    __u8 flags = 0;
    bpf_skb_load_bytes(skb, at + 2, &flags, sizeof(flags));
    return (flags & 0x80) ? !p->out : p->out;
}

static __always_inline void dns_fill_addresses(struct skep_ev_dns *ev, struct __sk_buff *skb,
                                               struct dns_packet *p)
{
    struct skep_endpoint *from = p->out ? &ev->local : &ev->server, *to = p->out ? &ev->server : &ev->local;
    __u16 from_port = skep_port(p->from), to_port = skep_port(p->to);
    __u32 address[8] = {0};
    if (p->ip6) {
        bpf_skb_load_bytes(skb, offsetof(struct dns_ip6, from), address, sizeof(address));
        skep_fill_ip6(from, address, from_port, skb->ifindex);
        skep_fill_ip6(to, address + 4, to_port, skb->ifindex);
    } else {
        bpf_skb_load_bytes(skb, offsetof(struct dns_ip4, from), address, 2 * sizeof(*address));
        skep_fill_ip4(from, address[0], from_port);
        skep_fill_ip4(to, address[1], to_port);
    }
}

/* have: bytes of the message that are in the packet, at `at`. */
static __always_inline struct skep_slice dns_put_message(struct skep_build *b, struct __sk_buff *skb,
                                                         struct dns_packet *p, __u32 at, __u32 have)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    if (!to)
        return skep_no_slice();
    if (have > DNS_MESSAGE_MAX) {
        have = DNS_MESSAGE_MAX;
        skep_mark(b, SKEP_HDR_TRUNCATED);
    }
    barrier_var(have);
    if (have < DNS_HEADER_SIZE || have > DNS_MESSAGE_MAX)
        return skep_no_slice();
    if (bpf_skb_load_bytes(skb, at, to, have) < 0)
        return skep_no_slice();
    b->s->len = off + have;
    return (struct skep_slice){off, have};
}

static __always_inline void dns_end(struct skep_build *b, struct skep_ev_dns *ev, struct __sk_buff *skb,
                                    struct dns_packet *p, __u32 at, __u32 size, __u32 have)
{
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->direction = p->out ? SKEP_DIR_OUT : SKEP_DIR_IN;
    ev->proto = p->proto;
    ev->size = size;
    dns_fill_addresses(ev, skb, p);
    ev->message = dns_put_message(b, skb, p, at, have);
    if (have < size)
        skep_mark(b, SKEP_HDR_TRUNCATED);
    skep_submit(b);
}

/* ---- UDP ---- */

static __always_inline void dns_udp(struct __sk_buff *skb, struct dns_packet *p)
{
    struct skep_build b;
    struct skep_ev_dns *ev;
    struct dns_udp udp;
    if (bpf_skb_load_bytes(skb, p->off, &udp, sizeof(udp)) < 0)
        return;
    p->from = udp.from;
    p->to = udp.to;
    __u32 len = skep_port(udp.len), start = p->off + sizeof(struct dns_udp), room = skb->len;
    if (!dns_is_ours(skb, p, start))
        return;
    room = room > start ? room - start : 0;
    len = len > sizeof(struct dns_udp) ? len - sizeof(struct dns_udp) : 0;
    if (len > room)
        len = room;
    if (len < DNS_HEADER_SIZE)
        return;
    struct bpf_sock *sk = skb->sk;
    if (sk)
        sk = bpf_sk_fullsock(sk);
    struct skep_socket_state *st = NULL;
    if (p->out) {
        struct task_struct *t = SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf());
        st = sk ? bpf_sk_storage_get(&skep_socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;
        if (st)
            skep_owner_fill(&st->owner, t);
        ev = skep_begin(&b, SKEP_KIND_dns, sizeof(*ev), t);
    } else {
        st = sk ? bpf_sk_storage_get(&skep_socks, sk, NULL, 0) : NULL;
        ev = skep_begin_owner(&b, SKEP_KIND_dns, sizeof(*ev), st ? &st->owner : NULL);
    }
    if (ev)
        dns_end(&b, ev, skb, p, start, len, len);
}

/* ---- TCP ---- */

/* The functions are global, so that the verifier looks at each once and not once for each way to get there. */
__weak __noinline int dns_tcp_message(struct __sk_buff *skb, struct dns_message *m)
{
    struct skep_build b;
    if (!m)
        return 0;
    __u32 have = m->have < m->size ? m->have : m->size;
    struct bpf_sock *sk = skb->sk;
    if (have < DNS_HEADER_SIZE || !dns_is_ours(skb, &m->p, m->at) || !sk || !(sk = bpf_sk_fullsock(sk)))
        return 0;
    struct skep_socket_state *st = bpf_sk_storage_get(&skep_socks, sk, NULL, 0);
    struct skep_ev_dns *ev = skep_begin_owner(&b, SKEP_KIND_dns, sizeof(*ev), st ? &st->owner : NULL);
    if (ev)
        dns_end(&b, ev, skb, &m->p, m->at, m->size, have);
    return 0;
}

/* The bytes of a segment from m->at to end that continue what the one before began. */
static __always_inline void dns_tcp_continue(struct __sk_buff *skb, struct dns_message *m,
                                             struct skep_dns_stream *s, __u32 end)
{
    __u32 have = end - m->at;
    if (s->flags & SKEP_DNS_WHOLE) { /* its length was the last thing there */
        m->size = s->left;
        m->have = have;
        dns_tcp_message(skb, m);
    }
    s->flags &= ~SKEP_DNS_WHOLE;
    if (have > s->left)
        have = s->left;
    m->at += have;
    s->left -= have;
}

static __always_inline void dns_tcp_messages(struct __sk_buff *skb, struct dns_message *m,
                                             struct skep_dns_stream *s, __u32 end)
{
    if (s->left)
        dns_tcp_continue(skb, m, s, end);
    for (int i = 0; i < DNS_TCP_MESSAGES && m->at < end; i++) {
        __u8 length[2] = {s->high, 0};
        bool half = s->flags & SKEP_DNS_HALF;
        if (!half && bpf_skb_load_bytes(skb, m->at++, length, 1) < 0)
            return;
        s->high = length[0];
        s->flags |= SKEP_DNS_HALF;
        if (m->at >= end)
            return;
        if (bpf_skb_load_bytes(skb, m->at++, length + 1, 1) < 0)
            return;
        s->flags &= ~SKEP_DNS_HALF;
        m->size = (__u32)length[0] << 8 | length[1];
        m->have = end - m->at;
        dns_tcp_message(skb, m);
        if (m->have < m->size) {
            s->left = m->size - m->have;
            if (m->have == 0)
                s->flags |= SKEP_DNS_WHOLE;
            return;
        }
        m->at += m->size;
    }
    if (m->at < end) /* more than we read: where the next one begins is not known */
        s->flags = 0;
}

static __always_inline void dns_tcp_segment(struct __sk_buff *skb, struct dns_message *m,
                                            struct skep_dns_stream *s, __u32 seq, __u32 end)
{
    if (s->flags & SKEP_DNS_SYNCED) {
        __u32 again = s->next - seq;
        if ((__s32)again < 0) { /* one before it is missing */
            s->left = s->flags = 0;
        } else {
            if (again >= end - m->at)
                return;
            m->at += again;
            seq = s->next;
        }
    } else {
        s->left = s->flags = 0;
    }
    s->next = seq + (end - m->at);
    s->flags |= SKEP_DNS_SYNCED;
    dns_tcp_messages(skb, m, s, end);
}

/* Who asks is whoever connected: segments leave in interrupts, too. */
__weak __noinline int dns_tcp(struct __sk_buff *skb, struct dns_packet *p)
{
    struct dns_tcp tcp;
    struct bpf_sock *sk = skb->sk;
    if (!p || !sk || !(sk = bpf_sk_fullsock(sk)))
        return 0;
    if (bpf_skb_load_bytes(skb, p->off, &tcp, sizeof(tcp)) < 0)
        return 0;
    p->from = tcp.from;
    p->to = tcp.to;
    bool syn = tcp.flags & DNS_TCP_SYN;
    struct skep_socket_state *st =
        bpf_sk_storage_get(&skep_socks, sk, NULL, p->out ? BPF_SK_STORAGE_GET_F_CREATE : 0);
    if (p->out && syn && st && !st->owner.who.pid)
        skep_owner_fill(&st->owner, SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf()));
    __u32 start = p->off + (tcp.header >> 4) * 4, end = skb->len;
    if (syn || start >= end)
        return 0;
    struct dns_message m = {.p = *p, .at = start};
    struct skep_dns_stream s = {0};
    if (st)
        s = p->out ? st->dns[1] : st->dns[0];
    dns_tcp_segment(skb, &m, &s, __builtin_bswap32(tcp.seq), end);
    if (st && p->out)
        st->dns[1] = s;
    else if (st)
        st->dns[0] = s;
    return 0;
}

static __always_inline int dns_packet(struct __sk_buff *skb, bool out)
{
    struct dns_packet p = {.out = out};
    if (skb->protocol == DNS_ETH_IP4) {
        dns_find_ip4(skb, &p);
    } else if (skb->protocol == DNS_ETH_IP6) {
        dns_find_ip6(skb, &p);
        p.ip6 = true;
    }
    if (!p.off)
        return DNS_PASS;
    if (p.proto == IPPROTO_UDP)
        dns_udp(skb, &p);
    else if (skb->remote_port == __builtin_bswap32(53)) /* as a number of 32 bits in network order */
        dns_tcp(skb, &p);
    return DNS_PASS;
}

SEC("cgroup_skb/egress")
int dns_egress(struct __sk_buff *skb)
{
    return dns_packet(skb, true);
}

SEC("cgroup_skb/ingress")
int dns_ingress(struct __sk_buff *skb)
{
    return dns_packet(skb, false);
}
