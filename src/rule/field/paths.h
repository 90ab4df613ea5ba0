/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_PATHS_H
#define SKEP_RULE_FIELD_PATHS_H
/*
 * The paths that an event names, wherever its kind keeps them: canonical, and as they were given. An event with two has a
 * source and a target (rename, link, mount); what a symbolic link says counts as its source, the link as the target.
 */
#include "rule/fact.h"

enum skep_rule_path { SKEP_RULE_PATH, SKEP_RULE_PATH_SOURCE, SKEP_RULE_PATH_TARGET };

/* False: events of this kind have none of that sort. A slice that is not there has off 0. */
bool skep_rule_path_of(const struct skep_hdr *h, enum skep_rule_path which, struct skep_slice *ret_path,
                       struct skep_slice *ret_raw);
#endif
