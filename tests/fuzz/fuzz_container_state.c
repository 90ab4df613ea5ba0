/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of runtime state. The first byte chooses the reader, the rest is the JSON. */
#include <assert.h>

#include "event/runtime/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
    assert(!s || (strlen(s) > 0 && strlen(s) <= SKEP_CONTAINER_TEXT_MAX));
}

static void check_list(struct skep_bytes list, size_t max)
{
    assert(list.len <= max && (list.len == 0 || list.s[list.len - 1] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (data[0] % 20 == 17) {
        json_decref(skep_metadb_parse_any((const char *)data + 1, size - 1));
        return 0;
    }
    _cleanup_json_ json_t *j = json_loadb((const char *)data + 1, size - 1, 0, NULL);
    if (!j)
        return 0;
    _cleanup_state_info_ struct skep_state_info info = {0};
    const char *bundle = NULL;
    int r = 0;
    switch (data[0] % 20) {
    case 0:
        r = skep_docker_parse(j, "a", &info);
        break;
    case 1:
        r = skep_storage_parse(j, "a", &info);
        break;
    case 2:
        r = skep_bundle_parse(j, &info);
        break;
    case 3:
        r = skep_runc_parse(j, "a", NULL, &info, &bundle);
        break;
    case 4:
        r = skep_runc_parse(j, "a", "/a", &info, &bundle);
        break;
    case 5:
        r = skep_crun_parse(j, "/a", &bundle);
        break;
    case 6:
        r = skep_docker_parse_host(j, &info);
        break;
    case 7:
        info.image_id = strdup("a");
        r = skep_docker_parse_images(j, &info);
        break;
    case 8:
        info.image_id = strdup("a");
        r = skep_storage_parse_images(j, &info);
        break;
    case 9:
        r = skep_crio_sandbox_parse(j, &info);
        break;
    case 10:
        r = skep_cni_parse(j, "a", &info);
        break;
    case 12:
        r = skep_libpod_parse(j, "a", &info);
        break;
    case 13:
        r = skep_libpod_parse_state(j, &info);
        break;
    case 14:
        r = skep_libpod_parse_pod(j, "a", &info);
        break;
    case 15:
        r = skep_metadb_parse_container(j, &info);
        break;
    case 16:
        r = skep_metadb_parse_sandbox(j, &info);
        break;
    default:
        skep_state_set_started(&info, skep_state_member(j, "t"));
        if (skep_state_member(j, "p"))
            r = skep_state_set_pod_uid(&info, skep_state_member(j, "p"));
    }
    assert(r >= 0 && r <= 1);
    assert(!bundle || strlen(bundle) < size);
#define SKEP_CONTAINER_TEXT(member) check_text(info.member);
#define SKEP_CONTAINER_LIST(member, max) check_list(info.member, max);
#include "event/container.def"
#undef SKEP_CONTAINER_TEXT
#undef SKEP_CONTAINER_LIST
    return 0;
}
