/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_JUDGE_H
#define SKEP_AGENT_RULES_JUDGE_H
/*
 * The judge: hands each event to the rules that are in force for it, and tells what matched.
 *
 * Which rules are in force is a matter of the event's own time. A reload sets a boundary: events that began before it
 * are judged by the old rules, all others by the new ones, whenever they arrive. So no event is judged twice or by
 * nobody, and a replay is the same as the live run. Old rules are kept until no event of their time can come any more
 * (SKEP_JUDGE_KEEP_NS of event time).
 *
 * What counts across reloads (matches by rule, names of users) belongs to the judge. One thread.
 */
#include "agent/rules/ruleset.h"

#define SKEP_JUDGE_KEEP_NS 2000000000ULL
#define SKEP_JUDGE_SETS_MAX                                                                                  \
    64 /* in force for events that may still come; a reload waits when there are more */

/* A rule matched: rs and rule are valid during the call. */
typedef void (*skep_judge_alert_fn)(void *data, struct skep_ruleset *rs, uint32_t rule,
                                    const struct skep_event *ev, const struct skep_ruleset_world *world);

struct skep_judge_count {
    char *name;
    uint64_t matches;
};

struct skep_judge;

/* Takes rs over also on failure. */
int skep_judge_new(struct skep_ruleset *rs, skep_judge_alert_fn alert, void *data, struct skep_judge **ret);
struct skep_judge *skep_judge_free(struct skep_judge *j);
SKEP_DEFINE_CLEANUP(struct skep_judge, skep_judge_free)
#define _cleanup_judge_ SKEP_CLEANUP(skep_judge_freep)

/* Events happen now and on this host: see skep_rule_users_follow_containers(). */
int skep_judge_follow_containers(struct skep_judge *j);
/* Whether the rules in force for it want such an event at all, or the judge learns from it. */
bool skep_judge_wants(const struct skep_judge *j, uint16_t kind);
/* What an event tells that rules do not judge, of names of addresses. */
void skep_judge_learn(struct skep_judge *j, const struct skep_event *ev);
/* How many rules matched. Learns from the event as well. */
size_t skep_judge_event(struct skep_judge *j, const struct skep_event *ev);
/* From this time (CLOCK_BOOTTIME ns) on rs is in force; takes it over. -EBUSY: too many reloads in a short time, try
 * again (rs stays the caller's). */
int skep_judge_swap(struct skep_judge *j, struct skep_ruleset *rs, uint64_t from);
/* How often comparisons of the newest rules were true in a sample of the events, once there is enough of it: 1 and a block
 * to be freed; 0: not yet, or told already. Rules that were loaded with weights are not measured again. */
int skep_judge_weights(struct skep_judge *j, struct skep_atom_weight **ret, size_t *ret_n);
/* The newest rules. */
struct skep_ruleset *skep_judge_rules(const struct skep_judge *j);
/* Matches of every rule since the judge was made, rules in the order of the newest set, then those that are gone;
 * -ENOMEM. ret: n of them, for skep_judge_counts_free(). */
int skep_judge_counts(const struct skep_judge *j, struct skep_judge_count **ret, size_t *ret_n);
void skep_judge_counts_free(struct skep_judge_count *counts, size_t n);
/* Runs of programs that ended with an error, which would be a defect of ours; the text of the last in ret_text
 * (borrowed, NULL: none). */
uint64_t skep_judge_faults(const struct skep_judge *j, const char **ret_text);
#endif
