/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_REFERENCE_H
#define SKEP_RULE_REFERENCE_H
/*
 * The reference of the fields that rules can name, written from the tables that the compiler works with: what `skep docs
 * fields` prints. Text is Markdown; JSON is
 *
 *     {"families":[{"name":"fd","doc":"...","fields":[{"name":"fd.name","argument":null,"type":"text","list":false,
 *         "filter_only":false,"deprecated":false,"kinds":["open",...],"kernel":["open"],"doc":"..."}]}],
 *      "arguments":{"openat":["fd","dirfd",...]}}
 *
 * kernel: kinds of event for which a condition on the field can be decided in the kernel; those of the life cycle reach
 * user space whatever the rules are.
 */
#include "base/json.h"

void skep_rule_reference_put_text(struct skep_strbuf *sb);
void skep_rule_reference_put_json(struct skep_json *j, const char *name);
#endif
