/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/state.h"

/* Who says what under which name; the first that is there wins. */
static const struct {
    const char *key;
    size_t field;
} annotations[] = {
    {"io.kubernetes.container.name", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri.container-name", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri-o.ContainerName", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri-o.Name", offsetof(struct skep_state_info, name)},
    {"nerdctl/name", offsetof(struct skep_state_info, name)},
    {"io.kubernetes.cri.image-name", offsetof(struct skep_state_info, image)},
    {"io.kubernetes.cri-o.ImageName", offsetof(struct skep_state_info, image)},
    {"io.kubernetes.cri-o.Image", offsetof(struct skep_state_info, image)},
    {"io.kubernetes.pod.name", offsetof(struct skep_state_info, pod)},
    {"io.kubernetes.cri.sandbox-name", offsetof(struct skep_state_info, pod)},
    {"io.kubernetes.cri-o.KubeName", offsetof(struct skep_state_info, pod)},
    {"io.kubernetes.pod.namespace", offsetof(struct skep_state_info, namespace_)},
    {"io.kubernetes.cri.sandbox-namespace", offsetof(struct skep_state_info, namespace_)},
    {"io.kubernetes.cri-o.Namespace", offsetof(struct skep_state_info, namespace_)},
};

void skep_state_info_clear(struct skep_state_info *info)
{
    free(info->name);
    free(info->image);
    free(info->pod);
    free(info->namespace_);
    *info = (struct skep_state_info){0};
}

int skep_state_set(char **field, const char *text)
{
    if (*field || !text || !*text)
        return 0;
    *field = strndup(text, SKEP_CONTAINER_TEXT_MAX);
    return *field ? 0 : -ENOMEM;
}

const char *skep_state_member(json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

int skep_state_set_json(char **field, json_t *object, const char *member)
{
    return skep_state_set(field, skep_state_member(object, member));
}

int skep_state_set_annotations(struct skep_state_info *info, json_t *object)
{
    for (size_t i = 0; i < ARRAY_SIZE(annotations); i++) {
        int r =
            skep_state_set_json((char **)((char *)info + annotations[i].field), object, annotations[i].key);
        if (r < 0)
            return r;
    }
    return 0;
}

int skep_bundle_parse(json_t *config, struct skep_state_info *info)
{
    return skep_state_set_annotations(info, json_object_get(config, "annotations"));
}

bool skep_state_next_candidate(const char *path, size_t *at, char id[SKEP_CONTAINER_ID_MAX], size_t *ret_end)
{
    while (*at > 0) {
        size_t end = *at;
        while (end > 0 && path[end - 1] == '/')
            end--;
        size_t begin = end;
        while (begin > 0 && path[begin - 1] != '/')
            begin--;
        *at = begin;
        if (!skep_cgroup_is_candidate(path + begin, end - begin))
            continue;
        memcpy(id, path + begin, end - begin);
        id[end - begin] = '\0';
        *ret_end = end;
        return true;
    }
    return false;
}
