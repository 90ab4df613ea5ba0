/* SPDX-License-Identifier: Apache-2.0 */
/* Reads that may fail: of what the run may read anyway, and of regions that the host has added. An address beyond them
 * gives -EFAULT, as in the kernel, also in trusted runs. */
#include "vm/helper/helpers.h"

#define SIZE_MAX_PROBED (1u << 24)

static uint64_t probe_read(struct skep_exec *e, uint64_t to, uint64_t size, uint64_t from)
{
    size = (uint32_t)size;
    if (size > SIZE_MAX_PROBED)
        return skep_helper_result(-E2BIG);
    void *dst = skep_exec_memory(e, to, size, true);
    if (!dst || !size)
        return 0;
    if (!skep_exec_check(e, from, size, false, NULL)) {
        memset(dst, 0, size);
        return skep_helper_result(-EFAULT);
    }
    memmove(dst, (const void *)(uintptr_t)from, size);
    return 0;
}

int64_t skep_probe_str(struct skep_exec *e, char *dst, uint64_t size, uint64_t address)
{
    const char *src = (const char *)(uintptr_t)address;
    bool whole = size && skep_exec_check(e, address, size, false, NULL);
    for (uint64_t i = 0; i < size; i++) {
        if (!whole && !skep_exec_check(e, address + i, 1, false, NULL))
            return -EFAULT;
        dst[i] = src[i];
        if (!dst[i])
            return (int64_t)i + 1;
    }
    if (size)
        dst[size - 1] = '\0';
    return (int64_t)size;
}

static uint64_t probe_read_str(struct skep_exec *e, uint64_t to, uint64_t size, uint64_t from)
{
    size = (uint32_t)size;
    if (size > SIZE_MAX_PROBED)
        return skep_helper_result(-E2BIG);
    char *dst = skep_exec_memory(e, to, size, true);
    if (!dst || !size)
        return 0;
    int64_t n = skep_probe_str(e, dst, size, from);
    if (n < 0)
        memset(dst, 0, size);
    return (uint64_t)n;
}

uint64_t skep_helper_probe_read(SKEP_HELPER_ARGS)
{
    return probe_read(skep_exec_of(t), r1, r2, r3);
}
uint64_t skep_helper_probe_read_user(SKEP_HELPER_ARGS)
{
    return probe_read(skep_exec_of(t), r1, r2, r3);
}
uint64_t skep_helper_probe_read_kernel(SKEP_HELPER_ARGS)
{
    return probe_read(skep_exec_of(t), r1, r2, r3);
}
uint64_t skep_helper_copy_from_user(SKEP_HELPER_ARGS)
{
    return probe_read(skep_exec_of(t), r1, r2, r3);
}
uint64_t skep_helper_probe_read_str(SKEP_HELPER_ARGS)
{
    return probe_read_str(skep_exec_of(t), r1, r2, r3);
}
uint64_t skep_helper_probe_read_user_str(SKEP_HELPER_ARGS)
{
    return probe_read_str(skep_exec_of(t), r1, r2, r3);
}
uint64_t skep_helper_probe_read_kernel_str(SKEP_HELPER_ARGS)
{
    return probe_read_str(skep_exec_of(t), r1, r2, r3);
}
