/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/actor.h"
#include "rule/names/users.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

static bool has_user(const struct skep_event *ev)
{
    return !(ev->h->flags & SKEP_HDR_NO_TASK);
}

GET(get_uid)
{
    (void)q;
    return has_user(x->ev) && skep_fact_number(ret, x->ev->h->euid);
}

/* number: offset in struct skep_rule_user. A user without an entry is called <NA>, and is somebody: comparisons with it
 * hold, also !=. */
static bool put(struct skep_rule_ctx *x, uint32_t uid, uint32_t member, struct skep_fact *ret)
{
    const struct skep_rule_user *u = x->users ? skep_rule_user_of(x->users, x->ev, uid) : NULL;
    const char *s = SKEP_USER_UNKNOWN;
    if (u)
        memcpy(&s, (const char *)u + member, sizeof(s));
    return skep_fact_text(x, ret, s, strlen(s));
}

GET(get_text)
{
    return has_user(x->ev) && put(x, x->ev->h->euid, q->field->number, ret);
}

static const struct skep_task *task_of(const struct skep_event *ev)
{
    struct skep_actor a;
    return skep_actor_of(ev, &a) ? skep_actor_task(&a) : NULL;
}

GET(get_login_uid)
{
    (void)q;
    const struct skep_task *t = task_of(x->ev);
    return t && skep_fact_number(ret, t->loginuid == UINT32_MAX ? -1 : (int64_t)t->loginuid);
}

/* Who logged in did so on the host. */
GET(get_login_name)
{
    (void)q;
    const struct skep_task *t = task_of(x->ev);
    if (!t)
        return false;
    const struct skep_rule_user *u =
        x->users && t->loginuid != UINT32_MAX ? skep_rule_user_find(x->users, t->loginuid) : NULL;
    const char *s = u ? u->name : SKEP_USER_UNKNOWN;
    return skep_fact_text(x, ret, s, strlen(s));
}

#define TEXT(n, get, member, doc)                                                                            \
    {                                                                                                        \
        "user." n, doc, SKEP_RULE_TEXT, SKEP_FIELD_NA, "*", get, NULL, 0,                                    \
            offsetof(struct skep_rule_user, member)                                                          \
    }

static const struct skep_rule_spot uid_spots[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc)                                               \
    {.kind = SKEP_ACTOR_KIND(name), .form = SKEP_SPOT_U32, .off = offsetof(struct skep_hdr, euid)},
#include "abi/events.def"
#undef SKEP_EVENT
};

static const struct skep_rule_field fields[] = {
    {"user.uid", "number of the effective user", SKEP_RULE_NUMBER, 0, "*", get_uid, uid_spots,
     ARRAY_SIZE(uid_spots), 0},
    TEXT("name", get_text, name, "name of the effective user; <NA>: without one"),
    TEXT("homedir", get_text, home, "home directory of the effective user"),
    TEXT("shell", get_text, shell, "login shell of the effective user"),
    {"user.loginuid", "number of the user who logged in, as audit knows it; -1: nobody did", SKEP_RULE_NUMBER,
     0, "*", get_login_uid, NULL, 0, 0},
    {"user.loginname", "name of the user who logged in; <NA>: nobody did", SKEP_RULE_TEXT, SKEP_FIELD_NA, "*",
     get_login_name, NULL, 0, 0},
};

const struct skep_rule_family skep_rule_family_user = {"user", "The user", fields, ARRAY_SIZE(fields)};
