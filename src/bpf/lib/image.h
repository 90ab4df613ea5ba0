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

/* The user namespace has a number for this one. Of a map of more than five extents we say that it has not: what it
 * would allow is then told as forbidden. map: address of a struct uid_gid_map. Global, as the function below, so that the
 * verifier walks the loop once and not once for each state of the caller: that made most of a start. */
__noinline int skep_id_is_mapped(__u64 map, __u32 id)
{
    const struct uid_gid_map *m = (const struct uid_gid_map *)map;
    __u32 n = BPF_CORE_READ(m, nr_extents);
    if (n > 5)
        return 0;
#pragma unroll
    for (__u32 i = 0; i < 5; i++) {
        struct uid_gid_extent e = {0};
        if (i >= n)
            break;
        bpf_core_read(&e, sizeof(e), &m->extent[i]);
        if (id - e.lower_first < e.count)
            return 1;
    }
    return 0;
}

static __always_inline bool skep_may_override(struct inode *inode, const struct cred *cred)
{
    if (!(compat_cred_effective(cred) & (1ULL << CAP_DAC_OVERRIDE)))
        return false;
    /* as a number: a pointer is nothing that a global function takes */
    __u64 ns = (__u64)BPF_CORE_READ(cred, user_ns);
    return BPF_CORE_READ((struct user_namespace *)ns, level) == 0 ||
           (skep_id_is_mapped(ns + bpf_core_field_offset(struct user_namespace, uid_map), inode->i_uid.val) &&
            skep_id_is_mapped(ns + bpf_core_field_offset(struct user_namespace, gid_map), inode->i_gid.val));
}

/* Among the supplementary groups, at most 65536 in ascending order. */
__noinline int skep_is_supplementary(__u64 groups, __u32 gid)
{
    __u32 from = 0, to = 0;
    bpf_probe_read_kernel(&to, sizeof(to),
                          (void *)(groups + bpf_core_field_offset(struct group_info, ngroups)));
    for (int i = 0; i < 17; i++) {
        __u32 mid = from + (to - from) / 2, have = 0;
        if (from >= to)
            return 0;
        bpf_probe_read_kernel(&have, sizeof(have),
                              (void *)(groups + bpf_core_field_offset(struct group_info, gid) + mid * 4ULL));
        if (have == gid)
            return 1;
        if (have < gid)
            from = mid + 1;
        else
            to = mid;
    }
    return 0;
}

/* May the process write the file that it executes? By the permission bits as inode_permission() goes through them;
 * access control lists are not looked at. */
static __always_inline bool skep_may_write(struct file *f, const struct cred *cred)
{
    struct inode *inode = f->f_inode;
    __u32 mode = inode->i_mode;
    if ((inode->i_sb->s_flags & SB_RDONLY) || (f->f_path.mnt->mnt_flags & MNT_READONLY) ||
        (inode->i_flags & S_IMMUTABLE))
        return false;
    __u32 bit = S_IWOTH;
    if (cred->fsuid.val == inode->i_uid.val)
        bit = S_IWUSR;
    else if (!(mode & S_IWGRP) != !(mode & S_IWOTH) &&
             (cred->fsgid.val == inode->i_gid.val ||
              skep_is_supplementary((__u64)BPF_CORE_READ(cred, group_info), inode->i_gid.val)))
        bit = S_IWGRP;
    return (mode & bit) || skep_may_override(inode, cred);
}

/* What rules ask about the file of an image. */
static __always_inline void skep_image_file(struct skep_image *to, struct file *exe, const struct cred *cred,
                                            __u32 flags)
{
    struct inode *inode = exe->f_inode;
    to->ctime = compat_inode_ctime(inode);
    to->mtime = compat_inode_mtime(inode);
    to->traits = SKEP_IMAGE_SEEN;
    if (skep_may_write(exe, cred))
        to->traits |= SKEP_IMAGE_WRITABLE;
    if (inode->i_sb->s_magic == SKEP_OVERLAYFS_MAGIC && !(flags & SKEP_EXEC_UPPER_LAYER))
        to->traits |= SKEP_IMAGE_LOWER_LAYER;
}

static __always_inline __u32 skep_span(__u64 start, __u64 end)
{
    __u64 n = end > start ? end - start : 0;
    return n > 0x7fffffff ? 0x7fffffff : n;
}
#endif
