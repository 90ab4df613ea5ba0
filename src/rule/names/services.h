/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_NAMES_SERVICES_H
#define SKEP_RULE_NAMES_SERVICES_H
/*
 * Names of ports, as /etc/services gives them: 443 tcp is https. The file is read once, when the first name is asked for;
 * no network service is asked. Any thread.
 */
#include "base/macro.h"

/* proto: "tcp", "udp". NULL: the port has no name. */
const char *skep_rule_service_find(uint16_t port, const char *proto);
/* The port of a service, by its name or another that it has, whatever the protocol: the first in the file. false: there
 * is none of that name. Reads the file each time. */
bool skep_rule_service_port(const char *name, size_t len, uint16_t *ret);
#endif
