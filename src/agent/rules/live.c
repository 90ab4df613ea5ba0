/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rules/live.h"

#include "agent/rules/alerts.h"
#include "agent/rules/load.h"
#include "agent/rules/reload.h"
#include "base/log.h"

#include <inttypes.h>

struct skep_rules_live {
    const struct skep_agent_options *o;
    struct skep_rules_load load;
    struct skep_judge *judge;
    struct skep_alerts *alerts;
    struct skep_reload *reload;
    struct skep_view_state *view;
};

static void on_match(void *data, struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                     const struct skep_ruleset_world *world)
{
    struct skep_rules_live *l = data;
    skep_alerts_put(l->alerts, rs, rule, ev, world);
}

struct skep_rules_live *skep_rules_live_free(struct skep_rules_live *l)
{
    if (!l)
        return NULL;
    skep_reload_free(l->reload);
    skep_judge_free(l->judge);
    skep_alerts_free(l->alerts);
    skep_rules_load_clear(&l->load);
    free(l);
    return NULL;
}

int skep_rules_live_open(const struct skep_agent_options *o, struct skep_rules_live **ret, int *ret_status)
{
    _cleanup_rules_live_ struct skep_rules_live *l = calloc(1, sizeof(*l));
    struct skep_ruleset *rs;
    *ret_status = SKEP_EXIT_FAILED;
    if (!l)
        return -ENOMEM;
    l->o = o;
    int r = skep_alerts_open(o, &l->alerts, ret_status);
    if (r >= 0)
        r = skep_rules_load_options(&o->rules, &l->load);
    if (r >= 0)
        r = skep_rules_load(&l->load.options, &rs);
    if (r == -EINVAL)
        *ret_status = SKEP_EXIT_USAGE;
    if (r >= 0)
        r = skep_judge_new(rs, on_match, l, &l->judge);
    if (r >= 0)
        r = skep_judge_follow_containers(l->judge);
    if (r >= 0)
        r = skep_reload_new(&l->load.options, &l->reload);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(l);
    return 0;
}

int skep_rules_live_begin(struct skep_rules_live *l, struct skep_view_state *view,
                          const struct skep_session *session)
{
    l->view = view;
    return skep_alerts_begin(l->alerts, view, session);
}

size_t skep_rules_live_event(void *data, const struct skep_event *ev)
{
    struct skep_rules_live *l = data;
    skep_view_learn(l->view, ev);
    if (!skep_judge_wants(l->judge, ev->h->kind))
        return 0;
    if (!skep_view_admits(l->view, ev)) {
        skep_judge_learn(l->judge, ev);
        return 0;
    }
    skep_view_keep(l->view, ev);
    return skep_judge_event(l->judge, ev);
}

const struct skep_ruleset *skep_rules_live_rules(const struct skep_rules_live *l)
{
    return skep_judge_rules(l->judge);
}

int skep_rules_live_fd(const struct skep_rules_live *l)
{
    return skep_reload_fd(l->reload);
}

void skep_rules_live_ask(struct skep_rules_live *l)
{
    skep_reload_ask(l->reload);
}

/* Diagnostics, line by line, so that they do not mix with the status line. */
static void tell(struct skep_rules_live *l, char *text)
{
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        skep_view_message(l->view, line);
}

int skep_rules_live_renew(struct skep_rules_live *l, struct skep_ruleset **ret)
{
    char *text;
    int r = skep_reload_take(l->reload, ret, &text);
    if (text && !(r > 0 && (*ret)->weighed))
        tell(l, text);
    bool bad = r == -EINVAL || text;
    free(text);
    if (r < 0 && bad) {
        skep_view_message(l->view, "warning: the new rules have errors; the old ones stay in force");
    } else if (r < 0) {
        char line[160];
        snprintf(line, sizeof(line),
                 "warning: the rules could not be read again: %s; the old ones stay in force", strerror(-r));
        skep_view_message(l->view, line);
    }
    return MAX(r, 0);
}

int skep_rules_live_swap(struct skep_rules_live *l, struct skep_ruleset *rs, uint64_t from)
{
    size_t n = 0;
    for (size_t i = 0; i < rs->policy->n_rules; i++)
        n += rs->policy->rules[i].state == SKEP_RULE_ENABLED;
    int r = skep_judge_swap(l->judge, rs, from);
    if (r < 0)
        return r;
    char line[80];
    snprintf(line, sizeof(line), "new rules are in force: %zu", n);
    if (!rs->weighed)
        skep_view_message(l->view, line);
    return 0;
}

void skep_rules_live_reopen(struct skep_rules_live *l)
{
    skep_alerts_reopen(l->alerts);
}

void skep_rules_live_tick(struct skep_rules_live *l, uint64_t now)
{
    struct skep_atom_weight *weights;
    size_t n;
    skep_alerts_tick(l->alerts, now);
    if (skep_judge_weights(l->judge, &weights, &n) > 0)
        skep_reload_weigh(l->reload, weights, n);
}

int skep_rules_live_finish(struct skep_rules_live *l)
{
    const char *fault;
    uint64_t n = skep_judge_faults(l->judge, &fault);
    if (n)
        skep_log(SKEP_LOG_ERROR, "%" PRIu64 " events could not be judged: %s", n, fault);
    int status = skep_alerts_finish(l->alerts);
    return n ? MAX(status, SKEP_EXIT_FAILED) : status;
}
