/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open, openat, openat2, creat and open_by_handle_at. What was opened is read from the file that the returned
 * descriptor refers to. A call that failed has no such file: its path is the name given, joined to the directory
 * it starts from.
 */
#include "bpf/lib/open.h"
#include "bpf/lib/lexical.h"

SEC("tp_btf/sys_exit")
int sys_open(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_open_call o;
    skep_open_decode(&o, &call);
    struct skep_ev_open *ev =
        skep_begin_call_unless(&b, skep_open_unwanted(&o), SKEP_KIND_open, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->flags = o.flags;
    ev->mode = skep_open_mode(&o);
    ev->dirfd = o.dirfd;
    b.s->late = skep_open_late(b.s, &call);
    if (b.s->late == SKEP_LATE_NO)
        ev->raw_path = skep_put_user_str(&b, (void *)o.name);

    struct file *f = call.ret >= 0 ? skep_file_of(call.task, call.ret) : NULL;
    if (f) {
        struct inode *inode = SKEP_READ(struct file, f, f_inode);
        struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
        ev->path = skep_far_file_path(&b, f, call.task->fs);
        ev->path_source = SKEP_PATH_OBJECT;
        ev->inode = SKEP_READ(struct inode, inode, i_ino);
        ev->dev = SKEP_READ(struct super_block, sb, s_dev);
        ev->created = !!(SKEP_READ(struct file, f, f_mode) & FMODE_CREATED);
    } else {
        struct skep_slice raw = ev->raw_path;
        struct skep_named named;
        skep_name_lexical(&named, b.slot, ev->dirfd, raw.off, raw.len | o.below);
        ev->path = named.path;
        ev->path_source = named.source;
    }
    skep_ask_filter(ctx, &b);
    skep_open_finish(&b, o.name);
    skep_end(&b, call.task);
    return 0;
}
