/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of cgroup paths: what it says lies inside the path and keeps its own rules. */
#include <assert.h>

#include "event/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(const char *path, size_t len, const char *s, size_t n)
{
    assert(s ? n > 0 && s >= path && s + n <= path + len : n == 0);
    assert(!s || !memchr(s, '/', n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *path = strndup((const char *)data, size);
    if (!path)
        return 0;
    size_t len = strlen(path);
    struct skep_cgroup_name n;
    skep_cgroup_parse(path, &n);
    check_slice(path, len, n.id, n.id_len);
    check_slice(path, len, n.candidate, n.candidate_len);
    check_slice(path, len, n.unit, n.unit_len);
    check_slice(path, len, n.slice, n.slice_len);
    assert(n.runtime >= SKEP_RUNTIME_NONE && n.runtime < SKEP_RUNTIME_MAX);
    assert((n.runtime != SKEP_RUNTIME_NONE) == (n.id != NULL));
    assert(!n.id || !n.candidate);
    assert(n.id_len < SKEP_CONTAINER_ID_MAX);
    assert(!n.candidate || skep_cgroup_is_candidate(n.candidate, n.candidate_len));

    char buf[16];
    skep_cgroup_unescape(path, len, buf, sizeof(buf));
    assert(strlen(buf) < sizeof(buf));
    return 0;
}
