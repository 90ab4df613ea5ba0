/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RUNTIME_STATE_H
#define SKEP_EVENT_RUNTIME_STATE_H
/*
 * What the readers of runtime state share: the question, the answer, and bounded access to files below a root.
 * One file a runtime (docker.c, containerd.c and metadb.c, storage.c and libpod.c for podman and cri-o, oci.c for runc
 * and crun, lxc.c); what they share is in bundle.c (OCI bundles), cni.c (networks) and bolt.c (databases).
 *
 * A reader looks for q->id (or, for a candidate, for each component of q->path that may be an id, innermost
 * first) and returns 1 when it found the container and filled in what it knows, 0 when it knows nothing of it,
 * -ENOMEM. A file that is missing, foreign, too large or malformed is the same as no state: the answer may
 * be complete at the next try. The parse functions take the JSON alone and are fuzzed.
 */
#include <jansson.h>
#include <sys/types.h>

#include "event/container.h"

#define SKEP_STATE_FILE_MAX (8u << 20)
#define SKEP_STATE_USER_FILE_MAX (1u << 20)
#define SKEP_STATE_LIST_MAX 4096
#define SKEP_STATE_NO_UID ((uid_t)-1)

struct skep_state_query {
    int root;                  /* descriptor of the directory that is "/" */
    enum skep_runtime runtime; /* NONE: a candidate */
    const char *id;            /* empty for a candidate */
    const char *path;          /* of the cgroup */
    uid_t uid; /* whose user session the cgroup is in (user-1000.slice), or SKEP_STATE_NO_UID */
};

struct skep_state_info {
    enum skep_runtime runtime;
    char id[SKEP_CONTAINER_ID_MAX];
#define SKEP_CONTAINER_TEXT(member) char *member;
#define SKEP_CONTAINER_LIST(member, max) struct skep_bytes member;
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    uint64_t started; /* nanoseconds since 1970; 0: not known */
    uint32_t traits;  /* enum skep_container_trait */
};

/* How many bytes of a list are kept. */
enum skep_state_list_max {
#define SKEP_CONTAINER_TEXT(member)
#define SKEP_CONTAINER_LIST(member, max) SKEP_STATE_MAX_##member = (max),
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
};

typedef int skep_state_find(const struct skep_state_query *q, struct skep_state_info *info);
skep_state_find skep_docker_find;
skep_state_find skep_containerd_find;
skep_state_find skep_storage_find;
skep_state_find skep_oci_find;
skep_state_find skep_lxc_find;

/* The container's own place in a containers-storage directory whose files belong to owner. */
int skep_storage_find_in(int root, uid_t owner, const char *storage, const char *id,
                         struct skep_state_info *info);

/* A container of containerd: its bundle's config.json, and containerd's database, which the bundle leads to. Sets the
 * runtime: docker, when the namespace is docker's. */
int skep_containerd_read(int root, const char *bundle, const char *namespace_, const char *id, json_t *config,
                         struct skep_state_info *info);
/* What containerd's database says; dir: where containerd keeps what lasts. 0: nothing. ret_image: the name of its image, for who
 * finds no better one; to be freed. */
int skep_metadb_find_in(int root, const char *dir, const char *namespace_, const char *id,
                        struct skep_state_info *info, char **ret_image);
/* What podman's database in a containers-storage directory says of a container; 0: nothing. */
int skep_libpod_find_in(int root, uid_t owner, const char *storage, const char *id,
                        struct skep_state_info *info);

/* A container of docker whose data is not where it usually is, by its bundle's mounts. 0: not found. */
int skep_docker_find_by_mounts(int root, json_t *mounts, const char *id, struct skep_state_info *info);

int skep_docker_parse(json_t *config, const char *id, struct skep_state_info *info);
/* hostconfig.json, and the list of images (repositories.json), in which info->image_id is looked up. */
int skep_docker_parse_host(json_t *host, struct skep_state_info *info);
int skep_docker_parse_images(json_t *repositories, struct skep_state_info *info);
int skep_storage_parse(json_t *containers, const char *id, struct skep_state_info *info);
/* images.json, in which info->image_id is looked up. */
int skep_storage_parse_images(json_t *images, struct skep_state_info *info);
/* The JSON in a google.protobuf.Any; NULL: there is none. */
json_t *skep_metadb_parse_any(const char *bytes, size_t n);
/* containerd's own JSON of a container and of a sandbox under Kubernetes. */
int skep_metadb_parse_container(json_t *versioned, struct skep_state_info *info);
int skep_metadb_parse_sandbox(json_t *versioned, struct skep_state_info *info);
/* podman's own JSON of a container, of what it is at, and of a pod. */
int skep_libpod_parse(json_t *config, const char *id, struct skep_state_info *info);
int skep_libpod_parse_state(json_t *state, struct skep_state_info *info);
int skep_libpod_parse_pod(json_t *pod, const char *id, struct skep_state_info *info);
/* An OCI bundle's config.json: annotations, mounts, namespaces and privileges; see bundle.c for what counts as
 * privileged. */
int skep_bundle_parse(json_t *config, struct skep_state_info *info);
/* The config.json of cri-o's sandbox of a pod, for the containers in it. */
int skep_crio_sandbox_parse(json_t *config, struct skep_state_info *info);
/* What the network plugins did for a container or sandbox (cni.c): address and answer. */
int skep_cni_find(const struct skep_state_query *q, const char *id, struct skep_state_info *info);
int skep_cni_parse(json_t *cached, const char *id, struct skep_state_info *info);
/* runc's state.json and crun's status. ret_bundle: borrowed from state, NULL: not said. cgroup: when not
 * NULL, the container counts only if it is in this cgroup. 1: it is this container. */
int skep_runc_parse(json_t *state, const char *id, const char *cgroup, struct skep_state_info *info,
                    const char **ret_bundle);
int skep_crun_parse(json_t *status, const char *cgroup, const char **ret_bundle);

void skep_state_info_clear(struct skep_state_info *info);
#define _cleanup_state_info_ SKEP_CLEANUP(skep_state_info_clear)
/* Sets a field that is not set yet; empty text and NULL set nothing. -ENOMEM. */
int skep_state_set(char **field, const char *text);
int skep_state_set_json(char **field, json_t *object, const char *member);
/* Takes what Kubernetes, CRI runtimes and nerdctl write as labels or annotations: an object of strings. */
int skep_state_set_annotations(struct skep_state_info *info, json_t *annotations);
/* A digest (sha256:HEX, or HEX alone) becomes the image's id, NAME@DIGEST its digest in a registry; anything else
 * nothing. */
int skep_state_set_image_ref(struct skep_state_info *info, const char *ref);
/* The pod's number from the path of its cgroup, where no annotation said it. */
int skep_state_set_pod_uid(struct skep_state_info *info, const char *path);
/* When it started, from RFC 3339 text; what is none, or before 1971, sets nothing. */
void skep_state_set_started(struct skep_state_info *info, const char *text);
/* docker's and podman's health check: {"Test": ["CMD", command, argument, ...]}; NULL: it has none. */
int skep_state_set_healthcheck(struct skep_state_info *info, json_t *healthcheck);
/* Appends n strings that belong together; when they do not fit any more they are left out. -ENOMEM. */
int skep_state_add(struct skep_bytes *list, size_t max, const char *const *texts, size_t n);
/* Appends the members of an object of strings as key=value, those that begin with one of the prefixes left out
 * (NULL-terminated; NULL: all are taken). */
int skep_state_add_labels(struct skep_bytes *list, size_t max, json_t *object, const char *const *without);
const char *skep_state_member(json_t *object, const char *member); /* a string member, or NULL */

/* The next component of q->path that may be an id, from the innermost outwards: *at starts as strlen(path).
 * id is filled in and *ret_at_end is the length of the path up to and with it. */
bool skep_state_next_candidate(const char *path, size_t *at, char id[SKEP_CONTAINER_ID_MAX], size_t *ret_end);

/* Files; paths are formatted, absolute, and relative to root. owner: SKEP_STATE_NO_UID, or who must own the
 * file. -ENOENT, -EFBIG, -EPERM, -EBADMSG, ... */
int skep_state_read(int root, uid_t owner, const char *path, char **ret, size_t *ret_len);
/* A descriptor of a file, for readers that do not want all of it. */
int skep_state_open(int root, uid_t owner, const char *fmt, ...) SKEP_PRINTF(3, 4);
/* Where a symbolic link that root made leads to. */
int skep_state_readlink(int root, const char *path, char *buf, size_t size);
int skep_state_read_json(int root, uid_t owner, json_t **ret, const char *fmt, ...) SKEP_PRINTF(4, 5);
bool skep_state_exists(int root, const char *fmt, ...) SKEP_PRINTF(2, 3);
/* Calls each with every name in a directory (dot files left out, at most SKEP_STATE_LIST_MAX) until it gives
 * something else than 0, which is returned; a directory that cannot be read has no names. */
int skep_state_list(int root, const char *dir, int (*each)(void *arg, const char *name), void *arg);
/* Home directory of a user from /etc/passwd; -ENOENT. */
int skep_state_home(int root, uid_t uid, char *buf, size_t size);
/* Calls each with every ordinary user (uid from 1000 on, at most 256) until it gives something else than 0. */
int skep_state_users(int root, int (*each)(void *arg, uid_t uid, const char *home), void *arg);

static inline void skep_json_unrefp(json_t **j)
{
    json_decref(*j);
}
#define _cleanup_json_ SKEP_CLEANUP(skep_json_unrefp)
#endif
