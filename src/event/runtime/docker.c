/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

static const char *const data_roots[] = {"/var/lib/docker", "/var/snap/docker/common/var-lib-docker"};

/* A name, and no id that the image was started by. */
static bool is_image_name(const char *image, const char *image_id)
{
    const char *hex = skep_startswith(image, "sha256:");
    return !hex && !(image_id && skep_startswith(image_id, image));
}

static int parse_mounts(json_t *points, struct skep_state_info *info)
{
    const char *destination;
    json_t *point;
    if (info->traits & SKEP_CONTAINER_KNOWN_MOUNTS)
        return 0;
    info->traits |= SKEP_CONTAINER_KNOWN_MOUNTS;
    json_object_foreach(points, destination, point)
    {
        const char *source = skep_state_member(point, "Source"), *mode = skep_state_member(point, "Relabel");
        const char *propagation = skep_state_member(point, "Propagation");
        const char *const texts[] = {source ? source : "", destination, mode ? mode : "",
                                     json_is_true(json_object_get(point, "RW")) ? "true" : "false",
                                     propagation ? propagation : ""};
        int r = skep_state_add(&info->mounts, SKEP_STATE_MAX_mounts, texts, ARRAY_SIZE(texts));
        if (r < 0)
            return r;
    }
    return 0;
}

static int parse_networks(json_t *settings, struct skep_state_info *info)
{
    const char *name;
    json_t *network;
    int r = 0;
    json_object_foreach(json_object_get(settings, "Networks"), name, network)
    {
        json_t *endpoint = json_object_get(network, "EndpointSettings");
        r = skep_state_set_json(&info->ip, network, "IPAddress");
        if (r >= 0)
            r = skep_state_set_json(&info->ip, endpoint, "IPAddress");
        if (r < 0 || info->ip)
            break;
    }
    return r;
}

int skep_docker_parse(json_t *config, const char *id, struct skep_state_info *info)
{
    const char *said = skep_state_member(config, "ID");
    if (!said || !skep_streq(said, id))
        return 0;
    json_t *inner = json_object_get(config, "Config"), *labels = json_object_get(inner, "Labels");
    int r = skep_state_set_annotations(info, labels);
    const char *name = skep_state_member(config, "Name"), *image = skep_state_member(inner, "Image");
    if (r >= 0 && name)
        r = skep_state_set(&info->name, name + strspn(name, "/"));
    if (r >= 0)
        r = skep_state_set_image_ref(info, skep_state_member(config, "Image"));
    if (r >= 0 && image && is_image_name(image, info->image_id))
        r = skep_state_set(&info->image, image);
    if (r >= 0 && !(info->traits & SKEP_CONTAINER_KNOWN_LABELS)) {
        info->traits |= SKEP_CONTAINER_KNOWN_LABELS;
        r = skep_state_add_labels(&info->labels, SKEP_STATE_MAX_labels, labels, NULL);
    }
    if (r >= 0)
        r = parse_mounts(json_object_get(config, "MountPoints"), info);
    if (r >= 0)
        r = parse_networks(json_object_get(config, "NetworkSettings"), info);
    if (r >= 0)
        r = skep_state_set_healthcheck(info, json_object_get(inner, "Healthcheck"));
    if (r < 0)
        return r;
    skep_state_set_started(info, skep_state_member(json_object_get(config, "State"), "StartedAt"));
    info->runtime = SKEP_RUNTIME_DOCKER;
    return 1;
}

static bool is_host(json_t *host, const char *member)
{
    const char *mode = skep_state_member(host, member);
    return mode && skep_streq(mode, "host");
}

int skep_docker_parse_host(json_t *host, struct skep_state_info *info)
{
    if (!json_is_object(host))
        return 0;
    info->traits |= SKEP_CONTAINER_KNOWN_PRIVILEGES | SKEP_CONTAINER_KNOWN_NAMESPACES;
    if (json_is_true(json_object_get(host, "Privileged")))
        info->traits |= SKEP_CONTAINER_PRIVILEGED;
    if (is_host(host, "PidMode"))
        info->traits |= SKEP_CONTAINER_HOST_PID;
    if (is_host(host, "NetworkMode"))
        info->traits |= SKEP_CONTAINER_HOST_NETWORK;
    if (is_host(host, "IpcMode"))
        info->traits |= SKEP_CONTAINER_HOST_IPC;
    return 1;
}

/* Names of images, by repository: each with the id that it stands for. */
int skep_docker_parse_images(json_t *repositories, struct skep_state_info *info)
{
    const char *repository, *name;
    json_t *names, *id;
    if (!info->image_id)
        return 0;
    json_object_foreach(json_object_get(repositories, "Repositories"), repository, names)
    {
        json_object_foreach(names, name, id)
        {
            const char *text = json_string_value(id), *hex = text ? skep_startswith(text, "sha256:") : NULL;
            if (!hex || !skep_streq(hex, info->image_id))
                continue;
            int r =
                strchr(name, '@') ? skep_state_set_image_ref(info, name) : skep_state_set(&info->image, name);
            if (r < 0)
                return r;
        }
    }
    return 1;
}

/* Under Kubernetes the labels and the address of a pod are with its sandbox, which is a container as well. */
static int find_sandbox(int root, uid_t owner, const char *data_root, struct skep_state_info *info)
{
    _cleanup_json_ json_t *config = NULL;
    if (!info->sandbox || strchr(info->sandbox, '/') ||
        skep_state_read_json(root, owner, &config, "%s/containers/%s/config.v2.json", data_root,
                             info->sandbox) < 0)
        return 0;
    json_t *labels = json_object_get(json_object_get(config, "Config"), "Labels");
    int r = skep_state_add_labels(&info->pod_labels, SKEP_STATE_MAX_pod_labels, labels, NULL);
    return r < 0 ? r : parse_networks(json_object_get(config, "NetworkSettings"), info);
}

static int find_in(int root, uid_t owner, const char *data_root, const char *id, struct skep_state_info *info)
{
    _cleanup_json_ json_t *config = NULL, *host = NULL, *images = NULL;
    if (skep_state_read_json(root, owner, &config, "%s/containers/%s/config.v2.json", data_root, id) < 0)
        return 0;
    int r = skep_docker_parse(config, id, info);
    if (r <= 0)
        return r;
    if (skep_state_read_json(root, owner, &host, "%s/containers/%s/hostconfig.json", data_root, id) >= 0)
        r = skep_docker_parse_host(host, info);
    const char *driver = skep_state_member(config, "Driver");
    if (r >= 0 && driver && !strchr(driver, '/') &&
        skep_state_read_json(root, owner, &images, "%s/image/%s/repositories.json", data_root, driver) >= 0)
        r = skep_docker_parse_images(images, info);
    if (r >= 0)
        r = find_sandbox(root, owner, data_root, info);
    if (r >= 0) /* an id, when the image lost its name */
        r = skep_state_set_json(&info->image, json_object_get(config, "Config"), "Image");
    return r < 0 ? r : 1;
}

/* The files that docker mounts into a container stand with its configuration. */
int skep_docker_find_by_mounts(int root, json_t *mounts, const char *id, struct skep_state_info *info)
{
    char dir[SKEP_CONTAINER_ID_MAX + 16], data_root[SKEP_PATH_MAX];
    snprintf(dir, sizeof(dir), "/containers/%s/", id);
    size_t n = json_array_size(mounts);
    for (size_t i = 0; i < n; i++) {
        const char *source = skep_state_member(json_array_get(mounts, i), "source");
        const char *at = source ? strstr(source, dir) : NULL;
        if (!at || strchr(at + strlen(dir), '/') || (size_t)(at - source) >= sizeof(data_root))
            continue;
        snprintf(data_root, sizeof(data_root), "%.*s", (int)(at - source), source);
        return find_in(root, SKEP_STATE_NO_UID, data_root, id, info);
    }
    return 0;
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
            r = find_in(q->root, SKEP_STATE_NO_UID, configured, q->id, info);
    }
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(data_roots); i++)
        r = find_in(q->root, SKEP_STATE_NO_UID, data_roots[i], q->id, info);

    char home[SKEP_PATH_MAX], rootless[SKEP_PATH_MAX + 64];
    if (r == 0 && q->uid != SKEP_STATE_NO_UID && skep_state_home(q->root, q->uid, home, sizeof(home)) >= 0) {
        snprintf(rootless, sizeof(rootless), "%s/.local/share/docker", home);
        r = find_in(q->root, q->uid, rootless, q->id, info);
    }
    return r;
}
