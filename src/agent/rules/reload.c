/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/reload.h"

#include "base/hashmap.h"
#include "base/job.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#define CHANGES                                                                                              \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF)

struct skep_reload {
    struct skep_ruleset_options o;
    struct skep_atom_weight *weights; /* that the set that is being made is made with */
    int epoll_fd, watch_fd, timer_fd;
    struct skep_job *job; /* NULL: nothing is being made */
    uint64_t signature;   /* of the files as they were last read */
    uint64_t seen;        /* of the files when something happened last */
    bool again;           /* something changed while a set was being made */
    bool failed;          /* the job could not be begun, and this was not told yet */
    /* the job's, while there is one */
    struct skep_ruleset *rs;
    int result;
    char *text;
};

/* ---- what the files look like from outside ---- */

static uint64_t sign_file(int dir, const char *path, uint64_t seed)
{
    struct stat st;
    uint64_t seen[6] = {seed};
    if (fstatat(dir, path, &st, 0) >= 0) {
        seen[1] = st.st_ino;
        seen[2] = st.st_dev;
        seen[3] = (uint64_t)st.st_size;
        /* not the time of modification, which copies of a file may bring along */
        seen[4] = (uint64_t)st.st_ctim.tv_sec;
        seen[5] = (uint64_t)st.st_ctim.tv_nsec;
    }
    return skep_hash_bytes(path, strlen(path), skep_hash_bytes(seen, sizeof(seen), 1));
}

/* The order of a directory does not matter. */
static uint64_t sign_path(const char *path, uint64_t seed)
{
    DIR *d = opendir(path);
    uint64_t sum = 0;
    if (!d)
        return sign_file(AT_FDCWD, path, seed);
    struct dirent *e;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.')
            sum += sign_file(dirfd(d), e->d_name, seed);
    closedir(d);
    return sum;
}

static uint64_t sign(const struct skep_reload *l)
{
    uint64_t seed = 0;
    for (size_t i = 0; i < l->o.n_paths; i++)
        seed = sign_path(l->o.paths[i], seed + i);
    return l->o.n_paths ? seed : sign_path(SKEP_RULES_DIR, 0);
}

/* ---- making a set ---- */

static void make(void *data)
{
    struct skep_reload *l = data;
    _cleanup_diags_ struct skep_diags diags;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_diags_init(&diags, NULL);
    diags.codes = true;
    skep_strbuf_init(&sb, 1 << 20);
    l->rs = NULL;
    l->result = skep_ruleset_load(&l->o, &diags, &l->rs);
    skep_diags_put_text(&diags, NULL, &sb);
    l->text = sb.len ? strdup(sb.s) : NULL;
}

static int add_fd(struct skep_reload *l, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* Changes that are not over yet are waited for. */
static void settle(struct skep_reload *l)
{
    struct itimerspec at = {.it_value.tv_nsec = SKEP_RELOAD_SETTLE_NS};
    timerfd_settime(l->timer_fd, 0, &at, NULL);
}

static void begin(struct skep_reload *l)
{
    if (l->job) {
        l->again = true;
        return;
    }
    l->again = l->failed = false;
    l->signature = l->seen = sign(l);
    int r = skep_job_begin("skep-reload", make, l, &l->job);
    if (r >= 0)
        r = add_fd(l, skep_job_fd(l->job));
    if (r < 0) {
        l->job = skep_job_end(l->job);
        l->rs = skep_ruleset_free(l->rs);
        l->result = r;
        l->failed = true;
        settle(l); /* so that it is told */
    }
}

/* The directory that it is in, or will be: of those above it the lowest that there is. */
static void watch_parent(struct skep_reload *l, const char *path)
{
    _cleanup_free_ char *parent = strdup(path);
    for (bool above = parent; above;) {
        char *slash = strrchr(parent, '/');
        above = slash && slash > parent;
        if (slash)
            slash[!above] = '\0';
        if (inotify_add_watch(l->watch_fd, slash ? parent : ".", CHANGES | IN_ONLYDIR) >= 0 ||
            errno != ENOENT)
            return;
    }
}

/* A file's directory is watched, and a directory itself and its parent. */
static void watch_path(struct skep_reload *l, const char *path)
{
    inotify_add_watch(l->watch_fd, path, CHANGES);
    watch_parent(l, path);
}

/* On the way to a file: links, which may be made to lead elsewhere, and the place that it is at in the end. */
static void watch_links(struct skep_reload *l, const char *path)
{
    _cleanup_free_ char *part = strdup(path), *end = realpath(path, NULL);
    struct stat st;
    for (char *slash = part ? strchr(part + (*part == '/'), '/') : NULL; slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (lstat(part, &st) == 0 && S_ISLNK(st.st_mode))
            watch_parent(l, part);
        *slash = '/';
    }
    if (end)
        watch_parent(l, end);
}

/* Rules of a directory that are links to files elsewhere. */
static void watch_linked_files(struct skep_reload *l, const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        _cleanup_free_ char *full = NULL;
        if (e->d_name[0] == '.' || (e->d_type != DT_LNK && e->d_type != DT_UNKNOWN))
            continue;
        if (asprintf(&full, "%s/%s", path, e->d_name) < 0) {
            full = NULL;
            continue;
        }
        inotify_add_watch(l->watch_fd, full, CHANGES);
        watch_links(l, full);
    }
    if (d)
        closedir(d);
}

/* links: those may have changed, too. */
static void watch(struct skep_reload *l, bool links)
{
    static const char *const of_host[] = {SKEP_RULES_DIR};
    const char *const *paths = l->o.n_paths ? l->o.paths : of_host;
    for (size_t i = 0; i < MAX(l->o.n_paths, (size_t)1); i++) {
        watch_path(l, paths[i]);
        if (!links)
            continue;
        watch_links(l, paths[i]);
        watch_linked_files(l, paths[i]);
    }
}

struct skep_reload *skep_reload_free(struct skep_reload *l)
{
    if (!l)
        return NULL;
    skep_job_end(l->job);
    skep_ruleset_free(l->rs);
    free(l->weights);
    free(l->text);
    skep_fd_close(l->watch_fd);
    skep_fd_close(l->timer_fd);
    skep_fd_close(l->epoll_fd);
    free(l);
    return NULL;
}

int skep_reload_new(const struct skep_ruleset_options *o, struct skep_reload **ret)
{
    _cleanup_reload_ struct skep_reload *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->o = *o;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->epoll_fd < 0 || l->watch_fd < 0 || l->timer_fd < 0)
        return -errno;
    int r = add_fd(l, l->watch_fd);
    if (r >= 0)
        r = add_fd(l, l->timer_fd);
    if (r < 0)
        return r;
    watch(l, true);
    l->signature = l->seen = sign(l);
    *ret = TAKE_PTR(l);
    return 0;
}

int skep_reload_fd(const struct skep_reload *l)
{
    return l->epoll_fd;
}

void skep_reload_ask(struct skep_reload *l)
{
    begin(l);
}

int skep_reload_weigh(struct skep_reload *l, struct skep_atom_weight *weights, size_t n)
{
    if (l->job || l->failed || sign(l) != l->signature) {
        free(weights);
        return -EBUSY;
    }
    l->weights = weights;
    l->o.weights = weights;
    l->o.n_weights = n;
    begin(l);
    return 0;
}

/* Something in a watched directory, which may have nothing to do with rules: the parent may be /tmp, where something
 * happens all the time. */
static bool drain(int fd)
{
    char buf[4096] __attribute__((aligned(8)));
    bool some = false;
    while (read(fd, buf, sizeof(buf)) > 0)
        some = true;
    return some;
}

int skep_reload_take(struct skep_reload *l, struct skep_ruleset **ret, char **ret_text)
{
    *ret_text = NULL;
    if (drain(l->watch_fd)) {
        watch(l, false); /* what was not there before may be there now */
        uint64_t now = sign(l);
        if (now != l->seen) {
            watch(l, true);
            settle(l);
        }
        l->seen = now;
    }
    if (drain(l->timer_fd) && (l->again || sign(l) != l->signature))
        begin(l);
    if (!l->failed && !(l->job && skep_job_is_over(l->job)))
        return 0;
    l->failed = false;
    l->job = skep_job_end(l->job);
    free(TAKE_PTR(l->weights));
    l->o.weights = NULL;
    l->o.n_weights = 0;
    if (l->again)
        settle(l);
    *ret_text = TAKE_PTR(l->text);
    if (l->result < 0)
        return l->result;
    *ret = TAKE_PTR(l->rs);
    return 1;
}
