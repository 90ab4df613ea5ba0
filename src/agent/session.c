/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/session.h"

#include "base/clock.h"
#include "base/pidns.h"

#include <sys/stat.h>
#include <sys/utsname.h>

/* The host's namespaces are those of the first process; where a security policy hides it, those of the first
 * kernel thread, or our own. */
static skep_nsid namespace_of(const char *name)
{
    static const char *const of[] = {"1", "2", "self"};
    for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
        char path[64];
        struct stat st;
        snprintf(path, sizeof(path), "/proc/%s/ns/%s", of[i], name);
        if (stat(path, &st) == 0)
            return (skep_nsid)st.st_ino;
    }
    return 0;
}

void skep_session_read(struct skep_session *ret)
{
    struct utsname name;
    *ret = (struct skep_session){
        .boot_offset = skep_clock_boot_offset(), .begin = skep_clock_boot_ns(), .self = skep_pidns_self()};
    const struct {
        const char *name;
        skep_nsid *to;
    } spaces[] = {
        {"mnt", &ret->host_ns.mnt},       {"pid", &ret->host_ns.pid},   {"net", &ret->host_ns.net},
        {"user", &ret->host_ns.user},     {"uts", &ret->host_ns.uts},   {"ipc", &ret->host_ns.ipc},
        {"cgroup", &ret->host_ns.cgroup}, {"time", &ret->host_ns.time},
    };
    for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
        *spaces[i].to = namespace_of(spaces[i].name);
    if (uname(&name) == 0) {
        snprintf(ret->kernel, sizeof(ret->kernel), "%s", name.release);
        snprintf(ret->hostname, sizeof(ret->hostname), "%s", name.nodename);
    }
}
