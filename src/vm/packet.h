/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_VM_PACKET_H
#define SKEP_VM_PACKET_H
/*
 * A packet and the context that a program sees of it.
 *
 * The fields data, data_end and data_meta of struct xdp_md and struct __sk_buff have 32 bits. The kernel's verifier
 * rewrites loads of them; here the packet simply lies below 4 GiB, so that the fields are what they say.
 *
 *     guard page | headroom, data_meta .. data | data .. data_end | tailroom | guard page
 *
 * The pointers below are the truth; what stands in the context is a copy for the program, who may scribble over that of
 * an skb without harm: accesses are checked against the region data_meta .. data_end of the run. Whoever moves one of
 * the pointers during a run calls skep_packet_moved().
 */
#include <linux/bpf.h>

#include "vm/exec.h"

#define SKEP_PACKET_HEADROOM 256
#define SKEP_PACKET_TAILROOM 320
#define SKEP_PACKET_ETHER 14
#define SKEP_PACKET_FRAME 40 /* of the headroom of XDP: the kernel keeps a struct xdp_frame there */

struct skep_vm_packet {
    struct skep_vm *vm;
    void *mapping;
    size_t mapping_size;
    size_t max;
    uint8_t *start, *end; /* of the room */
    uint8_t *meta, *data, *data_end;
    uint8_t *network; /* skb: where the header behind Ethernet's is; it stays there when data moves */
    struct skep_vm_packet_fields fields;
    struct xdp_md xdp;
    struct __sk_buff skb;
    bool is_skb; /* of the run that goes on */
};

/* The packet of a run, of the right kind; or NULL after a fault. ctx: what the program passed as its context. */
struct skep_vm_packet *skep_packet_of(struct skep_exec *e, uint64_t ctx, bool skb);
/* After data_meta, data or data_end has changed. */
void skep_packet_moved(struct skep_exec *e, struct skep_vm_packet *p);
static inline size_t skep_packet_len(const struct skep_vm_packet *p)
{
    return (size_t)(p->data_end - p->data);
}
#endif
