/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_TABLE_H
#define SKEP_EXPORT_TABLE_H
/*
 * Events as rows of columns.
 *
 *     TIME          PID     COMM             PATH
 *     12:34:56.789  4711    bash             /etc/passwd
 *
 * Columns are named fields, endpoints (remote), or `event`: what the kind's readable line says. On a terminal a row never takes more than one line: text
 * columns share the room that is left and what does not fit ends in an ellipsis. In a pipe nothing is cut.
 * Without a choice of columns a single kind's are those that its readable line speaks of, and events of several kinds,
 * which have hardly a column in common, end with that line. On a narrow terminal some of the former are left out, so that the
 * first of them stays readable.
 *
 * A table owns a scratch buffer: one thread at a time.
 */
#include "base/diag.h"
#include "event/schema.h"

#define SKEP_TABLE_COLUMNS_MAX 32

struct skep_table;

struct skep_table_options {
    size_t size;         /* of this struct */
    const char *columns; /* "time,pid,comm,path"; NULL: choose */
    unsigned width;      /* of the terminal; 0: not a terminal */
    bool colour;
};

/* kinds: those whose events will come, NULL for all. Borrows the schema. -EINVAL with a diagnostic in d, -ENOMEM. */
int skep_table_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX],
                   const struct skep_table_options *options, struct skep_diags *d, struct skep_table **ret);
struct skep_table *skep_table_free(struct skep_table *t);
SKEP_DEFINE_CLEANUP(struct skep_table, skep_table_free)

/* The terminal changed its width. */
void skep_table_set_width(struct skep_table *t, unsigned width);
/* Each appends a line without its end. */
void skep_table_put_header(const struct skep_table *t, struct skep_strbuf *sb);
void skep_table_put_row(struct skep_table *t, struct skep_strbuf *sb, const struct skep_event *ev);
#endif
