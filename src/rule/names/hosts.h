/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_NAMES_HOSTS_H
#define SKEP_RULE_NAMES_HOSTS_H
/*
 * Names of addresses, for fd.sip.name and the like. They come from what processes on this host were told: the answers in
 * dns events, where the address of an answer gets the name that was asked for and all names on the way to it (CNAME); and
 * from /etc/hosts, which is read again when it changes. Nothing is ever asked of a name server, so that a name that
 * nobody looked up is not known; and a name proves nothing about who answers there.
 *
 *     skep_rule_hosts_learn(hosts, ev);                     for each dns event, before it is judged
 *     n = skep_rule_hosts_find(hosts, ip, 4, names);        when a rule asks
 *
 * Bounded: SKEP_HOSTS_MAX addresses, of which the one learned first goes, with SKEP_HOSTS_NAMES names each, of which the
 * oldest goes. Names are kept in lower case, without the final dot. For one thread.
 */
#include "event/event.h"

#define SKEP_HOSTS_MAX 8192
#define SKEP_HOSTS_NAMES 4
#define SKEP_HOSTS_NAME_MAX 255
#define SKEP_HOSTS_FILE_MAX (1u << 20) /* bytes of /etc/hosts that are read */

struct skep_rule_hosts;

/* root: directory that stands for /, for tests; NULL: /. */
int skep_rule_hosts_new(const char *root, struct skep_rule_hosts **ret);
struct skep_rule_hosts *skep_rule_hosts_free(struct skep_rule_hosts *h);
SKEP_DEFINE_CLEANUP(struct skep_rule_hosts, skep_rule_hosts_free)
/* Events of other kinds, and questions, change nothing. -ENOMEM. */
int skep_rule_hosts_learn(struct skep_rule_hosts *h, const struct skep_event *ev);
/* Names of an address of 4 or 16 bytes: how many; the newest first, those of /etc/hosts last, in its order. Valid until the next call. */
size_t skep_rule_hosts_find(struct skep_rule_hosts *h, const void *ip, size_t n,
                            const char *ret[2 * SKEP_HOSTS_NAMES]);
#endif
