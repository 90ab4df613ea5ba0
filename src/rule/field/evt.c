/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "event/syscalls.h"
#include "rule/evttype.h"
#include "rule/fact.h"
#include "rule/field/args.h"
#include "rule/field/descriptor.h"
#include "rule/field/paths.h"

#include <fcntl.h>
#include <linux/io_uring.h>

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

#define NS_PER_S 1000000000LL

static bool put_text(struct skep_rule_ctx *x, struct skep_fact *ret, const char *s)
{
    return s && skep_fact_text(x, ret, s, strlen(s));
}

GET(get_num)
{
    (void)q;
    return skep_fact_number(ret, (int64_t)(x->ev->h->seq + 1));
}

/* ---- time ---- */

enum {
    TIME,
    TIME_S,
    TIME_ISO8601,
    DATETIME,
    DATETIME_S,
    RAWTIME,
    RAWTIME_S,
    RAWTIME_NS,
};

static int64_t utc_of(const struct skep_event *ev)
{
    return (int64_t)(ev->h->time + (ev->session ? (uint64_t)ev->session->boot_offset : 0));
}

GET(get_time)
{
    char text[64];
    struct skep_strbuf sb;
    uint32_t form = q->field->number;
    skep_strbuf_init_fixed(&sb, text, sizeof(text));
    if (form == TIME_ISO8601)
        skep_clock_put_iso8601(&sb, utc_of(x->ev));
    else
        skep_clock_put_local(&sb, utc_of(x->ev), form == DATETIME || form == DATETIME_S,
                             form == TIME || form == DATETIME);
    return skep_fact_text(x, ret, sb.s, sb.len);
}

/* All of it, its whole seconds, or the rest. */
static bool put_time_part(struct skep_fact *ret, int64_t ns, uint32_t part)
{
    int64_t rest = ns % NS_PER_S + (ns % NS_PER_S < 0 ? NS_PER_S : 0);
    return skep_fact_number(ret, part == RAWTIME_S ? (ns - rest) / NS_PER_S : part == RAWTIME_NS ? rest : ns);
}

GET(get_rawtime)
{
    return put_time_part(ret, utc_of(x->ev), q->field->number);
}

GET(get_reltime)
{
    const struct skep_session *session = x->ev->session;
    if (!session || !session->begin)
        return false;
    return put_time_part(ret, (int64_t)(x->ev->h->time - session->begin), q->field->number);
}

/* ---- what it is ---- */

GET(get_hostname)
{
    (void)q;
    return x->ev->session && put_text(x, ret, x->ev->session->hostname);
}

GET(get_source)
{
    (void)q;
    return put_text(x, ret, "syscall");
}

GET(get_type)
{
    (void)q;
    size_t n;
    return put_text(x, ret, skep_evttypes(&n)[x->evttype].name);
}

GET(get_type_is)
{
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    uint32_t asked = q->arg ? skep_evttype_find(q->arg, strlen(q->arg)) : SKEP_EVTTYPE_NONE;
    return skep_fact_number(ret, asked && types[x->evttype].name &&
                                     skep_streq(types[x->evttype].name, types[asked].name));
}

GET(get_syscall)
{
    (void)q;
    const struct skep_hdr *h = x->ev->h;
    return h->flags & SKEP_HDR_SYSCALL &&
           put_text(x, ret, skep_syscall_name(h->nr, h->flags & SKEP_HDR_COMPAT));
}

GET(get_direction)
{
    (void)q;
    return put_text(x, ret, "<"); /* all events tell what came of it */
}

static const char *category_of(const struct skep_hdr *h)
{
    static const char *const categories[SKEP_KIND_MAX] = {[SKEP_KIND_fork] = "process",
                                                          [SKEP_KIND_exec] = "process",
                                                          [SKEP_KIND_exit] = "process",
                                                          [SKEP_KIND_exec_failed] = "process",
                                                          [SKEP_KIND_chdir] = "file",
                                                          [SKEP_KIND_setsid] = "process",
                                                          [SKEP_KIND_open] = "file",
                                                          [SKEP_KIND_unlink] = "file",
                                                          [SKEP_KIND_rename] = "file",
                                                          [SKEP_KIND_link] = "file",
                                                          [SKEP_KIND_symlink] = "file",
                                                          [SKEP_KIND_mkdir] = "file",
                                                          [SKEP_KIND_rmdir] = "file",
                                                          [SKEP_KIND_chmod] = "file",
                                                          [SKEP_KIND_chown] = "file",
                                                          [SKEP_KIND_truncate] = "file",
                                                          [SKEP_KIND_mount] = "file",
                                                          [SKEP_KIND_umount] = "file",
                                                          [SKEP_KIND_move_mount] = "file",
                                                          [SKEP_KIND_fsopen] = "file",
                                                          [SKEP_KIND_pivot_root] = "file",
                                                          [SKEP_KIND_chroot] = "process",
                                                          [SKEP_KIND_dup] = "file",
                                                          [SKEP_KIND_memfd_create] = "memory",
                                                          [SKEP_KIND_pipe] = "ipc",
                                                          [SKEP_KIND_socket] = "net",
                                                          [SKEP_KIND_bind] = "net",
                                                          [SKEP_KIND_listen] = "net",
                                                          [SKEP_KIND_accept] = "net",
                                                          [SKEP_KIND_connect] = "net",
                                                          [SKEP_KIND_send] = "net",
                                                          [SKEP_KIND_recv] = "net",
                                                          [SKEP_KIND_tcp] = "net",
                                                          [SKEP_KIND_dns] = "net",
                                                          [SKEP_KIND_setuid] = "user",
                                                          [SKEP_KIND_setgid] = "user",
                                                          [SKEP_KIND_capset] = "process",
                                                          [SKEP_KIND_ptrace] = "process",
                                                          [SKEP_KIND_process_vm] = "process",
                                                          [SKEP_KIND_signal] = "signal",
                                                          [SKEP_KIND_setns] = "process",
                                                          [SKEP_KIND_unshare] = "process",
                                                          [SKEP_KIND_module] = "system",
                                                          [SKEP_KIND_bpf] = "system",
                                                          [SKEP_KIND_perf_event_open] = "system",
                                                          [SKEP_KIND_userfaultfd] = "memory",
                                                          [SKEP_KIND_keyctl] = "system",
                                                          [SKEP_KIND_kexec] = "system",
                                                          [SKEP_KIND_uring] = "file",
                                                          [SKEP_KIND_uring_done] = "file",
                                                          [SKEP_KIND_container] = "internal"};
    return h->kind < SKEP_KIND_MAX ? categories[h->kind] : NULL;
}

GET(get_category)
{
    (void)q;
    return put_text(x, ret, category_of(x->ev->h));
}

GET(get_cpu)
{
    (void)q;
    return skep_fact_number(ret, x->ev->h->cpu);
}

GET(get_one)
{
    (void)x, (void)q;
    return skep_fact_number(ret, 1);
}

GET(get_zero)
{
    (void)x, (void)q;
    return skep_fact_number(ret, 0);
}

GET(get_async)
{
    (void)q;
    return skep_fact_bool(ret, x->ev->h->kind == SKEP_KIND_container);
}

GET(get_asynctype)
{
    (void)q;
    return x->ev->h->kind == SKEP_KIND_container && put_text(x, ret, "container");
}

/* ---- arguments ---- */

GET(get_arg)
{
    return skep_rule_args_get(x, q->arg, q->field->type, ret);
}

GET(get_args)
{
    (void)q;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, SKEP_FACT_TEXT_MAX);
    skep_rule_args_put(x, &sb);
    return skep_fact_text(x, ret, sb.s, sb.len);
}

GET(get_abspath)
{
    const struct skep_hdr *h = x->ev->h;
    struct skep_slice path, raw;
    if (!skep_rule_path_of(h, (enum skep_rule_path)q->field->number, &path, &raw))
        return false;
    if (!path.off)
        path = raw;
    return skep_fact_text(x, ret, skep_slice_get(h, path), path.len);
}

/* The only data that events carry are messages of the name service. */
GET(get_buffer)
{
    (void)q;
    const struct skep_hdr *h = x->ev->h;
    if (h->kind != SKEP_KIND_dns)
        return false;
    struct skep_slice s = ((const struct skep_ev_dns *)h)->message;
    return skep_fact_text(x, ret, skep_slice_get(h, s), s.len);
}

GET(get_buflen)
{
    (void)q;
    const struct skep_ev_dns *ev = (const void *)x->ev->h;
    return ev->h.kind == SKEP_KIND_dns && ev->message.off && skep_fact_number(ret, ev->message.len);
}

/* ---- what came of it ---- */

GET(get_rawres)
{
    (void)q;
    int64_t result;
    return skep_rule_result(x->ev->h, &result) && skep_fact_number(ret, result);
}

GET(get_res)
{
    (void)q;
    char text[32];
    struct skep_strbuf sb;
    int64_t result;
    if (!skep_rule_result(x->ev->h, &result))
        return false;
    skep_strbuf_init_fixed(&sb, text, sizeof(text));
    if (result >= 0)
        skep_strbuf_puts(&sb, "SUCCESS");
    else
        skep_rule_put_error(&sb, result);
    return skep_fact_text(x, ret, sb.s, sb.len);
}

GET(get_failed)
{
    (void)q;
    return skep_fact_bool(ret, x->ev->h->ret < 0);
}

/* ---- input and output; number: SKEP_DIR_ as bits ---- */

static uint32_t io_of(const struct skep_hdr *h)
{
    return h->kind == SKEP_KIND_recv ? SKEP_DIR_IN : h->kind == SKEP_KIND_send ? SKEP_DIR_OUT : 0;
}

GET(get_is_io)
{
    return skep_fact_bool(ret, io_of(x->ev->h) & q->field->number);
}

GET(get_io_dir)
{
    (void)q;
    uint32_t io = io_of(x->ev->h);
    return io && put_text(x, ret, io == SKEP_DIR_IN ? "read" : "write");
}

/* What the C library's syslog() does; other sockets of the daemon have other names. */
GET(get_is_syslog)
{
    (void)q;
    struct skep_rule_descriptor d;
    const struct skep_hdr *h = x->ev->h;
    bool found = false;
    if (io_of(h) == SKEP_DIR_OUT) {
        skep_rule_descriptor_of(x->ev, &d);
        const char *path = d.type == SKEP_RULE_FD_UNIX ? skep_slice_get(h, d.path) : NULL;
        found = path && memmem(path, d.path.len, "/dev/log", 8);
    }
    return skep_fact_bool(ret, found);
}

/* ---- counts, of which there is one or none; number: what the event is about ---- */

enum { ABOUT_ALL, ABOUT_FILE, ABOUT_NET, ABOUT_MEMORY, ABOUT_OTHER };

static uint32_t about(const struct skep_hdr *h)
{
    const char *category = category_of(h);
    return !category                        ? ABOUT_OTHER
           : skep_streq(category, "file")   ? ABOUT_FILE
           : skep_streq(category, "net")    ? ABOUT_NET
           : skep_streq(category, "memory") ? ABOUT_MEMORY
                                            : ABOUT_OTHER;
}

GET(get_error_count)
{
    const struct skep_hdr *h = x->ev->h;
    uint32_t of = q->field->number;
    return h->ret < 0 && (of == ABOUT_ALL || of == about(h)) && skep_fact_number(ret, 1);
}

GET(get_nothing)
{
    (void)x, (void)q, (void)ret;
    return false;
}

GET(get_false)
{
    (void)x, (void)q;
    return skep_fact_bool(ret, false);
}

/* ---- open ---- */

static const struct skep_ev_open *open_of(const struct skep_rule_ctx *x)
{
    return x->ev->h->kind == SKEP_KIND_open ? (const void *)x->ev->h : NULL;
}

/* Flags of an open, by a call or through io_uring; the second kind has the layout of the first. */
static bool open_flags_of(const struct skep_rule_ctx *x, uint32_t *ret)
{
    const struct skep_hdr *h = x->ev->h;
    const struct skep_ev_uring *uring = (const void *)h;
    switch (h->kind) {
    case SKEP_KIND_open:
        *ret = ((const struct skep_ev_open *)h)->flags;
        return true;
    case SKEP_KIND_uring:
    case SKEP_KIND_uring_done:
        *ret = uring->open_flags;
        return uring->op == IORING_OP_OPENAT || uring->op == IORING_OP_OPENAT2;
    }
    return false;
}

GET(get_open_read)
{
    (void)q;
    uint32_t flags;
    return skep_fact_bool(ret, open_flags_of(x, &flags) && (flags & O_ACCMODE) != O_WRONLY);
}

GET(get_open_write)
{
    (void)q;
    uint32_t flags;
    return skep_fact_bool(ret, open_flags_of(x, &flags) &&
                                   ((flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR));
}

GET(get_open_exec)
{
    (void)q;
    const struct skep_ev_open *ev = open_of(x);
    return skep_fact_bool(ret, ev && ev->mode & 0111); /* it is 0 where none is created */
}

GET(get_open_create)
{
    (void)q;
    const struct skep_ev_open *ev = open_of(x);
    return skep_fact_bool(ret, ev && ev->created);
}

/* ---- the table ---- */

#define NEVER                                                                                                \
    {                                                                                                        \
        .form = SKEP_SPOT_BITS                                                                               \
    }

/* the operation and its flags decide together */
#define URING_UNKNOWN                                                                                        \
    {.kind = SKEP_KIND_uring, .form = SKEP_SPOT_UNKNOWN},                                                    \
    {                                                                                                        \
        .kind = SKEP_KIND_uring_done, .form = SKEP_SPOT_UNKNOWN                                              \
    }

static const struct skep_rule_spot ret_spots[] = {{.kind = SKEP_KIND_exec, .form = SKEP_SPOT_UNKNOWN},
                                                  {.kind = SKEP_KIND_fork, .form = SKEP_SPOT_UNKNOWN},
                                                  {.form = SKEP_SPOT_RET}};
static const struct skep_rule_spot cpu_spots[] = {
    {.form = SKEP_SPOT_U32, .off = offsetof(struct skep_hdr, cpu)}};
/* the sign */
static const struct skep_rule_spot failed_spots[] = {{.form = SKEP_SPOT_BITS,
                                                      .off = offsetof(struct skep_hdr, ret) + 4,
                                                      .mask = 1U << 31,
                                                      .n_values = 1,
                                                      .values = {1U << 31}}};
static const struct skep_rule_spot open_read_spots[] = {{.kind = SKEP_KIND_open,
                                                         .form = SKEP_SPOT_BITS,
                                                         .off = offsetof(struct skep_ev_open, flags),
                                                         .mask = O_ACCMODE,
                                                         .n_values = 3,
                                                         .values = {O_RDONLY, O_RDWR, O_ACCMODE}},
                                                        URING_UNKNOWN,
                                                        NEVER};
static const struct skep_rule_spot open_write_spots[] = {{.kind = SKEP_KIND_open,
                                                          .form = SKEP_SPOT_BITS,
                                                          .off = offsetof(struct skep_ev_open, flags),
                                                          .mask = O_ACCMODE,
                                                          .n_values = 2,
                                                          .values = {O_WRONLY, O_RDWR}},
                                                         URING_UNKNOWN,
                                                         NEVER};
static const struct skep_rule_spot open_exec_spots[] = {{.kind = SKEP_KIND_open,
                                                         .form = SKEP_SPOT_BITS,
                                                         .off = offsetof(struct skep_ev_open, mode),
                                                         .mask = 0111,
                                                         .n_values = 7,
                                                         .values = {1, 010, 011, 0100, 0101, 0110, 0111}},
                                                        NEVER};
static const struct skep_rule_spot open_create_spots[] = {
    {.kind = SKEP_KIND_open, .form = SKEP_SPOT_U8, .off = offsetof(struct skep_ev_open, created)}, NEVER};
static const struct skep_rule_spot async_spots[] = {{.kind = SKEP_KIND_container, .form = SKEP_SPOT_UNKNOWN},
                                                    NEVER};
static const struct skep_rule_spot never_spots[] = {NEVER};

#define PLAIN(name, type, kinds, get, doc)                                                                   \
    {                                                                                                        \
        "evt." name, doc, SKEP_RULE_##type, 0, kinds, get, NULL, 0, 0                                        \
    }
#define SPOTTED(name, type, kinds, get, spots, doc)                                                          \
    {                                                                                                        \
        "evt." name, doc, SKEP_RULE_##type, 0, kinds, get, spots, ARRAY_SIZE(spots), 0                       \
    }
#define OF(name, type, flags, kinds, get, number, doc)                                                       \
    {                                                                                                        \
        "evt." name, doc, SKEP_RULE_##type, flags, kinds, get, NULL, 0, number                               \
    }

#define NO_LATENCY "never there: the beginning of a call is not seen"

#define PATH_KINDS "open,unlink,rmdir,mkdir,chmod,chown,truncate,chroot,chdir,umount,uring,uring_done"
#define PATHS_KINDS "rename,link,symlink,mount,move_mount,pivot_root,uring,uring_done"

static const struct skep_rule_field fields[] = {
    PLAIN("num", NUMBER, "*", get_num, "number of the event, from 1, within its CPU's ring"),
    OF("time", TEXT, SKEP_FIELD_TIME, "*", get_time, TIME,
       "local time of day with nanoseconds; in JSON a number"),
    OF("time.s", TEXT, 0, "*", get_time, TIME_S, "local time of day"),
    OF("time.iso8601", TEXT, SKEP_FIELD_TIME, "*", get_time, TIME_ISO8601,
       "time in ISO 8601, UTC, with nanoseconds; in JSON a number"),
    OF("datetime", TEXT, 0, "*", get_time, DATETIME, "local date and time with nanoseconds"),
    OF("datetime.s", TEXT, 0, "*", get_time, DATETIME_S, "local date and time"),
    OF("rawtime", NUMBER, SKEP_FIELD_TIME, "*", get_rawtime, RAWTIME, "nanoseconds since 1970, UTC"),
    OF("rawtime.s", NUMBER, 0, "*", get_rawtime, RAWTIME_S, "whole seconds of evt.rawtime"),
    OF("rawtime.ns", NUMBER, 0, "*", get_rawtime, RAWTIME_NS, "the rest of evt.rawtime in nanoseconds"),
    OF("reltime", NUMBER, SKEP_FIELD_DURATION, "*", get_reltime, RAWTIME, "time since the observation began"),
    OF("reltime.s", NUMBER, 0, "*", get_reltime, RAWTIME_S, "whole seconds of evt.reltime"),
    OF("reltime.ns", NUMBER, 0, "*", get_reltime, RAWTIME_NS, "the rest of evt.reltime in nanoseconds"),
    PLAIN("hostname", TEXT, "*", get_hostname, "name of the host that the event was seen on"),
    PLAIN("pluginname", TEXT, "*", get_nothing, "never there: no plugin makes events"),
    PLAIN("plugininfo", TEXT, "*", get_nothing, "never there: no plugin makes events"),
    PLAIN("source", TEXT, "*", get_source, "where the event comes from: syscall"),
    SPOTTED("is_async", BOOL, "*", get_async, async_spots,
            "the event was added by user space: what is known of a container"),
    PLAIN("asynctype", TEXT, "container", get_asynctype, "what sort of such an event it is: container"),
    PLAIN("type", TEXT, "*", get_type,
          "name of the system call, or of what happened (procexit, tcp, io_uring, io_uring_done)"),
    OF("type.is", NUMBER, SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_DOT, "*", get_type_is, 0,
       "1 if the event is of the type, else 0"),
    {"syscall.type", "name of the system call; missing for what is none", SKEP_RULE_TEXT, 0, "*", get_syscall,
     NULL, 0, 0},
    OF("latency", NUMBER, SKEP_FIELD_DURATION | SKEP_FIELD_DEPRECATED, "*", get_nothing, 0, NO_LATENCY),
    OF("latency.s", NUMBER, SKEP_FIELD_DEPRECATED, "*", get_nothing, 0, NO_LATENCY),
    OF("latency.ns", NUMBER, SKEP_FIELD_DEPRECATED, "*", get_nothing, 0, NO_LATENCY),
    OF("latency.human", TEXT, SKEP_FIELD_DEPRECATED, "*", get_nothing, 0, NO_LATENCY),
    OF("wait_latency", NUMBER, SKEP_FIELD_DURATION | SKEP_FIELD_DEPRECATED, "*", get_nothing, 0, NO_LATENCY),
    OF("dir", TEXT, SKEP_FIELD_DEPRECATED, "*", get_direction, 0, "<: the call has returned"),
    PLAIN("category", TEXT, "*", get_category,
          "file, net, process, user, ipc, memory, signal, system or internal"),
    SPOTTED("cpu", NUMBER, "*", get_cpu, cpu_spots, "number of the CPU"),
    PLAIN("args", TEXT, "*", get_args, "all arguments as name=value, a readable form in parentheses"),
    OF("arg", TEXT, SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_EVENT | SKEP_FIELD_ARG_DOT, "*", get_arg, 0,
       "argument of the event, by name or place, in its readable form (ENOENT, O_RDONLY|O_CLOEXEC, AF_INET, root)"),
    OF("rawarg", NUMBER, SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_EVENT | SKEP_FIELD_ARG_DOT, "*", get_arg, 0,
       "argument of the event that is a number, by name or place"),
    PLAIN("info", TEXT, "*", get_args, "the same as evt.args"),
    PLAIN("buffer", TEXT, "dns", get_buffer, "bytes of data: those of a message of the name service"),
    PLAIN("buflen", NUMBER, "dns", get_buflen, "how many bytes evt.buffer has"),
    PLAIN("res", TEXT, "*", get_res, "SUCCESS, or the error by name: ENOENT"),
    SPOTTED("rawres", NUMBER, "*", get_rawres, ret_spots, "what the call returned; negative: an error"),
    SPOTTED("failed", BOOL, "*", get_failed, failed_spots, "the call returned an error"),
    OF("is_io", BOOL, 0, "*", get_is_io, SKEP_DIR_IN | SKEP_DIR_OUT, "the event is a send or recv"),
    OF("is_io_read", BOOL, 0, "*", get_is_io, SKEP_DIR_IN, "the event is a recv"),
    OF("is_io_write", BOOL, 0, "*", get_is_io, SKEP_DIR_OUT, "the event is a send"),
    PLAIN("io_dir", TEXT, "send,recv", get_io_dir, "read or write"),
    SPOTTED("is_wait", BOOL, "*", get_false, never_spots,
            "the call makes the thread wait (sleep, poll): never, no such call is observed"),
    PLAIN("is_syslog", BOOL, "*", get_is_syslog, "the event is a send to /dev/log"),
    PLAIN("count", NUMBER, "*", get_one, "always 1"),
    OF("count.error", NUMBER, 0, "*", get_error_count, ABOUT_ALL,
       "1 if the call returned an error, else missing"),
    OF("count.error.file", NUMBER, 0, "*", get_error_count, ABOUT_FILE, "the same of evt.category file"),
    OF("count.error.net", NUMBER, 0, "*", get_error_count, ABOUT_NET, "the same of evt.category net"),
    OF("count.error.memory", NUMBER, 0, "*", get_error_count, ABOUT_MEMORY,
       "the same of evt.category memory"),
    OF("count.error.other", NUMBER, 0, "*", get_error_count, ABOUT_OTHER, "the same of all others"),
    PLAIN("count.procinfo", NUMBER, "*", get_zero, "always 0: no event samples what a process uses"),
    PLAIN("count.threadinfo", NUMBER, "*", get_zero, "always 0, in the same way"),
    PLAIN("count.exit", NUMBER, "*", get_one, "always 1: all events tell what came of a call"),
    SPOTTED("is_open_read", BOOL, "*", get_open_read, open_read_spots, "a file was to be opened for reading"),
    SPOTTED("is_open_write", BOOL, "*", get_open_write, open_write_spots,
            "a file was to be opened for writing"),
    SPOTTED("is_open_exec", BOOL, "*", get_open_exec, open_exec_spots,
            "a file was to be created with permission to execute it"),
    SPOTTED("is_open_create", BOOL, "*", get_open_create, open_create_spots,
            "a file was opened and created by that"),
    OF("abspath", TEXT, 0, PATH_KINDS, get_abspath, SKEP_RULE_PATH, "canonical path of a call on files"),
    OF("abspath.src", TEXT, 0, PATHS_KINDS, get_abspath, SKEP_RULE_PATH_SOURCE,
       "canonical source path of a call with two"),
    OF("abspath.dst", TEXT, 0, PATHS_KINDS, get_abspath, SKEP_RULE_PATH_TARGET,
       "canonical target path of a call with two"),
};

const struct skep_rule_family skep_rule_family_evt = {"evt", "The event", fields, ARRAY_SIZE(fields)};
