/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_VIEW_H
#define SKEP_AGENT_VIEW_H
/*
 * Where events go and what the operator is told: lines (text or JSON), columns, counts, a recording, the
 * status line, the summary with the ledger. One view a run; the pipeline hands it events that are in scope.
 *
 * What a person should know about the run itself goes to standard error, events to the output. In a pipe
 * nothing else than events (and, as JSON, the ledger) stands on the output.
 */
#include "agent/options.h"
#include "agent/pipeline.h"
#include "agent/rules/ruleset.h"
#include "load/kernel.h"

struct skep_view_state;

/* Borrows all. On failure the operator was told; an exit status is in ret_status. */
int skep_view_open(const struct skep_agent_options *o, const struct skep_schema *schema,
                   const struct skep_scope *scope, const struct skep_session *session,
                   struct skep_view_state **ret, int *ret_status);
struct skep_view_state *skep_view_free(struct skep_view_state *v);
SKEP_DEFINE_CLEANUP(struct skep_view_state, skep_view_free)
#define _cleanup_view_ SKEP_CLEANUP(skep_view_freep)

/* The pipeline's ops. */
enum skep_verdict skep_view_event(void *data, const struct skep_event *ev);
void skep_view_record(void *data, const struct skep_hdr *h);

/* Whether --where lets an event through; rules do not judge what it does not. */
bool skep_view_admits(const struct skep_view_state *v, const struct skep_event *ev);
/* What --where needs of the kernel; NULL: there is none. */
const struct skep_ruleset *skep_view_where(const struct skep_view_state *v);
/* As the pipeline's judge, when there is no other and --where learns from events that are not shown: no rule matches. */
bool skep_view_learns(const struct skep_view_state *v);
size_t skep_view_learn(void *data, const struct skep_event *ev);
/* An event that rules judged and that is not shown: for the recording, if there is one. */
void skep_view_keep(struct skep_view_state *v, const struct skep_event *ev);
/* A line that is no event: an alert. It counts apart, and the end tells how many were lost. priority: as in
 * rule/policy.h, for colour. */
void skep_view_alert(struct skep_view_state *v, unsigned priority, const struct skep_strbuf *line);

/* The run has begun: which sensors there are, and what follows from them. */
void skep_view_started(struct skep_view_state *v, const struct skep_program *programs, size_t n);
void skep_view_message(struct skep_view_state *v, const char *text);
void skep_view_lost_life(struct skep_view_state *v, uint64_t n);
void skep_view_command_ended(struct skep_view_state *v, const char *name, int status);
void skep_view_status(struct skep_view_state *v, const struct skep_pipeline *p, const struct skep_kernel *k);
void skep_view_flush(struct skep_view_state *v);
int skep_view_broken_fd(const struct skep_view_state *v);

/* After each record, for sources that must not wait for a reader: leaves the processor to an output that is behind, for
 * five milliseconds, and not again before it has caught up. */
void skep_view_give_way(struct skep_view_state *v);
/* The same for sources that can wait: until the output has caught up. false: the reader has gone. */
bool skep_view_wait_for_room(struct skep_view_state *v);
int skep_view_parse_ledger(const struct skep_view_state *v, const char *s, size_t n, struct skep_ledger *ret);

/* The end: writes what is left, completes the ledger with what the output counted, prints the summary.
 * recorded: a recording's own ledger to print instead, with what was left out now; NULL: none. An exit status. */
int skep_view_finish(struct skep_view_state *v, struct skep_pipeline *p, struct skep_ledger *recorded);
#endif
