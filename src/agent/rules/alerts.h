/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_ALERTS_H
#define SKEP_AGENT_RULES_ALERTS_H
/*
 * From a match to whoever is to hear of it: limits and suppression, the alert as text and as JSON, and the sinks, or
 * the output of the run when there are none. Nothing in here waits: the output and each sink have a queue and a thread of their own,
 * and what did not fit is counted.
 */
#include "agent/options.h"
#include "agent/rules/ruleset.h"
#include "agent/view.h"

struct skep_alerts;

/* Tells the operator what is wrong with what he wants. */
int skep_alerts_open(const struct skep_agent_options *o, struct skep_alerts **ret, int *ret_status);
struct skep_alerts *skep_alerts_free(struct skep_alerts *a);
/* Borrows both. */
int skep_alerts_begin(struct skep_alerts *a, struct skep_view_state *view,
                      const struct skep_session *session);
void skep_alerts_put(struct skep_alerts *a, struct skep_ruleset *rs, uint32_t rule,
                     const struct skep_event *ev, const struct skep_ruleset_world *world);
/* What was hidden in windows that are over is told. now: CLOCK_BOOTTIME ns. */
void skep_alerts_tick(struct skep_alerts *a, uint64_t now);
void skep_alerts_reopen(struct skep_alerts *a);
/* Waits a little for sinks that are slow; tells what was hidden or lost. An exit status. */
int skep_alerts_finish(struct skep_alerts *a);
#endif
