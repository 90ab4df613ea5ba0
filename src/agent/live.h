/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_LIVE_H
#define SKEP_AGENT_LIVE_H
/*
 * A live run: the kernel as the source, the event loop around it, and the command that is followed, if any.
 *
 * The order at the start makes sure that nothing falls between the snapshot and the stream: sensors are
 * attached first, then the snapshot is read and joins the stream by time, and only when it is through does a
 * command that was asked for begin to run. At the end the sensors are detached first, then all that is in the
 * rings is taken, then the ledger is read.
 */
#include "agent/options.h"
#include "agent/pipeline.h"
#include "agent/rules/live.h"
#include "agent/view.h"
#include "load/kernel.h"

struct skep_live_options {
    struct skep_kernel_options kernel;
    uint32_t pid;         /* process tree to follow, 0: none */
    char *const *command; /* to start and follow, NULL: none */
    int *ret_command;     /* its exit status once it has ended, 128 + N of a signal; NULL: not wanted */
    uint64_t duration_ns; /* 0: until a signal, or the end of the command */
    struct skep_rules_live *rules; /* NULL: none */
    const bool *shown;             /* with rules: kinds that are shown */
    const bool *always;            /* and kinds that are observed in any case */
    bool once;                     /* end as soon as the snapshot is through (skep ps) */
};

/* Runs until it is over. The pipeline's ops are complete but for ask and tracked, which are set here; its ledger
 * is complete afterwards, but for what the view's output counts. An exit status, or -errno. */
int skep_live_run(const struct skep_live_options *o, struct skep_pipeline *p, struct skep_view_state *view);
#endif
