/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helpers.h"
#include "vm/packet.h"

#define META_MAX 255

SKEP_HELPER(skep_helper_xdp_adjust_head)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    if (!p)
        return 0;
    int64_t delta = (int32_t)r2, data = p->data + delta;
    uint32_t meta_size = p->data - p->meta;
    if (data < (int64_t)SKEP_PACKET_FRAME + meta_size || data > (int64_t)p->end - SKEP_PACKET_ETHERNET)
        return skep_helper_result(-EINVAL);
    /* the meta data goes with the packet */
    memmove(p->buffer + p->meta + delta, p->buffer + p->meta, meta_size);
    p->data = (uint32_t)data;
    p->meta = p->data - meta_size;
    skep_packet_publish(e);
    return 0;
}

SKEP_HELPER(skep_helper_xdp_adjust_meta)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    if (!p)
        return 0;
    int64_t meta = p->meta + (int64_t)(int32_t)r2;
    if (meta < SKEP_PACKET_FRAME || meta > p->data)
        return skep_helper_result(-EINVAL);
    uint32_t size = p->data - (uint32_t)meta;
    if (size % 4 || size > META_MAX)
        return skep_helper_result(-EACCES);
    p->meta = (uint32_t)meta;
    skep_packet_publish(e);
    return 0;
}

SKEP_HELPER(skep_helper_xdp_adjust_tail)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    if (!p)
        return 0;
    int64_t delta = (int32_t)r2, end = p->end + delta;
    if (end > p->capacity || end < (int64_t)p->data + SKEP_PACKET_ETHERNET)
        return skep_helper_result(-EINVAL);
    if (delta > 0)
        memset(p->buffer + p->end, 0, (size_t)delta);
    p->end = (uint32_t)end;
    skep_packet_publish(e);
    return 0;
}

SKEP_HELPER(skep_helper_xdp_get_buff_len)
{
    const struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, false);
    return p ? skep_packet_len(p) : 0;
}

/* size bytes at offset of the packet. */
static int bytes_at(const struct skep_vm_packet *p, uint32_t offset, uint32_t size, uint8_t **ret_bytes)
{
    if (offset > 0xffff || size > 0xffff)
        return -EFAULT;
    if (offset + size > skep_packet_len(p))
        return -EINVAL;
    *ret_bytes = skep_packet_data(p) + offset;
    return 0;
}

SKEP_HELPER(skep_helper_xdp_load_bytes)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    void *to = p ? skep_exec_memory(e, r3, (uint32_t)r4, true) : NULL;
    if (!to)
        return 0;
    uint8_t *from;
    int r = bytes_at(p, (uint32_t)r2, (uint32_t)r4, &from);
    if (r == 0)
        memmove(to, from, (uint32_t)r4);
    return skep_helper_result(r);
}

SKEP_HELPER(skep_helper_xdp_store_bytes)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_vm_packet *p = skep_packet_of(e, r1, false);
    const void *from = p ? skep_exec_memory(e, r3, (uint32_t)r4, false) : NULL;
    if (!from)
        return 0;
    uint8_t *to;
    int r = bytes_at(p, (uint32_t)r2, (uint32_t)r4, &to);
    if (r == 0)
        memmove(to, from, (uint32_t)r4);
    return skep_helper_result(r);
}

/* ---- redirection: the host does it ---- */

#define XDP_REDIRECT_FLAGS 0ULL
#define TC_ACT_SHOT 2
#define TC_ACT_REDIRECT 7

SKEP_HELPER(skep_helper_redirect)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_packet *p = e->packet_object;
    if (!p)
        return skep_helper_refuse(e, "there is no packet to redirect");
    if (r2 & ~(p->skb ? (uint64_t)BPF_F_INGRESS : XDP_REDIRECT_FLAGS))
        return p->skb ? TC_ACT_SHOT : XDP_ABORTED;
    p->fields.redirect_ifindex = (uint32_t)r1;
    p->fields.redirect_flags = r2;
    return p->skb ? TC_ACT_REDIRECT : XDP_REDIRECT;
}

/* No map of ours holds devices, so that nothing is ever found: what the program wants then is in the flags. */
SKEP_HELPER(skep_helper_redirect_map)
{
    const uint64_t action = XDP_ABORTED | XDP_DROP | XDP_PASS | XDP_TX;
    struct skep_exec *e = skep_exec_of(t);
    if (!skep_exec_map(e, r1))
        return 0;
    return r3 & ~action ? XDP_ABORTED : r3 & action;
}
