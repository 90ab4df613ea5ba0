/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_TEXT_H
#define SKEP_EXPORT_TEXT_H
/*
 * Events as lines for people:
 *
 *     12:34:56.789 connect  curl[4711] uid=1000 container=web tcp 10.0.0.1:40000 -> 1.2.3.4:443 = ECONNREFUSED
 *
 * time of day (local), kind, process, and what the kind's template in abi/events.def says: %name is replaced by
 * a field, or by address and port of an endpoint (%remote); [ ... ] is left out when all fields in it are missing
 * or say nothing; a missing field elsewhere is written as -. A line never holds control characters, whatever
 * names files and processes have.
 *
 * Templates are compiled once; a writer is immutable afterwards.
 */
#include "event/schema.h"

struct skep_text_writer;

/* Borrows the schema. -EINVAL: a template is malformed or names no field; -ENOMEM. */
int skep_text_writer_new(const struct skep_schema *s, bool colour, struct skep_text_writer **ret);
struct skep_text_writer *skep_text_writer_free(struct skep_text_writer *w);
SKEP_DEFINE_CLEANUP(struct skep_text_writer, skep_text_writer_free)

/* Appends what the template says, the end of the line: "tcp 10.0.0.1:40000 -> 1.2.3.4:443 = ECONNREFUSED". */
void skep_text_writer_put_what(const struct skep_text_writer *w, struct skep_strbuf *sb,
                               const struct skep_event *ev);
/* Appends the line, without a line end. */
void skep_text_writer_put(const struct skep_text_writer *w, struct skep_strbuf *sb,
                          const struct skep_event *ev);
#endif
