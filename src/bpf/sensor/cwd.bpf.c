/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a process changes of its own row in the process table: the working directory (chdir, fchdir) and the
 * session (setsid). They belong to the life cycle; a call that failed changed nothing and makes no event.
 */
#include "bpf/lib/path.h"
#include "bpf/lib/syscall.h"
#include "bpf/lib/task.h"

SEC("tp_btf/sys_exit")
int sys_cwd(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    if (call.ret < 0)
        return 0;
    struct skep_ev_chdir *ev = skep_begin_life_call(&b, SKEP_KIND_chdir, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->path = skep_put_cwd(&b, call.task->fs);
    if (call.form == SKEP_FORM_path)
        ev->raw_path = skep_put_user_str(&b, (void *)skep_arg(&call, 0));
    skep_submit(&b);
    return 0;
}

SEC("tp_btf/sys_exit")
int sys_setsid(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    if (call.ret < 0)
        return 0;
    struct skep_ev_setsid *ev = skep_begin_life_call(&b, SKEP_KIND_setsid, sizeof(*ev), &call);
    if (!ev)
        return 0;
    struct task_struct *t = call.task;
    ev->session = skep_pid_outer((__u64)BPF_CORE_READ(t, signal, pids[PIDTYPE_SID]));
    skep_submit(&b);
    return 0;
}
