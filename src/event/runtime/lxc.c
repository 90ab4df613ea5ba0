/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

/* The id of an LXC container is the name that people gave it, but Proxmox numbers its containers and knows
 * the name as the host name. */
static const struct {
    const char *file;
    const char *key;
} configs[] = {
    {"/etc/pve/lxc/%s.conf", "hostname:"},
    {"/var/lib/lxc/%s/config", "lxc.uts.name"},
};

static int take_key(const char *text, const char *key, struct skep_state_info *info)
{
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        const char *s = skep_startswith(line, key);
        if (s) {
            s += strspn(s, " \t=");
            _cleanup_free_ char *value = s < line + n ? strndup(s, (size_t)(line + n - s)) : NULL;
            if (value)
                return skep_state_set(&info->name, value);
        }
        line += n + (line[n] == '\n');
    }
    return 0;
}

int skep_lxc_find(const struct skep_state_query *q, struct skep_state_info *info)
{
    for (size_t i = 0; i < ARRAY_SIZE(configs) && !info->name; i++) {
        char path[SKEP_CONTAINER_ID_MAX + 64];
        _cleanup_free_ char *text = NULL;
        size_t len;
        const char *mark = strstr(configs[i].file, "%s");
        snprintf(path, sizeof(path), "%.*s%s%s", (int)(mark - configs[i].file), configs[i].file, q->id,
                 mark + 2);
        if (skep_state_read(q->root, SKEP_STATE_NO_UID, path, &text, &len) < 0)
            continue;
        int r = take_key(text, configs[i].key, info);
        if (r < 0)
            return r;
    }
    int r = skep_state_set(&info->name, q->id);
    info->runtime = SKEP_RUNTIME_LXC;
    return r < 0 ? r : 1;
}
