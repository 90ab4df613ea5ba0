/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture_recording.h"

#include "event/recorder.h"
#include "event/recording.h"

#include <sys/mman.h>
#include <zlib.h>

#define HEAD "{\"tool\":\"a test\"}"
#define LEDGER "{\"kind\":\"ledger\",\"kinds\":{}}"
#define N_RECORDS 600
#define SECOND_NS 1000000000ULL

struct image {
    char *s;
    size_t n;
};

static struct image slurp(int fd)
{
    struct image im = {.n = (size_t)lseek(fd, 0, SEEK_END)};
    im.s = malloc(im.n + 1);
    assert_non_null(im.s);
    assert_int_equal(pread(fd, im.s, im.n, 0), im.n);
    return im;
}

static void image_clear(struct image *im)
{
    free(im->s);
}
#define _cleanup_image_ SKEP_CLEANUP(image_clear)

/* A recording of n records in blocks of at most per_block. */
static struct image record(const struct skep_layouts *layouts, unsigned n, unsigned per_block)
{
    _cleanup_recorder_ struct skep_recorder *rec = NULL;
    struct fixture_record f;
    int fd = memfd_create("recording", MFD_CLOEXEC), copy = dup(fd);
    assert_int_equal(skep_recorder_new(fd, HEAD, strlen(HEAD), layouts, &rec), 0);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(skep_recorder_put(rec, fixture_record(&f, i, i % 97)), 0);
        if (i % per_block == per_block - 1)
            assert_int_equal(skep_recorder_drain(rec, 10 * SECOND_NS), 0);
    }
    assert_int_equal(skep_recorder_finish(rec, LEDGER, strlen(LEDGER), 10 * SECOND_NS), 0);
    assert_int_equal(skep_recorder_finish(rec, LEDGER, strlen(LEDGER), SECOND_NS), -EALREADY);
    assert_int_equal(skep_recorder_error(rec), 0);
    struct image im = slurp(copy);
    close(copy);
    return im;
}

static int open_bytes(const char *s, size_t n, const struct skep_layouts *layouts,
                      struct skep_recording **ret, char *reason, size_t size)
{
    int fd = memfd_create("bytes", MFD_CLOEXEC);
    assert_int_equal(pwrite(fd, s, n, 0), n);
    return skep_recording_open_fd(fd, layouts, ret, reason, size);
}

/* Reads to the end or the damage; the records must be the first ones that the fixture gives. */
static int read_all(struct skep_recording *rec, unsigned *ret_n)
{
    const struct skep_hdr *h;
    struct fixture_record f;
    unsigned n = 0;
    int r;
    while ((r = skep_recording_next(rec, &h)) > 0) {
        const struct skep_hdr *want = fixture_record(&f, n, n % 97);
        assert_int_equal(h->len, want->len);
        assert_memory_equal(h, want, want->len);
        n++;
    }
    assert_int_equal(skep_recording_next(rec, &h), r);
    *ret_n = n;
    return r;
}

static void test_round_trip(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    static const unsigned shapes[][2] = {
        {0, 1}, {1, 1}, {N_RECORDS, 7}, {N_RECORDS, N_RECORDS}, {20000, 20000}};
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        _cleanup_recording_ struct skep_recording *rec = NULL;
        _cleanup_image_ struct image im = record(layouts, shapes[i][0], shapes[i][1]);
        struct skep_recording_counts counts;
        char reason[200] = "";
        size_t size;
        unsigned n;
        assert_int_equal(open_bytes(im.s, im.n, layouts, &rec, reason, sizeof(reason)), 0);
        assert_string_equal(skep_recording_json(rec, &size), HEAD);
        assert_int_equal(size, strlen(HEAD));
        assert_null(skep_recording_ledger(rec, &size));
        assert_int_equal(read_all(rec, &n), 0);
        assert_int_equal(n, shapes[i][0]);
        assert_string_equal(skep_recording_ledger(rec, &size), LEDGER);
        assert_string_equal(skep_recording_damage(rec), "");
        skep_recording_counts(rec, &counts);
        assert_int_equal(counts.bytes, im.n);
        assert_int_equal(counts.records, n);
        assert_int_equal(counts.missing + counts.unknown + counts.malformed, 0);
        _cleanup_strbuf_ struct skep_strbuf sb;
        skep_strbuf_init(&sb, 1000);
        skep_recording_put_notices(rec, &sb);
        assert_int_equal(sb.len, 0);
    }
}

/* Where the blocks of an image begin, and how many records stand before each; the last one is the end. */
static size_t find_blocks(const struct image *im, size_t *starts, unsigned *before, size_t max)
{
    size_t n = 0, at = sizeof(struct skep_recording_file_header);
    unsigned records = 0;
    while (at < im->n) {
        struct skep_recording_block_header h;
        assert_true(n < max && im->n - at >= sizeof(h));
        memcpy(&h, im->s + at, sizeof(h));
        starts[n] = at;
        before[n++] = records;
        records += h.n_records;
        at += sizeof(h) + h.stored_size;
    }
    assert_int_equal(at, im->n);
    return n;
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_image_ struct image im = record(layouts, 24, 4);
    size_t starts[16];
    unsigned before[16];
    size_t n_blocks = find_blocks(&im, starts, before, ARRAY_SIZE(starts)), block = 0;
    assert_int_equal(n_blocks, 2 + 6 + 1);
    for (size_t n = 0; n < im.n; n++) {
        _cleanup_recording_ struct skep_recording *rec = NULL;
        char reason[200] = "";
        unsigned got;
        while (block + 1 < n_blocks && starts[block + 1] <= n)
            block++;
        int r = open_bytes(im.s, n, layouts, &rec, reason, sizeof(reason));
        if (block < 2) {
            assert_int_equal(r, -EBADMSG);
            assert_true(reason[0] != '\0');
            continue;
        }
        assert_int_equal(r, 0);
        assert_int_equal(read_all(rec, &got), -EBADMSG);
        if (got != before[block])
            fail_msg("cut at %zu: %u records, not %u", n, got, before[block]);
        size_t size;
        char place[64];
        snprintf(place, sizeof(place), "at byte %zu, after %u records: ", starts[block], got);
        if (!skep_startswith(skep_recording_damage(rec), place) ||
            !strstr(skep_recording_damage(rec), "cut off"))
            fail_msg("cut at %zu: %s", n, skep_recording_damage(rec));
        assert_null(skep_recording_ledger(rec, &size));
    }
}

static void test_every_byte_flipped(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_image_ struct image im = record(layouts, 24, 4);
    size_t starts[16];
    unsigned before[16];
    size_t n_blocks = find_blocks(&im, starts, before, ARRAY_SIZE(starts)), block = 0;
    for (size_t at = 0; at < im.n; at++) {
        _cleanup_recording_ struct skep_recording *rec = NULL;
        char reason[200] = "";
        unsigned got;
        while (block + 1 < n_blocks && starts[block + 1] <= at)
            block++;
        im.s[at] ^= (char)(1 << at % 8);
        int r = open_bytes(im.s, im.n, layouts, &rec, reason, sizeof(reason));
        im.s[at] ^= (char)(1 << at % 8);
        if (block < 2) {
            assert_true(r == -EBADMSG || r == -EPROTONOSUPPORT);
            assert_true(reason[0] != '\0');
            continue;
        }
        assert_int_equal(r, 0);
        assert_int_equal(read_all(rec, &got), -EBADMSG);
        if (got != before[block])
            fail_msg("flipped at %zu: %u records, not %u", at, got, before[block]);
    }
}

static void test_foreign_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        int r;
        const char *reason;
    } files[] = {
        {"", 0, -EBADMSG, "the file is empty"},
        {"#", 1, -EBADMSG, "this is not a recording of skep"},
        {"{\"kind\":\"open\"}\n{\"kind\":\"open\"}\n", 32, -EBADMSG, "this is not a recording of skep"},
        {"\x89SKEP\n\x1a\n some more bytes", 24, -EBADMSG, "this is not a recording of skep"},
        {"\x89SKEP\r\n\x1a\1\0\0", 11, -EBADMSG, "the recording was cut off at its very beginning"},
        {"\x89SKEP\r\n\x1a\2\0\0\0\0\0\0\0", 16, -EPROTONOSUPPORT,
         "the recording was made by a newer skep, in a format that this one cannot read"},
        {"\x89SKEP\r\n\x1a\1\0\0\0\0\0\0\0", 16, -EBADMSG,
         "at byte 16, after 0 records: the recording was cut off: it has no end"},
    };
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    struct skep_recording *rec = NULL;
    char reason[200];
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        assert_int_equal(open_bytes(files[i].bytes, files[i].n, layouts, &rec, reason, sizeof(reason)),
                         files[i].r);
        assert_string_equal(reason, files[i].reason);
    }
    assert_int_equal(skep_recording_open("/nonexistent/file", layouts, &rec, reason, sizeof(reason)),
                     -ENOENT);
    assert_string_equal(reason, strerror(ENOENT));
    assert_int_equal(skep_recording_open("/", layouts, &rec, reason, sizeof(reason)), -EISDIR);
    assert_null(rec);
}

/* ---- files made by hand: well-formed blocks with lies in them ---- */

static void add_block(struct image *im, struct skep_recording_block_header h, const void *payload, size_t n)
{
    h.magic = SKEP_RECORDING_BLOCK_MAGIC;
    h.stored_size = (uint32_t)n;
    if (!h.raw_size)
        h.raw_size = (uint32_t)n;
    im->s = realloc(im->s, im->n + sizeof(h) + n);
    char *at = im->s + im->n;
    memcpy(at, &h, sizeof(h));
    memcpy(at + sizeof(h), payload, n);
    h.crc = (uint32_t)crc32(0, (const Bytef *)at + 8, (uInt)(sizeof(h) - 8 + n));
    memcpy(at, &h, sizeof(h));
    im->n += sizeof(h) + n;
}

static struct image by_hand(const char *layouts)
{
    static const struct skep_recording_file_header h = {SKEP_RECORDING_MAGIC, SKEP_RECORDING_VERSION, 0};
    struct image im = {malloc(sizeof(h)), sizeof(h)};
    memcpy(im.s, &h, sizeof(h));
    add_block(&im, (struct skep_recording_block_header){.type = SKEP_BLOCK_HEAD}, HEAD, strlen(HEAD));
    add_block(&im, (struct skep_recording_block_header){.type = SKEP_BLOCK_LAYOUTS}, layouts,
              strlen(layouts));
    return im;
}

static void test_lying_blocks(void **state)
{
    (void)state;
    struct fixture_record f;
    fixture_record(&f, 0, 0);
    const size_t len = f.h.len;
    static const struct {
        const char *what;
        uint32_t n_records, raw_size, record_len;
        uint64_t first_record;
        uint8_t type, codec;
        const char *says; /* NULL: fine */
    } blocks[] = {
        {"nothing wrong", 1, 0, 0, 1, SKEP_BLOCK_RECORDS, 0, NULL},
        {"one more record than there is", 2, 0, 0, 1, SKEP_BLOCK_RECORDS, 0, "claims 2"},
        {"one record less", 0, 0, 0, 1, SKEP_BLOCK_RECORDS, 0, "claims 0"},
        {"a record longer than the block", 1, 0, 136, 1, SKEP_BLOCK_RECORDS, 0, "impossible size"},
        {"a record shorter than its header", 1, 0, 104, 1, SKEP_BLOCK_RECORDS, 0, "impossible size"},
        {"a record of no length", 1, 0, UINT32_MAX, 1, SKEP_BLOCK_RECORDS, 0, "impossible size"},
        {"a record of odd length", 1, 0, 121, 1, SKEP_BLOCK_RECORDS, 0, "impossible size"},
        {"a record and a bit", 1, 0, 120, 1, SKEP_BLOCK_RECORDS, 0, "cut short"},
        {"numbers that go back", 1, 0, 0, 0, SKEP_BLOCK_RECORDS, 0, "out of order"},
        {"numbers that overflow", 1, 0, 0, UINT64_MAX, SKEP_BLOCK_RECORDS, 0, "out of order"},
        {"bytes that are no zstd", 1, 0, 0, 1, SKEP_BLOCK_RECORDS, 1, "does not decompress"},
        {"bytes that are stored and grow", 1, 256, 0, 1, SKEP_BLOCK_RECORDS, 0, "does not decompress"},
        {"a block too large", 1, 64U << 20, 0, 1, SKEP_BLOCK_RECORDS, 0, "impossible size"},
        {"an unknown compression", 1, 0, 0, 1, SKEP_BLOCK_RECORDS, 9, "compression 9"},
        {"a second head", 0, 0, 0, 1, SKEP_BLOCK_HEAD, 0, "second head"},
        {"a type to come", 0, 0, 0, 1, 77, 0, NULL},
    };
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        _cleanup_recording_ struct skep_recording *rec = NULL;
        _cleanup_image_ struct image im = by_hand(FIXTURE_LAYOUTS);
        struct skep_recording_block_header good = {.type = SKEP_BLOCK_RECORDS, .n_records = 1};
        const struct skep_hdr *h;
        char reason[200];
        fixture_record(&f, 0, 0);
        add_block(&im, good, &f, len);
        fixture_record(&f, 1, 0);
        f.h.len = blocks[i].record_len == UINT32_MAX ? 0
                  : blocks[i].record_len             ? blocks[i].record_len
                                                     : f.h.len;
        add_block(&im,
                  (struct skep_recording_block_header){.type = blocks[i].type,
                                                       .codec = blocks[i].codec,
                                                       .n_records = blocks[i].n_records,
                                                       .raw_size = blocks[i].raw_size,
                                                       .first_record = blocks[i].first_record},
                  &f, len);
        add_block(&im, (struct skep_recording_block_header){.type = SKEP_BLOCK_END, .first_record = 2},
                  LEDGER, strlen(LEDGER));
        assert_int_equal(open_bytes(im.s, im.n, layouts, &rec, reason, sizeof(reason)), 0);
        assert_int_equal(skep_recording_next(rec, &h), 1);
        assert_int_equal(h->seq, 0);
        int r;
        while ((r = skep_recording_next(rec, &h)) > 0)
            assert_int_equal(h->seq, 1);
        if ((r == 0) != (blocks[i].says == NULL) ||
            !strstr(skep_recording_damage(rec), blocks[i].says ? blocks[i].says : ""))
            fail_msg("%s: %d, %s", blocks[i].what, r, skep_recording_damage(rec));
        if (r < 0)
            assert_true(skep_startswith(skep_recording_damage(rec), "at byte ") != NULL);
    }
}

static void test_something_behind_the_end(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_recording_ struct skep_recording *rec = NULL;
    _cleanup_image_ struct image im = record(layouts, 3, 3);
    char reason[200];
    unsigned n;
    size_t size;
    im.s[im.n] = 'x';
    assert_int_equal(open_bytes(im.s, im.n + 1, layouts, &rec, reason, sizeof(reason)), 0);
    assert_int_equal(read_all(rec, &n), -EBADMSG);
    assert_int_equal(n, 3);
    assert_non_null(strstr(skep_recording_damage(rec), "behind its end"));
    assert_string_equal(skep_recording_ledger(rec, &size), LEDGER);
}

/* ---- recordings of other builds ---- */

/* Kind b is not known here, kind a lies differently, and one kind stands in no layout at all. */
static void test_another_build(void **state)
{
    (void)state;
    static const char *const mine =
        "{" FIXTURE_HEADER ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":136,\"members\":["
        "{\"name\":\"inode\",\"type\":\"u64\",\"offset\":112},"
        "{\"name\":\"path\",\"type\":\"slice\",\"offset\":120},"
        "{\"name\":\"more\",\"type\":\"u64\",\"offset\":128}]}]}";
    _cleanup_layouts_ struct skep_layouts *now = fixture_layouts(mine);
    _cleanup_recording_ struct skep_recording *rec = NULL;
    _cleanup_image_ struct image im = by_hand(FIXTURE_LAYOUTS);
    struct fixture_record f;
    struct skep_recording_block_header h = {.type = SKEP_BLOCK_RECORDS, .n_records = 1};
    char reason[200];
    const uint16_t kinds[] = {FIXTURE_KIND_A, FIXTURE_KIND_B, FIXTURE_KIND_A, 99, 4000, FIXTURE_KIND_A};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        fixture_record(&f, i, 10);
        f.h.kind = kinds[i];
        if (i == 2)
            f.a.path.len = 1000; /* lies */
        h.first_record = i;
        add_block(&im, h, &f, f.h.len);
    }
    add_block(&im, (struct skep_recording_block_header){.type = SKEP_BLOCK_END, .first_record = 9}, LEDGER,
              strlen(LEDGER));

    assert_int_equal(open_bytes(im.s, im.n, now, &rec, reason, sizeof(reason)), 0);
    const struct skep_hdr *got;
    static const uint64_t want[] = {0, 5};
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        assert_int_equal(skep_recording_next(rec, &got), 1);
        fixture_record(&f, want[i], 10);
        uint64_t inode;
        struct skep_slice path;
        memcpy(&inode, (const char *)got + 112, 8);
        memcpy(&path, (const char *)got + 120, 8);
        assert_int_equal(got->seq, want[i]);
        assert_int_equal(got->len, f.h.len + 8);
        assert_int_equal(inode, f.a.inode);
        assert_int_equal(path.len, 10);
        assert_memory_equal((const char *)got + path.off, f.bytes + 128, 10);
    }
    assert_int_equal(skep_recording_next(rec, &got), 0);
    struct skep_recording_counts counts;
    skep_recording_counts(rec, &counts);
    assert_int_equal(counts.records, 6);
    assert_int_equal(counts.unknown, 3);
    assert_int_equal(counts.malformed, 1);
    assert_int_equal(counts.missing, 3);
    _cleanup_strbuf_ struct skep_strbuf sb;
    skep_strbuf_init(&sb, 1000);
    skep_recording_put_notices(rec, &sb);
    assert_string_equal(sb.s,
                        "2 records of kinds that the recording does not describe were left out\n"
                        "1 records of the kind b, which this skep does not know, were left out\n"
                        "1 malformed records were left out\n"
                        "3 records are missing: they could not be written when the recording was made\n");
}

static void test_bad_descriptions(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "{}", "{\"header\":{},\"kinds\":[]}", "{\"a\":1,\"a\":2}"};
    _cleanup_layouts_ struct skep_layouts *layouts = fixture_layouts(FIXTURE_LAYOUTS);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_image_ struct image im = by_hand(texts[i]);
        struct skep_recording *rec = NULL;
        char reason[200] = "";
        assert_int_equal(open_bytes(im.s, im.n, layouts, &rec, reason, sizeof(reason)), -EBADMSG);
        assert_non_null(strstr(reason, "the description of the records"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),         cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_byte_flipped), cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_lying_blocks),       cmocka_unit_test(test_something_behind_the_end),
        cmocka_unit_test(test_another_build),      cmocka_unit_test(test_bad_descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
