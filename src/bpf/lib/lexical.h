/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_LEXICAL_H
#define SKEP_BPF_LIB_LEXICAL_H
/*
 * Paths from names, for calls whose kernel object is gone or never was: the directory that the name starts
 * from, read from the kernel's object, joined with the name as given. "." and ".." and doubled slashes are
 * still in it; user space takes them out (event/normalize.h). Symbolic links inside the name are not
 * resolved, which is why such a path carries the source `lexical`.
 */
#include "bpf/lib/file.h"

/* Appends the name's bytes again, behind directory and slash. raw was put into the same record before. */
static __always_inline struct skep_slice skep_put_joined(struct skep_build *b, struct task_struct *t, int dirfd,
                                                         struct skep_slice raw)
{
    if (!raw.off)
        return raw;
    __u32 off = raw.off;
    barrier_var(off);
    if (off >= SKEP_RECORD_MAX)
        return skep_no_slice();
    const char *name = b->s->record + off;
    if (*name == '/')
        return raw; /* the same bytes serve for both */
    struct fs_struct *fs = t->fs;
    struct skep_slice path =
        dirfd == AT_FDCWD ? skep_put_cwd(b, fs) : skep_put_file_path(b, skep_file_of(t, dirfd), fs);
    if (!path.off)
        return path;
    skep_put_kernel(b, "/", 1);
    skep_put_kernel(b, name, raw.len);
    path.len = b->s->len - path.off;
    return path;
}
#endif
