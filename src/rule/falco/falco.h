/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FALCO_FALCO_H
#define SKEP_RULE_FALCO_FALCO_H
/*
 * The Falco rule language: YAML files of rules, macros and lists, with append, override, exceptions and version
 * demands, as Falco 0.44 (engine 0.63.0) reads them. Source of the format: the public documentation of Falco's rules.
 *
 *     struct skep_falco_input in[] = {{.name = "rules.yaml", .text = text, .len = n}};
 *     r = skep_falco_load(in, 1, &options, &diags, &policy);
 *
 * Files are read in order; a later one may append to or override what an earlier one defined. Diagnostics carry Falco's
 * codes (LOAD_ERR_YAML_VALIDATE, LOAD_UNUSED_MACRO, ...); warnings do not keep a policy from being made.
 *
 * Everything is hostile: a file has at most SKEP_FALCO_FILE_MAX bytes, conditions are at most SKEP_RULE_DEPTH_MAX deep,
 * a condition after macros has at most SKEP_FALCO_NODES_MAX checks, lists expand to at most SKEP_FALCO_ITEMS_MAX items.
 */
#include "rule/policy.h"

#define SKEP_FALCO_FILE_MAX (64u << 20)
#define SKEP_FALCO_NODES_MAX 100000
#define SKEP_FALCO_ITEMS_MAX 2000000
#define SKEP_FALCO_ENGINE_VERSION "0.63.0"

struct skep_falco_input {
    const char *name;
    const char *text;
    size_t len;
};

struct skep_falco_options {
    const struct skep_rule_choice *choices;
    size_t n_choices;
    enum skep_priority min_priority; /* rules below are not on; SKEP_PRIORITY_DEBUG: all */
};

/* Whether a choice is about this rule. */
bool skep_rule_choice_fits(const struct skep_rule_choice *c, const struct skep_rule *rule);
/* -EINVAL: there are errors; -ENOMEM. Texts are copied. */
int skep_falco_load(const struct skep_falco_input *files, size_t n, const struct skep_falco_options *o,
                    struct skep_diags *diags, struct skep_policy **ret);
/* Conditions by themselves, without macros and lists, as one rule that matches where all of them hold. Each must be
 * complete alone. columns: their names are fields, too (rule/column/column.h); NULL: not. At least one input. */
struct skep_columns;
int skep_falco_conditions(const struct skep_falco_input *in, size_t n, struct skep_columns *columns,
                          struct skep_diags *diags, struct skep_policy **ret);
/* One, without columns. */
int skep_falco_condition(const char *text, size_t len, struct skep_diags *diags, struct skep_policy **ret);
#endif
