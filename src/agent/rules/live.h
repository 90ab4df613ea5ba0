/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_LIVE_H
#define SKEP_AGENT_RULES_LIVE_H
/*
 * The rules of a live run: the judge behind the pipeline, the alerts that come of it, and new rules while it goes on.
 *
 *     skep_rules_live_open(o, &rules, &status)         files read, programs ready
 *     skep_rules_live_begin(rules, view, session)      alerts go to view and sinks from here on
 *     skep_rules_live_event(rules, ev)                 the pipeline's judge
 *     loop: skep_rules_live_fd() readable: skep_rules_live_renew(); SIGHUP: skep_rules_live_ask(); a tick: _tick()
 *     skep_rules_live_finish(rules)                    what waits goes out, what was hidden is told
 *
 * A reload is done in two steps, because the kernel has a part in it: see load/filter.h. Whoever drives the loop
 * hands in the kernel.
 */
#include "agent/options.h"
#include "agent/rules/judge.h"
#include "agent/view.h"

struct skep_rules_live;

/* The operator was told what is wrong; an exit status is in ret_status. */
int skep_rules_live_open(const struct skep_agent_options *o, struct skep_rules_live **ret, int *ret_status);
struct skep_rules_live *skep_rules_live_free(struct skep_rules_live *l);
SKEP_DEFINE_CLEANUP(struct skep_rules_live, skep_rules_live_free)
#define _cleanup_rules_live_ SKEP_CLEANUP(skep_rules_live_freep)

/* Borrows both. */
int skep_rules_live_begin(struct skep_rules_live *l, struct skep_view_state *view,
                          const struct skep_session *session);
/* For struct skep_pipeline_ops. */
size_t skep_rules_live_event(void *data, const struct skep_event *ev);
/* The newest rules: what they need observed. */
const struct skep_ruleset *skep_rules_live_rules(const struct skep_rules_live *l);

int skep_rules_live_fd(const struct skep_rules_live *l);
void skep_rules_live_ask(struct skep_rules_live *l);
/* A new set is ready: 1 and it is in ret; the caller puts it in force. 0: nothing. What was wrong with the files was
 * told, and the old rules go on. */
int skep_rules_live_renew(struct skep_rules_live *l, struct skep_ruleset **ret);
/* Events from this time on are judged by rs; takes it over. */
int skep_rules_live_swap(struct skep_rules_live *l, struct skep_ruleset *rs, uint64_t from);
/* Files of sinks are opened again (SIGUSR1). */
void skep_rules_live_reopen(struct skep_rules_live *l);
/* Time goes on (CLOCK_BOOTTIME ns). */
void skep_rules_live_tick(struct skep_rules_live *l, uint64_t now);
/* Before the view is finished. An exit status. */
int skep_rules_live_finish(struct skep_rules_live *l);
#endif
