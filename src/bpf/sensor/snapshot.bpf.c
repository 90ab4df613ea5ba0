/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The snapshot: every process that runs, as records in the stream of a task iterator. It sleeps where it reads
 * the arguments of other processes; where the kernel has no sleepable iterator, the plain one does without
 * them.
 */
#include "bpf/lib/cred.h"
#include "bpf/lib/image.h"

/* Appends up to SKEP_ARGS_INLINE bytes of another task's memory. */
static __always_inline struct skep_slice snapshot_put_remote(struct skep_build *b, struct task_struct *t,
                                                             __u64 from, __u32 len)
{
    __u32 off;
    char *to = skep_tail(b, &off);
    if (!to || !len)
        return skep_no_slice();
    barrier_var(len);
    if (len > SKEP_ARGS_INLINE)
        len = SKEP_ARGS_INLINE;
    if (bpf_copy_from_user_task(to, len, (void *)from, t, 0) < 0) {
        skep_mark(b, SKEP_HDR_FAULT);
        return skep_no_slice();
    }
    b->s->len = off + len;
    return (struct skep_slice){off, len};
}

static __always_inline void snapshot_fill(struct skep_build *b, struct skep_ev_process *ev,
                                          struct task_struct *t, struct task_struct *trusted, bool with_args)
{
    struct fs_struct *fs = t->fs;
    struct mm_struct *mm = t->mm;
    if (!mm) {
        ev->flags = t->flags & PF_KTHREAD ? SKEP_EXEC_KTHREAD : 0;
        return;
    }
    ev->image.args_size = skep_span(mm->arg_start, mm->arg_end);
    ev->image.env_size = skep_span(mm->env_start, mm->env_end);
    struct file *exe = mm->exe_file;
    if (exe) {
        struct inode *inode = exe->f_inode;
        ev->image.exe = skep_put_file_path(b, exe, fs);
        ev->inode = inode->i_ino;
        ev->dev = inode->i_sb->s_dev;
        ev->flags = skep_image_file_flags(exe);
        skep_image_file(&ev->image, exe, t->cred, ev->flags);
    }
    ev->image.cwd = skep_put_cwd(b, fs);
    if (!with_args)
        return;
    ev->image.args = snapshot_put_remote(b, trusted, mm->arg_start, ev->image.args_size);
    ev->image.env = snapshot_put_remote(b, trusted, mm->env_start, ev->image.env_size);
    ev->image.args_captured = ev->image.args.len;
    ev->image.env_captured = ev->image.env.len;
    if (ev->image.args_captured < ev->image.args_size)
        ev->flags |= SKEP_EXEC_ARGS_TRUNCATED;
    if (ev->image.env_captured < ev->image.env_size)
        ev->flags |= SKEP_EXEC_ENV_TRUNCATED;
}

/* A record that is not counted yet: the iterator shows a task again when its buffer was full. */
static __always_inline void *snapshot_begin(struct skep_build *b, __u32 kind, __u32 size,
                                            struct task_struct *t)
{
    struct skep_hdr *h = skep_claim(b, kind, size, true);
    if (!h)
        return NULL;
    skep_hdr_time(h);
    skep_hdr_task(h, t);
    h->seq = 0;
    skep_zero((char *)h + sizeof(*h), size - sizeof(*h));
    return h;
}

static __always_inline bool snapshot_write(struct skep_build *b, struct seq_file *seq)
{
    __u32 len = (b->s->len + 7) & ~7U;
    long r = -1;
    barrier_var(len);
    if (len <= SKEP_RECORD_MAX) {
        skep_hdr(b)->len = len;
        r = bpf_seq_write(seq, b->s->record, len);
    }
    skep_scratch_release(b->s);
    return r == 0;
}

static __always_inline void snapshot_count(__u32 kind)
{
    struct skep_counters *c = skep_counters_of(kind);
    if (!c)
        return;
    SKEP_COUNT(c->seen);
    SKEP_COUNT(c->submitted);
}

static __always_inline int snapshot_task(struct bpf_iter__task *ctx, bool with_args)
{
    struct task_struct *trusted = ctx->task;
    if (!trusted)
        return 0;
    skep_cred_note_first(trusted);
    struct task_struct *t = SKEP_PLAIN(struct task_struct, trusted);
    if (t->pid != t->tgid)
        return 0;
    struct skep_build b;
    struct cgroup *c = skep_cgroup_get(t);
    struct skep_ev_cgroup *cg = c ? snapshot_begin(&b, SKEP_KIND_cgroup, sizeof(*cg), t) : NULL;
    if (cg) {
        cg->id = skep_cgroup_id(c);
        cg->path = skep_put_cgroup_path(&b, c);
        if (!snapshot_write(&b, ctx->meta->seq))
            return 0;
    }
    struct skep_ev_process *ev = snapshot_begin(&b, SKEP_KIND_process, sizeof(*ev), t);
    if (!ev)
        return 0;
    skep_fill_task(&ev->task, t);
    if (t->signal->live.counter == 0)
        ev->flags = SKEP_EXEC_ZOMBIE;
    else
        snapshot_fill(&b, ev, t, trusted, with_args);
    if (!snapshot_write(&b, ctx->meta->seq))
        return 0;
    snapshot_count(SKEP_KIND_process);
    if (cg)
        snapshot_count(SKEP_KIND_cgroup);
    return 0;
}

SEC("iter.s/task")
int life_snapshot(struct bpf_iter__task *ctx)
{
    return snapshot_task(ctx, true);
}

SEC("iter/task")
int life_snapshot_plain(struct bpf_iter__task *ctx)
{
    return snapshot_task(ctx, false);
}
