/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helper/ring.h"

/*
 * Dynptrs: the 16 bytes of a struct bpf_dynptr in the program's memory hold a handle into the exec's table, and nothing
 * that could be forged into more. An entry for plain memory has no end that we would be told of: an old one is used
 * again when there is no free one, or when its 16 bytes get a new one.
 */
#define TAG 0x6470ULL
#define SIZE 16
#define MEMORY_MAX ((1u << 24) - 1)

static uint64_t handle_of(const struct skep_exec *e, const struct skep_dynptr *d)
{
    return SKEP_HANDLE(TAG, d->generation, (uint32_t)(d - e->dynptrs));
}

/* The entry behind the 16 bytes; NULL: a dynptr of nothing (all zero), or a fault. */
static struct skep_dynptr *find(struct skep_exec *e, uint64_t address)
{
    const void *bytes = skep_exec_memory(e, address, SIZE, false);
    if (!bytes)
        return NULL;
    uint64_t handle;
    memcpy(&handle, bytes, sizeof(handle));
    if (!handle)
        return NULL;
    uint32_t i = SKEP_HANDLE_ID(handle);
    if (i < SKEP_DYNPTRS && e->dynptrs[i].kind != SKEP_DYNPTR_NONE && handle_of(e, &e->dynptrs[i]) == handle)
        return &e->dynptrs[i];
    skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, address, "not a dynptr");
    return NULL;
}

static void drop(struct skep_exec *e, struct skep_dynptr *d)
{
    d->kind = SKEP_DYNPTR_NONE;
    e->n_dynptrs--;
}

/* A free entry. bytes: where its handle goes. */
static struct skep_dynptr *take(struct skep_exec *e, const void *bytes)
{
    uint64_t handle;
    memcpy(&handle, bytes, sizeof(handle));
    struct skep_dynptr *found = NULL, *oldest = NULL;
    for (unsigned i = 0; i < SKEP_DYNPTRS && !found; i++) {
        struct skep_dynptr *d = &e->dynptrs[i];
        bool local = d->kind == SKEP_DYNPTR_LOCAL;
        if (d->kind == SKEP_DYNPTR_NONE || (local && handle_of(e, d) == handle))
            found = d;
        else if (local && (!oldest || d->generation < oldest->generation))
            oldest = d;
    }
    found = found ? found : oldest;
    if (found && found->kind == SKEP_DYNPTR_NONE)
        e->n_dynptrs++;
    return found;
}

/* Writes a dynptr's 16 bytes; NULL: of nothing. */
static void put(const struct skep_exec *e, void *bytes, const struct skep_dynptr *d)
{
    const uint64_t words[2] = {d ? handle_of(e, d) : 0, 0};
    memcpy(bytes, words, sizeof(words));
}

uint64_t skep_helper_dynptr_from_mem(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t size = (uint32_t)r2;
    void *bytes = skep_exec_memory(e, r4, SIZE, true);
    if (!bytes)
        return 0;
    int r = size > MEMORY_MAX ? -E2BIG : r3 ? -EINVAL : 0;
    if (r == 0 && !skep_exec_memory(e, r1, size, true))
        return 0;
    struct skep_dynptr *d = r == 0 ? take(e, bytes) : NULL;
    if (r == 0 && !d)
        r = -ENOMEM;
    if (d)
        *d = (struct skep_dynptr){
            .generation = d->generation + 1, .kind = SKEP_DYNPTR_LOCAL, .start = r1, .size = size};
    put(e, bytes, d);
    return skep_helper_result(r);
}

uint64_t skep_helper_ringbuf_reserve_dynptr(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_helper_ring(e, r1);
    uint32_t size = (uint32_t)r2;
    void *bytes = m ? skep_exec_memory(e, r4, SIZE, true) : NULL;
    if (!bytes)
        return 0;
    int r = r3 ? -EINVAL : size > MEMORY_MAX ? -E2BIG : 0;
    struct skep_dynptr *d = r == 0 ? take(e, bytes) : NULL;
    const struct skep_ref *ref = d ? skep_helper_reserve(e, m, size) : NULL;
    if (ref) {
        *d = (struct skep_dynptr){.generation = d->generation + 1,
                                  .kind = SKEP_DYNPTR_RING,
                                  .start = ref->start,
                                  .size = size,
                                  .ref = (uint32_t)(ref - e->refs)};
    } else if (d) {
        drop(e, d);
        d = NULL;
        r = -EINVAL;
    } else if (r == 0) {
        r = -ENOMEM;
    }
    put(e, bytes, d);
    return skep_helper_result(r);
}

static uint64_t commit(struct skep_exec *e, uint64_t address, uint64_t flags, bool discard)
{
    void *bytes = skep_exec_memory(e, address, SIZE, true);
    struct skep_dynptr *d = bytes ? find(e, address) : NULL;
    if (!d)
        return 0;
    struct skep_ref *ref = d->kind == SKEP_DYNPTR_RING ? &e->refs[d->ref] : NULL;
    if (!ref || ref->start != d->start) {
        skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, address, "not a dynptr of a reserved record");
        return 0;
    }
    skep_helper_commit(e, ref, flags & (BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP), discard);
    drop(e, d);
    put(e, bytes, NULL);
    return 0;
}

uint64_t skep_helper_ringbuf_submit_dynptr(SKEP_HELPER_ARGS)
{
    return commit(skep_exec_of(t), r1, r2, false);
}

uint64_t skep_helper_ringbuf_discard_dynptr(SKEP_HELPER_ARGS)
{
    return commit(skep_exec_of(t), r1, r2, true);
}

static bool inside(const struct skep_dynptr *d, uint32_t offset, uint32_t size)
{
    return offset <= d->size && size <= d->size - offset;
}

/* What a dynptr views may have ended since: a record that was submitted by its address. */
static void *view(struct skep_exec *e, const struct skep_dynptr *d, uint32_t offset, uint32_t size,
                  bool write)
{
    return skep_exec_memory(e, d->start + d->offset + offset, size, write);
}

uint64_t skep_helper_dynptr_read(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t size = (uint32_t)r2, offset = (uint32_t)r4;
    void *to = skep_exec_memory(e, r1, size, true);
    const struct skep_dynptr *d = to ? find(e, r3) : NULL;
    if (e->fault)
        return 0;
    if (!d || r5)
        return skep_helper_result(-EINVAL);
    if (!inside(d, offset, size))
        return skep_helper_result(-E2BIG);
    const void *from = view(e, d, offset, size, false);
    if (from && size)
        memmove(to, from, size);
    return 0;
}

uint64_t skep_helper_dynptr_write(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t offset = (uint32_t)r2, size = (uint32_t)r4;
    const void *from = skep_exec_memory(e, r3, size, false);
    const struct skep_dynptr *d = from ? find(e, r1) : NULL;
    if (e->fault)
        return 0;
    if (!d || d->readonly)
        return skep_helper_result(-EINVAL);
    if (!inside(d, offset, size))
        return skep_helper_result(-E2BIG);
    if (r5)
        return skep_helper_result(-EINVAL);
    void *to = view(e, d, offset, size, true);
    if (to && size)
        memmove(to, from, size);
    return 0;
}

uint64_t skep_helper_dynptr_data(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const struct skep_dynptr *d = find(e, r1);
    uint32_t offset = (uint32_t)r2, size = (uint32_t)r3;
    return d && !d->readonly && inside(d, offset, size) ? d->start + d->offset + offset : 0;
}
