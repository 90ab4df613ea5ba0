/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pipeline.h"

#include "event/normalize.h"

/* An exec waits for its arguments at most this long, in record time. */
#define HOLD_NS 100000000ULL
#define HOLD_MAX 256
#define LATE_NS 1000000000ULL /* no record comes later than this */

struct skep_held_exec {
    struct skep_held_exec *next;
    struct skep_proc *proc;
    struct skep_proc_image *image;
    struct skep_hdr *h;
};

struct skep_waiting_event {
    struct skep_waiting_event *prev, *next;
    struct skep_proc *proc;
    struct skep_proc_image *image;
    struct skep_hdr h; /* with the rest of the record */
};

int skep_pipeline_init(struct skep_pipeline *p, const struct skep_schema *schema,
                       const struct skep_session *session, const struct skep_scope *scope,
                       const struct skep_pipeline_ops *ops)
{
    *p = (struct skep_pipeline){.schema = schema, .session = *session, .scope = *scope, .ops = *ops};
    p->copy_size = 2 * SKEP_RECORD_MAX;
    p->copy = malloc(p->copy_size);
    p->scratch = calloc(1, sizeof(*p->scratch));
    if (!p->copy || !p->scratch) {
        free(TAKE_PTR(p->copy));
        free(TAKE_PTR(p->scratch));
        return -ENOMEM;
    }
    skep_proc_table_init(&p->procs);
    skep_cgroups_init(&p->cgroups);
    return 0;
}

static void held_free(struct skep_held_exec *x)
{
    skep_proc_unref(x->proc);
    skep_proc_image_unref(x->image);
    free(x->h);
    free(x);
}

static void waiting_free(struct skep_waiting_event *w)
{
    skep_proc_unref(w->proc);
    skep_proc_image_unref(w->image);
    free(w);
}

void skep_pipeline_clear(struct skep_pipeline *p)
{
    while (p->waiting.first) {
        struct skep_waiting_event *w = p->waiting.first;
        p->waiting.first = w->next;
        waiting_free(w);
    }
    while (p->held) {
        struct skep_held_exec *x = p->held;
        p->held = x->next;
        held_free(x);
    }
    skep_proc_table_clear(&p->procs);
    skep_cgroups_clear(&p->cgroups);
    free(TAKE_PTR(p->copy));
    free(TAKE_PTR(p->scratch));
}

static void count_lost(struct skep_pipeline *p, uint16_t kind, enum skep_reason_id reason)
{
    p->ledger.rows[kind & (SKEP_KIND_MAX - 1)].lost[reason]++;
}

/* ---- scope ---- */

static bool comm_is(const char *have, const char want[SKEP_COMM_LEN])
{
    return strncmp(have, want, SKEP_COMM_LEN) == 0;
}

static bool container_is(const struct skep_container *c, const char *want)
{
    return c && (skep_startswith(c->id, want) || (c->name && skep_streq(c->name, want)));
}

static bool on_host(const struct skep_pipeline *p, const struct skep_proc *proc)
{
    const struct skep_namespaces *host = &p->session.host_ns;
    return proc && proc->task.ns.mnt == host->mnt && proc->task.ns.pid == host->pid;
}

static bool process_in_scope(const struct skep_pipeline *p, const struct skep_event *ev)
{
    const struct skep_scope *s = &p->scope;
    if (p->session.self && ev->h->pid == p->session.self)
        return false;
    if ((s->flags & SKEP_SCOPE_UID) && ev->h->uid != s->uid)
        return false;
    if ((s->flags & SKEP_SCOPE_COMM) && !comm_is(ev->h->comm, s->comm))
        return false;
    return !(s->flags & SKEP_SCOPE_TRACKED) || (ev->proc && ev->proc->tracked);
}

static bool in_scope(const struct skep_pipeline *p, const struct skep_event *ev)
{
    const struct skep_scope *s = &p->scope;
    if (!process_in_scope(p, ev))
        return false;
    if ((s->flags & SKEP_SCOPE_HOST_ONLY) && (ev->container || !on_host(p, ev->proc)))
        return false;
    return !s->container || container_is(ev->container, s->container);
}

/* ---- events ---- */

/* Gives the event's cgroup, or NULL. */
static const struct skep_cgroup *describe(struct skep_pipeline *p, const struct skep_kind *kind,
                                          const struct skep_hdr *h, struct skep_proc *proc,
                                          const struct skep_proc_image *image, struct skep_event *ret)
{
    const struct skep_cgroup *cgroup = skep_cgroups_find(&p->cgroups, h->cgroup);
    *ret = (struct skep_event){
        .kind = kind,
        .h = h,
        .proc = proc,
        .image = image,
        .cgroup = cgroup ? cgroup->path : NULL,
        .container = cgroup ? cgroup->container : NULL,
        .unit = cgroup ? cgroup->unit : NULL,
        .places = p->cgroups.changes,
        .procs = &p->procs,
        .session = &p->session,
        .scratch = p->scratch,
    };
    return cgroup;
}

static void deliver(struct skep_pipeline *p, const struct skep_event *ev)
{
    struct skep_ledger_row *row = &p->ledger.rows[ev->h->kind];
    switch (p->ops.event(p->ops.data, ev)) {
    case SKEP_VERDICT_EMITTED:
        row->emitted++;
        break;
    case SKEP_VERDICT_FILTERED:
        row->filtered++;
        break;
    case SKEP_VERDICT_NO_MEMORY:
        row->lost[SKEP_LOST_no_memory_user]++;
        break;
    case SKEP_VERDICT_QUEUED:
        break;
    }
}

static void show(struct skep_pipeline *p, const struct skep_event *ev)
{
    struct skep_ledger_row *row = &p->ledger.rows[ev->h->kind];
    if (!in_scope(p, ev)) {
        row->filtered++;
        return;
    }
    size_t matches = p->ops.judge ? p->ops.judge(p->ops.judge_data, ev) : 0;
    if (p->scope.kinds[ev->h->kind])
        deliver(p, ev);
    else if (matches)
        row->emitted++;
    else
        row->filtered++;
}

/* ---- events of containers that are not known yet ---- */

static void waiting_release(struct skep_pipeline *p, struct skep_waiting_event *w)
{
    struct skep_event ev;
    describe(p, skep_schema_kind(p->schema, w->h.kind), &w->h, w->proc, w->image, &ev);
    ev.recorded = p->ops.record;
    show(p, &ev);
    waiting_free(w);
}

static struct skep_waiting_event *waiting_take(struct skep_pipeline *p, struct skep_waiting_event *w)
{
    *(w->prev ? &w->prev->next : &p->waiting.first) = w->next;
    *(w->next ? &w->next->prev : &p->waiting.last) = w->prev;
    p->waiting.n--;
    p->waiting.bytes -= w->h.len;
    return w;
}

static void waiting_append(struct skep_pipeline *p, struct skep_waiting_event *w)
{
    w->prev = p->waiting.last;
    w->next = NULL;
    *(w->prev ? &w->prev->next : &p->waiting.first) = w;
    p->waiting.last = w;
    p->waiting.n++;
    p->waiting.bytes += w->h.len;
}

/* Lets go whose container is known, and who has waited enough. */
static void waiting_check(struct skep_pipeline *p)
{
    struct skep_waiting_event *w = p->waiting.first, *next;
    p->waiting.until = UINT64_MAX;
    for (; w; w = next) {
        next = w->next;
        uint64_t until = skep_cgroup_awaits(skep_cgroups_find(&p->cgroups, w->h.cgroup));
        if (p->now > until)
            waiting_release(p, waiting_take(p, w));
        else
            p->waiting.until = MIN(p->waiting.until, until);
    }
}

/* Ends: each round lets one go. */
static void waiting_make_room(struct skep_pipeline *p, size_t bytes)
{
    while (p->waiting.first &&
           (p->waiting.n >= SKEP_PIPELINE_WAIT_EVENTS || p->waiting.bytes + bytes > SKEP_PIPELINE_WAIT_BYTES))
        waiting_release(p, waiting_take(p, p->waiting.first));
}

/* Shows the event, now or later. */
static void pass(struct skep_pipeline *p, const struct skep_event *ev, const struct skep_cgroup *cgroup)
{
    const struct skep_hdr *h = ev->h;
    uint64_t until = skep_cgroup_awaits(cgroup);
    struct skep_waiting_event *w = NULL;
    if (until && p->now <= until && process_in_scope(p, ev))
        w = malloc(offsetof(struct skep_waiting_event, h) + h->len);
    if (!w) {
        show(p, ev);
        return;
    }
    waiting_make_room(p, h->len);
    memcpy(&w->h, h, h->len);
    w->proc = ev->proc ? skep_proc_ref((struct skep_proc *)ev->proc) : NULL;
    w->image = ev->image ? skep_proc_image_ref((struct skep_proc_image *)ev->image) : NULL;
    p->waiting.until = p->waiting.n ? MIN(p->waiting.until, until) : until;
    waiting_append(p, w);
    if (p->ops.record && ev->kind->ring == SKEP_RING_DATA)
        p->ops.record(p->ops.data, &w->h);
}

static void advance(struct skep_pipeline *p, uint64_t time)
{
    p->now = MAX(p->now, time);
    if (p->waiting.first && p->now > p->waiting.until)
        waiting_check(p);
}

void skep_pipeline_tick(struct skep_pipeline *p, uint64_t time)
{
    if (time > LATE_NS)
        advance(p, time - LATE_NS);
}

/* ---- execs whose arguments are not complete ---- */

static void held_release(struct skep_pipeline *p, struct skep_held_exec **at)
{
    struct skep_held_exec *x = *at;
    struct skep_event ev;
    *at = x->next;
    skep_proc_image_settle(x->image);
    const struct skep_kind *kind = skep_schema_kind(p->schema, x->h->kind);
    pass(p, &ev, describe(p, kind, x->h, x->proc, x->image, &ev));
    held_free(x);
}

/* Execs whose arguments are complete, or will not come any more: the process went on, or time did. */
static void held_check(struct skep_pipeline *p, const struct skep_hdr *h)
{
    struct skep_held_exec **at = &p->held;
    while (*at) {
        struct skep_held_exec *x = *at;
        bool went_on = h->pid == x->h->pid && h->start == x->h->start && h->kind != SKEP_KIND_exec_data;
        if (!skep_proc_image_incomplete(x->image) || went_on || h->time > x->h->time + HOLD_NS)
            held_release(p, at);
        else
            at = &x->next;
    }
}

void skep_pipeline_settle(struct skep_pipeline *p)
{
    while (p->held)
        held_release(p, &p->held);
    while (p->waiting.first)
        waiting_release(p, waiting_take(p, p->waiting.first));
}

/* false: not held, show it now. */
static bool hold(struct skep_pipeline *p, const struct skep_hdr *h, struct skep_proc *proc)
{
    if (h->kind != SKEP_KIND_exec || !proc || !skep_proc_image_incomplete(proc->image))
        return false;
    struct skep_held_exec **last = &p->held;
    size_t n = 0;
    for (; *last; last = &(*last)->next)
        n++;
    struct skep_held_exec *x = n < HOLD_MAX ? calloc(1, sizeof(*x)) : NULL;
    struct skep_hdr *copy = x ? malloc(h->len) : NULL;
    if (!copy) {
        free(x);
        skep_proc_image_settle(proc->image);
        return false;
    }
    memcpy(copy, h, h->len);
    x->h = copy;
    x->proc = skep_proc_ref(proc);
    x->image = skep_proc_image_ref(proc->image);
    *last = x;
    return true;
}

/* false: a table has no room for it. */
static bool apply_tables(struct skep_pipeline *p, const struct skep_hdr *h)
{
    const struct skep_cgroup *ask = NULL;
    int r = skep_cgroups_apply(&p->cgroups, h, &ask);
    if (r >= 0)
        r = skep_proc_table_apply(&p->procs, h);
    if (ask && p->ops.ask)
        p->ops.ask(p->ops.live, ask);
    return r != -ENOMEM && r != -E2BIG;
}

/* A child inherits in the kernel, too, but only from parents that were tracked there already. */
static void track_child(struct skep_pipeline *p, const struct skep_hdr *h)
{
    if (h->kind != SKEP_KIND_fork || !(p->scope.flags & SKEP_SCOPE_TRACKED))
        return;
    const struct skep_ev_fork *ev = (const struct skep_ev_fork *)h;
    struct skep_proc *child = skep_proc_table_find(&p->procs, ev->child.pid, ev->pad_child_start);
    if (!child)
        return;
    if (p->scope.root_late && !p->root_in_snapshot && child->pid == p->scope.root)
        child->tracked = p->root_found = true;
    if (child->tracked && p->ops.tracked)
        p->ops.tracked(p->ops.live, child);
}

/* ---- process trees ---- */

static bool descends_from(const struct skep_proc *proc, uint32_t pid)
{
    for (; proc; proc = proc->parent)
        if (proc->pid == pid && !proc->dead)
            return true;
    return false;
}

/* Marks a process and all its descendants. */
static void track(struct skep_pipeline *p, uint32_t pid)
{
    if (!pid)
        return;
    struct skep_proc *proc;
    size_t at = 0;
    while ((proc = skep_hashmap_next(&p->procs.by_id, &at))) {
        if (proc->tracked || proc->dead || !descends_from(proc, pid))
            continue;
        proc->tracked = true;
        if (proc->pid == p->scope.root)
            p->root_in_snapshot = p->root_found = true;
        if (p->ops.tracked)
            p->ops.tracked(p->ops.live, proc);
    }
}

/* The snapshot is through: the table is complete, and process trees are known. */
static void snapshot_done(struct skep_pipeline *p, const struct skep_ev_snapshot *ev)
{
    skep_proc_table_snapshot_done(&p->procs, ev->begin);
    if (!(p->scope.flags & SKEP_SCOPE_TRACKED))
        return;
    if (p->scope.root) {
        track(p, p->scope.root);
        return;
    }
    track(p, ev->root);
    track(p, ev->command);
}

/* Up to when events wait for the cgroup that a record is about, if any do. */
static uint64_t waited_for(const struct skep_pipeline *p, const struct skep_hdr *h)
{
    if (h->kind != SKEP_KIND_cgroup || !p->waiting.first)
        return 0;
    return skep_cgroup_awaits(skep_cgroups_find(&p->cgroups, ((const struct skep_ev_cgroup *)h)->id));
}

/* What is known of a container is never shown as an event, but rules may ask for it. */
static void judge_hidden(struct skep_pipeline *p, const struct skep_kind *kind, const struct skep_hdr *h)
{
    struct skep_event ev;
    describe(p, kind, h, NULL, NULL, &ev);
    if (p->ops.judge && in_scope(p, &ev))
        p->ops.judge(p->ops.judge_data, &ev);
}

void skep_pipeline_take(struct skep_pipeline *p, const struct skep_hdr *h, size_t n)
{
    if (n < sizeof(*h) || h->kind >= SKEP_KIND_MAX) {
        count_lost(p, 0, SKEP_LOST_decode_error);
        return;
    }
    const struct skep_kind *kind = skep_schema_kind(p->schema, h->kind);
    p->received[h->kind]++;
    if (!kind || h->len > n || skep_record_check(kind, h, n) < 0) {
        count_lost(p, h->kind, SKEP_LOST_decode_error);
        return;
    }
    const struct skep_hdr *clean;
    if (skep_record_normalize(kind, h, p->copy, p->copy_size, &clean) >= 0)
        h = clean;
    if (kind->ring == SKEP_RING_LIFE) /* all of which a recording has, so that a replay waits no longer */
        advance(p, h->time);
    if (p->held)
        held_check(p, h);

    uint64_t until = waited_for(p, h);
    bool after = skep_proc_applies_after(h->kind), hidden = kind->show == SKEP_SHOW_HIDDEN, taken = true;
    if (!after)
        taken = apply_tables(p, h);
    if (p->held && h->kind == SKEP_KIND_exec_data)
        held_check(p, h);
    if (h->kind == SKEP_KIND_container || waited_for(p, h) < until)
        waiting_check(p);
    track_child(p, h);
    if (p->ops.record && kind->ring == SKEP_RING_LIFE)
        p->ops.record(p->ops.data, h);
    if (h->kind == SKEP_KIND_snapshot)
        snapshot_done(p, (const struct skep_ev_snapshot *)h);
    if (hidden && taken) {
        p->ledger.rows[h->kind].emitted++;
        if (h->kind == SKEP_KIND_container)
            judge_hidden(p, kind, h);
    } else if (hidden) {
        count_lost(p, h->kind, SKEP_LOST_no_memory_user);
    } else {
        struct skep_proc *proc = skep_proc_table_get(&p->procs, h);
        struct skep_event ev;
        if (!hold(p, h, proc)) {
            const struct skep_proc_image *image = proc ? skep_proc_image_at(proc, h->exec_id) : NULL;
            pass(p, &ev, describe(p, kind, h, proc, image, &ev));
        }
    }
    if (after)
        apply_tables(p, h);
}
