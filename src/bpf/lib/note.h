/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_NOTE_H
#define SKEP_BPF_LIB_NOTE_H
/*
 * Notes: what the kernel found for the paths of a call, written down while the call runs. When it returns, a
 * removed name has no object any more, and none that was named by a path can be reached without looking it up
 * again. So a program on the hook inside the call (sensor/note.bpf.c) walks the dentry and leaves path, inode
 * and device here, and the handler of the call takes them. Where the kernel has no such hooks for us, or the
 * call failed before it came to them, there is no note, and the path is made from names.
 *
 * A note is written only for a thread inside a system call whose handler waits for it, and belongs to that
 * call: thread, kind and saved registers must agree when it is taken. So neither a note whose handler did not
 * run nor one made by the kernel's own work (io_uring, nfsd) is ever taken for another call's.
 *
 * Slots are few, since only calls in flight need one. A thread tries SKEP_NOTE_TRIES of them, from one that
 * its number gives; a note that nobody took for SKEP_NOTE_STALE may be replaced. A slot's owner word is the
 * lock: free, a thread's number, or busy while one program writes or reads it, for which it runs through.
 */
#include "bpf/lib/lexical.h"
#include "bpf/lib/syscall.h"

#define SKEP_NOTE_SLOTS 64 /* a power of two */
#define SKEP_NOTE_TRIES 4
#define SKEP_NOTE_STALE 10000000000ULL
#define SKEP_NOTE_FREE 0
#define SKEP_NOTE_BUSY ~0ULL

struct skep_note {
    __u64 owner;
    __u64 start; /* of the thread */
    __u64 call;  /* skep_call_identity() */
    __u64 time;
    __u64 inode;
    __u32 dev;
    __u32 kind;
    /* The name that the call makes: its inode is there only afterwards. 0: none. */
    __u64 made_dentry;
    __u64 made_parent;
    __u64 made_hash;
    __u32 truncated;
    __u32 len[2]; /* of path and target */
    __u32 pad;
    char text[2][SKEP_PATH_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SKEP_NOTE_SLOTS);
    __type(key, __u32);
    __type(value, struct skep_note);
} skep_notes SEC(".maps");

static __always_inline struct skep_note *skep_note_slot(__u32 tid, __u32 turn)
{
    __u32 at = (tid + turn) & (SKEP_NOTE_SLOTS - 1);
    return bpf_map_lookup_elem(&skep_notes, &at);
}

static __always_inline bool skep_note_lock(struct skep_note *n, __u64 owner)
{
    return __sync_val_compare_and_swap(&n->owner, owner, SKEP_NOTE_BUSY) == owner;
}

static __always_inline void skep_note_unlock(struct skep_note *n, __u64 owner)
{
    __sync_lock_test_and_set(&n->owner, owner);
}

/* Tells calls of one thread apart, as far as its registers do. */
static __always_inline __u64 skep_call_identity(struct pt_regs *r)
{
    __u64 x = r->ip ^ (r->sp << 1) ^ ((__u64)r->orig_ax << 48);
    x = x * 31 + r->di;
    x = x * 31 + r->si;
    x = x * 31 + r->dx;
    x = x * 31 + r->r10;
    x = x * 31 + r->bx;
    return x * 31 + r->bp;
}

/* Gives a locked slot for the calling thread, or NULL. */
static __always_inline struct skep_note *skep_note_claim(__u32 tid, __u64 now)
{
#pragma unroll
    for (int i = 0; i < SKEP_NOTE_TRIES; i++) {
        struct skep_note *n = skep_note_slot(tid, i);
        if (!n)
            return NULL;
        __u64 owner = *(volatile __u64 *)&n->owner;
        bool usable = owner == SKEP_NOTE_FREE || owner == tid ||
                      (owner != SKEP_NOTE_BUSY && n->time + SKEP_NOTE_STALE < now);
        if (usable && skep_note_lock(n, owner))
            return n;
    }
    return NULL;
}

/* Locks the note of the calling thread's call, gives 1 + its slot, or 0; what it left from other calls goes. */
__weak __noinline __u64 skep_note_take(__u32 kind)
{
    struct task_struct *t = bpf_get_current_task_btf();
    __u64 call = skep_call_identity(SKEP_PLAIN(struct pt_regs, (struct pt_regs *)bpf_task_pt_regs(t)));
    __u64 start = t->start_boottime, found = 0;
    __u32 tid = t->pid;
#pragma unroll
    for (int i = 0; i < SKEP_NOTE_TRIES; i++) {
        struct skep_note *n = skep_note_slot(tid, i);
        if (!n)
            break;
        if (*(volatile __u64 *)&n->owner != tid || !skep_note_lock(n, tid))
            continue;
        if (!found && n->kind == kind && n->start == start && n->call == call)
            found = 1 + ((tid + i) & (SKEP_NOTE_SLOTS - 1));
        else
            skep_note_unlock(n, SKEP_NOTE_FREE);
    }
    return found;
}

/* Inode of the name that the call made, if it is still what the note says. */
static __always_inline __u64 skep_note_made(const struct skep_note *n)
{
    struct dentry *d = (struct dentry *)n->made_dentry;
    if (!d || (__u64)SKEP_READ(struct dentry, d, d_parent) != n->made_parent ||
        SKEP_READ(struct dentry, d, d_name.hash) != n->made_hash)
        return 0;
    struct inode *inode = SKEP_READ(struct dentry, d, d_inode);
    return inode ? SKEP_READ(struct inode, inode, i_ino) : 0;
}

/*
 * Moves the note of the calling thread's call into the record: path to the first, and target, where there is
 * one, to the second. 0: there is no note.
 */
__weak __noinline int skep_note_put(struct skep_named *path, struct skep_named *target, __u32 slot,
                                    __u32 kind)
{
    struct skep_build b;
    __u32 at = skep_note_take(kind) - 1;
    struct skep_note *n = bpf_map_lookup_elem(&skep_notes, &at);
    if (!n || !path || !skep_build_again(&b, slot))
        return 0;
    *path = (struct skep_named){.dev = n->dev, .inode = n->inode, .source = SKEP_PATH_OBJECT};
    path->path = skep_put_kernel(&b, n->text[0], n->len[0]);
    if (n->made_dentry && skep_hdr(&b)->ret >= 0)
        path->inode = skep_note_made(n);
    if (target) {
        *target = (struct skep_named){.source = SKEP_PATH_OBJECT};
        target->path = skep_put_kernel(&b, n->text[1], n->len[1]);
    }
    if (n->truncated)
        skep_mark(&b, SKEP_HDR_TRUNCATED);
    skep_note_unlock(n, SKEP_NOTE_FREE);
    return 1;
}
#endif
