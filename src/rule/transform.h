/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_TRANSFORM_H
#define SKEP_RULE_TRANSFORM_H
/*
 * Functions of fields: tolower(), basename(), join(), ... (rule/transforms.def). A transformed field is a fact like any
 * other, computed once for an event.
 */
#include "rule/fact.h"

enum skep_transform_id skep_transform_find(const char *name, size_t len); /* INVALID: none */
const char *skep_transform_name(enum skep_transform_id id);
/* What comes out for what goes in; false: the argument types or their number are wrong, ret_reason says how. */
bool skep_transform_type(const struct skep_operand *o, enum skep_rule_type *ret_type, uint32_t *ret_flags,
                         const char **ret_reason);
/* The value of a request without a field. */
bool skep_transform_get(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret);
#endif
