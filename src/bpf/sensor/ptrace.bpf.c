/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One process reaching into another: ptrace, process_vm_readv and process_vm_writev, and signals sent across
 * users. Of ptrace only requests that take hold of a process, let go of it or change it are reported; a debugger
 * peeks and continues thousands of times.
 */
#include "bpf/lib/syscall.h"
#include "bpf/lib/task.h"

#define PTRACE_LIST_MAX 64

/* requests, from include/uapi/linux/ptrace.h and arch/x86/include/uapi/asm/ptrace-abi.h */
enum {
    PTRACE_TRACEME = 0,
    PTRACE_POKETEXT = 4,
    PTRACE_POKEDATA = 5,
    PTRACE_POKEUSR = 6,
    PTRACE_KILL = 8,
    PTRACE_SETREGS = 13,
    PTRACE_SETFPREGS = 15,
    PTRACE_ATTACH = 16,
    PTRACE_DETACH = 17,
    PTRACE_SETFPXREGS = 19,
    PTRACE_SET_THREAD_AREA = 26,
    PTRACE_ARCH_PRCTL = 30,
    PTRACE_SETSIGINFO = 0x4203,
    PTRACE_SETREGSET = 0x4205,
    PTRACE_SEIZE = 0x4206,
    PTRACE_SETSIGMASK = 0x420b,
};

static __always_inline bool ptrace_matters(__s64 request)
{
    switch (request) {
    case PTRACE_TRACEME:
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
    case PTRACE_POKEUSR:
    case PTRACE_KILL:
    case PTRACE_SETREGS:
    case PTRACE_SETFPREGS:
    case PTRACE_ATTACH:
    case PTRACE_DETACH:
    case PTRACE_SETFPXREGS:
    case PTRACE_SET_THREAD_AREA:
    case PTRACE_ARCH_PRCTL:
    case PTRACE_SETSIGINFO:
    case PTRACE_SETREGSET:
    case PTRACE_SEIZE:
    case PTRACE_SETSIGMASK:
        return true;
    }
    return false;
}

/* Traced tasks hang on their tracer, the last attached first: found without a look-up by number. */
struct ptrace_search {
    __u64 entry, head;
    __u64 tracer; /* its struct pid */
    __u32 number; /* as the tracer names the task */
    __u32 pad;
    __u64 found; /* struct task_struct */
};

static __noinline long ptrace_turn(__u32 i, void *data)
{
    struct ptrace_search *x = data;
    if (x->entry == x->head || !x->entry)
        return 1;
    __u64 task = x->entry - bpf_core_field_offset(struct task_struct, ptrace_entry);
    __u64 pid = (__u64)BPF_CORE_READ((struct task_struct *)task, thread_pid);
    if (skep_pid_seen_by(pid, x->tracer) == x->number) {
        x->found = task;
        return 1;
    }
    x->entry = (__u64)SKEP_READ(struct list_head, x->entry, next);
    return 0;
}

static __always_inline __u64 ptrace_search(struct task_struct *tracer, __u32 number)
{
    struct ptrace_search x = {.number = number, .tracer = (__u64)BPF_CORE_READ(tracer, thread_pid)};
    x.head = (__u64)tracer + bpf_core_field_offset(struct task_struct, ptraced);
    x.entry = (__u64)BPF_CORE_READ(tracer, ptraced.next);
    SKEP_LOOP(PTRACE_LIST_MAX, ptrace_turn, &x);
    return x.found;
}

SEC("tp_btf/sys_exit")
int sys_ptrace(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    __s64 request = (__s64)skep_arg(&call, 0);
    if (!ptrace_matters(request))
        return 0;
    struct skep_ev_ptrace *ev = skep_begin_call(&b, SKEP_KIND_ptrace, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->request = request;
    if (request == PTRACE_TRACEME) {
        skep_fill_target(&ev->target, (__u64)call.task, call.task);
        return skep_hand_over(ctx, &b);
    }
    int number = (int)skep_arg(&call, 1);
    ev->addr = skep_arg(&call, 2);
    ev->data = skep_arg(&call, 3);
    skep_find_target(&ev->target, number, call.task);
    if (!ev->target.pad_start) {
        __u64 traced = ptrace_search(call.task, number);
        if (traced)
            skep_fill_target(&ev->target, traced, call.task);
    }
    return skep_hand_over(ctx, &b);
}

/* A process may use these calls on itself, to read without fear of a fault: that is nobody's business. */
static __always_inline bool process_vm_is_own(struct task_struct *t, int number)
{
    __u64 pid = (__u64)BPF_CORE_READ(t, thread_pid);
    __u64 leader = (__u64)BPF_CORE_READ(t, group_leader, thread_pid);
    return number == (int)skep_pid_inner(leader) || number == (int)skep_pid_inner(pid);
}

SEC("tp_btf/sys_exit")
int sys_process_vm(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    int number = (int)skep_arg(&call, 0);
    if (process_vm_is_own(call.task, number))
        return 0;
    struct skep_ev_process_vm *ev = skep_begin_call(&b, SKEP_KIND_process_vm, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->direction = call.form == SKEP_FORM_vm_write ? SKEP_DIR_OUT : SKEP_DIR_IN;
    ev->size = call.ret > 0 ? call.ret : 0;
    skep_find_target(&ev->target, number, call.task);
    return skep_hand_over(ctx, &b);
}

/* ---- signals ---- */

/* si_code: what the kernel fills in for kill, sigqueue and tkill */
#define SI_USER 0
#define SI_QUEUE (-1)
#define SI_TKILL (-6)
#define SIGCONT 18
/* enum in include/trace/events/signal.h: what became of the signal */
#define SIGNAL_DELIVERED 0
#define SIGNAL_IGNORED 1
#define SIGNAL_LOSE_INFO 4

/* SIGCONT wakes a stopped process also where it is ignored otherwise. */
static __always_inline bool signal_has_effect(int sig, int result)
{
    return result == SIGNAL_DELIVERED || result == SIGNAL_LOSE_INFO ||
           (result == SIGNAL_IGNORED && sig == SIGCONT);
}

/* Calls that let the caller choose any negative si_code for another process: rt_sigqueueinfo,
 * rt_tgsigqueueinfo and pidfd_send_signal, natively and in 32 bits. */
static __always_inline bool signal_call_sets_code(struct task_struct *t, bool compat)
{
    struct pt_regs *regs = SKEP_PLAIN(struct pt_regs, (struct pt_regs *)bpf_task_pt_regs(t));
    __u32 nr = (__u32)regs->orig_ax & ~SKEP_X32_BIT;
    if (nr == 424)
        return true;
    return compat ? nr == 178 || nr == 335 : nr == 129 || nr == 297;
}

/* Was it a process that sent this, and the one that runs now? Interrupts send signals too. */
static __always_inline bool signal_from_user(struct kernel_siginfo *info, struct task_struct *t, bool compat)
{
    if ((__u64)info < 4096) /* SEND_SIG_NOINFO, SEND_SIG_PRIV */
        return false;
    int code = BPF_CORE_READ(info, si_code);
    if (code == SI_USER || code == SI_QUEUE || code == SI_TKILL)
        return true;
    return code < 0 && signal_call_sets_code(t, compat);
}

SEC("tp_btf/signal_generate")
int signal_generate(__u64 *ctx)
{
    if (!skep_cfg.enabled[SKEP_KIND_signal])
        return 0;
    int sig = (int)ctx[0], result = (int)ctx[4];
    struct kernel_siginfo *info = (struct kernel_siginfo *)ctx[1];
    struct task_struct *target = SKEP_PLAIN(struct task_struct, (struct task_struct *)ctx[2]);
    struct task_struct *trusted = bpf_get_current_task_btf();
    struct task_struct *t = SKEP_PLAIN(struct task_struct, trusted);
    __u32 uid = target->cred->uid.val;
    if ((t->cred->uid.val == uid && t->cred->euid.val == uid) || t->tgid == target->tgid)
        return 0;
    if (!signal_has_effect(sig, result) || !signal_from_user(info, trusted, skep_task_in_compat(t)))
        return 0;
    struct skep_build b;
    struct skep_ev_signal *ev = skep_begin(&b, SKEP_KIND_signal, sizeof(*ev), t);
    if (!ev)
        return 0;
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->signal = sig;
    ev->group = (int)ctx[3] != 0;
    skep_fill_target(&ev->target, (__u64)target, t);
    ev->target_uid = uid;
    skep_submit(&b);
    return 0;
}
