/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vm/helpers.h"

SKEP_HELPER(skep_helper_get_prandom_u32)
{
    const struct skep_exec *e = skep_exec_of(t);
    if (e->task.random)
        return e->task.random(e->task.data);
    uint32_t n = 0;
    return getrandom(&n, sizeof(n), 0) == sizeof(n) ? n : 0;
}

SKEP_HELPER(skep_helper_get_smp_processor_id)
{
    return skep_exec_of(t)->cpu;
}

SKEP_HELPER(skep_helper_get_numa_node_id)
{
    return 0; /* all CPUs of a vm are on one node */
}

SKEP_HELPER(skep_helper_get_current_pid_tgid)
{
    const struct skep_vm_task *task = &skep_exec_of(t)->task;
    uint32_t pid = task->pid ? task->pid : (uint32_t)getpid();
    uint32_t tid = task->tid ? task->tid : task->pid ? task->pid : (uint32_t)syscall(SYS_gettid);
    return (uint64_t)pid << 32 | tid;
}

SKEP_HELPER(skep_helper_get_current_uid_gid)
{
    const struct skep_vm_task *task = &skep_exec_of(t)->task;
    uint32_t uid = task->uid ? task->uid : (uint32_t)getuid(),
             gid = task->gid ? task->gid : (uint32_t)getgid();
    return (uint64_t)gid << 32 | uid;
}

SKEP_HELPER(skep_helper_get_current_comm)
{
    struct skep_exec *e = skep_exec_of(t);
    size_t size = (uint32_t)r2;
    char comm[16] = {0};
    char *to = size ? skep_exec_memory(e, r1, size, true) : NULL;
    if (!to)
        return skep_helper_result(size ? 0 : -EINVAL);
    if (e->task.comm[0])
        memcpy(comm, e->task.comm, sizeof(comm));
    else
        prctl(PR_GET_NAME, comm);
    size_t n = MIN(strnlen(comm, sizeof(comm) - 1), size - 1);
    memset(to, 0, size);
    memcpy(to, comm, n);
    return 0;
}

SKEP_HELPER(skep_helper_get_current_task)
{
    return skep_exec_of(t)->task.task;
}

/* The id of the calling process' cgroup: the number of its directory. */
static uint64_t own_cgroup(void)
{
    static const char root[] = "/sys/fs/cgroup";
    char text[4096], path[sizeof(root) + sizeof(text)];
    _cleanup_close_ int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line)
        return 0;
    line += *line == '\n' ? 4 : 3;
    snprintf(path, sizeof(path), "%s%.*s", root, (int)strcspn(line, "\n"), line);
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

SKEP_HELPER(skep_helper_get_current_cgroup_id)
{
    const struct skep_exec *e = skep_exec_of(t);
    return e->task.cgroup_id ? e->task.cgroup_id : own_cgroup();
}

/* ---- stacks ---- */

#define DEPTH_MAX 127
#define SKIP_MAX BPF_F_SKIP_FIELD_MASK

/* The host's stack without the frames that flags want left out. Returns how many, or -errno. */
static int stack_of(struct skep_exec *e, uint64_t flags, uint64_t *ret_addresses, size_t max)
{
    uint64_t all[DEPTH_MAX + SKIP_MAX];
    size_t skip = flags & BPF_F_SKIP_FIELD_MASK;
    if (!e->task.stack)
        return -EFAULT;
    max = MIN(max, (size_t)DEPTH_MAX);
    int n = e->task.stack(e->task.data, all, max + skip, flags & BPF_F_USER_STACK);
    if (n < 0)
        return n;
    n = MIN(n, (int)(max + skip));
    if ((size_t)n <= skip)
        return -EFAULT;
    memcpy(ret_addresses, all + skip, ((size_t)n - skip) * sizeof(all[0]));
    return n - (int)skip;
}

SKEP_HELPER(skep_helper_get_stackid)
{
    const uint64_t known =
        BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID;
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r2);
    if (!m)
        return 0;
    if (m->type != BPF_MAP_TYPE_STACK_TRACE)
        return skep_helper_refuse(e, "not a map of stack traces");
    if (r3 & ~known)
        return skep_helper_result(-EINVAL);
    uint64_t addresses[DEPTH_MAX];
    int n = stack_of(e, r3, addresses, m->value_size / 8);
    return skep_helper_result(n < 0 ? n : skep_stack_trace_put(m, addresses, (size_t)n, r3));
}

SKEP_HELPER(skep_helper_get_stack)
{
    struct skep_exec *e = skep_exec_of(t);
    size_t size = (uint32_t)r3;
    void *to = skep_exec_memory(e, r2, size, true);
    if (!to)
        return 0;
    int64_t r = -EINVAL;
    uint64_t addresses[DEPTH_MAX];
    if (!(r4 & ~(uint64_t)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK)) && size % 8 == 0)
        r = stack_of(e, r4, addresses, size / 8);
    size_t used = r > 0 ? (size_t)r * 8 : 0;
    if (used)
        memcpy(to, addresses, used);
    if (size > used)
        memset((uint8_t *)to + used, 0, size - used);
    return skep_helper_result(r < 0 ? r : (int64_t)used);
}
