/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_PIPELINE_H
#define SKEP_AGENT_PIPELINE_H
/*
 * From a record to an event: checks it, keeps the tables (processes, cgroups, containers) up to date, decides
 * whether the event is in scope, and hands it to the view. The same code runs behind every source, so that a
 * replay cannot tell itself from the live run; nothing in here looks at a clock, at /proc or at the kernel.
 *
 * An exec whose arguments continue in further records is held back until they are complete; the rule for
 * giving up waiting is a matter of records alone, too.
 *
 * An event of a container that is not known yet waits until the resolver has answered, at most SKEP_CGROUPS_WAIT: else
 * rules would not see name and image of the first things that a container does, and a candidate's would pass as the
 * host's. Only such events wait, and go on in their order; all others go on meanwhile. Tables are not held back, so that
 * what they say of the process (but not its executable and arguments) is of the moment when the event is let go. When
 * more than SKEP_PIPELINE_WAIT_EVENTS or SKEP_PIPELINE_WAIT_BYTES wait, the oldest go on with what is known.
 */
#include "agent/ledger.h"
#include "event/container.h"
#include "event/event.h"
#include "event/schema.h"
#include "event/scratch.h"

#define SKEP_PIPELINE_WAIT_EVENTS 4096
#define SKEP_PIPELINE_WAIT_BYTES (8u << 20)

enum skep_verdict {
    SKEP_VERDICT_QUEUED,    /* the view's output will count it */
    SKEP_VERDICT_EMITTED,   /* counted here as emitted */
    SKEP_VERDICT_FILTERED,  /* counted here */
    SKEP_VERDICT_NO_MEMORY, /* counted here as lost */
};

/* What of the life cycle ring, which knows no filter in the kernel, is in scope; the kernel has done the
 * same for the rest. */
struct skep_scope {
    uint32_t flags; /* enum skep_scope_flag */
    uint32_t uid;
    char comm[SKEP_COMM_LEN];
    uint32_t root;  /* of the process tree, with SKEP_SCOPE_TRACKED; 0: what the snapshot record names */
    bool root_late; /* root may begin after the snapshot: who reads a recording names what is in it */
    const char *container;     /* id (or its beginning) or name; NULL: any */
    bool kinds[SKEP_KIND_MAX]; /* kinds to show */
};

struct skep_pipeline_ops {
    /* An event in scope, of a kind that is shown, complete. */
    enum skep_verdict (*event)(void *data, const struct skep_event *ev);
    /* The same of any kind, before event(): how many rules matched. An event that is not shown counts as emitted when
     * some did, else as filtered. NULL: no rules. */
    size_t (*judge)(void *data, const struct skep_event *ev);
    /* Every record that changes a table or begins to wait: for the recorder, which gets from event() the others that are
     * shown. */
    void (*record)(void *data, const struct skep_hdr *h);
    /* A cgroup that the resolver should be asked about. */
    void (*ask)(void *data, const struct skep_cgroup *g);
    /* A process joined the tracked tree. */
    void (*tracked)(void *data, const struct skep_proc *p);
    void *data; /* of event and record */
    void *judge_data;
    void *live; /* of ask and tracked */
};

struct skep_held_exec;
struct skep_waiting_event;

struct skep_pipeline {
    const struct skep_schema *schema;
    struct skep_session session;
    struct skep_scope scope;
    struct skep_pipeline_ops ops;
    struct skep_proc_table procs;
    struct skep_cgroups cgroups;
    struct skep_ledger ledger; /* what the pipeline counts; seen is the source's */
    uint64_t received[SKEP_KIND_MAX];
    struct skep_held_exec *held; /* execs that wait for their arguments, oldest first */
    struct {
        struct skep_waiting_event *first, *last; /* oldest first */
        size_t n, bytes;
        uint64_t until; /* record time at which the first of them has waited enough */
    } waiting;
    uint64_t now;          /* the latest time of a record of the life cycle */
    bool root_found;       /* there is or was such a process, ... */
    bool root_in_snapshot; /* ... before the snapshot was complete */
    struct skep_scratch *scratch;
    char *copy; /* of a record that has to be changed */
    size_t copy_size;
};

int skep_pipeline_init(struct skep_pipeline *p, const struct skep_schema *schema,
                       const struct skep_session *session, const struct skep_scope *scope,
                       const struct skep_pipeline_ops *ops);
void skep_pipeline_clear(struct skep_pipeline *p);
/* Takes one record; n: bytes that may be read at h. */
void skep_pipeline_take(struct skep_pipeline *p, const struct skep_hdr *h, size_t n);
/* The source has come so far: lets go what has waited enough, when no record of the life cycle does. A second later than these
 * would, so that a record that comes late finds the same as in a replay. */
void skep_pipeline_tick(struct skep_pipeline *p, uint64_t time);
/* No more records for now or ever: lets go what is held back. */
void skep_pipeline_settle(struct skep_pipeline *p);
#endif
