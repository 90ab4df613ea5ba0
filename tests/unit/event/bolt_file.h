/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_BOLT_FILE_H
#define SKEP_TEST_BOLT_FILE_H
/*
 * For tests: Bolt databases put together by hand, from a tree of keys with values and buckets. Small buckets may stand in
 * their parent's page; with few elements in a page, trees become deep.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOLT_PAGE 4096u
#define BOLT_PAGES_MAX 4096

struct bolt_node {
    const char *key;
    const char *value; /* NULL: a bucket */
    const struct bolt_node *below;
    size_t n; /* nodes below; of a value: its bytes, 0: up to its NUL */
};

#define BOLT_VALUE(key, text)                                                                                \
    {                                                                                                        \
        key, text, NULL, 0                                                                                   \
    }
#define BOLT_BUCKET(key, nodes)                                                                              \
    {                                                                                                        \
        key, NULL, nodes, sizeof(nodes) / sizeof((nodes)[0])                                                 \
    }

struct bolt_file {
    char *s;
    size_t pages;
    size_t per_page; /* elements of a page at most */
    size_t
        inside_max; /* buckets with so many nodes at most stand in their parent's page, if they have values only */
};

static inline void bolt_put(char *s, size_t at, uint64_t v, size_t n)
{
    memcpy(s + at, &v, n); /* little endian, as the reader */
}

static inline int bolt_compare(const void *a, const void *b)
{
    return strcmp(((const struct bolt_node *)a)->key, ((const struct bolt_node *)b)->key);
}

struct bolt_blob {
    char *s;
    size_t n;
};

static inline uint64_t bolt_write_bucket(struct bolt_file *f, const struct bolt_node *nodes, size_t n);

static inline struct bolt_blob bolt_blob_new(size_t n)
{
    struct bolt_blob b = {calloc(1, n ? n : 1), n};
    assert(b.s);
    return b;
}

static inline struct bolt_blob bolt_leaf(struct bolt_file *f, const struct bolt_node *nodes, size_t n);

static inline struct bolt_node *bolt_sorted(const struct bolt_node *nodes, size_t n)
{
    struct bolt_node *sorted = calloc(n + 1, sizeof(*sorted));
    assert(sorted);
    if (n) {
        memcpy(sorted, nodes, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), bolt_compare);
    }
    return sorted;
}

/* What stands behind a key, and whether that is a bucket. */
static inline struct bolt_blob bolt_value(struct bolt_file *f, const struct bolt_node *node,
                                          uint32_t *ret_flags)
{
    *ret_flags = !node->value;
    if (node->value) {
        struct bolt_blob b = bolt_blob_new(node->n ? node->n : strlen(node->value));
        memcpy(b.s, node->value, b.n);
        return b;
    }
    bool inside = node->n <= f->inside_max;
    for (size_t i = 0; i < node->n; i++)
        inside &= node->below[i].value != NULL;
    struct bolt_blob leaf = {0};
    if (inside) {
        struct bolt_node *sorted = bolt_sorted(node->below, node->n);
        leaf = bolt_leaf(f, sorted, node->n);
        free(sorted);
    }
    struct bolt_blob b = bolt_blob_new(16 + leaf.n);
    if (inside)
        memcpy(b.s + 16, leaf.s, leaf.n);
    else
        bolt_put(b.s, 0, bolt_write_bucket(f, node->below, node->n), 8);
    free(leaf.s);
    return b;
}

/* The image of a leaf page; nodes are sorted. */
static inline struct bolt_blob bolt_leaf(struct bolt_file *f, const struct bolt_node *nodes, size_t n)
{
    struct bolt_blob page = bolt_blob_new(16 + 16 * n);
    bolt_put(page.s, 8, 2, 2);
    bolt_put(page.s, 10, n, 2);
    for (size_t i = 0; i < n; i++) {
        uint32_t flags;
        struct bolt_blob value = bolt_value(f, &nodes[i], &flags);
        size_t key_len = strlen(nodes[i].key), at = 16 + 16 * i;
        page.s = realloc(page.s, page.n + key_len + value.n);
        assert(page.s);
        bolt_put(page.s, at, flags, 4);
        bolt_put(page.s, at + 4, page.n - at, 4);
        bolt_put(page.s, at + 8, key_len, 4);
        bolt_put(page.s, at + 12, value.n, 4);
        memcpy(page.s + page.n, nodes[i].key, key_len);
        if (value.n)
            memcpy(page.s + page.n + key_len, value.s, value.n);
        page.n += key_len + value.n;
        free(value.s);
    }
    return page;
}

static inline struct bolt_blob bolt_branch(const struct bolt_node *const *first, const uint64_t *below,
                                           size_t n)
{
    struct bolt_blob page = bolt_blob_new(16 + 16 * n);
    bolt_put(page.s, 8, 1, 2);
    bolt_put(page.s, 10, n, 2);
    for (size_t i = 0; i < n; i++) {
        size_t key_len = strlen(first[i]->key), at = 16 + 16 * i;
        page.s = realloc(page.s, page.n + key_len);
        assert(page.s);
        bolt_put(page.s, at, page.n - at, 4);
        bolt_put(page.s, at + 4, key_len, 4);
        bolt_put(page.s, at + 8, below[i], 8);
        memcpy(page.s + page.n, first[i]->key, key_len);
        page.n += key_len;
    }
    return page;
}

/* Gives the page a number and writes it, with the pages that it overflows into. */
static inline uint64_t bolt_write_page(struct bolt_file *f, struct bolt_blob page)
{
    uint64_t id = f->pages;
    size_t n = (page.n + BOLT_PAGE - 1) / BOLT_PAGE;
    assert(f->pages + n <= BOLT_PAGES_MAX);
    bolt_put(page.s, 0, id, 8);
    bolt_put(page.s, 12, n - 1, 4);
    memcpy(f->s + id * BOLT_PAGE, page.s, page.n);
    f->pages += n;
    free(page.s);
    return id;
}

static inline uint64_t bolt_write_bucket(struct bolt_file *f, const struct bolt_node *nodes, size_t n)
{
    struct bolt_node *sorted = bolt_sorted(nodes, n);
    const struct bolt_node **first = calloc(n + 1, sizeof(*first));
    uint64_t *below = calloc(n + 1, sizeof(*below));
    assert(first && below && f->per_page > 1);
    size_t pages = 0;
    for (size_t i = 0; i < n || pages == 0; i += f->per_page) {
        size_t here = n - i < f->per_page ? n - i : f->per_page;
        first[pages] = &sorted[i];
        below[pages++] = bolt_write_page(f, bolt_leaf(f, sorted + i, here));
    }
    while (pages > 1) {
        size_t up = 0;
        for (size_t i = 0; i < pages; i += f->per_page) {
            size_t here = pages - i < f->per_page ? pages - i : f->per_page;
            below[up] = bolt_write_page(f, bolt_branch(first + i, below + i, here));
            first[up++] = first[i];
        }
        pages = up;
    }
    uint64_t root = below[0];
    free(sorted);
    free(first);
    free(below);
    return root;
}

/* One of the two meta pages. */
static inline void bolt_write_meta(struct bolt_file *f, int which, uint64_t root, uint64_t txid)
{
    char *meta = f->s + (size_t)which * BOLT_PAGE + 16;
    bolt_put(meta - 16, 0, (uint64_t)which, 8);
    bolt_put(meta - 16, 8, 4, 2);
    bolt_put(meta, 0, 0xED0CDAED, 4);
    bolt_put(meta, 4, 2, 4);
    bolt_put(meta, 8, BOLT_PAGE, 4);
    bolt_put(meta, 16, root, 8);
    bolt_put(meta, 32, UINT64_MAX, 8);
    bolt_put(meta, 40, f->pages, 8);
    bolt_put(meta, 48, txid, 8);
    uint64_t h = 0xcbf29ce484222325ULL;
    for (int i = 0; i < 56; i++)
        h = (h ^ (uint8_t)meta[i]) * 0x100000001b3ULL;
    bolt_put(meta, 56, h, 8);
}

/* f: per_page and inside_max set. Clear with free(f->s). */
static inline void bolt_make(struct bolt_file *f, const struct bolt_node *nodes, size_t n)
{
    f->s = calloc(BOLT_PAGES_MAX, BOLT_PAGE);
    assert(f->s);
    f->pages = 3; /* two metas and the list of free pages, which readers do without */
    uint64_t root = bolt_write_bucket(f, nodes, n);
    bolt_write_meta(f, 0, root, 6);
    bolt_write_meta(f, 1, root, 7);
}
#endif
