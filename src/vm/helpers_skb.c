/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helpers.h"
#include "vm/map_memory.h"
#include "vm/packet.h"

#define LEN_MAX (16u << 10) /* that a packet may grow to */

/* size bytes at offset of the packet, NULL: not there. */
static uint8_t *bytes_at(const struct skep_vm_packet *p, uint32_t offset, uint32_t size)
{
    uint32_t len = skep_packet_len(p);
    return offset <= len && size <= len - offset ? skep_packet_data(p) + offset : NULL;
}

SKEP_HELPER(skep_helper_skb_store_bytes)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    const void *from = p ? skep_exec_memory(e, r3, (uint32_t)r4, false) : NULL;
    if (!from)
        return 0;
    if (r5 & ~(uint64_t)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
        return skep_helper_result(-EINVAL);
    uint8_t *to = bytes_at(p, (uint32_t)r2, (uint32_t)r4);
    if (!to)
        return skep_helper_result(-EFAULT);
    memmove(to, from, (uint32_t)r4);
    if (r5 & BPF_F_INVALIDATE_HASH) {
        p->fields.hash = 0;
        skep_packet_publish(e);
    }
    return 0;
}

static uint64_t load(struct skep_exec *e, const struct skep_vm_packet *p, uint64_t offset, uint64_t address,
                     uint32_t size)
{
    void *to = skep_exec_memory(e, address, size, true);
    if (!to)
        return 0;
    const uint8_t *from = offset <= UINT32_MAX ? bytes_at(p, (uint32_t)offset, size) : NULL;
    if (from)
        memmove(to, from, size);
    else
        memset(to, 0, size);
    return skep_helper_result(from ? 0 : -EFAULT);
}

SKEP_HELPER(skep_helper_skb_load_bytes)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    return p ? load(e, p, (uint32_t)r2, r3, (uint32_t)r4) : 0;
}

SKEP_HELPER(skep_helper_skb_load_bytes_relative)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    uint64_t start = r5 == BPF_HDR_START_MAC   ? 0
                     : r5 == BPF_HDR_START_NET ? SKEP_PACKET_ETHERNET
                                               : UINT32_MAX + 1ULL;
    return p ? load(e, p, (uint32_t)r2 + start, r3, (uint32_t)r4) : 0;
}

SKEP_HELPER(skep_helper_skb_pull_data)
{
    const struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    return skep_helper_result(p && (uint32_t)r2 > skep_packet_len(p) ? -ENOMEM : 0);
}

SKEP_HELPER(skep_helper_skb_change_tail)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    uint32_t len = (uint32_t)r2, old = skep_packet_len(p);
    if (r3 || len > LEN_MAX || len < SKEP_PACKET_ETHERNET)
        return skep_helper_result(-EINVAL);
    if (len > p->capacity - p->data)
        return skep_helper_result(-ENOMEM);
    if (len > old)
        memset(p->buffer + p->end, 0, len - old);
    p->end = p->data + len;
    skep_packet_publish(e);
    return 0;
}

/* Makes room for n bytes at offset of the packet, by moving what is before them. */
static int grow(struct skep_vm_packet *p, uint32_t n, uint32_t offset)
{
    if (n > p->data)
        return -ENOMEM;
    memmove(p->buffer + p->data - n, p->buffer + p->data, offset);
    p->data -= n;
    p->meta = p->data;
    memset(p->buffer + p->data + offset, 0, n);
    return 0;
}

static void shrink(struct skep_vm_packet *p, uint32_t n, uint32_t offset)
{
    memmove(p->buffer + p->data + n, p->buffer + p->data, offset);
    p->data += n;
    p->meta = p->data;
}

SKEP_HELPER(skep_helper_skb_change_head)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    uint32_t n = (uint32_t)r2;
    if (r3 || n > LEN_MAX || skep_packet_len(p) + n > LEN_MAX)
        return skep_helper_result(-EINVAL);
    int r = grow(p, n, 0);
    if (r == 0)
        skep_packet_publish(e);
    return skep_helper_result(r);
}

/* ---- VLAN: one tag is kept beside the packet ---- */

#define TAG_SIZE 4
#define TAG_OFFSET 12
#define PROTOCOL_8021Q __builtin_bswap16(0x8100)
#define PROTOCOL_8021AD __builtin_bswap16(0x88a8)

static bool is_vlan(uint16_t protocol)
{
    return protocol == PROTOCOL_8021Q || protocol == PROTOCOL_8021AD;
}

static uint16_t protocol_at(const struct skep_vm_packet *p, uint32_t offset)
{
    uint16_t protocol = 0;
    if (offset + 2 <= skep_packet_len(p))
        memcpy(&protocol, skep_packet_data(p) + offset, sizeof(protocol));
    return protocol;
}

SKEP_HELPER(skep_helper_skb_vlan_push)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    uint16_t protocol = is_vlan((uint16_t)r2) ? (uint16_t)r2 : PROTOCOL_8021Q;
    if (p->vlan_present) {
        if (skep_packet_len(p) < SKEP_PACKET_ETHERNET)
            return skep_helper_result(-EFAULT);
        int r = grow(p, TAG_SIZE, TAG_OFFSET);
        if (r < 0)
            return skep_helper_result(r);
        const uint16_t tag[2] = {p->vlan_proto, __builtin_bswap16(p->vlan_tci)};
        memcpy(skep_packet_data(p) + TAG_OFFSET, tag, sizeof(tag));
        p->fields.protocol = p->vlan_proto;
    }
    p->vlan_present = true;
    p->vlan_proto = protocol;
    p->vlan_tci = (uint16_t)r3;
    skep_packet_publish(e);
    return 0;
}

/* The first tag inside of the packet comes out of it. False: there is none. */
static bool take_tag(struct skep_vm_packet *p, uint16_t *ret_proto, uint16_t *ret_tci)
{
    uint16_t protocol = protocol_at(p, TAG_OFFSET);
    if (!is_vlan(protocol) || skep_packet_len(p) < SKEP_PACKET_ETHERNET + TAG_SIZE)
        return false;
    *ret_proto = protocol;
    *ret_tci = __builtin_bswap16(protocol_at(p, TAG_OFFSET + 2));
    shrink(p, TAG_SIZE, TAG_OFFSET);
    p->fields.protocol = protocol_at(p, TAG_OFFSET);
    return true;
}

SKEP_HELPER(skep_helper_skb_vlan_pop)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    uint16_t proto, tci;
    if (!p)
        return 0;
    if (!p->vlan_present && !take_tag(p, &proto, &tci))
        return 0;
    p->vlan_present = take_tag(p, &p->vlan_proto, &p->vlan_tci);
    skep_packet_publish(e);
    return 0;
}

/* ---- hash ---- */

/* Of what makes a flow: addresses, protocol, ports. */
static uint32_t flow_hash(const struct skep_vm_packet *p)
{
    const uint64_t no_seed[2] = {0};
    uint8_t flow[40] = {0};
    const uint8_t *net = skep_packet_data(p) + SKEP_PACKET_ETHERNET;
    uint32_t len = skep_packet_len(p), header = 0;
    len = len > SKEP_PACKET_ETHERNET ? len - SKEP_PACKET_ETHERNET : 0;
    if (len >= 20 && net[0] >> 4 == 4) {
        header = (net[0] & 15u) * 4;
        flow[0] = net[9];
        memcpy(flow + 1, net + 12, 8);
    } else if (len >= 40 && net[0] >> 4 == 6) {
        header = 40;
        flow[0] = net[6];
        memcpy(flow + 1, net + 8, 32);
    }
    bool ports = flow[0] == 6 || flow[0] == 17 || flow[0] == 132;
    if (header && ports && len >= header + 4)
        memcpy(flow + 33, net + header, 4);
    uint64_t hash = skep_map_hash_bytes(no_seed, flow, sizeof(flow));
    return (uint32_t)(hash ^ hash >> 32) | 1; /* 0: not known yet */
}

SKEP_HELPER(skep_helper_get_hash_recalc)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, true);
    if (!p)
        return 0;
    if (!p->fields.hash) {
        p->fields.hash = flow_hash(p);
        skep_packet_publish(e);
    }
    return p->fields.hash;
}
