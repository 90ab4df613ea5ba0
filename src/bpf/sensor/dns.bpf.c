/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS over UDP, seen as packets of the root cgroup: whichever call sent them, and in every network namespace.
 * Ports 53, 5353 (multicast DNS) and 5355 (LLMNR).
 *
 * A question is reported where it leaves the process that asks, an answer where it reaches that process, so
 * that a name server on the same machine does not show each message twice. The process is remembered with the
 * socket when the question leaves, for answers come in interrupts.
 *
 * Every packet of every socket passes here: what is no UDP is let go first of all. The programs always let
 * the packet pass.
 */
#include "bpf/lib/owner.h"
#include "bpf/lib/sock.h"

#define DNS_PASS 1
#define DNS_MESSAGE_MAX 1232 /* bytes that are captured: what fits into every packet, RFC 9715 */
#define DNS_HEADER_SIZE 12
#define DNS_IP6_HEADERS 6 /* extension headers that are stepped over */

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

struct dns_packet {
    struct __sk_buff *skb;
    struct dns_udp udp;
    __u32 udp_off;
    bool ip6;
};

/* Where the UDP header begins; 0: this is no UDP packet. */
static __always_inline __u32 dns_udp_of_ip4(struct __sk_buff *skb)
{
    const struct dns_ip4 *ip = (void *)(long)skb->data;
    if ((void *)(ip + 1) > (void *)(long)skb->data_end || ip->proto != IPPROTO_UDP ||
        ip->fragment & __builtin_bswap16(0x1fff))
        return 0;
    return (ip->version_ihl & 0xf) * 4;
}

static __always_inline bool dns_is_extension(__u32 next)
{
    return next == DNS_IP6_HOP_BY_HOP || next == DNS_IP6_ROUTING || next == DNS_IP6_FRAGMENT ||
           next == DNS_IP6_DESTINATION;
}

static __always_inline __u32 dns_udp_of_ip6(struct __sk_buff *skb)
{
    const struct dns_ip6 *ip = (void *)(long)skb->data;
    if ((void *)(ip + 1) > (void *)(long)skb->data_end)
        return 0;
    __u32 next = ip->next, off = sizeof(*ip);
    if (next == IPPROTO_UDP)
        return off;
    if (!dns_is_extension(next))
        return 0;
    for (int i = 0; i < DNS_IP6_HEADERS && dns_is_extension(next); i++) {
        __u8 ext[8]; /* next header, length, ... */
        if (bpf_skb_load_bytes(skb, off, ext, sizeof(ext)) < 0)
            return 0;
        if (next == DNS_IP6_FRAGMENT && (ext[2] || ext[3] & 0xf8)) /* not the first fragment */
            return 0;
        off += next == DNS_IP6_FRAGMENT ? 8 : (ext[1] + 1) * 8;
        next = ext[0];
    }
    return next == IPPROTO_UDP ? off : 0;
}

static __always_inline bool dns_is_port(__u16 port)
{
    return port == __builtin_bswap16(53) || port == __builtin_bswap16(5353) ||
           port == __builtin_bswap16(5355);
}

/* Is this a message that the local process asks (out), or one that answers it? Ports tell; where both are
 * those of name servers the message does, which its sender could forge otherwise. */
static __always_inline bool dns_is_ours(struct dns_packet *p, bool out)
{
    bool to = dns_is_port(p->udp.to), from = dns_is_port(p->udp.from);
    if (!(out ? to : from))
        return false;
    if (!(out ? from : to))
        return true;
    __u8 flags = 0;
    bpf_skb_load_bytes(p->skb, p->udp_off + sizeof(struct dns_udp) + 2, &flags, sizeof(flags));
    return !(flags & 0x80) == out;
}

static __always_inline void dns_fill_addresses(struct skep_ev_dns *ev, struct dns_packet *p, bool out)
{
    struct skep_endpoint *from = out ? &ev->local : &ev->server, *to = out ? &ev->server : &ev->local;
    __u16 from_port = skep_port(p->udp.from), to_port = skep_port(p->udp.to);
    __u32 address[8] = {0};
    if (p->ip6) {
        bpf_skb_load_bytes(p->skb, offsetof(struct dns_ip6, from), address, sizeof(address));
        skep_fill_ip6(from, address, from_port, p->skb->ifindex);
        skep_fill_ip6(to, address + 4, to_port, p->skb->ifindex);
    } else {
        bpf_skb_load_bytes(p->skb, offsetof(struct dns_ip4, from), address, 2 * sizeof(*address));
        skep_fill_ip4(from, address[0], from_port);
        skep_fill_ip4(to, address[1], to_port);
    }
}

static __always_inline struct skep_slice dns_put_message(struct skep_build *b, struct dns_packet *p,
                                                         __u32 len)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    if (!to)
        return skep_no_slice();
    if (len > DNS_MESSAGE_MAX) {
        len = DNS_MESSAGE_MAX;
        skep_mark(b, SKEP_HDR_TRUNCATED);
    }
    barrier_var(len);
    if (len < DNS_HEADER_SIZE || len > DNS_MESSAGE_MAX)
        return skep_no_slice();
    if (bpf_skb_load_bytes(p->skb, p->udp_off + sizeof(struct dns_udp), to, len) < 0)
        return skep_no_slice();
    b->s->len = off + len;
    return (struct skep_slice){off, len};
}

static __always_inline void dns_emit(struct dns_packet *p, bool out)
{
    struct skep_build b;
    struct skep_ev_dns *ev;
    __u32 len = skep_port(p->udp.len), start = p->udp_off + sizeof(struct dns_udp), room = p->skb->len;
    room = room > start ? room - start : 0;
    len = len > sizeof(struct dns_udp) ? len - sizeof(struct dns_udp) : 0;
    if (len > room)
        len = room;
    if (len < DNS_HEADER_SIZE)
        return;
    struct bpf_sock *sk = p->skb->sk;
    if (sk)
        sk = bpf_sk_fullsock(sk);
    struct skep_socket_state *st = NULL;
    if (out) {
        struct task_struct *t = SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf());
        st = sk ? bpf_sk_storage_get(&skep_socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;
        if (st)
            skep_owner_fill(&st->owner, t);
        ev = skep_begin(&b, SKEP_KIND_dns, sizeof(*ev), t);
    } else {
        st = sk ? bpf_sk_storage_get(&skep_socks, sk, NULL, 0) : NULL;
        ev = skep_begin_owner(&b, SKEP_KIND_dns, sizeof(*ev), st ? &st->owner : NULL);
    }
    if (!ev)
        return;
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->direction = out ? SKEP_DIR_OUT : SKEP_DIR_IN;
    ev->proto = IPPROTO_UDP;
    ev->size = len;
    dns_fill_addresses(ev, p, out);
    ev->message = dns_put_message(&b, p, len);
    skep_submit(&b);
}

static __always_inline int dns_packet(struct __sk_buff *skb, bool out)
{
    struct dns_packet p = {.skb = skb};
    if (skb->protocol == DNS_ETH_IP4) {
        p.udp_off = dns_udp_of_ip4(skb);
    } else if (skb->protocol == DNS_ETH_IP6) {
        p.udp_off = dns_udp_of_ip6(skb);
        p.ip6 = true;
    }
    if (!p.udp_off)
        return DNS_PASS;
    if (bpf_skb_load_bytes(skb, p.udp_off, &p.udp, sizeof(p.udp)) < 0)
        return DNS_PASS;
    if (dns_is_ours(&p, out))
        dns_emit(&p, out);
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
