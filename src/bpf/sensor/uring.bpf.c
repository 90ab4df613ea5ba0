/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operations submitted through io_uring, which make no system call of their own. Seen when the kernel takes
 * them in and has copied their arguments, before they run: what became of them is not known here.
 */
#include "bpf/lib/lexical.h"

/* include/uapi/linux/io_uring.h */
enum {
    URING_OP_CONNECT = 16,
    URING_OP_OPENAT = 18,
    URING_OP_CLOSE = 19,
    URING_OP_OPENAT2 = 28,
    URING_OP_RENAMEAT = 35,
    URING_OP_UNLINKAT = 36,
    URING_OP_MKDIRAT = 37,
    URING_OP_SYMLINKAT = 38,
    URING_OP_LINKAT = 39,
    URING_OP_BIND = 56,
};
#define URING_SETUP_SQPOLL 2
#define URING_SQE_FLAGS 0x7f /* the lowest bits of a request's flags are those that the caller gave */
#define URING_SQE_FIXED_FILE 1
#define URING_ADDRESS_MAX 128

/* Operations that work on a file given by number, one bit each; the others keep something else in its place. */
#define URING_FILE_OPS                                                                                       \
    (1ULL << 1 | 1ULL << 2 | 1ULL << 3 | 1ULL << 4 | 1ULL << 5 | 1ULL << 6 | 1ULL << 8 | 1ULL << 9 |         \
     1ULL << 10 | 1ULL << 13 | 1ULL << 16 | 1ULL << 17 | 1ULL << 22 | 1ULL << 23 | 1ULL << 24 | 1ULL << 26 | \
     1ULL << 27 | 1ULL << 30 | 1ULL << 33 | 1ULL << 34 | 1ULL << 40 | 1ULL << 41 | 1ULL << 43 | 1ULL << 46 | \
     1ULL << 47 | 1ULL << 48 | 1ULL << 49 | 1ULL << 54 | 1ULL << 55 | 1ULL << 56 | 1ULL << 57 | 1ULL << 58 | \
     1ULL << 59 | 1ULL << 60 | 1ULL << 61)

/* Names of an operation, as addresses of struct filename; 0: none. */
struct uring_names {
    __u64 path, target;
    int dirfd, target_dirfd;
    __u32 open_flags;
    bool link_text; /* the target is no path, but what a symbolic link says */
};

static __always_inline void uring_names_of(struct uring_names *n, __u32 op, __u64 req)
{
    switch (op) {
    case URING_OP_OPENAT:
    case URING_OP_OPENAT2:
        n->path = COMPAT_URING_NAME(io_open, req, filename);
        n->dirfd = SKEP_READ(struct io_open, req, dfd);
        n->open_flags = SKEP_READ(struct io_open, req, how.flags);
        return;
    case URING_OP_UNLINKAT:
        n->path = COMPAT_URING_NAME(io_unlink, req, filename);
        n->dirfd = SKEP_READ(struct io_unlink, req, dfd);
        return;
    case URING_OP_MKDIRAT:
        n->path = COMPAT_URING_NAME(io_mkdir, req, filename);
        n->dirfd = SKEP_READ(struct io_mkdir, req, dfd);
        return;
    case URING_OP_RENAMEAT:
        n->path = COMPAT_URING_NAME(io_rename, req, oldpath);
        n->dirfd = SKEP_READ(struct io_rename, req, old_dfd);
        n->target = COMPAT_URING_NAME(io_rename, req, newpath);
        n->target_dirfd = SKEP_READ(struct io_rename, req, new_dfd);
        return;
    case URING_OP_LINKAT:
        n->path = COMPAT_URING_NAME(io_link, req, oldpath);
        n->dirfd = SKEP_READ(struct io_link, req, old_dfd);
        n->target = COMPAT_URING_NAME(io_link, req, newpath);
        n->target_dirfd = SKEP_READ(struct io_link, req, new_dfd);
        return;
    case URING_OP_SYMLINKAT:
        n->path = COMPAT_URING_NAME(io_link, req, newpath);
        n->dirfd = SKEP_READ(struct io_link, req, new_dfd);
        n->target = COMPAT_URING_NAME(io_link, req, oldpath);
        n->link_text = true;
    }
}

static __always_inline struct skep_slice uring_put_name(struct skep_build *b, __u64 name)
{
    return skep_put_kernel_str(b, SKEP_READ(struct filename, name, name));
}

static __always_inline void uring_fill_names(struct skep_build *b, struct skep_ev_uring *ev, __u64 req)
{
    struct uring_names n = {0};
    struct skep_named named;
    uring_names_of(&n, ev->op, req);
    if (!n.path)
        return;
    ev->open_flags = n.open_flags;
    ev->raw_path = uring_put_name(b, n.path);
    skep_name_lexical(&named, b->slot, n.dirfd, ev->raw_path.off, ev->raw_path.len);
    ev->path = named.path;
    ev->path_source = named.source;
    if (!n.target)
        return;
    ev->raw_target = uring_put_name(b, n.target);
    if (n.link_text)
        return;
    skep_name_lexical(&named, b->slot, n.target_dirfd, ev->raw_target.off, ev->raw_target.len);
    ev->target = named.path;
}

struct uring_address {
    __u16 family;
    __u16 port;
    union {
        struct {
            __u32 ip4_or_flow;
            __u8 ip6[16];
            __u32 scope;
        };
        char path[URING_ADDRESS_MAX - 4]; /* of a unix socket; begins where the port is */
    };
};

static __always_inline void uring_put_unix(struct skep_build *b, struct skep_ev_uring *ev,
                                           struct uring_address *sa, __u32 len)
{
    char *path = (char *)&sa->port;
    if (len <= 2)
        return;
    if (path[0]) {
        ev->path = skep_put_kernel_str(b, path);
    } else {
        path[0] = '@';
        ev->path = skep_put_kernel(b, path, len - 2);
    }
}

static __always_inline void uring_fill_address(struct skep_build *b, struct skep_ev_uring *ev,
                                               struct io_kiocb *req)
{
    struct uring_address sa = {0};
    __u64 kernel = compat_uring_address(req);
    __u32 len;
    if (ev->op == URING_OP_BIND && bpf_core_type_exists(struct io_bind)) {
        len = SKEP_READ(struct io_bind, req, addr_len);
        barrier_var(len);
    } else {
        len = SKEP_READ(struct io_connect, req, addr_len);
    }
    barrier_var(len);
    if (len > sizeof(sa))
        len = sizeof(sa);
    long r = kernel ? bpf_probe_read_kernel(&sa, len, (void *)kernel)
                    : bpf_probe_read_user(&sa, len, SKEP_READ(struct io_connect, req, addr));
    if (r < 0) {
        skep_mark(b, SKEP_HDR_FAULT);
        return;
    }
    struct skep_endpoint *to = ev->op == URING_OP_BIND ? &ev->local : &ev->remote;
    if (sa.family == AF_INET) {
        __builtin_memcpy(to->ip, &sa.ip4_or_flow, 4);
    } else if (sa.family == AF_INET6) {
        __builtin_memcpy(to->ip, sa.ip6, 16);
        to->scope = sa.scope;
    } else {
        if (sa.family == AF_UNIX)
            uring_put_unix(b, ev, &sa, len);
        return;
    }
    to->family = sa.family;
    to->port = __builtin_bswap16(sa.port);
}

static __always_inline void uring_fill_file(struct skep_build *b, struct skep_ev_uring *ev,
                                            struct io_kiocb *req, struct task_struct *t)
{
    ev->fd.num = -1;
    if (ev->op == URING_OP_CLOSE) {
        ev->fd.num = SKEP_READ(struct io_close, req, fd);
        return;
    }
    if (ev->op > 63 || !(URING_FILE_OPS >> ev->op & 1))
        return;
    int num = SKEP_READ(struct io_kiocb, req, cqe.fd);
    if (!(ev->sqe_flags & URING_SQE_FIXED_FILE)) {
        skep_fill_fd(b, &ev->fd, t, num);
        return;
    }
    struct file *f = compat_uring_fixed_file(SKEP_READ(struct io_kiocb, req, ctx), num);
    if (!f)
        return;
    ev->fd.kind = skep_file_kind(f);
    ev->fd.name = skep_put_file_path(b, f, t->fs);
}

static __always_inline int uring_submitted(struct io_kiocb *trusted)
{
    struct task_struct *t = skep_current();
    struct skep_build b;
    struct skep_ev_uring *ev = skep_begin(&b, SKEP_KIND_uring, sizeof(*ev), t);
    if (!ev)
        return 0;
    struct io_kiocb *req = SKEP_PLAIN(struct io_kiocb, trusted);
    struct io_ring_ctx *ring = req->ctx;
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->op = req->opcode;
    ev->sqe_flags = req->flags & URING_SQE_FLAGS;
    ev->user_data = req->cqe.user_data;
    ev->sqpoll = !!(ring->flags & URING_SETUP_SQPOLL);
    uring_fill_file(&b, ev, req, t);
    if (ev->op == URING_OP_CONNECT || ev->op == URING_OP_BIND)
        uring_fill_address(&b, ev, req);
    else
        uring_fill_names(&b, ev, (__u64)req);
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
