/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_CONTAINER_H
#define SKEP_EVENT_CONTAINER_H
/*
 * Cgroups and the containers that they stand for. The kernel tells the path of each cgroup when it is first
 * met (cgroup records); the path alone names the container: its id, its runtime, or the systemd unit of a
 * plain host. Names and images are the runtime's knowledge: a resolver thread reads them from the runtime's
 * state on disk, and what it finds enters the stream of records as a container record, so that a replay
 * shows what the live run showed. The id is there at once; the rest follows when known.
 *
 * skep_cgroup_parse() is pure. struct skep_cgroups belongs to one thread; the resolver has a thread of its
 * own and hands results back through skep_resolver_take().
 */
#include "abi/event.h"
#include "base/hashmap.h"
#include "base/strbuf.h"

#define SKEP_CONTAINER_ID_MAX 128
#define SKEP_CGROUPS_MAX 65536

enum skep_runtime {
    SKEP_RUNTIME_NONE, /* not a container */
    SKEP_RUNTIME_DOCKER,
    SKEP_RUNTIME_CONTAINERD,
    SKEP_RUNTIME_CRIO,
    SKEP_RUNTIME_PODMAN,
    SKEP_RUNTIME_LXC,
    SKEP_RUNTIME_NSPAWN,
    SKEP_RUNTIME_RUNC,  /* runc or crun run by hand, or another OCI runtime that is not told apart by path */
    SKEP_RUNTIME_MAX,
    SKEP_RUNTIME_INVALID = -EINVAL,
};

/* What a cgroup path says. Slices borrow from the path. */
struct skep_cgroup_name {
    enum skep_runtime runtime;
    const char *id;   /* container id as the runtime prints it; not NUL-terminated */
    size_t id_len;
    const char *unit; /* innermost systemd unit (ssh.service, session-3.scope), outside containers too */
    size_t unit_len;
    const char *slice; /* innermost slice (user-1000.slice) */
    size_t slice_len;
};
void skep_cgroup_parse(const char *path, struct skep_cgroup_name *ret);
const char *skep_runtime_name(enum skep_runtime r);

struct skep_container {
    char id[SKEP_CONTAINER_ID_MAX]; /* NUL-terminated */
    enum skep_runtime runtime;
    char *name;  /* these are NULL until known */
    char *image;
    char *pod;
    char *namespace_;
    bool asked;  /* the resolver has been asked */
};

struct skep_cgroup {
    uint64_t id; /* SKEP_CGROUP_ID() */
    char *path;
    char *unit;  /* NULL: none */
    struct skep_container *container; /* NULL: none; shared by the container's cgroups */
};

struct skep_cgroups {
    struct skep_hashmap by_id;        /* uint64_t -> struct skep_cgroup */
    struct skep_hashmap containers;   /* hash of id -> struct skep_container */
};

void skep_cgroups_init(struct skep_cgroups *c);
void skep_cgroups_clear(struct skep_cgroups *c);
/* Takes a cgroup or container record (checked). ret_new: a container met for the first time, to be asked
 * for; else NULL. -ENOMEM, -E2BIG. */
int skep_cgroups_apply(struct skep_cgroups *c, const struct skep_hdr *h, const struct skep_container **ret_new);
const struct skep_cgroup *skep_cgroups_find(const struct skep_cgroups *c, uint64_t id);

/* The resolver: reads runtime state below root ("/" on a live host, a fixture in tests). */
struct skep_resolver;
int skep_resolver_new(const char *root, struct skep_resolver **ret);
struct skep_resolver *skep_resolver_free(struct skep_resolver *r); /* stops the thread */
SKEP_DEFINE_CLEANUP(struct skep_resolver, skep_resolver_free)
/* Asks for a container; never blocks. -ENOBUFS when too many are waiting. */
int skep_resolver_ask(struct skep_resolver *r, const struct skep_container *c);
/* Becomes readable when something can be taken. */
int skep_resolver_fd(const struct skep_resolver *r);
/* The next answer as a complete SKEP_KIND_container record (time, seq and ring are the caller's to set),
 * malloc'ed; 0 with *ret NULL when there is none. */
int skep_resolver_take(struct skep_resolver *r, struct skep_hdr **ret);
#endif
