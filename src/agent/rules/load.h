/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_LOAD_H
#define SKEP_AGENT_RULES_LOAD_H
/*
 * From what the operator asked for to a set of rules, with what is wrong told on standard error; and from a match to
 * the alert that he reads.
 */
#include "agent/options.h"
#include "agent/rules/ruleset.h"
#include "rule/falco/files.h"

/* Borrows o's texts. Its options may be loaded again and again, also from a pipe; they point into it. */
struct skep_rules_load {
    struct skep_ruleset_options options;
    struct skep_rule_choice *choices;
    struct skep_falco_files kept;
};

int skep_rules_load_options(const struct skep_rules_options *o, struct skep_rules_load *ret);
void skep_rules_load_clear(struct skep_rules_load *l);

/* Prints diagnostics to standard error. -EINVAL: there were errors. */
int skep_rules_load(const struct skep_ruleset_options *o, struct skep_ruleset **ret);

/* What the rule's output comes to for an event. */
void skep_rules_put_output(struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                           const struct skep_ruleset_world *world, struct skep_strbuf *sb);
/* The line for a match, in Falco's shape; as text or as JSON. output: what was just put for the same event. */
void skep_rules_put_alert(struct skep_ruleset *rs, uint32_t rule, const struct skep_event *ev,
                          const struct skep_strbuf *output, bool json, const struct skep_alert_style *style,
                          struct skep_strbuf *sb);
#endif
