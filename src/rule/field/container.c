/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"

#include <fnmatch.h>

#include "rule/field/actor.h"
#include "rule/field/label.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

#define SHORT_ID 12
#define HOST "host"

static bool put(struct skep_rule_ctx *x, const char *s, struct skep_fact *ret)
{
    return s && skep_fact_text(x, ret, s, strlen(s));
}

/* number: how much of it is shown */
GET(get_id)
{
    const struct skep_container *c = x->ev->container;
    return c ? skep_fact_text(x, ret, c->id, strnlen(c->id, q->field->number)) : put(x, HOST, ret);
}

GET(get_name)
{
    (void)q;
    return put(x, x->ev->container ? x->ev->container->name : HOST, ret);
}

GET(get_type)
{
    (void)q;
    return put(x, x->ev->container ? skep_runtime_name(x->ev->container->runtime) : HOST, ret);
}

/* number: offset of a text in struct skep_container */
GET(get_text)
{
    char *s = NULL;
    if (x->ev->container)
        memcpy(&s, (const char *)x->ev->container + q->field->number, sizeof(s));
    return put(x, s, ret);
}

/* ---- images ---- */

struct image {
    size_t repository; /* bytes of it, at the beginning */
    const char *tag;
    size_t tag_len;
    const char *digest; /* NULL: none */
};

/* repository[:tag][@digest]; a colon before the last slash belongs to a port. Without tag and digest an image's tag
 * is latest. */
static struct image split_image(const char *name)
{
    size_t n = strcspn(name, "@"), colon = n;
    for (size_t i = n; i > 0 && name[i - 1] != '/'; i--)
        if (name[i - 1] == ':')
            colon = i - 1;
    struct image image = {.repository = colon, .digest = name[n] ? name + n + 1 : NULL};
    if (colon < n)
        image.tag = name + colon + 1, image.tag_len = n - colon - 1;
    else
        image.tag = name[n] ? "" : "latest", image.tag_len = strlen(image.tag);
    return image;
}

enum image_part { IMAGE_WHOLE, IMAGE_REPOSITORY, IMAGE_TAG, IMAGE_DIGEST, IMAGE_ID };

/* number: enum image_part. The host has none, and that is known. */
GET(get_image)
{
    const struct skep_container *c = x->ev->container;
    enum image_part part = (enum image_part)q->field->number;
    if (!c)
        return put(x, "", ret);
    if (part == IMAGE_ID)
        return c->image_id && skep_fact_text(x, ret, c->image_id, strnlen(c->image_id, SHORT_ID));
    if (part == IMAGE_DIGEST && c->image_digest)
        return put(x, c->image_digest, ret);
    if (!c->image)
        return false;
    struct image image = split_image(c->image);
    switch (part) {
    case IMAGE_WHOLE:
        return put(x, c->image, ret);
    case IMAGE_REPOSITORY:
        return skep_fact_text(x, ret, c->image, image.repository);
    case IMAGE_TAG:
        return skep_fact_text(x, ret, image.tag, image.tag_len);
    case IMAGE_DIGEST:
        return put(x, image.digest, ret);
    case IMAGE_ID:
        break;
    }
    return false;
}

/* ---- privileges ---- */

#define TRAIT(bit, known) ((uint32_t)(bit) << 16 | (known))

/* number: TRAIT(). Outside of containers no container is privileged. */
GET(get_trait)
{
    const struct skep_container *c = x->ev->container;
    if (!c)
        return (q->field->number >> 16) == SKEP_CONTAINER_PRIVILEGED && skep_fact_bool(ret, false);
    return c->traits & q->field->number & 0xffff && skep_fact_bool(ret, c->traits & q->field->number >> 16);
}

/* ---- times ---- */

/* The first process of a container is that of its pid namespace; where it has none of its own, the runtime says when
 * it started. */
static int64_t start_of(const struct skep_event *ev)
{
    struct skep_actor a;
    const struct skep_task *t = ev->container && skep_actor_of(ev, &a) ? skep_actor_task(&a) : NULL;
    if (t && t->pid_ns_start && ev->session && t->ns.pid != ev->session->host_ns.pid)
        return (int64_t)(t->pid_ns_start + (uint64_t)ev->session->boot_offset);
    return ev->container ? (int64_t)ev->container->started : 0;
}

GET(get_start)
{
    (void)q;
    int64_t start = start_of(x->ev);
    return start && skep_fact_number(ret, start);
}

GET(get_duration)
{
    (void)q;
    int64_t start = start_of(x->ev);
    if (!start || !x->ev->session)
        return false;
    int64_t now = (int64_t)(x->ev->h->time + (uint64_t)x->ev->session->boot_offset);
    return skep_fact_number(ret, MAX(now - start, (int64_t)0));
}

/* ---- mounts ---- */

enum mount_part { MOUNT_SOURCE, MOUNT_DEST, MOUNT_MODE, MOUNT_RDWR, MOUNT_PROPAGATION, MOUNT_PARTS };
#define MOUNT_WHOLE MOUNT_PARTS

/* The next five strings of the list; false: it has no more. */
static bool next_mount(const struct skep_bytes *list, size_t *at, const char *ret[MOUNT_PARTS])
{
    for (int i = 0; i < MOUNT_PARTS; i++) {
        if (*at >= list->len)
            return false;
        ret[i] = list->s + *at;
        *at += strlen(ret[i]) + 1;
    }
    return true;
}

static size_t mount_size(const char *const mount[MOUNT_PARTS])
{
    size_t n = MOUNT_PARTS - 1;
    for (int i = 0; i < MOUNT_PARTS; i++)
        n += strlen(mount[i]);
    return n;
}

/* source:dest:mode:rdwr:propagation, without an end */
static char *copy_mount(char *to, const char *const mount[MOUNT_PARTS])
{
    for (int i = 0; i < MOUNT_PARTS; i++) {
        size_t n = strlen(mount[i]);
        if (i)
            *to++ = ':';
        memcpy(to, mount[i], n);
        to += n;
    }
    return to;
}

static const struct skep_bytes *mounts_of(const struct skep_event *ev)
{
    const struct skep_container *c = ev->container;
    return c && c->traits & SKEP_CONTAINER_KNOWN_MOUNTS ? &c->mounts : NULL;
}

/* All of them, with commas between. They are much shorter than facts may be. */
GET(get_mounts)
{
    (void)q;
    const struct skep_bytes *list = mounts_of(x->ev);
    const char *mount[MOUNT_PARTS];
    size_t size = 0, n = 0, at = 0;
    if (!list)
        return false;
    for (; next_mount(list, &at, mount); n++)
        size += mount_size(mount);
    char *to = skep_fact_room(x, n ? size + n - 1 : 0, &ret->value, &ret->n);
    if (!to)
        return false;
    at = 0;
    for (size_t i = 0; i < n && next_mount(list, &at, mount); i++) {
        if (i)
            *to++ = ',';
        to = copy_mount(to, mount);
    }
    return true;
}

static bool number_of(const char *arg, size_t *ret)
{
    size_t n = 0;
    for (const char *s = arg; *s; s++) {
        if (*s < '0' || *s > '9' || n > SKEP_FIELD_INDEX_MAX)
            return false;
        n = n * 10 + (size_t)(*s - '0');
    }
    *ret = n;
    return *arg;
}

/* The mount with that number, or the first whose source (asked for its source: whose destination) fits the glob. */
static bool find_mount(const struct skep_bytes *list, const char *arg, enum mount_part by,
                       const char *ret[MOUNT_PARTS])
{
    size_t number, at = 0;
    bool numbered = number_of(arg, &number);
    for (size_t i = 0; next_mount(list, &at, ret); i++)
        if (numbered ? i == number : fnmatch(arg, ret[by], 0) == 0)
            return true;
    return false;
}

/* number: enum mount_part, or MOUNT_WHOLE */
GET(get_mount)
{
    const struct skep_bytes *list = mounts_of(x->ev);
    enum mount_part part = (enum mount_part)q->field->number;
    const char *mount[MOUNT_PARTS];
    if (!list || !q->arg ||
        !find_mount(list, q->arg, part == MOUNT_SOURCE ? MOUNT_DEST : MOUNT_SOURCE, mount))
        return false;
    if (part != MOUNT_WHOLE)
        return put(x, mount[part], ret);
    char *to = skep_fact_room(x, mount_size(mount), &ret->value, &ret->n);
    if (!to)
        return false;
    copy_mount(to, mount);
    return true;
}

/* ---- labels ---- */

GET(get_label)
{
    const struct skep_container *c = x->ev->container;
    return c && skep_label_put(x, c, &c->labels, q->arg, ret);
}

GET(get_labels)
{
    (void)q;
    const struct skep_container *c = x->ev->container;
    return c && c->traits & SKEP_CONTAINER_KNOWN_LABELS && skep_labels_put(x, &c->labels, ret);
}

GET(get_pod_label)
{
    const struct skep_container *c = x->ev->container;
    return c && c->pod && skep_label_put(x, c, &c->pod_labels, q->arg, ret);
}

/* ---- health checks ---- */

/* number: 0 the container's own, 1 a probe of Kubernetes, which no file of a runtime tells */
GET(get_healthcheck)
{
    const struct skep_container *c = x->ev->container;
    if (!c || !(c->traits & SKEP_CONTAINER_KNOWN_HEALTHCHECK))
        return false;
    if (!c->healthcheck.s || q->field->number)
        return put(x, "NONE", ret);
    if (!skep_fact_text(x, ret, c->healthcheck.s, c->healthcheck.len ? c->healthcheck.len - 1 : 0))
        return false;
    char *s = (char *)(uintptr_t)ret->value;
    for (uint32_t i = 0; i < ret->n; i++)
        if (s[i] == '\0')
            s[i] = ' ';
    return true;
}

static bool is_probe(const struct skep_container *c, const struct skep_actor *a)
{
    const struct skep_bytes *want = &c->healthcheck;
    const struct skep_proc_image *i = a->image;
    return i && want->len && i->args.s && i->args.len == want->len &&
           memcmp(i->args.s, want->s, want->len) == 0;
}

/* The process, or the ancestor that it descends from, was put into the container from outside and is called as the
 * health check is. */
GET(get_is_healthcheck)
{
    (void)q;
    const struct skep_container *c = x->ev->container;
    struct skep_actor a;
    if (!c || !skep_actor_ancestor(x->ev, 0, &a))
        return skep_fact_bool(ret, false);
    for (int i = 0; i < SKEP_FIELD_INDEX_MAX; i++) {
        struct skep_actor parent = a;
        const struct skep_task *t = skep_actor_task(&a), *outer;
        outer = skep_actor_up(&parent) ? skep_actor_task(&parent) : NULL;
        if (!t || !outer)
            break;
        if (outer->ns.pid != t->ns.pid)
            return skep_fact_bool(ret, t->ns_pid != 1 && is_probe(c, &a));
        a = parent;
    }
    return skep_fact_bool(ret, false);
}

static bool get_false(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)x;
    (void)q;
    return skep_fact_bool(ret, false);
}

/* ---- the table ---- */

#define TEXT(n, get, number, flags, doc)                                                                     \
    {                                                                                                        \
        "container." n, doc, SKEP_RULE_TEXT, flags, "*", get, NULL, 0, number                                \
    }
#define BOOL(n, bit, known, doc)                                                                             \
    {                                                                                                        \
        "container." n, doc, SKEP_RULE_BOOL, 0, "*", get_trait, NULL, 0, TRAIT(bit, known)                   \
    }
#define NUMBER(n, get, flags, doc)                                                                           \
    {                                                                                                        \
        "container." n, doc, SKEP_RULE_NUMBER, flags, "*", get, NULL, 0, 0                                   \
    }
#define CHECK(n, get, doc)                                                                                   \
    {                                                                                                        \
        "proc." n, doc, SKEP_RULE_BOOL, 0, "*", get, NULL, 0, 0                                              \
    }
#define MEMBER(member) offsetof(struct skep_container, member)
#define BY_SOURCE "; [N]: of mount number N, [GLOB]: of the first whose source fits"

static const struct skep_rule_field fields[] = {
    TEXT("id", get_id, SHORT_ID, 0, "the container's id, cut to 12 digits; host: none"),
    TEXT("full_id", get_id, SKEP_CONTAINER_ID_MAX, 0, "the container's whole id; host: none"),
    TEXT("name", get_name, 0, 0, "name of the container; host: none"),
    TEXT("type", get_type, 0, 0,
         "runtime of the container: docker, containerd, cri-o, podman, ...; host: none"),
    TEXT("image", get_image, IMAGE_WHOLE, 0, "image of the container, as its runtime was told"),
    TEXT("image.id", get_image, IMAGE_ID, 0, "the image's id, cut to 12 digits"),
    TEXT("image.repository", get_image, IMAGE_REPOSITORY, 0, "the image's name without tag and digest"),
    TEXT("image.tag", get_image, IMAGE_TAG, 0, "the image's tag"),
    TEXT("image.digest", get_image, IMAGE_DIGEST, 0, "the image's digest in its registry (sha256:...)"),
    BOOL(
        "privileged", SKEP_CONTAINER_PRIVILEGED, SKEP_CONTAINER_KNOWN_PRIVILEGES,
        "the container was started with all privileges: the runtime says so, or it was given all capabilities, no "
        "system call filter, and all of /proc"),
    BOOL("host_pid", SKEP_CONTAINER_HOST_PID, SKEP_CONTAINER_KNOWN_NAMESPACES,
         "the container is in the host's pid namespace"),
    BOOL("host_network", SKEP_CONTAINER_HOST_NETWORK, SKEP_CONTAINER_KNOWN_NAMESPACES,
         "the container is in the host's network namespace"),
    BOOL("host_ipc", SKEP_CONTAINER_HOST_IPC, SKEP_CONTAINER_KNOWN_NAMESPACES,
         "the container is in the host's ipc namespace"),
    TEXT(
        "mounts", get_mounts, 0, 0,
        "what is mounted from outside, as source:destination:mode:writable:propagation, with commas between"),
    TEXT("mount", get_mount, MOUNT_WHOLE, SKEP_FIELD_ARG_REQUIRED, "one mount, in the same way" BY_SOURCE),
    TEXT("mount.source", get_mount, MOUNT_SOURCE, SKEP_FIELD_ARG_REQUIRED,
         "source; [N]: of mount number N, [GLOB]: of the first whose destination fits"),
    TEXT("mount.dest", get_mount, MOUNT_DEST, SKEP_FIELD_ARG_REQUIRED, "destination" BY_SOURCE),
    TEXT("mount.mode", get_mount, MOUNT_MODE, SKEP_FIELD_ARG_REQUIRED, "mode" BY_SOURCE),
    TEXT("mount.rdwr", get_mount, MOUNT_RDWR, SKEP_FIELD_ARG_REQUIRED, "true: it may be written" BY_SOURCE),
    TEXT("mount.propagation", get_mount, MOUNT_PROPAGATION, SKEP_FIELD_ARG_REQUIRED, "propagation" BY_SOURCE),
    TEXT("label", get_label, 0, SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_DOT, "value of a label"),
    TEXT("labels", get_labels, 0, 0,
         "labels as key:value, with commas between; those of Kubernetes left out"),
    TEXT("pod", get_text, MEMBER(pod), 0,
         "name of the pod that the container is in, of Kubernetes or of podman alone"),
    TEXT("pod.label", get_pod_label, 0, SKEP_FIELD_ARG_REQUIRED, "value of a label of that pod"),
    TEXT("ip", get_text, MEMBER(ip), 0, "address of the container"),
    TEXT("cni.json", get_text, MEMBER(cni), 0, "what the network plugins answered"),
    TEXT("healthcheck", get_healthcheck, 0, 0,
         "command that tells whether the container is healthy, or NONE"),
    TEXT("liveness_probe", get_healthcheck, 1, 0, "NONE: runtimes do not keep Kubernetes' probes"),
    TEXT("readiness_probe", get_healthcheck, 1, 0, "NONE: runtimes do not keep Kubernetes' probes"),
    NUMBER("start_ts", get_start, SKEP_FIELD_TIME, "when the container's first process was created"),
    NUMBER("duration", get_duration, SKEP_FIELD_DURATION, "time since container.start_ts"),
    CHECK("is_container_healthcheck", get_is_healthcheck,
          "the process belongs to the container's health check"),
    CHECK("is_container_liveness_probe", get_false, "false: not known"),
    CHECK("is_container_readiness_probe", get_false, "false: not known"),
};

const struct skep_rule_family skep_rule_family_container = {"container", "The container", fields,
                                                            ARRAY_SIZE(fields)};
