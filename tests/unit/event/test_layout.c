/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture_recording.h"

#include "abi/event.h"
#include "load/btf.h"

static struct skep_layouts *real_layouts(void)
{
    const void *btf;
    size_t size;
    struct skep_layouts *l = NULL;
    assert_int_equal(skep_object_btf(&btf, &size), 0);
    assert_int_equal(skep_layouts_new_btf(btf, size, &l), 0);
    return l;
}

/* What the BPF compiler laid out is what this compiler did. */
static void test_real_layout(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *l = real_layouts();
#define MEMBER(kind, of, member)                                                                             \
    {                                                                                                        \
        kind, #member, offsetof(struct of, member), sizeof(((struct of *)0)->member)                         \
    }
    static const struct {
        unsigned kind;
        const char *name;
        size_t off, size;
    } want[] = {
        MEMBER(0, skep_hdr, len),
        MEMBER(0, skep_hdr, kind),
        MEMBER(0, skep_hdr, ret),
        MEMBER(0, skep_hdr, comm),
        MEMBER(SKEP_KIND_fork, skep_ev_fork, child.ns_pid),
        MEMBER(SKEP_KIND_fork, skep_ev_fork, pad_child_start),
        MEMBER(SKEP_KIND_exec, skep_ev_exec, task.ns.cgroup),
        MEMBER(SKEP_KIND_exec, skep_ev_exec, task.tty),
        MEMBER(SKEP_KIND_exec, skep_ev_exec, image.args),
        MEMBER(SKEP_KIND_exec, skep_ev_exec, stdin.name),
        MEMBER(SKEP_KIND_open, skep_ev_open, raw_path),
        MEMBER(SKEP_KIND_open, skep_ev_open, created),
        MEMBER(SKEP_KIND_connect, skep_ev_connect, remote.port),
    };
#undef MEMBER
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        const struct skep_layout *kind = want[i].kind ? skep_layouts_kind(l, want[i].kind) : &l->header;
        assert_non_null(kind);
        const struct skep_member *m = skep_layout_find(kind, want[i].name);
        if (!m)
            fail_msg("no member %s in %s", want[i].name, kind->name);
        assert_int_equal(m->off, want[i].off);
        assert_int_equal(m->size, want[i].size);
    }
    assert_int_equal(l->header.size, sizeof(struct skep_hdr));
    const struct skep_layout *open = skep_layouts_kind(l, SKEP_KIND_open);
    assert_int_equal(open->size, sizeof(struct skep_ev_open));
    assert_string_equal(skep_layout_find(open, "path")->meaning, "text");
    assert_int_equal(skep_layout_find(open, "path")->type, SKEP_MEMBER_SLICE);
    assert_string_equal(skep_layout_find(open, "flags")->meaning, "open_flags");
    assert_int_equal(skep_layout_find(open, "dirfd")->type, SKEP_MEMBER_SINT);
    assert_null(skep_layout_find(open, "h"));
    assert_null(skep_layouts_kind(l, 0));
    assert_null(skep_layouts_kind(l, SKEP_KIND_MAX));
}

/* Every kind that there is has a struct, and every member of it comes back through JSON. */
static void test_through_json(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *l = real_layouts();
    _cleanup_strbuf_ struct skep_strbuf sb;
    struct skep_json j;
    skep_strbuf_init(&sb, 1 << 20);
    skep_json_init(&j, &sb);
    skep_json_open(&j, NULL, '{');
    skep_layouts_put_json(l, &j);
    skep_json_close(&j, '}');
    assert_false(sb.failed);
    _cleanup_layouts_ struct skep_layouts *back = fixture_layouts(sb.s);
    assert_true(skep_layout_equal(&l->header, &back->header));
    static const unsigned numbers[] = {
#define SKEP_EVENT(number, name, ring, group, show, text, doc) number,
#include "abi/events.def"
#undef SKEP_EVENT
    };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        const struct skep_layout *a = skep_layouts_kind(l, numbers[i]),
                                 *b = skep_layouts_kind(back, numbers[i]);
        if (!a || !b)
            fail_msg("kind %u is missing", numbers[i]);
        assert_string_equal(a->name, b->name);
        assert_true(skep_layout_equal(a, b));
    }
}

#define H FIXTURE_HEADER
#define KIND(members)                                                                                        \
    "{" H ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":128,\"members\":[" members "]}]}"

static void test_hostile_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[]",
        "{}",
        "{" H "}",
        "{" H ",\"kinds\":{}}",
        "{" H ",\"kinds\":[1]}",
        "{" H ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":128}]}",
        "{" H ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":104,\"members\":[]}]}",
        "{" H ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":127,\"members\":[]}]}",
        "{" H ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":1000000,\"members\":[]}]}",
        "{" H ",\"kinds\":[{\"number\":16,\"name\":\"a\",\"size\":-8,\"members\":[]}]}",
        "{" H ",\"kinds\":[{\"number\":-1,\"name\":\"a\",\"size\":128,\"members\":[]}]}",
        "{" H ",\"kinds\":[{\"number\":0,\"name\":\"a\",\"size\":128,\"members\":[]}]}",
        "{" H ",\"kinds\":[{\"number\":16,\"name\":\"\",\"size\":128,\"members\":[]}]}",
        "{" H ",\"kinds\":[" FIXTURE_A "," FIXTURE_A "]}",
        KIND("{\"name\":\"x\",\"type\":\"u64\",\"offset\":121}"),
        KIND("{\"name\":\"x\",\"type\":\"u64\",\"offset\":-1}"),
        KIND("{\"name\":\"x\",\"type\":\"u64\",\"offset\":4294967295}"),
        KIND("{\"name\":\"x\",\"type\":\"bytes\",\"offset\":120}"),
        KIND("{\"name\":\"x\",\"type\":\"bytes\",\"offset\":120,\"size\":9}"),
        KIND("{\"name\":\"x\",\"type\":\"bytes\",\"offset\":120,\"size\":-1}"),
        KIND("{\"name\":\"x\",\"type\":\"u128\",\"offset\":112}"),
        KIND("{\"name\":\"x\",\"offset\":112}"),
        KIND("{\"name\":\"\",\"type\":\"u64\",\"offset\":112}"),
        KIND("{\"type\":\"u64\",\"offset\":112}"),
        KIND("7"),
        /* a header in which len and kind stand elsewhere */
        ("{\"header\":{\"size\":112,\"members\":[{\"name\":\"len\",\"type\":\"u32\",\"offset\":8},{\"name\":\"kind\","
         "\"type\":\"u16\",\"offset\":4}]},\"kinds\":[]}"),
        "{\"header\":{\"size\":112,\"members\":[{\"name\":\"len\",\"type\":\"u32\",\"offset\":0}]},\"kinds\":[]}",
        "{\"header\":{\"size\":0,\"members\":[]},\"kinds\":[]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct skep_layouts *l = NULL;
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_non_null(json);
        if (skep_layouts_new_json(json, &l) != -EBADMSG)
            fail_msg("accepted: %s", texts[i]);
        assert_null(l);
        json_decref(json);
    }
}

/* Kinds to come, with numbers that this build cannot count. */
static void test_future_kinds(void **state)
{
    (void)state;
    _cleanup_layouts_ struct skep_layouts *l = fixture_layouts(
        "{" H ",\"new\":1,\"kinds\":[{\"number\":4000,\"name\":\"z\",\"size\":128,\"members\":[]}," FIXTURE_A
        "]}");
    assert_non_null(skep_layouts_kind(l, 16));
    assert_null(skep_layouts_kind(l, 4000));
}

static void test_no_btf(void **state)
{
    (void)state;
    struct skep_layouts *l = NULL;
    assert_int_equal(skep_layouts_new_btf("", 0, &l), -EBADMSG);
    assert_int_equal(skep_layouts_new_btf("not BTF at all, and long enough for a header", 44, &l), -EBADMSG);
    assert_null(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_layout),  cmocka_unit_test(test_through_json),
        cmocka_unit_test(test_hostile_json), cmocka_unit_test(test_future_kinds),
        cmocka_unit_test(test_no_btf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
