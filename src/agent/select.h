/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_SELECT_H
#define SKEP_AGENT_SELECT_H
/*
 * From what a command was given to what the pipeline selects by. What is wrong is said on standard error.
 */
#include "agent/options.h"
#include "agent/pipeline.h"

/* -EINVAL: there is no such kind. */
int skep_select_kinds(const struct skep_agent_options *o, const struct skep_schema *schema,
                      bool kinds[SKEP_KIND_MAX]);
/* The scope borrows o's texts. -EINVAL. */
int skep_select_scope(const struct skep_agent_options *o, const bool kinds[SKEP_KIND_MAX],
                      struct skep_scope *ret);
#endif
