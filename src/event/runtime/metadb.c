/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/bolt.h"
#include "event/runtime/state.h"

/*
 * containerd's metadata: a Bolt database below the directory that it keeps for good, in which
 *
 *     v1/<namespace>/containers/<id>/{image, labels, extensions}
 *     v1/<namespace>/images/<name>/target/digest
 *     v1/<namespace>/content/blob/<digest>/labels/containerd.io/gc.ref.content.config    the image's id
 *
 * Under Kubernetes the extensions hold, as JSON inside of a protobuf Any, what the kubelet asked for: of a container, and
 * of its pod with the pod's sandbox, which is a container as well.
 */
#define DATABASE "io.containerd.metadata.v1.bolt/meta.db"
#define CONTAINER_METADATA "io.cri-containerd.container.metadata"
#define SANDBOX_METADATA "io.cri-containerd.sandbox.metadata"
#define READ_TRIES 3
#define LABELS_MAX 1024

static const char *const own_labels[] = {"io.cri-containerd.", "io.containerd.", "containerd.io/", NULL};

/* ---- what the database says ---- */

struct rows {
    json_t *labels;
    json_t *container, *sandbox; /* metadata of CRI */
    char *image;
    char *digest, *config; /* of the image: its manifest's, its configuration's */
};

static void rows_clear(struct rows *rows)
{
    json_decref(rows->labels);
    json_decref(rows->container);
    json_decref(rows->sandbox);
    free(rows->image);
    free(rows->digest);
    free(rows->config);
    *rows = (struct rows){0};
}
#define _cleanup_rows_ SKEP_CLEANUP(rows_clear)

static bool take_varint(const uint8_t **s, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && *s < end; shift += 7) {
        uint8_t byte = *(*s)++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

/* The value (field 2) of a google.protobuf.Any, whose two fields are of type 2: length and bytes. */
json_t *skep_metadb_parse_any(const char *bytes, size_t n)
{
    const uint8_t *s = (const uint8_t *)bytes, *end = s + n;
    uint64_t tag, len;
    while (s < end && take_varint(&s, end, &tag) && (tag & 7) == 2 && take_varint(&s, end, &len) &&
           len <= (uint64_t)(end - s)) {
        if (tag >> 3 == 2)
            return json_loadb((const char *)s, len, 0, NULL);
        s += len;
    }
    return NULL;
}

/* Buckets by name below one; a list that ends in NULL. -ENOENT and the like: there are none. */
static int enter_all(struct skep_bolt *db, struct skep_bolt_bucket *b, const char *const *names)
{
    int r = 0;
    for (; r >= 0 && *names; names++)
        r = skep_bolt_enter(db, b, *names);
    return r;
}
#define ENTER(db, b, ...) enter_all(db, b, (const char *const[]){__VA_ARGS__, NULL})

/* What could not be read for another reason than memory is not there. */
static int absent(int r)
{
    return r == -ENOMEM ? r : 0;
}

static int get_text(struct skep_bolt *db, const struct skep_bolt_bucket *b, const char *key, char **ret)
{
    struct skep_bytes value;
    int r = skep_bolt_get(db, b, key, &value);
    if (r < 0)
        return absent(r);
    *ret = value.s;
    return 0;
}

static int get_any(struct skep_bolt *db, const struct skep_bolt_bucket *container, const char *key,
                   json_t **ret)
{
    _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
    struct skep_bytes value;
    int r = skep_bolt_bucket_copy(container, &b);
    if (r >= 0)
        r = skep_bolt_enter(db, &b, "extensions");
    if (r >= 0)
        r = skep_bolt_get(db, &b, key, &value);
    if (r < 0)
        return absent(r);
    *ret = skep_metadb_parse_any(value.s, value.len);
    free(value.s);
    return 0;
}

static int add_label(void *arg, const char *key, size_t key_len, const char *value, size_t value_len)
{
    json_t *labels = arg;
    if (memchr(key, '\0', key_len) || memchr(value, '\0', value_len))
        return 0;
    json_t *text = json_stringn(value, value_len); /* NULL: no UTF-8 */
    if (text && json_object_setn_new(labels, key, key_len, text) < 0)
        return 0; /* the key is none */
    return json_object_size(labels) >= LABELS_MAX;
}

static int get_labels(struct skep_bolt *db, const struct skep_bolt_bucket *container, json_t **ret)
{
    _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
    int r = skep_bolt_bucket_copy(container, &b);
    if (r < 0)
        return r;
    *ret = json_object();
    if (!*ret)
        return -ENOMEM;
    r = skep_bolt_enter(db, &b, "labels");
    if (r >= 0)
        r = skep_bolt_each(db, &b, add_label, *ret);
    return absent(r);
}

static int get_image(struct skep_bolt *db, const char *namespace_, struct rows *rows)
{
    _cleanup_bolt_bucket_ struct skep_bolt_bucket image = {0}, blob = {0};
    if (!rows->image)
        return 0;
    int r = ENTER(db, &image, "v1", namespace_, "images", rows->image, "target");
    if (r >= 0)
        r = get_text(db, &image, "digest", &rows->digest);
    if (r < 0 || !rows->digest)
        return absent(r);
    r = ENTER(db, &blob, "v1", namespace_, "content", "blob", rows->digest, "labels");
    if (r >= 0)
        r = get_text(db, &blob, "containerd.io/gc.ref.content.config", &rows->config);
    return absent(r);
}

static int get_sandbox(struct skep_bolt *db, const char *namespace_, const char *id, json_t **ret)
{
    _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
    int r = ENTER(db, &b, "v1", namespace_, "containers", id);
    if (r >= 0)
        r = get_any(db, &b, SANDBOX_METADATA, ret);
    return absent(r);
}

static int read_rows(struct skep_bolt *db, const char *namespace_, const char *id, struct rows *rows)
{
    _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
    int r = ENTER(db, &b, "v1", namespace_, "containers", id);
    if (r < 0)
        return absent(r);
    r = get_labels(db, &b, &rows->labels);
    if (r >= 0)
        r = get_text(db, &b, "image", &rows->image);
    if (r >= 0)
        r = get_any(db, &b, CONTAINER_METADATA, &rows->container);
    const char *sandbox = skep_state_member(json_object_get(rows->container, "Metadata"), "SandboxID");
    if (r >= 0)
        r = get_sandbox(db, namespace_, sandbox ? sandbox : id, &rows->sandbox);
    return r < 0 ? r : get_image(db, namespace_, rows);
}

static int read_settled(int fd, const char *namespace_, const char *id, struct rows *ret)
{
    for (int i = 0; i < READ_TRIES; i++) {
        _cleanup_rows_ struct rows rows = {0};
        struct skep_bolt db;
        if (skep_bolt_init(&db, fd) < 0)
            continue;
        int r = read_rows(&db, namespace_, id, &rows);
        if (r < 0)
            return r;
        if (skep_bolt_settled(&db) >= 0) {
            *ret = TAKE(rows, (struct rows){0});
            return 0;
        }
    }
    return 0;
}

/* ---- what it means ---- */

int skep_metadb_parse_container(json_t *versioned, struct skep_state_info *info)
{
    json_t *metadata = json_object_get(versioned, "Metadata"), *config = json_object_get(metadata, "Config");
    int r = skep_state_set_json(&info->name, json_object_get(config, "metadata"), "name");
    if (r >= 0)
        r = skep_state_set_json(&info->sandbox, metadata, "SandboxID");
    if (r >= 0)
        r = skep_state_set_annotations(info, json_object_get(config, "labels"));
    return r < 0 ? r : skep_state_set_image_ref(info, skep_state_member(metadata, "ImageRef"));
}

int skep_metadb_parse_sandbox(json_t *versioned, struct skep_state_info *info)
{
    json_t *metadata = json_object_get(versioned, "Metadata"), *config = json_object_get(metadata, "Config");
    json_t *pod = json_object_get(config, "metadata"), *cni = json_object_get(metadata, "CNIResult");
    int r = skep_state_set_json(&info->pod, pod, "name");
    if (r >= 0)
        r = skep_state_set_json(&info->namespace_, pod, "namespace");
    if (r >= 0)
        r = skep_state_set_json(&info->pod_uid, pod, "uid");
    if (r >= 0)
        r = skep_state_set_json(&info->sandbox, metadata, "ID");
    if (r >= 0)
        r = skep_state_set_json(&info->ip, metadata, "IP");
    if (r >= 0 && !info->pod_labels.s)
        r = skep_state_add_labels(&info->pod_labels, SKEP_STATE_MAX_pod_labels,
                                  json_object_get(config, "labels"), NULL);
    if (r < 0 || !json_is_object(cni))
        return r;
    _cleanup_free_ char *text = json_dumps(cni, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    return strlen(text) <= SKEP_CONTAINER_TEXT_MAX ? skep_state_set(&info->cni, text)
                                                   : 0; /* a part of it would be no JSON */
}

static int parse_rows(const struct rows *rows, struct skep_state_info *info)
{
    int r = skep_metadb_parse_container(rows->container, info);
    if (r >= 0)
        r = skep_metadb_parse_sandbox(rows->sandbox, info);
    if (r >= 0)
        r = skep_state_set_annotations(info, rows->labels);
    if (r >= 0 && !(info->traits & SKEP_CONTAINER_KNOWN_LABELS)) {
        info->traits |= SKEP_CONTAINER_KNOWN_LABELS;
        r = skep_state_add_labels(&info->labels, SKEP_STATE_MAX_labels, rows->labels, own_labels);
    }
    if (r >= 0)
        r = skep_state_set_image_ref(info, rows->config);
    if (r >= 0)
        r = skep_state_set(&info->image_digest, rows->digest);
    return r;
}

int skep_metadb_find_in(int root, const char *dir, const char *namespace_, const char *id,
                        struct skep_state_info *info, char **ret_image)
{
    _cleanup_rows_ struct rows rows = {0};
    _cleanup_close_ int fd = skep_state_open(root, SKEP_STATE_NO_UID, "%s/" DATABASE, dir);
    int r = fd >= 0 ? read_settled(fd, namespace_, id, &rows) : 0;
    if (r < 0 || !rows.labels)
        return r;
    r = parse_rows(&rows, info);
    if (r < 0)
        return r;
    *ret_image = TAKE_PTR(rows.image);
    return 1;
}
