/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_NAMES_H
#define SKEP_EVENT_NAMES_H
/*
 * The names that people use for numbers: O_CREAT, SIGKILL, inet, tcp, prog_load. One const table a meaning,
 * used to print values, to read them in expressions and to write the reference. A table is either an
 * enumeration (one name stands for the whole value) or a set (names joined by |).
 *
 * What a table does not know is never hidden: an enumeration prints cmd#99, a set appends the rest as 0x...
 */
#include "abi/types.h"
#include "base/strbuf.h"

/* Protocol numbers of sockets without one: SKEP_PROTO_FAMILY + the address family. */
#define SKEP_PROTO_FAMILY 0x10000

struct skep_name {
    uint64_t value;
    uint64_t mask; /* in a set: the bits that decide (open's access mode is one name out of four); else 0 */
    const char *name;
};

struct skep_names {
    const struct skep_name *rows; /* in a set, a row that covers several bits stands before its parts */
    size_t n;
    bool set;
    bool all;            /* a set with every bit on is written "all" */
    bool zero_is_none;   /* an enumeration: 0 means that there is no value */
    const char *unknown; /* an enumeration: what stands before a number without a name */
};

#define SKEP_TYPE(name, class, names, doc) SKEP_NAMES_DECLARE_##names
#define SKEP_NAMES_DECLARE_NONE
#define SKEP_NAMES_DECLARE_OF(table) extern const struct skep_names skep_names_##table;
#include "event/types.def"
#undef SKEP_NAMES_DECLARE_OF
#undef SKEP_NAMES_DECLARE_NONE
#undef SKEP_TYPE

/* Name of an enumeration's value; NULL: it has none. */
const char *skep_names_get(const struct skep_names *names, uint64_t value);
/* The readable form, for both sorts of table. An empty set writes nothing. */
void skep_names_put(struct skep_strbuf *sb, const struct skep_names *names, uint64_t value);
/* The row of a name, whatever its case; with and without the prefix that all names of a table share is the
 * same (CREAT for O_CREAT, attach for PTRACE_ATTACH). NULL: not in the table. */
const struct skep_name *skep_names_find(const struct skep_names *names, const char *s, size_t n);
#endif
