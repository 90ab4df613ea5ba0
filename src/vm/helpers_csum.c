/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helpers_csum.h"

#include "vm/helpers.h"
#include "vm/map_memory.h"
#include "vm/packet.h"

uint32_t skep_csum_add(uint32_t a, uint32_t b)
{
    uint64_t sum = (uint64_t)a + b;
    return (uint32_t)(sum + (sum >> 32));
}

uint16_t skep_csum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* size is a multiple of 4. */
static uint32_t sum_of(const uint8_t *data, uint32_t size, uint32_t seed)
{
    for (uint32_t i = 0; i < size; i += 4) {
        uint32_t word;
        memcpy(&word, data + i, sizeof(word));
        seed = skep_csum_add(seed, word);
    }
    return seed;
}

SKEP_HELPER(skep_helper_csum_diff)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t from_size = (uint32_t)r2, to_size = (uint32_t)r4, sum = (uint32_t)r5;
    const uint8_t *from = skep_exec_memory(e, r1, from_size, false);
    const uint8_t *to = from ? skep_exec_memory(e, r3, to_size, false) : NULL;
    if (!to)
        return 0;
    if ((from_size | to_size) % 4)
        return skep_helper_result(-EINVAL);
    if (from_size && to_size)
        sum = skep_csum_add(sum_of(to, to_size, sum), ~sum_of(from, from_size, 0));
    else if (to_size)
        sum = sum_of(to, to_size, sum);
    else if (from_size)
        sum = ~sum_of(from, from_size, ~sum);
    return skep_csum_fold(sum);
}

/* The sum at an offset of the packet, NULL: not there. */
static uint8_t *sum_at(const struct skep_vm_packet *p, uint64_t offset)
{
    bool there = offset <= 0xffff && offset % 2 == 0 && offset + 2 <= skep_packet_len(p);
    return there ? skep_packet_data(p) + offset : NULL;
}

/* Takes from out of a sum and puts to in. size 0: to is the difference. -EINVAL: no such size, or a from with size 0. */
static int replace(uint8_t *at, uint64_t from, uint64_t to, uint64_t size)
{
    uint16_t old;
    memcpy(&old, at, sizeof(old));
    uint32_t sum = (uint16_t)~old;
    if (size == 0 && from == 0)
        sum = skep_csum_add(sum, (uint32_t)to);
    else if (size == 2)
        sum = skep_csum_add(skep_csum_add(sum, (uint16_t)~from), (uint16_t)to);
    else if (size == 4)
        sum = skep_csum_add(skep_csum_add(sum, ~(uint32_t)from), (uint32_t)to);
    else
        return -EINVAL;
    uint16_t new = (uint16_t)~skep_csum_fold(sum);
    memcpy(at, &new, sizeof(new));
    return 0;
}

SKEP_HELPER(skep_helper_l3_csum_replace)
{
    const struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    if (!p)
        return 0;
    if (r5 & ~(uint64_t)BPF_F_HDR_FIELD_MASK)
        return skep_helper_result(-EINVAL);
    uint8_t *at = sum_at(p, (uint32_t)r2);
    return skep_helper_result(at ? replace(at, r3, r4, r5) : -EFAULT);
}

SKEP_HELPER(skep_helper_l4_csum_replace)
{
    const uint64_t known = BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR |
                           BPF_F_HDR_FIELD_MASK | 1u << 7 /* BPF_F_IPV6 */;
    const struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    if (!p)
        return 0;
    if (r5 & ~known)
        return skep_helper_result(-EINVAL);
    uint8_t *at = sum_at(p, (uint32_t)r2);
    if (!at)
        return skep_helper_result(-EFAULT);
    /* 0 means that there is no sum: it stays none, and a sum does not become it */
    bool zero_is_none = r5 & BPF_F_MARK_MANGLED_0;
    if (zero_is_none && !(r5 & BPF_F_MARK_ENFORCE) && !at[0] && !at[1])
        return 0;
    int r = replace(at, r3, r4, r5 & BPF_F_HDR_FIELD_MASK);
    if (r == 0 && zero_is_none && !at[0] && !at[1])
        memset(at, 0xff, 2);
    return skep_helper_result(r);
}

/* Packets here have no sum of their whole from a card. */
SKEP_HELPER(skep_helper_csum_update)
{
    skep_packet_of(skep_exec_of(t), r1, true);
    return skep_helper_result(-SKEP_ENOTSUPP);
}
