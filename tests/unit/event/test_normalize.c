/* SPDX-License-Identifier: Apache-2.0 */
#include "event/normalize.h"

#include "record.h"

static int setup(void **state)
{
    *state = test_schema();
    return 0;
}

static int teardown(void **state)
{
    skep_schema_free(*state);
    return 0;
}

static void test_path(void **state)
{
    static const struct {
        const char *path, *expected;
    } rows[] = {
        {"/", "/"},
        {"//", "/"},
        {"/.", "/"},
        {"/..", "/"},
        {"/../..", "/"},
        {"/a", "/a"},
        {"/a/", "/a"},
        {"/a//b///c", "/a/b/c"},
        {"/a/./b/.", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/../../c", "/c"},
        {"/a/b/../../../../c/..", "/"},
        {"/tmp/./x/../../etc//passwd", "/etc/passwd"},
        {"/a/...", "/a/..."},
        {"/a/..b/.c/d..", "/a/..b/.c/d.."},
        {"/\xff/\xfe/..", "/\xff"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char out[64];
        size_t n = strlen(rows[i].path);
        size_t len = skep_path_normalize(rows[i].path, n, out);
        assert_true(len <= n);
        assert_int_equal(len, strlen(rows[i].expected));
        assert_memory_equal(out, rows[i].expected, len);
    }
}

static const char *text_of(const struct skep_hdr *h, struct skep_slice slice, size_t *ret_n)
{
    *ret_n = slice.len;
    return slice.off ? (const char *)h + slice.off : NULL;
}

static void assert_slice(const struct skep_hdr *h, struct skep_slice slice, const char *expected)
{
    size_t n;
    const char *s = text_of(h, slice, &n);
    assert_non_null(s);
    assert_true(slice.off + slice.len <= h->len);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(s, expected, n);
}

struct copy {
    _Alignas(8) char bytes[2 * SKEP_RECORD_MAX];
};

/* The path and the string as given may be the same bytes: only the path changes. */
static void test_shared_bytes(void **state)
{
    struct test_record t;
    struct copy copy;
    const struct skep_hdr *h;
    struct skep_ev_open *ev = test_begin(&t, *state, SKEP_KIND_open);
    ev->raw_path = ev->path = test_text(&t, "/etc/../etc//passwd");
    ev->path_source = SKEP_PATH_LEXICAL;
    assert_int_equal(skep_record_normalize(t.ev.kind, &t.h, copy.bytes, sizeof(copy.bytes), &h), 0);
    assert_ptr_not_equal(h, &t.h);
    const struct skep_ev_open *got = (const struct skep_ev_open *)h;
    assert_slice(h, got->path, "/etc/passwd");
    assert_slice(h, got->raw_path, "/etc/../etc//passwd");
    assert_int_equal(h->len % 8, 0);
    assert_slice(&t.h, ev->path, "/etc/../etc//passwd"); /* what was given is untouched */
}

static void test_two_paths(void **state)
{
    struct test_record t;
    struct copy copy;
    const struct skep_hdr *h;
    struct skep_ev_rename *ev = test_begin(&t, *state, SKEP_KIND_rename);
    ev->path = test_text(&t, "/a/./b");
    ev->target = test_text(&t, "/a/b/../c");
    ev->path_source = SKEP_PATH_LEXICAL;
    assert_int_equal(skep_record_normalize(t.ev.kind, &t.h, copy.bytes, sizeof(copy.bytes), &h), 0);
    assert_slice(h, ((const struct skep_ev_rename *)h)->path, "/a/b");
    assert_slice(h, ((const struct skep_ev_rename *)h)->target, "/a/c");

    /* one of them is missing */
    ev = test_begin(&t, *state, SKEP_KIND_rename);
    ev->target = test_text(&t, "/x//");
    ev->path_source = SKEP_PATH_LEXICAL;
    assert_int_equal(skep_record_normalize(t.ev.kind, &t.h, copy.bytes, sizeof(copy.bytes), &h), 0);
    assert_int_equal(((const struct skep_ev_rename *)h)->path.off, 0);
    assert_slice(h, ((const struct skep_ev_rename *)h)->target, "/x");
}

/* What a symbolic link says is text. */
static void test_link_text(void **state)
{
    struct test_record t;
    struct copy copy;
    const struct skep_hdr *h;
    struct skep_ev_symlink *ev = test_begin(&t, *state, SKEP_KIND_symlink);
    ev->path = test_text(&t, "/a//l");
    ev->target = test_text(&t, "/b/../c//d");
    ev->path_source = SKEP_PATH_LEXICAL;
    assert_int_equal(skep_record_normalize(t.ev.kind, &t.h, copy.bytes, sizeof(copy.bytes), &h), 0);
    assert_slice(h, ((const struct skep_ev_symlink *)h)->path, "/a/l");
    assert_slice(h, ((const struct skep_ev_symlink *)h)->target, "/b/../c//d");
}

/* Paths that are fine, that came from an object, and names that are no paths stay as they are, without a copy. */
static void test_untouched(void **state)
{
    static const struct {
        const char *path;
        enum skep_path_source source;
    } rows[] = {
        {"/etc/passwd", SKEP_PATH_LEXICAL}, {"/", SKEP_PATH_LEXICAL},
        {"/a/.b/..c", SKEP_PATH_OBJECT},    {"/a/./b", SKEP_PATH_OBJECT},
        {"pipe:[7]//", SKEP_PATH_LEXICAL},  {"", SKEP_PATH_LEXICAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct test_record t;
        struct copy copy;
        const struct skep_hdr *h;
        struct skep_ev_open *ev = test_begin(&t, *state, SKEP_KIND_open);
        ev->path = test_text(&t, rows[i].path);
        ev->path_source = rows[i].source;
        assert_int_equal(skep_record_normalize(t.ev.kind, &t.h, copy.bytes, sizeof(copy.bytes), &h), 0);
        assert_ptr_equal(h, &t.h);
    }
}

/* Without room nothing is promised but an error, and nothing outside of the buffer is written. */
static void test_no_room(void **state)
{
    struct test_record t;
    const struct skep_hdr *h;
    struct skep_ev_rename *ev = test_begin(&t, *state, SKEP_KIND_rename);
    ev->path = test_text(&t, "/a/./b/this/name/is/long/enough/to/matter");
    ev->target = test_text(&t, "/a/../b/this/name/is/long/enough/to/matter");
    ev->path_source = SKEP_PATH_LEXICAL;
    size_t needed = t.h.len + 2 * 48;
    for (size_t size = 0; size <= needed; size++) {
        char *buf = malloc(size ? size : 1); /* the sanitizer watches its end */
        assert_non_null(buf);
        int r = skep_record_normalize(t.ev.kind, &t.h, buf, size, &h);
        assert_true(r == 0 || r == -ENOBUFS);
        assert_ptr_equal(h, r == 0 ? (const struct skep_hdr *)buf : &t.h);
        assert_true(size < needed || r == 0);
        free(buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),      cmocka_unit_test(test_shared_bytes),
        cmocka_unit_test(test_two_paths), cmocka_unit_test(test_link_text),
        cmocka_unit_test(test_untouched), cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
