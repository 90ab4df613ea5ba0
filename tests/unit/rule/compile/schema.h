/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_COMPILE_SCHEMA_H
#define SKEP_TEST_COMPILE_SCHEMA_H
/*
 * The schema of all events, made once for the whole group of tests.
 */
#include "../random_event.h"

static struct skep_schema *schema;

static int schema_setup(void **state)
{
    (void)state;
    schema = random_schema(getenv("SKEP_BPF_OBJECT"));
    return 0;
}

static int schema_teardown(void **state)
{
    (void)state;
    schema = skep_schema_free(schema);
    return 0;
}
#endif
