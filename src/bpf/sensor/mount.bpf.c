/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mount, umount and fsopen. (move_mount and pivot_root name two paths, see path.bpf.c.)
 */
#include "bpf/lib/note.h"

SEC("tp_btf/sys_exit")
int sys_mount(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_mount *ev = skep_begin_call(&b, SKEP_KIND_mount, sizeof(*ev), &call);
    if (!ev)
        return 0;
    __u64 a[6];
    skep_args(call.regs, call.compat, a);
    struct skep_named named;
    struct skep_slice raw = skep_put_user_str(&b, (void *)a[1]);
    if (!skep_note_put(&named, NULL, b.slot, SKEP_KIND_mount))
        skep_name_lexical(&named, b.slot, AT_FDCWD, raw.off, raw.len);
    ev->path = named.path;
    ev->raw_path = raw;
    ev->inode = named.inode;
    ev->dev = named.dev;
    ev->path_source = named.source;
    ev->flags = a[3];
    ev->source = skep_put_user_str(&b, (void *)a[0]);
    ev->fstype = skep_put_user_str(&b, (void *)a[2]);
    ev->options = skep_put_user_str(&b, (void *)a[4]);
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_umount(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_umount *ev = skep_begin_call(&b, SKEP_KIND_umount, sizeof(*ev), &call);
    if (!ev)
        return 0;
    struct skep_named named;
    struct skep_slice raw = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
    if (!skep_note_put(&named, NULL, b.slot, SKEP_KIND_umount))
        skep_name_lexical(&named, b.slot, AT_FDCWD, raw.off, raw.len);
    ev->path = named.path;
    ev->raw_path = raw;
    ev->inode = named.inode;
    ev->dev = named.dev;
    ev->path_source = named.source;
    if (call.form == SKEP_FORM_path_flags)
        ev->flags = skep_arg(&call, 1);
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_fsopen(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_fsopen *ev = skep_begin_call(&b, SKEP_KIND_fsopen, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->flags = skep_arg(&call, 1);
    struct file *f = call.ret >= 0 ? skep_file_of(call.task, call.ret) : NULL;
    struct fs_context *fc = f ? SKEP_READ(struct file, f, private_data) : NULL;
    struct file_system_type *type = fc ? SKEP_READ(struct fs_context, fc, fs_type) : NULL;
    if (type)
        ev->fstype = skep_put_kernel_str(&b, SKEP_READ(struct file_system_type, type, name));
    else
        ev->fstype = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
    return skep_hand_over(ctx, &b);
}
