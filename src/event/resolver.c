/* SPDX-License-Identifier: Apache-2.0 */
#include "event/resolver.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "event/runtime/state.h"

/* When a question is tried, after it was asked. */
#define MS 1000000ULL
static const uint64_t tries_ns[] = {0, 10 * MS, 25 * MS, 60 * MS, 120 * MS, 240 * MS, 1000 * MS, 5000 * MS};

struct question {
    struct question *next;
    uint64_t asked;
    uint64_t due;
    unsigned tries;
    uint64_t cgroup;
    enum skep_runtime runtime; /* NONE: a candidate */
    char id[SKEP_CONTAINER_ID_MAX];
    char *path;
};

struct answer {
    struct answer *next;
    struct skep_hdr *record;
};

struct skep_resolver {
    int root;
    int event_fd;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* guards what follows; never held while reading files */
    pthread_cond_t wake;
    bool stop;
    struct question *questions; /* sorted by due */
    struct answer *first, *last;
    unsigned in_hand; /* questions and answers */
    struct skep_resolver_counts counts;
};

static struct question *question_free(struct question *q)
{
    if (!q)
        return NULL;
    free(q->path);
    free(q);
    return NULL;
}
SKEP_DEFINE_CLEANUP(struct question, question_free)

static void unlockp(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
}
#define LOCK(r)                                                                                              \
    SKEP_CLEANUP(unlockp) pthread_mutex_t *locked = &(r)->lock;                                              \
    pthread_mutex_lock(locked)

/* ---- one look-up ---- */

static uid_t path_uid(const char *path)
{
    const char *mark = "/user-";
    for (const char *s = path; (s = strstr(s, mark));) {
        s += strlen(mark);
        char *end;
        errno = 0;
        unsigned long uid = *s >= '0' && *s <= '9' ? strtoul(s, &end, 10) : SKEP_STATE_NO_UID;
        if (uid < SKEP_STATE_NO_UID && !errno && skep_startswith(end, ".slice"))
            return uid ? (uid_t)uid
                       : SKEP_STATE_NO_UID; /* root's own session: state is in the usual places */
    }
    return SKEP_STATE_NO_UID;
}

static skep_state_find *const any_id[] = {skep_docker_find, skep_containerd_find, skep_storage_find,
                                          skep_oci_find};
static skep_state_find *const by_hand[] = {skep_oci_find, skep_containerd_find};

static skep_state_find *const likely[SKEP_RUNTIME_MAX] = {
    [SKEP_RUNTIME_DOCKER] = skep_docker_find,
    [SKEP_RUNTIME_CONTAINERD] = skep_containerd_find,
    [SKEP_RUNTIME_CRIO] = skep_storage_find,
    [SKEP_RUNTIME_PODMAN] = skep_storage_find,
};

static bool says_something(const struct skep_state_info *info)
{
    return info->name || info->image || info->pod;
}

/* Readers in turn, until one knows more than that the container is there: 2. 1: it is there, and info has what they said
 * of it besides. */
static int find_by(skep_state_find *const *readers, size_t n, const struct skep_state_query *q,
                   struct skep_state_info *info)
{
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        int r = readers[i](q, info);
        if (r < 0)
            return r;
        if (r > 0 && says_something(info))
            return 2;
        found |= r > 0;
    }
    return found;
}

static int look_up(int root, const struct question *question, struct skep_state_info *info)
{
    struct skep_state_query q = {
        .root = root,
        .runtime = question->runtime,
        .id = question->id,
        .path = question->path,
        .uid = path_uid(question->path),
    };
    int r = 0;
    switch (q.runtime) {
    case SKEP_RUNTIME_NONE:
    case SKEP_RUNTIME_RUNC:
        r = find_by(by_hand, ARRAY_SIZE(by_hand), &q, info);
        break;
    case SKEP_RUNTIME_LXC:
        r = skep_lxc_find(&q, info);
        break;
    case SKEP_RUNTIME_NSPAWN: /* the machine's name is the id */
        r = skep_state_set(&info->name, q.id);
        r = r < 0 ? r : 1;
        break;
    default:
        r = find_by(&likely[q.runtime], 1, &q, info);
        if (r == 0 || r == 1) {
            int other = find_by(any_id, ARRAY_SIZE(any_id), &q, info);
            r = other < 0 ? other : MAX(r, other);
        }
    }
    if (r <= 0)
        return r;
    if (info->runtime == SKEP_RUNTIME_NONE)
        info->runtime = q.runtime;
    if (q.runtime != SKEP_RUNTIME_NONE)
        snprintf(info->id, sizeof(info->id), "%s", q.id);
    r = skep_state_set_pod_uid(info, q.path);
    if (r >= 0 && !info->ip)
        r = skep_cni_find(&q, info->sandbox ? info->sandbox : info->id, info);
    return r < 0 ? r : 1;
}

/* ---- records ---- */

/* The longest record that all texts and lists make. */
enum {
    CONTAINER_RECORD_MAX = sizeof(struct skep_ev_container) + SKEP_CONTAINER_ID_MAX + 64
#define SKEP_CONTAINER_TEXT(member) +SKEP_CONTAINER_TEXT_MAX + 1
#define SKEP_CONTAINER_LIST(member, max) +(max)
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
};
SKEP_STATIC_ASSERT(CONTAINER_RECORD_MAX <= SKEP_RECORD_MAX, "a container's record is no larger than others");

static size_t text_size(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static struct skep_slice put_text(char *record, size_t *at, const char *s)
{
    if (!s)
        return (struct skep_slice){0};
    struct skep_slice slice = {(uint32_t)*at, (uint32_t)strlen(s)};
    memcpy(record + *at, s, slice.len + 1);
    *at += slice.len + 1;
    return slice;
}

static struct skep_slice put_list(char *record, size_t *at, struct skep_bytes list)
{
    if (!list.s)
        return (struct skep_slice){0};
    struct skep_slice slice = {(uint32_t)*at, (uint32_t)list.len};
    memcpy(record + *at, list.s, list.len);
    *at += list.len;
    return slice;
}

static struct skep_hdr *make_record(uint64_t cgroup, const struct skep_state_info *info)
{
    const char *runtime = skep_runtime_name(info->runtime);
    size_t size = sizeof(struct skep_ev_container) + text_size(info->id) + text_size(runtime);
#define SKEP_CONTAINER_TEXT(member) size += text_size(info->member);
#define SKEP_CONTAINER_LIST(member, max) size += info->member.len;
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    size = ROUND_UP(size, 8);
    struct skep_ev_container *e = calloc(1, size);
    if (!e)
        return NULL;
    e->h.len = (uint32_t)size;
    e->h.kind = SKEP_KIND_container;
    e->h.flags = SKEP_HDR_NO_TASK;
    e->h.cgroup = cgroup;
    e->started = info->started;
    e->traits = info->traits;
    size_t at = sizeof(*e);
    e->id = put_text((char *)e, &at, info->id);
    e->runtime = put_text((char *)e, &at, runtime);
#define SKEP_CONTAINER_TEXT(member) e->member = put_text((char *)e, &at, info->member);
#define SKEP_CONTAINER_LIST(member, max) e->member = put_list((char *)e, &at, info->member);
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    return &e->h;
}

/* ---- the thread ---- */

static void insert_question(struct skep_resolver *r, struct question *q)
{
    struct question **at = &r->questions;
    while (*at && (*at)->due <= q->due)
        at = &(*at)->next;
    q->next = *at;
    *at = q;
}

/* The next question when it is due; NULL: stop. */
static struct question *wait_for_question(struct skep_resolver *r)
{
    LOCK(r);
    while (!r->stop) {
        uint64_t now = skep_clock_mono_ns();
        struct question *q = r->questions;
        if (q && q->due <= now) {
            r->questions = q->next;
            return q;
        }
        skep_cond_wait(&r->wake, &r->lock, q ? q->due : UINT64_MAX);
    }
    return NULL;
}

static void give_up(struct skep_resolver *r)
{
    LOCK(r);
    r->counts.unknown++;
    r->in_hand--;
}

static void push_answer(struct skep_resolver *r, struct answer *a)
{
    LOCK(r);
    *(r->last ? &r->last->next : &r->first) = a;
    r->last = a;
    r->counts.answered++;
    eventfd_write(r->event_fd, 1); /* cannot fail: the count stays far from its end */
}

static void try_question(struct skep_resolver *r, struct question *question)
{
    SKEP_CLEANUP(question_freep) struct question *q = question;
    _cleanup_state_info_ struct skep_state_info info = {0};
    if (look_up(r->root, q, &info) > 0) {
        _cleanup_free_ struct answer *a = calloc(1, sizeof(*a));
        if (a && (a->record = make_record(q->cgroup, &info))) {
            push_answer(r, TAKE_PTR(a));
            return;
        }
    }
    if (++q->tries == ARRAY_SIZE(tries_ns)) {
        give_up(r);
        return;
    }
    q->due = q->asked + tries_ns[q->tries];
    LOCK(r);
    insert_question(r, TAKE_PTR(q));
}

static void *run(void *arg)
{
    struct skep_resolver *r = arg;
    struct question *q;
    while ((q = wait_for_question(r)))
        try_question(r, q);
    return NULL;
}

/* ---- the owner's side ---- */

int skep_resolver_new(const char *root, struct skep_resolver **ret)
{
    SKEP_CLEANUP(skep_resolver_freep) struct skep_resolver *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->root = r->event_fd = -1;
    pthread_mutex_init(&r->lock, NULL);
    skep_cond_init(&r->wake);
    r->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (r->root < 0)
        return -errno;
    r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->event_fd < 0)
        return -errno;
    int e = skep_thread_start(&r->thread, "skep-resolver", run, r);
    if (e < 0)
        return e;
    r->started = true;
    *ret = TAKE_PTR(r);
    return 0;
}

struct skep_resolver *skep_resolver_free(struct skep_resolver *r)
{
    if (!r)
        return NULL;
    if (r->started) {
        {
            LOCK(r);
            r->stop = true;
            pthread_cond_signal(&r->wake);
        }
        pthread_join(r->thread, NULL);
    }
    while (r->questions) {
        struct question *q = r->questions;
        r->questions = q->next;
        question_free(q);
    }
    while (r->first) {
        struct answer *a = r->first;
        r->first = a->next;
        free(a->record);
        free(a);
    }
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    skep_fd_close(r->event_fd);
    skep_fd_close(r->root);
    free(r);
    return NULL;
}

/* An id becomes a part of paths. */
static bool is_file_name(const char *id)
{
    return *id && !strchr(id, '/') && !skep_streq(id, ".") && !skep_streq(id, "..");
}

int skep_resolver_ask(struct skep_resolver *r, const struct skep_cgroup *g)
{
    if (!g->container ? !g->candidate : !is_file_name(g->container->id))
        return -EINVAL;
    SKEP_CLEANUP(question_freep) struct question *q = calloc(1, sizeof(*q));
    if (!q)
        return -ENOMEM;
    q->path = strdup(g->path);
    if (!q->path)
        return -ENOMEM;
    q->cgroup = g->id;
    if (g->container) {
        q->runtime = g->container->runtime;
        snprintf(q->id, sizeof(q->id), "%s", g->container->id);
    }
    q->asked = skep_clock_mono_ns();
    q->due = q->asked + tries_ns[0];

    LOCK(r);
    if (r->in_hand >= SKEP_RESOLVER_QUEUE_MAX) {
        r->counts.refused++;
        return -ENOBUFS;
    }
    r->in_hand++;
    r->counts.asked++;
    insert_question(r, TAKE_PTR(q));
    pthread_cond_signal(&r->wake);
    return 0;
}

int skep_resolver_fd(const struct skep_resolver *r)
{
    return r->event_fd;
}

int skep_resolver_take(struct skep_resolver *r, struct skep_hdr **ret)
{
    LOCK(r);
    struct answer *a = r->first;
    *ret = NULL;
    if (!a)
        return 0;
    r->first = a->next;
    if (!r->first) {
        /* readable means that something is here */
        eventfd_t count;
        eventfd_read(r->event_fd, &count);
        r->last = NULL;
    }
    r->in_hand--;
    *ret = a->record;
    free(a);
    return 0;
}

void skep_resolver_counts(struct skep_resolver *r, struct skep_resolver_counts *ret)
{
    LOCK(r);
    *ret = r->counts;
}
