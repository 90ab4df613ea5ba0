/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "event/proc.h"

#define SEC 1000000000ULL
#define INIT_START 5
#define SHELL_START (100 * SEC)

struct table_test {
    struct skep_proc_table t;
    struct test_record r;
    struct skep_schema *schema;
    uint64_t now;
    uint64_t seq;
};

static int setup(void **state)
{
    struct table_test *x = calloc(1, sizeof(*x));
    x->schema = test_schema();
    x->now = 200 * SEC;
    skep_proc_table_init(&x->t);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct table_test *x = *state;
    skep_proc_table_clear(&x->t);
    skep_schema_free(x->schema);
    free(x);
    return 0;
}

static void *begin(struct table_test *x, unsigned kind, uint32_t pid, uint64_t start, uint32_t exec_id)
{
    void *record = test_begin(&x->r, x->schema, kind);
    x->r.h.pid = x->r.h.tid = pid;
    x->r.h.start = start;
    x->r.h.exec_id = exec_id;
    x->r.h.time = x->now++;
    x->r.h.seq = x->seq++;
    x->r.h.cpu = 0;
    return record;
}

static int apply(struct table_test *x)
{
    assert_int_equal(skep_record_check(x->r.ev.kind, &x->r.h, x->r.h.len), 0);
    return skep_proc_table_apply(&x->t, &x->r.h);
}

static void fill_image(struct table_test *x, struct skep_image *image, const char *exe, const void *args,
                       size_t n)
{
    struct skep_image filled = {.exe = test_text(&x->r, exe), .cwd = test_text(&x->r, "/home")};
    filled.args = test_bytes(&x->r, args, n);
    filled.args_size = filled.args_captured = (uint32_t)n;
    *image = filled;
}

static void add_process(struct table_test *x, uint32_t pid, uint64_t start, uint32_t parent,
                        uint64_t parent_start, uint32_t exec_id, const char *exe)
{
    struct skep_ev_process *e = begin(x, SKEP_KIND_process, pid, start, exec_id);
    e->task.parent_pid = parent;
    e->task.parent_start = parent_start;
    fill_image(x, &e->image, exe, exe, strlen(exe) + 1);
    assert_int_equal(apply(x), 0);
}

static int add_fork(struct table_test *x, uint32_t pid, uint64_t start, uint32_t exec_id, uint32_t child,
                    uint64_t child_start)
{
    struct skep_ev_fork *e = begin(x, SKEP_KIND_fork, pid, start, exec_id);
    e->child.pid = child;
    e->pad_child_start = child_start;
    e->task.parent_pid = pid;
    e->task.parent_start = start;
    e->task.loginuid = 1000;
    return apply(x);
}

static void add_exec(struct table_test *x, uint32_t pid, uint64_t start, uint32_t exec_id, const char *exe)
{
    struct skep_ev_exec *e = begin(x, SKEP_KIND_exec, pid, start, exec_id);
    fill_image(x, &e->image, exe, exe, strlen(exe) + 1);
    assert_int_equal(apply(x), 0);
}

static void add_exit(struct table_test *x, uint32_t pid, uint64_t start, uint32_t exec_id)
{
    begin(x, SKEP_KIND_exit, pid, start, exec_id);
    assert_int_equal(apply(x), 0);
}

/* What an event of another kind sees of its process. */
static struct skep_proc *act(struct table_test *x, uint32_t pid, uint64_t start, uint32_t exec_id)
{
    begin(x, SKEP_KIND_open, pid, start, exec_id);
    return skep_proc_table_get(&x->t, &x->r.h);
}

static void assert_bytes(const struct skep_bytes *b, const char *want)
{
    if (!want) {
        assert_null(b->s);
        return;
    }
    assert_non_null(b->s);
    assert_int_equal(b->len, strlen(want));
    assert_memory_equal(b->s, want, b->len);
}

static const char *exe_of(const struct skep_proc *p, uint32_t exec_id)
{
    return skep_proc_image_at(p, exec_id)->exe.s;
}

/* init and a shell, as the first snapshot shows them */
static void begin_with_two(struct table_test *x)
{
    uint64_t at = x->now++;
    add_process(x, 17, SHELL_START, 1, INIT_START, 3, "/bin/bash");
    add_process(x, 1, INIT_START, 0, 0, 1, "/sbin/init");
    skep_proc_table_snapshot_done(&x->t, at);
}

static void test_snapshot_links_parents_in_any_order(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    struct skep_proc *shell = skep_proc_table_find(&x->t, 17, SHELL_START);
    assert_non_null(shell);
    assert_ptr_equal(shell->parent, skep_proc_table_find(&x->t, 1, INIT_START));
    assert_bytes(&shell->cwd, "/home");
    assert_false(shell->partial);
    assert_int_equal(x->t.healed, 0);
}

static void test_fork_exec_exit(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    uint64_t born = 150 * SEC;
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, born), 0);
    struct skep_proc *p = skep_proc_table_find(&x->t, 40, born);
    assert_non_null(p);
    assert_int_equal(p->parent->pid, 17);
    assert_string_equal(exe_of(p, 3), "/bin/bash");
    assert_ptr_equal(p->image, p->parent->image);
    assert_bytes(&p->cwd, "/home");
    assert_int_equal(p->task.loginuid, 1000);

    add_exec(x, 40, born, 4, "/bin/ls");
    assert_string_equal(exe_of(p, 4), "/bin/ls");
    /* a record written before the exec and read after it */
    assert_string_equal(exe_of(p, 3), "/bin/bash");
    assert_string_equal(exe_of(p->parent, 3), "/bin/bash");

    add_exit(x, 40, born, 4);
    assert_true(p->dead);
    assert_ptr_equal(act(x, 40, born, 4), p);
    /* the row goes after its grace */
    x->now += 2 * SKEP_PROC_GRACE;
    add_exec(x, 17, SHELL_START, 4, "/bin/dash");
    assert_null(skep_proc_table_find(&x->t, 40, born));
}

/* CLONE_PARENT: what a child inherits is its maker's, its parent is the maker's parent. */
static void test_child_of_another(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    uint64_t born = 150 * SEC, sibling = 160 * SEC;
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, born), 0);
    add_exec(x, 40, born, 4, "/usr/bin/runc");
    struct skep_ev_fork *e = begin(x, SKEP_KIND_fork, 40, born, 4);
    e->child.pid = 41;
    e->pad_child_start = sibling;
    e->task.parent_pid = 17;
    e->task.parent_start = SHELL_START;
    assert_int_equal(apply(x), 0);
    struct skep_proc *p = skep_proc_table_find(&x->t, 41, sibling);
    assert_non_null(p);
    assert_int_equal(p->parent->pid, 17);
    assert_string_equal(exe_of(p, 4), "/usr/bin/runc");
}

static void test_pid_reuse(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t born = 150 * SEC + i;
        char exe[32];
        snprintf(exe, sizeof(exe), "/bin/number%d", (int)i);
        assert_int_equal(
            add_fork(x, i % 2 ? 17 : 1, i % 2 ? SHELL_START : INIT_START, i % 2 ? 3 : 1, 40, born), 0);
        add_exec(x, 40, born, 5, exe);
        add_exit(x, 40, born, 5);
    }
    for (uint64_t i = 0; i < 5; i++) {
        struct skep_proc *p = act(x, 40, 150 * SEC + i, 5);
        char exe[32];
        snprintf(exe, sizeof(exe), "/bin/number%d", (int)i);
        assert_string_equal(exe_of(p, 5), exe);
        assert_int_equal(p->parent->pid, i % 2 ? 17 : 1);
    }
}

/* By number alone: the youngest, also when rows come in another order, until its row goes. */
static void test_by_pid(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    assert_ptr_equal(skep_proc_table_find_pid(&x->t, 17), skep_proc_table_find(&x->t, 17, SHELL_START));
    assert_null(skep_proc_table_find_pid(&x->t, 40));
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, 150 * SEC), 0);
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, 152 * SEC), 0);
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, 151 * SEC), 0);
    struct skep_proc *young = skep_proc_table_find(&x->t, 40, 152 * SEC);
    assert_ptr_equal(skep_proc_table_find_pid(&x->t, 40), young);
    add_exit(x, 40, 150 * SEC, 3);
    x->now += 2 * SKEP_PROC_GRACE;
    add_exec(x, 17, SHELL_START, 4, "/bin/dash"); /* time passes: rows go */
    assert_null(skep_proc_table_find(&x->t, 40, 150 * SEC));
    assert_ptr_equal(skep_proc_table_find_pid(&x->t, 40), young);
    add_exit(x, 40, 152 * SEC, 3);
    x->now += 2 * SKEP_PROC_GRACE;
    add_exec(x, 17, SHELL_START, 5, "/bin/bash");
    assert_null(skep_proc_table_find_pid(&x->t, 40));
}

/* The parent's row is gone from the table; its child still knows it. */
static void test_parent_outlives_its_row(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, 150 * SEC), 0);
    add_exit(x, 17, SHELL_START, 3);
    x->now += 2 * SKEP_PROC_GRACE;
    struct skep_proc *p = act(x, 40, 150 * SEC, 3);
    add_exec(x, 40, 150 * SEC, 4, "/bin/orphan");
    assert_null(skep_proc_table_find(&x->t, 17, SHELL_START));
    assert_int_equal(p->parent->pid, 17);
    assert_string_equal(p->parent->image->exe.s, "/bin/bash");
    assert_int_equal(p->parent->parent->pid, 1);
}

static void test_dead_ancestors_are_cut(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    uint32_t pid = 17;
    uint64_t start = SHELL_START;
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(add_fork(x, pid, start, 3, 1000 + i, 150 * SEC + i), 0);
        add_exit(x, pid, start, 3);
        pid = 1000 + i;
        start = 150 * SEC + i;
        x->now += SEC;
    }
    struct skep_proc *p = act(x, pid, start, 3);
    size_t n = 0;
    for (p = p->parent; p; p = p->parent) {
        assert_true(p->dead);
        n++;
    }
    assert_in_range(n, SKEP_PROC_DEAD_ANCESTORS,
                    SKEP_PROC_DEAD_ANCESTORS + 1); /* the last died after it was linked */
    assert_true(x->t.by_id.count <= 5);
}

/* A hundred thousand processes come and go: the table keeps those of its grace. */
static void test_memory_is_bounded(void **state)
{
    struct table_test *x = *state;
    size_t most = 0;
    begin_with_two(x);
    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t born = 150 * SEC + i;
        assert_int_equal(add_fork(x, 17, SHELL_START, 3, 100 + i % 30000, born), 0);
        add_exec(x, 100 + i % 30000, born, 4, "/bin/true");
        add_exit(x, 100 + i % 30000, born, 4);
        x->now += SEC / 1000;
        most = MAX(most, x->t.by_id.count);
    }
    assert_true(most < 1100);
    assert_int_equal(skep_proc_table_find(&x->t, 17, SHELL_START)->refs, 1 + (x->t.by_id.count - 2));
}

static void test_unknown_process_is_partial(void **state)
{
    struct table_test *x = *state;
    struct skep_proc *p = act(x, 77, 120 * SEC, 9);
    assert_true(p->partial);
    assert_int_equal(p->uid, 1000);
    assert_string_equal(p->comm, "bash");
    assert_null(skep_proc_image_at(p, 9)->exe.s);
    /* its life cycle records make it whole */
    add_exec(x, 77, 120 * SEC, 10, "/bin/ls");
    assert_false(p->partial);
    assert_string_equal(exe_of(p, 10), "/bin/ls");
    assert_null(exe_of(p, 9));
    /* a remembered process is not invented, and nothing has no process */
    begin(x, SKEP_KIND_open, 78, 1, 1);
    x->r.h.flags |= SKEP_HDR_INDIRECT;
    assert_null(skep_proc_table_get(&x->t, &x->r.h));
    x->r.h.flags = SKEP_HDR_NO_TASK;
    assert_null(skep_proc_table_get(&x->t, &x->r.h));
}

/* The exec's record was lost: what runs now is not what ran before. */
static void test_lost_exec_is_not_misattributed(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    struct skep_proc *p = act(x, 17, SHELL_START, 4);
    assert_null(exe_of(p, 4));
    assert_string_equal(exe_of(p, 3), "/bin/bash");
    /* the record comes after all, or a snapshot tells */
    add_exec(x, 17, SHELL_START, 4, "/bin/late");
    assert_string_equal(exe_of(p, 4), "/bin/late");
    assert_string_equal(exe_of(p, 3), "/bin/bash");
    p = act(x, 17, SHELL_START, 5);
    assert_null(exe_of(p, 5));
    assert_int_equal(add_fork(x, 17, SHELL_START, 5, 40, 150 * SEC), 0);
    assert_null(exe_of(skep_proc_table_find(&x->t, 40, 150 * SEC), 5));
    uint64_t at = x->now++;
    add_process(x, 17, SHELL_START, 1, INIT_START, 5, "/bin/healed");
    add_process(x, 40, 150 * SEC, 17, SHELL_START, 5, "/bin/healed");
    add_process(x, 1, INIT_START, 0, 0, 1, "/sbin/init");
    skep_proc_table_snapshot_done(&x->t, at);
    assert_string_equal(exe_of(p, 5), "/bin/healed");
    assert_string_equal(exe_of(skep_proc_table_find(&x->t, 40, 150 * SEC), 5), "/bin/healed");
    assert_int_equal(x->t.healed, 2);
}

/* After a loss a snapshot adds who was born, removes who died, and refreshes who changed. */
static void test_snapshot_heals(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 40, 150 * SEC), 0);
    assert_int_equal(add_fork(x, 17, SHELL_START, 3, 41, 151 * SEC), 0);
    x->now += SEC;
    uint64_t at = x->now++;
    add_process(x, 1, INIT_START, 0, 0, 1, "/sbin/init");
    struct skep_ev_process *e = begin(x, SKEP_KIND_process, 17, SHELL_START, 3);
    e->task.parent_pid = 1;
    e->task.parent_start = INIT_START;
    e->task.session = 4242;
    e->image.cwd = test_text(&x->r, "/srv");
    x->r.h.uid = 5;
    assert_int_equal(apply(x), 0);
    add_process(x, 41, 151 * SEC, 17, SHELL_START, 4, "/bin/changed");
    add_process(x, 42, 152 * SEC, 41, 151 * SEC, 7, "/bin/new");
    skep_proc_table_snapshot_done(&x->t, at);

    struct skep_proc *shell = skep_proc_table_find(&x->t, 17, SHELL_START);
    assert_bytes(&shell->cwd, "/srv");
    assert_int_equal(shell->task.session, 4242);
    assert_int_equal(shell->uid, 5);
    assert_string_equal(exe_of(shell, 3), "/bin/bash"); /* what the exec brought is kept */
    assert_true(skep_proc_table_find(&x->t, 40, 150 * SEC)->dead);
    struct skep_proc *changed = skep_proc_table_find(&x->t, 41, 151 * SEC);
    assert_string_equal(exe_of(changed, 4), "/bin/changed");
    assert_int_equal(skep_proc_table_find(&x->t, 42, 152 * SEC)->parent->pid, 41);
    assert_int_equal(x->t.healed, 3);
}

static void test_zombies_are_no_processes(void **state)
{
    struct table_test *x = *state;
    struct skep_ev_process *e = begin(x, SKEP_KIND_process, 50, 50 * SEC, 1);
    e->flags = SKEP_EXEC_ZOMBIE;
    assert_int_equal(apply(x), 0);
    assert_null(skep_proc_table_find(&x->t, 50, 50 * SEC));
}

static void test_changes_of_state(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    struct skep_proc *p = skep_proc_table_find(&x->t, 17, SHELL_START);
    assert_true(skep_proc_applies_after(SKEP_KIND_chdir));
    assert_false(skep_proc_applies_after(SKEP_KIND_exec));

    struct skep_ev_chdir *c = begin(x, SKEP_KIND_chdir, 17, SHELL_START, 3);
    c->path = test_text(&x->r, "/failed");
    test_ret(&x->r, -ENOENT);
    assert_int_equal(apply(x), 0);
    assert_bytes(&p->cwd, "/home");
    c = begin(x, SKEP_KIND_chdir, 17, SHELL_START, 3);
    c->path = test_text(&x->r, "/var");
    test_ret(&x->r, 0);
    assert_int_equal(apply(x), 0);
    assert_bytes(&p->cwd, "/var");

    struct skep_ev_setsid *s = begin(x, SKEP_KIND_setsid, 17, SHELL_START, 3);
    s->session = 17;
    assert_int_equal(apply(x), 0);
    assert_int_equal(p->task.session, 17);

    struct skep_ev_unshare *u = begin(x, SKEP_KIND_unshare, 17, SHELL_START, 3);
    u->new_ns.net = 99;
    test_ret(&x->r, -EPERM);
    assert_int_equal(apply(x), 0);
    assert_int_equal(p->task.ns.net, 0);
    u = begin(x, SKEP_KIND_unshare, 17, SHELL_START, 3);
    u->new_ns.net = 99;
    test_ret(&x->r, 0);
    assert_int_equal(apply(x), 0);
    assert_int_equal(p->task.ns.net, 99);
}

/* ---- long arguments ---- */

#define HEAD 16
#define PIECE 8
#define WHOLE 32

static const char letters[] = "abcdefghijklmno\0ABCDEFGHIJKLMNO"; /* two arguments, 32 bytes */

static void add_long_exec(struct table_test *x, uint32_t captured)
{
    struct skep_ev_exec *e = begin(x, SKEP_KIND_exec, 17, SHELL_START, 4);
    fill_image(x, &e->image, "/bin/long", letters, HEAD);
    e->image.args_size = WHOLE;
    e->image.args_captured = captured;
    assert_int_equal(apply(x), 0);
}

static void add_piece(struct table_test *x, uint64_t of_seq, uint32_t offset, uint32_t n)
{
    struct skep_ev_exec_data *e = begin(x, SKEP_KIND_exec_data, 17, SHELL_START, 4);
    e->of_seq = of_seq;
    e->offset = offset;
    e->data = test_bytes(&x->r, letters + MIN(offset, (uint32_t)WHOLE - n), n);
    assert_int_equal(apply(x), 0);
}

static void test_arguments_in_pieces(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    add_long_exec(x, WHOLE);
    struct skep_proc *p = skep_proc_table_find(&x->t, 17, SHELL_START);
    uint64_t seq = p->image->seq;
    assert_true(skep_proc_image_incomplete(p->image));
    add_piece(x, seq, 16, PIECE);
    assert_true(skep_proc_image_incomplete(p->image));
    add_piece(x, seq + 1, 24, PIECE); /* of another exec */
    assert_true(skep_proc_image_incomplete(p->image));
    add_piece(x, seq, 24, PIECE);
    assert_false(skep_proc_image_incomplete(p->image));
    assert_int_equal(p->image->args.len, WHOLE);
    assert_memory_equal(p->image->args.s, letters, WHOLE);
}

/* What is shown of arguments that did not all come is their beginning, without holes. */
static void test_arguments_with_a_gap(void **state)
{
    struct table_test *x = *state;
    static const struct {
        uint32_t offsets[4];
        size_t n;
        size_t shown;
    } rows[] = {
        {{24}, 1, 16},          /* the first piece is missing */
        {{16}, 1, 24},          /* the last is */
        {{16, 16, 16}, 3, 24},  /* told three times */
        {{24, 16}, 2, 24},      /* the wrong way round */
        {{17, 25}, 2, 16},      /* between the pieces */
        {{0xfffffff8u}, 1, 16}, /* beyond everything */
        {{0}, 0, 16},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        begin_with_two(x);
        add_long_exec(x, WHOLE);
        struct skep_proc *p = skep_proc_table_find(&x->t, 17, SHELL_START);
        uint64_t seq = p->image->seq;
        for (size_t k = 0; k < rows[i].n; k++)
            add_piece(x, seq, rows[i].offsets[k], PIECE);
        assert_true(skep_proc_image_incomplete(p->image));
        skep_proc_image_settle(p->image);
        assert_false(skep_proc_image_incomplete(p->image));
        assert_int_equal(p->image->args.len, rows[i].shown);
        assert_memory_equal(p->image->args.s, letters, rows[i].shown);
        skep_proc_table_clear(&x->t);
        skep_proc_table_init(&x->t);
    }
}

static void test_absurd_sizes(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    add_long_exec(x, UINT32_MAX);
    struct skep_proc *p = skep_proc_table_find(&x->t, 17, SHELL_START);
    assert_int_equal(p->image->args.len, SKEP_EXEC_DATA_MAX);
    skep_proc_image_settle(p->image);
    assert_int_equal(p->image->args.len, HEAD);
}

static void test_environment_is_chosen(void **state)
{
    struct table_test *x = *state;
    static const char env[] = "SECRET=1\0PATH=/bin\0LD_PRELOAD=evil.so\0PATHX=2\0noequals";
    begin_with_two(x);
    struct skep_ev_exec *e = begin(x, SKEP_KIND_exec, 17, SHELL_START, 4);
    fill_image(x, &e->image, "/bin/ls", "ls", 3);
    e->image.env = test_bytes(&x->r, env, sizeof(env));
    e->image.env_size = e->image.env_captured = sizeof(env);
    assert_int_equal(apply(x), 0);
    struct skep_proc *p = skep_proc_table_find(&x->t, 17, SHELL_START);
    static const char kept[] = "PATH=/bin\0LD_PRELOAD=evil.so";
    assert_int_equal(p->image->env.len, sizeof(kept));
    assert_memory_equal(p->image->env.s, kept, sizeof(kept));
}

/* ---- records that no kernel writes ---- */

static void test_no_process_is_its_own_ancestor(void **state)
{
    struct table_test *x = *state;
    assert_int_equal(add_fork(x, 40, 40 * SEC, 1, 40, 40 * SEC), 0);
    assert_int_equal(add_fork(x, 40, 40 * SEC, 1, 41, 41 * SEC), 0);
    act(x, 39, 39 * SEC, 1);
    assert_int_equal(add_fork(x, 41, 41 * SEC, 1, 39, 39 * SEC), 0);
    add_process(x, 40, 40 * SEC, 41, 41 * SEC, 2, "/bin/a");
    add_process(x, 41, 41 * SEC, 40, 40 * SEC, 2, "/bin/b");
    skep_proc_table_snapshot_done(&x->t, 0);
    const struct skep_proc *p;
    size_t at = 0;
    while ((p = skep_hashmap_next(&x->t.by_id, &at))) {
        size_t depth = 0;
        for (const struct skep_proc *up = p->parent; up; up = up->parent)
            assert_true(++depth < 4);
    }
    assert_int_equal(skep_proc_table_find(&x->t, 41, 41 * SEC)->parent->pid, 40);
}

static void test_two_exits(void **state)
{
    struct table_test *x = *state;
    begin_with_two(x);
    add_exit(x, 17, SHELL_START, 3);
    add_exit(x, 17, SHELL_START, 3);
    x->now += 3 * SKEP_PROC_GRACE;
    add_exec(x, 1, INIT_START, 2, "/sbin/init");
    assert_null(skep_proc_table_find(&x->t, 17, SHELL_START));
    assert_int_equal(x->t.by_id.count, 1);
    assert_null(x->t.dead_first);
    assert_null(x->t.dead_last);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_snapshot_links_parents_in_any_order),
        TEST(test_fork_exec_exit),
        TEST(test_child_of_another),
        TEST(test_pid_reuse),
        TEST(test_by_pid),
        TEST(test_parent_outlives_its_row),
        TEST(test_dead_ancestors_are_cut),
        TEST(test_memory_is_bounded),
        TEST(test_unknown_process_is_partial),
        TEST(test_lost_exec_is_not_misattributed),
        TEST(test_snapshot_heals),
        TEST(test_zombies_are_no_processes),
        TEST(test_changes_of_state),
        TEST(test_arguments_in_pieces),
        TEST(test_arguments_with_a_gap),
        TEST(test_absurd_sizes),
        TEST(test_environment_is_chosen),
        TEST(test_no_process_is_its_own_ancestor),
        TEST(test_two_exits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
