/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The owners of the sockets that are already there when skep starts: a walk over the descriptors of all
 * processes, run once behind the attachment of the sensors. It writes no records.
 *
 * Of several processes that hold a socket the first one counts, but for process 1: it makes sockets for the
 * services that it starts.
 */
#include "bpf/lib/owner.h"
#include "bpf/lib/sock.h"

SEC("iter/task_file")
int owners_snapshot(struct bpf_iter__task_file *ctx)
{
    struct task_struct *t = ctx->task;
    struct file *file = ctx->file;
    if (!t || !file)
        return 0;
    struct socket *socket = bpf_sock_from_file(file);
    if (!socket)
        return 0;
    struct sock *sk = socket->sk;
    if (!sk)
        return 0;
    struct sock *plain = SKEP_PLAIN(struct sock, sk);
    __u32 family = plain->__sk_common.skc_family, proto = plain->sk_protocol;
    if ((family != AF_INET && family != AF_INET6) || (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
        return 0;
    struct skep_socket_state *st = bpf_sk_storage_get(&skep_socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (st && st->owner.who.pid <= 1)
        skep_owner_fill(&st->owner, SKEP_PLAIN(struct task_struct, t));
    return 0;
}
