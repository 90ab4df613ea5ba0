/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_IMAGE_H
#define SKEP_BPF_LIB_IMAGE_H
/*
 * The image that a process runs: its file, and the arguments and environment as exec laid them out in its
 * memory. What fits stands in the record; the rest follows in pieces.
 */
#include "bpf/lib/file.h"
#include "bpf/lib/task.h"

/* struct ovl_inode ends in the dentry of the upper layer, right behind the inode it encloses; overlayfs may
 * be a module whose types are not in the kernel's own BTF. 09d8b586731b ("ovl: move __upperdentry to
 * ovl_inode", 4.13) */
static __always_inline bool skep_in_upper_layer(struct inode *inode)
{
    void *upper = NULL;
    bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
    return upper != NULL;
}

static __always_inline __u32 skep_image_file_flags(struct file *exe)
{
    struct inode *inode = exe->f_inode;
    __u32 flags = 0;
    if (inode->i_nlink == 0)
        flags |= SKEP_EXEC_DELETED;
    if (skep_name_is_memfd(exe->f_path.dentry))
        flags |= SKEP_EXEC_MEMFD;
    if (inode->i_sb->s_magic == SKEP_OVERLAYFS_MAGIC && skep_in_upper_layer(inode))
        flags |= SKEP_EXEC_UPPER_LAYER;
    return flags;
}

static __always_inline __u32 skep_span(__u64 start, __u64 end)
{
    __u64 n = end > start ? end - start : 0;
    return n > 0x7fffffff ? 0x7fffffff : n;
}
#endif
