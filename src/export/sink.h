/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_SINK_H
#define SKEP_EXPORT_SINK_H
/*
 * A sink: one place that alerts go to. It is made from a text, as in `--to
 * file:/var/log/skep.json,rotate=10M`, and fed with alerts that are already rendered as text and as JSON;
 * each sink takes the rendering it was told to.
 *
 *     r = skep_sink_open("https://collector/alerts,cert=/etc/skep/host.pem", &diags, &sink);
 *     skep_sink_put(sink, &line);
 *     skep_sink_finish(sink, skep_clock_mono_ns() + 2 * NS_PER_S);
 *     skep_sink_free(sink);
 *
 * Each sink has a thread and a queue of its own. skep_sink_put() copies the line into the queue and returns;
 * it waits for no reader, no disk and no server, only for the moment in which the thread moves the queue's
 * ends. So a sink that is slow, dead or stuck holds up neither detection nor any other sink.
 *
 * The queue is bounded in alerts and in bytes and allocated once. When it is full the NEWEST alert is
 * dropped, the one that is being put: what a host says first about an intrusion is worth more than the
 * thousandth repetition of what followed, and the alert that the destination is taking at this moment stays
 * where it is.
 *
 * The account. At any time, and for each sink,
 *
 *     put = written + dropped + failed + queued
 *
 *   written   the destination took it: all bytes in the file or pipe, the datagram sent, the request answered with 2xx
 *   dropped   no room in the queue when it came, it came after the end, or time was up before it was delivered
 *   failed    the destination refused it for good, or did so more often than the sink's `retries`
 *   queued    waits, or is being delivered right now
 *
 * A destination that does not work for the moment (disk full, connection refused, a program that died) is
 * tried again with growing pauses, from SKEP_SINK_PAUSE_MIN_NS up to SKEP_SINK_PAUSE_MAX_NS, and alerts wait
 * in the queue.
 *
 * Threads: put, reopen, flush and counters may be called from any thread; end, finish and free from one.
 * Signals are blocked in a sink's thread.
 *
 * What kinds there are stands in export/sinks.def; a kind is one file behind the interface of
 * export/sink_kind.h.
 */
#include "base/diag.h"

#define SKEP_SINK_PAUSE_MIN_NS 100000000ULL   /* 100 ms */
#define SKEP_SINK_PAUSE_MAX_NS 30000000000ULL /* 30 s */
#define SKEP_SINK_QUEUE_DEFAULT 10000         /* alerts ... */
#define SKEP_SINK_QUEUE_MAX 10000000
#define SKEP_SINK_MEMORY_DEFAULT (16U << 20) /* ... and bytes */
#define SKEP_SINK_MEMORY_MIN (64U << 10)
#define SKEP_SINK_MEMORY_MAX (4ULL << 30)
#define SKEP_SINK_SPEC_MAX 65536

struct skep_sink;

enum skep_sink_format {
    SKEP_SINK_TEXT,
    SKEP_SINK_JSON,
};

/* One alert, rendered; everything is borrowed for the call. No line feed at the end; one inside becomes a
 * space. */
struct skep_alert_line {
    unsigned priority; /* 0 (emergency) to 7 (debug): the numbers of syslog and of enum skep_priority */
    const char *rule;  /* name of the rule; NULL: of none */
    const char *text;  /* may be NULL when no sink wants text, see skep_sink_format() */
    size_t text_len;
    const char *json; /* the same for JSON */
    size_t json_len;
};

struct skep_sink_counters {
    uint64_t put, written, dropped, failed, queued;
    uint64_t retries;         /* attempts that came to nothing and were, or will be, made again */
    uint64_t restarts;        /* of the program, of the connection to the daemon; reopened files */
    bool failing;             /* the last attempt came to nothing */
    bool broken;              /* nothing can be written any more: the reader of standard output has gone */
    char last_error[256];     /* readable; "": there was none */
    char last_lost_rule[128]; /* the rule of the alert that was last dropped by a full queue; "": none was */
};

/* Reads the specification, checks what can be checked without sending anything (a file is opened,
 * certificates must be readable) and starts the thread. A destination that is not there yet (server, syslog
 * daemon) is no error.
 * -EINVAL: the specification is wrong, or names something that cannot work; diags says what and how to cure it.
 * Its places are those in spec. -ENOMEM, -EAGAIN, -EMFILE: as well, with a diagnostic. */
int skep_sink_open(const char *spec, struct skep_diags *diags, struct skep_sink **ret);

/* What the sink is called in messages: kind and address, without options and without a URL's password. */
const char *skep_sink_name(const struct skep_sink *s);
/* The rendering that it takes: the other may be left out of what is put. */
enum skep_sink_format skep_sink_format(const struct skep_sink *s);

/* False: the alert was dropped, and counted. */
bool skep_sink_put(struct skep_sink *s, const struct skep_alert_line *line);
/* Asks for files to be closed and opened again under their names (SIGUSR1, after somebody renamed them).
 * Nothing is lost, and when opening fails the old file stays in use. Returns at once; safe in a signal
 * handler. */
void skep_sink_reopen(struct skep_sink *s);
/* Waits until all that was put is written or has failed; a pause between attempts is cut short once. deadline:
 * CLOCK_MONOTONIC ns. -ETIMEDOUT: some still wait; they stay in the queue. */
int skep_sink_flush(struct skep_sink *s, uint64_t deadline);
void skep_sink_counters(struct skep_sink *s, struct skep_sink_counters *ret);

/* No more is accepted; the thread writes what is left, until the deadline, and ends. Returns at once, so that
 * several sinks can end side by side. */
void skep_sink_end(struct skep_sink *s, uint64_t deadline);
/* skep_sink_end(), and waits for it. What could not be written is counted as dropped, and the account is final.
 * -ETIMEDOUT: there was such. A thread that the kernel holds (a dead network file system) is left behind. */
int skep_sink_finish(struct skep_sink *s, uint64_t deadline);
/* Ends it without waiting for the destination. */
struct skep_sink *skep_sink_free(struct skep_sink *s);
SKEP_DEFINE_CLEANUP(struct skep_sink, skep_sink_free)
#define _cleanup_sink_ SKEP_CLEANUP(skep_sink_freep)

/* The reference of all kinds and their options, as Markdown. */
void skep_sinks_put_reference(struct skep_strbuf *sb);
/* {"options":[{"name","value","doc"}],"sinks":[{"name","synopsis","doc","format","retries","options":[...]}]};
 * value is null for an option without one, retries is null where there is no limit. */
void skep_sinks_put_json(struct skep_strbuf *sb);
#endif
