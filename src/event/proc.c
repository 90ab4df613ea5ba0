/* SPDX-License-Identifier: Apache-2.0 */
#include "event/proc.h"

#include "event/event.h"

/* Never hashed as a C struct with holes: two words. */
struct proc_key {
    uint64_t pid;
    uint64_t start;
};

/* Variables that say how a program was started or steered; the rest of an environment is nobody's business. */
static const char *const chosen_env[] = {
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "LD_DEBUG",
    "GCONV_PATH",
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PWD",
    "TERM",
    "SUDO_USER",
    "SUDO_COMMAND",
    "SUDO_UID",
    "SSH_CONNECTION",
    "SSH_CLIENT",
    "SSH_TTY",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "HISTFILE",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PERL5LIB",
    "PERL5OPT",
    "NODE_OPTIONS",
    "RUBYOPT",
    "JAVA_TOOL_OPTIONS",
    "GIT_SSH_COMMAND",
    "http_proxy",
    "https_proxy",
    "KUBERNETES_SERVICE_HOST",
    "container",
    "INVOCATION_ID",
};

static void bytes_clear(struct skep_bytes *b)
{
    free(b->s);
    *b = (struct skep_bytes){0};
}

/* A copy with a NUL behind it. */
static int bytes_set(struct skep_bytes *b, const void *s, size_t len, size_t room)
{
    char *copy = malloc(room + 1);
    if (!copy)
        return -ENOMEM;
    if (len)
        memcpy(copy, s, len);
    memset(copy + len, 0, room - len + 1);
    free(b->s);
    *b = (struct skep_bytes){.s = copy, .len = room};
    return 0;
}

static int bytes_set_slice(struct skep_bytes *b, const struct skep_hdr *h, struct skep_slice s)
{
    const char *from = skep_slice_get(h, s);
    return from ? bytes_set(b, from, s.len, s.len) : 0;
}

/* ---- images ---- */

struct skep_proc_image *skep_proc_image_ref(struct skep_proc_image *i)
{
    i->refs++;
    return i;
}

struct skep_proc_image *skep_proc_image_unref(struct skep_proc_image *i)
{
    if (!i || --i->refs)
        return NULL;
    bytes_clear(&i->exe);
    bytes_clear(&i->args);
    bytes_clear(&i->script);
    bytes_clear(&i->env);
    bytes_clear(&i->env_all);
    bytes_clear(&i->env_raw);
    free(i);
    return NULL;
}

static bool env_is_chosen(const char *s, size_t len)
{
    const char *eq = memchr(s, '=', len);
    if (!eq)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(chosen_env); i++)
        if (strlen(chosen_env[i]) == (size_t)(eq - s) && memcmp(chosen_env[i], s, (size_t)(eq - s)) == 0)
            return true;
    return false;
}

/* Keeps the chosen variables of a complete environment, and all of it for those who asked. */
static int env_choose(struct skep_proc_image *i, const char *env, size_t n)
{
    int r = i->keep_env ? bytes_set(&i->env_all, env, n, n) : 0;
    if (r < 0)
        return r;
    _cleanup_free_ char *kept = malloc(n + 1);
    size_t len = 0;
    if (!kept)
        return -ENOMEM;
    for (size_t at = 0; at < n;) {
        size_t one = strnlen(env + at, n - at);
        if (env_is_chosen(env + at, one)) {
            memcpy(kept + len, env + at, one);
            kept[len + one] = '\0';
            len += one + 1;
        }
        at += one + 1;
    }
    return bytes_set(&i->env, kept, len, len);
}

/* Captured sizes come from the kernel, but a recording may say anything. */
static uint32_t captured(uint32_t claimed)
{
    return MIN(claimed, (uint32_t)SKEP_EXEC_DATA_MAX);
}

/* A program that writes a title over its arguments fills the rest with NULs, which are no arguments. A snapshot meets
 * such programs; right after an exec nobody wrote anything yet. */
static void args_trim(struct skep_bytes *args)
{
    while (args->len > 1 && args->s[args->len - 1] == '\0' && args->s[args->len - 2] == '\0')
        args->len--;
}

static int image_fill(struct skep_proc_image *i, const struct skep_hdr *h, const struct skep_image *from)
{
    const char *args = skep_slice_get(h, from->args), *env = skep_slice_get(h, from->env);
    uint32_t have_args = args ? from->args.len : 0, have_env = env ? from->env.len : 0;
    uint32_t want_args = args ? MAX(captured(from->args_captured), have_args) : 0;
    uint32_t want_env = env ? MAX(captured(from->env_captured), have_env) : 0;
    int r = bytes_set_slice(&i->exe, h, from->exe);
    if (r >= 0 && args)
        r = bytes_set(&i->args, args, have_args, want_args);
    if (r < 0)
        return r;
    i->args_size = from->args_size;
    i->env_size = from->env_size;
    i->args_missing = want_args - have_args;
    if (h->kind == SKEP_KIND_process && !i->args_missing)
        args_trim(&i->args);
    i->env_missing = want_env - have_env;
    if (!env)
        return 0;
    if (!i->env_missing)
        return env_choose(i, env, have_env);
    return bytes_set(&i->env_raw, env, have_env, want_env);
}

static int image_new(struct skep_proc_table *t, const struct skep_hdr *h, const struct skep_image *from,
                     struct skep_proc_image **ret)
{
    struct skep_proc_image *i = calloc(1, sizeof(*i));
    if (!i)
        return -ENOMEM;
    i->refs = 1;
    i->stamp = ++t->stamps;
    i->exec_id = h->exec_id;
    i->seq = h->seq;
    i->cpu = h->cpu;
    i->blank = !from;
    i->keep_env = from && t->keep_env;
    int r = from ? image_fill(i, h, from) : 0;
    if (r < 0) {
        skep_proc_image_unref(i);
        return r;
    }
    *ret = i;
    return 0;
}

/* The rest of an environment or argument list never came: show what did. */
static void image_give_up(struct skep_proc_image *i)
{
    if (i->args_missing) {
        i->args.len -= MIN((size_t)i->args_missing, i->args.len);
        i->args_missing = 0;
    }
    if (i->env_missing) {
        env_choose(i, i->env_raw.s, i->env_raw.len);
        bytes_clear(&i->env_raw);
        i->env_missing = 0;
    }
}

static void image_take_piece(struct skep_proc_image *i, const struct skep_ev_exec_data *ev)
{
    const char *data = skep_slice_get(&ev->h, ev->data);
    struct skep_bytes *to = ev->which ? &i->env_raw : &i->args;
    uint32_t *missing = ev->which ? &i->env_missing : &i->args_missing;
    /* Pieces come in order; behind one that is missing nothing fits any more, or a hole would be shown. */
    if (!data || !to->s || *missing > to->len || ev->offset != to->len - *missing || ev->data.len > *missing)
        return;
    memcpy(to->s + ev->offset, data, ev->data.len);
    *missing -= ev->data.len;
    if (ev->which && *missing == 0) {
        env_choose(i, i->env_raw.s, i->env_raw.len);
        bytes_clear(&i->env_raw);
    }
}

/* ---- processes ---- */

static void proc_changed(struct skep_proc_table *t, struct skep_proc *p)
{
    p->stamp = ++t->stamps;
}

struct skep_proc *skep_proc_ref(struct skep_proc *p)
{
    p->refs++;
    return p;
}

struct skep_proc *skep_proc_unref(struct skep_proc *p)
{
    /* A loop and not a recursion: ancestors may go in a row. */
    while (p && --p->refs == 0) {
        struct skep_proc *parent = p->parent;
        skep_proc_image_unref(p->image);
        skep_proc_image_unref(p->prev_image);
        bytes_clear(&p->cwd);
        free(p);
        p = parent;
    }
    return NULL;
}

/* Who was there first: parents before children, so that no records, however wrong, make a ring of ancestors. */
static bool is_older(const struct skep_proc *a, const struct skep_proc *b)
{
    return a->start < b->start || (a->start == b->start && a->pid < b->pid);
}

static void proc_set_parent(struct skep_proc_table *t, struct skep_proc *p, struct skep_proc *parent)
{
    struct skep_proc *old = p->parent;
    if (parent && !is_older(parent, p))
        parent = NULL;
    p->parent = parent ? skep_proc_ref(parent) : NULL;
    proc_changed(t, p);
    skep_proc_unref(old);
    /* A process that forks and exits over and over must not leave an endless line of ancestors. */
    struct skep_proc *at = parent;
    for (int dead = 0; at; at = at->parent) {
        if (at->dead && ++dead >= SKEP_PROC_DEAD_ANCESTORS) {
            at->parent = skep_proc_unref(at->parent);
            proc_changed(t, at);
            return;
        }
    }
}

static void proc_set_comm(struct skep_proc_table *t, struct skep_proc *p, const struct skep_hdr *h)
{
    if (memcmp(p->comm, h->comm, sizeof(p->comm)) == 0)
        return;
    memcpy(p->comm, h->comm, sizeof(p->comm));
    proc_changed(t, p);
}

/* What every header says of its process. */
static void proc_take_header(struct skep_proc_table *t, struct skep_proc *p, const struct skep_hdr *h)
{
    p->uid = h->uid;
    p->gid = h->gid;
    p->euid = h->euid;
    p->egid = h->egid;
    p->caps = h->caps;
    p->cgroup = h->cgroup;
    if (h->pid == h->tid)
        proc_set_comm(t, p, h);
}

/* Takes over the reference. */
static void proc_new_image(struct skep_proc_table *t, struct skep_proc *p, struct skep_proc_image *image)
{
    proc_changed(t, p);
    /* A blank stands for this very image; the one before it is the one to keep. */
    if (p->image->blank && p->image->exec_id == image->exec_id) {
        skep_proc_image_unref(p->image);
    } else {
        skep_proc_image_unref(p->prev_image);
        p->prev_image = p->image;
    }
    p->image = image;
}

/* The process runs a later image than the one we know: its exec was lost. Nothing is better than the wrong one. */
static void proc_missed_exec(struct skep_proc_table *t, struct skep_proc *p, const struct skep_hdr *h)
{
    struct skep_proc_image *image = NULL;
    if ((int32_t)(h->exec_id - p->image->exec_id) <= 0 || image_new(t, h, NULL, &image) < 0)
        return;
    proc_new_image(t, p, image);
}

static int table_add(struct skep_proc_table *t, uint32_t pid, uint64_t start, struct skep_proc **ret)
{
    struct skep_proc *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->refs = 1;
    p->pid = pid;
    p->start = start;
    proc_changed(t, p);
    struct proc_key key = {pid, start};
    int r = skep_hashmap_put(&t->by_id, &key, p, NULL);
    if (r < 0) {
        free(p);
        return r;
    }
    const struct skep_proc *same = skep_hashmap_get(&t->by_pid, &pid);
    if (!same || same->start <= start)
        r = skep_hashmap_put(&t->by_pid, &pid, p, NULL);
    if (r < 0) {
        skep_hashmap_del(&t->by_id, &key);
        free(p);
        return r;
    }
    *ret = p;
    return 0;
}

/* A row with an image of its own, of which nothing is known yet. */
static int table_add_blank(struct skep_proc_table *t, uint32_t pid, uint64_t start, const struct skep_hdr *h,
                           struct skep_proc **ret)
{
    struct skep_proc_image *image = NULL;
    struct skep_proc *p;
    int r = image_new(t, h, NULL, &image);
    if (r < 0)
        return r;
    r = table_add(t, pid, start, &p);
    if (r < 0) {
        skep_proc_image_unref(image);
        return r;
    }
    p->image = image;
    p->partial = true;
    *ret = p;
    return 0;
}

static void table_drop(struct skep_proc_table *t, struct skep_proc *p)
{
    struct proc_key key = {p->pid, p->start};
    skep_hashmap_del(&t->by_id, &key);
    if (skep_hashmap_get(&t->by_pid, &p->pid) == p)
        skep_hashmap_del(&t->by_pid, &p->pid);
    skep_proc_unref(p);
}

/* The row stays a little longer, see SKEP_PROC_GRACE. */
static void table_bury(struct skep_proc_table *t, struct skep_proc *p, uint64_t now)
{
    if (p->dead)
        return;
    p->dead = true;
    p->exited = now;
    if (t->dead_last)
        t->dead_last->next_dead = p;
    else
        t->dead_first = p;
    t->dead_last = p;
}

static void table_sweep(struct skep_proc_table *t, uint64_t now)
{
    struct skep_proc *p;
    while ((p = t->dead_first) && now > p->exited && now - p->exited > SKEP_PROC_GRACE) {
        t->dead_first = p->next_dead;
        if (!t->dead_first)
            t->dead_last = NULL;
        p->next_dead = NULL;
        table_drop(t, p);
    }
}

struct skep_proc *skep_proc_table_find(const struct skep_proc_table *t, uint32_t pid, uint64_t start)
{
    struct proc_key key = {pid, start};
    return skep_hashmap_get(&t->by_id, &key);
}

struct skep_proc *skep_proc_table_find_pid(const struct skep_proc_table *t, uint32_t pid)
{
    return skep_hashmap_get(&t->by_pid, &pid);
}

void skep_proc_table_init(struct skep_proc_table *t)
{
    *t = (struct skep_proc_table){0};
    skep_hashmap_init(&t->by_id, sizeof(struct proc_key), SKEP_PROC_MAX);
    skep_hashmap_init(&t->by_pid, sizeof(uint32_t), SKEP_PROC_MAX);
}

void skep_proc_table_clear(struct skep_proc_table *t)
{
    struct skep_proc *p;
    size_t at = 0;
    while ((p = skep_hashmap_next(&t->by_id, &at)))
        skep_proc_unref(p);
    skep_hashmap_clear(&t->by_id);
    skep_hashmap_clear(&t->by_pid);
}

struct skep_proc *skep_proc_table_get(struct skep_proc_table *t, const struct skep_hdr *h)
{
    if (h->flags & SKEP_HDR_NO_TASK)
        return NULL;
    struct skep_proc *p = skep_proc_table_find(t, h->pid, h->start);
    if (!p && ((h->flags & SKEP_HDR_INDIRECT) || table_add_blank(t, h->pid, h->start, h, &p) < 0))
        return NULL;
    if (h->flags & SKEP_HDR_INDIRECT)
        return p;
    if (h->kind != SKEP_KIND_exec && h->kind != SKEP_KIND_process)
        proc_missed_exec(t, p, h);
    proc_take_header(t, p, h);
    p->seen = MAX(p->seen, h->time);
    if (p->partial && p->comm[0] == '\0')
        proc_set_comm(t, p, h);
    return p;
}

const struct skep_proc_image *skep_proc_image_at(const struct skep_proc *p, uint32_t exec_id)
{
    /* wraps around like the kernel's counter would */
    if (p->prev_image && (int32_t)(exec_id - p->image->exec_id) < 0)
        return p->prev_image;
    return p->image;
}

/* ---- records ---- */

/* With CLONE_PARENT a child is a sibling of who made it, from whom it inherits all the same. */
static struct skep_proc *fork_parent(const struct skep_proc_table *t, const struct skep_ev_fork *ev,
                                     struct skep_proc *caller)
{
    struct skep_proc *parent = skep_proc_table_find(t, ev->task.parent_pid, ev->task.parent_start);
    return parent ? parent : caller;
}

static int apply_fork(struct skep_proc_table *t, const struct skep_ev_fork *ev)
{
    struct skep_proc *parent = skep_proc_table_get(t, &ev->h);
    struct skep_proc *child = skep_proc_table_find(t, ev->child.pid, ev->pad_child_start);
    if (!parent)
        return -ENOMEM;
    if (child == parent)
        return 0;
    if (!child) {
        int r = table_add(t, ev->child.pid, ev->pad_child_start, &child);
        if (r < 0)
            return r;
    } else if (!child->partial) {
        return 0; /* a snapshot saw it first */
    }
    proc_changed(t, child);
    skep_proc_image_unref(child->image);
    child->image = skep_proc_image_ref(parent->image);
    child->partial = false;
    child->tracked = parent->tracked;
    child->task = ev->task;
    child->seen = ev->h.time;
    proc_take_header(t, child, &ev->h);
    proc_set_comm(t, child, &ev->h);
    proc_set_parent(t, child, fork_parent(t, ev, parent));
    return parent->cwd.s ? bytes_set(&child->cwd, parent->cwd.s, parent->cwd.len, parent->cwd.len) : 0;
}

static int apply_image(struct skep_proc_table *t, struct skep_proc *p, const struct skep_hdr *h,
                       const struct skep_task *task, const struct skep_image *from, struct skep_slice script,
                       uint64_t inode, uint32_t dev, uint32_t flags)
{
    struct skep_proc_image *image = NULL;
    int r = image_new(t, h, from, &image);
    if (r < 0)
        return r;
    r = bytes_set_slice(&image->script, h, script);
    if (r < 0) {
        skep_proc_image_unref(image);
        return r;
    }
    image->inode = inode;
    image->dev = dev;
    image->flags = flags;
    image->traits = from->traits;
    image->ctime = from->ctime;
    image->mtime = from->mtime;
    proc_new_image(t, p, image);
    p->task = *task;
    p->partial = false;
    p->seen = h->time;
    if (!p->parent)
        proc_set_parent(t, p, skep_proc_table_find(t, task->parent_pid, task->parent_start));
    return bytes_set_slice(&p->cwd, h, from->cwd);
}

static int apply_exec(struct skep_proc_table *t, const struct skep_ev_exec *ev)
{
    struct skep_proc *p = skep_proc_table_get(t, &ev->h);
    if (!p)
        return -ENOMEM;
    proc_set_comm(t, p, &ev->h);
    return apply_image(t, p, &ev->h, &ev->task, &ev->image, ev->script, ev->inode, ev->dev, ev->flags);
}

static int apply_process(struct skep_proc_table *t, const struct skep_ev_process *ev)
{
    if (ev->flags & SKEP_EXEC_ZOMBIE)
        return 0;
    struct skep_proc *p = skep_proc_table_find(t, ev->h.pid, ev->h.start);
    bool known = p && !p->partial && !p->image->blank && (int32_t)(ev->h.exec_id - p->image->exec_id) <= 0;
    if (!known)
        t->healed++;
    p = skep_proc_table_get(t, &ev->h);
    if (!p)
        return -ENOMEM;
    if (ev->h.pid == 1)
        t->host_ns = ev->task.ns;
    if (known) { /* the image that we saw start has more to it; the rest is fresher here */
        p->task = ev->task;
        proc_changed(t, p);
        return bytes_set_slice(&p->cwd, &ev->h, ev->image.cwd);
    }
    return apply_image(t, p, &ev->h, &ev->task, &ev->image, (struct skep_slice){0}, ev->inode, ev->dev,
                       ev->flags);
}

static int apply_exec_data(struct skep_proc_table *t, const struct skep_ev_exec_data *ev)
{
    struct skep_proc *p = skep_proc_table_find(t, ev->h.pid, ev->h.start);
    if (p && p->image->seq == ev->of_seq && p->image->cpu == ev->h.cpu)
        image_take_piece(p->image, ev);
    return 0;
}

bool skep_proc_applies_after(uint16_t kind)
{
    switch (kind) {
    case SKEP_KIND_exit:
    case SKEP_KIND_chdir:
    case SKEP_KIND_setsid:
    case SKEP_KIND_setns:
    case SKEP_KIND_unshare:
        return true;
    }
    return false;
}

/* A new pid namespace is for the children; the process stays in its own. */
static void set_namespaces(struct skep_proc *p, const struct skep_namespaces *ns)
{
    skep_nsid pid = p->task.ns.pid;
    p->task.ns = *ns;
    p->task.ns.pid = pid;
}

int skep_proc_table_apply(struct skep_proc_table *t, const struct skep_hdr *h)
{
    struct skep_proc *p;
    table_sweep(t, h->time);
    switch (h->kind) {
    case SKEP_KIND_fork:
        return apply_fork(t, (const struct skep_ev_fork *)h);
    case SKEP_KIND_exec:
        return apply_exec(t, (const struct skep_ev_exec *)h);
    case SKEP_KIND_process:
        return apply_process(t, (const struct skep_ev_process *)h);
    case SKEP_KIND_exec_data:
        return apply_exec_data(t, (const struct skep_ev_exec_data *)h);
    }
    if (!skep_proc_applies_after(h->kind))
        return 0;
    p = skep_proc_table_get(t, h);
    if (!p)
        return -ENOMEM;
    if (h->kind == SKEP_KIND_exit) {
        table_bury(t, p, h->time);
        return 0;
    }
    if ((h->flags & SKEP_HDR_RET) && h->ret < 0)
        return 0;
    proc_changed(t, p);
    switch (h->kind) {
    case SKEP_KIND_chdir:
        return bytes_set_slice(&p->cwd, h, ((const struct skep_ev_chdir *)h)->path);
    case SKEP_KIND_setsid:
        p->task.session = p->task.pgid = ((const struct skep_ev_setsid *)h)->session;
        p->task.ns_session = p->task.ns_pgid = p->task.ns_pid;
        p->task.tty_nr = 0;
        memset(p->task.tty, 0, sizeof(p->task.tty));
        return 0;
    case SKEP_KIND_setns:
        set_namespaces(p, &((const struct skep_ev_setns *)h)->new_ns);
        return 0;
    case SKEP_KIND_unshare:
        set_namespaces(p, &((const struct skep_ev_unshare *)h)->new_ns);
        return 0;
    }
    return 0;
}

void skep_proc_image_settle(struct skep_proc_image *i)
{
    image_give_up(i);
}

/* Parents are known by number as soon as a task is; their rows may come later in a snapshot. */
static void link_parents(struct skep_proc_table *t)
{
    struct skep_proc *p;
    size_t at = 0;
    while ((p = skep_hashmap_next(&t->by_id, &at))) {
        if (p->parent || !p->task.parent_pid)
            continue;
        struct skep_proc *parent = skep_proc_table_find(t, p->task.parent_pid, p->task.parent_start);
        if (parent && parent != p)
            proc_set_parent(t, p, parent);
    }
}

void skep_proc_table_snapshot_done(struct skep_proc_table *t, uint64_t begin)
{
    /* Removing while walking is not allowed: collect first. */
    struct skep_proc **gone = calloc(t->by_id.count + 1, sizeof(*gone)), *p;
    size_t n = 0, at = 0;
    link_parents(t);
    while (gone && (p = skep_hashmap_next(&t->by_id, &at)))
        if (p->seen < begin && !p->dead)
            gone[n++] = p;
    for (size_t i = 0; i < n; i++)
        table_bury(t, gone[i], begin);
    if (t->snapshot_time)
        t->healed += n;
    else
        t->healed = 0; /* the first one fills the table */
    t->snapshot_time = begin;
    free(gone);
}
