/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_VALUE_H
#define SKEP_EVENT_VALUE_H
/*
 * The value of a field, taken out of an event: what it is (class), what it means (type, event/types.def), and
 * how it is written and read. Values borrow the bytes that they point to.
 *
 * There are two written forms. The JSON form keeps the bytes (invalid UTF-8 becomes U+FFFD) and is exact. The
 * text form is for lines that people read: never a line break or a control character, durations with units,
 * arguments quoted, endless lists cut with a count of what was left out.
 */
#include "base/json.h"
#include "event/names.h"

enum skep_type {
#define SKEP_TYPE(name, class, names, doc) SKEP_TYPE_##name,
#include "event/types.def"
#undef SKEP_TYPE
    SKEP_TYPE_MAX,
    SKEP_TYPE_INVALID = -EINVAL,
};

enum skep_class {
    SKEP_CLASS_INT,  /* i */
    SKEP_CLASS_UINT, /* u */
    SKEP_CLASS_TEXT, /* s, n */
    SKEP_CLASS_LIST, /* s, n: strings, each ended by a NUL */
    SKEP_CLASS_IP,   /* s: 4 or 16 bytes, n */
};

struct skep_value {
    enum skep_type type;
    enum skep_class class;
    int64_t i; /* of a time: UTC nanoseconds, while u counts from boot */
    uint64_t u;
    const char *s; /* not NULL for text, lists and addresses */
    size_t n;
};

struct skep_type_info {
    const char *name;
    enum skep_class class;
    const struct skep_names *names; /* NULL: none */
    const char *doc;
};
extern const struct skep_type_info skep_types[SKEP_TYPE_MAX];
static inline const struct skep_type_info *skep_type_info(enum skep_type type)
{
    return &skep_types[type];
}
/* By the name in types.def. SKEP_TYPE_INVALID: there is none. */
enum skep_type skep_type_find(const char *name);

/* A system call as a value of type syscall. */
#define SKEP_SYSCALL_VALUE(nr, compat) ((uint64_t)(nr) | ((compat) ? 1ULL << 32 : 0))

/* Bytes of a list that the text form shows. */
#define SKEP_VALUE_TEXT_LIST_MAX 4096

void skep_value_put_text(struct skep_strbuf *sb, const struct skep_value *v);
/* Only the value: the caller wrote the member's name. */
void skep_value_put_json(struct skep_strbuf *sb, const struct skep_value *v);
/* For a readable line: nothing worth a word (empty text or set, false). */
bool skep_value_is_empty(const struct skep_value *v);
/* Order of two values of one field: numbers by size, text by bytes. */
int skep_value_cmp(const struct skep_value *a, const struct skep_value *b);
/* What a word stands for, of a type whose class is a number: O_CREAT|O_EXCL, SIGKILL, 10ms, 4KiB, 0644, 8:1, or the
 * number itself. Names in any case, with or without the prefix that all of a table share. */
struct skep_word {
    uint64_t number; /* of a class INT: as signed; of a time: UTC nanoseconds */
    uint64_t mask;   /* of a set: the bits that number speaks about */
};
/* -EINVAL: it is none; then *ret_expected says what could stand there ("a number"). */
int skep_value_read(enum skep_type type, const char *s, size_t n, struct skep_word *ret,
                    const char **ret_expected);
/* The name of a value that is nearest to a misspelt one (of several with | between them, to the last); NULL: none. */
const char *skep_value_nearest(enum skep_type type, const char *s, size_t n);

/* An address as text. */
void skep_value_put_ip(struct skep_strbuf *sb, const void *ip, size_t n);

/* One element of a list: *at begins at 0; false: no more. A last element without its NUL counts. */
bool skep_list_next(const char *s, size_t n, size_t *at, const char **ret_s, size_t *ret_n);
#endif
