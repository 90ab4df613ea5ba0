/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"
#include "rule/fact.h"
#include "rule/field/descriptor.h"
#include "rule/names/hosts.h"
#include "rule/names/services.h"

#include <fcntl.h>
#include <sys/socket.h>

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

#define DEV_MINOR_BITS 20
#define CONTAINER_ID_LEN 12

enum end { END_LOCAL, END_REMOTE, END_CLIENT, END_SERVER, END_ANY };

static bool view(struct skep_rule_ctx *x, struct skep_rule_descriptor *d)
{
    skep_rule_descriptor_of(x->ev, d);
    return d->type != SKEP_RULE_FD_NONE;
}

static bool put_text(struct skep_rule_ctx *x, struct skep_fact *ret, const char *s)
{
    return s && skep_fact_text(x, ret, s, strlen(s));
}

GET(get_num)
{
    (void)q;
    struct skep_rule_descriptor d;
    return view(x, &d) && d.has_num && skep_fact_number(ret, d.num);
}

GET(get_type)
{
    (void)q;
    struct skep_rule_descriptor d;
    return view(x, &d) && put_text(x, ret, skep_rule_descriptor_type(&d));
}

GET(get_typechar)
{
    (void)q;
    struct skep_rule_descriptor d;
    if (!view(x, &d))
        return false;
    char letter = skep_rule_descriptor_char(&d);
    return skep_fact_text(x, ret, &letter, 1);
}

/* Thread and descriptor, which together name it for as long as it is open. */
GET(get_uid)
{
    (void)q;
    struct skep_rule_descriptor d;
    char text[32];
    if (!view(x, &d) || !d.has_num || d.num < 0)
        return false;
    return skep_fact_text(x, ret, text, (size_t)snprintf(text, sizeof(text), "%u%d", x->ev->h->tid, d.num));
}

/* ---- names ---- */

enum { PART_ALL, PART_DIRECTORY, PART_FILENAME };

static bool is_path(const struct skep_rule_descriptor *d)
{
    return d->type == SKEP_RULE_FD_FILE || d->type == SKEP_RULE_FD_DIR;
}

/* Of a directory the directory is itself; a path that ends in its last slash has no name behind it. False: the part
 * is missing. */
static bool take_part(const struct skep_rule_descriptor *d, uint32_t part, const char **s, size_t *n)
{
    if (part == PART_ALL)
        return true;
    if (!is_path(d) || (part == PART_FILENAME && d->type == SKEP_RULE_FD_DIR))
        return false;
    if (d->type == SKEP_RULE_FD_DIR)
        return true;
    const char *slash = memrchr(*s, '/', *n);
    size_t before = slash ? (size_t)(slash - *s) : 0;
    if (!slash || (part == PART_DIRECTORY && before == 0)) {
        *s = "/";
        *n = 1;
    } else if (before + 1 < *n) {
        *s += part == PART_DIRECTORY ? 0 : before + 1;
        *n = part == PART_DIRECTORY ? before : *n - before - 1;
    }
    return true;
}

/* Paths are taken from the record where they stand; sb is for names that have to be written. */
static bool name_of(struct skep_rule_ctx *x, uint32_t part, struct skep_strbuf *sb, const char **ret_s,
                    size_t *ret_n)
{
    struct skep_rule_descriptor d;
    if (!view(x, &d))
        return false;
    struct skep_slice path = d.path.off ? d.path : d.raw_path;
    *ret_s = skep_slice_get(x->ev->h, path);
    *ret_n = path.len;
    if (!*ret_s) {
        if (!skep_rule_descriptor_put_name(&d, x->ev->h, sb))
            return false;
        *ret_s = sb->s;
        *ret_n = sb->len;
    }
    return take_part(&d, part, ret_s, ret_n);
}

GET(get_name)
{
    char text[256];
    const char *s;
    size_t n;
    struct skep_strbuf sb;
    skep_strbuf_init_fixed(&sb, text, sizeof(text));
    return name_of(x, q->field->number, &sb, &s, &n) && skep_fact_text(x, ret, s, n);
}

GET(get_container_name)
{
    char text[256];
    const char *s, *id = x->ev->container ? x->ev->container->id : "host";
    size_t n, n_id = strnlen(id, CONTAINER_ID_LEN);
    struct skep_strbuf sb;
    uint32_t room;
    skep_strbuf_init_fixed(&sb, text, sizeof(text));
    if (!name_of(x, q->field->number, &sb, &s, &n))
        return false;
    char *to = skep_fact_room(x, n_id + 1 + n, &ret->value, &room);
    if (!to)
        return false;
    ret->n = room;
    memcpy(to, id, n_id);
    to[n_id] = ':';
    memcpy(to + n_id + 1, s, MIN(n, room - n_id - 1));
    return true;
}

GET(get_nameraw)
{
    (void)q;
    struct skep_rule_descriptor d;
    return view(x, &d) && is_path(&d) &&
           skep_fact_text(x, ret, skep_slice_get(x->ev->h, d.raw_path), d.raw_path.len);
}

/* ---- the file ---- */

enum { FILE_INODE, FILE_DEV, FILE_DEV_MAJOR, FILE_DEV_MINOR };

GET(get_file)
{
    struct skep_rule_descriptor d;
    if (!view(x, &d))
        return false;
    switch (q->field->number) {
    case FILE_INODE:
        return d.inode && skep_fact_number(ret, (int64_t)d.inode);
    case FILE_DEV:
        return d.dev && skep_fact_number(ret, skep_rule_dev_encode(d.dev));
    case FILE_DEV_MAJOR:
        return d.dev && skep_fact_number(ret, d.dev >> DEV_MINOR_BITS);
    default:
        return d.dev && skep_fact_number(ret, d.dev & ((1U << DEV_MINOR_BITS) - 1));
    }
}

/* ---- sockets ---- */

static size_t address_size(const struct skep_endpoint *e)
{
    return e->family == AF_INET ? 4 : 16;
}

/* One end, or both: how many. */
static size_t ends_of(struct skep_rule_ctx *x, uint32_t which, struct skep_rule_descriptor *d,
                      const struct skep_endpoint *ret[2])
{
    size_t n = 0;
    view(x, d);
    if (which == END_ANY) {
        if (d->client)
            ret[n++] = d->client;
        if (d->server)
            ret[n++] = d->server;
        return n;
    }
    ret[0] = which == END_LOCAL    ? d->local
             : which == END_REMOTE ? d->remote
             : which == END_CLIENT ? d->client
                                   : d->server;
    return ret[0] != NULL;
}

GET(get_ip)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    return ends_of(x, q->field->number, &d, ends) && skep_fact_ip(x, ret, ends[0]->ip, address_size(ends[0]));
}

GET(get_port)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    return ends_of(x, q->field->number, &d, ends) && skep_fact_number(ret, ends[0]->port);
}

GET(get_ips)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    size_t n = ends_of(x, q->field->number, &d, ends);
    struct skep_fact_item *items = n ? skep_fact_list(x, ret, n) : NULL;
    for (size_t i = 0; items && i < n; i++)
        if (!skep_fact_item_text(x, &items[i], ends[i]->ip, address_size(ends[i])))
            return false;
    return items != NULL;
}

GET(get_ports)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    size_t n = ends_of(x, q->field->number, &d, ends);
    struct skep_fact_item *items = n ? skep_fact_list(x, ret, n) : NULL;
    for (size_t i = 0; items && i < n; i++)
        items[i].value = ends[i]->port;
    return items != NULL;
}

/* By name where the port has one, else the number. */
static size_t port_name(const struct skep_rule_descriptor *d, const struct skep_endpoint *e, char text[8],
                        const char **ret)
{
    const char *proto = skep_rule_descriptor_l4proto(d);
    *ret = proto ? skep_rule_service_find(e->port, proto) : NULL;
    if (*ret)
        return strlen(*ret);
    *ret = text;
    return (size_t)snprintf(text, 8, "%u", e->port);
}

GET(get_proto)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    char text[8];
    const char *name;
    if (!ends_of(x, q->field->number, &d, ends))
        return false;
    size_t n = port_name(&d, ends[0], text, &name);
    return skep_fact_text(x, ret, name, n);
}

GET(get_protos)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    size_t n = ends_of(x, q->field->number, &d, ends);
    struct skep_fact_item *items = n ? skep_fact_list(x, ret, n) : NULL;
    for (size_t i = 0; items && i < n; i++) {
        char text[8];
        const char *name;
        size_t len = port_name(&d, ends[i], text, &name);
        if (!skep_fact_item_text(x, &items[i], name, len))
            return false;
    }
    return items != NULL;
}

GET(get_host_names)
{
    struct skep_rule_descriptor d;
    const struct skep_endpoint *ends[2];
    const char *names[2 * SKEP_HOSTS_NAMES];
    if (!x->hosts || !ends_of(x, q->field->number, &d, ends))
        return false;
    size_t n = skep_rule_hosts_find(x->hosts, ends[0]->ip, address_size(ends[0]), names);
    struct skep_fact_item *items = n ? skep_fact_list(x, ret, n) : NULL;
    for (size_t i = 0; items && i < n; i++)
        if (!skep_fact_item_text(x, &items[i], names[i], strlen(names[i])))
            return false;
    return items != NULL;
}

GET(get_l4proto)
{
    (void)q;
    struct skep_rule_descriptor d;
    return view(x, &d) && put_text(x, ret, skep_rule_descriptor_l4proto(&d));
}

GET(get_sockfamily)
{
    (void)q;
    struct skep_rule_descriptor d;
    if (!view(x, &d))
        return false;
    return put_text(x, ret,
                    skep_rule_descriptor_is_inet(&d) ? "ip"
                    : d.type == SKEP_RULE_FD_UNIX    ? "unix"
                                                     : NULL);
}

enum { STATE_SERVER, STATE_CONNECTED, STATE_NAME_CHANGED };

GET(get_state)
{
    struct skep_rule_descriptor d;
    if (!view(x, &d))
        return false;
    return skep_fact_bool(ret, q->field->number == STATE_SERVER      ? d.is_server
                               : q->field->number == STATE_CONNECTED ? d.connected
                                                                     : d.name_changed);
}

/* ---- where it stands ---- */

#define SPOT(k, f, member)                                                                                   \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_##f, .off = offsetof(struct skep_ev_##k, member)            \
    }
#define RESULT(k)                                                                                            \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_FD_RET                                                      \
    }
#define NEVER(k)                                                                                             \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_BITS                                                        \
    }
#define ALWAYS(k)                                                                                            \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_BITS, .n_values = 1                                         \
    }
/* the sign of what the call returned */
#define SUCCEEDED(k)                                                                                         \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_BITS, .off = offsetof(struct skep_hdr, ret) + 4,            \
        .mask = 1U << 31, .n_values = 1                                                                      \
    }
#define SOCKET_TYPE(k, n, ...)                                                                               \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_BITS, .off = offsetof(struct skep_ev_##k, type),            \
        .mask = UINT32_MAX, .n_values = n, .values = {                                                       \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

/* Types of descriptors, as numbers of the record tell them. */
#define CHOICE(k, member, bits, list)                                                                        \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_CHOICE, .off = offsetof(struct skep_ev_##k, member),        \
        .mask = bits, .choices = list, .n_choices = ARRAY_SIZE(list)                                         \
    }
#define ALWAYS_TEXT(k, list)                                                                                 \
    {                                                                                                        \
        .kind = SKEP_KIND_##k, .form = SKEP_SPOT_CHOICE, .off = offsetof(struct skep_hdr, kind),             \
        .choices = list, .n_choices = 1                                                                      \
    }
/* The family of an endpoint is the upper half of the word that begins with its port. */
#define BY_REMOTE(k, list) CHOICE(k, remote.port, 0xffffU << 16, list)
_Static_assert(offsetof(struct skep_endpoint, family) == offsetof(struct skep_endpoint, port) + 2,
               "port and family make a word");
static const struct skep_rule_spot_text open_types[] = {{0, "file"}, {O_DIRECTORY, "directory"}},
                                        open_chars[] = {{0, "f"}, {O_DIRECTORY, "d"}},
                                        memfd_type[] = {{0, "memfd"}}, memfd_char[] = {{0, "m"}},
                                        pipe_type[] = {{0, "pipe"}}, pipe_char[] = {{0, "p"}};
static const struct skep_rule_spot_text
    family_types[] = {{AF_INET, "ipv4"}, {AF_INET6, "ipv6"}, {AF_UNIX, "unix"}, {AF_NETLINK, "netlink"}},
    family_chars[] = {{AF_INET, "4"}, {AF_INET6, "6"}, {AF_UNIX, "u"}, {AF_NETLINK, "n"}},
    family_groups[] = {{AF_INET, "ip"}, {AF_INET6, "ip"}, {AF_UNIX, "unix"}, {AF_NETLINK, NULL}};
static const struct skep_rule_spot_text end_types[] = {{AF_INET << 16, "ipv4"}, {AF_INET6 << 16, "ipv6"}},
                                        end_chars[] = {{AF_INET << 16, "4"}, {AF_INET6 << 16, "6"}},
                                        end_groups[] = {{AF_INET << 16, "ip"}, {AF_INET6 << 16, "ip"}};
static const struct skep_rule_spot type_spots[] = {CHOICE(open, flags, O_DIRECTORY, open_types),
                                                   ALWAYS_TEXT(memfd_create, memfd_type),
                                                   ALWAYS_TEXT(pipe, pipe_type),
                                                   CHOICE(socket, family, UINT32_MAX, family_types),
                                                   BY_REMOTE(connect, end_types),
                                                   BY_REMOTE(accept, end_types),
                                                   BY_REMOTE(send, end_types),
                                                   BY_REMOTE(recv, end_types)};
static const struct skep_rule_spot typechar_spots[] = {CHOICE(open, flags, O_DIRECTORY, open_chars),
                                                       ALWAYS_TEXT(memfd_create, memfd_char),
                                                       ALWAYS_TEXT(pipe, pipe_char),
                                                       CHOICE(socket, family, UINT32_MAX, family_chars),
                                                       BY_REMOTE(connect, end_chars),
                                                       BY_REMOTE(accept, end_chars),
                                                       BY_REMOTE(send, end_chars),
                                                       BY_REMOTE(recv, end_chars)};
static const struct skep_rule_spot sockfamily_spots[] = {
    CHOICE(socket, family, UINT32_MAX, family_groups), BY_REMOTE(connect, end_groups),
    BY_REMOTE(accept, end_groups), BY_REMOTE(send, end_groups), BY_REMOTE(recv, end_groups)};
static const struct skep_rule_spot num_spots[] = {
    RESULT(open),          RESULT(memfd_create),    RESULT(socket),
    SPOT(dup, S32, newfd), SPOT(pipe, S32, readfd), SPOT(bind, S32, fd),
    SPOT(listen, S32, fd), SPOT(accept, S32, fd),   SPOT(connect, S32, fd),
    SPOT(send, S32, fd),   SPOT(recv, S32, fd)};
static const struct skep_rule_spot name_spots[] = {{.kind = SKEP_KIND_open,
                                                    .form = SKEP_SPOT_PATH,
                                                    .off = offsetof(struct skep_ev_open, path),
                                                    .source_off = offsetof(struct skep_ev_open, path_source)},
                                                   SPOT(memfd_create, SLICE, name)};
static const struct skep_rule_spot directory_spots[] = {
    {.kind = SKEP_KIND_open,
     .form = SKEP_SPOT_DIRECTORY,
     .off = offsetof(struct skep_ev_open, path),
     .source_off = offsetof(struct skep_ev_open, path_source)}};
static const struct skep_rule_spot filename_spots[] = {
    {.kind = SKEP_KIND_open,
     .form = SKEP_SPOT_FILENAME,
     .off = offsetof(struct skep_ev_open, path),
     .source_off = offsetof(struct skep_ev_open, path_source)}};
static const struct skep_rule_spot nameraw_spots[] = {SPOT(open, SLICE, raw_path)};
static const struct skep_rule_spot ino_spots[] = {{.kind = SKEP_KIND_open,
                                                   .form = SKEP_SPOT_U64,
                                                   .off = offsetof(struct skep_ev_open, inode),
                                                   .has_missing = true}};
static const struct skep_rule_spot server_spots[] = {
    ALWAYS(bind), ALWAYS(listen), ALWAYS(accept), ALWAYS(recv),        NEVER(open), NEVER(connect),
    NEVER(send),  NEVER(dns),     NEVER(socket),  NEVER(memfd_create), NEVER(pipe)};
static const struct skep_rule_spot connected_spots[] = {SUCCEEDED(connect),
                                                        SUCCEEDED(accept),
                                                        SOCKET_TYPE(send, 2, SOCK_STREAM, SOCK_SEQPACKET),
                                                        SOCKET_TYPE(recv, 2, SOCK_STREAM, SOCK_SEQPACKET),
                                                        NEVER(open),
                                                        NEVER(bind),
                                                        NEVER(listen),
                                                        NEVER(socket),
                                                        NEVER(memfd_create),
                                                        NEVER(pipe),
                                                        NEVER(dns)};
static const struct skep_rule_spot name_changed_spots[] = {
    ALWAYS(connect),
    SOCKET_TYPE(send, 4, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_PACKET),
    SOCKET_TYPE(recv, 4, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_PACKET),
    NEVER(accept),
    NEVER(open),
    NEVER(bind),
    NEVER(listen),
    NEVER(socket),
    NEVER(memfd_create),
    NEVER(pipe),
    NEVER(dup),
    NEVER(tcp),
    NEVER(dns)};

/* Of both the address (ENDPOINT) and the port (PORT) of an end. */
#define LOCAL_SPOTS(form)                                                                                    \
    {                                                                                                        \
        SPOT(connect, form, local), SPOT(accept, form, local), SPOT(bind, form, local),                      \
            SPOT(listen, form, local), SPOT(send, form, local), SPOT(recv, form, local),                     \
            SPOT(dup, form, local), SPOT(tcp, form, local), SPOT(dns, form, local), SPOT(uring, form, local) \
    }
#define REMOTE_SPOTS(form)                                                                                   \
    {                                                                                                        \
        SPOT(connect, form, remote), SPOT(accept, form, remote), SPOT(send, form, remote),                   \
            SPOT(recv, form, remote), SPOT(dup, form, remote), SPOT(tcp, form, remote),                      \
            SPOT(dns, form, server), SPOT(uring, form, remote)                                               \
    }
#define CLIENT_SPOTS(form)                                                                                   \
    {                                                                                                        \
        SPOT(connect, form, local), SPOT(send, form, local), SPOT(accept, form, remote),                     \
            SPOT(recv, form, remote), SPOT(dns, form, local)                                                 \
    }
#define SERVER_SPOTS(form)                                                                                   \
    {                                                                                                        \
        SPOT(connect, form, remote), SPOT(send, form, remote), SPOT(accept, form, local),                    \
            SPOT(recv, form, local), SPOT(bind, form, local), SPOT(listen, form, local),                     \
            SPOT(dns, form, server)                                                                          \
    }

static const struct skep_rule_spot lip_spots[] = LOCAL_SPOTS(ENDPOINT), lport_spots[] = LOCAL_SPOTS(PORT);
static const struct skep_rule_spot rip_spots[] = REMOTE_SPOTS(ENDPOINT), rport_spots[] = REMOTE_SPOTS(PORT);
static const struct skep_rule_spot cip_spots[] = CLIENT_SPOTS(ENDPOINT), cport_spots[] = CLIENT_SPOTS(PORT);
static const struct skep_rule_spot sip_spots[] = SERVER_SPOTS(ENDPOINT), sport_spots[] = SERVER_SPOTS(PORT);

/* ---- the table ---- */

#define FILES "open,dup,memfd_create,pipe,setns,uring,uring_done"
#define SOCKETS "socket,bind,listen,accept,connect,send,recv,tcp,dns,dup,uring,uring_done"
#define ALL                                                                                                  \
    "open,dup,memfd_create,pipe,setns,uring,uring_done,socket,bind,listen,accept,connect,send,recv,tcp,dns"
#define INET "bind,listen,accept,connect,send,recv,tcp,dns,dup,uring,uring_done"

#define FIELD(name, type, flags, kinds, get, number, doc)                                                    \
    {                                                                                                        \
        "fd." name, doc, SKEP_RULE_##type, flags, kinds, get, NULL, 0, number                                \
    }
#define SPOTTED(name, type, flags, kinds, get, number, spots, doc)                                           \
    {                                                                                                        \
        "fd." name, doc, SKEP_RULE_##type, flags, kinds, get, spots, ARRAY_SIZE(spots), number               \
    }
#define END(letter, which, ip, port, of)                                                                     \
    SPOTTED(letter "ip", IP, 0, INET, get_ip, which, ip, "address of the " of),                              \
        SPOTTED(letter "port", NUMBER, SKEP_FIELD_PORT, INET, get_port, which, port, "port of the " of),     \
        SPOTTED(letter "net", IP, SKEP_FIELD_NET | SKEP_FIELD_FILTER_ONLY, INET, get_ip, which, ip,          \
                "network that the address of the " of " is in"),                                             \
        FIELD(letter "proto", TEXT, 0, INET, get_proto, which,                                               \
              "name of the service at the port of the " of ", else the number"),                             \
        FIELD(letter "ip.name", TEXT, SKEP_FIELD_ANY | SKEP_FIELD_HOSTS, INET, get_host_names, which,        \
              "name of the address of the " of ", as /etc/hosts or a DNS answer that was seen had it")

static const struct skep_rule_field fields[] = {
    SPOTTED("num", NUMBER, 0, ALL, get_num, 0, num_spots,
            "number of the descriptor; -1: the call that was to give it failed"),
    SPOTTED(
        "type", TEXT, 0, ALL, get_type, 0, type_spots,
        "file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, inotify, timerfd, netlink, bpf, "
        "userfaultfd, io_uring, memfd or pidfd"),
    SPOTTED(
        "typechar", TEXT, 0, ALL, get_typechar, 0, typechar_spots,
        "the same in one character: f, d, 4, 6, u, p, e, s, l, i, t, n, b, u, r, m, P; o: something else"),
    SPOTTED(
        "name", TEXT, 0, ALL, get_name, PART_ALL, name_spots,
        "canonical path of a file; ends of a connection as client:port->server:port; path of a unix socket"),
    SPOTTED("nameraw", TEXT, 0, "open,uring,uring_done", get_nameraw, 0, nameraw_spots,
            "path of a file as it was given"),
    SPOTTED("directory", TEXT, 0, FILES, get_name, PART_DIRECTORY, directory_spots,
            "directory of a file; of a directory itself"),
    SPOTTED("filename", TEXT, 0, FILES, get_name, PART_FILENAME, filename_spots,
            "what follows the last slash of a file's path"),
    FIELD("containername", TEXT, 0, ALL, get_container_name, PART_ALL, "container.id:fd.name"),
    FIELD("containerdirectory", TEXT, 0, FILES, get_container_name, PART_DIRECTORY,
          "container.id:fd.directory"),
    FIELD("uid", TEXT, 0, ALL, get_uid, 0, "thread id and number of the descriptor, one behind the other"),
    SPOTTED("ino", NUMBER, 0, "open,memfd_create,pipe", get_file, FILE_INODE, ino_spots, "inode number"),
    FIELD("dev", NUMBER, 0, "open,memfd_create", get_file, FILE_DEV,
          "device of the file system as stat(2) encodes it: major << 8 | minor"),
    FIELD("dev.major", NUMBER, 0, "open,memfd_create", get_file, FILE_DEV_MAJOR,
          "major number of the device"),
    FIELD("dev.minor", NUMBER, 0, "open,memfd_create", get_file, FILE_DEV_MINOR,
          "minor number of the device"),
    FIELD("ip", IP, SKEP_FIELD_ANY | SKEP_FIELD_FILTER_ONLY, INET, get_ips, END_ANY, "address of either end"),
    FIELD("port", NUMBER, SKEP_FIELD_ANY | SKEP_FIELD_FILTER_ONLY | SKEP_FIELD_PORT, INET, get_ports, END_ANY,
          "port of either end"),
    FIELD("net", IP, SKEP_FIELD_ANY | SKEP_FIELD_NET | SKEP_FIELD_FILTER_ONLY, INET, get_ips, END_ANY,
          "network that the address of either end is in"),
    FIELD("proto", TEXT, SKEP_FIELD_ANY | SKEP_FIELD_FILTER_ONLY, INET, get_protos, END_ANY,
          "name of the service at the port of either end, else the number"),
    END("c", END_CLIENT, cip_spots, cport_spots, "client"),
    END("s", END_SERVER, sip_spots, sport_spots, "server"),
    END("l", END_LOCAL, lip_spots, lport_spots, "own end"),
    END("r", END_REMOTE, rip_spots, rport_spots, "peer"),
    FIELD("l4proto", TEXT, 0, SOCKETS, get_l4proto, 0, "tcp, udp, icmp or raw"),
    SPOTTED("sockfamily", TEXT, 0, SOCKETS, get_sockfamily, 0, sockfamily_spots, "ip or unix"),
    SPOTTED("is_server", BOOL, 0, ALL, get_state, STATE_SERVER, server_spots,
            "the process is the server's side of the connection"),
    SPOTTED("connected", BOOL, 0, ALL, get_state, STATE_CONNECTED, connected_spots,
            "the socket is connected; a datagram sent to a named address counts as not"),
    SPOTTED("name_changed", BOOL, 0, ALL, get_state, STATE_NAME_CHANGED, name_changed_spots,
            "the event gives the socket another peer: connect, and each datagram to or from a named address"),
};

const struct skep_rule_family skep_rule_family_fd = {"fd", "The descriptor", fields, ARRAY_SIZE(fields)};
