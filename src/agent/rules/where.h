/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_WHERE_H
#define SKEP_AGENT_RULES_WHERE_H
/*
 * The filter of --where: conditions of the rule language (rule/falco/falco.h) over its fields and over columns (rule/column/column.h),
 * which an event has to meet to be shown, recorded or judged.
 *
 * It is a ruleset of one rule (agent/ruleset.h): the condition runs as eBPF programs in the engine, one for each kind of
 * event, and where the source is live it is pushed down like rules are (agent/pushdown.h): what it cannot be true for is
 * not observed, and what the kernel can tell that it is not true for does not leave the kernel.
 *
 * What it knows of events that went before, names of addresses, it must be told: skep_where_learn() with every dns event,
 * whether that is shown or not, when skep_where_wants_names(). One thread.
 */
#include "agent/rules/ruleset.h"
#include "event/schema.h"

#define SKEP_WHERE_MAX 65536 /* bytes of a condition */

/* A condition, and what diagnostics call it. */
struct skep_where_text {
    const char *name;
    const char *text;
};

struct skep_where_options {
    const bool
        *kinds; /* SKEP_KIND_MAX of them, that it will be asked about: columns have to be theirs; NULL: all */
    bool live;  /* events happen now and on this host */
    bool no_pushdown, interpret; /* as of rules */
};

struct skep_where;

/* All of n conditions have to hold, n > 0. Borrows the schema, copies the texts. What is wrong, or only doubtful, is in
 * d. -EINVAL: there are errors; -ENOMEM. */
int skep_where_new(const struct skep_schema *s, const struct skep_where_text *texts, size_t n,
                   const struct skep_where_options *o, struct skep_diags *d, struct skep_where **ret);
struct skep_where *skep_where_free(struct skep_where *w);
SKEP_DEFINE_CLEANUP(struct skep_where, skep_where_free)
#define _cleanup_where_ SKEP_CLEANUP(skep_where_freep)

bool skep_where_match(struct skep_where *w, const struct skep_event *ev);
/* Whether it asks for names of addresses. */
bool skep_where_wants_names(const struct skep_where *w);
void skep_where_learn(struct skep_where *w, const struct skep_event *ev);
/* For the kernel's part in it, and for faults of programs, which count events that did not match. */
const struct skep_ruleset *skep_where_rules(const struct skep_where *w);
#endif
