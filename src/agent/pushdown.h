/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_PUSHDOWN_H
#define SKEP_AGENT_PUSHDOWN_H
/*
 * What the kernel does on behalf of rules: observes what they need and nothing else, and drops what none of them can
 * match. Where the compiler's programs meet the loader.
 */
#include "agent/ruleset.h"
#include "load/filter.h"
#include "load/selection.h"

/* What has to be observed for rules (NULL: none), for kinds that are shown, and always. */
void skep_pushdown_selection(const struct skep_ruleset *rs, const bool shown[SKEP_KIND_MAX],
                             const bool always[SKEP_KIND_MAX], struct skep_selection *ret);
/* The filters of rules; none for kinds that are shown as well, since their events are wanted whether they match or not.
 * What the kernel refused is told to tell(), a line each; then these events all come to user space. *ret is NULL when there
 * is no filter. */
int skep_pushdown_filters(struct skep_kernel *k, const struct skep_ruleset *rs,
                          const bool shown[SKEP_KIND_MAX], void (*tell)(void *data, const char *line),
                          void *data, struct skep_filters **ret);
#endif
