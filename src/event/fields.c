/* SPDX-License-Identifier: Apache-2.0 */
#include "event/fields.h"

#include "event/container.h"
#include "event/scratch.h"
#include "event/syscalls.h"

#include <sys/socket.h>

uint64_t skep_field_read(const struct skep_hdr *h, uint32_t off, uint32_t size)
{
    const char *at = (const char *)h + off;
    uint64_t v8 = 0;
    uint32_t v4;
    uint16_t v2;
    switch (size) {
    case 8:
        memcpy(&v8, at, 8);
        return v8;
    case 4:
        memcpy(&v4, at, 4);
        return v4;
    case 2:
        memcpy(&v2, at, 2);
        return v2;
    default:
        return *(const uint8_t *)at;
    }
}

static bool give_uint(struct skep_value *ret, uint64_t u)
{
    ret->class = SKEP_CLASS_UINT;
    ret->u = u;
    return true;
}

static bool give_bytes(struct skep_value *ret, enum skep_class class, const char *s, size_t n)
{
    if (!s)
        return false;
    ret->class = class;
    ret->s = s;
    ret->n = n;
    return true;
}

static bool give_text(struct skep_value *ret, const char *s)
{
    return s && give_bytes(ret, SKEP_CLASS_TEXT, s, strlen(s));
}

static struct skep_slice read_slice(const struct skep_hdr *h, uint32_t off)
{
    struct skep_slice slice;
    memcpy(&slice, (const char *)h + off, sizeof(slice));
    return slice;
}

static bool get_number(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const struct skep_type_info *info = skep_type_info(f->type);
    uint64_t u = skep_field_read(ev->h, f->off, f->size);
    if (info->class == SKEP_CLASS_INT) {
        unsigned unused = 64 - 8 * f->size;
        ret->class = SKEP_CLASS_INT;
        ret->i = (int64_t)(u << unused) >> unused;
        return true;
    }
    switch (f->type) {
    case SKEP_TYPE_uid:
    case SKEP_TYPE_gid:
        if (u == UINT32_MAX)
            return false;
        break;
    case SKEP_TYPE_nsid:
    case SKEP_TYPE_inode:
    case SKEP_TYPE_dev:
        if (u == 0)
            return false;
        break;
    case SKEP_TYPE_time:
        ret->i = (int64_t)u + (ev->session ? ev->session->boot_offset : 0);
        break;
    default:
        if (info->names && !info->names->set && (u == SKEP_NO_VALUE || (u == 0 && info->names->zero_is_none)))
            return false;
    }
    return give_uint(ret, u);
}

bool skep_field_get(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    ret->type = f->type;
    if (f->get)
        return f->get(f, ev, ret);
    enum skep_class class = skep_type_info(f->type)->class;
    if (class == SKEP_CLASS_TEXT || class == SKEP_CLASS_LIST) {
        struct skep_slice slice = read_slice(ev->h, f->off);
        return give_bytes(ret, class, skep_slice_get(ev->h, slice), slice.len);
    }
    return get_number(f, ev, ret);
}

/* ---- members of records that need more than reading ---- */

bool skep_get_endpoint_ip(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const char *endpoint = (const char *)ev->h + f->off;
    uint64_t family = skep_field_read(ev->h, f->off + offsetof(struct skep_endpoint, family), 2);
    if (family != AF_INET && family != AF_INET6)
        return false;
    return give_bytes(ret, SKEP_CLASS_IP, endpoint + offsetof(struct skep_endpoint, ip),
                      family == AF_INET ? 4 : 16);
}

bool skep_get_endpoint_port(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    uint64_t family = skep_field_read(ev->h, f->off + offsetof(struct skep_endpoint, family), 2);
    if (family != AF_INET && family != AF_INET6)
        return false;
    return give_uint(ret, skep_field_read(ev->h, f->off + offsetof(struct skep_endpoint, port), 2));
}

bool skep_get_chars(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const char *s = (const char *)ev->h + f->off;
    return give_bytes(ret, SKEP_CLASS_TEXT, s, strnlen(s, f->size));
}

bool skep_get_proto(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    uint64_t family = skep_field_read(ev->h, f->beside, 4);
    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6 && family != SKEP_NO_VALUE)
        return give_uint(ret, SKEP_PROTO_FAMILY + family);
    return get_number(f, ev, ret);
}

bool skep_get_kexec_flags(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const char *call = skep_syscall_name(ev->h->nr, ev->h->flags & SKEP_HDR_COMPAT);
    if (ev->h->flags & SKEP_HDR_SYSCALL && call && skep_streq(call, "kexec_file_load"))
        ret->type = SKEP_TYPE_kexec_file_flags;
    return get_number(f, ev, ret);
}

bool skep_get_env(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    (void)f;
    return ev->image && give_bytes(ret, SKEP_CLASS_LIST, ev->image->env.s, ev->image->env.len);
}

static const struct skep_dns *dns_of(const struct skep_field *f, const struct skep_event *ev)
{
    struct skep_scratch *sc = ev->scratch;
    if (!sc)
        return NULL;
    if (sc->dns_of != ev->h || sc->dns_seq != ev->h->seq || sc->dns_time != ev->h->time ||
        sc->dns_ring != ev->h->ring) {
        struct skep_slice slice = read_slice(ev->h, f->off);
        const char *message = skep_slice_get(ev->h, slice);
        sc->dns_of = ev->h;
        sc->dns_seq = ev->h->seq;
        sc->dns_time = ev->h->time;
        sc->dns_ring = ev->h->ring;
        sc->dns_valid = message && skep_dns_parse(message, slice.len, &sc->dns) >= 0;
    }
    return sc->dns_valid ? &sc->dns : NULL;
}

bool skep_get_dns_question(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const struct skep_dns *dns = dns_of(f, ev);
    return dns && give_text(ret, dns->question);
}

bool skep_get_dns_qtype(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const struct skep_dns *dns = dns_of(f, ev);
    return dns && give_uint(ret, dns->qtype);
}

bool skep_get_dns_id(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const struct skep_dns *dns = dns_of(f, ev);
    return dns && give_uint(ret, dns->id);
}

bool skep_get_dns_rcode(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const struct skep_dns *dns = dns_of(f, ev);
    return dns && dns->is_response && give_uint(ret, dns->rcode);
}

bool skep_get_dns_answers(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)
{
    const struct skep_dns *dns = dns_of(f, ev);
    return dns && give_bytes(ret, SKEP_CLASS_LIST, dns->answers, dns->answers_len);
}

/* ---- fields of every event ---- */

#define GET(fn)                                                                                              \
    static bool fn(const struct skep_field *f, const struct skep_event *ev, struct skep_value *ret)

GET(get_kind)
{
    (void)f;
    return give_text(ret, ev->kind->name);
}

GET(get_ret)
{
    (void)f;
    ret->class = SKEP_CLASS_INT;
    ret->i = ev->h->ret;
    return ev->h->flags & SKEP_HDR_RET;
}

GET(get_error)
{
    (void)f;
    if (!(ev->h->flags & SKEP_HDR_RET) || ev->h->ret >= 0)
        return false;
    return give_uint(ret, -(uint64_t)ev->h->ret);
}

GET(get_syscall)
{
    (void)f;
    return ev->h->flags & SKEP_HDR_SYSCALL &&
           give_uint(ret, SKEP_SYSCALL_VALUE(ev->h->nr, ev->h->flags & SKEP_HDR_COMPAT));
}

GET(get_truncated)
{
    (void)f;
    return ev->h->flags & SKEP_HDR_TRUNCATED && give_uint(ret, 1);
}

static bool has_task(const struct skep_event *ev)
{
    return !(ev->h->flags & SKEP_HDR_NO_TASK);
}

/* What only life cycle records tell; a partial row of the table has zeros there. */
static const struct skep_task *task_of(const struct skep_event *ev)
{
    return ev->proc && !ev->proc->partial ? &ev->proc->task : NULL;
}

/* Numbers of the header that mean the acting process. */
GET(get_hdr_proc)
{
    return has_task(ev) && get_number(f, ev, ret);
}

GET(get_hdr_start)
{
    return has_task(ev) && ev->h->start && get_number(f, ev, ret);
}

GET(get_comm)
{
    return has_task(ev) && skep_get_chars(f, ev, ret);
}

GET(get_ns_pid)
{
    (void)f;
    const struct skep_task *task = task_of(ev);
    return task && task->ns_pid && task->ns_pid != ev->h->pid && give_uint(ret, task->ns_pid);
}

GET(get_exe)
{
    (void)f;
    return ev->image && give_bytes(ret, SKEP_CLASS_TEXT, ev->image->exe.s, ev->image->exe.len);
}

GET(get_args)
{
    (void)f;
    return ev->image && give_bytes(ret, SKEP_CLASS_LIST, ev->image->args.s, ev->image->args.len);
}

GET(get_cwd)
{
    (void)f;
    return ev->proc && give_bytes(ret, SKEP_CLASS_TEXT, ev->proc->cwd.s, ev->proc->cwd.len);
}

GET(get_loginuid)
{
    (void)f;
    const struct skep_task *task = task_of(ev);
    return task && task->loginuid != UINT32_MAX && give_uint(ret, task->loginuid);
}

GET(get_session)
{
    (void)f;
    const struct skep_task *task = task_of(ev);
    return task && task->session && give_uint(ret, task->session);
}

GET(get_tty)
{
    (void)f;
    const struct skep_task *task = task_of(ev);
    return task && task->tty[0] &&
           give_bytes(ret, SKEP_CLASS_TEXT, task->tty, strnlen(task->tty, sizeof(task->tty)));
}

GET(get_cgroup)
{
    (void)f;
    return give_text(ret, ev->cgroup);
}

GET(get_unit)
{
    (void)f;
    return give_text(ret, ev->unit);
}

/* off: in struct skep_namespaces */
GET(get_ns)
{
    const struct skep_task *task = task_of(ev);
    if (!task || !ev->session)
        return false;
    uint32_t own, host;
    memcpy(&own, (const char *)&task->ns + f->off, sizeof(own));
    memcpy(&host, (const char *)&ev->session->host_ns + f->off, sizeof(host));
    return own && own != host && give_uint(ret, own);
}

GET(get_parent_pid)
{
    (void)f;
    const struct skep_task *task = task_of(ev);
    if (ev->proc && ev->proc->parent)
        return give_uint(ret, ev->proc->parent->pid);
    return task && task->parent_pid && give_uint(ret, task->parent_pid);
}

GET(get_parent_exe)
{
    (void)f;
    const struct skep_proc *parent = ev->proc ? ev->proc->parent : NULL;
    return parent && parent->image &&
           give_bytes(ret, SKEP_CLASS_TEXT, parent->image->exe.s, parent->image->exe.len);
}

GET(get_parent_comm)
{
    (void)f;
    const struct skep_proc *parent = ev->proc ? ev->proc->parent : NULL;
    return parent &&
           give_bytes(ret, SKEP_CLASS_TEXT, parent->comm, strnlen(parent->comm, sizeof(parent->comm)));
}

GET(get_parent_start)
{
    (void)f;
    const struct skep_proc *parent = ev->proc ? ev->proc->parent : NULL;
    if (!parent || !parent->start)
        return false;
    ret->i = (int64_t)parent->start + (ev->session ? ev->session->boot_offset : 0);
    return give_uint(ret, parent->start);
}

GET(get_container_id)
{
    (void)f;
    return ev->container && give_text(ret, ev->container->id);
}

GET(get_container_runtime)
{
    (void)f;
    return ev->container && give_text(ret, skep_runtime_name(ev->container->runtime));
}

/* off: of a char * in struct skep_container */
GET(get_container_text)
{
    if (!ev->container)
        return false;
    char *s;
    memcpy(&s, (const char *)ev->container + f->off, sizeof(s));
    return give_text(ret, s);
}

#define HDR(member)                                                                                          \
    .off = offsetof(struct skep_hdr, member), .size = sizeof(((struct skep_hdr *)NULL)->member)
#define FIELD(n, t, d, ...)                                                                                  \
    {                                                                                                        \
        .name = (n), .type = SKEP_TYPE_##t, .doc = (d), __VA_ARGS__                                          \
    }
#define NS(member)                                                                                           \
    FIELD("proc.ns." #member, nsid, #member " namespace, where it is not the host's", .get = get_ns,         \
          .off = offsetof(struct skep_namespaces, member), .optional = true)
#define CONTAINER(n, member, d, ...)                                                                         \
    FIELD("container." n, text, d, .get = get_container_text,                                                \
          .off = offsetof(struct skep_container, member), __VA_ARGS__)

static const struct skep_field common_fields[] = {
    FIELD("kind", text, "kind of event", .get = get_kind),
    FIELD("time", time, "when it happened", HDR(time)),
    FIELD("seq", number, "counts up by one per record offered to the ring", HDR(seq)),
    FIELD("ring", ring, "the buffer that the event came through: seq counts per ring", HDR(ring)),
    FIELD("cpu", number, "CPU that it happened on", HDR(cpu)),
    FIELD("ret", integer, "return value, where there is one", .get = get_ret, .optional = true),
    FIELD("error", errno, "name of the error, when the call failed", .get = get_error, .optional = true),
    FIELD("syscall", syscall, "the system call, where there is one", .get = get_syscall, .optional = true),
    FIELD("truncated", bool, "true when some string did not fit and was cut", .get = get_truncated,
          .optional = true),
    FIELD("proc.pid", pid, "process id", .get = get_hdr_proc, HDR(pid)),
    FIELD("proc.tid", pid, "thread id", .get = get_hdr_proc, HDR(tid)),
    FIELD("proc.ns_pid", pid, "process id in its own pid namespace, where that differs", .get = get_ns_pid,
          .optional = true),
    FIELD("proc.exe", text, "canonical path of the executable", .get = get_exe),
    FIELD("proc.comm", text, "command name", .get = get_comm, HDR(comm)),
    FIELD("proc.args", args, "arguments, the command itself first", .get = get_args),
    FIELD("proc.cwd", text, "current directory", .get = get_cwd),
    FIELD("proc.uid", uid, "real user id", .get = get_hdr_proc, HDR(uid)),
    FIELD("proc.gid", gid, "real group id", .get = get_hdr_proc, HDR(gid)),
    FIELD("proc.euid", uid, "effective user id", .get = get_hdr_proc, HDR(euid)),
    FIELD("proc.egid", gid, "effective group id", .get = get_hdr_proc, HDR(egid)),
    FIELD("proc.loginuid", uid, "user who logged in, as audit knows it", .get = get_loginuid),
    FIELD("proc.session", pid, "session, by the process id of its leader", .get = get_session),
    FIELD("proc.tty", text, "controlling terminal", .get = get_tty, .optional = true),
    FIELD("proc.caps", caps, "effective capabilities", .get = get_hdr_proc, HDR(caps)),
    FIELD("proc.cgroup", text, "path of the cgroup", .get = get_cgroup),
    FIELD("proc.unit", text, "innermost systemd unit", .get = get_unit, .optional = true),
    FIELD("proc.start", time, "start of the process: with pid, its identity", .get = get_hdr_start,
          HDR(start)),
    FIELD("proc.exec_id", number, "counts the execs of the process and its ancestors", .get = get_hdr_proc,
          HDR(exec_id)),
    NS(mnt),
    NS(pid),
    NS(net),
    NS(user),
    NS(uts),
    NS(ipc),
    NS(cgroup),
    NS(time),
    FIELD("proc.parent.pid", pid, "process id of the parent", .get = get_parent_pid),
    FIELD("proc.parent.exe", text, "executable of the parent", .get = get_parent_exe),
    FIELD("proc.parent.comm", text, "command name of the parent", .get = get_parent_comm),
    FIELD("proc.parent.start", time, "start of the parent", .get = get_parent_start, .optional = true),
    FIELD("container.id", text, "id of the container", .get = get_container_id),
    CONTAINER("name", name, "name of the container, when known"),
    CONTAINER("image", image, "image of the container, when known"),
    FIELD("container.runtime", text, "docker, containerd, cri-o, podman, ...", .get = get_container_runtime),
    CONTAINER("pod", pod, "pod, of Kubernetes or podman", .optional = true),
    CONTAINER("namespace", namespace_, "Kubernetes namespace", .optional = true),
    {.name = NULL},
};

const struct skep_field *skep_common_fields(void)
{
    return common_fields;
}
