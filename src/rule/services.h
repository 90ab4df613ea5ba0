/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_RULE_SERVICES_H
#define SKEP_RULE_SERVICES_H
/*
 * Names of ports, as /etc/services gives them: 443 tcp is https. The file is read once, when the first name is asked for;
 * no network service is asked. Any thread.
 */
#include "base/macro.h"

/* proto: "tcp", "udp". NULL: the port has no name. */
const char *skep_rule_service_find(uint16_t port, const char *proto);
#endif
