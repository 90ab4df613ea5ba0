/* SPDX-License-Identifier: Apache-2.0 */
#include "rule/policy.h"

#include <strings.h>

#include "base/arena.h"

static const char *const names[SKEP_PRIORITY_MAX] = {
    [SKEP_PRIORITY_EMERGENCY] = "Emergency",
    [SKEP_PRIORITY_ALERT] = "Alert",
    [SKEP_PRIORITY_CRITICAL] = "Critical",
    [SKEP_PRIORITY_ERROR] = "Error",
    [SKEP_PRIORITY_WARNING] = "Warning",
    [SKEP_PRIORITY_NOTICE] = "Notice",
    [SKEP_PRIORITY_INFORMATIONAL] = "Informational",
    [SKEP_PRIORITY_DEBUG] = "Debug",
};

static const char *const states[] = {
    [SKEP_RULE_ENABLED] = "enabled",           [SKEP_RULE_DISABLED] = "disabled",
    [SKEP_RULE_OTHER_SOURCE] = "other-source", [SKEP_RULE_SKIPPED] = "skipped",
    [SKEP_RULE_BELOW] = "below-priority",
};

const char *skep_priority_name(enum skep_priority p)
{
    return names[p];
}

enum skep_priority skep_priority_find(const char *s, size_t n)
{
    for (int i = 0; i < SKEP_PRIORITY_MAX; i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], s, n) == 0)
            return i;
    return n == 4 && strncasecmp(s, "info", n) == 0 ? SKEP_PRIORITY_INFORMATIONAL : SKEP_PRIORITY_INVALID;
}

const char *skep_rule_state_name(enum skep_rule_state state)
{
    return states[state];
}

struct skep_policy *skep_policy_free(struct skep_policy *p)
{
    /* The policy itself is in its arena. */
    if (p)
        skep_arena_free(p->arena);
    return NULL;
}
