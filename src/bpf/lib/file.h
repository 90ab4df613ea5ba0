/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_FILE_H
#define SKEP_BPF_LIB_FILE_H
/*
 * Descriptors and files: from a number to struct file, and what kind of thing a file is.
 */
#include "bpf/lib/path.h"

#define SKEP_TMPFS_MAGIC 0x01021994
#define SKEP_OVERLAYFS_MAGIC 0x794c7630
#define SKEP_PIPEFS_MAGIC 0x50495045
#define SKEP_ANON_INODE_MAGIC 0x09041934

/* The file behind a descriptor of the task. The result is good for bpf_probe_read_kernel() only: the table
 * is indexed by a number that the verifier does not know, which costs the pointer its type. */
static __always_inline struct file *skep_file_of(struct task_struct *t, int fd)
{
    if (fd < 0)
        return NULL;
    struct fdtable *fdt = t->files->fdt;
    if (!fdt || (__u32)fd >= fdt->max_fds)
        return NULL;
    struct file **table = fdt->fd;
    struct file *f = NULL;
    bpf_probe_read_kernel(&f, sizeof(f), table + fd);
    return f;
}

static __always_inline __u32 skep_inode_kind(__u32 mode, __u64 magic)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return magic == SKEP_ANON_INODE_MAGIC ? SKEP_FD_ANON : SKEP_FD_FILE;
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
#endif
