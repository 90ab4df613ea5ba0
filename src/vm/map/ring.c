/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "vm/map/memory.h"

/*
 * Ring buffers: many producers, one consumer.
 *
 * Records lie in the data one behind the other, each after 8 bytes that stay empty, so that positions, capacity and
 * what bpf_ringbuf_query() says are the kernel's. What we know of a record (its length, whether it is finished) is kept
 * in an array of its own, at the record's place, where no program can change it. The data is mapped twice in a row: a
 * record that goes over the end goes on at the start.
 *
 * Positions only ever grow. A record is reserved under a lock and finished without one.
 */
#define HEADER 8
#define BUSY 0x80000000u
#define DISCARDED 0x40000000u
#define RECORD_MAX (UINT32_MAX / 4)

struct ring {
    uint64_t consumer __attribute__((aligned(64))); /* atomic */
    uint64_t producer __attribute__((aligned(64))); /* atomic */
    struct skep_spin lock;
    uint64_t mask;
    struct skep_area headers; /* uint32_t for each 8 bytes of data: length | BUSY | DISCARDED; atomic */
    bool consuming;           /* atomic */
    struct skep_spin wakeup_lock;
    void (*wakeup)(void *data);
    void *wakeup_data;
    void *memory; /* that this lies in */
};

/* Two views of the same pages in a row. */
static int map_twice(struct skep_area *a, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    _cleanup_close_ int fd = memfd_create("skep-ring", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        return -ENOMEM;
    size_t total = 2 * size + 2 * page;
    uint8_t *map = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        uint8_t *at = map + page + (size_t)i * size;
        if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
            munmap(map, total);
            return -ENOMEM;
        }
    }
    *a = (struct skep_area){.start = map + page, .size = 2 * size, .mapping = map, .mapping_size = total};
    return 0;
}

static int ring_init(struct skep_vm_map *m, const struct skep_vm_map_options *o)
{
    uint32_t size = o->max_entries, page = (uint32_t)sysconf(_SC_PAGESIZE);
    if (o->flags & ~BPF_F_NUMA_NODE || o->key_size || o->value_size || !size || size & (size - 1) ||
        size % page)
        return -EINVAL;
    uint8_t *memory = skep_map_calloc(m, 1, sizeof(struct ring) + 64);
    if (!memory)
        return -ENOMEM;
    struct ring *ring = (struct ring *)(memory + (64 - (uintptr_t)memory % 64) % 64);
    ring->memory = memory;
    ring->mask = size - 1;
    m->state = ring;
    uint64_t headers = (uint64_t)size / 8 * sizeof(uint32_t);
    int r = skep_map_charge(m, size + headers);
    if (r == 0)
        r = skep_area_init(&ring->headers, headers);
    return r < 0 ? r : map_twice(&m->area, size);
}

static void ring_clear(struct skep_vm_map *m)
{
    struct ring *ring = m->state;
    m->state = NULL;
    if (!ring)
        return;
    skep_area_clear(&ring->headers);
    skep_map_release(m, ring->memory);
}

static uint32_t *header_at(const struct ring *ring, uint64_t position)
{
    return (uint32_t *)ring->headers.start + (position & ring->mask) / 8;
}

uint64_t skep_ring_reserve(struct skep_vm_map *m, uint64_t size, uint32_t *ret_offset)
{
    struct ring *ring = m->state;
    if (size > RECORD_MAX)
        return 0;
    uint64_t len = ROUND_UP(size + HEADER, 8);
    if (len > ring->mask + 1)
        return 0;
    uint64_t consumer = __atomic_load_n(&ring->consumer, __ATOMIC_ACQUIRE);
    skep_spin_lock(&ring->lock);
    uint64_t producer = ring->producer;
    bool fits = producer + len - consumer <= ring->mask;
    if (fits) {
        __atomic_store_n(header_at(ring, producer), (uint32_t)size | BUSY, __ATOMIC_RELAXED);
        __atomic_store_n(&ring->producer, producer + len, __ATOMIC_RELEASE);
    }
    skep_spin_unlock(&ring->lock);
    if (!fits)
        return 0;
    *ret_offset = (uint32_t)(producer & ring->mask);
    return (uintptr_t)m->area.start + (producer & ring->mask) + HEADER;
}

static void wake(struct ring *ring)
{
    skep_spin_lock(&ring->wakeup_lock);
    void (*wakeup)(void *data) = ring->wakeup;
    void *data = ring->wakeup_data;
    skep_spin_unlock(&ring->wakeup_lock);
    if (wakeup)
        wakeup(data);
}

void skep_ring_commit(struct skep_vm_map *m, uint32_t offset, uint64_t flags, bool discard)
{
    struct ring *ring = m->state;
    uint32_t *header = header_at(ring, offset);
    uint32_t len = __atomic_load_n(header, __ATOMIC_RELAXED) & ~BUSY;
    /* in one order with the consumer, which finds the record or has been here before */
    __atomic_exchange_n(header, discard ? len | DISCARDED : len, __ATOMIC_SEQ_CST);
    uint64_t consumer = __atomic_load_n(&ring->consumer, __ATOMIC_SEQ_CST) & ring->mask;
    if (flags & BPF_RB_FORCE_WAKEUP || (consumer == offset && !(flags & BPF_RB_NO_WAKEUP)))
        wake(ring);
}

int skep_ring_output(struct skep_vm_map *m, const void *data, uint64_t size, uint64_t flags)
{
    if (flags & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
        return -EINVAL;
    uint32_t offset;
    uint64_t record = skep_ring_reserve(m, size, &offset);
    if (!record)
        return -EAGAIN;
    memcpy((void *)(uintptr_t)record, data, size);
    skep_ring_commit(m, offset, flags, false);
    return 0;
}

uint64_t skep_ring_query(const struct skep_vm_map *m, uint64_t flags)
{
    const struct ring *ring = m->state;
    uint64_t consumer = __atomic_load_n(&ring->consumer, __ATOMIC_ACQUIRE);
    uint64_t producer = __atomic_load_n(&ring->producer, __ATOMIC_ACQUIRE);
    switch (flags) {
    case BPF_RB_AVAIL_DATA:
        return producer - consumer;
    case BPF_RB_RING_SIZE:
        return ring->mask + 1;
    case BPF_RB_CONS_POS:
        return consumer;
    case BPF_RB_PROD_POS:
        return producer;
    default:
        return 0;
    }
}

int64_t skep_vm_ring_consume(struct skep_vm_map *m, size_t max, skep_vm_ring_fn cb, void *data)
{
    if (m->type != BPF_MAP_TYPE_RINGBUF)
        return -EINVAL;
    struct ring *ring = m->state;
    if (__atomic_exchange_n(&ring->consuming, true, __ATOMIC_ACQUIRE))
        return -EBUSY;
    uint64_t position = ring->consumer;
    int64_t n = 0;
    int r = 0;
    while (r >= 0 && (!max || (uint64_t)n < max) &&
           position < __atomic_load_n(&ring->producer, __ATOMIC_ACQUIRE)) {
        uint32_t header = __atomic_load_n(header_at(ring, position), __ATOMIC_SEQ_CST);
        if (header & BUSY)
            break;
        uint32_t len = header & ~DISCARDED;
        if (!(header & DISCARDED)) {
            r = cb ? cb(data, m->area.start + (position & ring->mask) + HEADER, len) : 0;
            n++;
        }
        position += ROUND_UP((uint64_t)len + HEADER, 8);
        __atomic_store_n(&ring->consumer, position, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&ring->consuming, false, __ATOMIC_RELEASE);
    return r < 0 ? r : n;
}

void skep_vm_ring_set_wakeup(struct skep_vm_map *m, void (*cb)(void *data), void *data)
{
    if (m->type != BPF_MAP_TYPE_RINGBUF)
        return;
    struct ring *ring = m->state;
    skep_spin_lock(&ring->wakeup_lock);
    ring->wakeup = cb;
    ring->wakeup_data = data;
    skep_spin_unlock(&ring->wakeup_lock);
}

const struct skep_map_ops skep_map_ringbuf_ops = {
    .name = "ringbuf",
    .keyless = true,
    .init = ring_init,
    .clear = ring_clear,
    .same_meta = skep_map_same_meta,
};
