/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_COLUMN_ROW_H
#define SKEP_RULE_COLUMN_ROW_H
/*
 * What the files of columns share: column.c has the names, row.c the values, check.c the comparisons.
 */
#include "rule/column/column.h"
#include "rule/fact.h"

#define SKEP_COLUMN_TYPE_ANY SKEP_TYPE_MAX

/* As what a column is compared. */
enum skep_column_form {
    SKEP_COLUMN_EXISTS, /* true where it is there */
    SKEP_COLUMN_NUMBER,
    SKEP_COLUMN_BOOL,
    SKEP_COLUMN_TEXT, /* of what is no text the written form */
    SKEP_COLUMN_LIST,
    SKEP_COLUMN_IP,
    SKEP_COLUMN_BITS, /* whether a set has them */
};

struct skep_column {
    struct skep_rule_field rule; /* first */
    struct skep_columns *columns;
    struct skep_column_row *rows;
    struct skep_item items[SKEP_KIND_MAX]; /* by kind; field NULL: it has none */
};

/* A number or text that is read from the record as it is: most columns, without the detour of their getters. */
struct skep_column_place {
    uint16_t off;
    uint8_t size; /* 0: it is none; of a text that of its slice */
    bool is_signed;
    bool of_task; /* in the header: missing where nobody acts */
    bool has_missing;
    uint32_t missing;
};

struct skep_column_row {
    struct skep_rule_field rule; /* first: the way back from a field */
    struct skep_column_row *next;
    const struct skep_column *column;
    enum skep_column_form form;
    enum skep_type type; /* of the kinds' fields; SKEP_COLUMN_TYPE_ANY: whatever it is */
    struct skep_word bits;
    const struct skep_item *items[SKEP_KIND_MAX];   /* by kind; NULL: it is not about this kind */
    struct skep_column_place places[SKEP_KIND_MAX]; /* of the forms NUMBER, BITS, TEXT */
};

struct skep_columns {
    const struct skep_schema *schema;
    bool kinds[SKEP_KIND_MAX];
    bool chosen; /* kinds are those that somebody chose */
    struct skep_arena *arena;
    struct skep_textmap by_name;
};

/* The type of a kind's part of the column; an address with its port is a text. SKEP_TYPE_INVALID: it has none. */
static inline enum skep_type skep_column_type(const struct skep_column *c, unsigned kind)
{
    const struct skep_item *i = &c->items[kind];
    return !i->field ? SKEP_TYPE_INVALID : i->port ? SKEP_TYPE_text : i->field->type;
}

/* The same row for the same arguments. bits: of the form BITS, else NULL. NULL: no memory. */
const struct skep_rule_field *skep_column_row(struct skep_column *c, enum skep_column_form form,
                                              enum skep_type type, const struct skep_word *bits);
#endif
