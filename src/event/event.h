/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_EVENT_H
#define SKEP_EVENT_EVENT_H
/*
 * An event is a record with what the tables know about it: the currency between sources (live kernel,
 * recording, generator) and everything that prints, filters, counts or judges. It borrows all it points to
 * and is valid until the next record is taken.
 */
#include "event/proc.h"

struct skep_kind;      /* event/schema.h */
struct skep_container; /* event/container.h */
struct skep_cgroups;   /* event/container.h: cgroup id -> path and container */
struct skep_scratch;   /* event/scratch.h */

/* What does not change during a session, and travels in the head of a recording. */
struct skep_session {
    int64_t boot_offset;            /* add to a record's time to get UTC nanoseconds */
    uint64_t begin;                 /* time of records when it began; 0: not known */
    struct skep_namespaces host_ns; /* namespaces that count as the host's */
    uint32_t self;                  /* process id of the skep that observed */
    char kernel[65];                /* uname -r */
    char hostname[65];
};

struct skep_event {
    const struct skep_kind *kind;
    const struct skep_hdr *h;
    const struct skep_proc *proc;           /* NULL: not known at all */
    const struct skep_proc_image *image;    /* of proc, at the time of the event; NULL with proc */
    const char *cgroup;                     /* path of h->cgroup; NULL: not known */
    const char *unit;                       /* innermost systemd unit of that cgroup; NULL: none */
    const struct skep_container *container; /* NULL: not in one */
    uint64_t places; /* another number when these three may say something else; 0: not counted */
    const struct skep_proc_table *procs; /* all others; NULL: not at hand */
    const struct skep_session *session;
    /* Where values live that are not bytes of the record (the text of a DNS message); one for all events of a
     * thread will do. NULL: such fields are missing. */
    struct skep_scratch *scratch;
    bool recorded; /* the record went to the recorder before the event was shown */
};

/* Checks a record from outside before anything reads it: header, length, kind, and that every slice named by
 * the kind's schema lies inside the record. kind NULL: a kind that the schema does not have. n: bytes available.
 * A record may be longer than its slices say, never shorter. 0, or -EBADMSG. */
int skep_record_check(const struct skep_kind *kind, const void *record, size_t n);

/* The bytes of a slice of a checked record; NULL when it is not there. */
static inline const char *skep_slice_get(const struct skep_hdr *h, struct skep_slice s)
{
    return s.off ? (const char *)h + s.off : NULL;
}
#endif
