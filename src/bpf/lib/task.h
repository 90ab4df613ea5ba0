/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_TASK_H
#define SKEP_BPF_LIB_TASK_H
/*
 * What a record says of a process as a whole (struct skep_task), and of another process that an event is
 * aimed at (struct skep_target).
 */
#include "bpf/lib/emit.h"

#define SKEP_PID_LEVELS 64 /* pid namespaces are nested less deep than this */

/* Number of a struct pid in its own pid namespace. */
static __always_inline __u32 skep_pid_inner(struct pid *pid)
{
    struct upid u = {0};
    if (!pid)
        return 0;
    __u64 level = SKEP_BOUND(pid->level, SKEP_PID_LEVELS);
    bpf_probe_read_kernel(&u, bpf_core_type_size(struct upid) < sizeof(u) ? 0 : sizeof(u.nr),
                          (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                              level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
    return u.nr;
}

/* The same in the initial namespace. */
static __always_inline __u32 skep_pid_outer(struct pid *pid)
{
    int nr = 0;
    if (pid)
        bpf_probe_read_kernel(&nr, sizeof(nr),
                              (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                                  bpf_core_field_offset(struct upid, nr));
    return nr;
}

static __always_inline __u32 skep_pid_ns(struct task_struct *t)
{
    /* nsproxy names the namespace of future children; the task's own one hangs on its struct pid */
    struct nsproxy *ns = t->nsproxy;
    return ns && ns->pid_ns_for_children ? ns->pid_ns_for_children->ns.inum : 0;
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
    to->ns_pid = skep_pid_inner(leader->thread_pid);
    to->loginuid = compat_loginuid(t);
    to->audit_session = compat_audit_session(t);
    to->suid = cred->suid.val;
    to->fsuid = cred->fsuid.val;
    to->permitted = compat_cred_permitted(cred);
    to->inheritable = compat_cred_inheritable(cred);
    skep_fill_namespaces(&to->ns, t);
    if (!signal)
        return;
    to->session = skep_pid_outer(signal->pids[PIDTYPE_SID]);
    to->pgid = skep_pid_outer(signal->pids[PIDTYPE_PGID]);
    struct tty_struct *tty = signal->tty;
    if (tty)
        bpf_probe_read_kernel_str(to->tty, sizeof(to->tty), &tty->name);
}

static __always_inline void skep_fill_target(struct skep_target *to, struct task_struct *t)
{
    skep_zero(to, sizeof(*to));
    if (!t)
        return;
    to->pid = t->tgid;
    to->uid = t->cred->uid.val;
    to->pad_start = t->group_leader->start_boottime;
    bpf_probe_read_kernel(to->comm, sizeof(to->comm), &t->comm);
}
#endif
