/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COLUMN_COLUMN_H
#define SKEP_RULE_COLUMN_COLUMN_H
/*
 * Columns as fields: in the condition of --where the names that people see in columns and in JSON (pid, path, flags,
 * remote.port, all of `skep docs events`) are fields beside those of the rule language. A name that both have is the
 * rule language's.
 *
 * A column is not of one type: flags are those of open(2) in one kind of event and those of mount(2) in another, and
 * `flags contains O_CREAT` asks for bits, `flags startswith O_RDWR` for the text. So the parser first takes a column for
 * what it is called (find), and makes of a comparison, once it is complete (check), what the rest of the compiler
 * understands: comparisons of rows, each of one type and of the kinds that have it, joined by or; values become numbers.
 *
 *     flags contains O_CREAT     the set of open flags, and those bits        = true
 *     duration > 10ms            duration                                     > 10000000
 *     error startswith E         error as it is written                       startswith E
 *     signal in (KILL, TERM)     signal                                       in (9, 15)
 *     args = -rf                 the list args: one of its elements           = -rf
 *     kind = open                evt.type                                     in (open, openat, ...)
 *
 *     number     = != < <= > >= in intersects; units, octal permissions, times as the type has them
 *     name       (signal, error, family, ...) the same with names, and operators of texts on the written form
 *     set        (flags, caps) contains and intersects: these bits are in it; = != in: it is this; other operators of
 *                texts on the written form
 *     text, list operators of texts; of a list one element has to fit, and != means that none is equal
 *     address    = != in: also networks; operators of texts on the written form
 *
 * Of several types it is enough when the values fit one; where they fit none, the comparison is an error.
 *
 * Rows live as long as the columns, which must outlive what is compiled of them. Making them is for one thread; reading
 * values is for any.
 */
#include "event/schema.h"
#include "rule/condition/parse.h"

struct skep_columns;

/* Borrows the schema. kinds: those that the condition will be asked about, NULL: all that are shown. */
int skep_columns_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], struct skep_columns **ret);
struct skep_columns *skep_columns_free(struct skep_columns *c);
SKEP_DEFINE_CLEANUP(struct skep_columns, skep_columns_free)
#define _cleanup_columns_ SKEP_CLEANUP(skep_columns_freep)

/* For the parser. A field with SKEP_FIELD_COLUMN, which only skep_columns_check() understands; NULL: no kind has such a
 * column, or no memory (which the arena of the columns knows: skep_columns_failed()). */
const struct skep_rule_field *skep_columns_find(struct skep_columns *c, const char *name, size_t len);
/* What a name that is neither a field nor a column was probably meant to be; NULL: nothing near. */
const char *skep_columns_nearest(const struct skep_columns *c, const char *name, size_t len);
/* Whether a kind that was not chosen has the column. */
bool skep_columns_elsewhere(const struct skep_columns *c, const char *name, size_t len);
bool skep_columns_failed(const struct skep_columns *c);
/* skep_parse_make_check() for a check that may have columns in it: on either side and in functions. */
int skep_columns_check(struct skep_columns *c, const struct skep_parse *p, const struct skep_check *check,
                       const struct skep_rule_place *place, struct skep_parsed *into,
                       struct skep_parsed *ret);
#endif
