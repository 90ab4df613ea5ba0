/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_LOAD_RING_H
#define SKEP_LOAD_RING_H
/*
 * The reading end of one BPF ring buffer. libbpf's own reader hands out records ring by ring, through a
 * callback; we merge many rings by time, so we must be able to look at the next record of each without taking
 * it. Records are used where the kernel wrote them and given back in batches.
 *
 *     while ((h = skep_ring_peek(&ring)) && h->time < limit) {
 *         use(h);
 *         skep_ring_advance(&ring);
 *     }
 *     skep_ring_release(&ring);
 *
 * The layout is that of the kernel's kernel/bpf/ringbuf.c: a page with the consumer's position (writable), a
 * page with the producer's, then the data, twice in a row so that no record wraps around; each record
 * has a header of 8 bytes (length with a busy and a discard bit, page offset) and is aligned to 8. Of the second copy
 * only as much is mapped as one record can reach into: mapped pages are resident pages. The producer's position is looked at
 * when all up to where it stood before is read: another CPU writes it with each record. One thread.
 */
#include "abi/event.h"
#include "base/macro.h"

struct skep_ring {
    int fd; /* of the map; owned */
    size_t size;
    size_t mapped;       /* of the data: size, and the part of it that follows once more */
    void *consumer_page; /* writable */
    void *producer_page;
    char *data;        /* behind the producer's page */
    uint64_t pos;      /* next record to look at */
    uint64_t end;      /* the producer's position, as it was seen last */
    uint64_t released; /* what the kernel may overwrite */
};

/* Takes the descriptor. size: bytes, a power of two. */
int skep_ring_open(struct skep_ring *r, int fd, size_t size);
void skep_ring_close(struct skep_ring *r);
/* The next record, at least a header long, or NULL. Skips discarded ones. Its length inside the ring goes to
 * ret_size (the record's own len field is not to be trusted more than that); of one that is longer than any of ours
 * the bytes that are mapped. */
const struct skep_hdr *skep_ring_peek(struct skep_ring *r, size_t *ret_size);
void skep_ring_advance(struct skep_ring *r);
void skep_ring_release(struct skep_ring *r);
/* Bytes that were looked at and not yet released. */
size_t skep_ring_held(const struct skep_ring *r);
#endif
