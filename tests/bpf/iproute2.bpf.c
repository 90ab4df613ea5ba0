/* SPDX-License-Identifier: Apache-2.0 */
/* struct bpf_elf_map of iproute2: ids, inner maps, tail calls by the names of sections. */
#include "object.h"

struct bpf_elf_map {
    u32 type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx;
};

struct bpf_elf_map SEC("maps") jumps = {
    .type = MAP_PROG_ARRAY, .size_key = 4, .size_value = 4, .max_elem = 8, .id = 5};
struct bpf_elf_map SEC("maps") inner = {
    .type = MAP_ARRAY, .size_key = 4, .size_value = 4, .max_elem = 1, .id = 6, .inner_idx = 2};
struct bpf_elf_map SEC("maps") outer = {
    .type = MAP_ARRAY_OF_MAPS, .size_key = 4, .size_value = 4, .max_elem = 4, .inner_id = 6};

SEC("classifier") int entry(void *ctx)
{
    tail_call(ctx, &jumps, 3);
    return -1;
}

SEC("5/3") int third(void *ctx)
{
    u32 two = 2, zero = 0;
    void *m = map_lookup(&outer, &two);
    u32 *v = m ? map_lookup(m, &zero) : 0;
    if (!v)
        return -2;
    *v += 21;
    return (int)*v;
}
