/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_RULES_PUSHDOWN_H
#define SKEP_AGENT_RULES_PUSHDOWN_H
/*
 * What the kernel does on behalf of rules and of the condition that events have to meet (--where): observes what they
 * need and nothing else, and drops what none of them can match. Where the compiler's programs meet the loader.
 */
#include "agent/rules/ruleset.h"
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

/*
 * The filters of rules for kinds that are not shown, and of the condition for the others. The kernel's verifier takes its
 * time over large ones, so this is a job (base/job.h); events go on meanwhile, judged in user space alone.
 *
 *     skep_pushdown_begin(k, &p, &job)
 *     skep_pushdown_fd(job) readable: skep_pushdown_end(TAKE_PTR(job), tell, data, &filters)
 *
 * What p points to has to live until then, or until skep_pushdown_free(), which gives up.
 */
struct skep_pushdown_job;

int skep_pushdown_begin(struct skep_kernel *k, const struct skep_pushdown *p, struct skep_pushdown_job **ret);
int skep_pushdown_fd(const struct skep_pushdown_job *job);
const struct skep_pushdown *skep_pushdown_of(const struct skep_pushdown_job *job);
/* Waits for the job. What the kernel refused is told to tell(), a line each; these events all come to user space. *ret
 * is NULL when there is no filter. */
int skep_pushdown_end(struct skep_pushdown_job *job, void (*tell)(void *data, const char *line), void *data,
                      struct skep_filters **ret);
struct skep_pushdown_job *skep_pushdown_free(struct skep_pushdown_job *job);
#endif
