/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The socket calls: socket, bind, listen, accept, connect, and sending and receiving with an address. What
 * they are about is read from the socket when the call returns. Only what the socket does not know (the
 * destination of a datagram, its sender, the address that a failed call was given) comes from the caller.
 *
 * 32-bit programs may make all of these through one call, socketcall, whose arguments stand in memory.
 */
#include "bpf/lib/owner.h"
#include "bpf/lib/sock.h"
#include "bpf/lib/syscall.h"

#define NET_NR_SOCKETCALL 102 /* i386 */
#define NET_MESSAGES 64       /* of one sendmmsg or recvmmsg whose sizes are added up */

/* Numbers of the calls inside socketcall. */
enum net_sub {
    NET_SUB_SOCKET = 1,
    NET_SUB_BIND = 2,
    NET_SUB_CONNECT = 3,
    NET_SUB_LISTEN = 4,
    NET_SUB_ACCEPT = 5,
    NET_SUB_SENDTO = 11,
    NET_SUB_RECVFROM = 12,
    NET_SUB_SENDMSG = 16,
    NET_SUB_RECVMSG = 17,
    NET_SUB_ACCEPT4 = 18,
    NET_SUB_RECVMMSG = 19,
    NET_SUB_SENDMMSG = 20,
};

struct net_call {
    struct skep_call call;
    __u64 arg[6];
    __u32 form;
};

static __always_inline bool net_is_socketcall(const struct skep_call *call)
{
    return call->compat && call->nr == NET_NR_SOCKETCALL;
}

static __always_inline void net_args_from_memory(struct net_call *x)
{
    __u32 arg[6] = {0};
    const void *from = (const void *)skep_arg(&x->call, 1);
    /* not more than the call has: what follows may be another page */
    switch ((__u32)skep_arg(&x->call, 0)) {
    case NET_SUB_SENDTO:
    case NET_SUB_RECVFROM:
        x->form = SKEP_FORM_sendto;
        bpf_probe_read_user(arg, 6 * sizeof(*arg), from);
        break;
    case NET_SUB_SENDMSG:
    case NET_SUB_RECVMSG:
        x->form = SKEP_FORM_sendmsg;
        bpf_probe_read_user(arg, 3 * sizeof(*arg), from);
        break;
    case NET_SUB_SENDMMSG:
    case NET_SUB_RECVMMSG:
        x->form = SKEP_FORM_sendmmsg;
        bpf_probe_read_user(arg, 3 * sizeof(*arg), from);
        break;
    case NET_SUB_LISTEN:
        bpf_probe_read_user(arg, 2 * sizeof(*arg), from);
        break;
    default:
        bpf_probe_read_user(arg, 3 * sizeof(*arg), from);
    }
    for (int i = 0; i < 6; i++)
        x->arg[i] = arg[i];
}

static __always_inline void net_call_init(struct net_call *x, __u64 *ctx)
{
    skep_call_init(&x->call, ctx);
    x->form = x->call.form;
    if (net_is_socketcall(&x->call)) {
        net_args_from_memory(x);
        return;
    }
    for (int i = 0; i < 6; i++)
        x->arg[i] = skep_arg(&x->call, i);
}

SEC("tp_btf/sys_exit")
int sys_socketcall(__u64 *ctx)
{
    struct skep_call call;
    skep_call_init(&call, ctx);
    __u32 slot = 0;
    switch ((__u32)skep_arg(&call, 0)) {
    case NET_SUB_SOCKET:
        slot = SKEP_HANDLER_socket;
        break;
    case NET_SUB_BIND:
        slot = SKEP_HANDLER_bind;
        break;
    case NET_SUB_CONNECT:
        slot = SKEP_HANDLER_connect;
        break;
    case NET_SUB_LISTEN:
        slot = SKEP_HANDLER_listen;
        break;
    case NET_SUB_ACCEPT:
    case NET_SUB_ACCEPT4:
        slot = SKEP_HANDLER_accept;
        break;
    case NET_SUB_SENDTO:
    case NET_SUB_SENDMSG:
    case NET_SUB_SENDMMSG:
        slot = SKEP_HANDLER_send;
        break;
    case NET_SUB_RECVFROM:
    case NET_SUB_RECVMSG:
    case NET_SUB_RECVMMSG:
        slot = SKEP_HANDLER_recv;
        break;
    }
    /* the slot of a kind that nobody wants is empty */
    if (slot)
        bpf_tail_call(ctx, &skep_handlers, slot);
    return 0;
}

/* What all records of a socket have in common. */
#define NET_FILL(ev, s, number)                                                                              \
    do {                                                                                                     \
        (ev)->fd = (number);                                                                                 \
        (ev)->family = (s)->family;                                                                          \
        (ev)->type = (s)->type;                                                                              \
        (ev)->proto = (s)->proto;                                                                            \
        (ev)->local = (s)->local;                                                                            \
    } while (0)

static __always_inline struct skep_slice net_own_name(struct skep_build *b, const struct skep_sock *s,
                                                      const struct net_call *x)
{
    return s->family == AF_UNIX ? skep_put_unix_name(b, s->sk, x->call.task->fs) : skep_no_slice();
}

static __always_inline void net_read_sockaddr(struct skep_build *b, struct skep_sockaddr *n, __u64 addr,
                                              __u32 len)
{
    n->addr = addr;
    n->len = len;
    if (skep_sockaddr_read(n) < 0)
        skep_mark(b, SKEP_HDR_FAULT);
}

/* The call waits, or was cut short by a signal and will be made again: nothing has come of it yet. */
static __always_inline bool net_undecided(long ret)
{
    return ret == -EAGAIN || ret == -EINTR || (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK);
}

SEC("tp_btf/sys_exit")
int sys_socket(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    net_call_init(&x, ctx);
    struct skep_ev_socket *ev = skep_begin_call(&b, SKEP_KIND_socket, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    skep_sock_of_fd(&s, x.call.task, x.call.ret);
    if (x.call.ret >= 0 && s.sk) {
        ev->family = s.family;
        ev->type = s.type;
        ev->proto = s.proto;
    } else {
        ev->family = x.arg[0];
        ev->type = x.arg[1] & 0xf; /* SOCK_NONBLOCK and SOCK_CLOEXEC stand above */
        ev->proto = x.arg[2];
    }
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_bind(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    struct skep_sockaddr name;
    net_call_init(&x, ctx);
    struct skep_ev_bind *ev = skep_begin_call(&b, SKEP_KIND_bind, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    skep_sock_of_fd(&s, x.call.task, x.arg[0]);
    NET_FILL(ev, &s, x.arg[0]);
    if (x.call.ret >= 0) {
        ev->path = net_own_name(&b, &s, &x);
    } else {
        net_read_sockaddr(&b, &name, x.arg[1], x.arg[2]);
        ev->local = name.at;
        ev->path = skep_put_sockaddr_name(&b, &name);
    }
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_listen(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    net_call_init(&x, ctx);
    struct skep_ev_listen *ev = skep_begin_call(&b, SKEP_KIND_listen, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    skep_sock_of_fd(&s, x.call.task, x.arg[0]);
    NET_FILL(ev, &s, x.arg[0]);
    ev->backlog = x.arg[1];
    ev->path = net_own_name(&b, &s, &x);
    return skep_hand_over(ctx, &b);
}

/* From here on the connection belongs to the process that accepted it, not to the one that listens. */
static __always_inline void net_adopt(const struct skep_sock *s, struct task_struct *t)
{
    if (!skep_cfg.enabled[SKEP_KIND_tcp] || s->proto != IPPROTO_TCP || s->state == TCP_CLOSE)
        return;
    __u64 cookie = SKEP_SK(s->sk, skc_cookie.counter);
    struct skep_owner owner = {0};
    if (!cookie)
        return;
    skep_owner_fill(&owner, t);
    bpf_map_update_elem(&skep_accepted, &cookie, &owner, BPF_ANY);
}

SEC("tp_btf/sys_exit")
int sys_accept(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    net_call_init(&x, ctx);
    if (net_undecided(x.call.ret))
        return 0;
    bool accepted = x.call.ret >= 0;
    skep_sock_of_fd(&s, x.call.task, accepted ? x.call.ret : x.arg[0]);
    if (accepted && s.sk)
        net_adopt(&s, x.call.task);
    struct skep_ev_accept *ev = skep_begin_call(&b, SKEP_KIND_accept, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    NET_FILL(ev, &s, accepted ? x.call.ret : -1);
    if (accepted)
        ev->remote = s.remote;
    ev->path = net_own_name(&b, &s, &x);
    return skep_hand_over(ctx, &b);
}

/* Whether the socket itself can tell whom the call meant. */
static __always_inline bool net_is_connecting(long ret)
{
    return ret >= 0 || ret == -EINPROGRESS || ret == -EALREADY || net_undecided(ret);
}

SEC("tp_btf/sys_exit")
int sys_connect(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    struct skep_sockaddr name;
    net_call_init(&x, ctx);
    struct skep_ev_connect *ev = skep_begin_call(&b, SKEP_KIND_connect, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    skep_sock_of_fd(&s, x.call.task, x.arg[0]);
    NET_FILL(ev, &s, x.arg[0]);
    net_read_sockaddr(&b, &name, x.arg[1], x.arg[2]);
    bool connecting = net_is_connecting(x.call.ret);
    ev->remote = connecting && s.remote.family ? s.remote : name.at;
    if (connecting && s.family == AF_UNIX)
        ev->path = skep_put_unix_name(&b, skep_unix_peer(s.sk), x.call.task->fs);
    if (!ev->path.off)
        ev->path = skep_put_sockaddr_name(&b, &name);
    return skep_hand_over(ctx, &b);
}

/* ---- send and receive ---- */

/* The layouts of struct msghdr and struct mmsghdr in native and in 32-bit programs. */
struct net_msghdr {
    __u64 name;
    __u32 namelen;
    __u32 pad;
};

struct net_msghdr32 {
    __u32 name;
    __u32 namelen;
};

#define NET_MSGHDR_SIZE 56
#define NET_MMSGHDR_SIZE 64
#define NET_MSGHDR32_SIZE 28
#define NET_MMSGHDR32_SIZE 32

static __always_inline void net_name_of_msghdr(struct skep_sockaddr *n, __u64 from, bool compat)
{
    if (compat) {
        struct net_msghdr32 m = {0};
        bpf_probe_read_user(&m, sizeof(m), (void *)from);
        n->addr = m.name;
        n->len = m.namelen;
    } else {
        struct net_msghdr m = {0};
        bpf_probe_read_user(&m, sizeof(m), (void *)from);
        n->addr = m.name;
        n->len = m.namelen;
    }
}

struct net_names {
    __u64 vec;
    __u32 n;
    __u32 compat;
    struct skep_sockaddr first; /* that is named */
};

static __noinline long net_next_name(__u32 i, void *data)
{
    struct net_names *names = data;
    if (i >= names->n)
        return 1;
    net_name_of_msghdr(&names->first,
                       names->vec + i * (names->compat ? NET_MMSGHDR32_SIZE : NET_MMSGHDR_SIZE),
                       names->compat);
    return names->first.addr && names->first.len;
}

/* Of those messages that were sent or received, or of the one that could not be. */
static __always_inline void net_name_of_messages(struct skep_sockaddr *n, const struct net_call *x)
{
    struct net_names names = {
        .vec = x->arg[1], .n = x->call.ret > 0 ? x->call.ret : 1, .compat = x->call.compat};
    SKEP_LOOP(NET_MESSAGES, net_next_name, &names);
    n->addr = names.first.addr;
    n->len = names.first.len;
}

/* Where the peer's address is; addr 0: the call has none. */
static __always_inline void net_name_of_call(struct skep_sockaddr *n, const struct net_call *x, bool received)
{
    if (x->form == SKEP_FORM_sendmmsg) {
        net_name_of_messages(n, x);
        return;
    }
    if (x->form != SKEP_FORM_sendto) {
        net_name_of_msghdr(n, x->arg[1], x->call.compat);
        return;
    }
    n->addr = x->arg[4];
    n->len = x->arg[5];
    if (!received || !n->addr)
        return;
    __u32 len = 0;
    bpf_probe_read_user(&len, sizeof(len), (void *)x->arg[5]);
    n->len = len;
}

struct net_sizes {
    __u64 vec;
    __u64 total;
    __u32 n;
    __u32 compat;
};

static __noinline long net_add_size(__u32 i, void *data)
{
    struct net_sizes *sizes = data;
    __u32 len = 0;
    if (i >= sizes->n)
        return 1;
    __u64 at = sizes->compat ? sizes->vec + i * NET_MMSGHDR32_SIZE + NET_MSGHDR32_SIZE
                             : sizes->vec + i * NET_MMSGHDR_SIZE + NET_MSGHDR_SIZE;
    bpf_probe_read_user(&len, sizeof(len), (void *)at);
    sizes->total += len;
    return 0;
}

static __always_inline __u64 net_size_of_call(const struct net_call *x)
{
    if (x->call.ret <= 0)
        return 0;
    if (x->form != SKEP_FORM_sendmmsg)
        return x->call.ret;
    struct net_sizes sizes = {.vec = x->arg[1], .n = x->call.ret, .compat = x->call.compat};
    SKEP_LOOP(NET_MESSAGES, net_add_size, &sizes);
    return sizes.total;
}

/* A connection goes where it goes, whatever address the call names. */
static __always_inline void net_fill_peer(struct skep_build *b, const struct skep_sock *s,
                                          struct skep_sockaddr *n, struct skep_endpoint *remote,
                                          struct skep_slice *path)
{
    if (skep_sockaddr_read(n) < 0)
        skep_mark(b, SKEP_HDR_FAULT);
    *remote = s->type == SOCK_STREAM && s->remote.family ? s->remote : n->at;
    *path = skep_put_sockaddr_name(b, n);
}

SEC("tp_btf/sys_exit")
int sys_send(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    struct skep_sockaddr name;
    net_call_init(&x, ctx);
    net_name_of_call(&name, &x, false);
    if (!name.addr)
        return 0;
    struct skep_ev_send *ev = skep_begin_call(&b, SKEP_KIND_send, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    skep_sock_of_fd(&s, x.call.task, x.arg[0]);
    NET_FILL(ev, &s, x.arg[0]);
    net_fill_peer(&b, &s, &name, &ev->remote, &ev->path);
    ev->size = net_size_of_call(&x);
    return skep_hand_over(ctx, &b);
}

SEC("tp_btf/sys_exit")
int sys_recv(__u64 *ctx)
{
    struct net_call x;
    struct skep_build b;
    struct skep_sock s;
    struct skep_sockaddr name;
    net_call_init(&x, ctx);
    if (x.call.ret < 0) /* nothing was received from anybody */
        return 0;
    net_name_of_call(&name, &x, true);
    if (!name.addr || !name.len) /* not asked for, or a sender without an address */
        return 0;
    struct skep_ev_recv *ev = skep_begin_call(&b, SKEP_KIND_recv, sizeof(*ev), &x.call);
    if (!ev)
        return 0;
    skep_sock_of_fd(&s, x.call.task, x.arg[0]);
    NET_FILL(ev, &s, x.arg[0]);
    net_fill_peer(&b, &s, &name, &ev->remote, &ev->path);
    ev->size = net_size_of_call(&x);
    return skep_hand_over(ctx, &b);
}
