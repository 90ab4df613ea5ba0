/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "vm/helpers.h"

#define LOOPS_MAX (1u << 23)
/* A lock that nobody gives back (a program may write anything into it) ends the run that waits for it. */
#define LOCK_TRIES (1u << 20)

SKEP_HELPER(skep_helper_loop)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t n = (uint32_t)r1;
    if (r4)
        return skep_helper_result(-EINVAL);
    if (n > LOOPS_MAX)
        return skep_helper_result(-E2BIG);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t args[5] = {i, r3, 0, 0, 0};
        uint64_t stop;
        if (!skep_exec_call(e, r2, args, &stop))
            return 0;
        if (stop)
            return i + 1;
    }
    return n;
}

static uint32_t *lock_at(struct skep_exec *e, uint64_t address)
{
    if (address % sizeof(uint32_t)) {
        skep_exec_fault(e, SKEP_VM_FAULT_ALIGN, UINT32_MAX, address, "a spin lock is not aligned");
        return NULL;
    }
    /* a record may be gone before the lock is */
    for (unsigned i = 0; i < SKEP_REFS && e->n_refs; i++)
        if (e->refs[i].start && address - e->refs[i].start < e->refs[i].size) {
            skep_helper_refuse(e, "a spin lock in a reserved record");
            return NULL;
        }
    return skep_exec_memory(e, address, sizeof(uint32_t), true);
}

SKEP_HELPER(skep_helper_spin_lock)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t *lock = lock_at(e, r1);
    if (!lock)
        return 0;
    if (e->lock) {
        skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, r1, "takes a spin lock while it holds one");
        return 0;
    }
    for (uint32_t tries = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); tries++) {
        if (tries == LOCK_TRIES) {
            skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, r1, "a spin lock does not become free");
            return 0;
        }
        if (tries % 64 == 63)
            sched_yield();
    }
    e->lock = r1;
    return 0;
}

SKEP_HELPER(skep_helper_spin_unlock)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t *lock = lock_at(e, r1);
    if (!lock)
        return 0;
    if (e->lock != r1) {
        skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, r1,
                        "gives back a spin lock that it does not hold");
        return 0;
    }
    e->lock = 0;
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
    return 0;
}
