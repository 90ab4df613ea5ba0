/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_PACKET_H
#define SKEP_VM_PACKET_H
/*
 * A packet, and the context that programs see it through.
 *
 * Both lie below 4 GiB, each between guard pages: the fields data, data_end and data_meta of struct xdp_md and struct
 * __sk_buff are 32 bits wide, and here they simply hold addresses.
 *
 *     | guard | context | guard | headroom | packet ... | tailroom | guard |
 *                                   ^meta <= data <= end
 *
 * Offsets are of the buffer. Helpers that move or resize the packet change meta, data and end, and then call
 * skep_packet_publish(), which writes the context's fields and makes the run forget where the packet was.
 */
#include <linux/bpf.h>

#include "vm/exec.h"
#include "vm/vm.h"

#define SKEP_PACKET_HEADROOM 256
#define SKEP_PACKET_TAILROOM 512
#define SKEP_PACKET_ETHERNET 14 /* no packet gets shorter */
#define SKEP_PACKET_MAX (1u << 20)
/* What the kernel keeps at the start of the headroom of an XDP frame. */
#define SKEP_PACKET_FRAME 40

struct skep_vm_packet {
    struct skep_vm *vm;
    void *mapping;
    size_t mapping_size;
    uint8_t *context; /* struct xdp_md or struct __sk_buff */
    uint8_t *buffer;
    uint32_t max, capacity; /* of a packet that is set; of the buffer */
    uint32_t meta, data, end;
    bool skb;            /* what it is a context of, in a run */
    bool vlan_present;   /* skb: a tag beside the packet, */
    uint16_t vlan_tci;   /* host order */
    uint16_t vlan_proto; /* network order */
    struct skep_vm_packet_fields fields;
};

static inline uint32_t skep_packet_len(const struct skep_vm_packet *p)
{
    return p->end - p->data;
}

static inline uint8_t *skep_packet_data(const struct skep_vm_packet *p)
{
    return p->buffer + p->data;
}

/* Writes where the packet is into the context, and tells the run. */
void skep_packet_publish(struct skep_exec *e);

/* The packet of the run, if context is that of a program of that kind; else NULL after a fault. */
struct skep_vm_packet *skep_packet_of(struct skep_exec *e, uint64_t context, bool skb);
#endif
