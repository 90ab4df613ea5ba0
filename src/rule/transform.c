/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/transform.h"

static const char *const names[SKEP_TRANSFORM_MAX] = {
#define SKEP_TRANSFORM(name, args, doc) [SKEP_TRANSFORM_##name] = #name,
#include "rule/transforms.def"
#undef SKEP_TRANSFORM
};

enum skep_transform_id skep_transform_find(const char *name, size_t len)
{
    for (int i = 0; i < SKEP_TRANSFORM_MAX; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return i;
    return SKEP_TRANSFORM_INVALID;
}

const char *skep_transform_name(enum skep_transform_id id)
{
    return names[id];
}

bool skep_transform_type(const struct skep_operand *o, enum skep_rule_type *ret_type, uint32_t *ret_flags,
                         const char **ret_reason)
{
    (void)o, (void)ret_type, (void)ret_flags;
    *ret_reason = "no transformers yet";
    return false;
}

bool skep_transform_get(struct skep_rule_ctx *x, const struct skep_fact_request *q, struct skep_fact *ret)
{
    (void)x, (void)q, (void)ret;
    return false;
}
