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
    __u32 pid;   /* as the tracer names it */
    __u64 found; /* struct task_struct */
};

static __noinline long ptrace_turn(__u32 i, void *data)
{
    struct ptrace_search *x = data;
    if (x->entry == x->head || !x->entry)
        return 1;
    __u64 task = x->entry - bpf_core_field_offset(struct task_struct, ptrace_entry);
    __u64 pid = (__u64)BPF_CORE_READ((struct task_struct *)task, thread_pid);
    if (SKEP_READ(struct task_struct, task, pid) == x->pid || skep_pid_inner(pid) == x->pid) {
        x->found = task;
        return 1;
    }
    x->entry = (__u64)SKEP_READ(struct list_head, x->entry, next);
    return 0;
}

static __always_inline __u64 ptrace_find(struct task_struct *tracer, __u32 pid)
{
    struct ptrace_search x = {.pid = pid};
    x.head = (__u64)tracer + bpf_core_field_offset(struct task_struct, ptraced);
    x.entry = (__u64)BPF_CORE_READ(tracer, ptraced.next);
    SKEP_LOOP(PTRACE_LIST_MAX, ptrace_turn, &x);
    return x.found;
}

/* The same as skep_fill_target() for an address. */
static __always_inline void ptrace_fill_target(struct skep_target *to, __u64 task)
{
    const struct cred *cred = SKEP_READ(struct task_struct, task, cred);
    struct task_struct *leader = SKEP_READ(struct task_struct, task, group_leader);
    to->pid = SKEP_READ(struct task_struct, task, tgid);
    to->uid = SKEP_READ(struct cred, cred, uid.val);
    to->pad_start = SKEP_READ(struct task_struct, leader, start_boottime);
    bpf_probe_read_kernel(to->comm, sizeof(to->comm), (void *)task + bpf_core_field_offset(struct task_struct, comm));
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
    ev->addr = skep_arg(&call, 2);
    ev->data = skep_arg(&call, 3);
    ev->target.uid = (__u32)-1;
    if (request == PTRACE_TRACEME) {
        skep_fill_target(&ev->target, call.task);
    } else {
        ev->target.pid = (__u32)skep_arg(&call, 1);
        __u64 target = ptrace_find(call.task, ev->target.pid);
        if (target)
            ptrace_fill_target(&ev->target, target);
    }
    skep_submit(&b);
    return 0;
}

SEC("tp_btf/sys_exit")
int sys_process_vm(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    skep_call_init(&call, ctx);
    struct skep_ev_process_vm *ev = skep_begin_call(&b, SKEP_KIND_process_vm, sizeof(*ev), &call);
    if (!ev)
        return 0;
    ev->direction = call.form == SKEP_FORM_vm_write ? SKEP_DIR_OUT : SKEP_DIR_IN;
    ev->target.pid = (__u32)skep_arg(&call, 0);
    ev->target.uid = (__u32)-1;
    ev->size = call.ret > 0 ? call.ret : 0;
    skep_submit(&b);
    return 0;
}

/* si_code of signals that a process sends: SI_USER, SI_QUEUE, SI_TKILL */
static __always_inline bool signal_from_user(struct kernel_siginfo *info)
{
    if ((__u64)info < 4096) /* SEND_SIG_NOINFO, SEND_SIG_PRIV */
        return false;
    int code = BPF_CORE_READ(info, si_code);
    return code == 0 || code == -1 || code == -6;
}

SEC("tp_btf/signal_generate")
int signal_generate(__u64 *ctx)
{
    if (!skep_cfg.enabled[SKEP_KIND_signal])
        return 0;
    int sig = (int)ctx[0];
    struct kernel_siginfo *info = (struct kernel_siginfo *)ctx[1];
    struct task_struct *target = SKEP_PLAIN(struct task_struct, (struct task_struct *)ctx[2]);
    struct task_struct *t = SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf());
    if (t->cred->uid.val == target->cred->uid.val || !signal_from_user(info))
        return 0;
    struct skep_build b;
    struct skep_ev_signal *ev = skep_begin(&b, SKEP_KIND_signal, sizeof(*ev), t);
    if (!ev)
        return 0;
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->signal = sig;
    ev->group = (int)ctx[3] != 0;
    skep_fill_target(&ev->target, target);
    ev->target_uid = ev->target.uid;
    skep_submit(&b);
    return 0;
}
