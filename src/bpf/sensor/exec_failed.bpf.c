/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Executions that failed (execve, execveat): names that do not exist, files that may not be executed or are no
 * programs. Those that succeed make an exec (sensor/life.bpf.c) and are not looked at here, so that none is told
 * twice; one that fails when the old image is gone already ends the process, and is told here, too.
 */
#include "bpf/lib/lexical.h"
#include "bpf/lib/syscall.h"

#define EXEC_ARGS_MAX 256
#define EXEC_AT_EMPTY_PATH 0x1000

struct exec_args {
    struct skep_build *b;
    __u64 argv;
    __u32 start; /* in the record */
    bool compat;
};

/* The address of argument i; 0: there are no more, or it cannot be read. */
static __always_inline __u64 exec_arg_at(struct exec_args *x, __u32 i)
{
    __u64 at = 0;
    __u32 size = x->compat ? 4 : 8;
    if (bpf_probe_read_user(&at, size, (void *)(x->argv + (__u64)i * size)) == 0)
        return at;
    skep_mark(x->b, SKEP_HDR_FAULT);
    return 0;
}

static __noinline long exec_put_arg(__u32 i, void *data)
{
    struct exec_args *x = data;
    __u64 at = exec_arg_at(x, i);
    if (!at)
        return 1;
    if (i == EXEC_ARGS_MAX || x->b->s->len - x->start >= SKEP_ARGS_INLINE) {
        skep_mark(x->b, SKEP_HDR_TRUNCATED);
        return 1;
    }
    struct skep_slice s = skep_put_user_str(x->b, (void *)at);
    if (s.len >= SKEP_PATH_MAX - 1)
        skep_mark(x->b, SKEP_HDR_TRUNCATED);
    return !s.off;
}

static __always_inline struct skep_slice exec_put_args(struct skep_build *b, __u64 argv, bool compat)
{
    struct exec_args x = {.b = b, .argv = argv, .start = b->s->len, .compat = compat};
    if (!argv)
        return skep_no_slice();
    SKEP_LOOP(EXEC_ARGS_MAX + 1, exec_put_arg, &x);
    __u32 n = b->s->len - x.start;
    return n ? (struct skep_slice){x.start, n} : skep_no_slice();
}

SEC("tp_btf/sys_exit")
int sys_exec_failed(__u64 *ctx)
{
    struct skep_call call;
    struct skep_build b;
    struct skep_named named;
    skep_call_init(&call, ctx);
    if (call.ret >= 0)
        return 0;
    struct skep_ev_exec_failed *ev = skep_begin_call(&b, SKEP_KIND_exec_failed, sizeof(*ev), &call);
    if (!ev)
        return 0;
    bool at = call.form == SKEP_FORM_exec_at;
    ev->dirfd = at ? (int)skep_arg(&call, 0) : AT_FDCWD;
    ev->flags = at ? (__u32)skep_arg(&call, 4) : 0;
    ev->raw_path = skep_put_user_str(&b, (void *)(at ? skep_arg(&call, 1) : skep_arg(&call, 0)));
    if (ev->raw_path.off && !ev->raw_path.len && (ev->flags & EXEC_AT_EMPTY_PATH))
        skep_name_fd(&named, b.slot, ev->dirfd);
    else
        skep_name_lexical(&named, b.slot, ev->dirfd, ev->raw_path.off, ev->raw_path.len);
    ev->path = named.path;
    ev->path_source = named.source;
    ev->args = exec_put_args(&b, at ? skep_arg(&call, 2) : skep_arg(&call, 1), call.compat);
    return skep_hand_over(ctx, &b);
}
