/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_SCHEMA_H
#define SKEP_AGENT_SCHEMA_H
/*
 * The schema of this build, made from the type information of the embedded BPF object; says on standard error
 * what is wrong when it cannot be made.
 */
#include "event/schema.h"

int skep_agent_schema(struct skep_schema **ret);
#endif
