/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sink_queue.h"

#include <assert.h>

int skep_sink_queue_init(struct skep_sink_queue *q, size_t n, size_t bytes)
{
    _cleanup_free_ char *data = malloc(bytes);
    struct skep_sink_slot *slots = calloc(n, sizeof(*slots));
    if (!data || !slots) {
        free(slots);
        return -ENOMEM;
    }
    *q = (struct skep_sink_queue){.bytes = TAKE_PTR(data), .cap = bytes, .slots = slots, .n_slots = n};
    return 0;
}

void skep_sink_queue_clear(struct skep_sink_queue *q)
{
    free(q->bytes);
    free(q->slots);
    *q = (struct skep_sink_queue){0};
}

static size_t slot_at(const struct skep_sink_queue *q, size_t i)
{
    size_t at = q->first + i;
    return at >= q->n_slots ? at - q->n_slots : at;
}

/* Where n adjoining bytes are free; false: nowhere. What is in use runs from the first slot's bytes to the
 * tail, around the end of the memory when the tail is not behind them. */
static bool find_room(const struct skep_sink_queue *q, size_t n, size_t *ret)
{
    if (q->count == q->n_slots)
        return false;
    if (q->count == 0) {
        *ret = 0;
        return n <= q->cap;
    }
    size_t head = q->slots[q->first].at;
    if (q->tail <= head) {
        *ret = q->tail;
        return n <= head - q->tail;
    }
    *ret = n <= q->cap - q->tail ? q->tail : 0;
    return *ret != 0 || n <= head;
}

bool skep_sink_queue_put(struct skep_sink_queue *q, unsigned priority, int64_t utc_s, const void *line,
                         size_t len)
{
    size_t at;
    if (len >= UINT32_MAX || !find_room(q, len + 1, &at))
        return false;
    char *to = q->bytes + at, *end = to + len;
    if (len)
        memcpy(to, line, len);
    for (char *lf = to; (lf = memchr(lf, '\n', (size_t)(end - lf)));)
        *lf++ = ' ';
    *end = '\n';
    q->slots[slot_at(q, q->count)] =
        (struct skep_sink_slot){.at = at, .len = (uint32_t)len + 1, .priority = priority, .utc_s = utc_s};
    q->tail = at + len + 1;
    q->count++;
    return true;
}

size_t skep_sink_queue_peek(const struct skep_sink_queue *q, struct skep_sink_item *ret, size_t max)
{
    size_t n = MIN(q->count, max);
    for (size_t i = 0; i < n; i++) {
        const struct skep_sink_slot *s = &q->slots[slot_at(q, i)];
        ret[i] = (struct skep_sink_item){
            .data = q->bytes + s->at, .len = s->len, .priority = s->priority, .utc_s = s->utc_s};
    }
    return n;
}

/* An empty queue starts over: where the destination keeps up, only the first pages are ever touched. */
void skep_sink_queue_pop(struct skep_sink_queue *q, size_t n)
{
    assert(n <= q->count);
    q->count -= n;
    q->first = q->count ? slot_at(q, n) : 0;
}
