/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"
#include "rule/fact.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

/* number: offset of a text in struct skep_container */
GET(get_text)
{
    char *s = NULL;
    if (x->ev->container)
        memcpy(&s, (const char *)x->ev->container + q->field->number, sizeof(s));
    return s && skep_fact_text(x, ret, s, strlen(s));
}

#define TEXT(n, member, doc)                                                                                 \
    {                                                                                                        \
        "k8s." n, doc, SKEP_RULE_TEXT, 0, "*", get_text, NULL, 0, offsetof(struct skep_container, member)    \
    }

static const struct skep_rule_field fields[] = {
    TEXT("pod.name", pod, "name of the pod"),
    TEXT("ns.name", namespace_, "name of the pod's namespace"),
};

const struct skep_rule_family skep_rule_family_k8s = {"k8s", "Kubernetes", fields, ARRAY_SIZE(fields)};
