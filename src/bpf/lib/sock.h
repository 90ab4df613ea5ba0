/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_BPF_LIB_SOCK_H
#define SKEP_BPF_LIB_SOCK_H
/*
 * Sockets: from a descriptor or file to struct sock, and what that says of family, protocol and addresses.
 * Addresses that only the caller knows (where a datagram goes, whom a failed call meant) are read from the
 * caller's memory.
 *
 *     struct skep_sock s = {.sk = skep_sock_of_file(f)};
 *     if (s.sk)
 *         skep_sock_read(&s);          family, type, proto, local, remote
 *
 * An IPv4 address that an IPv6 socket works with (::ffff:a.b.c.d) is shown as the IPv4 address that it is.
 * Struct sock is reached through addresses that the verifier does not know the type of: see SKEP_READ().
 */
#include "bpf/lib/file.h"

#define SKEP_SOCKFS_MAGIC 0x534f434b

struct skep_sock {
    __u64 sk; /* address of struct sock; 0: no socket */
    __u32 family;
    __u32 type;
    __u32 proto;
    __u32 state;                 /* TCP_ number */
    struct skep_endpoint local;  /* family 0: not bound, or not an inet socket */
    struct skep_endpoint remote; /* family 0: not connected, or not an inet socket */
};

static __always_inline __u16 skep_port(__u16 network_order)
{
    return __builtin_bswap16(network_order);
}

static __always_inline void skep_fill_ip4(struct skep_endpoint *to, __u32 ip, __u16 port)
{
    *(__u32 *)to->ip = ip;
    to->port = port;
    to->family = AF_INET;
}

static __always_inline void skep_fill_ip6(struct skep_endpoint *to, const __u32 ip[4], __u16 port,
                                          __u32 scope)
{
    if (!ip[0] && !ip[1] && ip[2] == __builtin_bswap32(0xffff)) {
        skep_fill_ip4(to, ip[3], port);
        return;
    }
    __u32 *words = (__u32 *)to->ip;
    words[0] = ip[0];
    words[1] = ip[1];
    words[2] = ip[2];
    words[3] = ip[3];
    to->port = port;
    to->family = AF_INET6;
    bool link_local = (ip[0] & __builtin_bswap32(0xffc00000)) == __builtin_bswap32(0xfe800000);
    to->scope = link_local ? scope : 0;
}

#define SKEP_SK(sk, member) SKEP_READ(struct sock, sk, __sk_common.member)

static __always_inline void skep_fill_endpoints6(struct skep_sock *s, __u16 sport, __u16 dport)
{
    __u32 from[4] = {0}, to[4] = {0};
    if (bpf_core_field_exists(((struct sock *)0)->__sk_common.skc_v6_daddr)) {
        bpf_probe_read_kernel(from, sizeof(from),
                              (void *)s->sk +
                                  bpf_core_field_offset(struct sock, __sk_common.skc_v6_rcv_saddr));
        bpf_probe_read_kernel(to, sizeof(to),
                              (void *)s->sk + bpf_core_field_offset(struct sock, __sk_common.skc_v6_daddr));
    }
    __u32 scope = SKEP_SK(s->sk, skc_bound_dev_if);
    if (sport | from[0] | from[1] | from[2] | from[3])
        skep_fill_ip6(&s->local, from, sport, scope);
    if (dport | to[0] | to[1] | to[2] | to[3])
        skep_fill_ip6(&s->remote, to, dport, scope);
}

/* Fills in what struct sock at s->sk says. A function of its own: the verifier walks it once for all callers. */
__weak __noinline int skep_sock_read(struct skep_sock *s)
{
    if (!s)
        return 0;
    __u64 sk = s->sk;
    s->family = SKEP_SK(sk, skc_family);
    s->state = SKEP_SK(sk, skc_state);
    s->type = SKEP_READ(struct sock, sk, sk_type);
    s->proto = SKEP_READ(struct sock, sk, sk_protocol);
    __builtin_memset(&s->local, 0, sizeof(s->local));
    __builtin_memset(&s->remote, 0, sizeof(s->remote));
    if (s->family != AF_INET && s->family != AF_INET6)
        return 0;
    __u16 sport = 0, dport = 0;
    if (s->type != SOCK_RAW) { /* what stands there is the protocol */
        sport = skep_port(SKEP_READ(struct inet_sock, sk, inet_sport));
        dport = skep_port(SKEP_SK(sk, skc_dport));
    }
    if (s->family == AF_INET6) {
        skep_fill_endpoints6(s, sport, dport);
        return 0;
    }
    __u32 from = SKEP_SK(sk, skc_rcv_saddr), to = SKEP_SK(sk, skc_daddr);
    if (from | sport)
        skep_fill_ip4(&s->local, from, sport);
    if (to | dport)
        skep_fill_ip4(&s->remote, to, dport);
    return 0;
}

/* The socket behind a file, by address; 0 when the file is none. That its inode says socket is not enough: the
 * name of a unix socket does so too. */
static __always_inline __u64 skep_sock_of_file(struct file *f)
{
    if (!f)
        return 0;
    struct inode *inode = SKEP_READ(struct file, f, f_inode);
    struct super_block *sb = SKEP_READ(struct inode, inode, i_sb);
    if (SKEP_READ(struct super_block, sb, s_magic) != SKEP_SOCKFS_MAGIC)
        return 0;
    void *sock = SKEP_READ(struct file, f, private_data);
    return sock ? (__u64)SKEP_READ(struct socket, sock, sk) : 0;
}

/* For a descriptor that is no open socket all is SKEP_NO_VALUE or empty. */
static __always_inline void skep_sock_of_fd(struct skep_sock *s, struct task_struct *t, int fd)
{
    s->sk = skep_sock_of_file(skep_file_of(t, fd));
    if (s->sk) {
        skep_sock_read(s);
        return;
    }
    s->family = s->type = s->proto = SKEP_NO_VALUE;
    s->state = 0;
    skep_zero(&s->local, sizeof(s->local));
    skep_zero(&s->remote, sizeof(s->remote));
}

/* ---- unix sockets ---- */

/* An abstract name as it stands in kernel or user memory behind the NUL that marks it. */
static __always_inline struct skep_slice skep_put_abstract(struct skep_build *b, const void *name, __u32 len,
                                                           bool user)
{
    struct skep_slice at = skep_put_kernel(b, "@", 1);
    barrier_var(len);
    if (!at.off || len > sizeof(((struct sockaddr_un *)0)->sun_path))
        return at;
    struct skep_slice rest = user ? skep_put_user(b, name, len) : skep_put_kernel(b, name, len);
    at.len += rest.len;
    return at;
}

/* The name that a unix socket is bound to: the canonical path, or @name. Not available when it has none. */
static __always_inline struct skep_slice skep_put_unix_name(struct skep_build *b, __u64 sk,
                                                            struct fs_struct *fs)
{
    struct unix_address *addr = sk ? SKEP_READ(struct unix_sock, sk, addr) : NULL;
    if (!addr)
        return skep_no_slice();
    struct dentry *d = SKEP_READ(struct unix_sock, sk, path.dentry);
    if (d)
        return skep_put_path_of(b, SKEP_READ(struct unix_sock, sk, path.mnt), d, fs);
    __u32 len = SKEP_READ(struct unix_address, addr, len);
    if (len < 3)
        return skep_no_slice();
    return skep_put_abstract(b, (char *)addr + bpf_core_field_offset(struct unix_address, name) + 3, len - 3,
                             false);
}

static __always_inline __u64 skep_unix_peer(__u64 sk)
{
    return sk ? (__u64)SKEP_READ(struct unix_sock, sk, peer) : 0;
}

/* ---- addresses that the caller gives ---- */

struct skep_sockaddr {
    __u64 addr; /* address of the caller's struct sockaddr; 0: none given */
    __u32 len;
    __u32 family;            /* SKEP_NO_VALUE: none, or not readable */
    struct skep_endpoint at; /* family 0: not an inet address */
};

/* The inet part of any struct sockaddr. */
struct skep_sockaddr_raw {
    __u16 family;
    __u16 port;
    __u32 ip4; /* IPv6: flow label */
    __u32 ip6[4];
    __u32 scope;
};

static __always_inline void skep_sockaddr_decode(struct skep_sockaddr *n, const struct skep_sockaddr_raw *raw)
{
    __u16 port = skep_port(raw->port);
    n->family = raw->family;
    if (raw->family == AF_INET && n->len >= 8)
        skep_fill_ip4(&n->at, raw->ip4, port);
    else if (raw->family == AF_INET6 && n->len >= 24)
        skep_fill_ip6(&n->at, raw->ip6, port, n->len >= 28 ? raw->scope : 0);
}

/* Reads n->len bytes at n->addr; -1: not readable. */
__weak __noinline int skep_sockaddr_read(struct skep_sockaddr *n)
{
    if (!n)
        return 0;
    struct skep_sockaddr_raw raw = {0};
    __u32 len = n->len;
    n->family = SKEP_NO_VALUE;
    __builtin_memset(&n->at, 0, sizeof(n->at));
    if (!n->addr || len < sizeof(raw.family) || len > 1024)
        return 0;
    if (len > sizeof(raw))
        len = sizeof(raw);
    barrier_var(len);
    if (bpf_probe_read_user(&raw, len & 31, (void *)n->addr) < 0)
        return -1;
    skep_sockaddr_decode(n, &raw);
    return 0;
}

/* The unix name in the caller's struct sockaddr_un. */
static __always_inline struct skep_slice skep_put_sockaddr_name(struct skep_build *b,
                                                                const struct skep_sockaddr *n)
{
    const char *name = (const char *)n->addr + offsetof(struct sockaddr_un, sun_path);
    __u32 len = n->len - offsetof(struct sockaddr_un, sun_path);
    char first = 0;
    if (n->family != AF_UNIX || n->len < 3)
        return skep_no_slice();
    if (bpf_probe_read_user(&first, 1, name) < 0)
        return skep_no_slice();
    if (!first)
        return skep_put_abstract(b, name + 1, len - 1, true);
    barrier_var(len);
    if (len > sizeof(((struct sockaddr_un *)0)->sun_path))
        len = sizeof(((struct sockaddr_un *)0)->sun_path);
    return skep_put_str_n(b, name, true, len + 1); /* it need not end in a NUL: stop behind the last byte */
}
#endif
