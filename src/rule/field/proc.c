/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/fact.h"

static bool get_name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    const char *comm = x->ev->h->comm;
    return skep_fact_text(x, ret, comm, strnlen(comm, SKEP_COMM_LEN));
}

static const struct skep_rule_spot name_spot[] = {
    {.form = SKEP_SPOT_CHARS, .off = offsetof(struct skep_hdr, comm), .size = SKEP_COMM_LEN}};

static const struct skep_rule_field fields[] = {
    {"proc.name", "name of the process (comm)", SKEP_RULE_TEXT, 0, "*", get_name, name_spot, 1, 0},
};

const struct skep_rule_family skep_rule_family_proc = {"proc", "The process", fields, ARRAY_SIZE(fields)};
