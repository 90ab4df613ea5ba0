/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RECORDING_H
#define SKEP_EVENT_RECORDING_H
/*
 * Reads a recording (event/recording_format.h; made by event/recorder.h): a source that gives the records in
 * the order in which they were put, in this build's layout, whatever build wrote them.
 *
 * A recording is not trusted. Every block is checked (checksum, sizes, the records' own lengths) before its
 * first record is given out, and all memory is bounded. What the slices of a record say is for
 * skep_record_check() to judge, as for every record.
 *
 * Damage. A file that was cut off or damaged is read up to the damage, one whole block after another; then
 * skep_recording_next() gives -EBADMSG and skep_recording_damage() says at which offset, after how many records and
 * why. Nothing behind the damage is read: what comes there was recorded by processes that this reader could
 * not know. A recording without an end (skep was killed, or still runs) is "cut off" in this sense.
 *
 * Other builds. Records of a kind whose layout differs are rebuilt by member name (event/remap.h). Records of
 * kinds that this build does not have, or that cannot be rebuilt, are left out and counted.
 *
 *     r = skep_recording_open(path, layouts, &rec, reason, sizeof(reason));
 *     while ((r = skep_recording_next(rec, &h)) > 0) ...
 *     if (r < 0) complain(skep_recording_damage(rec));
 *     else ledger = skep_recording_ledger(rec, &size);
 *
 * One thread at a time.
 */
#include "abi/event.h"
#include "event/layout.h"

struct skep_recording;

struct skep_recording_counts {
    uint64_t bytes;     /* of the file, read so far */
    uint64_t blocks;    /* that hold records */
    uint64_t records;   /* in them */
    uint64_t missing;   /* that the recorder could not write */
    uint64_t unknown;   /* of kinds that this build does not have */
    uint64_t malformed; /* that could not be rebuilt in this build's layout */
};

/* layouts: of this build, borrowed until free. "-" reads standard input. On failure ret_reason tells a person
 * what is wrong with the file: -EBADMSG (no recording, or damaged at its beginning), -EPROTONOSUPPORT (of a newer
 * format), -ENOMEM, or what the system said. */
int skep_recording_open(const char *path, const struct skep_layouts *layouts, struct skep_recording **ret,
                        char *ret_reason, size_t reason_size);
/* The same for a descriptor, which is taken in any case. */
int skep_recording_open_fd(int fd, const struct skep_layouts *layouts, struct skep_recording **ret,
                           char *ret_reason, size_t reason_size);
struct skep_recording *skep_recording_free(struct skep_recording *r);
SKEP_DEFINE_CLEANUP(struct skep_recording, skep_recording_free)
#define _cleanup_recording_ SKEP_CLEANUP(skep_recording_freep)

/* The next record, valid until the next call. 1; 0: the end, complete; -EBADMSG: damage or cut off, or another
 * error; once it failed it fails forever. */
int skep_recording_next(struct skep_recording *r, const struct skep_hdr **ret);
/* After a failure: what happened and where, in words; else "". */
const char *skep_recording_damage(const struct skep_recording *r);
/* The ledger that was given to skep_recorder_finish(), NUL-terminated; NULL before the end. */
const char *skep_recording_ledger(const struct skep_recording *r, size_t *ret_size);

/* The head that was given to skep_recorder_new(), NUL-terminated. It need not be JSON: the file is not trusted. */
const char *skep_recording_json(const struct skep_recording *r, size_t *ret_size);
/* The writer's layouts: names of the kinds and members as they were. */
const struct skep_layouts *skep_recording_layouts(const struct skep_recording *r);

void skep_recording_counts(const struct skep_recording *r, struct skep_recording_counts *ret);
/* What was left out so far and why, a line each, for people; nothing when nothing was. */
void skep_recording_put_notices(const struct skep_recording *r, struct skep_strbuf *sb);
#endif
