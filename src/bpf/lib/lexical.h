/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_LEXICAL_H
#define SKEP_BPF_LIB_LEXICAL_H
/*
 * What a path argument of a system call comes to.
 *
 * Best is the kernel's object: what a descriptor refers to (fchmod, an empty path with AT_EMPTY_PATH), the new
 * root or working directory, or what a hook inside the call wrote down (lib/note.h). Without one the path is
 * made from names: the directory that the name starts from, read from the kernel's object, joined with the
 * name as given. "." and ".." and doubled slashes are still in it; user space takes them out
 * (event/normalize.h). Symbolic links inside the name are not resolved, which is why such a path carries the
 * source `lexical`.
 */
#include "bpf/lib/file.h"

/* What an event says of a path; the members of the same names. */
struct skep_named {
    struct skep_slice path;
    __u64 inode;
    __u32 dev;
    __u32 source; /* enum skep_path_source */
};

/* The functions of more than a few lines are global: the verifier then looks at each once, and not once for
 * each state of each of its callers. So they find the scratch slot, and the calling task, by themselves. */
static __always_inline bool skep_build_again(struct skep_build *b, __u32 slot)
{
    *b = (struct skep_build){.slot = slot};
    b->s = bpf_map_lookup_elem(&skep_scratch, &slot);
    return b->s != NULL;
}

/* Beside the length of a name: a slash in front of it means the directory as well. */
#define SKEP_NAME_BELOW (1U << 31)

/* The name's bytes again, behind directory and slash. They were put into the same record before. */
__weak __noinline int skep_name_lexical(struct skep_named *to, __u32 slot, int dirfd, __u32 raw_off,
                                        __u32 raw_len)
{
    struct skep_build b;
    __u32 below = raw_len & SKEP_NAME_BELOW;
    if (!to)
        return 0;
    raw_len &= ~SKEP_NAME_BELOW;
    *to = (struct skep_named){0};
    if (raw_off == 0 || raw_off >= SKEP_RECORD_MAX || raw_len == 0 || !skep_build_again(&b, slot))
        return 0;
    const char *name = b.s->record + raw_off;
    if (*name == '/' && !below) {
        to->path = (struct skep_slice){raw_off, raw_len}; /* the same bytes serve for both */
        to->source = SKEP_PATH_LEXICAL;
        return 0;
    }
    struct task_struct *t = skep_current();
    struct fs_struct *fs = t->fs;
    struct skep_slice dir =
        dirfd == AT_FDCWD ? skep_put_cwd(&b, fs) : skep_put_file_path(&b, skep_file_of(t, dirfd), fs);
    __u32 end;
    char *slash = skep_tail(&b, &end);
    if (!dir.off || !slash)
        return 0;
    *slash = '/';
    b.s->len = end + 1;
    if (!skep_put_kernel(&b, name, raw_len).off)
        return 0;
    to->path = (struct skep_slice){dir.off, b.s->len - dir.off};
    to->source = SKEP_PATH_LEXICAL;
    return 0;
}

/* The object at dentry and mount, as a task with these roots sees it. */
static __always_inline void skep_name_object(struct skep_build *b, struct skep_named *to,
                                             struct vfsmount *mnt, struct dentry *d, struct fs_struct *fs)
{
    if (!mnt || !d)
        return;
    to->path = skep_put_path_of(b, mnt, d, fs);
    to->source = SKEP_PATH_OBJECT;
    struct inode *inode = SKEP_READ(struct dentry, d, d_inode);
    struct super_block *sb = SKEP_READ(struct dentry, d, d_sb);
    if (inode)
        to->inode = SKEP_READ(struct inode, inode, i_ino);
    to->dev = SKEP_READ(struct super_block, sb, s_dev);
}

/* What a descriptor refers to; AT_FDCWD: the working directory. */
__weak __noinline int skep_name_fd(struct skep_named *to, __u32 slot, int fd)
{
    struct skep_build b;
    if (!to)
        return 0;
    *to = (struct skep_named){0};
    if (!skep_build_again(&b, slot))
        return 0;
    struct task_struct *t = skep_current();
    struct fs_struct *fs = t->fs;
    struct file *f = fd == AT_FDCWD ? NULL : skep_file_of(t, fd);
    if (f)
        skep_name_object(&b, to, SKEP_READ(struct file, f, f_path.mnt),
                         SKEP_READ(struct file, f, f_path.dentry), fs);
    else if (fd == AT_FDCWD)
        skep_name_object(&b, to, fs->pwd.mnt, fs->pwd.dentry, fs);
    return 0;
}

/* The root directory of the calling task, from the root of its mount namespace. */
__weak __noinline int skep_name_root(struct skep_named *to, __u32 slot)
{
    struct skep_build b;
    if (!to)
        return 0;
    *to = (struct skep_named){0};
    if (!skep_build_again(&b, slot))
        return 0;
    struct fs_struct *fs = skep_current()->fs;
    skep_name_object(&b, to, fs->root.mnt, fs->root.dentry, NULL);
    return 0;
}
#endif
