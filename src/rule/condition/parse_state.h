/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_CONDITION_PARSE_STATE_H
#define SKEP_RULE_CONDITION_PARSE_STATE_H
/*
 * What the files of the parser share: parse.c reads expressions, parse_operand.c fields and functions, parse_value.c what
 * stands behind an operator.
 */
#include "rule/condition/parse.h"

struct skep_parser {
    const struct skep_parse *p;
    const struct skep_rule_text *t;
    struct skep_lex l;
    unsigned depth;           /* of recursion */
    bool prefix;              /* a field by itself, with other text behind it */
    bool right;               /* behind an operator, where val() may stand */
    struct skep_parsed *into; /* whose issues */
};

struct skep_rule_place skep_parser_place(const struct skep_parser *ps, size_t at, size_t len);
/* A syntax error at byte at of the text: -EINVAL. */
int skep_parser_error(struct skep_parser *ps, size_t at, size_t len, const char *fmt, ...) SKEP_PRINTF(4, 5);
/* What stands at the place of the parser, for "... is expected instead of X". */
const char *skep_parser_here(const struct skep_parser *ps, char *buf, size_t size);

/* After an error: what ended a value early and touches it was probably meant to be a part of it. */
void skep_parser_hint_quotes(struct skep_parser *ps);

/* NULL: there are too many, or no memory (which the arena knows). */
struct skep_rule_issue *skep_parse_issue(const struct skep_parse *p, struct skep_parsed *into, bool error,
                                         const char *code, const struct skep_rule_place *place,
                                         const char *fmt, ...) SKEP_PRINTF(6, 7);

int skep_parser_operand(struct skep_parser *ps, const struct skep_operand **ret);
/* A quoted text. -EINVAL, also when there is none. */
int skep_parser_quoted(struct skep_parser *ps, const char **ret, size_t *ret_n);
/* Behind the opening parenthesis, up to and with the closing one. */
int skep_parser_list(struct skep_parser *ps, struct skep_check *c);
/* What follows c->op: values, or a function or val() as c->right. */
int skep_parser_right(struct skep_parser *ps, struct skep_check *c);
#endif
