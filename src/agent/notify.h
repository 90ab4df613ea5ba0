/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_NOTIFY_H
#define SKEP_AGENT_NOTIFY_H
/*
 * What the service manager wants to know of a service (sd_notify(3), Type=notify): lines such as "READY=1", sent as one
 * datagram to the socket that the environment names in NOTIFY_SOCKET. Whoever was not started by a service manager
 * has no such variable, and nothing happens.
 */
#include "base/macro.h"

/* 1: told; 0: nobody asked; -EINVAL: NOTIFY_SOCKET is no address of a socket; another -errno: it was not taken. Does not
 * wait. */
int skep_notify(const char *state);
#endif
