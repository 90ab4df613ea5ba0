/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"
#include "rule/field/label.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

#define SHORT_ID 12

/* podman has pods, too, but no namespaces of them. */
static bool in_pod(const struct skep_event *ev)
{
    return ev->container && ev->container->pod && ev->container->namespace_;
}

/* number: offset of a text in struct skep_container */
GET(get_text)
{
    char *s = NULL;
    if (in_pod(x->ev))
        memcpy(&s, (const char *)x->ev->container + q->field->number, sizeof(s));
    return s && skep_fact_text(x, ret, s, strlen(s));
}

/* number: how much of it is shown */
GET(get_sandbox)
{
    const char *s = in_pod(x->ev) ? x->ev->container->sandbox : NULL;
    return s && skep_fact_text(x, ret, s, strnlen(s, q->field->number));
}

GET(get_label)
{
    const struct skep_container *c = x->ev->container;
    return in_pod(x->ev) && c->pod_labels.s && skep_label_put(x, c, &c->pod_labels, q->arg, ret);
}

GET(get_labels)
{
    (void)q;
    const struct skep_container *c = x->ev->container;
    return in_pod(x->ev) && c->pod_labels.s && skep_labels_put(x, &c->pod_labels, ret);
}

/* Known to the API server only, which is not asked. */
GET(get_nothing)
{
    (void)x;
    (void)q;
    (void)ret;
    return false;
}

#define NAMED(n, get, number, flags, doc)                                                                    \
    {                                                                                                        \
        n, doc, SKEP_RULE_TEXT, flags, "*", get, NULL, 0, number                                             \
    }
#define TEXT(n, get, number, flags, doc) NAMED("k8s." n, get, number, flags, doc)
/* Fields of the plugin that asks the API server: what the container's runtime knows as well. */
#define META(n, get, number, flags) NAMED("k8smeta." n, get, number, flags, "as k8s." n)
#define MEMBER(member) offsetof(struct skep_container, member)
#define OLD(n)                                                                                               \
    TEXT(n, get_nothing, 0, SKEP_FIELD_DEPRECATED,                                                           \
         "never there: known to the API server only, which is not asked")
#define OLD_LABEL(n)                                                                                         \
    TEXT(n, get_nothing, 0, SKEP_FIELD_DEPRECATED | SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_DOT,            \
         "never there: known to the API server only, which is not asked")

static const struct skep_rule_field fields[] = {
    TEXT("pod.name", get_text, MEMBER(pod), 0, "name of the pod"),
    TEXT("ns.name", get_text, MEMBER(namespace_), 0, "name of the pod's namespace"),
    TEXT("pod.id", get_text, MEMBER(pod_uid), 0, "the pod's uid"),
    TEXT("pod.uid", get_text, MEMBER(pod_uid), 0, "the pod's uid"),
    TEXT("pod.sandbox_id", get_sandbox, SHORT_ID, 0, "id of the pod's sandbox, cut to 12 digits"),
    TEXT("pod.full_sandbox_id", get_sandbox, SKEP_CONTAINER_ID_MAX, 0, "id of the pod's sandbox"),
    TEXT("pod.label", get_label, 0, SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_DOT,
         "value of a label of the pod"),
    TEXT("pod.labels", get_labels, 0, 0, "labels of the pod as key:value, with commas between"),
    TEXT("pod.ip", get_text, MEMBER(ip), 0, "address of the pod"),
    TEXT("pod.cni.json", get_text, MEMBER(cni), 0, "what the network plugins answered"),
    OLD("rc.name"),
    OLD("rc.id"),
    OLD_LABEL("rc.label"),
    OLD("rc.labels"),
    OLD("svc.name"),
    OLD("svc.id"),
    OLD_LABEL("svc.label"),
    OLD("svc.labels"),
    OLD("ns.id"),
    OLD_LABEL("ns.label"),
    OLD("ns.labels"),
    OLD("rs.name"),
    OLD("rs.id"),
    OLD_LABEL("rs.label"),
    OLD("rs.labels"),
    OLD("deployment.name"),
    OLD("deployment.id"),
    OLD_LABEL("deployment.label"),
    OLD("deployment.labels"),
    META("pod.name", get_text, MEMBER(pod), 0),
    META("pod.uid", get_text, MEMBER(pod_uid), 0),
    META("pod.label", get_label, 0, SKEP_FIELD_ARG_REQUIRED),
    META("pod.ip", get_text, MEMBER(ip), 0),
    META("ns.name", get_text, MEMBER(namespace_), 0),
};

const struct skep_rule_family skep_rule_family_k8s = {"k8s", "Kubernetes", fields, ARRAY_SIZE(fields)};
