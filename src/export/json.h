/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_JSON_H
#define SKEP_EXPORT_JSON_H
/*
 * Events as JSON lines: one object an event, without a line break inside.
 *
 *     {"kind":"open","time":"...","seq":7,...,"path":"/etc/passwd",...,"proc":{"pid":17,...},"container":null}
 *
 * Dotted field names become nested objects. Members come in a fixed order: those of every event, those of the
 * kind, proc, container. What is always there and not known is null; fields marked optional, and an object
 * that holds only such, are left out. An object of the kind (remote) or the container of which nothing is
 * known is null as a whole; proc is always an object.
 *
 * The walk over the fields is laid out once per kind. A writer is immutable after it was made: any thread may
 * use it, each with a buffer of its own, and a memo of its own (see there) when many events are to be written.
 */
#include "event/schema.h"
#include "export/json_memo.h"

struct skep_json_writer;

/* Borrows the schema. -ENOMEM. */
int skep_json_writer_new(const struct skep_schema *s, struct skep_json_writer **ret);
struct skep_json_writer *skep_json_writer_free(struct skep_json_writer *w);
SKEP_DEFINE_CLEANUP(struct skep_json_writer, skep_json_writer_free)

/* Appends the event's object, without a line end. The event's kind is of the writer's schema. memo: what was said of
 * processes before; it changes the speed and nothing else. NULL: none. */
void skep_json_writer_put(const struct skep_json_writer *w, struct skep_json_memo *memo,
                          struct skep_strbuf *sb, const struct skep_event *ev);
#endif
