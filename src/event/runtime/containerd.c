/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

#define TASKS "io.containerd.runtime.v2.task"
#define NERDCTL "/var/lib/nerdctl"

/* State directories: containerd's own, k3s's, microk8s's, and the one that dockerd starts for itself. */
static const char *const state_dirs[] = {
    "/run/containerd/" TASKS,
    "/run/k3s/containerd/" TASKS,
    "/var/snap/microk8s/common/run/containerd/" TASKS,
    "/run/docker/containerd/daemon/" TASKS,
};

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
    int r = skep_bundle_parse(config, s->info);
    if (r >= 0 && !s->info->name && !s->info->pod) {
        s->namespace_ = name;
        r = skep_state_list(s->q->root, NERDCTL, search_names, s);
    }
    if (r >= 0 && s->cgroup)
        r = skep_state_set(&s->info->name, s->id);
    if (r < 0)
        return r;
    s->info->runtime = skep_streq(name, "moby") ? SKEP_RUNTIME_DOCKER : SKEP_RUNTIME_CONTAINERD;
    snprintf(s->info->id, sizeof(s->info->id), "%s", s->id);
    return 1;
}

static int search_dirs(struct search *s)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(state_dirs); i++) {
        s->dir = state_dirs[i];
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
