/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_URING_H
#define SKEP_BPF_LIB_URING_H
/*
 * What an operation of io_uring is about, read from its struct io_kiocb when the kernel has taken it in: the
 * arguments are copied by then, and it does not run yet. Paths are those that the caller gave, joined with their
 * directory; nobody has looked them up. Addresses are those that the operation names, else those of its socket.
 */
#include "bpf/lib/lexical.h"
#include "bpf/lib/sock.h"

/* include/uapi/linux/io_uring.h */
enum {
    URING_OP_SENDMSG = 9,
    URING_OP_ACCEPT = 13,
    URING_OP_CONNECT = 16,
    URING_OP_OPENAT = 18,
    URING_OP_CLOSE = 19,
    URING_OP_SEND = 26,
    URING_OP_OPENAT2 = 28,
    URING_OP_RENAMEAT = 35,
    URING_OP_UNLINKAT = 36,
    URING_OP_MKDIRAT = 37,
    URING_OP_SYMLINKAT = 38,
    URING_OP_LINKAT = 39,
    URING_OP_SOCKET = 45,
    URING_OP_URING_CMD = 46,
    URING_OP_SEND_ZC = 47,
    URING_OP_SENDMSG_ZC = 48,
    URING_OP_BIND = 56,
    URING_OP_URING_CMD128 = 64,
};
#define URING_SETUP_SQPOLL 2
#define URING_SQE_FLAGS 0x7f /* the lowest bits of a request's flags are those that the caller gave */
#define URING_SQE_FIXED_FILE 1
#define URING_SQE_CQE_SKIP_SUCCESS (1 << 6)
#define URING_SLOT_ALLOC 0xffffffffU /* the kernel is to choose a slot of the ring's table */
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

/* ---- addresses ---- */

struct uring_address {
    struct skep_sockaddr_raw raw;
    char rest[URING_ADDRESS_MAX - sizeof(struct skep_sockaddr_raw)]; /* of the path of a unix socket */
};

static __always_inline void uring_put_unix(struct skep_build *b, struct skep_ev_uring *ev,
                                           struct uring_address *sa, __u32 len)
{
    char *path = (char *)&sa->raw.port;
    if (len <= 2)
        return;
    if (path[0]) {
        ev->path = skep_put_kernel_str(b, path);
    } else {
        path[0] = '@';
        ev->path = skep_put_kernel(b, path, len - 2);
    }
}

/* Where the operation's own address stands. */
static __always_inline void uring_find_address(struct compat_uring_destination *at, __u32 op,
                                               struct io_kiocb *req)
{
    switch (op) {
    case URING_OP_SEND:
    case URING_OP_SEND_ZC:
        compat_uring_destination(at, req, false);
        return;
    case URING_OP_SENDMSG:
    case URING_OP_SENDMSG_ZC:
        compat_uring_destination(at, req, true);
        return;
    case URING_OP_BIND:
        if (!bpf_core_type_exists(struct io_bind))
            return;
        at->addr = compat_uring_address(req);
        at->len = SKEP_READ(struct io_bind, req, addr_len);
        return;
    case URING_OP_CONNECT:
        at->len = SKEP_READ(struct io_connect, req, addr_len);
        at->addr = compat_uring_address(req);
        if (at->addr)
            return;
        at->user = true;
        at->addr = (__u64)SKEP_READ(struct io_connect, req, addr);
    }
}

static __noinline void uring_fill_address(struct skep_build *b, struct skep_ev_uring *ev,
                                          struct io_kiocb *req)
{
    struct uring_address sa = {0};
    struct compat_uring_destination at = {0};
    struct skep_sockaddr to = {0};
    uring_find_address(&at, ev->op, req);
    __u32 len = at.len;
    barrier_var(len);
    if (!at.addr || !len)
        return;
    if (len > sizeof(sa))
        len = sizeof(sa);
    long r = at.user ? bpf_probe_read_user(&sa, len, (void *)at.addr)
                     : bpf_probe_read_kernel(&sa, len, (void *)at.addr);
    if (r < 0) {
        skep_mark(b, SKEP_HDR_FAULT);
        return;
    }
    to.len = len;
    skep_sockaddr_decode(&to, &sa.raw);
    if (to.family == AF_UNIX)
        uring_put_unix(b, ev, &sa, len);
    else if (ev->op == URING_OP_BIND)
        ev->local = to.at;
    else
        ev->remote = to.at;
}

/* What the socket at file f says, where the operation does not. */
static __always_inline void uring_fill_socket(struct skep_ev_uring *ev, struct file *f)
{
    struct skep_sock s = {.sk = skep_sock_of_file(f)};
    if (!s.sk)
        return;
    skep_sock_read(&s);
    ev->family = s.family;
    ev->type = s.type;
    ev->proto = s.proto;
    if (!ev->local.family)
        ev->local = s.local;
    if (!ev->remote.family)
        ev->remote = s.remote;
}

/* ---- files ---- */

static __always_inline void uring_fill_file(struct skep_build *b, struct skep_ev_uring *ev,
                                            struct io_kiocb *req, struct task_struct *t)
{
    ev->fd.num = -1;
    if (ev->op == URING_OP_CLOSE) {
        ev->fd.num = SKEP_READ(struct io_close, req, fd);
        return;
    }
    if (ev->op > 63 ? ev->op != URING_OP_URING_CMD128 : !(URING_FILE_OPS >> ev->op & 1))
        return;
    int num = SKEP_READ(struct io_kiocb, req, cqe.fd);
    struct file *f;
    if (ev->sqe_flags & URING_SQE_FIXED_FILE) {
        f = compat_uring_fixed_file(SKEP_READ(struct io_kiocb, req, ctx), num);
    } else {
        ev->fd.num = num;
        f = skep_file_of(t, num);
    }
    if (!f)
        return;
    ev->fd.kind = skep_file_kind(f);
    ev->fd.name = skep_put_file_path(b, f, t->fs);
    if (ev->fd.kind == SKEP_FD_SOCKET)
        uring_fill_socket(ev, f);
}

/* ---- all of it ---- */

static __always_inline void uring_fill(struct skep_build *b, struct skep_ev_uring *ev, struct io_kiocb *req,
                                       struct task_struct *t)
{
    skep_zero((char *)ev + sizeof(ev->h), sizeof(*ev) - sizeof(ev->h));
    ev->op = req->opcode;
    ev->sqe_flags = req->flags & URING_SQE_FLAGS;
    ev->user_data = req->cqe.user_data;
    ev->sqpoll = !!(req->ctx->flags & URING_SETUP_SQPOLL);
    ev->family = ev->type = ev->proto = SKEP_NO_VALUE;
    switch (ev->op) {
    case URING_OP_SOCKET:
        ev->family = SKEP_READ(struct io_socket, req, domain);
        ev->type = SKEP_READ(struct io_socket, req, type) & 0xf; /* the rest are flags */
        ev->proto = SKEP_READ(struct io_socket, req, protocol);
        break;
    case URING_OP_URING_CMD:
    case URING_OP_URING_CMD128:
        ev->command = SKEP_READ(struct io_uring_cmd, req, cmd_op);
        break;
    case URING_OP_SENDMSG:
    case URING_OP_SEND:
    case URING_OP_SEND_ZC:
    case URING_OP_SENDMSG_ZC:
    case URING_OP_BIND:
    case URING_OP_CONNECT:
        uring_fill_address(b, ev, req);
        break;
    default:
        uring_fill_names(b, ev, (__u64)req);
    }
    uring_fill_file(b, ev, req, t);
}
#endif
