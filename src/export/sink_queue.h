/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_SINK_QUEUE_H
#define SKEP_EXPORT_SINK_QUEUE_H
/*
 * The queue of a sink: alerts in a ring of bytes, and beside it a ring of slots that say where each one
 * begins, how long it is, how urgent and from when. Unlike the ring of the event output (export/linering.h)
 * an alert is never split at the end of the memory, since a datagram or a request needs it in one piece;
 * those that follow each other in memory still adjoin. Everything is allocated when the queue is made.
 *
 * What skep_sink_queue_peek() returned stays where it is until it is popped, also while another thread puts
 * more behind it. All else needs the caller's lock.
 */
#include "base/macro.h"

struct skep_sink_item {
    const char *data; /* ends with a line feed */
    size_t len;       /* with the line feed */
    unsigned priority;
    int64_t utc_s; /* when it was put */
};

struct skep_sink_slot {
    size_t at;
    uint32_t len;
    uint32_t priority;
    int64_t utc_s;
};

struct skep_sink_queue {
    char *bytes;
    size_t cap;
    size_t tail; /* where the next one goes, if it fits before the end */
    struct skep_sink_slot *slots;
    size_t n_slots;
    size_t first;
    size_t count;
};

/* Room for n alerts and this many bytes. -ENOMEM. */
int skep_sink_queue_init(struct skep_sink_queue *q, size_t n, size_t bytes);
void skep_sink_queue_clear(struct skep_sink_queue *q);
/* Copies the line and adds a line feed; line feeds inside become spaces. False: no room. */
bool skep_sink_queue_put(struct skep_sink_queue *q, unsigned priority, int64_t utc_s, const void *line,
                         size_t len);
/* The oldest alerts, at most max; their number. */
size_t skep_sink_queue_peek(const struct skep_sink_queue *q, struct skep_sink_item *ret, size_t max);
/* Takes the n oldest out. */
void skep_sink_queue_pop(struct skep_sink_queue *q, size_t n);
#endif
