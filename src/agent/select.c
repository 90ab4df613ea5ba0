/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/select.h"

#include "base/log.h"

/* Which kinds the operator wants to see. With rules only those that he names: alerts are what matters to a person. */
int skep_select_kinds(const struct skep_agent_options *o, const struct skep_schema *schema,
                      bool kinds[SKEP_KIND_MAX])
{
    const char *word;
    size_t len;
    for (unsigned i = 0; i < SKEP_KIND_MAX; i++) {
        const struct skep_kind *kind = skep_schema_kind(schema, i);
        kinds[i] = !o->kinds && kind &&
                   ((kind->show == SKEP_SHOW_SHOWN && o->rules.off) ||
                    (o->all_events && kind->show != SKEP_SHOW_HIDDEN));
    }
    if (!o->kinds || skep_schema_kinds_parse(schema, o->kinds, kinds, &word, &len) >= 0)
        return 0;
    const char *near = skep_schema_nearest_kind(schema, word, len);
    if (near)
        skep_log(SKEP_LOG_ERROR, "there is no kind of event '%.*s' (did you mean '%s'?)", (int)len, word,
                 near);
    else
        skep_log(SKEP_LOG_ERROR, "there is no kind of event '%.*s'; 'skep docs events' lists them", (int)len,
                 word);
    return -EINVAL;
}

int skep_select_scope(const struct skep_agent_options *o, const bool kinds[SKEP_KIND_MAX],
                      struct skep_scope *s)
{
    *s = (struct skep_scope){.container = o->container};
    memcpy(s->kinds, kinds, sizeof(s->kinds));
    if (o->uid >= 0) {
        s->flags |= SKEP_SCOPE_UID;
        s->uid = (uint32_t)o->uid;
    }
    if (o->comm) {
        if (strlen(o->comm) >= SKEP_COMM_LEN) {
            skep_log(SKEP_LOG_ERROR, "--comm: the kernel keeps at most %d characters of a name",
                     SKEP_COMM_LEN - 1);
            return -EINVAL;
        }
        s->flags |= SKEP_SCOPE_COMM;
        memcpy(s->comm, o->comm, strlen(o->comm));
    }
    s->root = o->pid;
    if (o->pid || o->command)
        s->flags |= SKEP_SCOPE_TRACKED;
    if (o->host_only)
        s->flags |= SKEP_SCOPE_HOST_ONLY;
    return 0;
}
