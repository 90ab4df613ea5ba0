/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "event/fields.h"
#include "event/normalize.h"
#include "rule/field/args.h"

/*
 * Every spot of every field says what the field's get() says, or nothing, over random records of every kind: a spot that
 * is wrong would have the kernel drop events that a rule matches. The kernel sees records as the sensors write them, user
 * space sees them with their paths put in order.
 */

#define ROUNDS 200

static uint64_t state = 88172645463325252ULL;

static uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t random_below(uint64_t n)
{
    return random_u64() % n;
}

/* Numbers that mean something somewhere, and others. */
static uint64_t random_number(void)
{
    static const uint64_t numbers[] = {
        0,   1, 2, 3, 4, 5, 6, 7, 10, 16, 17, 66, 80, 443, 1000, 32768, 0200000, UINT32_MAX, (uint64_t)-100,
        0100};
    return random_below(3) ? numbers[random_below(ARRAY_SIZE(numbers))] : random_u64();
}

static const char *random_text(void)
{
    static const char *const texts[] = {
        "",        "/",          "/etc/passwd", "/etc/../etc/passwd", "name", "@x",
        "/a//b/.", "relative/x", "/tmp/",       "/etc/./shadow",      "ext4", "pipe:[1]"};
    return texts[random_below(ARRAY_SIZE(texts))];
}

static void put_number(char *record, const struct skep_field *f, uint64_t v)
{
    memcpy(record + f->off, &v, f->size);
}

static void random_endpoint(char *at)
{
    static const uint16_t families[] = {0, AF_INET, AF_INET6};
    struct skep_endpoint e = {.port = (uint16_t)random_number(), .family = families[random_below(3)]};
    for (size_t i = 0; i < (e.family == AF_INET6 ? 16u : e.family ? 4u : 0u); i++)
        e.ip[i] = (uint8_t)random_number();
    memcpy(at, &e, sizeof(e));
}

static void random_record(struct field_test *x, unsigned kind)
{
    char *record = test_begin(&x->r, x->schema, kind);
    const struct skep_kind *k = x->r.ev.kind;
    for (size_t i = 0; i < k->n_fields; i++) {
        const struct skep_field *f = &k->fields[i];
        if (f->get == skep_get_endpoint_ip)
            random_endpoint(record + f->off);
        else if (f->type == SKEP_TYPE_bool)
            put_number(record, f, random_below(2));
        else if (f->type == SKEP_TYPE_pathsource)
            put_number(record, f, random_below(3));
        else if (f->off && f->size && f->size <= 8 && !f->get &&
                 skep_type_info(f->type)->class <= SKEP_CLASS_UINT)
            put_number(record, f, random_number());
    }
    for (size_t i = 0; i < k->n_slices; i++) {
        struct skep_slice s = random_below(3) ? test_text(&x->r, random_text()) : (struct skep_slice){0};
        memcpy(record + k->slices[i], &s, sizeof(s));
    }
    x->r.h.uid = (uint32_t)random_number();
    x->r.h.cpu = (uint32_t)random_number();
    x->r.h.tid = (uint32_t)random_number();
}

/* A call that makes the kind, or none. */
static void random_call(struct field_test *x, unsigned kind)
{
    size_t n;
    const struct skep_evttype *types = skep_evttypes(&n);
    bool calls = false;
    for (size_t i = 1; i < n; i++)
        calls |= types[i].kind == kind && types[i].syscall;
    if (!calls || kind == SKEP_KIND_exec || kind == SKEP_KIND_fork)
        return;
    x->r.h.flags |= SKEP_HDR_SYSCALL | SKEP_HDR_RET;
    x->r.h.ret = random_below(2) ? -(int64_t)random_below(120) : (int64_t)random_below(70000);
    if (random_below(2))
        x->r.h.flags |= SKEP_HDR_COMPAT;
    for (int tries = 0; tries < 5000; tries++) {
        x->r.h.nr = (uint32_t)random_below(SKEP_SYSCALL_MAX);
        if (types[skep_evttype_of(&x->r.h)].syscall &&
            skep_syscall_name(x->r.h.nr, x->r.h.flags & SKEP_HDR_COMPAT) &&
            skep_evttype_find(skep_syscall_name(x->r.h.nr, x->r.h.flags & SKEP_HDR_COMPAT),
                              strlen(skep_syscall_name(x->r.h.nr, x->r.h.flags & SKEP_HDR_COMPAT))) ==
                skep_evttype_of(&x->r.h))
            return;
    }
}

/* What the kernel finds at a spot. */
struct seen {
    enum { SEEN_UNKNOWN, SEEN_MISSING, SEEN_THERE } state;
    int64_t value;
    const char *s;
    size_t n;
};

static struct seen see_number(const struct skep_rule_spot *s, int64_t v)
{
    return (struct seen){.state = s->has_missing && v == s->missing ? SEEN_MISSING : SEEN_THERE, .value = v};
}

static struct seen see_slice(const struct skep_hdr *h, uint32_t off)
{
    struct skep_slice s;
    memcpy(&s, (const char *)h + off, sizeof(s));
    return s.off ? (struct seen){SEEN_THERE, 0, (const char *)h + s.off, s.len}
                 : (struct seen){SEEN_MISSING, 0, 0, 0};
}

static struct seen see(const struct skep_rule_spot *s, const struct skep_hdr *h)
{
    const char *at = (const char *)h + s->off;
    const struct skep_endpoint *e = (const void *)at;
    struct seen seen = {.state = SEEN_UNKNOWN};
    uint32_t source, v;
    if (s->succeeded && h->ret < 0)
        return (struct seen){.state = SEEN_MISSING};
    switch ((enum skep_rule_spot_form)s->form) {
    case SKEP_SPOT_SLICE:
        return see_slice(h, s->off);
    case SKEP_SPOT_PATH:
    case SKEP_SPOT_DIRECTORY:
    case SKEP_SPOT_FILENAME:
        memcpy(&source, (const char *)h + s->source_off, sizeof(source));
        seen = see_slice(h, s->off);
        if (source != SKEP_PATH_OBJECT || seen.state == SEEN_MISSING)
            seen.state = SEEN_UNKNOWN;
        return seen;
    case SKEP_SPOT_CHARS:
        return (struct seen){SEEN_THERE, 0, at, strnlen(at, s->size)};
    case SKEP_SPOT_U8:
        return see_number(s, *(const uint8_t *)at);
    case SKEP_SPOT_U16:
        return see_number(s, (int64_t)skep_field_read(h, s->off, 2));
    case SKEP_SPOT_U32:
        return see_number(s, (int64_t)skep_field_read(h, s->off, 4));
    case SKEP_SPOT_S32:
        return see_number(s, (int32_t)skep_field_read(h, s->off, 4));
    case SKEP_SPOT_U64:
        return see_number(s, (int64_t)skep_field_read(h, s->off, 8));
    case SKEP_SPOT_BITS:
        v = (uint32_t)skep_field_read(h, s->off, 4) & s->mask;
        seen.state = SEEN_THERE;
        for (size_t i = 0; i < s->n_values; i++)
            seen.value |= v == s->values[i];
        return seen;
    case SKEP_SPOT_CHOICE:
        v = (uint32_t)skep_field_read(h, s->off, 4) & s->mask;
        for (size_t i = 0; i < s->n_choices; i++)
            if (v == s->choices[i].value)
                seen = (struct seen){s->choices[i].text ? SEEN_THERE : SEEN_MISSING, 0, s->choices[i].text,
                                     s->choices[i].text ? strlen(s->choices[i].text) : 0};
        return seen;
    case SKEP_SPOT_ENDPOINT:
        seen.state = e->family ? SEEN_THERE : SEEN_MISSING;
        seen.s = (const char *)e->ip;
        seen.n = e->family == AF_INET ? 4 : 16;
        return seen;
    case SKEP_SPOT_PORT:
        seen.state = e->family ? SEEN_THERE : SEEN_MISSING;
        seen.value = e->port;
        return seen;
    case SKEP_SPOT_RET:
        seen.state = h->flags & SKEP_HDR_RET ? SEEN_THERE : SEEN_MISSING;
        seen.value = h->ret;
        return seen;
    case SKEP_SPOT_FD_RET:
        seen.state = SEEN_THERE;
        seen.value = h->ret < 0 ? -1 : h->ret;
        return seen;
    case SKEP_SPOT_UNKNOWN:
        break;
    }
    return seen;
}

static void compare(struct field_test *x, const struct skep_rule_field *f, const char *arg,
                    enum skep_rule_spot_form form, const struct seen *seen)
{
    const struct skep_fact *fact = &x->ctx->facts[0];
    bool part = form == SKEP_SPOT_FILENAME;
    const char *kind = x->r.ev.kind->name;
    x->request = (struct skep_fact_request){.field = f, .arg = arg, .type = f->type, .flags = f->flags};
    skep_rule_ctx_begin(x->ctx, &x->r.ev);
    skep_rule_fetch(x->ctx, 0);
    if (part && fact->state == SKEP_FACT_MISSING) /* of a directory */
        return;
    if ((fact->state == SKEP_FACT_THERE) != (seen->state == SEEN_THERE))
        fail_msg("%s[%s] of %s: %s for the kernel, %s for user space", f->name, arg ? arg : "", kind,
                 seen->state == SEEN_THERE ? "there" : "missing",
                 fact->state == SKEP_FACT_THERE ? "there" : "missing");
    if (seen->state == SEEN_MISSING)
        return;
    if (f->type == SKEP_RULE_NUMBER || f->type == SKEP_RULE_BOOL) {
        if ((int64_t)fact->value != seen->value)
            fail_msg("%s[%s] of %s: %lld for the kernel, %lld for user space", f->name, arg ? arg : "", kind,
                     (long long)seen->value, (long long)fact->value);
        return;
    }
    const char *text = (const char *)(uintptr_t)fact->value;
    if (part && !memchr(text, '/', fact->n)) {
        if (fact->n >= seen->n || memcmp(text, seen->s + seen->n - fact->n, fact->n) != 0 ||
            seen->s[seen->n - fact->n - 1] != '/')
            fail_msg("%s of %s: '%.*s' does not end with '/%.*s'", f->name, kind, (int)seen->n, seen->s,
                     (int)fact->n, text);
        return;
    }
    if (part)
        return;
    if (form == SKEP_SPOT_DIRECTORY) {
        if (fact->n > 1 && (fact->n > seen->n || memcmp(text, seen->s, fact->n) != 0))
            fail_msg("%s of %s: '%.*s' does not begin with '%.*s'", f->name, kind, (int)seen->n, seen->s,
                     (int)fact->n, text);
        return;
    }
    if (fact->n != seen->n || memcmp((const void *)(uintptr_t)fact->value, seen->s, seen->n) != 0)
        fail_msg("%s[%s] of %s: '%.*s' for the kernel, '%.*s' for user space", f->name, arg ? arg : "", kind,
                 (int)seen->n, seen->s, (int)fact->n, (const char *)(uintptr_t)fact->value);
}

static struct {
    size_t compared, unknown;
} tally;

static void check_field(struct field_test *x, const struct skep_hdr *raw, const struct skep_rule_field *f,
                        const char *arg)
{
    const struct skep_rule_spot *s =
        arg ? skep_rule_field_arg_spot(f, arg, raw->kind) : skep_rule_field_spot(f, raw->kind);
    if (!s)
        return;
    struct seen seen = see(s, raw);
    if (seen.state == SEEN_UNKNOWN) {
        tally.unknown++;
        return;
    }
    tally.compared++;
    compare(x, f, arg, s->form, &seen);
}

/* All names of arguments, and places. */
static const char *names[512];

static void add_name(size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (skep_streq(names[i], name))
            return;
    assert_true(*n < ARRAY_SIZE(names) - 3);
    names[(*n)++] = name;
}

static void check_record(struct field_test *x, const struct skep_hdr *raw)
{
    size_t n;
    const struct skep_rule_family *const *families = skep_rule_families(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < families[i]->n_fields; k++) {
            const struct skep_rule_field *f = &families[i]->fields[k];
            if (!(f->flags & SKEP_FIELD_ARG_EVENT)) {
                if (!(f->flags & SKEP_FIELD_ARG_REQUIRED))
                    check_field(x, raw, f, NULL);
                continue;
            }
            for (size_t a = 0; names[a]; a++)
                if (skep_rule_field_arg_known(f, names[a], strlen(names[a])))
                    check_field(x, raw, f, names[a]);
        }
}

static void test_spots(void **s)
{
    struct field_test *x = *s;
    static char raw[SKEP_RECORD_MAX];
    static char normal[2 * SKEP_RECORD_MAX];
    memset(&tally, 0, sizeof(tally));
    size_t n_names = 0, n_types;
    skep_evttypes(&n_types);
    for (uint32_t type = 1; type < n_types; type++)
        for (size_t i = 0; skep_rule_args_of(type, i); i++)
            add_name(&n_names, skep_rule_args_of(type, i));
    names[n_names++] = "0";
    names[n_names++] = "2";
    for (unsigned kind = 1; kind < SKEP_KIND_MAX; kind++) {
        if (!skep_schema_kind(x->schema, kind))
            continue;
        for (int round = 0; round < ROUNDS; round++) {
            const struct skep_hdr *h;
            random_record(x, kind);
            random_call(x, kind);
            assert_int_equal(skep_record_check(x->r.ev.kind, &x->r.h, x->r.h.len), 0);
            memcpy(raw, x->r.bytes, x->r.h.len);
            assert_int_equal(skep_record_normalize(x->r.ev.kind, &x->r.h, normal, sizeof(normal), &h), 0);
            x->r.ev.h = h;
            check_record(x, (const void *)raw);
        }
    }
    print_message("%zu spots compared, %zu unknown\n", tally.compared, tally.unknown);
    assert_true(tally.compared > 100000);
    assert_true(tally.unknown > 1000);
}

/* What the rules of most hosts ask first is known in the kernel. */
static void test_known(void **s)
{
    static const struct {
        const char *name;
        uint16_t kind;
        bool known;
    } cases[] = {
        {"fd.name", SKEP_KIND_open, true},
        {"fd.nameraw", SKEP_KIND_open, true},
        {"fd.num", SKEP_KIND_open, true},
        {"evt.rawres", SKEP_KIND_open, true},
        {"evt.failed", SKEP_KIND_open, true},
        {"evt.is_open_read", SKEP_KIND_open, true},
        {"evt.is_open_write", SKEP_KIND_open, true},
        {"evt.is_open_write", SKEP_KIND_connect, true},
        {"evt.is_open_create", SKEP_KIND_open, true},
        {"evt.is_open_exec", SKEP_KIND_open, true},
        {"fd.sip", SKEP_KIND_connect, true},
        {"fd.snet", SKEP_KIND_connect, true},
        {"fd.sport", SKEP_KIND_connect, true},
        {"fd.cip", SKEP_KIND_accept, true},
        {"fd.sport", SKEP_KIND_accept, true},
        {"fd.lport", SKEP_KIND_dup, true},
        {"fd.sip", SKEP_KIND_dup, false},
        {"fd.sip", SKEP_KIND_tcp, false},
        {"fd.connected", SKEP_KIND_send, true},
        {"fd.name_changed", SKEP_KIND_send, true},
        {"fd.ip", SKEP_KIND_connect, false},
        {"evt.rawarg.uid", SKEP_KIND_setuid, false},
        {"evt.rawarg.flags", SKEP_KIND_unshare, true},
        {"evt.arg.linkpath", SKEP_KIND_symlink, true},
        {"evt.arg.target", SKEP_KIND_symlink, true},
        {"evt.arg.oldpath", SKEP_KIND_link, true},
        {"evt.arg.flags", SKEP_KIND_open, false},
        {"evt.arg.name", SKEP_KIND_open, false}, /* open_by_handle_at has none */
        {"evt.arg.filename", SKEP_KIND_chmod, false},
    };
    (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t at;
        const char *name = cases[i].name;
        const struct skep_rule_field *f = skep_rule_field_find_dotted(name, strlen(name), &at);
        assert_non_null(f);
        const struct skep_rule_spot *spot = at ? skep_rule_field_arg_spot(f, name + at, cases[i].kind)
                                               : skep_rule_field_spot(f, cases[i].kind);
        if ((spot != NULL) != cases[i].known)
            fail_msg("%s of kind %u: known %d", name, cases[i].kind, spot != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spots, field_setup, field_teardown),
        cmocka_unit_test(test_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
