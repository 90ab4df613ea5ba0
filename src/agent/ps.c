/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skep ps: the process table as the kernel's task iterator gives it, without attaching a single sensor.
 */
#include "agent/agent.h"
#include "agent/pipeline.h"
#include "agent/schema.h"
#include "agent/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "event/resolver.h"
#include "export/json.h"
#include "export/sort.h"
#include "export/table.h"
#include "load/kernel.h"

#include <poll.h>
#include <signal.h>

#define RESOLVE_NS 250000000ULL /* for names of containers */
#define DEFAULT_COLUMNS "pid,proc.parent.pid,uid,proc.start,container,args"

struct ps {
    const struct skep_ps_options *o;
    struct skep_schema *schema;
    struct skep_session session;
    struct skep_pipeline pipeline;
    struct skep_resolver *resolver;
    size_t waiting;           /* questions without an answer */
    struct skep_proc **procs; /* by start time */
    size_t n;
    struct skep_strbuf out;
};

static enum skep_verdict ignore_event(void *data, const struct skep_event *ev)
{
    (void)data;
    (void)ev;
    return SKEP_VERDICT_FILTERED;
}

static void on_ask(void *data, const struct skep_cgroup *g)
{
    struct ps *ps = data;
    if (ps->resolver && skep_resolver_ask(ps->resolver, g) >= 0)
        ps->waiting++;
}

static int read_processes(struct ps *ps)
{
    struct skep_kernel_options options = {
        .life_bytes = 1 << 19, .data_bytes = 1 << 19, .snapshot_only = true};
    _cleanup_kernel_ struct skep_kernel *k = NULL;
    const struct skep_hdr *h;
    char reason[512];
    uint64_t begin, end;
    size_t size;
    int r = skep_kernel_open(&options, &k, reason, sizeof(reason));
    if (r < 0) {
        skep_log(SKEP_LOG_ERROR, "%s", *reason ? reason : strerror(-r));
        return r;
    }
    r = skep_kernel_snapshot(k, &begin, &end);
    if (r < 0)
        return skep_log_error(r, "cannot read the processes: %s", strerror(-r));
    skep_kernel_refill(k);
    while (skep_kernel_next(k, UINT64_MAX, &h, &size) > 0)
        skep_pipeline_take(&ps->pipeline, h, size);
    struct skep_ev_snapshot done = {
        .h = {.len = sizeof(done), .kind = SKEP_KIND_snapshot, .flags = SKEP_HDR_NO_TASK, .time = end},
        .begin = begin,
    };
    skep_pipeline_take(&ps->pipeline, &done.h, sizeof(done));
    return 0;
}

/* Names that are known soon are shown; nobody waits for the others. */
static void resolve(struct ps *ps)
{
    uint64_t deadline = skep_clock_mono_ns() + RESOLVE_NS;
    while (ps->resolver && ps->waiting && skep_clock_mono_ns() < deadline) {
        struct pollfd p = {.fd = skep_resolver_fd(ps->resolver), .events = POLLIN};
        if (poll(&p, 1, 10) <= 0)
            continue;
        for (;;) {
            _cleanup_free_ struct skep_hdr *h = NULL;
            if (skep_resolver_take(ps->resolver, &h) < 0 || !h)
                break;
            ps->waiting--;
            skep_pipeline_take(&ps->pipeline, h, h->len);
        }
    }
}

static bool wanted(const struct ps *ps, const struct skep_container *c)
{
    const char *want = ps->o->container;
    return !want || (c && (skep_startswith(c->id, want) || (c->name && skep_streq(c->name, want))));
}

static const struct skep_cgroup *cgroup_of(const struct ps *ps, const struct skep_proc *p)
{
    return skep_cgroups_find(&ps->pipeline.cgroups, p->cgroup);
}

static int by_start(const void *a, const void *b)
{
    const struct skep_proc *x = *(struct skep_proc *const *)a, *y = *(struct skep_proc *const *)b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int collect(struct ps *ps)
{
    struct skep_proc *p;
    size_t at = 0;
    ps->procs = calloc(ps->pipeline.procs.by_id.count + 1, sizeof(*ps->procs));
    if (!ps->procs)
        return -ENOMEM;
    while ((p = skep_hashmap_next(&ps->pipeline.procs.by_id, &at))) {
        const struct skep_cgroup *g = cgroup_of(ps, p);
        if (!p->dead && wanted(ps, g ? g->container : NULL))
            ps->procs[ps->n++] = p;
    }
    qsort(ps->procs, ps->n, sizeof(*ps->procs), by_start);
    return 0;
}

/* A process as an event of the kind `process`, for writers that know events only. */
static void as_event(const struct ps *ps, const struct skep_proc *p, struct skep_ev_process *record,
                     struct skep_event *ret)
{
    const struct skep_cgroup *g = cgroup_of(ps, p);
    *record = (struct skep_ev_process){
        .h = {.len = sizeof(*record),
              .kind = SKEP_KIND_process,
              .time = p->seen,
              .start = p->start,
              .pid = p->pid,
              .tid = p->pid,
              .exec_id = p->image->exec_id,
              .uid = p->uid,
              .gid = p->gid,
              .euid = p->euid,
              .egid = p->egid,
              .caps = p->caps,
              .cgroup = p->cgroup},
        .inode = p->image->inode,
        .dev = p->image->dev,
        .flags = p->image->flags,
    };
    memcpy(record->h.comm, p->comm, sizeof(record->h.comm));
    *ret = (struct skep_event){
        .kind = skep_schema_kind(ps->schema, SKEP_KIND_process),
        .h = &record->h,
        .proc = p,
        .image = p->image,
        .cgroup = g ? g->path : NULL,
        .unit = g ? g->unit : NULL,
        .container = g ? g->container : NULL,
        .session = &ps->session,
    };
}

/* Kernel threads, and processes that wiped their arguments, stand in the table by their name in brackets. */
static void name_instead_of_args(const struct skep_proc *p, char name[SKEP_COMM_LEN + 3],
                                 struct skep_proc_image *image, struct skep_event *ev)
{
    if (p->image->args.len)
        return;
    *image = *p->image;
    image->args.s = name;
    image->args.len = (size_t)snprintf(name, SKEP_COMM_LEN + 3, "[%.*s]", SKEP_COMM_LEN, p->comm) + 1;
    ev->image = image;
}

static int put_json(struct ps *ps)
{
    struct skep_json_writer *w = NULL;
    int r = skep_json_writer_new(ps->schema, &w);
    for (size_t i = 0; r >= 0 && i < ps->n; i++) {
        struct skep_ev_process record;
        struct skep_event ev;
        as_event(ps, ps->procs[i], &record, &ev);
        skep_json_writer_put(w, NULL, &ps->out, &ev);
        skep_strbuf_putc(&ps->out, '\n');
    }
    skep_json_writer_free(w);
    return r;
}

static int complain(int r, const struct skep_diags *d, const char *source)
{
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1 << 20);
    skep_diags_put_text(d, source, &sb);
    fputs(sb.s, stderr);
    return r;
}

static int put_rows(struct ps *ps, struct skep_table *table, struct skep_sort *sort)
{
    _cleanup_strbuf_ struct skep_strbuf line;
    skep_strbuf_init(&line, 4 << 20);
    skep_table_put_header(table, &ps->out);
    skep_strbuf_putc(&ps->out, '\n');
    for (size_t i = 0; i < ps->n; i++) {
        struct skep_ev_process record;
        struct skep_proc_image image;
        struct skep_event ev;
        char name[SKEP_COMM_LEN + 3];
        as_event(ps, ps->procs[i], &record, &ev);
        name_instead_of_args(ps->procs[i], name, &image, &ev);
        skep_strbuf_reset(&line);
        skep_table_put_row(table, &line, &ev);
        if (sort && skep_sort_add(sort, &ev, line.s, line.len) < 0)
            return -ENOMEM;
        if (sort)
            continue;
        skep_strbuf_put(&ps->out, line.s, line.len);
        skep_strbuf_putc(&ps->out, '\n');
    }
    size_t at = 0, n;
    const char *s;
    if (!sort)
        return 0;
    skep_sort_finish(sort);
    while ((s = skep_sort_next(sort, &at, &n))) {
        skep_strbuf_put(&ps->out, s, n);
        skep_strbuf_putc(&ps->out, '\n');
    }
    return 0;
}

static int put_table(struct ps *ps)
{
    bool kinds[SKEP_KIND_MAX] = {[SKEP_KIND_process] = true};
    const char *columns = ps->o->columns ? ps->o->columns : DEFAULT_COLUMNS;
    struct skep_table_options options = {
        .size = sizeof(options),
        .columns = columns,
        .width = skep_terminal_is(STDOUT_FILENO) ? skep_terminal_width(STDOUT_FILENO) : 0,
        .colour = skep_terminal_wants_color(ps->o->color, STDOUT_FILENO),
    };
    struct skep_table *table = NULL;
    struct skep_sort *sort = NULL;
    _cleanup_diags_ struct skep_diags d;
    skep_diags_init(&d, "--columns");
    int r = skep_table_new(ps->schema, kinds, &options, &d, &table);
    if (r == -EINVAL)
        return complain(r, &d, columns);
    if (r >= 0 && ps->o->sort) {
        char by[256];
        bool down = ps->o->sort[0] == '-';
        snprintf(by, sizeof(by), "%s%s", ps->o->sort + down, down ? ",desc" : "");
        d.file = "--sort";
        r = skep_sort_new(ps->schema, kinds, by, &d, &sort);
        if (r == -EINVAL)
            complain(r, &d, by);
    }
    if (r >= 0)
        r = put_rows(ps, table, sort);
    skep_table_free(table);
    skep_sort_free(sort);
    return r;
}

/* ---- the tree ---- */

static void put_command(struct ps *ps, const struct skep_proc *p)
{
    const struct skep_bytes *args = &p->image->args;
    if (!args->s || args->len == 0) {
        skep_strbuf_putc(&ps->out, '[');
        skep_strbuf_put_visible(&ps->out, p->comm, strnlen(p->comm, sizeof(p->comm)));
        skep_strbuf_putc(&ps->out, ']');
        return;
    }
    size_t len = args->len;
    while (len && args->s[len - 1] == '\0')
        len--;
    for (size_t at = 0; at < len;) {
        size_t n = strnlen(args->s + at, len - at);
        if (at)
            skep_strbuf_putc(&ps->out, ' ');
        skep_strbuf_put_visible(&ps->out, args->s + at, n);
        at += n + 1;
    }
}

static bool is_shown(const struct ps *ps, const struct skep_proc *p)
{
    for (size_t i = 0; p && i < ps->n; i++)
        if (ps->procs[i] == p)
            return true;
    return false;
}

static const struct skep_proc *shown_parent(const struct ps *ps, const struct skep_proc *p)
{
    const struct skep_proc *up = p->parent;
    return up && !up->dead && is_shown(ps, up) ? up : NULL;
}

#define TREE_DEPTH_MAX 256

/* Children of one parent stand together; the walk keeps its place in a stack and not in recursion. */
static int put_tree(struct ps *ps)
{
    struct {
        const struct skep_proc *parent;
        size_t next;
    } stack[TREE_DEPTH_MAX] = {{NULL, 0}};
    size_t depth = 0;
    _cleanup_free_ const struct skep_proc **parents = calloc(ps->n + 1, sizeof(*parents));
    if (!parents)
        return -ENOMEM;
    for (size_t i = 0; i < ps->n; i++)
        parents[i] = shown_parent(ps, ps->procs[i]);
    for (;;) {
        size_t i = stack[depth].next;
        while (i < ps->n && parents[i] != stack[depth].parent)
            i++;
        if (i == ps->n) {
            if (depth == 0)
                return 0;
            depth--;
            continue;
        }
        stack[depth].next = i + 1;
        const struct skep_cgroup *g = cgroup_of(ps, ps->procs[i]);
        const struct skep_container *c = g ? g->container : NULL;
        skep_strbuf_printf(&ps->out, "%7u %6u %-14.14s ", ps->procs[i]->pid, ps->procs[i]->uid,
                           c ? (c->name ? c->name : c->id) : "-");
        for (size_t d = 0; d < depth; d++)
            skep_strbuf_puts(&ps->out, "  ");
        put_command(ps, ps->procs[i]);
        skep_strbuf_putc(&ps->out, '\n');
        if (depth + 1 < TREE_DEPTH_MAX) {
            depth++;
            stack[depth].parent = ps->procs[i];
            stack[depth].next = i + 1; /* children are younger */
        }
    }
}

static int put(struct ps *ps)
{
    if (ps->o->json)
        return put_json(ps);
    if (!ps->o->tree)
        return put_table(ps);
    skep_strbuf_printf(&ps->out, "%7s %6s %-14s %s\n", "PID", "UID", "CONTAINER", "COMMAND");
    return put_tree(ps);
}

int skep_ps_run(const struct skep_ps_options *o)
{
    struct ps ps = {.o = o};
    struct skep_scope scope = {0};
    struct skep_pipeline_ops ops = {.event = ignore_event, .ask = on_ask, .live = &ps};
    skep_strbuf_init(&ps.out, 1UL << 30);
    int r = skep_agent_schema(&ps.schema);
    if (r < 0)
        return r;
    skep_session_read(&ps.session);
    if (skep_resolver_new("/", &ps.resolver) < 0)
        ps.resolver = NULL;
    r = skep_pipeline_init(&ps.pipeline, ps.schema, &ps.session, &scope, &ops);
    if (r >= 0) {
        r = read_processes(&ps);
        if (r >= 0) {
            resolve(&ps);
            r = collect(&ps);
        }
        if (r >= 0)
            r = put(&ps);
        signal(SIGPIPE, SIG_DFL); /* reading the processes has ignored it; `| head` is no error */
        if (r >= 0)
            fputs(ps.out.s, stdout);
        if (r >= 0 && o->container && !ps.n) {
            skep_log(
                SKEP_LOG_ERROR,
                "no process is in a container whose id begins with '%s', or that is called so: 'skep ps' shows all",
                o->container);
            r = SKEP_EXIT_FAILED;
        }
        free(ps.procs);
        skep_pipeline_clear(&ps.pipeline);
    }
    skep_resolver_free(ps.resolver);
    skep_schema_free(ps.schema);
    skep_strbuf_clear(&ps.out);
    if (r == -EINVAL || r == -EPERM || r == -ENOENT)
        return SKEP_EXIT_USAGE;
    return r;
}
