/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_DIAG_H
#define SKEP_BASE_DIAG_H
/*
 * What is wrong with a text that somebody wrote (an expression, a rule, a configuration), and where. Parsers
 * collect diagnostics and go on as far as they can; whoever asked prints the list:
 *
 *     --where:1:5: error: there is no field `pat`
 *       pat startswith /etc
 *       ^~~
 *       hint: did you mean `path`?
 *
 * The list is bounded; what did not fit is counted. An error takes the place of the last warning when the
 * list is full, so that many warnings do not hide what is really wrong.
 */
#include "base/strbuf.h"

#include <stdarg.h>

#define SKEP_DIAGS_MAX 64 /* unless max says otherwise */

struct skep_diag {
    bool warning;     /* what was meant can be done all the same */
    unsigned line;    /* from 1; 0: about no place in particular */
    unsigned column;  /* from 1, in bytes */
    unsigned length;  /* bytes to underline, at least 1 */
    const char *code; /* a fixed word for programs: unknown-field, syntax, ... */
    char *message;
    char *hint; /* NULL: none */
    char *file; /* NULL: that of the list */
    char
        *text; /* the line in question (of a long one a part), when the list's text is not one; NULL: it is */
    unsigned text_at; /* bytes of the line in front of it that are left out */
    size_t offset;    /* of the place in its text, in bytes */
    /* What the place belongs to, when somebody said so: "rule", its name, and where it begins. */
    const char *item_type; /* NULL: nobody did */
    char *item_name;
    size_t item_offset;
    unsigned item_line, item_column;
};

struct skep_diags {
    const char *file; /* name of the text, borrowed */
    struct skep_diag *list;
    size_t n;
    size_t more;            /* that did not fit */
    size_t n_errors;        /* also those that did not fit */
    size_t max;             /* most in the list; 0: SKEP_DIAGS_MAX */
    bool codes;             /* the text names the codes too, behind the message: people look these up */
    size_t room;            /* private: allocated */
    struct skep_diag *last; /* private: the one that a hint belongs to; NULL: it did not fit */
};

void skep_diags_init(struct skep_diags *d, const char *file);
void skep_diags_clear(struct skep_diags *d);
/* Adds one at offset at of source. The hint of the last one is set with skep_diags_hint(). */
void skep_diags_add(struct skep_diags *d, const char *source, size_t at, size_t length, const char *code,
                    const char *fmt, ...) SKEP_PRINTF(6, 7);
/* About a text among several: file and the line in question are copied. file NULL: about no place. */
void skep_diags_add_in(struct skep_diags *d, bool warning, const char *file, const char *source,
                       size_t source_len, size_t at, size_t length, const char *code, const char *fmt,
                       va_list ap);
/* What the last one is about. type: a fixed word. */
void skep_diags_item(struct skep_diags *d, const char *type, const char *name, const char *source,
                     size_t source_len, size_t at);
void skep_diags_hint(struct skep_diags *d, const char *fmt, ...) SKEP_PRINTF(2, 3);

/* source: the text that was parsed, for the line and the caret; NULL: without them. */
void skep_diags_put_text(const struct skep_diags *d, const char *source, struct skep_strbuf *sb);

#define _cleanup_diags_ SKEP_CLEANUP(skep_diags_clear)
#endif
