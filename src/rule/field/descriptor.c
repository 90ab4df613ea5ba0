/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/descriptor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/socket.h>

#define PORT_SYSTEM_MAX 1023
#define PORT_EPHEMERAL 32768
#define PROTO_MPTCP 262

static const struct skep_endpoint *endpoint(const struct skep_endpoint *e)
{
    return e->family == AF_INET || e->family == AF_INET6 ? e : NULL;
}

/* An address decides before the family: an IPv6 socket may work with IPv4 addresses. */
static enum skep_rule_fd_type socket_type(uint32_t family, const struct skep_rule_descriptor *d)
{
    const struct skep_endpoint *e = d->remote ? d->remote : d->local;
    if (e)
        return e->family == AF_INET ? SKEP_RULE_FD_IPV4 : SKEP_RULE_FD_IPV6;
    switch (family) {
    case AF_INET:
        return SKEP_RULE_FD_IPV4;
    case AF_INET6:
        return SKEP_RULE_FD_IPV6;
    case AF_UNIX:
        return SKEP_RULE_FD_UNIX;
    case AF_NETLINK:
        return SKEP_RULE_FD_NETLINK;
    }
    return SKEP_RULE_FD_OTHER;
}

static uint32_t socket_proto(uint32_t type, uint32_t proto)
{
    if (proto == SKEP_NO_VALUE)
        return 0;
    if (type == SOCK_RAW)
        return IPPROTO_RAW;
    if (proto == 0)
        return type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
    return proto;
}

static bool is_stream(uint32_t type)
{
    return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

static bool is_dgram(uint32_t type)
{
    return type == SOCK_DGRAM || type == SOCK_RAW || type == SOCK_RDM || type == SOCK_PACKET;
}

static void set_num(struct skep_rule_descriptor *d, int32_t num)
{
    d->has_num = true;
    d->num = num;
}

static void set_result(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    set_num(d, h->ret < 0 ? -1 : (int32_t)h->ret);
}

static void set_ends(struct skep_rule_descriptor *d, const struct skep_endpoint *local,
                     const struct skep_endpoint *remote, bool server)
{
    d->local = endpoint(local);
    d->remote = remote ? endpoint(remote) : NULL;
    d->client = server ? d->remote : d->local;
    d->server = server ? d->local : d->remote;
    d->is_server = server;
}

/* Of a socket that does not tell who connected it. */
static bool looks_like_server(const struct skep_endpoint *local, const struct skep_endpoint *remote)
{
    if (!endpoint(local) || !endpoint(remote))
        return endpoint(local) != NULL && local->port != 0;
    if (local->port <= PORT_SYSTEM_MAX && remote->port > PORT_SYSTEM_MAX)
        return true;
    return local->port < PORT_EPHEMERAL && remote->port >= PORT_EPHEMERAL;
}

static enum skep_rule_fd_type anonymous_type(const struct skep_hdr *h, struct skep_slice name)
{
    static const struct {
        const char *name;
        enum skep_rule_fd_type type;
    } known[] = {
        {"anon_inode:[eventfd]", SKEP_RULE_FD_EVENT},
        {"anon_inode:[signalfd]", SKEP_RULE_FD_SIGNALFD},
        {"anon_inode:[eventpoll]", SKEP_RULE_FD_EVENTPOLL},
        {"anon_inode:inotify", SKEP_RULE_FD_INOTIFY},
        {"anon_inode:[timerfd]", SKEP_RULE_FD_TIMERFD},
        {"anon_inode:[userfaultfd]", SKEP_RULE_FD_USERFAULTFD},
        {"anon_inode:[io_uring]", SKEP_RULE_FD_IO_URING},
        {"anon_inode:[pidfd]", SKEP_RULE_FD_PIDFD},
        {"anon_inode:bpf-map", SKEP_RULE_FD_BPF},
        {"anon_inode:bpf-prog", SKEP_RULE_FD_BPF},
        {"anon_inode:bpf_link", SKEP_RULE_FD_BPF},
        {"anon_inode:btf", SKEP_RULE_FD_BPF},
    };
    const char *s = skep_slice_get(h, name);
    for (size_t i = 0; s && i < ARRAY_SIZE(known); i++)
        if (strlen(known[i].name) == name.len && memcmp(known[i].name, s, name.len) == 0)
            return known[i].type;
    return SKEP_RULE_FD_OTHER;
}

/* What a sensor read from a file of the process. */
static void set_file(struct skep_rule_descriptor *d, const struct skep_hdr *h, const struct skep_fd *fd)
{
    static const uint8_t types[] = {
        [SKEP_FD_NONE] = SKEP_RULE_FD_OTHER,   [SKEP_FD_FILE] = SKEP_RULE_FD_FILE,
        [SKEP_FD_DIR] = SKEP_RULE_FD_DIR,      [SKEP_FD_SOCKET] = SKEP_RULE_FD_OTHER,
        [SKEP_FD_PIPE] = SKEP_RULE_FD_PIPE,    [SKEP_FD_FIFO] = SKEP_RULE_FD_PIPE,
        [SKEP_FD_CHAR] = SKEP_RULE_FD_FILE,    [SKEP_FD_BLOCK] = SKEP_RULE_FD_FILE,
        [SKEP_FD_SYMLINK] = SKEP_RULE_FD_FILE, [SKEP_FD_ANON] = SKEP_RULE_FD_OTHER,
        [SKEP_FD_MEMFD] = SKEP_RULE_FD_MEMFD};
    if (fd->num >= 0)
        set_num(d, fd->num);
    d->path = fd->name;
    d->type = fd->kind < ARRAY_SIZE(types) ? types[fd->kind] : SKEP_RULE_FD_OTHER;
    if (fd->kind == SKEP_FD_ANON)
        d->type = anonymous_type(h, fd->name);
}

/* ---- kinds ---- */

static void of_open(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_open *ev = (const void *)h;
    d->type = ev->flags & O_DIRECTORY ? SKEP_RULE_FD_DIR : SKEP_RULE_FD_FILE;
    set_result(d, h);
    d->path = ev->path;
    d->raw_path = ev->raw_path;
    d->inode = ev->inode;
    d->dev = ev->dev;
}

static void of_dup(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_dup *ev = (const void *)h;
    set_file(d, h, &ev->fd);
    set_num(d, ev->newfd);
    if (ev->fd.kind != SKEP_FD_SOCKET && !endpoint(&ev->local) && !endpoint(&ev->remote))
        return;
    set_ends(d, &ev->local, &ev->remote, looks_like_server(&ev->local, &ev->remote));
    d->type = socket_type(ev->family, d);
    d->connected = d->remote != NULL;
    if (skep_rule_descriptor_is_inet(d)) {
        d->proto = ev->proto == SKEP_NO_VALUE ? 0 : ev->proto;
        d->path = (struct skep_slice){0};
    }
}

static void of_memfd(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_memfd_create *ev = (const void *)h;
    d->type = SKEP_RULE_FD_MEMFD;
    set_result(d, h);
    d->path = ev->name;
    d->inode = ev->inode;
    d->dev = ev->dev;
}

static void of_pipe(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_pipe *ev = (const void *)h;
    d->type = SKEP_RULE_FD_PIPE;
    set_num(d, ev->readfd);
    d->inode = ev->inode;
}

static void of_socket(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_socket *ev = (const void *)h;
    d->type = socket_type(ev->family, d);
    set_result(d, h);
    d->proto = socket_proto(ev->type, ev->proto);
}

/* bind, listen and the calls with two ends begin alike. */
static void set_socket(struct skep_rule_descriptor *d, const struct skep_ev_bind *ev)
{
    d->type = socket_type(ev->family, d);
    set_num(d, ev->fd);
    d->proto = socket_proto(ev->type, ev->proto);
}

#define SAME_AS_BIND(kind, member)                                                                           \
    _Static_assert(offsetof(struct skep_ev_##kind, member) == offsetof(struct skep_ev_bind, member),         \
                   "events of sockets begin alike")
#define SAME_AS_CONNECT(kind, member)                                                                        \
    _Static_assert(offsetof(struct skep_ev_##kind, member) == offsetof(struct skep_ev_connect, member),      \
                   "events of connections begin alike")
SAME_AS_BIND(listen, fd);
SAME_AS_BIND(listen, proto);
SAME_AS_BIND(listen, local);
SAME_AS_BIND(listen, path);
SAME_AS_BIND(connect, fd);
SAME_AS_BIND(connect, proto);
SAME_AS_BIND(connect, local);
SAME_AS_CONNECT(accept, fd);
SAME_AS_CONNECT(accept, remote);
SAME_AS_CONNECT(accept, path);
SAME_AS_CONNECT(send, fd);
SAME_AS_CONNECT(send, remote);
SAME_AS_CONNECT(send, path);
SAME_AS_CONNECT(recv, fd);
SAME_AS_CONNECT(recv, remote);
SAME_AS_CONNECT(recv, path);

static void of_server(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_bind *ev = (const void *)h;
    set_ends(d, &ev->local, NULL, true);
    set_socket(d, ev);
    d->path = ev->path;
}

static void of_connection(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_connect *ev = (const void *)h;
    set_ends(d, &ev->local, &ev->remote, h->kind == SKEP_KIND_accept || h->kind == SKEP_KIND_recv);
    set_socket(d, (const void *)h);
    d->path = ev->path;
    if (h->kind == SKEP_KIND_send || h->kind == SKEP_KIND_recv) {
        d->connected = is_stream(ev->type);
        d->name_changed = is_dgram(ev->type);
    } else {
        d->connected = h->ret >= 0;
        d->name_changed = h->kind == SKEP_KIND_connect;
    }
}

static void of_tcp(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_tcp *ev = (const void *)h;
    set_ends(d, &ev->local, &ev->remote, ev->direction == SKEP_DIR_IN);
    d->type = socket_type(AF_INET, d);
    d->proto = IPPROTO_TCP;
    d->connected = ev->action != SKEP_TCP_OPEN;
}

static void of_dns(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_dns *ev = (const void *)h;
    set_ends(d, &ev->local, &ev->server, false);
    d->type = socket_type(AF_INET, d);
    d->proto = ev->proto;
}

static void of_setns(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    set_file(d, h, &((const struct skep_ev_setns *)h)->fd);
}

/* Both kinds have the layout of the first. */
static void of_uring(struct skep_rule_descriptor *d, const struct skep_hdr *h)
{
    const struct skep_ev_uring *ev = (const void *)h;
    bool accepts = ev->op == IORING_OP_ACCEPT;
    set_file(d, h, &ev->fd);
    if (endpoint(&ev->local) || endpoint(&ev->remote)) {
        set_ends(d, &ev->local, &ev->remote, accepts || !endpoint(&ev->remote));
        d->type = socket_type(AF_INET, d);
        d->path = (struct skep_slice){0};
        d->name_changed = d->remote && (ev->op == IORING_OP_CONNECT || ev->type == SOCK_DGRAM);
    } else if (ev->raw_path.off) { /* there is no descriptor yet */
        d->type = ev->open_flags & O_DIRECTORY ? SKEP_RULE_FD_DIR : SKEP_RULE_FD_FILE;
        d->path = ev->path;
        d->raw_path = ev->raw_path;
    } else if (ev->path.off) {
        d->type = SKEP_RULE_FD_UNIX;
        d->path = ev->path;
    } else if (ev->fd.kind == SKEP_FD_NONE) {
        d->type = SKEP_RULE_FD_NONE;
    }
}

void skep_rule_descriptor_of(const struct skep_event *ev, struct skep_rule_descriptor *ret)
{
    static void (*const of_kind[SKEP_KIND_MAX])(struct skep_rule_descriptor *, const struct skep_hdr *) = {
        [SKEP_KIND_open] = of_open,       [SKEP_KIND_dup] = of_dup,
        [SKEP_KIND_pipe] = of_pipe,       [SKEP_KIND_memfd_create] = of_memfd,
        [SKEP_KIND_socket] = of_socket,   [SKEP_KIND_bind] = of_server,
        [SKEP_KIND_listen] = of_server,   [SKEP_KIND_accept] = of_connection,
        [SKEP_KIND_send] = of_connection, [SKEP_KIND_connect] = of_connection,
        [SKEP_KIND_tcp] = of_tcp,         [SKEP_KIND_recv] = of_connection,
        [SKEP_KIND_dns] = of_dns,         [SKEP_KIND_setns] = of_setns,
        [SKEP_KIND_uring] = of_uring,     [SKEP_KIND_uring_done] = of_uring};
    *ret = (struct skep_rule_descriptor){0};
    if (ev->h->kind < SKEP_KIND_MAX && of_kind[ev->h->kind])
        of_kind[ev->h->kind](ret, ev->h);
}

/* ---- how it is written ---- */

static const struct {
    const char *name;
    char letter;
} types[SKEP_RULE_FD_MAX] = {
    [SKEP_RULE_FD_OTHER] = {NULL, 'o'},
    [SKEP_RULE_FD_FILE] = {"file", 'f'},
    [SKEP_RULE_FD_DIR] = {"directory", 'd'},
    [SKEP_RULE_FD_IPV4] = {"ipv4", '4'},
    [SKEP_RULE_FD_IPV6] = {"ipv6", '6'},
    [SKEP_RULE_FD_UNIX] = {"unix", 'u'},
    [SKEP_RULE_FD_PIPE] = {"pipe", 'p'},
    [SKEP_RULE_FD_EVENT] = {"event", 'e'},
    [SKEP_RULE_FD_SIGNALFD] = {"signalfd", 's'},
    [SKEP_RULE_FD_EVENTPOLL] = {"eventpoll", 'l'},
    [SKEP_RULE_FD_INOTIFY] = {"inotify", 'i'},
    [SKEP_RULE_FD_TIMERFD] = {"timerfd", 't'},
    [SKEP_RULE_FD_NETLINK] = {"netlink", 'n'},
    [SKEP_RULE_FD_BPF] = {"bpf", 'b'},
    [SKEP_RULE_FD_USERFAULTFD] = {"userfaultfd", 'u'},
    [SKEP_RULE_FD_IO_URING] = {"io_uring", 'r'},
    [SKEP_RULE_FD_MEMFD] = {"memfd", 'm'},
    [SKEP_RULE_FD_PIDFD] = {"pidfd", 'P'},
};

const char *skep_rule_descriptor_type(const struct skep_rule_descriptor *d)
{
    return types[d->type].name;
}

char skep_rule_descriptor_char(const struct skep_rule_descriptor *d)
{
    return types[d->type].letter;
}

const char *skep_rule_descriptor_l4proto(const struct skep_rule_descriptor *d)
{
    if (!skep_rule_descriptor_is_inet(d))
        return NULL;
    switch (d->proto) {
    case IPPROTO_TCP:
    case PROTO_MPTCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return "icmp";
    case IPPROTO_RAW:
        return "raw";
    }
    return NULL;
}

/* e NULL: an end that the kernel had not chosen yet. */
static void put_end(struct skep_strbuf *sb, const struct skep_endpoint *e, bool ip4)
{
    char text[INET6_ADDRSTRLEN];
    if (!e) {
        skep_strbuf_puts(sb, ip4 ? "0.0.0.0:0" : ":::0");
        return;
    }
    skep_strbuf_puts(sb, inet_ntop(e->family, e->ip, text, sizeof(text)));
    skep_strbuf_putc(sb, ':');
    skep_strbuf_u64(sb, e->port);
}

bool skep_rule_descriptor_put_name(const struct skep_rule_descriptor *d, const struct skep_hdr *h,
                                   struct skep_strbuf *sb)
{
    bool ip4 = d->type == SKEP_RULE_FD_IPV4;
    if (d->type == SKEP_RULE_FD_NONE)
        return false;
    if (d->path.off || d->raw_path.off) {
        struct skep_slice s = d->path.off ? d->path : d->raw_path;
        skep_strbuf_put(sb, skep_slice_get(h, s), s.len);
        return true;
    }
    if (d->type == SKEP_RULE_FD_PIPE && d->inode) {
        skep_strbuf_printf(sb, "pipe:[%llu]", (unsigned long long)d->inode);
        return true;
    }
    if (!d->local && !d->remote)
        return false;
    if (h->kind == SKEP_KIND_bind || h->kind == SKEP_KIND_listen) {
        put_end(sb, d->server, ip4);
        return true;
    }
    put_end(sb, d->client, ip4);
    skep_strbuf_puts(sb, "->");
    put_end(sb, d->server, ip4);
    return true;
}
