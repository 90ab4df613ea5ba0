/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_TASK_H
#define SKEP_BPF_LIB_TASK_H
/*
 * What a record says of a process as a whole (struct skep_task), and of another process that an event is
 * aimed at (struct skep_target).
 */
#include "bpf/lib/emit.h"

/* A struct pid has one number for each pid namespace, from the initial one (level 0) to its own. It is given as
 * an address: the verifier of older kernels (before 6.3) does not let a typed pointer be moved by an amount that
 * it does not know. */
static __always_inline __u64 skep_pid_entry(__u64 pid, __u32 level)
{
    return pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
}

static __always_inline __u32 skep_pid_level(__u64 pid)
{
    return pid ? BPF_CORE_READ((struct pid *)pid, level) : 0;
}

static __always_inline __u32 skep_pid_number(__u64 pid, __u32 level)
{
    int nr = 0;
    if (pid)
        bpf_probe_read_kernel(&nr, sizeof(nr),
                              (void *)(skep_pid_entry(pid, level) + bpf_core_field_offset(struct upid, nr)));
    return nr;
}

static __always_inline __u64 skep_pid_ns_at(__u64 pid, __u32 level)
{
    __u64 ns = 0;
    if (pid)
        bpf_probe_read_kernel(&ns, sizeof(ns),
                              (void *)(skep_pid_entry(pid, level) + bpf_core_field_offset(struct upid, ns)));
    return ns;
}

/* In its own pid namespace. */
static __always_inline __u32 skep_pid_inner(__u64 pid)
{
    return skep_pid_number(pid, skep_pid_level(pid));
}

/* In the namespace of another pid; 0: it is not seen from there. */
static __always_inline __u32 skep_pid_seen_by(__u64 pid, __u64 viewer)
{
    __u32 level = skep_pid_level(viewer);
    if (level > skep_pid_level(pid) || skep_pid_ns_at(pid, level) != skep_pid_ns_at(viewer, level))
        return 0;
    return skep_pid_number(pid, level);
}

/* In the initial one. */
static __always_inline __u32 skep_pid_outer(__u64 pid)
{
    return skep_pid_number(pid, 0);
}

/* The task's own pid namespace; nsproxy names that of its future children. */
static __always_inline struct pid_namespace *skep_pid_ns_of(struct task_struct *t)
{
    __u64 pid = (__u64)BPF_CORE_READ(t, thread_pid);
    return (void *)skep_pid_ns_at(pid, skep_pid_level(pid));
}

static __always_inline __u32 skep_pid_ns(struct task_struct *t)
{
    struct pid_namespace *ns = skep_pid_ns_of(t);
    return ns ? BPF_CORE_READ(ns, ns.inum) : 0;
}

/* When the first process of the task's pid namespace was created. */
static __always_inline __u64 skep_pid_ns_start(struct task_struct *t)
{
    struct pid_namespace *ns = skep_pid_ns_of(t);
    struct task_struct *first = ns ? BPF_CORE_READ(ns, child_reaper) : NULL;
    return first ? BPF_CORE_READ(first, start_boottime) : 0;
}

/* A device number as stat(2) and /proc/PID/stat encode it. */
static __always_inline __u32 skep_tty_number(struct tty_struct *tty)
{
    __u32 major = BPF_CORE_READ(tty, driver, major);
    __u32 minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
    return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

static __always_inline void skep_fill_namespaces(struct skep_namespaces *to, struct task_struct *t)
{
    struct nsproxy *ns = t->nsproxy;
    skep_zero(to, sizeof(*to));
    to->user = t->cred->user_ns->ns.inum;
    if (!ns) /* already exiting */
        return;
    to->mnt = ns->mnt_ns->ns.inum;
    to->pid = skep_pid_ns(t);
    to->net = ns->net_ns->ns.inum;
    to->uts = ns->uts_ns->ns.inum;
    to->ipc = ns->ipc_ns->ns.inum;
    to->cgroup = ns->cgroup_ns->ns.inum;
    to->time = compat_time_ns(ns);
}

static __always_inline void skep_fill_task(struct skep_task *to, struct task_struct *t)
{
    struct task_struct *leader = t->group_leader;
    struct task_struct *parent = leader->real_parent;
    const struct cred *cred = t->cred;
    struct signal_struct *signal = t->signal;
    skep_zero(to, sizeof(*to));
    if (parent) {
        to->parent_pid = parent->tgid;
        to->parent_start = parent->group_leader->start_boottime;
    }
    __u64 own = (__u64)BPF_CORE_READ(leader, thread_pid);
    to->ns_pid = skep_pid_inner(own);
    to->pid_ns_start = skep_pid_ns_start(t);
    to->loginuid = compat_loginuid(t);
    to->audit_session = compat_audit_session(t);
    to->suid = cred->suid.val;
    to->fsuid = cred->fsuid.val;
    to->permitted = compat_cred_permitted(cred);
    to->inheritable = compat_cred_inheritable(cred);
    skep_fill_namespaces(&to->ns, t);
    if (!signal)
        return;
    __u64 session = (__u64)BPF_CORE_READ(signal, pids[PIDTYPE_SID]);
    __u64 group = (__u64)BPF_CORE_READ(signal, pids[PIDTYPE_PGID]);
    to->session = skep_pid_outer(session);
    to->pgid = skep_pid_outer(group);
    to->ns_session = skep_pid_seen_by(session, own);
    to->ns_pgid = skep_pid_seen_by(group, own);
    struct tty_struct *tty = signal->tty;
    if (tty) {
        to->tty_nr = skep_tty_number(tty);
        bpf_probe_read_kernel_str(to->tty, sizeof(to->tty), &tty->name);
    }
}

/* t may be an address only. */
static __always_inline void skep_fill_target(struct skep_target *to, __u64 t, struct task_struct *caller)
{
    const struct cred *cred = SKEP_READ(struct task_struct, t, cred);
    struct task_struct *leader = SKEP_READ(struct task_struct, t, group_leader);
    skep_zero(to, sizeof(*to));
    to->pid = SKEP_READ(struct task_struct, t, tgid);
    to->uid = SKEP_READ(struct cred, cred, uid.val);
    to->ns_pid = skep_pid_seen_by((__u64)SKEP_READ(struct task_struct, t, thread_pid),
                                  (__u64)SKEP_READ(struct task_struct, caller, thread_pid));
    to->pad_start = SKEP_READ(struct task_struct, leader, start_boottime);
    bpf_probe_read_kernel(to->comm, sizeof(to->comm),
                          (void *)t + bpf_core_field_offset(struct task_struct, comm));
}

/* The task that the caller names by number. Where the kernel does not look it up for us, or it is gone, the
 * number is all there is to tell. */
static __always_inline void skep_find_target(struct skep_target *to, int number, struct task_struct *caller)
{
    bool initial = skep_pid_level((__u64)BPF_CORE_READ(caller, thread_pid)) == 0;
    struct task_struct *t = NULL;
    skep_zero(to, sizeof(*to));
    to->pid = initial ? number : 0;
    to->ns_pid = number;
    to->uid = (__u32)-1;
    if (skep_has_task_from_vpid)
        t = bpf_task_from_vpid(number);
    else if (skep_has_task_from_pid && initial)
        t = bpf_task_from_pid(number);
    if (!t)
        return;
    skep_fill_target(to, (__u64)t, caller);
    bpf_task_release(t);
}
#endif
