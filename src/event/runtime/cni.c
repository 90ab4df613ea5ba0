/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

/* Where libcni, which all runtimes but docker use, keeps what the plugins answered for each container and network:
 * <network>-<container id>-<interface>, removed with the container. */
#define RESULTS "/var/lib/cni/results"

int skep_cni_parse(json_t *cached, const char *id, struct skep_state_info *info)
{
    const char *said = skep_state_member(cached, "containerId");
    if (!said || !skep_streq(said, id))
        return 0;
    json_t *result = json_object_get(cached, "result");
    const char *address =
        skep_state_member(json_array_get(json_object_get(result, "ips"), 0), "address"); /* with its mask */
    int r = 0;
    if (address) {
        _cleanup_free_ char *ip = strndup(address, strcspn(address, "/"));
        r = ip ? skep_state_set(&info->ip, ip) : -ENOMEM;
    }
    if (r < 0 || !json_is_object(result))
        return r < 0 ? r : 1;
    _cleanup_free_ char *text = json_dumps(result, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    if (strlen(text) <= SKEP_CONTAINER_TEXT_MAX) /* a part of it would be no JSON */
        r = skep_state_set(&info->cni, text);
    return r < 0 ? r : 1;
}

struct search {
    const struct skep_state_query *q;
    const char *id;
    struct skep_state_info *info;
};

static int look_at(void *arg, const char *name)
{
    struct search *s = arg;
    const char *at = strstr(name, s->id);
    size_t n = strlen(s->id);
    if (!at || at == name || at[-1] != '-' || at[n] != '-')
        return 0;
    _cleanup_json_ json_t *cached = NULL;
    if (skep_state_read_json(s->q->root, SKEP_STATE_NO_UID, &cached, RESULTS "/%s", name) < 0)
        return 0;
    return skep_cni_parse(cached, s->id, s->info);
}

int skep_cni_find(const struct skep_state_query *q, const char *id, struct skep_state_info *info)
{
    struct search s = {q, id, info};
    return *id ? skep_state_list(q->root, RESULTS, look_at, &s) : 0;
}
