/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/bolt.h"
#include "event/runtime/sqlite.h"
#include "event/runtime/state.h"

/*
 * podman keeps a container's labels, its health check and the names of pods in a database only. Before version 4.8 that is a
 * Bolt database in the directory that its storage configures, where ctr/<id> and pod/<id> hold JSON by the name of config
 * and state; since then it may be a SQLite database, which holds the same JSON in the tables ContainerConfig, ContainerState
 * and PodConfig. Both may be there after an upgrade: the one that has the container counts.
 */
#define BOLT "libpod/bolt_state.db"
#define SQLITE "db.sql"
#define READ_TRIES 3

int skep_libpod_parse(json_t *config, const char *id, struct skep_state_info *info)
{
    const char *said = skep_state_member(config, "id");
    if (!said || !skep_streq(said, id))
        return 0;
    json_t *labels = json_object_get(config, "labels"), *privileged = json_object_get(config, "privileged");
    int r = skep_state_set_json(&info->name, config, "name");
    if (r >= 0)
        r = skep_state_set_json(&info->image, config, "rootfsImageName");
    if (r >= 0)
        r = skep_state_set_image_ref(info, skep_state_member(config, "rootfsImageID"));
    if (r >= 0) /* what a kubelet or its like says by labels */
        r = skep_state_set_annotations(info, labels);
    if (r >= 0 && !(info->traits & SKEP_CONTAINER_KNOWN_LABELS)) {
        info->traits |= SKEP_CONTAINER_KNOWN_LABELS;
        r = skep_state_add_labels(&info->labels, SKEP_STATE_MAX_labels, labels, NULL);
    }
    if (r >= 0)
        r = skep_state_set_healthcheck(info, json_object_get(config, "healthcheck"));
    if (r < 0)
        return r;
    if (json_is_boolean(privileged) && !(info->traits & SKEP_CONTAINER_KNOWN_PRIVILEGES))
        info->traits |=
            SKEP_CONTAINER_KNOWN_PRIVILEGES | (json_is_true(privileged) ? SKEP_CONTAINER_PRIVILEGED : 0);
    info->runtime = SKEP_RUNTIME_PODMAN;
    return 1;
}

/* The first address of the first network. */
static int parse_networks(json_t *networks, struct skep_state_info *info)
{
    const char *name, *device;
    json_t *network, *interface;
    json_object_foreach(networks, name, network)
    {
        json_object_foreach(json_object_get(network, "interfaces"), device, interface)
        {
            json_t *subnet = json_array_get(json_object_get(interface, "subnets"), 0);
            const char *address = skep_state_member(subnet, "ipnet"); /* with its mask */
            _cleanup_free_ char *ip = address ? strndup(address, strcspn(address, "/")) : NULL;
            int r = skep_state_set(&info->ip, ip);
            if (r < 0 || info->ip)
                return r;
        }
    }
    return 0;
}

int skep_libpod_parse_state(json_t *state, struct skep_state_info *info)
{
    skep_state_set_started(info, skep_state_member(state, "startedTime"));
    return parse_networks(json_object_get(state, "networkStatus"), info);
}

int skep_libpod_parse_pod(json_t *pod, const char *id, struct skep_state_info *info)
{
    const char *said = skep_state_member(pod, "id");
    if (!said || !skep_streq(said, id))
        return 0;
    int r = skep_state_set_json(&info->pod, pod, "name");
    if (r >= 0)
        r = skep_state_set(&info->pod_uid, id);
    if (r >= 0 && !info->pod_labels.s)
        r = skep_state_add_labels(&info->pod_labels, SKEP_STATE_MAX_pod_labels,
                                  json_object_get(pod, "labels"), NULL);
    return r < 0 ? r : 1;
}

/* ---- Bolt ---- */

/* bucket/id/key as JSON; what is not there or is none leaves *ret NULL. */
static int bolt_json(struct skep_bolt *db, const char *bucket, const char *id, const char *key, json_t **ret)
{
    _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
    struct skep_bytes value;
    int r = skep_bolt_enter(db, &b, bucket);
    if (r >= 0)
        r = skep_bolt_enter(db, &b, id);
    if (r >= 0)
        r = skep_bolt_get(db, &b, key, &value);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    _cleanup_free_ char *text = value.s;
    *ret = json_loadb(text, value.len, 0, NULL);
    return 0;
}

struct rows {
    json_t *config, *state, *pod;
};

static void rows_clear(struct rows *rows)
{
    json_decref(rows->config);
    json_decref(rows->state);
    json_decref(rows->pod);
    *rows = (struct rows){0};
}
#define _cleanup_rows_ SKEP_CLEANUP(rows_clear)

static int read_bolt(int fd, const char *id, struct rows *ret)
{
    for (int i = 0; i < READ_TRIES; i++) {
        _cleanup_rows_ struct rows rows = {0};
        struct skep_bolt db;
        if (skep_bolt_init(&db, fd) < 0)
            continue;
        int r = bolt_json(&db, "ctr", id, "config", &rows.config);
        if (r >= 0)
            r = bolt_json(&db, "ctr", id, "state", &rows.state);
        const char *pod = skep_state_member(rows.config, "pod");
        if (r >= 0 && pod)
            r = bolt_json(&db, "pod", pod, "config", &rows.pod);
        if (r < 0)
            return r;
        if (skep_bolt_settled(&db) >= 0) {
            *ret = TAKE(rows, (struct rows){0});
            return 0;
        }
    }
    return 0;
}

/* ---- SQLite ---- */

static int read_sqlite(int fd, const char *id, struct rows *ret)
{
    _cleanup_rows_ struct rows rows = {0};
    _cleanup_sqlite_ struct skep_sqlite *db = NULL;
    int r = skep_sqlite_open(fd, &db);
    if (r >= 0)
        r = skep_sqlite_json(db, "SELECT JSON FROM ContainerConfig WHERE ID = ?", id, &rows.config);
    if (r >= 0 && rows.config)
        r = skep_sqlite_json(db, "SELECT JSON FROM ContainerState WHERE ID = ?", id, &rows.state);
    const char *pod = skep_state_member(rows.config, "pod");
    if (r >= 0 && pod)
        r = skep_sqlite_json(db, "SELECT JSON FROM PodConfig WHERE ID = ?", pod, &rows.pod);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    *ret = TAKE(rows, (struct rows){0});
    return 0;
}

int skep_libpod_find_in(int root, uid_t owner, const char *storage, const char *id,
                        struct skep_state_info *info)
{
    _cleanup_rows_ struct rows rows = {0};
    _cleanup_close_ int sqlite = skep_state_open(root, owner, "%s/" SQLITE, storage);
    _cleanup_close_ int bolt = skep_state_open(root, owner, "%s/" BOLT, storage);
    int r = sqlite >= 0 ? read_sqlite(sqlite, id, &rows) : 0;
    if (r >= 0 && !rows.config && bolt >= 0)
        r = read_bolt(bolt, id, &rows);
    if (r >= 0)
        r = skep_libpod_parse(rows.config, id, info);
    if (r <= 0)
        return r;
    const char *pod = skep_state_member(rows.config, "pod");
    r = skep_libpod_parse_state(rows.state, info);
    if (r >= 0 && pod)
        r = skep_libpod_parse_pod(rows.pod, pod, info);
    return r < 0 ? r : 1;
}
