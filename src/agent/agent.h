/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_AGENT_H
#define SKEP_AGENT_AGENT_H
/*
 * The agent: what the commands call. Each function does its whole job, tells the operator what went wrong on
 * standard error, and returns an exit status (enum skep_exit), or -errno when it failed before it could say
 * anything.
 */
#include "agent/options.h"

/* Takes events from the kernel or a recording to the sinks that o names, until it is over. */
int skep_agent_run(const struct skep_agent_options *o);
/* Prints what this kernel offers: every feature and hook, what was tried, and what follows. */
int skep_probe_run(const struct skep_probe_options *o);
/* Prints the process table. */
int skep_ps_run(const struct skep_ps_options *o);
/* Appends the reference of all kinds and fields. */
int skep_docs_events(bool json, struct skep_strbuf *sb);
#endif
