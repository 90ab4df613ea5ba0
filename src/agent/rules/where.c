/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/where.h"

#include "rule/column/column.h"
#include "rule/falco/falco.h"
#include "rule/names/hosts.h"
#include "rule/names/users.h"

#define CODE "LOAD_ERR_COMPILE_CONDITION"

struct skep_where {
    struct skep_columns *columns;
    struct skep_ruleset *rules;
    struct skep_ruleset_world world;
};

struct skep_where *skep_where_free(struct skep_where *w)
{
    if (!w)
        return NULL;
    skep_ruleset_free(w->rules);
    skep_columns_free(w->columns); /* what was compiled has fields of it */
    skep_rule_users_free(w->world.users);
    skep_rule_hosts_free(w->world.hosts);
    free(w);
    return NULL;
}

static int open_world(struct skep_where *w, bool live)
{
    int r = skep_rule_users_new(NULL, &w->world.users);
    if (r >= 0)
        r = skep_rule_hosts_new(NULL, &w->world.hosts);
    if (r >= 0 && live)
        r = skep_rule_users_follow_containers(w->world.users);
    return r;
}

int skep_where_new(const struct skep_schema *s, const struct skep_where_text *texts, size_t n,
                   const struct skep_where_options *o, struct skep_diags *d, struct skep_where **ret)
{
    _cleanup_where_ struct skep_where *w = calloc(1, sizeof(*w));
    _cleanup_free_ struct skep_falco_input *in = calloc(MAX(n, (size_t)1), sizeof(*in));
    struct skep_ruleset_options ro = {.min_priority = SKEP_PRIORITY_DEBUG,
                                      .no_pushdown = o->no_pushdown,
                                      .interpret = o->interpret,
                                      .no_suggestions = true};
    struct skep_policy *policy;
    if (!w || !in)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        in[i] = (struct skep_falco_input){texts[i].name, texts[i].text, strlen(texts[i].text)};
        if (in[i].len <= SKEP_WHERE_MAX)
            continue;
        skep_rule_complain(d, true, NULL, CODE, "%s: the condition is longer than %d bytes", texts[i].name,
                           SKEP_WHERE_MAX);
        return -EINVAL;
    }
    int r = skep_columns_new(s, o->kinds, &w->columns);
    if (r >= 0)
        r = skep_falco_conditions(in, n, w->columns, d, &policy);
    if (r >= 0)
        r = skep_ruleset_make(&ro, policy, d, &w->rules);
    if (r >= 0)
        r = open_world(w, o->live);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(w);
    return 0;
}

bool skep_where_match(struct skep_where *w, const struct skep_event *ev)
{
    const uint32_t *rules;
    return skep_ruleset_judge(w->rules, ev, &w->world, &rules) > 0;
}

bool skep_where_wants_names(const struct skep_where *w)
{
    return w->rules->wants_names;
}

void skep_where_learn(struct skep_where *w, const struct skep_event *ev)
{
    /* without memory an address stays without its name */
    if (ev->h->kind == SKEP_KIND_dns)
        skep_rule_hosts_learn(w->world.hosts, ev);
}

const struct skep_ruleset *skep_where_rules(const struct skep_where *w)
{
    return w->rules;
}
