/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

/* The places where runc and crun keep <id>/state.json and <id>/status. A runtime that runs for somebody
 * else has a place of its own, found below containerd's directories by listing. */
static const char *const roots[] = {"/run/runc", "/run/crun"};
static const char *const containerd_roots[] = {"/run/containerd/runc", "/run/docker/runtime-runc"};
static const char *const user_roots[] = {"runc", "crun"};

struct search {
    const struct skep_state_query *q;
    struct skep_state_info *info;
    const char *id;
    const char *cgroup; /* NULL: id is known to be a container's */
    uid_t owner;
    const char *dir;        /* that has a root for each of containerd's namespaces */
    const char *namespace_; /* NULL: not started by containerd */
};

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), t = strlen(tail);
    return n >= t && memcmp(s + n - t, tail, t) == 0;
}

int skep_runc_parse(json_t *state, const char *id, const char *cgroup, struct skep_state_info *info,
                    const char **ret_bundle)
{
    const char *said = skep_state_member(state, "id");
    if (!said || !skep_streq(said, id))
        return 0;
    if (cgroup) {
        /* one path a hierarchy, each below the place where that hierarchy is mounted */
        bool here = false;
        const char *name;
        json_t *path;
        json_object_foreach(json_object_get(state, "cgroup_paths"), name, path) here |=
            json_is_string(path) && ends_with(json_string_value(path), cgroup);
        if (!here)
            return 0;
    }

    /* "key=value" strings: the bundle's annotations, and the bundle */
    json_t *labels = json_object_get(json_object_get(state, "config"), "labels");
    _cleanup_json_ json_t *annotations = json_object();
    if (!annotations)
        return -ENOMEM;
    const char *bundle = NULL;
    size_t n = json_array_size(labels);
    for (size_t i = 0; i < n; i++) {
        json_t *label = json_array_get(labels, i);
        const char *text = json_string_value(label), *value = text ? strchr(text, '=') : NULL;
        if (!value)
            continue;
        const char *path = skep_startswith(text, "bundle=");
        if (path)
            bundle = path;
        else if (json_object_setn_new(annotations, text, (size_t)(value - text), json_string(value + 1)) < 0)
            return -ENOMEM;
    }
    int r = skep_state_set_annotations(info, annotations);
    if (r < 0)
        return r;
    *ret_bundle = bundle;
    return 1;
}

int skep_crun_parse(json_t *status, const char *cgroup, const char **ret_bundle)
{
    const char *path = skep_state_member(status, "cgroup-path");
    if (!json_is_object(status) || (cgroup && (!path || !skep_streq(path, cgroup))))
        return 0;
    *ret_bundle = skep_state_member(status, "bundle");
    return 1;
}

/* podman and cri-o put the bundle into their storage, wherever that is. */
static int follow_bundle(struct search *s, const char *bundle)
{
    char storage[SKEP_PATH_MAX];
    char tail[SKEP_CONTAINER_ID_MAX + 32];
    snprintf(tail, sizeof(tail), "-containers/%s/userdata", s->id);
    if (strlen(bundle) < sizeof(storage) && ends_with(bundle, tail)) {
        strcpy(storage, bundle);
        storage[strlen(bundle) - strlen(tail)] = '\0';
        char *driver = strrchr(storage, '/');
        if (driver) {
            *driver = '\0';
            int r = skep_storage_find_in(s->q->root, s->owner, storage, s->id, s->info);
            if (r != 0)
                return r;
        }
    }
    _cleanup_json_ json_t *config = NULL;
    if (skep_state_read_json(s->q->root, s->owner, &config, "%s/config.json", bundle) < 0)
        return 0;
    return s->namespace_ ? skep_containerd_read(s->q->root, bundle, s->namespace_, s->id, config, s->info)
                         : skep_bundle_parse(config, s->info);
}

static int search_root(struct search *s, const char *root)
{
    _cleanup_json_ json_t *state = NULL;
    const char *bundle = NULL;
    int r = 0;
    if (skep_state_read_json(s->q->root, s->owner, &state, "%s/%s/state.json", root, s->id) >= 0)
        r = skep_runc_parse(state, s->id, s->cgroup, s->info, &bundle);
    else if (skep_state_read_json(s->q->root, s->owner, &state, "%s/%s/status", root, s->id) >= 0)
        r = skep_crun_parse(state, s->cgroup, &bundle);
    if (r <= 0)
        return r;
    skep_state_set_started(s->info, skep_state_member(state, "created"));
    if (bundle) {
        r = follow_bundle(s, bundle);
        if (r < 0)
            return r;
    }
    if (s->cgroup || s->q->runtime == SKEP_RUNTIME_RUNC) { /* started by hand: the id is its name */
        if (s->info->runtime == SKEP_RUNTIME_NONE)
            s->info->runtime = SKEP_RUNTIME_RUNC;
        r = skep_state_set(&s->info->name, s->id);
        if (r < 0)
            return r;
    }
    snprintf(s->info->id, sizeof(s->info->id), "%s", s->id);
    return 1;
}

static int search_namespace(void *arg, const char *name)
{
    struct search *s = arg;
    char root[64 + 256];
    snprintf(root, sizeof(root), "%s/%s", s->dir, name);
    s->namespace_ = name;
    int r = search_root(s, root);
    s->namespace_ = NULL;
    return r;
}

static int search_roots(struct search *s)
{
    int r = 0;
    s->owner = SKEP_STATE_NO_UID;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(roots); i++)
        r = search_root(s, roots[i]);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(containerd_roots); i++) {
        s->dir = containerd_roots[i];
        r = skep_state_list(s->q->root, s->dir, search_namespace, s);
    }
    if (r == 0 && s->q->uid != SKEP_STATE_NO_UID) {
        s->owner = s->q->uid;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(user_roots); i++) {
            char root[64];
            snprintf(root, sizeof(root), "/run/user/%u/%s", s->q->uid, user_roots[i]);
            r = search_root(s, root);
        }
    }
    return r;
}

int skep_oci_find(const struct skep_state_query *q, struct skep_state_info *info)
{
    struct search s = {.q = q, .info = info, .id = q->id};
    if (q->runtime != SKEP_RUNTIME_NONE)
        return search_roots(&s);

    char id[SKEP_CONTAINER_ID_MAX];
    size_t end;
    int r = 0;
    s.id = id;
    for (size_t at = strlen(q->path); r == 0 && skep_state_next_candidate(q->path, &at, id, &end);) {
        _cleanup_free_ char *cgroup = strndup(q->path, end);
        if (!cgroup)
            return -ENOMEM;
        s.cgroup = cgroup;
        r = search_roots(&s);
    }
    return r;
}
