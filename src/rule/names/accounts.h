/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_NAMES_ACCOUNTS_H
#define SKEP_RULE_NAMES_ACCOUNTS_H
/*
 * The users and groups that one /etc/passwd and one /etc/group name (passwd(5), group(5)), found by number. The first
 * line of a number counts, as it does for getpwuid(3). Lines that are none (comments, the + and - of network services,
 * too few members, numbers that are none) are passed over; of more than SKEP_ACCOUNTS_MAX the rest is. Immutable.
 */
#include "base/macro.h"

#define SKEP_ACCOUNTS_MAX 65536

struct skep_rule_user {
    const char *name, *home, *shell; /* never NULL */
};

struct skep_accounts;

/* The texts are NUL-terminated, malloc'ed and taken over in any case; NULL: there is no such file. */
int skep_accounts_new(char *passwd, char *group, struct skep_accounts **ret);
struct skep_accounts *skep_accounts_free(struct skep_accounts *a);
SKEP_DEFINE_CLEANUP(struct skep_accounts, skep_accounts_free)

/* NULL: there is none. */
const struct skep_rule_user *skep_accounts_user(const struct skep_accounts *a, uint32_t uid);
const char *skep_accounts_group(const struct skep_accounts *a, uint32_t gid);
#endif
