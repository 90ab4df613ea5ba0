/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_EVTTYPE_H
#define SKEP_RULE_EVTTYPE_H
/*
 * Types of event, as evt.type calls them: the name of the system call where one was seen (openat, execve), else a name
 * of its own (procexit, tcp, dns, container, io_uring). A type belongs to one kind of event, and a kind has one or
 * several types: this is how a condition on evt.type becomes a choice of programs, sensors and system calls. A call that
 * makes two kinds (execve: exec, and exec_failed) has two types of one name.
 *
 * Numbers count from 1 and hold within one run of the program. 0: not a type.
 */
#include "event/event.h"

#define SKEP_EVTTYPE_MAX 256

/* SKEP_EVTTYPE_openat, ... */
enum skep_evttype_id {
    SKEP_EVTTYPE_NONE,
#define SKEP_EVTTYPE(name, kind, call) SKEP_EVTTYPE_##name,
#define SKEP_EVTTYPE_AGAIN(id, name, kind) SKEP_EVTTYPE_##id,
#include "rule/evttypes.def"
    SKEP_EVTTYPE_COUNT,
};

struct skep_evttype {
    const char *name;
    uint16_t kind;
    const char *syscall; /* the call that it stands for; NULL: none */
};

const struct skep_evttype *skep_evttypes(size_t *ret_n); /* [0] is not used */
/* By name, also of a call that does what another does (fcntl64). 0: skep does not observe such events. */
uint32_t skep_evttype_find(const char *name, size_t len);
/* The next type of the same name; 0: there is none. Any thread. */
uint32_t skep_evttype_again(uint32_t type);
/* The names of the types in set, each once and in their order; returns how many. *ret_all: they are all that there are. */
size_t skep_evttype_names(const bool set[SKEP_EVTTYPE_MAX], const char *names[SKEP_EVTTYPE_MAX],
                          bool *ret_all);
/* Whether there are such events at all, observed by skep or not: a system call, or something else that Falco has a name
 * for. */
bool skep_evttype_exists(const char *name, size_t len);
const char *skep_evttype_nearest(const char *name, size_t len);
/* Of a record: a look-up by the number of its system call. Any thread. */
uint32_t skep_evttype_of(const struct skep_hdr *h);
#endif
