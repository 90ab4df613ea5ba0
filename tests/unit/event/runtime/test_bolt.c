/* SPDX-License-Identifier: Apache-2.0 */
#include "event/runtime/bolt.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../bolt_file.h"

static int file_fd(const struct bolt_file *f)
{
    int fd = memfd_create("bolt", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, f->s, f->pages * BOLT_PAGE, 0), f->pages * BOLT_PAGE);
    return fd;
}

static void check_value(struct skep_bolt *db, const struct skep_bolt_bucket *b, const char *key,
                        const char *want)
{
    struct skep_bytes value;
    if (skep_bolt_get(db, b, key, &value) < 0)
        fail_msg("%s is not there", key);
    _cleanup_free_ char *s = value.s;
    assert_string_equal(s, want);
    assert_int_equal(value.len, strlen(want));
}

#define MANY 700
static const struct bolt_node small[] = {BOLT_VALUE("x", "1"), BOLT_VALUE("y", ""), BOLT_VALUE("xx", "22")};
static struct bolt_node many[MANY];
static char names[MANY][16];
static char big[20000];
static struct bolt_node top[] = {
    BOLT_BUCKET("small", small), BOLT_BUCKET("many", many), {"big", big, NULL, 0}};

static int group_setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "key%zu", i * 37 % MANY);
        many[i] = (struct bolt_node){names[i], names[i] + 3, NULL, 0};
    }
    memset(big, 'b', sizeof(big) - 1);
    return 0;
}

/* Every way that a tree may be cut into pages. */
static void trees(void **state)
{
    (void)state;
    static const struct {
        size_t per_page, inside_max;
    } shapes[] = {{1000, 0}, {1000, 10}, {2, 0}, {2, 1000}, {7, 10}, {1000, 1000}};
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        struct bolt_file f = {.per_page = shapes[i].per_page, .inside_max = shapes[i].inside_max};
        bolt_make(&f, top, ARRAY_SIZE(top));
        _cleanup_close_ int fd = file_fd(&f);
        struct skep_bolt db;
        _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0};
        assert_int_equal(skep_bolt_init(&db, fd), 0);
        db.read_left = SIZE_MAX;
        check_value(&db, &b, "big", big);
        assert_int_equal(skep_bolt_enter(&db, &b, "none"), -ENOENT);
        assert_int_equal(skep_bolt_enter(&db, &b, "big"), -ENOTDIR);
        struct skep_bytes value;
        assert_int_equal(skep_bolt_get(&db, &b, "small", &value), -ENOENT);
        assert_int_equal(skep_bolt_get(&db, &b, "", &value), -ENOENT);
        assert_int_equal(skep_bolt_get(&db, &b, "zzz", &value), -ENOENT);
        assert_int_equal(skep_bolt_enter(&db, &b, "many"), 0);
        for (size_t j = 0; j < MANY; j++)
            check_value(&db, &b, names[j], names[j] + 3);
        assert_int_equal(skep_bolt_get(&db, &b, "key", &value), -ENOENT);
        skep_bolt_bucket_clear(&b);
        assert_int_equal(skep_bolt_enter(&db, &b, "small"), 0);
        check_value(&db, &b, "x", "1");
        check_value(&db, &b, "xx", "22");
        check_value(&db, &b, "y", "");
        assert_int_equal(skep_bolt_settled(&db), 0);
        free(f.s);
    }
}

struct seen {
    size_t n;
    size_t stop_after;
    char last[16];
};

static int see(void *arg, const char *key, size_t key_len, const char *value, size_t value_len)
{
    struct seen *s = arg;
    char text[16];
    assert_true(key_len < sizeof(text) && value_len <= key_len);
    snprintf(text, sizeof(text), "%.*s", (int)key_len, key);
    assert_memory_equal(text + 3, value, value_len);
    assert_true(s->n == 0 || strcmp(s->last, text) < 0);
    strcpy(s->last, text);
    return ++s->n == s->stop_after ? 9 : 0;
}

static void walks(void **state)
{
    (void)state;
    struct bolt_file f = {.per_page = 9, .inside_max = 10};
    bolt_make(&f, top, ARRAY_SIZE(top));
    _cleanup_close_ int fd = file_fd(&f);
    struct skep_bolt db;
    _cleanup_bolt_bucket_ struct skep_bolt_bucket b = {0}, copy = {0};
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    assert_int_equal(skep_bolt_enter(&db, &b, "many"), 0);
    assert_int_equal(skep_bolt_bucket_copy(&b, &copy), 0);
    struct seen all = {0}, some = {.stop_after = 5};
    assert_int_equal(skep_bolt_each(&db, &b, see, &all), 0);
    assert_int_equal(all.n, MANY);
    assert_int_equal(skep_bolt_each(&db, &copy, see, &some), 9);
    assert_int_equal(some.n, 5);
    free(f.s);
}

/* The newer of two meta pages counts, the older one while the newer is being written; and what changes meanwhile is
 * noticed. */
static void transactions(void **state)
{
    (void)state;
    struct bolt_file f = {.per_page = 100};
    bolt_make(&f, top, ARRAY_SIZE(top));
    static const struct bolt_node other[] = {BOLT_VALUE("only", "this")};
    uint64_t root = bolt_write_bucket(&f, other, 1);
    _cleanup_close_ int fd = file_fd(&f);
    struct skep_bolt db;
    struct skep_bolt_bucket b = {0};
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    assert_int_equal(db.txid, 7);
    bolt_write_meta(&f, 0, root, 8);
    assert_int_equal(pwrite(fd, f.s, BOLT_PAGE, 0), BOLT_PAGE);
    assert_int_equal(skep_bolt_settled(&db), -EAGAIN);
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    check_value(&db, &b, "only", "this");
    assert_int_equal(skep_bolt_settled(&db), 0);

    assert_int_equal(pwrite(fd, "torn", 4, 16 + 40), 4); /* in the first meta */
    assert_int_equal(skep_bolt_settled(&db), -EAGAIN);
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    check_value(&db, &b, "big", big);
    assert_int_equal(pwrite(fd, "torn", 4, BOLT_PAGE + 16 + 40), 4);
    assert_int_equal(skep_bolt_init(&db, fd), -EBADMSG);
    assert_int_equal(skep_bolt_settled(&db), -EAGAIN);
    free(f.s);
}

/* A tree that goes round and round, pages that claim to be huge, a file that ends early. */
static void damage(void **state)
{
    (void)state;
    struct bolt_file f = {.per_page = 2};
    bolt_make(&f, many, 8);
    struct skep_bolt db;
    struct skep_bolt_bucket b = {0};
    struct skep_bytes value;
    struct seen seen = {0};
    uint64_t top_page = f.pages - 1;
    char *page = f.s + top_page * BOLT_PAGE;
    for (int i = 0; i < 2; i++)
        bolt_put(page, 16 + 16 * (size_t)i + 8, top_page, 8);
    _cleanup_close_ int fd = file_fd(&f);
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    assert_int_equal(skep_bolt_get(&db, &b, "key100", &value), -EBADMSG);
    assert_true(skep_bolt_each(&db, &b, see, &seen) < 0);
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    db.read_left = 3 * BOLT_PAGE;
    assert_int_equal(skep_bolt_get(&db, &b, "key100", &value), -EFBIG);

    bolt_put(page, 12, 1, 4);
    assert_int_equal(pwrite(fd, page, BOLT_PAGE, (off_t)(top_page * BOLT_PAGE)), BOLT_PAGE);
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    assert_int_equal(skep_bolt_get(&db, &b, "key100", &value), -EBADMSG);
    assert_int_equal(ftruncate(fd, 3 * BOLT_PAGE), 0);
    assert_int_equal(skep_bolt_init(&db, fd), 0);
    assert_int_equal(skep_bolt_get(&db, &b, "key100", &value), -EBADMSG);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(skep_bolt_init(&db, fd), -EBADMSG);
    free(f.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(walks),
        cmocka_unit_test(transactions),
        cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
