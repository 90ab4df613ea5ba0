/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/packet.h"

#include <sys/mman.h>

#include "vm/program.h"

/* ---- life ---- */

int skep_vm_packet_new(struct skep_vm *vm, size_t max, struct skep_vm_packet **ret_packet)
{
    if (max < SKEP_PACKET_ETHERNET || max > SKEP_PACKET_MAX)
        return -EINVAL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t capacity = ROUND_UP(SKEP_PACKET_HEADROOM + max + SKEP_PACKET_TAILROOM, page);
    size_t total = capacity + 4 * page;
    struct skep_vm_packet *p = skep_vm_calloc(vm, 1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    uint8_t *map =
        mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0);
    *p = (struct skep_vm_packet){
        .vm = vm,
        .mapping = map == MAP_FAILED ? NULL : map,
        .mapping_size = total,
        .max = (uint32_t)max,
        .capacity = (uint32_t)capacity,
    };
    if (map == MAP_FAILED || mprotect(map + page, page, PROT_READ | PROT_WRITE) < 0 ||
        mprotect(map + 3 * page, capacity, PROT_READ | PROT_WRITE) < 0) {
        skep_vm_packet_free(p);
        return -ENOMEM;
    }
    p->context = map + page;
    p->buffer = map + 3 * page;
    skep_vm_packet_set(p, NULL, 0);
    *ret_packet = p;
    return 0;
}

struct skep_vm_packet *skep_vm_packet_free(struct skep_vm_packet *p)
{
    if (!p)
        return NULL;
    if (p->mapping)
        munmap(p->mapping, p->mapping_size);
    skep_vm_release(p->vm, p);
    return NULL;
}

/* ---- what the host sees ---- */

int skep_vm_packet_set(struct skep_vm_packet *p, const void *data, size_t len)
{
    if (len > p->max)
        return -E2BIG;
    memset(p->buffer, 0, p->capacity); /* nobody sees what was before */
    p->meta = p->data = SKEP_PACKET_HEADROOM;
    p->end = p->data + (uint32_t)len;
    if (len)
        memcpy(skep_packet_data(p), data, len);
    p->vlan_present = false;
    p->fields = (struct skep_vm_packet_fields){.size = sizeof(p->fields), .ifindex = 1};
    if (len >= SKEP_PACKET_ETHERNET) {
        uint16_t protocol;
        memcpy(&protocol, skep_packet_data(p) + 12, sizeof(protocol));
        p->fields.protocol = protocol;
    }
    return 0;
}

const void *skep_vm_packet_data(const struct skep_vm_packet *p, size_t *ret_len)
{
    *ret_len = skep_packet_len(p);
    return skep_packet_data(p);
}

void skep_vm_packet_get_fields(const struct skep_vm_packet *p, struct skep_vm_packet_fields *ret)
{
    size_t size = MIN(ret->size, sizeof(*ret));
    struct skep_vm_packet_fields f = p->fields;
    f.size = ret->size;
    memcpy(ret, &f, size);
}

void skep_vm_packet_set_fields(struct skep_vm_packet *p, const struct skep_vm_packet_fields *f)
{
    memcpy(&p->fields, f, MIN(f->size, sizeof(*f)));
    p->fields.size = sizeof(p->fields);
    p->vlan_present = p->fields.vlan_tci != 0;
    p->vlan_tci = (uint16_t)p->fields.vlan_tci;
    p->vlan_proto = __builtin_bswap16(0x8100);
}

/* ---- contexts ---- */

static uint32_t address_of(const struct skep_vm_packet *p, uint32_t offset)
{
    return (uint32_t)(uintptr_t)(p->buffer + offset);
}

static void put_xdp(struct skep_vm_packet *p)
{
    struct xdp_md *md = (struct xdp_md *)p->context;
    md->data = address_of(p, p->data);
    md->data_end = address_of(p, p->end);
    md->data_meta = address_of(p, p->meta);
    md->ingress_ifindex = p->fields.ifindex;
    md->rx_queue_index = p->fields.rx_queue;
    md->egress_ifindex = p->fields.egress_ifindex;
}

/* Of the fields that helpers change. */
static void put_skb_place(struct skep_vm_packet *p)
{
    struct __sk_buff *skb = (struct __sk_buff *)p->context;
    skb->len = skep_packet_len(p);
    skb->data = address_of(p, p->data);
    skb->data_end = address_of(p, p->end);
    skb->data_meta = address_of(p, p->meta);
    skb->protocol = p->fields.protocol;
    skb->hash = p->fields.hash;
    skb->vlan_present = p->vlan_present;
    skb->vlan_tci = p->vlan_present ? p->vlan_tci : 0;
    skb->vlan_proto = p->vlan_present ? p->vlan_proto : 0;
}

static void put_skb(struct skep_vm_packet *p)
{
    const struct skep_vm_packet_fields *f = &p->fields;
    struct __sk_buff *skb = (struct __sk_buff *)p->context;
    *skb = (struct __sk_buff){
        .mark = f->mark,
        .queue_mapping = f->rx_queue,
        .priority = f->priority,
        .ingress_ifindex = f->ifindex,
        .ifindex = f->egress_ifindex ? f->egress_ifindex : f->ifindex,
        .tc_index = f->tc_index,
        .tc_classid = f->tc_classid,
        .tstamp = f->tstamp,
        .wire_len = skep_packet_len(p),
    };
    memcpy(skb->cb, f->cb, sizeof(f->cb));
    put_skb_place(p);
}

/* What programs may have written. */
static void get_skb(struct skep_vm_packet *p)
{
    struct skep_vm_packet_fields *f = &p->fields;
    const struct __sk_buff *skb = (const struct __sk_buff *)p->context;
    f->mark = skb->mark;
    f->priority = skb->priority;
    f->tc_index = skb->tc_index;
    f->tc_classid = skb->tc_classid;
    f->tstamp = skb->tstamp;
    f->vlan_tci = p->vlan_present ? p->vlan_tci : 0;
    memcpy(f->cb, skb->cb, sizeof(f->cb));
}

/* The name of a field that the program changed though it may not, NULL: there is none. */
static const char *changed_field(const struct __sk_buff *before, const struct __sk_buff *after)
{
#define FIELD(name)                                                                                          \
    {                                                                                                        \
#name, offsetof(struct __sk_buff, name), sizeof(before->name)                                        \
    }
    static const struct {
        const char *name;
        size_t offset, size;
    } fields[] = {
        FIELD(len),
        FIELD(pkt_type),
        FIELD(protocol),
        FIELD(vlan_present),
        FIELD(vlan_tci),
        FIELD(vlan_proto),
        FIELD(hash),
        FIELD(data),
        FIELD(data_end),
        FIELD(data_meta),
        FIELD(ingress_ifindex),
        FIELD(ifindex),
        FIELD(napi_id),
        FIELD(family),
        FIELD(remote_ip4),
        FIELD(local_ip4),
        FIELD(remote_ip6),
        FIELD(local_ip6),
        FIELD(remote_port),
        FIELD(local_port),
        
        FIELD(gso_segs),
        FIELD(gso_size),
        FIELD(tstamp_type),
        FIELD(hwtstamp),
    };
#undef FIELD
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (memcmp((const uint8_t *)before + fields[i].offset, (const uint8_t *)after + fields[i].offset,
                   fields[i].size) != 0)
            return fields[i].name;
    return NULL;
}

void skep_packet_publish(struct skep_exec *e)
{
    struct skep_vm_packet *p = e->packet_object;
    if (p->skb)
        put_skb_place(p);
    else
        put_xdp(p);
    e->packet = (struct skep_region){(uintptr_t)(p->buffer + p->meta), p->end - p->meta, true, true};
    skep_exec_forget(e);
}

struct skep_vm_packet *skep_packet_of(struct skep_exec *e, uint64_t context, bool skb)
{
    struct skep_vm_packet *p = e->packet_object;
    if (p && p->skb == skb && context == (uintptr_t)p->context)
        return p;
    skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, 0,
                    skb ? "not the context of an skb program" : "not the context of an XDP program");
    return NULL;
}

/* ---- runs ---- */

static int fail(struct skep_exec *e, int error, enum skep_vm_fault fault, const char *text, const char *name)
{
    e->error = (struct skep_vm_error){.fault = fault, .error = error, .insn = UINT32_MAX};
    snprintf(e->error.message, sizeof(e->error.message), "%s%s", text, name);
    return error;
}

/* The program could write the fields that it may only read: they lie between those that it may write. Where the packet
 * is was never taken from them. */
static int check_context(struct skep_exec *e, struct skep_vm_packet *p)
{
    struct __sk_buff after = *(const struct __sk_buff *)p->context;
    uint32_t wire_len = after.wire_len;
    put_skb(p);
    struct __sk_buff *right = (struct __sk_buff *)p->context;
    right->wire_len = wire_len;
    const char *name = changed_field(right, &after);
    *right = after;
    if (!name)
        return 0;
    return fail(e, -EFAULT, SKEP_VM_FAULT_WRITE, "writes a field of its context that is read-only: ", name);
}

int skep_vm_run_packet(struct skep_vm_thread *t, const struct skep_vm_program *program,
                       struct skep_vm_packet *p, uint64_t *ret_value)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_context_type *type = program->context;
    if (e->running)
        return -EBUSY;
    if (program->vm != e->vm || p->vm != e->vm)
        return fail(e, -EINVAL, SKEP_VM_FAULT_HELPER, "program, packet and thread are of different vms", "");
    if (!type || !type->packet)
        return fail(e, -EINVAL, SKEP_VM_FAULT_HELPER, "the program wants no packet", "");
    p->skb = skep_streq(type->name, "skb");
    p->fields.redirect_ifindex = 0;
    p->fields.redirect_flags = 0;
    if (p->skb)
        put_skb(p);
    e->packet_object = p;
    skep_packet_publish(e);
    e->memory = (struct skep_region){(uintptr_t)p->context, type->memory, true, false};
    e->writable = (struct skep_region){e->memory.start + type->write_from, type->write_to - type->write_from,
                                       true, true};
    uint64_t value;
    int r = skep_exec_run(e, program, (uintptr_t)p->context, 0, &value);
    if (p->skb && r == 0)
        r = check_context(e, p);
    if (p->skb)
        get_skb(p);
    if (r == 0)
        *ret_value = value;
    return r;
}
