/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_PUSHDOWN_H
#define SKEP_AGENT_PUSHDOWN_H
/*
 * What the kernel does on behalf of rules and of the condition that events have to meet (--where): observes what they
 * need and nothing else, and drops what none of them can match. Where the compiler's programs meet the loader.
 */
#include "agent/ruleset.h"
#include "load/filter.h"
#include "load/selection.h"

struct skep_pushdown {
    const struct skep_ruleset *rules; /* NULL: none */
    const struct skep_ruleset
        *where;         /* what neither rules nor the view get to see unless it matches; NULL: all */
    const bool *shown;  /* kinds whose events are shown, whether rules match or not; SKEP_KIND_MAX */
    const bool *always; /* kinds that are observed in any case; SKEP_KIND_MAX */
};

/* What has to be observed. */
void skep_pushdown_selection(const struct skep_pushdown *p, struct skep_selection *ret);
/* The filters of rules for kinds that are not shown, and of the condition for the others.
 * What the kernel refused is told to tell(), a line each; then these events all come to user space. *ret is NULL when there
 * is no filter. */
int skep_pushdown_filters(struct skep_kernel *k, const struct skep_pushdown *p,
                          void (*tell)(void *data, const char *line), void *data, struct skep_filters **ret);
#endif
