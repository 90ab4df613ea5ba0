/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_NAMES_USERS_H
#define SKEP_RULE_NAMES_USERS_H
/*
 * Names of users and groups, from /etc/passwd and /etc/group (of the host; of a container from below the root of the
 * acting process or, when that is gone, of another one in the same mount namespace), cached by number with a bounded size and read again when the files change:
 * that is looked at once a second. A lookup never asks a network service. For one thread.
 *
 * A container's files are read only after skep_rule_users_follow_containers(): in a replay the process number means
 * somebody else. They belong to whoever runs in the container, who may also put them on a file system that answers when
 * it likes (FUSE): a thread of its own reads them, within limits, and is waited for SKEP_USERS_PATIENCE_NS. As long as
 * it does not come back, users of further containers have no names but root. A container's files are read again when
 * somebody is not found in them, at most once a second.
 *
 * User and group 0 are root also where no file says so.
 */
#include "event/event.h"
#include "rule/names/accounts.h"

#define SKEP_USERS_CONTAINERS_MAX 128              /* containers whose files are kept */
#define SKEP_USERS_CONTAINER_FILE_MAX (256u << 10) /* bytes of such a file */
#define SKEP_USERS_PATIENCE_NS 20000000ULL
#define SKEP_USER_UNKNOWN "<NA>" /* what rules call somebody without an entry */

struct skep_rule_users;

/* root: directory that stands for /, for tests; NULL: /. */
int skep_rule_users_new(const char *root, struct skep_rule_users **ret);
struct skep_rule_users *skep_rule_users_free(struct skep_rule_users *u);
SKEP_DEFINE_CLEANUP(struct skep_rule_users, skep_rule_users_free)
/* For events that happen now and on this host. -ENOMEM, or the thread could not be made. */
int skep_rule_users_follow_containers(struct skep_rule_users *u);

/* Of the host. NULL: there is none. Valid until the next call. */
const struct skep_rule_user *skep_rule_user_find(struct skep_rule_users *u, uint32_t uid);
const char *skep_rule_group_find(struct skep_rule_users *u, uint32_t gid);
/* The same as the acting process sees it: of the container that it is in, else of the host. */
const struct skep_rule_user *skep_rule_user_of(struct skep_rule_users *u, const struct skep_event *ev,
                                               uint32_t uid);
const char *skep_rule_group_of(struct skep_rule_users *u, const struct skep_event *ev, uint32_t gid);
#endif
