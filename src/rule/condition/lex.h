/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_CONDITION_LEX_H
#define SKEP_RULE_CONDITION_LEX_H
/*
 * The words of conditions. What a character means depends on where it stands (proc.name is a field in front of an
 * operator and a value behind it), so there is no stream of tokens: the parser asks for what may come next.
 *
 *     blank    space, tab, line feed, carriage return, backspace
 *     name     [A-Za-z][A-Za-z0-9_.]*          a field, macro, function or keyword
 *     bare     anything up to a blank, ( ) , = " or '
 *     arg      anything up to a blank, [ ] " or '
 *     number   [+-]digits[.digits][e[+-]digits], 0xhex
 *     quoted   "..." or '...' with \\ \/ \b \f \n \r \t and the quote itself behind a backslash
 *
 * Functions that look for something give its length, 0 when it is not there, and leave the place unchanged.
 */
#include "base/macro.h"

struct skep_lex {
    const char *s;
    size_t n;
    size_t at;
};

/* The next byte; 0 at the end (a 0 in the text ends it, too, for all purposes but at == n). */
static inline char skep_lex_peek(const struct skep_lex *l)
{
    return l->at < l->n ? l->s[l->at] : 0;
}

void skep_lex_blank(struct skep_lex *l);        /* goes past blanks */
bool skep_lex_char(struct skep_lex *l, char c); /* goes past c, if it is next */
size_t skep_lex_name(const struct skep_lex *l);
size_t skep_lex_bare(const struct skep_lex *l);
size_t skep_lex_arg(const struct skep_lex *l);
size_t skep_lex_number(const struct skep_lex *l);
/* With its quotes; 0 also when the closing quote is missing. */
size_t skep_lex_quoted(const struct skep_lex *l);
/* Whether the name that comes next is word. */
bool skep_lex_is(const struct skep_lex *l, const char *word);

/* What a quoted text (with quotes, n bytes) stands for, written to ret, which has room for n bytes. false: *ret_bad is
 * where an escape stands that there is not. */
bool skep_lex_unquote(const char *s, size_t n, char *ret, size_t *ret_n, size_t *ret_bad);
#endif
