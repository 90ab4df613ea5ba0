/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/session.h"

#include "base/clock.h"

#include <sys/stat.h>
#include <sys/utsname.h>

void skep_session_read(struct skep_session *ret)
{
    struct utsname name;
    *ret = (struct skep_session){.boot_offset = skep_clock_boot_offset()};
    const struct {
        const char *path;
        skep_nsid *to;
    } spaces[] = {
        {"/proc/1/ns/mnt", &ret->host_ns.mnt},       {"/proc/1/ns/pid", &ret->host_ns.pid},
        {"/proc/1/ns/net", &ret->host_ns.net},       {"/proc/1/ns/user", &ret->host_ns.user},
        {"/proc/1/ns/uts", &ret->host_ns.uts},       {"/proc/1/ns/ipc", &ret->host_ns.ipc},
        {"/proc/1/ns/cgroup", &ret->host_ns.cgroup}, {"/proc/1/ns/time", &ret->host_ns.time},
    };
    for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
        struct stat st;
        if (stat(spaces[i].path, &st) == 0)
            *spaces[i].to = (skep_nsid)st.st_ino;
    }
    if (uname(&name) == 0) {
        snprintf(ret->kernel, sizeof(ret->kernel), "%s", name.release);
        snprintf(ret->hostname, sizeof(ret->hostname), "%s", name.nodename);
    }
}
