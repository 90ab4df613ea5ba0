/* SPDX-License-Identifier: Apache-2.0 */
#include "event/names.h"
#include "rule/field/actor.h"

#define GET(name)                                                                                            \
    static bool name(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)

GET(get_tid)
{
    (void)q;
    return x->ev->h->tid && skep_fact_number(ret, x->ev->h->tid);
}

GET(get_vtid)
{
    (void)q;
    uint32_t tid = skep_actor_vtid(x->ev);
    return tid && skep_fact_number(ret, tid);
}

GET(get_is_main)
{
    (void)q;
    const struct skep_hdr *h = x->ev->h;
    return h->tid && skep_fact_bool(ret, h->tid == h->pid);
}

GET(get_name_tid)
{
    (void)q;
    char text[SKEP_COMM_LEN + 16];
    const struct skep_hdr *h = x->ev->h;
    if (!h->tid)
        return false;
    int n = snprintf(text, sizeof(text), "%.*s%u", SKEP_COMM_LEN, h->comm, h->tid);
    return skep_fact_text(x, ret, text, (size_t)n);
}

/* "CAP_CHOWN CAP_KILL"; bits without a name are left out. */
static bool put_caps(struct skep_rule_ctx *x, uint64_t caps, struct skep_fact *ret)
{
    size_t n = 0;
    for (unsigned i = 0; i < 64; i++) {
        const char *name = caps >> i & 1 ? skep_names_get(&skep_names_caps, 1ULL << i) : NULL;
        n += name ? strlen(name) + 1 : 0;
    }
    char *p = skep_fact_room(x, n ? n - 1 : 0, &ret->value, &ret->n);
    if (!p)
        return false;
    for (unsigned i = 0; i < 64; i++) {
        const char *name = caps >> i & 1 ? skep_names_get(&skep_names_caps, 1ULL << i) : NULL;
        if (!name)
            continue;
        size_t len = strlen(name);
        memcpy(p, name, len);
        n -= len + 1;
        if (n)
            p[len] = ' ';
        p += len + 1;
    }
    return true;
}

GET(get_effective)
{
    (void)q;
    return !(x->ev->h->flags & SKEP_HDR_NO_TASK) && put_caps(x, x->ev->h->caps, ret);
}

/* number: offset in struct skep_task */
GET(get_caps)
{
    struct skep_actor a;
    const struct skep_task *t = skep_actor_of(x->ev, &a) ? skep_actor_task(&a) : NULL;
    uint64_t caps;
    if (!t)
        return false;
    memcpy(&caps, (const char *)t + q->field->number, sizeof(caps));
    return put_caps(x, caps, ret);
}

GET(get_cgroups)
{
    (void)q;
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, SKEP_FACT_TEXT_MAX);
    return skep_actor_put_cgroups(x->ev, &sb) && skep_fact_text(x, ret, sb.s, sb.len);
}

GET(get_cgroup)
{
    const char *path = x->ev->cgroup;
    return path && q->arg && skep_actor_has_cgroup(q->arg) && skep_fact_text(x, ret, path, strlen(path));
}

static const struct skep_rule_spot tid_spot[] = {
    {.form = SKEP_SPOT_U32, .off = offsetof(struct skep_hdr, tid), .has_missing = true, .missing = 0}};

static const struct skep_rule_field fields[] = {
    {"thread.tid", "thread id", SKEP_RULE_NUMBER, 0, "*", get_tid, tid_spot, 1, 0},
    {"thread.vtid", "thread id in the process's own pid namespace; known of main threads, and of all outside",
     SKEP_RULE_NUMBER, 0, "*", get_vtid, NULL, 0, 0},
    {"thread.ismain", "the thread is the main one of its process", SKEP_RULE_BOOL, 0, "*", get_is_main, NULL,
     0, 0},
    {"thread.nametid", "name and number of the thread, as bash4711", SKEP_RULE_TEXT, 0, "*", get_name_tid,
     NULL, 0, 0},
    {"thread.cap_permitted",
     "permitted capabilities (CAP_CHOWN CAP_KILL ...) as of the last exec, fork or snapshot", SKEP_RULE_TEXT,
     0, "*", get_caps, NULL, 0, offsetof(struct skep_task, permitted)},
    {"thread.cap_inheritable", "inheritable capabilities, in the same way", SKEP_RULE_TEXT, 0, "*", get_caps,
     NULL, 0, offsetof(struct skep_task, inheritable)},
    {"thread.cap_effective", "effective capabilities (CAP_CHOWN CAP_KILL ...)", SKEP_RULE_TEXT, 0, "*",
     get_effective, NULL, 0, 0},
    {"thread.cgroups",
     "path of the cgroup by controller: cpuset=PATH cpu=PATH cpuacct=PATH io=PATH memory=PATH",
     SKEP_RULE_TEXT, 0, "*", get_cgroups, NULL, 0, 0},
    {"thread.cgroup", "path of the cgroup of one of these controllers", SKEP_RULE_TEXT,
     SKEP_FIELD_ARG_REQUIRED | SKEP_FIELD_ARG_DOT, "*", get_cgroup, NULL, 0, 0},
};

const struct skep_rule_family skep_rule_family_thread = {"thread", "The thread", fields, ARRAY_SIZE(fields)};
