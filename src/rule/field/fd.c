/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/fact.h"

static bool get_name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    const struct skep_hdr *h = x->ev->h;
    if (h->kind != SKEP_KIND_open)
        return false;
    struct skep_slice s = ((const struct skep_ev_open *)h)->path;
    return skep_fact_text(x, ret, skep_slice_get(h, s), s.len);
}

static const struct skep_rule_spot name_spot[] = {
    {.kind = SKEP_KIND_open, .form = SKEP_SPOT_SLICE, .off = offsetof(struct skep_ev_open, path)}};

static const struct skep_rule_field fields[] = {
    {"fd.name", "path of the file, or addresses of the socket", SKEP_RULE_TEXT, 0, "open", get_name,
     name_spot, 1, 0},
};

const struct skep_rule_family skep_rule_family_fd = {"fd", "The descriptor", fields, ARRAY_SIZE(fields)};
