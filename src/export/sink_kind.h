/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_SINK_KIND_H
#define SKEP_EXPORT_SINK_KIND_H
/*
 * What a kind of sink is to the frame (export/sink.c), and the frame to a kind. A kind delivers; the frame
 * has the queue, the thread, the account, the pauses between attempts and the end.
 *
 * To add a kind: a row in export/sinks.def and export/sink_<name>.c that defines `const struct skep_sink_kind
 * skep_sink_kind_<name>`.
 *
 * A kind's state is zeroed memory of its size. open() runs in the thread of whoever makes the sink,
 * everything else in the sink's own thread, one at a time; so a state needs no lock. send() may wait as long
 * as it likes, but only in skep_sink_wait() or on skep_sink_wake_fd(), which end when the sink has to end.
 */
#include "export/sink_queue.h"
#include "export/sink_spec.h"

#define SKEP_SINK_BATCH 64 /* most items in one call of send() */

enum skep_sink_address {
    SKEP_SINK_ADDRESS_NONE,
    SKEP_SINK_ADDRESS_OPTIONAL,
    SKEP_SINK_ADDRESS_REQUIRED,
    SKEP_SINK_ADDRESS_URL, /* required, and the kind's name is a part of it */
};

/* What became of the first items that were given to send(). */
enum skep_sink_verdict {
    SKEP_SINK_WRITTEN,
    SKEP_SINK_REFUSED,     /* for good; skep_sink_note() said why */
    SKEP_SINK_RETRY,       /* the same items again after a pause; skep_sink_note() said why */
    SKEP_SINK_INTERRUPTED, /* the frame wants to look after something; nothing is counted */
};

/* What to wait for while there is nothing to send. */
struct skep_sink_watch {
    int fd; /* -1: nothing */
    short events;
    uint64_t until; /* CLOCK_MONOTONIC; UINT64_MAX: for ever */
};

struct skep_sink_kind {
    const char *alias;   /* a second name; NULL: none */
    const char *example; /* for the hint when the address is missing */
    size_t size;         /* of the state */
    const struct skep_sink_option *options;
    enum skep_sink_format format; /* unless the specification says otherwise */
    uint64_t retries;             /* attempts after the first; UINT64_MAX: as long as it takes */
    /* Puts the defaults of options and descriptors of -1 into the state, which is all zero. */
    void (*init)(void *state);
    /* The options are stored already. -errno with a diagnostic; the state is then closed. */
    int (*open)(void *state, struct skep_sink *s, struct skep_sink_spec *spec);
    /* Takes care of the first *ret_n of n items; at least one, except when interrupted. */
    enum skep_sink_verdict (*send)(void *state, const struct skep_sink_item *items, size_t n, size_t *ret_n);
    /* Optional: whatever has to be done also when there is no alert; called before waiting and sending. */
    void (*tend)(void *state, uint64_t now, struct skep_sink_watch *watch);
    void (*reopen)(void *state); /* optional */
    /* Also after a failed open(). Must not take much longer than the deadline. */
    void (*close)(void *state, uint64_t deadline);
};

#define SKEP_SINK(name, address, synopsis, doc) extern const struct skep_sink_kind skep_sink_kind_##name;
#include "export/sinks.def"
#undef SKEP_SINK

/* 1: the descriptor is ready; 0: the time has come; -EINTR: the sink has to end or to reopen. fd -1: only
 * waits. */
int skep_sink_wait(struct skep_sink *s, int fd, short events, uint64_t until);
/* For a kind that has a poll loop of its own: readable when there is a reason to call
 * skep_sink_interrupted(), which makes it unreadable again. */
int skep_sink_wake_fd(const struct skep_sink *s);
bool skep_sink_interrupted(struct skep_sink *s);
/* When the sink has to end; UINT64_MAX: not yet. */
uint64_t skep_sink_deadline(const struct skep_sink *s);
/* Keeps the text as the last error. */
void skep_sink_note(struct skep_sink *s, const char *fmt, ...) SKEP_PRINTF(2, 3);
/* For SKEP_SINK_RETRY: not before this much time has passed. */
void skep_sink_hold(struct skep_sink *s, uint64_t ns);
void skep_sink_count_restart(struct skep_sink *s);
/* Nothing can be written any more. */
void skep_sink_set_broken(struct skep_sink *s);
#endif
