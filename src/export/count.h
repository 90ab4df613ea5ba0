/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_COUNT_H
#define SKEP_EXPORT_COUNT_H
/*
 * Events counted by the value of a field, or by address and port of an endpoint. Memory is bounded: values that come
 * when the table is full are counted together as (other), so that the counts always add up to the total. Events
 * without the field count under -, in JSON null.
 */
#include "base/diag.h"
#include "event/schema.h"

#define SKEP_COUNT_GROUPS_MAX 65536
#define SKEP_COUNT_BYTES_MAX (64ULL << 20) /* of the values' texts */

struct skep_count;

/* kinds as in skep_where_new(). -EINVAL with a diagnostic in d, -ENOMEM. */
int skep_count_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *field,
                   struct skep_diags *d, struct skep_count **ret);
struct skep_count *skep_count_free(struct skep_count *c);
SKEP_DEFINE_CLEANUP(struct skep_count, skep_count_free)

void skep_count_add(struct skep_count *c, const struct skep_event *ev);

/* Appends lines: a header, and groups by falling count. On a terminal, width and rows are its size: at most rows
 * lines, no longer than width, the last one saying how many groups are not shown; 0: no limit. -ENOMEM. */
int skep_count_put_text(const struct skep_count *c, struct skep_strbuf *sb, unsigned width, unsigned rows);
/* One line: {"kind":"count","by":"comm","total":3,"groups":[{"value":"sh","count":2},...],"other":0} */
int skep_count_put_json(const struct skep_count *c, struct skep_strbuf *sb);
#endif
