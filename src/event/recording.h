/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RECORDING_H
#define SKEP_EVENT_RECORDING_H
/*
 * Recordings: records as they went through the pipeline, in a file that explains itself. The format is
 * described in docs/RECORDING.md: a head (JSON about the session, and the type information that the records
 * were written with), blocks of compressed records with checksums, and an end block with the ledger.
 *
 * Writing never blocks the caller on the disk: records are gathered into blocks, and a thread compresses and
 * writes them; at most SKEP_RECORDER_QUEUE blocks wait. Each block that was written is whole: when a write
 * fails (a full disk), what was written of the block is cut off again, its records are counted as lost, and
 * the next block is tried.
 *
 * Reading trusts nothing: sizes are bounded, checksums are compared, and a file that was cut short or damaged
 * is read up to the damage, which is then reported with its place.
 *
 * A recorder belongs to one thread, a reader too.
 */
#include "abi/event.h"
#include "base/macro.h"

#define SKEP_RECORDING_HEAD_MAX (4U << 20)  /* bytes of the JSON, and of the type information */
#define SKEP_RECORDING_BLOCK_MAX (4U << 20) /* bytes of records in a block */
#define SKEP_RECORDER_BLOCK (256U << 10)    /* what a recorder gathers */
#define SKEP_RECORDER_QUEUE 8

struct skep_recorder_counts {
    uint64_t put;
    uint64_t queue_full;   /* the disk was too slow */
    uint64_t write_failed;
};

struct skep_recorder;

/* Creates the file (0600; what it held is lost) and writes the head. -errno of open or write. */
int skep_recorder_new(const char *path, const char *json, size_t json_len, const void *btf, size_t btf_len,
                      struct skep_recorder **ret);
/* Takes a checked record. It is copied. */
void skep_recorder_put(struct skep_recorder *r, const struct skep_hdr *h);
/* Hands over what was gathered, whether a block is full or not. */
void skep_recorder_flush(struct skep_recorder *r);
/* Writes what waits, then the end block with the ledger. 0, or the first error of all writes. */
int skep_recorder_finish(struct skep_recorder *r, const char *ledger, size_t len);
/* Waits until all that was handed over is written or lost; the counts are then final. */
void skep_recorder_drain(struct skep_recorder *r);
void skep_recorder_counts(struct skep_recorder *r, struct skep_recorder_counts ret[SKEP_KIND_MAX]);
struct skep_recorder *skep_recorder_free(struct skep_recorder *r);
SKEP_DEFINE_CLEANUP(struct skep_recorder, skep_recorder_free)
#define _cleanup_recorder_ SKEP_CLEANUP(skep_recorder_freep)

struct skep_recording;

/* -EBADMSG with a reason: not a recording, or damaged in its head; -errno of open. */
int skep_recording_open(const char *path, struct skep_recording **ret, char *ret_reason, size_t reason_size);
struct skep_recording *skep_recording_free(struct skep_recording *r);
SKEP_DEFINE_CLEANUP(struct skep_recording, skep_recording_free)
#define _cleanup_recording_ SKEP_CLEANUP(skep_recording_freep)
const char *skep_recording_json(const struct skep_recording *r, size_t *ret_len);
const void *skep_recording_btf(const struct skep_recording *r, size_t *ret_len);
/* 1: the next record, borrowed until the following call; 0: the end; -EBADMSG: damage, described by
 * skep_recording_damage(); nothing comes after it. */
int skep_recording_next(struct skep_recording *r, const struct skep_hdr **ret, size_t *ret_size);
const char *skep_recording_damage(const struct skep_recording *r);
/* The ledger of the end block; NULL: the recording was not finished. Known when next() has given 0. */
const char *skep_recording_ledger(const struct skep_recording *r, size_t *ret_len);
#endif
