/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RECORDER_H
#define SKEP_EVENT_RECORDER_H
/*
 * Writes a recording (event/recording_format.h): records go in, blocks of half a MiB are compressed and written by
 * a thread of its own, so that a slow or hanging disk never delays whoever reads the sensors.
 *
 * The account. After skep_recorder_drain() every record that was put is counted exactly once for its kind:
 *
 *     put = written + queue_full + write_failed
 *
 *   queue_full    SKEP_RECORDER_QUEUE blocks were waiting for the disk when it came (or there was no memory)
 *   write_failed  the disk refused its block, or had not taken it when time was up
 *
 * Before that the difference is what still waits. Lost records also leave a gap in the numbers that the blocks
 * carry, so that a reader of the file can tell that, where, and how many are missing.
 *
 * Errors. When a block cannot be written whole (ENOSPC, EFBIG, EIO, ...), the file is cut back to the end of
 * the last good block, so that it stays readable; the next block tries again, since the disk may have
 * room by then. Where the file cannot be cut (a pipe), the recording ends there, and all further records count
 * as write_failed.
 *
 * Durability. Blocks are written when they are full and on skep_recorder_flush(), which the owner calls once a
 * second: a crash of skep costs what came since. The file is synchronised to the disk at the end only.
 *
 * Threads. One thread calls all functions; only skep_recorder_counts() and skep_recorder_error() may be called
 * from others. The writer thread blocks all signals: a file size limit (SIGXFSZ) and a closed pipe (SIGPIPE) are
 * write errors.
 *
 *     r = skep_recorder_open_file("host.skep", &fd);
 *     r = skep_recorder_new(TAKE_FD(fd), head, head_size, layouts, &rec);
 *     r = skep_recorder_put(rec, h);                      for every record, in processing order
 *     skep_recorder_drain(rec, 3 * NS_PER_S);             now the counts are final
 *     r = skep_recorder_finish(rec, ledger, ledger_size, 3 * NS_PER_S);
 *     skep_recorder_free(rec);
 */
#include "abi/event.h"
#include "event/layout.h"
#include "event/recording_format.h"

#define SKEP_RECORDER_BLOCK_BYTES (512U << 10)
#define SKEP_RECORDER_QUEUE 16 /* blocks */

struct skep_recorder;

struct skep_recorder_counts {
    uint64_t put;
    uint64_t written;
    uint64_t queue_full;
    uint64_t write_failed;
};

/* Makes or empties a file that only its owner may read, since records hold arguments and names. A FIFO needs
 * a reader already (-ENXIO). "-" is standard output, as it is. */
int skep_recorder_open_file(const char *path, int *ret_fd);
/* Writes the head (JSON, at most SKEP_RECORDING_HEAD_MAX bytes) and this build's layouts, and starts the writer.
 * Takes fd in any case. Waits at most 10 s for a pipe's reader. */
int skep_recorder_new(int fd, const char *head, size_t size, const struct skep_layouts *layouts,
                      struct skep_recorder **ret);
/* Stops the writer without waiting for a disk that does not answer; what was not drained is not written. */
struct skep_recorder *skep_recorder_free(struct skep_recorder *r);
SKEP_DEFINE_CLEANUP(struct skep_recorder, skep_recorder_free)
#define _cleanup_recorder_ SKEP_CLEANUP(skep_recorder_freep)

/* Adds a record, of at most SKEP_RECORDING_RECORD_MAX bytes. Never waits. -EINVAL: not a record (not counted);
 * -ENOBUFS: lost, counted as queue_full. */
int skep_recorder_put(struct skep_recorder *r, const struct skep_hdr *h);
/* Hands what was put so far to the writer. Never waits. */
void skep_recorder_flush(struct skep_recorder *r);
/* Waits until all that was put is written or lost. -ETIMEDOUT: time was up, and what still waited now counts as
 * write_failed. */
int skep_recorder_drain(struct skep_recorder *r, uint64_t timeout_ns);
/* Drains, writes the end with the ledger (at most SKEP_RECORDING_BLOCK_MAX bytes of JSON) and synchronises the
 * file. An error: the file has no end, or may not be on the disk. Nothing may be put afterwards; a second call gives
 * -EALREADY. */
int skep_recorder_finish(struct skep_recorder *r, const char *ledger, size_t size, uint64_t timeout_ns);

void skep_recorder_counts(struct skep_recorder *r, struct skep_recorder_counts ret[SKEP_KIND_MAX]);
/* The first error of a write, -errno; 0: none yet. */
int skep_recorder_error(struct skep_recorder *r);
#endif
