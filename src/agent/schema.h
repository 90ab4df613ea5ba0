/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_AGENT_SCHEMA_H
#define SKEP_AGENT_SCHEMA_H
/*
 * The schema and the layouts of this build, made from the type information of the embedded BPF object; says on standard error
 * what is wrong when they cannot be made.
 */
#include "event/layout.h"
#include "event/schema.h"

int skep_agent_schema(struct skep_schema **ret);
/* Where all members of all records lie: what recordings carry, and are rebuilt to. */
int skep_agent_layouts(struct skep_layouts **ret);
#endif
