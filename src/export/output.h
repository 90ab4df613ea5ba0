/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_OUTPUT_H
#define SKEP_EXPORT_OUTPUT_H
/*
 * The output queue: finished lines go in, a thread of its own writes them to a descriptor. Whoever hands a
 * line over never waits for the reader at the other end: a pipe that nobody empties, a terminal that was
 * stopped, a full disk.
 *
 * The queue is one ring of bytes and one ring of line slots, both allocated when it is made; nothing is
 * allocated for a line. What a flood made resident is given back a while after the queue ran empty. Lines leave in
 * the order in which they came, in writes of up to SKEP_OUTPUT_BATCH bytes.
 *
 * The account. Every line that was put is, after skep_output_finish(), counted exactly once for its kind:
 *
 *     put = written + queue_full + write_failed
 *
 *   written       all its bytes were accepted by the descriptor
 *   queue_full    there was no room when it came, or the reader had not taken it when time was up
 *   write_failed  the descriptor refused it
 *
 * Before that the difference is what still waits in the queue.
 *
 * Errors. A write that fails (ENOSPC, EIO, ...) costs the lines that it carried, and the queue goes on with
 * the lines that come later; the first error is kept for the operator. When a line was cut by a short write,
 * its rest stays at the head of the queue and is the first thing written once that is possible: a reader
 * never sees two lines run into each other. A reader that went away (EPIPE, a terminal that was hung up)
 * is final: skep_output_broken() turns true, the descriptor of skep_output_broken_fd() becomes readable, also
 * when there is nothing to write, and all further lines count as write_failed.
 *
 * Latency. A line waits until skep_output_flush() is called or a twenty-fourth of the queue (256 KiB) has gathered; urgent
 * lines are flushed at once. The event loop calls flush before it goes to sleep, so a line of an idle host
 * is out at once, and a busy one pays no wake-up per line.
 *
 * Sharing a processor. Lines that come in a rush on the only processor leave the writer none, and the queue would be full
 * before it gets its turn. skep_output_put_batch() says so; whoever has the time goes to sleep in skep_output_await(),
 * which ends when most of the queue is written. A source that must not wait for a reader does that for moments only.
 *
 * The terminal. When the queue writes to a terminal, or standard error is one, the queue owns it: the status
 * line (skep_output_status) and messages to the operator (skep_output_message) are drawn by the same thread,
 * between lines and never inside one. The status line is cleared before lines are printed and drawn again
 * below them.
 *
 * The descriptor stays the caller's and must stay open until skep_output_free(). Its O_NONBLOCK flag is not
 * touched, since other processes share it; pipes and terminals are opened a second time through /proc instead,
 * and where that fails they are written in pieces that cannot block. SIGPIPE is blocked in the writer thread.
 *
 * put, flush, status, message and the questions may be called from any thread; finish and free from one.
 */
#include "abi/config.h"
#include "base/macro.h"
#include "export/linebatch.h"

#define SKEP_OUTPUT_BYTES_DEFAULT (6U << 20)
#define SKEP_OUTPUT_BYTES_MIN (128U << 10)
#define SKEP_OUTPUT_BATCH (256U << 10)
#define SKEP_OUTPUT_STATUS_MAX 1024

struct skep_output;

struct skep_output_options {
    size_t bytes;  /* of the queue; 0: SKEP_OUTPUT_BYTES_DEFAULT; at least SKEP_OUTPUT_BYTES_MIN */
    int status_fd; /* where status and messages go, usually STDERR_FILENO; -1: nowhere */
    bool
        status; /* draw a status line when status_fd is a terminal that can, and it is not in a pager's way */
};

struct skep_output_counts {
    uint64_t put;
    uint64_t written;
    uint64_t queue_full;
    uint64_t write_failed;
};

/* Opens a file for events: "-" gives a duplicate of standard output. A new file is for its owner only (0600),
 * since events hold arguments and names. Lines are appended to what is there: a restart must not erase what
 * was observed before, and rotation by copying and truncating works; a line that somebody left without an end gets
 * one. A FIFO needs a reader already (-ENXIO). */
int skep_output_open(const char *path, int *ret_fd);

/* Starts the writer. -ENOMEM, -EAGAIN, -EMFILE, ... */
int skep_output_new(int fd, const struct skep_output_options *options, struct skep_output **ret);
/* Ends the writer without waiting for a reader. */
struct skep_output *skep_output_free(struct skep_output *out);
SKEP_DEFINE_CLEANUP(struct skep_output, skep_output_free)
#define _cleanup_output_ SKEP_CLEANUP(skep_output_freep)

/* Hands over a line of this kind (0: not an event), without its line feed, which is added here. Urgent lines
 * may use the part of the queue that is reserved for them. False: it was lost and counted. */
bool skep_output_put(struct skep_output *out, unsigned kind, bool urgent, const void *line, size_t len);
/* Hands over the finished lines of a batch, none of them urgent, and empties it. True: the writer is behind, much
 * waits in the queue. */
bool skep_output_put_batch(struct skep_output *out, struct skep_linebatch *batch);
/* Lets the writer know that no more comes for the moment. */
void skep_output_flush(struct skep_output *out);

/* Shows text (borrowed, at most SKEP_OUTPUT_STATUS_MAX bytes, SGR colour allowed) as the status line; NULL takes
 * it away. Nothing happens where none is drawn. */
void skep_output_status(struct skep_output *out, const char *text);
/* A line for the operator on status_fd, which does not mix with the status line. */
void skep_output_message(struct skep_output *out, const char *text);

/* The reader has gone: nothing can be written any more. */
bool skep_output_broken(const struct skep_output *out);
/* Readable once the reader has gone; for poll and epoll. Borrowed. */
int skep_output_broken_fd(const struct skep_output *out);
/* The first error of a write as -errno, or 0. */
int skep_output_first_error(const struct skep_output *out);
/* A consistent copy of the account, by kind. */
void skep_output_counts(struct skep_output *out, struct skep_output_counts ret_counts[SKEP_KIND_MAX]);

/* Waits until the writer has caught up, at most timeout_ns. -ETIMEDOUT; -EPIPE: the reader has gone. */
int skep_output_await(struct skep_output *out, uint64_t timeout_ns);
/* Waits until all lines that were put are written or lost, at most timeout_ns. -ETIMEDOUT: the reader does not
 * take them; they stay in the queue. -EPIPE: it has gone. */
int skep_output_drain(struct skep_output *out, uint64_t timeout_ns);
/* Writes what is left, takes the status line away and ends the writer; waits at most timeout_ns for a reader
 * that does not take it. Lines put from now on are lost as queue_full. -ETIMEDOUT: some lines were given up. */
int skep_output_finish(struct skep_output *out, uint64_t timeout_ns);
#endif
