/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture_recording.h"

#include "event/remap.h"

/* The same kind, some versions later: inode moved, path grew a sister, the header lost its return value. */
#define LATER                                                                                                \
    "{\"header\":{\"size\":64,\"members\":[{\"name\":\"len\",\"type\":\"u32\",\"offset\":0},"                \
    "{\"name\":\"kind\",\"type\":\"u16\",\"offset\":4},{\"name\":\"pid\",\"type\":\"u64\",\"offset\":8},"    \
    "{\"name\":\"seq\",\"type\":\"u32\",\"offset\":16},{\"name\":\"comm\",\"type\":\"bytes\",\"offset\":24," \
    "\"size\":4},{\"name\":\"new\",\"type\":\"u32\",\"offset\":60}]},"                                       \
    "\"kinds\":[{\"number\":16,\"name\":\"renamed\",\"size\":96,\"members\":["                               \
    "{\"name\":\"inode\",\"type\":\"u64\",\"offset\":64},{\"name\":\"target\",\"type\":\"slice\","           \
    "\"offset\":72},{\"name\":\"path\",\"type\":\"slice\",\"offset\":80}]}]}"

static struct skep_remap *remap(const struct skep_layouts *from, const struct skep_layouts *to)
{
    struct skep_remap *m = NULL;
    assert_int_equal(skep_remap_new(&from->header, skep_layouts_kind(from, 16), &to->header,
                                    skep_layouts_kind(to, 16), &m),
                     0);
    return m;
}

static void test_same(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *a = fixture_layouts(FIXTURE_LAYOUTS),
                                          *b = fixture_layouts(FIXTURE_LAYOUTS);
    _cleanup_layouts_ struct skep_layouts *later = fixture_layouts(LATER);
    _cleanup_remap_ struct skep_remap *same = remap(a, b), *other = remap(a, later);
    assert_true(skep_remap_is_same(same));
    assert_false(skep_remap_is_same(other));

    struct fixture_record in;
    _cleanup_free_ char *out = malloc(skep_remap_bound(same, 4096));
    fixture_record(&in, 5, 33);
    assert_int_equal(skep_remap_apply(same, &in, in.h.len, out), 0);
    /* what the layout does not name is not taken over */
    in.h.start = in.h.cgroup = 0;
    assert_memory_equal(out, &in, in.h.len);
}

static void test_to_later_and_back(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *now = fixture_layouts(FIXTURE_LAYOUTS),
                                          *later = fixture_layouts(LATER);
    _cleanup_remap_ struct skep_remap *there = remap(now, later), *back = remap(later, now);
    struct fixture_record in;
    fixture_record(&in, (1ULL << 33) + 1, 21);
    in.h.pid = UINT32_MAX - 1;
    _cleanup_free_ char *out = malloc(skep_remap_bound(there, in.h.len));
    assert_int_equal(skep_remap_apply(there, &in, in.h.len, out), 0);

    uint32_t len, seq, new;
    uint64_t pid, inode;
    struct skep_slice target, path;
    memcpy(&len, out, 4);
    memcpy(&pid, out + 8, 8);
    memcpy(&seq, out + 16, 4);
    memcpy(&new, out + 60, 4);
    memcpy(&inode, out + 64, 8);
    memcpy(&target, out + 72, 8);
    memcpy(&path, out + 80, 8);
    assert_int_equal(len, 96 + (in.h.len - 128));
    assert_int_equal(pid, UINT32_MAX - 1);
    assert_int_equal(seq, UINT32_MAX); /* the nearest that there is room for */
    assert_int_equal(new, 0);
    assert_int_equal(inode, in.a.inode);
    assert_memory_equal(out + 24, "fixt\0\0\0\0", 8);
    assert_int_equal(target.off, 0);
    assert_int_equal(path.off, 96);
    assert_int_equal(path.len, 21);
    assert_memory_equal(out + path.off, in.bytes + in.a.path.off, 21);

    _cleanup_free_ char *again = malloc(skep_remap_bound(back, len));
    assert_int_equal(skep_remap_apply(back, out, len, again), 0);
    const struct fixture_a *a = (const struct fixture_a *)again;
    assert_int_equal(a->h.len, in.h.len);
    assert_int_equal(a->h.kind, FIXTURE_KIND_A);
    assert_int_equal(a->h.pid, UINT32_MAX - 1);
    assert_int_equal(a->h.ret, 0);
    assert_string_equal(a->h.comm, "fixt");
    assert_int_equal(a->path.off, 128);
    assert_memory_equal(again + 128, in.bytes + 128, 21);
}

#define NUMBER(type)                                                                                         \
    "{" FIXTURE_HEADER                                                                                       \
    ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":120,\"members\":[{\"name\":\"v\",\"type\":\"" type   \
    "\",\"offset\":112}]}]}"

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        uint64_t in;
        const char *to;
        uint64_t out;
    } cases[] = {
        {NUMBER("u32"), 7, NUMBER("u64"), 7},
        {NUMBER("u32"), UINT32_MAX, NUMBER("u64"), UINT32_MAX},
        {NUMBER("s32"), (uint32_t)-2, NUMBER("s64"), (uint64_t)-2},
        {NUMBER("s8"), 0x80, NUMBER("s16"), 0xff80},
        {NUMBER("u8"), 0x80, NUMBER("s16"), 0x80},
        {NUMBER("u64"), 300, NUMBER("u8"), 255},
        {NUMBER("u64"), 200, NUMBER("u8"), 200},
        {NUMBER("u64"), 200, NUMBER("s8"), 127},
        {NUMBER("s64"), (uint64_t)-300, NUMBER("s8"), 0x80},
        {NUMBER("s64"), (uint64_t)-3, NUMBER("s8"), 0xfd},
        {NUMBER("s64"), (uint64_t)INT64_MIN, NUMBER("s32"), 0x80000000},
        {NUMBER("u32"), UINT32_MAX, NUMBER("s32"), UINT32_MAX},
        {NUMBER("s32"), UINT32_MAX, NUMBER("u32"), UINT32_MAX},
        {NUMBER("u64"), 7, NUMBER("slice"), 0},
        {NUMBER("slice"), 0, NUMBER("u64"), 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_layouts_ struct skep_layouts *from = fixture_layouts(cases[i].from),
                                              *to = fixture_layouts(cases[i].to);
        _cleanup_remap_ struct skep_remap *m = remap(from, to);
        uint64_t in[15] = {120 | 16ULL << 32}, out[15];
        in[14] = cases[i].in;
        assert_int_equal(skep_remap_bound(m, 120) <= sizeof(out) + 120, true);
        _cleanup_free_ uint64_t *room = malloc(skep_remap_bound(m, 120));
        assert_int_equal(skep_remap_apply(m, in, 120, room), 0);
        memcpy(out, room, 120);
        if (out[14] != cases[i].out)
            fail_msg("case %zu: %llx", i, (unsigned long long)out[14]);
    }
}

/* Slices that lie: every one is refused, whatever the layout. */
static void test_hostile_slices(void **state)
{
    (void)state;
    static const struct skep_slice slices[] = {
        {0, 1},   {1, 0},          {127, 1},          {136, 1},           {128, 9},
        {129, 8}, {UINT32_MAX, 1}, {128, UINT32_MAX}, {4294967289U, 100},
    };
    _cleanup_layouts_ struct skep_layouts *now = fixture_layouts(FIXTURE_LAYOUTS),
                                          *later = fixture_layouts(LATER);
    _cleanup_remap_ struct skep_remap *m = remap(now, later);
    for (size_t i = 0; i < ARRAY_SIZE(slices) + 1; i++) {
        _cleanup_free_ struct fixture_a *in = calloc(1, 136);
        _cleanup_free_ char *out = malloc(skep_remap_bound(m, 136));
        in->h = (struct skep_hdr){.len = 136, .kind = 16};
        in->path = i < ARRAY_SIZE(slices) ? slices[i] : (struct skep_slice){128, 8};
        int r = skep_remap_apply(m, in, 136, out);
        if (r != (i < ARRAY_SIZE(slices) ? -EBADMSG : 0))
            fail_msg("slice %zu: %d", i, r);
        assert_int_equal(skep_remap_apply(m, in, 120, out), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_to_later_and_back),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_hostile_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
