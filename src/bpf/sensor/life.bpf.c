/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life cycle: fork, exec, exit, moves between cgroups, and the snapshot of what already runs. These
 * records go to the life cycle ring, unfiltered: the process table is built from them alone.
 */
#include "bpf/lib/cred.h"
#include "bpf/lib/image.h"
#include "bpf/lib/origin.h"

SEC("tp_btf/task_newtask")
int BPF_PROG(life_fork, struct task_struct *child, __u64 clone_flags)
{
    skep_cred_note(child);
    if (clone_flags & CLONE_THREAD)
        return 0;
    struct task_struct *parent = bpf_get_current_task_btf();
    struct skep_call_name call = skep_origin_current(parent);
    parent = SKEP_PLAIN(struct task_struct, parent);
    child = SKEP_PLAIN(struct task_struct, child);
    __u32 pid = child->tgid, parent_pid = parent->tgid;
    __u8 one = 1;
    if ((skep_cfg.scope & SKEP_SCOPE_TRACKED) && bpf_map_lookup_elem(&skep_tracked, &parent_pid))
        bpf_map_update_elem(&skep_tracked, &pid, &one, BPF_ANY);
    skep_cgroup_tell(skep_cgroup_get(child), child);

    struct skep_build b;
    struct skep_ev_fork *ev = skep_begin_life(&b, SKEP_KIND_fork, sizeof(*ev), parent);
    if (!ev)
        return 0;
    skep_origin_fill(&ev->h, call);
    skep_fill_task(&ev->task, child);
    ev->child.pid = pid;
    ev->child.ns_pid = ev->task.ns_pid;
    ev->pad_child_start = child->start_boottime;
    ev->pad_child_exec_id = (__u32)child->self_exec_id;
    ev->pad = 0;
    ev->flags = clone_flags;
    skep_submit(&b);
    return 0;
}

/* What raised the privileges: the new credentials are in place, the file tells why. */
static __always_inline __u32 life_gain_flags(const struct cred *cred, struct inode *inode, __u32 secure)
{
    __u32 mode = inode->i_mode, flags = 0;
    if ((mode & S_ISUID) && cred->euid.val == inode->i_uid.val && cred->euid.val != cred->uid.val)
        flags |= SKEP_EXEC_SETUID;
    if ((mode & S_ISGID) && cred->egid.val == inode->i_gid.val && cred->egid.val != cred->gid.val)
        flags |= SKEP_EXEC_SETGID;
    if (secure)
        flags |= SKEP_EXEC_SECURE;
    if (secure && !(flags & (SKEP_EXEC_SETUID | SKEP_EXEC_SETGID)) && cred->euid.val != 0 &&
        compat_cred_permitted(cred))
        flags |= SKEP_EXEC_FILECAPS;
    return flags;
}

struct piece_source {
    struct skep_hdr id; /* header of the exec record */
    __u64 start;        /* address of the whole */
    __u32 which;
    __u32 size;
};

struct piece {
    struct skep_ev_exec_data ev;
    char data[SKEP_CHUNK_SIZE];
};

struct piece_ctx {
    const struct piece_source *x;
    struct skep_counters *c;
};

/* One piece of args or environment, written straight into the ring. */
static __noinline long life_emit_piece(__u32 i, void *data)
{
    struct piece_ctx *p = data;
    const struct piece_source *x = p->x;
    struct skep_counters *c = p->c;
    __u32 offset = SKEP_ARGS_INLINE + i * SKEP_CHUNK_SIZE;
    if (offset >= x->size)
        return 1;
    __u32 n = x->size - offset;
    if (n > SKEP_CHUNK_SIZE)
        n = SKEP_CHUNK_SIZE;
    SKEP_COUNT(c->seen);
    struct skep_ring_state *st = skep_ring_state_of(x->id.cpu, true);
    __u64 seq = __sync_fetch_and_add(&st->seq, 1);
    struct piece *r = bpf_ringbuf_reserve(&skep_life, sizeof(*r), 0);
    if (!r) {
        SKEP_COUNT(c->lost[SKEP_LOST_ring_full]);
        SKEP_COUNT(st->lost);
        return 1;
    }
    r->ev.h = x->id;
    r->ev.h.kind = SKEP_KIND_exec_data;
    r->ev.h.len = sizeof(*r);
    r->ev.h.flags = 0;
    r->ev.h.seq = seq;
    r->ev.of_seq = x->id.seq;
    r->ev.which = x->which;
    r->ev.offset = offset;
    r->ev.data.off = sizeof(r->ev);
    r->ev.data.len = n;
    if (bpf_probe_read_user(r->data, n, (void *)(x->start + offset)) < 0) {
        r->ev.data.len = 0;
        r->ev.h.flags = SKEP_HDR_FAULT;
    }
    bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
    SKEP_COUNT(c->submitted);
    return 0;
}

/* Global, so that the verifier walks the loop once and not once for each state of the caller. */
__noinline int life_emit_pieces(const struct piece_source *x)
{
    struct piece_ctx p = {.x = x, .c = skep_counters_of(SKEP_KIND_exec_data)};
    if (!x || !p.c)
        return 0;
    SKEP_LOOP((SKEP_EXEC_DATA_MAX - SKEP_ARGS_INLINE) / SKEP_CHUNK_SIZE, life_emit_piece, &p);
    return 0;
}

/* 5c5fad46e48c ("tracing: Add sched_prepare_exec tracepoint", 6.10) */
SEC("tp_btf/sched_prepare_exec")
int note_exec_call(__u64 *ctx)
{
    skep_origin_note_exec();
    return 0;
}

/* The function that the tracepoint stands in. */
SEC("fentry/begin_new_exec")
int note_exec_call_fn(__u64 *ctx)
{
    skep_origin_note_exec();
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(life_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
{
    struct skep_cred_note before;
    skep_cred_before(t, &before);
    skep_cred_note(t);
    t = SKEP_PLAIN(struct task_struct, t);
    bprm = SKEP_PLAIN(struct linux_binprm, bprm);
    skep_cgroup_tell(skep_cgroup_get(t), t);
    struct skep_build b;
    struct skep_ev_exec *ev = skep_begin_life(&b, SKEP_KIND_exec, sizeof(*ev), t);
    if (!ev)
        return 0;
    skep_origin_fill(&ev->h, skep_origin_of_exec(&before, bprm));
    skep_fill_task(&ev->task, t);
    skep_zero((void *)ev + offsetof(struct skep_ev_exec, image),
              sizeof(*ev) - offsetof(struct skep_ev_exec, image));

    struct fs_struct *fs = t->fs;
    struct mm_struct *mm = t->mm;
    struct file *exe = bprm->file;
    if (exe) {
        struct inode *inode = exe->f_inode;
        ev->image.exe = skep_put_file_path(&b, exe, fs);
        ev->inode = inode->i_ino;
        ev->dev = inode->i_sb->s_dev;
        ev->mode = inode->i_mode & 07777;
        ev->owner = inode->i_uid.val;
        __u32 flags = skep_image_file_flags(exe);
        skep_image_file(&ev->image, exe, t->cred, flags);
        ev->flags = flags | life_gain_flags(t->cred, inode, BPF_CORE_READ_BITFIELD(bprm, secureexec));
    }
    ev->image.cwd = skep_put_cwd(&b, fs);
    ev->old_uid = before.euid;
    ev->raw_path = skep_put_kernel_str(&b, bprm->filename);
    if (bprm->interp != bprm->filename) {
        ev->flags |= SKEP_EXEC_SCRIPT;
        ev->script = ev->raw_path;
    }
    skep_fill_fd(&b, &ev->stdin, t, 0);
    skep_fill_fd(&b, &ev->stdout, t, 1);

    __u64 args = 0, env = 0;
    if (mm) {
        args = mm->arg_start;
        env = mm->env_start;
        ev->image.args_size = skep_span(args, mm->arg_end);
        ev->image.env_size = skep_span(env, mm->env_end);
    }
    __u32 n = ev->image.args_size;
    ev->image.args = skep_put_user(&b, (void *)args, n < SKEP_ARGS_INLINE ? n : SKEP_ARGS_INLINE);
    n = ev->image.env_size;
    ev->image.env = skep_put_user(&b, (void *)env, n < SKEP_ARGS_INLINE ? n : SKEP_ARGS_INLINE);

    __u32 args_size = ev->image.args_size, env_size = ev->image.env_size;
    if (args_size > SKEP_EXEC_DATA_MAX)
        ev->flags |= SKEP_EXEC_ARGS_TRUNCATED;
    if (env_size > SKEP_EXEC_DATA_MAX)
        ev->flags |= SKEP_EXEC_ENV_TRUNCATED;
    ev->image.args_captured = args_size < SKEP_EXEC_DATA_MAX ? args_size : SKEP_EXEC_DATA_MAX;
    ev->image.env_captured = env_size < SKEP_EXEC_DATA_MAX ? env_size : SKEP_EXEC_DATA_MAX;

    if (args_size <= SKEP_ARGS_INLINE && env_size <= SKEP_ARGS_INLINE) {
        skep_submit(&b);
        return 0;
    }
    struct piece_source x = {.start = args, .size = args_size};
    bool sent = skep_submit(&b);
    __builtin_memcpy(&x.id, &ev->h, sizeof(x.id));
    if (!sent)
        return 0;
    life_emit_pieces(&x);
    x.start = env;
    x.size = env_size;
    x.which = 1;
    life_emit_pieces(&x);
    return 0;
}

/* When the last threads end at the same time, each of them finds that none is left: the first one tells. */
static __always_inline bool life_told_exit(struct task_struct *t)
{
    struct skep_ended_key key = {.start = t->group_leader->start_boottime, .pid = t->tgid};
    __u8 one = 1;
    if (t->signal->nr_threads < 2) /* the only one, or those before are gone by now */
        return bpf_map_lookup_elem(&skep_ended, &key) != NULL;
    /* as int: d7ba4cc900bf ("bpf: return long from bpf_map_ops funcs", 6.4) made the upper half defined */
    return (int)bpf_map_update_elem(&skep_ended, &key, &one, BPF_NOEXIST) == -17; /* EEXIST */
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(life_exit, struct task_struct *t)
{
    t = SKEP_PLAIN(struct task_struct, t);
    struct signal_struct *signal = t->signal;
    if (signal->live.counter != 0 || life_told_exit(t)) /* other threads go on, or told it */
        return 0;
    __u32 pid = t->tgid;
    if (skep_cfg.scope & SKEP_SCOPE_TRACKED)
        bpf_map_delete_elem(&skep_tracked, &pid);
    struct skep_build b;
    struct skep_ev_exit *ev = skep_begin_life(&b, SKEP_KIND_exit, sizeof(*ev), t);
    if (!ev)
        return 0;
    int code = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : t->exit_code;
    ev->code = (code >> 8) & 0xff;
    ev->signal = code & 0x7f;
    ev->core = !!(code & 0x80);
    skep_zero(ev->pad, sizeof(ev->pad));
    ev->duration = ev->h.time - ev->h.start;
    skep_submit(&b);
    return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(life_cgroup, struct cgroup *c, const char *path, struct task_struct *t)
{
    /* before the task is seen in it, so that its next event finds the path known */
    skep_cgroup_tell(SKEP_PLAIN(struct cgroup, c), SKEP_PLAIN(struct task_struct, t));
    return 0;
}
