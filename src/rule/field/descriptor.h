/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_DESCRIPTOR_H
#define SKEP_RULE_FIELD_DESCRIPTOR_H
/*
 * The descriptor that an event is about, in one form for all kinds: what the fields fd.* and the arguments that are
 * descriptors tell of it. A view: it borrows from the event, and making it costs a switch and a few loads.
 *
 * Ends of connections have two pairs of names. Local and remote are as the sensors say; client and server depend on who
 * began: connect and send are a client's, accept and recv a server's; a bound or listening socket has a server's end
 * alone. A duplicated socket does not tell who connected it: the side that has a well-known port is taken for the server,
 * else the remote one.
 */
#include "rule/fact.h"

enum skep_rule_fd_type {
    SKEP_RULE_FD_NONE, /* the event is about no descriptor */
    SKEP_RULE_FD_OTHER,
    SKEP_RULE_FD_FILE,
    SKEP_RULE_FD_DIR,
    SKEP_RULE_FD_IPV4,
    SKEP_RULE_FD_IPV6,
    SKEP_RULE_FD_UNIX,
    SKEP_RULE_FD_PIPE,
    SKEP_RULE_FD_EVENT,
    SKEP_RULE_FD_SIGNALFD,
    SKEP_RULE_FD_EVENTPOLL,
    SKEP_RULE_FD_INOTIFY,
    SKEP_RULE_FD_TIMERFD,
    SKEP_RULE_FD_NETLINK,
    SKEP_RULE_FD_BPF,
    SKEP_RULE_FD_USERFAULTFD,
    SKEP_RULE_FD_IO_URING,
    SKEP_RULE_FD_MEMFD,
    SKEP_RULE_FD_PIDFD,
    SKEP_RULE_FD_MAX,
};

struct skep_rule_descriptor {
    enum skep_rule_fd_type type;
    bool has_num;
    int32_t num;                                 /* -1: the call that was to give one failed */
    struct skep_slice path, raw_path;            /* of files; of a unix socket its name; off 0: none */
    uint64_t inode;                              /* 0: not known */
    uint32_t dev;                                /* the kernel's dev_t */
    const struct skep_endpoint *local, *remote;  /* NULL: none, or not an inet address */
    const struct skep_endpoint *client, *server; /* the same two */
    uint32_t proto;                              /* IPPROTO_; 0: not known */
    bool is_server, connected, name_changed;
};

/* ret->type SKEP_RULE_FD_NONE: the event is about none. */
void skep_rule_descriptor_of(const struct skep_event *ev, struct skep_rule_descriptor *ret);
/* A device as stat(2) encodes it, where the kernel has major << 20 | minor. */
static inline uint32_t skep_rule_dev_encode(uint32_t dev)
{
    uint32_t major = dev >> 20, minor = dev & 0xfffff;
    return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}
/* "file", "ipv4"; NULL: it has none. */
const char *skep_rule_descriptor_type(const struct skep_rule_descriptor *d);
char skep_rule_descriptor_char(const struct skep_rule_descriptor *d);
static inline bool skep_rule_descriptor_is_inet(const struct skep_rule_descriptor *d)
{
    return d->type == SKEP_RULE_FD_IPV4 || d->type == SKEP_RULE_FD_IPV6;
}
/* "tcp", "udp", "icmp", "raw"; NULL: something else. */
const char *skep_rule_descriptor_l4proto(const struct skep_rule_descriptor *d);
/* Path, or name: 10.0.0.1:40000->1.2.3.4:443. False: it has none. */
bool skep_rule_descriptor_put_name(const struct skep_rule_descriptor *d, const struct skep_hdr *h,
                                   struct skep_strbuf *sb);
#endif
