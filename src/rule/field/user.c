/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/fact.h"

static bool get_uid(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    return skep_fact_number(ret, x->ev->h->uid);
}

static const struct skep_rule_spot uid_spot[] = {
    {.form = SKEP_SPOT_U32, .off = offsetof(struct skep_hdr, uid)}};

static const struct skep_rule_field fields[] = {
    {"user.uid", "number of the user", SKEP_RULE_NUMBER, 0, "*", get_uid, uid_spot, 1, 0},
};

const struct skep_rule_family skep_rule_family_user = {"user", "The user", fields, ARRAY_SIZE(fields)};
