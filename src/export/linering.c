/* SPDX-License-Identifier: Apache-2.0 */
#include "export/linering.h"

#include <sys/mman.h>

/* With shorter lines than this on average the slots are full before the bytes are. */
#define BYTES_PER_SLOT 32
#define RESERVED_PART 16
#define KEPT_BYTES                                                                                           \
    ((size_t)512 << 10) /* what a trim leaves, and the least that makes it worth a system call */

int skep_linering_init(struct skep_linering *r, size_t bytes)
{
    _cleanup_free_ char *data = malloc(bytes);
    size_t n_slots = bytes / BYTES_PER_SLOT;
    struct skep_linering_slot *slots = calloc(n_slots, sizeof(*slots));
    if (!data || !slots) {
        free(slots);
        return -ENOMEM;
    }
    *r = (struct skep_linering){.bytes = TAKE_PTR(data), .cap = bytes, .slots = slots, .n_slots = n_slots};
    return 0;
}

void skep_linering_clear(struct skep_linering *r)
{
    free(r->bytes);
    free(r->slots);
    *r = (struct skep_linering){0};
}

static void copy_in(struct skep_linering *r, size_t to, const void *data, size_t n)
{
    size_t before_end = MIN(n, r->cap - to);
    if (before_end)
        memcpy(r->bytes + to, data, before_end);
    if (n > before_end)
        memcpy(r->bytes, (const char *)data + before_end, n - before_end);
}

static size_t wrap(size_t at, size_t cap)
{
    return at >= cap ? at - cap : at;
}

/* Lines and bytes that may still come. */
static void room(const struct skep_linering *r, bool urgent, size_t *ret_lines, size_t *ret_bytes)
{
    size_t bytes = r->cap, slots = r->n_slots;
    if (!urgent) {
        bytes -= bytes / RESERVED_PART;
        slots -= slots / RESERVED_PART;
    }
    *ret_lines = slots > r->count ? slots - r->count : 0;
    *ret_bytes = bytes > r->used ? bytes - r->used : 0;
}

static void add_slot(struct skep_linering *r, struct skep_linering_slot slot)
{
    r->slots[wrap(r->first + r->count, r->n_slots)] = slot;
    r->used += slot.len;
    r->count++;
}

bool skep_linering_put(struct skep_linering *r, unsigned kind, bool urgent, const void *line, size_t len)
{
    size_t lines, bytes;
    room(r, urgent, &lines, &bytes);
    if (lines == 0 || len >= bytes || len >= UINT32_MAX)
        return false;
    copy_in(r, wrap(r->at + r->used, r->cap), line, len);
    r->bytes[wrap(r->at + r->used + len, r->cap)] = '\n';
    add_slot(r, (struct skep_linering_slot){.len = (uint32_t)len + 1, .kind = (uint16_t)kind});
    r->most = MAX(r->most, r->used);
    return true;
}

size_t skep_linering_put_lines(struct skep_linering *r, const struct skep_linering_slot *lines, size_t n,
                               const char *bytes, size_t *ret_len)
{
    size_t most, left, len = 0, i = 0, to = wrap(r->at + r->used, r->cap);
    room(r, false, &most, &left);
    for (; i < MIN(n, most) && lines[i].len <= left - len; i++) {
        add_slot(r, lines[i]);
        len += lines[i].len;
    }
    copy_in(r, to, bytes, len);
    r->most = MAX(r->most, r->used);
    *ret_len = len;
    return i;
}

size_t skep_linering_peek(const struct skep_linering *r, size_t max, struct iovec ret_iov[2], int *ret_n)
{
    size_t n = MIN(r->used, max);
    size_t before_end = MIN(n, r->cap - r->at);
    ret_iov[0] = (struct iovec){.iov_base = r->bytes + r->at, .iov_len = before_end};
    ret_iov[1] = (struct iovec){.iov_base = r->bytes, .iov_len = n - before_end};
    *ret_n = n > before_end ? 2 : 1;
    return n;
}

static void pop_slot(struct skep_linering *r)
{
    r->first = wrap(r->first + 1, r->n_slots);
    r->count--;
}

/* An empty ring starts over: on a host where the reader keeps up, only the first pages are ever touched. */
static void advance(struct skep_linering *r, size_t n)
{
    r->used -= n;
    r->at = r->used ? wrap(r->at + n, r->cap) : 0;
    if (r->count == 0)
        r->first = 0;
}

void skep_linering_consume(struct skep_linering *r, size_t n, skep_linering_account *written, void *userdata)
{
    size_t left = r->cut + n;
    while (r->count && left >= r->slots[r->first].len) {
        left -= r->slots[r->first].len;
        written(userdata, r->slots[r->first].kind);
        pop_slot(r);
    }
    r->cut = left;
    advance(r, n);
}

void skep_linering_drop(struct skep_linering *r, size_t n, skep_linering_account *lost, void *userdata)
{
    if (r->count == 0)
        return;
    struct skep_linering_slot torn = r->slots[r->first];
    size_t rest = r->cut ? torn.len - r->cut : 0, dropped = 0;
    if (r->cut)
        pop_slot(r);
    while (r->count && rest + dropped < n) {
        dropped += r->slots[r->first].len;
        lost(userdata, r->slots[r->first].kind);
        pop_slot(r);
    }
    if (r->cut) {
        for (size_t i = rest; i-- > 0;)
            r->bytes[(r->at + dropped + i) % r->cap] = r->bytes[(r->at + i) % r->cap];
        r->first = r->first ? r->first - 1 : r->n_slots - 1;
        r->slots[r->first] = torn;
        r->count++;
    }
    advance(r, dropped);
}

void skep_linering_drop_all(struct skep_linering *r, skep_linering_account *lost, void *userdata)
{
    while (r->count) {
        lost(userdata, r->slots[r->first].kind);
        pop_slot(r);
    }
    r->cut = 0;
    advance(r, r->used);
}

/* The whole pages behind the first keep bytes. What they held is not needed any more; they read as zeros. */
static void give_back(void *memory, size_t size, size_t keep)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ROUND_UP((uintptr_t)memory + MIN(keep, size), page);
    uintptr_t end = ((uintptr_t)memory + size) & ~(uintptr_t)(page - 1);
    if (from < end)
        madvise((void *)from, end - from, MADV_DONTNEED);
}

bool skep_linering_wants_trim(const struct skep_linering *r)
{
    return r->count == 0 && r->most > KEPT_BYTES;
}

void skep_linering_trim(struct skep_linering *r)
{
    if (!skep_linering_wants_trim(r))
        return;
    r->most = 0;
    give_back(r->bytes, r->cap, KEPT_BYTES);
    give_back(r->slots, r->n_slots * sizeof(*r->slots), KEPT_BYTES / BYTES_PER_SLOT * sizeof(*r->slots));
}

bool skep_linering_holds_at_most(const struct skep_linering *r, size_t parts)
{
    return r->used <= r->cap / parts && r->count <= r->n_slots / parts;
}
