/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071) and its updates (RFC 1624), with the flags of the kernel's helpers. */
#include "vm/helper/helpers.h"
#include "vm/packet.h"

#define OFFSET_MAX 0xffff
#define ENOTSUPP_KERNEL 524

static uint32_t add(uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;
    return sum + (sum < b);
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

static uint32_t partial(const uint8_t *p, size_t size, uint32_t sum)
{
    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t word;
        memcpy(&word, p + i, sizeof(word));
        sum = add(sum, word);
    }
    return sum;
}

uint64_t skep_helper_csum_diff(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t from_size = (uint32_t)r2, to_size = (uint32_t)r4;
    if ((from_size | to_size) & 3)
        return skep_helper_result(-EINVAL);
    const uint8_t *from = skep_exec_memory(e, r1, from_size, false);
    const uint8_t *to = from ? skep_exec_memory(e, r3, to_size, false) : NULL;
    if (!to)
        return 0;
    uint32_t sum = partial(to, to_size, (uint32_t)r5);
    if (from_size && to_size)
        sum = add(sum, ~partial(from, from_size, 0));
    else if (from_size)
        sum = ~partial(from, from_size, ~sum); /* there are two zeros: this is the kernel's */
    return fold(sum);
}

uint64_t skep_helper_csum_update(SKEP_HELPER_ARGS)
{
    /* as for every skb whose checksum the device has not computed */
    return skep_packet_of(skep_exec_of(t), r1, true) ? skep_helper_result(-ENOTSUPP_KERNEL) : 0;
}

/* The checksum at offset with from replaced by to (size 2 or 4), or with the difference to added (size 0). */
static uint16_t replaced(uint16_t sum, uint64_t from, uint64_t to, unsigned size)
{
    uint32_t plain = (uint16_t)~sum;
    if (size == 0)
        return (uint16_t)~fold(add(plain, (uint32_t)to));
    if (size == 2)
        return (uint16_t)~fold(plain + (uint16_t)~from + (uint16_t)to);
    return (uint16_t)~fold(add(add(plain, ~(uint32_t)from), (uint32_t)to));
}

static uint8_t *checksum_at(struct skep_vm_packet *p, uint32_t offset)
{
    if (offset > OFFSET_MAX || offset & 1 || skep_packet_len(p) < 2 || offset > skep_packet_len(p) - 2)
        return NULL;
    return p->data + offset;
}

uint64_t skep_helper_l3_csum_replace(SKEP_HELPER_ARGS)
{
    struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    const unsigned size = r5 & BPF_F_HDR_FIELD_MASK;
    if (!p)
        return 0;
    if (r5 & ~(uint64_t)BPF_F_HDR_FIELD_MASK)
        return skep_helper_result(-EINVAL);
    uint8_t *at = checksum_at(p, (uint32_t)r2);
    if (!at)
        return skep_helper_result(-EFAULT);
    if ((size != 0 && size != 2 && size != 4) || (size == 0 && r3))
        return skep_helper_result(-EINVAL);
    uint16_t sum;
    memcpy(&sum, at, sizeof(sum));
    sum = replaced(sum, r3, r4, size);
    memcpy(at, &sum, sizeof(sum));
    return 0;
}

uint64_t skep_helper_l4_csum_replace(SKEP_HELPER_ARGS)
{
    struct skep_vm_packet *p = skep_packet_of(skep_exec_of(t), r1, true);
    const unsigned size = r5 & BPF_F_HDR_FIELD_MASK;
    const uint64_t ipv6 = 1 << 7; /* BPF_F_IPV6, younger than some headers */
    const bool may_be_zero = r5 & BPF_F_MARK_MANGLED_0;
    if (!p)
        return 0;
    if (r5 & ~(uint64_t)(BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_HDR_FIELD_MASK |
                         ipv6))
        return skep_helper_result(-EINVAL);
    uint8_t *at = checksum_at(p, (uint32_t)r2);
    if (!at)
        return skep_helper_result(-EFAULT);
    uint16_t sum;
    memcpy(&sum, at, sizeof(sum));
    if (may_be_zero && !(r5 & BPF_F_MARK_ENFORCE) && !sum)
        return 0;
    if ((size != 0 && size != 2 && size != 4) || (size == 0 && r3))
        return skep_helper_result(-EINVAL);
    sum = replaced(sum, r3, r4, size);
    if (may_be_zero && !sum)
        sum = 0xffff;
    memcpy(at, &sum, sizeof(sum));
    return 0;
}
