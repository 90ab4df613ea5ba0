/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_WHERE_H
#define SKEP_EVENT_WHERE_H
/*
 * Conditions on events: comparisons that must all be true.
 *
 *     path startswith /etc and uid != 0 and comm in (bash, sh) and not flags contains O_CREAT
 *
 *     expression := comparison { ("and" | "&&") comparison }
 *     comparison := [ "not" | "!" ] field operator value | ... field "in" ( value | "(" value {"," value} ")" )
 *                 | ... field "exists"
 *     operator   := = == != < <= > >= contains startswith endswith glob
 *     value      := a bare word, which ends at white space, a comma or a parenthesis, or "quoted", or 'quoted',
 *                   with \" \' \\ \n \t \xHH inside
 *
 * Values are read by the type of the field (event/operand.h): names of flags and enumerations, 10ms, 4KiB,
 * 10.0.0.0/8, 0644. Of a list, one element has to fit. Logic is three-valued: where the field is missing the
 * comparison is false, and so is its negation; only exists answers for missing fields.
 *
 * An expression is resolved once against every kind of a schema. Evaluation allocates nothing; it uses a buffer
 * in the object, so one thread at a time.
 */
#include "base/diag.h"
#include "event/schema.h"

#define SKEP_WHERE_MAX 65536       /* bytes of an expression */
#define SKEP_WHERE_ATOMS_MAX 64    /* comparisons */
#define SKEP_WHERE_VALUES_MAX 4096 /* values in all of them */

struct skep_where;

/* kinds: those that the expression will be asked about, NULL for all: a field must exist in one of them.
 * Borrows the schema; not text. -EINVAL with at least one diagnostic in d; -ENOMEM. */
int skep_where_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *text,
                   struct skep_diags *d, struct skep_where **ret);
struct skep_where *skep_where_free(struct skep_where *w);
SKEP_DEFINE_CLEANUP(struct skep_where, skep_where_free)
#define _cleanup_where_ SKEP_CLEANUP(skep_where_freep)

bool skep_where_match(struct skep_where *w, const struct skep_event *ev);
#endif
