/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_ARGS_H
#define SKEP_RULE_FIELD_ARGS_H
/*
 * Arguments of events, as evt.arg[NAME] and evt.args name them: res, fd, name, flags, ... Each type of event has its own,
 * in the order and with the names that Falco gives them; args.def lists them all.
 *
 * A value has up to two forms: the number or text itself, and a readable one. evt.arg gives the readable one if there is
 * one (O_RDONLY|O_CLOEXEC, ENOENT, AF_PACKET), evt.rawarg the number, and evt.args both: flags=524288(O_RDONLY|O_CLOEXEC).
 * Numbers are the kernel's own.
 */
#include "rule/fact.h"

/* Whether some type of event has an argument of this name, or place, that can be had as type (TEXT: all, NUMBER: those
 * that are numbers). */
bool skep_rule_args_known(const char *arg, size_t len, enum skep_rule_type type);
bool skep_rule_args_get(struct skep_rule_ctx *x, const char *arg, enum skep_rule_type type,
                        struct skep_fact *ret);
/* All of them, each behind its name. */
void skep_rule_args_put(struct skep_rule_ctx *x, struct skep_strbuf *sb);
/* Where an argument stands in the record, when it stands at one place for all types of event of the kind. */
const struct skep_rule_spot *skep_rule_args_spot(const char *arg, enum skep_rule_type type, uint16_t kind);
/* For lists of what there is: name of the n-th argument that events of a type have, NULL behind the last. */
const char *skep_rule_args_of(uint32_t type, size_t n);

/* What the call returned; of exec and fork, which are seen before the call returns, what it will. False: not a call. */
bool skep_rule_result(const struct skep_hdr *h, int64_t *ret);
/* The readable form of a system call's error: ENOENT. */
void skep_rule_put_error(struct skep_strbuf *sb, int64_t result);
#endif
