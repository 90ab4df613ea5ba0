/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/map/memory.h"

#include <sys/mman.h>
#include <sys/random.h>

int skep_area_init(struct skep_area *a, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > PTRDIFF_MAX - 4 * page)
        return -ENOMEM;
    size_t pages = ROUND_UP(size, page);
    size_t total = pages + 2 * page;
    uint8_t *map = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return -ENOMEM;
    if (pages && mprotect(map + page, pages, PROT_READ | PROT_WRITE) < 0) {
        munmap(map, total);
        return -ENOMEM;
    }
    *a = (struct skep_area){.start = map + page, .size = size, .mapping = map, .mapping_size = total};
    return 0;
}

void skep_area_clear(struct skep_area *a)
{
    if (a->mapping)
        munmap(a->mapping, a->mapping_size);
    *a = (struct skep_area){0};
}

int skep_map_charge(struct skep_vm_map *m, uint64_t bytes)
{
    struct skep_vm *vm = m->vm;
    pthread_mutex_lock(&vm->lock);
    uint64_t left = vm->options.memory - MIN(vm->memory_used, vm->options.memory);
    pthread_mutex_unlock(&vm->lock);
    if (m->charged > left || bytes > left - m->charged)
        return -ENOMEM;
    m->charged += bytes;
    return 0;
}

void *skep_map_calloc(struct skep_vm_map *m, uint64_t n, uint64_t size)
{
    uint64_t total;
    if (__builtin_mul_overflow(n, size, &total) || skep_map_charge(m, total) < 0)
        return NULL;
    return skep_vm_calloc(m->vm, n, size);
}

void skep_map_release(struct skep_vm_map *m, void *p)
{
    skep_vm_release(m->vm, p);
}

int skep_map_area_init(struct skep_vm_map *m, uint64_t size)
{
    int r = skep_map_charge(m, size);
    return r < 0 ? r : skep_area_init(&m->area, size);
}

void skep_seed_init(uint64_t seed[2], bool zero)
{
    seed[0] = seed[1] = 0;
    if (zero || getrandom(seed, 2 * sizeof(seed[0]), 0) == 2 * sizeof(seed[0]))
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    seed[0] = (uint64_t)now.tv_nsec * SKEP_HASH_B;
    seed[1] = (uint64_t)(uintptr_t)seed ^ (uint64_t)now.tv_sec;
}

static uint64_t load8(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

uint64_t skep_map_hash_bytes(const uint64_t seed[2], const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = seed[0] ^ skep_map_hash_mix(size ^ SKEP_HASH_B, SKEP_HASH_A), a, b;
    if (size > 8) {
        size_t left = size;
        for (; left > 16; left -= 16, bytes += 16)
            hash = skep_map_hash_mix(load8(bytes) ^ SKEP_HASH_A ^ seed[1], load8(bytes + 8) ^ hash);
        /* the last 16 bytes, some of them again; or the first and the last 8 */
        const uint8_t *end = bytes + left;
        a = load8(size > 16 ? end - 16 : bytes);
        b = load8(end - 8);
    } else {
        a = skep_map_load_part(bytes, (uint32_t)size);
        b = 0;
    }
    return skep_map_hash_mix(skep_map_hash_mix(a ^ SKEP_HASH_B ^ seed[1], b ^ hash), SKEP_HASH_C);
}

int skep_map_next_index(struct skep_vm_map *m, const void *key, void *ret_next)
{
    uint32_t next = key ? skep_map_index(key) : UINT32_MAX;
    if (next >= m->max_entries)
        next = 0;
    else if (++next == m->max_entries)
        return -ENOENT;
    memcpy(ret_next, &next, sizeof(next));
    return 0;
}
