/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_PROC_H
#define SKEP_EVENT_PROC_H
/*
 * The process table: what is known of every process, built from life cycle records alone (fork, exec, exit,
 * process, chdir, setsid, setns, unshare), so that it is the same live and in a replay.
 *
 * A process is identified by pid and start time, never by pid alone. What it executes (path, args,
 * environment) is an image: images are immutable and shared, a fork gives the child its parent's image, an
 * exec replaces it. Records name the image that acted by exec_id; the table keeps the previous image so that
 * a record that arrives late still finds its own.
 *
 * Ownership: the table holds one reference to every live process; a process holds one to its image and one
 * to its parent, which so outlives its exit for as long as somebody may ask for it. The chain of dead
 * ancestors is cut at SKEP_PROC_DEAD_ANCESTORS. A row stays for SKEP_PROC_GRACE after the exit, for records
 * that other CPUs wrote at the same time. Strings are the object's own. One thread.
 *
 * Stamps say that something changed, to those who keep what they made of a row (export/json_memo.h): a table never
 * gives one twice. A process gets a new one with each change that shows in an event, an image has one for life. What
 * headers repeat (ids, capabilities, cgroup) is not counted, and an image that is incomplete still changes.
 */
#include "abi/event.h"
#include "base/hashmap.h"

#define SKEP_PROC_MAX 524288 /* processes; the kernel's own limit is 4 M */
#define SKEP_PROC_DEAD_ANCESTORS 8
#define SKEP_PROC_GRACE 1000000000ULL /* ns of record time */

struct skep_bytes {
    char *s; /* NUL-terminated, may hold other NULs; NULL: not known */
    size_t len;
};

struct skep_proc_image {
    unsigned refs;
    uint64_t stamp; /* 0: made outside of a table */
    uint32_t exec_id;
    bool blank; /* its exec was not seen: nothing is known of it */
    struct skep_bytes exe;
    struct skep_bytes args; /* each ended by a NUL */
    struct skep_bytes script;
    struct skep_bytes env;     /* chosen variables, each ended by a NUL */
    struct skep_bytes env_all; /* all of them, where the table keeps them; else NULL */
    bool keep_env;
    uint64_t seq;                       /* of the record that made it: exec_data refers to it */
    uint32_t cpu;                       /* seq counts by CPU */
    uint32_t args_size, env_size;       /* in the process; what was captured may be less */
    uint32_t args_missing, env_missing; /* bytes that exec_data records still have to bring */
    struct skep_bytes env_raw;          /* while env_missing is not 0 */
    uint64_t inode;
    uint32_t dev;
    uint32_t flags;  /* enum skep_exec_flag */
    uint32_t traits; /* enum skep_image_trait */
    uint64_t ctime;  /* of the file, nanoseconds since 1970; 0: not known */
    uint64_t mtime;
};

struct skep_proc {
    unsigned refs;
    uint32_t pid;
    uint64_t stamp;                     /* 0: made outside of a table */
    uint64_t start;                     /* CLOCK_BOOTTIME ns */
    struct skep_proc *parent;           /* who created it; NULL: not known */
    struct skep_proc_image *image;      /* never NULL; fields inside may be unknown */
    struct skep_proc_image *prev_image; /* before the last exec, or NULL */
    struct skep_bytes cwd;
    struct skep_task task;
    uint64_t cgroup;
    uint32_t uid, gid, euid, egid;
    uint64_t caps;
    char comm[SKEP_COMM_LEN];
    bool dead;
    bool tracked;                /* in the process tree that the user asked for; children inherit it */
    bool partial;                /* never seen in a life cycle record: only what headers said is known */
    struct skep_proc *next_dead; /* in the order of exits */
    uint64_t exited;
    uint64_t seen; /* time of the last snapshot or life cycle record that showed it alive */
};

struct skep_proc_table {
    struct skep_hashmap by_id;                /* struct skep_proc_key -> struct skep_proc */
    struct skep_hashmap by_pid;               /* uint32_t -> struct skep_proc, the youngest of that number */
    struct skep_namespaces host_ns;           /* of the first process (pid 1) */
    struct skep_proc *dead_first, *dead_last; /* rows in their grace, oldest first */
    uint64_t stamps;                          /* given so far */
    uint64_t snapshot_time;                   /* when the last complete snapshot began */
    uint64_t healed;                          /* processes that a later snapshot had to add or remove */
    bool keep_env; /* keep whole environments of what is executed from now on, for rules that ask for them */
};

void skep_proc_table_init(struct skep_proc_table *t);
void skep_proc_table_clear(struct skep_proc_table *t);

/* The image waits for exec_data records. */
static inline bool skep_proc_image_incomplete(const struct skep_proc_image *i)
{
    return i->args_missing || i->env_missing;
}

/* Gives up waiting: what came is what there is. */
void skep_proc_image_settle(struct skep_proc_image *i);

/* Takes a life cycle record into the table. Records whose change must be invisible to the event itself
 * (exit, chdir, setsid, setns, unshare) are applied after the event was shown: see
 * skep_proc_applies_after(). Unknown kinds are ignored. The record was validated by skep_record_check().
 * -ENOMEM; -E2BIG: the table is full, the process stays unknown. */
int skep_proc_table_apply(struct skep_proc_table *t, const struct skep_hdr *h);
bool skep_proc_applies_after(uint16_t kind);

/* The acting process of a record; creates a partial row when it is not there. NULL: out of memory, or the
 * record has no task, or only a remembered one that is gone. Borrowed. */
struct skep_proc *skep_proc_table_get(struct skep_proc_table *t, const struct skep_hdr *h);
/* The image that acted: the current one, or the previous one when the record is older than the last exec. */
const struct skep_proc_image *skep_proc_image_at(const struct skep_proc *p, uint32_t exec_id);
struct skep_proc *skep_proc_table_find(const struct skep_proc_table *t, uint32_t pid, uint64_t start);
/* Who has that number now, or had it last; NULL: nobody who is remembered. */
struct skep_proc *skep_proc_table_find_pid(const struct skep_proc_table *t, uint32_t pid);

/* References keep a process (or image) alive beyond the next record. */
struct skep_proc *skep_proc_ref(struct skep_proc *p);
struct skep_proc *skep_proc_unref(struct skep_proc *p);
struct skep_proc_image *skep_proc_image_ref(struct skep_proc_image *i);
struct skep_proc_image *skep_proc_image_unref(struct skep_proc_image *i);

/* A snapshot began at begin and all its process records were applied: rows that it did not confirm and that
 * are older are gone. */
void skep_proc_table_snapshot_done(struct skep_proc_table *t, uint64_t begin);
#endif
