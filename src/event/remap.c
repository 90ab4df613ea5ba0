/* SPDX-License-Identifier: Apache-2.0 */
#include "event/remap.h"

#include "abi/event.h"

struct move {
    enum skep_member_type from, to; /* both numbers, or the same */
    uint32_t src, src_size;
    uint32_t dst, dst_size;
};

struct skep_remap {
    bool same;
    uint16_t kind;
    uint32_t src_size;
    uint32_t dst_size;
    size_t n_moves;
    struct move moves[];
};

static bool is_number(enum skep_member_type type)
{
    return type == SKEP_MEMBER_UINT || type == SKEP_MEMBER_SINT;
}

static void add_moves(struct skep_remap *m, const struct skep_layout *from, const struct skep_layout *to)
{
    for (size_t i = 0; i < to->n_members; i++) {
        const struct skep_member *d = &to->members[i], *s = skep_layout_find(from, d->name);
        if (s && (s->type == d->type || (is_number(s->type) && is_number(d->type))))
            m->moves[m->n_moves++] = (struct move){s->type, d->type, s->off, s->size, d->off, d->size};
    }
}

int skep_remap_new(const struct skep_layout *from_header, const struct skep_layout *from,
                   const struct skep_layout *to_header, const struct skep_layout *to, struct skep_remap **ret)
{
    size_t max = to_header->n_members + to->n_members;
    struct skep_remap *m = calloc(1, sizeof(*m) + max * sizeof(m->moves[0]));
    if (!m)
        return -ENOMEM;
    m->same = skep_layout_equal(from_header, to_header) && skep_layout_equal(from, to);
    m->kind = to->number;
    m->src_size = from->size;
    m->dst_size = to->size;
    add_moves(m, from_header, to_header);
    add_moves(m, from, to);
    *ret = m;
    return 0;
}

struct skep_remap *skep_remap_free(struct skep_remap *m)
{
    free(m);
    return NULL;
}

bool skep_remap_is_same(const struct skep_remap *m)
{
    return m->same;
}

size_t skep_remap_bound(const struct skep_remap *m, size_t n)
{
    return ROUND_UP(m->dst_size + n, 8);
}

static uint64_t load(const char *s, uint32_t size, bool is_signed)
{
    uint64_t v = 0;
    memcpy(&v, s, size);
    unsigned unused = 64 - 8 * size;
    return is_signed ? (uint64_t)((int64_t)(v << unused) >> unused) : v;
}

static void move_number(const struct move *w, const char *src, char *dst)
{
    bool negative_ok = w->to == SKEP_MEMBER_SINT, was_signed = w->from == SKEP_MEMBER_SINT;
    uint64_t v = load(src + w->src, w->src_size, was_signed);
    /* of equal size the bits are taken over: -1 is how unsigned members say that they are not set */
    if (w->dst_size != w->src_size) {
        bool negative = was_signed && (int64_t)v < 0;
        uint64_t max = UINT64_MAX >> (64 - 8 * w->dst_size + (negative_ok ? 1 : 0));
        if (negative && negative_ok && (int64_t)v < -(int64_t)max - 1)
            v = ~max;
        else if (!negative && v > max)
            v = max;
    }
    memcpy(dst + w->dst, &v, w->dst_size);
}

static int move_slice(const struct skep_remap *m, const struct move *w, const char *src, size_t n, char *dst)
{
    struct skep_slice s;
    memcpy(&s, src + w->src, sizeof(s));
    if (s.off == 0)
        return s.len == 0 ? 0 : -EBADMSG;
    if (s.off < m->src_size || s.off > n || s.len > n - s.off)
        return -EBADMSG;
    s.off = s.off - m->src_size + m->dst_size;
    memcpy(dst + w->dst, &s, sizeof(s));
    return 0;
}

int skep_remap_apply(const struct skep_remap *m, const void *record, size_t n, void *out)
{
    const char *src = record;
    char *dst = out;
    if (n < m->src_size || n > UINT32_MAX / 2)
        return -EBADMSG;
    size_t rest = n - m->src_size, len = ROUND_UP(m->dst_size + rest, 8);
    memset(dst, 0, m->dst_size);
    for (size_t i = 0; i < m->n_moves; i++) {
        const struct move *w = &m->moves[i];
        int r = 0;
        if (is_number(w->to))
            move_number(w, src, dst);
        else if (w->to == SKEP_MEMBER_BYTES)
            memcpy(dst + w->dst, src + w->src, MIN(w->src_size, w->dst_size));
        else
            r = move_slice(m, w, src, n, dst);
        if (r < 0)
            return r;
    }
    memcpy(dst + m->dst_size, src + m->src_size, rest);
    memset(dst + m->dst_size + rest, 0, len - m->dst_size - rest);
    struct skep_hdr *h = out;
    h->len = (uint32_t)len;
    h->kind = m->kind;
    return 0;
}
