/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/schema.h"

#include "base/log.h"
#include "load/btf.h"

int skep_agent_schema(struct skep_schema **ret)
{
    const void *btf;
    size_t size;
    int r = skep_object_btf(&btf, &size);
    if (r >= 0)
        r = skep_schema_new(btf, size, ret);
    return r < 0 ? skep_log_error(r, "the description of events is damaged: %s", strerror(-r)) : 0;
}

int skep_agent_layouts(struct skep_layouts **ret)
{
    const void *btf;
    size_t size;
    int r = skep_object_btf(&btf, &size);
    if (r >= 0)
        r = skep_layouts_new_btf(btf, size, ret);
    return r < 0 ? skep_log_error(r, "the description of records is damaged: %s", strerror(-r)) : 0;
}
