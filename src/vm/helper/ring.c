/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helper/ring.h"

#define FLAGS (BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP)

struct skep_vm_map *skep_helper_ring(struct skep_exec *e, uint64_t handle)
{
    struct skep_vm_map *m = skep_exec_map(e, handle);
    if (m && m->type != BPF_MAP_TYPE_RINGBUF) {
        skep_helper_refuse(e, "not a ring buffer");
        m = NULL;
    }
    return m;
}

uint64_t skep_helper_ringbuf_output(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_helper_ring(e, r1);
    const void *data = m ? skep_exec_memory(e, r2, r3, false) : NULL;
    return data ? skep_helper_result(skep_ring_output(m, data, r3, r4)) : 0;
}

struct skep_ref *skep_helper_reserve(struct skep_exec *e, struct skep_vm_map *m, uint64_t size)
{
    unsigned i = 0;
    while (i < SKEP_REFS && e->refs[i].start)
        i++;
    if (i == SKEP_REFS || size > UINT32_MAX)
        return NULL;
    uint32_t offset;
    uint64_t start = skep_ring_reserve(m, size, &offset);
    if (!start)
        return NULL;
    e->refs[i] = (struct skep_ref){.start = start, .size = (uint32_t)size, .offset = offset, .map = m};
    e->n_refs++;
    return &e->refs[i];
}

void skep_helper_commit(struct skep_exec *e, struct skep_ref *ref, uint64_t flags, bool discard)
{
    const struct skep_ref record = *ref;
    *ref = (struct skep_ref){0};
    e->n_refs--;
    skep_ring_commit(record.map, record.offset, flags, discard);
}

uint64_t skep_helper_ringbuf_reserve(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_helper_ring(e, r1);
    if (!m || r3)
        return 0;
    const struct skep_ref *ref = skep_helper_reserve(e, m, r2);
    return ref ? ref->start : 0;
}

/* Those of dynptrs are committed through them. */
static uint64_t commit(struct skep_exec *e, uint64_t address, uint64_t flags, bool discard)
{
    for (unsigned i = 0; i < SKEP_REFS && address; i++) {
        if (e->refs[i].start != address)
            continue;
        skep_helper_commit(e, &e->refs[i], flags & FLAGS, discard);
        return 0;
    }
    skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, address, "not a record that the run has reserved");
    return 0;
}

uint64_t skep_helper_ringbuf_submit(SKEP_HELPER_ARGS)
{
    return commit(skep_exec_of(t), r1, r2, false);
}

uint64_t skep_helper_ringbuf_discard(SKEP_HELPER_ARGS)
{
    return commit(skep_exec_of(t), r1, r2, true);
}

uint64_t skep_helper_ringbuf_query(SKEP_HELPER_ARGS)
{
    const struct skep_vm_map *m = skep_helper_ring(skep_exec_of(t), r1);
    return m ? skep_ring_query(m, r2) : 0;
}
