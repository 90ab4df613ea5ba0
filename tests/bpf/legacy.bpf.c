/* SPDX-License-Identifier: Apache-2.0 */
/* struct bpf_map_def in the section maps, as everybody wrote it before BTF. */
#include "object.h"

struct bpf_map_def {
    u32 type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def SEC("maps") first = {.type = MAP_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 2};
struct bpf_map_def SEC("maps") second = {.type = MAP_HASH, .key_size = 8, .value_size = 4, .max_entries = 32};
static struct bpf_map_def SEC("maps") third = {
    .type = MAP_ARRAY, .key_size = 4, .value_size = 16, .max_entries = 1};

SEC("raw") int run(void *ctx)
{
    u64 key = 0;
    u32 value = 9;
    map_update(&second, &key, &value, 0);
    u64 *a = map_lookup(&first, &key);
    u32 *b = map_lookup(&second, &key);
    u64 *c = map_lookup(&third, &key);
    if (!a || !b || !c)
        return -1;
    *a += *b;
    c[1] += 100;
    return (int)(*a + c[1]); /* 109, 218 */
}
