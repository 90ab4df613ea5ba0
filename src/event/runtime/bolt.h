/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_EVENT_RUNTIME_BOLT_H
#define SKEP_EVENT_RUNTIME_BOLT_H
/*
 * Reads a Bolt database (go.etcd.io/bbolt, format version 2) in which podman and containerd keep what they know of
 * containers. A database is a tree of buckets; a bucket maps keys to values or to further buckets, in B+ trees of pages,
 * or, while it is small, in a page inside of its parent's value.
 *
 * The owner writes while we read, and is not asked: taking his lock could make him wait. It is not needed either. He
 * never changes a page of the tree that is in force; transaction N + 1 writes other pages and then one of two meta pages,
 * with its number. The pages of tree N that it gave up are written to by N + 2 at the earliest, which begins after
 * the number N + 1 is in the file. So what was read of tree N is whole when the number is still N afterwards,
 * which skep_bolt_settled() tells; else the look-up is to be done again.
 *
 * The bytes are those of whoever owns the file: every offset is checked, a look-up goes at most
 * SKEP_BOLT_DEPTH_MAX pages deep, a value has at most SKEP_BOLT_VALUE_MAX bytes, and all look-ups through one reader together
 * read at most SKEP_BOLT_READ_MAX.
 *
 *     struct skep_bolt db;
 *     _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
 *     r = skep_bolt_init(&db, fd);                        the descriptor stays the caller's
 *     r = skep_bolt_enter(&db, &b, "ctr");                0, -ENOENT, -EBADMSG, -EFBIG, -ENOMEM, ...
 *     r = skep_bolt_enter(&db, &b, id);                   a bucket in it; b is that now
 *     r = skep_bolt_get(&db, &b, "config", &value);       copied; to be freed
 *     r = skep_bolt_settled(&db);                         -EAGAIN: forget what was read
 */
#include "event/proc.h"

#define SKEP_BOLT_DEPTH_MAX 32
#define SKEP_BOLT_VALUE_MAX (1u << 20)
#define SKEP_BOLT_READ_MAX (16u << 20)

struct skep_bolt {
    int fd;
    uint32_t page_size;
    uint64_t root;    /* page of the topmost bucket */
    uint64_t pages;   /* below this are pages */
    uint64_t txid;    /* of the tree that is read */
    size_t read_left; /* bytes that may still be read */
};

/* Zeroed: the topmost bucket. */
struct skep_bolt_bucket {
    bool inside;   /* of another bucket */
    uint64_t root; /* 0: it is in page */
    char *page;    /* copied */
    size_t page_len;
};

/* -EBADMSG: no database of this kind, or a damaged one. */
int skep_bolt_init(struct skep_bolt *db, int fd);
int skep_bolt_settled(const struct skep_bolt *db);
/* bucket becomes the bucket of that name in it, and stays as it is on failure. -ENOENT; -ENOTDIR: it is a value. */
int skep_bolt_enter(struct skep_bolt *db, struct skep_bolt_bucket *bucket, const char *name);
/* A NUL follows the value, which is not in its length. */
int skep_bolt_get(struct skep_bolt *db, const struct skep_bolt_bucket *bucket, const char *key,
                  struct skep_bytes *ret);
/* Calls each with every value in the bucket, in the order of the keys (buckets are left out), until it gives something
 * else than 0, which is returned. key and value are not ended by a NUL, and valid during the call. */
typedef int (*skep_bolt_each_fn)(void *arg, const char *key, size_t key_len, const char *value,
                                 size_t value_len);
int skep_bolt_each(struct skep_bolt *db, const struct skep_bolt_bucket *bucket, skep_bolt_each_fn each,
                   void *arg);
int skep_bolt_bucket_copy(const struct skep_bolt_bucket *bucket, struct skep_bolt_bucket *ret);
void skep_bolt_bucket_clear(struct skep_bolt_bucket *bucket);
#define _cleanup_bolt_bucket_ SKEP_CLEANUP(skep_bolt_bucket_clear)
#endif
