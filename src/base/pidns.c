/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pidns.h"

#include <sys/stat.h>
#include <unistd.h>

#define INITIAL 0xeffffffcU /* PROC_PID_INIT_INO, include/linux/proc_ns.h */

uint32_t skep_pidns_own(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

bool skep_pidns_is_initial(void)
{
    uint32_t own = skep_pidns_own();
    return own == INITIAL || own == 0;
}

uint32_t skep_pidns_self(void)
{
    return skep_pidns_is_initial() ? (uint32_t)getpid() : 0;
}
