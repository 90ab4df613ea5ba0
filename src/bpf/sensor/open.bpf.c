/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open, openat, openat2, creat and open_by_handle_at. What was opened is read from the file that the returned
 * descriptor refers to. A call that failed has no such file: its path is the name given, joined to the directory
 * it starts from.
 */
#include "bpf/lib/lexical.h"
#include "bpf/lib/syscall.h"

#define O_CREAT_WRONLY_TRUNC 01101

struct open_how_user {
    __u64 flags;
    __u64 mode;
    __u64 resolve;
};

static __always_inline void open_fill_args(struct skep_ev_open *ev, const struct skep_call *call,
                                           __u64 *ret_name)
{
    struct open_how_user how = {0};
    ev->dirfd = AT_FDCWD;
    switch (call->form) {
    case SKEP_FORM_open:
        *ret_name = skep_arg(call, 0);
        ev->flags = skep_arg(call, 1);
        ev->mode = skep_arg(call, 2);
        return;
    case SKEP_FORM_creat:
        *ret_name = skep_arg(call, 0);
        ev->flags = O_CREAT_WRONLY_TRUNC;
        ev->mode = skep_arg(call, 1);
        return;
    case SKEP_FORM_open_handle:
        ev->dirfd = (int)skep_arg(call, 0);
        ev->flags = skep_arg(call, 2);
        return;
    case SKEP_FORM_openat2:
        bpf_probe_read_user(&how, sizeof(how), (void *)skep_arg(call, 2));
        ev->flags = how.flags;
        ev->mode = how.mode;
        break;
    default:
        ev->flags = skep_arg(call, 2);
        ev->mode = skep_arg(call, 3);
    }
    ev->dirfd = (int)skep_arg(call, 0);
    *ret_name = skep_arg(call, 1);
}

SEC("tp_btf/sys_exit")
int sys_open(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_open *ev = skep_begin_call(&b, SKEP_KIND_open, sizeof(*ev), &call);
    if (!ev)
        return 0;
    __u64 name = 0;
    open_fill_args(ev, &call, &name);
    ev->raw_path = skep_put_user_str(&b, (void *)name);

    struct file *f = call.ret >= 0 ? skep_file_of(call.task, call.ret) : NULL;
    if (f) {
        struct inode *inode = SKEP_READ(struct file, f, f_inode);
        struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
        ev->path = skep_put_file_path(&b, f, call.task->fs);
        ev->path_source = SKEP_PATH_OBJECT;
        ev->inode = SKEP_READ(struct inode, inode, i_ino);
        ev->dev = SKEP_READ(struct super_block, sb, s_dev);
        ev->created = !!(SKEP_READ(struct file, f, f_mode) & FMODE_CREATED);
    } else {
        struct skep_slice raw = ev->raw_path;
        struct skep_named named;
        skep_name_lexical(&named, b.slot, ev->dirfd, raw.off, raw.len);
        ev->path = named.path;
        ev->path_source = named.source;
    }
    return skep_hand_over(ctx, &b);
}
