/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/helpers.h"

/*
 * Reading from addresses that may be wrong. Here it is the regions of the run that are asked, in trusted programs too:
 * these helpers exist for addresses that nobody has proved.
 */

bool skep_helper_probe(struct skep_exec *e, void *to, uint64_t address, size_t size)
{
    if (!skep_exec_check(e, address, size, false, NULL))
        return false;
    if (size)
        memcpy(to, (const void *)(uintptr_t)address, size);
    return true;
}

int64_t skep_helper_probe_string(struct skep_exec *e, char *to, uint64_t address, size_t size)
{
    const size_t piece = 64;
    for (size_t n = 0; n < size;) {
        /* as much as the region has */
        size_t wanted = MIN(piece, size - n);
        while (wanted && !skep_exec_check(e, address + n, wanted, false, NULL))
            wanted /= 2;
        if (!wanted)
            return -EFAULT;
        const char *from = (const char *)(uintptr_t)(address + n);
        for (size_t end = n + wanted; n < end; n++) {
            to[n] = *from++;
            if (!to[n])
                return (int64_t)n + 1;
        }
    }
    if (size)
        to[size - 1] = '\0';
    return (int64_t)size;
}

SKEP_HELPER(skep_helper_probe_read)
{
    struct skep_exec *e = skep_exec_of(t);
    size_t size = (uint32_t)r2;
    void *to = skep_exec_memory(e, r1, size, true);
    if (!to || size == 0)
        return 0;
    if (!skep_exec_check(e, r3, size, false, NULL)) {
        memset(to, 0, size);
        return skep_helper_result(-EFAULT);
    }
    memmove(to, (const void *)(uintptr_t)r3, size);
    return 0;
}

SKEP_HELPER(skep_helper_probe_read_str)
{
    struct skep_exec *e = skep_exec_of(t);
    size_t size = (uint32_t)r2;
    char *to = skep_exec_memory(e, r1, size, true);
    if (!to || size == 0)
        return 0;
    int64_t n = skep_helper_probe_string(e, to, r3, size);
    if (n < 0)
        memset(to, 0, size);
    return skep_helper_result(n);
}
