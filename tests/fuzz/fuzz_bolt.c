/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of Bolt databases: a file of small pages whose meta page is made right, so that the rest is reached; walked and
 * looked up. */
#include <assert.h>
#include <sys/mman.h>

#include "event/runtime/bolt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGE 512u
#define META 16 /* offset of a meta in its page */

static void make_meta(char *page, uint64_t pages)
{
    struct {
        uint32_t magic, version, page_size, flags;
        uint64_t root, sequence, freelist, pages, txid, checksum;
    } m = {0xED0CDAEDu, 2, PAGE, 0, 2, 0, 0, pages, 1, 0};
    uint64_t h = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < offsetof(__typeof__(m), checksum); i++)
        h = (h ^ ((const uint8_t *)&m)[i]) * 0x100000001b3ULL;
    m.checksum = h;
    memcpy(page + META, &m, sizeof(m));
}

static int see(void *arg, const char *key, size_t key_len, const char *value, size_t value_len)
{
    uint64_t *sum = arg;
    for (size_t i = 0; i < key_len; i++)
        *sum += (uint8_t)key[i];
    for (size_t i = 0; i < value_len; i++)
        *sum += (uint8_t)value[i];
    return 0;
}

static void explore(struct skep_bolt *db, const struct skep_bolt_bucket *b, int depth)
{
    static const char *const keys[] = {"", "a", "b", "ctr", "config"};
    uint64_t sum = 0;
    skep_bolt_each(db, b, see, &sum);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct skep_bytes value;
        if (skep_bolt_get(db, b, keys[i], &value) >= 0) {
            assert(value.len <= SKEP_BOLT_VALUE_MAX && value.s[value.len] == '\0');
            free(value.s);
        }
        _cleanup_bolt_bucket_ struct skep_bolt_bucket inner = {0};
        if (depth && skep_bolt_bucket_copy(b, &inner) >= 0 && skep_bolt_enter(db, &inner, keys[i]) >= 0)
            explore(db, &inner, depth - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char head[2 * PAGE] = {0};
    if (fd < 0)
        fd = memfd_create("bolt", MFD_CLOEXEC);
    if (size > 64 * PAGE)
        return 0;
    /* the first byte: whether the metas are those of the input */
    bool own = size && data[0] & 1;
    make_meta(head, 2 + (size + PAGE - 1) / PAGE);
    size_t n = size ? size - 1 : 0;
    if (ftruncate(fd, 0) < 0 || pwrite(fd, head, sizeof(head), 0) != sizeof(head) ||
        pwrite(fd, data + (size - n), n, own ? META : 2 * PAGE) != (ssize_t)n ||
        ftruncate(fd, (off_t)(2 * PAGE + (size + PAGE - 1) / PAGE * PAGE)) < 0)
        abort();
    struct skep_bolt db;
    if (skep_bolt_init(&db, fd) < 0)
        return 0;
    db.read_left = MIN(db.read_left, (size_t)1 << 18);
    struct skep_bolt_bucket top = {0};
    explore(&db, &top, 2);
    assert(skep_bolt_settled(&db) == 0);
    return 0;
}
