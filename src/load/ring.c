/* SPDX-License-Identifier: Apache-2.0 */
#include "load/ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>

#define LEN_MASK (~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))

int skep_ring_open(struct skep_ring *r, int fd, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t again = MIN(size, ROUND_UP((size_t)SKEP_RECORD_MAX + BPF_RINGBUF_HDR_SZ, page));
    *r = (struct skep_ring){.fd = -1, .size = size, .mapped = size + again};
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (consumer == MAP_FAILED)
        return -errno;
    void *producer = mmap(NULL, page + r->mapped, PROT_READ, MAP_SHARED, fd, (off_t)page);
    if (producer == MAP_FAILED) {
        int e = errno;
        munmap(consumer, page);
        return -e;
    }
    r->fd = fd;
    r->consumer_page = consumer;
    r->producer_page = producer;
    r->data = (char *)producer + page;
    r->pos = r->end = r->released = __atomic_load_n((uint64_t *)consumer, __ATOMIC_ACQUIRE);
    return 0;
}

void skep_ring_close(struct skep_ring *r)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (r->consumer_page)
        munmap(r->consumer_page, page);
    if (r->producer_page)
        munmap(r->producer_page, page + r->mapped);
    r->fd = skep_fd_close(r->fd);
    r->consumer_page = r->producer_page = r->data = NULL;
}

static char *data_at(const struct skep_ring *r, uint64_t pos)
{
    return r->data + (pos & (r->size - 1));
}

static size_t step(uint32_t len)
{
    return ROUND_UP((size_t)(len & LEN_MASK) + BPF_RINGBUF_HDR_SZ, (size_t)8);
}

/* Whether there is a record at pos, be it busy. */
static bool is_written(struct skep_ring *r)
{
    if (r->pos >= r->end)
        r->end = __atomic_load_n((uint64_t *)r->producer_page, __ATOMIC_ACQUIRE);
    return r->pos < r->end;
}

const struct skep_hdr *skep_ring_peek(struct skep_ring *r, size_t *ret_size)
{
    while (is_written(r)) {
        uint32_t len = __atomic_load_n((uint32_t *)data_at(r, r->pos), __ATOMIC_ACQUIRE);
        if (len & BPF_RINGBUF_BUSY_BIT)
            return NULL;
        if (!(len & BPF_RINGBUF_DISCARD_BIT) && (len & LEN_MASK) >= sizeof(struct skep_hdr)) {
            *ret_size =
                MIN((size_t)(len & LEN_MASK), r->mapped - (r->pos & (r->size - 1)) - BPF_RINGBUF_HDR_SZ);
            return (const struct skep_hdr *)(data_at(r, r->pos) + BPF_RINGBUF_HDR_SZ);
        }
        r->pos += step(len);
    }
    return NULL;
}

void skep_ring_advance(struct skep_ring *r)
{
    r->pos += step(*(uint32_t *)data_at(r, r->pos));
}

void skep_ring_release(struct skep_ring *r)
{
    if (r->released == r->pos)
        return;
    r->released = r->pos;
    __atomic_store_n((uint64_t *)r->consumer_page, r->pos, __ATOMIC_RELEASE);
}

size_t skep_ring_held(const struct skep_ring *r)
{
    return r->pos - r->released;
}
