/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/names/users.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/thread.h"
#include "event/runtime/state.h"

#define NS_PER_S 1000000000ULL
#define PASSWD "/etc/passwd"
#define GROUP "/etc/group"

static const struct skep_rule_user root_user = {.name = "root", .home = "/root", .shell = ""};

/* ---- files of containers, read by a thread ----
 *
 * It is there before it is asked: a new one would begin behind all others that wait for a processor, and on a busy host that
 * takes longer than SKEP_USERS_PATIENCE_NS. */

/* Two containers never have the same: numbers of namespaces may be used again, but not by then. */
struct container_key {
    uint64_t mnt_ns;
    uint64_t start; /* of the first process of the pid namespace */
};

/* Processes that are in the container, of which one will do: the one that acts may be gone by now. */
#define WITNESSES_MAX 8

struct job {
    struct container_key key;
    uint32_t pids[WITNESSES_MAX];
    size_t n;
};

/* Shared by both threads, and freed by the last: the reader may hang on a file when its owner goes. */
struct reader {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned refs;
    bool stop;
    bool busy; /* from the question until the answer was taken */
    bool done;
    struct job job;
    struct skep_accounts *answer; /* NULL: the files could not be read */
};

static void reader_unref(struct reader *s)
{
    pthread_mutex_lock(&s->lock);
    bool last = --s->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    skep_accounts_free(s->answer);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* The process may be gone and its number somebody else's. */
static bool is_in_mnt_ns(uint32_t pid, uint64_t mnt_ns)
{
    char path[32];
    struct stat st;
    snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
    return stat(path, &st) == 0 && st.st_ino == mnt_ns;
}

/* NULL: there is none, or none of a reasonable size. */
static char *read_file(int root, const char *path, size_t max)
{
    _cleanup_free_ char *text = NULL;
    size_t len;
    if (skep_state_read(root, SKEP_STATE_NO_UID, path, &text, &len) < 0 || len > max)
        return NULL;
    return TAKE_PTR(text);
}

/* A descriptor of the directory that is / in the container. */
static int open_root(const struct job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/proc/%u/root", job->pids[i]);
        _cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root >= 0 && is_in_mnt_ns(job->pids[i], job->key.mnt_ns))
            return TAKE_FD(root);
    }
    return -ESRCH;
}

static struct skep_accounts *read_container(const struct job *job)
{
    struct skep_accounts *a = NULL;
    _cleanup_close_ int root = open_root(job);
    if (root < 0)
        return NULL;
    char *passwd = read_file(root, PASSWD, SKEP_USERS_CONTAINER_FILE_MAX);
    if (skep_accounts_new(passwd, read_file(root, GROUP, SKEP_USERS_CONTAINER_FILE_MAX), &a) < 0)
        return NULL;
    return a;
}

static void *read_containers(void *arg)
{
    struct reader *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        if (!s->busy || s->done) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        struct job job = s->job;
        pthread_mutex_unlock(&s->lock);
        struct skep_accounts *a = read_container(&job);
        pthread_mutex_lock(&s->lock);
        s->answer = a;
        s->done = true;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    reader_unref(s);
    return NULL;
}

static int reader_new(struct reader **ret)
{
    struct reader *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->refs = 2;
    pthread_mutex_init(&s->lock, NULL);
    skep_cond_init(&s->changed);
    pthread_t thread;
    int r = skep_thread_start(&thread, "skep-users", read_containers, s);
    if (r < 0) {
        s->refs = 1;
        reader_unref(s);
        return r;
    }
    pthread_detach(thread);
    *ret = s;
    return 0;
}

/* ---- what is known ---- */

struct container_entry {
    struct container_key key;
    struct skep_accounts *accounts; /* NULL: not read yet */
    uint64_t asked;                 /* CLOCK_MONOTONIC */
};

/* What tells that a file is another one than before. */
struct file_mark {
    uint64_t dev, ino, size, mtime, ctime;
};

struct skep_rule_users {
    int root;
    struct skep_accounts *host;
    struct file_mark marks[2];
    uint64_t checked; /* CLOCK_MONOTONIC; 0: never */
    struct reader *reader;
    struct container_entry *containers; /* SKEP_USERS_CONTAINERS_MAX, once they are followed */
    size_t n_containers, next;          /* next: the one to be forgotten */
};

int skep_rule_users_new(const char *root, struct skep_rule_users **ret)
{
    SKEP_CLEANUP(skep_rule_users_freep) struct skep_rule_users *u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->root = open(root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (u->root < 0)
        return -errno;
    *ret = TAKE_PTR(u);
    return 0;
}

struct skep_rule_users *skep_rule_users_free(struct skep_rule_users *u)
{
    if (!u)
        return NULL;
    if (u->reader) {
        pthread_mutex_lock(&u->reader->lock);
        u->reader->stop = true;
        pthread_cond_broadcast(&u->reader->changed);
        pthread_mutex_unlock(&u->reader->lock);
        reader_unref(u->reader);
    }
    for (size_t i = 0; i < u->n_containers; i++)
        skep_accounts_free(u->containers[i].accounts);
    free(u->containers);
    skep_accounts_free(u->host);
    skep_fd_close(u->root);
    free(u);
    return NULL;
}

int skep_rule_users_follow_containers(struct skep_rule_users *u)
{
    if (u->reader)
        return 0;
    if (!u->containers)
        u->containers = calloc(SKEP_USERS_CONTAINERS_MAX, sizeof(*u->containers));
    return u->containers ? reader_new(&u->reader) : -ENOMEM;
}

/* ---- the host ---- */

static struct file_mark mark_of(int root, const char *path)
{
    struct stat st;
    if (fstatat(root, path + 1, &st, 0) < 0)
        return (struct file_mark){0};
    return (struct file_mark){
        .dev = st.st_dev,
        .ino = st.st_ino,
        .size = (uint64_t)st.st_size,
        .mtime = (uint64_t)st.st_mtim.tv_sec * NS_PER_S + (uint64_t)st.st_mtim.tv_nsec,
        .ctime = (uint64_t)st.st_ctim.tv_sec * NS_PER_S + (uint64_t)st.st_ctim.tv_nsec,
    };
}

static const struct skep_accounts *host(struct skep_rule_users *u)
{
    uint64_t now = skep_clock_mono_ns();
    if (u->checked && now - u->checked < NS_PER_S)
        return u->host;
    struct file_mark marks[2] = {mark_of(u->root, PASSWD), mark_of(u->root, GROUP)};
    u->checked = now;
    if (u->host && memcmp(marks, u->marks, sizeof(marks)) == 0)
        return u->host;
    struct skep_accounts *fresh = NULL;
    char *passwd = read_file(u->root, PASSWD, SIZE_MAX);
    if (skep_accounts_new(passwd, read_file(u->root, GROUP, SIZE_MAX), &fresh) < 0)
        return u->host;
    memcpy(u->marks, marks, sizeof(marks));
    skep_accounts_free(u->host);
    u->host = fresh;
    return fresh;
}

static const struct skep_rule_user *user_in(const struct skep_accounts *a, uint32_t uid)
{
    const struct skep_rule_user *found = a ? skep_accounts_user(a, uid) : NULL;
    return found || uid != 0 ? found : &root_user;
}

static const char *group_in(const struct skep_accounts *a, uint32_t gid)
{
    const char *found = a ? skep_accounts_group(a, gid) : NULL;
    return found || gid != 0 ? found : root_user.name;
}

const struct skep_rule_user *skep_rule_user_find(struct skep_rule_users *u, uint32_t uid)
{
    return user_in(host(u), uid);
}

const char *skep_rule_group_find(struct skep_rule_users *u, uint32_t gid)
{
    return group_in(host(u), gid);
}

/* ---- containers ---- */

static struct container_entry *find_entry(struct skep_rule_users *u, const struct container_key *key)
{
    for (size_t i = 0; i < u->n_containers; i++)
        if (memcmp(&u->containers[i].key, key, sizeof(*key)) == 0)
            return &u->containers[i];
    return NULL;
}

static struct container_entry *add_entry(struct skep_rule_users *u, const struct container_key *key)
{
    struct container_entry *e = &u->containers[u->next];
    u->next = (u->next + 1) % SKEP_USERS_CONTAINERS_MAX;
    u->n_containers = MIN(u->n_containers + 1, (size_t)SKEP_USERS_CONTAINERS_MAX);
    skep_accounts_free(e->accounts);
    *e = (struct container_entry){.key = *key};
    return e;
}

/* With the lock held. What could not be read does not replace what was. */
static void take_answer(struct skep_rule_users *u)
{
    struct reader *s = u->reader;
    struct container_entry *e = find_entry(u, &s->job.key);
    if (e && s->answer) {
        skep_accounts_free(e->accounts);
        e->accounts = TAKE_PTR(s->answer);
    }
    s->answer = skep_accounts_free(s->answer);
    s->busy = s->done = false;
}

/* The one that acts, the eldest in the same mount namespace, and others. The table is walked once a second for a
 * container at most. */
static void find_witnesses(const struct skep_event *ev, struct job *job)
{
    const struct skep_proc *p, *eldest = NULL;
    job->pids[0] = ev->h->pid;
    job->n = 2;
    for (size_t at = 0; ev->procs && (p = skep_hashmap_next(&ev->procs->by_id, &at));) {
        if (p->dead || p->task.ns.mnt != job->key.mnt_ns)
            continue;
        if (!eldest || p->start < eldest->start)
            eldest = p;
        if (job->n < WITNESSES_MAX)
            job->pids[job->n++] = p->pid;
    }
    job->pids[1] = eldest ? eldest->pid : ev->h->pid;
}

/* Asks, and waits for the answer as long as the patience lasts. */
static void ask(struct skep_rule_users *u, struct container_entry *e, const struct skep_event *ev)
{
    struct reader *s = u->reader;
    uint64_t now = skep_clock_mono_ns(), until = now + SKEP_USERS_PATIENCE_NS;
    if (e->asked && now - e->asked < NS_PER_S)
        return;
    pthread_mutex_lock(&s->lock);
    if (s->done)
        take_answer(u);
    if (!s->busy) {
        e->asked = now;
        s->job = (struct job){.key = e->key};
        find_witnesses(ev, &s->job);
        s->busy = true;
        pthread_cond_broadcast(&s->changed);
        while (!s->done && skep_cond_wait(&s->changed, &s->lock, until))
            ;
        if (s->done)
            take_answer(u);
    }
    pthread_mutex_unlock(&s->lock);
}

/* The container's entry; NULL: nothing can be known of it. */
static struct container_entry *entry_of(struct skep_rule_users *u, const struct skep_event *ev)
{
    const struct skep_proc *p = ev->proc;
    if (!u->reader || !p || p->partial || !p->task.ns.mnt)
        return NULL;
    struct container_key key = {p->task.ns.mnt, p->task.pid_ns_start};
    struct container_entry *e = find_entry(u, &key);
    return e ? e : add_entry(u, &key);
}

const struct skep_rule_user *skep_rule_user_of(struct skep_rule_users *u, const struct skep_event *ev,
                                               uint32_t uid)
{
    if (!ev->container)
        return skep_rule_user_find(u, uid);
    struct container_entry *e = entry_of(u, ev);
    if (e && (!e->accounts || !skep_accounts_user(e->accounts, uid)))
        ask(u, e, ev);
    return user_in(e ? e->accounts : NULL, uid);
}

const char *skep_rule_group_of(struct skep_rule_users *u, const struct skep_event *ev, uint32_t gid)
{
    if (!ev->container)
        return skep_rule_group_find(u, gid);
    struct container_entry *e = entry_of(u, ev);
    if (e && (!e->accounts || !skep_accounts_group(e->accounts, gid)))
        ask(u, e, ev);
    return group_in(e ? e->accounts : NULL, gid);
}
