/* SPDX-License-Identifier: Apache-2.0 */
#include "export/sort.h"

#include "base/array.h"

struct row {
    struct skep_value key; /* its bytes stand in memory, behind the line */
    bool there;
    size_t order;
    size_t n;
    char *memory;
};

struct skep_sort {
    bool descending;
    struct skep_item items[SKEP_KIND_MAX];
    struct row *rows;
    size_t n, cap;
    uint64_t bytes;
};

static int bad_field(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *by, size_t len,
                     struct skep_diags *d)
{
    skep_diags_add(d, by, 0, len, "unknown-field", "there is no field `%.*s`", (int)MIN(len, (size_t)64), by);
    const char *nearest = skep_field_nearest(s, kinds, by, len);
    if (nearest)
        skep_diags_hint(d, "did you mean `%s`?", nearest);
    return -EINVAL;
}

int skep_sort_new(const struct skep_schema *s, const bool kinds[SKEP_KIND_MAX], const char *by,
                  struct skep_diags *d, struct skep_sort **ret)
{
    SKEP_CLEANUP(skep_sort_freep) struct skep_sort *sort = calloc(1, sizeof(*sort));
    if (!sort)
        return -ENOMEM;
    size_t len = strcspn(by, ",");
    const char *direction = by + len;
    sort->descending = skep_streq(direction, ",desc");
    if (*direction && !sort->descending && !skep_streq(direction, ",asc")) {
        skep_diags_add(d, by, len + 1, strlen(direction) - 1, "syntax", "expected asc or desc");
        return -EINVAL;
    }
    bool found = false;
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(s, k);
        if (kind && (!kinds || kinds[k]))
            found |= skep_item_find(s, kind, by, len, &sort->items[k]);
    }
    if (!found)
        return bad_field(s, kinds, by, len, d);
    *ret = TAKE_PTR(sort);
    return 0;
}

struct skep_sort *skep_sort_free(struct skep_sort *s)
{
    if (!s)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        free(s->rows[i].memory);
    free(s->rows);
    free(s);
    return NULL;
}

int skep_sort_add(struct skep_sort *s, const struct skep_event *ev, const char *line, size_t n)
{
    struct row row = {.order = s->n, .n = n};
    const struct skep_field *f = s->items[ev->kind->number].field;
    row.there = f && skep_field_get(f, ev, &row.key);
    bool borrowed = row.there && row.key.class != SKEP_CLASS_INT && row.key.class != SKEP_CLASS_UINT;
    size_t key_n = borrowed ? row.key.n : 0;
    if (s->bytes + n + key_n + sizeof(row) > SKEP_SORT_BYTES_MAX)
        return -E2BIG;
    if (SKEP_ARRAY_RESERVE(s->rows, s->n, 1, s->cap) < 0)
        return -ENOMEM;
    row.memory = malloc(n + key_n + 1);
    if (!row.memory)
        return -ENOMEM;
    if (n)
        memcpy(row.memory, line, n);
    if (borrowed) {
        if (key_n)
            memcpy(row.memory + n, row.key.s, key_n);
        row.key.s = row.memory + n;
    }
    s->bytes += n + key_n + sizeof(row);
    s->rows[s->n++] = row;
    return 0;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct row *ra = a, *rb = b;
    const struct skep_sort *s = context;
    int d = 0;
    if (ra->there != rb->there)
        return ra->there ? -1 : 1;
    /* one name may stand for a number in one kind and for text in another */
    if (ra->there && ra->key.class != rb->key.class)
        d = ra->key.class < rb->key.class ? -1 : 1;
    else if (ra->there)
        d = skep_value_cmp(&ra->key, &rb->key);
    if (d)
        return s->descending ? -d : d;
    return ra->order < rb->order ? -1 : ra->order > rb->order;
}

void skep_sort_finish(struct skep_sort *s)
{
    if (s->n)
        qsort_r(s->rows, s->n, sizeof(*s->rows), compare, s);
}

const char *skep_sort_next(const struct skep_sort *s, size_t *at, size_t *ret_n)
{
    if (*at >= s->n)
        return NULL;
    const struct row *row = &s->rows[(*at)++];
    *ret_n = row->n;
    return row->memory;
}
