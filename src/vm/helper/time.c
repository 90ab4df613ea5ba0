/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "vm/helper/helpers.h"

#define NSEC_PER_JIFFY 4000000 /* CONFIG_HZ=250, as most kernels have it */

static uint64_t clock_ns(struct skep_vm_thread *t, int id)
{
    const struct skep_vm_task *task = &skep_exec_of(t)->task;
    if (task->clock)
        return task->clock(task->data, id);
    struct timespec ts = {0};
    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t skep_helper_ktime_get_ns(SKEP_HELPER_ARGS)
{
    return clock_ns(t, CLOCK_MONOTONIC);
}

uint64_t skep_helper_ktime_get_boot_ns(SKEP_HELPER_ARGS)
{
    return clock_ns(t, CLOCK_BOOTTIME);
}

uint64_t skep_helper_ktime_get_coarse_ns(SKEP_HELPER_ARGS)
{
    return clock_ns(t, CLOCK_MONOTONIC_COARSE);
}

uint64_t skep_helper_ktime_get_tai_ns(SKEP_HELPER_ARGS)
{
    return clock_ns(t, CLOCK_TAI);
}

uint64_t skep_helper_jiffies64(SKEP_HELPER_ARGS)
{
    return clock_ns(t, CLOCK_MONOTONIC_COARSE) / NSEC_PER_JIFFY;
}
