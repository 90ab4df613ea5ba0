/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_DEFAULT_H
#define SKEP_RULE_DEFAULT_H
/*
 * The rules that apply when the operator names none and has none installed: rules/default.yaml, put into the program by
 * the build (tools/embed), so that a copy of the program alone is of use. Installations have the same file under
 * share/skep/rules, to read and to start from.
 */
#include <stddef.h>

extern const char skep_default_rules[]; /* YAML, ended by a NUL */
extern const size_t skep_default_rules_len;
#endif
