/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rules_options.h"

#include "rule/policy.h"

const char *const skep_priority_choices[] = {
    [SKEP_PRIORITY_EMERGENCY] = "emergency",
    [SKEP_PRIORITY_ALERT] = "alert",
    [SKEP_PRIORITY_CRITICAL] = "critical",
    [SKEP_PRIORITY_ERROR] = "error",
    [SKEP_PRIORITY_WARNING] = "warning",
    [SKEP_PRIORITY_NOTICE] = "notice",
    [SKEP_PRIORITY_INFORMATIONAL] = "informational|info",
    [SKEP_PRIORITY_DEBUG] = "debug",
    NULL,
};

const char *const skep_matching_choices[] = {"first", "all", NULL};
