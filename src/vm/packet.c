/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/packet.h"

#include <arpa/inet.h>
#include <sys/mman.h>

#include "vm/program.h"
#include "vm/vm.h"

#define LOOPBACK 1

struct skep_vm_packet *skep_vm_packet_free(struct skep_vm_packet *p)
{
    if (p) {
        if (p->mapping)
            munmap(p->mapping, p->mapping_size);
        skep_vm_release(p->vm, p);
    }
    return NULL;
}

int skep_vm_packet_new(struct skep_vm *vm, size_t max, struct skep_vm_packet **ret_packet)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (max == 0 || max > 1u << 30)
        return -EINVAL;
    struct skep_vm_packet *p = skep_vm_calloc(vm, 1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->vm = vm;
    p->max = max;
    size_t room = ROUND_UP(SKEP_PACKET_HEADROOM + max + SKEP_PACKET_TAILROOM, page);
    void *mapping = mmap(NULL, room + 2 * page, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0);
    if (mapping == MAP_FAILED) {
        skep_vm_packet_free(p);
        return -ENOMEM;
    }
    p->mapping = mapping;
    p->mapping_size = room + 2 * page;
    p->start = (uint8_t *)mapping + page;
    /* an access beyond the room hits the guard, so the room ends where the pages do */
    p->end = p->start + room;
    if (mprotect(p->start, room, PROT_READ | PROT_WRITE) < 0) {
        skep_vm_packet_free(p);
        return -ENOMEM;
    }
    skep_vm_packet_set(p, NULL, 0);
    *ret_packet = p;
    return 0;
}

int skep_vm_packet_set(struct skep_vm_packet *p, const void *data, size_t len)
{
    if (len > p->max)
        return -E2BIG;
    p->meta = p->data = p->start + SKEP_PACKET_HEADROOM;
    memset(p->start, 0, SKEP_PACKET_HEADROOM); /* nobody sees what another run left there */
    p->data_end = p->data + len;
    if (len)
        memcpy(p->data, data, len);
    p->fields = (struct skep_vm_packet_fields){.size = sizeof(p->fields), .ifindex = LOOPBACK};
    if (len >= SKEP_PACKET_ETHER) {
        uint16_t protocol;
        memcpy(&protocol, p->data + 12, sizeof(protocol));
        p->fields.protocol = protocol;
    }
    return 0;
}

const void *skep_vm_packet_data(const struct skep_vm_packet *p, size_t *ret_len)
{
    *ret_len = skep_packet_len(p);
    return p->data;
}

void skep_vm_packet_get_fields(const struct skep_vm_packet *p, struct skep_vm_packet_fields *ret)
{
    size_t size = MIN(ret->size, sizeof(*ret));
    memcpy((char *)ret + sizeof(size_t), (const char *)&p->fields + sizeof(size_t),
           size - MIN(size, sizeof(size_t)));
}

void skep_vm_packet_set_fields(struct skep_vm_packet *p, const struct skep_vm_packet_fields *f)
{
    memcpy(&p->fields, f, MIN(f->size, sizeof(*f)));
    p->fields.size = sizeof(p->fields);
}

/* ---- contexts ---- */

static uint32_t low(const void *address)
{
    return (uint32_t)(uintptr_t)address;
}

static void place(struct skep_vm_packet *p)
{
    if (p->is_skb) {
        p->skb.len = (uint32_t)skep_packet_len(p);
        p->skb.data = low(p->data);
        p->skb.data_end = low(p->data_end);
        p->skb.data_meta = low(p->meta);
    } else {
        p->xdp.data = low(p->data);
        p->xdp.data_end = low(p->data_end);
        p->xdp.data_meta = low(p->meta);
    }
}

static void fill_skb(struct skep_vm_packet *p)
{
    const struct skep_vm_packet_fields *f = &p->fields;
    p->skb = (struct __sk_buff){
        .mark = f->mark,
        .queue_mapping = f->rx_queue,
        .protocol = f->protocol,
        .vlan_present = f->vlan_tci != 0,
        .vlan_tci = f->vlan_tci,
        .vlan_proto = f->vlan_tci ? htons(0x8100) : 0,
        .priority = f->priority,
        .ingress_ifindex = f->ifindex,
        .ifindex = f->egress_ifindex ? f->egress_ifindex : f->ifindex,
        .tc_index = f->tc_index,
        .hash = f->hash,
        .tc_classid = f->tc_classid,
        .tstamp = f->tstamp,
        .wire_len = (uint32_t)skep_packet_len(p),
        .gso_segs = 1,
    };
    memcpy(p->skb.cb, f->cb, sizeof(p->skb.cb));
}

/* What the program has written into its context, and may. */
static void take_skb(struct skep_vm_packet *p)
{
    struct skep_vm_packet_fields *f = &p->fields;
    f->mark = p->skb.mark;
    f->rx_queue = p->skb.queue_mapping;
    f->protocol = p->skb.protocol;
    f->vlan_tci = p->skb.vlan_present ? p->skb.vlan_tci : 0;
    f->priority = p->skb.priority;
    f->tc_index = p->skb.tc_index;
    f->hash = p->skb.hash;
    f->tc_classid = p->skb.tc_classid;
    f->tstamp = p->skb.tstamp;
    memcpy(f->cb, p->skb.cb, sizeof(f->cb));
}

static void set_region(struct skep_exec *e, const struct skep_vm_packet *p)
{
    e->packet = (struct skep_region){(uintptr_t)p->meta, (uint64_t)(p->data_end - p->meta), true, true};
}

void skep_packet_moved(struct skep_exec *e, struct skep_vm_packet *p)
{
    place(p);
    set_region(e, p);
    skep_exec_forget(e);
}

struct skep_vm_packet *skep_packet_of(struct skep_exec *e, uint64_t ctx, bool skb)
{
    struct skep_vm_packet *p = e->packet_object;
    if (p && p->is_skb == skb && ctx == (skb ? (uintptr_t)&p->skb : (uintptr_t)&p->xdp))
        return p;
    skep_exec_fault(e, SKEP_VM_FAULT_HELPER, UINT32_MAX, 0,
                    skb ? "the helper wants the context of an skb program"
                        : "the helper wants the context of an XDP program");
    return NULL;
}

int skep_vm_run_packet(struct skep_vm_thread *t, const struct skep_vm_program *program,
                       struct skep_vm_packet *p, uint64_t *ret_value)
{
    struct skep_exec *e = skep_exec_of(t);
    if (e->running)
        return -EBUSY;
    if (!program->context || !program->context->packet || program->vm != e->vm || p->vm != e->vm) {
        e->error = (struct skep_vm_error){.fault = SKEP_VM_FAULT_HELPER,
                                          .error = -EINVAL,
                                          .insn = UINT32_MAX,
                                          .message = "the program wants no packet"};
        return -EINVAL;
    }
    const struct skep_context_type *type = program->context;
    p->is_skb = type->memory != sizeof(p->xdp);
    p->fields.redirect_ifindex = 0;
    p->fields.redirect_flags = 0;
    void *ctx = &p->xdp;
    if (p->is_skb) {
        p->network = p->data + SKEP_PACKET_ETHER;
        fill_skb(p);
        ctx = &p->skb;
    } else {
        p->xdp.ingress_ifindex = p->fields.ifindex;
        p->xdp.rx_queue_index = p->fields.rx_queue;
        p->xdp.egress_ifindex = p->fields.egress_ifindex;
    }
    place(p);
    set_region(e, p);
    e->memory = (struct skep_region){(uintptr_t)ctx, type->memory, true, false};
    e->writable = (struct skep_region){(uintptr_t)ctx + type->write_from, type->write_to - type->write_from,
                                       true, true};
    e->packet_object = p;
    int r = skep_exec_run(e, program, (uintptr_t)ctx, 0, ret_value);
    if (p->is_skb)
        take_skb(p);
    return r;
}
