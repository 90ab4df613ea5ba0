/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hooks inside the calls that name paths: what the kernel found is noted for the handler of the call, see
 * lib/note.h. The functions are those that ask the security modules; they are there whether or not one listens,
 * and see every path after it was looked up and before anything happened to it.
 *
 * They need CONFIG_SECURITY_PATH and fentry programs. Where one of them cannot be loaded, its calls go without
 * notes.
 */
#include "bpf/lib/note.h"

struct note {
    struct skep_note *n;
    struct task_struct *task;
    __u64 owner;
};

/* Does the handler of the call that the thread is in wait for a note of this kind? */
static __always_inline bool note_wanted(struct pt_regs *regs, struct task_struct *t, __u32 kind)
{
    __u64 at = skep_call_index((__u32)regs->orig_ax & ~SKEP_X32_BIT, skep_task_in_compat(t));
    __u32 call_kind = skep_cfg.kind[at];
    if (!skep_cfg.handler[at] || !skep_cfg.enabled[kind & (SKEP_KIND_MAX - 1)])
        return false;
    if (kind == SKEP_KIND_unlink &&
        call_kind == SKEP_KIND_rmdir) /* unlinkat is one system call and two kinds */
        return true;
    return call_kind == kind;
}

static __always_inline bool note_begin(struct note *x, __u32 kind)
{
    struct task_struct *t = bpf_get_current_task_btf();
    struct pt_regs *regs = SKEP_PLAIN(struct pt_regs, (struct pt_regs *)bpf_task_pt_regs(t));
    x->task = t = SKEP_PLAIN(struct task_struct, t);
    if ((t->flags & (PF_KTHREAD | PF_IO_WORKER)) || !note_wanted(regs, t, kind) || !skep_in_scope(t))
        return false;
    __u64 now = bpf_ktime_get_boot_ns();
    x->owner = t->pid;
    x->n = skep_note_claim(t->pid, now);
    if (!x->n)
        return false;
    x->n->start = t->start_boottime;
    x->n->call = skep_call_identity(regs);
    x->n->time = now;
    x->n->kind = kind;
    x->n->inode = 0;
    x->n->dev = 0;
    x->n->made_dentry = 0;
    x->n->truncated = 0;
    x->n->len[0] = x->n->len[1] = 0;
    return true;
}

/* Writes path (0) or target (1). The walk needs a scratch slot, as it does for a record. */
static __noinline bool note_walk(struct skep_note *n, __u32 which, struct vfsmount *mnt, struct dentry *d,
                                 struct fs_struct *fs)
{
    struct skep_build b = {0};
    b.s = skep_scratch_claim(bpf_get_smp_processor_id(), &b.slot);
    if (!b.s)
        return false;
    b.s->len = sizeof(struct skep_hdr);
    skep_hdr(&b)->flags = 0;
    struct skep_slice path = skep_put_path_of(&b, mnt, d, fs);
    __u32 from = path.off, size = path.len;
    barrier_var(from);
    barrier_var(size);
    bool done = from && from < SKEP_RECORD_MAX && size <= SKEP_PATH_MAX &&
                bpf_probe_read_kernel(n->text[which & 1], size, b.s->record + from) == 0;
    if (done)
        n->len[which & 1] = size;
    if (skep_hdr(&b)->flags & SKEP_HDR_TRUNCATED)
        n->truncated = 1;
    skep_scratch_release(b.s);
    return done;
}

static __always_inline bool note_path(struct note *x, struct vfsmount *mnt, struct dentry *d,
                                      struct fs_struct *fs)
{
    struct inode *inode = d->d_inode;
    x->n->dev = d->d_sb->s_dev;
    if (inode) {
        x->n->inode = inode->i_ino;
    } else {
        x->n->made_dentry = (__u64)d;
        x->n->made_parent = (__u64)d->d_parent;
        x->n->made_hash = d->d_name.hash;
    }
    return note_walk(x->n, 0, mnt, d, fs);
}

static __always_inline int note_end(struct note *x, bool done)
{
    skep_note_unlock(x->n, done ? x->owner : SKEP_NOTE_FREE);
    return 0;
}

/* Notes one path. */
static __always_inline int note_one(__u32 kind, struct vfsmount *mnt, struct dentry *d)
{
    struct note x;
    if (!note_begin(&x, kind))
        return 0;
    return note_end(&x, note_path(&x, mnt, SKEP_PLAIN(struct dentry, d), x.task->fs));
}

static __always_inline int note_two(__u32 kind, struct vfsmount *mnt, struct dentry *d,
                                    struct vfsmount *target_mnt, struct dentry *target)
{
    struct note x;
    if (!note_begin(&x, kind))
        return 0;
    struct fs_struct *fs = x.task->fs;
    return note_end(&x, note_path(&x, mnt, SKEP_PLAIN(struct dentry, d), fs) &&
                            note_walk(x.n, 1, target_mnt, SKEP_PLAIN(struct dentry, target), fs));
}

SEC("fentry/security_path_unlink")
int BPF_PROG(note_unlink, const struct path *dir, struct dentry *d)
{
    return note_one(SKEP_KIND_unlink, dir->mnt, d);
}

SEC("fentry/security_path_rmdir")
int BPF_PROG(note_rmdir, const struct path *dir, struct dentry *d)
{
    return note_one(SKEP_KIND_rmdir, dir->mnt, d);
}

SEC("fentry/security_path_mkdir")
int BPF_PROG(note_mkdir, const struct path *dir, struct dentry *d)
{
    return note_one(SKEP_KIND_mkdir, dir->mnt, d);
}

SEC("fentry/security_path_symlink")
int BPF_PROG(note_symlink, const struct path *dir, struct dentry *d)
{
    return note_one(SKEP_KIND_symlink, dir->mnt, d);
}

SEC("fentry/security_path_rename")
int BPF_PROG(note_rename, const struct path *old_dir, struct dentry *old, const struct path *new_dir,
             struct dentry *new)
{
    return note_two(SKEP_KIND_rename, old_dir->mnt, old, new_dir->mnt, new);
}

/* The old name is on the same mount, or the call would have failed before. */
SEC("fentry/security_path_link")
int BPF_PROG(note_link, struct dentry *old, const struct path *new_dir, struct dentry *new)
{
    return note_two(SKEP_KIND_link, new_dir->mnt, old, new_dir->mnt, new);
}

SEC("fentry/security_path_chmod")
int BPF_PROG(note_chmod, const struct path *path)
{
    return note_one(SKEP_KIND_chmod, path->mnt, path->dentry);
}

SEC("fentry/security_path_chown")
int BPF_PROG(note_chown, const struct path *path)
{
    return note_one(SKEP_KIND_chown, path->mnt, path->dentry);
}

SEC("fentry/security_path_truncate")
int BPF_PROG(note_truncate, const struct path *path)
{
    return note_one(SKEP_KIND_truncate, path->mnt, path->dentry);
}

SEC("fentry/security_sb_mount")
int BPF_PROG(note_mount, const char *dev_name, const struct path *path)
{
    return note_one(SKEP_KIND_mount, path->mnt, path->dentry);
}

SEC("fentry/security_sb_umount")
int BPF_PROG(note_umount, struct vfsmount *mnt)
{
    return note_one(SKEP_KIND_umount, mnt, mnt->mnt_root);
}

SEC("fentry/security_move_mount")
int BPF_PROG(note_move_mount, const struct path *from, const struct path *to)
{
    return note_two(SKEP_KIND_move_mount, from->mnt, from->dentry, to->mnt, to->dentry);
}

SEC("fentry/security_sb_pivotroot")
int BPF_PROG(note_pivot_root, const struct path *put_old, const struct path *new_root)
{
    return note_two(SKEP_KIND_pivot_root, new_root->mnt, new_root->dentry, put_old->mnt, put_old->dentry);
}
