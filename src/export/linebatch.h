/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_LINEBATCH_H
#define SKEP_EXPORT_LINEBATCH_H
/*
 * Lines on their way to the output queue: written one behind the other by the thread that has them, and handed
 * over many at a time (skep_output_put_batch), so that a lock is taken and the writer looked after once for all
 * of them. Small enough to stay in the processor's nearest cache.
 *
 *     writer_put(writer, &batch.text, event);
 *     if (skep_linebatch_end(&batch, kind) && skep_linebatch_is_full(&batch))
 *         skep_output_put_batch(out, &batch);
 *
 * Whoever has a batch hands it over before it goes to sleep, and before it puts a line in any other way. One thread.
 */
#include "base/strbuf.h"
#include "export/linering.h"

#define SKEP_LINEBATCH_BYTES (16U << 10)
#define SKEP_LINEBATCH_LINES 256

struct skep_linebatch {
    struct skep_strbuf text; /* finished lines, each with its line feed; what is appended is the next one */
    size_t len;              /* of the finished lines */
    size_t n;
    struct skep_linering_slot lines[SKEP_LINEBATCH_LINES];
};

/* line_max: no line is longer. */
void skep_linebatch_init(struct skep_linebatch *b, size_t line_max);
void skep_linebatch_clear(struct skep_linebatch *b);
/* What was appended since the last end is a line of this kind; the batch is not full. False: it did not fit or there was
 * no memory for it, and nothing of it is there. */
bool skep_linebatch_end(struct skep_linebatch *b, unsigned kind);
bool skep_linebatch_is_full(const struct skep_linebatch *b);
void skep_linebatch_reset(struct skep_linebatch *b);
#endif
