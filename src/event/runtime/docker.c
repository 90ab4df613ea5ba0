/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

static const char *const data_roots[] = {"/var/lib/docker", "/var/snap/docker/common/var-lib-docker"};

int skep_docker_parse(json_t *config, const char *id, struct skep_state_info *info)
{
    const char *said = skep_state_member(config, "ID");
    if (!said || !skep_streq(said, id))
        return 0;
    json_t *inner = json_object_get(config, "Config");
    int r = skep_state_set_annotations(info, json_object_get(inner, "Labels"));
    const char *name = skep_state_member(config, "Name");
    if (r >= 0 && name)
        r = skep_state_set(&info->name, name + strspn(name, "/"));
    if (r >= 0)
        r = skep_state_set_json(&info->image, inner, "Image");
    if (r < 0)
        return r;
    info->runtime = SKEP_RUNTIME_DOCKER;
    return 1;
}

static int find_in(const struct skep_state_query *q, uid_t owner, const char *data_root,
                   struct skep_state_info *info)
{
    _cleanup_json_ json_t *config = NULL;
    if (skep_state_read_json(q->root, owner, &config, "%s/containers/%s/config.v2.json", data_root, q->id) <
        0)
        return 0;
    return skep_docker_parse(config, q->id, info);
}

int skep_docker_find(const struct skep_state_query *q, struct skep_state_info *info)
{
    int r = 0;
    _cleanup_json_ json_t *daemon = NULL;
    if (skep_state_read_json(q->root, SKEP_STATE_NO_UID, &daemon, "/etc/docker/daemon.json") >= 0) {
        const char *configured = skep_state_member(daemon, "data-root");
        if (!configured)
            configured = skep_state_member(daemon, "graph");
        if (configured)
            r = find_in(q, SKEP_STATE_NO_UID, configured, info);
    }
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(data_roots); i++)
        r = find_in(q, SKEP_STATE_NO_UID, data_roots[i], info);

    char home[SKEP_PATH_MAX], rootless[SKEP_PATH_MAX + 64];
    if (r == 0 && q->uid != SKEP_STATE_NO_UID && skep_state_home(q->root, q->uid, home, sizeof(home)) >= 0) {
        snprintf(rootless, sizeof(rootless), "%s/.local/share/docker", home);
        r = find_in(q, q->uid, rootless, info);
    }
    return r;
}
