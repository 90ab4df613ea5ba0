/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_CONDITION_AST_H
#define SKEP_RULE_CONDITION_AST_H
/*
 * A condition as a tree, after macros and lists were put in: what a front end (the Falco language now, others later)
 * hands to the compiler. Nothing in it is typed yet; names of fields are found (skep_rule_field_find).
 *
 *     Expr := And ('or' And)* ; And := Not ('and' Not)* ; Not := 'not'* Check
 *
 * Nodes live in the arena of their policy and are immutable once made: macros that several rules use are shared, so
 * the "tree" is a directed graph without cycles. Depth is at most SKEP_RULE_DEPTH_MAX.
 */
#include "rule/field.h"
#include "rule/source.h"

#define SKEP_RULE_DEPTH_MAX 100

enum skep_expr_kind { SKEP_EXPR_AND, SKEP_EXPR_OR, SKEP_EXPR_NOT, SKEP_EXPR_CHECK };

/* Transformers, applied to a field from the innermost outwards. */
enum skep_transform_id {
#define SKEP_TRANSFORM(name, args, doc) SKEP_TRANSFORM_##name,
#include "rule/transforms.def"
#undef SKEP_TRANSFORM
    SKEP_TRANSFORM_MAX,
    SKEP_TRANSFORM_INVALID = -EINVAL,
};

/* proc.name, proc.aname[2], tolower(proc.name), join("/", proc.cwd, proc.name), or a literal among the arguments of a
 * transformer. */
struct skep_operand {
    const struct skep_rule_field *field; /* NULL: a transformer over operands, or a literal */
    const char *arg;                     /* between the brackets, NULL: none */
    enum skep_transform_id transform;    /* with field NULL; INVALID: a literal */
    const struct skep_operand **operands;
    size_t n_operands;
    const char *literal;
    struct skep_rule_place place;
};

enum skep_rule_op {
#define SKEP_RULE_OP(name, text, args, doc) SKEP_RULE_OP_##name,
#include "rule/ops.def"
#undef SKEP_RULE_OP
    SKEP_RULE_OP_MAX,
    SKEP_RULE_OP_INVALID = -EINVAL,
};

/* `field op oneof (a, b)`: exactly one value fits; anyof: at least one; allof: all of them. */
enum skep_rule_quantifier { SKEP_RULE_SINGLE, SKEP_RULE_ONEOF, SKEP_RULE_ANYOF, SKEP_RULE_ALLOF };

struct skep_literal {
    const char *s; /* NUL-terminated, without quotes and escapes */
    size_t n;
    struct skep_rule_place place;
};

struct skep_check {
    const struct skep_operand *left;
    enum skep_rule_op op;
    enum skep_rule_quantifier quantifier;
    const struct skep_literal
        *values; /* one; several for in, intersects, pmatch and quantifiers; none for exists */
    size_t n_values;
    const struct skep_operand *right; /* val(...) or a transformer in place of values; NULL: values */
};

struct skep_expr {
    enum skep_expr_kind kind;
    const struct skep_expr **kids; /* AND, OR: any number, also 0 (true, false) and 1; NOT: one */
    size_t n_kids;
    struct skep_check check; /* CHECK */
    struct skep_rule_place place;
    const struct skep_evtsets *evttypes; /* rule/evtset.h, of what many rules share; NULL: walk it */
};
#endif
