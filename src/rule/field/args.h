/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_ARGS_H
#define SKEP_RULE_FIELD_ARGS_H
/*
 * Arguments of events, as evt.arg[NAME] and evt.args name them: res, fd, name, flags, ... Each type of event has its own,
 * in the order and with the names that Falco gives them.
 */
#include "rule/fact.h"

/* Whether some type of event has an argument of this name, or place, that can be had as type (TEXT: all, NUMBER: those
 * that are numbers). */
bool skep_rule_args_known(const char *arg, size_t len, enum skep_rule_type type);
bool skep_rule_args_get(struct skep_rule_ctx *x, const char *arg, enum skep_rule_type type,
                        struct skep_fact *ret);
const struct skep_rule_spot *skep_rule_args_spot(const char *arg, enum skep_rule_type type, uint16_t kind);
#endif
