/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_FIELD_ACTOR_H
#define SKEP_RULE_FIELD_ACTOR_H
/*
 * A process as the fields of the families proc and proc_ancestor see it: who acts in an event, its parent, or an
 * ancestor further up, and the texts that Falco makes of each.
 *
 *     exe      the first argument: what the process was called as
 *     exepath  canonical path of the file that it runs
 *     args     the other arguments, joined by blanks
 *     cmdline  name and args
 *     exeline  exe and args
 *     env      the variables of its environment, joined by blanks
 *
 * A parent is who created the process, and stays it when that one ends and the kernel gives the orphan to another:
 * rules ask where a process comes from. What only execs tell (exe, args, ...) is missing as long as none was seen; of a
 * kernel thread it is there and empty.
 */
#include "rule/fact.h"

/* What happens to a socket may have nobody who acts, and the fields of the header are missing then: a spot of theirs
 * cannot say that, so that there is none for these kinds. For rows made of abi/events.def. */
#define SKEP_ACTOR_KIND(kind)                                                                                \
    (SKEP_KIND_##kind == SKEP_KIND_tcp || SKEP_KIND_##kind == SKEP_KIND_dns ? UINT16_MAX : SKEP_KIND_##kind)

struct skep_actor {
    const struct skep_proc *proc;
    const struct skep_proc_image *image;
    const char *comm; /* up to SKEP_COMM_LEN bytes */
};

enum skep_actor_text {
    SKEP_ACTOR_NAME,
    SKEP_ACTOR_EXE,
    SKEP_ACTOR_EXEPATH,
    SKEP_ACTOR_ARGS,
    SKEP_ACTOR_CMDLINE,
    SKEP_ACTOR_EXELINE,
    SKEP_ACTOR_ENV,
};

/* Who acts: the thread, with its own name. false: nobody is known. */
bool skep_actor_of(const struct skep_event *ev, struct skep_actor *ret);
/* 0: the process that acts, 1: its parent, ... false: not known that far. */
bool skep_actor_ancestor(const struct skep_event *ev, uint32_t level, struct skep_actor *ret);
/* Takes one step up; false: there is nobody. */
bool skep_actor_up(struct skep_actor *a);
/* What only life cycle records tell; NULL: none was seen. */
const struct skep_task *skep_actor_task(const struct skep_actor *a);
/* Number of the acting thread in its process's own pid namespace: known of main threads, and of all that are in the
 * initial one. 0: not known. */
uint32_t skep_actor_vtid(const struct skep_event *ev);
/* "cpuset=PATH cpu=PATH ...": the controllers that Falco's kernel side asks for, which in a unified hierarchy all have
 * one path. false: it is not known. */
bool skep_actor_put_cgroups(const struct skep_event *ev, struct skep_strbuf *sb);
/* Whether a controller is one of these. */
bool skep_actor_has_cgroup(const char *controller);

/* Makes a text of a process in the arena; false: missing, or the arena is full. */
bool skep_actor_put(struct skep_rule_ctx *x, const struct skep_actor *a, enum skep_actor_text which,
                    uint64_t *ret_value, uint32_t *ret_n);
/* Argument i behind the first; NULL: there is none. */
const char *skep_actor_arg(const struct skep_actor *a, uint32_t i, size_t *ret_n);
/* How many there are behind the first, and their bytes; false: not known. */
bool skep_actor_count_args(const struct skep_actor *a, uint64_t *ret_count, uint64_t *ret_bytes);
/* A variable's value without blanks around it; "" where the environment is known and has none such, NULL where it is
 * not known. */
const char *skep_actor_env(const struct skep_actor *a, const char *name, size_t *ret_n);
#endif
