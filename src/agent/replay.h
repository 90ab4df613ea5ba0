/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_REPLAY_H
#define SKEP_AGENT_REPLAY_H
/*
 * A replay: a recording as the source, behind it the same pipeline and view as in a live run. Without options it
 * shows what the recording run was asked for; filters that are given narrow that.
 */
#include "agent/options.h"

/* An exit status, or -errno. */
int skep_replay_run(const struct skep_agent_options *o);
#endif
