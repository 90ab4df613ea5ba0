/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_CRED_H
#define SKEP_BPF_LIB_CRED_H
/*
 * Credentials before a change. The kernel replaces them before a system call returns, so each task's last ones
 * are kept in its local storage: noted when it is created, when it executes a program, and after each call that
 * changes them. Tasks that are older than skep are noted by the snapshot. Beside them stands the call that a task is
 * executing a program by (lib/origin.h).
 */
#include "bpf/lib/emit.h"

static __always_inline void skep_cred_fill(struct skep_cred_note *n, const struct cred *cred)
{
    n->uid = cred->uid.val;
    n->euid = cred->euid.val;
    n->gid = cred->gid.val;
    n->egid = cred->egid.val;
    n->caps = compat_cred_effective(cred);
}

/* t: as the verifier trusts it; see SKEP_PLAIN(). */
static __always_inline void skep_cred_note(struct task_struct *t)
{
    struct skep_cred_note *n = bpf_task_storage_get(&skep_creds, t, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (n)
        skep_cred_fill(n, SKEP_PLAIN(struct task_struct, t)->cred);
}

/* For tasks that are older than we are: what is known already is not touched, it may be in use. */
static __always_inline void skep_cred_note_first(struct task_struct *t)
{
    if (!bpf_task_storage_get(&skep_creds, t, NULL, 0))
        skep_cred_note(t);
}

/* What was noted last; false: nothing, and the fields say so. */
static __always_inline bool skep_cred_before(struct task_struct *t, struct skep_cred_note *ret)
{
    struct skep_cred_note *n = bpf_task_storage_get(&skep_creds, t, NULL, 0);
    if (!n) {
        ret->uid = ret->euid = ret->gid = ret->egid = (__u32)-1;
        ret->caps = 0;
        ret->exec_call = (struct skep_call_name){0};
        return false;
    }
    *ret = *n;
    return true;
}
#endif
