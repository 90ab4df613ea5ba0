/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_LEDGER_H
#define SKEP_AGENT_LEDGER_H
/*
 * The ledger: for every kind of event
 *
 *     seen = emitted + filtered + lost(reason)
 *
 * seen is counted by the sensors when something happens, before anything else can go wrong; the other three
 * each where the event ends: in the kernel (filtered, ring full, ...), in the pipeline (filtered, malformed),
 * at the output (written, queue full, write failed). They are counted apart and not derived from one another,
 * so a difference means that an event vanished.
 *
 * While things run, the difference is what is on its way. Kinds that only feed the tables are emitted when the
 * table has them.
 */
#include "abi/event.h"
#include "base/json.h"

struct skep_ledger_row {
    uint64_t seen;
    uint64_t emitted;
    uint64_t filtered;
    uint64_t lost[SKEP_REASON_MAX];
};

struct skep_ledger {
    struct skep_ledger_row rows[SKEP_KIND_MAX];
    uint64_t missed; /* times that the kernel skipped a sensor that interrupted itself: kinds unknown */
};

uint64_t skep_ledger_lost(const struct skep_ledger_row *row);
/* seen - (emitted + filtered + lost) */
int64_t skep_ledger_difference(const struct skep_ledger_row *row);
/* Adds what the sensors counted. */
void skep_ledger_add_kernel(struct skep_ledger *l, const struct skep_counters sum[SKEP_KIND_MAX]);

/* l: of a recording; replayed: what a replay counted. What the recording run emitted and the replay was asked to leave
 * out is filtered. */
void skep_ledger_narrow(struct skep_ledger *l, const struct skep_ledger *replayed);

const char *skep_reason_name(unsigned reason); /* NULL: no such reason */

/* {"kind":"ledger","kinds":{...}}, one line without its end. names: of the kinds by number, NULL: unknown. */
void skep_ledger_put_json(const struct skep_ledger *l, const char *const names[SKEP_KIND_MAX],
                          struct skep_strbuf *sb);
/* Reads that form again; unknown kinds and reasons are refused. -EBADMSG. */
int skep_ledger_parse_json(struct skep_ledger *l, const char *const names[SKEP_KIND_MAX], const char *s,
                           size_t n);
/* A table for people, a line a kind, each ended by a line feed. */
void skep_ledger_put_text(const struct skep_ledger *l, const char *const names[SKEP_KIND_MAX],
                          struct skep_strbuf *sb);
#endif
