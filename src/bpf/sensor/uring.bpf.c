/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operations submitted through io_uring, which make no system call of their own. Seen when the kernel takes
 * them in and has copied their arguments, before they run.
 */
#include "bpf/lib/file.h"
#include "bpf/lib/sock.h"

/* include/uapi/linux/io_uring.h */
enum {
    URING_OP_CONNECT = 16,
    URING_OP_OPENAT = 18,
    URING_OP_OPENAT2 = 28,
    URING_OP_RENAMEAT = 35,
    URING_OP_UNLINKAT = 36,
    URING_OP_MKDIRAT = 37,
    URING_OP_SYMLINKAT = 38,
    URING_OP_LINKAT = 39,
};
#define URING_SETUP_SQPOLL 2

static __always_inline struct skep_slice uring_put_name(struct skep_build *b, struct filename *name)
{
    return name ? skep_put_kernel_str(b, BPF_CORE_READ(name, name)) : skep_no_slice();
}

static __always_inline void uring_fill_remote(struct skep_endpoint *to, struct io_connect *c)
{
    struct skep_sockaddr name = {.addr = (__u64)BPF_CORE_READ(c, addr), .len = BPF_CORE_READ(c, addr_len)};
    skep_sockaddr_read(&name);
    *to = name.at;
}

static __always_inline void uring_fill_names(struct skep_build *b, struct skep_ev_uring *ev, struct io_kiocb *req)
{
    switch (ev->op) {
    case URING_OP_OPENAT:
    case URING_OP_OPENAT2:
        ev->path = uring_put_name(b, BPF_CORE_READ((struct io_open *)req, filename));
        ev->open_flags = (__u32)BPF_CORE_READ((struct io_open *)req, how.flags);
        break;
    case URING_OP_UNLINKAT:
        ev->path = uring_put_name(b, BPF_CORE_READ((struct io_unlink *)req, filename));
        break;
    case URING_OP_MKDIRAT:
        ev->path = uring_put_name(b, BPF_CORE_READ((struct io_mkdir *)req, filename));
        break;
    case URING_OP_RENAMEAT:
        ev->path = uring_put_name(b, BPF_CORE_READ((struct io_rename *)req, oldpath));
        ev->target = uring_put_name(b, BPF_CORE_READ((struct io_rename *)req, newpath));
        break;
    case URING_OP_SYMLINKAT:
    case URING_OP_LINKAT:
        ev->path = uring_put_name(b, BPF_CORE_READ((struct io_link *)req, oldpath));
        ev->target = uring_put_name(b, BPF_CORE_READ((struct io_link *)req, newpath));
        break;
    case URING_OP_CONNECT:
        uring_fill_remote(&ev->remote, (struct io_connect *)req);
        break;
    }
}

/* Operations on names keep other things where the file would stand. */
static __always_inline bool uring_has_file(__u32 op)
{
    return op != URING_OP_OPENAT && op != URING_OP_OPENAT2 && op < URING_OP_RENAMEAT;
}

static __always_inline int uring_submitted(struct io_kiocb *req)
{
    struct task_struct *t = SKEP_PLAIN(struct task_struct, bpf_get_current_task_btf());
    struct skep_build b;
    struct skep_ev_uring *ev = skep_begin(&b, SKEP_KIND_uring, sizeof(*ev), t);
    if (!ev)
        return 0;
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->op = BPF_CORE_READ(req, opcode);
    ev->user_data = BPF_CORE_READ(req, cqe.user_data);
    ev->sqpoll = !!(BPF_CORE_READ(req, ctx, flags) & URING_SETUP_SQPOLL);
    ev->fd.num = -1;
    uring_fill_names(&b, ev, req);
    struct file *f = uring_has_file(ev->op) ? BPF_CORE_READ(req, file) : NULL;
    if (f) {
        struct inode *inode = SKEP_READ(struct file, f, f_inode);
        struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
        ev->fd.kind =
            skep_inode_kind(SKEP_READ(struct inode, inode, i_mode), SKEP_READ(struct super_block, sb, s_magic));
        ev->fd.name = skep_put_file_path(&b, f, t->fs);
    }
    skep_submit(&b);
    return 0;
}

SEC("tp_btf/io_uring_submit_req")
int uring_submit_req(__u64 *ctx)
{
    return uring_submitted((struct io_kiocb *)ctx[0]);
}

/* The tracepoint's name before 2ad57931db64 ("io_uring: rename trace_io_uring_submit_sqe() tracepoint", 6.4). */
SEC("tp_btf/io_uring_submit_sqe")
int uring_submit_sqe(__u64 *ctx)
{
    return uring_submitted((struct io_kiocb *)ctx[0]);
}
