/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"
#include "rule/field/actor.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

#define SHORT_ID 12
#define HOST "host"

/* What is told of the host where it has no container's answer: its name, and no image. */
static bool put_host(struct skep_rule_ctx *x, const char *s, struct skep_fact *ret)
{
    return skep_fact_text(x, ret, s, strlen(s));
}

/* number: how much of it is shown */
GET(get_id)
{
    const struct skep_container *c = x->ev->container;
    return c ? skep_fact_text(x, ret, c->id, strnlen(c->id, q->field->number)) : put_host(x, HOST, ret);
}

GET(get_name)
{
    (void)q;
    const struct skep_container *c = x->ev->container;
    if (!c)
        return put_host(x, HOST, ret);
    return c->name && skep_fact_text(x, ret, c->name, strlen(c->name));
}

GET(get_type)
{
    (void)q;
    const struct skep_container *c = x->ev->container;
    const char *name = c ? skep_runtime_name(c->runtime) : HOST;
    return name && skep_fact_text(x, ret, name, strlen(name));
}

/* repository[:tag][@digest]; a colon before the last slash belongs to a port. */
static void split_image(const char *image, size_t *ret_repository, const char **ret_tag, size_t *ret_tag_len,
                        const char **ret_digest)
{
    size_t n = strcspn(image, "@"), colon = n;
    for (size_t i = n; i > 0 && image[i - 1] != '/'; i--)
        if (image[i - 1] == ':')
            colon = i - 1;
    *ret_repository = colon;
    *ret_tag = colon < n ? image + colon + 1 : image + n;
    *ret_tag_len = colon < n ? n - colon - 1 : 0;
    *ret_digest = image[n] ? image + n + 1 : NULL;
}

enum image_part { IMAGE_WHOLE, IMAGE_REPOSITORY, IMAGE_TAG, IMAGE_DIGEST };

/* number: enum image_part */
GET(get_image)
{
    const struct skep_container *c = x->ev->container;
    const char *tag, *digest;
    size_t repository, tag_len;
    if (!c)
        return put_host(x, "", ret);
    if (!c->image)
        return false;
    split_image(c->image, &repository, &tag, &tag_len, &digest);
    switch ((enum image_part)q->field->number) {
    case IMAGE_WHOLE:
        return skep_fact_text(x, ret, c->image, strlen(c->image));
    case IMAGE_REPOSITORY:
        return skep_fact_text(x, ret, c->image, repository);
    case IMAGE_TAG:
        return skep_fact_text(x, ret, tag, tag_len);
    case IMAGE_DIGEST:
        return digest && skep_fact_text(x, ret, digest, strlen(digest));
    }
    return false;
}

/* A container's first process is that of its pid namespace. */
static uint64_t start_of(const struct skep_event *ev)
{
    struct skep_actor a;
    const struct skep_task *t = ev->container && skep_actor_of(ev, &a) ? skep_actor_task(&a) : NULL;
    return t ? t->pid_ns_start : 0;
}

GET(get_start)
{
    (void)q;
    uint64_t start = start_of(x->ev);
    return start &&
           skep_fact_number(ret, (int64_t)start + (x->ev->session ? x->ev->session->boot_offset : 0));
}

GET(get_duration)
{
    (void)q;
    uint64_t start = start_of(x->ev), now = x->ev->h->time;
    return start && skep_fact_number(ret, now > start ? (int64_t)(now - start) : 0);
}

static bool get_none(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    (void)ret;
    (void)x;
    return false;
}

#define TEXT(n, get, number, doc)                                                                            \
    {                                                                                                        \
        "container." n, doc, SKEP_RULE_TEXT, 0, "*", get, NULL, 0, number                                    \
    }

static const struct skep_rule_field fields[] = {
    TEXT("id", get_id, SHORT_ID, "the container's id, cut to 12 digits; host: none"),
    TEXT("full_id", get_id, SKEP_CONTAINER_ID_MAX, "the container's whole id; host: none"),
    TEXT("name", get_name, 0, "name of the container; host: none"),
    TEXT("type", get_type, 0, "runtime of the container: docker, containerd, cri-o, podman, ...; host: none"),
    TEXT("image", get_image, IMAGE_WHOLE, "image of the container, as its runtime was told"),
    TEXT("image.repository", get_image, IMAGE_REPOSITORY, "the image's name without tag and digest"),
    TEXT("image.tag", get_image, IMAGE_TAG, "the image's tag"),
    TEXT("image.digest", get_image, IMAGE_DIGEST, "the image's digest in its registry (sha256:...)"),
    {"container.privileged", "the container has all privileges", SKEP_RULE_BOOL, 0, "*", get_none, NULL, 0,
     0},
    {"container.start_ts", "when the container's first process was created", SKEP_RULE_NUMBER,
     SKEP_FIELD_TIME, "*", get_start, NULL, 0, 0},
    {"container.duration", "time since container.start_ts", SKEP_RULE_NUMBER, SKEP_FIELD_DURATION, "*",
     get_duration, NULL, 0, 0},
};

const struct skep_rule_family skep_rule_family_container = {"container", "The container", fields,
                                                            ARRAY_SIZE(fields)};
