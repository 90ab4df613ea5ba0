/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setns and unshare: on the life cycle ring, since they change what the process table says. Of pid namespaces the
 * event names the one that future children will be in; the process itself stays where it is.
 */
#include "bpf/lib/cred.h"
#include "bpf/lib/file.h"
#include "bpf/lib/syscall.h"
#include "bpf/lib/task.h"

static __always_inline void ns_fill(struct skep_namespaces *to, struct task_struct *t)
{
    struct nsproxy *ns = t->nsproxy;
    skep_fill_namespaces(to, t);
    if (ns && ns->pid_ns_for_children)
        to->pid = ns->pid_ns_for_children->ns.inum;
}

/* What kind of namespace a descriptor stands for; 0: for none. */
static __always_inline __u32 ns_type_of(struct task_struct *t, int fd)
{
    struct file *f = skep_file_of(t, fd);
    if (!f)
        return 0;
    struct inode *inode = SKEP_READ(struct file, f, f_inode);
    struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
    if (SKEP_READ(struct super_block, sb, s_magic) != SKEP_NSFS_MAGIC)
        return 0;
    struct ns_common *ns = SKEP_READ(struct inode, inode, i_private);
    return ns ? compat_ns_type(ns) : 0;
}

SEC("tp_btf/sys_exit")
int sys_ns(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    skep_cred_note(bpf_get_current_task_btf()); /* a new user namespace comes with all capabilities */
    if (call.kind == SKEP_KIND_setns) {
        struct skep_ev_setns *ev = skep_begin_life_call(&b, SKEP_KIND_setns, sizeof(*ev), &call);
        if (!ev)
            return 0;
        ev->flags = (__u32)skep_arg(&call, 1);
        if (!ev->flags) /* any kind will do */
            ev->flags = ns_type_of(call.task, (int)skep_arg(&call, 0));
        skep_fill_fd(&b, &ev->fd, call.task, (int)skep_arg(&call, 0));
        ns_fill(&ev->new_ns, call.task);
    } else {
        struct skep_ev_unshare *ev = skep_begin_life_call(&b, SKEP_KIND_unshare, sizeof(*ev), &call);
        if (!ev)
            return 0;
        ev->flags = (__u32)skep_arg(&call, 0);
        ns_fill(&ev->new_ns, call.task);
    }
    skep_submit(&b);
    return 0;
}
