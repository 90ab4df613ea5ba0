/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Descriptors: duplicated onto standard input, output or error; files in memory; pipes.
 */
#include "bpf/lib/file.h"
#include "bpf/lib/sock.h"
#include "bpf/lib/syscall.h"

#define FD_MEMFD_PREFIX 6 /* of "memfd:NAME" */

/* fcntl with another command, and a descriptor put onto itself, duplicate nothing. */
static __always_inline bool fd_is_dup(const struct skep_call *call, int old)
{
    if (call->ret < 0 || call->ret > 2 || call->ret == old)
        return false;
    if (call->form != SKEP_FORM_fcntl)
        return true;
    __u32 command = skep_arg(call, 1);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC;
}

SEC("tp_btf/sys_exit")
int sys_dup(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    struct skep_sock s;
    skep_call_init(&call, ctx);
    int old = skep_arg(&call, 0);
    if (!fd_is_dup(&call, old))
        return 0;
    struct skep_ev_dup *ev = skep_begin_call(&b, SKEP_KIND_dup, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->oldfd = old;
    ev->newfd = call.ret;
    skep_fill_fd(&b, &ev->fd, call.task, call.ret);
    skep_sock_of_fd(&s, call.task, call.ret);
    ev->family = s.family;
    ev->proto = s.proto;
    ev->local = s.local;
    ev->remote = s.remote;
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_memfd(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_memfd_create *ev = skep_begin_call(&b, SKEP_KIND_memfd_create, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->flags = skep_arg(&call, 1);
    struct file *f = call.ret >= 0 ? skep_file_of(call.task, call.ret) : NULL;
    struct dentry *d = f ? SKEP_READ(struct file, f, f_path.dentry) : NULL;
    struct inode *inode = d ? SKEP_READ(struct dentry, d, d_inode) : NULL;
    if (!inode || !skep_name_is_memfd(d)) {
        ev->name = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
    } else {
        struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
        ev->name = skep_put_kernel_str(&b, SKEP_READ(struct dentry, d, d_name.name) + FD_MEMFD_PREFIX);
        ev->inode = SKEP_READ(struct inode, inode, i_ino);
        ev->dev = SKEP_READ(struct super_block, sb, s_dev);
    }
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_pipe(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_pipe *ev = skep_begin_call(&b, SKEP_KIND_pipe, sizeof(*ev), &call);
    if (!ev)
        return 0;
    if (call.form == SKEP_FORM_fds_flags)
        ev->flags = skep_arg(&call, 1);
    ev->readfd = ev->writefd = -1;
    int fds[2];
    if (call.ret >= 0 && bpf_probe_read_user(fds, sizeof(fds), (void *)skep_arg(&call, 0)) < 0)
        skep_mark(&b, SKEP_HDR_FAULT);
    else if (call.ret >= 0) {
        struct file *f = skep_file_of(call.task, fds[0]);
        ev->readfd = fds[0];
        ev->writefd = fds[1];
        if (f && skep_file_kind(f) == SKEP_FD_PIPE) {
            struct inode *inode = SKEP_READ(struct file, f, f_inode);
            ev->inode = SKEP_READ(struct inode, inode, i_ino);
        }
    }
    return skep_hand_over(ctx, &b);
}
