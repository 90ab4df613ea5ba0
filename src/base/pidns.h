/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_BASE_PIDNS_H
#define SKEP_BASE_PIDNS_H
/*
 * The pid namespace that skep itself runs in. The sensors see process ids of the initial one; in any other (a container
 * that has not been given the host's) what getpid() and fork() give are numbers of other processes there.
 */
#include "base/macro.h"

/* Its number, as in /proc/PID/ns/pid; 0: not known. */
uint32_t skep_pidns_own(void);
/* Where nothing is known it is taken for the initial one. */
bool skep_pidns_is_initial(void);
/* Our process id as the sensors see it; 0: not known. */
uint32_t skep_pidns_self(void);
#endif
