/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_REPLAY_H
#define SKEP_AGENT_REPLAY_H
/*
 * A replay: a recording as the source, behind it the same pipeline and view as in a live run. Without options it
 * shows what the recording run was asked for; filters that are given narrow that.
 */
#include "agent/head.h"
#include "agent/options.h"
#include "event/layout.h"
#include "event/recording.h"

/* An exit status, or -errno. */
int skep_replay_run(const struct skep_agent_options *o);

/* A recording that is open, with all that reading it takes. */
struct skep_replay_source {
    const char *path;
    struct skep_schema *schema;
    struct skep_layouts *layouts;
    struct skep_recording *rec;
    struct skep_head head;
};

/* SKEP_EXIT_OK, or another exit status after the operator was told. */
int skep_replay_source_open(const char *path, struct skep_replay_source *ret);
void skep_replay_source_clear(struct skep_replay_source *s);
#define _cleanup_replay_source_ SKEP_CLEANUP(skep_replay_source_clear)

/* Takes all records through the pipeline; go_on is asked after each, NULL: never. What is damaged or missing is said
 * on standard error. */
void skep_replay_source_feed(struct skep_replay_source *s, struct skep_pipeline *p, bool (*go_on)(void *data),
                             void *data);
#endif
