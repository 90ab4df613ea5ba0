/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_CONDITION_PARSE_H
#define SKEP_RULE_CONDITION_PARSE_H
/*
 * Conditions of the Falco language, from text to trees (rule/condition/ast.h).
 *
 *     Expr  := And ('or' And)* ;  And := Not ('and' Not)* ;  Not := 'not'* Check
 *     Check := Operand Cond | macro | '(' Expr ')'
 *     Cond  := 'exists' | (< <= > >=) (number | Operand')
 *            | (= == != contains startswith ...) (value | Operand' | (oneof|anyof|allof) '(' values ')')
 *            | (in intersects pmatch) ('(' values ')' | list | Operand')
 *     Operand  := field | field '[' arg ']' | function '(' Argument (',' Argument)* ')'
 *     Operand' := val '(' field ')' | function '(' ... ')'
 *
 * What macros and lists there are, the front end says (struct skep_parse_names): a macro is a tree that was made
 * before and is shared, a bare word among values that names a list stands for its items.
 *
 * A text has one syntax error at most, which is added to the diagnostics at once. What is wrong with the meaning (a
 * field that does not exist, a type of event that is not observed) becomes an issue of the parsed text, and is said
 * when a rule uses it: a rule may ask to be left out then, and a macro that nobody uses harms nobody.
 *
 * Nesting is bounded by SKEP_RULE_DEPTH_MAX, also through macros, and so is the number of checks by
 * SKEP_FALCO_NODES_MAX.
 */
#include "base/arena.h"
#include "base/diag.h"
#include "base/textmap.h"
#include "rule/condition/ast.h"
#include "rule/condition/lex.h"

/* A text made of the values of files: a condition with what was appended to it. */
struct skep_rule_piece {
    const struct skep_rule_source *source;
    size_t at; /* where it begins in the text */
};

struct skep_rule_text {
    const char *s;
    size_t n;
    const struct skep_rule_piece *pieces; /* in order; NULL: it stands nowhere */
    size_t n_pieces;
};

struct skep_rule_place skep_rule_text_place(const struct skep_rule_text *t, size_t at, size_t len);

enum skep_rule_issue_kind {
    SKEP_ISSUE_OTHER,
    SKEP_ISSUE_FIELD, /* a field that is not there: rules may ask to be left out */
    SKEP_ISSUE_TYPE,  /* a type of event that is not observed */
};

struct skep_rule_issue {
    struct skep_rule_issue *next;
    enum skep_rule_issue_kind kind;
    bool error;
    const char *code;
    const char *message;
    const char *hint; /* NULL: none; of FIELD and TYPE the name, for the nearest one */
    struct skep_rule_place place;
};

#define SKEP_RULE_ISSUES_MAX 64 /* of one text, half of them warnings; those beyond are not kept */

struct skep_parsed {
    const struct skep_expr *e;
    uint32_t depth, n_checks; /* through macros */
    struct skep_rule_issue *issues, *last_issue;
    uint32_t n_issues;
};

/* Literals as they are collected from several places. */
struct skep_literals {
    struct skep_literal *v;
    size_t n, room;
};
void skep_literals_clear(struct skep_literals *l);
#define _cleanup_literals_ SKEP_CLEANUP(skep_literals_clear)
/* -E2BIG: that would be more than SKEP_FALCO_ITEMS_MAX; -ENOMEM. */
int skep_literals_add(struct skep_literals *l, const struct skep_literal *some, size_t n);
/* All of them as an array of the arena. -ENOMEM. */
int skep_literals_keep(const struct skep_literals *l, struct skep_arena *a, struct skep_literal **ret);

/* Parsed trees as they are collected, to become a group. */
struct skep_parsed_row {
    struct skep_parsed *v;
    size_t n, room;
};
int skep_parsed_row_add(struct skep_parsed_row *row, const struct skep_parsed *p); /* -ENOMEM */
void skep_parsed_row_clear(struct skep_parsed_row *row);
#define _cleanup_parsed_row_ SKEP_CLEANUP(skep_parsed_row_clear)

struct skep_parse_names {
    void *data;
    /* NULL: there is none, or it is broken; what there is to say about it has been said. */
    const struct skep_parsed *(*macro)(void *data, const char *name, size_t len,
                                       const struct skep_rule_place *place);
    /* 1: a list, whose items stay as they are; 0: no list has this name; -EINVAL: it cannot be used, as was said. */
    int (*list)(void *data, const char *name, size_t len, const struct skep_literal **ret, size_t *ret_n);
};

struct skep_parse {
    struct skep_arena *arena; /* for all that is made */
    struct skep_diags *diags;
    const char *code;                     /* of syntax errors: LOAD_ERR_COMPILE_CONDITION */
    const struct skep_parse_names *names; /* NULL: neither macros nor lists */
    size_t *literals_left;                /* how many values may be made; NULL: any number */
    size_t
        *values_left; /* how many values checks may have, shared ones counted each time; NULL: any number */
    struct skep_textmap *fields;  /* remembers fields by name; names in texts live as long. NULL: not */
    struct skep_columns *columns; /* names of columns are fields, too (rule/column/column.h); NULL: not */
};

void skep_rule_issue_report(const struct skep_rule_issue *issue, struct skep_diags *d);

/* All of these: -EINVAL with a diagnostic (or a macro or list that is broken), -ENOMEM. */
int skep_parse_condition(const struct skep_parse *p, const struct skep_rule_text *t, struct skep_parsed *ret);
enum skep_operand_place {
    SKEP_OPERAND_ALONE,
    SKEP_OPERAND_RIGHT, /* behind an operator, where val() may stand */
    /* Text may follow at once, as in outputs, so that the longest name of a field counts and brackets belong to a
     * field only if it takes an argument. */
    SKEP_OPERAND_IN_TEXT,
};

/* A field or function by itself, from byte *at on; *at is then behind it. Issues are added to into. */
int skep_parse_operand(const struct skep_parse *p, const struct skep_rule_text *t, size_t *at,
                       enum skep_operand_place where, struct skep_parsed *into,
                       const struct skep_operand **ret);
/* The item of a list as it stands in a file: a text with blanks that does not begin with a quote is one value,
 * else it is read as values with commas between them. Lists among them are expanded. */
int skep_parse_item(const struct skep_parse *p, const struct skep_rule_text *t, struct skep_literal **ret,
                    size_t *ret_n);
/* The same for what stands in parentheses, with or without them. */
int skep_parse_items(const struct skep_parse *p, const struct skep_rule_text *t, struct skep_literal **ret,
                     size_t *ret_n);

/* "=", "in", "startswith oneof"; false: there is no such comparison. */
bool skep_parse_op(const char *s, size_t n, enum skep_rule_op *ret,
                   enum skep_rule_quantifier *ret_quantifier);
const char *skep_rule_op_text(enum skep_rule_op op);
/* Whether a list of values follows: in, intersects, pmatch. */
bool skep_rule_op_takes_list(enum skep_rule_op op);

/* Nodes, for front ends that make them without text. Issues of a check are added to into; *ret gets the tree alone.
 * One kid alone, with `and` or `or`, is itself. */
int skep_parse_make_check(const struct skep_parse *p, const struct skep_check *c,
                          const struct skep_rule_place *place, struct skep_parsed *into,
                          struct skep_parsed *ret);
int skep_parse_make_group(const struct skep_parse *p, enum skep_expr_kind kind,
                          const struct skep_parsed *kids, size_t n, const struct skep_rule_place *place,
                          struct skep_parsed *ret);
#endif
