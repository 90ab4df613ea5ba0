/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <linux/if_ether.h>

#include "vm/helper/helpers.h"
#include "vm/packet.h"

#define OFFSET_MAX 0x7fffffff
#define META_MAX 255
#define VLAN_BYTES 4
#define TC_ACT_SHOT 2
#define TC_ACT_REDIRECT 7

/* ---- XDP ---- */

uint64_t skep_helper_xdp_adjust_head(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    if (!p)
        return 0;
    const int64_t delta = (int32_t)r2;
    const int64_t meta = p->data - p->meta;
    if (delta < p->start + SKEP_PACKET_FRAME - p->meta || delta > p->data_end - p->data - SKEP_PACKET_ETHER)
        return skep_helper_result(-EINVAL);
    if (meta)
        memmove(p->meta + delta, p->meta, (size_t)meta);
    p->meta += delta;
    p->data += delta;
    skep_packet_moved(e, p);
    return 0;
}

uint64_t skep_helper_xdp_adjust_meta(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    if (!p)
        return 0;
    const int64_t offset = (int32_t)r2, length = p->data - p->meta - offset;
    if (offset < p->start + SKEP_PACKET_FRAME - p->meta || length < 0)
        return skep_helper_result(-EINVAL);
    if (length % 4 || length > META_MAX)
        return skep_helper_result(-EACCES);
    p->meta += offset;
    skep_packet_moved(e, p);
    return 0;
}

/* Moves the end; what comes in is zero. */
static void set_end(struct skep_exec *e, struct skep_vm_packet *p, int64_t delta)
{
    if (delta > 0 && !skep_exec_work(e, (uint64_t)delta))
        return;
    if (delta > 0)
        memset(p->data_end, 0, (size_t)delta);
    p->data_end += delta;
    skep_packet_moved(e, p);
}

uint64_t skep_helper_xdp_adjust_tail(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    if (!p)
        return 0;
    const int64_t delta = (int32_t)r2;
    if (delta > p->end - p->data_end || (int64_t)skep_packet_len(p) + delta < SKEP_PACKET_ETHER)
        return skep_helper_result(-EINVAL);
    set_end(e, p, delta);
    return 0;
}

uint64_t skep_helper_xdp_get_buff_len(SKEP_HELPER_ARGS)
{
    const struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, false);
    return p ? skep_packet_len(p) : 0;
}

/* ---- bytes of the packet ---- */

static bool inside(const struct skep_vm_packet *p, uint64_t offset, uint64_t size)
{
    return offset <= OFFSET_MAX && offset <= skep_packet_len(p) && size <= skep_packet_len(p) - offset;
}

static uint64_t load_bytes(struct skep_exec *e, const struct skep_vm_packet *p, uint64_t offset, uint64_t to,
                           uint64_t size, int error)
{
    size = (uint32_t)size;
    void *dst = p ? skep_exec_memory(e, to, size, true) : NULL;
    if (!dst)
        return 0;
    if (!inside(p, offset, size)) {
        if (size && p->is_skb) /* helpers of XDP do not */
            memset(dst, 0, size);
        return skep_helper_result(error);
    }
    if (size)
        memmove(dst, p->data + offset, size);
    return 0;
}

static uint64_t store_bytes(struct skep_exec *e, const struct skep_vm_packet *p, uint64_t offset,
                            uint64_t from, uint64_t size, int error)
{
    size = (uint32_t)size;
    const void *src = p ? skep_exec_memory(e, from, size, false) : NULL;
    if (!src)
        return 0;
    if (!inside(p, offset, size))
        return skep_helper_result(error);
    if (size)
        memmove(p->data + offset, src, size);
    return 0;
}

/* What XDP's helpers say of bytes that are not there; beyond 64 KiB it is something else. */
static int xdp_error(uint64_t offset, uint64_t size)
{
    return (uint32_t)offset > 0xffff || (uint32_t)size > 0xffff ? -EFAULT : -EINVAL;
}

uint64_t skep_helper_xdp_load_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    return load_bytes(e, skep_packet_of(e, r1, false), (uint32_t)r2, r3, r4, xdp_error(r2, r4));
}

uint64_t skep_helper_xdp_store_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    return store_bytes(e, skep_packet_of(e, r1, false), (uint32_t)r2, r3, r4, xdp_error(r2, r4));
}

uint64_t skep_helper_skb_load_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    return load_bytes(e, skep_packet_of(e, r1, true), (uint32_t)r2, r3, r4, -EFAULT);
}

uint64_t skep_helper_skb_load_bytes_relative(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    const uint64_t start = (uint32_t)r5 == BPF_HDR_START_MAC   ? 0
                           : (uint32_t)r5 == BPF_HDR_START_NET ? (uint64_t)(p->network - p->data)
                                                               : OFFSET_MAX + 1ULL;
    return load_bytes(e, p, (uint32_t)r2 + start, r3, r4, -EFAULT);
}

uint64_t skep_helper_skb_store_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (p && r5 & ~(uint64_t)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
        return skep_helper_result(-EINVAL);
    uint64_t r = store_bytes(e, p, (uint32_t)r2, r3, r4, -EFAULT);
    if (p && r5 & BPF_F_INVALIDATE_HASH)
        p->skb.hash = 0;
    return r;
}

/* ---- skb ---- */

uint64_t skep_helper_skb_pull_data(SKEP_HELPER_ARGS)
{
    const struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    /* all of it lies in one piece */
    return p && (uint32_t)r2 > skep_packet_len(p) ? skep_helper_result(-ENOMEM) : 0;
}

uint64_t skep_helper_skb_change_tail(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    const int64_t delta = (int64_t)(uint32_t)r2 - (int64_t)skep_packet_len(p);
    if (r3 || (uint32_t)r2 < p->network - p->data)
        return skep_helper_result(-EINVAL);
    if (delta > p->end - p->data_end)
        return skep_helper_result(-ENOMEM);
    set_end(e, p, delta);
    return 0;
}

uint64_t skep_helper_skb_change_head(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    const uint32_t more = (uint32_t)r2;
    if (r3)
        return skep_helper_result(-EINVAL);
    if (more > p->data - p->start)
        return skep_helper_result(-ENOMEM);
    if (!skep_exec_work(e, more))
        return 0;
    p->data -= more;
    p->meta = p->data;
    memset(p->data, 0, more);
    skep_packet_moved(e, p);
    return 0;
}

/* Puts the tag that the skb carries beside its data into the data. */
static int push_into_data(struct skep_exec *e, struct skep_vm_packet *p)
{
    if (p->data - p->start < VLAN_BYTES || skep_packet_len(p) < SKEP_PACKET_ETHER)
        return -ENOMEM;
    uint16_t tag[2] = {(uint16_t)p->skb.vlan_proto, htons((uint16_t)p->skb.vlan_tci)};
    p->data -= VLAN_BYTES;
    p->network -= VLAN_BYTES;
    memmove(p->data, p->data + VLAN_BYTES, 12);
    memcpy(p->data + 12, tag, sizeof(tag));
    p->meta = p->data;
    p->skb.protocol = p->skb.vlan_proto;
    skep_packet_moved(e, p);
    return 0;
}

uint64_t skep_helper_skb_vlan_push(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    uint16_t protocol = (uint16_t)r2;
    if (protocol != htons(0x8100) && protocol != htons(0x88a8))
        protocol = htons(0x8100);
    if (p->skb.vlan_present) {
        int r = push_into_data(e, p);
        if (r < 0)
            return skep_helper_result(r);
    }
    p->skb.vlan_present = 1;
    p->skb.vlan_proto = protocol;
    p->skb.vlan_tci = (uint16_t)r3;
    return 0;
}

/* Takes the first tag out of the data, to where the skb carries one. 0: there is none. */
static int take_from_data(struct skep_vm_packet *p)
{
    uint16_t protocol = (uint16_t)p->skb.protocol, tci, next, first;
    if (protocol != htons(0x8100) && protocol != htons(0x88a8))
        return 0;
    if (skep_packet_len(p) < SKEP_PACKET_ETHER + VLAN_BYTES)
        return -ENOMEM;
    memcpy(&tci, p->data + 14, sizeof(tci));
    memcpy(&next, p->data + 16, sizeof(next));
    memmove(p->data + VLAN_BYTES, p->data, 12);
    p->data += VLAN_BYTES;
    p->meta = p->data;
    if (p->network - p->data < SKEP_PACKET_ETHER)
        p->network = p->data + SKEP_PACKET_ETHER;
    if (ntohs(next) < 0x600) { /* a length: raw IPX begins with all ones, everything else is 802.2 */
        first = 0;
        memcpy(&first, p->data + SKEP_PACKET_ETHER,
               MIN(sizeof(first), skep_packet_len(p) - SKEP_PACKET_ETHER));
        next = first == 0xffff ? htons(ETH_P_802_3) : htons(ETH_P_802_2);
    }
    p->skb.protocol = next;
    p->skb.vlan_present = 1;
    p->skb.vlan_proto = protocol;
    p->skb.vlan_tci = ntohs(tci);
    return 1;
}

uint64_t skep_helper_skb_vlan_pop(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    int r = p->skb.vlan_present ? 1 : take_from_data(p);
    p->skb.vlan_present = p->skb.vlan_tci = p->skb.vlan_proto = 0;
    /* the next tag, if there is one, moves from the data to where the first one was */
    if (r > 0)
        r = take_from_data(p);
    skep_packet_moved(e, p);
    return skep_helper_result(MIN(r, 0));
}

/* Over what makes a flow: protocol, addresses, ports. FNV-1a. */
static uint32_t flow_hash(const struct skep_vm_packet *p)
{
    uint8_t flow[37] = {0};
    const uint8_t *ip = p->data + SKEP_PACKET_ETHER;
    size_t len = skep_packet_len(p), header = 0;
    len = len > SKEP_PACKET_ETHER ? len - SKEP_PACKET_ETHER : 0;
    if (len >= 20 && ip[0] >> 4 == 4) {
        header = (ip[0] & 15U) * 4;
        flow[0] = ip[9];
        memcpy(flow + 1, ip + 12, 8);
    } else if (len >= 40 && ip[0] >> 4 == 6) {
        header = 40;
        flow[0] = ip[6];
        memcpy(flow + 1, ip + 8, 32);
    }
    bool ports = flow[0] == IPPROTO_TCP || flow[0] == IPPROTO_UDP || flow[0] == IPPROTO_SCTP;
    if (ports && len >= header + 4)
        memcpy(flow + 33, ip + header, 4);
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < sizeof(flow); i++)
        h = (h ^ flow[i]) * 16777619u;
    return h;
}

uint64_t skep_helper_get_hash_recalc(SKEP_HELPER_ARGS)
{
    struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    if (!p)
        return 0;
    if (!p->skb.hash) {
        uint32_t h = flow_hash(p);
        p->skb.hash = h ? h : 1;
    }
    return p->skb.hash;
}

/* ---- elsewhere ---- */

uint64_t skep_helper_redirect(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = e->packet_object;
    if (!p) {
        return skep_helper_refuse(e, "redirect wants a packet");
    }
    if (r2 & (p->is_skb ? ~(uint64_t)BPF_F_INGRESS : ~(uint64_t)0))
        return p->is_skb ? TC_ACT_SHOT : XDP_ABORTED;
    p->fields.redirect_ifindex = (uint32_t)r1;
    p->fields.redirect_flags = r2;
    return p->is_skb ? TC_ACT_REDIRECT : XDP_REDIRECT;
}

/* There are no maps of devices, so that nothing is ever found: the answer is the one that the program chose for that. */
uint64_t skep_helper_redirect_map(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    if (!skep_exec_map(e, r1))
        return 0;
    return r3 & ~(uint64_t)3 ? XDP_ABORTED : r3;
}
