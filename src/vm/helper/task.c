/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "vm/helper/helpers.h"
#include "vm/map/map.h"

#define STACK_DEPTH 127

uint64_t skep_helper_get_prandom_u32(SKEP_HELPER_ARGS)
{
    const struct skep_vm_task *task = &skep_exec_of(t)->task;
    if (task->random)
        return task->random(task->data);
    uint32_t v = 0;
    if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v))
        v = (uint32_t)skep_helper_ktime_get_ns(0, 0, 0, 0, 0, t); /* before the machine has any entropy */
    return v;
}

uint64_t skep_helper_get_smp_processor_id(SKEP_HELPER_ARGS)
{
    return skep_exec_of(t)->cpu;
}

uint64_t skep_helper_get_numa_node_id(SKEP_HELPER_ARGS)
{
    return 0;
}

uint64_t skep_helper_get_current_pid_tgid(SKEP_HELPER_ARGS)
{
    const struct skep_vm_task *task = &skep_exec_of(t)->task;
    uint64_t pid = task->pid ? task->pid : (uint32_t)getpid();
    uint64_t tid = task->tid ? task->tid : task->pid ? task->pid : (uint32_t)syscall(SYS_gettid);
    return pid << 32 | tid;
}

uint64_t skep_helper_get_current_uid_gid(SKEP_HELPER_ARGS)
{
    const struct skep_vm_task *task = &skep_exec_of(t)->task;
    if (task->pid)
        return (uint64_t)task->gid << 32 | task->uid;
    return (uint64_t)getgid() << 32 | getuid();
}

uint64_t skep_helper_get_current_comm(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t size = (uint32_t)r2;
    char *to = skep_exec_memory(e, r1, size, true);
    if (!to)
        return 0;
    if (!size)
        return skep_helper_result(-EINVAL);
    char own[32] = {0};
    const char *comm = e->task.comm;
    if (!e->task.pid && !comm[0]) {
        FILE *f = fopen("/proc/thread-self/comm", "re");
        if (f && fgets(own, sizeof(own), f))
            own[strcspn(own, "\n")] = '\0';
        if (f)
            fclose(f);
        comm = own;
    }
    size_t n = MIN(strnlen(comm, 15), (size_t)size - 1);
    memcpy(to, comm, n);
    memset(to + n, 0, size - n);
    return 0;
}

uint64_t skep_helper_get_current_task(SKEP_HELPER_ARGS)
{
    return skep_exec_of(t)->task.task;
}

uint64_t skep_helper_get_current_task_btf(SKEP_HELPER_ARGS)
{
    return skep_exec_of(t)->task.task;
}

uint64_t skep_helper_get_current_cgroup_id(SKEP_HELPER_ARGS)
{
    return skep_exec_of(t)->task.cgroup_id;
}

uint64_t skep_helper_get_func_ip(SKEP_HELPER_ARGS)
{
    return 0;
}

uint64_t skep_helper_get_attach_cookie(SKEP_HELPER_ARGS)
{
    return 0;
}

/* The stack as the host tells it, without its first `skip` addresses; how many, or -errno. */
static int64_t take_stack(struct skep_exec *e, uint64_t flags, uint64_t addresses[STACK_DEPTH])
{
    const struct skep_vm_task *task = &e->task;
    const unsigned skip = flags & BPF_F_SKIP_FIELD_MASK;
    if (!task->stack)
        return -EOPNOTSUPP;
    int n = task->stack(task->data, addresses, STACK_DEPTH, flags & BPF_F_USER_STACK);
    if (n < 0)
        return n;
    n = MIN(n, STACK_DEPTH);
    if ((unsigned)n <= skip)
        return -EFAULT;
    memmove(addresses, addresses + skip, ((unsigned)n - skip) * sizeof(*addresses));
    return n - (int)skip;
}

uint64_t skep_helper_get_stackid(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    struct skep_vm_map *m = skep_exec_map(e, r2);
    uint64_t addresses[STACK_DEPTH];
    if (!m)
        return 0;
    if (m->type != BPF_MAP_TYPE_STACK_TRACE) {
        skep_exec_fault(e, SKEP_VM_FAULT_HANDLE, UINT32_MAX, 0, "get_stackid wants a map of stack traces");
        return 0;
    }
    if (r3 &
        ~(uint64_t)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID))
        return skep_helper_result(-EINVAL);
    int64_t n = take_stack(e, r3, addresses);
    return (uint64_t)(n < 0 ? n : skep_stack_trace_put(m, addresses, (size_t)n, r3));
}

uint64_t skep_helper_get_stack(SKEP_HELPER_ARGS)
{
    struct skep_exec *e = skep_exec_of(t);
    const uint32_t size = (uint32_t)r3;
    uint64_t addresses[STACK_DEPTH];
    uint8_t *to = skep_exec_memory(e, r2, size, true);
    if (!to)
        return 0;
    if (r4 & ~(uint64_t)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK) || size % sizeof(uint64_t))
        return skep_helper_result(-EINVAL);
    int64_t n = take_stack(e, r4, addresses);
    if (n < 0) {
        memset(to, 0, size);
        return (uint64_t)n;
    }
    size_t bytes = MIN((size_t)n * sizeof(uint64_t), (size_t)size);
    memcpy(to, addresses, bytes);
    memset(to + bytes, 0, size - bytes);
    return bytes;
}
