/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_VALUE_H
#define SKEP_EVENT_VALUE_H
/*
 * The value of a field, taken out of an event: what it is (class), what it means (type, event/types.def), and
 * how it is written and compared. Values borrow the bytes that they point to.
 */
#include "abi/types.h"
#include "base/json.h"

enum skep_type {
#define SKEP_TYPE(name, class, names, doc) SKEP_TYPE_##name,
#include "event/types.def"
#undef SKEP_TYPE
    SKEP_TYPE_MAX,
    SKEP_TYPE_INVALID = -EINVAL,
};

enum skep_class {
    SKEP_CLASS_INT,   /* i */
    SKEP_CLASS_UINT,  /* u */
    SKEP_CLASS_TEXT,  /* s, n */
    SKEP_CLASS_LIST,  /* s, n: strings, each ended by a NUL */
    SKEP_CLASS_IP,    /* s: 4 or 16 bytes, n */
};

struct skep_value {
    enum skep_type type;
    enum skep_class class;
    int64_t i;
    uint64_t u;
    const char *s;
    size_t n;
};

/* One name of a flag or an enumerator. */
struct skep_name {
    uint64_t value;
    const char *name;
};
#endif
