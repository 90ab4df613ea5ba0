/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_HEAD_H
#define SKEP_AGENT_HEAD_H
/*
 * The JSON head of a recording: the session, and what the recording run was asked for, so that a replay without
 * options shows the same. docs/RECORDING.md describes its members.
 */
#include "agent/pipeline.h"

struct skep_head {
    struct skep_session session;
    struct skep_scope scope; /* container points into container_text */
    char *container_text;
    char *where; /* NULL: none */
};

void skep_head_clear(struct skep_head *h);
void skep_head_put(const struct skep_session *session, const struct skep_scope *scope, const char *where,
                   const struct skep_schema *schema, struct skep_strbuf *sb);
/* -EBADMSG, with a reason. Kinds that the schema does not have are left out. */
int skep_head_parse(const char *s, size_t n, const struct skep_schema *schema, struct skep_head *ret);
#endif
