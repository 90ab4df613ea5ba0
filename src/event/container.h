/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_CONTAINER_H
#define SKEP_EVENT_CONTAINER_H
/*
 * Cgroups and the containers that they stand for. The kernel tells the path of each cgroup when it is first
 * met (cgroup records); the path alone names the container: its id, its runtime, or the systemd unit of a
 * plain host. Names and images are the runtime's knowledge: a resolver thread (event/resolver.h) reads them
 * from the runtime's state on disk, and what it finds enters the stream of records as a container record, so
 * that a replay shows what the live run showed. The id is there at once; the rest follows when known.
 *
 * Some runtimes leave no mark in the path: runc started by hand makes a cgroup that is called like the
 * container and nothing else. Such a path is a candidate. The resolver is asked about it as well, and the
 * container record that it answers for this cgroup makes it a container; a candidate without an answer stays
 * an ordinary cgroup.
 *
 *     skep_cgroups_apply(&cgroups, h, &ask);
 *     if (ask)
 *         r = skep_resolver_ask(resolver, ask);
 *     ...
 *     skep_resolver_take(resolver, &record);          when the resolver's descriptor is readable
 *     skep_cgroups_apply(&cgroups, record, &ask);     after it was written to the recording
 *
 * The answer comes some milliseconds after the question, and a container's first process may be over by then. Whoever
 * wants to know the name waits for as long as skep_cgroup_awaits() says, which is a matter of records alone.
 *
 * skep_cgroup_parse() is pure. struct skep_cgroups belongs to one thread. It holds at most by_id.max cgroups
 * and SKEP_CGROUPS_BYTES bytes of their text; beyond that the one goes that was not asked for since the
 * longest time (by second chance). What skep_cgroups_find() gives is valid until the next apply.
 *
 * A path is a claim of whoever made the cgroup: root of the host, or a container's own root below the
 * container's cgroup when that was delegated to it. The innermost container of a path wins, which is right for
 * containers in containers.
 */
#include "abi/event.h"
#include "base/hashmap.h"
#include "base/strbuf.h"
#include "event/proc.h"

#define SKEP_CONTAINER_ID_MAX 128
#define SKEP_CONTAINER_TEXT_MAX 1024 /* bytes kept of a name, an image, a pod, a namespace */
#define SKEP_CGROUPS_MAX 65536
#define SKEP_CGROUPS_BYTES (32u << 20)
#define SKEP_CGROUPS_WAIT 300000000ULL /* ns of record time; most tries of the resolver are over by then */
/* The same for a candidate whose process began long before: if it is a container, its runtime has written all of it by
 * now, and the first look finds it. Most candidates are none. */
#define SKEP_CGROUPS_WAIT_OLD 50000000ULL

enum skep_runtime {
    SKEP_RUNTIME_NONE, /* not a container */
    SKEP_RUNTIME_DOCKER,
    SKEP_RUNTIME_CONTAINERD,
    SKEP_RUNTIME_CRIO,
    SKEP_RUNTIME_PODMAN,
    SKEP_RUNTIME_LXC,
    SKEP_RUNTIME_NSPAWN,
    SKEP_RUNTIME_RUNC, /* runc or crun run by hand, or another OCI runtime that is not told apart by path */
    SKEP_RUNTIME_MAX,
    SKEP_RUNTIME_INVALID = -EINVAL,
};

/* What a cgroup path says. Slices borrow from the path and are as they stand there; id, unit and slice go
 * through skep_cgroup_unescape() before they are shown. Empty: NULL with length 0. */
struct skep_cgroup_name {
    enum skep_runtime runtime;
    const char *id; /* container id as the runtime prints it; not NUL-terminated */
    size_t id_len;
    const char *candidate; /* only with RUNTIME_NONE: the innermost component that a runtime without marks
                              might have named after its container */
    size_t candidate_len;
    const char *unit; /* innermost systemd unit (ssh.service, session-3.scope), outside containers too */
    size_t unit_len;
    const char *slice; /* innermost slice (user-1000.slice) */
    size_t slice_len;
};

/* Path forms of docker, containerd (CRI, nerdctl, ctr), cri-o, podman, LXC, systemd-nspawn, runc, ECS and
 * kind, under both cgroup drivers; tests/data/cgroup/paths.tsv shows them. Monitors that runtimes put beside
 * their container (conmon, lxc.monitor, the nspawn supervisor) are not in it. Where only a 64-digit id stands
 * in the path the runtime is a guess (below kubepods containerd, else docker) that the resolver corrects. */
void skep_cgroup_parse(const char *path, struct skep_cgroup_name *ret);
/* Whether n bytes at s may be a component that names a container without a mark of its runtime. */
bool skep_cgroup_is_candidate(const char *s, size_t n);
/* Undoes systemd's escapes (\x2d) into buf, which is always NUL-terminated; cuts what does not fit. */
void skep_cgroup_unescape(const char *s, size_t n, char *buf, size_t size);
const char *skep_runtime_name(enum skep_runtime r);              /* "docker"; NULL for NONE */
enum skep_runtime skep_runtime_by_name(const char *s, size_t n); /* SKEP_RUNTIME_INVALID: unknown */

struct skep_container {
    char id[SKEP_CONTAINER_ID_MAX]; /* NUL-terminated */
    enum skep_runtime runtime;
    /* These are NULL until known. */
#define SKEP_CONTAINER_TEXT(member) char *member;
#define SKEP_CONTAINER_LIST(member, max) struct skep_bytes member;
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    uint64_t started; /* nanoseconds since 1970; 0: not known */
    uint32_t traits;  /* enum skep_container_trait */
    bool asked;       /* the resolver was to be asked */
    bool answered;    /* a container record has come */
    uint64_t since;   /* record time of asked */
    unsigned refs;    /* cgroups in it */
    size_t bytes;     /* of the text above */
    uint64_t key[2];  /* in skep_cgroups.containers */
};

struct skep_cgroup {
    uint64_t id; /* SKEP_CGROUP_ID() */
    char *path;
    char *unit;                       /* NULL: none */
    char *slice;                      /* NULL: none */
    struct skep_container *container; /* NULL: none; shared by the container's cgroups */
    bool candidate;                   /* may be a container: see above */
    bool old;                         /* was there for SKEP_CGROUPS_WAIT before it was met */
    uint64_t since;                   /* record time at which it was met */
    bool used;                        /* asked for since it was last considered for eviction */
    size_t bytes;
    struct skep_cgroup *prev, *next; /* oldest first */
};

struct skep_cgroups {
    struct skep_hashmap by_id;      /* uint64_t -> struct skep_cgroup */
    struct skep_hashmap containers; /* struct skep_container.key -> struct skep_container */
    struct skep_cgroup *oldest, *newest;
    size_t bytes;
    uint64_t evicted;
    uint64_t changes; /* from 1: the records that may have changed what cgroups and containers say */
};

void skep_cgroups_init(struct skep_cgroups *c);
void skep_cgroups_clear(struct skep_cgroups *c);
/* Takes a cgroup or container record (checked); other kinds are ignored. ret_ask: a cgroup that the resolver
 * should be asked about (a container met for the first time, or a new candidate), else NULL; borrowed, valid
 * until the next apply. A cgroup id that is seen again with another path replaces what was known of it. A
 * container record that fits no known container or candidate changes nothing. -ENOMEM. */
int skep_cgroups_apply(struct skep_cgroups *c, const struct skep_hdr *h, const struct skep_cgroup **ret_ask);
const struct skep_cgroup *skep_cgroups_find(const struct skep_cgroups *c, uint64_t id);
/* Up to when (record time, inclusive) it is worth waiting for what the resolver says of the cgroup; 0: no longer, it is
 * answered, or none of a container. NULL: not known. */
uint64_t skep_cgroup_awaits(const struct skep_cgroup *g);
#endif
