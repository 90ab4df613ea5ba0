/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKEP_TEST_RULE_FIELD_FIXTURE_H
#define SKEP_TEST_RULE_FIELD_FIXTURE_H
/*
 * For tests of rule fields: a process table that is fed with records, an event of one of its processes, and the values
 * of fields for that event, asked for as rules do (proc.aname[2]).
 */
#include "../../event/record.h"

#include "event/syscalls.h"
#include "rule/evttype.h"
#include "rule/fact.h"
#include "rule/names/hosts.h"
#include "rule/names/users.h"

#define FIELD_SEC 1000000000ULL

struct field_test {
    struct skep_proc_table t;
    struct test_record r;
    struct skep_schema *schema;
    struct skep_rule_users *users;
    struct skep_rule_hosts *hosts;
    struct skep_rule_ctx *ctx;
    struct skep_fact_request request;
    char arg[256];
    uint64_t now, seq;
};

static inline int field_setup(void **state)
{
    struct field_test *x = calloc(1, sizeof(*x));
    x->schema = test_schema();
    x->now = 200 * FIELD_SEC;
    skep_proc_table_init(&x->t);
    assert_int_equal(skep_rule_ctx_new(&x->request, 1, 0, &x->ctx), 0);
    *state = x;
    return 0;
}

static inline int field_teardown(void **state)
{
    struct field_test *x = *state;
    skep_rule_ctx_free(x->ctx);
    skep_rule_users_free(x->users);
    skep_rule_hosts_free(x->hosts);
    skep_proc_table_clear(&x->t);
    skep_schema_free(x->schema);
    free(x);
    return 0;
}

/* A record of a process that started at its number of seconds. */
static inline void *field_begin(struct field_test *x, unsigned kind, uint32_t pid, uint32_t exec_id,
                                const char *comm)
{
    void *record = test_begin(&x->r, x->schema, kind);
    x->r.h.pid = x->r.h.tid = pid;
    x->r.h.start = pid * FIELD_SEC;
    x->r.h.exec_id = exec_id;
    x->r.h.time = x->now++;
    x->r.h.seq = x->seq++;
    x->r.h.cpu = 0;
    memset(x->r.h.comm, 0, sizeof(x->r.h.comm));
    memcpy(x->r.h.comm, comm, MIN(strlen(comm), sizeof(x->r.h.comm)));
    return record;
}

static inline void field_apply(struct field_test *x)
{
    assert_int_equal(skep_record_check(x->r.ev.kind, &x->r.h, x->r.h.len), 0);
    assert_int_equal(skep_proc_table_apply(&x->t, &x->r.h), 0);
}

static inline void field_image(struct field_test *x, struct skep_image *image, const char *exe,
                               const void *args, size_t n_args, const void *env, size_t n_env)
{
    struct skep_image filled = {.exe = test_text(&x->r, exe), .cwd = test_text(&x->r, "/home")};
    filled.args = test_bytes(&x->r, args, n_args);
    filled.args_size = filled.args_captured = (uint32_t)n_args;
    filled.env = test_bytes(&x->r, env, n_env);
    filled.env_size = filled.env_captured = (uint32_t)n_env;
    *image = filled;
}

/* A process that was already there; args: a literal with a NUL behind each argument but the last. */
#define field_process(x, pid, parent, comm, exe, args)                                                       \
    field_process_n(x, pid, parent, comm, exe, args, sizeof(args), "A=1\0HOME=/root", 15)

static inline void field_process_n(struct field_test *x, uint32_t pid, uint32_t parent, const char *comm,
                                   const char *exe, const void *args, size_t n_args, const void *env,
                                   size_t n_env)
{
    struct skep_ev_process *e = field_begin(x, SKEP_KIND_process, pid, 1, comm);
    e->task.parent_pid = parent;
    e->task.parent_start = parent * FIELD_SEC;
    e->task.ns_pid = e->task.session = e->task.pgid = pid;
    e->task.loginuid = UINT32_MAX;
    e->inode = pid;
    field_image(x, &e->image, exe, args, n_args, env, n_env);
    field_apply(x);
}

/* An event of a thread of a process that the table knows, as rules see it. */
static inline void field_event_of_thread(struct field_test *x, uint32_t pid, uint32_t tid, const char *comm)
{
    struct skep_proc *p = skep_proc_table_find(&x->t, pid, pid * FIELD_SEC);
    field_begin(x, SKEP_KIND_open, pid, p ? p->image->exec_id : 1, comm);
    x->r.h.tid = tid;
    x->r.ev.proc = skep_proc_table_get(&x->t, &x->r.h);
    x->r.ev.procs = &x->t;
    x->r.ev.image = x->r.ev.proc ? skep_proc_image_at(x->r.ev.proc, x->r.h.exec_id) : NULL;
}

static inline void field_event(struct field_test *x, uint32_t pid, const char *comm)
{
    field_event_of_thread(x, pid, pid, comm);
}

/* An event of a system call that returned ret; the record is empty but for its header. */
static inline void *field_call(struct field_test *x, const char *call, bool compat, int64_t ret)
{
    uint32_t type = skep_evttype_find(call, strlen(call));
    size_t n;
    unsigned nr = 0;
    assert_int_not_equal(type, 0);
    if (ret < 0 && skep_evttype_again(type)) /* executions that failed are a kind of their own */
        type = skep_evttype_again(type);
    while (nr < SKEP_SYSCALL_MAX &&
           (!skep_syscall_name(nr, compat) || !skep_streq(skep_syscall_name(nr, compat), call)))
        nr++;
    assert_true(nr < SKEP_SYSCALL_MAX);
    void *record = test_begin(&x->r, x->schema, skep_evttypes(&n)[type].kind);
    x->r.h.nr = nr;
    x->r.h.flags = SKEP_HDR_SYSCALL | SKEP_HDR_RET | (compat ? SKEP_HDR_COMPAT : 0);
    x->r.h.ret = ret;
    return record;
}

/* The fact that a field is, for the event in x. */
static inline const struct skep_fact *field_get(struct field_test *x, const char *name)
{
    size_t len = strcspn(name, "["), at = 0;
    const struct skep_rule_field *f = skep_rule_field_find_dotted(name, len, &at);
    if (!f)
        fail_msg("no field %s", name);
    x->request = (struct skep_fact_request){.field = f, .type = f->type, .flags = f->flags};
    if (name[len] == '[') {
        snprintf(x->arg, sizeof(x->arg), "%.*s", (int)(strlen(name) - len - 2), name + len + 1);
        x->request.arg = x->arg;
        x->request.index = f->flags & SKEP_FIELD_ARG_INDEX ? (uint32_t)strtoul(x->arg, NULL, 10) : 0;
    }
    if (at)
        x->request.arg = name + at;
    skep_rule_ctx_begin(x->ctx, &x->r.ev);
    x->ctx->users = x->users;
    x->ctx->hosts = x->hosts;
    skep_rule_fetch(x->ctx, 0);
    return &x->ctx->facts[0];
}

static inline void field_is_missing(struct field_test *x, const char *name)
{
    if (field_get(x, name)->state != SKEP_FACT_MISSING)
        fail_msg("%s is there", name);
}

static inline void field_is_number(struct field_test *x, const char *name, int64_t want)
{
    const struct skep_fact *f = field_get(x, name);
    if (f->state != SKEP_FACT_THERE)
        fail_msg("%s is missing", name);
    if ((int64_t)f->value != want)
        fail_msg("%s: %lld instead of %lld", name, (long long)f->value, (long long)want);
}

static inline void field_is_text(struct field_test *x, const char *name, const char *want)
{
    const struct skep_fact *f = field_get(x, name);
    if (f->state != SKEP_FACT_THERE)
        fail_msg("%s is missing", name);
    const char *s = (const char *)(uintptr_t)f->value;
    if (f->n != strlen(want) || memcmp(s, want, f->n) != 0)
        fail_msg("%s: '%.*s' instead of '%s'", name, (int)f->n, s, want);
    /* programs compare whole words */
    assert_int_equal(f->value % 8, 0);
    for (size_t i = f->n; i < ROUND_UP((size_t)f->n, 8); i++)
        assert_int_equal(s[i], 0);
}

/* want: the elements joined by | */
static inline void field_is_list(struct field_test *x, const char *name, const char *want)
{
    const struct skep_fact *f = field_get(x, name);
    char text[4096] = "";
    if (f->state != SKEP_FACT_THERE)
        fail_msg("%s is missing", name);
    const struct skep_fact_item *items = (const struct skep_fact_item *)(uintptr_t)f->value;
    for (size_t i = 0, at = 0; i < f->n; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s", i ? "|" : "", (int)items[i].n,
                               (const char *)(uintptr_t)items[i].value);
    if (!skep_streq(text, want))
        fail_msg("%s: '%s' instead of '%s'", name, text, want);
}

/* The spot of a field for a kind says what get() says, or there is none. */
static inline void field_spot_agrees(struct field_test *x, const char *name)
{
    const struct skep_rule_field *field = skep_rule_field_find(name, strlen(name));
    const struct skep_rule_spot *s = skep_rule_field_spot(field, x->r.h.kind);
    const struct skep_fact *f = field_get(x, name);
    if (!s)
        return;
    const char *at = x->r.bytes + s->off;
    bool there = true;
    int64_t value = 0;
    switch (s->form) {
    case SKEP_SPOT_CHARS:
        assert_int_equal(f->state, SKEP_FACT_THERE);
        assert_int_equal(f->n, strnlen(at, s->size));
        assert_memory_equal((const char *)(uintptr_t)f->value, at, f->n);
        return;
    case SKEP_SPOT_U32:
        value = *(const uint32_t *)(const void *)at;
        break;
    case SKEP_SPOT_S32:
        value = *(const int32_t *)(const void *)at;
        break;
    case SKEP_SPOT_U64:
        value = *(const int64_t *)(const void *)at;
        break;
    default:
        fail_msg("%s: form %d", name, s->form);
    }
    there = !s->has_missing || value != s->missing;
    assert_int_equal(f->state, there ? SKEP_FACT_THERE : SKEP_FACT_MISSING);
    if (there)
        assert_int_equal(f->value, value);
}
#endif
