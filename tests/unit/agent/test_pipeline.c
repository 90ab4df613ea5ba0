/* SPDX-License-Identifier: Apache-2.0 */
#include "../event/record.h"

#include "agent/pipeline.h"

#define SEC 1000000000ULL
#define SHELL 17
#define SHELL_START (100 * SEC)

/* What reached the view. */
struct shown {
    uint16_t kind;
    uint32_t pid;
    char exe[64];
    char parent[64];
    char last_arg[64];
    char container[64];
    size_t args_len;
};

struct pipeline_test {
    struct skep_pipeline p;
    struct skep_schema *schema;
    struct test_record r;
    uint64_t now, seq;
    uint64_t cgroup; /* of the records that follow */
    struct shown shown[1024];
    size_t n_shown;
    size_t n_recorded, n_tracked;
    uint32_t tracked[16];
    enum skep_verdict verdict;
};

static void copy_text(char *to, size_t size, const struct skep_bytes *from)
{
    snprintf(to, size, "%.*s", (int)from->len, from->s ? from->s : "-");
}

static enum skep_verdict on_event(void *data, const struct skep_event *ev)
{
    struct pipeline_test *x = data;
    if (x->n_shown == ARRAY_SIZE(x->shown))
        return x->verdict;
    struct shown *s = &x->shown[x->n_shown++];
    *s = (struct shown){.kind = ev->h->kind, .pid = ev->h->pid};
    if (ev->image) {
        copy_text(s->exe, sizeof(s->exe), &ev->image->exe);
        s->args_len = ev->image->args.len;
        const struct skep_bytes *args = &ev->image->args;
        for (size_t at = 0; at < args->len; at += strnlen(args->s + at, args->len - at) + 1)
            snprintf(s->last_arg, sizeof(s->last_arg), "%.*s", (int)(args->len - at), args->s + at);
    }
    if (ev->container)
        snprintf(s->container, sizeof(s->container), "%s", ev->container->name ? ev->container->name : "?");
    if (ev->proc && ev->proc->parent)
        copy_text(s->parent, sizeof(s->parent), &ev->proc->parent->image->exe);
    return x->verdict;
}

static void on_record(void *data, const struct skep_hdr *h)
{
    struct pipeline_test *x = data;
    assert_true(h->len >= sizeof(*h));
    x->n_recorded++;
}

static void on_tracked(void *data, const struct skep_proc *proc)
{
    struct pipeline_test *x = data;
    if (x->n_tracked < ARRAY_SIZE(x->tracked))
        x->tracked[x->n_tracked++] = proc->pid;
}

static void open_pipeline(struct pipeline_test *x, const struct skep_scope *scope)
{
    struct skep_session session = {.boot_offset = BOOT_OFFSET, .self = 999, .host_ns = {.mnt = 1, .pid = 2}};
    struct skep_pipeline_ops ops = {
        .event = on_event, .record = on_record, .data = x, .tracked = on_tracked, .live = x};
    skep_pipeline_clear(&x->p);
    x->n_shown = x->n_recorded = x->n_tracked = 0;
    assert_int_equal(skep_pipeline_init(&x->p, x->schema, &session, scope, &ops), 0);
}

static struct skep_scope all_kinds(void)
{
    struct skep_scope s = {0};
    memset(s.kinds, true, sizeof(s.kinds));
    return s;
}

static int setup(void **state)
{
    struct pipeline_test *x = calloc(1, sizeof(*x));
    struct skep_scope scope = all_kinds();
    struct skep_pipeline_ops none = {0};
    struct skep_session session = {0};
    x->schema = test_schema();
    x->now = 200 * SEC;
    x->verdict = SKEP_VERDICT_EMITTED;
    assert_int_equal(skep_pipeline_init(&x->p, x->schema, &session, &scope, &none), 0);
    open_pipeline(x, &scope);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct pipeline_test *x = *state;
    skep_pipeline_clear(&x->p);
    skep_schema_free(x->schema);
    free(x);
    return 0;
}

static void *begin(struct pipeline_test *x, unsigned kind, uint32_t pid, uint64_t start, uint32_t exec_id)
{
    void *record = test_begin(&x->r, x->schema, kind);
    x->r.h.pid = x->r.h.tid = pid;
    x->r.h.start = start;
    x->r.h.exec_id = exec_id;
    x->r.h.time = x->now += 1000;
    x->r.h.seq = x->seq++;
    x->r.h.cpu = 0;
    x->r.h.cgroup = x->cgroup;
    return record;
}

static void take(struct pipeline_test *x)
{
    skep_pipeline_take(&x->p, &x->r.h, sizeof(x->r.bytes));
}

static void take_process(struct pipeline_test *x, uint32_t pid, uint64_t start, uint32_t parent,
                         uint64_t parent_start, const char *exe)
{
    struct skep_ev_process *e = begin(x, SKEP_KIND_process, pid, start, 1);
    e->task.parent_pid = parent;
    e->task.parent_start = parent_start;
    e->task.ns = (struct skep_namespaces){.mnt = 1, .pid = 2};
    e->image.exe = test_text(&x->r, exe);
    e->image.args = test_bytes(&x->r, exe, strlen(exe) + 1);
    e->image.args_size = e->image.args_captured = e->image.args.len;
    take(x);
}

static void take_snapshot(struct pipeline_test *x, uint64_t at, uint32_t root, uint32_t command)
{
    struct skep_ev_snapshot *e = begin(x, SKEP_KIND_snapshot, 0, 0, 0);
    x->r.h.flags = SKEP_HDR_NO_TASK;
    e->begin = at;
    e->root = root;
    e->command = command;
    take(x);
}

static void take_fork(struct pipeline_test *x, uint32_t pid, uint64_t start, uint32_t child,
                      uint64_t child_start)
{
    struct skep_ev_fork *e = begin(x, SKEP_KIND_fork, pid, start, 1);
    e->child.pid = child;
    e->pad_child_start = child_start;
    e->task.parent_pid = pid;
    e->task.parent_start = start;
    e->task.ns = (struct skep_namespaces){.mnt = 1, .pid = 2};
    take(x);
}

/* args: the first bytes of captured bytes in all */
static void take_exec(struct pipeline_test *x, uint32_t pid, uint64_t start, uint32_t exec_id,
                      const char *exe, const void *args, size_t n, uint32_t captured)
{
    struct skep_ev_exec *e = begin(x, SKEP_KIND_exec, pid, start, exec_id);
    e->task.ns = (struct skep_namespaces){.mnt = 1, .pid = 2};
    e->image.exe = test_text(&x->r, exe);
    e->image.args = test_bytes(&x->r, args, n);
    e->image.args_size = e->image.args_captured = captured;
    take(x);
}

static void take_piece(struct pipeline_test *x, uint32_t pid, uint64_t start, uint64_t of_seq,
                       uint32_t offset, const void *data, size_t n)
{
    struct skep_ev_exec_data *e = begin(x, SKEP_KIND_exec_data, pid, start, 2);
    e->of_seq = of_seq;
    e->offset = offset;
    e->data = test_bytes(&x->r, data, n);
    take(x);
}

static void take_open(struct pipeline_test *x, uint32_t pid, uint64_t start, uint32_t exec_id,
                      const char *path)
{
    struct skep_ev_open *e = begin(x, SKEP_KIND_open, pid, start, exec_id);
    e->path = test_text(&x->r, path);
    e->path_source = SKEP_PATH_OBJECT;
    take(x);
}

static void begin_with_shell(struct pipeline_test *x)
{
    uint64_t at = x->now;
    take_process(x, 1, 5, 0, 0, "/sbin/init");
    take_process(x, SHELL, SHELL_START, 1, 5, "/bin/bash");
    take_snapshot(x, at, 0, 0);
    assert_int_equal(x->n_shown, 0);
}

static void assert_shown(const struct pipeline_test *x, size_t i, uint16_t kind, uint32_t pid,
                         const char *exe)
{
    assert_true(i < x->n_shown);
    assert_int_equal(x->shown[i].kind, kind);
    assert_int_equal(x->shown[i].pid, pid);
    assert_string_equal(x->shown[i].exe, exe);
}

static struct skep_ledger_row *row(struct pipeline_test *x, unsigned kind)
{
    return &x->p.ledger.rows[kind];
}

static void test_life(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_fork(x, SHELL, SHELL_START, 40, 150 * SEC);
    take_exec(x, 40, 150 * SEC, 2, "/bin/ls", "ls\0-l", 6, 6);
    take_open(x, 40, 150 * SEC, 2, "/etc");
    begin(x, SKEP_KIND_exit, 40, 150 * SEC, 2);
    take(x);
    assert_int_equal(x->n_shown, 4);
    assert_shown(x, 0, SKEP_KIND_fork, SHELL, "/bin/bash");
    assert_shown(x, 1, SKEP_KIND_exec, 40, "/bin/ls");
    assert_string_equal(x->shown[1].parent, "/bin/bash");
    assert_string_equal(x->shown[1].last_arg, "-l");
    assert_shown(x, 2, SKEP_KIND_open, 40, "/bin/ls");
    assert_shown(x, 3, SKEP_KIND_exit, 40, "/bin/ls"); /* who ends is known at its end */
    assert_int_equal(row(x, SKEP_KIND_exec)->emitted, 1);
    assert_int_equal(row(x, SKEP_KIND_process)->emitted, 2);
    assert_int_equal(x->p.received[SKEP_KIND_open], 1);
    /* the life cycle is recorded whether it is shown or not, the rest is the view's */
    assert_int_equal(x->n_recorded, 6);
}

/* A change of directory is shown from where it began. */
static void test_chdir_applies_afterwards(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    struct skep_proc *p = skep_proc_table_find(&x->p.procs, SHELL, SHELL_START);
    struct skep_ev_chdir *e = begin(x, SKEP_KIND_chdir, SHELL, SHELL_START, 1);
    e->path = test_text(&x->r, "/tmp");
    assert_null(p->cwd.s);
    take(x);
    assert_string_equal(p->cwd.s, "/tmp");
    assert_int_equal(x->n_shown, 1);
}

/* ---- execs that wait for their arguments ---- */

static void test_held_until_complete(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_exec(x, SHELL, SHELL_START, 2, "/bin/long", "aaa", 4, 12);
    uint64_t seq = x->r.h.seq;
    assert_int_equal(x->n_shown, 0);
    /* others go on meanwhile */
    take_open(x, 1, 5, 1, "/dev/null");
    assert_int_equal(x->n_shown, 1);
    take_piece(x, SHELL, SHELL_START, seq, 4, "bbb", 4);
    assert_int_equal(x->n_shown, 1);
    take_piece(x, SHELL, SHELL_START, seq, 8, "ccc", 4);
    assert_int_equal(x->n_shown, 2);
    assert_shown(x, 1, SKEP_KIND_exec, SHELL, "/bin/long");
    assert_int_equal(x->shown[1].args_len, 12);
    assert_string_equal(x->shown[1].last_arg, "ccc");
    assert_int_equal(row(x, SKEP_KIND_exec_data)->emitted, 2);
}

/* The rest never comes: the process goes on, time does, or all ends. */
static void test_held_and_given_up(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_exec(x, SHELL, SHELL_START, 2, "/bin/long", "aaa", 4, 12);
    take_open(x, SHELL, SHELL_START, 2, "/x");
    assert_int_equal(x->n_shown, 2);
    assert_shown(x, 0, SKEP_KIND_exec, SHELL, "/bin/long");
    assert_int_equal(x->shown[0].args_len, 4);
    assert_shown(x, 1, SKEP_KIND_open, SHELL, "/bin/long");

    take_exec(x, SHELL, SHELL_START, 3, "/bin/longer", "aaa", 4, 12);
    assert_int_equal(x->n_shown, 2);
    x->now += SEC;
    take_open(x, 1, 5, 1, "/y");
    assert_int_equal(x->n_shown, 4);
    assert_shown(x, 2, SKEP_KIND_exec, SHELL, "/bin/longer");

    take_exec(x, SHELL, SHELL_START, 4, "/bin/longest", "aaa", 4, 12);
    skep_pipeline_settle(&x->p);
    assert_int_equal(x->n_shown, 5);
    assert_shown(x, 4, SKEP_KIND_exec, SHELL, "/bin/longest");
    assert_int_equal(row(x, SKEP_KIND_exec)->emitted, 3);
}

/* However many wait: each is shown once, none with bytes that never came. */
static void test_many_held(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    for (uint32_t i = 0; i < 600; i++)
        take_exec(x, 1000 + i, 150 * SEC + i, 2, "/bin/long", "aaa", 4, 100);
    skep_pipeline_settle(&x->p);
    assert_int_equal(x->n_shown, 600);
    for (size_t i = 0; i < 600; i++)
        assert_int_equal(x->shown[i].args_len, 4);
    assert_int_equal(row(x, SKEP_KIND_exec)->emitted, 600);
}

/* ---- containers that are not known yet ---- */

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define WAIT SKEP_CGROUPS_WAIT

static void take_cgroup(struct pipeline_test *x, uint64_t id, const char *path)
{
    struct skep_ev_cgroup *e = begin(x, SKEP_KIND_cgroup, 0, 0, 0);
    x->r.h.flags = SKEP_HDR_NO_TASK;
    e->id = id;
    e->path = test_text(&x->r, path);
    take(x);
}

static void take_container(struct pipeline_test *x, uint64_t cgroup, const char *id, const char *name)
{
    struct skep_ev_container *e = begin(x, SKEP_KIND_container, 0, 0, 0);
    x->r.h.flags = SKEP_HDR_NO_TASK;
    x->r.h.cgroup = cgroup;
    e->id = test_text(&x->r, id);
    e->runtime = test_text(&x->r, "podman");
    e->name = test_text(&x->r, name);
    take(x);
}

static void take_open_in(struct pipeline_test *x, uint64_t cgroup, uint32_t pid)
{
    x->cgroup = cgroup;
    take_open(x, pid, 150 * SEC, 1, "/x");
    x->cgroup = 0;
}

/* Its own events wait, in their order, until the answer comes; nobody else's do. */
static void test_waits_for_container(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_cgroup(x, 70, "/machine.slice/libpod-" ID ".scope");
    take_cgroup(x, 71, "/box");               /* a candidate */
    take_cgroup(x, 72, "/a.slice/b.service"); /* neither */
    x->cgroup = 70;
    take_fork(x, SHELL, SHELL_START, 40, 150 * SEC);
    take_exec(x, 40, 150 * SEC, 2, "/bin/ls", "ls\0-l", 6, 6);
    take_exec(x, 40, 150 * SEC, 3, "/bin/cat", "cat", 4, 4);
    take_open_in(x, 71, 41);
    take_open_in(x, 72, 42);
    assert_int_equal(x->n_shown, 1);
    assert_shown(x, 0, SKEP_KIND_open, 42, "");
    assert_int_equal(x->n_recorded, 10); /* what waits is in the recording already */
    take_container(x, 70, ID, "web");
    assert_int_equal(x->n_shown, 4);
    assert_shown(x, 1, SKEP_KIND_fork, SHELL, "/bin/bash");
    assert_shown(x, 2, SKEP_KIND_exec, 40, "/bin/ls"); /* what it was then */
    assert_shown(x, 3, SKEP_KIND_exec, 40, "/bin/cat");
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(x->shown[i].container, "web");
    take_container(x, 71, "box", "box");
    assert_int_equal(x->n_shown, 5);
    assert_shown(x, 4, SKEP_KIND_open, 41, "");
    assert_string_equal(x->shown[4].container, "box");
    take_open_in(x, 70, 43);
    take_open_in(x, 71, 44);
    assert_int_equal(x->n_shown, 7);
    assert_int_equal(x->p.waiting.n, 0);
    assert_int_equal(x->p.waiting.bytes, 0);
}

static void take_cgroup_of(struct pipeline_test *x, uint64_t id, const char *path, uint64_t start)
{
    struct skep_ev_cgroup *e = begin(x, SKEP_KIND_cgroup, 60, start, 1);
    e->id = id;
    e->path = test_text(&x->r, path);
    take(x);
}

/* A candidate that was there long before is waited for only as long as one look takes, also when that is known later
 * than what waits; a container as long as ever. */
static void test_waits_less_for_what_is_old(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_cgroup_of(x, 71, "/old", x->now - WAIT - SEC);
    uint64_t begun = x->now;
    take_open_in(x, 71, 43);
    assert_int_equal(x->n_shown, 0);
    x->now = begun + SKEP_CGROUPS_WAIT_OLD + 1;
    take_fork(x, SHELL, SHELL_START, 50, 150 * SEC);
    assert_int_equal(x->n_shown, 2);
    assert_shown(x, 0, SKEP_KIND_open, 43, "");

    take_cgroup_of(x, 72, "/young", x->now - 1000);
    take_cgroup_of(x, 70, "/libpod-" ID, x->now - WAIT - SEC);
    begun = x->now;
    take_open_in(x, 72, 44);
    take_open_in(x, 70, 45);
    x->now = begun + SKEP_CGROUPS_WAIT_OLD + 1000;
    take_fork(x, SHELL, SHELL_START, 51, 150 * SEC);
    assert_int_equal(x->n_shown, 3);
    take_cgroup_of(x, 72, "/young", x->now - WAIT - SEC);
    assert_int_equal(x->n_shown, 4);
    assert_shown(x, 3, SKEP_KIND_open, 44, "");
    take_open_in(x, 72, 46); /* behind it */
    assert_int_equal(x->n_shown, 5);
    x->now = begun + WAIT + 10000;
    take_fork(x, SHELL, SHELL_START, 52, 150 * SEC);
    assert_int_equal(x->n_shown, 7);
    assert_shown(x, 5, SKEP_KIND_open, 45, "");
}

/* No answer: they go on when they have waited enough, by other records or by the clock, or when all ends. */
static void test_waits_in_vain(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_cgroup(x, 70, "/libpod-" ID);
    uint64_t until = x->now + WAIT;
    take_open_in(x, 70, 40);
    x->now = until - 2000;
    take_open_in(x, 70, 41);
    take_fork(x, SHELL, SHELL_START, 50, 150 * SEC);
    assert_int_equal(x->n_shown, 1);
    take_open(x, 1, 5, 1, "/y"); /* may not be in a recording */
    assert_int_equal(x->n_shown, 2);
    take_fork(x, SHELL, SHELL_START, 51, 150 * SEC);
    assert_int_equal(x->n_shown, 5);
    assert_shown(x, 2, SKEP_KIND_open, 40, "");
    assert_shown(x, 3, SKEP_KIND_open, 41, "");
    assert_string_equal(x->shown[2].container, "?");
    take_open_in(x, 70, 42); /* waited for long enough */
    assert_int_equal(x->n_shown, 6);

    take_cgroup(x, 71, "/box");
    take_open_in(x, 71, 43);
    skep_pipeline_tick(&x->p, x->now + WAIT);
    assert_int_equal(x->n_shown, 6);
    skep_pipeline_tick(&x->p, x->now + WAIT + SEC);
    assert_int_equal(x->n_shown, 7);
    x->now += SEC;
    take_cgroup(x, 72, "/box2");
    take_open_in(x, 72, 44);
    assert_int_equal(x->n_shown, 7);
    skep_pipeline_settle(&x->p);
    assert_int_equal(x->n_shown, 8);
    assert_shown(x, 7, SKEP_KIND_open, 44, "");
}

/* Too many: the oldest go on, each is shown once. */
static void test_many_wait(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    take_cgroup(x, 70, "/libpod-" ID);
    for (uint32_t i = 0; i < SKEP_PIPELINE_WAIT_EVENTS + 10; i++)
        take_open_in(x, 70, 1000 + i);
    assert_int_equal(x->n_shown, 10);
    for (size_t i = 0; i < 10; i++)
        assert_shown(x, i, SKEP_KIND_open, 1000 + (uint32_t)i, "");
    skep_pipeline_settle(&x->p);
    assert_int_equal(row(x, SKEP_KIND_open)->emitted, SKEP_PIPELINE_WAIT_EVENTS + 10);
    assert_int_equal(x->p.waiting.n, 0);
    take_cgroup(x, 71, "/box");
    take_open_in(x, 71, 9); /* to be freed with the pipeline */
}

/* ---- scope ---- */

static void test_kinds_and_self(void **state)
{
    struct pipeline_test *x = *state;
    struct skep_scope scope = {.kinds = {[SKEP_KIND_open] = true}};
    open_pipeline(x, &scope);
    begin_with_shell(x);
    take_exec(x, SHELL, SHELL_START, 2, "/bin/ls", "ls", 3, 3);
    take_open(x, SHELL, SHELL_START, 2, "/a");
    take_open(x, 999, 50 * SEC, 2, "/b");
    assert_int_equal(x->n_shown, 1);
    assert_int_equal(row(x, SKEP_KIND_exec)->filtered, 1);
    assert_int_equal(row(x, SKEP_KIND_open)->filtered, 1);
    assert_int_equal(row(x, SKEP_KIND_open)->emitted, 1);
}

static void test_uid_and_comm(void **state)
{
    struct pipeline_test *x = *state;
    struct skep_scope scope = all_kinds();
    scope.flags = SKEP_SCOPE_UID | SKEP_SCOPE_COMM;
    scope.uid = 1000;
    memcpy(scope.comm, "bash", 4);
    open_pipeline(x, &scope);
    begin_with_shell(x);
    take_open(x, SHELL, SHELL_START, 1, "/a");
    struct skep_ev_open *e = begin(x, SKEP_KIND_open, SHELL, SHELL_START, 1);
    e->path_source = SKEP_PATH_OBJECT;
    x->r.h.uid = 0;
    take(x);
    begin(x, SKEP_KIND_open, SHELL, SHELL_START, 1);
    memcpy(x->r.h.comm, "bash2", 6);
    take(x);
    assert_int_equal(x->n_shown, 1);
    assert_int_equal(row(x, SKEP_KIND_open)->filtered, 2);
}

/* A process tree: who was there when the snapshot was complete, and who is born later. */
static void test_tree(void **state)
{
    struct pipeline_test *x = *state;
    struct skep_scope scope = all_kinds();
    scope.flags = SKEP_SCOPE_TRACKED;
    scope.root = SHELL;
    open_pipeline(x, &scope);
    uint64_t at = x->now;
    take_process(x, 30, 130 * SEC, 20, 120 * SEC, "/bin/grandchild"); /* before its parent */
    take_process(x, 1, 5, 0, 0, "/sbin/init");
    take_process(x, 20, 120 * SEC, SHELL, SHELL_START, "/bin/child");
    take_process(x, SHELL, SHELL_START, 1, 5, "/bin/bash");
    take_process(x, 21, 121 * SEC, 1, 5, "/bin/stranger");
    take_snapshot(x, at, 0, 0);
    assert_int_equal(x->n_tracked, 3);

    take_fork(x, 30, 130 * SEC, 40, 150 * SEC);
    take_fork(x, 21, 121 * SEC, 41, 151 * SEC);
    assert_int_equal(x->n_tracked, 4);
    assert_int_equal(x->tracked[3], 40);
    /* the number is used again by somebody else */
    begin(x, SKEP_KIND_exit, 40, 150 * SEC, 1);
    take(x);
    take_fork(x, 21, 121 * SEC, 40, 160 * SEC);
    take_open(x, 40, 160 * SEC, 1, "/not-ours");
    take_open(x, 41, 151 * SEC, 1, "/not-ours");
    take_open(x, 20, 120 * SEC, 1, "/ours");
    assert_int_equal(x->n_shown, 3); /* a fork, an exit, an open */
    assert_shown(x, 0, SKEP_KIND_fork, 30, "/bin/grandchild");
    assert_shown(x, 1, SKEP_KIND_exit, 40, "/bin/grandchild");
    assert_shown(x, 2, SKEP_KIND_open, 20, "/bin/child");
}

/* Who reads a recording may ask for any process in it: one that begins later, and of a command that was followed
 * only a part. */
static void test_tree_in_recording(void **state)
{
    struct pipeline_test *x = *state;
    struct skep_scope scope = all_kinds();
    scope.flags = SKEP_SCOPE_TRACKED;
    scope.root = 40;
    scope.root_late = true;
    open_pipeline(x, &scope);
    uint64_t at = x->now;
    take_process(x, 1, 5, 0, 0, "/sbin/init");
    take_process(x, SHELL, SHELL_START, 1, 5, "/bin/bash");
    take_snapshot(x, at, 0, SHELL); /* the command that was recorded */
    take_open(x, SHELL, SHELL_START, 1, "/not-asked-for");
    take_fork(x, SHELL, SHELL_START, 40, 150 * SEC);
    take_fork(x, 40, 150 * SEC, 41, 151 * SEC);
    take_open(x, 41, 151 * SEC, 1, "/asked-for");
    assert_int_equal(x->n_shown, 2);
    assert_shown(x, 0, SKEP_KIND_fork, 40, "/bin/bash");
    assert_shown(x, 1, SKEP_KIND_open, 41, "/bin/bash");

    /* one that the snapshot has is meant, as in a live run, and nobody who gets its number later */
    scope.root = SHELL;
    open_pipeline(x, &scope);
    at = x->now;
    take_process(x, SHELL, SHELL_START, 1, 5, "/bin/bash");
    take_process(x, 18, SHELL_START, 1, 5, "/bin/other");
    take_snapshot(x, at, 18, 18);
    begin(x, SKEP_KIND_exit, SHELL, SHELL_START, 1);
    take(x);
    take_fork(x, 18, SHELL_START, SHELL, 160 * SEC);
    take_open(x, SHELL, 160 * SEC, 1, "/not-asked-for");
    assert_int_equal(x->n_shown, 1);
    assert_shown(x, 0, SKEP_KIND_exit, SHELL, "/bin/bash");
}

static void test_host_only(void **state)
{
    struct pipeline_test *x = *state;
    struct skep_scope scope = all_kinds();
    scope.flags = SKEP_SCOPE_HOST_ONLY;
    open_pipeline(x, &scope);
    begin_with_shell(x);
    take_open(x, SHELL, SHELL_START, 1, "/a");
    struct skep_ev_unshare *u = begin(x, SKEP_KIND_unshare, SHELL, SHELL_START, 1);
    u->new_ns = (struct skep_namespaces){.mnt = 77, .pid = 2};
    take(x);
    take_open(x, SHELL, SHELL_START, 1, "/b");
    assert_int_equal(x->n_shown, 2);
    assert_int_equal(x->shown[1].kind, SKEP_KIND_unshare);
    assert_int_equal(row(x, SKEP_KIND_open)->filtered, 1);
}

/* ---- the ledger ---- */

static void test_verdicts(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    static const struct {
        enum skep_verdict verdict;
        uint64_t emitted, filtered, lost;
    } rows[] = {
        {SKEP_VERDICT_EMITTED, 1, 0, 0},
        {SKEP_VERDICT_FILTERED, 1, 1, 0},
        {SKEP_VERDICT_NO_MEMORY, 1, 1, 1},
        {SKEP_VERDICT_QUEUED, 1, 1, 1}, /* the output counts it */
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        x->verdict = rows[i].verdict;
        take_open(x, SHELL, SHELL_START, 1, "/a");
        assert_int_equal(row(x, SKEP_KIND_open)->emitted, rows[i].emitted);
        assert_int_equal(row(x, SKEP_KIND_open)->filtered, rows[i].filtered);
        assert_int_equal(row(x, SKEP_KIND_open)->lost[SKEP_LOST_no_memory_user], rows[i].lost);
    }
}

static void test_malformed(void **state)
{
    struct pipeline_test *x = *state;
    begin_with_shell(x);
    struct skep_ev_open *e;
    static const struct {
        uint32_t off, len;
    } slices[] = {
        {8, 4}, {0xfffffff0, 8}, {200, 0xffffff00}, {100000, 1}, {sizeof(struct skep_ev_open), 4000}};
    for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
        e = begin(x, SKEP_KIND_open, SHELL, SHELL_START, 1);
        e->path = (struct skep_slice){slices[i].off, slices[i].len};
        take(x);
        assert_int_equal(row(x, SKEP_KIND_open)->lost[SKEP_LOST_decode_error], i + 1);
    }
    begin(x, SKEP_KIND_open, SHELL, SHELL_START, 1);
    x->r.h.len = 40;
    take(x);
    assert_int_equal(row(x, SKEP_KIND_open)->lost[SKEP_LOST_decode_error], ARRAY_SIZE(slices) + 1);
    begin(x, SKEP_KIND_open, SHELL, SHELL_START, 1);
    x->r.h.kind = 127;
    take(x);
    assert_int_equal(row(x, 127)->lost[SKEP_LOST_decode_error], 1);
    assert_int_equal(x->n_shown, 0);
    for (size_t i = 0; i < SKEP_KIND_MAX; i++) {
        struct skep_ledger_row *k = row(x, (unsigned)i);
        k->seen = x->p.received[i];
        assert_int_equal(skep_ledger_difference(k), 0);
    }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_chdir_applies_afterwards),
        TEST(test_held_until_complete),
        TEST(test_held_and_given_up),
        TEST(test_many_held),
        TEST(test_waits_for_container),
        TEST(test_waits_less_for_what_is_old),
        TEST(test_waits_in_vain),
        TEST(test_many_wait),
        TEST(test_kinds_and_self),
        TEST(test_uid_and_comm),
        TEST(test_tree),
        TEST(test_tree_in_recording),
        TEST(test_host_only),
        TEST(test_verdicts),
        TEST(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
