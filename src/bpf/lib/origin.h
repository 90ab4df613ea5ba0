/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_ORIGIN_H
#define SKEP_BPF_LIB_ORIGIN_H
/*
 * Which system call an event comes by that is not seen at the call's return: the creation of a process (fork, vfork,
 * clone, clone3) and the execution of a program (execve, execveat). The number stands in the registers that the kernel
 * saved when the task entered it; whether it is a 32-bit one says a flag of the task.
 *
 * An execution overwrites both: whichever call it was, from where the new image is laid out on the registers hold
 * execve's number in the new image's convention (SET_PERSONALITY() in arch/x86). So the call is noted a moment
 * earlier, where the kernel begins to replace the old image, and read again when it is done.
 */
#include "bpf/lib/cred.h"
#include "bpf/lib/syscall.h"

/* arch/x86/entry/syscalls/syscall_64.tbl, syscall_32.tbl */
enum {
    ORIGIN_EXECVE = 59,
    ORIGIN_EXECVEAT = 322,
    ORIGIN_EXECVE_COMPAT = 11,
    ORIGIN_EXECVEAT_COMPAT = 358,
};

/* The call that the current task is in; of a kernel thread, none. t: as the verifier trusts it. */
static __always_inline struct skep_call_name skep_origin_current(struct task_struct *t)
{
    struct skep_call_name none = {0};
    struct pt_regs *regs = SKEP_PLAIN(struct pt_regs, (struct pt_regs *)bpf_task_pt_regs(t));
    t = SKEP_PLAIN(struct task_struct, t);
    __u32 nr = (__u32)regs->orig_ax & ~SKEP_X32_BIT;
    if ((t->flags & (PF_KTHREAD | PF_IO_WORKER)) || nr >= SKEP_SYSCALL_MAX)
        return none;
    return (struct skep_call_name){nr, SKEP_HDR_SYSCALL | (skep_task_in_compat(t) ? SKEP_HDR_COMPAT : 0)};
}

/* The kernel also executes programs on its own (modprobe), in a task whose saved registers say nothing. */
static __always_inline bool skep_origin_executes(struct skep_call_name call)
{
    if (call.flags & SKEP_HDR_COMPAT)
        return call.nr == ORIGIN_EXECVE_COMPAT || call.nr == ORIGIN_EXECVEAT_COMPAT;
    return call.nr == ORIGIN_EXECVE || call.nr == ORIGIN_EXECVEAT;
}

/* Notes the call, before the registers are overwritten. */
static __always_inline void skep_origin_note_exec(void)
{
    struct task_struct *t = bpf_get_current_task_btf();
    struct skep_call_name call = skep_origin_current(t);
    skep_cred_note_first(t);
    struct skep_cred_note *n = bpf_task_storage_get(&skep_creds, t, NULL, 0);
    if (!n)
        return;
    if (!skep_origin_executes(call))
        call = (struct skep_call_name){0};
    n->exec_call = call;
}

/* Of what was noted; where there is no hook to note it, a path made from a descriptor tells of execveat. */
static __always_inline struct skep_call_name skep_origin_of_exec(const struct skep_cred_note *n,
                                                                 struct linux_binprm *bprm)
{
    if (n->exec_call.flags || !bprm->fdpath)
        return n->exec_call;
    return (struct skep_call_name){ORIGIN_EXECVEAT, SKEP_HDR_SYSCALL};
}

static __always_inline void skep_origin_fill(struct skep_hdr *h, struct skep_call_name call)
{
    h->nr = call.nr;
    h->flags |= call.flags;
}
#endif
