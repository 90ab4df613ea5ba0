/* SPDX-License-Identifier: Apache-2.0 */
#include "export/json_memo.h"

#include "../event/record.h"

#include "export/json.h"

struct fixture {
    struct skep_schema *schema;
    struct skep_json_writer *writer;
    struct skep_json_memo *memo;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->schema = test_schema();
    assert_int_equal(skep_json_writer_new(f->schema, &f->writer), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    skep_json_writer_free(f->writer);
    skep_schema_free(f->schema);
    free(f);
    return 0;
}

static int begin(void **state)
{
    struct fixture *f = *state;
    return skep_json_memo_new(&f->memo);
}

static int end(void **state)
{
    struct fixture *f = *state;
    f->memo = skep_json_memo_free(f->memo);
    return 0;
}

/* ---- the store ---- */

static struct skep_json_memo_key key_of(unsigned i)
{
    return (struct skep_json_memo_key){.proc = i + 1, .image = 1, .places = 1, .hash = i * 7};
}

static size_t text_of(unsigned i, char *text, size_t room)
{
    size_t len = 1 + i * 131 % (room - 1);
    memset(text, 'a' + (int)(i % 26), len);
    return len;
}

static void test_finds_what_was_added(void **state)
{
    struct fixture *f = *state;
    static char text[3000];
    unsigned found = 0;
    size_t n;
    struct skep_json_memo_key none = key_of(0);
    assert_null(skep_json_memo_find(f->memo, &none, &n));
    for (unsigned i = 0; i < 5000; i++) {
        struct skep_json_memo_key key = key_of(i);
        size_t len = text_of(i, text, sizeof(text));
        skep_json_memo_add(f->memo, &key, text, len);
        /* what is found is never another's, however often the ring went round */
        for (unsigned back = 0; back < 20 && back <= i; back++) {
            struct skep_json_memo_key old = key_of(i - back);
            size_t want = text_of(i - back, text, sizeof(text));
            const char *s = skep_json_memo_find(f->memo, &old, &n);
            assert_true(s || back);
            if (!s)
                continue;
            found++;
            assert_int_equal(n, want);
            assert_memory_equal(s, text, want);
        }
    }
    assert_true(found > 5000 * 10);
    struct skep_json_memo_key first = key_of(0);
    assert_null(skep_json_memo_find(f->memo, &first, &n));
}

static void test_keeps_nothing_large(void **state)
{
    struct fixture *f = *state;
    _cleanup_free_ char *text = calloc(1, SKEP_JSON_MEMO_BYTES + 1);
    struct skep_json_memo_key key = key_of(3);
    size_t n;
    skep_json_memo_add(f->memo, &key, text, SKEP_JSON_MEMO_BYTES + 1);
    assert_null(skep_json_memo_find(f->memo, &key, &n));
    skep_json_memo_add(f->memo, &key, text, 0);
    assert_null(skep_json_memo_find(f->memo, &key, &n));
    skep_json_memo_add(f->memo, &key, text, SKEP_JSON_MEMO_BYTES / 8);
    assert_non_null(skep_json_memo_find(f->memo, &key, &n));
}

static void test_what_cannot_be_remembered(void **state)
{
    struct fixture *f = *state;
    static struct test_record t;
    struct skep_json_memo_key key;
    test_begin(&t, f->schema, SKEP_KIND_open);
    assert_false(skep_json_memo_key(&t.ev, &key)); /* no process */
    test_process(&t);
    t.ev.places = 1;
    assert_false(skep_json_memo_key(&t.ev, &key)); /* no stamps */
    t.proc.stamp = t.parent.stamp = t.image.stamp = 1;
    assert_true(skep_json_memo_key(&t.ev, &key));
    t.image.args_missing = 1;
    assert_false(skep_json_memo_key(&t.ev, &key));
    t.image.args_missing = 0;
    t.parent.stamp = 0;
    assert_false(skep_json_memo_key(&t.ev, &key));
    t.parent.stamp = 1;
    t.ev.places = 0;
    assert_false(skep_json_memo_key(&t.ev, &key));
    t.ev.places = 1;
    t.h.flags |= SKEP_HDR_NO_TASK;
    assert_false(skep_json_memo_key(&t.ev, &key));
}

/* ---- lines with and without it ---- */

static uint64_t seed = 1;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

static struct skep_slice any_text(struct test_record *t)
{
    static const char *const texts[] = {"/a", "/b/c", "x\n\"", "\xff", "0123456789abcdef"};
    return pick(8) ? test_text(t, texts[pick(ARRAY_SIZE(texts))]) : (struct skep_slice){0};
}

static void any_image(struct test_record *t, struct skep_image *image)
{
    image->exe = any_text(t);
    image->cwd = any_text(t);
    image->args = test_bytes(t, pick(2) ? "one\0two" : "one\0XYZ", 8);
    image->args_size = image->args_captured = pick(4) ? 8 : 12; /* sometimes there is more to come */
}

static void any_task(struct skep_task *task)
{
    task->parent_pid = pick(5);
    task->parent_start = task->parent_pid + pick(2);
    task->ns_pid = pick(3);
    task->loginuid = pick(2) ? 1000 : UINT32_MAX;
    task->session = pick(3);
    task->ns.net = pick(3);
    if (pick(2))
        strcpy(task->tty, "pts1");
}

static void any_container(struct test_record *t)
{
    static const char *const path =
        "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope";
    struct skep_ev_cgroup *g = (struct skep_ev_cgroup *)t->bytes;
    struct skep_ev_container *c = (struct skep_ev_container *)t->bytes;
    if (t->h.kind == SKEP_KIND_cgroup) {
        g->id = t->h.cgroup;
        g->path = pick(2) ? test_text(t, path) : test_text(t, "/system.slice/a.service");
    } else {
        c->id = test_text(t, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        c->runtime = test_text(t, "docker");
        c->name = any_text(t);
        c->image = any_text(t);
    }
}

static void any_record(struct test_record *t, const struct skep_schema *s, uint64_t now, uint64_t seq)
{
    static const unsigned kinds[] = {
        SKEP_KIND_open,    SKEP_KIND_open,      SKEP_KIND_open,   SKEP_KIND_connect,  SKEP_KIND_fork,
        SKEP_KIND_exec,    SKEP_KIND_exec_data, SKEP_KIND_exit,   SKEP_KIND_chdir,    SKEP_KIND_setsid,
        SKEP_KIND_unshare, SKEP_KIND_process,   SKEP_KIND_cgroup, SKEP_KIND_container};
    static const char *const comms[] = {"bash", "cat", "renamed"};
    test_begin(t, s, pick(3) ? SKEP_KIND_open : kinds[pick(ARRAY_SIZE(kinds))]);
    t->h.time = now;
    t->h.seq = seq;
    t->h.pid = 1 + pick(4);
    t->h.tid = pick(4) ? t->h.pid : 100 + pick(2);
    t->h.start = t->h.pid + pick(2);
    t->h.exec_id = (uint32_t)(seq / 64) + pick(2);
    t->h.cgroup = pick(10) ? 1 : 2;
    t->h.uid = !pick(20);
    t->h.caps = pick(20) ? 3 : 0;
    t->h.flags = pick(40) ? 0 : SKEP_HDR_NO_TASK;
    strcpy(t->h.comm, comms[pick(10) ? 0 : pick(ARRAY_SIZE(comms))]);
    switch (t->h.kind) {
    case SKEP_KIND_fork: {
        struct skep_ev_fork *e = (struct skep_ev_fork *)t->bytes;
        e->child.pid = 1 + pick(4);
        e->pad_child_start = e->child.pid + pick(2);
        any_task(&e->task);
        break;
    }
    case SKEP_KIND_exec:
        any_task(&((struct skep_ev_exec *)t->bytes)->task);
        any_image(t, &((struct skep_ev_exec *)t->bytes)->image);
        break;
    case SKEP_KIND_process:
        any_task(&((struct skep_ev_process *)t->bytes)->task);
        any_image(t, &((struct skep_ev_process *)t->bytes)->image);
        break;
    case SKEP_KIND_exec_data: {
        struct skep_ev_exec_data *e = (struct skep_ev_exec_data *)t->bytes;
        e->of_seq = seq - 1 - pick(2);
        e->offset = 8;
        e->data = test_text(t, "end");
        break;
    }
    case SKEP_KIND_chdir:
        ((struct skep_ev_chdir *)t->bytes)->path = any_text(t);
        break;
    case SKEP_KIND_setsid:
        ((struct skep_ev_setsid *)t->bytes)->session = pick(3);
        break;
    case SKEP_KIND_unshare:
        ((struct skep_ev_unshare *)t->bytes)->new_ns.net = pick(3);
        break;
    case SKEP_KIND_cgroup:
    case SKEP_KIND_container:
        any_container(t);
    }
}

/* A stream of records about few processes, so that all that can change does so between two events of one. */
static void test_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static struct test_record t;
    struct skep_proc_table procs;
    struct skep_cgroups cgroups;
    _cleanup_strbuf_ struct skep_strbuf with, without;
    size_t n, known = 0, rounds = 60000;
    skep_strbuf_init(&with, 1 << 20);
    skep_strbuf_init(&without, 1 << 20);
    skep_proc_table_init(&procs);
    skep_cgroups_init(&cgroups);
    for (uint64_t i = 1; i <= rounds; i++) {
        const struct skep_cgroup *ask;
        struct skep_json_memo_key key;
        any_record(&t, f->schema, i * 3000000, i);
        bool after = skep_proc_applies_after(t.h.kind);
        skep_cgroups_apply(&cgroups, &t.h, &ask);
        if (!after)
            skep_proc_table_apply(&procs, &t.h);
        struct skep_proc *p = skep_proc_table_get(&procs, &t.h);
        const struct skep_cgroup *g = skep_cgroups_find(&cgroups, t.h.cgroup);
        t.ev.proc = p;
        t.ev.image = p ? skep_proc_image_at(p, t.h.exec_id) : NULL;
        t.ev.cgroup = g ? g->path : NULL;
        t.ev.unit = g ? g->unit : NULL;
        t.ev.container = g ? g->container : NULL;
        t.ev.places = cgroups.changes;
        known += skep_json_memo_key(&t.ev, &key) && skep_json_memo_find(f->memo, &key, &n);
        skep_strbuf_reset(&with);
        skep_strbuf_reset(&without);
        skep_json_writer_put(f->writer, f->memo, &with, &t.ev);
        skep_json_writer_put(f->writer, NULL, &without, &t.ev);
        assert_string_equal(with.s, without.s);
        if (after)
            skep_proc_table_apply(&procs, &t.h);
    }
    assert_true(known > rounds / 10);
    skep_proc_table_clear(&procs);
    skep_cgroups_clear(&cgroups);
}

/* Numbers of all sizes, those that mean something else among them, in every member of every kind. */
static void test_members_change_nothing(void **state)
{
    static const uint64_t numbers[] = {0, 1, 2, 6, 10, 0x80042, 0xffff, UINT32_MAX, UINT64_MAX, (uint64_t)-2};
    struct fixture *f = *state;
    static struct test_record t;
    _cleanup_strbuf_ struct skep_strbuf with, without;
    skep_strbuf_init(&with, 1 << 20);
    skep_strbuf_init(&without, 1 << 20);
    for (unsigned k = 0; k < SKEP_KIND_MAX; k++) {
        const struct skep_kind *kind = skep_schema_kind(f->schema, k);
        for (unsigned round = 0; kind && round < 300; round++) {
            test_begin(&t, f->schema, k);
            for (size_t i = 0; i < kind->n_fields; i++) {
                const struct skep_field *field = &kind->fields[i];
                uint64_t number = numbers[pick(round < 150 ? 3 : ARRAY_SIZE(numbers))];
                bool of_slice = field->get && field->size >= sizeof(struct skep_slice);
                if (skep_type_info(field->type)->class <= SKEP_CLASS_UINT && field->size <= 8 && !of_slice &&
                    pick(2))
                    memcpy(t.bytes + field->off, &number, field->size);
            }
            t.h.flags = (uint16_t)pick(16);
            t.h.ret = -(int64_t)pick(4);
            t.h.nr = (uint16_t)pick(4);
            t.h.cpu = (uint16_t)pick(2);
            t.h.seq = pick(3);
            skep_strbuf_reset(&with);
            skep_strbuf_reset(&without);
            skep_json_writer_put(f->writer, f->memo, &with, &t.ev);
            skep_json_writer_put(f->writer, NULL, &without, &t.ev);
            assert_string_equal(with.s, without.s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_what_was_added, begin, end),
        cmocka_unit_test_setup_teardown(test_keeps_nothing_large, begin, end),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_remembered, begin, end),
        cmocka_unit_test_setup_teardown(test_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_members_change_nothing, begin, end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
