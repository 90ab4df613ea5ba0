/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_POLICY_H
#define SKEP_RULE_POLICY_H
/*
 * A policy: the rules that a set of files makes together, after overrides, exceptions, macros and lists were put in.
 * A front end makes it (rule/falco/falco.h), the compiler reads it (rule/compile/compile.h). It owns all its text and trees, in an
 * arena, and is immutable once loaded.
 *
 * Rules are in the order of their first definition; a rule's number is its place in this order. Rules that are disabled
 * or that were left out (skip-if-unknown-filter) are in the list, too, with their state.
 */
#include "base/diag.h"
#include "rule/condition/ast.h"

enum skep_priority {
    SKEP_PRIORITY_EMERGENCY,
    SKEP_PRIORITY_ALERT,
    SKEP_PRIORITY_CRITICAL,
    SKEP_PRIORITY_ERROR,
    SKEP_PRIORITY_WARNING,
    SKEP_PRIORITY_NOTICE,
    SKEP_PRIORITY_INFORMATIONAL,
    SKEP_PRIORITY_DEBUG,
    SKEP_PRIORITY_MAX,
    SKEP_PRIORITY_INVALID = -EINVAL,
};
/* "Emergency", ..., "Informational", "Debug". */
const char *skep_priority_name(enum skep_priority p);
enum skep_priority skep_priority_find(const char *s, size_t n); /* any case; also "info" */

enum skep_rule_state {
    SKEP_RULE_ENABLED,
    SKEP_RULE_DISABLED,     /* by its file or by the operator */
    SKEP_RULE_OTHER_SOURCE, /* its source is not syscall */
    SKEP_RULE_SKIPPED,      /* skip-if-unknown-filter, and a field is unknown */
    SKEP_RULE_BELOW,        /* its priority is lower than the minimum */
};

/* "enabled", "disabled", "other-source", ... */
const char *skep_rule_state_name(enum skep_rule_state state);

struct skep_rule {
    const char *name;
    const char *desc;
    const char *source; /* "syscall" */
    enum skep_priority priority;
    enum skep_rule_state state;
    bool warn_evttypes;
    bool skip_unknown;
    const char **tags;
    size_t n_tags;
    const struct skep_expr *condition; /* with exceptions; NULL when the state is OTHER_SOURCE or SKIPPED */
    const char *condition_text;        /* as written, with what was appended */
    const char *output;                /* template, see rule/alert/format.h */
    struct skep_rule_place name_place, condition_place, output_place;
};

struct skep_policy {
    const struct skep_rule *rules;
    size_t n_rules;
    size_t n_macros, n_lists, n_files;
    void *arena; /* the front end's */
};

struct skep_policy *skep_policy_free(struct skep_policy *p);
SKEP_DEFINE_CLEANUP(struct skep_policy, skep_policy_free)
#define _cleanup_policy_ SKEP_CLEANUP(skep_policy_freep)

/* Which rules are on, in this order: each choice is applied to the rules that it fits. */
struct skep_rule_choice {
    bool enable;
    bool tag; /* pattern is a tag, else a rule's name or a glob of names */
    const char *pattern;
};
#endif
