/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_OPEN_H
#define SKEP_BPF_LIB_OPEN_H
/*
 * The arguments of open and its kin: shared by their handler and by the end of the filter stage, which puts the name as
 * it was given into a record that passed.
 */
#include "bpf/lib/lexical.h"
#include "bpf/lib/syscall.h"

#define O_CREAT_WRONLY_TRUNC 01101
#define O_CREAT_OR_TMPFILE 020000100 /* of O_TMPFILE the bit that no other flag has */

#define RESOLVE_IN_ROOT 0x10

struct skep_open_how {
    __u64 flags;
    __u64 mode;
    __u64 resolve;
};

struct skep_open_call {
    __u64 name; /* 0: none */
    __u32 flags;
    __u32 mode;
    __s32 dirfd;
    __u32 below; /* SKEP_NAME_BELOW: for openat2 the directory is the root, too */
};

static __always_inline void skep_open_decode(struct skep_open_call *o, const struct skep_call *call)
{
    struct skep_open_how how = {0};
    *o = (struct skep_open_call){.dirfd = AT_FDCWD};
    switch (call->form) {
    case SKEP_FORM_open:
        o->name = skep_arg(call, 0);
        o->flags = skep_arg(call, 1);
        o->mode = skep_arg(call, 2);
        return;
    case SKEP_FORM_creat:
        o->name = skep_arg(call, 0);
        o->flags = O_CREAT_WRONLY_TRUNC;
        o->mode = skep_arg(call, 1);
        return;
    case SKEP_FORM_open_handle:
        o->dirfd = (int)skep_arg(call, 0);
        o->flags = skep_arg(call, 2);
        return;
    case SKEP_FORM_openat2:
        bpf_probe_read_user(&how, sizeof(how), (void *)skep_arg(call, 2));
        o->flags = how.flags;
        o->mode = how.mode;
        if (how.resolve & RESOLVE_IN_ROOT)
            o->below = SKEP_NAME_BELOW;
        break;
    default:
        o->flags = skep_arg(call, 2);
        o->mode = skep_arg(call, 3);
    }
    o->dirfd = (int)skep_arg(call, 0);
    o->name = skep_arg(call, 1);
}

/* As the kernel takes it. Of a call that can make no file it is whatever stood in the register. */
static __always_inline __u32 skep_open_mode(const struct skep_open_call *o)
{
    return o->flags & O_CREAT_OR_TMPFILE ? o->mode & 07777 : 0;
}

/* Just the name. */
static __always_inline __u64 skep_open_name(const struct skep_call *call)
{
    switch (call->form) {
    case SKEP_FORM_open:
    case SKEP_FORM_creat:
        return skep_arg(call, 0);
    case SKEP_FORM_open_handle:
        return 0;
    }
    return skep_arg(call, 1);
}

static __always_inline bool skep_open_unwanted(const struct skep_open_call *o)
{
    __u32 n = skep_cfg.open_flags.n;
    if (n == 0)
        return false;
#pragma unroll
    for (__u32 i = 0; i < SKEP_FLAG_TESTS; i++)
        if (i < n && (o->flags & skep_cfg.open_flags.test[i].mask) == skep_cfg.open_flags.test[i].value)
            return false;
    return true;
}

/* Whether the name as it was given can wait; that of a call that failed cannot: its path is made from it. */
static __always_inline __u32 skep_open_late(struct skep_scratch_slot *s, const struct skep_call *call)
{
    if (!skep_cfg.late_raw_path || call->ret < 0)
        return SKEP_LATE_NO;
    if (!s->eager)
        return SKEP_LATE;
    s->eager--;
    return SKEP_LATE_NO;
}

/* What stood aside until the filter had passed the record. */
static __always_inline void skep_open_finish(struct skep_build *b, __u64 name)
{
    struct skep_ev_open *ev = (struct skep_ev_open *)b->s->record;
    ev->path = skep_put_far(b, ev->path);
    if (b->s->late)
        ev->raw_path = skep_put_user_str(b, (void *)name);
}
#endif
