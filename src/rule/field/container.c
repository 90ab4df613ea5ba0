/* SPDX-License-Identifier: Apache-2.0 */
#include "event/container.h"
#include "rule/fact.h"

static bool get_id(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    const char *id = x->ev->container ? x->ev->container->id : "host";
    return skep_fact_text(x, ret, id, x->ev->container ? strnlen(id, 12) : 4);
}

static const struct skep_rule_field fields[] = {
    {"container.id", "the container's id, cut to 12 digits; host: none", SKEP_RULE_TEXT, 0, "*", get_id, NULL,
     0, 0},
};

const struct skep_rule_family skep_rule_family_container = {"container", "The container", fields,
                                                            ARRAY_SIZE(fields)};
