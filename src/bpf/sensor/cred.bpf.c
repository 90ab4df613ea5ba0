/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setuid and its family, setgid and its family, capset: what the credentials were and what they are now.
 */
#include "bpf/lib/cred.h"
#include "bpf/lib/syscall.h"

static __always_inline void cred_emit_uid(const struct skep_call *call, const struct skep_cred_note *old,
                                          bool known)
{
    struct skep_build b;
    struct skep_ev_setuid *ev = skep_begin_call(&b, SKEP_KIND_setuid, sizeof(*ev), call);
    if (!ev)
        return;
    const struct cred *cred = call->task->cred;
    ev->old_uid = old->uid;
    ev->old_euid = old->euid;
    ev->new_uid = cred->uid.val;
    ev->new_euid = cred->euid.val;
    ev->new_suid = cred->suid.val;
    ev->new_fsuid = cred->fsuid.val;
    ev->effective = compat_cred_effective(cred);
    ev->gained = known ? ev->effective & ~old->caps : 0;
    skep_submit(&b);
}

static __always_inline void cred_emit_gid(const struct skep_call *call, const struct skep_cred_note *old)
{
    struct skep_build b;
    struct skep_ev_setgid *ev = skep_begin_call(&b, SKEP_KIND_setgid, sizeof(*ev), call);
    if (!ev)
        return;
    const struct cred *cred = call->task->cred;
    ev->old_gid = old->gid;
    ev->old_egid = old->egid;
    ev->new_gid = cred->gid.val;
    ev->new_egid = cred->egid.val;
    ev->new_sgid = cred->sgid.val;
    ev->new_fsgid = cred->fsgid.val;
    skep_submit(&b);
}

static __always_inline void cred_emit_caps(const struct skep_call *call, const struct skep_cred_note *old,
                                           bool known)
{
    struct skep_build b;
    struct skep_ev_capset *ev = skep_begin_call(&b, SKEP_KIND_capset, sizeof(*ev), call);
    if (!ev)
        return;
    const struct cred *cred = call->task->cred;
    ev->effective = compat_cred_effective(cred);
    ev->permitted = compat_cred_permitted(cred);
    ev->inheritable = compat_cred_inheritable(cred);
    ev->gained = known ? ev->effective & ~old->caps : 0;
    skep_submit(&b);
}

SEC("tp_btf/sys_exit")
int sys_cred(__u64 *ctx)
{
    struct skep_call call;
    struct skep_cred_note old;
    struct task_struct *t = bpf_get_current_task_btf();
    skep_call_init(&call, ctx);
    bool known = skep_cred_before(t, &old);
    if (!skep_cfg.enabled[call.kind & (SKEP_KIND_MAX - 1)])
        ; /* only to be noted */
    else if (call.kind == SKEP_KIND_setuid)
        cred_emit_uid(&call, &old, known);
    else if (call.kind == SKEP_KIND_setgid)
        cred_emit_gid(&call, &old);
    else
        cred_emit_caps(&call, &old, known);
    skep_cred_note(t);
    return 0;
}
