/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_USERS_H
#define SKEP_RULE_USERS_H
/*
 * Names of users and groups, from /etc/passwd and /etc/group (of the host; of a container from below the root of the
 * acting process, when that is at hand), cached by number with a bounded size and read again when the files change. A
 * lookup never asks a network service. For one thread.
 */
#include "base/macro.h"

struct skep_rule_users;

struct skep_rule_user {
    const char *name, *home, *shell;
};

/* root: directory that stands for /, for tests; NULL: /. */
int skep_rule_users_new(const char *root, struct skep_rule_users **ret);
struct skep_rule_users *skep_rule_users_free(struct skep_rule_users *u);
/* NULL: there is none. Valid until the next call. */
const struct skep_rule_user *skep_rule_user_find(struct skep_rule_users *u, uint32_t uid);
const char *skep_rule_group_find(struct skep_rule_users *u, uint32_t gid);
#endif
