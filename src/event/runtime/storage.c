/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

/* Where podman and cri-o keep containers (the format of github.com/containers/storage): a list of all in
 * <storage>/<driver>-containers/containers.json, and of each its bundle in <id>/userdata. Containers that go
 * with their last process are listed in volatile-containers.json instead. */
static const char *const drivers[] = {"overlay", "vfs", "btrfs", "zfs", "aufs", "devmapper"};
static const char *const lists[] = {"containers.json", "volatile-containers.json"};
static const char *const configs[] = {"/etc/containers/storage.conf", "/usr/share/containers/storage.conf"};

#define DEFAULT_STORAGE "/var/lib/containers/storage"
#define RUN_STORAGE "/run/containers/storage" /* volatile lists, and cri-o's copy of the bundle */

/* The entry's own text is JSON inside a JSON string. */
static int parse_metadata(json_t *entry, struct skep_state_info *info)
{
    json_t *text = json_object_get(entry, "metadata");
    if (!json_is_string(text))
        return 0;
    _cleanup_json_ json_t *metadata = json_loadb(json_string_value(text), json_string_length(text), 0, NULL);
    int r = skep_state_set_json(&info->image, metadata, "image-name");
    if (r >= 0)
        r = skep_state_set_json(&info->name, metadata, "name");
    if (r >= 0)
        r = skep_state_set_image_ref(info, skep_state_member(metadata, "image-id"));
    return r;
}

int skep_storage_parse_images(json_t *images, struct skep_state_info *info)
{
    size_t n = info->image_id ? json_array_size(images) : 0;
    for (size_t i = 0; i < n; i++) {
        json_t *entry = json_array_get(images, i);
        const char *said = skep_state_member(entry, "id");
        if (!said || !skep_streq(said, info->image_id))
            continue;
        int r = skep_state_set_json(&info->image_digest, entry, "digest");
        if (r >= 0)
            r = skep_state_set(&info->image,
                               json_string_value(json_array_get(json_object_get(entry, "names"), 0)));
        return r < 0 ? r : 1;
    }
    return 0;
}

int skep_storage_parse(json_t *containers, const char *id, struct skep_state_info *info)
{
    size_t n = json_array_size(containers);
    for (size_t i = 0; i < n; i++) {
        json_t *entry = json_array_get(containers, i);
        const char *said = skep_state_member(entry, "id");
        if (!said || !skep_streq(said, id))
            continue;
        int r = skep_state_set(&info->name,
                               json_string_value(json_array_get(json_object_get(entry, "names"), 0)));
        if (r >= 0)
            r = parse_metadata(entry, info);
        return r < 0 ? r : 1;
    }
    return 0;
}

/* podman's database goes first: the annotations of its bundles are no labels, and have the pod's id for its name. */
static int parse_bundle(int root, uid_t owner, const char *storage, const char *id, json_t *config,
                        struct skep_state_info *info)
{
    json_t *annotations = json_object_get(config, "annotations");
    const char *manager = skep_state_member(annotations, "io.container.manager");
    bool podman = manager && skep_streq(manager, "libpod");
    int r = podman ? skep_libpod_find_in(root, owner, storage, id, info) : 0;
    if (r >= 0)
        r = skep_bundle_parse(config, info);
    if (r >= 0 && podman) {
        info->runtime = SKEP_RUNTIME_PODMAN;
        r = skep_state_set_json(&info->pod, annotations, "io.kubernetes.cri-o.SandboxID");
    } else if (manager && skep_streq(manager, "cri-o")) {
        info->runtime = SKEP_RUNTIME_CRIO;
    }
    return r;
}

/* The network and the labels of a pod are with its sandbox. */
static int parse_sandbox(int root, uid_t owner, const char *storage, const char *driver,
                         struct skep_state_info *info)
{
    _cleanup_json_ json_t *config = NULL;
    if (info->runtime != SKEP_RUNTIME_CRIO || !info->sandbox || strchr(info->sandbox, '/') ||
        skep_state_read_json(root, owner, &config, "%s/%s-containers/%s/userdata/config.json", storage,
                             driver, info->sandbox) < 0)
        return 0;
    return skep_crio_sandbox_parse(config, info);
}

static int parse_images(int root, uid_t owner, const char *storage, const char *driver,
                        struct skep_state_info *info)
{
    _cleanup_json_ json_t *images = NULL;
    if (skep_state_read_json(root, owner, &images, "%s/%s-images/images.json", storage, driver) < 0)
        return 0;
    return skep_storage_parse_images(images, info);
}

static int find_in_driver(int root, uid_t owner, const char *storage, const char *driver, const char *id,
                          struct skep_state_info *info)
{
    if (!skep_state_exists(root, "%s/%s-containers/%s", storage, driver, id))
        return 0;
    int r = 0, found = 0;
    _cleanup_json_ json_t *config = NULL;
    if (skep_state_read_json(root, owner, &config, "%s/%s-containers/%s/userdata/config.json", storage,
                             driver, id) >= 0) {
        found = 1;
        r = parse_bundle(root, owner, storage, id, config, info);
        if (r >= 0)
            r = parse_sandbox(root, owner, storage, driver, info);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        _cleanup_json_ json_t *list = NULL;
        if (skep_state_read_json(root, owner, &list, "%s/%s-containers/%s", storage, driver, lists[i]) < 0)
            continue;
        r = skep_storage_parse(list, id, info);
        if (r < 0)
            return r;
        found |= r;
    }
    if (found) {
        r = parse_images(root, owner, storage, driver, info);
        if (r < 0)
            return r;
    }
    return found;
}

int skep_storage_find_in(int root, uid_t owner, const char *storage, const char *id,
                         struct skep_state_info *info)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(drivers); i++)
        r = find_in_driver(root, owner, storage, drivers[i], id, info);
    return r;
}

/* The text up to the closing quote, with $HOME and $UID filled in as the runtimes do. */
static bool expand_text(const char *s, char quote, const char *home, uid_t uid, char *buf, size_t size)
{
    size_t out = 0;
    while (*s && *s != quote && *s != '\n') {
        const char *rest;
        int n;
        if (home && (rest = skep_startswith(s, "$HOME"))) {
            n = snprintf(buf + out, size - out, "%s", home);
        } else if (home && (rest = skep_startswith(s, "$UID"))) {
            n = snprintf(buf + out, size - out, "%u", uid);
        } else {
            n = snprintf(buf + out, size - out, "%c", *s);
            rest = s + 1;
        }
        out += (size_t)n;
        if (out >= size)
            return false;
        s = rest;
    }
    return out > 0 && *s == quote;
}

/* The text of key = "text" in a TOML file, as far as storage.conf goes: one assignment a line, and the keys
 * that we want stand in one table only. */
static bool config_text(const char *toml, const char *key, const char *home, uid_t uid, char *buf,
                        size_t size)
{
    for (const char *line = toml; *line;) {
        const char *s = line + strspn(line, " \t");
        line += strcspn(line, "\n");
        line += *line == '\n';
        s = skep_startswith(s, key);
        if (!s)
            continue;
        s += strspn(s, " \t");
        if (*s++ != '=')
            continue;
        s += strspn(s, " \t");
        if (*s == '"' || *s == '\'')
            return expand_text(s + 1, *s, home, uid, buf, size);
    }
    return false;
}

static bool read_config(int root, uid_t owner, const char *file, const char *key, const char *home, uid_t uid,
                        char *buf, size_t size)
{
    _cleanup_free_ char *toml = NULL;
    size_t len;
    return skep_state_read(root, owner, file, &toml, &len) >= 0 &&
           config_text(toml, key, home, uid, buf, size);
}

static int find_system(const struct skep_state_query *q, struct skep_state_info *info)
{
    char configured[SKEP_PATH_MAX];
    int r = skep_storage_find_in(q->root, SKEP_STATE_NO_UID, DEFAULT_STORAGE, q->id, info);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(configs); i++)
        if (read_config(q->root, SKEP_STATE_NO_UID, configs[i], "graphroot", NULL, 0, configured,
                        sizeof(configured)))
            r = skep_storage_find_in(q->root, SKEP_STATE_NO_UID, configured, q->id, info);
    if (r >= 0 && !info->name) {
        int more = skep_storage_find_in(q->root, SKEP_STATE_NO_UID, RUN_STORAGE, q->id, info);
        r = more < 0 ? more : r | more;
    }
    return r;
}

struct search {
    const struct skep_state_query *q;
    struct skep_state_info *info;
};

static int find_of_user(void *arg, uid_t uid, const char *home)
{
    struct search *s = arg;
    char path[SKEP_PATH_MAX + 64], configured[SKEP_PATH_MAX];
    snprintf(path, sizeof(path), "%s/.local/share/containers/storage", home);
    int r = skep_storage_find_in(s->q->root, uid, path, s->q->id, s->info);
    snprintf(path, sizeof(path), "%s/.config/containers/storage.conf", home);
    if (r == 0 && read_config(s->q->root, uid, path, "graphroot", home, uid, configured, sizeof(configured)))
        r = skep_storage_find_in(s->q->root, uid, configured, s->q->id, s->info);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(configs); i++)
        if (read_config(s->q->root, SKEP_STATE_NO_UID, configs[i], "rootless_storage_path", home, uid,
                        configured, sizeof(configured)))
            r = skep_storage_find_in(s->q->root, uid, configured, s->q->id, s->info);
    return r;
}

int skep_storage_find(const struct skep_state_query *q, struct skep_state_info *info)
{
    struct search s = {q, info};
    int r = 0;
    char home[SKEP_PATH_MAX];
    if (q->uid != SKEP_STATE_NO_UID && skep_state_home(q->root, q->uid, home, sizeof(home)) >= 0)
        r = find_of_user(&s, q->uid, home);
    if (r == 0)
        r = find_system(q, info);
    /* Without systemd the path does not tell whose container it is. Other runtimes' containers are not
     * looked for in homes, which may have to be mounted first. */
    if (r == 0 && q->runtime == SKEP_RUNTIME_PODMAN && q->uid == SKEP_STATE_NO_UID)
        r = skep_state_users(q->root, find_of_user, &s);
    return r;
}
