/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/bolt.h"

#define MAGIC 0xED0CDAEDu
#define VERSION 2
#define PAGE_SIZE_MIN 512u
#define PAGE_SIZE_MAX 65536u
#define PAGE_BYTES_MAX (4u << 20) /* of a page and what overflows from it */

enum page_flag { PAGE_BRANCH = 0x01, PAGE_LEAF = 0x02 };
enum leaf_flag { LEAF_BUCKET = 0x01 };

/* The structures of the file, in the byte order of the machine that wrote it. */
struct page_head {
    uint64_t id;
    uint16_t flags;
    uint16_t count;
    uint32_t overflow;
};

struct meta {
    uint32_t magic;
    uint32_t version;
    uint32_t page_size;
    uint32_t flags;
    uint64_t root;
    uint64_t sequence;
    uint64_t freelist;
    uint64_t pages;
    uint64_t txid;
    uint64_t checksum;
};

struct branch_element {
    uint32_t pos; /* from the element itself */
    uint32_t key_len;
    uint64_t page;
};

struct leaf_element {
    uint32_t flags;
    uint32_t pos;
    uint32_t key_len;
    uint32_t value_len;
};

struct bucket_head {
    uint64_t root;
    uint64_t sequence;
};

_Static_assert(sizeof(struct page_head) == 16 && sizeof(struct meta) == 64 &&
                   sizeof(struct branch_element) == 16 && sizeof(struct leaf_element) == 16,
               "as in the file");

/* ---- pages ---- */

struct page {
    char *owned; /* NULL: borrowed */
    const char *s;
    size_t len;
    struct page_head head;
};

static void page_clear(struct page *p)
{
    free(p->owned);
    *p = (struct page){0};
}
#define _cleanup_page_ SKEP_CLEANUP(page_clear)

struct element {
    uint32_t flags; /* of a leaf's */
    uint64_t page;  /* of a branch's */
    const char *key, *value;
    size_t key_len, value_len;
};

static int charge(struct skep_bolt *db, size_t n)
{
    if (n > db->read_left)
        return -EFBIG;
    db->read_left -= n;
    return 0;
}

static int read_at(int fd, char *buf, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t got = pread(fd, buf, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EBADMSG;
        buf += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return 0;
}

static bool is_tree_page(const struct page *p)
{
    size_t element = sizeof(struct leaf_element); /* a branch's has the same size */
    return (p->head.flags == PAGE_BRANCH || p->head.flags == PAGE_LEAF) &&
           p->len >= sizeof(p->head) + p->head.count * element;
}

static int load_page(struct skep_bolt *db, uint64_t id, struct page *ret)
{
    struct page_head head;
    if (id < 2 || id >= db->pages)
        return -EBADMSG;
    int r = read_at(db->fd, (char *)&head, sizeof(head), id * db->page_size);
    if (r < 0)
        return r;
    uint64_t size = ((uint64_t)head.overflow + 1) * db->page_size;
    if (head.id != id || head.overflow >= db->pages - id)
        return -EBADMSG;
    if (size > PAGE_BYTES_MAX)
        return -EFBIG;
    r = charge(db, size);
    if (r < 0)
        return r;
    _cleanup_page_ struct page p = {.owned = malloc(size), .len = size, .head = head};
    if (!p.owned)
        return -ENOMEM;
    p.s = p.owned;
    r = read_at(db->fd, p.owned, size, id * db->page_size);
    if (r < 0)
        return r;
    /* he may have written it between the two reads */
    if (memcmp(p.s, &head, sizeof(head)) != 0 || !is_tree_page(&p))
        return -EBADMSG;
    *ret = TAKE(p, (struct page){0});
    return 0;
}

/* The page that a bucket begins with. */
static int open_page(struct skep_bolt *db, const struct skep_bolt_bucket *bucket, struct page *ret)
{
    if (!bucket->inside || bucket->root)
        return load_page(db, bucket->inside ? bucket->root : db->root, ret);
    struct page p = {.s = bucket->page, .len = bucket->page_len};
    if (p.len < sizeof(p.head))
        return -EBADMSG;
    memcpy(&p.head, p.s, sizeof(p.head));
    if (p.head.flags != PAGE_LEAF || !is_tree_page(&p))
        return -EBADMSG;
    *ret = p;
    return 0;
}

static int element_at(const struct page *p, size_t i, struct element *ret)
{
    size_t at = sizeof(p->head) + i * sizeof(struct leaf_element);
    uint64_t pos;
    struct element e = {0};
    if (p->head.flags == PAGE_BRANCH) {
        struct branch_element b;
        memcpy(&b, p->s + at, sizeof(b));
        pos = b.pos;
        e.key_len = b.key_len;
        e.page = b.page;
    } else {
        struct leaf_element l;
        memcpy(&l, p->s + at, sizeof(l));
        pos = l.pos;
        e.key_len = l.key_len;
        e.value_len = l.value_len;
        e.flags = l.flags;
    }
    if (at + pos + e.key_len + e.value_len > p->len)
        return -EBADMSG;
    e.key = p->s + at + pos;
    e.value = e.key + e.key_len;
    *ret = e;
    return 0;
}

static int compare(const struct element *e, const char *key, size_t key_len)
{
    int c = memcmp(e->key, key, MIN(e->key_len, key_len));
    return c ? c : (e->key_len > key_len) - (e->key_len < key_len);
}

/* How many elements have keys up to and with this one; e: the last of them. */
static int search_page(const struct page *p, const char *key, size_t key_len, size_t *ret, struct element *e)
{
    size_t low = 0, high = p->head.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct element m;
        int r = element_at(p, middle, &m);
        if (r < 0)
            return r;
        if (compare(&m, key, key_len) <= 0) {
            low = middle + 1;
            *e = m;
        } else {
            high = middle;
        }
    }
    *ret = low;
    return 0;
}

/* The leaf element of that key, and the page that it is in. */
static int find(struct skep_bolt *db, const struct skep_bolt_bucket *bucket, const char *key,
                struct page *ret_page, struct element *ret)
{
    size_t key_len = strlen(key), n;
    _cleanup_page_ struct page p = {0};
    int r = open_page(db, bucket, &p);
    for (int depth = 0; r >= 0; depth++) {
        struct element e = {0};
        r = search_page(&p, key, key_len, &n, &e);
        if (r < 0)
            break;
        if (p.head.flags == PAGE_LEAF) {
            if (n == 0 || compare(&e, key, key_len) != 0)
                return -ENOENT;
            *ret = e;
            *ret_page = TAKE(p, (struct page){0});
            return 0;
        }
        if (n == 0)
            return -ENOENT;
        if (depth == SKEP_BOLT_DEPTH_MAX)
            return -EBADMSG;
        uint64_t next = e.page;
        page_clear(&p);
        r = load_page(db, next, &p);
    }
    return r;
}

/* ---- the file ---- */

static uint64_t fnv64a(const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)s[i]) * 0x100000001b3ULL;
    return h;
}

static bool read_meta(int fd, uint64_t at, struct meta *ret)
{
    struct meta m;
    if (read_at(fd, (char *)&m, sizeof(m), at + sizeof(struct page_head)) < 0 || m.magic != MAGIC ||
        m.version != VERSION || m.page_size < PAGE_SIZE_MIN || m.page_size > PAGE_SIZE_MAX ||
        (m.page_size & (m.page_size - 1)) || m.pages > INT64_MAX / PAGE_SIZE_MAX ||
        m.checksum != fnv64a((const char *)&m, offsetof(struct meta, checksum)))
        return false;
    *ret = m;
    return true;
}

/* The newer of the two that is whole. The first may be just being written: then the second is looked for wherever pages
 * of some size may end. */
static int newest_meta(int fd, struct meta *ret)
{
    struct meta a, b;
    if (read_meta(fd, 0, &a)) {
        *ret = read_meta(fd, a.page_size, &b) && b.page_size == a.page_size && b.txid > a.txid ? b : a;
        return 0;
    }
    for (uint32_t size = PAGE_SIZE_MIN; size <= PAGE_SIZE_MAX; size *= 2)
        if (read_meta(fd, size, &b) && b.page_size == size) {
            *ret = b;
            return 0;
        }
    return -EBADMSG;
}

int skep_bolt_init(struct skep_bolt *db, int fd)
{
    struct meta m;
    int r = newest_meta(fd, &m);
    if (r < 0)
        return r;
    *db = (struct skep_bolt){
        .fd = fd,
        .page_size = m.page_size,
        .root = m.root,
        .pages = m.pages,
        .txid = m.txid,
        .read_left = SKEP_BOLT_READ_MAX,
    };
    return 0;
}

int skep_bolt_settled(const struct skep_bolt *db)
{
    struct meta m;
    int r = newest_meta(db->fd, &m);
    return r >= 0 && m.txid == db->txid ? 0 : -EAGAIN;
}

/* ---- buckets ---- */

void skep_bolt_bucket_clear(struct skep_bolt_bucket *bucket)
{
    free(bucket->page);
    *bucket = (struct skep_bolt_bucket){0};
}

static int copy_page(const char *s, size_t n, struct skep_bolt_bucket *ret)
{
    ret->page = malloc(n + 1);
    if (!ret->page)
        return -ENOMEM;
    memcpy(ret->page, s, n);
    ret->page_len = n;
    return 0;
}

int skep_bolt_bucket_copy(const struct skep_bolt_bucket *bucket, struct skep_bolt_bucket *ret)
{
    struct skep_bolt_bucket copy = {.inside = bucket->inside, .root = bucket->root};
    int r = bucket->page ? copy_page(bucket->page, bucket->page_len, &copy) : 0;
    if (r >= 0)
        *ret = copy;
    return r;
}

int skep_bolt_enter(struct skep_bolt *db, struct skep_bolt_bucket *bucket, const char *name)
{
    _cleanup_page_ struct page p = {0};
    struct element e;
    struct bucket_head head;
    int r = find(db, bucket, name, &p, &e);
    if (r < 0)
        return r;
    if (!(e.flags & LEAF_BUCKET))
        return -ENOTDIR;
    if (e.value_len < sizeof(head))
        return -EBADMSG;
    memcpy(&head, e.value, sizeof(head));
    struct skep_bolt_bucket inner = {.inside = true, .root = head.root};
    if (!head.root) {
        r = copy_page(e.value + sizeof(head), e.value_len - sizeof(head), &inner);
        if (r < 0)
            return r;
    }
    skep_bolt_bucket_clear(bucket);
    *bucket = inner;
    return 0;
}

int skep_bolt_get(struct skep_bolt *db, const struct skep_bolt_bucket *bucket, const char *key,
                  struct skep_bytes *ret)
{
    _cleanup_page_ struct page p = {0};
    struct element e;
    int r = find(db, bucket, key, &p, &e);
    if (r < 0)
        return r;
    if (e.flags & LEAF_BUCKET)
        return -ENOENT;
    if (e.value_len > SKEP_BOLT_VALUE_MAX)
        return -EFBIG;
    char *s = malloc(e.value_len + 1);
    if (!s)
        return -ENOMEM;
    memcpy(s, e.value, e.value_len);
    s[e.value_len] = '\0';
    *ret = (struct skep_bytes){s, e.value_len};
    return 0;
}

struct walk {
    struct skep_bolt *db;
    skep_bolt_each_fn each;
    void *arg;
};

static int walk_page(struct walk *w, const struct page *p, int depth)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->head.count; i++) {
        struct element e;
        r = element_at(p, i, &e);
        if (r < 0)
            break;
        if (p->head.flags == PAGE_LEAF) {
            if (e.flags & LEAF_BUCKET)
                continue;
            /* a hostile page may hold the same bytes many times over */
            r = charge(w->db, e.key_len + e.value_len);
            if (r >= 0)
                r = w->each(w->arg, e.key, e.key_len, e.value, e.value_len);
            continue;
        }
        _cleanup_page_ struct page below = {0};
        r = depth < SKEP_BOLT_DEPTH_MAX ? load_page(w->db, e.page, &below) : -EBADMSG;
        if (r >= 0)
            r = walk_page(w, &below, depth + 1);
    }
    return r;
}

int skep_bolt_each(struct skep_bolt *db, const struct skep_bolt_bucket *bucket, skep_bolt_each_fn each,
                   void *arg)
{
    struct walk w = {db, each, arg};
    _cleanup_page_ struct page p = {0};
    int r = open_page(db, bucket, &p);
    return r < 0 ? r : walk_page(&w, &p, 0);
}
