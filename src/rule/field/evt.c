/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/evttype.h"
#include "rule/fact.h"
#include "rule/field/args.h"

static bool get_type(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    size_t n;
    const char *name = skep_evttypes(&n)[x->evttype].name;
    return skep_fact_text(x, ret, name, name ? strlen(name) : 0);
}

static bool get_rawres(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    return x->ev->h->flags & SKEP_HDR_RET && skep_fact_number(ret, x->ev->h->ret);
}

static bool get_arg(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    return skep_rule_args_get(x, q->arg, q->field->type, ret);
}

static const struct skep_rule_spot ret_spot[] = {{.form = SKEP_SPOT_RET}};

static const struct skep_rule_field fields[] = {
    {"evt.type", "name of the system call, or of what happened", SKEP_RULE_TEXT, 0, "*", get_type, NULL, 0,
     0},
    {"evt.arg", "argument of the event, by name or place, as text", SKEP_RULE_TEXT,
     SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_EVENT, "*", get_arg, NULL, 0, 0},
    {"evt.rawres", "what the call returned", SKEP_RULE_NUMBER, 0, "*", get_rawres, ret_spot, 1, 0},
};

const struct skep_rule_family skep_rule_family_evt = {"evt", "The event", fields, ARRAY_SIZE(fields)};
