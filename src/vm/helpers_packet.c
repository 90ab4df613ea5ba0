/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "vm/helpers.h"
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
    if (delta < p->start - p->meta || delta > p->data_end - p->data - SKEP_PACKET_ETHER)
        return SKEP_HELPER_ERROR(-EINVAL);
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
    if (offset < p->start - p->meta || length < 0)
        return SKEP_HELPER_ERROR(-EINVAL);
    if (length % 4 || length > META_MAX)
        return SKEP_HELPER_ERROR(-EACCES);
    p->meta += offset;
    skep_packet_moved(e, p);
    return 0;
}

/* Moves the end; what comes in is zero. */
static void set_end(struct skep_exec *e, struct skep_vm_packet *p, int64_t delta)
{
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
        return SKEP_HELPER_ERROR(-EINVAL);
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
        if (size)
            memset(dst, 0, size);
        return SKEP_HELPER_ERROR(error);
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
        return SKEP_HELPER_ERROR(error);
    if (size)
        memmove(p->data + offset, src, size);
    return 0;
}

uint64_t skep_helper_xdp_load_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    return load_bytes(e, skep_packet_of(e, r1, false), (uint32_t)r2, r3, r4, -EINVAL);
}

uint64_t skep_helper_xdp_store_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    return store_bytes(e, skep_packet_of(e, r1, false), (uint32_t)r2, r3, r4, -EINVAL);
}

uint64_t skep_helper_skb_load_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    return load_bytes(e, skep_packet_of(e, r1, true), (uint32_t)r2, r3, r4, -EFAULT);
}

uint64_t skep_helper_skb_load_bytes_relative(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint64_t start = (uint32_t)r5 == BPF_HDR_START_NET ? SKEP_PACKET_ETHER : 0;
    if ((uint32_t)r5 > BPF_HDR_START_NET)
        return SKEP_HELPER_ERROR(-EFAULT);
    return load_bytes(e, skep_packet_of(e, r1, true), (uint32_t)r2 + start, r3, r4, -EFAULT);
}

uint64_t skep_helper_skb_store_bytes(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (p && r5 & ~(uint64_t)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
        return SKEP_HELPER_ERROR(-EINVAL);
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
    return p && (uint32_t)r2 > skep_packet_len(p) ? SKEP_HELPER_ERROR(-ENOMEM) : 0;
}

uint64_t skep_helper_skb_change_tail(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    const int64_t delta = (int64_t)(uint32_t)r2 - (int64_t)skep_packet_len(p);
    if (r3 || (uint32_t)r2 < SKEP_PACKET_ETHER)
        return SKEP_HELPER_ERROR(-EINVAL);
    if (delta > p->end - p->data_end)
        return SKEP_HELPER_ERROR(-ENOMEM);
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
        return SKEP_HELPER_ERROR(-EINVAL);
    if (more > p->data - p->start)
        return SKEP_HELPER_ERROR(-ENOMEM);
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
    memmove(p->data, p->data + VLAN_BYTES, 12);
    memcpy(p->data + 12, tag, sizeof(tag));
    p->meta = p->data;
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
            return SKEP_HELPER_ERROR(r);
    }
    p->skb.vlan_present = 1;
    p->skb.vlan_proto = protocol;
    p->skb.vlan_tci = (uint16_t)r3;
    return 0;
}

uint64_t skep_helper_skb_vlan_pop(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    if (p->skb.vlan_present) {
        p->skb.vlan_present = 0;
        p->skb.vlan_tci = 0;
    }
    /* the next tag, if there is one, moves from the data to where the first one was */
    uint16_t protocol, tci;
    if (skep_packet_len(p) < SKEP_PACKET_ETHER + VLAN_BYTES)
        return 0;
    memcpy(&protocol, p->data + 12, 2);
    memcpy(&tci, p->data + 14, 2);
    if (protocol != htons(0x8100) && protocol != htons(0x88a8))
        return 0;
    memmove(p->data + VLAN_BYTES, p->data, 12);
    p->data += VLAN_BYTES;
    p->meta = p->data;
    p->skb.vlan_present = 1;
    p->skb.vlan_proto = protocol;
    p->skb.vlan_tci = ntohs(tci);
    skep_packet_moved(e, p);
    return 0;
}

uint64_t skep_helper_get_hash_recalc(SKEP_HELPER_ARGS)
{
    struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    if (!p)
        return 0;
    if (!p->skb.hash) {
        /* FNV-1a over what tells flows apart: addresses and ports of the usual headers lie in the first 54 bytes */
        uint32_t h = 2166136261u;
        for (size_t i = 0; i < MIN(skep_packet_len(p), (size_t)54); i++)
            h = (h ^ p->data[i]) * 16777619u;
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
        skep_exec_fault(e, SKEP_VM_FAULT_HELPER, UINT32_MAX, 0, "redirect wants a packet");
        return 0;
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
