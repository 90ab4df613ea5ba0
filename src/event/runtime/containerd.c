/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

#define TASKS "io.containerd.runtime.v2.task"
#define NERDCTL "/var/lib/nerdctl"

/* Directories of what runs and of what lasts: containerd's own, k3s's, microk8s's, and those of the one that dockerd starts
 * for itself. */
static const struct {
    const char *state, *root;
} dirs[] = {
    {"/run/containerd/" TASKS, "/var/lib/containerd"},
    {"/run/k3s/containerd/" TASKS, "/var/lib/rancher/k3s/agent/containerd"},
    {"/var/snap/microk8s/common/run/containerd/" TASKS, "/var/snap/microk8s/common/var/lib/containerd"},
    {"/run/docker/containerd/daemon/" TASKS, "/var/lib/docker/containerd/daemon"},
};

/* ---- one container ---- */

/* A bundle has a link to a directory of its own below the root, wherever that was configured to be. */
static bool find_root(int root, const char *bundle, char *buf, size_t size)
{
    char link[SKEP_PATH_MAX + 8];
    snprintf(link, sizeof(link), "%s/work", bundle);
    if (skep_state_readlink(root, link, buf, size) >= 0) {
        char *tasks = strstr(buf, "/" TASKS "/");
        if (tasks) {
            *tasks = '\0';
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        const char *rest = skep_startswith(bundle, dirs[i].state);
        if (rest && *rest == '/') {
            snprintf(buf, size, "%s", dirs[i].root);
            return true;
        }
    }
    return false;
}

/* The database goes first: annotations are no labels. Its name of the image is the last resort, since under Kubernetes that may
 * be a digest. */
int skep_containerd_read(int root, const char *bundle, const char *namespace_, const char *id, json_t *config,
                         struct skep_state_info *info)
{
    char dir[SKEP_PATH_MAX];
    _cleanup_free_ char *image = NULL;
    bool docker = skep_streq(namespace_, "moby");
    int r = 0;
    if (docker)
        r = skep_docker_find_by_mounts(root, json_object_get(config, "mounts"), id, info);
    else if (find_root(root, bundle, dir, sizeof(dir)))
        r = skep_metadb_find_in(root, dir, namespace_, id, info, &image);
    if (r >= 0)
        r = skep_bundle_parse(config, info);
    if (r >= 0)
        r = skep_state_set(&info->image, image);
    if (r >= 0)
        info->runtime = docker ? SKEP_RUNTIME_DOCKER : SKEP_RUNTIME_CONTAINERD;
    return r;
}

/* ---- the search ---- */

struct search {
    const struct skep_state_query *q;
    struct skep_state_info *info;
    const char *dir;
    const char *id;
    const char *cgroup; /* NULL: id is known to be a container's */
    size_t cgroup_len;
    const char *namespace_;
    char path[SKEP_PATH_MAX];
};

static int match_name_file(void *arg, const char *name)
{
    struct search *s = arg;
    char path[SKEP_PATH_MAX + 512];
    _cleanup_free_ char *text = NULL;
    size_t len;
    snprintf(path, sizeof(path), "%s/%s", s->path, name);
    if (skep_state_read(s->q->root, SKEP_STATE_NO_UID, path, &text, &len) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    if (!skep_streq(text, s->id))
        return 0;
    int r = skep_state_set(&s->info->name, name);
    return r < 0 ? r : 1;
}

/* nerdctl reserves a name by a file that is called so and holds the container's id. */
static int search_names(void *arg, const char *address_hash)
{
    struct search *s = arg;
    int n = snprintf(s->path, sizeof(s->path), NERDCTL "/%s/names/%s", address_hash, s->namespace_);
    if (n < 0 || (size_t)n >= sizeof(s->path))
        return 0;
    return skep_state_list(s->q->root, s->path, match_name_file, s);
}

static int search_namespace(void *arg, const char *name)
{
    struct search *s = arg;
    _cleanup_json_ json_t *config = NULL;
    if (skep_state_read_json(s->q->root, SKEP_STATE_NO_UID, &config, "%s/%s/%s/config.json", s->dir, name,
                             s->id) < 0)
        return 0;
    if (s->cgroup) {
        const char *path = skep_state_member(json_object_get(config, "linux"), "cgroupsPath");
        if (!path || strlen(path) != s->cgroup_len || memcmp(path, s->cgroup, s->cgroup_len) != 0)
            return 0;
    }
    char bundle[SKEP_PATH_MAX];
    snprintf(bundle, sizeof(bundle), "%s/%s/%s", s->dir, name, s->id);
    int r = skep_containerd_read(s->q->root, bundle, name, s->id, config, s->info);
    if (r >= 0 && !s->info->name && !s->info->pod) {
        s->namespace_ = name;
        r = skep_state_list(s->q->root, NERDCTL, search_names, s);
    }
    if (r >= 0 && s->cgroup)
        r = skep_state_set(&s->info->name, s->id);
    if (r < 0)
        return r;
    snprintf(s->info->id, sizeof(s->info->id), "%s", s->id);
    return 1;
}

static int search_dirs(struct search *s)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++) {
        s->dir = dirs[i].state;
        r = skep_state_list(s->q->root, s->dir, search_namespace, s);
    }
    return r;
}

int skep_containerd_find(const struct skep_state_query *q, struct skep_state_info *info)
{
    struct search s = {.q = q, .info = info, .id = q->id};
    if (q->runtime != SKEP_RUNTIME_NONE)
        return search_dirs(&s);

    char id[SKEP_CONTAINER_ID_MAX];
    int r = 0;
    s.id = id;
    s.cgroup = q->path;
    for (size_t at = strlen(q->path); r == 0 && skep_state_next_candidate(q->path, &at, id, &s.cgroup_len);)
        r = search_dirs(&s);
    return r;
}
