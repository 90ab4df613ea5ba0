/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EXPORT_SORT_H
#define SKEP_EXPORT_SORT_H
/*
 * Output in the order of a field, for what has an end (a replay, skep ps): lines of any form are collected
 * with their events' keys and handed out sorted. Lines whose event lacks the field come last, in either
 * direction; equal ones keep the order in which they came.
 */
#include "base/diag.h"
#include "event/schema.h"

#define SKEP_SORT_BYTES_MAX (1ULL << 30) /* of lines and keys */

struct skep_sort;

/* by: "FIELD" or "FIELD,desc" (or ",asc"). kinds as in skep_where_new(). -EINVAL with a diagnostic in d, -ENOMEM. */
int skep_sort_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *by,
                  struct skep_diags *d, struct skep_sort **ret);
struct skep_sort *skep_sort_free(struct skep_sort *s);
SKEP_DEFINE_CLEANUP(struct skep_sort, skep_sort_free)

/* Copies the line. -ENOMEM, -E2BIG: too much to sort; the line is not taken and the caller says so. */
int skep_sort_add(struct skep_sort *s, const struct skep_event *ev, const char *line, size_t n);
/* Sorts what is there. */
void skep_sort_finish(struct skep_sort *s);
/* The lines in order: *at begins at 0; NULL: no more. */
const char *skep_sort_next(const struct skep_sort *s, size_t *at, size_t *ret_n);
#endif
