/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_PATH_H
#define SKEP_BPF_LIB_PATH_H
/*
 * The canonical path of a file or directory, read from the kernel's dentries and mounts: what the process
 * itself would see, from its root directory on, or from the root of the mount namespace when the file lies
 * outside of that. bpf_d_path() is refused to tracing programs, so the walk is our own.
 *
 * The path grows from the end of the scratch slot's path buffer to its start, and is copied into the record
 * at the end; or it grows at the far end of the record, for filters to look at, and is copied when they pass it. A path longer than SKEP_PATH_MAX, or deeper than the walk goes, keeps its last part and marks
 * the record as truncated.
 *
 * A descriptor's file and the mount above a mount point are reached through addresses that the verifier does
 * not know the type of; see SKEP_READ() for what that costs on which kernel.
 */
#include "bpf/lib/emit.h"

#define SKEP_PATH_DEPTH 1024 /* components and mount points on the way up */
#define SKEP_PATH_NEAR 4     /* the first of these */
#define SKEP_NAME_LEN 255

/* A walk under way. Addresses, not pointers: see SKEP_READ(). */
struct skep_walk {
    __u64 mnt;
    __u64 dentry;
    __u64 mnt_root;
    __u64 stop_mnt; /* where the caller's root directory is */
    __u64 stop_dentry;
    __u32 slot;      /* whose path buffer to write */
    __u32 pos;       /* start of the path in that buffer */
    __u32 truncated; /* until the walk comes to an end */
    __u32 in_record; /* the path grows in the last SKEP_PATH_MAX bytes of the record instead */
};

#define SKEP_FAR_END (SKEP_RECORD_MAX - SKEP_PATH_MAX)

#define SKEP_SHORT_NAME sizeof(struct timespec64)

/* Most names are short, and copied without a helper call: the sixteen bytes that end with the name, or twice as many, to
 * where it ends in buf. What stood in front of the name goes where the next name is to be written. Read through a kernel
 * type that is two numbers; nothing is read that way but bytes of a dentry, or of the allocation that holds a name of more
 * than thirty bytes. */
static __always_inline void skep_walk_copy_short(char *to, const void *from)
{
    const struct timespec64 *last = bpf_rdonly_cast((void *)from, bpf_core_type_id_kernel(struct timespec64));
    __u64 first_half = last->tv_sec, second_half = last->tv_nsec;
    ((__u64 *)to)[0] = first_half;
    ((__u64 *)to)[1] = second_half;
}

/* Puts "/name" in front of what is there. */
static __always_inline bool skep_walk_prepend(volatile struct skep_walk *w, char *buf, const void *name,
                                              __u32 len)
{
    len &= SKEP_NAME_LEN;
    __u32 end = w->pos, pos = end - len - 1; /* wraps around when there is no room */
    barrier_var(pos);
    if (pos >= SKEP_PATH_MAX)
        return false;
    barrier_var(end);
    if (skep_has_rdonly_cast && len <= 2 * SKEP_SHORT_NAME && end >= 2 * SKEP_SHORT_NAME &&
        end <= SKEP_PATH_MAX) {
        if (len > SKEP_SHORT_NAME)
            skep_walk_copy_short(buf + end - 2 * SKEP_SHORT_NAME, name + len - 2 * SKEP_SHORT_NAME);
        skep_walk_copy_short(buf + end - SKEP_SHORT_NAME, name + len - SKEP_SHORT_NAME);
    } else {
        barrier_var(len);
        bpf_probe_read_kernel(buf + pos + 1, len & SKEP_NAME_LEN, name);
    }
    buf[pos] = '/';
    w->pos = pos;
    return true;
}

/* One step up; false: there is nothing above, or no room. */
static __always_inline bool skep_walk_step(volatile struct skep_walk *w, char *buf)
{
    __u64 at = w->dentry, mnt = w->mnt;
    if (at == w->stop_dentry && mnt == w->stop_mnt) {
        w->truncated = 0;
        return false;
    }
    if (at == w->mnt_root) {
        __u64 m = mnt - bpf_core_field_offset(struct mount, mnt);
        __u64 up = (__u64)SKEP_READ(struct mount, m, mnt_parent);
        if (up == m || up == 0) {
            w->truncated = 0;
            return false;
        }
        w->dentry = (__u64)SKEP_READ(struct mount, m, mnt_mountpoint);
        w->mnt = mnt = up + bpf_core_field_offset(struct mount, mnt);
        w->mnt_root = (__u64)SKEP_READ(struct vfsmount, mnt, mnt_root);
        return true;
    }
    __u64 parent = (__u64)SKEP_READ(struct dentry, at, d_parent);
    if (parent == at || parent == 0) {
        w->truncated = 0;
        return false;
    }
    __u32 len = SKEP_READ(struct dentry, at, d_name.len);
    if (!skep_walk_prepend(w, buf, SKEP_READ(struct dentry, at, d_name.name), len))
        return false;
    w->dentry = parent;
    return true;
}

struct skep_walk_ctx {
    struct skep_walk *w;
    char *buf;
};

static __noinline long skep_walk_turn(__u32 i, void *data)
{
    struct skep_walk_ctx *x = data;
    return !skep_walk_step(x->w, x->buf);
}

/*
 * Builds the path at the end of the slot's path buffer. Global, so that the verifier walks it once and not
 * once for each state of its callers; and all state of the loop is in memory, where the verifier forgets what
 * it knows of it, so that a turn does not look new to it for every length of name before.
 */
__weak __noinline int skep_walk_up(struct skep_walk *w)
{
    if (!w)
        return 0;
    __u32 slot = w->slot;
    struct skep_scratch_slot *s = bpf_map_lookup_elem(&skep_scratch, &slot);
    if (!s)
        return 0;
    struct skep_walk_ctx x = {.w = w, .buf = w->in_record ? s->record + SKEP_FAR_END : s->path};
    w->pos = SKEP_PATH_MAX;
    w->mnt_root = (__u64)SKEP_READ(struct vfsmount, w->mnt, mnt_root);
    w->truncated = 1;
    /* Most files are not deep: the first turns do without the call that each turn of bpf_loop() is. Unrolled, since
     * verifiers of the 6.1 series take no loop beside a callback. */
#pragma unroll
    for (int i = 0; i < SKEP_PATH_NEAR; i++)
        if (!skep_walk_step(w, x.buf))
            return 0;
    SKEP_LOOP(SKEP_PATH_DEPTH - SKEP_PATH_NEAR, skep_walk_turn, &x);
    return 0;
}

#define SKEP_PIPEFS_MAGIC 0x50495045
#define SKEP_SOCKFS_MAGIC 0x534f434b
#define SKEP_ANON_INODE_MAGIC 0x09041934
#define SKEP_PIDFS_MAGIC 0x50494446
#define SKEP_NSFS_MAGIC 0x6e736673
#define SKEP_PSEUDO_LEN 256 /* names of memfds have up to 255 bytes, others less */

/* Writes the name of a file that has no place in any tree (pipes, sockets, memfds, anonymous inodes): as the
 * kernel shows it in /proc/PID/fd. Gives its length with the NUL; 0: it is the root of a tree after all. */
static __noinline long skep_pseudo_name(char *to, struct dentry *d)
{
    struct super_block *sb = SKEP_READ(struct dentry, d, d_sb);
    struct inode *inode = SKEP_READ(struct dentry, d, d_inode);
    const char *name = (const char *)SKEP_READ(struct dentry, d, d_name.name);
    unsigned long ino = inode ? SKEP_READ(struct inode, inode, i_ino) : 0;
    struct ns_common *ns;
    const struct proc_ns_operations *ops;
    char first = 0;
    switch (SKEP_READ(struct super_block, sb, s_magic)) {
    case SKEP_PIPEFS_MAGIC:
        return BPF_SNPRINTF(to, SKEP_PSEUDO_LEN, "pipe:[%lu]", ino);
    case SKEP_SOCKFS_MAGIC:
        return BPF_SNPRINTF(to, SKEP_PSEUDO_LEN, "socket:[%lu]", ino);
    case SKEP_ANON_INODE_MAGIC:
        return BPF_SNPRINTF(to, SKEP_PSEUDO_LEN, "anon_inode:%s", name);
    case SKEP_PIDFS_MAGIC:
        return BPF_SNPRINTF(to, SKEP_PSEUDO_LEN, "anon_inode:[pidfd]");
    case SKEP_NSFS_MAGIC:
        ns = inode ? SKEP_READ(struct inode, inode, i_private) : NULL;
        ops = ns ? SKEP_READ(struct ns_common, ns, ops) : NULL;
        if (!ops)
            return 0;
        return BPF_SNPRINTF(to, SKEP_PSEUDO_LEN, "%s:[%lu]", SKEP_READ(struct proc_ns_operations, ops, name),
                            ino);
    }
    bpf_probe_read_kernel(&first, 1, name);
    if (first == '/' || first == '\0')
        return 0;
    return bpf_probe_read_kernel_str(to, SKEP_PSEUDO_LEN, name);
}

static __always_inline struct skep_slice skep_put_pseudo(struct skep_build *b, struct dentry *d)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    long n = to ? skep_pseudo_name(to, d) : 0;
    if (n < 1 || n > SKEP_PSEUDO_LEN)
        return skep_no_slice();
    b->s->len = off + n;
    return (struct skep_slice){off, n - 1};
}

/* Builds the path of dentry d below mount vfsmnt, as a task with these roots sees it; without them, as the mount
 * namespace has it. Gives where it begins in the last SKEP_PATH_MAX bytes of the buffer that to is. */
static __always_inline __u32 skep_walk_path(struct skep_build *b, char *to, bool in_record, __u64 mnt,
                                            struct dentry *d, struct fs_struct *fs)
{
    struct skep_walk w = {.mnt = mnt, .dentry = (__u64)d, .slot = b->slot, .in_record = in_record};
    if (fs) {
        w.stop_mnt = (__u64)fs->root.mnt;
        w.stop_dentry = (__u64)fs->root.dentry;
    }
    skep_walk_up(&w);
    if (w.truncated)
        skep_mark(b, SKEP_HDR_TRUNCATED);
    __u32 pos = w.pos;
    barrier_var(pos);
    if (pos >= SKEP_PATH_MAX) { /* nothing was put in front: the root itself */
        to[SKEP_PATH_MAX - 1] = '/';
        pos = SKEP_PATH_MAX - 1;
    }
    return pos;
}

/* Appends the path. */
static __always_inline struct skep_slice skep_put_path_of(struct skep_build *b, struct vfsmount *vfsmnt,
                                                          struct dentry *d, struct fs_struct *fs)
{
    if (!vfsmnt || !d)
        return skep_no_slice();
    if (SKEP_READ(struct dentry, d, d_parent) == d) {
        struct skep_slice pseudo = skep_put_pseudo(b, d);
        if (pseudo.off)
            return pseudo;
    }
    __u32 pos = skep_walk_path(b, b->s->path, false, (__u64)vfsmnt, d, fs);
    return skep_put_kernel(b, b->s->path + pos, SKEP_PATH_MAX - pos);
}

static __always_inline struct skep_slice skep_put_file_path(struct skep_build *b, struct file *f,
                                                            struct fs_struct *fs)
{
    if (!f)
        return skep_no_slice();
    return skep_put_path_of(b, SKEP_READ(struct file, f, f_path.mnt),
                            SKEP_READ(struct file, f, f_path.dentry), fs);
}

/* The path of a file, at the far end of a record that is short as yet; skep_put_far() takes it from there. */
static __always_inline struct skep_slice skep_far_file_path(struct skep_build *b, struct file *f,
                                                            struct fs_struct *fs)
{
    struct dentry *d = SKEP_READ(struct file, f, f_path.dentry);
    if (SKEP_READ(struct dentry, d, d_parent) == d) {
        struct skep_slice pseudo = skep_put_pseudo(b, d);
        if (pseudo.off)
            return pseudo;
    }
    __u32 pos = skep_walk_path(b, b->s->record + SKEP_FAR_END, true,
                               (__u64)SKEP_READ(struct file, f, f_path.mnt), d, fs);
    return (struct skep_slice){SKEP_FAR_END + pos, SKEP_PATH_MAX - pos};
}

/* Appends what stands at the far end. */
static __always_inline struct skep_slice skep_put_far(struct skep_build *b, struct skep_slice s)
{
    __u32 off = s.off, len = s.len;
    barrier_var(off);
    barrier_var(len);
    if (off < SKEP_FAR_END || off >= SKEP_RECORD_MAX)
        return s;
    return skep_put_kernel(b, b->s->record + off, len);
}

static __always_inline struct skep_slice skep_put_cwd(struct skep_build *b, struct fs_struct *fs)
{
    return fs ? skep_put_path_of(b, fs->pwd.mnt, fs->pwd.dentry, fs) : skep_no_slice();
}
#endif
