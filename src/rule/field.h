/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_H
#define SKEP_RULE_FIELD_H
/*
 * The fields that conditions and outputs name: proc.name, fd.sip, container.id, ... with the meaning that Falco gives
 * them, computed from skep's events. One row a field, in the file of its family (field/<family>.c, listed in
 * field/families.def); condition checker, compiler, outputs, `skep docs fields` all read these rows and nothing else.
 *
 * In user space a field's value is computed by its get(), asked at most once for each event and kept as a fact
 * (rule/fact.h). In the kernel, where the record has just been put together, a field may stand at a known place of it:
 * its spots say where, by kind of event. A field without a spot for a kind is not known there, and what depends on it
 * is decided in user space.
 */
#include "abi/event.h"
#include "event/event.h"

enum skep_rule_type {
    SKEP_RULE_TEXT,
    SKEP_RULE_NUMBER, /* signed, 64 bits */
    SKEP_RULE_BOOL,
    SKEP_RULE_IP, /* 4 or 16 bytes */
};

enum skep_rule_field_flag {
    SKEP_FIELD_ARG_OPTIONAL = 1 << 0, /* name[arg] or name */
    SKEP_FIELD_ARG_REQUIRED = 1 << 1,
    SKEP_FIELD_ARG_INDEX = 1 << 2, /* the argument is a number, at most SKEP_FIELD_INDEX_MAX; else any text */
    SKEP_FIELD_LIST = 1 << 3,      /* several values at once; `in`: all of them, `intersects`: any */
    SKEP_FIELD_ANY = 1 << 4, /* several values, of which one that fits is enough (fd.ip, proc.aname without
                                         argument); != means that none is equal */
    SKEP_FIELD_NET = 1 << 5, /* an address that is compared with networks (fd.net) */
    SKEP_FIELD_FILTER_ONLY = 1 << 6, /* not for outputs */
    SKEP_FIELD_DEPRECATED = 1 << 7,
    SKEP_FIELD_TIME = 1 << 8,     /* a number of nanoseconds since 1970, UTC */
    SKEP_FIELD_DURATION = 1 << 9, /* a number of nanoseconds */
    /* The argument is the name of an argument of some type of event (field/args.def), or its place. */
    SKEP_FIELD_ARG_EVENT = 1 << 10,
    SKEP_FIELD_HOSTS =
        1 << 20, /* lives on all dns events, which must reach user space for it (rule/names/hosts.h) */
    SKEP_FIELD_ENVIRON = 1 << 11, /* of whole environments: see skep_proc_table.keep_env */
    /* The argument may also stand behind a dot: container.label.tier is container.label[tier]. */
    SKEP_FIELD_ARG_DOT = 1 << 12,
    SKEP_FIELD_NA = 1 << 14,     /* it may be "<NA>", as in Falco: a user without a name */
    SKEP_FIELD_PORT = 1 << 13,   /* a number that conditions may also give as the name of a service */
    SKEP_FIELD_COLUMN = 1 << 15, /* a name that stands for several fields: rule/column/column.h */
};
#define SKEP_FIELD_INDEX_MAX 1023

/* Where a value stands in the record, for the kernel. off is of the member in the struct of the kind. */
enum skep_rule_spot_form {
    SKEP_SPOT_SLICE, /* TEXT: a struct skep_slice; off 0 in it: missing */
    SKEP_SPOT_CHARS, /* TEXT: an array of size bytes, up to its NUL */
    SKEP_SPOT_U8,    /* NUMBER or BOOL */
    SKEP_SPOT_U16,
    SKEP_SPOT_U32,
    SKEP_SPOT_S32,
    SKEP_SPOT_U64,      /* also signed */
    SKEP_SPOT_BITS,     /* BOOL: (u32 & mask) is one of the n_values numbers in values; none: always false */
    SKEP_SPOT_ENDPOINT, /* IP: a struct skep_endpoint; family 0: missing */
    SKEP_SPOT_PORT,     /* NUMBER: the port of a struct skep_endpoint; family 0: missing */
    SKEP_SPOT_RET,      /* NUMBER: hdr.ret; missing without SKEP_HDR_RET */
    /* TEXT: a struct skep_slice at off with the path of an object. Known only where the slice is there (its off is not
     * 0) and the path_source at source_off is SKEP_PATH_OBJECT: other paths may still have . and .. in them, which
     * user space takes out (where one look serves all rules, those that have none are known, too). */
    SKEP_SPOT_PATH,
    /* TEXT: the same path, of which the value is the directory, or which is itself one: the kernel tells only that it
     * does not begin with a text. "/" is also the directory of what is no path. */
    SKEP_SPOT_DIRECTORY,
    /* TEXT: the same path, of which the value is the last part: the kernel tells only that it does not end with a text.
     * What is no path has "/". */
    SKEP_SPOT_FILENAME,
    /* TEXT: one of n_choices, by the number (u32 & mask); any other number: not known. Choices without a text mean that
     * the value is missing. */
    SKEP_SPOT_CHOICE,
    SKEP_SPOT_FD_RET,  /* NUMBER: hdr.ret, of a call that gives a descriptor; -1 when it is negative */
    SKEP_SPOT_UNKNOWN, /* decided in user space for this kind, whatever a row for any kind says */
};

struct skep_rule_spot_text {
    uint32_t value;
    const char *text; /* NULL: missing */
};

struct skep_rule_spot {
    uint16_t kind; /* 0: any */
    uint8_t form;  /* enum skep_rule_spot_form */
    uint8_t n_values;
    uint16_t off;
    uint16_t size;
    uint32_t mask;
    uint32_t values[8];
    uint16_t source_off; /* PATH, DIRECTORY, FILENAME */
    bool succeeded;      /* SLICE, PATH: missing when hdr.ret is negative */
    bool has_missing;    /* a number that means: missing */
    int64_t missing;
    const struct skep_rule_spot_text *choices; /* CHOICE */
    uint16_t n_choices;
};

struct skep_rule_ctx;
struct skep_fact;
struct skep_fact_request;

struct skep_rule_field {
    const char *name;
    const char *doc;
    enum skep_rule_type type;
    uint32_t flags;    /* enum skep_rule_field_flag */
    const char *kinds; /* kinds of event that supply it, comma-separated; "*": all */
    /* Computes the value with the functions of rule/fact.h; false: missing. */
    bool (*get)(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret);
    const struct skep_rule_spot *spots; /* n_spots of them; NULL: none */
    size_t n_spots;
    uint32_t number; /* for get() functions that serve several rows: whatever the family likes */
};

struct skep_rule_family {
    const char *name;
    const char *doc;
    const struct skep_rule_field *fields;
    size_t n_fields;
};

/* By name without argument; NULL: there is none. */
const struct skep_rule_field *skep_rule_field_find(const char *name, size_t len);
/* The same for a name as it stands in a rule, where the argument of a SKEP_FIELD_ARG_DOT field may be a part of it: of "evt.arg.flags" the row is evt.arg and *ret_arg_at the place of "flags" in name; 0: there is no argument in the
 * name. NULL also for evt.arg.nonsense: no event has such an argument. */
const struct skep_rule_field *skep_rule_field_find_dotted(const char *name, size_t len, size_t *ret_arg_at);
/* Whether a SKEP_FIELD_ARG_EVENT field takes this argument, a name or a number; true for other fields. */
bool skep_rule_field_arg_known(const struct skep_rule_field *f, const char *arg, size_t len);
/* Whether names of fields begin like this one, up to its first dot: a quick look at what is probably none. */
bool skep_rule_field_may_be(const char *name, size_t len);
/* For hints; NULL: nothing near. */
const char *skep_rule_field_nearest(const char *name, size_t len);
struct skep_spell;
void skep_rule_field_offer(struct skep_spell *sp); /* every name */
const struct skep_rule_family *const *skep_rule_families(size_t *ret_n);
/* The spot for a kind, NULL: none. Of a field with an argument: skep_rule_field_arg_spot(). */
const struct skep_rule_spot *skep_rule_field_spot(const struct skep_rule_field *f, uint16_t kind);
/* The spot of a field with its argument (NULL: none given), which it may depend on. */
const struct skep_rule_spot *skep_rule_field_arg_spot(const struct skep_rule_field *f, const char *arg,
                                                      uint16_t kind);
/* Whether events of this kind (by name) can have it. */
bool skep_rule_field_of_kind(const struct skep_rule_field *f, const char *kind);
const char *skep_rule_type_name(enum skep_rule_type type);
#endif
