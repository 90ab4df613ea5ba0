/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "vm/helpers.h"

#define NS_PER_SECOND 1000000000ULL
#define JIFFIES_PER_SECOND 250ULL

/* What the host says, or the system's clock. */
static uint64_t clock_ns(const struct skep_exec *e, clockid_t id)
{
    if (e->task.clock)
        return e->task.clock(e->task.data, id);
    struct timespec now;
    if (clock_gettime(id, &now) < 0)
        return 0;
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

SKEP_HELPER(skep_helper_ktime_get_ns)
{
    return clock_ns(skep_exec_of(t), CLOCK_MONOTONIC);
}

SKEP_HELPER(skep_helper_ktime_get_boot_ns)
{
    return clock_ns(skep_exec_of(t), CLOCK_BOOTTIME);
}

SKEP_HELPER(skep_helper_ktime_get_coarse_ns)
{
    return clock_ns(skep_exec_of(t), CLOCK_MONOTONIC_COARSE);
}

SKEP_HELPER(skep_helper_ktime_get_tai_ns)
{
    return clock_ns(skep_exec_of(t), CLOCK_TAI);
}

SKEP_HELPER(skep_helper_jiffies64)
{
    return clock_ns(skep_exec_of(t), CLOCK_MONOTONIC) / (NS_PER_SECOND / JIFFIES_PER_SECOND);
}
