/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FALCO_LOAD_H
#define SKEP_RULE_FALCO_LOAD_H
/*
 * What the files of the Falco front end share. Loading goes in two steps:
 *
 *   collect   every file is read in order, and each item defines, replaces or extends a list, a macro or a rule
 *             (item.c, rule.c, version.c). Nothing but the form of the file is looked at.
 *   build     what came out is made into trees: lists are expanded when first used, macros parsed in the order of
 *             their definition (names.c), rules parsed with their exceptions, outputs checked (build.c,
 *             exception.c, output.c).
 *
 * An item that is wrong is kept as broken: whoever refers to it is broken as well, without a diagnostic of its own. So
 * one mistake is said once, and hides nothing that has no part in it.
 *
 * Everything lives in the arena, which in the end belongs to the policy.
 */
#include "base/textmap.h"
#include "rule/condition/parse.h"
#include "rule/evtset.h"
#include "rule/falco/falco.h"
#include "rule/falco/yaml.h"

/* A value with what was appended to it, or the parts of a list. */
struct skep_falco_part {
    struct skep_falco_part *next;
    const struct skep_yaml *y;
};
struct skep_falco_parts {
    struct skep_falco_part *first, *last;
};

enum skep_falco_state { SKEP_FALCO_NEW, SKEP_FALCO_BUSY, SKEP_FALCO_DONE, SKEP_FALCO_BROKEN };

/* What lists and macros have in common, and begin with: a name that may be defined again and appended to. */
struct skep_falco_definition {
    struct skep_falco_definition *next;
    const struct skep_yaml *name;  /* NULL: it is broken from the start */
    struct skep_falco_parts parts; /* of a list its items, of a macro its condition */
    uint32_t index, visibility;    /* it sees those of its kind whose index is lower than its visibility */
    bool used;
    enum skep_falco_state state;
};
/* Of one kind, in the order of their first items. */
struct skep_falco_definitions {
    struct skep_falco_definition *first, *last;
    size_t n;
    struct skep_textmap by_name;
};

struct skep_falco_list {
    struct skep_falco_definition d;
    const struct skep_literal *literals;
    size_t n_literals;
};

struct skep_falco_macro;
struct skep_falco_use {
    struct skep_falco_use *next;
    struct skep_falco_macro *macro;
};

struct skep_falco_macro {
    struct skep_falco_definition d;
    bool reported; /* its issues were */
    bool wrong;    /* as skep_falco_wrong() says, also in what it uses */
    struct skep_parsed parsed;
    struct skep_falco_use *uses;
    const struct skep_rule_issue
        *unknown;                  /* as skep_falco_unknown() says, also in what it uses; NULL: none */
    struct skep_falco_macro *todo; /* of a walk */
};

struct skep_falco_exception {
    struct skep_falco_exception *next;
    const struct skep_yaml *name;
    const struct skep_yaml *fields, *comps; /* comps NULL: the default */
    struct skep_falco_parts values;         /* each of them a value or a tuple */
};

struct skep_falco_rule {
    struct skep_falco_rule *next;
    const struct skep_yaml *name;
    struct skep_falco_parts condition, output, desc, tags; /* tags: sequences */
    struct skep_falco_exception *exceptions;
    size_t n_exceptions;
    const struct skep_yaml *source; /* NULL: syscall */
    enum skep_priority priority;
    bool enabled, warn_evttypes, skip_unknown;
    bool other_source, broken;
};

struct skep_falco {
    struct skep_arena *arena;
    struct skep_diags *diags;
    const struct skep_falco_options *options;
    struct skep_falco_definitions lists, macros;
    struct skep_falco_rule *rules, *last_rule;
    size_t n_rules;
    struct skep_textmap rule_names, fields;
    uint32_t index;       /* of the next definition */
    size_t elements_left; /* of sequences that may still be read */
    size_t literals_left, values_left;
    bool incomplete; /* a file could not be read to its end: names that are missing are no wonder */
    unsigned depth;  /* of lists or macros that are being made */
    struct skep_parse parse;
    struct skep_parse_names names;
    struct skep_falco_macro *macro; /* that is being parsed; NULL: a rule */
    struct skep_falco_list *list;   /* that is being expanded; NULL: none */
    struct skep_falco_use *uses;    /* of what is being parsed */
};

/* All of these add a diagnostic about a node (NULL: about nothing in particular) and return -EINVAL or 0. */
int skep_falco_error(struct skep_falco *f, const char *code, const struct skep_yaml *y, const char *fmt, ...)
    SKEP_PRINTF(4, 5);
int skep_falco_warn(struct skep_falco *f, const char *code, const struct skep_yaml *y, const char *fmt, ...)
    SKEP_PRINTF(4, 5);
#define SKEP_FALCO_FORM "LOAD_ERR_YAML_VALIDATE" /* the form of an item is wrong */
#define SKEP_FALCO_WRONG "LOAD_ERR_VALIDATE"     /* it does not fit together with others */
#define SKEP_FALCO_CONDITION "LOAD_ERR_COMPILE_CONDITION"
#define SKEP_FALCO_OUTPUT "LOAD_ERR_COMPILE_OUTPUT"

/* item.c: reading items. -EINVAL: there was an error; -ENOMEM. */
int skep_falco_collect(struct skep_falco *f, struct skep_rule_file *file);
int skep_falco_add_part(struct skep_falco *f, struct skep_falco_parts *parts, const struct skep_yaml *y);
/* A scalar that is not empty. */
int skep_falco_check_text(struct skep_falco *f, const struct skep_yaml *y, const char *key);
/* A sequence of scalars. */
int skep_falco_check_texts(struct skep_falco *f, const struct skep_yaml *y, const char *key);
int skep_falco_check_bool(struct skep_falco *f, const struct skep_yaml *y, const char *key, bool *ret);
/* Whether the item has the deprecated `append: true`. */
int skep_falco_read_append(struct skep_falco *f, const struct skep_yaml *item, bool *ret);
/* Counts n elements that are looked at; -EINVAL: there were too many. */
int skep_falco_count(struct skep_falco *f, const struct skep_yaml *y, size_t n);

/* keys.c: the keys of items, from keys.def. */
enum skep_falco_item {
    SKEP_FALCO_ENGINE,
    SKEP_FALCO_PLUGINS,
    SKEP_FALCO_LIST,
    SKEP_FALCO_MACRO,
    SKEP_FALCO_RULE,
    SKEP_FALCO_EXCEPTION,
};
/* Warns of keys that are not known and of those that stand twice. */
void skep_falco_check_keys(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *item);
uint32_t skep_falco_key(enum skep_falco_item kind, const char *name); /* its bit */
/* What `override` of an item says: bits of keys that are appended to or replaced; none without it. Every key that can
 * be overridden must be named there and be there. -EINVAL. */
int skep_falco_overrides(struct skep_falco *f, enum skep_falco_item kind, const struct skep_yaml *item,
                         uint32_t *ret_append, uint32_t *ret_replace);

int skep_falco_read_rule(struct skep_falco *f, const struct skep_yaml *item); /* rule.c */
/* exception.c */
int skep_falco_read_exceptions(struct skep_falco *f, struct skep_falco_rule *rule, const struct skep_yaml *y,
                               bool append);
/* Makes `cond and not (...)` of *io. */
int skep_falco_except(struct skep_falco *f, const struct skep_falco_rule *rule, struct skep_parsed *io);
/* version.c */
int skep_falco_engine_version(struct skep_falco *f, const struct skep_yaml *y);
int skep_falco_plugin_versions(struct skep_falco *f, const struct skep_yaml *y);

/* names.c */
void skep_falco_names_init(struct skep_falco *f);
int skep_falco_build_macros(struct skep_falco *f);
/* The parts with a blank between them. */
int skep_falco_join(struct skep_falco *f, const struct skep_falco_parts *parts, struct skep_rule_text *ret);
struct skep_rule_text skep_falco_text_of(struct skep_falco *f, const struct skep_yaml *y);
/* What an item of a list of values stands for: itself, or what the list of that name has. */
int skep_falco_parse_item(struct skep_falco *f, const struct skep_yaml *y, struct skep_literal **ret,
                          size_t *ret_n);
/* Says what is wrong with what was parsed and the macros that it uses. */
void skep_falco_report(struct skep_falco *f, const struct skep_parsed *p, const struct skep_falco_use *uses);
/* The first field or type of event that is not there; NULL: they all are. */
const struct skep_rule_issue *skep_falco_unknown(const struct skep_parsed *p,
                                                 const struct skep_falco_use *uses);
/* Whether there is an error, known to be one only where the condition is used, in it or in the macros that it uses. */
bool skep_falco_wrong(const struct skep_parsed *p, const struct skep_falco_use *uses);
void skep_falco_warn_unused(struct skep_falco *f);

/* output.c: checks the fields of an output; issues are added to into. *ret: the text as it is used. */
int skep_falco_output(struct skep_falco *f, const struct skep_falco_rule *rule, struct skep_parsed *into,
                      const char **ret);
/* build.c: the policy. -EINVAL when there were errors; -ENOMEM. */
int skep_falco_build(struct skep_falco *f, size_t n_files, struct skep_policy **ret);
#endif
