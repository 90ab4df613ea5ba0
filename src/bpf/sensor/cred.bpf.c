/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * setuid and its family, setgid and its family, capset: what the credentials were, what was asked for, and what they
 * are now.
 */
#include "bpf/lib/cred.h"
#include "bpf/lib/syscall.h"

static __always_inline __u32 cred_asked(const struct skep_call *call, int i)
{
    int n = 0;
    switch (call->form) {
    case SKEP_FORM_id:
        n = 1;
        break;
    case SKEP_FORM_two_ids:
        n = 2;
        break;
    case SKEP_FORM_three_ids:
        n = 3;
        break;
    }
    return i < n ? skep_arg(call, i) : SKEP_NO_VALUE;
}

static __always_inline bool cred_fill_uid(struct skep_build *b, const struct skep_call *call,
                                          const struct skep_cred_note *old, bool known)
{
    struct skep_ev_setuid *ev = skep_begin_call(b, SKEP_KIND_setuid, sizeof(*ev), call);
    if (!ev)
        return false;
    const struct cred *cred = call->task->cred;
    ev->old_uid = old->uid;
    ev->old_euid = old->euid;
    ev->new_uid = cred->uid.val;
    ev->new_euid = cred->euid.val;
    ev->new_suid = cred->suid.val;
    ev->new_fsuid = cred->fsuid.val;
    ev->asked_first = cred_asked(call, 0);
    ev->asked_second = cred_asked(call, 1);
    ev->asked_third = cred_asked(call, 2);
    ev->effective = compat_cred_effective(cred);
    ev->gained = known ? ev->effective & ~old->caps : 0;
    return true;
}

static __always_inline bool cred_fill_gid(struct skep_build *b, const struct skep_call *call,
                                          const struct skep_cred_note *old)
{
    struct skep_ev_setgid *ev = skep_begin_call(b, SKEP_KIND_setgid, sizeof(*ev), call);
    if (!ev)
        return false;
    const struct cred *cred = call->task->cred;
    ev->old_gid = old->gid;
    ev->old_egid = old->egid;
    ev->new_gid = cred->gid.val;
    ev->new_egid = cred->egid.val;
    ev->new_sgid = cred->sgid.val;
    ev->new_fsgid = cred->fsgid.val;
    ev->asked_first = cred_asked(call, 0);
    ev->asked_second = cred_asked(call, 1);
    ev->asked_third = cred_asked(call, 2);
    return true;
}

static __always_inline bool cred_fill_caps(struct skep_build *b, const struct skep_call *call,
                                           const struct skep_cred_note *old, bool known)
{
    struct skep_ev_capset *ev = skep_begin_call(b, SKEP_KIND_capset, sizeof(*ev), call);
    if (!ev)
        return false;
    const struct cred *cred = call->task->cred;
    ev->effective = compat_cred_effective(cred);
    ev->permitted = compat_cred_permitted(cred);
    ev->inheritable = compat_cred_inheritable(cred);
    ev->gained = known ? ev->effective & ~old->caps : 0;
    return true;
}

SEC("tp_btf/sys_exit")
int sys_cred(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    struct skep_cred_note old;
    struct task_struct *t = bpf_get_current_task_btf();
    bool made;
    skep_call_init(&call, ctx);
    bool known = skep_cred_before(t, &old);
    skep_cred_note(t);
    if (!skep_call_wanted(&call, call.kind))
        return 0; /* only to be noted */
    if (call.kind == SKEP_KIND_setuid)
        made = cred_fill_uid(&b, &call, &old, known);
    else if (call.kind == SKEP_KIND_setgid)
        made = cred_fill_gid(&b, &call, &old);
    else
        made = cred_fill_caps(&b, &call, &old, known);
    return made ? skep_hand_over(ctx, &b) : 0;
}
