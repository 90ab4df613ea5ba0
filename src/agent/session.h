/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_SESSION_H
#define SKEP_AGENT_SESSION_H
/*
 * What is read once when a live run begins: the clock's offset, the host's namespaces, the names of kernel and
 * machine. A replay takes all this from the recording.
 */
#include "event/event.h"

void skep_session_read(struct skep_session *ret);
#endif
