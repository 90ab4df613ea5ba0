/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/actor.h"
#include "rule/names/users.h"

static bool has_group(const struct skep_event *ev)
{
    return !(ev->h->flags & SKEP_HDR_NO_TASK);
}

static bool get_gid(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    return has_group(x->ev) && skep_fact_number(ret, x->ev->h->egid);
}

static bool get_name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)q;
    if (!has_group(x->ev))
        return false;
    const char *s = x->users ? skep_rule_group_of(x->users, x->ev, x->ev->h->egid) : NULL;
    if (!s)
        s = SKEP_USER_UNKNOWN;
    return skep_fact_text(x, ret, s, strlen(s));
}

static const struct skep_rule_spot gid_spots[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc)                                               \
    {.kind = SKEP_ACTOR_KIND(name), .form = SKEP_SPOT_U32, .off = offsetof(struct skep_hdr, egid)},
#include "abi/events.def"
#undef SKEP_EVENT
};

static const struct skep_rule_field fields[] = {
    {"group.gid", "number of the effective group", SKEP_RULE_NUMBER, 0, "*", get_gid, gid_spots,
     ARRAY_SIZE(gid_spots), 0},
    {"group.name", "name of the effective group; <NA>: without one", SKEP_RULE_TEXT, SKEP_FIELD_NA, "*",
     get_name, NULL, 0, 0},
};

const struct skep_rule_family skep_rule_family_group = {"group", "The group", fields, ARRAY_SIZE(fields)};
