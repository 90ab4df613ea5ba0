/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/actor.h"

#include "event/names.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

static bool put(struct skep_rule_ctx *x, const struct skep_actor *a, enum skep_actor_text which,
                struct skep_fact *ret)
{
    return skep_actor_put(x, a, which, &ret->value, &ret->n);
}

static const struct skep_task *task_of(const struct skep_event *ev)
{
    struct skep_actor a;
    return skep_actor_of(ev, &a) ? skep_actor_task(&a) : NULL;
}

/* ---- texts; number: enum skep_actor_text ---- */

GET(get_text)
{
    struct skep_actor a;
    return skep_actor_of(x->ev, &a) && put(x, &a, (enum skep_actor_text)q->field->number, ret);
}

GET(get_parent_text)
{
    struct skep_actor a;
    return skep_actor_ancestor(x->ev, 1, &a) && put(x, &a, (enum skep_actor_text)q->field->number, ret);
}

GET(get_args)
{
    struct skep_actor a;
    size_t n;
    if (!skep_actor_of(x->ev, &a))
        return false;
    if (!q->arg)
        return put(x, &a, SKEP_ACTOR_ARGS, ret);
    const char *s = skep_actor_arg(&a, q->index, &n);
    return s && skep_fact_text(x, ret, s, n);
}

/* number: 0 of the process, 1 of its parent */
GET(get_env)
{
    struct skep_actor a;
    size_t n;
    if (!skep_actor_ancestor(x->ev, q->field->number, &a))
        return false;
    if (!q->arg)
        return put(x, &a, SKEP_ACTOR_ENV, ret);
    const char *s = skep_actor_env(&a, q->arg, &n);
    return s && skep_fact_text(x, ret, s, n);
}

/* With a slash behind it, as rules expect it: startswith "/dev/shm/" is also true in /dev/shm itself. */
GET(get_cwd)
{
    (void)q;
    const struct skep_bytes *cwd = x->ev->proc ? &x->ev->proc->cwd : NULL;
    if (!cwd || !cwd->s)
        return false;
    bool add = cwd->len == 0 || cwd->s[cwd->len - 1] != '/';
    char *p = skep_fact_room(x, cwd->len + add, &ret->value, &ret->n);
    if (!p)
        return false;
    memcpy(p, cwd->s, MIN(cwd->len, (size_t)ret->n));
    if (add && ret->n > cwd->len)
        p[cwd->len] = '/';
    return true;
}

/* ---- numbers ---- */

enum count { COUNT_ARGS, COUNT_ARG_BYTES };

GET(get_count)
{
    struct skep_actor a;
    uint64_t count, bytes;
    return skep_actor_of(x->ev, &a) && skep_actor_count_args(&a, &count, &bytes) &&
           skep_fact_number(ret, (int64_t)(q->field->number == COUNT_ARGS ? count : bytes));
}

GET(get_pid)
{
    (void)q;
    return x->ev->h->pid && skep_fact_number(ret, x->ev->h->pid);
}

/* number: offset of a number in struct skep_task where 0 means that there is none */
GET(get_task_number)
{
    const struct skep_task *t = task_of(x->ev);
    uint32_t v = 0;
    if (t)
        memcpy(&v, (const char *)t + q->field->number, sizeof(v));
    return v && skep_fact_number(ret, v);
}

GET(get_ppid)
{
    (void)q;
    struct skep_actor a;
    const struct skep_task *t = task_of(x->ev);
    if (skep_actor_ancestor(x->ev, 1, &a))
        return skep_fact_number(ret, a.proc->pid);
    return t && t->parent_pid && skep_fact_number(ret, t->parent_pid);
}

GET(get_pvpid)
{
    (void)q;
    struct skep_actor a;
    const struct skep_task *t = skep_actor_ancestor(x->ev, 1, &a) ? skep_actor_task(&a) : NULL;
    return t && t->ns_pid && skep_fact_number(ret, t->ns_pid);
}

/* Terminals whose name gives their number, for recordings that have only the name: the driver's name, its major number
 * and the minor number of the terminal that it calls 0. */
static const struct {
    const char *name;
    uint32_t major, minor;
} terminals[] = {{"ttyUSB", 188, 0}, {"ttyACM", 166, 0}, {"ttyAMA", 204, 64}, {"ttyS", 4, 64},
                 {"tty", 4, 0},      {"pts", 136, 0},    {"hvc", 229, 0}};

static bool tty_by_name(const struct skep_task *t, uint32_t *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(terminals); i++) {
        const char *s = skep_startswith(t->tty, terminals[i].name);
        if (!s)
            continue;
        uint32_t n = 0;
        const char *digit = s, *end = t->tty + sizeof(t->tty);
        for (; digit < end && *digit >= '0' && *digit <= '9' && n < (1U << 20); digit++)
            n = n * 10 + (uint32_t)(*digit - '0');
        if (digit == s || (digit < end && *digit))
            return false;
        n += terminals[i].minor;
        *ret = (n & 0xff) | terminals[i].major << 8 | (n & 0xfff00) << 12;
        return true;
    }
    return false;
}

GET(get_tty)
{
    (void)q;
    const struct skep_task *t = task_of(x->ev);
    if (!t)
        return false;
    uint32_t nr = t->tty_nr;
    if (!nr && t->tty[0] && !tty_by_name(t, &nr))
        return false;
    return skep_fact_number(ret, nr);
}

/* The oldest shell from the process upwards. */
GET(get_login_shell)
{
    (void)q;
    struct skep_actor a;
    uint32_t pid = 0;
    if (!skep_actor_ancestor(x->ev, 0, &a))
        return false;
    do {
        size_t n = strnlen(a.comm, SKEP_COMM_LEN);
        if (n >= 2 && a.comm[n - 2] == 's' && a.comm[n - 1] == 'h')
            pid = a.proc->pid;
    } while (skep_actor_up(&a));
    return pid && skep_fact_number(ret, pid);
}

/* ---- times ---- */

static int64_t utc(const struct skep_event *ev, uint64_t boot_time)
{
    return (int64_t)(boot_time + (ev->session ? (uint64_t)ev->session->boot_offset : 0));
}

static uint64_t start_of(const struct skep_event *ev, uint32_t level)
{
    struct skep_actor a;
    if (ev->h->flags & SKEP_HDR_NO_TASK)
        return 0;
    if (level == 0)
        return ev->h->start;
    return skep_actor_ancestor(ev, level, &a) ? a.proc->start : 0;
}

/* number: 0 the process, 1 its parent */
GET(get_start)
{
    uint64_t start = start_of(x->ev, q->field->number);
    return start && skep_fact_number(ret, utc(x->ev, start));
}

GET(get_duration)
{
    uint64_t start = start_of(x->ev, q->field->number), now = x->ev->h->time;
    return start && skep_fact_number(ret, now > start ? (int64_t)(now - start) : 0);
}

GET(get_pid_ns_start)
{
    (void)q;
    const struct skep_task *t = task_of(x->ev);
    return t && t->pid_ns_start && skep_fact_number(ret, utc(x->ev, t->pid_ns_start));
}

/* ---- sessions and process groups ---- */

enum leader { LEADER_SESSION, LEADER_GROUP };

static uint32_t group_of(const struct skep_task *t, enum leader what)
{
    return what == LEADER_SESSION ? t->session : t->pgid;
}

/* The leader by its number, if it is still in what it leads; else the eldest ancestor that is in the same. */
static bool find_leader(const struct skep_event *ev, enum leader what, struct skep_actor *ret)
{
    struct skep_actor a;
    if (!skep_actor_ancestor(ev, 0, &a) || !skep_actor_task(&a))
        return false;
    uint32_t group = group_of(skep_actor_task(&a), what);
    const struct skep_proc *leader = ev->procs && group ? skep_proc_table_find_pid(ev->procs, group) : NULL;
    if (!group)
        return false;
    if (leader && !leader->partial && group_of(&leader->task, what) == group) {
        *ret = (struct skep_actor){leader, leader == ev->proc ? ev->image : leader->image, leader->comm};
        return true;
    }
    *ret = a;
    do {
        const struct skep_task *t = skep_actor_task(&a);
        if (t && group_of(t, what) == group)
            *ret = a;
    } while (skep_actor_up(&a));
    return true;
}

#define LEADER_TEXT(what, text) ((uint32_t)(what) << 8 | (text))

/* number: LEADER_TEXT() */
GET(get_leader)
{
    struct skep_actor a;
    return find_leader(x->ev, (enum leader)(q->field->number >> 8), &a) &&
           put(x, &a, (enum skep_actor_text)(q->field->number & 0xff), ret);
}

/* number: enum leader. By the numbers of the initial namespace, which are the same processes as anywhere else. */
GET(get_leads)
{
    const struct skep_task *t = task_of(x->ev);
    uint32_t group = t ? group_of(t, (enum leader)q->field->number) : 0;
    return group && skep_fact_bool(ret, group == x->ev->h->pid);
}

/* number: enum leader. 0: the leader is not seen from the process's own pid namespace. */
GET(get_inner)
{
    const struct skep_task *t = task_of(x->ev);
    if (!t)
        return false;
    uint32_t v = q->field->number == LEADER_SESSION ? t->ns_session : t->ns_pgid;
    if (!v && t->ns_pid == x->ev->h->pid) /* recorded before this was known, and the same here */
        v = group_of(t, (enum leader)q->field->number);
    return skep_fact_number(ret, v);
}

/* ---- the executable ---- */

static const struct skep_proc_image *image_of(const struct skep_event *ev)
{
    return ev->image && !ev->image->blank ? ev->image : NULL;
}

/* number: of enum skep_exec_flag */
GET(get_exec_flag)
{
    const struct skep_proc_image *i = image_of(x->ev);
    return i && skep_fact_bool(ret, i->flags & q->field->number);
}

/* Of what a program was started with. number: offset of a struct skep_fd in struct skep_ev_exec; odd: its name */
GET(get_stream)
{
    const struct skep_hdr *h = x->ev->h;
    if (h->kind != SKEP_KIND_exec)
        return false;
    const struct skep_fd *fd = (const void *)((const char *)h + (q->field->number & ~1u));
    if (fd->kind == SKEP_FD_NONE)
        return false;
    if (q->field->number & 1)
        return fd->name.off && skep_fact_text(x, ret, skep_slice_get(h, fd->name), fd->name.len);
    const char *kind = fd->kind == SKEP_FD_DIR    ? "directory"
                       : fd->kind == SKEP_FD_FIFO ? "pipe"
                       : fd->kind == SKEP_FD_CHAR || fd->kind == SKEP_FD_BLOCK
                           ? "file"
                           : skep_names_get(&skep_names_fdkind, fd->kind);
    return kind && skep_fact_text(x, ret, kind, strlen(kind));
}

/* number: of enum skep_image_trait */
GET(get_trait)
{
    const struct skep_proc_image *i = image_of(x->ev);
    if (!i || !(i->traits & SKEP_IMAGE_SEEN || i->flags & SKEP_EXEC_KTHREAD))
        return false;
    return skep_fact_bool(ret, i->traits & q->field->number);
}

/* number: offset of a number in struct skep_proc_image where 0 means that it is not known */
GET(get_image_number)
{
    const struct skep_proc_image *i = image_of(x->ev);
    uint64_t v = 0;
    if (i)
        memcpy(&v, (const char *)i + q->field->number, sizeof(v));
    return v && skep_fact_number(ret, (int64_t)v);
}

/* From the last change of the file to the start of the process that runs it, where this is the order. */
GET(get_ctime_to_start)
{
    (void)q;
    const struct skep_proc_image *i = image_of(x->ev);
    int64_t start = utc(x->ev, start_of(x->ev, 0));
    if (!i || !i->ctime || !x->ev->h->start || (int64_t)i->ctime >= start)
        return false;
    return skep_fact_number(ret, start - (int64_t)i->ctime);
}

/* From the start of the pid namespace to the last change of the file, where this is the order. */
GET(get_ns_start_to_ctime)
{
    (void)q;
    const struct skep_proc_image *i = image_of(x->ev);
    const struct skep_task *t = task_of(x->ev);
    if (!i || !i->ctime || !t || !t->pid_ns_start)
        return false;
    int64_t start = utc(x->ev, t->pid_ns_start);
    return start < (int64_t)i->ctime && skep_fact_number(ret, (int64_t)i->ctime - start);
}

/* ---- the table ---- */

static const struct skep_rule_spot name_spots[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc)                                               \
    {.kind = SKEP_ACTOR_KIND(name),                                                                          \
     .form = SKEP_SPOT_CHARS,                                                                                \
     .off = offsetof(struct skep_hdr, comm),                                                                 \
     .size = SKEP_COMM_LEN},
#include "abi/events.def"
#undef SKEP_EVENT
};

static const struct skep_rule_spot pid_spot[] = {
    {.form = SKEP_SPOT_U32, .off = offsetof(struct skep_hdr, pid), .has_missing = true, .missing = 0}};

#define TEXT(n, get, number, flags, doc)                                                                     \
    {                                                                                                        \
        "proc." n, doc, SKEP_RULE_TEXT, flags, "*", get, NULL, 0, number                                     \
    }
#define NUMBER(n, get, number, flags, doc)                                                                   \
    {                                                                                                        \
        "proc." n, doc, SKEP_RULE_NUMBER, flags, "*", get, NULL, 0, number                                   \
    }
#define BOOL(n, get, number, doc)                                                                            \
    {                                                                                                        \
        "proc." n, doc, SKEP_RULE_BOOL, 0, "*", get, NULL, 0, number                                         \
    }
#define STREAM(n, which, name, doc)                                                                          \
    {                                                                                                        \
        "proc." n, doc, SKEP_RULE_TEXT, 0, "exec", get_stream, NULL, 0,                                      \
            offsetof(struct skep_ev_exec, which) | (name)                                                    \
    }
#define TASK(member) offsetof(struct skep_task, member)
#define IMAGE(member) offsetof(struct skep_proc_image, member)

static const struct skep_rule_field fields[] = {
    {"proc.name", "name of the thread that acts (comm)", SKEP_RULE_TEXT, 0, "*", get_text, name_spots,
     ARRAY_SIZE(name_spots), SKEP_ACTOR_NAME},
    TEXT("exe", get_text, SKEP_ACTOR_EXE, 0, "the first argument: what the process was called as"),
    TEXT("exepath", get_text, SKEP_ACTOR_EXEPATH, 0, "canonical path of the executable"),
    TEXT("args", get_args, 0, SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ARG_INDEX,
         "the arguments behind the first, joined by blanks; [0]: the first of these"),
    TEXT("cmdline", get_text, SKEP_ACTOR_CMDLINE, 0, "proc.name and proc.args"),
    TEXT("exeline", get_text, SKEP_ACTOR_EXELINE, 0, "proc.exe and proc.args"),
    NUMBER("cmdnargs", get_count, COUNT_ARGS, 0, "how many arguments proc.args has"),
    NUMBER("cmdlenargs", get_count, COUNT_ARG_BYTES, 0, "bytes of all arguments in proc.args"),
    TEXT("env", get_env, 0, SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ENVIRON,
         "the environment as NAME=value, joined by blanks; [NAME]: the value, empty where there is none"),
    TEXT("penv", get_env, 1, SKEP_FIELD_ARG_OPTIONAL | SKEP_FIELD_ENVIRON, "proc.env of the parent"),
    TEXT("cwd", get_cwd, 0, 0, "current directory, with a slash behind it"),
    TEXT("pname", get_parent_text, SKEP_ACTOR_NAME, 0, "proc.name of the parent, who created the process"),
    TEXT("pexe", get_parent_text, SKEP_ACTOR_EXE, 0, "proc.exe of the parent"),
    TEXT("pexepath", get_parent_text, SKEP_ACTOR_EXEPATH, 0, "proc.exepath of the parent"),
    TEXT("pcmdline", get_parent_text, SKEP_ACTOR_CMDLINE, 0, "proc.cmdline of the parent"),
    {"proc.pid", "process id", SKEP_RULE_NUMBER, 0, "*", get_pid, pid_spot, 1, 0},
    NUMBER("ppid", get_ppid, 0, 0, "process id of the parent, who created the process"),
    NUMBER("vpid", get_task_number, TASK(ns_pid), 0, "process id in the process's own pid namespace"),
    NUMBER("pvpid", get_pvpid, 0, 0, "proc.vpid of the parent"),
    NUMBER("sid", get_inner, LEADER_SESSION, 0, "session, as seen from the process's own pid namespace"),
    TEXT("sname", get_leader, LEADER_TEXT(LEADER_SESSION, SKEP_ACTOR_NAME), 0,
         "proc.name of the session's leader, or of the eldest ancestor in the session"),
    TEXT("sid.exe", get_leader, LEADER_TEXT(LEADER_SESSION, SKEP_ACTOR_EXE), 0, "proc.exe of the same"),
    TEXT("sid.exepath", get_leader, LEADER_TEXT(LEADER_SESSION, SKEP_ACTOR_EXEPATH), 0,
         "proc.exepath of the same"),
    NUMBER("vpgid", get_inner, LEADER_GROUP, 0,
           "process group, as seen from the process's own pid namespace"),
    TEXT("vpgid.name", get_leader, LEADER_TEXT(LEADER_GROUP, SKEP_ACTOR_NAME), 0,
         "proc.name of the process group's leader, or of the eldest ancestor in the group"),
    TEXT("vpgid.exe", get_leader, LEADER_TEXT(LEADER_GROUP, SKEP_ACTOR_EXE), 0, "proc.exe of the same"),
    TEXT("vpgid.exepath", get_leader, LEADER_TEXT(LEADER_GROUP, SKEP_ACTOR_EXEPATH), 0,
         "proc.exepath of the same"),
    NUMBER("pgid", get_task_number, TASK(pgid), 0, "process group"),
    TEXT("pgid.name", get_leader, LEADER_TEXT(LEADER_GROUP, SKEP_ACTOR_NAME), 0,
         "proc.name of the process group's leader, or of the eldest ancestor in the group"),
    TEXT("pgid.exe", get_leader, LEADER_TEXT(LEADER_GROUP, SKEP_ACTOR_EXE), 0, "proc.exe of the same"),
    TEXT("pgid.exepath", get_leader, LEADER_TEXT(LEADER_GROUP, SKEP_ACTOR_EXEPATH), 0,
         "proc.exepath of the same"),
    BOOL("is_sid_leader", get_leads, LEADER_SESSION, "the process leads its session"),
    BOOL("is_vpgid_leader", get_leads, LEADER_GROUP, "the process leads its process group"),
    BOOL("is_pgid_leader", get_leads, LEADER_GROUP, "the process leads its process group"),
    NUMBER("tty", get_tty, 0, 0, "device number of the controlling terminal (34816: pts/0); 0: none"),
    NUMBER("loginshellid", get_login_shell, 0, 0,
           "process id of the oldest shell among the process and its ancestors"),
    NUMBER("duration", get_duration, 0, SKEP_FIELD_DURATION, "time since the process was created"),
    NUMBER("ppid.duration", get_duration, 1, SKEP_FIELD_DURATION, "time since the parent was created"),
    NUMBER("pid.ts", get_start, 0, SKEP_FIELD_TIME, "when the process was created"),
    NUMBER("ppid.ts", get_start, 1, SKEP_FIELD_TIME, "when the parent was created"),
    NUMBER("pidns_init_start_ts", get_pid_ns_start, 0, SKEP_FIELD_TIME,
           "when the first process of the pid namespace was created"),
    BOOL("is_exe_writable", get_trait, SKEP_IMAGE_WRITABLE,
         "the executable could be written by the process when it was executed"),
    BOOL("is_exe_upper_layer", get_exec_flag, SKEP_EXEC_UPPER_LAYER,
         "the executable is in the upper layer of an overlay: not from the image"),
    BOOL("is_exe_lower_layer", get_trait, SKEP_IMAGE_LOWER_LAYER,
         "the executable is in a lower layer of an overlay"),
    BOOL("is_exe_from_memfd", get_exec_flag, SKEP_EXEC_MEMFD,
         "the executable is an anonymous file in memory"),
    BOOL("is_exe_deleted", get_exec_flag, SKEP_EXEC_DELETED,
         "the executable had no name any more when it was executed; so has one in memory"),
    STREAM("stdin.type", stdin, 0,
           "what standard input was when the program was started: file, directory, pipe, socket and so on"),
    STREAM("stdin.name", stdin, 1, "what it referred to: a path, pipe:[inode], socket:[inode]"),
    STREAM("stdout.type", stdout, 0, "the same of standard output"),
    STREAM("stdout.name", stdout, 1, "the same of standard output"),
    NUMBER("exe_ino", get_image_number, IMAGE(inode), 0, "inode number of the executable"),
    NUMBER("exe_ino.ctime", get_image_number, IMAGE(ctime), SKEP_FIELD_TIME,
           "last change of the executable's inode, when it was executed"),
    NUMBER("exe_ino.mtime", get_image_number, IMAGE(mtime), SKEP_FIELD_TIME,
           "last change of the executable's content, when it was executed"),
    NUMBER("exe_ino.ctime_duration_proc_start", get_ctime_to_start, 0, SKEP_FIELD_DURATION,
           "time from the last change of the executable's inode to the creation of the process"),
    NUMBER("exe_ino.ctime_duration_pidns_start", get_ns_start_to_ctime, 0, SKEP_FIELD_DURATION,
           "time from the start of the pid namespace to a later change of the executable's inode"),
};

const struct skep_rule_family skep_rule_family_proc = {"proc", "The process", fields, ARRAY_SIZE(fields)};
