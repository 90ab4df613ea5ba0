/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RESOLVER_H
#define SKEP_EVENT_RESOLVER_H
/*
 * The resolver learns the name, image and pod of a container from what its runtime keeps on disk, below root
 * ("/" on a live host, a fixture in tests). It does not talk to the runtimes' sockets: their state files hold
 * the same, answer without a daemon's help (podman and cri-o have none to ask, a stopped dockerd answers
 * nothing), and cannot be made to wait.
 *
 * A thread of its own does the reading, so that a slow disk never delays other containers' events. A question is tried at
 * once, again after 10, 25, 60, 120 and 240 ms, 1 s and 5 s: a container's first process may run before its state is
 * complete, and its last may end soon after. Questions that wait and answers that were not taken are together at most
 * SKEP_RESOLVER_QUEUE_MAX.
 *
 * State below a user's home belongs to that user: only files that he owns are read there, at most 1 MiB of
 * each, so that he can lie about his own containers and nothing else. What root owns is read up to 8 MiB.
 * Symbolic links are followed, but not out of root.
 *
 * One thread asks and takes; new and free are its as well.
 */
#include "event/container.h"

#define SKEP_RESOLVER_QUEUE_MAX 4096

struct skep_resolver_counts {
    uint64_t asked;
    uint64_t answered;
    uint64_t unknown; /* containers of which the disk said nothing, and candidates that are none */
    uint64_t refused; /* ask gave -ENOBUFS */
};

struct skep_resolver;
int skep_resolver_new(const char *root, struct skep_resolver **ret);
struct skep_resolver *skep_resolver_free(struct skep_resolver *r); /* stops the thread */
SKEP_DEFINE_CLEANUP(struct skep_resolver, skep_resolver_free)
/* Asks for what skep_cgroups_apply() said; copies what it needs and never blocks. -ENOBUFS when too many are
 * waiting: the container then keeps its id only. */
int skep_resolver_ask(struct skep_resolver *r, const struct skep_cgroup *g);
/* Becomes readable when something can be taken. */
int skep_resolver_fd(const struct skep_resolver *r);
/* The next answer as a complete SKEP_KIND_container record (time, seq and ring are the caller's to set;
 * cgroup is the one that was asked about), malloc'ed; 0 with *ret NULL when there is none. */
int skep_resolver_take(struct skep_resolver *r, struct skep_hdr **ret);
void skep_resolver_counts(struct skep_resolver *r, struct skep_resolver_counts *ret);
#endif
