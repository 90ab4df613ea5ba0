/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_TALLY_H
#define SKEP_EXPORT_TALLY_H
/*
 * Events counted by the value of a field, or by address and port of an endpoint. Memory is bounded: values that come
 * when the table is full are counted together as (other), so that the counts always add up to the total. Events
 * without the field count under -, in JSON null.
 */
#include "base/diag.h"
#include "event/schema.h"

#define SKEP_TALLY_GROUPS_MAX 65536
#define SKEP_TALLY_BYTES_MAX (64ULL << 20) /* of the values' texts */

struct skep_tally;

/* kinds as in skep_where_new(). -EINVAL with a diagnostic in d, -ENOMEM. */
int skep_tally_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *field,
                   struct skep_diags *d, struct skep_tally **ret);
struct skep_tally *skep_tally_free(struct skep_tally *c);
SKEP_DEFINE_CLEANUP(struct skep_tally, skep_tally_free)

void skep_tally_add(struct skep_tally *c, const struct skep_event *ev);

/* Appends lines: a header, and groups by falling count. On a terminal, width and rows are its size: at most rows
 * lines, no longer than width, the last one saying how many groups are not shown; 0: no limit. -ENOMEM. */
int skep_tally_put_text(const struct skep_tally *c, struct skep_strbuf *sb, unsigned width, unsigned rows);
/* One line: {"kind":"count","by":"comm","total":3,"groups":[{"value":"sh","count":2},...],"other":0} */
int skep_tally_put_json(const struct skep_tally *c, struct skep_strbuf *sb);
#endif
