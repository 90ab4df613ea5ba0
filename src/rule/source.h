/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_SOURCE_H
#define SKEP_RULE_SOURCE_H
/*
 * Where a piece of rule text stands in the files that people wrote. A condition reaches the parser as one string, but
 * in its file it may be folded over many lines, quoted, or put together of an original and what was appended to it.
 * Every node of the tree that may be complained about carries a place; a diagnostic made of it names file, line and
 * column and shows the line with a caret.
 *
 * Sources and files live as long as the policy that was loaded from them.
 */
#include "base/diag.h"

/* A rule, macro or list, for diagnostics about what is in it. */
struct skep_rule_item {
    size_t at;        /* byte of the file at which it begins; it ends at the next one */
    const char *type; /* "rule"; NULL: none of these */
    const char *name;
};

struct skep_rule_file {
    const char *name; /* as it was given */
    const char *text; /* the whole file */
    size_t len;
    const struct skep_rule_item *items; /* in the order of their places; NULL: not known */
    size_t n_items;
};

/* A value in a file: a condition, an output, a name. */
struct skep_rule_source {
    const struct skep_rule_file *file;
    const char *text; /* the value, after YAML's folding and quoting */
    size_t len;
    size_t at;   /* byte of the file at which it begins */
    bool quoted; /* in quotes, of which the first stands at byte at - 1 */
};

struct skep_rule_place {
    const struct skep_rule_source *source; /* NULL: not in a file */
    uint32_t at;                           /* byte of source->text */
    uint32_t len;
};

/* The byte of the file that a byte of the value stands at. Folding changes only white space, so that the bytes that
 * are none can be counted off; escapes of quoted values are read again. */
size_t skep_rule_source_offset(const struct skep_rule_source *s, size_t at);

/* Adds a diagnostic about a place (NULL or without a source: about nothing in particular). error false: a warning,
 * after which the policy is made all the same. code: Falco's, as LOAD_ERR_COMPILE_CONDITION. */
void skep_rule_complain(struct skep_diags *d, bool error, const struct skep_rule_place *p, const char *code,
                        const char *fmt, ...) SKEP_PRINTF(5, 6);
#endif
