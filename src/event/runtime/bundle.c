/* SPDX-License-Identifier: Apache-2.0 */
#include "event/names.h"
#include "event/runtime/state.h"

/*
 * An OCI bundle's config.json (the runtime specification) is what every runtime is started with, so that it tells of
 * containers whose manager keeps the rest in a database.
 *
 * Privileged is a word of the managers: docker, podman and Kubernetes know the flag, the bundle only what follows from
 * it. A bundle counts as privileged when its processes may have all capabilities (up to CAP_LAST_OLD, which
 * every kernel that runs containers has), no system call filter is set, and nothing below /proc and /sys is masked.
 */
#define CAP_LAST_OLD 37 /* CAP_AUDIT_READ */

/* What runtimes note for themselves; everything else was given by somebody, as a label is. */
static const char *const own_annotations[] = {"io.kubernetes.",
                                              "io.container.",
                                              "io.podman.",
                                              "org.systemd.",
                                              "org.opencontainers.image.",
                                              "run.oci.",
                                              NULL};

static bool has_all_capabilities(json_t *config)
{
    json_t *caps = json_object_get(json_object_get(config, "process"), "capabilities");
    json_t *list = json_object_get(caps, "bounding");
    uint64_t have = 0;
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        const struct skep_name *row = name ? skep_names_find(&skep_names_caps, name, strlen(name)) : NULL;
        have |= row ? row->value : 0;
    }
    uint64_t all = (2ULL << CAP_LAST_OLD) - 1;
    return (have & all) == all;
}

static void parse_privileges(json_t *config, struct skep_state_info *info)
{
    json_t *os = json_object_get(config, "linux");
    if (!json_is_object(os) || (info->traits & SKEP_CONTAINER_KNOWN_PRIVILEGES))
        return;
    const char *said =
        skep_state_member(json_object_get(config, "annotations"), "io.podman.annotations.privileged");
    info->traits |= SKEP_CONTAINER_KNOWN_PRIVILEGES;
    if ((said && strcasecmp(said, "true") == 0) ||
        (has_all_capabilities(config) && !json_is_object(json_object_get(os, "seccomp")) &&
         json_array_size(json_object_get(os, "maskedPaths")) == 0))
        info->traits |= SKEP_CONTAINER_PRIVILEGED;
}

/* A namespace that is not named stays the one of who starts the container: the host's. */
static void parse_namespaces(json_t *config, struct skep_state_info *info)
{
    json_t *list = json_object_get(json_object_get(config, "linux"), "namespaces");
    if (!json_is_array(list) || (info->traits & SKEP_CONTAINER_KNOWN_NAMESPACES))
        return;
    uint32_t host = SKEP_CONTAINER_HOST_PID | SKEP_CONTAINER_HOST_NETWORK | SKEP_CONTAINER_HOST_IPC;
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++) {
        const char *type = skep_state_member(json_array_get(list, i), "type");
        const char *path = skep_state_member(json_array_get(list, i), "path");
        if (!type || (path && skep_startswith(path, "/proc/1/")))
            continue;
        host &= ~(skep_streq(type, "pid")       ? (uint32_t)SKEP_CONTAINER_HOST_PID
                  : skep_streq(type, "network") ? (uint32_t)SKEP_CONTAINER_HOST_NETWORK
                  : skep_streq(type, "ipc")     ? (uint32_t)SKEP_CONTAINER_HOST_IPC
                                                : 0);
    }
    info->traits |= SKEP_CONTAINER_KNOWN_NAMESPACES | host;
}

static bool is_propagation(const char *s)
{
    static const char *const names[] = {"private", "rprivate", "shared",     "rshared",
                                        "slave",   "rslave",   "unbindable", "runbindable"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (skep_streq(s, names[i]))
            return true;
    return false;
}

/* What comes from outside: binds of paths. (proc, tmpfs and their like are in every container.) */
static int add_mount(json_t *mount, struct skep_state_info *info)
{
    const char *source = skep_state_member(mount, "source"), *type = skep_state_member(mount, "type");
    const char *destination = skep_state_member(mount, "destination"), *propagation = "", *rw = "true";
    json_t *options = json_object_get(mount, "options");
    bool bind = type && skep_streq(type, "bind");
    size_t n = json_array_size(options);
    for (size_t i = 0; i < n; i++) {
        const char *option = json_string_value(json_array_get(options, i));
        if (!option)
            continue;
        bind |= skep_streq(option, "bind") || skep_streq(option, "rbind");
        if (skep_streq(option, "ro"))
            rw = "false";
        else if (is_propagation(option))
            propagation = option;
    }
    if (!bind || !source || source[0] != '/' || !destination)
        return 0;
    const char *const texts[] = {source, destination, "", rw, propagation};
    return skep_state_add(&info->mounts, SKEP_STATE_MAX_mounts, texts, ARRAY_SIZE(texts));
}

static int parse_mounts(json_t *config, struct skep_state_info *info)
{
    json_t *list = json_object_get(config, "mounts");
    if (!json_is_array(list) || (info->traits & SKEP_CONTAINER_KNOWN_MOUNTS))
        return 0;
    info->traits |= SKEP_CONTAINER_KNOWN_MOUNTS;
    size_t n = json_array_size(list);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = add_mount(json_array_get(list, i), info);
    return r;
}

/* cri-o keeps the labels as JSON inside of an annotation. */
static int add_inner_labels(struct skep_bytes *list, size_t max, json_t *annotations)
{
    json_t *text = json_object_get(annotations, "io.kubernetes.cri-o.Labels");
    if (!json_is_string(text))
        return 0;
    _cleanup_json_ json_t *labels = json_loadb(json_string_value(text), json_string_length(text), 0, NULL);
    return skep_state_add_labels(list, max, labels, NULL);
}

static int parse_labels(json_t *annotations, struct skep_state_info *info)
{
    const char *manager = skep_state_member(annotations, "io.container.manager");
    if (!json_is_object(annotations) || (info->traits & SKEP_CONTAINER_KNOWN_LABELS) ||
        (manager && skep_streq(manager, "libpod"))) /* whose labels are elsewhere */
        return 0;
    info->traits |= SKEP_CONTAINER_KNOWN_LABELS;
    int r = add_inner_labels(&info->labels, SKEP_STATE_MAX_labels, annotations);
    return r < 0 ? r
                 : skep_state_add_labels(&info->labels, SKEP_STATE_MAX_labels, annotations, own_annotations);
}

int skep_bundle_parse(json_t *config, struct skep_state_info *info)
{
    json_t *annotations = json_object_get(config, "annotations");
    int r = skep_state_set_annotations(info, annotations);
    if (r >= 0)
        r = skep_state_set_image_ref(info, skep_state_member(annotations, "io.kubernetes.cri-o.ImageRef"));
    if (r >= 0)
        r = parse_labels(annotations, info);
    if (r >= 0)
        r = parse_mounts(config, info);
    parse_privileges(config, info);
    parse_namespaces(config, info);
    return r;
}

int skep_crio_sandbox_parse(json_t *config, struct skep_state_info *info)
{
    json_t *annotations = json_object_get(config, "annotations");
    const char *cni = skep_state_member(annotations, "io.kubernetes.cri-o.CNIResult");
    int r =
        info->pod_labels.s ? 0 : add_inner_labels(&info->pod_labels, SKEP_STATE_MAX_pod_labels, annotations);
    if (r >= 0)
        r = skep_state_set_json(&info->ip, annotations, "io.kubernetes.cri-o.IP.0");
    if (r >= 0 && cni && strlen(cni) <= SKEP_CONTAINER_TEXT_MAX) /* a part of it would be no JSON */
        r = skep_state_set(&info->cni, cni);
    return r;
}
