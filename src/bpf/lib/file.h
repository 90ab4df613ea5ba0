/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_FILE_H
#define SKEP_BPF_LIB_FILE_H
/*
 * Descriptors and files: from a number to struct file, what kind of thing a file is, and its name. A file that
 * lost its name keeps the path that it had.
 */
#include "bpf/lib/path.h"

#define SKEP_TMPFS_MAGIC 0x01021994
#define SKEP_OVERLAYFS_MAGIC 0x794c7630

/* The file behind a descriptor of the task: an address, to be read through SKEP_READ(). A slot of the table is
 * read through a struct that is one pointer: that the verifier knows. */
static __always_inline struct file *skep_file_of(struct task_struct *t, int fd)
{
    if (fd < 0)
        return NULL;
    struct fdtable *fdt = t->files->fdt;
    if (!fdt || (__u32)fd >= fdt->max_fds)
        return NULL;
    struct file **table = fdt->fd;
    return (struct file *)SKEP_READ(struct hlist_node, table + fd, next);
}

static __always_inline __u32 skep_inode_kind(__u32 mode, __u64 magic)
{
    /* "anon_inode: use a proper mode internally" (6.16) made them regular files by i_mode */
    if (magic == SKEP_ANON_INODE_MAGIC || magic == SKEP_PIDFS_MAGIC)
        return SKEP_FD_ANON;
    switch (mode & S_IFMT) {
    case S_IFREG:
        return SKEP_FD_FILE;
    case S_IFDIR:
        return SKEP_FD_DIR;
    case S_IFSOCK:
        return SKEP_FD_SOCKET;
    case S_IFIFO:
        return magic == SKEP_PIPEFS_MAGIC ? SKEP_FD_PIPE : SKEP_FD_FIFO;
    case S_IFCHR:
        return SKEP_FD_CHAR;
    case S_IFBLK:
        return SKEP_FD_BLOCK;
    case S_IFLNK:
        return SKEP_FD_SYMLINK;
    }
    return SKEP_FD_ANON;
}

/* A file made by memfd_create: on tmpfs or hugetlbfs, in no directory, and named so. */
static __always_inline bool skep_name_is_memfd(struct dentry *d)
{
    char name[8] = {0};
    if (SKEP_READ(struct dentry, d, d_parent) != d)
        return false;
    bpf_probe_read_kernel(name, 6, SKEP_READ(struct dentry, d, d_name.name));
    return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' &&
           name[5] == ':';
}

static __always_inline __u32 skep_file_kind(struct file *f)
{
    struct inode *inode = SKEP_READ(struct file, f, f_inode);
    struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
    __u32 kind =
        skep_inode_kind(SKEP_READ(struct inode, inode, i_mode), SKEP_READ(struct super_block, sb, s_magic));
    if (kind == SKEP_FD_FILE && skep_name_is_memfd(SKEP_READ(struct file, f, f_path.dentry)))
        return SKEP_FD_MEMFD;
    return kind;
}

/* What descriptor num of the task refers to. */
static __noinline void skep_fill_fd(struct skep_build *b, struct skep_fd *to, struct task_struct *t, int num)
{
    struct file *f = skep_file_of(t, num);
    to->num = num;
    to->kind = SKEP_FD_NONE;
    to->name = skep_no_slice();
    if (!f)
        return;
    to->kind = skep_file_kind(f);
    to->name = skep_put_file_path(b, f, t->fs);
}
#endif
