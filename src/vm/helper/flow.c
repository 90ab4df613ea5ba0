/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "base/clock.h"
#include "vm/helper/helpers.h"

#define LOOPS_MAX (1u << 23)
/* A lock word that a program has broken is never free: nobody waits for it longer than this many turns, nor longer than
 * this where others take the processor at each of them. */
#define LOCK_SPINS 100
#define LOCK_YIELDS 20000
#define LOCK_NS_MAX 500000000ULL

uint64_t skep_helper_tail_call(SKEP_HELPER_ARGS)
{
    /* not reached: whoever runs programs does it himself */
    skep_exec_fault(skep_exec_of(t), SKEP_VM_FAULT_CALL, UINT32_MAX, 0,
                    "a tail call cannot be made like this");
    return 0;
}

uint64_t skep_helper_loop(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t n = (uint32_t)r1;
    if (r4)
        return skep_helper_result(-EINVAL);
    if (n > LOOPS_MAX)
        return skep_helper_result(-E2BIG);
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t args[5] = {i, r3};
        uint64_t stop = 0;
        if (!skep_exec_call(e, r2, args, &stop))
            return 0;
        if (stop)
            return (uint64_t)i + 1;
    }
    return n;
}

/* A record may be gone before the lock in it is given back. */
static bool in_record(const struct skep_exec *e, uint64_t address)
{
    for (unsigned i = 0; i < SKEP_REFS && e->n_refs; i++)
        if (e->refs[i].start && address - e->refs[i].start < e->refs[i].size)
            return true;
    return false;
}

uint64_t skep_helper_spin_lock(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    uint32_t *lock = skep_exec_memory(e, r1, sizeof(*lock), true);
    if (!lock)
        return 0;
    if (r1 & 3 || e->lock) {
        skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, r1,
                        r1 & 3 ? "a spin lock is not aligned" : "a spin lock is already held");
        return 0;
    }
    if (in_record(e, r1))
        return skep_helper_refuse(e, "a spin lock in a reserved record");
    uint64_t begin = 0;
    for (unsigned turn = 0; turn < LOCK_SPINS + LOCK_YIELDS; turn++) {
        uint32_t open = 0;
        if (__atomic_compare_exchange_n(lock, &open, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            e->lock = r1;
            return 0;
        }
        if (turn < LOCK_SPINS)
            continue;
        if (turn == LOCK_SPINS)
            begin = skep_clock_mono_ns();
        else if (skep_clock_mono_ns() - begin > LOCK_NS_MAX)
            break;
        sched_yield();
    }
    skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, r1, "a spin lock is never released");
    return 0;
}

uint64_t skep_helper_spin_unlock(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    if (!e->lock || e->lock != r1) {
        skep_exec_fault(e, SKEP_VM_FAULT_LOCK, UINT32_MAX, r1, "a spin lock that is not held is released");
        return 0;
    }
    __atomic_store_n((uint32_t *)(uintptr_t)r1, 0, __ATOMIC_RELEASE);
    e->lock = 0;
    return 0;
}
