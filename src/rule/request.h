/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_REQUEST_H
#define SKEP_RULE_REQUEST_H
/*
 * The distinct operands of a policy. Each gets a number, which is that of its fact (rule/fact.h): proc.name in a
 * hundred rules is one request, and so is tolower(proc.name).
 */
#include "base/strbuf.h"
#include "rule/compile/intern.h"
#include "rule/fact.h"

#define SKEP_OPERAND_DEPTH_MAX 16 /* transformers around a field */

struct skep_requests {
    struct skep_intern numbers; /* by text */
    struct skep_fact_request *list;
    uint64_t (*kinds)[SKEP_KIND_MAX / 64]; /* of event that can have it */
    size_t n, cap;
};

void skep_requests_init(struct skep_requests *q, struct skep_arena *pool);
void skep_requests_clear(struct skep_requests *q);

/* What an operand asks for, with its type checked. false: it cannot be; the reason is for people and lives for
 * ever or as long as the operand. A literal is a text without a field. */
bool skep_request_of(const struct skep_operand *o, struct skep_fact_request *ret, const char **ret_reason);
/* -EINVAL: see ret_reason; -ENOMEM. */
int skep_requests_put(struct skep_requests *q, const struct skep_operand *o, uint32_t *ret,
                      const char **ret_reason);
static inline bool skep_requests_of_kind(const struct skep_requests *q, uint32_t n, unsigned kind)
{
    return q->kinds[n][kind / 64] >> (kind % 64) & 1;
}
/* enum skep_rule_field_flag of all fields that these requests look at, also inside of transformers. */
uint32_t skep_requests_flags(const struct skep_fact_request *list, size_t n);
/* Whether any of them is about the type of an event. */
bool skep_requests_typed(const struct skep_fact_request *list, size_t n);
/* proc.aname[2], tolower(proc.name): as one would write it. */
void skep_operand_put(const struct skep_operand *o, struct skep_strbuf *sb);
#endif
