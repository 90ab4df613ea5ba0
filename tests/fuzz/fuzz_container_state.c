/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of runtime state. The first byte chooses the reader, the rest is the JSON. */
#include <assert.h>

#include "event/runtime/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
    assert(!s || (strlen(s) > 0 && strlen(s) <= SKEP_CONTAINER_TEXT_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    _cleanup_json_ json_t *j = json_loadb((const char *)data + 1, size - 1, 0, NULL);
    if (!j)
        return 0;
    _cleanup_state_info_ struct skep_state_info info = {0};
    const char *bundle = NULL;
    int r = 0;
    switch (data[0] % 6) {
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
    default:
        r = skep_crun_parse(j, "/a", &bundle);
    }
    assert(r >= 0 && r <= 1);
    assert(!bundle || strlen(bundle) < size);
    check_text(info.name);
    check_text(info.image);
    check_text(info.pod);
    check_text(info.namespace_);
    return 0;
}
