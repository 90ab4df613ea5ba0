/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/field/args.h"

static const char *const names[] = {"res",     "fd",      "name",     "flags",   "mode",
                                    "oldpath", "newpath", "linkpath", "request", "domain",
                                    "target",  "path",    "cmd",      "uid",     "filename"};

bool skep_rule_args_known(const char *arg, size_t len, enum skep_rule_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == len && memcmp(names[i], arg, len) == 0)
            return type == SKEP_RULE_TEXT;
    return false;
}

bool skep_rule_args_get(struct skep_rule_ctx *x, const char *arg, enum skep_rule_type type,
                        struct skep_fact *ret)
{
    (void)arg, (void)type;
    return skep_fact_text(x, ret, NULL, 0);
}

const struct skep_rule_spot *skep_rule_args_spot(const char *arg, enum skep_rule_type type, uint16_t kind)
{
    (void)arg, (void)type, (void)kind;
    return NULL;
}
